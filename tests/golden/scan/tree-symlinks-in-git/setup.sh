#!/bin/sh
git init -q .
ln -s a.txt inside
ln -s d folder
ln -s nothing dangling
ln -s .. outside
git add .
ln -s ../.. d/untracked
