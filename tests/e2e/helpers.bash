# shellcheck shell=bash
# What every end-to-end test uses. A test file begins with `load helpers`; each test then starts in an empty folder with a
# clean home, and fails if it leaves anything behind in the engine. See also tests/images.sh for images.
#
#   new_project            a git repository as the current folder, with one empty commit
#   commit [MESSAGE]       everything in it
#   image NAME             how the project writes that image: 127.0.0.1:PORT/NAME
#   pingate ARGUMENT…      the built program, with the test's engine and a clean environment
#   gate STATUS ARGUMENT…  the same, which must exit with STATUS; its output is in $out and $err (files)
#   at TIME COMMAND…       the same with the clock set, such as `at +25h gate 0 promote production`: see clock.c
#   engine METHOD PATH …   a call of the Engine API (curl arguments may follow)
#   assert_…               below: each prints what it saw when it fails
#
# Set by tests/run.sh: PINGATE_TEST_ENGINE, PINGATE_TEST_REGISTRY, PINGATE_TEST_PROGRAM, PINGATE_TEST_CLOCK (the same program
# with a clock that can be set).

bats_require_minimum_version 1.5.0
: "${PINGATE_TEST_ENGINE:?start one with tests/engine.sh, or run tests/run.sh e2e}" "${PINGATE_TEST_REGISTRY:?}"

caller_variables=() # NAME=VALUE, of the program's environment

tests=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
# shellcheck source=tests/images.sh
. "$tests/images.sh"

engine() {
    local method=$1 path=$2
    shift 2
    curl -fsS -X "$method" --unix-socket "${PINGATE_TEST_ENGINE#unix://}" "$@" "http://engine$path"
}

engine_is() { # docker or podman
    engine GET /version | jq -e --arg name "$1" '[.Components[].Name == "Podman Engine"] | any == ($name == "podman")' >/dev/null
}

# Podman 4.3 does not tell that memory was the reason, 5.8 does: HACKING.md says so, and this says when that has changed.
podman_hides_oom() {
    engine_is podman && [ "$(engine GET /version | jq -r '.Version | split(".")[0] | tonumber')" -lt 5 ]
}

# The engine's own client. Docker's hangs on Podman 4.3, or tells 0 whatever the command said.
engine_client() { # ARGUMENT…
    if engine_is podman; then
        HOME=$work/home podman --url "$PINGATE_TEST_ENGINE" "$@"
    else
        env -i PATH="$PATH" HOME="$work/home" DOCKER_HOST="$PINGATE_TEST_ENGINE" docker "$@"
    fi
}

# One line for everything that somebody could leave behind.
engine_objects() {
    engine GET '/containers/json?all=1' | jq -r '.[] | "container \(.Id) \(.Names[0]) \(.Image) \(.State)"'
    engine GET /volumes | jq -r '(.Volumes // [])[] | "volume \(.Name)"'
    engine GET /networks | jq -r '.[] | "network \(.Id) \(.Name)"'
    engine GET '/images/json' | jq -r '.[] | "image \(.Id) \((.RepoTags // []) + (.RepoDigests // []) | join(" "))"'
}

remove_object() { # KIND ID
    case $1 in
    container) engine DELETE "/containers/$2?force=1&v=1" ;;
    *) engine DELETE "/$1s/$2?force=1" ;;
    esac >/dev/null || true
}

# What is there now and was not when the test began. It is removed, so that only one test fails for it.
assert_nothing_left() {
    local left kind id rest
    left=$(comm -13 <(cut -d ' ' -f 1,2 "$work/engine.before" | sort) <(engine_objects | cut -d ' ' -f 1,2 | sort))
    [ -n "$left" ] || return 0
    echo "the test left this behind in the engine:"
    engine_objects | grep -F "$left" || true
    while read -r kind id rest; do
        remove_object "$kind" "$id$rest"
    done <<<"$left"
    return 1
}

setup() {
    work=$(mktemp -d "${BATS_TMPDIR:-/tmp}/pingate-e2e.XXXXXX")
    out=$work/out err=$work/err
    mkdir "$work/home" "$work/empty"
    cd "$work/empty" || return 1
    engine_objects >"$work/engine.before"
}

teardown() {
    local status=0
    cd /
    assert_nothing_left || status=1
    rm -rf "$work"
    return "$status"
}

new_project() {
    mkdir "$work/project"
    cd "$work/project" || return 1
    git init -q -b main
    git config user.name "Test Author"
    git config user.email test@example.com
    git commit -q --allow-empty -m "Begin"
}

commit() {
    git add -A
    git commit -q -m "${1:-Change}"
}

image() {
    echo "$PINGATE_TEST_REGISTRY/$1"
}

pingate() {
    local program=${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}
    [ -z "${test_now-}" ] || program=${PINGATE_TEST_CLOCK:-$tests/../build/tests/e2e/pingate-clock}
    env -i PATH="$PATH" HOME="$work/home" LC_ALL=C.UTF-8 DOCKER_HOST="${DOCKER_HOST-$PINGATE_TEST_ENGINE}" \
        ASAN_OPTIONS=exitcode=99:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
        ${test_now:+PINGATE_TEST_NOW="$test_now"} ${PINGATE_STATE:+PINGATE_STATE="$PINGATE_STATE"} "${caller_variables[@]}" "$program" "$@"
}

at() {
    local test_now=$1
    shift
    "$@"
}

gate() {
    local expected=$1 status=0
    shift
    pingate "$@" >"$out" 2>"$err" || status=$?
    [ "$status" -ne "$expected" ] || return 0
    echo "pingate $*: exit status $status, expected $expected"
    echo "--- standard output" && tail -n 60 "$out"
    echo "--- standard error" && tail -n 60 "$err"
    return 1
}

assert_has() { # FILE TEXT
    grep -qF -- "$2" "$1" && return 0
    printf '%s does not contain: %s\n' "$1" "$2"
    tail -n 60 "$1"
    return 1
}

assert_has_not() { # FILE TEXT
    grep -qF -- "$2" "$1" || return 0
    printf '%s contains: %s\n' "$1" "$2"
    grep -nF -- "$2" "$1"
    return 1
}

assert_json() { # FILE JQ-EXPRESSION: true for it
    jq -e "$2" "$1" >/dev/null && return 0
    printf '%s: not so: %s\n' "$1" "$2"
    jq . "$1" | head -n 120
    return 1
}

# The files of the project (not the program's output) are as they were committed.
assert_unchanged() {
    [ -z "$(git status --porcelain)" ] && return 0
    echo "the project has changed:"
    git status --short
    git diff
    return 1
}

# Only these lines changed: each argument is one line of the diff without its context, in order, such as '-image: …'.
assert_diff() {
    diff <(printf '%s\n' "$@") <(git diff -U0 | grep -E '^[-+]' | grep -vE '^(---|\+\+\+) ') && return 0
    echo "(left: expected, right: the project's changes)"
    return 1
}

wait_until() { # SECONDS COMMAND…: until it succeeds
    local tries=$(($1 * 20))
    shift
    until "$@" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.05
    done
}

# Starts a run in the background ($run is a shell, and the program its only child) and waits until its test is at work.
start_run() { # ARGUMENT…
    pingate run "$@" >"$out" 2>"$err" &
    run=$!
    wait_until 30 trial_runs
}

trial_runs() {
    [ "$(engine GET "/containers/json?filters=$(jq -rn '{label: ["pingate.run"], status: ["running"]} | tojson | @uri')" | jq length)" -gt 0 ]
}

signal_run() { # SIGNAL
    kill -"$1" "$(pgrep -P "$run")"
}
