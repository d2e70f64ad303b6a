#!/usr/bin/env bash
# Plays a life of the release daemon against a real broker on loopback: 200,000 events, killed in the middle, resumed, and
# judged. The broker is Tansu, which misses the member that was killed; it needs the newer librdkafka (downloads.sh).
#
# usage: Tests/RealBroker/run.sh [RECORDS] [further options of forwarder-trial]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/RealBroker/downloads.sh

records=${1:-200000}
shift || true
fetch_broker tansu
fetch_librdkafka

port=$(free_port)
Tests/RealBroker/broker.sh tansu "$port" &
broker=$!
trap 'kill "$broker" 2>/dev/null; wait "$broker" 2>/dev/null || true' EXIT
wait_for_broker "$port" "$broker"
"$downloads/tansu" topic create --broker "tcp://127.0.0.1:$port" --partitions 4 storefront-events

"$downloads/tansu" --version
LD_LIBRARY_PATH=$downloads/lib .build/release/conversion-forwarder version
LD_LIBRARY_PATH=$downloads/lib .build/release/forwarder-trial --brokers "127.0.0.1:$port" \
    --topic storefront-events --records "$records" --property session.timeout.ms=6000 \
    --property heartbeat.interval.ms=500 --property fetch.wait.max.ms=20 --producer compression.type=lz4 "$@"
