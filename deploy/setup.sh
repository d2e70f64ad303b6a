#!/usr/bin/env bash
# Makes sure that the C libraries are there that the build needs. As root on Debian or Ubuntu it installs what is
# missing; otherwise it prints the one command that does.
set -euo pipefail

packages=(librdkafka-dev libcurl4-openssl-dev libsqlite3-dev libssl-dev libyaml-dev libmicrohttpd-dev pkg-config openssl)

if ! command -v swift >/dev/null; then
    echo "Swift 6.2 or later is missing: https://www.swift.org/install/linux/" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet=2
    apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "These packages are missing. Install them, then call make again:" >&2
    echo "  sudo apt-get install --yes ${missing[*]}" >&2
    exit 1
fi
