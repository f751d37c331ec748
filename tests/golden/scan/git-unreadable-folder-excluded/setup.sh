#!/bin/sh
git init -q .
git add a.txt
chmod 0 data
