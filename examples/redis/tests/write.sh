#!/bin/sh
# First half of a restart: orders come in, then the server is stopped.
set -eu
# shellcheck source=examples/redis/tests/server.sh
. tests/server.sh

server_start
expect OK set order:1 paid
expect 3 rpush parcels 1 2 3
server_stop
ls -l data
