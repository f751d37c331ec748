#!/bin/sh
git init -q .
echo ignored >.gitignore
git add .
