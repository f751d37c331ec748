#!/bin/sh
# The golden reports as their readers take them: junit.xml against tests/data/junit.xsd, Markdown drawn as GitHub does.
set -eu
cd "${PINGATE_TEST_SOURCE:-$(dirname "$0")/..}"
for tool in xmllint:libxml2-utils cmark-gfm:cmark-gfm python3:python3; do
    if ! command -v "${tool%:*}" >/dev/null; then
        echo "1..0 # SKIP needs ${tool%:*} (package ${tool#*:})"
        exit 0
    fi
done

count=0
status=0
verdict() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        status=1
    fi
}

valid() { # FILE…
    xmllint --noout --nonet --schema tests/data/junit.xsd "$@" >/dev/null 2>&1
}

for file in tests/golden/reports/*/junit.xml; do
    result=0
    valid "$file" || { xmllint --noout --nonet --schema tests/data/junit.xsd "$file" >&2 || result=1; }
    verdict $result "$file is valid"
done

# The schema must be able to say no: what Jenkins refuses is refused.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
refused() { # NAME SED-EXPRESSION
    sed -E "$2" tests/golden/reports/closed/junit.xml >"$folder/bad.xml"
    result=0
    if cmp -s "$folder/bad.xml" tests/golden/reports/closed/junit.xml || valid "$folder/bad.xml"; then result=1; fi
    verdict $result "refused: $1"
}
refused "a suite without errors=" 's/(<testsuite .*) errors="0"/\1/'
refused "file= on a test case" 's/<testcase /<testcase file="a" /'
refused "timestamp= on testsuites" 's/<testsuites /<testsuites timestamp="2026-01-01T00:00:00" /'
refused "a time with an exponent" 's/time="0.300"/time="3e-1"/'
refused "four decimals" 's/time="0.300"/time="0.3001"/'
refused "two equal cases" 's/name="look-up"/name="verdict"/'
refused "an illegal character" 's/exited with 1/\&#27;/'
refused "properties within a test case" 's/<system-out>/<properties\/><system-out>/'

for file in tests/golden/reports/*/*.md; do
    result=0
    cmark-gfm --unsafe --extension table --extension autolink --extension strikethrough "$file" >"$folder/drawn.html"
    python3 tests/markdown.py <"$folder/drawn.html" >&2 || result=1
    verdict $result "$file draws no markup, link or mention of others"
done
for bad in '<b>x</b>' '@user' '![x](http://x/)' 'https://x.example/' '<img src=x>' '- a [x](y)' 'fixes #1' '<details>'; do
    result=0
    printf '%s\n' "$bad" | cmark-gfm --unsafe --extension table --extension autolink >"$folder/drawn.html"
    if python3 tests/markdown.py <"$folder/drawn.html" 2>/dev/null; then result=1; fi
    verdict $result "found: $bad"
done

# Attacks (tests/hostile.py) through each sink, each asked of its real reader.
drawn_by=${PINGATE_TEST_BUILD:-build}/pingate
obeyed() { # FILE: a line that some CI system would take for a command, or a character that no log should hold
    LC_ALL=C grep -nE '^[[:space:]]*::|##[A-Za-z._-]*\[' "$1" >&2 ||
        LC_ALL=C grep -n "$(printf '[\001-\010\013-\037\177]')" "$1" >&2
}
python3 tests/hostile.py tests/golden/reports/full/result.json "$folder"
for file in "$folder"/*.json; do
    name=$(basename "$file" .json)
    result=0
    "$drawn_by" report --from "$file" --output "$folder/$name" >&2 || result=1
    valid "$folder/$name/junit.xml" || result=1
    ! obeyed "$folder/$name/junit.xml" || result=1
    verdict $result "$name: junit.xml is valid and commands nothing"
    result=0
    cmark-gfm --unsafe --extension table --extension autolink --extension strikethrough \
        "$folder/$name/report.md" >"$folder/drawn.html" || result=1
    python3 tests/markdown.py <"$folder/drawn.html" >&2 || result=1
    ! obeyed "$folder/$name/report.md" || result=1
    [ "$(wc -c <"$folder/$name/report.md")" -lt 65536 ] || result=1
    verdict $result "$name: report.md draws no markup of others, commands nothing, fits a comment"
    result=0
    python3 -c 'import json, sys
a, b = (json.load(open(name)) for name in sys.argv[1:])
sys.exit(a["updates"] != b["updates"] or a["trials"] != b["trials"])' "$file" "$folder/$name/result.json" || result=1
    ! obeyed "$folder/$name/result.json" || result=1
    verdict $result "$name: result.json comes back as it was, and commands nothing"
done
# The search for commands must be able to find one.
for bad in '::error::x' '  ::error::x' 'x ##vso[a]' "$(printf 'a\033[31m')"; do
    printf '%s\n' "$bad" >"$folder/bad"
    result=0
    obeyed "$folder/bad" 2>/dev/null || result=1
    verdict $result "found: $bad"
done
echo "1..$count"
exit $status
