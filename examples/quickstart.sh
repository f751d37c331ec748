#!/bin/bash
# A tour of pingate on real images, in about two minutes: it makes images of two real releases of a service from your
# distribution's packages, pins the older one in a small project, and runs the gate on the newer one and on a broken one.
#
#   examples/quickstart.sh [FOLDER]   the project and the reports go into FOLDER, which must not be there yet
#                                     (default: a new one below /tmp)
#   --private                         starts an engine of its own also where one answers
#   --service NAME                    redis or nginx (default: the first of which your package mirror has two releases)
#
# On Debian or Ubuntu, as root or as a user with sudo. It installs what lacks, builds in build/, needs no public registry,
# and leaves nothing running. It uses the engine of DOCKER_HOST or /var/run/docker.sock where one answers, else it starts a
# private one, as it does with the registry unless PINGATE_TEST_REGISTRY (HOST:PORT) names one; tests/engine.sh tells how.
# NO_COLOR is respected. For tests: QUICKSTART_CACHE=FOLDER keeps the layers of the images there for the next run, and a
# PINGATE_TEST_PROGRAM is used instead of building one.
set -euo pipefail
export PINGATE_TEST_ENGINE_KIND=docker # what it starts where no engine answers

source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly source_folder examples=$source_folder/examples
readonly prefix=quickstart # the folder of our images in the registry
# shellcheck source=tests/packages.sh
. "$source_folder/tests/packages.sh"
# shellcheck source=tests/images.sh
. "$source_folder/tests/images.sh"
# shellcheck source=tests/debian.sh
. "$source_folder/tests/debian.sh"

place='' service='' private=no
work='' engine='' registry='' jobs=()
engine_source='' registry_source='' why_own=''

# ---- what it says

bold='' dim='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

step() { # TITLE
    printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

say() {
    printf '  %s\n' "$@"
}

# A line for something that takes its time: begun here, ended by `did`.
doing() { # WHAT
    started=$SECONDS
    printf '  %-34s' "$1"
}

did() { # RESULT
    local seconds=$((SECONDS - started))
    printf '%s' "$1"
    [ "$seconds" -eq 0 ] || printf ' %s(%d s)%s' "$dim" "$seconds" "$plain"
    printf '\n'
}

fail() { # MESSAGE [LOG]
    printf '\n%squickstart: %s%s\n' "$red" "$1" "$plain" >&2
    if [ -n "${2:-}" ]; then
        printf 'The end of %s:\n' "$2" >&2
        tail -n 25 "$2" | sed 's/^/    /' >&2
    fi
    exit 1
}

command_line() { # as one would type it
    printf '\n%s$ %s%s\n' "$dim" "$1" "$plain"
}

# ---- beginning and end

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help)
            sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
            exit 0
            ;;
        --private) private=yes ;;
        --service) service=${2:?--service needs a name} && shift ;;
        -*) fail "$1: no such option; see --help" ;;
        *) place=$(realpath -m "$1") ;;
        esac
        shift
    done
    [ -z "$service" ] || [ -f "$examples/images/$service.sh" ] || fail "$service: no such service; see --help"
    [ -z "$place" ] || [ ! -e "$place" ] || fail "$place is there already; name a new folder"
}

finish() {
    local status=$? job
    trap - EXIT
    trap '' INT TERM HUP
    for job in "${jobs[@]}"; do # unshare does not listen to TERM; all that it started ends with it
        kill -KILL "$job" 2>/dev/null || continue
        wait "$job" 2>/dev/null || true
    done
    if [ -n "$work" ]; then
        # The program's own last words come first; then what we started ends, also after Ctrl-C.
        if [ -d "$work/engine" ]; then
            "$source_folder/tests/engine.sh" stop "$work/engine" || status=1
        fi
        rm -rf --one-file-system "$work" 2>/dev/null || { sleep 1 && rm -rf --one-file-system "$work"; } || status=1
    fi
    if [ -n "$place" ] && [ -d "$place" ]; then
        chown -R --reference="$source_folder" "$place"
        [ "$status" -eq 0 ] || printf '\nquickstart: ended early (status %d); its logs are in %s\n' "$status" "$place/logs" >&2
    fi
    exit "$status"
}

begin() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/pingate-qs.XXXXXX")
    if [ -z "$place" ]; then place=$(mktemp -d /tmp/pingate-quickstart.XXXXXX); fi
    mkdir -p "$place/logs"
    chmod 755 "$place"
}

# ---- 1. what it needs

# The build belongs to whom the source belongs, not to root.
as_owner() {
    local user group
    user=$(stat -c %u "$source_folder") group=$(stat -c %g "$source_folder")
    if [ "$user" -eq 0 ]; then "$@"; else setpriv --reuid="$user" --regid="$group" --clear-groups -- "$@"; fi
}

engine_answers() { # ADDRESS
    case $1 in unix://*) ;; *) return 1 ;; esac
    [ -S "${1#unix://}" ] && curl -fsS --max-time 5 --unix-socket "${1#unix://}" http://engine/_ping >/dev/null 2>&1
}

find_engine() {
    local address
    [ "$private" = no ] || return 0
    for address in "${PINGATE_TEST_ENGINE:-}" "${DOCKER_HOST:-}" unix:///var/run/docker.sock; do
        if engine_answers "$address"; then
            engine=$address engine_source="yours, at $address"
            return
        fi
    done
}

install() {
    local log=$place/logs/install.log groups=(image)
    find_engine
    registry=${PINGATE_TEST_REGISTRY:-}
    [ "$private" = no ] || registry=
    [ -n "$engine" ] && [ -n "$registry" ] || groups+=(engine)
    doing "tools and build dependencies"
    {
        "$source_folder/bootstrap" --install-only && install_packages "${groups[@]}"
    } >"$log" 2>&1 || fail "could not install the packages" "$log"
    if grep -q '^Setting up' "$log"; then did "$(grep -c '^Setting up' "$log") packages installed"; else did "nothing lacks"; fi
    # curl may have come just now.
    [ -n "$engine" ] || find_engine
}

# Where the source itself was configured (./configure && make), autotools build nowhere else.
build_folder() {
    if [ -f "$source_folder/config.status" ]; then echo .; else echo build; fi
}

build() {
    [ configure -nt configure.ac ] || ./bootstrap
    mkdir -p "$1"
    cd "$1"
    [ -f Makefile ] || ../configure
    make -j"$(nproc)" pingate
}

build_program() {
    local log=$place/logs/build.log
    [ -z "${PINGATE_TEST_PROGRAM:-}" ] || return 0
    doing "pingate"
    as_owner bash -eu -c "cd '$source_folder'; $(declare -f build); build '$(build_folder)'" >"$log" 2>&1 ||
        fail "could not build pingate" "$log"
    did "$("$source_folder/$(build_folder)/pingate" --version), built in $(build_folder)/"
}

# ---- 2. engine and registry

start_own() { # start or start-registry
    local log=$place/logs/engine.log
    "$source_folder/tests/engine.sh" "$1" "$work/engine" >"$log" 2>&1 || fail "could not start an engine of its own" "$log"
    # shellcheck disable=SC1091
    . "$work/engine/env"
    registry=$PINGATE_TEST_REGISTRY registry_source="its own at $registry, ends with this script"
}

# An engine elsewhere (remote, rootless, in a virtual machine) does not find a registry on our loopback. One that does, says
# that this image is not there.
engine_finds_registry() {
    [ "$(curl -s -o /dev/null -w '%{http_code}' -X POST --max-time 30 --unix-socket "${engine#unix://}" \
        "http://engine/images/create?fromImage=$registry/$prefix/none&tag=1")" = 404 ]
}

start_what_lacks() {
    [ -z "$engine" ] || [ -z "$registry" ] || return 0
    if [ -n "$engine" ]; then
        start_own start-registry
        ! engine_finds_registry || return 0
        "$source_folder/tests/engine.sh" stop "$work/engine"
        why_own=", because $engine cannot reach a registry here"
    fi
    start_own start
    engine=$PINGATE_TEST_ENGINE engine_source="its own, ends with this script$why_own"
}

engine_and_registry() {
    registry_source="yours, at $registry"
    doing "engine and registry"
    start_what_lacks
    did "ready"
    say "  engine: $engine_source" "  registry: $registry_source"
}

# ---- 3. two real releases

sources=() main_sources=() # "ADDRESS SUITE" of the distribution's own package sources on this machine
main_origin=''             # debian or ubuntu

# The suite that was released is "bookworm"; what came later is in others, such as "bookworm-security".
find_sources() {
    local address suite component origin
    apt-get update -q >>"$place/logs/install.log" 2>&1 || fail "apt-get update failed" "$place/logs/install.log"
    touch "$work/sources-of-new" "$work/sources-of-old"
    while read -r address suite component origin; do
        sources+=("$address $suite")
        echo "deb $address $suite $component" >>"$work/sources-of-new"
        case $suite in *[-/]*) continue ;; esac
        main_sources+=("$address $suite")
        main_suite=$suite main_origin=$origin
        echo "deb $address $suite $component" >>"$work/sources-of-old"
    done < <(debian_sources)
    [ ${#main_sources[@]} -gt 0 ] || fail "apt-get knows no package source of Debian or Ubuntu on this machine"
}

# apt-cache madison lists the newest first.
newest() { # PACKAGE "ADDRESS SUITE"…
    local package=$1 version address suite source
    shift
    while IFS=' |' read -r _ version address suite _; do
        for source in "$@"; do
            [ "$source" != "${address%/} ${suite%/*}" ] || { echo "$version" && return; }
        done
    done < <(apt-cache madison "$package" | grep ' Packages$')
    return 1
}

# Sets $old_version and $new_version for the service of examples/images/NAME.sh; fails where the mirror does not have it.
look_up_versions() { # NAME
    # shellcheck source=examples/images/redis.sh
    . "$examples/images/$1.sh"
    old_version=$(newest "${packages[0]}" "${main_sources[@]}") &&
        new_version=$(newest "${packages[0]}" "${sources[@]}")
}

# The first service of which the mirror has two versions; where it has none, the first that it has at all.
choose_service() {
    local name names=(redis nginx)
    [ -z "$service" ] || names=("$service")
    service=
    for name in "${names[@]}"; do
        look_up_versions "$name" || continue
        if [ "$old_version" != "$new_version" ]; then
            service=$name
            return
        fi
        say "$(printf '%-34s%s' "${packages[0]}" "your mirror lists one version only, $new_version")"
        service=${service:-$name}
    done
    [ -n "$service" ] || fail "your package mirror lists none of: ${names[*]}"
    look_up_versions "$service"
}

# Sets $old_layer and $new_layer, which are the same where there is no update.
make_layers() {
    local which version tar pids=() cache=${QUICKSTART_CACHE:-$work}
    doing "file systems of both releases"
    for which in old new; do
        if [ "$which" = old ]; then version=$old_version; else version=$new_version; fi
        tar=$cache/$service-${version//[^A-Za-z0-9.-]/_}.tar
        if [ "$which" = old ]; then old_layer=$tar; else new_layer=$tar; fi
        if [ -f "$tar" ] || [ "$which $version" = "new $old_version" ]; then continue; fi
        debian_root "$work/$which.tar" "$work" "$main_origin" "$main_suite" "$work/sources-of-$which" --variant=essential \
            --include="$(IFS=, && echo "${packages[*]}")" >"$place/logs/image-$which.log" 2>&1 &
        jobs+=($!) pids+=("$which $! $tar")
    done
    for which in "${pids[@]}"; do
        read -r which pid tar <<<"$which"
        wait "$pid" || fail "could not make an image of ${packages[0]}" "$place/logs/image-$which.log"
        [ "$work/$which.tar" = "$tar" ] || mv "$work/$which.tar" "$tar"
    done
    jobs=()
    did "made from packages"
}

push() { # VERSION DESCRIPTION LAYER…: prints the digest
    local labels
    labels=$(printf '"Labels":{"org.opencontainers.image.version":"%s","org.opencontainers.image.description":"%s"}' "$1" "$2")
    shift 2
    PINGATE_TEST_REGISTRY=$registry push_layers "$prefix/$service:$tag" "${config%\}},$labels}" "$@"
}

two_releases() {
    find_sources
    choose_service
    if [ "$old_version" != "$new_version" ]; then
        say "$(printf '%-34s%s' "${packages[0]}" "$old_version, as released")" \
            "$(printf '%-34s%s' "" "$new_version, the update")"
    else
        say "So the candidate is a rebuild of the same release: the same program, another digest."
    fi
    make_layers
    tag=$(sed -E 's/^[0-9]+://; s/^([0-9]+\.[0-9]+).*/\1/' <<<"$new_version")
    name=$registry/$prefix/$service
    doing "pushed, one after the other"
    old_digest=$(push "$old_version" "as released" "$old_layer")
    new_digest=$(push "$new_version" "with updates" "$new_layer")
    did "as $name:$tag"
}

# ---- 4. a project that pins the older one

make_project() {
    project_folder=$place/$project
    cp -R "$examples/$project/." "$project_folder"
    cd "$project_folder"
    grep -rlF registry.example.com . | xargs sed -i -E \
        -e "s|registry\.example\.com/$service:[^@]*@sha256:0{64}|$name:$tag@$old_digest|" \
        -e "s|registry\.example\.com|$registry/$prefix|"
    git init -q
    git config user.name Quickstart
    git config user.email quickstart@example.com
    git add -A
    git commit -q -m "Pin $service $old_version"
}

pin_the_older() {
    make_project
    command_line "cd $project_folder && pingate scan"
    pingate scan
    pins=$(git grep -F "$old_digest" | wc -l)
}

# ---- 5. and 6. the gate

pingate() {
    DOCKER_HOST=$engine "${PINGATE_TEST_PROGRAM:-$source_folder/$(build_folder)/pingate}" "$@"
}

# Runs the gate, which must end with the status; sets $gate_seconds.
gate() { # STATUS REPORTS
    local wanted=$1 status=0 began=${EPOCHREALTIME/[.,]/}
    command_line "pingate run --output ../reports/$2"
    pingate run --output "../reports/$2" || status=$?
    gate_seconds=$(printf '%d.%d' $(((${EPOCHREALTIME/[.,]/} - began) / 1000000)) $(((${EPOCHREALTIME/[.,]/} - began) / 100000 % 10)))
    [ "$status" -eq "$wanted" ] ||
        fail "pingate run ended with exit status $status, expected $wanted; see $place/reports/$2/report.md"
    printf '%sexit status %d after %s s%s\n' "$dim" "$status" "$gate_seconds" "$plain"
}

gate_the_update() {
    gate 0 1-update
    command_line "git diff -U0"
    git --no-pager diff -U0 --color="$([ -n "$bold" ] && echo always || echo never)"
    [ "$(git grep -F "$new_digest" | wc -l)" -eq "$pins" ] || fail "not every pin has moved; that is a bug"
    git commit -q -a -m "Move the pins to $service $new_version"
}

gate_the_broken() {
    local folder=$work/broken
    mkdir "$folder"
    tar -xf "$new_layer" -C "$folder" "${broken_files[@]/#/./}"
    break_contract "$folder"
    tar -cf "$work/broken.tar" -C "$folder" --numeric-owner "${broken_files[@]}"
    say "Rebuilt, and $breaks."
    doing "pushed under the same tag"
    broken_digest=$(push "$new_version" "$breaks" "$new_layer" "$work/broken.tar")
    did "${broken_digest:0:19}…"
    gate 1 2-broken
    [ -z "$(git status --porcelain)" ] || fail "the gate was closed and files have changed; that is a bug"
    command_line "git status --short     # nothing: the pins stay"
    command_line "less ../reports/2-broken/report.md     # it begins:"
    sed '/^To reproduce/,$d' "$place/reports/2-broken/report.md"
}

# ---- the tour

main() { # all is read before it runs, so that a change of this file does not reach a tour on its way
    read_arguments "$@"
    command -v apt-get >/dev/null ||
        fail "the tour makes its images from packages of Debian or Ubuntu, and there is no apt-get here; README.md tells how to build"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "images and engines are made as root, and there is no sudo here: run it as root"
        echo "Images and engines are made as root: going on with sudo."
        exec sudo --preserve-env=PINGATE_TEST_ENGINE,PINGATE_TEST_REGISTRY,DOCKER_HOST,QUICKSTART_CACHE,NO_COLOR \
            "$source_folder/examples/quickstart.sh" "$@"
    fi
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    begin

    step "1. What it needs"
    install
    build_program
    engine_and_registry

    step "2. Two real releases of one service, from your distribution's packages"
    two_releases

    step "3. A project of several files that pins the older one"
    pin_the_older

    step "4. The gate: the update has to pass the project's tests, then the pins move"
    say "The tests (pingate.yaml, tests/): $promises."
    gate_the_update

    step "5. A candidate that breaks what the project relies on"
    gate_the_broken

    step "Done in $SECONDS s"
    say "project   $project_folder" \
        "reports   $place/reports/1-update/report.md    ${green}gate open$plain" \
        "          $place/reports/2-broken/report.md    ${red}gate closed$plain" \
        "          beside each: result.json, junit.xml, pins.diff, logs/"
}

main "$@"
exit
