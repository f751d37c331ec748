# The clock of tests: it moves in the program that is built for them, and in no other.
# bats file_tags=clock
load helpers

started() { # the second in which the last run began
    jq '.started_ms / 1000 | floor' pingate-out/result.json
}

@test "a test says what time it is" {
    local now
    new_project
    echo 'version: 1' >pingate.yaml
    at 2031-02-03T04:05:06Z gate 0 run
    [ "$(started)" -eq "$(date -d 2031-02-03T04:05:06Z +%s)" ]
    now=$(date +%s)
    at +3d4h gate 0 run
    [ $(($(started) - now - 76 * 3600)) -ge 0 ] && [ $(($(started) - now - 76 * 3600)) -le 60 ]
    at -3d4h gate 0 run
    [ $((now + 60 - $(started) - 76 * 3600)) -ge 0 ] && [ $((now + 60 - $(started) - 76 * 3600)) -le 120 ]
    gate 0 run
    [ $(($(started) - now)) -ge 0 ] && [ $(($(started) - now)) -le 60 ]
    at tomorrow run pingate scan
    [ "$status" -eq 0 ] # it asks for no time
    at tomorrow run pingate run
    [ "$status" -eq 134 ]
    [[ "$output" == *"PINGATE_TEST_NOW=tomorrow: neither"* ]]
}

@test "the program that is shipped knows no clock of tests" {
    local now program=${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}
    new_project
    echo 'version: 1' >pingate.yaml
    now=$(date +%s)
    env PINGATE_TEST_NOW=2031-02-03T04:05:06Z HOME="$work/home" "$program" run >"$out" 2>"$err"
    [ $(($(started) - now)) -ge 0 ] && [ $(($(started) - now)) -le 60 ]
    grep -q PINGATE_TRACE "$program" # it would be found
    run grep -q PINGATE_TEST_NOW "$program"
    [ "$status" -eq 1 ]
}
