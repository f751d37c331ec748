#!/bin/sh
# usage: tests/fuzz/run.sh SECONDS [TARGET…]
# Fuzzes each target (all of them by default) for that many seconds, from its seeds and what earlier runs found. Builds with
# clang in build-fuzz beside the source, or in $PINGATE_FUZZ_BUILD. Ends with 1 when a target failed; the inputs that
# did it stay in build-fuzz/crashes/TARGET-….
set -eu

usage() {
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
}

[ $# -ge 1 ] || usage
seconds=$1
shift
case $seconds in
'' | *[!0-9]* | 0*) usage ;;
esac

source=$(cd "$(dirname "$0")/../.." && pwd)
build=${PINGATE_FUZZ_BUILD:-$source/build-fuzz}
seeds=$source/tests/fuzz/corpus

cd "$seeds"
[ $# -gt 0 ] || set -- *
for target in "$@"; do
    [ -d "$target" ] || {
        echo "$0: no target $target; there are:" * >&2
        exit 2
    }
done

mkdir -p "$build/crashes"
[ -f "$build/Makefile" ] ||
    (cd "$build" && "$source/configure" --quiet --enable-fuzzers CC=clang CFLAGS="-O1 -g")
make -s -C "$build" tests/fuzz/fuzzer

failed=
for target in "$@"; do
    found=$build/corpus/$target
    log=$build/fuzz-$target.log
    mkdir -p "$found"
    printf '%-12s ' "$target"
    if PINGATE_FUZZ_TARGET=$target "$build/tests/fuzz/fuzzer" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/$target-" \
        "$found" "$seeds/$target" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "${runs:-no} runs, nothing found"
        [ -n "$runs" ] || failed="$failed $target"
    else
        echo "FAILED: $(sed -nE '/does not hold:|ERROR: |runtime error:/{p;q}' "$log")"
        sed -n 's/^.*Test unit written to /             its input: /p' "$log"
        echo "             the log: $log"
        failed="$failed $target"
    fi
done
[ -z "$failed" ] || {
    echo "failed:$failed" >&2
    exit 1
}
