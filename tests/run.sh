#!/bin/bash
# Installs what lacks, builds, and runs the tests. Ends with "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
./bootstrap
mkdir -p build
cd build
../configure --enable-werror >configure.out 2>&1 || { tail -20 configure.out; exit 1; }
make -s -j"$(nproc)" >make.out 2>&1 || { tail -40 make.out; exit 1; }
status=0
make -k check >check.out 2>&1 || status=1
grep -E '^(FAIL|ERROR)' check.out || true
count() { awk -v name="# $1:" 'index($0, name) == 1 { sum += $3 } END { print sum + 0 }' check.out; }
passed=$(count PASS)
failed=$(($(count FAIL) + $(count ERROR)))
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
