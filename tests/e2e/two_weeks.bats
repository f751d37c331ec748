# Two weeks of a team's life, from Monday, 2 November 2026: three services in staging and production, a bot at night, people by
# day. What is written, recorded and told at the end is compared with the story, line by line.
# bats file_tags=stages
load helpers

# ---- how the story is told

# From now on it is that day of November and that time.
at_time() { # DAY HH:MM
    test_now=2026-11-$(printf %02d "$1")T$2:00Z
}

as() { # NAME: who acts
    git config user.email "$1@example.com"
}

publish() { # SERVICE VERSION [TEXT]: a new release in the registry
    make_image "$prefix/$1:$2" "/version=${3:-$1 $2}"
}

digest_of() { # SERVICE VERSION
    registry_call HEAD "$prefix/$1/manifests/$2" -I -H 'Accept: application/vnd.oci.image.manifest.v1+json' |
        sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: \(.*\)\r$/\1/p'
}

# The services of a stage with their versions, one line; each with the digest that its tag had when it was pushed.
stands() { # STAGE
    local service pin
    for service in db web worker; do
        pin=$(sed -n "s/.*image: \([^ ]*\).*/\1/p" "deploy/$1/$service.yaml")
        [ "${pin##*@}" = "$(digest_of "$service" "$(version_of "$pin")")" ] || echo "WRONG DIGEST:"
        echo "$service $(version_of "$pin")"
    done | paste -sd ' '
}

version_of() { # REFERENCE
    local tag=${1%@*}
    echo "${tag##*:}"
}

assert_stands() { # STAGING PRODUCTION, as versions of db, web and worker
    local stage wanted got
    for stage in staging production; do
        read -ra wanted <<<"$1"
        shift
        got=$(stands "$stage")
        [ "$got" = "db ${wanted[0]} web ${wanted[1]} worker ${wanted[2]}" ] ||
            { echo "$test_now: $stage holds $got, not ${wanted[*]}" && return 1; }
    done
}

# The verdict, or the code where there is one, of a service in the last run.
assert_said() { # SERVICE WORD
    jq -e --arg image "$PINGATE_TEST_REGISTRY/$prefix/$1" --arg word "$2" \
        '[.updates[] | select(.image == $image) | .code // .verdict] == [$word]' pingate-out/result.json >/dev/null && return
    echo "$test_now: $1 is not $2:"
    jq -c '.updates[] | [.image, .verdict, .code, .reason]' pingate-out/result.json
    return 1
}

# Whatever a command recorded is committed, as the team's jobs do.
merge() { # MESSAGE
    [ -n "$(git status --porcelain -- deploy .pingate)" ] || { echo "$test_now: nothing to commit: $1" && return 1; }
    commit "$1"
}

# The ledger as a diary: time, who, what. Passes are left out; each promotion rests on several.
diary() {
    jq -rs '
        def versions: map(capture("/(?<name>[a-z]+):(?<tag>[^@]+)@") | "\(.name) \(.tag)") | join(", ");
        def changes: map("\(.image | split("/")[-1]) \(.old_tag)>\(.tag)") | sort | join(", ");
        (map(select(.body.values and .body.set) | {(.body.set): .body.values | versions}) | add) as $sets |
        (map(.body.values // empty | .[] | {(split("@")[1]): [.] | versions}) | add) as $digests |
        sort_by(.time, .id)[] | select(.type != "evidence" or .body.outcome != "passed") |
        "\(.time[8:10]) \(.time[11:16]) \(.actor | split("@")[0]) \(.type) " +
        if .type == "evidence" then "\(.body.test) \(.body.outcome): \(.body.values | versions)"
        elif .body.changes then "\(.body.stage): \(.body.changes | changes)" + if .body.reason then " (\(.body.reason))" else "" end
        else [.body.stage, $sets[.body.set // ""], $digests[.body.digest // ""], (.body.image // "" | split("/")[-1])] |
            map(. // "" | select(. != "")) | join(": ")
        end +
        if .body.soak then ", instead of the soak" else "" end +
        if .body.changes == null and .body.reason then " (\(.body.reason))" else "" end' \
        "$(git rev-parse --show-toplevel)"/.pingate/ledger/*/*.jsonl
}

assert_diary() { # on standard input
    diff <(sed 's/^ *//' | sort) <(diary | sort) && return
    echo "(left: the story, right: the ledger)"
    return 1
}

# Each value that came into a stage had passed that stage's tests on exactly that digest; and of web and db, which are tested
# together, exactly the pair that then stood there.
assert_all_promotions_were_tested() {
    [ "$(jq -s '. as $all |
        def passed($test; $time; $digests): any($all[]; .type == "evidence" and .body.test == $test and .body.outcome == "passed" and
            .time <= $time and ([.body.values[] | split("@")[1]] | contains($digests)));
        map(select(.type == "promoted")) | length == 13 and all(.time as $time | .body |
            (.stage as $stage | all(.changes[]; passed(if $stage == "staging" then "contract" else "smoke" end; $time; [.digest]) and
                passed("contract"; $time; [.digest]))) and
            (.stage == "staging" or passed("together"; $time; [.values[] | select(test("/(web|db):")) | split("@")[1]])))' \
        .pingate/ledger/*/*.jsonl)" = true ] || { echo "something was promoted that was not tested" && return 1; }
}

company() {
    prefix=company/t$RANDOM
    new_project
    mkdir -p deploy/staging deploy/production
    for service in db web worker; do
        digest=$(publish "$service" 1.0.0)
        for stage in staging production; do
            printf 'kind: Pod\nspec:\n  containers:\n    - image: %s # %s\n' \
                "$PINGATE_TEST_REGISTRY/$prefix/$service:1.0.0@$digest" "$service" >"deploy/$stage/$service.yaml"
        done
    done
    cat >pingate.yaml <<END
version: 1
updates:
  - {images: ["**"], policy: patch}
tests:
  - name: contract
    run: "! grep broken /version"
  - name: together
    run:
      - {in: "$PINGATE_TEST_REGISTRY/$prefix/db", command: "cat /version >data"}
      - {in: "$PINGATE_TEST_REGISTRY/$prefix/web", command: "test -s data"}
  - name: smoke
    run: "test -s /version"
stages:
  - {name: staging, files: [deploy/staging/]}
  - {name: production, files: [deploy/production/], from: staging, soak: 24h, approvals: 1, tests: [smoke]}
target: main
END
    commit "Begin"
    begin=$(git rev-parse HEAD)
    blank='s/:1\.0\..@sha256:[0-9a-f]*//'
}

# The program under strace, with its clock.
traced() { # STRACE-OPTION… -- ARGUMENT…
    local options=()
    while [ "$1" != -- ]; do options+=("$1") && shift; done
    shift
    env -i PATH="$PATH" HOME="$work/home" LC_ALL=C.UTF-8 DOCKER_HOST="$PINGATE_TEST_ENGINE" PINGATE_TEST_NOW="$test_now" \
        strace -f "${options[@]}" "${PINGATE_TEST_CLOCK:-$tests/../build/tests/e2e/pingate-clock}" "$@" >"$out" 2>"$err"
}

# Where a promotion puts the journal, a pin file or the ledger's file in its place: "CALL:NUMBER" as strace counts them, for
# each process and each call by itself.
points_of() { # ARGUMENT…
    traced -o "$work/trace" -e trace=rename,renameat,renameat2 -- "$@"
    sed -nE 's/^([0-9]+) +(rename[a-z0-9]*)\((.*)/\1 \2 \3/p' "$work/trace" |
        awk '{count[$1, $2]++} /"(journal\.json|[a-z]+\.yaml|[^"]*\.jsonl)"/ {print $2 ":" count[$1, $2]}'
}

copy_of_project() {
    rm -rf "$work/copy"
    cp -a "$work/project" "$work/copy"
    cd "$work/copy" || return 1
}

killed() { # POINT ARGUMENT…
    local point=$1 status=0
    shift
    { traced -o /dev/null -e "trace=${point%:*}" -e "inject=${point%:*}:signal=KILL:when=${point#*:}" -- "$@"; } 2>/dev/null || status=$?
    [ "$status" -eq 137 ] || { echo "killed at $point: exit status $status" && cat "$err" && return 1; }
}

@test "two weeks of a team's life" {
    company

    # ---- the first week

    # Mon 2: nothing new. What stands where is recorded.
    at_time 2 03:00 && as bot
    gate 0 run
    assert_said web up-to-date
    merge "Monday night"

    # Tue 3: the publishers have rebuilt two of three. Staging takes them; production waits.
    publish web 1.0.1 >/dev/null && publish worker 1.0.1 >/dev/null
    at_time 3 03:00
    gate 0 run
    assert_stands "1.0.0 1.0.1 1.0.1" "1.0.0 1.0.0 1.0.0"
    merge "Tuesday night"
    at_time 3 09:00
    gate 0 promote production
    assert_said web soaking
    merge "Seen in staging"

    # Wed 4: web was rebuilt again, but the first rebuild soaks: staging waits, so that production gets one at all.
    publish web 1.0.2 >/dev/null
    at_time 4 03:00
    gate 0 run
    assert_said web paused
    [ -z "$(git status --porcelain)" ]
    at_time 4 09:30
    gate 0 promote production
    assert_said web not-approved
    as alice
    gate 0 approve production
    merge "Approve"
    at_time 4 10:00 && as bot
    gate 0 promote production
    assert_stands "1.0.0 1.0.1 1.0.1" "1.0.0 1.0.1 1.0.1"
    merge "Production"

    # Thu 5: now staging takes the rebuild of Wednesday.
    at_time 5 03:00
    gate 0 run
    assert_stands "1.0.0 1.0.2 1.0.1" "1.0.0 1.0.1 1.0.1"
    merge "Thursday night"

    # Fri 6: a bad update. Nothing moves.
    publish worker 1.0.2 broken >/dev/null
    at_time 6 03:00
    gate 1 run
    assert_said worker regression
    assert_stands "1.0.0 1.0.2 1.0.1" "1.0.0 1.0.1 1.0.1"
    merge "Friday night: red"

    # Sat 7: its publisher has mended it. Bob approves what soaked: the set of Friday, not the one that came this night.
    publish worker 1.0.3 >/dev/null
    at_time 7 03:00
    gate 0 run
    assert_stands "1.0.0 1.0.2 1.0.3" "1.0.0 1.0.1 1.0.1"
    merge "Saturday night"
    at_time 7 09:00
    gate 0 promote production
    assert_said worker soaking
    merge "Seen in staging"
    friday=$(jq -rs 'map(select(.type == "observed" and .body.stage == "staging" and (.time | startswith("2026-11-06"))))[0].body.set' \
        .pingate/ledger/*/*.jsonl)
    as bob
    gate 0 approve production "${friday:0:12}"
    merge "Approve"
    at_time 7 09:30 && as bot
    gate 0 promote production
    assert_stands "1.0.0 1.0.2 1.0.3" "1.0.0 1.0.2 1.0.1"
    merge "Production"

    # ---- the second week

    # Mon 9: Carol has found that worker 1.0.3 loses messages. It has soaked long enough, and goes no further.
    at_time 9 08:00 && as carol
    gate 0 deny "$(digest_of worker 1.0.3)" --reason "loses messages"
    merge "Deny"
    at_time 9 09:00 && as bot
    gate 0 promote production
    assert_said worker denied
    merge "Seen in production"

    # Tue 10: the next one goes to staging; then a hole is found in it, and the mend is urgent.
    publish worker 1.0.4 >/dev/null
    at_time 10 03:00
    gate 0 run
    assert_stands "1.0.0 1.0.2 1.0.4" "1.0.0 1.0.2 1.0.1"
    merge "Tuesday night"
    at_time 10 09:00
    gate 0 promote production
    assert_said worker soaking
    merge "Seen in staging"
    publish worker 1.0.5 >/dev/null
    at_time 10 14:00 && as alice
    gate 0 run
    assert_said worker paused
    at_time 10 14:05
    gate 0 run --urgent "$PINGATE_TEST_REGISTRY/$prefix/worker"
    assert_stands "1.0.0 1.0.2 1.0.5" "1.0.0 1.0.2 1.0.1"
    merge "Urgent"
    at_time 10 14:10
    gate 0 promote production
    assert_said worker soaking
    merge "Seen in staging"
    gate 0 approve production --instead-of-soak --reason "a hole is closed"
    merge "Approve"
    at_time 10 14:15
    gate 0 promote production
    assert_stands "1.0.0 1.0.2 1.0.5" "1.0.0 1.0.2 1.0.5"
    merge "Production"

    # Wed 11: two branches, each with an update of its own, are merged without a conflict. Nobody has tested both together.
    publish web 1.0.3 >/dev/null && publish db 1.0.1 >/dev/null
    at_time 11 03:00 && as bot
    git switch -q -c bot-web
    gate 0 run --image "$PINGATE_TEST_REGISTRY/$prefix/web"
    assert_has "$err" 'branch "bot-web"'
    merge "web"
    git switch -q -c bot-db main
    at_time 11 03:05
    gate 0 run --image "$PINGATE_TEST_REGISTRY/$prefix/db"
    merge "db"
    git switch -q main
    git merge -q bot-web
    git merge -q --no-edit bot-db
    assert_stands "1.0.1 1.0.3 1.0.5" "1.0.0 1.0.2 1.0.5"
    at_time 11 09:00
    gate 0 promote production
    assert_said web no-evidence
    assert_said db no-evidence
    merge "Seen in staging"
    at_time 11 09:10
    gate 0 test --stage staging
    merge "Tested together"

    # Thu 12: the machine dies in the promotion. Whenever it dies, each next command finds all old or all new.
    at_time 12 09:30 && as bob
    gate 0 approve production
    merge "Approve"
    at_time 12 10:00 && as bot
    copy_of_project
    points=$(points_of promote production)
    [ "$(wc -l <<<"$points")" -ge 5 ] # the journal twice, two files, the ledger
    for point in $points; do
        copy_of_project
        killed "$point" promote production
        gate 0 promote production
        assert_stands "1.0.1 1.0.3 1.0.5" "1.0.1 1.0.3 1.0.5"
        gate 0 history --verify
        [ "$(diary | grep -c '^12 10:00 bot promoted')" -eq 1 ]
    done
    cd "$work/project"
    killed "$(sed -n 3p <<<"$points")" promote production
    gate 0 promote production
    assert_stands "1.0.1 1.0.3 1.0.5" "1.0.1 1.0.3 1.0.5"
    [ -z "$(git status --porcelain | grep -v ' deploy/production/\| .pingate/ledger/' || true)" ]
    merge "Production"


    # Fri 13: web is slow. Carol rolls it back, and it stays back, whatever staging has.
    at_time 13 11:00 && as carol
    gate 0 rollback production "$PINGATE_TEST_REGISTRY/$prefix/web" --reason "slow"
    assert_stands "1.0.1 1.0.3 1.0.5" "1.0.1 1.0.2 1.0.5"
    merge "Roll back"
    at_time 13 12:00 && as bot
    gate 0 promote production
    assert_stands "1.0.1 1.0.3 1.0.5" "1.0.1 1.0.2 1.0.5"
    merge "Seen in production"

    # Sat 14: a faster one. Sun 15: Alice lets web go on.
    publish web 1.0.4 >/dev/null
    at_time 14 03:00
    gate 0 run
    merge "Saturday night"
    at_time 14 09:00
    gate 0 promote production
    merge "Seen in staging"
    at_time 15 10:00 && as alice
    gate 0 release production "$PINGATE_TEST_REGISTRY/$prefix/web"
    gate 0 approve production
    merge "Go on"
    at_time 15 10:30 && as bot
    gate 0 promote production
    merge "Production"

    # ---- what is left of it

    assert_stands "1.0.1 1.0.4 1.0.5" "1.0.1 1.0.4 1.0.5"
    # no byte but the pins
    for file in deploy/*/*.yaml; do
        cmp <(sed "$blank" "$file") <(git show "$begin:$file" | sed "$blank")
    done
    at_time 15 11:00
    gate 0 history --verify
    assert_diary <<'END'
        02 03:00 bot observed production: db 1.0.0, web 1.0.0, worker 1.0.0
        02 03:00 bot observed staging: db 1.0.0, web 1.0.0, worker 1.0.0
        03 03:00 bot promoted staging: web 1.0.0>1.0.1, worker 1.0.0>1.0.1
        03 09:00 bot observed staging: db 1.0.0, web 1.0.1, worker 1.0.1
        04 09:30 alice approved production: db 1.0.0, web 1.0.1, worker 1.0.1
        04 10:00 bot promoted production: web 1.0.0>1.0.1, worker 1.0.0>1.0.1
        05 03:00 bot observed production: db 1.0.0, web 1.0.1, worker 1.0.1
        05 03:00 bot promoted staging: web 1.0.1>1.0.2
        06 03:00 bot observed staging: db 1.0.0, web 1.0.2, worker 1.0.1
        06 03:00 bot evidence contract failed: worker 1.0.2
        07 03:00 bot promoted staging: worker 1.0.1>1.0.3
        07 09:00 bot observed staging: db 1.0.0, web 1.0.2, worker 1.0.3
        07 09:00 bob approved production: db 1.0.0, web 1.0.2, worker 1.0.1
        07 09:30 bot promoted production: web 1.0.1>1.0.2
        09 08:00 carol denied worker 1.0.3 (loses messages)
        09 09:00 bot observed production: db 1.0.0, web 1.0.2, worker 1.0.1
        10 03:00 bot promoted staging: worker 1.0.3>1.0.4
        10 09:00 bot observed staging: db 1.0.0, web 1.0.2, worker 1.0.4
        10 14:05 alice promoted staging: worker 1.0.4>1.0.5
        10 14:10 alice observed staging: db 1.0.0, web 1.0.2, worker 1.0.5
        10 14:10 alice approved production: db 1.0.0, web 1.0.2, worker 1.0.5, instead of the soak (a hole is closed)
        10 14:15 alice promoted production: worker 1.0.1>1.0.5
        11 03:00 bot promoted staging: web 1.0.2>1.0.3
        11 03:05 bot promoted staging: db 1.0.0>1.0.1
        11 09:00 bot observed production: db 1.0.0, web 1.0.2, worker 1.0.5
        11 09:00 bot observed staging: db 1.0.1, web 1.0.3, worker 1.0.5
        12 09:30 bob approved production: db 1.0.1, web 1.0.3, worker 1.0.5
        12 10:00 bot promoted production: db 1.0.0>1.0.1, web 1.0.2>1.0.3
        13 11:00 carol observed production: db 1.0.1, web 1.0.3, worker 1.0.5
        13 11:00 carol rolled-back production: web 1.0.3>1.0.2 (slow)
        13 11:00 carol held production: web (slow)
        13 12:00 bot observed production: db 1.0.1, web 1.0.2, worker 1.0.5
        14 03:00 bot promoted staging: web 1.0.3>1.0.4
        14 09:00 bot observed staging: db 1.0.1, web 1.0.4, worker 1.0.5
        15 10:00 alice released production: web
        15 10:00 alice approved production: db 1.0.1, web 1.0.4, worker 1.0.5
        15 10:30 bot promoted production: web 1.0.2>1.0.4
END
    assert_all_promotions_were_tested

    # What ran in production on which day, and on what evidence.
    for day in 03 05 08 11 12 13 14 15; do
        gate 0 history production --at "2026-11-${day}T20:00Z" --json
        echo "$day $(jq -r '.stages[0].stood | map(.values | map(.value | capture("/(?<name>[a-z]+):(?<tag>[^@]+)@") | "\(.name) \(.tag)") | join(", ")) |
            join(" and ")' "$out")"
    done >"$work/days"
    diff - "$work/days" <<'END'
03 db 1.0.0, web 1.0.0, worker 1.0.0
05 db 1.0.0, web 1.0.1, worker 1.0.1
08 db 1.0.0, web 1.0.2, worker 1.0.1
11 db 1.0.0, web 1.0.2, worker 1.0.5
12 db 1.0.1, web 1.0.3, worker 1.0.5
13 db 1.0.1, web 1.0.2, worker 1.0.5
14 db 1.0.1, web 1.0.2, worker 1.0.5
15 db 1.0.1, web 1.0.4, worker 1.0.5
END
    gate 0 history production --at 2026-11-08T12:00Z
    assert_has "$out" "smoke"
    assert_has "$out" "bob@example.com"
}
