#!/bin/sh
# "redis… xxxxx…xxxxx redis…\nredis…\n" with 10 MiB between the first two
{ cat pin; printf ' '; head -c 10485759 /dev/zero | tr '\0' x | sed 's/x$/ /'; cat pin; echo; cat pin; } >long.txt
