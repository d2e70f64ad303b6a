#!/bin/bash
# Runs the tests, the daemon of the end-to-end tests included, under a sanitizer: Tests/Sanitize/run.sh address|thread [FILTER]
# UndefinedBehaviorSanitizer is not for Swift. Leaks are not looked for: Swift's runtime keeps what it made.
set -euo pipefail
cd "$(dirname "$0")/../.."
sanitizer=${1:?address or thread}
filter=${2:-.}
scratch=.build-$sanitizer
swift build --build-tests --sanitize="$sanitizer" --scratch-path "$scratch" --explicit-target-dependency-import-check error

export ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:exitcode=99
export TSAN_OPTIONS=halt_on_error=0:exitcode=99:suppressions=$PWD/Tests/Sanitize/suppressions.txt:log_path=$PWD/$scratch/report
if [ "$sanitizer" = address ]; then ASAN_OPTIONS+=:log_path=$PWD/$scratch/report; fi
rm -f "$scratch"/report.*
preload=
if [ "$sanitizer" = thread ]; then
    cc -shared -fPIC -O1 -Wall -Wextra -Werror -o "$scratch/threads.so" Tests/Sanitize/threads.c -lpthread -ldl
    preload=$PWD/$scratch/threads.so
fi
code=0
LD_PRELOAD=$preload "$scratch/debug/conversion-forwarderPackageTests.xctest" --testing-library swift-testing --filter "$filter" ||
    code=$?
# Of the daemons, too, which are other processes.
if compgen -G "$scratch/report.*" >/dev/null; then
    cat "$scratch"/report.*
    echo "$sanitizer: $(cat "$scratch"/report.* | grep -c 'SUMMARY') reports"
    exit 1
fi
echo "$sanitizer: no reports"
exit "$code"
