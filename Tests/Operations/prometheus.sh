#!/usr/bin/env bash
# Plays every alert with promtool; then Debian's Prometheus, with the rules, scrapes a real daemon at work, and has to know
# every metric of its page, the right number, no alert, and an answer to every query of the dashboard.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Operations/tools.sh
need prometheus prometheus
need promtool prometheus

promtool check rules --lint=all --lint-fatal deploy/prometheus/alerts.yaml >/dev/null || fail "the rules"
promtool test rules deploy/prometheus/alerts.test.yaml >/dev/null || fail "promtool test rules alerts.test.yaml"

dir=$(mktemp -d)
demo='' prometheus=''
trap 'kill $demo $prometheus 2>/dev/null; wait; rm -rf "$dir"' EXIT
TMPDIR=$dir "$program" demo --events 12000 --rate 300 --json >"$dir/demo.json" &
demo=$!
opened() { grep -ho '"admin.opened","address":"127.0.0.1:[0-9]*' "$dir"/conversion-forwarder-*/log.ndjson; }
wait_for 30 "the daemon's admin port" opened
port=$(opened | grep -o '[0-9]*$')

cat >"$dir/prometheus.yaml" <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$PWD/deploy/prometheus/alerts.yaml]
scrape_configs:
  - job_name: conversion-forwarder
    static_configs: [{targets: ["127.0.0.1:$port"]}]
END
prometheus --config.file="$dir/prometheus.yaml" --storage.tsdb.path="$dir/data" --web.listen-address=127.0.0.1:0 \
    >"$dir/prometheus.log" 2>&1 &
prometheus=$!
listening() { grep -o 'msg="Listening on" address=127.0.0.1:[0-9]*' "$dir/prometheus.log"; }
wait_for 30 "Prometheus" listening
server=http://127.0.0.1:$(listening | grep -o '[0-9]*$')
ask() { promtool query instant "$server" "$1"; }
answered() { ask "$1" | grep -q '=>'; }
number() { ask "$1" | sed -E 's/.*=> ([^ ]*) @.*/\1/'; }
wait_for 30 "up == 1" answered 'up{job="conversion-forwarder"} == 1'

# The number is the daemon's: not less than before the scrape, not more than after it, and events are coming in.
counter='conversion_forwarder_consumed_total{destination="capi"}'
read_page() { page "$port" /metrics | sed -n "s/^$counter //p"; }
has_events() { [ "$(read_page)" -gt 0 ]; }
wait_for 30 "events" has_events
before=$(read_page)
asked=$(date +%s.%N)
wait_for 30 "a scrape" answered "timestamp($counter) > $asked"
between=$(number "$counter")
after=$(read_page)
[ "$before" -le "$between" ] && [ "$between" -le "$after" ] ||
    fail "Prometheus has $between, the page said $before before and $after after"

page "$port" /metrics | sed -nE 's/^(conversion_forwarder_[a-z0-9_]*).*/\1/p' | sort -u >"$dir/page"
ask 'group by (__name__) ({__name__=~"conversion_forwarder_.*"})' | sed -E 's/^([a-z0-9_]+).*|.*__name__="([a-z0-9_]+)".*/\1\2/' |
    sort -u >"$dir/known"
diff "$dir/page" "$dir/known" >&2 || fail "Prometheus does not know the page's metrics"

rules=$(page "${server##*:}" /api/v1/rules)
grep -q '"health":"err"' <<<"$rules" && fail "a rule cannot be evaluated"
firing=$(ask 'ALERTS{alertstate="firing"}')
[ -z "$firing" ] || fail "alerts of a healthy daemon: $firing"

queries=0 silent=0
while read -r query; do
    queries=$((queries + 1))
    answer=$(ask "$query") || fail "a query of the dashboard: $query"
    [ -n "$answer" ] || silent=$((silent + 1))
done < <(sed -nE 's/^ *"expr": "(.*)",?$/\1/p' deploy/grafana/conversion-forwarder.json |
    sed 's/\\"/"/g; s/\$job/conversion-forwarder/g; s/\$instance/.*/g; s/\$destination/.*/g; s/\$__rate_interval/10s/g')
[ "$queries" -gt 30 ] || fail "only $queries queries found in the dashboard"

wait "$demo" || fail "the demo: $(cat "$dir/demo.json")"
demo=
echo "prometheus: $(promtool --version 2>&1 | sed -n '1s/,[^,]*version /, /; 1s/ (.*//p'): every alert fires and keeps silent;" \
    "$(wc -l <"$dir/page") series names scraped, up is 1, $counter is $between between $before and $after, no alert;" \
    "$queries queries of the dashboard answered, $silent with nothing to say"
