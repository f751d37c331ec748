#!/bin/sh
cd main
git init -q .
git add .
git commit -q -m x
git worktree add -q ../other
cp a.txt ../other/new.txt
echo >a.txt
