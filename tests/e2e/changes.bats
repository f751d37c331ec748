# What changed between the pinned image and its candidate, and the gates on it (`deny`), on a real engine and registry.
# bats file_tags=changes
load helpers

# A name of its own for each test, so that tags of one test are not candidates of another.
name_of_test() {
    name=e2e/changes$BATS_TEST_NUMBER-$RANDOM
}

# Two versions of one image: CONFIG [FILE]… -- CONFIG [FILE]…, each FILE as make_image takes it.
pin_versions() {
    local config=$1 files=()
    shift
    while [ "$1" != -- ]; do files+=("$1") && shift; done
    old=$(IMAGE_CONFIG=$config make_image "$name:1.0.0" "${files[@]}" /one=1)
    shift
    config=$1
    shift
    new=$(IMAGE_CONFIG=$config make_image "$name:1.1.0" "$@" /one=2)
    pin
}

pin() {
    new_project
    app=$(image "$name")
    echo "FROM $app:1.0.0@$old" >Dockerfile
}

configure() { # the rest of the configuration
    printf 'version: 1\nupdates:\n  - {images: "**", policy: minor}\ntests:\n  - {name: runs, run: "true"}\n%s\n' "$*" >pingate.yaml
    commit
}

status_of() { # NAME=VERSION…: dpkg's status file
    for one in "$@"; do
        printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nDescription: a\n longer\n .\n text\n\n' \
            "${one%%=*}" "${one#*=}"
    done
}

installed_of() { # NAME=VERSION…: apk's database
    for one in "$@"; do
        printf 'C:Q1x=\nP:%s\nV:%s\nA:x86_64\nF:etc\nR:%s.conf\n\n' "${one%%=*}" "${one#*=}" "${one%%=*}"
    done
}

changes() { # JQ-EXPRESSION over the changes of the only update
    assert_json pingate-out/result.json ".updates[0].changes | $1"
}

# A layer that make_image cannot make.
push_odd() { # NAME:TAG: the folder $work/odd is its only layer; prints the digest
    busybox_layer
    pack "$work/odd" "$work/odd.tar"
    push_layers "$1" '{}' "$images_cache/busybox.tar" "$work/odd.tar"
    rm -rf "$work/odd"
}

@test "the configuration is compared, and what looks like a secret is not shown" {
    name_of_test
    pin_versions '{"User":"999","Entrypoint":["/bin/sh"],"Env":["A=1","DB_PASSWORD=hunter2"],"ExposedPorts":{"80/tcp":{}},"Labels":{"org.opencontainers.image.version":"1","note":"before"}}' -- \
        '{"Entrypoint":["/bin/sh","-x"],"Env":["A=2","DB_PASSWORD=hunter3"],"Volumes":{"/data":{}},"StopSignal":"SIGQUIT","Labels":{"org.opencontainers.image.version":"2","note":"after"}}'
    configure
    gate 0 run
    changes '[.items[] | [.what, .name, .before, .after]] == [
        ["user", null, "999", "root"],
        ["entrypoint", null, "[\"/bin/sh\"]", "[\"/bin/sh\",\"-x\"]"],
        ["port", "80/tcp", "", null],
        ["volume", "/data", null, ""],
        ["stop signal", null, null, "SIGQUIT"],
        ["variable", "A", "1", "2"],
        ["variable", "DB_PASSWORD", "(not shown)", "(not shown)"],
        ["label", "note", "(not shown)", "(not shown)"],
        ["label", "org.opencontainers.image.version", "1", "2"]]'
    changes '.layers == 2 and .layers_shared == 1 and .more == 0 and .size_before > 0 and .size_after > 0'
    assert_has "$err" "changed in $app:1.0.0: user 999 → root, entrypoint changed, port 80/tcp is gone, volume /data is new, stop signal is new: SIGQUIT"
    run ! grep -rF hunter pingate-out "$err"
    assert_json pingate-out/result.json '[.. | strings | select(. == "before" or . == "after")] == []'
}

@test "a user that becomes root is denied before anything is pulled, and allowed by a rule" {
    name_of_test
    pin_versions '{"User":"999"}' -- '{"User":"0:0"}'
    configure 'deny: [user-becomes-root, port-removed]'
    before=$(git status --porcelain -- Dockerfile)
    gate 1 run
    [ "$(git status --porcelain -- Dockerfile)" = "$before" ]
    assert_json pingate-out/result.json '.updates[0] | .verdict == "reject" and .code == "change-denied"
        and .reason == "what changed in the image is denied: user-becomes-root: user 999 → root"
        and [.changes.items[] | select(.denied) | .what] == ["user"]'
    assert_json pingate-out/result.json '.trials == [] and .exit_status == 1'
    assert_has_not "$err" "pull"
    printf 'version: 1\nupdates:\n  - {images: "**", policy: minor, deny: []}\ndeny: user-becomes-root\ntests:\n  - {name: runs, run: "true"}\n' >pingate.yaml
    gate 0 run
    assert_json pingate-out/result.json '.updates[0].verdict == "promote" and ([.updates[0].changes.items[] | select(.denied)] == [])'
    grep -qF "$app:1.1.0@$new" Dockerfile
}

@test "a denied change closes the gate for the others, unless what passes is promoted" {
    name_of_test
    pin_versions '{}' -- '{"ExposedPorts":{"81/tcp":{}}}'
    first=$(make_image "$name-other:1.0.0" /a=1)
    second=$(make_image "$name-other:1.1.0" /a=2)
    echo "FROM $app-other:1.0.0@$first" >other.Dockerfile
    configure 'deny: port-added'
    gate 1 run
    assert_json pingate-out/result.json '[.updates[] | .code] == ["change-denied", "gate-closed"] and (.changed | not)'
    gate 1 run --promote passing
    assert_json pingate-out/result.json '[.updates[] | .verdict] == ["reject", "promote"] and .changed'
    grep -qF "$app-other:1.1.0@$second" other.Dockerfile
    grep -qF "$app:1.0.0@$old" Dockerfile
}

@test "packages of Debian: changed, added, removed" {
    name_of_test
    pin_versions '{}' "var/lib/dpkg/status=$(status_of libc6=2.36-9 openssl=3.0.14-1 telnet=0.17)" -- \
        '{}' "var/lib/dpkg/status=$(status_of libc6=2.36-9 openssl=3.0.15-1 curl=7.88.1 zlib1g=1:1.2.13)"
    configure 'changes: packages'
    gate 0 run
    changes '[.items[] | select(.what == "package") | [.name, .before, .after]] ==
        [["curl", null, "7.88.1"], ["openssl", "3.0.14-1", "3.0.15-1"], ["telnet", "0.17", null], ["zlib1g", null, "1:1.2.13"]]'
    assert_has "$err" "changed in $app:1.0.0: openssl 3.0.14-1 → 3.0.15-1, 2 packages added, 1 package removed"
    git checkout -q Dockerfile
    configure 'deny: package-removed'
    gate 1 run
    assert_json pingate-out/result.json '.updates[0] | .code == "change-denied" and (.reason | endswith("package-removed: package telnet is gone"))
        and [.changes.items[] | select(.denied) | .name] == ["telnet"]'
}

@test "packages are told without a pull only where the engine has both images" {
    name_of_test
    pin_versions '{"User":"1"}' "var/lib/dpkg/status=$(status_of openssl=1)" -- '{}' "var/lib/dpkg/status=$(status_of openssl=2)"
    configure
    gate 0 run --dry-run
    assert_has "$err" "changed in $app:1.0.0: user 1 → root"
    changes '[.items[].what] == ["user"]'
    assert_has_not "$err" "openssl"
    configure 'changes: config'
    engine POST "/images/create?fromImage=$app@$old" >/dev/null
    gate 0 run --dry-run
    changes '[.items[] | select(.what == "package")] == []'
    configure
    gate 0 run --dry-run
    changes '[.items[] | select(.what == "package") | .after] == ["2"]'
    configure 'changes: off'
    gate 0 run --dry-run
    assert_json pingate-out/result.json '.updates[0].changes == null'
    assert_has_not "$err" "changed in"
    engine DELETE "/images/$app@$old" >/dev/null
}

@test "packages of Alpine, below a /lib that is a link" {
    name_of_test
    mkdir -p "$work/odd/usr/lib/apk/db"
    ln -s usr/lib "$work/odd/lib"
    installed_of musl=1.2.4-r2 busybox=1.36 >"$work/odd/usr/lib/apk/db/installed"
    old=$(push_odd "$name:1.0.0")
    mkdir -p "$work/odd/lib/apk/db"
    installed_of musl=1.2.5-r0 busybox=1.36 >"$work/odd/lib/apk/db/installed"
    new=$(push_odd "$name:1.1.0")
    pin
    configure 'changes: packages'
    gate 0 run
    changes '[.items[] | select(.what == "package") | [.name, .before, .after]] == [["musl", "1.2.4-r2", "1.2.5-r0"]]'
}

@test "packages of a distroless image, and of one that has none" {
    name_of_test
    pin_versions '{}' "var/lib/dpkg/status.d/base=$(printf 'Package: base-files\nVersion: 12.4')" "var/lib/dpkg/status.d/base.md5sums=no package" -- \
        '{}' "var/lib/dpkg/status.d/base=$(printf 'Package: base-files\nVersion: 12.5')" "var/lib/dpkg/status.d/tzdata=$(printf 'Package: tzdata\nVersion: 2024a')"
    configure 'changes: packages'
    gate 0 run --dry-run
    changes '[.items[] | select(.what == "package") | [.name, .before, .after]] ==
        [["base-files", "12.4", "12.5"], ["tzdata", null, "2024a"]]'
    make_image "$name:1.2.0" /none=1 >/dev/null
    configure 'deny: [package-removed]'
    gate 1 run
    assert_json pingate-out/result.json '.updates[0].reason | endswith("package-removed: package base-files is gone")'
}

# What cannot be read whole is never taken for less: $work/odd is the new version, and WORDS say why nobody knows.
hold_odd() { # WORDS
    new=$(push_odd "$name:1.1.0")
    gate 3 run
    assert_json pingate-out/result.json '.updates[0] | .verdict == "hold" and .code == "not-tested" and .changes.items != null'
    assert_json pingate-out/result.json ".updates[0].reason | contains(\"could not be looked for: package-removed: the packages could not be read\") and test(\"$1\")"
    assert_json pingate-out/result.json '.trials == [] and (.changed | not)'
}

pin_debian() {
    name_of_test
    old=$(make_image "$name:1.0.0" "var/lib/dpkg/status=$(status_of a=1)")
    pin
    configure 'deny: package-removed'
    mkdir -p "$work/odd/var/lib/dpkg"
}

@test "links and fifos for databases are not read, and hold what asks for them" {
    pin_debian
    ln -s /etc/shadow "$work/odd/var/lib/dpkg/status"
    hold_odd "var/lib/dpkg/status: it holds a link|the folder of dpkg's database without the database"
    mkdir -p "$work/odd/var/lib/dpkg" && mkfifo "$work/odd/var/lib/dpkg/status"
    hold_odd "var/lib/dpkg/status: it holds a device, fifo or socket"
    mkdir -p "$work/odd/var/lib/rpm" && echo x >"$work/odd/var/lib/rpm/rpmdb.sqlite"
    hold_odd "a database of RPM"
}

@test "databases of zeros and of escapes are not read, and hold what asks for them" {
    pin_debian
    truncate -s 80M "$work/odd/var/lib/dpkg/status"
    hold_odd "larger than 64 MiB|NUL"
    mkdir -p "$work/odd/var/lib/dpkg" && printf 'Package: \033]0;gone\007\nVersion: 1\n' >"$work/odd/var/lib/dpkg/status"
    hold_odd "line 1: this is no name of a package"
}

@test "what a package is called cannot do anything to a terminal or a comment" {
    name_of_test
    pin_versions '{}' "var/lib/dpkg/status=$(status_of a=1)" -- '{}' "var/lib/dpkg/status=$(status_of a=1 '**b**|<img/src=x>@everyone=2')"
    configure 'deny: package-added'
    gate 1 run
    assert_json pingate-out/result.json '.updates[0].changes.items[0].name == "**b**|<img/src"'
    assert_has_not pingate-out/report.md '<img'
    sed 's/`[^`]*`//g' pingate-out/report.md >"$work/prose" # nobody is mentioned in code
    run ! grep -qF @everyone "$work/prose"
}

@test "sizes, labels: gates with a value" {
    name_of_test
    pin_versions '{"Labels":{"x":"1"}}' /small=1 -- '{"Labels":{"x":"1"}}' "/large=$(head -c 3000000 /dev/urandom | base64 -w 0 | cut -c 1-100000)$(printf '%0100000d' 1)"
    configure 'deny: [{size-grows: 900%}, {label-missing: x}]'
    gate 0 run --dry-run
    configure 'deny: [size-grows: 0%]'
    gate 1 run
    assert_json pingate-out/result.json '.updates[0].reason | contains("size-grows: size ")'
    configure 'deny: [label-missing: org.example.source]'
    gate 1 run
    assert_json pingate-out/result.json '.updates[0].reason | endswith("label-missing: label org.example.source is not there")'
}

@test "test --since has the same gates" {
    name_of_test
    pin_versions '{"User":"999"}' -- '{}'
    configure 'deny: user-becomes-root'
    echo "FROM $app:1.1.0@$new" >Dockerfile
    gate 1 test --since HEAD
    assert_json pingate-out/result.json '.updates[0] | .code == "change-denied" and .changes.items[0].denied'
    configure 'deny: user-changed'
    echo "FROM $app:1.0.0@$old" >Dockerfile
    gate 1 test --since HEAD
    assert_json pingate-out/result.json '.updates[0].reason | endswith("user-changed: user root → 999")'
}

@test "what enters a stage has the same gates, though nothing is tested there" {
    name_of_test
    pin_versions '{"User":"999"}' -- '{}'
    mkdir -p deploy/staging deploy/production
    rm Dockerfile
    printf 'image: %s\n' "$app:1.0.0@$old" | tee deploy/staging/a.yaml >deploy/production/a.yaml
    configure "stages:
  - {name: staging, files: [deploy/staging/], tests: [runs]}
  - {name: production, files: [deploy/production/], from: staging}"
    gate 0 run
    grep -q "$new" deploy/staging/a.yaml
    echo 'deny: user-becomes-root' >>pingate.yaml
    commit
    gate 1 promote production
    assert_json pingate-out/result.json '.updates[0] | .code == "change-denied" and (.reason | endswith("user 999 → root"))'
    grep -q "$old" deploy/production/a.yaml
    sed -i '/^deny/d' pingate.yaml
    gate 0 promote production
    grep -q "$new" deploy/production/a.yaml
}

@test "a registry that is gone and an engine that lacks the image hold what is gated, and harm nothing else" {
    name_of_test
    pin_versions '{"User":"1"}' -- '{"User":"2"}'
    untag "$name:1.0.0"
    configure 'changes: packages'
    gate 0 run --dry-run
    assert_json pingate-out/result.json '.updates[0] | .verdict == "promote" and .changes == null'
    assert_has "$err" "the packages of $app:1.0.0 and its candidate could not be compared"
    configure 'deny: user-changed'
    gate 3 run
    assert_json pingate-out/result.json '.updates[0] | .code == "not-tested" and (.reason | contains("could not be looked for"))'
}
