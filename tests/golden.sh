#!/bin/bash
# The golden cases of the scanner: what stands where in files of all kinds, as folders of files. `make check` runs it.
#
#   tests/golden.sh [NAME…]            these cases, or all of tests/golden/scan (TAP)
#   tests/golden.sh --update NAME…     shows how these cases differ and writes what is found now as what is expected. Only
#                                      for a change that is meant: read the differences, they are what the change does
#
# A case is a folder tests/golden/scan/NAME with
#
#   input/             the tree; a case without it begins with an empty one
#   setup.sh           run in a copy of the tree, for what a repository cannot hold: links, names, other repositories
#   folder             the folder of the tree that is scanned, one line; without it the tree
#   environment        more of it for the scan, NAME=VALUE a line
#   as-user            an empty file: scan as a user who is not root, since root may read everything
#   expect.json        what `pingate scan --json` prints
#   expect-rewritten/  the files with pins, each pin moved to the tag and digest below, all other bytes as they are
#   expect-exit        the exit status where it is not 0; expect.json then lacks
#   expect-stderr      lines that each stand somewhere in what it says
#
# Whatever the case, all pins are also moved and moved back (tests/golden/moved.h says what must hold).
set -euo pipefail
shopt -s nullglob

source=$(cd "${PINGATE_TEST_SOURCE:-$(dirname "$0")/..}" && pwd)
build=${PINGATE_TEST_BUILD:-$source/build}
readonly cases=$source/tests/golden/scan
readonly tag=9.9.9-moved digest=sha256:1122334455667788112233445566778811223344556677881122334455667788
readonly somebody=65534 # a user and group that own nothing here

update=no
if [ "${1:-}" = --update ]; then
    update=yes
    shift
    [ $# -gt 0 ] || { sed -n '5,6s/^# //p' "$0" >&2; exit 2; }
fi
[ $# -gt 0 ] || { cd "$cases"; set -- *; }
[ $# -gt 0 ] || { echo "no cases in $cases"; exit 1; }

work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$build/pingate" "$work/pingate" # where any user may start it

# The caller's git must not matter.
export HOME=$work GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CEILING_DIRECTORIES=$work
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
unset "${!GIT_DIR@}" GIT_WORK_TREE GIT_INDEX_FILE 2>/dev/null || true

make_tree() { # CASE TREE
    mkdir "$2"
    [ ! -d "$1/input" ] || cp -R "$1/input/." "$2"
    chmod -R u+w "$2"
    [ ! -f "$1/setup.sh" ] || (cd "$2" && sh -eu "$1/setup.sh")
}

as_user() { # CASE COMMAND…
    if [ -f "$1/as-user" ] && [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid "$somebody" --regid "$somebody" --clear-groups "${@:2}"
    else
        "${@:2}"
    fi
}

scan() { # CASE FOLDER
    local status=0 environment=()
    [ ! -f "$1/environment" ] || mapfile -t environment <"$1/environment"
    (cd "$2" && as_user "$1" env "${environment[@]}" "$work/pingate" scan --json) >"$work/found.json" 2>"$work/stderr" || status=$?
    echo "$status" >"$work/exit"
}

same() { # EXPECTED FOUND: shows the difference
    diff -ru --text --label "expected ${1##*/}" --label "found ${1##*/}" "$1" "$2"
}

check_scan() { # CASE
    local line good=yes wanted=$work/zero
    echo 0 >"$work/zero"
    [ ! -f "$1/expect-exit" ] || wanted=$1/expect-exit
    same "$wanted" "$work/exit" || good=no
    if [ -f "$1/expect-stderr" ]; then
        while IFS= read -r line; do
            grep -qF -- "$line" "$work/stderr" || { echo "standard error lacks: $line"; good=no; }
        done <"$1/expect-stderr"
    fi
    if [ -f "$1/expect.json" ]; then
        same "$1/expect.json" "$work/found.json" || good=no
    elif [ ! -f "$1/expect-exit" ]; then
        echo "the case has neither expect.json nor expect-exit"
        good=no
    fi
    [ "$good" = yes ] || sed 's/^/stderr: /' "$work/stderr"
    [ "$good" = yes ]
}

check_moving() { # CASE FOLDER
    mkdir "$work/moved"
    "$build/tests/golden/move_pins" "$2" "$work/moved" "$tag" "$digest" || return 1
    [ ! -d "$1/expect-rewritten" ] || diff -ru --text "$1/expect-rewritten" "$work/moved"
}

write_anew() { # CASE
    if [ "$(cat "$work/exit")" -eq 0 ]; then
        cp "$work/found.json" "$1/expect.json"
    else
        cp "$work/exit" "$1/expect-exit"
    fi
    if [ -d "$1/expect-rewritten" ]; then
        rm -rf "$1/expect-rewritten"
        cp -R "$work/moved" "$1/expect-rewritten"
    fi
}

run_case() { # NAME
    local case=$cases/$1 folder=$work/tree status=0
    chmod -R u+rwx "$work"
    rm -rf "$work/tree" "$work/moved"
    [ -d "$case" ] || { echo "there is no $case"; return 1; }
    make_tree "$case" "$work/tree" || { echo "its setup.sh failed"; return 1; }
    [ ! -f "$case/folder" ] || folder=$work/tree/$(cat "$case/folder")
    scan "$case" "$folder"
    check_scan "$case" || status=1
    [ "$(cat "$work/exit")" -ne 0 ] || check_moving "$case" "$folder" || status=1
    [ "$update" = no ] || write_anew "$case"
    return "$status"
}

count=0 failed=0
for name in "$@"; do
    count=$((count + 1))
    if run_case "$name" >"$work/log" 2>&1; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        head -n 60 "$work/log" | sed 's/^/# /'
        failed=$((failed + 1))
    fi
done
echo "1..$count"
[ "$failed" -eq 0 ]
