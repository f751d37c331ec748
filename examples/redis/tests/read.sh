#!/bin/sh
# Second half, in another container: the orders are still there.
set -eu
# shellcheck source=examples/redis/tests/server.sh
. tests/server.sh

server_start
if [ "$(redis-cli exists order:1)" != 1 ]; then
    echo "order:1 was written before the restart and is gone; the server saves: '$(redis-cli config get save | tail -n 1)'" >&2
    exit 1
fi
expect paid get order:1
expect 3 llen parcels
server_stop
