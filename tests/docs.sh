#!/bin/bash
# Holds what is written about the program to the program (TAP): the man page and the completions in docs, which `make man`
# makes, the words of README.md, and the width of the help. Completions are tried in the shells themselves.
set -u
export LC_ALL=C.UTF-8
cd "${PINGATE_TEST_SOURCE:-$(dirname "$0")/..}" || exit 1
program=$(realpath "${PINGATE_TEST_BUILD:-build}/pingate")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failures=0

result() { # STATUS NAME [FILE-WITH-DETAILS]
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        failures=$((failures + 1))
        echo "not ok $count - $2"
        [ -z "${3-}" ] || sed 's/^/# /' "$3" >&2
    fi
}

needs() { # PROGRAM NAME
    command -v "$1" >/dev/null && return 0
    count=$((count + 1))
    echo "ok $count - $2 # SKIP needs $1 (tests/packages names its package)"
    return 1
}

is_as_made() { # FILE WORD
    "$program" completion "$2" >"$work/made"
    diff -u "$1" "$work/made" >"$work/difference"
    result $? "$1 is what the program says (else: make man)" "$work/difference"
}
is_as_made docs/pingate.1 man
is_as_made docs/completions/pingate bash
is_as_made docs/completions/_pingate zsh
is_as_made docs/completions/pingate.fish fish

page=docs/pingate.1
if needs mandoc "mandoc finds no fault in the man page"; then
    mandoc -T lint -W style "$page" >"$work/lint"
    result $? "mandoc finds no fault in the man page" "$work/lint"
fi
if needs man "man finds no fault in the man page"; then
    MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$work/lint" >/dev/null
    [ ! -s "$work/lint" ]
    result $? "man finds no fault in the man page" "$work/lint"
fi
[ "$(sed -n 's/^\.SH //p' "$page" | tr '\n' ' ')" = \
    "NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS EXIT STATUS FILES ENVIRONMENT EXAMPLES " ]
result $? "the man page has the usual sections"

# Commands and options of the program, one a line.
"$program" --help >"$work/help"
sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/help" >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 8 ]
result $? "the help lists the commands"
mapfile -t commands <"$work/commands"
for command in "${commands[@]}"; do "$program" "$command" --help; done >"$work/helps"
cat "$work/helps" >>"$work/help"
LC_ALL=C awk '{ gsub(/[\200-\277]/, "") } length($0) > 80' "$work/help" >"$work/wide"
[ ! -s "$work/wide" ]
result $? "no line of the help is wider than 80 columns" "$work/wide"
grep -oE -- '--[a-z-]+' "$work/help" | sort -u >"$work/options"
for command in "${commands[@]}"; do
    "$program" help "$command" | cmp -s - <("$program" "$command" --help) || echo "$command"
done >"$work/different"
[ ! -s "$work/different" ]
result $? "pingate help COMMAND is pingate COMMAND --help" "$work/different"

# README: each command and option that it names is one; each exit status is as the help says.
{
    grep -oE '(^ {4}|`)pingate [a-z]+' README.md | awk '{ print $2 }' | sort -u | grep -vxFf "$work/commands"
    grep -E 'pingate .*--' README.md | grep -oE ' --[a-z][a-z-]*' | tr -d ' ' | sort -u | grep -vxFf "$work/options"
} >"$work/unknown"
[ ! -s "$work/unknown" ]
result $? "README.md names no command and no option that is none" "$work/unknown"
# A long meaning goes on in the next line.
awk '/^Exit status:/ {on = 1; next} !on {next} /^$/ {exit} /^  [0-9]/ {if (line) print line; line = $0; next} {line = line " " $0}
    END {print line}' "$work/help" | sed 's/  */ /g; s/^ //' >"$work/statuses"
sed -n 's/^| \([0-9][0-9N+]*\) | \(.*\) |$/\1 \2/p' README.md | tr -d '`' | diff "$work/statuses" - >"$work/difference"
result $? "README.md has the exit statuses of the help, word for word" "$work/difference"

# What a shell makes of words and a tab: the line must then hold the completed word.
completes() { # SHELL LINE EXPECTED
    needs "$1" "$1: \"$2\" and a tab" || return 0
    python3 tests/complete.py "$1" "$PWD/docs/completions" "$2" "$3" >"$work/screen" 2>&1
    result $? "$1: \"$2\" and a tab give \"$3\"" "$work/screen"
}
for shell in bash zsh fish; do
    completes "$shell" "pingate stat" "pingate status"
    completes "$shell" "pingate run --dry" "pingate run --dry-run"
    completes "$shell" "pingate status --exit" "pingate status --exit-code"
    completes "$shell" "pingate run --promote pass" "pingate run --promote passing"
    completes "$shell" "pingate report junit --from uniq" "pingate report junit --from unique-file.json"
    completes "$shell" "pingate completion fi" "pingate completion fish"
    completes "$shell" "pingate report mark" "pingate report markdown"
done

echo "1..$count"
[ "$failures" -eq 0 ]
