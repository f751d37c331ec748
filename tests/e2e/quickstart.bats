# The quickstart, whole: what issue trackers and newcomers are told to run. It makes images of real packages, so it needs a
# package mirror and takes a minute or two; the layers are kept for the tests of this file.
# bats file_tags=quickstart
# shellcheck disable=SC2154 # helpers.bash sets work, out and tests
load helpers

setup_file() {
    apt-get update -q >/dev/null
}

quickstart() { # STATUS ARGUMENT…: into $work/tour, its output in $out
    local expected=$1 status=0
    shift
    mkdir -p "$work/tmp"
    env TMPDIR="$work/tmp" HOME="$work/home" QUICKSTART_CACHE="${cache-$BATS_FILE_TMPDIR}" \
        ASAN_OPTIONS=exitcode=99:detect_leaks=1 "$tests/../examples/quickstart.sh" "$@" "$work/tour" >"$out" 2>&1 || status=$?
    [ "$status" -ne "$expected" ] || return 0
    echo "quickstart.sh $*: exit status $status, expected $expected"
    cat "$out"
    return 1
}

# The newest version that the package mirror of this machine has, found without the script; of the suite that was released
# ("bookworm", while "bookworm-security" brings what came later) or of all.
mirror_has() { # PACKAGE [released]
    apt-cache madison "$1" | grep ' Packages$' | grep -E "${2:+ [a-z]+/[a-z]+ }" | head -n 1 | awk -F ' *[|] *' '{print $2}'
}

version_in() { # PACKAGE DIGEST: what dpkg's own list within the image's first layer says
    local layer
    layer=$(registry_call GET "quickstart/$project/manifests/$2" -H 'Accept: application/vnd.oci.image.manifest.v1+json' |
        jq -r '.layers[0].digest')
    registry_call GET "quickstart/$project/blobs/$layer" | tar -xO ./var/lib/dpkg/status |
        awk -v RS= -v package="$1" '$0 ~ "^Package: " package "\n"' | sed -n 's/^Version: //p'
}

# The commit that moved the pins changed digests, each of them from old to new, and no other byte.
assert_only_pins_moved() { # PINS FILES
    local file
    cd "$work/tour/$project" || return 1
    old=$(git show HEAD~:Dockerfile | sed -n 's/^FROM .*@//p')
    new=$(sed -n 's/^FROM .*@//p' Dockerfile)
    [ "$old" != "$new" ]
    [ "$(git grep -F "$old" HEAD~ | wc -l)" -eq "$1" ]
    [ "$(git diff --name-only HEAD~ HEAD | wc -l)" -eq "$2" ]
    while read -r file; do
        cmp <(git show "HEAD~:$file" | sed "s/$old/$new/") "$file"
    done < <(git ls-tree -r --name-only HEAD)
}

assert_broken_one_was_stopped() { # TEST
    assert_unchanged
    assert_json "$work/tour/reports/2-broken/result.json" \
        '.exit_status == 1 and (.changed | not) and .updates[0].verdict == "reject" and .updates[0].code == "regression"'
    assert_has "$work/tour/reports/2-broken/report.md" "Gate closed"
    assert_has "$work/tour/reports/2-broken/report.md" "$1"
}

assert_reports() {
    local reports
    for reports in 1-update 2-broken; do
        assert_has "$out" "$work/tour/reports/$reports/report.md"
        xmllint --noout "$work/tour/reports/$reports/junit.xml"
        [ -s "$work/tour/reports/$reports/report.md" ]
        [ -d "$work/tour/reports/$reports/logs" ]
    done
    assert_json "$work/tour/reports/1-update/result.json" \
        '.exit_status == 0 and .changed and .updates[0].verdict == "promote"'
}

# No process, mount, bridge or file of the tour but what it says it leaves.
assert_nothing_runs() {
    ! pgrep -fa -- "$work/tmp"
    ! grep -F "$work/tmp" /proc/self/mountinfo
    [ -z "$(ls -A "$work/tmp")" ]
}

# A package mirror that lists one version, the released one, of some packages.
list_one_version() { # PACKAGE…
    mkdir -p "$work/bin"
    cat >"$work/bin/apt-cache" <<END
#!/bin/sh
case " $* " in
*" \$2 "*) $(command -v apt-cache) "\$@" | grep -E ' [a-z]+/[a-z]+ ' ;;
*) $(command -v apt-cache) "\$@" ;;
esac
END
    chmod +x "$work/bin/apt-cache"
    PATH=$work/bin:$PATH
}

@test "the update moves every pin, the broken candidate moves none" {
    project=redis
    quickstart 0 --service redis
    assert_only_pins_moved 5 4
    [ "$(version_in redis-server "$old")" = "$(mirror_has redis-server released)" ]
    [ "$(version_in redis-server "$new")" = "$(mirror_has redis-server)" ]
    assert_broken_one_was_stopped "order:1 was written before the restart and is gone"
    assert_reports
    assert_nothing_runs
}

@test "with nothing given it starts its own engine; where redis has one version, it takes nginx" {
    project=nginx
    list_one_version redis-server
    (
        unset PINGATE_TEST_ENGINE PINGATE_TEST_REGISTRY PINGATE_TEST_PROGRAM
        quickstart 0 --private
    )
    assert_has "$out" "your mirror lists one version only, $(mirror_has redis-server released)"
    assert_has "$out" "its own, ends with this script"
    assert_has "$out" "$(mirror_has nginx), the update"
    assert_only_pins_moved 3 3
    assert_broken_one_was_stopped "Open from nine to five."
    assert_reports
    assert_nothing_runs
}

@test "where the mirror has no update at all, it says so and takes a rebuild" {
    project=redis
    list_one_version redis-server nginx
    quickstart 0
    assert_has "$out" "a rebuild of the same release"
    assert_only_pins_moved 5 4
    [ "$(version_in redis-server "$old")" = "$(version_in redis-server "$new")" ]
    assert_broken_one_was_stopped "order:1 was written before the restart and is gone"
    assert_nothing_runs
}

@test "stopped half way it takes everything with it" {
    project=redis
    (
        unset PINGATE_TEST_ENGINE PINGATE_TEST_REGISTRY
        cache='' quickstart 143 --private
    ) &
    local tour=$! script tries=600
    until pgrep -f "mmdebstrap.*$work/tmp" >/dev/null; do
        [ $((tries -= 1)) -gt 0 ]
        sleep 0.1
    done
    script=$(pgrep -of "quickstart.sh.* $work/tour")
    kill -TERM "$script"
    wait "$tour"
    assert_has "$out" "ended early"
    assert_nothing_runs
}

@test "a folder that is there already is left alone, an unknown option is named" {
    mkdir "$work/tour"
    quickstart 1
    assert_has "$out" "is there already"
    [ -z "$(ls -A "$work/tour")" ]
    quickstart 1 --privat
    assert_has "$out" "--privat: no such option"
}
