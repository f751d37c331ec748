# Bad input: a clear error with file, line and remedy, the right exit status, and nothing written.
load helpers

refused() { # EXPECTED-TEXT; the configuration is on standard input
    new_project
    echo "FROM redis:7@sha256:$(printf '0%.0s' {1..64})" >Dockerfile
    cat >pingate.yaml
    commit
    gate 2 run
    assert_has "$err" "$1"
    assert_unchanged
}

@test "malformed YAML" {
    refused 'pingate.yaml:4:1: ' <<<$'version: 1\ntests: [\n'
}

@test "an unknown key names the near one" {
    refused 'unknown key "promot" in the configuration; did you mean "promote"?' <<<$'version: 1\npromot: all'
}

@test "an unknown key has its line and column" {
    refused 'pingate.yaml:4:5: unknown key "imagse"' <<<$'version: 1\nupdates:\n  - policy: minor\n    imagse: [x]'
}

@test "a duplicate key" {
    refused 'pingate.yaml:3:1' <<<$'version: 1\npromote: all\npromote: passing'
}

@test "an empty list of commands" {
    refused 'would pass by itself' <<<$'version: 1\ntests: [{name: a, run: []}]'
}

@test "an empty list of tests" {
    refused 'at least one test' <<<$'version: 1\ntests: []'
}

@test "a duration without a unit" {
    refused 'is not a duration' <<<$'version: 1\ntests: [{name: a, run: x, timeout: 5}]'
}

@test "a policy that is none" {
    refused 'did you mean "minor"' <<<$'version: 1\nupdates: [{images: [x], policy: minr}]'
}

@test "a selector that is none" {
    refused 'pingate.yaml:2:21' <<<$'version: 1\nupdates: [{images: ["Not A Name"]}]'
}

@test "no version" {
    refused 'lacks "version: 1"' <<<'promote: all'
}

@test "an unreadable configuration" {
    new_project
    mkdir pingate.yaml
    gate 2 scan
    assert_has "$err" "not a regular file"
}

@test "a configuration that is named and not there, and a link to nowhere" {
    new_project
    gate 2 scan --config nope.yaml
    assert_has "$err" "--config: nope.yaml: no such file"
    ln -s nowhere pingate.yaml
    gate 3 scan
    assert_has "$err" "pingate.yaml: no such file"
}

@test "a folder that is not there" {
    gate 3 scan -C nowhere
}

@test "an unknown command and an unknown option name the near ones" {
    gate 2 rum
    assert_has "$err" 'did you mean "run"'
    gate 2 run --dryrun
    assert_has "$err" 'did you mean --dry-run'
    gate 2 run --jobs=0
    gate 2 run extra
    assert_has "$err" '"extra" is one argument too many'
    gate 2
    gate 2 -C . run
    assert_has "$err" "the command comes first"
    gate 2 report a b
    gate 2 completion
    assert_has "$err" "completion needs SHELL"
}

@test "help, version, man page and completions are there" {
    gate 0 --help
    assert_has "$out" "Exit status"
    gate 0 run --help
    assert_has "$out" "--dry-run"
    gate 0 --version
    gate 0 -V
    gate 0 completion bash
    bash -n "$out"
    gate 0 completion fish
    gate 2 completion tcsh
}

@test "init writes a configuration that the program reads" {
    new_project
    echo "FROM redis:7@sha256:$(printf '0%.0s' {1..64})" >Dockerfile
    gate 0 init
    gate 2 init
    assert_has "$err" "--force"
    gate 0 scan
    grep -qE '^Dockerfile:1 +redis +7 +000000000000 +dockerfile$' "$out"
    grep -qxF '  - name: "redis starts"' pingate.yaml
    local zeros
    zeros=sha256:$(printf '0%.0s' {1..64})
    printf 'FROM %s\n' "127.0.0.1:1/a/b:1@$zeros" "127.0.0.1:1/a-b:1@$zeros" "127.0.0.1:1/a_b:1@$zeros" \
        "127.0.0.1:1/$(printf 'long%.0s' {1..20}):1@$zeros" "127.0.0.1:1/$(printf 'long%.0s' {1..21}):1@$zeros" >Dockerfile
    gate 0 init --force
    gate 3 status # the names are such as the program takes: what fails is the look-up
    gate 2 stat
    assert_has "$err" 'did you mean "status"'
}

@test "scan --json is the machine form" {
    new_project
    printf 'a\nFROM redis:7@sha256:%s\n' "$(printf '1%.0s' {1..64})" >Dockerfile
    gate 0 scan --json
    assert_json "$out" '.version == 1 and (.pins | length) == 1 and .pins[0].line == 2 and .pins[0].image == "docker.io/library/redis" and .pins[0].tag == "7"'
}
