# shellcheck shell=bash disable=SC2034
# How the quickstart makes images of redis from the packages of Debian or Ubuntu; to be sourced.

project=redis
packages=(redis-server redis-tools) # the first one is the service; all are taken in the same version
config='{"Cmd":["redis-server","/etc/redis/redis.conf","--daemonize","no","--logfile","","--bind","0.0.0.0"],
    "ExposedPorts":{"6379/tcp":{}},"Volumes":{"/var/lib/redis":{}}}'

promises="it answers, counts and forgets as it should; it keeps its data over a restart"

# A publisher's rebuild of the very same release that starts, answers PING, and no longer does what users rely on.
breaks="its redis.conf was tuned for a cache: nothing is saved to disk any more"
broken_files=(etc/redis/redis.conf)
break_contract() { # FOLDER, with these files of the good image in it
    printf '\n# A cache needs no disk.\nsave ""\n' >>"$1/etc/redis/redis.conf"
}
