# The bench itself: its images run, and its checks can fail.
load helpers

start_and_wait() { # REFERENCE COMMAND-JSON: prints the exit status; leaves $container
    engine POST "/images/create?fromImage=$1" >/dev/null
    container=$(engine POST /containers/create -H 'Content-Type: application/json' \
        -d "{\"Image\":\"$1\",\"Cmd\":$2}" | jq -r .Id)
    engine POST "/containers/$container/start"
    engine POST "/containers/$container/wait" | jq .StatusCode
}

clean_away() { # REFERENCE
    engine DELETE "/containers/$container?force=1"
    engine DELETE "/images/$1?force=1" >/dev/null
}

@test "an image of busybox has a shell and its files" {
    digest=$(make_image bench:1 /etc/answer=42 /bin/ask='#!/bin/sh
grep -q 42 /etc/answer')
    reference=$(image "bench@$digest")
    start_and_wait "$reference" '["ask"]' >status
    clean_away "$reference"
    [ "$(cat status)" -eq 0 ]
}

@test "the same files give the same digest, others another" {
    [ "$(make_image bench:1 /a=1)" = "$(make_image bench:2 /a=1)" ]
    [ "$(make_image bench:1 /a=1)" != "$(make_image bench:2 /a=2)" ]
}

@test "an image without a shell runs its program" {
    digest=$(make_image_without_shell silent:1)
    reference=$(image "silent@$digest")
    start_and_wait "$reference" '["/say", "--exit=3"]' >status
    clean_away "$reference"
    [ "$(cat status)" -eq 3 ]
}

@test "an index names its images" {
    digest=$(make_image many:amd64 /a=1)
    index=$(make_index many:1 "linux/amd64=$digest" "linux/arm64=$digest")
    [ "$(registry_call GET "many/manifests/$index" -H 'Accept: application/vnd.oci.image.index.v1+json' | jq -r '.manifests[1].platform.architecture')" = arm64 ]
}

@test "a tag can be taken away" {
    make_image gone:1 /a=1
    untag gone:1
    run registry_call HEAD gone/manifests/1 -I
    [ "$status" -ne 0 ]
}

@test "what a test leaves in the engine is noticed, named and removed" {
    make_image left:1 /a=1
    start_and_wait "$(image left:1)" '["true"]'
    engine POST /volumes/create -H 'Content-Type: application/json' -d '{"Name":"left-volume"}'
    run assert_nothing_left
    [ "$status" -eq 1 ]
    [[ $output == *"container $container"* ]]
    [[ $output == *"volume left-volume"* ]]
    [[ $output == *"image sha256:"*"left"* ]]
    assert_nothing_left
}

@test "a changed project is noticed" {
    new_project
    echo one >file && commit
    assert_unchanged
    echo two >file
    run assert_unchanged
    [ "$status" -eq 1 ]
    assert_diff -one +two
    run assert_diff -one +three
    [ "$status" -eq 1 ]
}
