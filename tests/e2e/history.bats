# What the ledger tells afterwards: entries, a day, damage, compaction. The files are written by tests/ledger.py, which shares
# no code with the program.
# bats file_tags=stages
load helpers

definition=$(printf '1%.0s' {1..64})

# Two stages and a week: staging took redis 7.3 on the 9th, production on the 10th by force; it failed, and went back.
team() {
    new_project
    "$tests/ledger.py" . >paths <<END
=one: ["docker.io/library/redis:7.2@a", "ghcr.io/acme/app:1@b"]
=two: ["docker.io/library/redis:7.3@c", "ghcr.io/acme/app:1@b"]
2026-11-01T02:00:00Z ci evidence {"test": "smoke", "definition": "$definition", "values": ["docker.io/library/redis:7.2@a"], "platform": "linux/amd64", "outcome": "passed", "source": "run", "stage": "staging"}
2026-11-01T02:00:01Z ci evidence {"test": "api", "definition": "$definition", "values": ["docker.io/library/redis:7.2@a", "ghcr.io/acme/app:1@b"], "platform": "linux/amd64", "outcome": "flaky", "source": "record"}
2026-11-01T02:00:02Z ci observed {"stage": "production", "set": "#one", "values": "=one", "branch": "main"}
2026-11-01T02:00:03Z ci observed {"stage": "staging", "set": "#one", "values": "=one", "branch": "main"}

2026-11-09T07:00:00Z ci evidence {"test": "smoke", "definition": "$definition", "values": ["docker.io/library/redis:7.3@c"], "platform": "linux/amd64", "outcome": "passed", "source": "run", "stage": "staging"}
2026-11-09T07:00:05Z ci promoted {"stage": "staging", "set": "#two", "before": "#one", "values": "=two", "changes": [{"image": "docker.io/library/redis", "old_tag": "7.2", "old_digest": "@a", "tag": "7.3", "digest": "@c"}]}

2026-11-10T08:00:00Z bob approved {"stage": "production", "set": "#two", "reason": "looks good", "soak": true}

2026-11-10T09:00:00Z ada promoted {"stage": "production", "from": "staging", "set": "#two", "before": "#one", "snapshot": "#two", "values": "=two", "changes": [{"image": "docker.io/library/redis", "old_tag": "7.2", "old_digest": "@a", "tag": "7.3", "digest": "@c"}], "forced": true, "overridden": "soaking", "reason": "CVE-2026-1"}

2026-11-10T12:00:00Z ci evidence {"test": "smoke", "definition": "$definition", "values": ["docker.io/library/redis:7.3@c"], "platform": "linux/amd64", "outcome": "failed", "source": "run", "stage": "staging"}

2026-11-10T13:00:00Z ada rolled-back {"stage": "production", "set": "#one", "before": "#two", "values": "=one", "changes": [{"image": "docker.io/library/redis", "old_tag": "7.3", "old_digest": "@c", "tag": "7.2", "digest": "@a"}], "reason": "it burns"}
2026-11-10T13:00:01Z ada held {"stage": "production", "reason": "rolled back", "until": "2026-11-12T00:00:00.000Z"}

2026-11-11T14:00:00Z bob denied {"image": "redis:7.3", "reason": "crashes"}
END
    commit
}

schema_says() {
    "$tests/schemas.sh" history "$out"
}

@test "the entries, newest first, and what is asked for of them" {
    team
    gate 0 history
    diff - "$out" <<'END'
2026-11-11T14:00:00Z  -           denied       redis:7.3                                  bob  crashes
2026-11-10T13:00:01Z  production  held         the whole stage                            ada  rolled back; until 2026-11-12T00:00:00Z
2026-11-10T13:00:00Z  production  rolled-back  redis 7.3@cccccccccccc → 7.2@aaaaaaaaaaaa  ada  set d0eaf6f8473d; it burns
2026-11-10T09:00:00Z  production  promoted     redis 7.2@aaaaaaaaaaaa → 7.3@cccccccccccc  ada  set 03ae21ccfa23; from staging; copied set 03ae21ccfa23; forced over soaking; CVE-2026-1
2026-11-10T08:00:00Z  production  approved     set 03ae21ccfa23                           bob  instead of the soak time; looks good
2026-11-09T07:00:05Z  staging     promoted     redis 7.2@aaaaaaaaaaaa → 7.3@cccccccccccc  ci   set 03ae21ccfa23
2026-11-01T02:00:03Z  staging     observed     set d0eaf6f8473d, 2 images                 ci   on main
2026-11-01T02:00:02Z  production  observed     set d0eaf6f8473d, 2 images                 ci   on main
END
    assert_has "$err" "4 entries of evidence left out"
    gate 0 history staging --type evidence,promoted
    [ "$(wc -l <"$out")" -eq 4 ]
    gate 0 history --image redis:7.3 --type evidence
    [ "$(wc -l <"$out")" -eq 2 ]
    gate 0 history --set d0eaf6f8 --type all --json
    schema_says
    assert_json "$out" '([.entries[].type] | sort) == ["evidence", "evidence", "observed", "observed", "promoted", "promoted", "rolled-back"]'
    gate 0 history --limit 1 --json
    schema_says
    assert_json "$out" '.found == 8 and (.entries | length) == 1 and .entries[0].type == "denied"'
    gate 0 history --limit 0 --type all --json
    assert_json "$out" '(.entries | length) == 12'
    assert_unchanged
}

@test "what ran in production on that day, and on what evidence" {
    team
    gate 0 history production --at 2026-11-10
    diff - "$out" <<'END'
production held set d0eaf6f8473d from 2026-11-01T02:00:02Z to 2026-11-10T09:00:00Z; observed by ci, and no promotion tells how it came there; on main
  redis 7.2@aaaaaaaaaaaa           flaky   api    2026-11-01T02:00:01Z  on linux/amd64, by record
                                   passed  smoke  2026-11-01T02:00:00Z  on linux/amd64
  ghcr.io/acme/app 1@bbbbbbbbbbbb  flaky   api    2026-11-01T02:00:01Z  on linux/amd64, by record
production held set 03ae21ccfa23 from 2026-11-10T09:00:00Z to 2026-11-10T13:00:00Z; promoted by ada; from staging; copied set 03ae21ccfa23; forced over soaking; CVE-2026-1
  redis 7.3@cccccccccccc           failed       smoke  2026-11-10T12:00:00Z  on linux/amd64, after it had come in
                                   passed       smoke  2026-11-09T07:00:00Z  on linux/amd64
  ghcr.io/acme/app 1@bbbbbbbbbbbb  no evidence
  the set                          approved     bob    2026-11-10T08:00:00Z  instead of the soak time; looks good
production held set d0eaf6f8473d from 2026-11-10T13:00:00Z; rolled back by ada; it burns
  redis 7.2@aaaaaaaaaaaa           flaky   api    2026-11-01T02:00:01Z  on linux/amd64, by record
                                   passed  smoke  2026-11-01T02:00:00Z  on linux/amd64
  ghcr.io/acme/app 1@bbbbbbbbbbbb  flaky   api    2026-11-01T02:00:01Z  on linux/amd64, by record
END
    gate 0 history --at 2026-11-10T10:30+01:00 --json
    schema_says
    assert_json "$out" '[.stages[] | .stage, (.stood | length)] == ["production", 1, "staging", 1]'
    assert_json "$out" '.stages[0].stood[0] | .carrier.body.forced and .values[0].evidence[0].entry.body.outcome == "passed"
        and .approvals[0].actor == "bob" and .until == "2026-11-10T13:00:00.000Z"'
    gate 0 history staging --at 2020-01-01
    [ ! -s "$out" ]
    assert_has "$err" "the ledger tells nothing: its first entry is later"
}

@test "questions that make no sense" {
    team
    gate 2 history stagin
    assert_has "$err" 'did you mean "staging"?'
    gate 2 history --type promotd
    assert_has "$err" 'did you mean "promoted"?'
    gate 2 history --at yesterday
    assert_has "$err" '--at: "yesterday" is not a time'
    gate 2 history --set 777777
    assert_has "$err" "names a set that begins with 777777"
    gate 2 history --limit many
    gate 2 history --at 2026-11-10 --limit 3
    assert_has "$err" "--at and --limit do not go together"
    gate 2 history --verify --compact
    gate 2 history --dry-run
    gate 2 history production --verify
}

@test "no ledger is an empty one" {
    new_project
    gate 0 history
    [ ! -s "$out" ]
    assert_has "$err" "the ledger is empty"
    gate 0 history --verify
    gate 0 history --compact
    assert_has "$err" "nothing to compact"
    gate 0 history --json
    assert_json "$out" '.entries == []'
    [ ! -e .pingate ]
}

@test "a damaged file is named with its remedy, and --verify names all" {
    team
    local first last
    first=$(sed -n 1p paths) last=$(tail -n 1 paths)
    sed -i 's/crashes/is fine/' "$last"
    gate 3 history
    assert_has "$err" "$last: its bytes are not those that its name was made of"
    assert_has "$err" "git checkout HEAD -- $last"
    printf '<<<<<<< HEAD\n' >"$first"
    touch .pingate/ledger/notes.jsonl
    gate 3 history --verify
    assert_has "$err" "$first: holds the marks of a merge conflict"
    assert_has "$err" "$last: its bytes are not those"
    assert_has "$err" "notes.jsonl: stands in no month's folder"
    assert_has "$err" "5 files with 7 entries are as written; 3 damaged"
    gate 3 history --verify --json
    schema_says
    assert_json "$out" '(.damaged | length) == 3 and .files == 5'
    gate 3 history --compact
    rm .pingate/ledger/notes.jsonl
    git checkout -q HEAD -- "$first" "$last"
    gate 0 history --verify
    assert_unchanged
}

@test "what is odd in a whole ledger is told" {
    team
    "$tests/ledger.py" . <<END
2026-11-11T14:00:00Z eve blessed {"mood": 7}
2026-11-11T15:00:00Z eve cursed {"mood": 7} {"critical": true}
2026-11-11T16:00:00Z eve approved {"stage": "production", "set": "$definition"}
2199-01-01T00:00:00Z eve released {}
END
    gate 0 history --verify
    assert_has "$err" 'jsonl:1: "blessed" of eve is of a type that this pingate does not know; it is kept'
    assert_has "$err" 'jsonl:2: "cursed" of eve was written by a newer pingate'
    assert_has "$err" 'jsonl:3: "approved" of eve names a set that no entry tells of'
    assert_has "$err" 'jsonl:4: "released" of eve is from later than now'
    gate 0 history --verify --json
    schema_says
    assert_json "$out" '[.findings[].finding] | sort == ["critical", "future", "unknown-set", "unknown-type"]'
}

# Three files in May, of which one has evidence that newer has superseded.
old_months() {
    local rest='"platform": "linux/amd64", "source": "run", "values": ["docker.io/library/redis:7.2@a"]'
    new_project
    "$tests/ledger.py" . <<END
2026-05-01T00:00:00Z ci evidence {"test": "smoke", "definition": "$definition", "outcome": "passed", $rest}

2026-05-02T00:00:00Z ci evidence {"test": "smoke", "definition": "$definition", "outcome": "passed", $rest}
2026-05-02T00:00:01Z ada denied {"image": "redis:7.3", "reason": "crashes"}

2026-05-03T00:00:00Z ada held {"stage": "production", "reason": "freeze"}

2026-05-04T00:00:00Z bob released {"stage": "production"}
END
    commit
}

@test "--compact makes one file of a past month, and two branches that do merge" {
    old_months
    at 2026-11-25T12:00:00Z gate 0 history --compact --dry-run
    assert_has "$err" "would make 4 files of 1 month into 1: 4 of 5 entries stay"
    assert_unchanged
    git switch -q -c other
    "$tests/ledger.py" . <<<'2026-05-05T00:00:00Z eve denied {"image": "nginx", "reason": "no"}'
    commit "A late one"
    at 2026-11-25T12:00:00Z gate 0 history --compact
    commit "Compact"
    git switch -q main
    at 2026-11-25T12:00:00Z gate 0 history --compact
    assert_has "$err" "made 4 files of 1 month into 1: 4 of 5 entries stay"
    [ "$(find .pingate -type f | wc -l)" -eq 1 ]
    commit "Compact"
    git merge -q other -m "Merge"
    gate 0 history --verify
    assert_has "$err" "2 files with 5 entries are as written; 0 damaged"
    at 2026-11-25T12:00:00Z gate 0 history --compact
    [ "$(find .pingate -type f | wc -l)" -eq 1 ]
    gate 0 history --type all
    [ "$(wc -l <"$out")" -eq 5 ]
}

@test "--compact waits for whoever writes, and first finishes what a crash left" {
    old_months
    exec {lock}<.
    flock -n "$lock"
    at 2026-11-25T12:00:00Z gate 3 history --compact
    assert_has "$err" "another pingate run is writing"
    exec {lock}<&-
    assert_unchanged
    at 2026-11-25T12:00:00Z gate 0 history --compact
}
