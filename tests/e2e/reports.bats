# What the reports promise, kept: the lines to reproduce can be pasted, any report can be drawn again.
# bats file_tags=reports
load helpers

rejected_run() {
    name=e2e/r$BATS_TEST_NUMBER-$RANDOM
    new_project
    old=$(make_image "$name/app:1.0.0" /version=1)
    make_image "$name/app:1.1.0" /version=2 >/dev/null
    echo "FROM $(image "$name/app"):1.0.0@$old" >Dockerfile
    cat >pingate.yaml <<'END'
version: 1
updates: [{images: ["**"], policy: minor}]
tests:
  - name: contract
    run: ["test -e Dockerfile && echo \"it's $PINGATE_TAG\" >&2 && grep 1 /version"]
END
    commit
    gate 1 run --dry-run
}

shell_block() { # NUMBER: the lines of that block of report.md, as they are copied
    awk -v number="$1" '/^```sh$/ {seen++; next} /^```$/ {inside = 0} {if (seen == number && !closed) print} /^```$/ {closed = seen == number}' \
        pingate-out/report.md | grep -v '^```$'
}

pasted() { # STATUS FILE
    local status=0
    HOME=$work/home DOCKER_HOST=$PINGATE_TEST_ENGINE PATH=$work/bin:$PATH bash "$2" >"$out" 2>"$err" || status=$?
    [ "$status" -eq "$1" ] || { echo "exit status $status, expected $1" && cat "$out" "$err" && return 1; }
}

@test "the lines to reproduce work when they are pasted" {
    rejected_run
    shell_block 1 >"$work/first"
    assert_has "$work/first" "docker run"
    mkdir "$work/bin"
    ln -s "$(realpath "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}")" "$work/bin/pingate"
    # Who has Podman has its client by this name. Docker's own hangs on Podman 4.3, or tells 0 whatever the command said.
    if engine_is podman; then
        printf '#!/bin/sh\nexec podman --url "$DOCKER_HOST" "$@"\n' >"$work/bin/docker"
        chmod +x "$work/bin/docker"
    fi
    pasted 1 "$work/first"
    assert_has "$err" "it's 1.1.0"
    shell_block 2 >"$work/second"
    assert_has "$work/second" "pingate run --dry-run"
    pasted 1 "$work/second"
    assert_has "$out" "Gate closed"
    engine DELETE "/images/$(image "$name/app")@$(jq -r '.updates[0].candidate_digest' pingate-out/result.json)?force=1" >/dev/null
}

@test "every report is drawn again from result.json, byte for byte" {
    rejected_run
    cp -r pingate-out before
    rm pingate-out/junit.xml pingate-out/report.md pingate-out/pins.diff
    gate 0 report
    for file in result.json junit.xml report.md pins.diff; do cmp "before/$file" "pingate-out/$file"; done
    gate 0 report markdown
    cmp "$out" before/report.md
    gate 0 report junit
    xmllint --noout --nonet --schema "$tests/data/junit.xsd" "$out"
}

@test "a result.json that is none: what is wrong, and where" {
    rejected_run
    local good=pingate-out/result.json row
    bad() { # STATUS WORDS JQ-EXPRESSION
        jq "$3" "$good" >"$work/bad.json"
        gate "$1" report markdown --from "$work/bad.json"
        assert_has "$err" "$2"
        [ ! -s "$out" ]
    }
    bad 2 "version lacks" 'del(.version)'
    bad 2 "version 7" '.version = 7'
    bad 2 "updates[0]: image must be a string" '.updates[0].image = 5'
    bad 2 "updates[0]: digest lacks" 'del(.updates[0].digest)'
    bad 2 "verdict must be the name of a verdict" '.updates[0].verdict = "maybe"'
    bad 2 "trials[0]: updates" '.trials[0].updates = [99]'
    bad 2 "must be an object" '.trials[0].commands[0] = []'
    bad 2 "must be a list of objects" '.updates = {}'
    bad 2 "a whole number" '.exit_status = 99999999999'
    bad 2 "started_ms" '.started_ms = "yesterday"'
    for row in '' '[' '{}{}' 'null' '"x"' '{"version":1,"version":1}'; do
        printf '%s' "$row" >"$work/bad.json"
        gate 2 report --from "$work/bad.json" --output "$work/none"
        assert_has "$err" "bad.json"
        [ ! -e "$work/none" ]
    done
    head -c 100000 /dev/zero | tr '\0' '[' >"$work/bad.json"
    gate 2 report --from "$work/bad.json"
    printf '\377\376' >"$work/bad.json"
    gate 2 report --from "$work/bad.json"
    gate 3 report --from "$work/none.json"
    assert_has "$err" "none.json"
    gate 2 report sarif
    assert_has "$err" "known are json, junit, markdown"
}

@test "pins.diff applies whatever files are called" {
    name=e2e/r$BATS_TEST_NUMBER-$RANDOM
    new_project
    old=$(make_image "$name/app:1.0.0" /version=1)
    make_image "$name/app:1.1.0" /version=2 >/dev/null
    local files=('a file' 'b"quoted"' $'c\nnew line' $'d\ttab' 'e\back' 'grün 日本' '+++ b/x' $'f\e[2J' '##vso[a]' '@everyone')
    for file in "${files[@]}"; do
        mkdir -p "dir/$file"
        printf 'x ##vso[y]\nimage: %s\n' "$(image "$name/app"):1.0.0@$old" >"dir/$file/app.yaml"
    done
    mkdir $'dir/g\xff' # whose name is no text: left alone, and said
    cp 'dir/a file/app.yaml' $'dir/g\xff/app.yaml'
    cat >pingate.yaml <<'END'
version: 1
updates: [{images: ["**"], policy: minor}]
tests: [{name: contract, run: "true"}]
END
    commit
    gate 0 run
    git apply -R --check pingate-out/pins.diff
    git status --porcelain >"$work/status"
    [ "$(grep -c "^ M" "$work/status")" -eq "${#files[@]}" ] || { cat "$work/status"; return 1; }
    xmllint --noout --nonet --schema "$tests/data/junit.xsd" pingate-out/junit.xml
    for file in "$out" "$err" pingate-out/report.md pingate-out/junit.xml pingate-out/result.json; do
        ! LC_ALL=C grep -nE $'##vso\\[|[\e\xff]' "$file" || return 1
    done
    gate 0 scan -v
    assert_has "$err" "its name is not UTF-8"
    [ "$(wc -l <"$out")" -eq "${#files[@]}" ]
    ! LC_ALL=C grep -nE $'##vso\\[|[\e\xff]' "$out" || return 1
}

@test "result.json carries the ends of the output: long ones of what failed, short ones of what passed" {
    name=e2e/r$BATS_TEST_NUMBER-$RANDOM
    new_project
    old=$(make_image "$name/app:1.0.0" /version=1)
    make_image "$name/app:1.1.0" /version=2 >/dev/null
    echo "FROM $(image "$name/app"):1.0.0@$old" >Dockerfile
    cat >pingate.yaml <<'END'
version: 1
updates: [{images: ["**"], policy: minor}]
tests: [{name: contract, run: ["seq 100000", "seq 100000 >&2; grep 1 /version"]}]
END
    commit
    gate 1 run --dry-run
    assert_json pingate-out/result.json '.trials[0].commands[0] | .outcome == "passed" and (.out_tail | length) == 4096'
    assert_json pingate-out/result.json '.trials[0].commands[1] | .outcome == "failed" and (.err_tail | length) == 65536'
    assert_json pingate-out/result.json '.trials[0].commands[0].out_bytes == 588895'
    [ "$(wc -c <pingate-out/logs/001-contract/1-stdout.log)" -eq 588895 ]
    assert_has "$out" "    | 100000"
    [ "$(grep -c '^    | ' "$out")" -eq 8 ]
}
