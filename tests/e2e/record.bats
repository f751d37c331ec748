# Tests that pingate cannot run: their outcome comes in a JUnit file, is recorded, and counts as any other for the next stage.
# bats file_tags=record
load helpers
load staged

# junit CASES…: a file with these test cases
junit() {
    printf '<testsuite name="cluster">%s</testsuite>\n' "$*" >"$work/junit.xml"
}
readonly good='<testcase name="comes up"/>' bad='<testcase name="stays up"><failure message="it did not">x</failure></testcase>'

with_outside() { # TESTS, one line each
    staged <<END
tests:
$1
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging}
END
}

in_staging() {
    gate 0 run
    staging_holds "$new"
    commit "Staging"
}

waits() { # CODE WORDS
    gate 0 promote production
    production_holds "$old"
    assert_json pingate-out/result.json "(.changed | not) and .updates[0].code == \"$1\" and (.updates[0].reason | contains(\"$2\"))"
    git add -A
    git commit -q --allow-empty -m "Seen"
}

enters() {
    gate 0 promote production
    production_holds "$new"
    assert_json pingate-out/result.json '.changed'
}

record() { # STATUS ARGUMENT…
    local status=$1
    shift
    gate "$status" record cluster --junit "$work/junit.xml" "$@"
    git add -A
    git commit -q --allow-empty -m "Record"
}

@test "a test from outside is asked for before the next stage, and never run" {
    with_outside '  - {name: answers, run: "cat /version"}
  - {name: cluster, external: true}'
    in_staging
    assert_json pingate-out/result.json '[.trials[].test] == ["answers"]'
    waits no-evidence 'test \"cluster\" covers'
    junit "$good" '<testcase name="later"><skipped/></testcase>'
    record 0 --stage staging
    assert_has "$out" "passed: cluster on linux/"
    assert_has "$out" "$app:1.1.0@$new"
    assert_has "$out" "recorded in .pingate/ledger/"
    assert_ledger "map(select(.body.source == \"record\")) | length == 1 and (.[0] | .type == \"evidence\" and .body.test == \"cluster\"
        and .body.outcome == \"passed\" and .body.stage == \"staging\" and .body.values == [\"$app:1.1.0@$new\"]
        and (.body.reason | startswith(\"2 tests: 1 passed, 1 skipped; JUnit file sha256:$(sha256_of "$work/junit.xml")\")))"
    gate 0 history --verify
    gate 0 history --type evidence --json
    assert_has "$out" '"record"'
    enters
}

@test "what only tests from outside cover enters the first stage, and that is said" {
    with_outside '  - {name: cluster, external: true}'
    gate 0 run
    staging_holds "$new"
    assert_json pingate-out/result.json '.changed and .trials == [] and .updates[0].verdict == "promote"
        and (.updates[0].reason | contains("nothing was run on it: only test \"cluster\" covers it"))'
    assert_has pingate-out/report.md "nothing was run on it"
    commit "Staging"
    waits no-evidence cluster
    junit "$good"
    record 0 --value "$app:1.1.0@$new"
    enters
    # It is no test of a pull request: nothing was proven there.
    commit "Production"
    gate 0 test --since "$(git rev-list HEAD | tail -n 2 | head -n 1)"
    assert_json pingate-out/result.json '.updates[0].code == "no-test"'
}

@test "a failure is recorded as one, and a later one revokes" {
    with_outside '  - {name: answers, run: "cat /version"}
  - {name: cluster, external: true}'
    in_staging
    local file
    for file in "$bad$good" "" '<testcase><skipped/></testcase>' "$good<error>teardown</error>"; do
        junit "$file"
        record 0 --stage staging
        assert_has "$out" "failed: cluster on"
        waits revoked cluster
    done
    assert_has "$out" held || true
    junit "$good"
    record 0 --stage staging
    gate 0 promote production --dry-run
    assert_json pingate-out/result.json '.updates[0].verdict == "promote"'
    junit "$bad"
    record 0 --stage staging
    assert_has "$out" "the first that failed: stays up"
    waits revoked cluster
    junit "$good"
    record 0 --stage staging --platform arm64 2>/dev/null || record 2 --stage staging --platform arm64
    record 0 --stage staging
    enters
}

@test "what cannot be read records nothing, and says why" {
    with_outside '  - {name: answers, run: "cat /version"}
  - {name: cluster, external: true, images: ["'"$PINGATE_TEST_REGISTRY"'/**"]}'
    in_staging
    local entries
    entries=$(ledger length)
    refused() { # WORDS ARGUMENT…
        local words=$1
        shift
        record 2 "$@"
        assert_has "$err" "$words"
    }
    echo 'not XML' >"$work/junit.xml"
    refused "no outcome can be read from it, and none is recorded" --stage staging
    echo '<testsuite><testcase/>' >"$work/junit.xml"
    refused "no element found" --stage staging
    echo '<coverage/>' >"$work/junit.xml"
    refused "a JUnit file begins with <testsuites> or <testsuite>" --stage staging
    printf '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&e;"/></testsuite>' >"$work/junit.xml"
    refused "a document type" --stage staging
    junit "$good"
    refused "record needs one of --stage, --set and --value"
    refused "record needs one of --stage, --set and --value" --stage staging --value "$app:1@$new"
    refused 'did you mean "staging"' --stage stagin
    refused "has no digest" --value "$app:1.1.0"
    refused "does not cover" --value "redis:7@$new"
    refused "is no platform such as linux/amd64" --stage staging --platform linux
    gate 2 record clustr --junit "$work/junit.xml" --stage staging
    assert_has "$err" 'did you mean "cluster"'
    gate 2 record answers --junit "$work/junit.xml" --stage staging
    assert_has "$err" "is run by pingate itself"
    gate 2 record cluster --stage staging
    assert_has "$err" "record needs --junit FILE"
    [ "$(ledger length)" = "$entries" ]
    assert_unchanged
}

@test "by the id of a set, for another platform, as JSON" {
    with_outside '  - {name: answers, run: "cat /version"}
  - {name: cluster, external: true}'
    in_staging
    gate 0 promote production
    commit "Seen"
    local id
    id=$(ledger 'map(select(.type == "observed" and .body.stage == "staging")) | last.body.set' | tr -d '"')
    junit "$good"
    gate 0 record cluster --junit "$work/junit.xml" --set "${id:0:12}" --platform linux/arm/v6 --json
    assert_json "$out" ".version == 1 and .entries[0].body.platform == \"linux/arm/v6\" and .entries[0].body.values == [\"$app:1.1.0@$new\"]"
    git add -A
    git commit -qm "Record"
    enters
}
