"""Called by schemas.sh, which see."""

import copy
import glob
import json
import os
import subprocess
import sys

import jsonschema


def load_schema(name):
    """The schema, made strict: the program writes no field that the schema does not tell of."""
    with open(f"schemas/{name}.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    for part in [schema, *schema.get("$defs", {}).values()]:
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return schema


def validator(schema):
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def faults(schema, document):
    return ["/".join(map(str, fault.absolute_path)) + ": " + fault.message[:300]
            for fault in validator(schema).iter_errors(document)]


def reject_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key comes twice: {keys}")
    return dict(pairs)


def load(path):
    with (sys.stdin if path == "-" else open(path, encoding="utf-8")) as file:
        return json.load(file, object_pairs_hook=reject_duplicates)


def spoiled(document):
    """Documents that differ from a valid one in one way that breaks readers: each field gone, each of a wrong type."""
    def places(node, way):
        if isinstance(node, dict):
            for key, value in node.items():
                yield way + [key]
                yield from places(value, way + [key])
        elif isinstance(node, list) and node:
            yield from places(node[0], way + [0])

    for way in places(document, []):
        for remove in (True, False):
            wrong = copy.deepcopy(document)
            node = wrong
            for step in way[:-1]:
                node = node[step]
            if remove:
                del node[way[-1]]
            else:
                node[way[-1]] = {"of": "no such type"} if way[-1] != "candidate" else 7
            yield "/".join(map(str, way)) + (" gone" if remove else " of a wrong type"), wrong


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, details=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for detail in details if not good else ():
            print(f"# {detail}", file=sys.stderr)


def configurations(tap):
    """What the parser takes, the schema takes. What it refuses, the schema refuses too, but for cases with a file `schema`."""
    with open("schemas/pingate.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    program = os.path.join(os.environ.get("PINGATE_TEST_BUILD", "build"), "tests/yaml_to_json")
    cases = sorted(glob.glob("tests/golden/config/*/"))
    tap.ok(len(cases) >= 100, "there are golden configurations")
    for case in cases:
        with open(case + "expect", encoding="utf-8") as file:
            good = file.read() == "ok\n"
        made = subprocess.run([program, case + "pingate.yaml"], capture_output=True, check=False)
        if made.returncode not in (0, 1):
            tap.ok(False, f"{case}: {made.stderr}")
            continue
        found = ["no YAML"] if made.returncode else faults(schema, json.loads(made.stdout))
        wanted = good or os.path.exists(case + "schema")
        tap.ok(wanted == (not found), f"pingate.schema.json {'takes' if wanted else 'refuses'} {case}", found)


def main(arguments):
    if arguments:
        name, path = arguments
        found = faults(load_schema(name), load(path))
        for fault in found:
            print(f"{path}: {fault}", file=sys.stderr)
        return 1 if found else 0
    tap = Tap()
    golden = sorted(glob.glob("tests/golden/reports/*/result.json"))
    tap.ok(len(golden) >= 10, "there are golden results")
    for name in ("result", "plan", "scan", "status", "explain", "history", "decision"):
        schema = load_schema(name)
        examples = golden if name == "result" else sorted(glob.glob(f"tests/data/{name}*.json"))
        for path in examples:
            found = faults(schema, load(path))
            tap.ok(not found, f"{path} is as {name}.schema.json says", found)
        # Of results the one with the most in it, of the others each: all of its fields are needed and have a type.
        if name == "result":
            examples = [max(examples, key=lambda path: len(str(load(path))))]
        let_through = [f"{path}: {what}" for path in examples for what, wrong in spoiled(load(path)) if not faults(schema, wrong)]
        tap.ok(not let_through, f"{name}.schema.json refuses what is broken", let_through)
    configurations(tap)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


sys.exit(main(sys.argv[1:]))
