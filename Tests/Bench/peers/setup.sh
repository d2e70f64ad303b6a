#!/bin/bash
# Installs what the peers of the benchmark need: a Python environment in downloads/peers, which git ignores, and
# Debian's rsyslog. Says nothing when all of it is there. A peer that cannot be had is named and left out; the others
# still count.
set -uo pipefail
cd "$(dirname "$0")/../../.."
environment=downloads/peers
pinned=(confluent-kafka==2.16.1 orjson==3.13.0 pycurl==7.49.0 mq-bridge==1.2.0 typing-extensions==4.16.0)
debian=(rsyslog rsyslog-kafka rsyslog-elasticsearch)

left_out() {
    echo "peers: left out $1: $2"
}

# ------------------------------------------------------------------------------------------------ Python
# The distribution's own interpreter first: it is built with profile-guided optimisation, which one built by hand seldom
# is, and the benchmark should not win by a slow build of Python.
make_environment() {
    [ -x "$environment/bin/python" ] && "$environment/bin/python" -c '' 2>/dev/null && return 0
    mkdir -p downloads
    local python
    for python in /usr/bin/python3 python3; do
        rm -rf "$environment"
        "$python" -m venv "$environment" >/dev/null 2>&1 && return 0
    done
    rm -rf "$environment"
    return 1
}

is_installed() {
    "$environment/bin/python" - "$1" <<'PYTHON' 2>/dev/null
import importlib.metadata, sys
name, version = sys.argv[1].split("==")
sys.exit(importlib.metadata.version(name) != version)
PYTHON
}

# One at a time: a package that cannot be had must not take the others with it.
install() {
    is_installed "$1" && return 0
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps "$1" \
        >/dev/null 2>&1
}

if make_environment; then
    missing=" "
    for package in "${pinned[@]}"; do
        install "$package" || missing+="${package%%==*} "
    done
    case $missing in
        *" confluent-kafka "*) left_out "python-full, python-raw" "confluent-kafka cannot be installed" ;;
        *" pycurl "*) left_out "python-full, python-raw" "pycurl cannot be installed" ;;
        *" orjson "*) left_out python-full "orjson cannot be installed" ;;
    esac
    case $missing in
        *" mq-bridge "* | *" typing-extensions "*)
            left_out "mq-bridge, mq-bridge-map" "mq-bridge cannot be installed"
            ;;
    esac
else
    left_out "python-full, python-raw, mq-bridge, mq-bridge-map" "there is no Python that can make an environment"
fi

# ------------------------------------------------------------------------------------------------ Debian
has_debian() {
    local package
    for package in "${debian[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || return 1
    done
}

if ! has_debian; then
    if ! command -v apt-get >/dev/null; then
        left_out "rsyslog, rsyslog-map" "its packages are Debian's (${debian[*]})"
    elif [ "$(id -u)" != 0 ]; then
        left_out "rsyslog, rsyslog-map" "run as root: apt-get install ${debian[*]}"
    else
        # Nothing of the machine's own logging is to be started by the installation.
        export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
        apt-get install -y -qq --no-install-recommends "${debian[@]}" >/dev/null 2>&1 ||
            { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${debian[@]}"; } >/dev/null 2>&1
        has_debian || left_out "rsyslog, rsyslog-map" "apt-get install ${debian[*]} failed"
    fi
fi
exit 0
