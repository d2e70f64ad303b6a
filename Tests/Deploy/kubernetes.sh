#!/usr/bin/env bash
# The manifests: by Kubernetes' own schemas, and against each other, the image and the configuration.
source "$(dirname "$0")/common.sh"

need python3-venv
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
"$work/venv/bin/kubernetes-validate" --strict --quiet deploy/kubernetes/*.yaml >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "kubernetes-validate"; }
ok "$(cat deploy/kubernetes/*.yaml | grep -c '^kind: ') manifests are what Kubernetes 1.37 takes"

"$work/venv/bin/python" - "$work" <<'END' || fail "the manifests do not fit together"
import glob, os, sys, yaml
work = sys.argv[1]
found = {}
for path in glob.glob("deploy/kubernetes/*.yaml"):
    for manifest in yaml.safe_load_all(open(path)): found[manifest["kind"]] = manifest
pod = found["StatefulSet"]["spec"]["template"]
container = pod["spec"]["containers"][0]
labels = pod["metadata"]["labels"]
for selector in (found["StatefulSet"]["spec"]["selector"]["matchLabels"], found["Service"]["spec"]["selector"],
                 found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                 found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
    assert selector.items() <= labels.items(), selector
volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
assert volumes["configuration"]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"]
assert volumes["secrets"]["secret"]["secretName"] == found["Secret"]["metadata"]["name"]
user = next(line.split()[1] for line in open("deploy/docker/Dockerfile") if line.startswith("USER "))
context = pod["spec"]["securityContext"]
assert f"{context['runAsUser']}:{context['runAsGroup']}" == user, user
assert container["ports"][0]["containerPort"] == 9464

# The configuration as the pod has it, its secrets from the manifest.
mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
os.mkdir(f"{work}/secrets")
for name, value in found["Secret"]["stringData"].items(): open(f"{work}/secrets/{name}", "w").write(value)
text = found["ConfigMap"]["data"]["config.yaml"]
assert text.count(mounts["secrets"] + "/") == len(found["Secret"]["stringData"])
open(f"{work}/config.yaml", "w").write(text.replace(mounts["secrets"], f"{work}/secrets"))
END
ok "labels, volumes, port, and the image's user agree"

code=0
"$program" check --config "$work/config.yaml" >"$work/log" 2>&1 || code=$?
[ $code -lt 2 ] && grep -q 'admin.listen: warning: ' "$work/log" &&
    [ "$(grep -cE '(warning|trouble): ' "$work/log")" = 1 ] || { cat "$work/log" >&2; fail "check, exit code $code"; }
ok "check of the configuration in it finds nothing but the open admin port"
