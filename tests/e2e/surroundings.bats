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
    assert_has_not pingate-out/result.json MIIEow
    ! grep -rF s3cr3t-Value pingate-out "$out" "$err"
}
