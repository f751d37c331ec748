#!/bin/bash
# Puts what pingate wrote, the pins and the ledger, on a branch of its own as one commit, pushes it, and opens or updates the
# one pull request of that branch: on GitHub and GitLab; elsewhere it ends with the push.
#
#   PINGATE_BASE     the branch that it is for (default: the job's, else the one that is checked out)
#   PINGATE_BRANCH   the branch of the proposal (default: pingate/update); jobs that propose different things need two
#   PINGATE_TITLE    of commit and pull request
#   PINGATE_AUTHOR   "NAME <EMAIL>" of the commit (default: pingate <pingate@localhost>)
#   PINGATE_REPORT   the file that becomes the pull request's text (default: pingate-out/report.md)
#   PINGATE_LEDGER   "push": where no pin moves and only the ledger has grown, it goes straight to PINGATE_BASE; else it is
#                    proposed too. What was observed counts from the day on which it is there
#   PINGATE_TOKEN    GitHub: may write contents and pull requests. GitLab: a project access token with write_repository.
#                    Without one git pushes to origin with what the checkout has
#
# The branch is made anew from the base each time. What an earlier proposal, not yet merged, has in its ledger is taken over, but
# for what it promoted: it was tested and seen, whatever becomes of its pins. A branch to which somebody else has added commits is left alone.
# Exit status: 0 proposed, or nothing to propose; 3 could not.
set -euo pipefail
# shellcheck source=pipelines/ci/steps/forge.sh
. "$(dirname "${BASH_SOURCE[0]}")/forge.sh"
trap '[ $? -eq 0 ] || exit 3' EXIT

readonly ledger=.pingate/ledger
readonly text_limit=60000 # bytes of a pull request's text; GitHub takes 65,536 characters
readonly base=${PINGATE_BASE:-${GITHUB_REF_NAME:-${CI_COMMIT_REF_NAME:-$(git symbolic-ref --short HEAD 2>/dev/null || true)}}}
readonly branch=${PINGATE_BRANCH:-pingate/update}
readonly title=${PINGATE_TITLE:-Move pinned images that passed their tests}
readonly author=${PINGATE_AUTHOR:-pingate <pingate@localhost>}
readonly name=${author%% <*}
email=${author##*<} email=${email%>}
old='' # the commit that the branch has on the server

# Only what pingate writes: files that git knows already, and the ledger. Fails where there is nothing.
stage_changes() {
    git add --update -- .
    [ ! -d "$ledger" ] || git add -- "$ledger"
    ! git diff --cached --quiet -- .
}

same_pins() { # COMMIT, which what is staged is compared with
    git diff --cached --quiet "$1" -- . ":(exclude)$ledger"
}

commit() {
    GIT_AUTHOR_NAME=$name GIT_AUTHOR_EMAIL=$email GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$email \
        git -c commit.gpgSign=false commit --quiet --no-verify --message "$title"
}

# Gives the changes back to the index where the base takes no push.
push_ledger() {
    commit
    if with_token git push --quiet "$(remote)" "HEAD:refs/heads/$base"; then
        echo "the ledger went to $base"
        return
    fi
    git reset --quiet --soft HEAD^
    echo "$base takes no push: the ledger is proposed instead"
    return 1
}

fetch_proposal() {
    local found
    found=$(with_token git ls-remote "$(remote)" "refs/heads/$branch")
    [ -n "$found" ] || return 0
    with_token git fetch --quiet --no-tags "$(remote)" "refs/heads/$branch"
    old=$(git rev-parse FETCH_HEAD)
}

# Somebody's own commits are not ours to throw away. A shallow clone knows the last one alone.
refuse_what_others_wrote() {
    local who range=(--no-merges "HEAD..$old")
    [ "$(git rev-parse --is-shallow-repository)" = false ] || range=(-1 "$old")
    while read -r who; do
        [ "$who" = "$email" ] ||
            fail "$branch has a commit of $who and is left alone: merge its pull request, or delete the branch"
    done < <(git log --format=%ce "${range[@]}")
}

stands_already() {
    [ "$(git rev-parse --quiet --verify "$old^")" = "$(git rev-parse HEAD)" ] && ! same_pins HEAD && same_pins "$old"
}

# Entry by entry, each file named by its bytes as pingate does (pipelines/stages/ledger.h). What an earlier proposal promoted has
# never stood anywhere, and is made anew or superseded by this one.
take_over_ledger() {
    local file rest sum
    rest=$(mktemp)
    git diff --name-only --no-renames --diff-filter=A HEAD "$old" -- "$ledger/" | while read -r file; do
        git show "$old:$file" | grep -vE '"type":"(promoted|rolled-back)"' >"$rest" || continue
        sum=$(sha256sum "$rest" | cut -c 1-16)
        mkdir -p "$(dirname "$file")"
        cp "$rest" "${file%-*}-$sum.jsonl"
        git add -- "${file%-*}-$sum.jsonl"
    done
    rm -f "$rest"
}

push_proposal() {
    local options=()
    if [ "$(forge)" = gitlab ]; then
        # A push option holds one line; a merge request that is there already stays as it is.
        options=(--push-option merge_request.create --push-option "merge_request.target=$base"
            --push-option "merge_request.title=$title" --push-option merge_request.remove_source_branch
            --push-option "merge_request.description=The report is an artifact of ${CI_JOB_URL:-the job}.")
    fi
    with_token git push --quiet --force-with-lease="refs/heads/$branch:$old" "${options[@]}" "$(remote)" "HEAD:refs/heads/$branch"
    echo "pushed $branch"
}

text_of_pull_request() {
    local report=${PINGATE_REPORT:-pingate-out/report.md}
    if same_pins HEAD^; then
        echo "No pin moves. The ledger keeps what was tested and seen, so that it counts for later stages."
    elif [ ! -f "$report" ]; then
        echo "There is no report at $report."
    elif [ "$(stat -c %s "$report")" -le "$text_limit" ]; then
        cat "$report"
    else
        head -c "$text_limit" "$report" | iconv -c -f UTF-8 -t UTF-8
        printf '\n\n(cut here; the artifacts of the job have the whole report)\n'
    fi
    [ -z "${GITHUB_RUN_ID:-}" ] || printf '\n%s/%s/actions/runs/%s\n' "$GITHUB_SERVER_URL" "$GITHUB_REPOSITORY" "$GITHUB_RUN_ID"
}

open_pull_request() {
    local query number answer
    work=$(mktemp -d)
    trap 'status=$?; rm -rf "$work"; [ "$status" -eq 0 ] || exit 3' EXIT
    text_of_pull_request >"$work/text"
    jq -n --arg title "$title" --rawfile body "$work/text" --arg head "$branch" --arg base "$base" \
        '{title: $title, body: $body, head: $head, base: $base}' >"$work/new"
    jq '{title, body}' "$work/new" >"$work/update"
    query=$(jq -rn --arg head "${GITHUB_REPOSITORY%%/*}:$branch" --arg base "$base" '"head=\($head | @uri)&base=\($base | @uri)"')
    answer=$(api GET "/repos/$GITHUB_REPOSITORY/pulls?state=open&$query")
    number=$(jq -r '.[0].number // empty' <<<"$answer")
    if [ -n "$number" ]; then
        answer=$(api PATCH "/repos/$GITHUB_REPOSITORY/pulls/$number" "$work/update")
    else
        answer=$(api POST "/repos/$GITHUB_REPOSITORY/pulls" "$work/new")
    fi
    echo "pull request $(jq -r '.html_url // .number' <<<"$answer")"
}

propose() {
    [ -n "$base" ] || fail "which branch is this for? Set PINGATE_BASE"
    [ "$branch" != "$base" ] || fail "PINGATE_BRANCH and PINGATE_BASE are both $base"
    if ! stage_changes; then
        echo "nothing to propose"
        return
    fi
    if [ "${PINGATE_LEDGER:-}" = push ] && same_pins HEAD && push_ledger; then
        return
    fi
    fetch_proposal
    if [ -n "$old" ]; then
        refuse_what_others_wrote
        if stands_already; then
            echo "$branch holds the same already"
            return
        fi
        take_over_ledger
    fi
    commit
    push_proposal
    [ "$(forge)" != github ] || open_pull_request
}

propose
