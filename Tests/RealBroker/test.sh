#!/usr/bin/env bash
# The scenarios of RealBrokerTests against a broker that is started for them, with Debian's librdkafka or a newer one.
#
# usage: Tests/RealBroker/test.sh noida-db|tansu debian|newer [further options of swift test]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/RealBroker/downloads.sh

kind=$1
library=$2
shift 2
port=$(free_port)
fetch_broker "$kind"

Tests/RealBroker/broker.sh "$kind" "$port" &
broker=$!
trap 'kill "$broker" 2>/dev/null; wait "$broker" 2>/dev/null || true' EXIT
wait_for_broker "$port" "$broker"

export FORWARDER_TEST_BROKER=127.0.0.1:$port
# Found by trying; see Tests/RealBrokerTests/Broker.swift.
case $kind in
    noida-db)
        export FORWARDER_TEST_BROKER_LACKS="session-timeout rebalance"
        export FORWARDER_TEST_BROKER_RESTART="kill -HUP $broker"
        ;;
    tansu) export FORWARDER_TEST_BROKER_LACKS="transactions compaction retention delete-records out-of-range end-offsets" ;;
esac
if [ "$library" = newer ]; then
    fetch_librdkafka
    export LD_LIBRARY_PATH=$downloads/lib
fi
${SWIFT:-swift} test --skip-build --explicit-target-dependency-import-check error --filter RealBrokerTests "$@"
