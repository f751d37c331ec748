#!/bin/sh
git init -q -b main .
git add .
git commit -q -m a
git checkout -q -b other
echo b >>a.txt
git commit -q -a -m b
git checkout -q main
echo c >>a.txt
git commit -q -a -m c
! git merge -q other >/dev/null 2>&1
