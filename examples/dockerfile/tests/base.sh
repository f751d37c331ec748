#!/bin/sh
# What the Dockerfile relies on: the app runs on the base as it is, and counts right.
set -eu
test "$(sh app/total.sh <app/sample.csv)" = "total 42.50"
test "$(printf 'a,1,0.1\nb,2,0.1\n' | sh app/total.sh)" = "total 0.30"
test "$(sh app/total.sh </dev/null)" = "total 0.00"
