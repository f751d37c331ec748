# When the newest candidate fails, the next newest is tried, up to `candidates` of the rule.
# bats file_tags=fallback
load helpers
load staged

# An image with these versions, each made of one file /version, and a pin of the first.
versions() { # NAME TAG=CONTENT…
    local first=
    name=e2e/fallback-$BATS_TEST_NUMBER-${series:=$RANDOM}-$1
    shift
    for version in "$@"; do
        digest[${version%%=*}]=$(make_image "$name:${version%%=*}" "/version=${version#*=}")
        first=${first:-${version%%=*}}
    done
    app=$(image "$name")
    mkdir -p deploy
    echo "image: $app:$first@${digest[$first]}" >"deploy/${name##*-}.yaml"
}

configure() { # CANDIDATES; the rest of the configuration on standard input
    {
        printf 'version: 1\nupdates:\n  - {images: ["**"], policy: minor, candidates: %s}\n' "$1"
        cat
    } >pingate.yaml
    commit
}

@test "the newest fails and the next is taken: the gate is open, and says what was given up" {
    declare -A digest
    new_project
    versions app 1.0.0=good 1.1.0=good. 1.2.0=bad 1.3.0=bad.
    configure 5 <<<'tests: [{name: quality, run: "cat /version; grep -q good /version"}]'
    gate 0 run --plan
    assert_has "$out" "if it fails: 1.2.0, 1.1.0"
    gate 0 run --plan --json
    "$tests/schemas.sh" plan "$out"
    assert_json "$out" '.updates[0] | .candidate.tag == "1.3.0" and .further == ["1.2.0", "1.1.0", "1.0.0"]'
    gate 0 run
    assert_diff "-image: $app:1.0.0@${digest[1.0.0]}" "+image: $app:1.1.0@${digest[1.1.0]}"
    assert_json pingate-out/result.json '.exit_status == 0 and .changed and (.updates[0] | .verdict == "promote" and
        .candidate_tag == "1.1.0" and ([.tried[] | .tag] == ["1.3.0", "1.2.0"]) and
        (.tried[0] | .test == "quality" and .outcome == "failed" and (.reason | contains("exited with 1"))) and
        (.reason | contains("the first version that fails is 1.2.0")))'
    # one baseline for both that failed; their trials are kept and count for nothing
    assert_json pingate-out/result.json '[.trials[] | [.baseline, .given_up, .outcome, .class]] ==
        [[false, true, "failed", "regression"], [true, false, "passed", null], [false, true, "failed", "regression"], [false, false, "passed", null]]'
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
    xmllint --noout pingate-out/junit.xml
    [ "$(xmllint --xpath 'count(//failure) + count(//error)' pingate-out/junit.xml)" = 0 ]
    assert_has pingate-out/report.md "Gate open"
    assert_has pingate-out/report.md "1.2.0"
}

@test "none passes: the gate is closed, and no candidate is tried beyond the limit" {
    declare -A digest
    new_project
    versions app 1.0.0=good 1.1.0=bad 1.2.0=bad. 1.3.0=bad..
    configure 2 <<<'tests: [{name: quality, run: "grep -q good /version"}]'
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0] | .verdict == "reject" and .code == "regression" and
        .candidate_tag == "1.2.0" and ([.tried[] | .tag] == ["1.3.0"])'
    sed -i 's/candidates: 2/candidates: 9/' pingate.yaml
    commit
    gate 1 run
    assert_json pingate-out/result.json '.updates[0] | .verdict == "reject" and .candidate_tag == "1.1.0" and ([.tried[] | .tag] == ["1.3.0", "1.2.0"])'
    # without the key nothing more is tried
    sed -i 's/, candidates: 9//' pingate.yaml
    commit
    gate 1 run
    assert_json pingate-out/result.json '(.updates[0] | .candidate_tag == "1.3.0" and .tried == []) and (.trials | length) == 2'
    assert_unchanged
}

@test "other tags of what failed are no candidates, and the pinned digest ends the search" {
    declare -A digest
    new_project
    versions app 1.1.0=good 1.3.0=bad 1.4.0=bad
    make_image "$name:1.2.0" /version=good >"$work/same"
    [ "$(cat "$work/same")" = "${digest[1.1.0]}" ]
    [ "${digest[1.3.0]}" = "${digest[1.4.0]}" ]
    configure 9 <<<'tests: [{name: quality, run: "grep -q good /version"}]'
    gate 1 run
    assert_json pingate-out/result.json '(.updates[0] | .verdict == "reject" and .candidate_tag == "1.4.0" and .tried == []) and (.trials | length) == 2'
}

@test "what was broken before is no reason to try older ones" {
    declare -A digest
    new_project
    versions app 1.0.0=a 1.1.0=b 1.2.0=c
    configure 9 <<<'tests: [{name: quality, run: "false"}]'
    gate 1 run
    assert_json pingate-out/result.json '(.updates[0] | .code == "already-broken" and .candidate_tag == "1.2.0" and .tried == []) and (.trials | length) == 2'
}

@test "one that fails only with the newest of another one moves to an older one, and both move" {
    declare -A digest
    new_project
    versions db 1.0.0=db0 1.1.0=db1 1.2.0=db2
    db=$app
    versions web 1.0.0=web0 1.1.0=web1 1.2.0=web2
    web=$app
    configure 3 <<END
tests:
  - name: together
    run:
      - {in: "$db", command: "cp /version db"}
      - {in: "$web", command: "! { grep -q db2 db && grep -q web2 /version; }"}
END
    gate 0 run
    assert_json pingate-out/result.json '[.updates[] | .verdict, .candidate_tag] == ["promote", "1.2.0", "promote", "1.1.0"] and
        (.updates[1].tried[0] | .tag == "1.2.0" and .test == "together" and (.reason | contains("fails together with") and contains("-db 1.2.0; each passes alone")))'
    # both; none; each alone; then both with the older one
    assert_json pingate-out/result.json '[.trials[] | [(.updates | length), .baseline, .given_up, .outcome]] ==
        [[2, false, true, "failed"], [2, true, false, "passed"], [1, false, false, "passed"], [1, false, true, "passed"], [2, false, false, "passed"]]'
}

@test "a denied version is passed over, whatever \`candidates\` says" {
    declare -A digest
    new_project
    versions app 1.0.0=good 1.1.0=good. 1.2.0=good..
    printf 'version: 1\nupdates:\n  - {images: ["**"], policy: minor}\ntests: [{name: quality, run: "grep -q good /version"}]\nstages: [{name: here, files: [deploy/]}]\n' >pingate.yaml
    commit
    gate 0 deny "${digest[1.2.0]}" --reason "loses writes"
    commit
    gate 0 run
    assert_has deploy/app.yaml "1.1.0@${digest[1.1.0]}"
    assert_json pingate-out/result.json '.updates[0] | .verdict == "promote" and .candidate_tag == "1.1.0" and
        (.tried | length) == 1 and (.tried[0] | .tag == "1.2.0" and .test == null and .outcome == "skipped" and (.reason | contains("loses writes"))) and
        (.reason | contains("1.2.0 was passed over"))'
    git checkout -q deploy
    gate 0 deny "${digest[1.1.0]}" --reason "too"
    commit
    gate 0 run
    assert_json pingate-out/result.json '(.changed | not) and (.updates[0] | .verdict == "hold" and .code == "denied")'
}

@test "a cooldown holds for each: what is too young is passed over" {
    declare -A digest
    new_project
    versions app 1.0.0=good 1.1.0=good. 1.2.0=bad
    printf 'version: 1\nupdates:\n  - {images: ["**"], policy: minor, cooldown: 1d, candidates: 5}\ntests: [{name: quality, run: "grep -q good /version"}]\n' >pingate.yaml
    commit
    gate 0 run --state "$work/state"
    assert_json pingate-out/result.json '.updates[0].code == "cooldown"'
    make_image "$name:1.3.0" /version=young >/dev/null
    at +2d gate 0 run --state "$work/state"
    assert_json pingate-out/result.json '.updates[0] | .verdict == "promote" and .candidate_tag == "1.1.0" and [.tried[].tag] == ["1.2.0"]'
}
