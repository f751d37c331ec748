#!/bin/bash
# Makes pingate ready for a job: the one that is installed, else one that is built from the source beside these steps.
#
#   install.sh key    prints key=… and path=…: what a CI system caches, and by which name
#   install.sh        builds it into that path unless it is there, and puts it into PATH of the steps that follow (GITHUB_PATH)
#
#   PINGATE_CACHE     where builds are kept (default: ~/.cache/pingate)
#
# Debian and Ubuntu; the build dependencies that lack are installed, as root or with sudo.
set -euo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
readonly source_folder cache=${PINGATE_CACHE:-$HOME/.cache/pingate}

# What the program is made of, and of which system's libraries.
key() {
    local sum
    sum=$(cd "$source_folder" && find bootstrap configure.ac Makefile.am gate runners reports pipelines -type f ! -path '*/ci/*' |
        LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum)
    # shellcheck disable=SC1091
    echo "$(. /etc/os-release && echo "$ID-$VERSION_ID")-$(uname -m)-${sum:0:16}"
}

build() { # PREFIX
    local folder
    folder=$(mktemp -d)
    (cd "$source_folder" && ./bootstrap)
    (cd "$folder" && "$source_folder/configure" --prefix="$1" --disable-dependency-tracking && make -j"$(nproc)" && make install)
    rm -rf "$folder"
}

works() { # PROGRAM
    "$1" --version >/dev/null 2>&1
}

install() {
    local prefix
    if works pingate; then
        echo "$(pingate --version), installed already"
        return
    fi
    prefix=$cache/$(key)
    # One that comes from a cache may lack its libraries on a new machine.
    works "$prefix/bin/pingate" || [ ! -x "$prefix/bin/pingate" ] || (cd "$source_folder" && ./bootstrap --install-only)
    works "$prefix/bin/pingate" || build "$prefix"
    [ -z "${GITHUB_PATH:-}" ] || echo "$prefix/bin" >>"$GITHUB_PATH"
    "$prefix/bin/pingate" --version
}

case ${1:-} in
key) printf 'key=pingate-%s\npath=%s\n' "$(key)" "$cache" ;;
'') install ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac
