# Services beside the commands of a test, on a real engine: real ones, ones that fail in every way, and what is left of them.
load helpers
load software

# A project that pins IMAGE=OLD and has NEW as its candidate for each argument "NAME OLD NEW"; the tests on standard input.
project() { # "NAME OLD-DIGEST"…: at tag 1.0.0
    local entry
    new_project
    for entry in "$@"; do
        echo "FROM $(image "${entry% *}"):1.0.0@${entry##* }"
    done >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

# An image of busybox that has a candidate; both run what IMAGE_CONFIG says, with these files.
pair() { # VARIABLE [PATH=TEXT]…: sets VARIABLE to its name, VARIABLE_old to its digest
    local variable=$1 name
    shift
    name=services/$variable-t$BATS_TEST_NUMBER-$RANDOM
    printf -v "$variable" %s "$name"
    printf -v "${variable}_old" %s "$(make_image "$name:1.0.0" /version=one "$@")"
    make_image "$name:1.1.0" /version=two "$@" >/dev/null
}

first() { # JQ-EXPRESSION about the first trial
    assert_json pingate-out/result.json ".trials[0] | $1"
}

setup_file() {
    ${CC:-cc} -O1 -static -o "$BATS_FILE_TMPDIR/serve" "$BATS_TEST_DIRNAME/serve.c"
}

# A project with one service, of an image with a shell, and the commands in another.
with_service() { # EXPECTED-EXIT-STATUS SERVICE COMMAND [KEYS-OF-THE-TEST]: the service as YAML, without its image
    local expected=$1 service=$2 command=$3 keys=${4:+, $4}
    pair web "/serve@$BATS_FILE_TMPDIR/serve"
    pair app
    project "$web $web_old" "$app $app_old" <<END
  - {name: asks, in: "$(image "$app")", services: {web: {image: "$(image "$web")"$service}}, run: [$command]$keys}
END
    gate "$expected" run
    [ "$expected" -eq 0 ] || assert_unchanged
}

serving=', command: [/serve, "7000"]'

@test "a service is reached by its name, and its candidate is what runs" {
    with_service 0 "$serving, ready: {tcp: 7000}" '"wget -q -O- http://web:7000/ | grep hello"'
    [ "$(git diff -U0 | grep -c '^+FROM.*:1.1.0@')" -eq 2 ]
    first '.services | length == 1 and (.[0] | .name == "web" and .outcome == "passed" and .ready_ms >= 0 and .exit_code == -1 and (.image | contains(":1.1.0@")))'
    assert_has pingate-out/logs/001-asks/service-web-stdout.log "serving on 7000"
}

@test "a candidate that breaks only as a service is rejected" {
    pair web "/serve@$BATS_FILE_TMPDIR/serve"
    make_image "$web:1.1.0" /version=two "/serve=#!/bin/sh
echo 'no such option: 7000' >&2; exit 7" >/dev/null
    pair app
    project "$web $web_old" "$app $app_old" <<END
  - {name: alone, images: "$(image "$web")", run: "test -x /serve"}
  - {name: asks, in: "$(image "$app")", services: {web: {image: "$(image "$web")"$serving, ready: {tcp: 7000}}}, run: "wget -q -O- http://web:7000/"}
END
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[] | select(.image | contains("/web-")) | .verdict == "reject"'
    assert_json pingate-out/result.json '[.trials[] | select(.test == "asks" and .baseline == false)][0] | .outcome == "failed" and (.reason | contains("service web: ended with 7 before it was ready"))
        and .services[0].exit_code == 7 and (.services[0].err_tail | contains("no such option: 7000")) and .commands[0].outcome == "skipped"'
    assert_has pingate-out/report.md "no such option: 7000"
    assert_has "$out" "ended with 7 before it was ready"
}

@test "a service that never gets ready is timed out, with what the last probe saw" {
    with_service 1 "$serving, ready: {tcp: 7001}, within: 2s" '"true"'
    first '.outcome == "timed-out" and (.reason | contains("service web: not ready within 2.0 s: waited for tcp port 7001")) and (.reason | contains("onnection refused"))
        and .services[0].ready_ms == -1 and (.services[0].out_tail | contains("serving on 7000"))'
}

@test "http: by status, also of an image without a shell" {
    name=services/scratch-t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image_without_shell "$name:1.0.0" "/serve@$BATS_FILE_TMPDIR/serve")
    make_image_without_shell "$name:1.1.0" "/serve@$BATS_FILE_TMPDIR/serve" /version=2 >/dev/null
    pair app
    project "$name $old" "$app $app_old" <<END
  - name: asks
    in: $(image "$app")
    services:
      late: {image: "$(image "$name")", command: [/serve, "7000", "204", "700"], ready: {http: "7000/health"}}
      other: {image: "$(image "$name")", command: [/serve, "7000", "418"], ready: [{http: 7000, status: 418}, {tcp: 7000}, {log: '^serving on \d+$'}]}
    run: "nc late 7000 </dev/null; nc other 7000 </dev/null"
  - name: refused
    in: $(image "$app")
    services: {bad: {image: "$(image "$name")", command: [/serve, "7000", "503"], ready: {http: 7000}, within: 1s}}
    run: "true"
END
    gate 1 run
    assert_json pingate-out/result.json '[.trials[] | select(.test == "asks")] | all(.outcome == "passed")'
    assert_json pingate-out/result.json '[.trials[] | select(.test == "refused")][0] | .outcome == "timed-out" and (.reason | contains("HTTP/1.0 503 Word"))'
}

@test "a log line, a command, a job, a health check: each can pass" {
    pair web "/serve@$BATS_FILE_TMPDIR/serve"
    IMAGE_CONFIG='{"Healthcheck":{"Test":["CMD-SHELL","test -e /tmp/well"],"Interval":30000000000}}' pair checked "/serve@$BATS_FILE_TMPDIR/serve"
    pair app
    project "$web $web_old" "$checked $checked_old" "$app $app_old" <<END
  - name: asks
    in: $(image "$app")
    services:
      log: {image: "$(image "$web")", command: "printf 'read'; sleep 0.3; echo y-1; sleep 600", ready: {log: '^ready-\d$'}}
      exec: {image: "$(image "$web")", command: "sleep 0.3; touch /tmp/there; sleep 600", ready: {exec: [test, -e, /tmp/there]}}
      job: {image: "$(image "$web")", command: "sleep 0.2; echo migrated", ready: [{log: migrated}, {exit: 0}]}
      image-check: {image: "$(image "$checked")", command: "sleep 0.3; touch /tmp/well; sleep 600"}
      own-check: {image: "$(image "$checked")", command: "sleep 600", health: "test ! -e /tmp/well", ready: healthy}
      nothing: {image: "$(image "$web")", command: "sleep 600", ready: none}
    run: "true"
END
    gate 0 run
    first '[.services[].outcome] == ["passed", "passed", "passed", "passed", "passed", "passed"] and .services[2].exit_code == 0'
}

fails() { # SERVICE OUTCOME WORDS: as YAML; such a service fails its trial so
    with_service 1 "$1, within: 2s" '"true"'
    first ".outcome == \"$2\" and (.reason | contains(\"$3\"))" || { jq .trials[0].reason pingate-out/result.json; return 1; }
}

@test "a log line that never comes" {
    fails ', command: "echo not yet; sleep 600", ready: {log: "^ready$"}' timed-out 'its last line was \"not yet\"'
}

@test "a command that never succeeds" {
    fails ', command: "sleep 600", ready: {exec: "echo still sick; exit 3"}' timed-out 'exit code 3: still sick'
}

@test "a command that is not in the image" {
    fails ', command: "sleep 600", ready: {exec: [redis-cli, ping]}' failed 'cannot become ready'
}

@test "a command that hangs" {
    fails ', command: "sleep 600", ready: {exec: "sleep 500"}' timed-out 'did not end within its time'
}

@test "a health check that is never well" {
    fails ', command: "sleep 600", health: "echo unwell; exit 1", ready: healthy' timed-out 'exit code 1: unwell'
}

@test "a job that fails" {
    fails ', command: "echo no table users >&2; exit 3", ready: {exit: 0}' failed 'ended with 3 before it was ready'
    first '.services[0].err_tail == "no table users\n"'
}

@test "a job that does not end" {
    fails ', command: "sleep 600", ready: {exit: 0}' timed-out 'it still runs'
}

@test "a command that the image does not hold as a service" {
    fails ', command: [/nowhere]' failed 'could not be started'
}

@test "a service that dies while commands run fails the test that passes" {
    with_service 1 ', command: "sleep 1; echo Segmentation fault; exit 139", ready: none' '"sleep 2"'
    first '.outcome == "failed" and .commands[0].outcome == "passed" and (.reason | contains("service web: ended with 139 while the commands ran"))
        and (.services[0].out_tail | contains("Segmentation fault"))'
    assert_has pingate-out/report.md "Segmentation fault"
}

@test "a service that may end, may" {
    with_service 0 ', command: "sleep 1; exit 3", ready: none, may_end: true' '"sleep 2"'
    first '.services[0].outcome == "passed" and .services[0].exit_code == 3'
}

@test "a service that runs out of memory" {
    with_service 1 ', command: "sleep 1; tail /dev/zero", memory: 16MiB, ready: none' '"sleep 3"'
    if engine_is podman; then first '.outcome == "failed"'; else first '.outcome == "oom" and (.reason | contains("service web: out of memory"))'; fi
}

@test "a service's log is bounded by log_limit, and ends with its last lines" {
    with_service 0 ', command: "yes | head -c 3000000; echo the end; sleep 600", ready: {log: "the end"}' '"true"' 'log_limit: 1MiB'
    [ "$(stat -c %s pingate-out/logs/001-asks/service-web-stdout.log)" -le 1200000 ]
    first '.services[0].out_tail | endswith("the end\n")'
}

@test "two services talk by name and alias" {
    pair web "/serve@$BATS_FILE_TMPDIR/serve"
    pair app
    project "$web $web_old" "$app $app_old" <<END
  - name: asks
    in: $(image "$app")
    services:
      web: {image: "$(image "$web")", aliases: [www, api.internal]$serving}
      proxy: {image: "$(image "$web")", command: "wget -q -O /tmp/index http://api.internal:7000/ && exec /serve 7001", ready: {tcp: 7001}}
    run: ["wget -q -O- http://proxy:7001/", "wget -q -O- http://www:7000/"]
END
    gate 0 run
}

# What an engine makes of an internal network is in its firewall rules, which tests/engine.sh keeps a Docker Engine from making, so
# there it is only seen that it was asked for one; Podman leaves out the route.
@test "the network is internal, unless the test says network: bridge" {
    local network
    for network in none bridge; do
        pair web "/serve@$BATS_FILE_TMPDIR/serve"
        project "$web $web_old" <<END
  - {name: asks, network: $network, services: {web: {image: "$(image "$web")"$serving, ready: {tcp: 7000}}}, run: "wget -q -O- http://web:7000/; ip route; sleep 600"}
END
        start_run
        wait_until 30 three_run
        engine GET /networks | jq -e --argjson internal "$([ $network = none ] && echo true || echo false)" \
            '[.[] | select(.Labels["pingate.run"])] | length == 1 and all(.Internal == $internal)'
        wait_until 30 grep -q ' dev ' pingate-out/logs/001-asks/1-stdout.log
        signal_run INT
        wait "$run" || true
        if engine_is podman; then
            [ "$network" = bridge ] || assert_has_not pingate-out/logs/001-asks/1-stdout.log default
            [ "$network" = none ] || assert_has pingate-out/logs/001-asks/1-stdout.log default
        fi
        cd ..
        rm -rf project
    done
}

@test "redis, by tcp" {
    redis=services/redis-$RANDOM
    redis_old=$(software_image redis "$redis:1.0.0" /version=one)
    software_image redis "$redis:1.1.0" /version=two >/dev/null
    project "$redis $redis_old" <<END
  - {name: answers, services: {cache: "$(image "$redis")"}, run: "redis-cli -h cache set a 7 && redis-cli -h cache get a | grep 7"}
  - {name: refuses, services: {cache: "$(image "$redis")"}, run: "redis-cli -h cache get a | grep 7"}
END
    gate 1 run
    assert_json pingate-out/result.json '[.trials[] | select(.test == "answers")] | all(.outcome == "passed")'
    assert_json pingate-out/result.json '[.trials[] | select(.test == "refuses")][0] | .outcome == "failed" and .services[0].outcome == "passed" and (.services[0].out_tail | contains("Ready to accept connections"))'
}

@test "nginx by http, python beside it" {
    nginx=services/nginx-$RANDOM python=services/python-$RANDOM
    nginx_old=$(software_image nginx "$nginx:1.0.0" /version=one)
    software_image nginx "$nginx:1.1.0" /version=two >/dev/null
    python_old=$(software_image python "$python:1.0.0")
    project "$nginx $nginx_old" "$python $python_old" <<END
  - name: serves
    in: $(image "$python")
    services: {web: {image: "$(image "$nginx")", ready: {http: "80/health", status: 204}}}
    run: [[python3, -c, "import urllib.request as u; assert u.urlopen('http://web/').read() == b'it works\\\\n'"]]
END
    gate 0 run
    first '.services[0].outcome == "passed"'
}

@test "postgresql by pg_isready, and a migration" {
    db=services/postgresql-$RANDOM
    db_old=$(software_image postgresql "$db:1.0.0" /version=one)
    software_image postgresql "$db:1.1.0" /version=two >/dev/null
    project "$db $db_old" <<END
  - name: counts
    services:
      db: {image: "$(image "$db")", ready: {exec: "pg_isready -h db"}}
      migrate: {image: "$(image "$db")", command: "psql -h db -v ON_ERROR_STOP=1 -c 'create table users (name text)'", ready: {exit: 0}}
    run: ["psql -h db -c \"insert into users values ('a')\"", "psql -h db -At -c 'select count(*) from users' | grep -x 1"]
  - name: lacks
    services:
      db: {image: "$(image "$db")", ready: {exec: "pg_isready -h db"}}
      migrate: {image: "$(image "$db")", command: "psql -h db -v ON_ERROR_STOP=1 -c 'alter table users add age int'", ready: {exit: 0}}
    run: "true"
END
    gate 1 run
    assert_json pingate-out/result.json '[.trials[] | select(.test == "counts")] | all(.outcome == "passed")'
    assert_json pingate-out/result.json '[.trials[] | select(.test == "lacks")][0] | .outcome == "failed" and (.reason | contains("service migrate")) and (.services[1].err_tail | contains("relation \"users\" does not exist"))'
}

# A run with a service and a command that takes long.
begin_with_service() {
    pair web "/serve@$BATS_FILE_TMPDIR/serve"
    pair app
    project "$web $web_old" "$app $app_old" <<END
  - {name: asks, in: "$(image "$app")", services: {web: {image: "$(image "$web")"$serving, ready: {tcp: 7000}}}, run: "sleep 600"}
END
    start_run
    wait_until 30 three_run
}

three_run() { # the service, the helper, the command
    [ "$(engine GET /containers/json | jq length)" -ge 3 ]
}

@test "SIGINT leaves nothing" {
    begin_with_service
    signal_run INT
    local status=0
    wait "$run" || status=$?
    [ "$status" -eq 130 ]
    assert_nothing_left
}

@test "SIGINT while a service gets ready leaves nothing" {
    pair web
    project "$web $web_old" <<END
  - {name: asks, services: {web: {image: "$(image "$web")", command: "sleep 600", ready: {log: never}}}, run: "true"}
END
    start_run
    sleep 0.5
    signal_run INT
    local status=0
    wait "$run" || status=$?
    [ "$status" -eq 130 ]
    assert_nothing_left
}

@test "what kill -9 left is swept by the next run" {
    begin_with_service
    signal_run KILL
    wait "$run" || true
    [ "$(engine GET /networks | jq '[.[] | select(.Labels["pingate.run"])] | length')" -eq 1 ]
    sed -i 's/sleep 600/true/' pingate.yaml
    gate 0 run
    assert_nothing_left
}

@test "--keep leaves a failed trial's service and network for a look" {
    pair web "/serve@$BATS_FILE_TMPDIR/serve"
    pair app
    project "$web $web_old" "$app $app_old" <<END
  - {name: asks, in: "$(image "$app")", services: {web: {image: "$(image "$web")"$serving, ready: {tcp: 7000}}}, run: "false"}
END
    gate 1 run --keep --keep-images
    engine_objects | grep -q '^network .* pingate-'
    [ "$(engine GET '/containers/json?all=1' | jq '[.[] | select(.Labels["pingate.run"]) | .State] | all(. == "exited")')" = true ]
    local left
    for left in $(engine GET '/containers/json?all=1' | jq -r '.[] | select(.Labels["pingate.run"]) | "containers/\(.Id)?force=1&v=1"') \
        $(engine GET /networks | jq -r '.[] | select(.Labels["pingate.run"]) | "networks/\(.Id)"') \
        $(engine GET /volumes | jq -r '.Volumes[] | "volumes/\(.Name)"') \
        $(engine GET /images/json | jq -r '.[] | (.RepoDigests // [])[] | select(contains("/services/")) | "images/\(.)"'); do
        engine DELETE "/$left" >/dev/null || true
    done
}
