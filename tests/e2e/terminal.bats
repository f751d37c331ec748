# What people see: the program in a real terminal emulator (tmux) of several widths, and where there is none.
# bats file_tags=terminal
load helpers

eval "$(declare -f teardown | sed '1s/teardown/helpers_teardown/')"

teardown() {
    local socket
    for socket in "$work"/tmux.*; do tmux -S "$socket" kill-server 2>/dev/null || true; done
    helpers_teardown
}

# Two updates: one passes, one fails loudly; each command takes a second.
two_apps() {
    new_project
    for app in bad good; do
        old=$(make_image "$name/$app:1.0.0" "/version=$app 1")
        make_image "$name/$app:1.1.0" "/version=$app 2" >/dev/null
        echo "FROM $(image "$name/$app"):1.0.0@$old"
    done >Dockerfile
    {
        printf 'version: 1\nupdates:\n  - images: ["**"]\n    policy: minor\n'
        cat
    } >pingate.yaml
    commit
}

name_of_test() {
    name=e2e/s$BATS_TEST_NUMBER-$RANDOM
}

usual_tests() {
    cat <<'END'
tests:
  - name: contract
    timeout: 2m
    run:
      - "sleep 1; cat /version"
      - "echo looking; echo 'what went wrong' >&2; sleep 1; ! grep 'bad 2' /version"
END
}

# Starts the program in a window; the command's status ends the screen as "[status N]".
window() { # COLUMNS ROWS [NAME=VALUE…] -- ARGUMENT…
    local columns=$1 rows=$2 settings=() words
    windows=$((${windows:-0} + 1)) socket=$work/tmux.$windows # a server that ends does not take the next window along
    shift 2
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    words=$(printf '%q ' env -i PATH="$PATH" HOME="$work/home" TERM=screen LC_ALL=C.UTF-8 \
        DOCKER_HOST="$PINGATE_TEST_ENGINE" "${settings[@]}" "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" "$@")
    printf '%s\necho "[status $?]"\nsleep 600\n' "$words" >"$work/window.sh"
    tmux -S "$socket" -f /dev/null new-session -d -x "$columns" -y "$rows" "bash $work/window.sh"
}

screen() { # [-e: with colours] [-J: rows that were wrapped as one]
    tmux -S "$socket" capture-pane -p -S - "$@"
}

wait_for() { # TEXT [SECONDS]
    local i
    for ((i = 0; i < ${2:-60} * 10; i++)); do
        ! screen | grep -qF -- "$1" || return 0
        sleep 0.1
    done
    echo "never on the screen: $1"
    screen
    return 1
}

# Progress as it stands while something runs: "…  3 s of 2 m" (and not "after 3 s of 2 m", of which the end of a run tells), "1 kB of 2 kB", "looked up 1 of 2" with its indent.
assert_no_progress() {
    ! screen | grep -nE '[^ ]  ([0-9]+ m )?[0-9.]+ m?s of |B/s$|^  looked up|  [0-9]+ s$' || return 1
}

@test "a run shows what runs now, and leaves only what stays" {
    name_of_test
    two_apps < <(usual_tests)
    window 80 60 -- run
    wait_for " s of 2 m"
    wait_for "contract on $(image "$name/bad"):1.1.0: "
    wait_for "[status 1]"
    assert_no_progress
    screen >"$out"
    assert_has "$out" "Gate closed: 1 of 2 updates failed its tests, 1 held; nothing was written."
    assert_has "$out" "| what went wrong"
    assert_has "$out" "pingate-out/logs/"
    assert_has "$out" "next:"
    [ "$(grep -c '^looked up 2 of 2$' "$out")" -eq 1 ]
    [ "$(tmux -S "$socket" display -p '#{cursor_flag}')" = 1 ]
}

@test "a narrow window is never overrun by what is ours" {
    name_of_test
    two_apps < <(usual_tests)
    for columns in 40 64; do
        window "$columns" 100 -- run --dry-run
        wait_for " s of 2 m"
        wait_for "[status 1]"
        assert_no_progress
        screen -J >"$out"
        # a name, digest or path that has no space is the only thing that may be longer
        ! grep -E ".{$((columns + 1))}" "$out" | grep -E '^ *[^ ]+ +[^ ]' || return 1
        tmux -S "$socket" kill-server
        window "$columns" 100 -- status
        wait_for "[status 0]"
        screen -J >"$out"
        ! grep -E ".{$((columns + 1))}" "$out" | grep -E '^ *[^ ]+ +[^ ]' || return 1
        assert_has "$out" "1.1.0@"
        tmux -S "$socket" kill-server
    done
}

@test "a window that becomes narrower and wider while it runs is left clean" {
    name_of_test
    two_apps <<'END'
tests: [{name: contract, run: "sleep 6", timeout: 2m}]
END
    window 150 60 -- run --dry-run
    wait_for "good:1.1.0: sleep 6"
    tmux -S "$socket" resize-window -x 46 -y 60
    sleep 1
    tmux -S "$socket" resize-window -x 120 -y 60
    sleep 1
    tmux -S "$socket" resize-window -x 60 -y 60
    wait_for "[status 0]"
    assert_no_progress
    screen -J >"$out"
    for line in "found 2 pins" "looked up 2 of 2" "passed: contract on" "Gate open"; do
        assert_has "$out" "$line"
    done
}

@test "Ctrl-C: it says that it stops, cleans up, and leaves the terminal as it was" {
    name_of_test
    two_apps <<'END'
tests: [{name: contract, run: "sleep 60", timeout: 2m}]
END
    window 80 60 -- run
    wait_for " s of 2 m"
    sleep 2 # its commands are under way
    tmux -S "$socket" send-keys C-c
    wait_for "[status 130]" 10
    assert_no_progress
    screen >"$out"
    assert_has "$out" "stopping:"
    assert_has "$out" "Interrupted by SIGINT"
    assert_has "$out" "pingate: stopped by SIGINT"
    [ "$(tmux -S "$socket" display -p '#{cursor_flag}')" = 1 ]
    assert_unchanged
}

@test "colours are there on a terminal, and not when they are not wanted" {
    name_of_test
    two_apps < <(usual_tests)
    window 100 60 -- status
    wait_for "[status 0]"
    screen -e | grep -q $'\e\[32mupdate'
    tmux -S "$socket" kill-server
    for setting in NO_COLOR=1 TERM=dumb TERM=; do
        window 100 60 "$setting" -- status
        wait_for "[status 0]"
        ! screen -e | grep -n $'\e' || return 1
        tmux -S "$socket" kill-server
    done
}

@test "a dumb terminal, and a terminal in CI, get plain lines" {
    name_of_test
    two_apps < <(usual_tests)
    for setting in TERM=dumb CI=true; do
        window 100 60 NO_COLOR=1 "$setting" -- run --dry-run
        tmux -S "$socket" pipe-pane "cat >$work/raw"
        wait_for "[status 1]"
        ! grep -n $'\e' "$work/raw" || return 1
        assert_has "$work/raw" "failed: contract on"
        tmux -S "$socket" kill-server
    done
}

@test "a terminal that is not UTF-8 gets ASCII" {
    name_of_test
    two_apps <<'END'
tests: [{name: contract, run: "echo 'grün → 日本' >&2; exit 1"}]
END
    window 100 60 LC_ALL=C -- run
    tmux -S "$socket" pipe-pane "cat >$work/raw"
    wait_for "[status 1]"
    screen >"$out"
    ! LC_ALL=C grep -n '[^ -~]' "$out" || return 1
    assert_has "$out" "1.0.0@"
    assert_has "$out" " -> 1.1.0@"
    assert_has "$out" "gr?n ? ??"
}

@test "where there is no terminal each event is one plain line" {
    name_of_test
    two_apps < <(usual_tests)
    gate 1 run --dry-run
    ! grep -n $'[\e\r]' "$out" "$err" || return 1
    [ "$(grep -c '^looked up 2 of 2$' "$err")" -eq 1 ]
    [ "$(grep -c '^failed: contract on .*exited with 1' "$err")" -eq 1 ]
    [ "$(grep -c '^passed: contract on .*good:1.1.0 ' "$err")" -eq 1 ]
    gate 0 status
    [ "$(wc -l <"$out")" -eq 2 ]
    gate 1 run --dry-run --quiet
    [ "$(wc -l <"$out")" -eq 1 ]
    [ "$(grep -vc '^failed: ' "$err")" -eq 0 ]
    # both on one pipe: what was printed first stands first
    pingate run --dry-run >"$out" 2>&1 || true
    [ "$(grep -n '^found 2 pins' "$out" | cut -d : -f 1)" -lt "$(grep -n '^Gate closed' "$out" | cut -d : -f 1)" ]
}

@test "output of a container moves no cursor, sets no title and draws nothing of its own" {
    name_of_test
    two_apps <<'END'
tests:
  - name: contract
    run: ["cat /version; printf '\\033[2J\\033[1;1H\\033[31mGate open\\033]0;owned\\007\\033[?25l\\rpassed\\n\\033[10A\\342\\200\\256txet\\n' >&2; exit 1"]
END
    window 100 60 -- run
    wait_for "[status 1]"
    screen >"$out"
    [ "$(grep -c '^found 2 pins' "$out")" -eq 1 ]
    [ "$(grep -c '^Gate closed' "$out")" -eq 1 ]
    ! grep -n '^Gate open' "$out" || return 1
    ! grep -n '^passed' "$out" || return 1
    assert_has "$out" "| Gate open"
    [ "$(tmux -S "$socket" display -p '#{cursor_flag} #{pane_title}')" != "0 owned" ]
    [ "$(tmux -S "$socket" display -p '#{cursor_flag}')" = 1 ]
}

# What the runners of CI systems take for a command. See actions/runner ActionCommand.cs (after leading white space, or
# "##[" anywhere), azure-pipelines-agent Command.cs ("##vso[" anywhere), GitLab's section markers, TeamCity.
assert_nothing_obeyed() { # FILE
    ! grep -nE '^[[:space:]]*::[A-Za-z]' "$1" || return 1
    ! grep -nE '##(\[|vso\[|teamcity\[)' "$1" || return 1
    ! grep -nE $'(\e\\[0K)?section_(start|end):[0-9]+:[^ ]*\r' "$1" || return 1
    ! grep -n $'[\e\r]' "$1" || return 1
}

@test "output of a container commands no CI system" {
    name_of_test
    cat >"$work/attack" <<'END'
::set-output name=a::b
   ::error file=a::b
	::add-mask::x
x ##[error]y
x ##vso[task.setvariable variable=a]b
##vso[task.complete result=Succeeded]
##teamcity[buildStatus status='SUCCESS']
END
    printf '\033[0Ksection_start:1:x\r\033[0Kx\r::stop-commands::x\n\342\200\213::warning::x\n#\342\200\213#[x]\n' >>"$work/attack"
    new_project
    old=$(make_image "$name/app:1.0.0" /version=1)
    make_image "$name/app:1.1.0" /version=2 "/attack@$work/attack" >/dev/null
    echo "FROM $(image "$name/app"):1.0.0@$old" >Dockerfile
    cat >pingate.yaml <<'END'
version: 1
updates: [{images: ["**"], policy: minor}]
tests: [{name: contract, run: ["test ! -e /attack || { cat /attack; cat /attack >&2; exit 1; }"]}]
END
    commit
    for setting in GITHUB_ACTIONS=true GITLAB_CI=true TF_BUILD=True TEAMCITY_VERSION=1; do
        for form in '' --json; do
            env "$setting" CI=true "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" run --dry-run --engine "$PINGATE_TEST_ENGINE" \
                $form >"$out" 2>&1 || [ $? -eq 1 ]
            assert_nothing_obeyed "$out"
            assert_has "$out" "add-mask"
        done
        for report in json junit markdown; do
            env "$setting" CI=true "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" report "$report" >"$out"
            [ "$report" = junit ] || assert_nothing_obeyed "$out"
        done
    done
}
