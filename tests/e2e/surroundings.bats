# What a test says of the container that its commands run in: each key does what it says, on a real engine; and what the caller did
# not grant, or granted as a secret, is nowhere.
load helpers

# A project whose only image has a newer version; its tests are given on standard input. IMAGE_CONFIG counts.
project() {
    name=surroundings/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one "$@")
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
    local variables=()
    while [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    shift
    caller_variables=("${variables[@]}")
    gate "$@"
    caller_variables=()
}

result() { # JQ-EXPRESSION
    assert_json pingate-out/result.json "$1"
}

all_passed() {
    result '[.trials[] | select(.baseline | not) | .outcome] | length > 0 and all(. == "passed")'
}

# The failed trial of that test says so.
failed_with() { # TEST TEXT
    jq -e --arg test "$1" --arg text "$2" \
        'any(.trials[]; .test == $test and .outcome == "failed" and any(.commands[]; (.out_tail // "") + (.err_tail // "") | contains($text)))' \
        pingate-out/result.json >/dev/null && return 0
    jq '.trials[]' pingate-out/result.json
    return 1
}

@test "a secret is a file for the user of the container, and its value is nowhere else" {
    project <<'END'
  - {name: reads, secrets: [TOKEN, {name: KEY, file: /run/secrets/id_key}], user: "1000:1000", run: ["id -u; ls -ln /run/secrets; test \"$(cat /run/secrets/TOKEN)\" = s3cr3t-Value/42; test \"$(stat -c '%a %u' /run/secrets/TOKEN)\" = '400 1000'; grep -q MIIEow /run/secrets/id_key", "! echo x >/run/secrets/new; ! env | grep -q s3cr3t; test -s /run/secrets/TOKEN"]}
END
    printf -- '-----BEGIN KEY-----\nMIIEowIBAAKCAQEA\n-----END KEY-----\n' >"$work/key"
    with TOKEN=s3cr3t-Value/42 -- 0 run --allow-secret TOKEN --allow-secret "KEY=$work/key"
    all_passed
    ! grep -rF MIIEowIBAAKCAQEA pingate-out "$out" "$err"
    ! grep -rF s3cr3t-Value pingate-out "$out" "$err"
}

# A project whose image is an index for two platforms: this machine's, and one that its kernel runs as well (386) or not (s390x).
project_for() { # OTHER-ARCHITECTURE [FILE…]: files of the other image; its tests on standard input
    name=surroundings/p$BATS_TEST_NUMBER-$RANDOM
    local version own other far=$1
    shift
    for version in 1.0.0 1.1.0; do
        own=$(make_image "$name:own-$version" "/version=$version" /platform=own)
        other=$(IMAGE_ARCHITECTURE=$far make_image "$name:other-$version" "/version=$version" "/platform=$far" "$@")
        eval "index_${version//./_}=$(make_index "$name:$version" "linux/$(architecture)=$own" "linux/$far=$other")"
    done
    new_project
    echo "FROM $(image "$name"):1.0.0@${index_1_0_0:?}" >Dockerfile
    {
        printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n'
        cat
    } >pingate.yaml
    commit
}

@test "a test for another platform runs its image of the index, beside the own one" {
    project_for 386 <<'END'
  - {name: own, run: "grep -x own /platform"}
  - {name: other, platform: linux/386, run: ["grep -x 386 /platform", "test \"$PINGATE_DIGEST\" != '' "]}
END
    gate 0 run
    all_passed
    result '[.trials[].platform] | sort == ["linux/386", "linux/'"$(architecture)"'"]'
    result '[.trials[].commands[].image | endswith("'"${index_1_1_0:?}"'")] | all'
    grep -q "1.1.0@$index_1_1_0" Dockerfile
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
