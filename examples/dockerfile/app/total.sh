#!/bin/sh
# Adds up a price list: NAME,COUNT,PRICE on standard input.
set -eu
awk -F , '{ sum += $2 * $3 } END { printf "total %.2f\n", sum }'
