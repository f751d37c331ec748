# A run as a whole: what it leaves when it is killed, stopped, alone or not alone; its outputs and exit statuses.
# bats file_tags=run
load helpers

# A project with one image, pinned in two files, that has a newer version.
pin_app() {
    name=e2e/run$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    new=$(make_image "$name:1.1.0" /version=two)
    new_project
    app=$(image "$name")
    echo "FROM $app:1.0.0@$old" >Dockerfile
    mkdir deploy
    echo "image: $app:1.0.0@$old" >deploy/app.yaml
}

configure() { # the rest of the configuration on standard input
    {
        printf 'version: 1\nupdates:\n  - images: ["**"]\n    policy: minor\n'
        cat
    } >pingate.yaml
    commit
}

# Which run removes an image that two of them used, or a dead one pulled, is not the subject here.
forget_images() {
    local id
    for id in $(engine GET '/images/json' | jq -r --arg name "$app" '.[] | select(.RepoDigests[]? | startswith($name)) | .Id'); do
        remove_object image "$id"
    done
}

# The program under strace, with one of its calls changed.
injected() { # INJECTION COMMAND-NAME…
    cat >"$work/injected" <<END
#!/bin/sh
export ASAN_OPTIONS=exitcode=99:detect_leaks=0
exec strace -o "$work/trace" -e "inject=$1" "$PINGATE_TEST_PROGRAM" "\$@"
END
    chmod +x "$work/injected"
}

@test "a killed run leaves a report that says so, never the one of the run before" {
    pin_app
    configure <<<'tests: [{name: slow, run: "sleep 60"}]'
    gate 0 run --plan
    mkdir -p pingate-out/logs/001-of-the-run-before
    start_run
    assert_json pingate-out/result.json '.exit_status == 3 and (.errors[0] | contains("did not end")) and .updates == []'
    [ ! -e pingate-out/logs/001-of-the-run-before ]
    signal_run KILL
    wait "$run" || true
    assert_json pingate-out/result.json '.errors[0] | contains("did not end")'
    assert_has pingate-out/report.md "did not end"
    assert_has pingate-out/junit.xml "did not end"
    assert_unchanged
    sed -i 's/sleep 60/true/' pingate.yaml
    gate 0 run
    assert_json pingate-out/result.json '.changed and .errors == []'
    forget_images
}

@test "a signal before the commit: nothing is written" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    injected "flock:signal=SIGTERM:when=3"
    PINGATE_TEST_PROGRAM=$work/injected gate 143 run
    assert_unchanged
    assert_json pingate-out/result.json '.exit_status == 143 and (.changed | not) and .updates[0].code == "not-written" and (.errors[0] | contains("SIGTERM"))'
}

@test "a signal while the files are renamed: all are written, and then it is obeyed" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    # the first two renameat put the journal in place, the next two the files
    injected "renameat:signal=SIGINT:when=3"
    PINGATE_TEST_PROGRAM=$work/injected gate 130 run
    grep -q 'renameat.*Dockerfile' "$work/trace"
    assert_has Dockerfile "$app:1.1.0@$new"
    assert_has deploy/app.yaml "$app:1.1.0@$new"
    assert_json pingate-out/result.json '.exit_status == 130 and .changed and .updates[0].verdict == "promote" and (.errors[0] | contains("all pins are written"))'
    [ ! -e .pingate ]
}

@test "a signal while a test runs: stopped, cleaned, reported" {
    pin_app
    configure <<<'tests: [{name: slow, run: "sleep 60"}]'
    start_run
    began=$(date +%s)
    signal_run TERM
    status=0
    wait "$run" || status=$?
    [ "$status" -eq 143 ]
    [ $(($(date +%s) - began)) -le 6 ]
    assert_unchanged
    assert_json pingate-out/result.json '.exit_status == 143 and (.changed | not) and (.errors[0] | contains("SIGTERM"))'
}

@test "a write that fails: nothing is called promoted" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    injected "renameat:error=ENOSPC:when=2"
    PINGATE_TEST_PROGRAM=$work/injected gate 3 run
    assert_unchanged
    assert_json pingate-out/result.json '(.changed | not) and .updates[0].verdict == "hold" and .updates[0].code == "not-written"'
    gate 0 run
    assert_has Dockerfile "$app:1.1.0@$new"
}

@test "a pin that somebody edits while it is tested is not written, and no other is" {
    pin_app
    configure <<<'tests: [{name: slow, run: "sleep 4"}]'
    start_run
    sed -i 's/1\.0\.0/1.0.1/' deploy/app.yaml
    commit
    status=0
    wait "$run" || status=$?
    [ "$status" -eq 3 ]
    assert_unchanged
    assert_has "$err" "deploy/app.yaml"
    assert_json pingate-out/result.json '.updates[0].code == "not-written" and (.errors[0] | contains("deploy/app.yaml"))'
}

@test "two runs at once: the second refuses, with words, before it tests" {
    pin_app
    configure <<<'tests: [{name: slow, run: "sleep 4"}]'
    start_run
    status=0
    pingate run >"$work/out2" 2>"$work/err2" || status=$?
    [ "$status" -ne 0 ]
    assert_has "$work/err2" "another pingate run is at work"
    assert_json pingate-out/result.json '.errors[0] | contains("did not end")'
    wait "$run"
    assert_has Dockerfile "$app:1.1.0@$new"
    assert_json pingate-out/result.json '.changed'
}

@test "two runs at once with a folder of reports each: the pins stay right" {
    pin_app
    configure <<<'tests: [{name: slow, run: "sleep 2"}]'
    start_run
    status=0
    pingate run --output "$work/other" >"$work/out2" 2>"$work/err2" || status=$?
    first=0
    wait "$run" || first=$?
    cat "$err" "$work/err2"
    [ "$first" -eq 0 ] || [ "$status" -eq 0 ]
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
    forget_images
    assert_diff "-FROM $app:1.0.0@$old" "+FROM $app:1.1.0@$new" "-image: $app:1.0.0@$old" "+image: $app:1.1.0@$new"
}

@test "a file that a generator owns is told before any test, and holds its update" {
    pin_app
    sed -i '1i # Code generated by hand. DO NOT EDIT.' deploy/app.yaml
    configure <<<'tests: [{name: quick, run: "true"}]'
    gate 0 run
    assert_unchanged
    assert_json pingate-out/result.json '.trials == [] and .updates[0].verdict == "hold" and .updates[0].code == "not-writable" and (.updates[0].reason | contains("deploy/app.yaml"))'
    gate 0 scan
    assert_has "$err" "deploy/app.yaml"
    assert_has "$err" "DO NOT EDIT"
    gate 0 run --allow-generated
    assert_has deploy/app.yaml "$app:1.1.0@$new"
}

@test "linguist-generated is told before any test too" {
    pin_app
    other=$(make_image "$name-b:1.0.0" /version=one)
    make_image "$name-b:1.1.0" /version=two >/dev/null
    echo "image: $app-b:1.0.0@$other" >deploy/b.yaml
    echo 'deploy/app.yaml linguist-generated' >.gitattributes
    configure <<<'tests: [{name: quick, run: "true"}]'
    gate 0 run
    assert_json pingate-out/result.json '[.updates[].code] == ["not-writable", null] and .changed'
    assert_has Dockerfile "$app:1.0.0@$old"
    assert_has deploy/b.yaml ":1.1.0@"
}

@test "untested: fail closes the gate for all" {
    pin_app
    other=$(make_image "$name-b:1.0.0" /version=one)
    make_image "$name-b:1.1.0" /version=two >/dev/null
    echo "FROM $app-b:1.0.0@$other" >Dockerfile.b
    configure <<<"tests: [{name: quick, images: [\"$app\"], run: \"true\"}]"
    cp pingate.yaml before.yaml
    echo 'untested: fail' >>pingate.yaml
    commit
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '[.updates[].code] == ["gate-closed", "no-test"] and (.changed | not)'
    gate 1 run --promote passing
    assert_has Dockerfile "$app:1.1.0@$new"
    git checkout -q . && cp before.yaml pingate.yaml
    gate 0 run
    assert_json pingate-out/result.json '[.updates[].code] == [null, "no-test"] and .changed'
}

@test "a configuration that is wrong is in the reports, too" {
    pin_app
    echo 'version: 2' >pingate.yaml
    commit
    gate 2 run
    assert_unchanged
    assert_json pingate-out/result.json '.exit_status == 2 and (.errors[0] | contains("pingate.yaml:1:10"))'
    bash "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
}

@test "the folder of reports must be one, and ours to write" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    echo precious >pingate-out
    gate 3 run
    assert_has "$err" "pingate-out: not a folder"
    [ "$(cat pingate-out)" = precious ]
    rm pingate-out
    mkdir elsewhere
    ln -s elsewhere pingate-out
    gate 3 run
    assert_has "$err" "pingate-out is a link"
    [ -z "$(ls -A elsewhere)" ]
    gate 0 run --dry-run --output pingate-out
    [ -s elsewhere/result.json ]
    rm -r elsewhere pingate-out
    mkdir -p reports/logs/mine pingate-out "$work/outside/001-precious"
    touch reports/logs/mine/file
    gate 0 run --dry-run --output reports
    [ -e reports/logs/mine/file ]
    ln -s "$work/outside" pingate-out/logs
    gate 3 run
    [ -d "$work/outside/001-precious" ]
    git checkout -q .
    assert_has Dockerfile "$app:1.0.0@$old"
}

@test "a folder of reports that cannot be written is told before any test" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    injected "mkdir:error=EROFS"
    PINGATE_TEST_PROGRAM=$work/injected gate 3 run
    assert_has "$err" "pingate-out"
    assert_has "$err" "nothing was tested or written"
    assert_unchanged
}

@test "standard output closed or full is an error; a closed one never goes into a file" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    for command in scan "scan --json" status --help "run --dry-run" "run --plan" "completion man" "run --help"; do
        status=0
        # shellcheck disable=SC2086 # words
        pingate $command >/dev/full 2>"$err" || status=$?
        [ "$status" -eq 3 ] || { echo "$command: $status"; cat "$err"; return 1; }
        [ "$(grep -c 'standard output could not be written' "$err")" -eq 1 ]
        status=0
        # shellcheck disable=SC2086
        pingate $command >&- 2>"$err" || status=$?
        [ "$status" -eq 3 ] || { echo "$command closed: $status"; cat "$err"; return 1; }
    done
    status=0
    pingate run <&- >&- 2>&- || status=$?
    [ "$status" -eq 3 ]
    assert_diff "-FROM $app:1.0.0@$old" "+FROM $app:1.1.0@$new" "-image: $app:1.0.0@$old" "+image: $app:1.1.0@$new"
    assert_json pingate-out/result.json '.changed'
}

@test "a root that is no folder: nothing is made there" {
    gate 3 run -C nowhere
    assert_has "$err" "nowhere: no such folder"
    touch file
    gate 3 run -C file
    assert_has "$err" "file: not a folder"
    [ "$(ls)" = file ]
}

@test "a folder without git is walked; git that refuses is an error" {
    pin_app
    configure <<<'tests: [{name: quick, run: "true"}]'
    cd ..
    gate 0 scan -C project
    assert_has "$out" "Dockerfile:1 "
    rm -rf project/.git
    gate 0 run -C project
    assert_has project/Dockerfile "$app:1.1.0@$new"
    [ -s project/pingate-out/result.json ]
    git -C project init -q
    chown -R 12345 project
    gate 3 run -C project
    assert_has "$err" "git does not list the files of project"
    assert_has "$err" "dubious ownership"
    assert_json project/pingate-out/result.json '.exit_status == 3 and (.errors[0] | contains("dubious"))'
}

@test "status: what is newer, in words and as JSON, with its exit statuses" {
    pin_app
    b=$(make_image "$name-b:1.0.0" /version=one)
    echo "FROM $app-b@$b" >b.Dockerfile
    echo "FROM $app-b:1.0.0@$b" >c.Dockerfile
    configure <<<''
    gate 0 status
    assert_has "$out" "1.1.0"
    gate 4 status --exit-code
    gate 4 status --exit-code --json
    bash "$tests/schemas.sh" status "$out"
    assert_json "$out" '[.updates[] | [.verdict, .code]] == [["hold", "not-tested"], ["hold", "no-tag"], ["up-to-date", null]]'
    assert_json "$out" '.updates[0].candidate.tag == "1.1.0" and .updates[1].candidate == null and .updates[1].current.tag == null'
    gate 0 status --exit-code --image "$app-b"
    gate 2 status --image nowhere
    echo "FROM $app-none:1.0.0@$b" >d.Dockerfile
    gate 3 status --exit-code
    gate 3 status --exit-code --json
    bash "$tests/schemas.sh" status "$out"
    assert_unchanged || git status --porcelain | grep -q d.Dockerfile
}

@test "where several exit statuses hold: 2, then 3, then 1" {
    pin_app
    echo "FROM $app-none:1.0.0@$old" >d.Dockerfile
    configure <<<'tests: [{name: no, run: "false"}]'
    gate 3 run
    assert_json pingate-out/result.json '[.updates[].verdict] == ["reject", "lookup-failed"]'
    rm d.Dockerfile
    gate 1 run
    echo 'promote: maybe' >>pingate.yaml
    gate 2 run
}

@test "machine forms of run and scan are as their schemas say" {
    pin_app
    echo "image: redis:7@sha256:short" >bad.yaml
    configure <<<'tests: [{name: quick, run: "true"}]'
    gate 0 scan --json
    bash "$tests/schemas.sh" scan "$out"
    gate 0 run --dry-run --json
    bash "$tests/schemas.sh" result "$out"
    cmp "$out" pingate-out/result.json || diff <(jq -S . "$out") <(jq -S . pingate-out/result.json)
    gate 0 run --json
    bash "$tests/schemas.sh" result "$out"
    assert_json "$out" '.changed'
}

@test "the plan tells updates, trials and images, and writes nothing" {
    pin_app
    configure <<<'tests: [{name: quick, run: ["true", "true"]}]'
    DOCKER_HOST=unix:///nowhere gate 0 run --plan
    assert_has "$out" "$app"
    assert_has "$out" "1.1.0@"
    assert_has "$out" "quick (2 commands)"
    assert_has "$out" "1 trial"
    [ ! -e pingate-out ]
    assert_unchanged
    DOCKER_HOST=unix:///nowhere gate 0 run --plan --json
    bash "$tests/schemas.sh" plan "$out"
    assert_json "$out" '.trials[0].test == "quick" and .trials[0].updates == [0]'
}

@test "the plan tells the bytes to pull of this machine's image of an index, each layer once" {
    local name here other first second
    name=e2e/plan$BATS_TEST_NUMBER-$RANDOM
    new_project
    here=$(make_image "$name:here" "a=here")
    other=$(IMAGE_ARCHITECTURE=other make_image "$name:other" "a=other" "b=$(seq 100000 | tr '\n' ' ')")
    first=$(make_index "$name:1" "linux/$(architecture)=$here" "linux/other=$other")
    second=$(make_index "$name:2" "linux/other=$other" "linux/$(architecture)=$(make_image "$name:next" "a=next")")
    cat >Dockerfile <<<"FROM $(image "$name"):1@sha256:$(printf 'a%.0s' {1..64})
FROM $(image "$name"):2@sha256:$(printf 'b%.0s' {1..64})"
    configure <<<'tests: [{name: quick, run: "true"}]'
    DOCKER_HOST=unix:///nowhere gate 0 run --plan --json
    bash "$tests/schemas.sh" plan "$out"
    # What the registry itself says of the blobs, each once.
    blobs_of() { # TAG…
        for tag in "$@"; do
            registry_call GET "$name/manifests/$tag" -H 'Accept: application/vnd.oci.image.manifest.v1+json' |
                jq -r '.config, .layers[] | "\(.digest) \(.size)"'
        done | sort -u | awk '{ sum += $2 } END { print sum }'
    }
    assert_json "$out" ".pull.bytes == $(blobs_of here next)"
    assert_json "$out" "[.pull.images[].bytes] == [$(blobs_of here), $(blobs_of next)]"
    assert_json "$out" "[.pull.images[].digest] == [\"$first\", \"$second\"] and [.pull.images[].updates] == [[0], [1]]"
    assert_json "$out" ".pull.platform | startswith(\"linux/$(architecture)\")"
    DOCKER_HOST=unix:///nowhere gate 0 run --plan
    assert_has "$out" "quick (1 command); pulls: at most"
    assert_has "$out" "2 trials in the first round; they pull at most"
    assert_unchanged
    # An index without an image for this machine.
    make_index "$name:2" "linux/other=$other" >/dev/null
    DOCKER_HOST=unix:///nowhere gate 0 run --plan
    assert_has "$out" "pulls: unknown"
    assert_has "$out" "and 1 image of unknown size"
    assert_has "$out" "the index has no image for linux/$(architecture)"
}
