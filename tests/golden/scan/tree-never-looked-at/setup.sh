#!/bin/sh
mkdir -p .git.d d/.git
cp a.txt .git.d/x
cp a.txt d/.git/x
