#!/usr/bin/env bash
# Makes .build/deb/conversion-forwarder_VERSION_ARCHITECTURE.deb of what `make release` built.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=.build/release/conversion-forwarder

version=$(dpkg-parsechangelog --file deploy/debian/changelog --show-field Version)
if [ "$("$program" version | cut -d ' ' -f 2)" != "${version%-*}" ]; then
    echo "deploy/debian/changelog is of version $version, the program is not: $("$program" version)" >&2
    exit 1
fi

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
source=$work/conversion-forwarder
mkdir "$source"
cp -r deploy config runbooks ./*.md "$program" "$source"
mv "$source/deploy/debian" "$source/debian"
cp deploy/systemd/conversion-forwarder.service "$source/debian"
cp deploy/systemd/config.yaml "$source"
deploy/man/pages.sh "$program" "$source"
(cd "$source" && dpkg-buildpackage --build=binary --no-sign) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

mkdir -p .build/deb
rm -f .build/deb/*.deb
mv "$work"/conversion-forwarder_*.deb .build/deb
ls .build/deb/*.deb
