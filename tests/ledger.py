#!/usr/bin/python3
"""Writes files of the ledger by themselves, without the program: for end-to-end tests and benchmarks.

    tests/ledger.py ROOT <ENTRIES     one entry a line, such as
                                          2026-11-25T10:53:00Z ada denied {"image": "redis", "reason": "broken"}
                                      or the same with more members behind it: {"critical": true}; an empty line ends a file,
                                      "#" begins a comment. In bodies, "@a" stands for the digest sha256:aaa…, "#name" as a set
                                      for the id of that name's values and "=name: [values]" names them.
                                      Prints the paths, one a line.
    tests/ledger.py --many ENTRIES FILES ROOT
                                      that many entries, evenly over so many files and two years until now, of the kinds and
                                      amounts that a team with three stages writes
"""
import datetime
import hashlib
import json
import os
import random
import re
import sys
import time


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def entry(when, actor, kind, body, **more):
    members = {"actor": actor, "body": body, "time": when, "tool": "pingate 0", "type": kind, "v": 1, **more}
    members["id"] = hashlib.sha256(canonical(members).encode()).hexdigest()
    return canonical(members) + "\n"


def set_id(values):
    return hashlib.sha256("".join(value + "\n" for value in sorted(set(values))).encode()).hexdigest()


def write(root, when, lines, name="{stamp}-{digits}.jsonl"):
    data = "".join(lines).encode()
    stamp = when[:19].replace("-", "").replace(":", "") + "Z"
    path = ".pingate/ledger/%s/%s" % (when[:7], name.format(stamp=stamp, digits=hashlib.sha256(data).hexdigest()[:16]))
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "wb") as file:
        file.write(data)
    return path


def expand(value, sets):
    """@a in a string is a digest, #name as a whole one is the id of a named set, =name its values."""
    if isinstance(value, dict):
        return {key: expand(item, sets) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(expand(item, sets) for item in value) if value and isinstance(value[0], str) else \
            [expand(item, sets) for item in value]
    if isinstance(value, str) and value[:1] == "#":
        return set_id(sets[value[1:]])
    if isinstance(value, str) and value[:1] == "=":
        return sorted(sets[value[1:]])
    if isinstance(value, str):
        return re.sub(r"@([0-9a-f])\b", lambda found: "@sha256:" + found[1] * 64,
                      re.sub(r"^@([0-9a-f])$", lambda found: "sha256:" + found[1] * 64, value))
    return value


def from_lines(root, text):
    sets, lines, first = {}, [], None
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if line.startswith("="):
            name, values = line[1:].split(":", 1)
            sets[name] = expand(json.loads(values), sets)
        elif line.strip():
            when, actor, kind, rest = line.split(None, 3)
            when = when if "." in when else when[:-1] + ".000Z"
            decoder = json.JSONDecoder()
            body, end = decoder.raw_decode(rest)
            more = json.loads(rest[end:]) if rest[end:].strip() else {}
            first = first or when
            lines.append(entry(when, actor, kind, expand(body, sets), **more))
        elif lines:
            print(write(root, first, lines))
            lines, first = [], None


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def many(root, entries, files):
    """Nightly runs: mostly evidence (passes, now and then a failure), then observations, promotions and decisions."""
    rng = random.Random(entries)
    images = ["registry.example.com/team%d/service%d" % (i % 7, i) for i in range(100)]
    digests = {image: "sha256:%064x" % rng.getrandbits(256) for image in images}
    definitions = ["%064x" % rng.getrandbits(256) for _ in range(10)]
    workspaces = ["%064x" % rng.getrandbits(256) for _ in range(200)]  # the tree changes now and then
    end = time.time() - 3600
    start = end - 730 * 86400
    stages = ["development", "staging", "production"]
    stood = {stage: sorted("%s:1@%s" % item for item in digests.items()) for stage in stages}
    per_file = entries / files
    written = 0
    for i in range(files):
        when = start + (end - start) * i / files
        lines = []
        while written < round((i + 1) * per_file):
            now = stamp(when + len(lines))
            actor = rng.choice(["ada@example.com", "bob@example.com", "ci@example.com"])
            image = rng.choice(images)
            kind = rng.random()
            if kind < 0.9:
                test = rng.randrange(10)
                if rng.random() < 0.1:
                    digests[image] = "sha256:%064x" % rng.getrandbits(256)
                body = {"test": "test-%d" % test, "definition": definitions[test], "platform": "linux/amd64",
                        "values": ["%s:1@%s" % (image, digests[image])], "outcome": rng.choice(["passed"] * 19 + ["failed"]),
                        "source": "run", "stage": "development", "workspace": workspaces[i * len(workspaces) // files]}
                lines.append(entry(now, actor, "evidence", body))
            else:
                stage = rng.choice(stages)
                before = stood[stage]
                after = sorted([value for value in before if not value.startswith(image + ":")] +
                               ["%s:1@%s" % (image, digests[image])])
                if kind < 0.93:
                    body = {"stage": stage, "set": set_id(before), "values": before, "branch": "main"}
                    lines.append(entry(now, actor, "observed", body))
                elif kind < 0.97:
                    old = next(value for value in before if value.startswith(image + ":")).split("@")[1]
                    changes = [{"image": image, "old_tag": "1", "old_digest": old, "tag": "1", "digest": digests[image]}]
                    body = {"stage": stage, "set": set_id(after), "before": set_id(before), "values": after, "changes": changes}
                    stood[stage] = after
                    lines.append(entry(now, actor, "promoted", body))
                else:
                    lines.append(entry(now, actor, "approved", {"stage": stage, "set": set_id(before), "reason": "looks good"}))
            written += 1
        write(root, stamp(when), lines)


if __name__ == "__main__":
    if sys.argv[1] == "--many":
        many(sys.argv[4], int(sys.argv[2]), int(sys.argv[3]))
    else:
        from_lines(sys.argv[1], sys.stdin.read())
