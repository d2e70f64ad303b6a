#!/bin/bash
# Fuzzes what reads bytes from outside, for so many seconds in all: Tests/Fuzz/run.sh [SECONDS] [TARGET…]
#   intake         records of Kafka
#   answers        what Microsoft answers, Retry-After and tokens included
#   configuration  the configuration file
#   admin          requests to the admin port
# Starts from what is in Tests/Fixtures; what it finds on the way is kept in fuzz-corpus, a crasher in fuzz-crashes. Put the
# crasher into Tests/Fixtures, and a unit test beside the repair.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then targets=(intake answers configuration admin); fi
mkdir -p .build/fuzz fuzz-crashes

# Each is one module: SwiftPM cannot link a program whose main comes from libFuzzer. Debug checks stay on. Within one module
# an import of the core is an import of itself, which is only worth a warning.
build() {
    local name=$1
    shift
    swiftc -O -assert-config Debug -swift-version 6 -suppress-warnings -sanitize=fuzzer,address -parse-as-library \
        -module-name ForwarderCore -package-name fuzz "$@" -o ".build/fuzz/$name"
}

module() { printf -- '-Xcc -fmodule-map-file=Sources/%s/module.modulemap ' "$1"; }
sources() { find "$@" -name '*.swift' | sort; }

for target in "${targets[@]}"; do
    corpus=() dictionary=() core="$(sources Sources/ForwarderCore) $(module CCrypto) -lcrypto"
    case $target in
    intake)
        parts="$core Tests/Fuzz/IntakeFuzzer.swift Tests/ForwarderCoreTests/Intake/Support/JSONValue.swift"
        corpus=(Tests/Fixtures/fuzz Tests/Fixtures/golden Tests/Fixtures/segment)
        dictionary=(-dict=Tests/Fuzz/intake.dict)
        ;;
    answers)
        parts="$core Tests/Fuzz/AnswerFuzzer.swift"
        corpus=(Tests/Fixtures/fuzz-answers)
        ;;
    configuration)
        parts="$core $(sources Sources/ConfigFile) $(module CYAML) -lyaml Tests/Fuzz/ConfigurationFuzzer.swift"
        corpus=(config Tests/Fixtures/fuzz-configuration)
        ;;
    admin)
        parts="$(sources Sources/HTTPServer) $(module CMicroHTTPD) -lmicrohttpd Tests/Fuzz/AdminFuzzer.swift"
        corpus=(Tests/Fixtures/fuzz-admin)
        ;;
    *)
        echo "there is no target $target: intake, answers, configuration, admin" >&2
        exit 2
        ;;
    esac
    # shellcheck disable=SC2086
    build "$target" $parts
    mkdir -p "fuzz-corpus/$target"
    echo "=== $target"
    # Swift's runtime is not instrumented, and keeps what it made.
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 ".build/fuzz/$target" \
        -max_total_time=$((seconds / ${#targets[@]} + 1)) -max_len=4096 -timeout=10 -rss_limit_mb=2048 "${dictionary[@]}" \
        -artifact_prefix="fuzz-crashes/$target-" -print_final_stats=1 "fuzz-corpus/$target" "${corpus[@]}"
done
