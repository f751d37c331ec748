# The gate on a real engine and a real registry: what moves, what does not, and what is said of it.
# bats file_tags=gate
load helpers

# One image in two versions and a project that pins the older one in three kinds of files.
pin_app() { # OLD-FILES NEW-FILES, each one "PATH=TEXT"
    old=$(make_image "$name:1.0.0" "$1")
    new=$(make_image "$name:1.1.0" "$2")
    new_project
    app=$(image "$name")
    echo "FROM $app:1.0.0@$old AS base" >Dockerfile
    printf 'services:\r\n  app:\r\n    image: "%s"  # keep\r\n' "$app:1.0.0@$old" >compose.yaml
    printf 'IMAGE=%s' "$app:1.0.0@$old" >.env
}

configure() { # the rest of the configuration on standard input
    {
        printf 'version: 1\nupdates:\n  - images: ["**"]\n    policy: minor\n'
        cat
    } >pingate.yaml
    commit
}


# A name of its own for each test, so that tags of one test are not candidates of another.
name_of_test() {
    name=e2e/t$BATS_TEST_NUMBER-$RANDOM
}

@test "what passes is promoted: only the pins move" {
    name_of_test
    pin_app /version=one /version=two
    configure <<END
tests:
  - name: answers
    run:
      - "cat /version; echo kept > note"
      - "grep -q kept note && test \"\$PINGATE_TAG\" = 1.1.0 && test \"\$PINGATE_OLD_DIGEST\" = $old"
END
    gate 0 run
    assert_diff "-IMAGE=$app:1.0.0@$old" '\ No newline at end of file' "+IMAGE=$app:1.1.0@$new" '\ No newline at end of file' || \
        assert_diff "-IMAGE=$app:1.0.0@$old" "+IMAGE=$app:1.1.0@$new" \
            "-FROM $app:1.0.0@$old AS base" "+FROM $app:1.1.0@$new AS base" \
            "-    image: \"$app:1.0.0@$old\"  # keep"$'\r' "+    image: \"$app:1.1.0@$new\"  # keep"$'\r'
    assert_json pingate-out/result.json '.changed and .exit_status == 0 and .updates[0].verdict == "promote"'
    xmllint --noout pingate-out/junit.xml
    assert_has pingate-out/report.md "Gate open"
    git apply -R --check pingate-out/pins.diff
    [ -z "$(git status --porcelain pingate-out)" ]
    gate 0 run
    assert_json pingate-out/result.json '(.changed | not) and .updates[0].verdict == "up-to-date"'
}

@test "what fails is rejected: nothing moves, and the reports say why" {
    name_of_test
    pin_app /version=one /version=two
    configure <<END
tests:
  - {name: contract, run: "echo looking; echo told >&2; grep one /version"}
END
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '.exit_status == 1 and .updates[0].verdict == "reject" and .updates[0].code == "regression"'
    assert_has pingate-out/report.md "Gate closed"
    assert_has pingate-out/report.md "docker run"
    xmllint --noout pingate-out/junit.xml
    grep -q '<failure' pingate-out/junit.xml
    grep -q told pingate-out/logs/001-contract/1-stderr.log
    grep -q looking pingate-out/logs/001-contract/1-stdout.log
}

@test "a test that fails on the pinned digest too is already broken" {
    name_of_test
    pin_app /version=one /version=two
    configure <<<'tests: [{name: contract, run: "exit 3"}]'
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0].code == "already-broken"'
}

@test "a dry run tests and writes no pin" {
    name_of_test
    pin_app /version=one /version=two
    configure <<<'tests: [{name: contract, run: "true"}]'
    gate 0 run --dry-run
    assert_unchanged
    assert_json pingate-out/result.json '.dry_run and (.changed | not) and .updates[0].verdict == "promote"'
    git apply --check pingate-out/pins.diff
}

three_apps() {
    new_project
    for app in a b c; do
        old=$(make_image "$name/$app:1.0.0" "/version=$app 1")
        make_image "$name/$app:1.1.0" "/version=$app 2" >/dev/null
        echo "FROM $(image "$name/$app"):1.0.0@$old"
    done >Dockerfile
    cp Dockerfile before
    configure <<<'tests: [{name: contract, run: "if grep b /version; then grep -v 2 /version; fi"}]'
}

@test "three updates with one bad one, promote all: nothing moves" {
    name_of_test
    three_apps
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '[.updates[].code] == ["gate-closed", "regression", "gate-closed"]'
}

@test "three updates with one bad one, promote passing: the others move" {
    name_of_test
    three_apps
    gate 1 run --promote passing
    [ "$(grep -c ':1.1.0@' Dockerfile)" -eq 2 ]
    assert_has Dockerfile "$name/b:1.0.0@"
    assert_json pingate-out/result.json '[.updates[].verdict] == ["promote", "reject", "promote"] and .changed'
}

@test "two that pass alone and fail together do not move together" {
    name_of_test
    new_project
    for app in reader writer; do
        old=$(make_image "$name/$app:1.0.0" "/version=1")
        make_image "$name/$app:1.1.0" "/version=2" >/dev/null
        echo "FROM $(image "$name/$app"):1.0.0@$old"
    done >Dockerfile
    # the new reader does not read what the new writer writes; all other pairs agree
    configure <<END
tests:
  - name: round trip
    run:
      - {in: "$(image "$name/writer")", command: "cat /version > data"}
      - {in: "$(image "$name/reader")", command: "test \"\$(cat data)\$(cat /version)\" != 22"}
END
    gate 1 run --promote passing
    assert_json pingate-out/result.json '[.updates[].verdict] == ["promote", "reject"] and .updates[1].code == "fails-together"'
    [ "$(grep -c ':1.1.0@' Dockerfile)" -eq 1 ]
    git checkout -q Dockerfile
    gate 1 run --promote all
    assert_unchanged
}

@test "nothing newer: nothing to do, and no engine is needed" {
    name_of_test
    digest=$(make_image "$name:1.0.0" /version=one)
    new_project
    echo "FROM $(image "$name"):1.0.0@$digest" >Dockerfile
    configure <<<'tests: [{name: contract, run: "true"}]'
    DOCKER_HOST=unix:///nowhere gate 0 run
    assert_json pingate-out/result.json '.updates[0].verdict == "up-to-date"'
}

@test "an update without a test is held, and with untested: fail closes the gate" {
    name_of_test
    pin_app /version=one /version=two
    configure <<<'tests: [{name: other, images: [redis], run: "true"}]'
    gate 0 run
    assert_unchanged
    assert_has "$err" "covers no pinned image"
    assert_json pingate-out/result.json '.updates[0].code == "no-test" and (.warnings | length) > 0'
    echo 'untested: fail' >>pingate.yaml
    commit
    gate 1 run
    assert_unchanged
}

@test "test --since gates the pull request of a bot" {
    name_of_test
    pin_app /version=one /version=two
    configure <<<'tests: [{name: contract, run: "grep two /version"}]'
    git checkout -q -b bot
    sed -i "s|1.0.0@$old|1.1.0@$new|" Dockerfile compose.yaml .env
    commit
    gate 0 test --since main
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0].verdict == "promote" and .updates[0].tag == "1.0.0" and .updates[0].candidate_tag == "1.1.0"'
    sed -i 's/two/one/' pingate.yaml
    commit
    gate 1 test --since main
    assert_json pingate-out/result.json '.updates[0].code == "regression"'
    gate 0 test --since bot
    assert_json pingate-out/result.json '[.updates[].verdict] == ["up-to-date"]'
    assert_has "$out" "Nothing to test" # not "up to date": nothing was looked up
    gate 2 test --since nonsense
    rm -rf .git
    gate 2 test --since main
    assert_has "$err" "not a git repository"
}

@test "a registry that is down is no up-to-date: exit 3, and the others go on" {
    name_of_test
    pin_app /version=one /version=two
    echo "FROM 127.0.0.1:1/gone:1.0.0@$old" >Containerfile
    configure <<<'tests: [{name: contract, run: "true"}]'
    gate 3 run
    assert_json pingate-out/result.json '[.updates[].verdict] | sort == ["lookup-failed", "promote"]'
    assert_has Dockerfile ":1.1.0@$new"
    assert_has Containerfile ":1.0.0@$old"
    gate 3 status
    assert_has "$out" "look-up failed"
}

@test "an engine that is down: exit 3, nothing moves, the reports are there" {
    name_of_test
    pin_app /version=one /version=two
    configure <<<'tests: [{name: contract, run: "true"}]'
    DOCKER_HOST=unix:///nowhere.sock gate 3 run
    assert_unchanged
    assert_has "$err" "no Docker Engine answers at unix:///nowhere.sock"
    assert_json pingate-out/result.json '.updates[0].code == "not-tested" and .exit_status == 3'
    xmllint --noout pingate-out/junit.xml
}

@test "an image that cannot be pulled is an error, not a failed test" {
    name_of_test
    pin_app /version=one /version=two
    configure <<<'tests: [{name: contract, run: "true"}]'
    # the manifest stays, a layer of it is gone
    layer=$(registry_call GET "$name/manifests/$new" -H 'Accept: application/vnd.oci.image.manifest.v1+json' | jq -r '.layers[-1].digest')
    registry_call DELETE "$name/blobs/$layer"
    gate 3 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0].code == "not-tested" and .trials[0].outcome == "error"'
}
