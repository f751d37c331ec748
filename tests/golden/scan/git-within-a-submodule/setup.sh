#!/bin/sh
git init -q lib
git -C lib add .
git -C lib commit -q -m x
git init -q .
git -c advice.addEmbeddedRepo=false -c protocol.file.allow=always submodule -q add ./lib lib
git submodule -q absorbgitdirs
