"""Called by ci.sh, which see.

The schemas in tests/data are the published ones, unchanged: github-workflow.json and github-action.json of SchemaStore
(json.schemastore.org; Apache-2.0), gitlab-ci.json of GitLab (app/assets/javascripts/editor/schema/ci.json; MIT).
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema

GITHUB = "pipelines/ci/github"
GITLAB = "pipelines/ci/gitlab"
STEPS = "pipelines/ci/steps"
INSTALLED = "/usr/share/pingate/ci/"  # where the image has the steps
SAMPLE = "registry.example.com/ci/pingate:1@sha256:" + 64 * "0"  # for an input without a default


# ---- reading

def to_json(text):
    program = os.path.join(os.environ.get("PINGATE_TEST_BUILD", "build"), "tests/yaml_to_json")
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        made = subprocess.run([program, file.name], capture_output=True, check=False)
    if made.returncode != 0:
        raise ValueError("no YAML: " + made.stderr.decode())
    return json.loads(made.stdout)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def documents(text):
    return [to_json(part) for part in re.split(r"(?m)^---\n", text)]


def interpolate(node, inputs):
    """GitLab's $[[ inputs.NAME ]]: a whole value takes the input's type, within a text its words."""
    if isinstance(node, dict):
        return {key: interpolate(value, inputs) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolate(value, inputs) for value in node]
    if not isinstance(node, str):
        return node

    def value(name):
        if name not in inputs:
            raise ValueError(f"no such input: {name}")
        return inputs[name].get("default", SAMPLE)

    whole = re.fullmatch(r"\$\[\[ inputs\.([a-z_-]+) \]\]", node)
    if whole:
        return value(whole[1])
    return re.sub(r"\$\[\[ inputs\.([a-z_-]+) \]\]", lambda match: str(value(match[1])), node)


def extended(document):
    """GitLab's jobs with what they extend: the schema looks into no template."""
    def merged(base, own):
        both = dict(base)
        for key, value in own.items():
            both[key] = merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        return both

    return {name: merged(document[job["extends"]], job) if isinstance(job, dict) and "extends" in job else job
            for name, job in document.items()}


def kind_of(path):
    if path.startswith(GITLAB):
        return "gitlab-ci"
    return "github-action" if os.path.basename(path) == "action.yml" else "github-workflow"


# ---- what must hold

def schema_faults(kind, document):
    with open(f"tests/data/{kind}.json", encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)(schema)
    return ["/".join(map(str, fault.absolute_path)) + ": " + fault.message[:200] for fault in validator.iter_errors(document)]


def walk(node, way=()):
    yield way, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield from walk(value, way + (key,))


def steps_of(document):
    if "runs" in document:
        return document["runs"].get("steps", [])
    return [step for job in document.get("jobs", {}).values() for step in job.get("steps", [])]


def scripts_of(kind, document):
    """(way, script) of all that a shell runs."""
    if kind == "gitlab-ci":
        for name, job in document.items():
            for key in ("before_script", "script", "after_script"):
                if isinstance(job, dict) and key in job:
                    lines = job[key] if isinstance(job[key], list) else [job[key]]
                    yield f"{name}/{key}", "\n".join(lines)
    else:
        for index, step in enumerate(steps_of(document)):
            if "run" in step:
                yield f"steps/{index}", step["run"]


def called_steps(script):
    return re.findall(r"(?:/steps/|" + re.escape(INSTALLED) + r")([a-z]+\.sh)", script)


def github_faults(kind, document, text):
    for line in text.splitlines():
        used = re.match(r"\s*(?:- )?uses: (\S+)(.*)", line)
        if used and not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used[1]):
            yield f"{used[1]} is not pinned to a commit"
        elif used and not re.fullmatch(r" # v\d+\.\d+\.\d+", used[2]):
            yield f"{used[1]} does not say its version"
    for step in steps_of(document):
        if "run" in step and kind == "github-action" and step.get("shell") != "bash":
            yield "a script without `shell: bash`"
        if step.get("uses", "").startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
            yield "the checkout leaves its password in .git/config, and tests run with a copy of the tree"
    if kind == "github-action":
        return
    if "permissions" not in document:
        yield "no permissions at the top: the repository's default may be to write"
    if "concurrency" not in document:
        yield "no concurrency: two runs can race"
    events = document["on"] if isinstance(document["on"], (dict, list)) else [document["on"]]
    if "pull_request_target" in events:
        yield "pull_request_target runs what a fork wrote with the rights of the repository"
    writes = "write" in json.dumps([document.get("permissions"), [job.get("permissions") for job in document["jobs"].values()]])
    if "pull_request" in events and (writes or "secrets." in text or "github.token" in text):
        yield "a job that runs a fork's code has a secret or may write"
    if "workflow_run" in events:
        names = {other["name"] for other in (documents(read(path))[-1] for path in glob.glob(f"{GITHUB}/*.yml")) if "jobs" in other}
        for other in set(events["workflow_run"]["workflows"]) - names:
            yield f"no workflow is called {other}"
    if "workflow_run" in events and "actions/checkout@" in text:
        yield "a job that may write checks out, and could run, a fork's code"
    for name, job in document["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{name}: no timeout-minutes: the default is six hours"


def gitlab_faults(document):
    for name, job in document.items():
        if not isinstance(job, dict) or "script" not in job:
            continue
        if not job.get("rules"):
            yield f"{name}: no rules: it would run in every pipeline"
        proposes = job.get("variables", {}).get("PINGATE_PROPOSE") == "yes"
        if proposes and "resource_group" not in job:
            yield f"{name}: no resource_group: two runs can race"
        if proposes and "CI_COMMIT_REF_PROTECTED" not in json.dumps(job["rules"]):
            yield f"{name}: it proposes from branches that are not protected"


def faults(path, text):
    """All that is wrong with one file."""
    kind = kind_of(path)
    try:
        parts = documents(text)
        inputs = parts[0].get("spec", {}).get("inputs", {}) if len(parts) > 1 else {}
        parts = parts[:-1] + [extended(interpolate(parts[-1], inputs))]
        raw = documents(text)[-1]
    except ValueError as fault:
        return [str(fault)]
    found = [fault for part in parts for fault in schema_faults(kind, part)]
    if found:
        return found
    found += gitlab_faults(parts[-1]) if kind == "gitlab-ci" else github_faults(kind, raw, text)
    for where, script in scripts_of(kind, raw):
        if "${{" in script or "$[[" in script:
            found.append(f"{where}: an expression is pasted into a script; pass it as a variable")
        found += [f"{where}: there is no {name}" for name in called_steps(script) if not os.path.exists(f"{STEPS}/{name}")]
    return found


# ---- broken ones

# Each is one change that makes a definition wrong or unsafe: file, what stands there, what stands there instead.
BROKEN = [
    ("github/action.yml", "using: composite", "using: composit"),
    ("github/action.yml", "      shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../steps/install.sh\"'\n",
     "      run: '\"$GITHUB_ACTION_PATH/../steps/install.sh\"'\n"),
    ("github/action.yml", "description: Tests newer", "descriptoin: Tests newer"),
    ("github/action.yml", 'exec "$GITHUB_ACTION_PATH/../steps/gate.sh" "$COMMAND"',
     'exec "$GITHUB_ACTION_PATH/../steps/gate.sh" ${{ inputs.command }}'),
    ("github/action.yml", "steps/gate.sh", "steps/gates.sh"),
    ("github/action.yml", "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02", "actions/upload-artifact@v4"),
    ("github/action.yml", "fa02 # v4.6.2", "fa02"),
    ("github/nightly.yml", "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04"),
    ("github/nightly.yml", "timeout-minutes: 60", "timeout-minutes: long"),
    ("github/nightly.yml", "    timeout-minutes: 60\n", ""),
    ("github/nightly.yml", "contents: write # the", "contents: wirte # the"),
    ("github/nightly.yml", "permissions: {}\n", ""),
    ("github/nightly.yml", "concurrency:\n  group: pingate\n  cancel-in-progress: false\n", ""),
    ("github/nightly.yml", "          persist-credentials: false # tests run with a copy of the checkout\n", ""),
    ("github/nightly.yml", "type: boolean", "type: bool"),
    ("github/nightly.yml", "  schedule:\n", "  schedule: nightly\n  scheduled:\n"),
    ("github/pull-request.yml", "  pull_request:\n", "  pull_request_target:\n"),
    ("github/pull-request.yml", "contents: read", "contents: write"),
    ("github/pull-request.yml", "command: test", "command: test\n          token: ${{ github.token }}"),
    ("github/comment.yml", "workflows: [pingate pull request]", "workflows: [pingate]"),
    ("github/comment.yml", "actions: read", "action: read"),
    ("github/comment.yml", "actions/download-artifact@634f93cb2916e3fdff6788551b99b062d0335ce0 # v5.0.0",
     "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"),
    ("github/promote.yml", "jobs:\n  promote:", "jobs:\n  pro mote:"),
    ("gitlab/pingate.yml", "      junit: $[[ inputs.directory ]]/pingate-out/junit.xml", "      junits: x"),
    ("gitlab/pingate.yml", "when: always\n    expire_in", "when: allways\n    expire_in"),
    ("gitlab/pingate.yml", "type: array", "type: list"),
    ("gitlab/pingate.yml", "services: $[[ inputs.services ]]", "services: $[[ inputs.service ]]"),
    ("gitlab/pingate.yml", "  resource_group: pingate # one at a time, also with the promotion\n", ""),
    ("gitlab/pingate.yml", '$CI_COMMIT_REF_PROTECTED == "true" && $PINGATE_JOB == "run"', '$PINGATE_JOB == "run"'),
    ("gitlab/pingate.yml", 'cd "$DIRECTORY" && exec /usr/share/pingate/ci/gate.sh run', "cd $[[ inputs.directory ]]"),
    ("gitlab/pingate.yml", "gate.sh test", "gates.sh test"),
    ("gitlab/pingate.yml", "  rules:\n    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n", ""),
    ("gitlab/pingate.yml", "interruptible: true", "interruptible: perhaps"),
    ("gitlab/example.gitlab-ci.yml", "stages: [test]", "stages: test"),
]


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


def definitions():
    return sorted(glob.glob(f"{GITHUB}/**/*.yml", recursive=True) + glob.glob(f"{GITLAB}/**/*.yml", recursive=True))


def write_scripts(folder):
    for path in definitions():
        kind = kind_of(path)
        for where, script in scripts_of(kind, documents(read(path))[-1]):
            name = re.sub(r"[^a-z0-9]+", "-", f"{path[len('pipelines/ci/'):]}-{where}") + ".sh"
            # GitLab's runner starts each script with these.
            begin = "#!/bin/bash\nset -eo pipefail\n"
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(begin + script + "\n")


def main(arguments):
    if arguments:
        _, folder = arguments
        write_scripts(folder)
        return 0
    tap = Tap()
    paths = definitions()
    tap.ok(len(paths) >= 7, "there are definitions")
    for path in paths:
        found = faults(path, read(path))
        tap.ok(not found, f"{path} is valid and safe", found)
    called = {name for path in paths for _, script in scripts_of(kind_of(path), documents(read(path))[-1])
              for name in called_steps(script)}
    with open("pipelines/local.mk", encoding="utf-8") as file:
        installed = file.read()
    for path in sorted(glob.glob(f"{STEPS}/*.sh")):
        name = os.path.basename(path)
        tap.ok(f"%D%/ci/steps/{name}" in installed, f"{name} is in a release")
        tap.ok(name in called | {"forge.sh", "propose.sh"}, f"{name} is called by a definition or a step")
    for name, here, instead in BROKEN:
        path = f"pipelines/ci/{name}"
        text = read(path)
        what = " ".join((instead or "without " + here).split())[:60]
        tap.ok(here in text and faults(path, text.replace(here, instead, 1)), f"{name} is refused with: {what}")
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


sys.exit(main(sys.argv[1:]))
