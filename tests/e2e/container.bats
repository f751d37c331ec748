# The Containerfile: built on a base image that is made of Debian's packages here, by both builders of the engine, and what
# the image is for. It needs a package mirror and takes some minutes.
# bats file_tags=container
load helpers
# shellcheck source=tests/debian.sh
. "$tests/debian.sh"

source_folder=$(cd "$tests/.." && pwd)
engine_socket=${PINGATE_TEST_ENGINE#unix://}
docker() {
    env -i PATH="$PATH" HOME="$BATS_FILE_TMPDIR" DOCKER_HOST="$PINGATE_TEST_ENGINE" DOCKER_BUILDKIT=0 "$(type -P docker)" "$@"
}

image_ids() {
    engine GET '/images/json?all=1' | jq -r '.[].Id' | sort
}

# Like debian:NAME-slim: what is essential, apt, no recommended packages, no documentation; and this machine's way to a mirror.
make_base() { # TAR
    local folder=$BATS_FILE_TMPDIR suite origin
    apt-get update -q >/dev/null
    debian_sources >"$folder/list"
    awk '{print "deb", $1, $2, $3}' "$folder/list" >"$folder/sources"
    read -r suite origin < <(awk '$2 !~ /[-\/]/ {print $2, $4}' "$folder/list")
    # in a shell of its own, since it becomes another program
    (debian_root "$1" "$folder" "$origin" "$suite" "$folder/sources" --variant=apt \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --customize-hook="cp $folder/apt.conf \"\$1/etc/apt/apt.conf.d/90machine\"") >"$folder/base.log" 2>&1 ||
        { tail -n 25 "$folder/base.log"; return 1; }
}

# With the engine's own client, which reads .dockerignore.
build_classic() { # TAG OPTION…
    local tag=$1
    shift
    docker build --network host -f "$source_folder/Containerfile" -t "$tag" "$@" "$source_folder" \
        >"$BATS_FILE_TMPDIR/build.log" 2>&1 || { tail -n 60 "$BATS_FILE_TMPDIR/build.log"; return 1; }
}

setup_file() {
    image_ids >"$BATS_FILE_TMPDIR/images.before"
    make_base "$BATS_FILE_TMPDIR/base.tar"
    base=$(push_layers base/debian:slim '{}' "$BATS_FILE_TMPDIR/base.tar")
    rm "$BATS_FILE_TMPDIR/base.tar"
    export base=$PINGATE_TEST_REGISTRY/base/debian:slim@$base
    build_classic pingate-test:build --target build --build-arg "BASE=$base"
    build_classic pingate-test:classic --build-arg "BASE=$base"
}

# Images that stand on others go first; an image of another test is none of ours.
teardown_file() {
    local id tries=10
    engine POST '/build/prune?all=1' >/dev/null || true
    while [ $((tries -= 1)) -gt 0 ] && [ -n "$(comm -13 "$BATS_FILE_TMPDIR/images.before" <(image_ids))" ]; do
        for id in $(comm -13 "$BATS_FILE_TMPDIR/images.before" <(image_ids)); do
            engine DELETE "/images/$id?force=1" >/dev/null 2>&1 || true
        done
    done
    [ "$tries" -gt 0 ]
}

# pingate as users of the image run it: the project mounted, and the engine's socket beside it.
contained() { # STATUS ARGUMENT…
    local expected=$1 status=0
    shift
    docker run --rm --network host -v "$PWD:/work" -v "$engine_socket:/var/run/docker.sock" "${tag:-pingate-test:classic}" "$@" \
        >"$out" 2>"$err" || status=$?
    [ "$status" -ne "$expected" ] || return 0
    echo "pingate $* in a container: exit status $status, expected $expected"
    cat "$out" "$err"
    return 1
}

# A project that pins an image of which there is a newer one; it belongs to somebody else than the image's user.
somebodys_project() {
    local name=container/t$BATS_TEST_NUMBER-$RANDOM
    app=$(image "$name") old=$(make_image "$name:1.0.0" /version=one) new=$(make_image "$name:1.1.0" /version=two)
    new_project
    echo "FROM $app:1.0.0@$old" >Dockerfile
    cat >pingate.yaml
    commit
    chown -R 1234:1234 .
}

@test "it is pinned: a full digest of an index, which pingate finds" {
    mkdir copy
    cp "$source_folder/Containerfile" copy
    pingate scan --json -C copy >"$out"
    assert_json "$out" '[.pins[] | select(.image == "docker.io/library/debian" and .tag == "bookworm-slim")] | length == 1'
    [ "$(grep -c '^FROM ' copy/Containerfile)" -eq "$(grep -cF 'FROM ${BASE}' copy/Containerfile)" ]
}

@test "the context holds the source alone, the image what it needs" {
    # "Sending build context to Docker daemon  5.632MB": the history and the builds beside it are far larger
    sent=$(sed -nE 's/.*Sending build context to Docker daemon *([0-9.]+)([kM]B).*/\1\2/p' "$BATS_FILE_TMPDIR/build.log" | tail -n 1)
    echo "context: $sent"
    case $sent in *kB) ;; *MB) [ "$(printf '%.0f' "${sent%MB}")" -lt 16 ] ;; *) false ;; esac
    size=$(engine GET /images/pingate-test:classic/json | jq .Size)
    of_base=$(engine GET "/images/$base/json" | jq .Size)
    echo "# image: $((size / 1000000)) MB, of which the base $((of_base / 1000000)) MB" >&3
    [ $((size - of_base)) -lt 100000000 ]
    # Nothing of the build went along: no compiler, no headers, no list of packages.
    docker run --rm --entrypoint sh pingate-test:classic -c '
        ! command -v gcc && ! command -v make && ! test -e /source && ! test -e /usr/include/jansson.h &&
        test -z "$(ls -A /var/lib/apt/lists)" && command -v git && command -v curl && command -v jq'
}

@test "it tells its version, and without a word its help" {
    contained 0 --version
    [ "$(cat "$out")" = "$(pingate --version)" ]
    contained 0
    assert_has "$out" "Usage: pingate COMMAND"
}

@test "scan and doctor look at a mounted project of another owner" {
    somebodys_project <<<'{version: 1, tests: [{name: contract, run: "true"}]}'
    contained 0 scan --json
    assert_json "$out" '[.pins[].file] == ["Dockerfile"]'
    contained 0 doctor
    assert_has "$out" "scanned is what git would add"
    assert_has "$out" "unix:///run/docker.sock"
}

@test "the gate runs in it, with the engine's socket" {
    somebodys_project <<<'{version: 1, updates: [{images: ["**"], policy: minor}], tests: [{name: contract, run: "grep two /version"}]}'
    contained 0 run
    [ "$(stat -c %u Dockerfile)" -eq 1234 ]
    chown -R 0:0 . # git answers its owner
    assert_diff "-FROM $app:1.0.0@$old" "+FROM $app:1.1.0@$new"
    assert_json pingate-out/result.json '.changed and .exit_status == 0'
    git checkout -q Dockerfile
    sed -i 's/two/one/' pingate.yaml
    contained 1 run
    assert_has pingate-out/report.md "Gate closed"
}

# Its answers are protocol buffers in base64; people see the texts within them.
buildkit_log() { # FILE
    jq -r 'select(.id == "moby.buildkit.trace") | .aux' "$1" | while read -r line; do base64 -d <<<"$line" | strings -n 8; done | tail -n 60
    jq -r '.error // empty' "$1"
}

# Only whether it takes the file: the base is the other builder's, which has all packages already.
@test "BuildKit builds it too" {
    (cd "$source_folder" && tar -cf "$work/context.tar" --anchored --exclude-from=.dockerignore -- *)
    engine POST "/build?version=2&networkmode=host&dockerfile=Containerfile&t=pingate-test:buildkit&buildargs=$(
        jq -rn '{BASE: "pingate-test:build"} | tojson | @uri')" -T "$work/context.tar" -H 'Content-Type: application/x-tar' >"$out"
    [ "$(jq -rs 'map(.error // empty) | join("")' "$out")" = "" ] || { buildkit_log "$out" && return 1; }
    tag=pingate-test:buildkit contained 0 --version
    [ "$(cat "$out")" = "$(pingate --version)" ]
    engine DELETE '/images/pingate-test:buildkit?force=1' >/dev/null
}
