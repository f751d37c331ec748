# shellcheck shell=bash disable=SC2034 # what is set here is used by the benchmarks
# What every benchmark uses: a folder in memory, measured runs, medians and ratios. A benchmark prints and judges nothing;
# it ends with an error only where something did not work or could not be measured. To be sourced.
#
#   need PROGRAM…               ends the benchmark when one lacks
#   compile NAME                tests/bench/NAME.c -> $work/NAME
#   measured KEY COMMAND…       runs it with its output in $work/out and $work/err, which must succeed; adds a line to the
#                               results of KEY
#   unmeasured WHAT WHY         says loudly what this run does not tell, and makes it end with an error
#   median KEY [FIELD]          of the results; field 1 wall clock in s, 2 processor time in s, 3 peak MiB
#   table_head FLOOR TITLE      begins a table whose ratios are to the results of KEY FLOOR
#   table_row KEY TITLE [MORE]  one row: wall clock, ratio, processor time, peak memory
#
#   PINGATE_TEST_PROGRAM   the program; PINGATE_BENCH_OTHER a second build of it, measured beside it when set
#   PINGATE_BENCH_RUNS     measured runs of each (default 5); they take turns, so that noise hits all alike

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
runs=${PINGATE_BENCH_RUNS:-5}
program=${PINGATE_TEST_PROGRAM:-$bench/../../build/pingate}
left_out=0

# Trees in memory: a disk that is written again and again gets slower from run to run.
work=$(mktemp -d "$(mountpoint -q /dev/shm && echo /dev/shm || echo /tmp)/pingate-bench.XXXXXX")

need() {
    local name
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 || { echo "${0##*/}: $name is not installed (tests/packages)" >&2; exit 1; }
    done
}

compile() { # NAME
    ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O2 -pthread -o "$work/$1" "$bench/$1.c"
}

measured() { # KEY COMMAND…
    local key=$1 status=0
    shift
    "$work/measure" "$work/$key.results" "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -ne 0 ] || return 0
    {
        echo "${0##*/}: $key: \"$*\" ended with $status"
        tail -n 20 "$work/out" "$work/err"
    } >&2
    exit 1
}

unmeasured() { # WHAT WHY
    left_out=1
    echo "NOT MEASURED: $1: $2"
}

median() { # KEY [FIELD]
    cut -d ' ' -f "${2:-1}" "$work/$1.results" | sort -n | awk '{v[NR] = $1} END {
        print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

table_head() { # FLOOR TITLE
    floor=$1
    printf '\n%-44s %9s %8s %8s %9s  %s\n' "$2" 'wall s' '× floor' 'CPU s' 'peak MiB' "${3:-}"
}

table_row() { # KEY TITLE [MORE]
    printf '%-44s %9.3f %8.2f %8.3f %9.1f  %s\n' "$2" "$(median "$1")" \
        "$(echo "$(median "$1") $(median "$floor")" | awk '{print $1 / $2}')" "$(median "$1" 2)" "$(median "$1" 3)" "${3:-}"
}

# A project below $work as the current folder: a git repository with one commit of whatever is in it.
commit_project() {
    git init -q -b main
    git config user.name "Test Author"
    git config user.email test@example.com
    git add -A
    git commit -q -m "Begin"
}
