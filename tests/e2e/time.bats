# Limits of time, trials that are run again, and what becomes of a run whose time is over, on a real engine.
load helpers

# A project with one image that has a newer version; pingate.yaml comes on standard input, behind its first lines.
project() {
    name=time/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    make_image "$name:1.1.0" /version=two >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\n'
        cat
    } >pingate.yaml
    commit
}

# What tells one attempt from another must come from outside: its workspace and its containers are fresh. So a command waits to be
# told: `answer stop go` lets the first container that begins fail, and the next one pass. On the current digest it passes at once.
WAITS='grep -q one /version || while test ! -e /go; do test ! -e /stop || exit 7; sleep 0.1; done'

answer() { # WORD…
    local word
    : >"$work/told"
    for word; do
        wait_until 60 container_begins
        touch "$work/$word"
        tar -C "$work" -cf - "$word" | engine PUT "/containers/$container/archive?path=%2F" --data-binary @- -H 'Content-Type: application/x-tar'
        echo "$container" >>"$work/told"
    done
}

answer_run() { # WORD…: of the run in the background, which must end as it was started to
    local run=$!
    answer "$@"
    wait "$run"
}

container_begins() {
    container=$(engine GET "/containers/json?filters=$(jq -rn '{label: ["pingate.run"], status: ["running"]} | tojson | @uri')" |
        jq -r '.[].Id' | grep -vxF -f "$work/told" | head -n 1)
    [ -n "$container" ]
}

first() { # JQ-EXPRESSION about the first trial
    assert_json pingate-out/result.json ".trials[0] | $1"
}

@test "a command has a limit of its own, and what timed out says which" {
    project <<<'tests: [{name: waits, run: [{command: "echo begun; sleep 600", timeout: 1s}, "true"], timeout: 5m}]'
    SECONDS=0
    gate 1 run
    [ "$SECONDS" -lt 60 ]
    first '.outcome == "timed-out" and (.reason | contains("timed out: the command may take 1.0 s"))'
    first '.commands[0] | .limit_ms == 1000 and .duration_ms >= 1000 and .out_tail == "begun\n"'
    first '.commands[1].outcome == "skipped" and .limit_ms == 300000'
    assert_unchanged
}

@test "a command within its limit passes, and the test's limit is for all of them" {
    project <<<'tests: [{name: quick, run: [{command: "true", timeout: 30s}]}]'
    gate 0 run
    first '.outcome == "passed" and .attempts == 1 and .commands[0].limit_ms == 30000'
}

@test "the test's time is over before the command's" {
    project <<<'tests: [{name: waits, run: ["sleep 1", {command: "sleep 600", timeout: 2500ms}], timeout: 3s}]'
    gate 1 run
    first '.outcome == "timed-out" and (.reason | contains("command 2 of 2") and contains("timed out: the test may take 3.0 s in all"))'
}

@test "the run's time is over: what runs is ended, what waits is not run, nothing moves, and reports are there" {
    project <<<'tests: [{name: waits, run: "sleep 600"}, {name: quick, run: "true"}, {name: waits-too, run: "sleep 600"}]'
    SECONDS=0
    gate 3 run --time-limit 3s --jobs 1
    [ "$SECONDS" -lt 30 ]
    assert_unchanged
    assert_json pingate-out/result.json '.exit_status == 3 and .updates[0].code == "not-tested"'
    assert_json pingate-out/result.json '.updates[0].reason | contains("the run'"'"'s time (3.0 s) was over")'
    first '.outcome == "error" and (.reason | contains("ended before it was done: the run'"'"'s time (3.0 s) was over"))'
    assert_json pingate-out/result.json '.trials[1:] | all(.outcome == "error" and (.reason | startswith("not run: the run")))'
    assert_has "$err" "the run's time (3.0 s) was over: 3 trials were not run to the end; give the run more time"
    assert_has pingate-out/report.md "time (3.0 s) was over"
    xmllint --noout pingate-out/junit.xml
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
}

@test "what passed before the run's time was over moves where what passes may" {
    other=$(image "time/other$BATS_TEST_NUMBER-$RANDOM")
    old=$(make_image "${other#*/}:1.0.0" /version=one)
    make_image "${other#*/}:1.1.0" /version=two >/dev/null
    other_pin="FROM $other:1.0.0@$old"
    project <<END
time_limit: 8s
promote: passing
tests:
  - {name: waits, images: ["$other"], run: "sleep 600"}
  - {name: quick, images: ["$(image "time/t*")"], run: "true"}
END
    echo "$other_pin" >Other.Dockerfile
    commit
    gate 3 run
    assert_json pingate-out/result.json '[.updates[] | select(.image | contains("/other") | not) | .verdict] == ["promote"]'
    assert_json pingate-out/result.json '[.updates[] | select(.image | contains("/other")) | .code] == ["not-tested"]'
    [ "$(git status --porcelain)" = " M Dockerfile" ]
}

@test "a baseline for which no time is left is left out, and that is said" {
    project <<<'tests: [{name: old-only, run: "grep -q one /version || { sleep 1; exit 3; }; sleep 600"}]'
    gate 1 run --time-limit 8s
    assert_json pingate-out/result.json '.updates[0].verdict == "reject"'
    assert_json pingate-out/result.json '.trials | length == 2 and .[1].baseline and .[1].outcome == "error"'
    assert_has "$err" "1 trial was not run to the end, of them 1 on the current digests"
    assert_unchanged
}

@test "a run within its time is as any other" {
    project <<<$'time_limit: 1h\ntests: [{name: quick, run: "true"}]'
    gate 0 run
    assert_json pingate-out/result.json '.warnings == []'
    assert_has Dockerfile ":1.1.0@"
}

@test "a limit that is none is refused" {
    project <<<'tests: [{name: quick, run: "true"}]'
    gate 2 run --time-limit soon
    assert_has "$err" '--time-limit: "soon" is no duration above zero, such as 45m or 1h30m'
    assert_unchanged
}

@test "a pass after a failure is flaky: shown, with the logs of each attempt, and nothing moves" {
    project <<<"tests: [{name: wavers, run: ['echo attempt; $WAITS'], timeout: 60s, retries: 2}]"
    gate 1 run &
    answer_run stop go
    assert_unchanged
    first '.outcome == "flaky" and .attempts == 2'
    first '.attempt_reasons | length == 1 and (.[0] | contains("command 1 of 1") and contains("exited with 7"))'
    first '.reason | contains("passed when it was run again, in attempt 2; attempt 1: command 1 of 1")'
    assert_json pingate-out/result.json '.updates[0].verdict == "reject"'
    assert_has "$err" "attempt 1, which is run again: command 1 of 1"
    [ "$(cat pingate-out/logs/001-wavers/1-stdout.log)" = attempt ]
    [ "$(cat pingate-out/logs/001-wavers/attempt-2/1-stdout.log)" = attempt ]
    first '.commands[0].out_path == "logs/001-wavers/attempt-2/1-stdout.log"'
    assert_has pingate-out/report.md flaky
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
}

@test "retries that all fail leave the failure, and each attempt's reason" {
    project <<<'tests: [{name: fails, run: "grep -q one /version || exit 4", retries: 2, artifacts: out.txt}]'
    gate 1 run
    assert_unchanged
    first '.outcome == "failed" and .attempts == 3 and (.attempt_reasons | length) == 2'
    [ -f pingate-out/logs/001-fails/1-stdout.log ] && [ -f pingate-out/logs/001-fails/attempt-3/1-stdout.log ]
    assert_json pingate-out/result.json '.updates[0].code == "regression" and .trials[1].attempts == 1'
}

@test "each attempt has a workspace and containers of its own" {
    project <<<'tests: [{name: leaves, run: "ls >&2; test ! -e left; touch left /left; exit 1", retries: 1, artifacts: left}]'
    gate 1 run
    first '.attempts == 2 and .reason == "command 1 of 1 (ls >&2; test ! -e left; touch left /left; exit 1): exited with 1"'
    cmp pingate-out/logs/001-leaves/1-stderr.log pingate-out/logs/001-leaves/attempt-2/1-stderr.log
    [ -f pingate-out/artifacts/001-leaves/left ] && [ -f pingate-out/artifacts/001-leaves/attempt-2/left ]
    first '.artifact_folder == "artifacts/001-leaves/attempt-2"'
}

@test "without retries a failure is one" {
    project <<<'tests: [{name: fails, run: "grep -q one /version"}]'
    gate 1 run
    first '.outcome == "failed" and .attempts == 1 and .attempt_reasons == []'
}

@test "a retry is not begun when the run's time is over" {
    project <<<'tests: [{name: waits, run: "sleep 600", timeout: 2s, retries: 10}]'
    SECONDS=0
    gate 3 run --time-limit 5s
    [ "$SECONDS" -lt 40 ]
    first '.outcome == "error" and .attempts >= 2 and (.attempt_reasons | all(contains("timed out")))'
    assert_unchanged
}

@test "a flaky pass stands in for no trial" {
    project <<<$'reuse: 24h\nstages: [{name: staging, files: [Dockerfile]}]\ntests: [{name: wavers, run: "'"$WAITS"$'", timeout: 60s, retries: 1}]'
    gate 1 run &
    answer_run stop go
    first '.outcome == "flaky"'
    commit "What was tested"
    gate 0 run &
    answer_run go
    first '.outcome == "passed" and .reused == null and .attempts == 1'
}

@test "--no-reuse runs what a pass on record could stand in for" {
    project <<<$'reuse: 24h\nstages: [{name: staging, files: [Dockerfile]}]\ntests: [{name: passes, run: "true"}, {name: fails, run: "grep -q one /version"}]'
    gate 1 run
    commit "What was tested"
    gate 1 run --dry-run
    assert_json pingate-out/result.json '[.trials[] | select(.test == "passes") | .reused != null] == [true]'
    gate 1 run --dry-run --no-reuse
    assert_json pingate-out/result.json '[.trials[] | .reused != null] | any | not'
}
