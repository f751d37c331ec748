#!/bin/sh
# One round of the worker: it makes the page that web is asked for next. The workspace stays from one to the other.
set -eu
mkdir -p pages
worker >pages/news.txt
test -s pages/news.txt
