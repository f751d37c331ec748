# Commands that misbehave, on a real engine: each gets its true outcome, in bounded time, and leaves nothing behind.
load helpers

# A project whose only image has a newer version; the test of it is given on standard input.
project() {
    name=trials/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    new=$(make_image "$name:1.1.0" /version=two)
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

trial() { # EXPECTED-EXIT-STATUS ARGUMENT…; the test on standard input
    local expected=$1
    shift
    project
    gate "$expected" run "$@"
    [ "$expected" -eq 0 ] || assert_unchanged
}

first() { # JQ-EXPRESSION about the first trial
    assert_json pingate-out/result.json ".trials[0] | $1"
}

@test "a command that hangs is timed out" {
    SECONDS=0
    trial 1 <<<'  - {name: hangs, run: "sleep 600", timeout: 2s}'
    [ "$SECONDS" -lt 60 ]
    first '.outcome == "timed-out" and (.reason | contains("2.0 s"))'
}

@test "200 MB of output are whole in the log, and not in memory" {
    trial 0 <<<'  - {name: floods, run: "dd if=/dev/zero bs=1M count=200 2>/dev/null | tr \"\\0\" x"}'
    [ "$(stat -c %s pingate-out/logs/001-floods/1-stdout.log)" -eq 209715200 ]
    first '.outcome == "passed" and .commands[0].out_bytes == 209715200 and (.commands[0].out_tail | length) <= 65536'
}

@test "more output than log_limit ends the command as failed" {
    trial 1 <<<'  - {name: floods, run: "yes", log_limit: 1MiB, timeout: 60s}'
    first '.outcome == "failed" and (.reason | contains("log_limit"))'
}

@test "out of memory has its own outcome" {
    trial 1 <<<'  - {name: eats, run: "tail /dev/zero", memory: 16MiB, timeout: 60s}'
    if podman_hides_oom; then first '.outcome == "failed" and (.reason | contains("137"))'; else first '.outcome == "oom"'; fi
}

@test "a child that is left behind ends with its command" {
    trial 0 <<<'  - {name: leaves, run: ["sleep 600 & echo started", "true"]}'
    first '.outcome == "passed" and .reason == null and (.commands | all(.outcome == "passed" and .reason == null))'
}

@test "a signal that kills the command is no pass" {
    trial 1 <<<'  - {name: dies, run: "kill -9 $$"}'
    first '.outcome == "failed" and (.reason | contains("137"))'
}

@test "a command that is not in the image is a failed test with its reason" {
    trial 1 <<<'  - {name: lacks, run: [["/no/such/program"]]}'
    first '.outcome == "failed" and (.reason | contains("/no/such/program"))'
}

@test "there is no network unless it is asked for" {
    trial 0 <<<'  - {name: alone, run: "test -z \"$(ls /sys/class/net | grep -v lo)\""}'
}

@test "the exit code and both streams are kept apart" {
    trial 1 <<<'  - {name: says, run: "echo out; echo err >&2; exit 7"}'
    first '.commands[0] | .exit_code == 7 and .out_tail == "out\n" and .err_tail == "err\n"'
}

@test "what follows a failed command is not run" {
    trial 1 <<<'  - {name: stops, run: ["false", "true"]}'
    first '[.commands[].outcome] == ["failed", "skipped"]'
}

@test "an image without a shell runs a command that is a list" {
    name=trials/silent-$RANDOM
    old=$(make_image_without_shell "$name:1.0.0")
    make_image_without_shell "$name:1.1.0" /note=new >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n  - {name: says, run: [["/say", "hello"]]}\n' >pingate.yaml
    commit
    gate 0 run
    first '.commands[0].out_tail == "hello\n"'
}

@test "many tests at once give their results in order" {
    trial 0 --jobs 4 < <(for i in 1 2 3 4 5 6; do echo "  - {name: t$i, run: \"echo $i\"}"; done)
    assert_json pingate-out/result.json '[.trials[].commands[0].out_tail] == ["1\n","2\n","3\n","4\n","5\n","6\n"]'
}

@test "stopped by a signal: cleaned up, reports written, exit status 143" {
    project <<'END'
  - {name: waits, run: "sleep 600"}
END
    start_run
    signal_run TERM
    status=0
    wait "$run" || status=$?
    [ "$status" -eq 143 ] || { cat "$err"; false; }
    assert_unchanged
    assert_json pingate-out/result.json '.exit_status == 143'
}

@test "killed: the next run removes what the dead one left" {
    project <<'END'
  - {name: waits, run: "sleep ${N:-600}"}
END
    start_run --keep-images
    signal_run KILL
    wait "$run" || true
    [ "$(engine GET /containers/json | jq length)" -eq 1 ]
    sed -i 's/sleep .*"/true"/' pingate.yaml
    commit
    gate 0 run
    [ "$(engine GET '/containers/json?all=1' | jq length)" -eq 0 ]
    engine DELETE "/images/$(image "$name")@$new?force=1" >/dev/null || true
}

@test "without a network there is still localhost, and no command sees what another wrote of it" {
    trial 0 <<'END'
  - name: alone
    run:
      - "nc -l -p 7 & sleep 0.2; nc -w 5 localhost 7 </dev/null && test $(ls /sys/class/net) = lo && ! nc -w 1 198.18.0.1 7 </dev/null"
      - "nc -l -p 7 & sleep 0.2; echo 127.0.0.1 other >>/etc/hosts && nc -w 5 other 7 </dev/null"
      - "nc -l -p 7 & sleep 0.2; ! grep other /etc/hosts && nc -w 5 localhost 7 </dev/null && ! ls /hosts"
  - {name: neighbour, run: ["nc -l -p 9 & sleep 0.1; ! grep other /etc/hosts", "! nc -w 1 127.0.0.1 9 </dev/null"]}
END
    first '.outcome == "passed" and (.commands | length == 3)'
}

@test "a kept container that failed can be started again" {
    trial 1 --keep --keep-images <<<'  - {name: fails, run: "cat /etc/hosts; exit 1"}'
    engine GET '/containers/json?all=1' | jq -r '.[].Id' >kept
    [ -s kept ]
    while read -r id; do
        engine POST "/containers/$id/start"
        [ "$(engine POST "/containers/$id/wait" | jq .StatusCode)" -eq 1 ]
        [ "$(engine GET "/containers/$id/logs?stdout=1" | grep -ac 127.0.0.1)" -ge 2 ]
        engine DELETE "/containers/$id?force=1"
    done <kept
    for left in $(engine GET /volumes | jq -r '.Volumes[] | "volumes/\(.Name)"') \
        $(engine GET /images/json | jq -r --arg name "$(image "$name")" \
            '.[].RepoDigests[] | select(startswith($name)) | "images/\(.)"'); do
        engine DELETE "/$left" >/dev/null
    done
}

@test "a child that is out of memory is told, although the command exits with 0" {
    local status=1 outcome=oom
    if podman_hides_oom; then status=0 outcome=passed; fi
    trial "$status" <<<'  - {name: eats, run: "(tail /dev/zero; true) || true; exit 0", memory: 16MiB, timeout: 60s}'
    first ".outcome == \"$outcome\" and (.reason == null or (.reason | contains(\"exit code 0\")))"
}

@test "137 without a limit that was hit is a failure, and no word of memory" {
    trial 1 <<<'  - {name: dies, run: "exit 137"}'
    first '.outcome == "failed" and (.reason | contains("137")) and (.reason | contains("out of memory") | not)'
}

@test "126 and 127 of a shell inside are its own, with their exit code" {
    trial 1 <<<'  - {name: lacks, run: "no-such-program"}'
    first '.outcome == "failed" and .commands[0].exit_code == 127 and (.commands[0].err_tail | contains("not found"))'
    sed -i 's/no-such-program/\/version/; s/\/version/touch x; .\/x/' pingate.yaml
    commit
    gate 1 run
    first '.outcome == "failed" and .commands[0].exit_code == 126'
}

@test "a program that may not be run, and one that is not there, are failed tests that were never started" {
    trial 1 <<<'  - {name: lacks, run: [["/etc"]]}'
    first '.outcome == "failed" and (.reason | contains("could not be started")) and (.reason | contains("may not be run"))'
    sed -i 's|/etc|/no/such|' pingate.yaml
    commit
    gate 1 run
    first '.outcome == "failed" and (.reason | contains("could not be started")) and (.reason | contains("not in the image"))'
}

@test "a user that is not in the image is a failed test" {
    trial 1 <<<'  - {name: lacks, run: "true", user: nobody-here}'
    first '.outcome == "failed" and (.reason | contains("nobody-here"))'
}

@test "an image that was there before stays" {
    name=trials/there-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    new=$(make_image "$name:1.1.0" /version=two)
    engine POST "/images/create?fromImage=$(image "$name")@$new" >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests: [{name: t, run: "true"}]\n' >pingate.yaml
    commit
    gate 0 run
    engine GET "/images/$(image "$name")@$new/json" | jq -e .Id >/dev/null
    engine DELETE "/images/$(image "$name")@$new" >/dev/null
}

@test "two runs at once share an image: the first to end leaves it to the other" {
    project <<'END'
  - {name: t, run: ["until test -e /pingate/go; do sleep 0.1; done", "true"]}
END
    cp -r . ../second
    start_run
    sed -i 's/run: .*/run: "true"}/' ../second/pingate.yaml
    (cd ../second && pingate run --dry-run >/dev/null 2>"$err.second") || { cat "$err.second"; false; }
    engine GET "/images/$(image "$name")@$new/json" | jq -e .Id >/dev/null
    container=$(engine GET /containers/json | jq -r '.[0].Id')
    # Not by an archive: Podman 5 puts what a running container gets below what is mounted there.
    engine_client exec -w / "$container" touch /pingate/go
    wait "$run" || { cat "$err"; false; }
    if engine_objects | grep "$name"; then false; fi
}

@test "a socket that may not be used is told with what to do" {
    trial 0 <<<'  - {name: t, run: "true"}'
    git checkout -q . && chmod 755 "$work" && chown -R nobody "$work"
    status=0
    setpriv --reuid=nobody --clear-groups env -i PATH="$PATH" HOME="$work/home" DOCKER_HOST="$PINGATE_TEST_ENGINE" \
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' \
        "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" doctor >"$out" 2>&1 || status=$?
    [ "$status" -eq 3 ] || { cat "$out"; false; }
    assert_has "$out" "you may not use the socket"
}

@test "an address that is not spoken is told with what to do instead" {
    trial 0 <<<'  - {name: t, run: "true"}'
    git checkout -q .
    DOCKER_HOST=npipe:////./pipe/docker_engine gate 2 run
    assert_has "$err" "use tcp://host:port"
    assert_unchanged
}

events_kept() {
    engine GET "/events?since=1&until=$(date +%s)" | jq -s '[.[] | select(.Type == "container")] | length'
}

@test "a command that somebody stops and that then exits with 0 is no pass" {
    project <<'END'
  - {name: serves, run: "trap 'exit 0' TERM; sleep 600 & wait"}
END
    start_run
    # what somebody else spoiled is run again once
    for _ in 1 2; do
        wait_until 30 trial_runs
        sleep 1
        engine POST "/containers/$(engine GET /containers/json | jq -r '.[0].Id')/stop?t=30"
        [ "$(events_kept)" -gt 0 ] || break
    done
    status=0
    wait "$run" || status=$?
    if [ "$(events_kept)" -eq 0 ]; then
        # Podman without a journal keeps no events, so nobody can tell; this holds the reason for the limit.
        [ "$(engine GET /version | jq -r '.Components[0].Name')" = "Podman Engine" ]
        return 0
    fi
    [ "$status" -eq 3 ] || { cat "$err"; false; }
    first '.outcome == "error" and .commands[0].exit_code == 0 and (.reason | contains("somebody stopped"))'
    assert_unchanged
}

@test "a project so large that its copies take the time is told" {
    trial 0 --dry-run <<<'  - {name: reads, run: "true"}'
    assert_has_not "$err" "copy of the project"
    truncate -s 101M blob
    commit
    gate 0 run --dry-run
    assert_has "$err" "each trial gets a copy of the project, and that is 105 MB in"
    assert_json pingate-out/result.json '[.warnings[] | select(test("copy of the project"))] | length == 1'
}
