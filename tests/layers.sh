#!/bin/bash
# Holds the shape of the program (TAP): who may include whom, one wrapper for each library, parts, headers that stand alone,
# calls that nobody makes, sizes. `make check` runs it; alone: tests/layers.sh [TREE].
#
# Every check is also shown to fail: with --self-test (and always under make check) it runs on small trees with one
# fault each.
set -euo pipefail
export LC_ALL=C.UTF-8

self=$(realpath "$0")
self_test=${PINGATE_TEST_SOURCE:+yes}
if [ "${1:-}" = --self-test ]; then
    self_test=yes
    shift
fi
tree=${1:-${PINGATE_TEST_SOURCE:-$(dirname "$self")/..}}

# From the top layer down: folder, and what its files may include. The most particular folder counts.
readonly may_include='
pipelines pipelines runners reports gate gate/base
runners   runners gate gate/base
reports   reports gate gate/base
gate      gate gate/base
gate/base gate/base'

# A library's header, and the only module that includes it: a file, or the pattern of its files.
readonly wrapped='
curl/.*       gate/base/http\(_[a-z]*\)\?\.[ch]
yaml\.h       gate/base/yaml.c
archive.*\.h  gate/base/\(un\)\?tar\.c
expat\.h      gate/base/xml.c
pcre2\.h      gate/base/regex.c
openssl/.*    gate/base/hash.c'

# A call that nobody makes, what to call instead, and the files that may.
readonly banned='
strcpy         text_append,_memcpy
strcat         text_append
sprintf        snprintf,_text_printf
vsprintf       vsnprintf,_text_vprintf
strtok         strchr,_strcspn
gets           getline
system         process_run
popen          process_run
gmtime         gmtime_r
localtime      localtime_r
open_memstream text                 gate/base/text.c'

readonly function_lines=120 function_lines_told=80 # fail above the first; tell above the second
readonly file_lines=700 file_lines_told=500

cd "$tree"
mapfile -t sources < <(find pipelines runners reports gate -name '*.[ch]' 2>/dev/null | sort)

layer_of() { # PATH
    case $1 in
    gate/base/*) echo gate/base ;;
    */*) echo "${1%%/*}" ;;
    *) echo "" ;;
    esac
}

# Comments become blanks, lines stay: what is left is code.
without_comments() { # FILE
    awk '{
        line = ""
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1); two = substr($0, i, 2)
            if (comment) { if (two == "*/") { comment = 0; i++ } }
            else if (string) { if (c == "\\") i++; else if (c == string) { string = ""; line = line c } }
            else if (two == "/*") { comment = 1; i++ }
            else if (two == "//") break
            else { if (c == "\"" || c == "\047") string = c; line = line c }
        }
        string = ""
        print line
    }' "$1"
}

check_includes_go_down() {
    local file line included from to allowed
    while IFS=: read -r file line included; do
        from=$(layer_of "$file") to=$(layer_of "$included")
        [ "$included" != config.h ] || continue
        allowed=$(awk -v from="$from" '$1 == from {$1 = ""; print $0 " "}' <<<"$may_include")
        case $allowed in
        *" ${to:-?} "*) ;;
        *) echo "$file:$line: $from may not include \"$included\"; it may include:$allowed" ;;
        esac
    done < <(grep -noE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' /dev/null "${sources[@]}" |
        sed 's/:[^:"]*"\([^"]*\)"$/:\1/')
}

check_one_wrapper_per_library() {
    local header wrapper found
    while read -r header wrapper; do
        [ -n "$header" ] || continue
        found=$(grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]${header}[>\"]" /dev/null "${sources[@]}" |
            grep -v "^$wrapper:" || true)
        [ -z "$found" ] || printf '%s (only %s may)\n' "$found" "$wrapper"
    done <<<"$wrapped"
}

# NAME_parts.h is what the files of one module share: NAME.c, NAME_*.c and their headers.
check_parts_stay_inside() {
    local file line included
    while IFS=: read -r file line included; do
        case $file in
        "${included%_parts.h}".[ch] | "${included%_parts.h}"_*.[ch]) ;;
        *) echo "$file:$line: \"$included\" is for the files of ${included%_parts.h} alone" ;;
        esac
    done < <(grep -noE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*_parts\.h"' /dev/null "${sources[@]}" |
        sed 's/:[^:"]*"\([^"]*\)"$/:\1/')
}

check_headers_stand_alone() {
    local header compiler
    # As make builds, or as near to it as this script can come alone.
    compiler=${PINGATE_TEST_COMPILE:-cc -std=gnu17 -D_GNU_SOURCE -I. $(pkg-config --cflags libcurl jansson yaml-0.1 libarchive expat libcrypto libpcre2-8)}
    for header in "${sources[@]}"; do
        [ "${header%.h}" != "$header" ] || continue
        # shellcheck disable=SC2086 # a command with its options
        printf '#include "%s"\n' "$header" | $compiler -I. -fsyntax-only -Wall -Werror -x c - 2>&1 | head -n 5
    done
}

check_banned_calls() {
    local file code call instead allowed found names
    names=$(awk 'NF {printf "%s%s", separator, $1; separator = "|"}' <<<"$banned")
    while read -r file; do
        code=$(without_comments "$file")
        while read -r call instead allowed; do
            if [ -z "$call" ] || [ "$file" = "$allowed" ]; then continue; fi
            found=$(grep -nE "(^|[^A-Za-z0-9_])${call}[[:space:]]*\(" <<<"$code" | cut -d: -f1 | xargs)
            [ -z "$found" ] || echo "$file:${found// /,}: $call is not to be called; use ${instead//_/ }"
        done <<<"$banned"
    done < <(grep -lE "(^|[^A-Za-z0-9_])($names)[[:space:]]*\(" /dev/null "${sources[@]}" || true)
}

# Functions as clang-format leaves them: they begin and end in the first column.
function_sizes() { # LINES: those above
    [ ${#sources[@]} -gt 0 ] || return 0
    awk -v limit="$1" '
        FNR == 1 { start = 0 }
        /^[A-Za-z_]/ && !/^[A-Za-z_0-9]+:$/ { if (!start) { start = FNR; name = $0 } }
        /;$/ && !/^[ \t]/ { start = 0 }
        /^}/ {
            if (/^}$/ && start && FNR - start + 1 > limit) {
                sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
                printf "%s:%d: %s has %d lines\n", FILENAME, start, name, FNR - start + 1
            }
            start = 0
        }' "${sources[@]}"
}

file_sizes() { # LINES: those above
    local file lines
    for file in "${sources[@]}"; do
        lines=$(wc -l <"$file")
        [ "$lines" -le "$1" ] || echo "$file has $lines lines"
    done
}

check_function_sizes() {
    function_sizes "$function_lines"
}

check_file_sizes() {
    file_sizes "$file_lines"
}

number=0
failed=0
result() { # NAME FAULTS: none is a pass
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
        failed=1
    fi
}

# Runs this script on a tree with one fault: only the named check may fail, and its message names the place.
catches() { # NAME-OF-CHECK PLACE FILE=TEXT…
    local name=$1 place=$2 bad entry out status=0 faults=''
    shift 2
    bad=$(mktemp -d)
    for entry in gate/sound.h='struct sound { int level; };' "$@"; do
        mkdir -p "$bad/$(dirname "${entry%%=*}")"
        printf '%b\n' "${entry#*=}" >"$bad/${entry%%=*}"
    done
    out=$(env -u PINGATE_TEST_SOURCE "$self" "$bad") || status=$?
    rm -rf "$bad"
    [ "$status" -eq 1 ] || faults="exit status $status"
    [ "$(grep '^not ok' <<<"$out" | sed 's/^not ok [0-9]* - //')" = "$name" ] || faults="$faults; not exactly this check failed"
    grep -qF -- "$place" <<<"$out" || faults="$faults; $place is not named"
    result "caught: $name: $place" "${faults:+$faults
$out}"
}

# A function, or a file, of so many lines.
long_function() { # LINES
    printf 'int long_one(void);\\nint long_one(void) {\\n'
    printf '    ;\\n%.0s' $(seq $(($1 - 3)))
    printf '    return 0;\\n}'
}

self_tests() {
    local down='includes go strictly downward' wrapper='one wrapper for each library'
    local parts='the parts of a module stay inside'
    local alone='each header compiles alone' calls='no banned call'
    catches "$down" gate/base/low.c:1 gate/base/low.c='#include "gate/sound.h"'
    catches "$down" gate/middle.c:2 gate/middle.c='\n#include "runners/run.h"' runners/run.h='struct run;'
    catches "$down" runners/a.c:1 runners/a.c='#include "reports/b.h"' reports/b.h='struct b;'
    catches "$down" reports/a.c:1 reports/a.c='#  include "runners/b.h"' runners/b.h='struct b;'
    catches "$down" reports/a.c:1 reports/a.c='#include "pipelines/b.h"' pipelines/b.h='struct b;'
    catches "$down" gate/near.c:1 gate/near.c='#include "sound.h"'
    catches "$wrapper" gate/fetch.c:1 gate/fetch.c='#include <curl/curl.h>'
    catches "$wrapper" pipelines/read.c:1 pipelines/read.c='#include <yaml.h>'
    catches "$wrapper" runners/pack.c:1 runners/pack.c='#include <archive_entry.h>'
    catches "$wrapper" gate/match.c:1 gate/match.c='#include <pcre2.h>'
    catches "$wrapper" gate/digest.c:1 gate/digest.c='#include <openssl/evp.h>'
    catches "$parts" pipelines/ask.c:1 pipelines/ask.c='#include "gate/fetch_parts.h"' gate/fetch_parts.h='struct fetch;'
    catches "$parts" gate/fetching.c:1 gate/fetching.c='#include "gate/fetch_parts.h"' gate/fetch_parts.h='struct fetch;'
    catches "$alone" 'FILE' gate/lone.h='void lone(FILE *out);'
    catches "$calls" gate/copy.c:2 gate/copy.c='/* strcpy( in a comment is none */\nvoid f(char *a) { strcpy(a, "x"); }'
    catches "$calls" gate/when.c:1,2 gate/when.c='int a = gmtime (0);\nint b = gmtime(0);'
    catches "$calls" runners/start.c:1 runners/start.c='int f(void) { return system("ls"); }'
    catches "$calls" gate/print.c:1 gate/print.c='int f(char *a) { return "(" && sprintf(a, "%s", "gets(x)"); }'
    catches "$calls" gate/memory.c:1 gate/memory.c='void *f(void) { return open_memstream(0, 0); }'
    catches 'no function is too long' gate/long.c:2 gate/long.c="$(long_function $((function_lines + 1)))"
    catches 'no file is too long' gate/large.c gate/large.c="$(printf 'int a;\\n%.0s' $(seq "$file_lines"))"
}

[ ${#sources[@]} -gt 0 ] || { echo "Bail out! no sources below $tree"; exit 1; }
result 'includes go strictly downward' "$(check_includes_go_down)"
result 'one wrapper for each library' "$(check_one_wrapper_per_library)"
result 'the parts of a module stay inside' "$(check_parts_stay_inside)"
result 'each header compiles alone' "$(check_headers_stand_alone)"
result 'no banned call' "$(check_banned_calls)"
result 'no function is too long' "$(check_function_sizes)"
result 'no file is too long' "$(check_file_sizes)"
{ function_sizes "$function_lines_told"; file_sizes "$file_lines_told"; } | sed 's/^/# worth a look: /'
[ -z "$self_test" ] || self_tests
echo "1..$number"
exit "$failed"
