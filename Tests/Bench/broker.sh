# Sourced by the scripts beside it: a broker with the topics of the benchmarks on loopback, until the script ends.
#
# Tansu keeps all that is published in memory; it needs a librdkafka newer than 2.2, which the daemon and its peers are
# given too.
. Tests/RealBroker/downloads.sh

# start_broker TOPIC=PARTITIONS...
start_broker() {
    local port
    port=$(free_port)
    fetch_broker tansu
    fetch_librdkafka
    Tests/RealBroker/broker.sh tansu "$port" &
    broker=$!
    # What a run that is broken off leaves behind goes with it.
    TMPDIR=$(mktemp -d)
    export TMPDIR
    trap 'kill "$broker" 2>/dev/null; wait "$broker" 2>/dev/null || true; rm -rf "$TMPDIR"' EXIT
    wait_for_broker "$port" "$broker"
    brokers=127.0.0.1:$port
    export LD_LIBRARY_PATH=$downloads/lib
    for topic in "$@"; do
        "$downloads/tansu" topic create --broker "tcp://$brokers" --partitions "${topic#*=}" "${topic%=*}" >/dev/null
    done
    "$downloads/tansu" --version
}
