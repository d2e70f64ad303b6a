#!/usr/bin/env bash
# Builds the Debian package of what `make release` built, lets lintian judge it, installs it on a bare Debian 12, and
# boots that with systemd, where service.sh goes on.
source "$(dirname "$0")/common.sh"

need debhelper dpkg-dev fakeroot lintian
package=$(deploy/debian/build.sh)
lintian --fail-on error,warning --allow-root "$package" || fail "lintian"
ok "$(basename "$package") is built, and lintian has nothing to say"
for library in $(dpkg-deb --field "$package" Depends | tr , '\n' | awk '{print $1}'); do
    case $library in libc6 | libgcc-s1 | libstdc++6 | procps) continue ;; esac
    for file in deploy/docker/Dockerfile deploy/README.md; do
        grep -qw -- "$library" $file || fail "$file does not have $library"
    done
done
ok "Dockerfile and README name the libraries that it depends on"

root=$work/root
bare_root "$root" systemd systemd-sysv
cp "$package" "$root/root/package.deb"
inside "$root" --setenv=DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet=2 --no-install-recommends /root/package.deb >"$work/apt.log" 2>&1 ||
    { cat "$work/apt.log" >&2; fail "apt cannot install it"; }
ok "apt installs it on a bare Debian 12 ($(inside "$root" apt-mark showauto | wc -l) packages for its sake)"
complaints=$(inside "$root" systemd-analyze verify --man=no conversion-forwarder.service 2>&1) && [ -z "$complaints" ] ||
    fail "systemd-analyze verify: $complaints"
ok "systemd-analyze verify has nothing to say"
inside "$root" --private-network conversion-forwarder demo --events 2000 >"$work/demo.log" ||
    { cat "$work/demo.log" >&2; fail "the demo"; }
ok "its demo is balanced there"

cp Tests/Deploy/service.sh "$root/root/service.sh"
cat >"$root/etc/systemd/system/service-test.service" <<'END'
[Unit]
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
TimeoutStartSec=180
ExecStart=/bin/bash /root/service.sh
StandardOutput=append:/root/result
StandardError=append:/root/result
END
ln -s ../service-test.service "$root/etc/systemd/system/multi-user.target.wants/"
nspawn "$root" --private-network --boot >"$work/boot.log" 2>&1 || true
cat "$root/root/result" || tail -n 20 "$work/boot.log"
grep -q '^ok   all of systemd' "$root/root/result" || fail "under systemd"
ok "all that was under a booted systemd"
