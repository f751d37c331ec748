# shellcheck shell=bash
# Makes tiny images and pushes them to a registry, with tar, sha256sum and curl alone: no engine, no copy of the image
# anywhere else, about a tenth of a second each. For tests and examples; to be sourced.
#
#   make_image NAME:TAG [PATH=TEXT | PATH@FILE]…   busybox with a shell, and these files (executable); prints the digest
#   make_image_without_shell NAME:TAG [PATH=TEXT | PATH@FILE]…   one static program, /say (tests/e2e/say.c)
#   make_index NAME:TAG PLATFORM=DIGEST…           an index over images of the same NAME; prints its digest
#   push_layers NAME:TAG CONFIG LAYER.tar…         an image of these layers; CONFIG is the JSON object that engines call Config
#   untag NAME:TAG                                 deletes the manifest that the tag names
#
# IMAGE_CONFIG (JSON) sets the image's Config for the first two: IMAGE_CONFIG='{"Cmd":["sleep","9"]}' make_image …
# The same files give the same digest. The registry is $PINGATE_TEST_REGISTRY (HOST:PORT, plain HTTP).

images_source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
images_cache=

# A folder for what every image shares; gone with the shell that made it, or with the run of bats.
images_prepare() {
    [ -z "$images_cache" ] || return 0
    if [ -n "${BATS_RUN_TMPDIR:-}" ]; then
        images_cache=$BATS_RUN_TMPDIR/images
        mkdir -p "$images_cache"
    else
        images_cache=$(mktemp -d)
        trap 'rm -rf "$images_cache"' EXIT
    fi
}

images_fail() {
    echo "tests/images.sh: $*" >&2
    return 1
}

# Every byte of the archive follows from the files, so that digests do.
pack() { # FOLDER TAR
    tar --create --file "$2" --directory "$1" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --format=gnu .
}

sha256_of() { # FILE
    sha256sum "$1" | cut -d ' ' -f 1
}

registry_call() { # METHOD PATH CURL-ARGUMENT…
    local method=$1 path=$2
    shift 2
    case $path in http*) ;; *) path=http://${PINGATE_TEST_REGISTRY:?}/v2/$path ;; esac
    curl -fsS --noproxy '*' -X "$method" "$@" "$path"
}

push_blob() { # NAME FILE: prints the digest
    local name=$1 file=$2 digest location separator='?'
    digest=sha256:$(sha256_of "$file")
    echo "$digest"
    ! registry_call HEAD "$name/blobs/$digest" -I -o /dev/null 2>/dev/null || return 0
    location=$(registry_call POST "$name/blobs/uploads/" -D - -o /dev/null |
        sed -n 's/^[Ll]ocation: \(.*\)\r$/\1/p')
    case $location in /*) location=http://$PINGATE_TEST_REGISTRY$location ;; esac
    case $location in *'?'*) separator='&' ;; esac
    registry_call PUT "$location${separator}digest=$digest" -T "$file" -o /dev/null \
        -H 'Content-Type: application/octet-stream' -H 'Expect:' || images_fail "could not push a layer of $name"
}

push_manifest() { # NAME:TAG TYPE FILE: prints the digest
    registry_call PUT "${1%:*}/manifests/${1##*:}" -H "Content-Type: $2" --data-binary "@$3" -o /dev/null ||
        images_fail "could not push $1" || return 1
    echo "sha256:$(sha256_of "$3")"
}

architecture() {
    case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
    esac
}

describe() { # TYPE DIGEST SIZE
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"%s","size":%d}' "$@"
}

push_layers() { # NAME:TAG CONFIG LAYER…
    local name=${1%:*} reference=$1 config=$2 layer digest layers='' ids='' history='' work status=0
    shift 2
    work=$(mktemp -d)
    for layer in "$@"; do
        digest=$(push_blob "$name" "$layer") || { rm -rf "$work"; return 1; }
        layers="$layers${layers:+,}$(describe layer.v1.tar "$digest" "$(stat -c %s "$layer")")"
        ids="$ids${ids:+,}\"$digest\""
        # Podman builds on an image only when its history tells of each layer.
        history="$history${history:+,}{\"created\":\"1970-01-01T00:00:00Z\"}"
    done
    printf '{"created":"1970-01-01T00:00:00Z","architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s]}' \
        "${IMAGE_ARCHITECTURE:-$(architecture)}" "$config" "$ids" "$history" >"$work/config"
    digest=$(push_blob "$name" "$work/config") || status=1
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
        "$(describe config.v1+json "$digest" "$(stat -c %s "$work/config")")" "$layers" >"$work/manifest"
    [ "$status" -ne 0 ] || push_manifest "$reference" application/vnd.oci.image.manifest.v1+json "$work/manifest" || status=1
    rm -rf "$work"
    return "$status"
}

# The layer of files that one image has for itself.
pack_files() { # TAR [PATH=TEXT | PATH@FILE]…
    local tar=$1 entry root path
    shift
    root=$(mktemp -d)
    for entry in "$@"; do
        path=${entry%%[=@]*}
        mkdir -p "$root/$(dirname "$path")"
        case ${entry#"$path"} in
        =*) printf '%s\n' "${entry#*=}" >"$root/$path" ;;
        @*) cp "${entry#*@}" "$root/$path" ;;
        *) images_fail "$entry: PATH=TEXT or PATH@FILE is expected" || return 1 ;;
        esac
        chmod 755 "$root/$path"
    done
    pack "$root" "$tar"
    rm -rf "$root"
}

busybox_layer() {
    local root program applet
    images_prepare
    [ ! -s "$images_cache/busybox.tar" ] || return 0
    program=$(command -v busybox) || images_fail "busybox is not installed (package busybox-static)" || return 1
    root=$(mktemp -d)
    mkdir -p "$root"/{bin,etc,tmp}
    chmod 1777 "$root/tmp"
    cp "$program" "$root/bin/busybox"
    for applet in $("$program" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    chroot "$root" /bin/busybox true 2>/dev/null || [ "$(id -u)" -ne 0 ] ||
        images_fail "$program is not static: install busybox-static" || return 1
    echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
    pack "$root" "$images_cache/busybox.tar.$$" && mv "$images_cache/busybox.tar.$$" "$images_cache/busybox.tar"
    rm -rf "$root"
}

say_layer() {
    local root
    images_prepare
    [ ! -s "$images_cache/say.tar" ] || return 0
    root=$(mktemp -d)
    ${CC:-cc} -O1 -static -o "$root/say" "$images_source/e2e/say.c" || images_fail "cannot link statically" || return 1
    pack "$root" "$images_cache/say.tar.$$" && mv "$images_cache/say.tar.$$" "$images_cache/say.tar"
    rm -rf "$root"
}

make_image_on() { # LAYER-NAME NAME:TAG FILE…
    local base=$1 reference=$2 own status=0
    shift 2
    own=$(mktemp)
    pack_files "$own" "$@" && push_layers "$reference" "${IMAGE_CONFIG:-{\}}" "$images_cache/$base.tar" "$own" || status=1
    rm -f "$own"
    return "$status"
}

make_image() {
    busybox_layer && make_image_on busybox "$@"
}

make_image_without_shell() {
    say_layer && make_image_on say "$@"
}

make_index() { # NAME:TAG OS/ARCHITECTURE=DIGEST…
    local reference=$1 entry digest platform size entries='' work status=0
    shift
    work=$(mktemp)
    for entry in "$@"; do
        platform=${entry%%=*} digest=${entry#*=}
        size=$(registry_call GET "${reference%:*}/manifests/$digest" -H 'Accept: application/vnd.oci.image.manifest.v1+json' | wc -c)
        entries="$entries${entries:+,}{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$digest\",\"size\":$size,"
        entries="$entries\"platform\":{\"os\":\"${platform%%/*}\",\"architecture\":\"${platform#*/}\"}}"
    done
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$entries" >"$work"
    push_manifest "$reference" application/vnd.oci.image.index.v1+json "$work" || status=1
    rm -f "$work"
    return "$status"
}

untag() { # NAME:TAG
    local digest
    digest=$(registry_call HEAD "${1%:*}/manifests/${1##*:}" -I \
        -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json' |
        sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: \(.*\)\r$/\1/p')
    registry_call DELETE "${1%:*}/manifests/$digest"
}
