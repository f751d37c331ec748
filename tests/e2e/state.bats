# What is remembered from run to run, and cooldowns that count from it: a folder, a branch, two runs at once, state that is
# lost or damaged. The rules themselves have tables in tests/unit/test_cooldown.c and test_state.c.
# bats file_tags=state
load helpers

name_of_test() {
    name=e2e/s$BATS_TEST_NUMBER-$RANDOM
}

# The same tag, built anew. Prints the digest.
build() { # RELEASE
    make_image "$name:1.0" "/release=$1"
}

# A project that pins the first release; `now` is what the tag has after a second one.
project() { # STATE-LINE RULE
    name_of_test
    pinned=$(build 1)
    new_project
    app=$(image "$name")
    echo "FROM $app:1.0@$pinned" >Dockerfile
    {
        printf 'version: 1\n%s\nupdates:\n  - {images: "**", %s}\n' "$1" "$2"
        printf 'tests:\n  - {name: answers, run: "cat /release"}\n'
    } >pingate.yaml
    commit
}

held() { # CODE WORDS
    assert_json pingate-out/result.json ".updates[0].verdict == \"hold\" and .updates[0].code == \"$1\" and (.updates[0].reason | contains(\"$2\"))"
    assert_has Dockerfile "$pinned"
}

moved_to() { # DIGEST
    assert_json pingate-out/result.json '.changed and .updates[0].verdict == "promote"'
    assert_has Dockerfile "$1"
    pinned=$1
    commit
}

readonly folder='state: {folder: .pingate/state}'

@test "a candidate waits for its cooldown, and then moves" {
    project "$folder" 'cooldown: 3d'
    now=$(build 2)
    gate 0 run
    held cooldown "1.0@${now:0:19}… was first seen at 20"
    assert_has "$err" "no state at folder .pingate/state: every candidate counts as first seen now, so cooldowns start over"
    assert_has pingate-out/report.md "cooldowns start over"
    assert_unchanged # the state ignores itself
    at +71h gate 0 run
    held cooldown "its cooldown of 3 d 0 h ends at"
    assert_has_not "$err" "no state at"
    at +73h gate 0 status --json
    assert_json "$out" ".updates[0].candidate.digest == \"$now\" and .updates[0].code == \"not-tested\""
    at +73h gate 0 run
    moved_to "$now"
    [ "$(grep -c '' .pingate/state/sightings.jsonl)" -eq 3 ]
}

@test "an image that is rebuilt each night moves, a cooldown behind" {
    project "$folder" 'cooldown: 2d'
    local night releases=("$pinned")
    for night in 1 2 3 4 5; do
        releases[night]=$(build "$((night + 1))")
        at "+$((24 * night))h" gate 0 run
        if [ "$night" -lt 3 ]; then
            held cooldown "1.0@"
        else
            moved_to "${releases[night - 2]}" # by its digest: the tag has a newer one
        fi
    done
    # A digest that is gone from the registry is passed over.
    registry_call DELETE "$name/manifests/${releases[5]}"
    registry_call DELETE "$name/manifests/${releases[4]}"
    releases[6]=$(build 7)
    at +144h gate 0 run
    held cooldown "1.0@"
    at +192h gate 0 run
    moved_to "${releases[6]}"
}

@test "the newest tag that is old enough" {
    project "$folder" 'policy: minor, cooldown: 3d'
    local one two
    one=$(make_image "$name:1.1" /release=1.1)
    gate 0 run
    held cooldown "1.1@"
    two=$(make_image "$name:1.2" /release=1.2)
    at +74h gate 0 run
    moved_to "$one"
    assert_has Dockerfile "$app:1.1@$one"
    at +74h gate 0 run
    held cooldown "1.2@${two:0:19}"
    at +150h gate 0 run
    moved_to "$two"
}

@test "what is urgent waits for no cooldown" {
    project "$folder" 'cooldown: 3d'
    now=$(build 2)
    gate 2 run --urgent nothing-here
    assert_has "$err" '--urgent: "nothing-here" is no pinned image here'
    gate 0 run --urgent "$app"
    moved_to "$now"
    now=$(build 3)
    gate 0 run
    held cooldown "1.0@${now:0:19}"
    sed -i 's/cooldown: 3d/cooldown: 3d, urgent: true/' pingate.yaml
    commit
    gate 0 run
    moved_to "$now"
}

@test "without a state no cooldown ends, and that is said" {
    project '' 'cooldown: 3d'
    now=$(build 2)
    gate 0 run
    held cooldown "1.0@"
    assert_has "$err" "no state is kept, and without one no cooldown ever ends"
    gate 3 doctor
    assert_has "$out" "pingate.yaml:4 has a cooldown, and without a state none ever ends"
    gate 0 run --state "$work/cache/state"
    held cooldown "1.0@"
    assert_has "$err" "no state at folder $work/cache/state"
    gate 0 doctor --state "$work/cache/state"
    assert_has "$out" "folder $work/cache/state: 2 sightings"
    PINGATE_STATE=$work/cache/state at +73h gate 0 run
    moved_to "$now"
    [ ! -e .pingate/state ]
}

@test "lost and damaged state makes cooldowns longer, never shorter" {
    project "$folder" 'cooldown: 3d'
    now=$(build 2)
    local file=.pingate/state/sightings.jsonl damaged
    gate 0 run
    # A file that lost its end: what can be read counts, and the rest is kept aside.
    cp "$file" "$work/whole"
    printf '{"digest":"sha256:12' >>"$file"
    at +73h gate 0 status
    assert_has "$err" "sightings.jsonl is damaged: line 4 ends in its middle; what can be read of it counts"
    assert_has "$err" "the damaged sightings.jsonl is kept as .pingate/state/sightings.jsonl.damaged-"
    assert_has "$out" "${now:7:12}"
    damaged=$(echo .pingate/state/*.damaged-*)
    [ "$(wc -c <"$damaged")" -gt "$(wc -c <"$work/whole")" ]
    cmp "$work/whole" "$file"
    at +73h gate 0 status
    assert_has_not "$err" damaged
    # Nothing at all.
    : >"$file"
    at +73h gate 0 run
    held cooldown "1.0@"
    assert_has "$err" "sightings.jsonl is damaged: it is empty"
    # An older copy out of a cache: the sightings of it count.
    cp "$work/whole" "$file"
    at +73h gate 0 run
    moved_to "$now"
    # Of a newer pingate: left as it is.
    echo '{"pingate":"sightings","version":9}' >"$file"
    now=$(build 3)
    at +74h gate 0 run
    held cooldown "1.0@"
    assert_has "$err" "the sightings are of version 9"
    [ "$(cat "$file")" = '{"pingate":"sightings","version":9}' ]
}

@test "a clock that was set back makes nothing older" {
    project "$folder" 'cooldown: 3d'
    now=$(build 2)
    at +96h gate 0 run
    held cooldown "1.0@"
    now=$(build 3)
    gate 0 run # four days earlier: seen first at the time that the state knows
    held cooldown "1.0@${now:0:19}"
    at +97h gate 0 run
    held cooldown "1.0@"
    at +170h gate 0 run
    moved_to "$now"
}

@test "state that is part of the repository is refused" {
    project "$folder" 'cooldown: 3d'
    now=$(build 2)
    mkdir -p .pingate/state
    printf '{"pingate":"sightings","version":1}\n{"digest":"%s","image":"%s","tag":"1.0","time":"2020-01-01T00:00:00Z"}\n' \
        "$now" "$app" >.pingate/state/sightings.jsonl
    git add -f .pingate/state
    commit
    gate 2 run
    assert_has "$err" "is part of the repository, and state must not be"
    assert_has Dockerfile "$pinned"
}

with_remote() {
    git init -q --bare -b main "$work/remote.git"
    git remote add origin "$work/remote.git"
    git push -q origin main
}

@test "a branch keeps the state once the caller grants it" {
    project 'state: {branch: pingate-state}' 'cooldown: 3d'
    now=$(build 2)
    with_remote
    gate 0 run
    held cooldown "1.0@"
    assert_has "$err" "no state at branch pingate-state of origin: every candidate counts as first seen now"
    [ -z "$(git ls-remote origin pingate-state)" ]
    gate 0 run --state branch
    [ "$(git ls-tree --name-only origin/pingate-state | tr '\n' ' ')" = "README.md sightings.jsonl " ]
    assert_unchanged
    [ "$(git branch --format='%(refname:short)')" = main ]
    # Elsewhere, as CI checks out: shallow, no branch. The state is only read there.
    git clone -q --depth=1 "file://$work/remote.git" "$work/shallow"
    cd "$work/shallow"
    git checkout -q --detach
    at +73h gate 0 status --json
    assert_json "$out" ".updates[0].candidate.digest == \"$now\""
    assert_has "$err" "is only read: a push needs the caller's word"
    [ "$(git --git-dir="$work/remote.git" rev-list --count pingate-state)" -eq 1 ]
    at +73h gate 0 run --state branch
    moved_to "$now"
    # A fork that names another branch, or an address, gets no push.
    sed -i 's/branch: pingate-state/branch: main/' pingate.yaml
    gate 2 run --state branch
    assert_has "$err" 'a state branch'"'"'s name begins with "pingate"'
    sed -i "s,branch: main,branch: pingate-state\, remote: 'ext::sh -c touch% pwned'," pingate.yaml
    gate 2 run --state branch
    assert_has "$err" "the name of a remote was expected here"
    [ ! -e pwned ]
}

@test "a branch that cannot be pushed is told, and nothing else fails" {
    project 'state: {branch: pingate-state}' 'cooldown: 3d'
    now=$(build 2)
    with_remote
    printf '#!/bin/sh\necho "no pushes on Sundays" >&2\nexit 1\n' >"$work/remote.git/hooks/pre-receive"
    chmod +x "$work/remote.git/hooks/pre-receive"
    gate 0 run --state branch
    held cooldown "1.0@"
    assert_has "$err" "git push: the remote refuses it: [remote rejected]"
    assert_has pingate-out/report.md "is not recorded, so cooldowns get longer"
    git remote set-url origin "$work/gone.git"
    gate 0 run --state branch
    assert_has "$err" 'this clone has no remote "origin" that can be read; every candidate counts as first seen now'
}

@test "two runs at once lose nothing: in a folder, and on a branch" {
    local other here i first second
    project 'state: {branch: pingate-state}' 'cooldown: 3d'
    build 2 >/dev/null
    here=$app
    with_remote
    name_of_test
    make_image "$name:2.0" /release=1 >/dev/null
    other=$(image "$name")
    git clone -q "$work/remote.git" "$work/other"
    echo "FROM $other:2.0@$(make_image "$name:2.0" /release=2)" >"$work/other/Dockerfile"
    make_image "$name:2.0" /release=3 >/dev/null
    for i in 1 2 3; do
        first=0 second=0
        pingate status --state branch >"$out" 2>"$err" &
        pingate status -C "$work/other" --state branch >"$work/out2" 2>"$work/err2" || second=$?
        wait $! || first=$?
        [ "$first$second" = 00 ] || { cat "$err" "$work/err2"; return 1; }
        git fetch -q origin pingate-state
        git show FETCH_HEAD:sightings.jsonl >"$work/seen"
        assert_has "$work/seen" "$here"
        assert_has "$work/seen" "$other"
        git push -q origin :pingate-state
        # The same two with a folder that they share.
        pingate status --state "$work/shared$i" >"$out" 2>"$err" &
        pingate status -C "$work/other" --state "$work/shared$i" >"$work/out2" 2>"$work/err2" || second=$?
        wait $! || first=$?
        [ "$first$second" = 00 ] || { cat "$err" "$work/err2"; return 1; }
        cmp "$work/seen" <(sed 's/"time":"[^"]*"/"time":""/' "$work/shared$i/sightings.jsonl") 2>/dev/null ||
            diff <(sed 's/"time":"[^"]*"//' "$work/seen") <(sed 's/"time":"[^"]*"//' "$work/shared$i/sightings.jsonl")
    done
}
