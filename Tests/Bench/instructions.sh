#!/bin/bash
# Counts instructions per round of each section of forwarder-bench: the same binary gives the same numbers whatever else
# the machine does. Each section runs twice, with N and 2N rounds; what differs is N rounds and nothing else.
set -euo pipefail
binary=${1:-.build/release/forwarder-bench}
if ! command -v valgrind >/dev/null; then
    echo "instructions: skipped, valgrind is not installed (apt-get install valgrind)"
    exit 0
fi

counted() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" --count "$1" "$2" 2>&1 |
        awk '/Collected :/ { print $4 }'
}

echo "section           unit       instructions"
"$binary" --list | while read -r section _; do
    rounds=1000
    case $section in request | verdict) rounds=20 ;; esac
    once=$(counted "$section" "$rounds")
    twice=$(counted "$section" $((2 * rounds)))
    printf '%-17s %-9s %13d\n' "$section" round $(((twice - once) / rounds))
done
