# Look-ups at the real registry program, as people run it: with a password, with a token server, by TLS with an authority of
# its own, read-only. What registries do wrong is told in tests/faults/registry.py.
load helpers
load registries

# Two releases of team/app with one tag, one after the other: $old and $new are their digests.
two_releases() {
    real_registry plain
    old=$(PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image_without_shell team/app:1.0 release=1)
    new=$(PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image_without_shell team/app:1.0 release=2)
    [ "$old" != "$new" ]
}

project_at() { # HOST:PORT [YAML-OF-THE-REGISTRY]
    new_project
    echo "FROM $1/team/app:1.0@$old" >Dockerfile
    printf 'version: 1\nregistries:\n  "%s": {timeout: 60s%s}\n' "$1" "${2-}" >pingate.yaml
    commit
}

finds_the_new_one() {
    gate 0 status --json
    assert_json "$out" ".updates[0].code == \"not-tested\" and .updates[0].candidate.digest == \"$new\""
}

# The update is "lookup-failed" with this code, and its reason holds these words; nothing says the password.
fails_with() { # CODE WORDS
    gate 3 status --json
    assert_json "$out" ".updates[0].verdict == \"lookup-failed\" and .updates[0].code == \"$1\""
    assert_has "$out" "$2"
    assert_has_not "$out" "$password"
    assert_has_not "$err" "$password"
    assert_unchanged
}

@test "a registry with a password" {
    two_releases
    with_password
    project_at "127.0.0.1:$port"
    fails_with auth "docker login 127.0.0.1:$port"
    log_in "127.0.0.1:$port" wrong
    fails_with auth "asked with the credentials of user from $work/home/.docker/config.json"
    log_in "http://127.0.0.1:$port/v2/"
    finds_the_new_one
}

@test "a registry with a password, kept by a credential helper" {
    two_releases
    with_password
    project_at "127.0.0.1:$port"
    mkdir -p "$work/home/.docker" "$work/bin"
    printf '{"credHelpers": {"127.0.0.1:%s": "tests"}}' "$port" >"$work/home/.docker/config.json"
    fails_with auth 'docker-credential-tests: no such program'
    printf '#!/bin/sh\n[ "$1" = get ] && printf %s\n' "'{\"Username\": \"user\", \"Secret\": \"$password\"}'" \
        >"$work/bin/docker-credential-tests"
    chmod 755 "$work/bin/docker-credential-tests"
    PATH=$work/bin:$PATH finds_the_new_one
}

@test "a registry with a token server" {
    two_releases
    with_tokens 300
    project_at "127.0.0.1:$port"
    fails_with auth 'refused with 401'
    log_in "127.0.0.1:$port" wrong
    fails_with auth "the token server 127.0.0.1:$(cat "$work/token.port") refused with 401"
    log_in "127.0.0.1:$port"
    : >"$work/token.log"
    finds_the_new_one
    [ "$(cat "$work/token.log")" = '/token?scope=repository%3Ateam%2Fapp%3Apull&service=tests with a password' ] ||
        { cat "$work/token.log"; return 1; }
}

@test "a token server, tags and then a digest with one token" {
    two_releases
    PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image_without_shell team/app:1.1 release=3 >"$work/newest"
    with_tokens 300
    project_at "127.0.0.1:$port"
    echo 'updates: [{images: "*", policy: minor}]' >>pingate.yaml
    commit
    log_in "127.0.0.1:$port"
    new=$(cat "$work/newest")
    finds_the_new_one
    assert_json "$out" '.updates[0].candidate.tag == "1.1"'
    [ "$(wc -l <"$work/token.log")" -eq 1 ] || { cat "$work/token.log"; return 1; }
}

@test "TLS with an authority of its own" {
    two_releases
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 2 -subj '/CN=an authority' 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -keyout "$work/tls.key" -out "$work/tls.csr" -subj /CN=tests 2>/dev/null
    echo subjectAltName=IP:127.0.0.1 >"$work/extensions"
    openssl x509 -req -in "$work/tls.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
        -extfile "$work/extensions" -out "$work/tls.pem" 2>/dev/null
    real_registry tls '' "  tls: {certificate: $work/tls.pem, key: $work/tls.key}"
    project_at "127.0.0.1:$port" ', ca: certs/ca.pem'
    fails_with io 'check the file that `ca` names'
    mkdir certs && cp "$work/ca.pem" certs/ && commit
    finds_the_new_one
    cd / # the authority stands beside the configuration, wherever pingate is started
    gate 0 status --json -C "$work/project"
    assert_json "$out" '.updates[0].code == "not-tested"'
    cd "$work/project"
    sed -i 's/, ca: [^}]*//' pingate.yaml && commit
    fails_with protocol "answered 400"
}

@test "a registry that is read-only, and one that has lost the image" {
    two_releases
    real_registry readonly '' '' '  maintenance: {readonly: {enabled: true}}'
    project_at "127.0.0.1:$port"
    finds_the_new_one
    rm -rf "$work/storage/docker/registry/v2/repositories/team"
    fails_with not-found 'no such tag or repository'
}

@test "a filter chooses among the tags and extracts what is compared; expensive and other tags at the real registry" {
    local tag digest
    real_registry filter
    for tag in release-1.2.0-alpine3.18 release-1.3.0-alpine3.18 release-1.3.0-alpine3.9 release-1.3.0-alpine3.19 \
        release-1.4.0-rc1-alpine3.19 release-1.9.0 1.9.0-alpine3.19 prerelease-1.9.0-alpine3.19 release-2.0.0-alpine3.19; do
        digest=$(PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image_without_shell "team/app:$tag" "release=$tag")
        case $tag in
        release-1.2.0-alpine3.18) old=$digest ;;
        release-1.3.0-alpine3.19) new=$digest ;;
        esac
    done
    new_project
    echo "FROM 127.0.0.1:$port/team/app:release-1.2.0-alpine3.18@$old" >Dockerfile
    cat >pingate.yaml <<'END'
version: 1
updates:
  - images: ["**"]
    policy: minor
    tags: {match: '^release-(?<v>\d+\.\d+\.\d+)-alpine', extract: '$v'}
tests:
  - {name: never, run: [[/none]]}
END
    commit
    finds_the_new_one
    assert_json "$out" '.updates[0].candidate.tag == "release-1.3.0-alpine3.19"'

    # What the rule leaves is not followed, and the report says why.
    echo "FROM 127.0.0.1:$port/team/app:1.9.0-alpine3.19@$old" >Dockerfile && commit
    gate 0 status --json
    assert_json "$out" '.updates[0] | .verdict == "hold" and .code == "tag-mismatch" and .candidate == null'
    assert_has "$out" 'does not match the tag 1.9.0-alpine3.19 that is followed'
    gate 0 run
    assert_has pingate-out/report.md 'its tag does not match the rule'
    assert_unchanged

    # A tag on which the pattern takes too long: could not look, not "up to date".
    echo "FROM 127.0.0.1:$port/team/app:release-1.2.0-alpine3.18@$old" >Dockerfile
    sed -i "s/match: .*/match: '^release-(?<v>[0-9.]+)-(a|lpine|[a-z]+|[0-9.]+)+\$', extract: '\$v'}/" pingate.yaml && commit
    PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image_without_shell \
        "team/app:release-9.9.9-$(printf 'a%.0s' {1..60})_" release=hostile >/dev/null
    fails_with limit 'or put the tag into tags.ignore'
    sed -i 's/extract:/ignore: "*_", extract:/' pingate.yaml && commit
    finds_the_new_one
}
