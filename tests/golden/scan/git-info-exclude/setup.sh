#!/bin/sh
git init -q .
mkdir -p .git/info
echo b.txt >.git/info/exclude
