#!/usr/bin/env bash
# The admin pages in Debian's Chromium (apt-get install --no-install-recommends chromium), with axe's rules from PyPI.
# Pictures are left in downloads/admin/.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/RealBroker/downloads.sh
fetch axe-playwright-python==0.1.8 axe_playwright_python/axe.min.js axe.min.js
ADMIN_BROWSER=$PWD/Tests/Admin/browser.py ADMIN_AXE=$downloads/axe.min.js ADMIN_PICTURES=$downloads/admin \
    "${SWIFT:-swift}" test --skip-build --filter AdminBrowserTests
