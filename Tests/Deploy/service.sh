# Runs as root in a Debian that deb.sh has booted, the package installed.
set -euo pipefail
unit=conversion-forwarder.service
configuration=/etc/conversion-forwarder/config.yaml

ok() { printf 'ok   %s (%s s)\n' "$*" "$SECONDS"; }
fail() {
    echo "FAIL $*"
    journalctl --no-pager --output=cat --unit $unit | tail -n 20
    exit 1
}
trap 'fail "line $LINENO"' ERR
show() { systemctl show --value --property "$1" $unit; }
eventually() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}
drop_in() { # the lines of a [Service]
    mkdir -p /run/systemd/system/$unit.d
    { echo '[Service]'; printf '%s\n' "$@"; } >/run/systemd/system/$unit.d/test.conf
    systemctl daemon-reload
}
is_new_process() { [ "$(show MainPID)" != "$1" ] && [ "$(show ActiveState)" = active ]; }

[ "$(systemctl is-enabled $unit)" = disabled ] && [ "$(show ActiveState)" = inactive ] || fail "it runs unasked"
ok "installed, it is neither enabled nor started"

printf 'a-token' >/etc/conversion-forwarder/secrets/capi-token
chmod 0600 /etc/conversion-forwarder/secrets/capi-token
# The rest of the configuration is as it is shipped; there is no Kafka.
systemctl enable --quiet --now $unit
id=$(show MainPID)
[ "$(show ActiveState)" = active ] && [ "$(stat --format=%u "/proc/$id")" -gt 60000 ] || fail "not as it should run"
for line in $'CapEff:\t0000000000000000' $'NoNewPrivs:\t1' $'Seccomp:\t2'; do
    grep -qxF "$line" "/proc/$id/status" || fail "it is not so: $line"
done
grep -qE '^Max core file size +0 +0 ' "/proc/$id/limits" || fail "core dumps"
ok "started: a user of its own, no capability, system calls filtered, no core dump; systemd was told it is ready"

has_credential() {
    local code=0
    conversion-forwarder status >/root/status 2>&1 || code=$?
    [ $code = 1 ] && grep -q '^not ready: ' /root/status && grep -qE '^capi .* ready$' /root/status
}
eventually 30 has_credential || { cat /root/status; fail "status"; }
ok "the secret reached it as a credential, and status says what is amiss: $(head -n 1 /root/status)"
eventually 30 eval 'show StatusText | grep -q "capi open"' || fail "no status text: $(show StatusText)"
ok "systemctl status has: $(show StatusText)"
journalctl --no-pager --output=cat --identifier=conversion-forwarder | grep '"event":"daemon.started"' >/dev/null ||
    fail "its lines are not in the journal"
ok "the journal has its lines"
[ "$(stat --format=%a /var/lib/private/conversion-forwarder)" = 700 ] || fail "the state directory is open to others"
ok "check, while it runs: $(conversion-forwarder check 2>&1 | tail -n 1)"

sed -e 's/name: capi /name: other /' -e '1,/^destinations:/d' $configuration >>$configuration
systemctl reload $unit
has_other() { { conversion-forwarder status || true; } 2>/dev/null | grep -q '^other '; }
eventually 30 has_other || fail "the reload brought nothing"
ok "systemctl reload brings a second destination"

kill -KILL "$id"
drop_in RestartSec=1
eventually 30 is_new_process "$id" || fail "it is not started again"
ok "killed, it is started again"

drop_in RestartSec=1 WatchdogSec=2
systemctl restart $unit
id=$(show MainPID)
kill -STOP "$id"
eventually 30 is_new_process "$id" || fail "the watchdog does not bark"
ok "when it hangs, the watchdog ends it, and it is started again"

rm -rf /run/systemd/system/$unit.d
systemctl daemon-reload
id=$(show MainPID)
dpkg --install /root/package.deb >/root/dpkg.log 2>&1 || { cat /root/dpkg.log; fail "a second installation"; }
eventually 30 is_new_process "$id" || fail "the upgrade did not restart it"
grep -q 'name: other' $configuration || fail "the upgrade changed the configuration"
ok "an upgrade restarts it and leaves the configuration alone"

start=$EPOCHREALTIME
systemctl stop $unit
[ "$(show Result) $(show ExecMainStatus)" = "success 0" ] || fail "stop: $(show Result) $(show ExecMainStatus)"
ok "it stops in $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms, exit code 0"

# More than five starts in ten seconds would be refused.
systemctl reset-failed $unit 2>/dev/null || true
echo 'nonsense: 1' >>$configuration
systemctl start $unit 2>/dev/null && fail "it starts with a wrong configuration"
sleep 6
[ "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)" = "failed 2 0" ] ||
    fail "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)"
ok "a wrong configuration is exit code 2, and not tried again"
sed -i '$d' $configuration

# The whole way of an event inside the sandbox.
drop_in Type=oneshot Restart=no WatchdogSec=0 ExecStart= 'ExecStart=/usr/bin/conversion-forwarder demo --events 4000'
systemctl reset-failed $unit
systemctl start $unit || fail "the demo in the sandbox"
ok "inside the sandbox the demo is balanced"

# The drop-ins that are shipped as examples.
rm -rf /run/systemd/system/$unit.d
examples=/usr/share/doc/conversion-forwarder/examples/$unit.d
mkdir /etc/systemd/system/$unit.d
cp $examples/*.conf /etc/systemd/system/$unit.d
useradd --system --user-group forwarder
systemd-creds encrypt --name=secret_capi-token /etc/conversion-forwarder/secrets/capi-token \
    /etc/conversion-forwarder/capi-token.cred 2>/dev/null
rm /etc/conversion-forwarder/secrets/capi-token
systemctl daemon-reload
systemctl start $unit || fail "with the drop-ins"
eventually 30 has_credential || fail "the encrypted secret did not arrive"
[ "$(stat --format=%U "/proc/$(show MainPID)") $(stat --format=%U /var/lib/conversion-forwarder/store.sqlite)" = \
    "forwarder forwarder" ] || fail "the fixed user"
ok "with the drop-ins: an encrypted secret, a fixed user that takes over the state, and $(show TimeoutStopUSec) to stop"
rm -r /etc/systemd/system/$unit.d
systemctl daemon-reload
systemctl restart $unit 2>/dev/null || fail "without the drop-ins again"

dpkg --purge conversion-forwarder >/root/dpkg.log 2>&1 || { cat /root/dpkg.log; fail "purge"; }
grep -q 'private/conversion-forwarder stays' /root/dpkg.log || fail "purge is silent on the state"
[ -e /var/lib/private/conversion-forwarder/store.sqlite ] || fail "purge took the state"
[ ! -e /usr/bin/conversion-forwarder ] && [ ! -e $configuration ] || fail "purge left something"
[ "$(systemctl is-active $unit)" = inactive ] || fail "purge left it running"
ok "purge ends it and removes all but the state and the secrets, and says so"
ok "all of systemd"
