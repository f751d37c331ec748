#!/bin/bash
# Looks at the sources without running them; `make lint` calls it with the flags of the build.
#
#   tests/lint.sh [format] [scripts] [cppcheck] [analyzer] [tidy]   these, or all
#
# What is not asked of the sources stands, with its reason, in .clang-tidy, below at cppcheck and analyzer, and in .shellcheckrc.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra flags <<<"${PINGATE_LINT_FLAGS:--std=gnu17 -D_GNU_SOURCE -I. -Ibuild $(pkg-config --cflags libcurl jansson yaml-0.1 libarchive expat libcrypto libpcre2-8)}"
readonly layers=(gate runners reports pipelines)

for program in clang-format clang-tidy cppcheck gcc shellcheck; do
    command -v "$program" >/dev/null || {
        echo "tests/lint.sh: $program is not installed (tests/packages names its package)" >&2
        exit 1
    }
done

lint_format() {
    find "${layers[@]}" tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
}

lint_tidy() {
    # Its counts of hidden warnings go to standard error even when it has nothing to say.
    find "${layers[@]}" -name '*.c' -print0 |
        xargs -0 -P "$(nproc)" -I FILE sh -c 'clang-tidy --quiet FILE -- "$@" 2>/dev/null' - "${flags[@]}"
}

# memleak, uninitvar: cppcheck sees neither cleanup attributes nor through the loops of sys/queue.h; the leak sanitizer and
# clang's analyzer look for both. __typeof__ is a type that it cannot read.
lint_cppcheck() {
    find "${layers[@]}" -name '*.c' -print0 |
        xargs -0 cppcheck --quiet --error-exitcode=1 --enable=warning,portability,performance --inline-suppr \
            --std=c11 -j "$(nproc)" -I. -D_GNU_SOURCE=1 '-D__typeof__(x)=void *' --library=bsd --library=gnu \
            --suppress=missingIncludeSystem --suppress=memleak --suppress=uninitvar
}

# gcc -fanalyzer. Without optimisation it follows what is written: fewest false findings, and fastest (gcc 12).
#
# malloc-leak in these files only: it forgets what is reached through an item of an array, a list of sys/queue.h or a block of
# an arena, so that what was put there counts as lost. The sanitized faults/inject.py looks for these leaks: it walks the same
# ways out of the same functions by letting each allocation fail.
readonly analyzer_leaks=" gate/base/yaml.c gate/registry/registry.c pipelines/config_tests.c pipelines/gate_result.c
    pipelines/gate_trials.c reports/junit_keep.c reports/result_read.c "

analyze_one() { # FILE [OPTION]; the flags stand in ANALYZER_FLAGS
    local said status=0
    # shellcheck disable=SC2086 # flags are words
    said=$(gcc $ANALYZER_FLAGS -fanalyzer -O0 "${@:2}" -c -o /dev/null "$1" 2>&1) || status=1
    case $status$said in 1* | *-Wanalyzer-*) echo "$said" && return 1 ;; esac
}

lint_analyzer() {
    export -f analyze_one
    find "${layers[@]}" -name '*.c' | while read -r file; do
        case $analyzer_leaks in
        *[[:space:]]"$file"[[:space:]]*) echo "$file -Wno-analyzer-malloc-leak" ;;
        *) echo "$file" ;;
        esac
    done | ANALYZER_FLAGS="${flags[*]}" xargs -P "$(nproc)" -L 1 bash -c 'analyze_one "$@"' -
}

lint_scripts() {
    local file files=(bootstrap .ci/run)
    while read -r file; do
        case $file in
        *.sh | *.bash | *.bats) files+=("$file") ;;
        *) ! head -n 1 "$file" | grep -qE '^#!.*(sh|bats)$' || files+=("$file") ;;
        esac
    done < <(find tests examples "${layers[@]}" ! -path '*/.*' -type f -size -200k ! -name '*.[cho]' ! -path '*/golden/*' | sort)
    local status=0
    shellcheck --external-sources "${files[@]}" || status=1
    lint_embedded_scripts || status=1
    return "$status"
}

# What stands within the ready-made CI definitions.
lint_embedded_scripts() {
    local folder status=0
    folder=$(mktemp -d)
    PINGATE_TEST_BUILD=${PINGATE_TEST_BUILD:-build} tests/ci.sh scripts "$folder"
    shellcheck --norc "$folder"/*.sh || status=1
    rm -rf "$folder"
    return "$status"
}

status=0
[ $# -gt 0 ] || set -- format scripts cppcheck analyzer tidy
for part in "$@"; do
    started=$SECONDS
    if "lint_$part"; then
        echo "lint: $part: clean ($((SECONDS - started)) s)"
    else
        echo "lint: $part: see above"
        status=1
    fi
done
exit "$status"
