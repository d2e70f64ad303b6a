#!/bin/bash
# Installs what the peers of the benchmark need: a Python environment in downloads/peers, which git ignores, and
# Debian's rsyslog. Says nothing when all of it is there. A peer that cannot be had is named and left out; the others
# still count.
set -uo pipefail
cd "$(dirname "$0")/../../.."
environment=downloads/peers
pinned=(confluent-kafka==2.16.1 orjson==3.13.0 pycurl==7.49.0 mq-bridge==1.2.0 typing-extensions==4.16.0)
requests=(requests==2.34.2 certifi==2026.10.18 charset-normalizer==3.5.2 idna==3.20 urllib3==2.8.0)
bytewax=(bytewax==0.21.1 prometheus-client==0.26.0)
# Quix Streams and what it asks for, but for confluent-kafka: it wants one below 2.13, and there is one for all peers.
quixstreams=(
    quixstreams==3.28.1 annotated-types==0.8.0 anyio==4.16.0 attrs==26.1.0 authlib==1.9.9 avro==1.12.2
    cachetools==8.0.1 cffi==2.1.1 cryptography==50.0.2 fastavro==1.13.1 googleapis-common-protos==1.76.0 h11==0.16.0
    httpcore==1.0.9 httpx==0.28.1 joserfc==1.8.0 jsonlines==4.0.0 jsonpath-ng==1.16.0 jsonschema==4.26.0
    jsonschema-specifications==2025.9.1 markdown-it-py==4.3.0 mdurl==0.1.2 protobuf==7.36.2 pycparser==3.12
    pydantic==2.13.5 pydantic-core==2.46.5 pydantic-settings==2.15.0 pygments==2.21.0 pyrsistent==0.20.0
    python-dotenv==1.2.4 referencing==0.37.0 rich==15.0.0 rocksdict==0.3.29 rpds-py==2026.9.1
    typing-inspection==0.4.5 "${requests[@]}"
)
in_python="python-full, python-raw, python-naive, bytewax, quixstreams"
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

# A framework comes with its dependencies, in one go: all of them, or the peer is left out.
install_all() {
    local peer=$1 package
    shift
    for package in "$@"; do
        is_installed "$package" && continue
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps \
            "$@" >/dev/null 2>&1 || left_out "$peer" "${1%%==*} or a dependency of it cannot be installed"
        return
    done
}

if make_environment; then
    missing=" "
    for package in "${pinned[@]}"; do
        install "$package" || missing+="${package%%==*} "
    done
    case $missing in
        *" confluent-kafka "*) left_out "$in_python" "confluent-kafka cannot be installed" ;;
        *" pycurl "*) left_out "python-full, python-raw, bytewax, quixstreams" "pycurl cannot be installed" ;;
        *" orjson "*) left_out "python-full, bytewax, quixstreams" "orjson cannot be installed" ;;
    esac
    case $missing in
        *" mq-bridge "* | *" typing-extensions "*)
            left_out "mq-bridge, mq-bridge-map" "mq-bridge cannot be installed"
            ;;
    esac
    install_all python-naive "${requests[@]}"
    install_all bytewax "${bytewax[@]}"
    install_all quixstreams "${quixstreams[@]}"
else
    left_out "$in_python, mq-bridge, mq-bridge-map" "there is no Python that can make an environment"
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
