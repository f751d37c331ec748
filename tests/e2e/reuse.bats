# What passed lately, in the very same circumstances, is not run again: `reuse`.
# bats file_tags=reuse
load helpers

# Two images, of which "bad" has an update that fails, so that nothing ever moves. REST of the configuration comes on standard
# input; the tests are "answers" (passes, on both) and "contract" (of "bad").
blocked() {
    name=e2e/reuse-$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name/app:1.0.0" /version=one /app=)
    new=$(make_image "$name/app:1.1.0" /version=two /app=)
    bad_old=$(make_image "$name/bad:1.0.0" /version=one)
    make_image "$name/bad:1.1.0" /version=broken >/dev/null
    app=$(image "$name/app") bad=$(image "$name/bad")
    new_project
    mkdir staging
    printf 'services:\n  app:\n    image: %s\n  bad:\n    image: %s\n' \
        "$app:1.0.0@$old" "$bad:1.0.0@$bad_old" >staging/compose.yaml
    echo "nothing that tests read" >notes.txt
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\nstages: [{name: staging, files: [staging/]}]\n'
        printf 'tests:\n  - {name: answers, run: "cat /version"}\n'
        printf '  - {name: contract, images: ["%s"], run: "grep -q one /version"}\n' "$bad"
        cat
    } >pingate.yaml
    commit
}

# How many trials were reused, and how many were run.
assert_trials() { # REUSED RUN
    assert_json pingate-out/result.json "[.trials[] | select(.reused != null)] | length == $1"
    assert_json pingate-out/result.json "[.trials[] | select(.reused == null)] | length == $2"
}

@test "a pass on record stands in for a trial, and every report says so" {
    blocked <<<'reuse: 24h'
    gate 1 run
    assert_trials 0 4 # answers on both, contract on the candidate and on what is pinned
    [ "$(jq -s '[.[] | select(.type == "evidence")] | length' .pingate/ledger/*/*.jsonl)" -eq 4 ]
    commit "What was tested"

    at +3h gate 1 run
    assert_trials 3 1 # what failed is run again
    assert_json pingate-out/result.json '.trials[] | select(.reused == null) | .test == "contract" and (.baseline | not)'
    assert_json pingate-out/result.json '[.trials[] | select(.reused != null) | .commands | length] == [0, 0, 0]'
    entry=$(jq -r '.trials[] | select(.test == "answers" and .updates == [0]) | .reused.entry' pingate-out/result.json)
    jq -es --arg id "$entry" 'map(select(.id == $id)) | length == 1 and .[0].body.outcome == "passed"' .pingate/ledger/*/*.jsonl
    assert_has "$err" "passed: answers on $app:1.1.0 (reused: passed 3 h 0 m ago)"
    assert_has_not "$err" "pulled: $app@"
    assert_has "$out" "2 of 3 test runs passed before and were not run again (reuse)"
    assert_has pingate-out/report.md "2 on record, not run again"
    assert_has pingate-out/report.md "reused: passed 20"
    xmllint --noout pingate-out/junit.xml
    assert_has pingate-out/junit.xml 'name="answers: reused"'
    assert_has pingate-out/junit.xml "entry $entry, not run again</system-out>"
    assert_has pingate-out/junit.xml '<property name="reused" value="answers: passed 20'
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
    # what was not run is no new evidence: a pass does not stay young by being looked at
    [ "$(jq -s '[.[] | select(.type == "evidence")] | length' .pingate/ledger/*/*.jsonl)" -eq 5 ]
    commit "Once more"

    at +25h gate 1 run
    assert_trials 0 4
}

@test "what differs in anything is run" {
    blocked <<<'reuse: 24h'
    gate 1 run
    commit "What was tested"
    gate 1 run --dry-run
    assert_trials 3 1
    echo "another byte" >>notes.txt
    gate 1 run --dry-run
    assert_trials 0 4
    git checkout -q notes.txt
    gate 1 run --dry-run
    assert_trials 3 1
    chmod +x notes.txt
    gate 1 run --dry-run
    assert_trials 0 4
    chmod -x notes.txt
    # what is no part of a workspace
    mkdir -p .pingate/other
    echo x >.pingate/other/file
    gate 1 run --dry-run
    assert_trials 3 1
    # the command, which makes another workspace as well: pingate.yaml is in it
    sed -i 's/cat .version/cat \/version; true/' pingate.yaml
    gate 1 run --dry-run
    assert_trials 0 4
}

@test "never by itself, and each test as it says" {
    blocked </dev/null
    gate 1 run
    commit "What was tested"
    gate 1 run --dry-run
    assert_trials 0 4
    sed -i 's/run: "grep -q one .version"/&, reuse: 0/' pingate.yaml
    echo 'reuse: 1h' >>pingate.yaml
    commit "Reuse"
    gate 1 run
    assert_trials 0 4 # another workspace
    commit "What was tested"
    gate 1 run --dry-run
    assert_trials 2 2 # the baseline of contract is run again
    at +2h gate 1 run --dry-run
    assert_trials 0 4
}

@test "a later failure beats a pass" {
    blocked <<<'reuse: 24h'
    gate 1 run
    commit "What was tested"
    gate 1 run --dry-run
    assert_trials 3 1
    # of another machine, at the same time: the same test in the same circumstances failed
    jq -sr '[.[] | select(.type == "evidence" and .body.test == "answers" and .body.outcome == "passed")][0] |
        "\(.time) ada evidence \(.body | .outcome = "failed" | tojson)"' .pingate/ledger/*/*.jsonl | "$tests/ledger.py" .
    gate 1 run --dry-run
    assert_trials 2 2
}

@test "test asks how it is now" {
    blocked <<<'reuse: 24h'
    gate 1 run
    commit "What was tested"
    sed -i "s/1.0.0@$old/1.1.0@$new/" staging/compose.yaml
    commit "Move it"
    gate 0 test --since HEAD~1
    assert_trials 0 1
    gate 0 test --stage staging
    assert_trials 0 3
}
