# shellcheck shell=bash
# Real registry programs of a test's own: with a password, with a token server. `load registries` behind `load helpers`; what
# is started is ended by teardown.
eval "$(declare -f teardown | sed '1s/teardown/teardown_of_helpers/')"

readonly password=open-sesame
readonly password_hash='$2b$04$bPiCBRfOE1b7SG/yFYGIOO3ciXCIcGpIwIDBqFJQJyET80P0cariy' # bcrypt of it

teardown() {
    local file
    for file in "$work"/*.pid; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    teardown_of_helpers
}

until_so() { # COMMAND…
    local tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "never so: $*"; cat "$work"/*.log; return 1; }
        sleep 0.05
    done
}

# A registry over the storage that all of a test share. Its port is in $port.
real_registry() { # NAME [MORE-YAML [YAML-OF-HTTP [YAML-OF-STORAGE]]]
    local name=$1
    cat >"$work/$name.yml" <<END
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $work/storage}
${4-}
http:
  addr: 127.0.0.1:0
  secret: only-for-tests
${3-}
${2-}
END
    docker-registry serve "$work/$name.yml" >"$work/$name.log" 2>&1 3>&- &
    echo $! >"$work/$name.pid"
    until_so grep -q 'listening on 127\.0\.0\.1:' "$work/$name.log"
    # shellcheck disable=SC2034 # the tests'
    port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p' "$work/$name.log" | head -n 1)
}

log_in() { # HOST:PORT [PASSWORD]
    mkdir -p "$work/home/.docker"
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" "$(printf 'user:%s' "${2-$password}" | base64)" >"$work/home/.docker/config.json"
}

with_password() {
    echo "user:$password_hash" >"$work/htpasswd"
    real_registry password "auth: {htpasswd: {realm: tests, path: $work/htpasswd}}"
}

token_server() { # LIFE
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=tests 2>/dev/null
    "$tests/e2e/token_server.py" "$work" "$1" >"$work/token_server.log" 2>&1 3>&- &
    echo $! >"$work/token_server.pid"
    until_so test -s "$work/token.port"
}

with_tokens() { # LIFE
    token_server "$1"
    real_registry tokens "auth: {token: {realm: 'http://127.0.0.1:$(cat "$work/token.port")/token', service: tests,
  issuer: tests, rootcertbundle: $work/cert.pem}}"
}
