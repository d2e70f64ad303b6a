#!/bin/bash
# Fuzzes the intake for so many seconds: Tests/Fuzz/run.sh [SECONDS]
# Starts from Tests/Fixtures/fuzz and golden; what it finds on the way is kept in fuzz-corpus, a crasher in fuzz-crashes. Put the
# crasher into Tests/Fixtures/fuzz, and a unit test beside the repair.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
binary=.build/fuzz/intake
mkdir -p .build/fuzz fuzz-corpus fuzz-crashes

# One module: SwiftPM cannot link a program whose main comes from libFuzzer. Debug checks stay on.
mapfile -t core < <(find Sources/ForwarderCore -name '*.swift' | sort)
swiftc -O -assert-config Debug -swift-version 6 -sanitize=fuzzer,address -parse-as-library \
    -module-name ForwarderCore -package-name fuzz -Xcc -fmodule-map-file=Sources/CCrypto/module.modulemap -lcrypto \
    "${core[@]}" Tests/Fuzz/IntakeFuzzer.swift Tests/ForwarderCoreTests/Intake/Support/JSONValue.swift -o "$binary"

# Swift's runtime is not instrumented, and keeps what it made.
SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$binary" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -dict=Tests/Fuzz/intake.dict -artifact_prefix=fuzz-crashes/ -print_final_stats=1 \
    fuzz-corpus Tests/Fixtures/fuzz Tests/Fixtures/golden
