# shellcheck shell=bash
# What the end-to-end tests of stages share. A test file begins with `load helpers` and `load staged`.

# A project with staging and production on the same older version of an image of its own; $new is in the registry.
# CONFIGURATION (the rest of it) comes on standard input.
staged() {
    name=e2e/stages-$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    # shellcheck disable=SC2034 # the tests'
    new=$(make_image "$name:1.1.0" /version=two)
    app=$(image "$name")
    new_project
    mkdir -p deploy/staging deploy/production
    printf 'services:\n  app:\n    image: %s\n' "$app:1.0.0@$old" >deploy/staging/compose.yaml
    printf '# ours\r\nkind: Pod\r\nspec:\r\n  containers:\r\n    - image: %s # pinned' "$app:1.0.0@$old" >deploy/production/app.yaml
    {
        printf 'version: 1\nupdates:\n  - {images: ["**"], policy: minor}\n'
        cat
    } >pingate.yaml
    commit
}

two_stages() { # RULE-OF-PRODUCTION, such as "soak: 24h"
    staged <<END
tests:
  - {name: answers, run: "cat /version"}
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging${1:+, $1}}
END
}

ledger() { # JQ-EXPRESSION over the list of all entries, oldest first; files of one second have no order
    jq -s "sort_by(.time) | $1" .pingate/ledger/*/*.jsonl
}

assert_ledger() {
    [ "$(ledger "$1")" = true ] && return 0
    echo "the ledger: not so: $1"
    jq -c . .pingate/ledger/*/*.jsonl
    return 1
}

staging_holds() { grep -q "$1" deploy/staging/compose.yaml; }
production_holds() { grep -q "$1" deploy/production/app.yaml; }
