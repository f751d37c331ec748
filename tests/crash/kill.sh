#!/bin/bash
# Kills runs with SIGKILL at random moments, on a real engine (TAP): the next start removes what the dead one left, and nothing
# of a run that lives.
#
#   tests/crash/kill.sh [COUNT]   COUNT kills (10); the long form is 200
#
# Two runs live all the while, one of them in a pid namespace of its own, and both share an image with the runs that are killed.
# A third of the killed ones run in a pid namespace of their own too: what those leave cannot be judged by process from outside,
# so it must stay until it expires, and is then removed.
#
# It needs root, unshare, and what tests/engine.sh needs. It takes PINGATE_TEST_ENGINE and PINGATE_TEST_REGISTRY where they are set,
# and else starts its own; the program is PINGATE_TEST_PROGRAM, else build/pingate. PINGATE_TEST_SEED repeats the moments.
set -euo pipefail

count=${1:-10}
tests=$(cd "$(dirname "$0")/.." && pwd)
program=${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}
RANDOM=${PINGATE_TEST_SEED:=$$}
work=$(mktemp -d /tmp/pingate-kill.XXXXXX)
engine_folder=
living=()

finish() {
    local status=$? pid
    trap - EXIT
    for pid in "${living[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    wait
    [ -z "$engine_folder" ] || "$tests/engine.sh" stop "$engine_folder"
    rm -rf "$work" "${images_cache:-$work}" ${engine_folder:+"$engine_folder"}
    exit "$status"
}
trap finish EXIT
trap 'exit 143' TERM INT

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

engine() { # METHOD PATH
    curl -fsS -X "$1" --unix-socket "${PINGATE_TEST_ENGINE#unix://}" "http://engine$2"
}

# One line a thing: kind, id, the run that it is of (or -).
things() {
    engine GET '/containers/json?all=1' | jq -r '.[] | "container \(.Id) \(.Labels["pingate.run"] // "-")"'
    engine GET /volumes | jq -r '(.Volumes // [])[] | "volume \(.Name) \((.Labels // {})["pingate.run"] // "-")"'
    engine GET /images/json | jq -r '.[] | .Id as $id | ((.RepoDigests // []) + [$id])[] | "image \(.) -"'
}

start() { # PROJECT ARGUMENT… : becomes the program
    local project=$1
    shift
    cd "$work/$project"
    exec env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 DOCKER_HOST="$PINGATE_TEST_ENGINE" "$program" run --dry-run "$@"
}

# A project with two pins: of an image that all of them share, and of one of its own.
make_project() { # NAME COMMAND
    local old shared
    mkdir "$work/$1"
    old=$(make_image "kill/$1:1.0.0" /version=one)
    make_image "kill/$1:1.1.0" /version=two >/dev/null
    shared=$(make_image kill/shared:1.0.0 /version=shared-one)
    make_image kill/shared:1.1.0 /version=shared-two >/dev/null
    printf 'FROM %s/kill/%s:1.0.0@%s\n' "$PINGATE_TEST_REGISTRY" "$1" "$old" >"$work/$1/Dockerfile"
    printf 'FROM %s/kill/shared:1.0.0@%s\n' "$PINGATE_TEST_REGISTRY" "$shared" >"$work/$1/Dockerfile.shared"
    printf 'version: 1\nfiles: {include: ["Dockerfile*"]}\nupdates: [{images: ["**"], policy: minor}]\ntests: [{name: t, run: ["%s", "true"], timeout: 24h}]\n' \
        "$2" >"$work/$1/pingate.yaml"
}

number=0 failed=0
result() { # STATUS NAME: what was seen is on standard input
    number=$((number + 1))
    [ "$1" -eq 0 ] || failed=$((failed + 1))
    printf '%sok %d - %s\n' "$([ "$1" -eq 0 ] || echo 'not ')" "$number" "$2"
    [ "$1" -eq 0 ] || sed 's/^/# /'
}

wait_for_containers() { # NUMBER
    local tries=600
    while [ "$(engine GET /containers/json | jq length)" -lt "$1" ]; do
        [ $((tries -= 1)) -gt 0 ] || { echo "Bail out! the living runs did not start"; cat "$work"/*.log; exit 1; }
        sleep 0.1
    done
}

echo "# seed $PINGATE_TEST_SEED; again with PINGATE_TEST_SEED=$PINGATE_TEST_SEED $0 $count"
echo "1..$((2 * count + 3))"
make_project living "sleep 86400"
make_project inside "sleep 86400"
make_project victim "sleep 0.5"
make_project next "true"
things | sort >"$work/empty"
if grep -qE '^(container|volume)' "$work/empty"; then
    echo "Bail out! the engine holds containers or volumes already"
    exit 1
fi

(start living --jobs 4) >"$work/living.log" 2>&1 &
living+=($!)
wait_for_containers 2
unshare -p -f --mount-proc -- bash -c "$(declare -f start); work=$work program=$program; start inside --jobs 4" >"$work/inside.log" 2>&1 &
inside=$!
wait_for_containers 4
living+=("$(pgrep -P "$inside")")
things | sort >"$work/before"

# What is there now against what was there while only the two lived.
same_as_living() {
    things | sort | diff "$work/before" - >"$work/diff"
}

# How long a whole run takes: kills come somewhere in it.
began=$(date +%s%N)
(start next) >"$work/next.log" 2>&1 || { cat "$work/next.log"; exit 1; }
whole_ms=$((($(date +%s%N) - began) / 1000000 + 500))
same_as_living && status=0 || status=1
result "$status" "a whole run beside two living ones leaves nothing, and nothing of theirs is touched" <"$work/diff"

remove_foreign() { # the remains of a dead pid namespace: they go when they expire, which is tomorrow
    local kind id
    while read -r kind id _; do
        case $kind in
        container) engine DELETE "/containers/$id?force=1&v=1" ;;
        *) engine DELETE "/${kind}s/$id?force=1" ;;
        esac >/dev/null || true
    done < <(things | sort | comm -13 "$work/before" -)
}

for i in $(seq "$count"); do
    after_ms=$((RANDOM * 32768 + RANDOM)) after_ms=$((after_ms % whole_ms))
    seconds=$(printf '%d.%03d' $((after_ms / 1000)) $((after_ms % 1000)))
    if [ $((i % 3)) -eq 0 ]; then
        where="in a pid namespace of its own"
        unshare -p -f --mount-proc --kill-child -- bash -c "$(declare -f start); work=$work program=$program; start victim" >"$work/victim.log" 2>&1 &
    else
        where="here"
        (start victim) >"$work/victim.log" 2>&1 &
    fi
    victim=$!
    sleep "$seconds"
    kill -KILL "$victim" 2>/dev/null || true
    wait "$victim" 2>/dev/null || true
    sleep 0.2 # what the engine had begun is done
    things | sort >"$work/after"
    left=$(comm -13 "$work/before" "$work/after" | wc -l)
    comm -23 "$work/before" "$work/after" >"$work/lost"
    if [ -s "$work/lost" ]; then status=1; else status=0; fi
    result "$status" "kill $i after $seconds s $where: nothing of the living is gone ($left things left)" <"$work/lost"
    (start next) >"$work/next.log" 2>&1 || { sed 's/^/# /' "$work/next.log"; }
    if [ "$where" = here ]; then
        same_as_living && status=0 || status=1
        result "$status" "kill $i: the next start removes what the dead left" <"$work/diff"
    else
        things | sort | comm -23 <(grep -v '^image' "$work/after") - >"$work/lost"
        if [ -s "$work/lost" ]; then status=1; else status=0; fi
        result "$status" "kill $i: the next start touches nothing of a pid namespace that it cannot see" <"$work/lost"
        remove_foreign
    fi
done

for pid in "${living[@]}"; do kill -0 "$pid" 2>/dev/null || { echo "$pid is gone"; cat "$work/living.log" "$work/inside.log"; }; done >"$work/gone"
if [ -s "$work/gone" ]; then status=1; else status=0; fi
result "$status" "the living runs live" <"$work/gone"
for pid in "${living[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
wait
living=()
things | sort | diff "$work/empty" - >"$work/diff" && status=0 || status=1
result "$status" "when they are told to stop, the engine is as it was" <"$work/diff"
[ "$failed" -eq 0 ]
