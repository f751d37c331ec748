# Staging, then production: what enters a stage, what keeps it out, and what is recorded of it.
# bats file_tags=stages
load helpers
load staged

@test "a set goes to staging, soaks, and enters production" {
    two_stages "soak: 24h"
    gate 0 run
    staging_holds "1.1.0@$new"
    production_holds "1.0.0@$old"
    assert_ledger '[.[].type] | sort == ["evidence", "observed", "observed", "promoted"]'
    assert_ledger 'map(select(.type == "promoted"))[0] | .body.stage == "staging" and .body.changes[0].tag == "1.1.0"'
    [ -n "$(git status --porcelain .pingate)" ]
    commit "Staging"

    gate 0 promote production
    production_holds "1.0.0@$old"
    assert_json pingate-out/result.json '(.changed | not) and .updates[0].code == "soaking" and .stages[0].name == "production"'
    assert_has "$out" "commit .pingate/ledger"
    [ -f "$(jq -r .record pingate-out/result.json)" ]
    assert_ledger '[.[] | select(.type == "observed" and .body.stage == "staging")] | length == 2'
    commit "Seen"
    at +23h gate 0 promote production
    production_holds "1.0.0@$old"

    at +25h gate 0 promote production --dry-run
    production_holds "1.0.0@$old"
    assert_json pingate-out/result.json '.updates[0].verdict == "promote" and (.changed | not)'
    at +25h gate 0 promote production
    assert_json pingate-out/result.json '.changed and .updates[0].verdict == "promote"'
    assert_diff "-    - image: $app:1.0.0@$old # pinned" '\ No newline at end of file' \
        "+    - image: $app:1.1.0@$new # pinned" '\ No newline at end of file' ||
        assert_diff "-    - image: $app:1.0.0@$old # pinned" "+    - image: $app:1.1.0@$new # pinned"
    assert_ledger 'map(select(.type == "promoted" and .body.stage == "production")) | length == 1 and .[0].body.from == "staging"'
    assert_has pingate-out/report.md "**production** takes the set"
    xmllint --noout pingate-out/junit.xml
    commit "Production"
    at +26h gate 0 promote production
    assert_json pingate-out/result.json '(.changed | not) and .updates[0].verdict == "up-to-date"'
    git diff --quiet
}

@test "a dry run records nothing, and nothing is recorded without stages" {
    two_stages "soak: 24h"
    gate 0 run --dry-run
    [ ! -e .pingate ]
    gate 0 promote production --dry-run
    [ ! -e .pingate ]
    assert_unchanged
    sed -i '/^stages:/,$d' pingate.yaml
    commit
    gate 0 run
    staging_holds "$new"
    production_holds "$new"
    [ ! -e .pingate ]
}

@test "the stage's own tests decide: what fails them does not enter" {
    staged <<END
tests:
  - {name: answers, run: "cat /version"}
  - {name: smoke, run: "grep one /version"}
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging, tests: [smoke]}
END
    gate 0 run
    assert_json pingate-out/result.json '[.trials[].test] == ["answers"]'
    commit "Staging"
    gate 1 promote production
    production_holds "$old"
    assert_json pingate-out/result.json '.updates[0].verdict == "reject" and .trials[0].test == "smoke"'
    assert_ledger 'map(select(.type == "evidence" and .body.test == "smoke" and .body.outcome == "failed")) | length >= 1'
    assert_has pingate-out/report.md "Gate closed"
}

@test "what stands on another branch, or is not committed, is not observed" {
    two_stages "soak: 1h"
    echo "target: main" >>pingate.yaml
    commit
    git switch -q -c feature
    gate 0 run
    assert_has "$err" 'branch "feature"'
    assert_ledger 'map(select(.type == "observed")) | length == 0'
    commit "Staging"
    git switch -q main
    git merge -q feature
    echo "# edited" >>deploy/staging/compose.yaml
    gate 0 promote production
    assert_has "$err" "deploy/staging/compose.yaml is not as it was committed"
    assert_json pingate-out/result.json '.updates[0].code == "not-observed"'
    git checkout -q deploy/staging
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "soaking"'
    at +2h gate 0 promote production
    production_holds "$new"
}

@test "while a value soaks, staging takes no newer one, unless it is urgent" {
    two_stages "soak: 24h"
    gate 0 run
    commit "Staging"
    gate 0 promote production
    commit "Seen"
    newer=$(make_image "$name:1.2.0" /version=three)
    at +1h gate 0 run
    staging_holds "$new"
    assert_json pingate-out/result.json '.updates[0].verdict == "hold" and .updates[0].code == "paused"'
    at +1h gate 0 status
    assert_has "$out" "production"
    assert_has "$out" "waits"
    at +1h gate 0 run --urgent "$app"
    staging_holds "$newer"
}

@test "force needs a reason, is recorded, and every report shows it" {
    two_stages "soak: 24h, approvals: 1"
    gate 0 run
    commit "Staging"
    gate 2 promote production --force
    assert_has "$err" "--reason"
    gate 0 promote production --force --reason "the <b>old</b> one is on fire"
    production_holds "$new"
    assert_ledger 'map(select(.type == "promoted" and .body.stage == "production"))[0].body | .forced and (.overridden | contains("soaking")) and (.reason | contains("on fire"))'
    assert_json pingate-out/result.json '.stages[0] | .forced and (.overridden | contains("not-approved"))'
    assert_has pingate-out/report.md "**FORCED** over"
    assert_has_not pingate-out/report.md "<b>"
    assert_has "$out" "FORCED over"
    assert_has pingate-out/junit.xml "FORCED over"
}

@test "a failed test of staging's value keeps it out of production" {
    two_stages
    gate 0 run
    commit "Staging"
    sed -i 's,cat /version,grep one /version,' pingate.yaml
    make_image "$name:1.2.0" /version=three >/dev/null
    commit "Test more"
    gate 1 run # fails on the candidate, and on what staging holds
    assert_ledger 'map(select(.type == "evidence" and .body.outcome == "failed")) | length == 2'
    gate 0 promote production
    production_holds "$old"
    assert_json pingate-out/result.json '.updates[0].code == "revoked"'
    gate 0 status --json
    assert_json "$out" '.stages[0].state == "waits" and .stages[0].code == "revoked"'
}

@test "a digest that is gone from the registry enters nothing" {
    two_stages
    gate 0 run
    commit "Staging"
    untag "$name:1.1.0"
    gate 0 promote production
    production_holds "$old"
    assert_json pingate-out/result.json '.updates[0].code == "digest-gone"'
}

@test "promote --all moves each stage that is ready" {
    staged <<END
tests:
  - {name: answers, run: "cat /version"}
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging}
  - {name: last, files: [deploy/last/], from: production, soak: 1h}
END
    cp -r deploy/production deploy/last
    commit
    gate 0 run
    commit "Staging"
    gate 0 promote --all
    production_holds "$new"
    grep -q "$old" deploy/last/app.yaml
    assert_json pingate-out/result.json '[.stages[].name] == ["production", "last"]'
    commit "Production"
    gate 0 promote --all # sees it in production
    commit "Seen"
    at +2h gate 0 promote --all
    grep -q "$new" deploy/last/app.yaml
}

@test "wrong words of promote are told" {
    two_stages
    gate 2 promote
    assert_has "$err" "needs a stage"
    gate 2 promote production --all
    gate 2 promote prodution
    assert_has "$err" 'did you mean "production"'
    gate 2 promote staging
    assert_has "$err" "pingate run"
    sed -i '/^stages:/,$d' pingate.yaml
    gate 2 promote production
    assert_has "$err" "no stages are configured"
}

@test "a damaged ledger is named, and nothing is written" {
    two_stages
    gate 0 run
    commit "Staging"
    file=$(echo .pingate/ledger/*/*.jsonl)
    sed -i 's/passed/failed/' "$file"
    gate 3 promote production
    assert_has "$err" "$file"
    production_holds "$old"
    gate 3 run
    assert_has "$err" "$file"
    git checkout -q .pingate
    gate 0 promote production
    production_holds "$new"
}

@test "names are mapped from stage to stage" {
    staged <<END
tests:
  - {name: answers, run: "cat /version"}
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging, map: {"$PINGATE_TEST_REGISTRY/e2e": "$PINGATE_TEST_REGISTRY/prod"}}
END
    prod=${name/e2e/prod}
    make_image "$prod:1.0.0" /version=one >/dev/null
    make_image "$prod:1.1.0" /version=two >/dev/null
    sed -i "s,/e2e/,/prod/," deploy/production/app.yaml
    commit
    gate 0 run
    commit "Staging"
    gate 0 promote production
    production_holds "$(image "$prod"):1.1.0@$new"
}

@test "what stood in staging before the first record enters once it was tested there" {
    two_stages
    sed -i "s,1.0.0@$old,1.1.0@$new," deploy/staging/compose.yaml
    commit "By hand"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "no-evidence"'
    commit "Seen"
    gate 2 test
    gate 2 test --stage stagging
    assert_has "$err" 'did you mean "staging"'
    gate 0 test --stage staging --dry-run
    assert_unchanged
    gate 0 test --stage staging
    assert_json pingate-out/result.json '(.changed | not) and .updates[0].verdict == "promote" and ([.trials[].baseline] == [false])'
    assert_ledger 'map(select(.type == "evidence"))[0].body | .source == "test" and .outcome == "passed" and .stage == "staging"'
    gate 0 promote production
    production_holds "$new"
}

@test "what stands in staging and fails by now is revoked" {
    two_stages
    gate 0 run
    commit "Staging"
    sed -i 's,cat /version,grep one /version,' pingate.yaml
    commit "Test more"
    gate 1 test --stage staging
    assert_json pingate-out/result.json '.updates[0].code == "test-failed"'
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "revoked"'
    sed -i 's,grep one /version,true,' pingate.yaml
    gate 0 test --stage staging
    gate 0 promote production
    production_holds "$new"
}
