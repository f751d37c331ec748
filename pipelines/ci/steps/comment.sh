#!/bin/bash
# Posts the report of a pull request's gate as one comment, which later runs update. For a job that may write: it runs after
# the one that ran the pull request's code, and believes nothing of what that left but as data.
#
#   comment.sh FOLDER            which holds result.json as the gate wrote it
#
#   PINGATE_TOKEN        may write pull requests
#   PINGATE_HEAD         OWNER:BRANCH of the pull request, as the forge says, and
#   PINGATE_HEAD_SHA     its commit; both from the event, never from FOLDER
#   PINGATE_RUN          the address of the gate's job
#   PINGATE_COMMENTER    whose comments are ours (default: github-actions[bot])
#
# The Markdown is drawn anew from result.json by the pingate of this job, which cleans what comes from containers and
# registries; report.md of the other job is not looked at. Exit status: 0 posted, or no such pull request is open; 3 could not.
set -euo pipefail
# shellcheck source=pipelines/ci/steps/forge.sh
. "$(dirname "${BASH_SOURCE[0]}")/forge.sh"

readonly mark='<!-- pingate:gate -->'
readonly page_size=100         # the most that the API gives
readonly page_limit=30         # 3,000 comments
readonly result_limit=67108864 # bytes of result.json that are looked at

work=$(mktemp -d)
trap 'status=$?; rm -rf "$work"; [ "$status" -eq 0 ] || exit 3' EXIT

# The open pull request whose newest commit was tested; another one of the same branch would get a report that is not its own.
find_pull_request() {
    local query
    query=$(jq -rn --arg head "${PINGATE_HEAD:?}" '"head=" + ($head | @uri)')
    api GET "/repos/${GITHUB_REPOSITORY:?}/pulls?state=open&per_page=$page_size&$query" |
        jq -r --arg sha "${PINGATE_HEAD_SHA:?}" 'map(select(.head.sha == $sha)) | .[0].number // empty'
}

draw() { # FOLDER
    local result=$1/result.json
    if [ ! -f "$result" ] || [ -L "$result" ]; then fail "$1 holds no result.json: the gate's job wrote none"; fi
    [ "$(stat -c %s "$result")" -le "$result_limit" ] || fail "$result: larger than $result_limit bytes"
    env -u PINGATE_TOKEN pingate report --from "$result" markdown >"$work/report"
    printf '%s\n%s\n\nTested: %s, %s\n' "$mark" "$(cat "$work/report")" "$PINGATE_HEAD_SHA" "${PINGATE_RUN:-}" >"$work/text"
    jq -n --rawfile body "$work/text" '{body: $body}' >"$work/json"
}

# Ours: by author and mark, for anybody can write the mark.
find_comment() { # NUMBER
    local page
    for ((page = 1; page <= page_limit; page++)); do
        api GET "/repos/$GITHUB_REPOSITORY/issues/$1/comments?per_page=$page_size&page=$page" >"$work/page"
        jq -r --arg who "${PINGATE_COMMENTER:-github-actions[bot]}" --arg mark "$mark" \
            'map(select(.user.login == $who and (.body | startswith($mark)))) | .[0].id // empty' "$work/page" >"$work/found"
        if [ -s "$work/found" ]; then
            cat "$work/found"
            return
        fi
        [ "$(jq length "$work/page")" -eq "$page_size" ] || return 0
    done
}

post() {
    local number comment
    draw "$1"
    number=$(find_pull_request)
    if [ -z "$number" ]; then
        echo "no open pull request of $PINGATE_HEAD stands at $PINGATE_HEAD_SHA: nothing to say"
        return
    fi
    comment=$(find_comment "$number")
    if [ -n "$comment" ]; then
        api PATCH "/repos/$GITHUB_REPOSITORY/issues/comments/$comment" "$work/json" >/dev/null
        echo "updated the comment on pull request #$number"
    else
        api POST "/repos/$GITHUB_REPOSITORY/issues/$number/comments" "$work/json" >/dev/null
        echo "commented on pull request #$number"
    fi
}

post "${1:?comment.sh FOLDER}"
