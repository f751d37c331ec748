#!/bin/sh
cp a.txt "$(printf 'new\nline')"
cp a.txt "$(printf 'tab\tname')"
cp a.txt "$(printf 'esc\033[31m')"
cp a.txt "$(printf 'caf\351')"
