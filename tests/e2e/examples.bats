# The examples that the quickstart does not run: examples/dockerfile and examples/staged, each filled in with tiny images.
# bats file_tags=examples
load helpers

examples=$(cd "$tests/../examples" && pwd)

# A copy of an example as a project of its own. Each IMAGE=DIGEST takes the place of the digest of zeros; the images are
# below $prefix in the registry.
project_of() { # EXAMPLE IMAGE:TAG=DIGEST…
    local example=$1 image
    shift
    new_project
    cp -R "$examples/$example/." .
    for image in "$@"; do
        grep -rlF registry.example.com . | xargs sed -i -E \
            "s|registry\.example\.com/${image%=*}@sha256:0{64}|$PINGATE_TEST_REGISTRY/$prefix/${image%=*}@${image#*=}|"
    done
    grep -rlF registry.example.com --exclude-dir=.git --exclude=README.md . |
        xargs sed -i "s|registry\.example\.com|$PINGATE_TEST_REGISTRY/$prefix|"
    [ -z "$(grep -rE '@sha256:0{64}' . || true)" ]
    commit "As the example has it"
}

setup() {
    work=$(mktemp -d "${BATS_TMPDIR:-/tmp}/pingate-e2e.XXXXXX")
    out=$work/out err=$work/err
    mkdir "$work/home" "$work/empty"
    cd "$work/empty" || return 1
    engine_objects >"$work/engine.before"
    : "$out" "$err"
    prefix=examples/t$BATS_TEST_NUMBER-$RANDOM
}

build() { # prints what the image says of the sample
    engine POST "/build?version=1&rm=1&forcerm=1&networkmode=none&t=pingate-example" -T - -H 'Content-Type: application/x-tar' \
        < <(tar -c --exclude .git --exclude pingate-out .) >"$work/build"
    [ -z "$(jq -rs 'map(.error // empty) | join("")' "$work/build")" ] || { jq -rj '.stream // .error // empty' "$work/build" >&2 && return 1; }
    engine_client run -i --rm --network none pingate-example <app/sample.csv
}

# An image stays as long as another was built on it, so the last ones go first: whichever those are, within some rounds.
remove_builds() {
    local id round
    engine DELETE '/images/pingate-example?force=1' >/dev/null
    for round in 1 2 3 4 5; do
        for id in $(comm -13 <(grep '^image' "$work/engine.before" | cut -d ' ' -f 2 | sort) \
            <(engine GET '/images/json' | jq -r '.[].Id' | sort)); do
            engine DELETE "/images/$id?force=1" >/dev/null 2>&1 || : "$round"
        done
    done
}

base() { # TAG FORMAT-OF-MONEY
    make_image "$prefix/base:$1" "/etc/base=$1" "/bin/money=#!/bin/sh
printf '$2' \"\$1\""
}

@test "dockerfile: a patch release of the base moves both FROM lines, and the image builds on it" {
    old=$(base 2.1.0 %.2f)
    project_of dockerfile "base:2.1.0=$old"
    new=$(base 2.1.1 '%.2f\n')
    base 2.2.0 %.2f >/dev/null # a minor release is not asked for
    gate 0 run
    image=$PINGATE_TEST_REGISTRY/$prefix/base
    assert_diff "-FROM $image:2.1.0@$old AS check" "+FROM $image:2.1.1@$new AS check" "-FROM $image:2.1.0@$old" "+FROM $image:2.1.1@$new"
    build >"$out"
    [ "$(cat "$out")" = "total 42.50" ]
    remove_builds
}

@test "dockerfile: a base that starts and counts wrong moves nothing" {
    old=$(base 2.1.0 %.2f)
    project_of dockerfile "base:2.1.0=$old"
    base 2.1.1 %.1f >/dev/null
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0].code == "regression"'
    assert_has pingate-out/report.md "carries the app"
}

# Web serves pages, the worker makes news in a form that web must know.
web() { # TAG
    make_image "$prefix/web:$1" "/etc/web=$1"
}

worker() { # TAG FORM
    make_image "$prefix/worker:$1" "/etc/worker=$1" "/bin/worker=#!/bin/sh
echo '$2: something has happened'"
}

staged() {
    web_old=$(web 1.0.0) worker_old=$(worker 1.0.0 "news 1")
    project_of staged "web:1.0.0=$web_old" "worker:1.0.0=$worker_old"
    images=$PINGATE_TEST_REGISTRY/$prefix
}

@test "staged: what passed goes to staging, soaks, is approved, passes the rehearsal, and is in production" {
    staged
    web_new=$(web 1.1.0) worker_new=$(worker 1.1.0 "news 1")
    gate 0 run
    assert_diff "-          image: $images/web:1.0.0@$web_old" "+          image: $images/web:1.1.0@$web_new" \
        "-              image: $images/worker:1.0.0@$worker_old" "+              image: $images/worker:1.1.0@$worker_new"
    [ "$(git diff --name-only)" = overlays/staging/images.yaml ]
    commit "Staging"
    gate 0 promote production
    assert_json pingate-out/result.json '[.updates[].code] | unique == ["soaking"]'
    commit "Seen in staging"
    at +25h gate 0 promote production
    assert_json pingate-out/result.json '[.updates[].code] | unique == ["not-approved"]'
    [ -z "$(git diff --name-only)" ]
    at +25h gate 0 approve production
    commit "Approve"
    at +26h gate 0 promote production
    assert_json pingate-out/result.json '[.trials[].test] == ["rehearsal"] and .changed'
    cmp <(sed 's/production/staging/' overlays/production/images.yaml) overlays/staging/images.yaml
    commit "Production"

    # the README's last two lines
    at +27h gate 0 history production
    assert_has "$out" promoted
    at +27h gate 0 rollback production
    assert_has overlays/production/images.yaml "web:1.0.0@$web_old"
    commit "Back"
    at +28h gate 0 promote production
    assert_json pingate-out/result.json '[.updates[].code] | unique == ["on-hold"]'
}

@test "staged: a worker whose news web cannot read stays out, and web with it" {
    staged
    web 1.1.0 >/dev/null
    worker 1.1.0 "news 2" >/dev/null
    gate 1 run
    [ -z "$(git diff --name-only)" ]
    assert_has pingate-out/report.md together
}

@test "staged: the overlays pin every image, the base none" {
    staged
    gate 0 scan --json
    assert_json "$out" '[.pins[].file] | group_by(.) | map({(.[0]): length}) | add ==
        {"overlays/production/images.yaml": 2, "overlays/staging/images.yaml": 2}'
    gate 0 doctor
}
