#!/bin/sh
# 65,536 lines of 80 bytes, of which four are pins
awk -v pin="$(cat pin)" 'BEGIN { for (i = 1; i < 80; i++) x = x "x"; for (i = 0; i < 65536; i++) print i % 16384 == 16383 ? pin : x }' >big.txt
