#!/bin/bash
# Stops whole commands that move pins between stages, at every system call that changes something on the disk, and makes every such
# call fail, with a real engine and a real registry (TAP): afterwards the files and the ledger agree. Either the pins are old
# and the ledger tells of no promotion of them, or all pins are new and it tells of exactly one; nothing else is left. The same
# command once more, with nobody between, ends in the latter.
#
#   tests/crash/stages.sh [--full]   each call is killed; of the errors a sample, with --full every one
#
# `promote` takes a set from staging into three files of production. `run` takes a candidate into staging, on evidence that is
# on record (reuse), so that no container is made a thousand times.
#
# It needs strace and what tests/engine.sh needs. It takes PINGATE_TEST_ENGINE and PINGATE_TEST_REGISTRY where they are set, and
# else starts its own; the program is PINGATE_TEST_PROGRAM, else build/pingate.
set -euo pipefail

full=false
[ "${1:-}" != --full ] || full=true
tests=$(cd "$(dirname "$0")/.." && pwd)
program=$(realpath "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}")
build=$(dirname "$program")
base=/tmp
[ ! -w /dev/shm ] || base=/dev/shm
work=$(mktemp -d "$base/pingate-stages.XXXXXX")
engine_folder=

finish() {
    local status=$?
    trap - EXIT
    [ -z "$engine_folder" ] || "$tests/engine.sh" stop "$engine_folder"
    rm -rf "$work" "${images_cache:-$work}" ${engine_folder:+"$engine_folder"}
    exit "$status"
}
trap finish EXIT
trap 'exit 143' TERM INT

command -v strace >/dev/null || { echo "Bail out! strace is not installed"; exit 1; }
make -s -C "$build" tests/crash/promote_driver >&2 || { echo "Bail out! promote_driver does not build"; exit 1; }
driver=$build/tests/crash/promote_driver
if [ -z "${PINGATE_TEST_ENGINE:-}" ]; then
    engine_folder=$(mktemp -d /tmp/pingate-engine.XXXXXX)
    "$tests/engine.sh" start "$engine_folder" >/dev/null
    set -a
    # shellcheck disable=SC1091
    . "$engine_folder/env"
    set +a
fi
# shellcheck source=tests/images.sh
. "$tests/images.sh"
images_prepare # sets a trap of its own
trap finish EXIT

# With TRACE, its options come before the program.
trace=()
pingate() { # PROJECT ARGUMENT…
    local project=$1
    shift
    env -C "$project" -i PATH="$PATH" HOME="$work/home" LC_ALL=C.UTF-8 DOCKER_HOST="$PINGATE_TEST_ENGINE" PINGATE_ACTOR=ada \
        "${trace[@]}" "$program" "$@"
}

number=0 failed=0
result() { # STATUS NAME: what was seen is on standard input
    number=$((number + 1))
    [ "$1" -eq 0 ] || failed=$((failed + 1))
    printf '%sok %d - %s\n' "$([ "$1" -eq 0 ] || echo 'not ')" "$number" "$2"
    [ "$1" -eq 0 ] || sed 's/^/# /' | head -n 60
}

# Staging and three files of production hold 1.0.0; the registry has 1.1.0.
make_project() {
    local old
    old=$(make_image crash/app:1.0.0 /version=one)
    make_image crash/app:1.1.0 /version=two >/dev/null
    app=$PINGATE_TEST_REGISTRY/crash/app
    mkdir -p "$work/home" "$work/first/staging" "$work/first/production/deep"
    cd "$work/first"
    printf 'image: %s\n' "$app:1.0.0@$old" | tee staging/a.yaml production/a.yaml >production/b.yaml
    printf 'FROM %s\r\n# end' "$app:1.0.0@$old" >production/deep/Dockerfile
    chmod 640 production/b.yaml
    cat >pingate.yaml <<END
version: 1
updates: [{images: ["**"], policy: minor}]
tests: [{name: answers, run: cat /version}]
stages:
  - {name: staging, files: [staging/]}
  - {name: production, files: [production/], from: staging}
reuse: 24h
END
    git init -q -b main
    git config user.name "Test Author"
    git config user.email test@example.com
    git add -A
    git commit -q -m "Begin"
}

# What `run` starts from: staging as it was, and all evidence on record. What `promote` starts from: staging has the newer one.
make_starts() {
    cp -a "$work/first" "$work/run"
    pingate "$work/run" run >"$work/out" 2>&1 || { echo "Bail out! run: $(cat "$work/out")"; exit 1; }
    git -C "$work/run" add -A
    git -C "$work/run" commit -q -m "Staging"
    cp -a "$work/run" "$work/promote"
    git -C "$work/run" checkout -q HEAD~1 -- staging
    git -C "$work/run" commit -q -m "Back"
}

fresh() { # KIND
    rm -rf "$work/tree"
    cp -a "$work/$1" "$work/tree"
}

command_of() { # KIND
    case $1 in
    run) arguments=(run) stage=staging ;;
    promote) arguments=(promote production) stage=production ;;
    esac
}

promotions() { # of the stage, in the ledger
    find "$work/tree/.pingate/ledger" -name '*.jsonl' -exec cat {} + |
        jq -s --arg stage "$stage" '[.[] | select(.type == "promoted" and .body.stage == $stage)] | length'
}

# Names, modes and bytes of all that is neither the ledger nor a report.
picture() {
    (cd "$work/tree" && find . -path ./.git -prune -o -path ./pingate-out -prune -o -path ./.pingate/ledger -prune -o -printf '%p|%y|%m|%U\n' | sort &&
        find . -path ./.git -prune -o -path ./pingate-out -prune -o -path ./.pingate/ledger -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

# The two states that may be, as a command that nobody stops leaves them.
learn() { # KIND
    command_of "$1"
    fresh "$1"
    old=$(picture) promoted=$(promotions)
    trace=(strace -o "$work/log" -e "trace=$changes")
    pingate "$work/tree" "${arguments[@]}" >"$work/out" 2>&1 || { echo "Bail out! $*: $(cat "$work/out")"; exit 1; }
    trace=()
    new_picture=$(picture)
    if [ "$old" = "$new_picture" ] || [ "$(promotions)" -ne $((promoted + 1)) ] || grep -q pulled: "$work/out"; then
        echo "Bail out! $1 moved nothing, recorded nothing, or ran a container: $(cat "$work/out")"
        exit 1
    fi
    awk -F'(' '$1 ~ /^[a-z0-9_]+$/ { count[$1]++ } END { for (name in count) print name, count[name] }' "$work/log" | sort >"$work/calls"
}

# Empty when files and ledger agree.
disagreement() { # WHEN
    local now count
    now=$(picture) count=$(promotions)
    pingate "$work/tree" history --verify >"$work/verified" 2>&1 || echo "$1: the ledger: $(cat "$work/verified")"
    if [ "$now" = "$old" ] && [ "$count" -eq "$promoted" ]; then return; fi
    if [ "$now" = "$new_picture" ] && [ "$count" -eq $((promoted + 1)) ]; then return; fi
    echo "$1: $count promotions of $stage in the ledger, and before there were $promoted:"
    diff <(echo "$old") <(echo "$now") || true
    diff <(echo "$new_picture") <(echo "$now") || true
}

stopped=0
point() { # KIND CALL NUMBER ACTION: prints what is wrong
    local status=0
    fresh "$1"
    trace=(strace -o /dev/null -e "trace=$2" -e "inject=$2:$4:when=$3")
    { pingate "$work/tree" "${arguments[@]}" >"$work/out" 2>&1 || status=$?; } 2>/dev/null
    trace=()
    [ "$status" -eq 0 ] || stopped=$((stopped + 1))
    case $status in
    0 | 1 | 2 | 3 | 137) ;;
    *) echo "exit status $status: $(tail -n 3 "$work/out")" ;;
    esac
    # At every other point the next command of the program itself finishes or takes back.
    if [ $(($3 % 2)) -eq 0 ]; then
        "$driver" recover "$work/tree" >"$work/recovered" 2>&1 || echo "recovery: $(cat "$work/recovered")"
        disagreement "after recovery"
    fi
    status=0
    pingate "$work/tree" "${arguments[@]}" >"$work/out" 2>&1 || status=$?
    disagreement "after the next command"
    [ "$status" -eq 0 ] && [ "$(picture)" = "$new_picture" ] || echo "the next command gave $status: $(tail -n 5 "$work/out")"
}

sweep() { # KIND NAME STEP ACTION: at every STEPth call
    local call last at=0 count=0 bad='' found
    stopped=0
    while read -r call last; do
        for ((n = 1; n <= last; n++)); do
            [ $((at++ % $3)) -eq 0 ] || continue
            count=$((count + 1))
            found=$(point "$1" "$call" "$n" "$4"; echo "stopped $stopped")
            stopped=${found##*stopped }
            found=${found%stopped *}
            [ -z "$found" ] || bad="$bad
$call $n: $found"
        done
    done <"$work/calls"
    [ "$stopped" -gt 0 ] || bad="$bad
not one of $count points stopped it"
    result "$([ -z "$bad" ] && echo 0 || echo 1)" "$2 ($stopped of $count points stopped it)" <<<"$bad"
}

# What changes the tree, or makes it last.
changes=openat,openat2,write,pwrite64,fsync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,fchmod,fchown,ftruncate,flock
make_project
make_starts
cd "$work"
for kind in promote run; do
    learn "$kind"
    $full && step=1 || step=9
    sweep "$kind" "$kind: killed at every call" 1 signal=KILL
    for error in EIO ENOSPC EACCES; do
        sweep "$kind" "$kind: $error at every ${step}th call" "$step" "error=$error"
    done
done
echo "1..$number"
[ "$failed" -eq 0 ]
