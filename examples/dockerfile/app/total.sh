#!/bin/sh
# Adds up a price list: NAME,COUNT,PRICE on standard input. How money is written, the base image knows.
set -eu
sum=$(awk -F , '{ sum += $2 * $3 } END { print sum + 0 }')
echo "total $(money "$sum")"
