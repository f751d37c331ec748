# The ways to an engine: docker contexts, TLS and ssh, with the docker client's own files, a real sshd and a Docker Engine that
# listens with TLS; and in what words it is told what is wrong on the way. The engine is one of this file's own, since the one
# of the run need not listen so.
# bats file_tags=engines
load helpers

setup_file() {
    export ENGINES_FOLDER
    ENGINES_FOLDER=$(mktemp -d /tmp/pingate-engines.XXXXXX)
    chmod 755 "$ENGINES_FOLDER"
    case ${PINGATE_TEST_ENGINE_KIND:-docker} in podman*) export PINGATE_TEST_ENGINE_KIND=docker ;; esac
    PINGATE_TEST_ENGINE_TLS=1 "$BATS_TEST_DIRNAME/../engine.sh" start "$ENGINES_FOLDER/engine" >"$ENGINES_FOLDER/started" 2>&1 || {
        cat "$ENGINES_FOLDER/started"
        return 1
    }
    set -a
    # shellcheck disable=SC1091
    . "$ENGINES_FOLDER/engine/env"
    set +a
    start_sshd
}

teardown_file() {
    [ ! -s "$ENGINES_FOLDER/sshd.pid" ] || kill "$(cat "$ENGINES_FOLDER/sshd.pid")"
    "$BATS_TEST_DIRNAME/../engine.sh" stop "$ENGINES_FOLDER/engine"
    rm -rf "$ENGINES_FOLDER"
}

# On loopback, with a key of its own for the host and one for us. ssh reads no configuration but ours.
start_sshd() {
    local folder=$ENGINES_FOLDER port
    ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
    ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
    while port=$((30000 + RANDOM % 2000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    cat >"$folder/sshd.conf" <<END
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host
AuthorizedKeysFile $folder/key.pub
PidFile $folder/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin yes
AllowUsers root
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
SetEnv DOCKER_HOST=unix://$folder/engine/docker.sock PATH=$folder/engine/bin:/usr/local/bin:/usr/bin:/bin
END
    mkdir -p /run/sshd "$folder/bin"
    /usr/sbin/sshd -f "$folder/sshd.conf" -E "$folder/sshd.log"
    for _ in $(seq 100); do
        [ ! -s "$folder/sshd.pid" ] || break
        sleep 0.05
    done
    sed "s/^/[127.0.0.1]:$port /" "$folder/host.pub" >"$folder/known"
    printf 'IdentityFile %s\nIdentitiesOnly yes\nUserKnownHostsFile %s\nGlobalKnownHostsFile /dev/null\n' \
        "$folder/key" "$folder/known" >"$folder/ssh.conf"
    printf '#!/bin/sh\nexec /usr/bin/ssh -F "%s/ssh.conf" "$@"\n' "$folder" >"$folder/bin/ssh"
    chmod 755 "$folder/bin/ssh"
    export SSH_ADDRESS=ssh://root@127.0.0.1:$port
}

setup() {
    work=$(mktemp -d "${BATS_TMPDIR:-/tmp}/pingate-e2e.XXXXXX")
    out=$work/out err=$work/err
    mkdir "$work/home" "$work/empty"
    cd "$work/empty" || return 1
    engine_objects >"$work/engine.before"
    tls=$ENGINES_FOLDER/engine/tls
}

# The program with nothing in its environment but what is given, and our ssh.
clean() { # STATUS NAME=VALUE… ARGUMENT…
    local expected=$1 status=0 given=()
    shift
    while [[ ${1:-} == [A-Z]*=* ]]; do
        given+=("$1")
        shift
    done
    env -i PATH="$ENGINES_FOLDER/bin:$PATH" HOME="$work/home" LC_ALL=C.UTF-8 ASAN_OPTIONS=exitcode=99:detect_leaks=1 "${given[@]}" \
        "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" "$@" >"$out" 2>"$err" || status=$?
    [ "$status" -eq "$expected" ] || { echo "exit status $status, expected $expected" && cat "$out" "$err" && return 1; }
}

# The engine's lines of doctor; what it exits with is another thing's, since there is no project here.
doctor_says() { # TEXT NAME=VALUE… OPTION…
    local text=$1
    shift
    clean 2 "$@" doctor
    assert_has "$out" "$text"
}

docker_client() {
    env -i PATH="$PATH" HOME="$work/home" docker "$@"
}

project() { # COMMAND
    name=engines/t$BATS_TEST_NUMBER-$RANDOM
    old=$(make_image "$name:1.0.0" /version=one)
    new=$(make_image "$name:1.1.0" /version=two)
    new_project
    echo "FROM $(image "$name"):1.0.0@$old" >Dockerfile
    printf 'version: 1\nupdates: [{images: ["**"], policy: minor}]\ntests: [{name: works, artifacts: [note], run: "%s"}]\n' "$1" >pingate.yaml
    commit
}

ours_over_ssh() { # processes that carry connections to our sshd
    pgrep -f -- "/ssh .*-p ${SSH_ADDRESS##*:} " || true
}

no_ssh_left() {
    for _ in $(seq 100); do
        [ -n "$(ours_over_ssh)" ] || return 0
        sleep 0.05
    done
    echo "left:" && ps -fp "$(ours_over_ssh | tr '\n' ' ')"
    return 1
}

@test "a whole gate over ssh" {
    project "cat /version > note; test \$PINGATE_TAG = 1.1.0"
    clean 0 DOCKER_HOST="$SSH_ADDRESS" run
    assert_has Dockerfile "1.1.0@$new"
    assert_json pingate-out/result.json '.trials[0].outcome == "passed"'
    [ "$(cat pingate-out/artifacts/*/*/note 2>/dev/null || find pingate-out/artifacts -name note -exec cat {} +)" = two ]
    no_ssh_left
}

@test "a whole gate over TLS, by a context that the docker client made" {
    docker_client context create lab \
        --docker "host=$PINGATE_TEST_ENGINE_TLS,ca=$tls/ca.pem,cert=$tls/cert.pem,key=$tls/key.pem"
    project "cat /version > note; test \$PINGATE_TAG = 1.1.0"
    clean 0 DOCKER_CONTEXT=lab run
    assert_has Dockerfile "1.1.0@$new"
    assert_json pingate-out/result.json '.trials[0].outcome == "passed"'
}

@test "the order in which an engine is looked for, and what doctor tells of it" {
    local socket=$PINGATE_TEST_ENGINE
    docker_client context create lab --docker "host=$PINGATE_TEST_ENGINE_TLS,ca=$tls/ca.pem,cert=$tls/cert.pem,key=$tls/key.pem"
    docker_client context create near --docker "host=$socket"
    docker_client context use near
    doctor_says "at $socket, from context near of $work/home/.docker/config.json"
    doctor_says "at $PINGATE_TEST_ENGINE_TLS, from context lab of DOCKER_CONTEXT" DOCKER_CONTEXT=lab
    assert_has "$out" "TLS: authority "
    assert_has "$out" "whether others are emulated is not told"
    doctor_says "at $SSH_ADDRESS, from DOCKER_HOST" DOCKER_CONTEXT=lab DOCKER_HOST="$SSH_ADDRESS"
    clean 2 DOCKER_HOST="$SSH_ADDRESS" doctor --engine context:lab
    assert_has "$out" "from context lab of --engine"
    clean 2 DOCKER_HOST="$SSH_ADDRESS" doctor --engine "$socket"
    assert_has "$out" "at $socket, from --engine"
    assert_has "$out" "is spoken, of"
    assert_has "$out" "GiB are left in $ENGINES_FOLDER/engine/data"
    doctor_says 'there is no docker context "gone"' DOCKER_CONTEXT=gone
    assert_has "$out" "there are lab, near"
    echo '{"currentContext":' >"$work/home/.docker/config.json"
    doctor_says "config.json: line"
}

@test "TLS by the environment, and what is wrong with it" {
    local address=$PINGATE_TEST_ENGINE_TLS
    mkdir "$work/certs" "$work/other"
    doctor_says "it speaks TLS there" DOCKER_HOST="$address"
    doctor_says "nobody whom this machine trusts vouches for it" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1
    cp "$tls/ca.pem" "$work/certs"
    doctor_says "it asks who we are" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$work/certs"
    cp "$tls/cert.pem" "$work/certs"
    doctor_says "and no key.pem" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$work/certs"
    cp "$tls/key.pem" "$work/certs"
    doctor_says "at $address, from DOCKER_HOST" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$work/certs"
    doctor_says "Docker Engine" DOCKER_HOST="https://${address#tcp://}" DOCKER_CERT_PATH="$work/certs"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger -days 2 \
        -keyout "$work/other/key.pem" -out "$work/other/cert.pem" 2>/dev/null
    cp "$work/other/cert.pem" "$work/other/ca.pem"
    doctor_says "is not of the authority that made the engine's certificate" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1 \
        DOCKER_CERT_PATH="$work/other"
    cp "$tls/ca.pem" "$work/other/ca.pem"
    doctor_says "it does not know the certificate $work/other/cert.pem" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1 \
        DOCKER_CERT_PATH="$work/other"
    echo nonsense >"$work/other/key.pem"
    doctor_says "PEM files, a certificate and its key" DOCKER_HOST="$address" DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$work/other"
}

# A server that shows any certificate; nobody needs to answer behind it.
show_certificate() { # NAMES DAYS: sets $port and $server
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=engine -keyout "$work/server.key" -out "$work/request" 2>/dev/null
    openssl x509 -req -in "$work/request" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days "$2" \
        -extfile <(echo "subjectAltName=$1") -out "$work/server.pem" 2>/dev/null
    while port=$((32000 + RANDOM % 700)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    openssl s_server -accept "127.0.0.1:$port" -cert "$work/server.pem" -key "$work/server.key" -www >/dev/null 2>&1 3>&- &
    server=$!
    for _ in $(seq 100); do
        ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
        sleep 0.05
    done
}

@test "certificates that are no more, for others, or not looked at" {
    show_certificate IP:127.0.0.1 -1
    doctor_says "make the engine a new certificate" DOCKER_HOST="tcp://127.0.0.1:$port" DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$tls"
    kill "$server"
    show_certificate DNS:other.example.com 2
    doctor_says "certificate is for other names" DOCKER_HOST="tcp://127.0.0.1:$port" DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$tls"
    kill "$server"
    mkdir "$work/strange"
    cp "$tls/cert.pem" "$tls/key.pem" "$work/strange"
    docker_client context create loose --docker "host=$PINGATE_TEST_ENGINE_TLS,cert=$tls/cert.pem,key=$tls/key.pem,skip-tls-verify=true"
    doctor_says "its certificate is not verified" DOCKER_CONTEXT=loose
    assert_has "$out" "at $PINGATE_TEST_ENGINE_TLS, from context loose"
}

@test "what ssh says is told, with what to do" {
    local port=${SSH_ADDRESS##*:}
    doctor_says "from DOCKER_HOST" DOCKER_HOST="$SSH_ADDRESS/$ENGINES_FOLDER/engine/docker.sock"
    doctor_says "and is the path of its socket right?" DOCKER_HOST="$SSH_ADDRESS/nowhere.sock"
    doctor_says "Connection refused" DOCKER_HOST=ssh://root@127.0.0.1:1
    doctor_says "give ssh a key" DOCKER_HOST="ssh://nobody@127.0.0.1:$port"
    doctor_says "log in there once by hand" DOCKER_HOST="ssh://root@localhost:$port"
    doctor_says 'may begin with "-"' DOCKER_HOST=ssh://-oProxyCommand=id
    printf '#!/bin/sh\nexec sleep 100\n' >"$work/home/ssh"
    chmod 755 "$work/home/ssh"
    clean 2 PATH="$work/home:$PATH" PINGATE_ENGINE_TIMEOUT=1s DOCKER_HOST="$SSH_ADDRESS" doctor
    assert_has "$out" "no whole answer within 1.0 s"
    clean 2 PATH="$work/empty" DOCKER_HOST="$SSH_ADDRESS" doctor
    assert_has "$out" "ssh: no such program"
    no_ssh_left
}

begin_over_ssh() { # sets $run
    env -i PATH="$ENGINES_FOLDER/bin:$PATH" HOME="$work/home" DOCKER_HOST="$SSH_ADDRESS" \
        "${PINGATE_TEST_PROGRAM:-$tests/../build/pingate}" run >"$out" 2>"$err" &
    run=$!
    for _ in $(seq 400); do
        [ "$(engine GET /containers/json | jq length)" -eq 0 ] || return 0
        sleep 0.05
    done
    cat "$err"
    return 1
}

@test "killed over ssh it leaves no process, and the next run removes the rest" {
    project "test -e /done || sleep 600"
    begin_over_ssh
    kill -9 "$run"
    wait "$run" || true
    no_ssh_left
    [ "$(engine GET /containers/json | jq length)" -eq 1 ]
    sed -i 's/test -e .done || sleep 600/true > note/' pingate.yaml
    clean 0 DOCKER_HOST="$SSH_ADDRESS" run
    no_ssh_left
}

@test "told to stop over ssh it cleans up within 6 s" {
    local status=0
    project "sleep 600"
    begin_over_ssh
    SECONDS=0
    kill -TERM "$run"
    wait "$run" || status=$?
    [ "$status" -eq 143 ] && [ "$SECONDS" -le 6 ] || { echo "exit status $status after $SECONDS s"; cat "$err"; return 1; }
    no_ssh_left
}

@test "a way that breaks in a trial is no answer of a test" {
    local status=0
    project "sleep 4"
    begin_over_ssh
    # shellcheck disable=SC2046 # process ids
    kill $(ours_over_ssh)
    wait "$run" || status=$?
    # What was cut is asked for again on a new connection, or told: never a pass that was not seen to its end, and no "failed".
    assert_json pingate-out/result.json '[.trials[].outcome] | all(. == "error" or . == "passed")'
    [ "$status" -eq 3 ] || [ "$status" -eq 0 ] || { echo "exit status $status"; cat "$err"; return 1; }
    no_ssh_left
}
