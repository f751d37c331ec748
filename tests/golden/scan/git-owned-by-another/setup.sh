#!/bin/sh
git init -q .
git add .
