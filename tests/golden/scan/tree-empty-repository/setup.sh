#!/bin/sh
git init -q .
