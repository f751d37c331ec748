# Files that tests leave in their workspace, fetched out of real containers: what is wanted, also when the test failed, and nothing
# that a hostile image would like to have on this machine.
load helpers

# A project whose only image has a newer version; the test of it is given on standard input.
project() {
    name=artifacts/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    make_image "$name:1.1.0" /version=two >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    echo source >source.txt
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

# What is below the folder: "TYPE MODE NAME" of each, sorted.
assert_files() { # FOLDER LINE…
    local folder=$1
    shift
    diff <(printf '%s\n' "$@") <(cd "$folder" && find . -mindepth 1 -printf '%y %m %P\n' | LC_ALL=C sort) && return 0
    echo "(left: expected, right: below $folder)"
    return 1
}

result() { # JQ-EXPRESSION
    assert_json pingate-out/result.json "$1"
}

@test "artifacts of a test that passed and of one that failed; those of the run before are gone" {
    project <<'END'
  - name: makes reports
    run:
      - 'mkdir -p build/report/img; echo page >build/report/index.html; echo pixel >build/report/img/a.png; echo other >build/other'
      - 'cp /version out.txt; chmod 4755 out.txt; cat /version; test "$(cat /version)" = one'
    artifacts: ["build/report/**", out.txt]
END
    mkdir -p pingate-out/artifacts/001-of-the-run-before pingate-out/artifacts/of-mine
    gate 1 run
    assert_files pingate-out/artifacts \
        'd 755 001-makes-reports' 'd 755 001-makes-reports/build' 'd 755 001-makes-reports/build/report' \
        'd 755 001-makes-reports/build/report/img' 'd 755 002-makes-reports' 'd 755 002-makes-reports/build' \
        'd 755 002-makes-reports/build/report' 'd 755 002-makes-reports/build/report/img' 'd 755 of-mine' \
        'f 644 001-makes-reports/build/report/img/a.png' 'f 644 001-makes-reports/build/report/index.html' \
        'f 644 001-makes-reports/out.txt' 'f 644 002-makes-reports/build/report/img/a.png' \
        'f 644 002-makes-reports/build/report/index.html' 'f 644 002-makes-reports/out.txt'
    [ "$(cat pingate-out/artifacts/00[12]-makes-reports/out.txt)" = "$(printf 'two\none')" ]
    result '.warnings == [] and [.trials[] | .outcome, .artifact_count, .artifact_bytes] == ["failed", 3, 15, "passed", 3, 15]'
    result '.trials[0] | .artifact_folder == "artifacts/001-makes-reports" and (.artifacts | sort) ==
        ["build/report/img/a.png", "build/report/index.html", "out.txt"]'
    assert_has pingate-out/report.md 'Artifacts: 3 files (1 kB) in `artifacts/001-makes-reports`'
    assert_has "$out" 'pingate-out/artifacts/001-makes-reports (3 files)'
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
    assert_unchanged
    sed -i 's/= one/= two/' pingate.yaml && commit
    gate 0 run
    assert_has pingate-out/report.md 'Artifacts of 1 test run'
    [ "$(ls pingate-out/artifacts)" = "$(printf '001-makes-reports\nof-mine')" ]
}

@test "what no pattern takes is not fetched; what is lacking is told and changes no outcome" {
    project <<'END'
  - {name: nothing, run: "mkdir d; echo x >d/file; : >d/.hidden", artifacts: [report.xml, "build/**/*.xml", "d/file/below", "d/*"]}
END
    gate 0 run
    assert_files pingate-out/artifacts 'd 755 001-nothing' 'd 755 001-nothing/d' 'f 644 001-nothing/d/.hidden' 'f 644 001-nothing/d/file'
    result '(.warnings | length) == 3 and (.warnings | all(test("^artifacts of nothing on .*: no file matches ")))'
    result '.trials[0].outcome == "passed" and .changed'
    assert_has pingate-out/report.md 'no file matches report.xml'
}

@test "the whole workspace, its links to places of this machine left out" {
    project <<'END'
  - name: links
    # Podman 5 gives no right to make a device
    run: |
      ln -s /etc/hostname hostname; ln -s / root; ln -s ../../../../../../tmp up; ln out.txt hard 2>/dev/null || :
      echo x >out.txt; ln out.txt hard; mkfifo fifo; mknod null c 1 3 2>&1 || mkfifo null; mkdir -p a/b; ln -s a c; echo y >a/b/y
      printf '%s' n >"$(printf 'new\nline')"; printf '%s' e >"$(printf 'esc\033[31m')"; printf '%s' b >"$(printf '\377\376')"
    artifacts: "**"
END
    gate 0 run
    assert_files pingate-out/artifacts/001-links 'd 755 a' 'd 755 a/b' 'f 644 Dockerfile' 'f 644 a/b/y' 'f 644 out.txt' \
        'f 644 pingate.yaml' 'f 644 source.txt' || assert_files pingate-out/artifacts/001-links 'd 755 a' 'd 755 a/b' \
        'f 644 Dockerfile' 'f 644 a/b/y' 'f 644 hard' 'f 644 pingate.yaml' 'f 644 source.txt'
    result '.warnings | length == 1'
    result '.warnings[0] | test("left out: 5 links, 2 devices, fifos or sockets, 3 names that are no paths; only regular files")'
    result '.trials[0].outcome == "passed"'
}

@test "the place itself is a link, or the workspace is gone" {
    project <<'END'
  - {name: report is a link, run: "mkdir real; echo x >real/x; ln -s real report", artifacts: [report/]}
  - {name: all is gone, run: "cd /; rm -rf /pingate/workspace; ln -s /etc /pingate/workspace", artifacts: "**"}
  - {name: a file it is, run: "rm -rf /pingate/workspace; echo x >/pingate/workspace", workdir: /, artifacts: ["**", "a/b"]}
END
    gate 0 run
    result '[.trials[] | .outcome] == ["passed", "passed", "passed"]'
    result '.trials | all(.artifact_folder == null)'
    result '[.warnings[] | capture("artifacts of (?<t>.*) on [^:]*:.*: (?<w>left out: 1 link|no file matches.*|.*could not be.*)") | .t] | unique |
        length == 3'
    [ -z "$(find pingate-out/artifacts -type f -o -type l)" ]
}

@test "floods: very many files, a large one, a sparse one of a terabyte" {
    project <<'END'
  - name: many
    run: 'mkdir m; cd m; i=0; while [ $i -lt 10100 ]; do : >$i; i=$((i + 1)); done'
    artifacts: m/
  - name: large
    run: 'dd if=/dev/zero of=large bs=1M count=300 2>/dev/null; echo small >small'
    artifacts: [large, small]
  - name: sparse
    run: 'dd if=/dev/zero of=sparse bs=1 count=1 seek=1099511627775 2>/dev/null; echo small >small'
    artifacts: [small, sparse]
END
    gate 0 run
    result '[.trials[] | .outcome] == ["passed", "passed", "passed"] and .changed'
    result '.trials[] | select(.test == "many") | .artifact_count == 10000 and (.artifacts | length) == 200'
    result '.warnings | any(test("^artifacts of many.*too many files"))'
    [ "$(find pingate-out/artifacts/*-many -type f | wc -l)" -eq 10000 ]
    [ "$(stat -c %s pingate-out/artifacts/*-large/large)" -eq $((256 << 20)) ]
    result '.warnings | any(test("^artifacts of large.*: 1 file was cut off: a file may have 256 MiB"))'
    [ "$(cat pingate-out/artifacts/*-large/small pingate-out/artifacts/*-sparse/small)" = "$(printf 'small\nsmall')" ]
    result '.warnings | any(test("^artifacts of sparse.*: sparse could not be fetched whole: more than 2048 MiB came"))'
    [ "$(find pingate-out/artifacts/*-sparse -name sparse -size +256M)" = "" ]
}

@test "a test that hangs, one that was never started, and a link that the project brings along" {
    project <<'END'
  - {name: hangs, run: "echo before >out.txt; while :; do echo more >>out.txt; sleep 0.1; done", timeout: 2s, artifacts: out.txt}
  - {name: lacks, run: ["echo before >out.txt", ["/no/such/program"]], artifacts: out.txt}
END
    gate 1 run
    result '[.trials[] | select(.baseline | not) | .outcome, .artifacts] == ["timed-out", ["out.txt"], "failed", ["out.txt"]]'
    [ "$(cat pingate-out/artifacts/*-lacks/out.txt | sort -u)" = before ]
    rm -rf pingate-out/artifacts
    mkdir "$work/elsewhere"
    ln -s "$work/elsewhere" pingate-out/artifacts
    gate 3 run
    assert_has "$err" 'artifacts is a link'
    [ -z "$(ls "$work/elsewhere")" ]
}
