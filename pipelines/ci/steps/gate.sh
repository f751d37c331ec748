#!/bin/bash
# One pingate command in a CI job: runs it, shows its report, proposes what it wrote, and ends as it ended.
#
#   gate.sh COMMAND [OPTION]…          gate.sh run        gate.sh test        gate.sh promote --all
#
#   PINGATE_OPTIONS   more options, one a line
#   PINGATE_PROPOSE   "yes": what was written becomes a pull request (propose.sh, which see for what else it reads)
#   PINGATE_TOKEN     for propose.sh alone: pingate and what it starts never see it
#   PINGATE_STATE     where pingate keeps first sightings: a folder that the CI system caches
#
# `test` without --since takes the pull request's base: GITHUB_BASE_REF, CI_MERGE_REQUEST_DIFF_BASE_SHA.
# On GitHub report.md becomes the job's summary, and the outputs `status` and `proposed` are set.
#
# Exit status: pingate's. 0 passed or nothing to do. 1 the gate is closed: a candidate failed its tests; what passed beside it
# is proposed all the same where the configuration says so (promote: passing). 3 could not look or could not test; what could
# be looked up is proposed all the same. 2, 70 and signals: nothing is proposed. A proposal that fails makes a 0 or 1 into 3.
set -euo pipefail
token='' # of stop-commands
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Containers' output goes by in what pingate prints: on GitHub no line of it may be a command of the runner.
stop_commands() {
    [ "${GITHUB_ACTIONS:-}" = true ] || return 0
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "::stop-commands::$token"
}

resume_commands() {
    [ -z "$token" ] || echo "::$token::"
}

# A job that is cancelled tells this shell alone: pingate hears it too, and removes its containers.
pingate_to_the_end() { # ARGUMENT…
    local program status=0
    env -u PINGATE_TOKEN pingate "$@" &
    program=$!
    trap 'kill -TERM "$program" 2>/dev/null || true' TERM HUP INT # a shell starts its jobs deaf to INT
    wait "$program" || status=$?
    # A signal ends the first wait, not the program.
    while kill -0 "$program" 2>/dev/null; do
        status=0
        wait "$program" || status=$?
    done
    trap - TERM HUP INT
    return "$status"
}

base_of_pull_request() {
    if [ -n "${GITHUB_BASE_REF:-}" ]; then
        echo "origin/$GITHUB_BASE_REF"
    elif [ -n "${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}" ]; then
        echo "$CI_MERGE_REQUEST_DIFF_BASE_SHA"
    else
        echo "gate.sh: test: no --since, and this is no job of a pull request" >&2
        return 2
    fi
}

output() { # NAME VALUE
    [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

reports() {
    local next
    while [ $# -gt 0 ]; do
        next=${2:-}
        case $1 in
        --output | -o) echo "$next" && return ;;
        --output=*) echo "${1#*=}" && return ;;
        esac
        shift
    done
    echo pingate-out
}

main() {
    local status=0 proposed=no options=() report base
    [ $# -gt 0 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; return 2; }
    if [ -n "${PINGATE_OPTIONS:-}" ]; then
        mapfile -t options < <(grep -v '^[[:space:]]*$' <<<"$PINGATE_OPTIONS")
    fi
    if [ "$1" = test ] && [[ " $* ${options[*]}" != *" --since"* ]]; then
        base=$(base_of_pull_request) || return
        options+=(--since "$base")
    fi
    report=$(reports "$@" "${options[@]}")/report.md
    stop_commands
    pingate_to_the_end "$@" "${options[@]}" || status=$?
    resume_commands
    output status "$status"
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$report" ]; then
        cat "$report" >>"$GITHUB_STEP_SUMMARY"
    fi
    case $status in
    0 | 1 | 3)
        if [ "${PINGATE_PROPOSE:-}" = yes ]; then
            if PINGATE_REPORT=$report "$steps/propose.sh"; then
                proposed=yes
            else
                case $status in 0 | 1) status=3 ;; esac
            fi
        fi
        ;;
    esac
    output proposed "$proposed"
    return "$status"
}

main "$@"
exit
