#!/bin/bash
# Everything goes wrong at once, by a plan made from a seed, and every event is accounted for in the end.
#
# run.sh SECONDS SEED...      seeds, or `old` for all that once failed (old-seeds)
# BIN: where the programs are. Needs a compiler for the clock, and root for the small disk; without one of them that
# part is left out and said.
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
failed=()
play() { # SEED SECONDS
    "$bin/forwarder-trial" --chaos --seed "$1" --seconds "$2" "${options[@]}" || failed+=("$1")
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
