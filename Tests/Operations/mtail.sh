#!/usr/bin/env bash
# Feeds Debian's mtail the log of a daemon that had trouble with Microsoft, and compares its sums with the metrics line.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Operations/tools.sh
need mtail mtail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
TMPDIR=$dir "$program" demo --events 6000 --rate 3000 --faults mixed --keep >"$dir/demo" || fail "$(cat "$dir/demo")"
log=$(echo "$dir"/conversion-forwarder-*/log.ndjson)
mtail --one_shot --one_shot_format=prometheus --progs deploy/mtail/conversion-forwarder.mtail --logs "$log" \
    --log_dir "$dir" >"$dir/sums" 2>"$dir/mtail.err" || fail "mtail: $(tail -n 3 "$dir/mtail.err")"

# sum METRIC [LABELS]: of all its values
sum() { awk -v name="$1" -v label="${2:-}" 'index($0, name "{") == 1 && index($0, label) { sum += $NF } END { print sum + 0 }' "$dir/sums"; }
# told DESTINATION NAME: the last metrics line's
told() { grep '"event":"metrics"' "$log" | tail -n 1 | grep -o "\"$1\":{\"consumed\":.*" | grep -o "\"$2\":[0-9]*" | head -n 1 | cut -d : -f 2; }

# Of pixels each event is a request, and more than ten lines a second of a destination are held back.
held=$(grep -E '"event":"delivery.attempted","destination":"(capi|offline)"' "$log" | grep -c '"held_back"' || true)
[ "$held" -eq 0 ] || fail "attempts were held back: there is nothing to compare"
compared=
for destination in capi offline; do
    for name in delivered attempts retried requests; do
        mtail=$(sum "forwarder_log_$name" "destination=\"$destination\"")
        daemon=$(told "$destination" "$name")
        [ "$mtail" = "$daemon" ] || fail "$destination $name: $mtail by mtail, $daemon by the daemon"
        compared+=" $destination/$name=$mtail"
    done
done
[ "$(sum forwarder_log_lines)" -eq "$(wc -l <"$log")" ] || fail "$(sum forwarder_log_lines) of $(wc -l <"$log") lines were read"
grep -q '^forwarder_log_unaccounted{.*} 0$' "$dir/sums" || fail "unaccounted"
echo "mtail: $(wc -l <"$log") lines read, and the sums are the daemon's:$compared"
