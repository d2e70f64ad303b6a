#!/usr/bin/env bash
# The daemon from end to end, with the floor beside it: what librdkafka, libcurl, TLS and hashing cost by themselves.
#
# usage: Tests/Bench/end-to-end.sh [further options of forwarder-bench]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Bench/broker.sh

floor=$PWD/downloads/floor
mkdir -p downloads
# shellcheck disable=SC2046 # words are wanted
cc -O2 -Wall -Wextra -Werror -o "$floor" Tests/Bench/floor.c $(pkg-config --cflags --libs rdkafka libcurl libcrypto) -lpthread
start_broker bench=4 paced=4
.build/release/forwarder-bench end-to-end --brokers "$brokers" --floor "$floor" "$@"
