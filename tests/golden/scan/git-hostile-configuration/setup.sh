#!/bin/sh
git init -q .
git config core.fsmonitor 'cp a.txt RAN; false'
git config core.pager 'cp a.txt RAN'
git config core.quotePath true
git config alias.ls-files '!cp a.txt RAN'
