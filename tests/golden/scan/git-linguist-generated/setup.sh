#!/bin/sh
git init -q .
echo 'gen/** linguist-generated' >.gitattributes
git add .
