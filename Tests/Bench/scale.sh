#!/usr/bin/env bash
# What an event costs with many partitions, with many destinations, and with many deliveries in the queue.
#
# usage: Tests/Bench/scale.sh [further options of forwarder-bench]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Bench/broker.sh

start_broker partitions1=1 partitions16=16 partitions256=256
.build/release/forwarder-bench scale --brokers "$brokers" "$@"
.build/release/forwarder-bench length
