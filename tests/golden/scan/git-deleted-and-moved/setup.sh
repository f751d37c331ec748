#!/bin/sh
git init -q .
git add .
rm b.txt
mkdir d
mv c.txt d/
