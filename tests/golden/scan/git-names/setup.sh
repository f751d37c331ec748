#!/bin/sh
git init -q .
cp größe/ü.txt "$(printf 'new\nline')"
git add .
