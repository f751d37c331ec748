# shellcheck shell=sh
# Starts and stops the server as the image configures it; only its data goes into the workspace. To be sourced.

server_start() {
    mkdir -p data
    redis-server /etc/redis/redis.conf --daemonize no --logfile '' --dir "$PWD/data" >server.log 2>&1 &
    server=$!
    tries=100
    until [ "$(redis-cli ping 2>&1)" = PONG ]; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ] || ! kill -0 "$server" 2>/dev/null; then
            echo "redis did not start:" >&2
            cat server.log >&2
            exit 1
        fi
        sleep 0.1
    done
}

# As an engine stops a container: with TERM, and redis has to put its house in order.
server_stop() {
    kill -TERM "$server"
    wait "$server"
}

expect() { # PATTERN-OF-ANSWER REDIS-COMMAND…
    wanted=$1
    shift
    got=$(redis-cli "$@" 2>&1)
    echo "$* -> $got"
    # shellcheck disable=SC2254 # a pattern
    case $got in
    $wanted) ;;
    *)
        echo "redis-cli $*: expected '$wanted', got '$got'" >&2
        exit 1
        ;;
    esac
}
