# shellcheck shell=sh
# Starts web as the deployment does, on a folder of ours. To be sourced.

serve() { # FOLDER
    echo yes >"$1/ready.txt"
    httpd -f -p 127.0.0.1:8080 -h "$1" &
    server=$!
    trap 'kill "$server"' EXIT
    tries=50
    until wget -q -O /dev/null "http://127.0.0.1:8080/ready.txt" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "web did not start" >&2 && exit 1; }
        sleep 0.1
    done
}

ask() { # PAGE
    wget -q -O - "http://127.0.0.1:8080/$1"
}

expect() { # TEXT PAGE
    got=$(ask "$2")
    [ "$got" = "$1" ] || { echo "$2: expected '$1', got '$got'" >&2 && exit 1; }
}
