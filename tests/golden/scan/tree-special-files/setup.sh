#!/bin/sh
mkfifo fifo
mkdir empty
