# doctor: what works, what is off and why; it shows no secret and writes nothing.
# bats file_tags=doctor
load helpers

setup_file() {
    export DOCTOR_NAME=e2e/doctor-$RANDOM
}

make_project() {
    digest=$(make_image "$DOCTOR_NAME:1.0.0" /version=one)
    new_project
    app=$(image "$DOCTOR_NAME")
    echo "FROM $app:1.0.0@$digest" >Dockerfile
    printf 'version: 1\ntests: [{name: answers, run: "true"}]\n' >pingate.yaml
    commit
}

has_line() { # STATE WHAT TEXT
    grep -E "^$1 +$2 +" "$out" | grep -qF -- "$3" && return 0
    echo "no line $1 $2 with: $3"
    cat "$out"
    return 1
}

@test "all is well" {
    make_project
    mkdir -p "$work/home/.docker"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$PINGATE_TEST_REGISTRY" "$(printf 'user:hunter2' | base64)" \
        >"$work/home/.docker/config.json"
    gate 0 doctor
    has_line ok configuration "pingate.yaml: 0 rules, 1 test, promote: all"
    has_line ok git "git version"
    has_line ok pins "1 of 1 version in"
    has_line ok tests "1 of 1 version is covered"
    has_line ok files "1 of 1"
    has_line ok engine "$PINGATE_TEST_ENGINE"
    has_line ok limits "memory"
    has_line ok credentials "$PINGATE_TEST_REGISTRY"
    has_line ok registry "$PINGATE_TEST_REGISTRY answers, asked with the credential of"
    assert_has_not "$out" hunter2
    assert_has_not "$out" "$(printf 'user:hunter2' | base64)"
    assert_unchanged
    [ ! -e pingate-out ]
}

@test "what is off is told with its remedy" {
    make_project
    other=$(printf '1%.0s' {1..64})
    printf '# DO NOT EDIT\nimage: %s:1.0.0@%s\n' "$app" "$digest" >generated.yaml
    echo "FROM $app-gone:1@sha256:$other" >gone.Dockerfile
    echo "FROM 127.0.0.1:1/none:1@sha256:$other" >closed.Dockerfile
    printf 'version: 1\nupdates: [{images: nginx}]\ntests: [{name: answers, images: "%s", run: "true"}]\n' "$app" >pingate.yaml
    gate 3 doctor
    has_line note files "generated.yaml: line 1 says \"DO NOT EDIT\""
    has_line note tests "pingate.yaml:2: this rule"
    has_line note tests "none covers $app-gone:1"
    has_line PROBLEM registry "127.0.0.1:1, asked anonymously"
    has_line ok tests "1 of 3"
    DOCKER_HOST=unix:///nowhere gate 3 doctor
    has_line PROBLEM engine /nowhere
    echo file >pingate-out
    gate 3 doctor
    has_line PROBLEM reports "pingate-out is no folder"
}

@test "a configuration that is wrong, or lacks, gives 2" {
    make_project
    echo 'versoin: 1' >pingate.yaml
    gate 2 doctor
    has_line PROBLEM configuration "pingate.yaml:1:1"
    has_line ok engine "API 1."
    rm pingate.yaml
    gate 2 doctor
    has_line PROBLEM configuration "pingate init"
    echo 'version: 1' >pingate.yaml
    gate 2 doctor
    has_line PROBLEM configuration "declares no tests"
}

@test "without git, and with git that refuses" {
    make_project
    rm -rf .git
    gate 0 doctor
    has_line note git "no repository here"
    git init -q
    chown -R 12345 .
    gate 3 doctor
    has_line PROBLEM git "dubious ownership"
    has_line PROBLEM pins "git does not list the files"
}

@test "credentials that cannot be read are a problem, and are not shown" {
    make_project
    mkdir -p "$work/home/.docker"
    echo '{"auths": {"x": {"auth": "hunter2"' >"$work/home/.docker/config.json"
    gate 3 doctor
    has_line PROBLEM credentials "config.json"
    assert_has_not "$out" hunter2
}

@test "a credential helper that is named and not installed is a problem" {
    make_project
    mkdir -p "$work/home/.docker"
    echo '{"credHelpers": {"registry.example.com": "nowhere"}}' >"$work/home/.docker/config.json"
    gate 3 doctor
    has_line PROBLEM credentials 'the credential helper "nowhere" for registry.example.com'
}
