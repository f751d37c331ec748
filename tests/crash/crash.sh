#!/bin/bash
# Stops a promotion at every system call that touches a file, and makes every such call fail, each time followed by a second
# run that recovers. Then all files must be old or all new, with their modes, owners and other bytes, and nothing may be left
# over. A file of the ledger is created with them: it is there, whole, exactly when the files are new. A reader that looks on
# meanwhile must never see half a file, nor the ledger's file before the pins.
#
#     tests/crash/crash.sh [--full] [--points N] [BUILD]
#         BUILD       a configured build folder without sanitizers; default build
#         --points N  how often a promotion of 1,000 files is stopped, and made to fail; default 8, with --full 200
#         --full      every call also where openat2 lacks, and every error there
#
# Over three files every call is stopped and made to fail with each of three errors, in the short form too (two minutes). Prints
# TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
full=false points=8
while [ $# -gt 0 ]; do
    case $1 in
    --full) full=true points=200 ;;
    --points)
        points=$2
        shift
        ;;
    *) break ;;
    esac
    shift
done
build=${1-${PINGATE_TEST_BUILD-build}}

bail() { echo "Bail out! $*"; exit 1; }
command -v strace >/dev/null || bail "strace is not installed"
make -s -C "$build" tests/crash/promote_driver >&2 || bail "$build: promote_driver does not build"
driver=$(realpath "$build/tests/crash/promote_driver")

# In memory where possible: the order of calls is what is tested, not the disk.
base=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || base=/dev/shm
work=$(mktemp -d "$base/pingate-crash-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

tests=0
failures=0
result() { # result OK NAME [WHY]
    tests=$((tests + 1))
    if [ "$1" = ok ]; then
        echo "ok $tests - $2"
    else
        failures=$((failures + 1))
        echo "not ok $tests - $2"
        printf '%s\n' "${3-}" | sed 's/^/# /'
    fi
}

ledger=.pingate/ledger/2026-11/20261125T105300Z-4f0c2a91d3b87e65.jsonl

picture() { # of all names, kinds, modes, owners, links and bytes
    (cd "$1" && find . -printf '%p|%y|%m|%U:%G|%l\n' | sort &&
        find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

fresh() { rm -rf "$work/tree" && cp -a "$work/before" "$work/tree"; }

make_small() {
    rm -rf "$work/before"
    mkdir -p "$work/before/deploy/deep"
    cd "$work/before" || exit 1
    printf 'x\nimage: old-pin\ny\n' >a.yaml
    printf '\357\273\277image: old-pin\r\nz: old-pin\r\n' >deploy/b.yaml
    printf 'old-pin' >deploy/deep/c
    printf 'other' >deploy/other
    ln -s deploy/b.yaml link
    chmod 640 a.yaml
    chmod 755 deploy/b.yaml
    chmod 600 deploy/deep/c
    [ "$(id -u)" -ne 0 ] || chown 12345:23456 a.yaml
    cd - >/dev/null || exit 1
    files=(a.yaml link deploy/deep/c "+$ledger")
}

# The same where a ledger stands already, and where nothing but it is written: only the newest file is made and taken back.
make_ledger() {
    make_small
    mkdir -p "$work/before/$(dirname "$ledger")"
    echo 'an older entry' >"$work/before/$(dirname "$ledger")/older.jsonl"
    files=("$@" "+$ledger")
}

make_large() {
    rm -rf "$work/before"
    files=()
    for folder in $(seq 20); do
        mkdir -p "$work/before/d$folder"
        for file in $(seq 50); do
            echo "image: old-pin # $folder $file" >"$work/before/d$folder/f$file"
            files+=("d$folder/f$file")
        done
    done
    files+=("+$ledger")
}

# Learns the two allowed pictures, and the calls of the promotion: lines "NAME FIRST LAST" with the numbers that strace
# counts, without those of the start of the program.
calls_of() { # calls_of COMMAND…
    strace -o "$work/log" -e trace=%file,%desc "$@" >"$work/out" 2>&1
    awk -F'(' '
        /promote-driver-begins/ { begun = 1; count[$1]++; next }
        $1 !~ /^[a-z0-9_]+$/ || $1 ~ /^(mmap|execve|close)$/ { next }
        { count[$1]++; if (begun) { if (!($1 in first)) first[$1] = count[$1]; last[$1] = count[$1] } }
        END { for (name in first) print name, first[name], last[name] }' "$work/log" | sort
}

learn() {
    old=$(picture "$work/before")
    fresh
    calls_of "$driver" promote "$work/tree" "${files[@]}" >"$work/calls"
    new=$(picture "$work/tree")
    [ -s "$work/calls" ] || bail "strace shows no call: may this user trace programs?"
    [ "$old" != "$new" ] || bail "the promotion did nothing: $(cat "$work/out")"
    [ ${#files[@]} -eq 1 ] || grep -q new-pin-of-another-length "$work/tree/${files[0]}" || bail "the promotion wrote nothing"
    [ "$(cat "$work/tree/$ledger")" = 'an entry of the ledger' ] || bail "the promotion created nothing"
    ! find "$work/tree" -name '.*.pingate-*' | grep -q . || bail "the promotion left something"
    [ ! -e "$work/tree/.pingate/local" ] || bail "the promotion left its folder"
}

why= # what is wrong with the tree after recovery; empty when nothing
check_recovered() {
    local out now
    if ! out=$("$driver" recover "$work/tree" 2>&1); then
        why="recovery failed: $out"
        return
    fi
    now=$(picture "$work/tree")
    why=
    [ "$now" = "$old" ] || [ "$now" = "$new" ] ||
        why="neither old nor new after \"$out\":
$(diff <(echo "$old") <(echo "$now"); diff <(echo "$new") <(echo "$now"))"
}

# One point: strace arguments, then what must hold.
stopped=0 # how many points did stop it: a test whose points never hit proves nothing
point() { # point STRACE-OPTION…
    fresh
    local status
    { strace -o /dev/null "$@" "$driver" promote "$work/tree" "${files[@]}" >"$work/out" 2>&1; } 2>/dev/null
    status=$?
    [ $status -eq 0 ] || stopped=$((stopped + 1))
    case $status in
    0 | 1 | 137) ;;
    *) why="exit status $status: $(cat "$work/out")"; return ;;
    esac
    if [ $status -eq 0 ] && [ "$(picture "$work/tree")" != "$new" ]; then
        why="success was told, but the files are not all new and nothing else: $(picture "$work/tree")"
        return
    fi
    if [ $status -eq 1 ] && [ ! -s "$work/out" ]; then
        why="failed without a word"
        return
    fi
    check_recovered
}

# Changes the tree, or makes it last.
changes='^(openat2?|write|pwrite64|fsync|rename|renameat|renameat2|unlink|unlinkat|mkdir|mkdirat|rmdir|fchmod|fchown|fsetxattr|fremovexattr|ftruncate|flock)$'

choose() { # choose PATTERN STEP: every STEPth (name, number) of the calls that match
    awk -v pattern="$1" -v step="$2" \
        '$1 ~ pattern { for (n = $2; n <= $3; n++) if (at++ % step == 0) print $1, n }' "$work/calls"
}

sweep() { # sweep NAME PATTERN STEP ACTION [STRACE-OPTION…]: ACTION at every STEPth point
    local name=$1 pattern=$2 step=$3 action=$4 bad='' count=0
    shift 4
    stopped=0
    while read -r call number; do
        point "$@" -e "trace=$call" -e "inject=$call:$action:when=$number"
        count=$((count + 1))
        [ -z "$why" ] || bad="$bad
$call $number: $why"
    done < <(choose "$pattern" "$step")
    [ $stopped -gt 0 ] || bad="$bad
not one of the points stopped it"
    if [ -z "$bad" ]; then
        result ok "$name ($stopped of $count points stopped it)"
    else
        result no "$name" "$bad"
    fi
}

# Kills recovery itself, at each of its calls, from a state in which two of three files are new, and the ledger's is not.
sweep_recovery() {
    local rename first bad='' count=0
    read -r rename first < <(awk '$1 ~ /^rename/ { print $1, $3 }' "$work/calls")
    fresh
    { strace -o /dev/null -e "inject=$rename:signal=KILL:when=$((first - 1))" \
        "$driver" promote "$work/tree" "${files[@]}" >/dev/null 2>&1; } 2>/dev/null
    rm -rf "$work/half" && cp -a "$work/tree" "$work/half"
    calls_of "$driver" recover "$work/tree" >"$work/recovery-calls"
    [ "$(picture "$work/tree")" = "$new" ] || bad="recovery did not finish: $(cat "$work/out")"
    while read -r call from to; do
        for number in $(seq "$from" "$to"); do
            rm -rf "$work/tree" && cp -a "$work/half" "$work/tree"
            { strace -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$number" \
                "$driver" recover "$work/tree" >/dev/null 2>&1; } 2>/dev/null
            check_recovered
            [ -n "$why" ] || [ "$(picture "$work/tree")" = "$new" ] || why="a decided promotion was undone"
            count=$((count + 1))
            [ -z "$why" ] || bad="$bad
$call $number: $why"
        done
    done <"$work/recovery-calls"
    if [ -z "$bad" ] && [ $count -gt 0 ]; then
        result ok "recovery killed at each of its $count calls"
    else
        result no "recovery killed at each of its calls" "$bad"
    fi
}

# A whole promotion of many files while another process reads them all, again and again.
watch_promotion() {
    fresh
    "$driver" watch "$work/tree" "$work/watch-ends" "${files[@]}" >"$work/watch" 2>&1 &
    local watcher=$! status=0
    until [ -s "$work/watch" ]; do sleep 0.01; done
    "$driver" promote "$work/tree" "${files[@]}" >"$work/out" 2>&1 || status=$?
    touch "$work/watch-ends"
    wait "$watcher" || status=$?
    rm -f "$work/watch-ends"
    if [ $status -eq 0 ] && [ "$(picture "$work/tree")" = "$new" ]; then
        result ok "a reader never sees half a file, nor the ledger's before the others ($(tail -n 1 "$work/watch"))"
    else
        result no "a reader never sees half a file" "$(cat "$work/watch" "$work/out")"
    fi
}

make_small
learn
sweep "3 files and the ledger's, killed at every call" . 1 signal=KILL
for error in ENOSPC EIO EACCES; do
    sweep "3 files and the ledger's, $error at every call" . 1 "error=$error"
done
if $full; then
    sweep "3 files and the ledger's, killed at every call, without openat2" . 1 signal=KILL -e inject=openat2:error=ENOSYS
    for error in ENOSPC EIO EACCES; do
        sweep "3 files and the ledger's, $error at every call, without openat2" . 1 "error=$error" -e inject=openat2:error=ENOSYS
    done
else
    sweep "3 files and the ledger's, killed at a sample of changes, without openat2" "$changes" 6 signal=KILL \
        -e inject=openat2:error=ENOSYS
fi
sweep_recovery

make_ledger a.yaml
learn
sweep "a file and the ledger's beside an older one, killed at every call" . 1 signal=KILL
make_ledger
learn
sweep "the ledger's file alone, killed at every change" "$changes" 1 signal=KILL
sweep "the ledger's file alone, EIO at every change" "$changes" 1 error=EIO

make_large
learn
total=$(awk '{ sum += $3 - $2 + 1 } END { print sum }' "$work/calls")
step=$(((total + points - 1) / points))
sweep "1,000 files and the ledger's, killed at $points of $total calls" . "$step" signal=KILL
sweep "1,000 files and the ledger's, EIO at $points of $total calls" . "$step" error=EIO
watch_promotion
echo "1..$tests"
[ $failures -eq 0 ]
