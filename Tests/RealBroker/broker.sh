#!/usr/bin/env bash
# A real broker on loopback, in the foreground, until Ctrl-C or SIGTERM. SIGHUP ends it in order, waits, and starts it
# again with what it had, if it is one that keeps anything. What it keeps is in a temporary directory.
#
# usage: Tests/RealBroker/broker.sh [noida-db|tansu] [PORT]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/RealBroker/downloads.sh

kind=${1:-noida-db}
port=${2:-$(free_port)}
fetch_broker "$kind"

state=$(mktemp -d /tmp/conversion-forwarder-broker-XXXXXX)
child= restart= stop=
trap 'rm -rf "$state"' EXIT
trap 'restart=1; kill "$child" 2>/dev/null || true' HUP
trap 'stop=1; kill "$child" 2>/dev/null || true' INT TERM

start() {
    case $kind in
        noida-db) exec "$downloads/noida-db" start --data-dir "$state" --only kafka --kafka-port "$port" ;;
        tansu)
            exec "$downloads/tansu" broker --storage-engine memory://tansu/ --silent \
                --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port"
            ;;
    esac
}

while [ -z "$stop" ]; do
    start >>"$state/log" 2>&1 &
    child=$!
    wait_for_broker "$port" "$child" || { cat "$state/log" >&2 && kill "$child"; exit 1; }
    echo "broker: $kind at 127.0.0.1:$port (kill -HUP $$ restarts it)"
    # A signal that is trapped ends `wait` before the broker has ended.
    while kill -0 "$child" 2>/dev/null; do wait "$child" || true; done
    [ -n "$restart$stop" ] || { cat "$state/log" >&2; echo "the broker has ended by itself" >&2; exit 1; }
    [ -z "$restart" ] || sleep 3
    restart=
done
