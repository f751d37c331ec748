#!/bin/sh
git init -q lib
git init -q .
