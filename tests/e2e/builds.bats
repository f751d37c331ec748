# Tests with `build`: the project's Dockerfile, built on the candidates, on the real engine.
load helpers
load registries

# Two releases of a base with a shell, 1.0.0 and 1.1.0: /version holds one, two; the old one has a /tool.
base() { # NAME [FILE-OF-NEW…]
    name=builds/$1-t$BATS_TEST_NUMBER-$RANDOM
    shift
    old=$(make_image "$name:1.0.0" /version=one /tool=old)
    new=$(make_image "$name:1.1.0" /version=two "$@")
}

configure() { # LINE-OF-THE-TEST…
    printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests:\n  - name: app\n' >pingate.yaml
    printf '    %s\n' "$@" >>pingate.yaml
}

dockerfile() { # LINE…, where BASE is the old base
    printf '%s\n' "$@" | sed "s|BASE_OLD|$(image "$name"):1.0.0@$old|" >Dockerfile
}

# Images of this test that pingate did not pull: an engine keeps them.
remove_images() {
    engine GET '/images/json?all=1' | jq -r --arg name "$name" '.[] | select((.RepoDigests // []) | tostring | contains($name)).Id' |
        while read -r id; do engine DELETE "/images/$id?force=1"; done >/dev/null
}

no_build_runs() { # Podman lets the step at hand come to its end, and its base stays
    ! pgrep -f 'sleep 11[.]5' >/dev/null
}

built() { # JQ-EXPRESSION over the last trial that is no baseline
    jq -e "[.trials[] | select(.build != null and (.baseline | not))] | last | $1" pingate-out/result.json >/dev/null && return 0
    echo "not so: $1"
    jq '[.trials[] | {test, baseline, outcome, reason, build}]' pingate-out/result.json
    return 1
}

@test "a multi-stage build with a target, args, COPY --from and an ARG's default runs on the candidates and promotes" {
    local tool=builds/tool-$RANDOM tool_old
    base app /tool=new
    tool_old=$(make_image_without_shell "$tool:1.0.0" /data=first)
    tool_new=$(make_image_without_shell "$tool:1.1.0" /data=second)
    new_project
    dockerfile 'ARG BASE=BASE_OLD' 'FROM ${BASE} AS common' 'ARG GREETING' \
        'RUN cat /version >/built && echo "$GREETING" >/greeting' 'FROM common AS test' \
        "COPY --from=$(image "$tool"):1.0.0@$tool_old /data /data" 'COPY src/ /src/' 'FROM common AS broken' 'RUN exit 9'
    mkdir src && echo content >src/file
    configure 'build: {context: ., target: test, args: {GREETING: "hello world"}}' \
        'run: ["test \"$(cat /built)\" = two", "test \"$(cat /data)\" = second", "test \"$(cat /greeting)\" = \"hello world\"", [cat, /src/file]]'
    commit
    gate 0 run
    assert_diff "-ARG BASE=$(image "$name"):1.0.0@$old" "+ARG BASE=$(image "$name"):1.1.0@$new" \
        "-COPY --from=$(image "$tool"):1.0.0@$tool_old /data /data" "+COPY --from=$(image "$tool"):1.1.0@$tool_new /data /data"
    built '.build.outcome == "passed" and .build.dockerfile == "Dockerfile" and .build.target == "test" and .build.step == null'
    built '.build.diff | contains("+ARG BASE=") and contains("+COPY --from=")'
    built '.build.path | endswith("/build.log")'
    built '[.commands[].outcome] == ["passed", "passed", "passed", "passed"] and .commands[0].image == "built from Dockerfile"'
    assert_has pingate-out/logs/001-app/build.log 'RUN cat /version'
    assert_has pingate-out/logs/001-app/Dockerfile "$new"
}

@test "a step that fails on the candidate rejects it, and its lines are in the report" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD' 'RUN echo "the tool is next"; test -f /tool || { echo "no tool in here"; exit 3; }'
    configure 'build: .' 'run: "true"'
    commit
    gate 1 run
    assert_unchanged
    built '.outcome == "failed" and .build.outcome == "failed" and (.build.step | contains("RUN echo"))'
    built '.reason | startswith("build: ") and contains("RUN echo") and contains("no tool in here") and contains("3")'
    built '.build.tail | contains("the tool is next")'
    built '[.commands[].outcome] == ["skipped"]'
    assert_json pingate-out/result.json '[.updates[].code] == ["regression"]'
    assert_json pingate-out/result.json '[.trials[] | select(.baseline) | .outcome] == ["passed"]'
    assert_has pingate-out/report.md 'no tool in here'
    built '.commands[0].reproduce | contains("docker run") and contains("docker build -q -f ")'
}

@test "a COPY --from what the candidate no longer has rejects it; a command that fails in what was built does, too" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD AS source' 'FROM source' 'COPY --from=source /tool /copied'
    configure 'build: .' 'run: "cat /copied"'
    commit
    gate 1 run
    built '.outcome == "failed" and (.build.step | contains("COPY"))'
    dockerfile 'FROM BASE_OLD'
    configure 'build: .' 'run: "cat /tool"'
    commit
    gate 1 run
    built '.outcome == "failed" and .build.outcome == "passed" and .commands[0].outcome == "failed"'
    assert_unchanged
}

@test ".dockerignore, the own one of the Dockerfile, and what is never sent" {
    base app
    new_project
    mkdir -p app/node_modules/x app/keep app/sub
    echo secret >app/secret.txt && echo no >app/node_modules/x/f && echo yes >app/node_modules/x/wanted
    echo a >app/sub/a.log && echo b >app/keep/b.log && ln -s keep/b.log app/link && : >app/empty && chmod 755 app/empty
    echo ignored-by-git >app/untracked && echo /app/untracked >.gitignore
    printf '# a comment\nsecret.txt\nnode_modules\n!node_modules/x/wanted\n**/*.log\n!keep\n' >app/.dockerignore
    dockerfile 'FROM BASE_OLD' 'COPY . /ctx/' && mv Dockerfile app/
    cat >check.sh <<'END'
cd /ctx
find . | sort
test ! -e secret.txt && test ! -e node_modules/x/f && test ! -e sub/a.log && test ! -e .git
test -f node_modules/x/wanted && test -f keep/b.log && test "$(readlink link)" = keep/b.log
test -x empty && test ! -s empty && test -f untracked && test -f Dockerfile
END
    configure 'build: {context: ./app/}' 'run: "sh -e check.sh"'
    commit
    gate 0 run --dry-run
    printf 'keep\n' >app/Dockerfile.dockerignore # wins over the other
    configure 'build: app' 'run: "test -f /ctx/secret.txt && test ! -e /ctx/keep"'
    commit
    gate 0 run --dry-run
}

@test "BuildKit's mounts; a heredoc works or is told as what this builder cannot read" {
    local tool=builds/tool-$RANDOM tool_old
    base app
    tool_old=$(make_image_without_shell "$tool:1.0.0" /data=first)
    new_project
    dockerfile 'FROM BASE_OLD' \
        "RUN --mount=type=cache,target=/cache --mount=type=bind,from=$(image "$tool"):1.0.0@$tool_old,target=/t cat /t/data >/got"
    configure 'build: .' 'run: "test \"$(cat /got)\" = first"'
    commit
    gate 0 run --dry-run
    dockerfile 'FROM BASE_OLD' 'RUN <<X' 'echo from-a-heredoc >/got' X
    configure 'build: .' 'run: "test \"$(cat /got)\" = from-a-heredoc"'
    commit
    if pingate run --dry-run >"$out" 2>"$err"; then
        built '.outcome == "passed"'
    else
        gate 3 run --dry-run
        built '.outcome == "error" and (.reason | ascii_downcase | contains("unknown instruction"))'
    fi
}

@test "a base that the build does not use was not tested, and so does not pass" {
    local other=builds/other-$RANDOM other_old
    base app
    other_old=$(make_image "$other:1.0.0" /version=one)
    make_image "$other:1.1.0" /version=three >/dev/null
    new_project
    dockerfile 'FROM BASE_OLD AS test' 'RUN true' "FROM $(image "$other"):1.0.0@$other_old" 'COPY --from=test /version /v'
    configure 'build: {context: ., target: test}' 'run: "true"'
    commit
    gate 3 run
    assert_unchanged
    built '.outcome == "error" and (.reason | contains("Dockerfile:3") and contains("nothing that was built uses"))'
    # The test says what it is for.
    configure "images: [\"$(image "$name")\"]" 'build: {context: ., target: test}' 'run: "true"'
    commit
    gate 0 run
    assert_diff "-FROM $(image "$name"):1.0.0@$old AS test" "+FROM $(image "$name"):1.1.0@$new AS test"
    # An arg in place of the pinned default.
    git checkout -q . && dockerfile 'ARG BASE=BASE_OLD' 'FROM $BASE'
    configure "build: {context: ., args: {BASE: \"$(image "$name"):1.0.0@$old\"}}" 'run: "true"'
    commit
    gate 3 run
    built '.outcome == "error" and (.reason | contains("take away an arg"))'
    remove_images # what a builder pulls of itself is the engine's own
}

@test "what cannot be built says nothing of the candidate: a syntax error, a stage that is none, an image that is not there" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD' 'FOO bar'
    configure 'build: .' 'run: "true"'
    commit
    gate 3 run
    built '.outcome == "error" and (.reason | ascii_downcase | contains("unknown instruction"))'
    dockerfile 'FROM BASE_OLD'
    configure 'build: {context: ., target: nowhere}' 'run: "true"'
    commit
    gate 3 run
    built '.outcome == "error" and (.reason | contains("nowhere"))'
    dockerfile 'FROM BASE_OLD' "COPY --from=$PINGATE_TEST_REGISTRY/none:1 /x /x"
    configure 'build: .' 'run: "true"'
    commit
    gate 3 run
    built '.outcome == "error"'
    assert_unchanged
}

@test "configuration that cannot work is told with file, line and remedy before anything runs" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD' && mv Dockerfile Containerfile
    configure 'build: .' 'run: "true"'
    commit
    gate 2 run
    assert_has "$err" 'pingate.yaml:5: test "app": build: dockerfile: there is no Dockerfile'
    ln -s / outside
    configure 'build: {context: outside/tmp, dockerfile: Dockerfile}' 'run: "true"'
    gate 2 run
    assert_has "$err" 'leads out of the project'
    rm outside
    printf 'FROM busybox:1\n' >Dockerfile
    configure 'build: .' 'run: "true"'
    gate 0 run
    assert_has "$err" 'Dockerfile, which it builds, has no pin'
    assert_json pingate-out/result.json '[.updates[].code] == ["no-test"]'
}

@test "a build takes its time from the test's, and prints no more than log_limit" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD' 'RUN sleep 11.5'
    configure 'build: .' 'run: "true"' 'timeout: 2s'
    commit
    SECONDS=0
    gate 1 run
    [ "$SECONDS" -lt 20 ] # the pinned digest is tried, too
    if engine_is podman; then
        wait_until 60 no_build_runs
        sleep 1
        remove_images
    fi
    built '.outcome == "timed-out" and .build.outcome == "timed-out"'
    dockerfile 'FROM BASE_OLD' 'RUN i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done'
    configure 'build: .' 'run: "true"' 'log_limit: 10KiB'
    commit
    gate 1 run
    built '.outcome == "failed" and (.reason | contains("log_limit"))'
    if engine_is podman; then
        sleep 2
        remove_images
    fi
}

private_base_is_built_from() {
    new_project
    printf 'FROM 127.0.0.1:%s/team/app:1.0.0@%s\nRUN cat /version >/got\n' "$port" "$old" >Dockerfile
    configure 'build: .' 'run: "test \"$(cat /got)\" = two"'
    printf 'registries: {"127.0.0.1:%s": {token_server: "%s"}}\n' "$port" "127.0.0.1:${1:-$port}" >>pingate.yaml
    commit
    gate 3 run --dry-run
    log_in "127.0.0.1:$port"
    gate 0 run --dry-run
    built '.outcome == "passed"'
}

private_releases() {
    real_registry plain
    old=$(PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image team/app:1.0.0 /version=one)
    PINGATE_TEST_REGISTRY=127.0.0.1:$port make_image team/app:1.1.0 /version=two >/dev/null
}

@test "a base that needs a password is pulled with the user's credentials and built from" {
    private_releases
    with_password
    private_base_is_built_from
}

@test "a base that needs a token is pulled with the user's credentials and built from" {
    private_releases
    with_tokens 300
    private_base_is_built_from "$(cat "$work/token.port")"
}

@test "what was built and is kept: --keep-images, and --keep of a failed trial" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD'
    configure 'build: .' 'run: "cat /tool"'
    commit
    ours() { engine GET '/images/json?all=1' | jq '[.[] | select((.Labels // {})["pingate.build"] != null)] | length'; }
    gate 1 run
    [ "$(ours)" -eq 0 ]
    gate 1 run --keep
    [ "$(ours)" -eq 1 ]
    gate 1 run # sweeps what the dead run kept
    [ "$(ours)" -eq 0 ]
    configure 'build: .' 'run: "true"'
    gate 0 run --dry-run --keep-images
    [ "$(ours)" -eq 1 ]
    gate 0 run --dry-run
    [ "$(ours)" -eq 1 ]
    engine GET '/images/json?all=1' | jq -r '.[] | select((.Labels // {})["pingate.build"] != null).Id' |
        while read -r id; do engine DELETE "/images/$id?force=1"; done >/dev/null
    engine DELETE "/images/$(image "$name")@$new?force=1" >/dev/null
}

@test "test --since builds the pull request's pins, and the target branch's as the measure" {
    base app
    new_project
    dockerfile 'FROM BASE_OLD' 'RUN cat /tool'
    configure 'build: .' 'run: "true"'
    commit
    git checkout -q -b update
    printf 'FROM %s:1.1.0@%s\nRUN cat /tool\n' "$(image "$name")" "$new" >Dockerfile
    commit
    gate 1 test --since main
    built '.outcome == "failed" and .build.diff == ""'
    assert_json pingate-out/result.json '[.trials[] | select(.baseline)][0].build.diff | contains("+FROM")'
    assert_json pingate-out/result.json '[.updates[].code] == ["regression"]'
}

@test "a pass on record stands in for a build until what is sent changes, also where git ignores it" {
    base app /tool=new
    new_project
    dockerfile 'FROM BASE_OLD' 'COPY jar /jar'
    echo one >jar && echo jar >.gitignore
    configure 'build: .' 'run: "cat /jar"' 'reuse: 24h'
    printf 'stages: [{name: first, files: ["**"]}]\n' >>pingate.yaml
    commit
    gate 0 run
    git checkout -q Dockerfile
    gate 0 run
    assert_json pingate-out/result.json '.trials[0].reused != null'
    git checkout -q Dockerfile && echo two >jar
    gate 0 run
    assert_json pingate-out/result.json '.trials[0].reused == null'
}

@test "what is built gets a secret, stands beside a service, shares the workspace with another image, and is built anew for another try" {
    local tool=builds/tool-$RANDOM tool_old
    base app
    tool_old=$(make_image "$tool:1.0.0" /data=first)
    make_image "$tool:1.1.0" /data=second >/dev/null
    new_project
    dockerfile 'FROM BASE_OLD' 'USER 1234' 'ENV BUILT=yes'
    mkdir tool && echo "FROM $(image "$tool"):1.0.0@$tool_old" >tool/Dockerfile
    configure 'build: .' 'retries: 1' 'secrets: TOKEN' \
        "services: {tool: {image: \"$(image "$tool")\", command: [sleep, '60'], ready: {exec: 'grep second /data'}}}" \
        'run:' \
        '  - test "$(cat /run/secrets/TOKEN)" = built-Value/42; echo said-$(cat /run/secrets/TOKEN); test "$(id -u)" = 1234' \
        "  - {in: \"$(image "$tool")\", command: 'echo more >from-another && chmod 600 from-another'}" \
        '  - grep more from-another && echo again >>from-another && test $BUILT = yes' \
        '  - test -e "$(echo $PINGATE_NOTHING)" || test "$(cat /version)" = two'
    commit
    # shellcheck disable=SC2034 # of helpers.bash
    caller_variables=(TOKEN=built-Value/42)
    gate 0 run --allow-secret TOKEN
    built '.outcome == "passed" and .attempts == 1 and [.services[].outcome] == ["passed"]'
    assert_has pingate-out/logs/001-app/1-stdout.log said-
    [ "$(grep -rlF built-Value/42 pingate-out | wc -l)" -eq 0 ]
    git checkout -q .
    configure 'build: .' 'retries: 1' 'run: "exit 7"'
    commit
    gate 1 run
    built '.outcome == "failed" and .attempts == 2 and .build.outcome == "passed"'
    [ -s pingate-out/logs/001-app/attempt-2/build.log ]
}
