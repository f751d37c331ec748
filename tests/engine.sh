#!/bin/bash
# A private Docker Engine and a private registry for tests, with everything they own below one folder.
#
#   tests/engine.sh start FOLDER   starts both, waits until both answer, writes FOLDER/env and prints it:
#                                    PINGATE_TEST_ENGINE=unix://FOLDER/docker.sock
#                                    PINGATE_TEST_REGISTRY=127.0.0.1:PORT
#                                  and for an engine of another suite a PATH with its own client
#   tests/engine.sh start-registry FOLDER   the registry alone, for an engine that is there already
#   tests/engine.sh stop FOLDER    stops both and removes all they left; the logs stay in FOLDER
#   tests/engine.sh status FOLDER  exits 0 when both answer
#
# Nothing here touches another engine on the machine: it has its own bridge, address range, containerd, cgroup and
# configuration file, and makes no firewall rule but one that lets its own range through where another engine made the
# host drop what is forwarded (Podman makes, and takes away, those of a network of its own). It needs root (or sudo without a password), and the programs of tests/packages. A start
# over the remains of a dead one cleans those up first.
#
#   PINGATE_TEST_ENGINE_KIND=podman        Podman's API service instead of a Docker Engine
#   PINGATE_TEST_ENGINE_TLS=1              a Docker Engine that also listens on loopback with TLS: PINGATE_TEST_ENGINE_TLS=tcp://…
#                                          in FOLDER/env, and FOLDER/tls has ca.pem, cert.pem and key.pem of a client
#   PINGATE_TEST_ENGINE_KIND=docker-SUITE, podman-SUITE   those of another suite of Debian, such as trixie or sid, from a root
#                                          folder of its packages that is made once a week (tests/engine_suites.sh)
#   PINGATE_TEST_ENGINE_KIND=docker-SUITE-containerd      which keeps images in containerd's store, as new engines do by
#                                          default, and takes no API older than 1.44, as Docker Engine 29.0 to 29.2
set -euo pipefail

here=$(cd "${0%/*}" && pwd)
readonly start_seconds=60 # a cold machine needs about 5; the rest is for a crowded one
readonly stop_seconds=20  # after this the engine is killed: its own limit for containers is 5

fail() {
    printf 'tests/engine.sh: %s\n' "$*" >&2
    exit 1
}

# Shows why a program did not start and ends the script.
fail_with_log() { # MESSAGE LOG
    {
        printf 'tests/engine.sh: %s; the last lines of %s:\n' "$1" "$2"
        tail -n 25 "$2" 2>/dev/null | sed 's/^/    /'
    } >&2
    exit 1
}

need() {
    local program missing=
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
    done
    [ -z "$missing" ] || fail "these programs are not installed:$missing (tests/packages tells their packages; tests/run.sh installs them)"
}

# The process of a pid file, if it lives and is ours: its command line names our folder.
process_of() { # PIDFILE
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [ -n "$pid" ] && grep -qaF -- "$folder" "/proc/$pid/cmdline" 2>/dev/null || return 1
    echo "$pid"
}

# Starts a program that outlives this script and no file of ours but its log.
suite_entry=() # what stands before an engine that runs in a root folder of its own
daemon() { # NAME PROGRAM ARGUMENT…
    local name=$1
    shift
    env -i PATH="$PATH" HOME="$folder" TMPDIR="$folder/tmp" setsid "$@" \
        </dev/null >"$folder/$name.log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
    echo $! >"$folder/$name.pid"
}

lives() { # NAME, as given to daemon
    kill -0 "$(cat "$folder/$1.pid")" 2>/dev/null
}

engine_answers() {
    curl -fsS --max-time 2 --unix-socket "$folder/docker.sock" http://engine/_ping >/dev/null 2>&1
}

registry_answers() {
    [ -s "$folder/registry.port" ] &&
        curl -fsS --max-time 2 --noproxy '*' "http://127.0.0.1:$(cat "$folder/registry.port")/v2/" >/dev/null 2>&1
}

# Waits until a check succeeds; tells early when the program has died.
wait_for() { # NAME CHECK
    local name=$1 check=$2 tries=$((start_seconds * 10))
    until "$check"; do
        lives "$name" || fail_with_log "$name ended while it started" "$folder/$name.log"
        [ $((tries -= 1)) -gt 0 ] || fail_with_log "$name did not answer within $start_seconds s" "$folder/$name.log"
        sleep 0.1
    done
}

# Finds a range 10.N.0.0/16 that no interface or route of the host uses, and makes the bridge in it. Under a lock, so
# that two engines that start together do not take the same.
make_bridge() {
    local number tries
    number=$((200 + 0x$tag % 50))
    exec 9>/run/pingate-test-engine.lock
    flock 9
    for ((tries = 0; tries < 50; tries++)); do
        if ! { ip -o -4 address; ip -4 route; } | grep -qE "[^0-9.]10\.$number\."; then
            ip link add name "$bridge" type bridge || fail "cannot make a bridge: is this root with CAP_NET_ADMIN?"
            ip address add "10.$number.0.1/24" dev "$bridge"
            ip link set "$bridge" up
            echo "$number" >"$folder/range"
            exec 9>&-
            return
        fi
        number=$((200 + (number - 199) % 50))
    done
    fail "no free address range among 10.200.0.0/16 to 10.249.0.0/16"
}

# Where another engine made the host drop what is forwarded, and bridges pass through the firewall, the containers of
# one of our networks would not reach each other: let our own range through, and nothing else.
open_range() {
    [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)" = 1 ] || return 0
    iptables -S FORWARD 2>/dev/null | grep -q -- '-P FORWARD DROP' || return 0
    iptables -I FORWARD -s "10.$1.0.0/16" -d "10.$1.0.0/16" -j ACCEPT
}

# Inside a container there may be no cgroups to hand out yet.
prepare_cgroups() {
    local controller
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        # Version 2, and not the host's root (that has no cgroup.type): a cgroup with processes hands out no controllers,
        # so they move into one of their own.
        [ -e /sys/fs/cgroup/cgroup.type ] || return 0
        [ -z "$(cat /sys/fs/cgroup/cgroup.subtree_control)" ] || return 0
        mkdir -p /sys/fs/cgroup/init
        xargs -rn1 </sys/fs/cgroup/cgroup.procs >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null || true
        xargs -n1 </sys/fs/cgroup/cgroup.controllers | while read -r controller; do
            echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
        done
    elif ! grep -q ' /sys/fs/cgroup' /proc/mounts; then
        mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
        awk '$4 == 1 {print $1}' /proc/cgroups | while read -r controller; do
            mkdir -p "/sys/fs/cgroup/$controller"
            mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" || rmdir "/sys/fs/cgroup/$controller"
        done
    fi
}

start_registry() {
    local port
    cat >"$folder/registry.yml" <<END
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $folder/registry}
  delete: {enabled: true}
http:
  addr: 127.0.0.1:0
  secret: only-for-tests
END
    daemon registry docker-registry serve "$folder/registry.yml"
    registry_listens() {
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p' "$folder/registry.log" | head -n 1)
        [ -n "$port" ] && echo "$port" >"$folder/registry.port"
    }
    wait_for registry registry_listens
    wait_for registry registry_answers
}

# An authority, a certificate of the engine and one of a client, and a port that nobody has now.
make_tls() {
    local tls=$folder/tls port
    mkdir -p "$tls"
    printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >"$tls/names"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=authority -days 2 \
        -keyout "$tls/ca.key" -out "$tls/ca.pem" 2>/dev/null
    sign() { # NAME CERTIFICATE KEY OPTION…
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$3" -out "$tls/request" 2>/dev/null
        openssl x509 -req -in "$tls/request" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 2 -out "$2" "${@:4}" 2>/dev/null
    }
    sign engine "$tls/server.pem" "$tls/server.key" -extfile "$tls/names"
    sign client "$tls/cert.pem" "$tls/key.pem"
    while port=$((20000 + RANDOM % 10000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port" >"$tls/port"
}

start_containerd() {
    cat >"$folder/containerd.toml" <<END
version = 2
root = "$folder/containerd"
state = "$folder/containerd.run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$folder/containerd.sock"
END
    daemon containerd containerd --config "$folder/containerd.toml" --log-level warn
    containerd_listens() { [ -S "$folder/containerd.sock" ]; }
    wait_for containerd containerd_listens
}

start_engine() {
    local range features='' tls='' containerd='"containerd": "'$folder'/containerd.sock",' oldest=()
    local hosts='"unix://'$folder'/docker.sock"'
    range=$(cat "$folder/range")
    if [ "$store" = containerd ]; then
        features='"features": {"containerd-snapshotter": true},'
        oldest=(env DOCKER_MIN_API_VERSION=1.44)
    fi
    [ ! -f "$folder/tls/port" ] || {
        hosts="$hosts, \"tcp://127.0.0.1:$(cat "$folder/tls/port")\""
        tls='"tlsverify": true, "tlscacert": "'$folder'/tls/ca.pem", "tlscert": "'$folder'/tls/server.pem", "tlskey": "'$folder'/tls/server.key",'
    }
    [ -z "$suite" ] || containerd= # that of the suite, which the engine starts itself
    cat >"$folder/engine.json" <<END
{
  $features
  "data-root": "$folder/data",
  "exec-root": "$folder/exec",
  "pidfile": "$folder/dockerd.pid",
  "hosts": [$hosts],
  $containerd
  $tls
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "cgroup-parent": "/$bridge",
  "bridge": "$bridge",
  "default-address-pools": [{"base": "10.$range.128.0/17", "size": 24}],
  "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false,
  "shutdown-timeout": 5,
  "log-level": "warn"
}
END
    daemon engine "${suite_entry[@]}" "${oldest[@]}" dockerd --config-file "$folder/engine.json" "$@"
}

# Podman keeps what it is not told otherwise in the system's folders: everything is told.
podman_words() {
    printf '%s\n' env "CONTAINERS_CONF=$folder/containers.conf" "CONTAINERS_REGISTRIES_CONF=$folder/registries.conf" \
        PODMAN_IGNORE_CGROUPSV1_WARNING=1 \
        podman --root "$folder/data" --runroot "$folder/exec" --tmpdir "$folder/tmp/podman"
}

start_podman() {
    local range words
    range=$(cat "$folder/range")
    # Podman gives each container limits of open files and processes that a process without CAP_SYS_RESOURCE may not
    # set, and no configuration takes them away: a runtime of this name does, and leaves those that a test asks for.
    cat >"$folder/runc-within" <<'END'
#!/bin/sh
previous= bundle= process=
for argument; do
    case $previous in --bundle | -b) bundle=$argument ;; --process) process=$argument ;; esac
    previous=$argument
done
if [ -n "$bundle" ] && [ -f "$bundle/config.json" ]; then
    most=$(ulimit -H -n)
    jq --arg most "$most" 'if .process.rlimits then .process.rlimits |= map(select(
            $most == "unlimited" or .hard <= ($most | tonumber) or (.type | IN("RLIMIT_NOFILE", "RLIMIT_NPROC") | not)))
        else . end' "$bundle/config.json" >"$bundle/config.new" && mv "$bundle/config.new" "$bundle/config.json"
fi
if [ -n "$process" ] && [ -f "$process" ]; then # of what is started in a container that runs
    jq 'del(.rlimits)' "$process" >"$process.new" && cat "$process.new" >"$process"
    rm -f "$process.new"
fi
exec runc "$@"
END
    chmod +x "$folder/runc-within"
    cat >"$folder/containers.conf" <<END
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc-within"
volume_path = "$folder/data/volumes"
[engine.runtimes]
runc-within = ["$folder/runc-within"]
[network]
network_backend = "netavark"
network_config_dir = "$folder/networks"
default_subnet = "10.$range.128.0/24"
END
    # A Docker Engine speaks plain HTTP to any registry on this machine, and so do the tests' own.
    printf '[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n' >"$folder/registries.conf"
    mapfile -t words < <(podman_words)
    cd "$folder" # conmon leaves files where the service was started
    daemon engine "${suite_entry[@]}" "${words[@]}" system service -t 0 "unix://$folder/docker.sock"
    wait_for engine engine_answers
}

remove_podman() {
    local words
    [ -f "$folder/containers.conf" ] || return 0
    mapfile -t words < <(podman_words)
    if [ -f "$folder/suite" ]; then
        # shellcheck source=tests/engine_suites.sh
        . "$here/engine_suites.sh"
        suite_enter "$(cat "$folder/suite")"
    fi
    "${suite_entry[@]}" "${words[@]}" rm --all --force --time 0 >>"$folder/engine.log" 2>&1 || true
    rm -rf "${folder:?}"/{containers.conf,registries.conf,runc-within,networks}
}

# An engine on a file system that cannot carry overlays (a container's own root, say) copies whole layers instead.
start_engine_somehow() {
    start_engine
    local tries=$((start_seconds * 10))
    until engine_answers; do
        if ! lives engine; then
            grep -qiE 'driver not supported|error initializing graphdriver|snapshotter' "$folder/engine.log" ||
                fail_with_log "the engine ended while it started" "$folder/engine.log"
            echo "tests/engine.sh: no overlays below $folder; the engine copies layers instead (slower)" >&2
            rm -rf "$folder/data"
            start_engine --storage-driver vfs
            break
        fi
        [ $((tries -= 1)) -gt 0 ] || break
        sleep 0.1
    done
    wait_for engine engine_answers
}

start() {
    local range
    need docker-registry ip curl setsid flock
    case $program${suite:+-suite} in
    docker) need dockerd containerd runc ;;
    podman) need podman conmon runc jq /usr/lib/podman/netavark /usr/libexec/podman/catatonit ;;
    esac
    [ ${#folder} -le 80 ] || fail "$folder: too long for the path of a socket (80 bytes at most)"
    mkdir -p "$folder"
    clean_up
    mkdir -p "$folder/tmp"
    trap 'stop_after_failure' EXIT
    prepare_cgroups
    make_bridge
    range=$(cat "$folder/range")
    open_range "$range"
    start_registry
    [ -z "${PINGATE_TEST_ENGINE_TLS:-}" ] || make_tls
    if [ -n "$suite" ]; then
        local root
        root=$(suite_root "$suite") || exit 1
        suite_enter "$root"
        echo "$root" >"$folder/suite"
        suite_client "$root" "$program"
    fi
    case $program in
    docker)
        [ -n "$suite" ] || start_containerd
        start_engine_somehow
        ;;
    podman) start_podman ;;
    esac
    [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$folder" "$folder/docker.sock"
    printf 'PINGATE_TEST_ENGINE=unix://%s/docker.sock\nPINGATE_TEST_REGISTRY=127.0.0.1:%s\n' \
        "$folder" "$(cat "$folder/registry.port")" >"$folder/env"
    [ ! -f "$folder/tls/port" ] ||
        echo "PINGATE_TEST_ENGINE_TLS=tcp://127.0.0.1:$(cat "$folder/tls/port")" >>"$folder/env"
    # shellcheck disable=SC2016
    [ -z "$suite" ] || printf 'PATH=%s/bin:$PATH\n' "$folder" >>"$folder/env"
    trap - EXIT
    cat "$folder/env"
}

start_registry_alone() {
    need docker-registry curl setsid
    mkdir -p "$folder"
    clean_up
    mkdir -p "$folder/tmp"
    trap 'stop_after_failure' EXIT
    start_registry
    printf 'PINGATE_TEST_REGISTRY=127.0.0.1:%s\n' "$(cat "$folder/registry.port")" >"$folder/env"
    trap - EXIT
    cat "$folder/env"
}

# A start that failed leaves nothing but its logs.
stop_after_failure() {
    local status=$?
    clean_up
    exit "$status"
}

# Ends the process of a pid file: asks, waits, then forces.
end_process() { # PIDFILE
    local pid tries=$((stop_seconds * 10))
    pid=$(process_of "$1") || return 0
    kill "$pid" 2>/dev/null || return 0
    while process_of "$1" >/dev/null; do
        if [ $((tries -= 1)) -le 0 ]; then
            kill -9 "$pid" 2>/dev/null || true
            return 0
        fi
        sleep 0.1
    done
}

# What an engine that was killed leaves running: shims, which name our folder, and the processes of containers, which are
# in our cgroup.
kill_remains() {
    local pid
    for pid in $(pgrep -f -- "(containerd --config |containerd-shim.* -address |conmon .*)$folder/" || true) \
        $(find /sys/fs/cgroup -path "*/$bridge/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un); do
        kill -9 "$pid" 2>/dev/null || true
    done
}

unmount_remains() {
    local place
    # Deepest first; paths in mountinfo have their blanks escaped, and ours have none.
    awk -v top="$folder/" 'index($5, top) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r place; do
        umount "$place" 2>/dev/null || umount -l "$place" || true
    done
}

remove_bridges() {
    local range link
    range=$(cat "$folder/range" 2>/dev/null) || range=
    if [ -n "$range" ]; then
        for link in $(ip -o -4 address | awk -v own="10.$range." 'index($4, own) == 1 {print $2}'); do
            ip link delete "$link" 2>/dev/null || true
        done
        iptables -D FORWARD -s "10.$range.0.0/16" -d "10.$range.0.0/16" -j ACCEPT 2>/dev/null || true
    fi
    ip link delete "$bridge" 2>/dev/null || true
}

clean_up() {
    end_process "$folder/engine.pid"
    end_process "$folder/registry.pid"
    end_process "$folder/containerd.pid"
    remove_podman
    kill_remains
    unmount_remains
    remove_bridges
    find /sys/fs/cgroup -depth -type d -path "*/$bridge*" -exec rmdir {} \; 2>/dev/null || true
    rm -rf "${folder:?}"/{data,exec,containerd,containerd.run,registry,tmp,env,range,registry.port} \
        "${folder:?}"/{root,upper,work,suite,bin,tls} \
        "${folder:?}"/{*.pid,*.sock,*.sock.ttrpc,registry.yml,engine.json,containerd.toml,.docker}
}

case ${1:-}${2:+.} in
start. | start-registry. | stop. | status.) ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac
[ "$(id -u)" -eq 0 ] || exec sudo -n --preserve-env=PINGATE_TEST_ENGINE_KIND,PINGATE_TEST_ENGINE_TLS "$0" "$@"

folder=$(realpath -m "$2")
case $folder in *[!A-Za-z0-9/._-]*) fail "$folder: a path of letters, digits, . _ - is needed" ;; esac
tag=$(printf %s "$folder" | sha256sum | cut -c1-8)
bridge=pgt$tag
kind=${PINGATE_TEST_ENGINE_KIND:-docker}
[[ $kind =~ ^(docker|podman)(-([a-z]+))?$ || $kind =~ ^(docker)(-([a-z]+))-(containerd)$ ]] ||
    fail "PINGATE_TEST_ENGINE_KIND=$kind: docker, podman, docker-SUITE, docker-SUITE-containerd or podman-SUITE was expected"
program=${BASH_REMATCH[1]} suite=${BASH_REMATCH[3]} store=${BASH_REMATCH[4]:-}
# shellcheck source=tests/engine_suites.sh
[ -z "$suite" ] || . "$here/engine_suites.sh"

case $1 in
start) start ;;
start-registry) start_registry_alone ;;
stop)
    [ -d "$folder" ] || fail "$folder: no such folder"
    clean_up
    ;;
status) engine_answers && registry_answers ;;
esac
