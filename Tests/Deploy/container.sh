#!/usr/bin/env bash
# Assembles the last stages of the Dockerfile without a container engine: its RUN lines in a bare Debian 12, its COPY
# lines from what `make release` built. Then lives in them as a careful engine would have it: user 10001, no capability,
# root file system read-only.
source "$(dirname "$0")/common.sh"

need binutils util-linux python3-yaml iproute2 curl
dockerfile=deploy/docker/Dockerfile

# stage NAME: its instructions, one a line, without comments.
stage() {
    sed -E '/^ *#/d' "$dockerfile" | sed -E ':again; /\\$/ {N; s/ *\\\n */ /; b again}' |
        awk -v name="$1" '$1 == "FROM" {here = ($4 == name)} here && NF'
}

# build NAME DIRECTORY: carries out RUN and COPY; FROM is made already.
build() {
    local word rest line
    while read -r word rest; do
        case $word in
            RUN) inside "$2" --setenv=DEBIAN_FRONTEND=noninteractive sh -c "$rest" >"$work/run.log" 2>&1 ||
                { cat "$work/run.log" >&2; fail "RUN $rest"; } ;;
            COPY)
                line=${rest#--from=build }
                read -r from to <<<"${line#/build/}"
                install -D "$from" "$2$to"
                case $from in .build/*) strip "$2$to" ;; esac ;;
        esac
    done < <(stage "$1")
}

# as_engine DIRECTORY OPTION... COMMAND...: the way the container is meant to run.
as_engine() {
    local directory=$1 options=()
    shift
    while [[ $1 == --* ]]; do options+=("$1"); shift; done
    inside "$directory" --read-only "${options[@]}" \
        setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs --bounding-set=-all "$@"
}

user=$(stage runtime | sed -n 's/^USER //p')
[[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "USER $user is not two numbers"
bare_root "$work/forwarder"
build runtime "$work/forwarder"
cp -a "$work/forwarder" "$work/fake-microsoft"
build forwarder "$work/forwarder"
build fake-microsoft "$work/fake-microsoft"
ok "the Dockerfile's last stages are assembled"

# The demo, its directory where a second container sees it.
mkdir -m 1777 "$work/shared"
as_engine "$work/forwarder" --private-network --bind="$work/shared:/tmp" \
    conversion-forwarder demo --events 12000 --keep >"$work/demo.log" 2>&1 &
demo=$!
healthcheck=$(stage forwarder | sed -nE 's/^HEALTHCHECK .*CMD \["(.*)"\]$/\1/p' | sed 's/", "/ /g')
[ -n "$healthcheck" ] || fail "no HEALTHCHECK"
is_healthy() {
    local configuration
    configuration=$(cd "$work/shared" && ls -d */config.yaml 2>/dev/null) || return 1
    # shellcheck disable=SC2086
    as_engine "$work/forwarder" --private-network --bind="$work/shared:/tmp" \
        $healthcheck --config "/tmp/$configuration" >"$work/status.log" 2>&1
}
healthy=no
while kill -0 $demo 2>/dev/null; do
    is_healthy && { healthy=yes; break; }
    sleep 0.2
done
wait $demo || { cat "$work/demo.log" >&2; fail "the demo"; }
ok "user $user, no capability, root file system read-only: the demo is balanced"
[ $healthy = yes ] || { cat "$work/status.log" >&2; fail "the HEALTHCHECK was never well"; }
ok "meanwhile '$healthcheck' says: $(head -n 1 "$work/status.log")"
code=0
as_engine "$work/forwarder" --private-network $healthcheck >"$work/status.log" 2>&1 || code=$?
[ $code = 1 ] || fail "the HEALTHCHECK of a container without a daemon has exit code $code"
ok "and is exit code 1 where no daemon runs"

# compose.yaml: what it gives the fake Microsoft and the daemon fits, and what the shop says would be delivered.
from_compose() { python3 -c "
import sys, yaml
services = yaml.safe_load(open('deploy/compose.yaml'))['services']
$1"; }
mapfile -t arguments < <(from_compose "print(*services['microsoft']['command'], sep='\n')")
mapfile -t environment < <(from_compose "
for name, value in services['forwarder']['environment'].items(): print(f'--setenv={name}={value}')")
(timeout 3 sh deploy/compose/shop.sh || true) >"$work/shop.json"
"$program" explain "$work/shop.json" --config deploy/compose/config.yaml --json >"$work/explained.json"
python3 - "$work/explained.json" <<'END' || fail "what the shop publishes"
import json, sys
outcomes = {(event["event"], there["name"]): there["outcome"]
            for event in map(json.loads, open(sys.argv[1])) for there in event["destinations"]}
for owed in ("Purchase", "capi"), ("Purchase", "offline"), ("PageView", "capi"): assert outcomes[owed] == "deliver", owed
END
ok "what compose's shop publishes would be delivered"

mkdir "$work/state"
chown "$user" "$work/state"
cp deploy/compose/config.yaml "$work/forwarder/etc/conversion-forwarder/config.yaml"
export -f as_engine inside nspawn fail
export work user
# A process group for each job: of a function that runs a container, `jobs -p` names the shell only.
unshare --net bash -euo pipefail -c '
    set -m
    ip link set lo up
    as_engine "$work/fake-microsoft" fake-microsoft "${@:1:'${#arguments[@]}'}" >"$work/microsoft.log" 2>&1 &
    as_engine "$work/forwarder" --bind="$work/state:/var/lib/conversion-forwarder" "${@:'$((${#arguments[@]} + 1))'}" \
        conversion-forwarder run >"$work/daemon.log" 2>&1 &
    daemon=$!
    for _ in {1..60}; do
        sleep 0.25
        curl --silent http://127.0.0.1:9464/metrics >"$work/metrics" || continue
        [ "$(grep -cE "^conversion_forwarder_credential_ready.* 1$" "$work/metrics")" = 3 ] && break
    done
    curl --silent http://127.0.0.1:8080/_fake/report >"$work/report" || true
    exec 2>/dev/null
    for job in $(jobs -p); do kill -KILL -- "-$job"; done
    wait
' - "${arguments[@]}" "${environment[@]}" || true
[ "$(grep -cE '^conversion_forwarder_credential_ready.* 1$' "$work/metrics")" = 3 ] ||
    { cut -c -300 "$work/daemon.log" "$work/microsoft.log" | tail -n 20 >&2; fail "compose's secrets do not fit"; }
ok "compose's daemon is let in by compose's fake Microsoft, tag and account"
