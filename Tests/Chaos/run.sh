#!/bin/bash
# Everything goes wrong at once, by a plan made from a seed, and every event is accounted for in the end.
#
# run.sh SECONDS SEED...      seeds, or `old` for all that once failed (old-seeds)
# BIN: where the programs are. REAL=1: Kafka is a real broker, Tansu, which misses members that were killed; its own faults
# are left out. Needs a compiler for the clock, and root for the small disk; without one of them that part is left out and
# said.
set -eu -o pipefail
here=$(dirname "$0")
bin=${BIN:-.build/release}
seconds=$1
shift
options=()
for compiler in clang cc; do
    command -v "$compiler" > /dev/null || continue
    "$compiler" -shared -fPIC -O2 -Wall -Werror -o "$bin/chaos-clock.so" "$here/clock.c"
    options=(--clock "$(realpath "$bin/chaos-clock.so")")
    break
done
kafka=()
broker=
if [ -n "${REAL:-}" ]; then
    . Tests/RealBroker/downloads.sh
    fetch_librdkafka
    export LD_LIBRARY_PATH=$downloads/lib
    port=$(free_port)
    Tests/RealBroker/broker.sh tansu "$port" &
    broker=$!
    trap 'kill "$broker" 2> /dev/null; wait "$broker" 2> /dev/null || true' EXIT
    wait_for_broker "$port" "$broker"
fi
failed=()
trial=
signal=
# The trial ends its daemons and unmounts its disk when it is told to end; this script waits for that.
trap 'signal=INT; [ -z "$trial" ] || kill -INT "$trial" 2> /dev/null || true' INT
trap 'signal=TERM; [ -z "$trial" ] || kill -TERM "$trial" 2> /dev/null || true' TERM HUP
# try_once SEED SECONDS: sets `code`
try_once() {
    if [ -n "$broker" ]; then
        topic=chaos-$1-$RANDOM
        "$downloads/tansu" topic create --broker "tcp://127.0.0.1:$port" --partitions 12 "$topic" > /dev/null
        kafka=(--brokers "127.0.0.1:$port" --topic "$topic")
    fi
    TMPDIR=$directory "$bin/forwarder-trial" --chaos --seed "$1" --seconds "$2" "${options[@]}" "${kafka[@]}" \
        2> "$directory/stderr" &
    trial=$!
    # A signal that is trapped ends `wait` before the trial has ended.
    while true; do
        code=0
        wait "$trial" || code=$?
        kill -0 "$trial" 2> /dev/null || break
    done
    trial=
    cat "$directory/stderr" >&2
    # The kernel has killed the daemons of a trial that was killed; what it mounted is left.
    for disk in "$directory"/*/first/state; do
        if mountpoint -q "$disk"; then umount -l "$disk"; fi
    done
}
# play SEED SECONDS
play() {
    local directory code
    directory=$(mktemp -d "${TMPDIR:-/tmp}/conversion-forwarder-chaos-XXXXXX")
    for _ in 1 2 3; do
        try_once "$@"
        # The mock in Debian's librdkafka cannot bear a member that was cut off while it joined, and joins again. That ends
        # the trial, in which the mock runs, and says nothing of the daemons.
        grep -q 'rdkafka_mock_cgrp.c:.* Assertion' "$directory/stderr" || break
        echo "seed $1: the mock Kafka has given up; once more" >&2
        rm -r "$directory"/*
    done
    rm -f "$directory/stderr"
    rmdir "$directory" 2> /dev/null || true
    if [ -n "$signal" ]; then
        trap - "$signal"
        kill -"$signal" $$
    fi
    [ "$code" = 0 ] || failed+=("$1")
}
for seed in "$@"; do
    if [ "$seed" = old ]; then
        while read -r old length _; do play "$old" "$length"; done < <(grep -v '^#' "$here/old-seeds")
    else
        play "$seed" "$seconds"
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
