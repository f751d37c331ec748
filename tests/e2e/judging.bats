# Who is to blame when a set fails, and what a failure on the pinned digests means.
# bats file_tags=judging
load helpers

# Images a, b, c …, each in two versions whose file /version says its name and 1 or 2; all pinned to the first.
pin_letters() { # LETTER…
    series=$RANDOM
    new_project
    mkdir deploy
    for letter in "$@"; do
        name=e2e/judging-$BATS_TEST_NUMBER-$series-$letter
        old=$(make_image "$name:1.0.0" "/version=${letter}1")
        make_image "$name:1.1.0" "/version=${letter}2" >/dev/null
        echo "image: $(image "$name"):1.0.0@$old" >"deploy/$letter.yaml"
    done
}

letter() { image "e2e/judging-$BATS_TEST_NUMBER-$series-$1"; }

# A test that writes the versions of these images into the file `set`, one a line, then runs COMMAND in the last of them.
set_test() { # NAME COMMAND LETTER…
    local name=$1 command=$2 last
    shift 2
    printf '  - name: %s\n    run:\n' "$name"
    for last in "$@"; do
        printf '      - {in: "%s", command: "cat /version >>set; echo >>set"}\n' "$(letter "$last")"
    done
    printf '      - {in: "%s", command: "%s"}\n' "$(letter "$last")" "$command"
}

configure() { # the tests on standard input, further keys as arguments
    {
        printf 'version: 1\nupdates:\n  - {images: ["**"], policy: minor}\n'
        printf '%s\n' "$@"
        printf 'tests:\n'
        cat
    } >pingate.yaml
    commit
}

@test "one bad update of four is found by halves, and the rest moves" {
    pin_letters a b c d
    set_test together "! grep -q c2 set" a b c d | configure "promote: passing"
    gate 1 run
    assert_json pingate-out/result.json '[.updates[] | .verdict] == ["promote", "promote", "reject", "promote"] and .updates[2].code == "regression"'
    # all; none; ab; abc; c; abd
    assert_json pingate-out/result.json '[.trials[] | [(.updates | length), .baseline, .outcome]] ==
        [[4, false, "failed"], [4, true, "passed"], [2, false, "passed"], [3, false, "failed"], [1, false, "failed"], [3, false, "passed"]]'
    [ "$(git diff --name-only | tr '\n' ' ')" = "deploy/a.yaml deploy/b.yaml deploy/d.yaml " ]
}

@test "a pair that fails only together is named, and one of it is kept" {
    pin_letters a b c
    set_test together "! { grep -q a2 set && grep -q c2 set; }" a b c | configure "promote: passing"
    gate 1 run
    assert_json pingate-out/result.json '[.updates[] | .verdict] == ["promote", "promote", "reject"] and
        (.updates[2] | .code == "fails-together" and .culprits == [0] and (.reason | contains("-a 1.1.0; each passes alone")))'
    git checkout -q deploy
    # all or nothing: nothing moves, and the others are told that they passed without it
    sed -i 's/promote: passing/promote: all/' pingate.yaml
    commit
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '[.updates[] | .code] == ["gate-closed", "gate-closed", "fails-together"]'
}

@test "three that fail only together are named" {
    pin_letters a b c
    set_test together "test \$(grep -c 2 set) != 3" a b c | configure "promote: passing"
    gate 1 run
    assert_json pingate-out/result.json '.updates[2] | .code == "fails-together" and .culprits == [0, 1] and
        (.reason | contains("-a 1.1.0 and ") and contains("-b 1.1.0; without any one of them it passes"))'
}

@test "broken before: closes the gate, unless it is tolerated" {
    pin_letters a
    configure <<<$'  - {name: broken, run: "false"}\n  - {name: whole, run: "true"}'
    gate 1 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0].code == "already-broken" and ([.trials[] | select(.test == "broken") | .class] == ["already-broken", null])'
    sed -i 's/^tests:/baseline: tolerate\ntests:/' pingate.yaml
    commit
    gate 0 run --dry-run
    assert_json pingate-out/result.json '.updates[0] | .verdict == "promote" and (.reason | contains("baseline: tolerate"))'
    # without another test nothing is proven
    sed -i '/name: whole/d' pingate.yaml
    commit
    gate 0 run
    assert_unchanged
    assert_json pingate-out/result.json '.updates[0] | .verdict == "hold" and .code == "already-broken" and (.reason | contains("nothing is proven"))'
}

@test "always tells what is fixed, off compares nothing" {
    pin_letters a
    configure "baseline: always" <<<'  - {name: mended, run: "grep a2 /version"}'
    gate 0 run --dry-run
    assert_json pingate-out/result.json '.updates[0].verdict == "promote" and [.trials[] | [.baseline, .outcome, .class]] ==
        [[false, "passed", "fixed"], [true, "failed", null]]'
    sed -i 's/always/off/; s/grep a2/grep a1/' pingate.yaml
    commit
    gate 1 run
    assert_json pingate-out/result.json '(.trials | length) == 1 and (.updates[0] | .code == "test-failed" and (.reason | contains("baseline: off")))'
}
