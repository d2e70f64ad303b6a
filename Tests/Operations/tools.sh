# Sourced by the scripts beside it, which run a release build of the daemon with tools that operators use.
#
# The tools are Debian's, taken out of their packages: installing these would start services.
program=${FORWARDER:-$PWD/.build/release/conversion-forwarder}
unpacked=$PWD/downloads/operations

# need BINARY PACKAGE: puts the binary on PATH. Without it a run in CI fails; elsewhere the test is skipped, and says so.
need() {
    PATH=$PATH:$unpacked/usr/bin
    command -v "$1" >/dev/null && return
    echo "fetching $2 for $1"
    mkdir -p "$unpacked"
    if [ "$(id -u)" -eq 0 ]; then apt-get update --quiet=2 || true; fi
    if (cd "$unpacked" && apt-get download --quiet=2 "$2" 2>/dev/null && dpkg --extract "$2"_*.deb .); then
        command -v "$1" >/dev/null && return
    fi
    if [ -n "${CI:-}" ]; then
        echo "$0: FAILED: there is no $1, and Debian's package $2 cannot be fetched" >&2
        exit 1
    fi
    echo "$0: SKIPPED, NOTHING WAS TESTED: there is no $1. Install it: sudo apt-get install --no-install-recommends $2" >&2
    exit 0
}

fail() {
    echo "$0: FAILED: $*" >&2
    exit 1
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
    local rest=$(($1 * 5)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        rest=$((rest - 1))
        [ "$rest" -gt 0 ] || fail "waited in vain for $what"
        sleep 0.2
    done
}

# page PORT PATH
page() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    sed '1,/^\r*$/d' <&3
    exec 3>&-
}
