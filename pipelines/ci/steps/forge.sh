# shellcheck shell=bash
# What the steps share: which forge this is, how it is asked, how git gets its password. To be sourced.
#
#   forge                    github, gitlab or none
#   remote                   what git fetches from and pushes to: the forge's own address, else "origin"
#   with_token COMMAND…      git, with PINGATE_TOKEN for the forge's address: neither in an argument nor in a file
#   api METHOD PATH [FILE]   GitHub's API, with the JSON of FILE; prints the answer. 4xx and 5xx are told in one line and fail
#   fail MESSAGE             tells it on standard error; its status is 1

readonly api_seconds=60 # one call with its retries

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    return 1
}

forge() {
    if [ "${GITHUB_ACTIONS:-}" = true ]; then
        echo github
    elif [ "${GITLAB_CI:-}" = true ]; then
        echo gitlab
    else
        echo none
    fi
}

# The address that GitLab wrote into the checkout holds the job's own password, which may not push.
remote() {
    case ${PINGATE_TOKEN:+$(forge)} in
    github) echo "${GITHUB_SERVER_URL:?}/${GITHUB_REPOSITORY:?}.git" ;;
    gitlab) echo "${CI_SERVER_URL:?}/${CI_PROJECT_PATH:?}.git" ;;
    *) echo origin ;;
    esac
}

with_token() {
    local server user
    case ${PINGATE_TOKEN:+$(forge)} in
    github) server=${GITHUB_SERVER_URL:?} user=x-access-token ;;
    gitlab) server=${CI_SERVER_URL:?} user=oauth2 ;;
    *)
        "$@"
        return
        ;;
    esac
    # The empty value takes away what a checkout may have left in the configuration for this address.
    GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0="http.$server/.extraHeader" GIT_CONFIG_VALUE_0='' \
        GIT_CONFIG_KEY_1="http.$server/.extraHeader" \
        GIT_CONFIG_VALUE_1="Authorization: Basic $(printf '%s:%s' "$user" "$PINGATE_TOKEN" | base64 -w 0)" \
        GIT_TERMINAL_PROMPT=0 "$@"
}

api() {
    local method=$1 path=$2 file=${3:-} answer status
    answer=$(mktemp)
    # The password comes on standard input: arguments are seen by whoever runs ps.
    status=$(printf 'header = "Authorization: Bearer %s"\n' "${PINGATE_TOKEN:?the API needs a token}" |
        curl --config - --silent --show-error --max-time "$api_seconds" --retry 3 --request "$method" \
            --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' \
            ${file:+--header 'Content-Type: application/json' --data-binary "@$file"} \
            --output "$answer" --write-out '%{http_code}' "${GITHUB_API_URL:?}$path") || status="no answer"
    case $status in
    2??) cat "$answer" ;;
    *) fail "$method $GITHUB_API_URL$path: $status: $(jq -r '.message? // empty' "$answer" 2>/dev/null | head -c 300)" || status= ;;
    esac
    rm -f "$answer"
    [ -n "$status" ]
}
