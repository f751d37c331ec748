#!/bin/sh
# What the shop asks of redis every day.
set -eu
# shellcheck source=examples/redis/tests/server.sh
. tests/server.sh

redis-server --version
server_start
expect OK set greeting 'good morning'
expect 'good morning' get greeting
expect 1 incr visitors
expect 2 incr visitors
expect OK set basket:7 milk EX 1
expect milk get basket:7
expect '*WRONGTYPE*' lpush greeting hello
sleep 1.2
expect '' get basket:7
server_stop
