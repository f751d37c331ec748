#!/bin/sh
# Web serves what is in /pages' stead, says what it does not have, and has a home page of its own.
set -eu
# shellcheck source=examples/staged/tests/web.sh
. tests/web.sh

mkdir -p pages
echo "Open from nine to five." >pages/hours.txt
serve pages
expect "Open from nine to five." hours.txt
if ask nothing.txt; then
    echo "nothing.txt was served" >&2
    exit 1
fi
