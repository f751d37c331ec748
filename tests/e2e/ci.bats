# What the ready-made CI calls (pipelines/ci/steps), with the real program, engine, registry and git; the forge is scripted
# (forge_server.py). The definitions themselves are held by tests/ci.sh.
# bats file_tags=ci
load helpers

steps=$(cd "$tests/../pipelines/ci/steps" && pwd)

# A bare repository with a project of two stages, served by a forge, and a checkout of it, as a job begins.
# CONFIGURATION comes on standard input.
shop() {
    local name=ci/t$BATS_TEST_NUMBER-$RANDOM
    app=$(image "$name") old=$(make_image "$name:1.0.0" /version=one) new=$(make_image "$name:1.1.0" /version=two)
    new_project
    mkdir -p deploy/staging deploy/production
    echo "image: $app:1.0.0@$old" | tee deploy/staging/app.yaml >deploy/production/app.yaml
    echo "notes" >notes.txt
    { printf 'version: 1\nupdates:\n  - {images: ["**"], policy: minor}\n' && cat; } >pingate.yaml
    commit
    mkdir -p "$work/forge/acme"
    git clone -q --bare . "$work/forge/acme/shop.git"
    python3 "$tests/e2e/forge_server.py" "$work/forge" 3>&- 2>"$work/forge/err" &
    forge=$!
    wait_until 30 test -s "$work/forge/port"
    server=http://127.0.0.1:$(cat "$work/forge/port")
    checkout
}

two_stages() {
    shop <<'END'
tests:
  - {name: contract, run: "cat /version"}
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging}
END
}

teardown() {
    local status=0
    [ -z "${forge-}" ] || kill "$forge" || true
    cd /
    assert_nothing_left || status=1
    rm -rf "$work"
    return "$status"
}

# A new job's working copy of main, without a password.
checkout() { # [OPTION]…
    cd "$work" && rm -rf "$work/checkout"
    git clone -q "$@" "$server/acme/shop.git" "$work/checkout"
    cd "$work/checkout" || return 1
}

# A step as the forge's runner starts it: a clean environment with the forge's own variables, pingate in PATH.
job() { # STATUS ENVIRONMENT… STEP ARGUMENT…: $out and $err hold what it said
    local expected=$1 status=0
    shift
    mkdir -p "$work/bin"
    [ -e "$work/bin/pingate" ] || ln -s "$(realpath "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}")" "$work/bin/pingate"
    env -i PATH="$work/bin:$PATH" HOME="$work/home" LC_ALL=C.UTF-8 DOCKER_HOST="${DOCKER_HOST-$PINGATE_TEST_ENGINE}" \
        ASAN_OPTIONS=exitcode=99:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 "${runner[@]}" "$@" >"$out" 2>"$err" || status=$?
    [ "$status" -ne "$expected" ] || return 0
    echo "$*: exit status $status, expected $expected"
    cat "$out" "$err"
    return 1
}

on_github() {
    : >"$work/output" && : >"$work/summary"
    runner=(GITHUB_ACTIONS=true "GITHUB_SERVER_URL=$server" "GITHUB_API_URL=$server/api" GITHUB_REPOSITORY=acme/shop
        GITHUB_REF_NAME=main GITHUB_RUN_ID=77 "GITHUB_OUTPUT=$work/output" "GITHUB_STEP_SUMMARY=$work/summary"
        PINGATE_TOKEN=the-token)
}

on_gitlab() {
    runner=(GITLAB_CI=true "CI_SERVER_URL=$server" CI_PROJECT_PATH=acme/shop CI_COMMIT_REF_NAME=main
        CI_JOB_URL=https://gitlab.example.com/jobs/5 PINGATE_TOKEN=the-token)
}

elsewhere() {
    runner=()
    git remote set-url origin "$work/forge/acme/shop.git"
}

bare() {
    git -C "$work/forge/acme/shop.git" "$@"
}

ledger_of() { # BRANCH: its entries
    local file
    bare ls-tree -r --name-only "$1" .pingate/ledger | while read -r file; do bare show "$1:$file"; done
}

pulls() { # JQ-EXPRESSION
    assert_json "$work/forge/pulls.json" "$1"
}

merge() { # BRANCH, as the forge does
    bare update-ref refs/heads/main "$1"
    bare update-ref -d "refs/heads/$1"
    jq --arg branch "$1" 'map(if .head.ref == $branch then .state = "closed" else . end)' "$work/forge/pulls.json" >"$work/closed"
    mv "$work/closed" "$work/forge/pulls.json"
}

@test "github: the nightly run proposes pins and ledger in one pull request, the promotion in another" {
    two_stages
    on_github
    echo "somebody's build left this" >left.txt
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$out" "pull request https://forge.example.com/acme/shop/pull/1"
    pulls 'length == 1 and .[0].head.ref == "pingate/update" and .[0].base.ref == "main" and (.[0].body | contains("Gate open"))'
    [ "$(bare rev-parse pingate/update^)" = "$(bare rev-parse main)" ]
    # pins and ledger and nothing else, by nobody else
    [ "$(bare diff --name-only main pingate/update | sed 's,/[^/]*\.jsonl$,,; s,/20..-..,,' | sort -u | tr '\n' ' ')" = \
        ".pingate/ledger deploy/staging/app.yaml " ]
    [ "$(bare log -1 --format='%an <%ae> %cn' pingate/update)" = "pingate <pingate@localhost> pingate" ]
    assert_has "$work/output" "status=0"
    assert_has "$work/output" "proposed=yes"
    assert_has "$work/summary" "Gate open"
    assert_has "$out" "::stop-commands::"

    merge pingate/update
    checkout
    job 0 PINGATE_PROPOSE=yes PINGATE_BRANCH=pingate/promote "PINGATE_TITLE=To production" "$steps/gate.sh" promote --all
    cat "$out" "$err"
    pulls 'length == 2 and .[1].head.ref == "pingate/promote" and .[1].title == "To production"'
    bare show pingate/promote:deploy/production/app.yaml | grep -F "1.1.0@$new"
}

@test "github: the next night updates the pull request that is there, and takes its ledger over" {
    two_stages
    on_github
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    first=$(ledger_of pingate/update)
    newer=$(make_image "${app#*/}:1.2.0" /version=three)
    checkout
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    pulls 'length == 1 and .[0].state == "open"'
    bare show pingate/update:deploy/staging/app.yaml | grep -F "1.2.0@$newer"
    [ "$(bare rev-parse pingate/update^)" = "$(bare rev-parse main)" ]
    ledger_of pingate/update >"$out"
    [ "$(jq -s 'map(select(.type == "promoted")) | length' "$out")" -eq 1 ] # not that of the first night, which nobody merged
    comm -23 <(jq -r 'select(.type != "promoted") | .id' <<<"$first" | sort) <(jq -r .id "$out" | sort) | diff - /dev/null
    git clone -q -b pingate/update "$work/forge/acme/shop.git" "$work/proposed"
    gate 0 history --verify -C "$work/proposed"
    # once more, with nothing new: the proposal stands as it is
    before=$(bare rev-parse pingate/update)
    checkout
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$out" "holds the same already"
    [ "$(bare rev-parse pingate/update)" = "$before" ]
}

@test "nothing to do proposes nothing; a closed gate proposes what it learned and no pin" {
    shop <<<'tests: [{name: contract, run: "grep one /version"}]'
    on_github
    job 1 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$out" "nothing to propose" # without stages there is no ledger
    assert_has "$work/output" "status=1"
    assert_has "$work/summary" "Gate closed"
    [ ! -e "$work/forge/pulls.json" ]
    printf 'stages: [{name: staging, files: [deploy/staging/]}]\n' >>pingate.yaml
    git commit -q -am "Stages"
    git push -q "$work/forge/acme/shop.git" HEAD:main
    job 1 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    pulls 'length == 1 and (.[0].body | contains("No pin moves"))'
    [ -z "$(bare diff --name-only main pingate/update -- deploy)" ]
}

@test "ledger: push brings what only adds to the ledger to the base, and proposes where that is refused" {
    shop <<'END'
tests: [{name: contract, run: "grep one /version"}]
stages: [{name: staging, files: [deploy/staging/]}]
END
    on_github
    before=$(bare rev-parse main)
    job 1 PINGATE_PROPOSE=yes PINGATE_LEDGER=push "$steps/gate.sh" run
    assert_has "$out" "the ledger went to main"
    [ "$(bare rev-parse main^)" = "$before" ]
    [ -z "$(bare diff --name-only main^ main -- . ':(exclude).pingate/ledger')" ]
    [ ! -e "$work/forge/pulls.json" ]

    printf '#!/bin/sh\n[ "$1" != refs/heads/main ]\n' >"$work/forge/acme/shop.git/hooks/update"
    chmod +x "$work/forge/acme/shop.git/hooks/update"
    checkout
    sed -i 's/grep one/grep -c one/' pingate.yaml # so that there is something to learn
    git commit -q -am "Another test" && git -c protocol.version=2 fetch -q
    before=$(bare rev-parse main)
    git reset -q --soft origin/main && git stash -q && git stash apply -q
    job 1 PINGATE_PROPOSE=yes PINGATE_LEDGER=push "$steps/gate.sh" run
    [ "$(bare rev-parse main)" = "$before" ]
    pulls 'length == 1'
}

@test "promote: passing proposes what passed, and the job stays red" {
    shop <<'END'
promote: passing
tests:
  - {name: contract, run: "! grep bad /version"}
END
    echo "FROM $(image ci/bad-$RANDOM):1.0.0@$old" >Dockerfile
    bad=$(sed 's/FROM [^/]*\///; s/:.*//' Dockerfile)
    make_image "$bad:1.0.0" /version=one >/dev/null
    make_image "$bad:1.1.0" /version=bad >/dev/null
    git add Dockerfile && git commit -q -m "Another image"
    git push -q "$work/forge/acme/shop.git" HEAD:main
    on_github
    job 1 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    pulls 'length == 1'
    bare show pingate/update:deploy/staging/app.yaml | grep -F "1.1.0@$new"
    bare show pingate/update:Dockerfile | grep -F ":1.0.0@$old"
}

@test "could not look: 3; what could be looked up is proposed all the same" {
    two_stages
    echo "FROM 127.0.0.1:1/gone:1@$old" >Dockerfile
    git add Dockerfile && git commit -q -m "Another image"
    git push -q "$work/forge/acme/shop.git" HEAD:main
    on_github
    job 3 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$work/output" "status=3"
    pulls 'length == 1'
    # a configuration that is wrong proposes nothing
    echo "nonsense: 1" >>pingate.yaml
    job 2 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$work/output" "proposed=no"
    pulls 'length == 1'
}

@test "a forge that refuses makes a green run red, and says why" {
    two_stages
    on_github
    : >"$work/forge/refuse"
    job 3 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$err" "403: Resource not accessible by integration"
    assert_has "$work/output" "proposed=no"
    checkout
    job 3 PINGATE_PROPOSE=yes PINGATE_TOKEN=wrong "$steps/gate.sh" run
    assert_has_not "$err" wrong-token
}

@test "somebody's own commits on the branch of the proposal are left alone" {
    two_stages
    on_github
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    git clone -q -b pingate/update "$work/forge/acme/shop.git" "$work/other"
    git -C "$work/other" -c user.name=A -c user.email=a@example.com commit -q --allow-empty -m "And this"
    git -C "$work/other" push -q
    theirs=$(bare rev-parse pingate/update)
    make_image "${app#*/}:1.2.0" /version=three >/dev/null
    checkout
    job 3 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$err" "pingate/update has a commit of a@example.com"
    [ "$(bare rev-parse pingate/update)" = "$theirs" ]
    checkout --depth 1
    job 3 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    [ "$(bare rev-parse pingate/update)" = "$theirs" ]
}

@test "two jobs that push at once: one wins, the other says so, nothing is lost" {
    two_stages
    on_github
    cp -r "$work/checkout" "$work/second"
    # the second job is at work while the first one pushes
    mkdir "$work/slow"
    printf '#!/bin/sh\ncase " $* " in *" push "*) until [ -e "%s" ]; do sleep 0.1; done ;; esac\nexec "%s" "$@"\n' \
        "$work/go" "$(type -P git)" >"$work/slow/git"
    chmod +x "$work/slow/git"
    (
        cd "$work/second"
        out=$work/second.out err=$work/second.err
        job 3 PATH="$work/slow:$work/bin:$PATH" PINGATE_PROPOSE=yes "$steps/gate.sh" run
    ) &
    second=$!
    wait_until 60 grep -q "Gate open" "$work/second/pingate-out/report.md"
    make_image "${app#*/}:1.2.0" /version=three >/dev/null
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    : >"$work/go"
    wait "$second"
    assert_has "$work/second.err" "stale info"
    bare show pingate/update:deploy/staging/app.yaml | grep -F "1.2.0@"
}

@test "the token is in no argument and no file, and neither pingate nor a test sees it" {
    two_stages
    on_github
    mkdir "$work/watch"
    # what each program that the steps start is given
    for program in git curl pingate; do
        printf '#!/bin/sh\n{ echo "%s $*"; [ %s != pingate ] || env; } >>"%s"\nexec "%s" "$@"\n' "$program" "$program" "$work/seen" \
            "$([ "$program" = pingate ] && realpath "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" || type -P "$program")" >"$work/watch/$program"
        chmod +x "$work/watch/$program"
    done
    job 0 PATH="$work/watch:$PATH" PINGATE_PROPOSE=yes "$steps/gate.sh" run
    pulls 'length == 1'
    assert_has "$work/seen" "git push"
    assert_has "$work/seen" "curl "
    assert_has_not "$work/seen" the-token
    assert_has_not "$work/seen" "$(printf x-access-token:the-token | base64)"
    run ! grep -rqF -e the-token -e "$(printf x-access-token:the-token | base64)" "$work/checkout" "$work/home" "$work/output" "$out" "$err"
}

@test "github: the gate of a pull request tests its pins against its base" {
    two_stages
    on_github
    git checkout -q -b bot
    sed -i "s|1.0.0@$old|1.1.0@$new|" deploy/staging/app.yaml
    git commit -q -am "Move"
    job 0 GITHUB_BASE_REF=main PINGATE_TOKEN= "$steps/gate.sh" test
    assert_json pingate-out/result.json '[.updates[].verdict] | sort == ["promote", "up-to-date"]'
    sed -i 's,cat /version,grep one /version,' pingate.yaml
    job 1 GITHUB_BASE_REF=main PINGATE_TOKEN= "$steps/gate.sh" test
    assert_has "$work/summary" "Gate closed"
    job 2 PINGATE_TOKEN= "$steps/gate.sh" test
    assert_has "$err" "no job of a pull request"
    job 0 PINGATE_TOKEN= "PINGATE_OPTIONS=--since
bot" "$steps/gate.sh" test
}

@test "github: no line of a container is a command of the runner" {
    shop <<'END'
tests:
  - {name: contract, run: "echo '::set-output name=a::b'; echo '::add-mask::c' >&2; false"}
END
    on_github
    job 1 "$steps/gate.sh" run --verbose
    token=$(sed -n '1s/^::stop-commands:://p' "$out")
    [ ${#token} -eq 32 ]
    [ "$(grep -nFx "::$token::" "$out" | cut -d : -f 1)" = "$(grep -n . "$out" | tail -n 1 | cut -d : -f 1)" ]
}

# The comment, from the job that may write, of what another job left.
comment() { # STATUS FOLDER
    job "$1" PINGATE_HEAD=fork:bot "PINGATE_HEAD_SHA=$sha" PINGATE_RUN=https://forge.example.com/runs/7 "$steps/comment.sh" "$2"
}

tested_pull_request() {
    two_stages
    on_github
    git checkout -q -b bot
    sed -i "s|1.0.0@$old|1.1.0@$new|" deploy/staging/app.yaml
    git commit -q -am "Move"
    sha=$(git rev-parse HEAD)
    job 0 GITHUB_BASE_REF=main PINGATE_TOKEN= "$steps/gate.sh" test
    mkdir "$work/reports"
    cp pingate-out/result.json "$work/reports"
    jq -n --arg sha "$sha" '[{number: 3, state: "open", title: "Move", body: "", base: {ref: "main"}, head: {ref: "bot", sha: "0000"}},
        {number: 4, state: "open", title: "Move", body: "", base: {ref: "main"}, head: {ref: "bot", sha: $sha}}]' >"$work/forge/pulls.json"
    cd "$work/empty" || return 1
}

@test "github: the comment goes to the pull request that was tested, once, and is updated" {
    tested_pull_request
    # somebody wrote our mark, 120 comments ago
    jq -n '[{id: 1, pull: 4, body: "<!-- pingate:gate -->\nmine", user: {login: "mallory"}}] +
        [range(120) | {id: (. + 2), pull: 4, body: "\(.)", user: {login: "github-actions[bot]"}}]' >"$work/forge/comments.json"
    comment 0 "$work/reports"
    assert_json "$work/forge/comments.json" 'length == 122 and .[-1].pull == 4 and (.[-1].body | contains("Gate open"))'
    assert_json "$work/forge/comments.json" '.[-1].body | contains("runs/7")'
    comment 0 "$work/reports"
    assert_has "$out" "updated the comment on pull request #4"
    assert_json "$work/forge/comments.json" 'length == 122 and .[0].body == "<!-- pingate:gate -->\nmine"'
    sha=1111111111111111111111111111111111111111
    comment 0 "$work/reports"
    assert_has "$out" "nothing to say"
    : >"$work/forge/refuse"
    sha=0000
    comment 3 "$work/reports"
    assert_has "$err" "not accessible"
}

@test "github: what the other job left is data: its report.md is not looked at, a link or nonsense is refused" {
    tested_pull_request
    echo "@everyone ![](https://tracker.example.com/x)" >"$work/reports/report.md"
    jq '.updates[0].reason = "@everyone ![x](https://tracker.example.com/x) <img src=x>"' "$work/reports/result.json" >"$work/hostile.json"
    cp "$work/hostile.json" "$work/reports/result.json"
    comment 0 "$work/reports"
    jq -r '.[-1].body' "$work/forge/comments.json" >"$work/body.md"
    assert_has_not "$work/body.md" "<img"
    cmark-gfm --extension table --extension autolink --unsafe "$work/body.md" >"$work/body.html"
    assert_has_not "$work/body.html" "<img"
    assert_has_not "$work/body.html" "@everyone"
    posted=$(grep -c "^POST" "$work/forge/calls")
    for wrong in link nonsense none; do
        rm -f "$work/reports/result.json"
        case $wrong in
        link) ln -s "$work/hostile.json" "$work/reports/result.json" ;;
        nonsense) echo "{]" >"$work/reports/result.json" ;;
        esac
        comment 3 "$work/reports"
    done
    [ "$(grep -c "^POST" "$work/forge/calls")" -eq "$posted" ]
}

@test "gitlab: the scheduled job pushes and asks for the merge request, the merge request's job compares with its base" {
    two_stages
    bare config receive.advertisePushOptions true
    printf '#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION >"%s"\n' "$work/options" >"$work/forge/acme/shop.git/hooks/post-receive"
    chmod +x "$work/forge/acme/shop.git/hooks/post-receive"
    on_gitlab
    git checkout -q --detach # as GitLab's runner does
    # the address in the checkout has the job's own password, which may not push
    git remote set-url origin "http://gitlab-ci-token:job@${server#http://}/acme/shop.git"
    base=$(git rev-parse HEAD)
    job 0 PINGATE_PROPOSE=yes PINGATE_STATE=.pingate/state "$steps/gate.sh" run
    bare show pingate/update:deploy/staging/app.yaml | grep -F "1.1.0@$new"
    assert_has "$work/options" "merge_request.create"
    assert_has "$work/options" "merge_request.target=main"
    assert_has "$work/options" "merge_request.title=Move pinned images that passed their tests"
    job 0 CI_MERGE_REQUEST_DIFF_BASE_SHA="$base" "$steps/gate.sh" test
    assert_json pingate-out/result.json '[.updates[].verdict] | sort == ["promote", "up-to-date"]'
}

@test "elsewhere it ends with the push" {
    two_stages
    elsewhere
    job 0 PINGATE_PROPOSE=yes "$steps/gate.sh" run
    assert_has "$out" "pushed pingate/update"
    bare show pingate/update:deploy/staging/app.yaml | grep -F "1.1.0@$new"
    [ ! -e "$work/forge/calls" ]
    git checkout -q --detach origin/main
    job 3 PINGATE_PROPOSE=yes "$steps/propose.sh" # it knows no base
    assert_has "$err" "PINGATE_BASE"
}

@test "a job that is cancelled takes its containers with it" {
    shop <<<'tests: [{name: long, run: "sleep 600"}]'
    on_github
    mkdir "$work/bin" && ln -s "$(realpath "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}")" "$work/bin/pingate"
    env -i PATH="$work/bin:$PATH" HOME="$work/home" DOCKER_HOST="$PINGATE_TEST_ENGINE" PINGATE_PROPOSE=yes "${runner[@]}" \
        "$steps/gate.sh" run >"$out" 2>"$err" &
    gate=$!
    wait_until 30 trial_runs
    kill -TERM "$gate"
    status=0
    wait "$gate" || status=$?
    [ "$status" -eq 143 ]
    [ "$(engine GET '/containers/json?all=1' | jq '[.[] | select(.Labels["pingate.run"])] | length')" -eq 0 ]
    assert_has "$work/output" "proposed=no"
    assert_unchanged
}

@test "install takes the program that is there, builds one where none is, and takes it from the cache" {
    runner=(GITHUB_PATH="$work/path")
    job 0 "$steps/install.sh"
    assert_has "$out" "installed already"
    [ ! -e "$work/path" ]
    mkdir -p "$work/action"
    (cd "$tests/.." && tar -c --anchored --exclude-from=.dockerignore -- *) | tar -x -C "$work/action"
    job 0 "$work/action/pipelines/ci/steps/install.sh" key
    key=$(sed -n 's/^key=pingate-//p' "$out")
    [ -n "$key" ]
    assert_has "$out" "path=$work/home/.cache/pingate"
    rm "$work/bin/pingate"
    runner+=(PATH="$(tr : '\n' <<<"$PATH" | while read -r folder; do [ -x "$folder/pingate" ] || echo "$folder"; done | paste -sd :)")
    job 0 "$work/action/pipelines/ci/steps/install.sh"
    [ "$(cat "$work/path")" = "$work/home/.cache/pingate/$key/bin" ]
    [ "$("$(cat "$work/path")/pingate" --version)" = "$(pingate --version)" ]
    built=$(stat -c %Y "$(cat "$work/path")/pingate")
    job 0 "$work/action/pipelines/ci/steps/install.sh"
    [ "$(stat -c %Y "$work/home/.cache/pingate/$key/bin/pingate")" -eq "$built" ]
    # another source is another program
    echo "// changed" >>"$work/action/pipelines/main.c"
    job 0 "$work/action/pipelines/ci/steps/install.sh" key
    assert_has_not "$out" "$key"
}
