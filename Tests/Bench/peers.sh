#!/usr/bin/env bash
# The same topic emptied into the same sink by the daemon and by what a team would pick instead (peers/peers.txt).
#
# usage: Tests/Bench/peers.sh [further options of forwarder-bench]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Bench/broker.sh

Tests/Bench/peers/setup.sh
start_broker bench=4 check=4
.build/release/forwarder-bench peers --brokers "$brokers" --peers Tests/Bench/peers/peers.txt \
    --compare "$PWD/Tests/Bench/peers/compare.py" "$@"
