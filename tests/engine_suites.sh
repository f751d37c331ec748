# shellcheck shell=bash
# Engines of other suites of Debian than this machine's, for tests/engine.sh; to be sourced by it.
#
#   suite_root SUITE      makes a root folder with that suite's engines, below $suite_roots, and prints its path. It is made once
#                         a week; a suite that the machine's package sources do not lead to is an error.
#   suite_client ROOT PROGRAM   writes $folder/bin/PROGRAM, which runs that suite's client on this machine: an engine is used with
#                         the client of its age
#   suite_enter ROOT      sets suite_entry: the words before a program and its arguments that run it in there
#
# What runs in there sees $folder and /tmp (tests mount what they make there) at the same path, the machine's /proc, /sys and /dev, and its network: a registry on
# loopback, and whatever else a test starts, is the same for the test and for the engine. All mounts are of a mount namespace
# of its own, so they end with the last process in it, however that ended; the root itself is never written to.

[ -z "${suite_roots:-}" ] || return 0 # sourced before
# shellcheck source=tests/debian.sh
. "$here/debian.sh"

readonly suite_roots=/var/cache/pingate-test-engines
readonly suite_days=15 # until a root that nobody takes any more is removed
readonly suite_packages=docker.io,docker-cli,podman,crun,runc,iptables,nftables,iproute2,netavark,aardvark-dns,catatonit,jq,mount,ca-certificates

# The line of a sources.list: the machine's own mirror of Debian, with that suite.
suite_source() { # SUITE
    local mirror
    mirror=$(debian_sources | awk '$2 !~ /-/ && $3 == "main" && $4 == "debian" {print $1; exit}')
    [ -n "$mirror" ] || fail "engine of Debian $1: this machine's package sources name no mirror of Debian's main archive"
    echo "deb $mirror $1 main"
}

suite_make() { # SUITE ROOT
    local source
    need mmdebstrap unshare
    source=$(suite_source "$1")
    echo "tests/engine.sh: making a root folder of Debian $1 ($source)" >&2
    rm -rf "$2.new" "$2.files"
    mkdir -p "$2.files"
    (debian_root "$2.new" "$2.files" debian "$1" "$source" --variant=essential --format=directory \
        --include="$suite_packages") >"$2.log" 2>&1 ||
        fail_with_log "engine of Debian $1: no root folder could be made from $source" "$2.log"
    rm -rf "$2.files"
    touch "$2.new"
    mv "$2.new" "$2"
}

# A root in use must not change: each week, and each list of packages, has its own, and only old ones go.
suite_root() { # SUITE
    local root
    root=$suite_roots/$1.$(date +%G%V).$(sha256sum <<<"$suite_packages" | cut -c1-8)
    mkdir -p "$suite_roots"
    exec 8>"$suite_roots/$1.lock"
    flock 8
    find "$suite_roots" -maxdepth 1 -name "$1.*.*" -mtime "+$suite_days" -exec rm -rf {} +
    [ -d "$root" ] || suite_make "$1" "$root"
    exec 8>&-
    echo "$root"
}

suite_client() { # ROOT PROGRAM
    local loader
    loader=$(find "$1/lib64/" -name 'ld-linux*' | head -n 1)
    mkdir -p "$folder/bin"
    printf '#!/bin/sh\nexec "%s" --library-path "%s" --argv0 "%s" "%s" "$@"\n' "$loader" \
        "$(printf '%s:' "$1"/usr/lib/*-linux-gnu)" "$2" "$1/usr/bin/$2" >"$folder/bin/$2"
    chmod 755 "$folder/bin/$2"
}

# crun refuses a machine with both versions of cgroups; where the second is only mounted beside, it is hidden.
# shellcheck disable=SC2016
readonly suite_enter='set -e; lower=$1 folder=$2 root=$2/root; shift 2
mkdir -p "$root" "$folder/upper" "$folder/work"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$folder/upper,workdir=$folder/work" "$root"
for place in proc sys dev; do mount --rbind "/$place" "$root/$place"; done
[ ! -d "$root/sys/fs/cgroup/unified" ] || umount "$root/sys/fs/cgroup/unified"
mount -t tmpfs -o mode=755 run "$root/run"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mount --bind /tmp "$root/tmp"
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
exec chroot "$root" "$@"'

# Sets suite_entry: the words before a program and its arguments.
# shellcheck disable=SC2034 # for who sources this
suite_enter() { # ROOT
    suite_entry=(unshare --mount --propagation private sh -c "$suite_enter" enter "$1" "$folder")
}
