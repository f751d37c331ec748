#!/bin/sh
git init -q .
printf 'ignored.txt\nout/\n*.tmp\n' >.gitignore
printf '!kept.tmp\n' >d/.gitignore
git add -f a.txt tracked.tmp
