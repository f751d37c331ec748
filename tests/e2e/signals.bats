# A run that is told to stop, wherever it is: everything goes again within 6 s, the exit status tells the signal, the reports
# are written, and what was cut is no pass and no ordinary skip. (helpers.bash fails a test that leaves anything behind.)
load helpers

stop_seconds=6

project() { # COMMAND [PATH@FILE]: a pin with a newer version; the test runs COMMAND
    name=signals/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    make_image "$name:1.1.0" /version=two ${2:+"$2"} >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests: [{name: waits, run: "%s"}]\n' "$1" >pingate.yaml
    commit
}

begin() { # ARGUMENT…: in the background; sets $run (to wait for) and $program (to signal)
    pingate "$@" >"$out" 2>"$err" &
    run=$!
    program=
    for _ in $(seq 100); do
        program=$(pgrep -P "$run" || true)
        [ -z "$program" ] || return 0
        sleep 0.05
    done
    echo "the program did not start"
    return 1
}

until_true() { # COMMAND…
    for _ in $(seq 300); do
        ! "$@" || return 0
        kill -0 "$run" 2>/dev/null || break
        sleep 0.05
    done
    echo "never so: $*"
    cat "$err"
    return 1
}

containers() { # STATE
    [ "$(engine GET '/containers/json?all=1' | jq --arg state "$1" '[.[] | select(.State == $state)] | length')" -gt 0 ]
}

pulling() {
    [ "$(engine GET /volumes | jq '[(.Volumes // [])[] | select(.Labels["pingate.image"])] | length')" -gt 0 ]
}

# Sends the signal and checks all that is promised of it.
stop() { # SIGNAL-NAME NUMBER
    local status=0
    SECONDS=0
    kill -s "$1" "$program"
    wait "$run" || status=$?
    [ "$SECONDS" -le "$stop_seconds" ] || { echo "it took $SECONDS s"; return 1; }
    [ "$status" -eq $((128 + $2)) ] || { echo "exit status $status"; cat "$err"; return 1; }
    assert_has "$err" "stopped by SIG$1"
    assert_unchanged
    assert_json pingate-out/result.json ".exit_status == $((128 + $2))"
    assert_json pingate-out/result.json '[.updates[].verdict] == ["hold"] and [.updates[].code] == ["not-tested"]'
    assert_json pingate-out/result.json "[.trials[].outcome] | all(. == \"error\")"
    assert_json pingate-out/result.json "[.trials[].reason] | all(contains(\"SIG$1\"))"
    [ -s pingate-out/report.md ] && [ -s pingate-out/junit.xml ]
    assert_has pingate-out/junit.xml '<error type="error" message="'
    if engine_objects | grep "$name"; then
        echo "was left"
        return 1
    fi
}

@test "SIGINT while a command runs" {
    project "sleep 600"
    begin run
    until_true containers running
    stop INT 2
}

@test "SIGTERM while a command runs that ignores it" {
    project "trap : TERM INT; sleep 600 & while :; do wait; done"
    begin run
    until_true containers running
    stop TERM 15
}

@test "SIGTERM while four trials run" {
    project "sleep 600"
    for i in 2 3 4; do
        sed -i "s/^tests: \[/&{name: waits$i, run: \"sleep 600\"}, /" pingate.yaml
    done
    commit
    begin run --jobs 4
    four_run() { [ "$(engine GET /containers/json | jq length)" -eq 4 ]; }
    until_true four_run
    stop TERM 15
}

@test "SIGINT while an image is pulled" {
    head -c 300000000 /dev/urandom >"$work/big"
    project "true" "/big@$work/big"
    begin run
    until_true pulling
    stop INT 2
}

@test "SIGTERM while the workspace is copied" {
    project "sleep 600"
    head -c 400000000 /dev/urandom >big
    begin run
    until_true containers created
    rm big # the program has its copy
    stop TERM 15
}

@test "SIGTERM twice" {
    project "sleep 600"
    begin run
    until_true containers running
    kill -s TERM "$program"
    stop TERM 15
}

# What is built goes, or was never there; an engine gives up a build whose client has gone.
@test "SIGINT while an image is built" {
    project "true"
    printf 'RUN sleep 12.5\n' >>Dockerfile
    sed -i 's/run: /build: ., run: /' pingate.yaml
    commit
    begin run
    building() { pgrep -f 'sleep 12[.]5' >/dev/null; }
    until_true building
    local base=$name
    ! engine_is podman || name=nothing-of-that-name # see below
    stop INT 2
    if engine_is podman; then # it lets the step at hand come to its end, and keeps the base for as long
        wait_until 60 not building
        sleep 1
        engine GET '/images/json?all=1' | jq -r --arg name "$base" '.[] | select((.RepoDigests // []) | tostring | contains($name)).Id' |
            while read -r id; do engine DELETE "/images/$id?force=1"; done >/dev/null
    fi
}

not() {
    ! "$@"
}
