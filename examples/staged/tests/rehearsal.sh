#!/bin/sh
# What only production asks: many at once.
set -eu
# shellcheck source=examples/staged/tests/web.sh
. tests/web.sh

mkdir -p pages
echo "Open from nine to five." >pages/hours.txt
serve pages
asked=''
for _ in 1 2 3 4 5 6 7 8 9 10; do
    expect "Open from nine to five." hours.txt &
    asked="$asked $!"
done
for one in $asked; do
    wait "$one"
done
