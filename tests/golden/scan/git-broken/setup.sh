#!/bin/sh
echo "gitdir: /nowhere" >.git
