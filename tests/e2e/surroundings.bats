# What a test says of the container that its commands run in: each key does what it says, on a real engine; and what the caller did
# not grant, or granted as a secret, is nowhere.
load helpers

# A project whose only image has a newer version; its tests are given on standard input. IMAGE_CONFIG counts.
project() { # [FILE…]: of the image
    name=surroundings/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one "$@")
    # shellcheck disable=SC2034 # the tests'
    new=$(make_image "$name:1.1.0" /version=two "$@")
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

# pingate with variables of the caller's.
with() { # NAME=VALUE… -- EXPECTED-STATUS ARGUMENT…
    caller_variables=()
    while [ "$1" != -- ]; do
        caller_variables+=("$1")
        shift
    done
    shift
    gate "$@"
}

result() { # JQ-EXPRESSION
    assert_json pingate-out/result.json "$1"
}

all_passed() {
    result '[.trials[] | select(.baseline | not) | .outcome] | length > 0 and all(. == "passed")'
}

passes() { # the tests on standard input
    project
    gate 0 run
    all_passed
}

# Of each test the candidate fails, and the logs have the text.
fails() { # [TEXT]; the tests on standard input
    project
    gate 1 run
    assert_unchanged
    result '[.trials[] | select(.baseline | not) | .outcome] | length > 0 and all(. == "failed")'
    [ $# -eq 0 ] || grep -rqF -- "$1" pingate-out/logs
}

# None of the files holds the text; a whole folder may be named.
assert_nowhere() { # TEXT FILE…
    local found
    found=$(grep -rlF -- "$@") || [ $? -eq 1 ] || return 1
    [ -n "$found" ] || return 0
    printf '%s is in: %s\n' "$1" "$found"
    return 1
}

# secrets

@test "a secret is a file for the user of the container, and its value is nowhere else" {
    sum=$(printf %s s3cr3t-Value/42 | sha256sum)
    project <<END
  - name: reads
    secrets: [TOKEN, {name: KEY, file: /run/secrets/id_key}]
    user: "1000:1000"
    run:
      - test "\$(sha256sum </run/secrets/TOKEN)" = "$sum"; test "\$(stat -c '%a %u' /run/secrets/TOKEN)" = '400 1000'; grep -x 'MIIE.*EA' /run/secrets/id_key
      - if echo x >/run/secrets/new; then exit 1; fi; if env | grep TOKEN; then exit 2; fi; test -s /run/secrets/TOKEN
END
    printf '%s\n' '-----BEGIN KEY-----' MIIEowIBAAKCAQEA '-----END KEY-----' >"$work/key"
    with TOKEN=s3cr3t-Value/42 -- 0 run --allow-secret TOKEN --allow-secret "KEY=$work/key"
    all_passed
    assert_nowhere s3cr3t-Value pingate-out "$out" "$err"
    assert_nowhere MIIEowIBAAKCAQEA pingate-out "$out" "$err"
    grep -rqxF '***' pingate-out/logs # what grep printed
}

@test "a secret belongs to the user that the image names" {
    passwd=$'root:x:0:0:root:/:/bin/sh\napp:x:1234:5:An app:/:/bin/sh'
    IMAGE_CONFIG='{"User":"app"}' project "/etc/passwd=$passwd" <<'END'
  - {name: named, secrets: TOKEN, run: "test \"$(id -u)\" = 1234; test \"$(stat -c '%a %u' /run/secrets/TOKEN)\" = '400 1234'; test -r /run/secrets/TOKEN"}
  - {name: another, secrets: TOKEN, user: "4321:4321", run: "test \"$(stat -c '%a %u' /run/secrets/TOKEN)\" = '400 4321'; test -r /run/secrets/TOKEN"}
  - {name: root, secrets: TOKEN, user: root, profile: strict, run: "test \"$(cat /run/secrets/TOKEN)\" != ''"}
END
    with TOKEN=s3cr3t-Value/42 -- 0 run --allow-secret TOKEN
    all_passed
}

@test "while a test runs, its secret is on no disk, and in nothing that the engine tells" {
    project <<<'  - {name: sleeps, secrets: TOKEN, run: "test -s /run/secrets/TOKEN; sleep 3"}'
    caller_variables=(TOKEN=s3cr3t-Value/42)
    start_run --allow-secret TOKEN
    two_run() { [ "$(engine GET /containers/json | jq length)" -ge 2 ]; }
    wait_until 20 two_run
    for id in $(engine GET '/containers/json?all=1' | jq -r '.[].Id'); do
        engine GET "/containers/$id/json" >>"$work/told"
    done
    engine GET /volumes >>"$work/told"
    engine GET '/containers/json?all=1' >>"$work/told"
    data=$(dirname "${PINGATE_TEST_ENGINE#unix://}")
    find "$data" -xdev -type f -exec grep -lF s3cr3t-Value {} + >"$work/found" || true
    tr '\0' '\n' <"/proc/$(pgrep -P "$run")/cmdline" >>"$work/told"
    wait "$run"
    [ -s "$work/told" ]
    assert_nowhere s3cr3t-Value "$work/told"
    assert_nowhere / "$work/found"
    all_passed
}

# How other programs write the secret, one form a line.
forms_of() { # FILE
    /usr/bin/python3 - "$1" <<'END'
import base64, html, json, shlex, sys, urllib.parse
secret = open(sys.argv[1]).read()
raw = secret.encode()
forms = [secret, raw.hex(), raw.hex().upper(), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret),
         urllib.parse.quote(secret), urllib.parse.quote(secret, safe="!'()*"), json.dumps(secret)[1:-1],
         json.dumps(secret)[1:-1].replace("/", "\\/"), html.escape(secret), html.escape(secret, quote=False), shlex.quote(secret)[1:-1],
         secret.replace("'", "'\\''")]
for before in ("", "u", "us", "user:"):
    whole = (before + secret).encode()
    shared = -(-len(before) * 4 // 3)  # characters that what comes before has a part in
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        forms.append(code(whole).decode().rstrip("=")[shared:])
print("\n".join(dict.fromkeys(forms)))
END
}

@test "a secret that a test prints, in whatever encoding and however cut, is in no report, log or line" {
    secret='p@ss"w0rd'\''&<x>/42 $y\z'
    printf '%s' "$secret" >"$work/secret"
    forms_of "$work/secret" >"$work/forms"
    [ "$(wc -l <"$work/forms")" -ge 15 ]
    awk '{printf "[%s]\n", $0}' "$work/forms" >"$work/shown"
    project "/forms@$work/shown" <<'END'
  - name: prints
    secrets: PASSWORD
    run: |
      cat /run/secrets/PASSWORD; cat /forms; cat /forms >&2
      base64 /run/secrets/PASSWORD | fold -w 7; echo; xxd -p /run/secrets/PASSWORD
      dd if=/dev/zero bs=16380 count=1 2>/dev/null | tr '\0' x; cat /run/secrets/PASSWORD; echo
      for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do
        dd if=/run/secrets/PASSWORD bs=1 skip=$((n - 1)) count=1 2>/dev/null
      done
      echo; echo end of it; exit 1
END
    with PASSWORD="$secret" -- 1 run --allow-secret PASSWORD
    result '.trials[0] | .outcome == "failed" and .commands[0].exit_code == 1'
    grep -qxF 'end of it' pingate-out/logs/*prints/1-stdout.log
    # whatever is between the brackets, and for base64 what belongs to the neighbour
    [ "$(grep -cxF '[***]' pingate-out/logs/001-prints/1-stderr.log)" -ge 13 ]
    jq -r '.. | strings' pingate-out/result.json >"$work/strings"
    cat pingate-out/logs/*/*.log | tr -d '\n' >"$work/joined"
    while IFS= read -r form; do
        assert_nowhere "$form" pingate-out "$out" "$err" "$work/strings" "$work/joined"
    done <"$work/forms"
}

@test "what a test's JUnit files tell of a secret is in no report" {
    project <<'END'
  - name: tells
    secrets: TOKEN
    junit: out.xml
    run: |
      token=$(cat /run/secrets/TOKEN); coded=$(base64 /run/secrets/TOKEN)
      echo "<testsuite name='s $token'><testcase classname='$coded' name='is $token'><failure message='not $token'>at $coded</failure></testcase></testsuite>" >out.xml
END
    with TOKEN=s3cr3t-Value/42 -- 1 run --allow-secret TOKEN
    result '.trials[0].suites[0] | .name == "s ***" and (.cases[0] | .name == "is ***" and .message == "not ***" and .classname == "***")'
    rm -r pingate-out/artifacts # files that were fetched are as the test wrote them
    for form in s3cr3t-Value "$(printf %s s3cr3t-Value/42 | base64)"; do
        assert_nowhere "$form" pingate-out "$out" "$err"
    done
}

@test "what the caller did not grant ends the run before anything is tested" {
    project <<'END'
  - {name: wants, secrets: [TOKEN], environment: {STAGE: {from: DEPLOY_STAGE}}, run: "true"}
END
    with TOKEN=s3cr3t-Value/42 DEPLOY_STAGE=x -- 2 run
    assert_has "$err" 'pingate.yaml:4: test "wants" asks for DEPLOY_STAGE of your environment, which you did not grant: add --allow-env DEPLOY_STAGE'
    with TOKEN=s3cr3t-Value/42 DEPLOY_STAGE=x -- 2 run --allow-env DEPLOY_STAGE
    assert_has "$err" 'asks for the secret TOKEN, which you did not grant: add --allow-secret TOKEN'
    result '.trials == [] and .exit_status == 2 and .engine == null'
    assert_unchanged
    with -- 2 run --allow-env DEPLOY_STAGE --allow-secret TOKEN
    assert_has "$err" 'your environment has no DEPLOY_STAGE'
    with DEPLOY_STAGE=x TOKEN= -- 2 run --allow-env DEPLOY_STAGE --allow-secret TOKEN
    assert_has "$err" 'has no TOKEN, or an empty one; CI systems hide secrets from pull requests of forks'
    with DEPLOY_STAGE=x TOKEN=abc -- 2 run --allow-env DEPLOY_STAGE --allow-secret TOKEN
    assert_has "$err" 'secret TOKEN has 3 bytes'
    with DEPLOY_STAGE=x -- 2 run --allow-env DEPLOY_STAGE --allow-secret TOKEN=/no/such/file
    assert_has "$err" '--allow-secret TOKEN=/no/such/file'
    with -- 2 run --allow-env A=B
    assert_has "$err" '"A=B" is no name'
    with DEPLOY_STAGE=x TOKEN=s3cr3t-Value/42 -- 0 run --allow-env DEPLOY_STAGE --allow-secret TOKEN
}

@test "a variable of the caller's arrives where it is granted, and no other does" {
    project <<'END'
  - {name: gets, environment: {STAGE: {from: DEPLOY_STAGE}, OWN: "1"}, run: "test \"$STAGE $OWN\" = 'a b 1'; if env | grep -e OTHER -e DEPLOY; then exit 1; fi"}
END
    with DEPLOY_STAGE='a b' OTHER=x -- 0 run --allow-env DEPLOY_STAGE --allow-env OTHER
    all_passed
}

@test "another value of a granted variable can fail the test" {
    project <<<'  - {name: gets, environment: {STAGE: {from: DEPLOY_STAGE}}, run: "test \"$STAGE\" = good"}'
    with DEPLOY_STAGE=bad -- 1 run --allow-env DEPLOY_STAGE
    assert_unchanged
}

# profiles, places, limits

@test "the strict profile drops all capabilities and keeps the root from being written" {
    passes <<'END'
  - {name: strict, profile: strict, run: ["grep -x 'CapEff:.0*' /proc/self/status; grep -x 'NoNewPrivs:.1' /proc/self/status; if touch /x; then exit 1; fi", "echo ok >made; printf '#!/bin/sh\\n' >/tmp/run; chmod +x /tmp/run; /tmp/run", "grep -x ok made"]}
  - {name: usual, run: "if grep -x 'CapEff:.0*' /proc/self/status; then exit 1; fi; grep -x 'NoNewPrivs:.1' /proc/self/status; touch /x"}
END
}

@test "what needs to write its root fails in the strict profile" {
    fails 'Read-only file system' <<<'  - {name: strict, profile: strict, run: "echo x >/etc/x"}'
}

@test "a tmpfs takes programs, unless it is noexec, and has its size and mode" {
    passes <<'END'
  - {name: tmpfs, tmpfs: [/tmp, "/scratch:size=1MiB,mode=700,noexec"], run: "printf '#!/bin/sh\\n' >/tmp/a; cp /tmp/a /scratch/a; chmod +x /tmp/a /scratch/a; /tmp/a; if /scratch/a; then exit 1; fi; test \"$(stat -c %a /tmp /scratch | tr '\\n' ' ')\" = '1777 700 '; grep ' /scratch tmpfs ' /proc/mounts | grep size=1024k"}
END
}

@test "a tmpfs that is full fails its test" {
    fails 'No space left' <<<'  - {name: full, tmpfs: "/scratch:size=64KiB", run: "dd if=/dev/zero of=/scratch/a bs=64k count=2"}'
}

@test "shm is that of the test" {
    passes <<<"  - {name: shm, shm: 8MiB, run: \"grep ' /dev/shm ' /proc/mounts | grep size=8192k\"}"
}

@test "ulimits are those of the test" {
    passes <<'END'
  - {name: limits, ulimits: {nofile: 200, core: 0, stack: {soft: 1048576, hard: 2097152}}, run: "test \"$(ulimit -n) $(ulimit -c) $(ulimit -s) $(ulimit -H -s)\" = '200 0 1024 2048'"}
END
}

@test "what goes over a limit fails" {
    fails <<'END'
  - {name: files, ulimits: {nofile: 16}, run: "exec 20</dev/null; echo not reached"}
  - {name: processes, pids: 8, run: "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo not reached"}
  - {name: shared, shm: 1MiB, run: "dd if=/dev/zero of=/dev/shm/a bs=1M count=2; echo not reached"}
END
    assert_nowhere 'not reached' pingate-out/logs
}

# entrypoint

@test "the image's entrypoint is cleared, kept, or replaced" {
    IMAGE_CONFIG='{"Entrypoint":["/enter","image"],"Cmd":["of","it"]}' project $'/enter=#!/bin/sh\necho "$@" >>/pingate/workspace/said; shift; exec "$@"' <<'END'
  - {name: cleared, entrypoint: clear, run: ["test ! -e said", [test, "!", -e, said]]}
  - {name: kept, entrypoint: keep, run: [[test, a, "=", a], "grep -x 'image test a = a' said"]}
  - {name: replaced, entrypoint: [/enter, words, env, A=1], run: ["test $A = 1; grep -x 'words env A=1 sh -ec .*' said", [sh, -c, "exit $((1 - A))"]]}
END
    gate 0 run
    all_passed
}

@test "a kept entrypoint that refuses its arguments fails the test" {
    IMAGE_CONFIG='{"Entrypoint":["/bin/sh","-c","exit 9"]}' fails <<<'  - {name: kept, entrypoint: keep, run: "true"}'
    result '.trials[0].commands[0].exit_code == 9'
}

# users and the workspace

@test "the image's user may write in the workspace, and what is there" {
    IMAGE_CONFIG='{"User":"1000"}' project <<'END'
  - {name: writes, run: ["test \"$(id -u)\" = 1000; echo a >made; echo b >>tree/file; mkdir tree/new; sh tree/program", "grep -x b tree/file; rm -r tree"]}
  - {name: strict, profile: strict, run: ["echo a >made; echo b >>tree/file", "rm -r tree made"]}
END
    mkdir tree && touch tree/file && printf 'exit 0\n' >tree/program && chmod 755 tree/program && commit
    gate 0 run
    all_passed
}

@test "what one image's user made, another's may change" {
    project <<'END'
  - name: passes on
    images: [CANDIDATE]
    run:
      - "umask 077; mkdir -p made/deep; echo one >made/deep/file; ln -s /etc/passwd made/link; printf '#!/bin/sh\nexit 0\n' >made/run; chmod 700 made/run"
      - {in: FIRST, command: "test \"$(id -u)\" = 1000; echo two >>made/deep/file; made/run; rm made/link; umask 077; echo three >made/third"}
      - {in: SECOND, command: "test \"$(id -u)\" = 2000; cat made/third; echo four >>made/deep/file; rm -r made"}
END
    for which in FIRST:1000 SECOND:2000; do
        other=$name/${which#*:}
        digest=$(IMAGE_CONFIG="{\"User\":\"${which#*:}\"}" make_image "$other:1.0.0" "/which=$which")
        echo "FROM $(image "$other"):1.0.0@$digest" >>Dockerfile
        sed -i "s|in: ${which%:*},|in: $(image "$other"),|" pingate.yaml
    done
    sed -i "s|CANDIDATE|$(image "$name")|" pingate.yaml
    commit
    gate 0 run
    all_passed
}

# the line to reproduce

@test "the line that reproduces a command runs it with all of its surroundings" {
    IMAGE_CONFIG='{"Entrypoint":["/bin/false"]}' project <<END
  - name: all
    profile: strict
    platform: linux/$(architecture)
    secrets: [TOKEN, {name: KEY, file: id_key}]
    environment: {STAGE: {from: DEPLOY_STAGE}, WORDS: "it's \$HOME"}
    tmpfs: "/scratch:size=1MiB"
    shm: 8MiB
    ulimits: {nofile: 200}
    user: "1000:1000"
    entrypoint: [env, A=1]
    run: |
      test "\$A \$STAGE \$WORDS" = "1 a b it's \\\$HOME"; id -u; ulimit -n; cat /run/secrets/TOKEN /run/secrets/id_key | wc -c
      grep -e ' /scratch ' -e ' /dev/shm ' /proc/mounts | grep -o size=.* | cut -d , -f 1 | sort; grep CapEff /proc/self/status; cat here
      if touch /x; then exit 1; fi; exit 5
END
    echo 'the workspace' >here && commit
    with TOKEN=s3cr3t-Value/42 KEY=s3cond-Value/43 DEPLOY_STAGE='a b' -- 1 run --allow-secret TOKEN --allow-secret KEY --allow-env DEPLOY_STAGE
    result '.trials[0].commands[0] | .exit_code == 5 and .outcome == "failed"'
    jq -r '.trials[0].commands[0].reproduce' pingate-out/result.json >"$work/line"
    assert_nowhere s3cr3t-Value "$work/line"
    printf %s s3cr3t-Value/42 >"$work/token"
    printf %s s3cond-Value/43 >"$work/key"
    chmod 644 "$work/token" "$work/key"
    chmod 755 "$work"
    docker() { engine_client "$@"; }
    run -127 bash -c "$(cat "$work/line")" # nothing is set
    [[ $output == *'TOKEN_FILE: is to name a file that holds this secret'* ]]
    # shellcheck disable=SC2034 # the line's
    TOKEN_FILE=$work/token KEY_FILE=$work/key DEPLOY_STAGE='a b'
    run --separate-stderr eval "$(cat "$work/line")"
    diff <(echo "$output") pingate-out/logs/001-all/1-stdout.log
    [ "$status" -eq 5 ]
    for id in $(engine GET /images/json | jq -r '.[] | select((.RepoDigests // []) | any(contains("'"$name"'"))) | .Id'); do
        engine DELETE "/images/$id?force=1" >/dev/null
    done
}

# platforms

# A project whose image is an index for two platforms: this machine's, and another one.
project_for() { # OTHER-ARCHITECTURE [FILE…]: files of the other image; its tests on standard input
    name=surroundings/p$BATS_TEST_NUMBER-$RANDOM
    local version own other far=$1
    shift
    for version in 1.0.0 1.1.0; do
        own=$(make_image "$name:own-$version" "/version=$version" /platform=own)
        other=$(IMAGE_ARCHITECTURE=$far make_image "$name:other-$version" "/version=$version" "/platform=$far" "$@")
        index[${version//[!0-9]/}]=$(make_index "$name:$version" "linux/$(architecture)=$own" "linux/$far=$other")
    done
    new_project
    echo "FROM $(image "$name"):1.0.0@${index[100]}" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

@test "a test for another platform runs its image of the index, beside the own one" {
    # The kernel of most machines takes the programs of this image, whatever it is said to be for.
    project_for 386 <<'END'
  - {name: own, run: "grep -x own /platform"}
  - {name: other, platform: linux/386, secrets: TOKEN, run: ["grep -x 386 /platform; test -s /run/secrets/TOKEN", "grep -q sha256 /proc/1/environ"]}
  - {name: again, run: "grep -x own /platform"}
END
    with TOKEN=s3cr3t-Value/42 -- 0 run --allow-secret TOKEN
    all_passed
    result '[.trials[].platform] | sort == ["linux/386", "linux/'"$(architecture)"'", "linux/'"$(architecture)"'"]'
    result '[.trials[].commands[].image | endswith("'"${index[110]}"'")] | all'
    grep -q "1.1.0@${index[110]}" Dockerfile
}

@test "a platform that the engine cannot run is an error that says so, and no failed candidate" {
    # A program for another machine: its header says so, which is all that a kernel looks at.
    cp "$(command -v busybox)" "$work/busybox"
    printf '\026\000' | dd of="$work/busybox" bs=1 seek=18 conv=notrunc status=none
    project_for s390x "/bin/busybox@$work/busybox" <<<'  - {name: far, platform: linux/s390x, run: "true"}'
    gate 3 run
    assert_unchanged
    result '.trials[0] | .outcome == "error" and .platform == "linux/s390x" and (.reason | contains("no emulation for linux/s390x"))'
}

@test "a candidate without an image for the test's platform fails" {
    project_for 386 <<<'  - {name: far, platform: linux/riscv64, run: "true"}'
    gate 1 run
    assert_unchanged
    result '.trials[0] | .outcome == "failed" and (.reason | contains("linux/riscv64"))'
}
