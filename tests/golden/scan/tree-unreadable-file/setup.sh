#!/bin/sh
chmod 0 b.txt
