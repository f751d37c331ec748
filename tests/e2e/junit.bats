# JUnit files that tests write in their workspace: what they tell counts, whatever the exit status was, and what hostile images make
# of them does no harm. bats writes some of them itself.
load helpers

# A project whose only image has a newer version; its tests are given on standard input.
project() {
    name=junit/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    make_image "$name:1.1.0" /version=two >/dev/null
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

result() { # JQ-EXPRESSION
    assert_json pingate-out/result.json "$1"
}

# What bats makes of a suite with a failure that comes with the newer image, a skipped test and a special character.
real_report() { # FILE VERSION
    mkdir -p "$work/suite"
    printf '@test "says <hello> & more" { true; }\n@test "version" { [ %s = one ]; }\n@test "later" { skip "not here"; }\n' "$2" \
        >"$work/suite/image.bats"
    # With nothing of the bats that runs this file, not even its PATH.
    (cd "$work/suite" && env -i PATH=/usr/bin:/bin HOME="$work" TMPDIR="$work" bats --formatter junit image.bats) \
        >"$work/report.xml" || :
    assert_has "$work/report.xml" '<testcase '
    cp "$work/report.xml" "$1"
}

@test "a real runner's report makes the failure whose exit status was lost in a pipe" {
    project <<'END'
  - {name: unit, run: 'mkdir -p out; cat "reports/$(cat /version).xml" | tee out/junit.xml >/dev/null', junit: ["out/*.xml"]}
END
    mkdir reports
    real_report reports/one.xml one
    real_report reports/two.xml two
    commit
    gate 1 run
    result '.updates[0] | .verdict == "reject" and .code == "regression"'
    result '[.trials[] | .baseline, .outcome] == [false, "failed", true, "passed"]'
    result '.trials[0].reason | startswith("junit: 1 of 3 tests failed: first \"version\": ")'
    result '[.trials[0].commands[].outcome] == ["passed"]'
    result '.trials[0].suites | length == 1 and (.[0] | .file == "out/junit.xml" and [.tests, .failed, .errors, .skipped, .flaky] == [3, 1, 0, 1, 0])'
    result '[.trials[0].suites[0].cases[] | .name, .outcome] ==
        ["version", "failed", "later", "skipped", "says <hello> & more", "passed"]'
    result '.trials[0].artifact_folder == "artifacts/001-unit" and .trials[0].artifacts == ["out/junit.xml"]'
    cmp pingate-out/artifacts/001-unit/out/junit.xml reports/two.xml
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
    xmllint --noout --nonet --schema "$tests/data/junit.xsd" pingate-out/junit.xml
    assert_has pingate-out/junit.xml 'name="says &lt;hello&gt; &amp; more"'
    assert_has "$out" '1 of 3 tests failed'
    assert_unchanged
    real_report reports/two.xml one
    commit
    gate 0 run
    result '.changed and .trials[0].outcome == "passed" and .trials[0].suites[0].failed == 0'
}

@test "nothing proves that tests ran: no file, an old file of the project, none that passed, no JUnit" {
    project <<'END'
  - {name: no file, run: ":", junit: "out/*.xml"}
  - {name: one of two, run: "mkdir out; cp ok.txt out/a.xml", junit: ["out/*.xml", more.xml]}
  - {name: an old file, run: ":", junit: old.xml}
  - {name: skipped, run: 'echo "<testsuite><testcase name=\"a\"><skipped/></testcase></testsuite>" >a.xml', junit: a.xml}
  - {name: no junit, run: 'head -c 40 ok.txt >a.xml', junit: a.xml}
  - {name: a link, run: 'cp ok.txt real.xml; ln -s real.xml a.xml', junit: "*.xml"}
END
    echo '<testsuite name="s"><testcase classname="c" name="ok"/></testsuite>' | tee old.xml >ok.txt
    commit
    gate 1 run --promote passing
    result '[.trials[] | select(.baseline | not) | {(.test): [.outcome, .reason]}] | add | to_entries | all(.value[0] == "failed")'
    result '[.trials[] | select(.baseline | not) | {(.test): .reason}] | add |
        .["no file"] == "no JUnit file matched out/*.xml: nothing proves that tests ran" and
        .["one of two"] == "no JUnit file matched more.xml: nothing proves that tests ran" and
        (.["an old file"] | test("no JUnit file matched old.xml but what came with the project")) and
        (.skipped | test("no test ran and passed in the files that match a.xml")) and
        (.["no junit"] | test("a.xml cannot be read as JUnit: 1:[0-9]+: ")) and
        (.["a link"] | test("1 of the files that were asked for is a link"))'
    result '.updates[0].verdict == "reject" and (.changed | not)'
}

@test "of a test that failed anyway the files are told, and what is wrong with them is a warning" {
    project <<'END'
  - {name: told, run: 'cp bad.txt a.xml; cat /version; test "$(cat /version)" = one', junit: a.xml}
  - {name: broken, run: 'echo "<x" >a.xml; echo fetched >out.txt; test "$(cat /version)" = one', artifacts: out.txt, junit: [a.xml, b.xml]}
END
    echo '<testsuites><testsuite name="s"><testcase name="bad"><failure message="why">deep</failure></testcase></testsuite></testsuites>' >bad.txt
    commit
    gate 1 run
    result '[.trials[] | select(.baseline | not) | .reason] | all(test("^command 1 of 1"))'
    result '.trials[] | select(.test == "told" and (.baseline | not)) | .suites[0].cases == [{"classname": null, "name": "bad",
        "outcome": "failed", "message": "why", "detail": "deep", "duration_ms": 0}]'
    # on the pinned digest the command passes and the file says no: already broken
    result '.updates[0].code == "already-broken"'
    result '[.warnings[] | select(test("^broken on .*: junit: a.xml cannot be read as JUnit: "))] | length >= 1'
    result '[.warnings[] | select(test("^broken on .*: no JUnit file matched b.xml"))] | length >= 1'
    [ "$(cat pingate-out/artifacts/*-broken/out.txt | sort -u)" = fetched ]
}

@test "hostile files: entities, a million cases, escapes in names, links that lead out" {
    project <<'END'
  - name: entities
    run: |
      printf '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]><testsuite>&b;&c;</testsuite>' >a.xml
    junit: a.xml
  - name: a million
    run: 'printf "<testsuite>" >a.xml; i=0; while [ $i -lt 10 ]; do cat chunk; i=$((i + 1)); done >>a.xml; printf "</testsuite>" >>a.xml'
    junit: a.xml
  - name: escapes
    run: 'printf "<testsuite name=\"::error::x\"><testcase name=\"##[error]&#10;/merge @all\"><failure message=\"]]&gt;&lt;b&gt;&#10;::stop-commands::x\">a&#10;/close</failure></testcase></testsuite>" >a.xml'
    junit: a.xml
  - {name: leads out, run: 'mkdir d; ln -s /etc/passwd d/a.xml; ln -s ../../../../etc d/e; mkfifo d/b.xml; mkdir d/c.xml', junit: "d/**"}
END
    awk 'BEGIN { for (i = 0; i < 100000; i++) print "<testcase name=\"n\"/>" }' >chunk
    commit
    gate 1 run --promote passing
    result '[.trials[] | select(.baseline | not) | {(.test): .reason}] | add |
        (.entities | test("a document type")) and
        (.escapes | startswith("junit: 1 of 1 test failed: first \"##[error] /merge @all\": ")) and
        (.["leads out"] | test("3 of the files that were asked for are a link, a device"))'
    result '.trials[] | select(.test == "a million" and (.baseline | not)) | .outcome == "passed" and .suites[0].tests == 1000000 and
        (.suites[0].cases | length) == 10000'
    ! grep -rq root: pingate-out || false
    [ -z "$(find pingate-out -type l -o -type p)" ]
    ! grep -nE '^[[:space:]]*::|##\[' pingate-out/junit.xml "$out" "$err" || false
    [ "$(wc -c <pingate-out/junit.xml)" -lt 30000000 ]
    xmllint --noout --nonet --schema "$tests/data/junit.xsd" pingate-out/junit.xml
    "$tests/schemas.sh" result "$PWD/pingate-out/result.json"
}
