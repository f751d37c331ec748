# What a failure tells: the line that is another one than on the current digest, and how to look at what was kept.
load helpers

project() {
    name=explain/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    make_image "$name:1.1.0" /version=two >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\n'
        cat
    } >pingate.yaml
    commit
}

first() { # JQ-EXPRESSION about the first trial
    assert_json pingate-out/result.json ".trials[0] | $1"
}

# Those of kept containers stay with them.
drop_images() {
    engine GET /images/json | jq -r --arg name "$name" '.[] | (.RepoDigests // [])[] | select(contains($name))' |
        while read -r one; do engine DELETE "/images/$one?force=1" >/dev/null; done
}

kept() { # KIND: how many of this run there are
    engine GET "$1filters=$(jq -rn '{label: ["pingate.run"]} | tojson | @uri')" | jq '(.Volumes? // .) | length'
}

@test "the first line that differs from the output on the current digest is told" {
    project <<<'tests: [{name: compares, run: "date; hostname; echo took $$ ms; cat /version; echo; echo more; grep -q one /version"}]'
    gate 1 run
    first '.commands[0].difference == "line 4: \"two\", and \"one\" on the current digest"'
    assert_has pingate-out/report.md 'line 4: '
    assert_json pingate-out/result.json '.trials[1].commands[0].difference == null'
}

@test "standard error is compared where standard output is the same" {
    project <<<'tests: [{name: compares, run: "echo same; cat /version >&2; grep -q one /version"}]'
    gate 1 run
    first '.commands[0].difference == "standard error, line 1: \"two\", and \"one\" on the current digest"'
}

@test "output that differs in times and ids alone tells no difference" {
    project <<<'tests: [{name: compares, run: "date -Iseconds; hostname; grep -q one /version"}]'
    gate 1 run
    first '.outcome == "failed" and .commands[0].difference == null'
}

@test "what passes is compared with nothing" {
    project <<<'tests: [{name: compares, run: "cat /version"}]'
    gate 0 run
    first '.commands[0].difference == null'
}

@test "--keep tells the names, how to look, and how to remove" {
    project <<<'tests: [{name: fails, run: ["echo kept >out.txt", "grep -q one /version"]}]'
    gate 1 run --keep
    [ "$(kept '/containers/json?all=1&')" -eq 1 ]
    [ "$(kept '/volumes?')" -ge 1 ]
    assert_has "$err" "kept for a look, until the next run on this engine: container "
    client=docker
    ! engine_is podman || client=podman
    assert_has "$err" "to look: $client logs "
    assert_has pingate-out/report.md "kept for a look"
    # the words do what they say
    look=$(sed -n 's/^warning: to look: //p' "$err")
    remove=$(sed -n 's/^warning: to remove: //p' "$err")
    mkdir "$work/look"
    docker() { engine_client "$@"; }
    podman() { if [ "$1" = --url ]; then command podman "$@"; else engine_client "$@"; fi; }
    (cd "$work/look" && eval "$look")
    [ "$(cat "$work/look/workspace/out.txt")" = kept ]
    eval "$remove" >/dev/null
    [ "$(kept '/containers/json?all=1&')" -eq 0 ]
    [ "$(kept '/volumes?')" -eq 0 ]
    drop_images
}

@test "what is kept goes with the next run" {
    project <<<'tests: [{name: fails, run: "grep -q one /version"}]'
    gate 1 run --keep
    [ "$(kept '/volumes?')" -ge 1 ]
    gate 1 run
    [ "$(kept '/volumes?')" -eq 0 ]
    assert_has_not "$err" "kept for a look"
    drop_images
}

@test "--keep of what passes keeps nothing and says nothing" {
    project <<<'tests: [{name: passes, run: "true"}]'
    gate 0 run --keep
    assert_has_not "$err" "kept for a look"
}

@test "--keep leaves each attempt that failed" {
    project <<<'tests: [{name: fails, run: "grep -q one /version", retries: 1}]'
    gate 1 run --keep
    [ "$(kept '/containers/json?all=1&')" -eq 2 ]
    remove=$(sed -n 's/^warning: to remove: //p' "$err")
    docker() { engine_client "$@"; }
    podman() { if [ "$1" = --url ]; then command podman "$@"; else engine_client "$@"; fi; }
    eval "$remove" >/dev/null
    [ "$(kept '/volumes?')" -eq 0 ]
    drop_images
}
