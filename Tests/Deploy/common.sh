# Sourced by the scripts beside it, which run as root on Debian 12, each from the top of the project.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program=$PWD/.build/release/conversion-forwarder
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT

ok() { printf 'ok   %s (%s s)\n' "$*" "$SECONDS"; }
fail() { echo "FAIL $*" >&2; exit 1; }

# need PACKAGE...: installs what is missing.
need() {
    local package missing=()
    for package; do
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" \
        >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; fail "apt-get install ${missing[*]}"; }
}

# bare_root DIRECTORY [PACKAGE...]: the smallest Debian 12 that apt can add to, and those packages.
bare_root() {
    local directory=$1
    shift
    need mmdebstrap systemd-container
    mmdebstrap --quiet --variant=apt --include="$(IFS=,; echo "apt,$*")" --dpkgopt=force-unsafe-io \
        --skip=cleanup/apt/lists bookworm "$directory" 2>"$work/mmdebstrap.log" ||
        { cat "$work/mmdebstrap.log" >&2; fail "no root could be made"; }
    cp /etc/resolv.conf "$directory/etc/resolv.conf"
}

# inside DIRECTORY OPTION... COMMAND...: in that root, with processes, mounts and devices of its own.
inside() {
    local directory=$1
    shift
    nspawn "$directory" --as-pid2 "$@"
}

# It says at its end that it could not remove a directory of its own where /run is no tmpfs; that is no matter.
nspawn() {
    local directory=$1
    shift
    systemd-nspawn --quiet --register=no --keep-unit --directory="$directory" --resolv-conf=off --timezone=off "$@" \
        </dev/null 2> >(grep -v '^Attempted to remove disk file system' >&2)
}
