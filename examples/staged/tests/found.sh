#!/bin/sh
# Second half, in web's own container: the news are there, in the form that web's page shows.
set -eu
# shellcheck source=examples/staged/tests/web.sh
. tests/web.sh

serve pages
ask news.txt | grep -q '^news 1: '
