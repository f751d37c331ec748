# What people decide: approve, deny, hold, release, rollback; what is recorded of it, and what it does.
# bats file_tags=stages
load helpers
load staged

# staging holds the new value, observed and committed; what is recorded of it is committed too
in_staging() { # RULE-OF-PRODUCTION
    two_stages "$1"
    gate 0 run
    commit "Staging"
    gate 0 promote production --dry-run
}

@test "a set that waits is shown, approved, and enters" {
    in_staging "approvals: 1"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "not-approved"'
    commit "Seen"
    gate 0 approve production --reason "looks good"
    assert_has "$out" "1.1.0@$new"
    assert_has "$out" "nothing keeps it out"
    assert_has "$out" "commit it"
    assert_ledger 'map(select(.type == "approved")) | length == 1 and (.[0] | .actor == "test@example.com" and .body.stage == "production" and (.body.set | length) == 64 and .body.reason == "looks good")'
    git diff --quiet # no file but a new one
    gate 0 approve production
    assert_has "$out" "one person counts once"
    assert_ledger 'map(select(.type == "approved")) | length == 1'
    commit "Approved"
    gate 0 promote production
    production_holds "$new"
}

@test "an approval is bound to its set, by any unique beginning of its id" {
    in_staging "approvals: 1"
    gate 0 promote production
    commit "Seen"
    set=$(ledger 'map(select(.type == "observed" and .body.stage == "staging"))[-1].body.set' | tr -d '"')
    gate 2 approve production "${set:0:3}"
    gate 2 approve production 0123456789
    assert_has "$err" "the newest sets are"
    gate 2 approve production sha256:0123456789
    gate 2 approve staging
    assert_has "$err" "needs no approval"
    gate 2 approve prodution
    assert_has "$err" 'did you mean "production"'
    gate 0 approve production "${set:0:8}" --json
    "$tests/schemas.sh" decision "$out"
    assert_json "$out" '.version == 1 and .entries[0].type == "approved" and .entries[0].body.set == "'"$set"'" and (.file | startswith(".pingate/ledger/"))'
    commit "Approved"
    make_image "$name:1.2.0" /version=three >/dev/null
    gate 0 run
    commit "Staging again"
    gate 0 promote production --dry-run
    assert_json pingate-out/result.json '.updates[0].verdict == "promote"' # the approved one, not the newest
    gate 0 promote production
    production_holds "1.1.0@$new"
}

@test "instead of soak, once; approvals that end" {
    in_staging "soak: 24h"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "soaking"'
    commit "Seen"
    gate 2 approve production --until yesterday
    gate 2 approve production --until 2020-01-01
    assert_has "$err" "over already"
    gate 0 approve production --instead-of-soak --until 2h --reason urgent
    assert_has "$out" "instead of its soak"
    commit "Approved"
    at +3h gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "soaking"'
    gate 0 promote production
    production_holds "$new"
}

@test "no approval goes over a failed test" {
    in_staging "approvals: 1"
    sed -i 's,cat /version,grep one /version,' pingate.yaml
    commit "Test more"
    gate 1 test --stage staging
    commit "Failed"
    gate 0 approve production --instead-of-soak
    assert_has "$out" "still kept out (revoked"
    assert_has "$err" "no approval goes over that"
    commit "Approved"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "revoked"'
}

@test "a denied digest, image or set stays out until it is released" {
    in_staging ""
    gate 2 deny "$new"
    assert_has "$err" "--reason"
    gate 0 deny "$new" --reason "loses writes"
    assert_has "$out" "it stands in staging"
    commit "Denied"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0] | .code == "denied" and (.reason | contains("loses writes"))'
    commit "Seen"
    gate 0 release "${new:0:14}"
    assert_has "$out" "released what test@example.com had denied"
    commit "Released"
    gate 0 promote production --dry-run
    assert_json pingate-out/result.json '.updates[0].verdict == "promote"'

    gate 2 deny no/such/image --reason typo
    assert_has "$err" "names no set, digest or image"
    gate 2 deny "${app}x" --reason typo
    assert_has "$err" "did you mean"
    gate 0 deny "$app:1.1.*" --stage production --until 7d --reason "after the fair"
    commit "Denied"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0].code == "denied"'
    at +8d gate 0 promote production
    production_holds "$new"
    git checkout -q deploy
    gate 0 deny "sha256:$(printf '%064d' 7)" --reason "announced"
    assert_has "$out" "no stage has seen this digest"
}

@test "a hold keeps the stage, or one image of it, and release lifts it" {
    in_staging ""
    gate 2 hold production
    gate 0 hold production --reason "nobody is here" --until 2d
    commit "Held"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0] | .code == "on-hold" and (.reason | contains("nobody is here"))'
    commit "Seen"
    gate 2 release production "$app"
    assert_has "$err" "these do: held production"
    gate 0 release production
    gate 2 release production
    assert_has "$err" "nothing is at all"
    gate 2 hold production no/such --reason x
    gate 0 hold production "$app" --reason migration
    commit "Held"
    gate 0 promote production
    assert_json pingate-out/result.json '.updates[0] | .verdict == "hold" and .code == "on-hold"'
    gate 0 release production "$app" --json
    "$tests/schemas.sh" decision "$out"
    assert_json "$out" '.entries | length == 1 and .[0].type == "released"'
    gate 0 promote production
    production_holds "$new"
}

@test "a decision first finishes what a crash left" {
    two_stages ""
    gate 0 run
    commit "Staging"
    # the first two renameat put the journal in place: the pin file is next, and the ledger's file stands still aside
    cat >"$work/killed" <<END
#!/bin/sh
export ASAN_OPTIONS=exitcode=99:detect_leaks=0
exec strace -f -o "$work/trace" -e trace=renameat -e inject=renameat:signal=SIGKILL:when=3 "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" "\$@"
END
    chmod +x "$work/killed"
    PINGATE_TEST_PROGRAM=$work/killed gate 137 promote production
    [ -f .pingate/local/journal.json ]
    gate 0 hold production --reason "look first"
    assert_has "$err" "finished an interrupted promotion"
    production_holds "$new"
    [ ! -e .pingate/local ]
    assert_ledger '[.[] | select(.body.stage == "production") | .type] | (index("promoted") != null) and (index("held") != null)'
}

@test "decisions need stages" {
    in_staging ""
    sed -i '/^stages:/,$d' pingate.yaml
    gate 2 hold production --reason x
    assert_has "$err" "no stages are configured"
    gate 2 approve
    gate 2 release
}

@test "a rollback puts the bytes back, and the next run leaves them" {
    two_stages ""
    git tag before
    gate 0 run
    commit "Staging"
    gate 0 promote production
    commit "Production"
    gate 0 promote production
    commit "Seen"
    gate 0 rollback production --dry-run
    assert_unchanged
    assert_has "$out" "would go back to"
    gate 0 rollback production --reason "loses writes"
    assert_has "$out" "is back at"
    git diff --quiet before -- deploy/production
    [ "$(git diff --name-only | grep -vc ^deploy/production/)" -eq 0 ]
    assert_ledger 'map(select(.type == "rolled-back")) | length == 1 and (.[0].body | .stage == "production" and .reason == "loses writes" and .changes[0].tag == "1.0.0")'
    assert_ledger 'map(select(.type == "held")) | length == 1 and (.[0].body | .stage == "production" and .reason == "loses writes" and (has("image") | not))'
    commit "Back"
    gate 0 promote production
    production_holds "1.0.0@$old"
    assert_json pingate-out/result.json '.updates[0].code == "on-hold"'
    commit "Seen"
    gate 2 rollback production # nothing before it
    assert_has "$err" "no set is on record"
    gate 0 release production
    commit "Released"
    gate 0 promote production
    production_holds "$new"
}

@test "staging goes back: run leaves it, production neither follows nor takes what was bad" {
    two_stages ""
    gate 0 run
    commit "Staging"
    gate 0 promote production --dry-run
    gate 0 status
    gate 0 rollback staging "$app" --reason "it leaks" # seen in no other stage yet
    staging_holds "1.0.0@$old"
    assert_ledger 'map(select(.type == "held"))[0].body.image == "'"$app"'"'
    commit "Back"
    gate 0 promote production
    production_holds "1.0.0@$old"
    assert_json pingate-out/result.json '.updates[0].verdict == "up-to-date"'
    commit "Seen"
    gate 0 run
    staging_holds "1.0.0@$old"
    assert_json pingate-out/result.json '.updates[0] | .code == "on-hold" and (.reason | contains("it leaks"))'
}

@test "what production left behind does not come back with staging" {
    two_stages ""
    gate 0 run
    commit "Staging"
    gate 0 promote production
    commit "Production"
    gate 0 promote production
    commit "Seen"
    gate 0 rollback staging
    commit "Back"
    gate 0 promote production
    production_holds "$new"
    assert_json pingate-out/result.json '.updates[0].code == "downgrade"'
    assert_has "$out" "pingate rollback production"
}

@test "a rollback needs its digests, unless forced; a set can be named" {
    two_stages ""
    gate 0 run
    commit "Staging"
    gate 0 promote production
    commit "Production"
    untag "$name:1.0.0"
    gate 3 rollback production
    production_holds "$new"
    assert_json pingate-out/result.json '.updates[0].code == "digest-gone" and (.changed | not)'
    gate 2 rollback production --to 0123456789
    assert_has "$err" "--to"
    gate 2 rollback prod
    gate 2 rollback production no/such
    set=$(ledger 'map(select(.type == "promoted" and .body.stage == "production"))[0].body.before' | tr -d '"')
    gate 0 rollback production --to "${set:0:10}" --force
    production_holds "1.0.0@$old"
}

@test "what is denied does not enter staging either" {
    two_stages ""
    gate 0 deny "$new" --reason "announced as broken"
    commit "Denied"
    gate 0 run
    staging_holds "1.0.0@$old"
    assert_json pingate-out/result.json '.updates[0] | .code == "denied" and (.reason | contains("announced"))'
    gate 0 release "$new"
    commit "Released"
    gate 0 run
    staging_holds "$new"
}
