#!/bin/bash
# memcheck over the unit tests and over each command with scripted servers: reads of what was never written, which the
# sanitizers do not see, and leaks. Prints TAP.
#
#   tests/valgrind.sh [NAME…]    all, or these: NAME of tests/unit/test_NAME, or "commands"
#
# Works on $PINGATE_TEST_BUILD, else build/, where `make check` has built the tests. There are no suppressions. Left out are
# the few tests that ask what comes of a program that is not there (unit_lacking_programs in tests/unit/unit.h): memcheck makes
# the vfork of posix_spawn a fork, and so loses the answer. The sanitizers run them.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${PINGATE_TEST_BUILD:-build}")
readonly build
folder=$(mktemp -d /tmp/pingate-valgrind.XXXXXX)
trap 'rm -rf "$folder"' EXIT
export PINGATE_TEST_SOURCE=$PWD PINGATE_TEST_BUILD=$build LC_ALL=C.UTF-8 CK_DEFAULT_TIMEOUT=900 CK_EXCLUDE_TAGS=lacking-programs folder
export memcheck="valgrind --quiet --error-exitcode=97 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible"

# The system calls that memcheck does not know are answered with ENOSYS, for which the program is prepared.
unit() { # NAME
    local said=$folder/$1 status=0
    # shellcheck disable=SC2086 # words
    $memcheck --log-file="$said.%p.memcheck" "$PINGATE_TEST_BUILD/tests/unit/test_$1" >"$said.out" 2>&1 || status=$?
    [ "$status" -ne 0 ] || { echo "ok - memcheck: $1"; return; }
    echo "not ok - memcheck: $1 ended with $status"
    cat "$said.out" "$said".*.memcheck | grep -vE -- '^--[0-9]+-- ' | head -n 80 | sed 's/^/# /' || true
}
export -f unit

commands() {
    cat >"$folder/pingate" <<END
#!/bin/sh
# __asan_init: the harness allows as much time and memory as for a sanitized program
exec $memcheck "$build/pingate" "\$@"
END
    chmod +x "$folder/pingate"
    PINGATE_TEST_PROGRAM=$folder/pingate tests/faults/plain.py --jobs "$(nproc)"
}

if [ $# -eq 0 ]; then
    for file in tests/unit/test_*.c; do
        name=${file##*/test_}
        set -- "$@" "${name%.c}"
    done
    set -- "$@" commands
fi
status=0
for name in "$@"; do
    [ "$name" = commands ] || echo "$name"
done | xargs -r -P "$(nproc)" -I NAME bash -c 'unit NAME' >"$folder/all" || status=1
cat "$folder/all"
! grep -q '^not ok' "$folder/all" || status=1
case " $* " in *' commands '*) commands || status=1 ;; esac
exit "$status"
