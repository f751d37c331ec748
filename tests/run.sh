#!/bin/bash
# Everything that is to be tested, from a clean clone on a bare machine.
#
#   tests/run.sh                 all parts but those that are run by name only
#   tests/run.sh PART…           only these parts:
#       lint                     format, static analysis, scripts (tests/lint.sh)
#       unit [NAME]              make check: tests/unit/test_NAME.c and tests/NAME.sh (golden cases, layering, schemas)
#       sanitize [NAME]          the same with the address, leak and undefined-behaviour sanitizers
#       e2e [NAME]               end to end: tests/e2e/NAME.bats, or all tests whose name contains NAME
#       e2e-podman [NAME]        the same with the sanitized program and Podman's API service as the engine, without
#                                quickstart, container, ci
#       e2e-sanitize [NAME]      the same with the sanitized program on a Docker Engine, by name only
#       faults [NAME]            scripted servers that lie, cut, stall and flood: tests/faults/NAME.py
#       faults-sanitize [NAME]   the same with the sanitized program
#       crash [NAME]             stopped and killed at every step: tests/crash/NAME.sh in its short form
#       dist                     a release archive that builds and passes its own make check
#       matrix [NAME]            e2e on each engine of $matrix, one after the other (an hour, so only by name)
#       valgrind [NAME]          memcheck over unit tests and commands (tests/valgrind.sh; ten minutes, so only by name)
#       bench                    speed and memory against peers (prints, judges nothing)
#   tests/run.sh --no-install …  installs no package: a lacking one is an error
#   tests/run.sh --engine NAME …   with this engine in the parts that need one: docker, podman, docker-SUITE,
#                                docker-SUITE-containerd, podman-SUITE with a suite of Debian, such as docker-sid-containerd
#
# It installs what lacks (./bootstrap and tests/packages tell what), builds in build/ and build-sanitize/, and gives the
# end-to-end tests a private engine and registry (tests/engine.sh). Logs are in build/logs/; of a part that fails, the
# telling lines are shown. The last line is "N passed, N failed"; a skipped test fails the run and is named.
set -euo pipefail
shopt -s nullglob

cd "$(dirname "$0")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
readonly top=$PWD logs=$PWD/build/logs
readonly part_seconds=3600 # no part may hang: the longest, e2e-podman, takes half of this on a quiet machine
readonly test_seconds=600  # one end-to-end test; the longest is the quickstart: one minute, five on a crowded machine
readonly all_parts=(lint unit sanitize e2e e2e-podman faults faults-sanitize crash dist)
readonly known_parts=" ${all_parts[*]} e2e-sanitize matrix valgrind bench "
readonly matrix=(docker docker-trixie docker-trixie-containerd docker-sid docker-sid-containerd podman podman-trixie podman-sid)
readonly sanitizers=(--enable-sanitizers 'CFLAGS=-O1 -g')

passed=0 failed=0 skipped=0
install=yes
kind=docker # of engine
engine_folder=
engine_kind=

finish() {
    local status=$? job
    trap - EXIT INT TERM
    # The step that ran and its `timeout`, which hands the signal on to all that it started.
    for job in $(jobs -p); do
        # shellcheck disable=SC2046 # process ids
        kill $(pgrep -P "$job") "$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    done
    [ -z "$engine_folder" ] || stop_engine || failed=$((failed + 1))
    # Whatever ended the run early is a failure that no count has seen.
    [ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
    [ $((passed + failed)) -gt 0 ] || { echo "no test ran"; failed=1; }
    if [ "$skipped" -gt 0 ]; then
        echo "NOT TESTED: $skipped skipped (named above); a run with skipped tests fails"
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ] || exit 1
    exit 0
}

say() {
    printf '%-14s %s\n' "$1" "$2"
}

# Runs a command or function with its output in a log. In the background, because a wait can be interrupted, and because
# there errexit holds inside a function whatever its caller does with the status.
quietly() { # LOG COMMAND…
    local log=$1
    shift
    (
        trap - EXIT INT TERM
        set -e
        "$@"
    ) >"$log" 2>&1 &
    wait $!
}

# A step on the way: the end of its log is shown when it fails.
step() { # NAME COMMAND…
    local name=$1 started=$SECONDS
    shift
    if quietly "$logs/$name.log" "$@"; then
        say "$name" "done in $((SECONDS - started)) s"
    else
        say "$name" "FAILED after $((SECONDS - started)) s; the end of $logs/$name.log:"
        tail -n 40 "$logs/$name.log"
        return 1
    fi
}

limited() { # COMMAND…
    timeout --kill-after=10 "$part_seconds" "$@"
}

install_or_complain() { # GROUP…
    local lacking
    [ "$install" = no ] || { install_packages "$@"; return; }
    lacking=$(lacking_packages "$@")
    [ -z "$lacking" ] || { echo "these packages lack:" "$lacking"; return 1; }
}

build_in() { # FOLDER CONFIGURE-OPTION…
    local folder=$1
    shift
    [ ! -f "$top/config.status" ] || { # autotools then build nowhere else
        echo "the source itself was configured: run \`make distclean\` in $top, for the tests build in $folder/"
        return 1
    }
    [ "$top/configure" -nt "$top/configure.ac" ] || "$top/bootstrap"
    mkdir -p "$folder"
    cd "$folder"
    [ -f Makefile ] || "$top/configure" --enable-werror "$@"
    make -j"$(nproc)"
    cd "$top"
}

built=' '
build() { # FOLDER CONFIGURE-OPTION…
    case $built in *" $1 "*) return 0 ;; esac
    step "$1" build_in "$@"
    built="$built$1 "
}

# Adds up the TAP results of a log. A plan that was not kept counts as failures: something died on the way.
count_tap() { # LOG
    local good bad left planned
    good=$(grep -c '^ok ' "$1" || true)
    bad=$(grep -c '^not ok ' "$1" || true)
    left=$(grep -cE '^ok .* # skip' "$1" || true)
    planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$1" | awk '{sum += $1} END {print sum + 0}')
    [ $((good + bad)) -ge "$planned" ] || bad=$((planned - good))
    passed=$((passed + good - left)) failed=$((failed + bad)) skipped=$((skipped + left))
    say "$part" "$((good - left)) passed, $bad failed, $left skipped in $((SECONDS - part_started)) s"
    grep -E '^ok .* # skip' "$1" || true
}

# make check of one build, or of some of its tests.
check() { # FOLDER [TESTS]
    local log=$logs/$part.log status=0 good bad left
    quietly "$log" limited make -C "$1" -k -j"$(nproc)" check ${2:+TESTS="$2"} || status=1
    total() { awk -v name="# $1:" 'index($0, name) == 1 {sum += $3} END {print sum + 0}' "$log"; }
    good=$(total PASS) left=$(total SKIP)
    bad=$(($(total FAIL) + $(total ERROR) + $(total XPASS)))
    # It failed without a result, or has none: it did not build, or there is nothing to run.
    [ "$bad" -gt 0 ] || { [ "$status" -eq 0 ] && [ "$good" -gt 0 ]; } || bad=1
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
    say "$part" "$good passed, $bad failed, $left skipped in $((SECONDS - part_started)) s"
    grep -E '^SKIP' "$log" || true
    if [ "$bad" -gt 0 ]; then
        grep -E '^(FAIL|ERROR|XPASS)' "$log" || tail -n 40 "$log"
        grep -hE -A 20 '^not ok|ERROR: (Address|Leak)Sanitizer|runtime error:' "$1"/tests/*/*.log "$1"/tests/*.log |
            head -n 120 || true
    fi
}

# What make check calls one of its tests: "golden" is tests/golden.sh, "judge" is tests/unit/test_judge.
test_named() { # NAME
    if [ -f "tests/$1.sh" ]; then echo "tests/$1.sh"; else echo "tests/unit/test_$1"; fi
}

start_engine() { # [KIND]
    export PINGATE_TEST_ENGINE_KIND=${1:-$kind}
    if [ -n "$engine_folder" ]; then
        [ "$engine_kind" != "$PINGATE_TEST_ENGINE_KIND" ] || return 0
        stop_engine
    fi
    engine_kind=$PINGATE_TEST_ENGINE_KIND
    engine_folder=$(mktemp -d /tmp/pingate-engine.XXXXXX)
    chmod 755 "$engine_folder" # a test asks for the socket as somebody who may not use it
    step engine tests/engine.sh start "$engine_folder" || return 1
    set -a
    # shellcheck disable=SC1091
    . "$engine_folder/env"
    set +a
}

stop_engine() {
    local folder=$engine_folder
    engine_folder=
    cp "$folder"/*.log "$logs" 2>/dev/null || true
    tests/engine.sh stop "$folder" || { say engine "could not be stopped: see $folder"; return 1; }
    rm -rf "$folder"
}

# The same program with a clock that tests set, in the same folder.
build_clock() { # PROGRAM
    export PINGATE_TEST_CLOCK=${1%/*}/tests/e2e/pingate-clock
    step clock make -C "${1%/*}" tests/e2e/pingate-clock
}

# The end of a part whose log is TAP: a run that failed has at least one "not ok", and so has one that tested nothing.
tap_results() { # LOG STATUS
    [ "$2" -eq 0 ] || grep -q '^not ok' "$1" || echo "not ok - it ended with $2" >>"$1"
    grep -qE '^(not )?ok ' "$1" || echo "not ok - no test ran" >>"$1"
    count_tap "$1"
    grep -q '^not ok' "$1" || return 0
    sed -n '/^not ok/,/^ok/p' "$1" | grep -v '^ok' | head -n 200
}

end_to_end() { # PROGRAM KIND-OF-ENGINE [NAME]
    local log=$logs/$part.log files=(tests/e2e/*.bats) filter=() status=0
    # The quickstart and the container build a program of their own, on a Docker Engine, and the steps of CI are scripts around
    # the same program: once is enough.
    [ "$part" = e2e ] || mapfile -t files < <(printf '%s\n' "${files[@]}" | grep -vE '/(quickstart|container|ci)\.bats')
    if [ -n "${3:-}" ]; then
        if [ -f "tests/e2e/$3.bats" ]; then files=("tests/e2e/$3.bats"); else filter=(--filter "$3"); fi
    fi
    build_clock "$1" || { failed=$((failed + 1)); return 0; }
    start_engine "$2" || { failed=$((failed + 1)); return 0; }
    quietly "$log" limited env PINGATE_TEST_PROGRAM="$1" BATS_TEST_TIMEOUT="$test_seconds" \
        bats --tap --timing "${filter[@]}" "${files[@]}" || status=$?
    tap_results "$log" "$status"
}

# Runs tests/FOLDER/NAME.ENDING, or all of these that can be run. They print TAP.
programs() { # PROGRAM FOLDER ENDING [NAME]
    local log=$logs/$part.log name=${4:-*} file status=0 ended
    : >"$log"
    for file in tests/$2/$name.$3; do
        [ -x "$file" ] || continue
        ended=0
        quietly "$log.one" limited env PINGATE_TEST_PROGRAM="$1" PINGATE_TEST_BUILD="${1%/*}" "$file" || ended=$?
        { echo "# $file"; cat "$log.one"; } >>"$log"
        [ "$ended" -eq 0 ] || grep -q '^not ok' "$log.one" || echo "not ok - $file ended with $ended" >>"$log"
        grep -qE '^(not )?ok ' "$log.one" || echo "not ok - $file tested nothing" >>"$log"
        [ "$ended" -eq 0 ] || status=$ended
        rm "$log.one"
    done
    tap_results "$log" "$status"
}

# Each engine is one part of its own, with its log; what cannot be had fails.
on_each_engine() { # [NAME]
    local name
    for name in "${matrix[@]}"; do
        part=e2e-$name part_started=$SECONDS
        end_to_end "$top/build/pingate" "$name" "${1:-}"
        [ -z "$engine_folder" ] || say "$part" "was on $(curl -fsS --max-time 9 --unix-socket "$engine_folder/docker.sock" http://engine/version |
            jq -r '"\(.Components[0].Name) \(.Version), API \(.ApiVersion)"')"
    done
}

memcheck() { # [NAME]
    local log=$logs/$part.log status=0
    quietly "$log" limited env PINGATE_TEST_BUILD="$top/build" tests/valgrind.sh "$@" || status=$?
    tap_results "$log" "$status"
}

# A part that is one result.
one() { # COMMAND…
    if step "$part" "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

run_part() { # PART [NAME]
    part=$1 part_started=$SECONDS
    case $part in
    unit)
        build build
        check build ${2:+"$(test_named "$2")"}
        ;;
    sanitize)
        build build-sanitize "${sanitizers[@]}"
        check build-sanitize ${2:+"$(test_named "$2")"}
        ;;
    e2e)
        build build
        end_to_end "$top/build/pingate" "$kind" "${2:-}"
        ;;
    e2e-sanitize)
        build build-sanitize "${sanitizers[@]}"
        end_to_end "$top/build-sanitize/pingate" "$kind" "${2:-}"
        ;;
    e2e-podman)
        build build-sanitize "${sanitizers[@]}"
        end_to_end "$top/build-sanitize/pingate" podman "${2:-}"
        ;;
    matrix)
        build build
        on_each_engine ${2:+"$2"}
        ;;
    faults)
        build build
        programs "$top/build/pingate" faults py "${2:-}"
        ;;
    faults-sanitize)
        build build-sanitize "${sanitizers[@]}"
        programs "$top/build-sanitize/pingate" faults py "${2:-}"
        ;;
    crash)
        build build
        build_clock "$top/build/pingate" || { failed=$((failed + 1)); return 0; }
        start_engine || { failed=$((failed + 1)); return 0; }
        programs "$top/build/pingate" crash sh "${2:-}"
        ;;
    valgrind)
        build build
        step valgrind-tests limited make -C build -j"$(nproc)" check TESTS= || { failed=$((failed + 1)); return 0; }
        memcheck ${2:+"$2"}
        ;;
    lint)
        build build
        one limited make -C build lint
        ;;
    dist)
        build build
        one limited make -C build distcheck
        ;;
    bench)
        build build
        start_engine
        bench
        ;;
    esac
}

bench() {
    local program
    for program in tests/bench/*; do
        if ! [ -x "$program" ] || ! [ -f "$program" ]; then continue; fi
        echo "--- $program"
        if PINGATE_TEST_PROGRAM=$top/build/pingate "$program"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    done
}

groups_for() { # PART…
    local part groups='test engine'
    for part in "$@"; do
        case $part in
        lint) groups="$groups lint" ;;
        bench) groups="$groups bench" ;;
        valgrind) groups="$groups valgrind" ;;
        e2e-podman) groups="$groups image podman" ;;
        matrix) groups="$groups image podman" ;;
        e2e*) groups="$groups image" ;;
        esac
    done
    case $kind in
    podman*) groups="$groups podman" ;;
    esac
    case $kind in
    *-*) groups="$groups image" ;; # mmdebstrap
    esac
    echo "$groups"
}

parts=() names=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
    --no-install) install=no ;;
    --engine)
        case ${2:-} in
        docker | podman | docker-* | podman-*) kind=$2 ;;
        *)
            echo "tests/run.sh: --engine ${2:-}: docker, podman, docker-SUITE[-containerd] or podman-SUITE was expected" >&2
            exit 2
            ;;
        esac
        shift
        ;;
    *)
        case $known_parts in
        *" $1 "*) parts+=("$1") names+=('') ;;
        *)
            if [ ${#parts[@]} -eq 0 ] || [ -n "${names[-1]}" ]; then
                echo "tests/run.sh: $1: no such part; there are:$known_parts" >&2
                exit 2
            fi
            names[-1]=$1
            ;;
        esac
        ;;
    esac
    shift
done
if [ ${#parts[@]} -eq 0 ]; then
    parts=("${all_parts[@]}")
    names=("${all_parts[@]/*/}")
fi

mkdir -p "$logs"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck disable=SC2046 # the groups are words
step packages install_or_complain $(groups_for "${parts[@]}")
if [ "$install" = yes ]; then step bootstrap ./bootstrap; fi
for index in "${!parts[@]}"; do
    run_part "${parts[index]}" "${names[index]}"
done
