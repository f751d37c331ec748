#!/bin/sh
git init -q .
git add .
rm b.txt c.txt
mkfifo b.txt
mkdir c.txt
touch c.txt/x
