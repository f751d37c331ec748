#!/usr/bin/env python3
"""Lets one call fail at a time, the N-th allocation or the N-th call that touches a file, over a whole run with a scripted
registry and engine: find, look up, pull, test, report, move the pins; and over each further command (COMMANDS).

    tests/faults/inject.py              a sample of the calls of each kind
    tests/faults/inject.py --full       every call
    tests/faults/inject.py --command scan             this command alone
    tests/faults/inject.py memory:17 files:930:28     these alone (28 is ENOSPC), of the run or of --command

However a run ends, it ends by itself, with an exit status of its own and with a word of why. A pin has moved or has not; the
next run, in which nothing fails, recovers and ends as it should. A command that ends as it does without a failure has also
printed the same. Needs the copy of the program that make builds as
tests/faults/pingate-inject (inject.c); with sanitizers a leak or a wrong access is a fault too.
"""
import argparse
import concurrent.futures
import copy
import json
import os
import subprocess
import sys

import engine as table
import harness

SAMPLE = 60  # calls of each kind of the run; the first and the last are among them
COMMAND_SAMPLE = 8  # the same of each further command
KINDS = ("memory", "files", "files:28")  # files: EIO; 28: ENOSPC
OLD_FILE = table.PROMOTED["Dockerfile"].replace(harness.NEW, harness.OLD)
STATUSES = (0, 1, 2, 3)
FILTER = "updates: [{images: '**', tags: {match: '^(?<v>[0-9.]+)$', extract: '$v', ignore: '*-rc*'}}]\n"


def row(name, environment=None, second=False):
    """A run with all that it may come to. What it leaves in the scripted engine is not asked: its removal may be what failed."""
    # What changed in the image is asked of a registry that does not tell, and so of the engine, which pulls for it.
    config = table.WITH_ARTIFACTS.replace("changes: off\n", "changes: packages\ndeny: [package-removed]\n")
    one = table.passes(name, options={"archive": table.GOOD, "images": (harness.OLD,), "database": {table.STATUS: table.BOTH}},
                       config=config + FILTER, surprises=True,
                       env=dict(environment or {}, PINGATE_ENGINE_TIMEOUT="20s"), seconds=60)
    one.update(memory_mib=200, check=None)
    return one


class Injected:
    """One run with a failing call, and one after it with none, in the same project."""

    def __init__(self, what):
        self.what = what
        self.faults = []

    def check(self, run):
        found = dict((n, b.decode()) for n, (b, _) in harness.tree(run.project).items()
                     if not n.startswith(".pingate"))
        text = found.get("Dockerfile")
        faults = []
        if run.killed or run.status not in STATUSES:
            faults.append("ended with %s" % run.status)
        if "Sanitizer" in run.err or "runtime error" in run.err:
            faults.append("a sanitizer spoke")
        if run.status != 0 and not run.err.strip():
            faults.append("ended with %d and said nothing" % run.status)
        if text not in (run.fill(OLD_FILE), run.fill(table.PROMOTED["Dockerfile"])):
            faults.append("the Dockerfile is neither old nor new: %r" % text)
        if run.status == 0 and text != run.fill(table.PROMOTED["Dockerfile"]):
            faults.append("ended with 0, and the pin has not moved")
        if run.seconds > 60:
            faults.append("took %.1f s" % run.seconds)
        self.first = harness.tell(run) if faults else []
        return faults + self.again(run)

    def again(self, run):
        """Whatever was left, the next run finishes or undoes it, and then nothing is left to do."""
        saved = dict(run.row["env"])
        run.row["env"] = {k: v for k, v in saved.items() if not k.startswith("PINGATE_FAIL")}
        harness.execute(run, 60)
        run.row["env"] = saved
        faults = []
        text = dict((n, b.decode("utf-8", "replace")) for n, (b, _) in harness.tree(run.project).items()).get("Dockerfile")
        if run.status != 0:
            faults.append("the run after it ended with %s: %s" % (run.status, run.err[-300:]))
        if text != run.fill(table.PROMOTED["Dockerfile"]):
            faults.append("after the run after it the Dockerfile is %r" % text)
        strange = [n for n in harness.tree(run.project)
                   if n not in ("Dockerfile", "pingate.yaml") and not n.startswith(".pingate/")]
        return faults + ["%s is left over" % n for n in strange]


def run_injected(what):
    injected = Injected(what)
    one = row(what, {"PINGATE_FAIL": what})
    folder = harness.tempfile.mkdtemp(prefix="pingate-inject.")
    servers, names = harness.start_servers(one)
    names.update(home=os.path.join(folder, "home"), project=os.path.join(folder, "project"))
    run = harness.Run(one, folder, servers, names)
    try:
        for name in ("home", "project"):
            os.mkdir(os.path.join(folder, name))
        harness.write_files(run.project, one["files"], run)
        harness.write_files(run.project, {"pingate.yaml": one["config"]}, run)
        for name, server in servers.items():
            server.start(name, names)
        harness.execute(run, 60)
        faults = injected.check(run)
        return faults, injected.first + harness.tell(run) if faults else []
    except Exception as why:
        import traceback
        return ["the harness failed: %r" % why], traceback.format_exc().splitlines()
    finally:
        for server in servers.values():
            server.stop()
        harness.shutil.rmtree(folder, ignore_errors=True)


HERE = os.path.dirname(os.path.abspath(__file__))
TWO = "FROM {registry}/app:1.0@%s\nCOPY --from={registry}/other:1.0@%s / /\n"
BOTH = [table.on("HEAD", "/v2/%s/manifests/1.0" % name, headers=table.REGISTRY[0].headers) for name in ("app", "other")]
SPLIT = ("version: 1\npromote: passing\ntests:\n"
         "  - {name: a, images: [\"{registry}/app\"], run: [\"true\"]}\n"
         "  - {name: b, images: [\"{registry}/other\"], run: [\"true\"]}\n")


def stored_result():
    with open(os.path.join(HERE, "../golden/reports/closed/result.json")) as opened:
        return opened.read()


def command(words, exit=0, moves=None, prints=True, prepare=None, adds=None, engine=None, registry=None, config=table.CONFIG, **options):
    """moves: texts of the Dockerfile that may come of it besides the first; prints: always the same on standard output; adds: the type
    of the ledger's entry that it makes; where the Dockerfile moves, it is there exactly then."""
    servers = {"engine": engine or table.engine(), "registry": registry or table.REGISTRY}
    one = harness.case(words, servers, command=words.split(), config=config, env={"PINGATE_ENGINE_TIMEOUT": "20s"}, **options)
    return dict(one, good=exit, moves=moves or [], prints=prints, prepare=prepare, adds=adds)


def commit_old_pins(run):
    """A repository whose first commit has the old pin and whose tree has the new one."""
    env = dict(os.environ, HOME=run.folder, GIT_CONFIG_NOSYSTEM="1")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for words in (["init", "-q"], ["add", "."], identity + ["commit", "-q", "-m", "pins"]):
        subprocess.run(["git"] + words, cwd=run.project, env=env, check=True)
    harness.write_files(run.project, table.PROMOTED, run)


def write_ledger(run):
    """Two files of an old month with all that the readers look at, and one of now."""
    entries = []
    values = '["docker.io/library/redis:7.2@a"]'
    for day in ("01", "02"):
        entries += ['2020-05-%sT00:00:00Z ci evidence {"test": "smoke", "definition": "%s", "outcome": "passed", "platform": '
                    '"linux/amd64", "source": "run", "values": %s}' % (day, "1" * 64, values),
                    '2020-05-%sT00:00:01Z ci observed {"stage": "staging", "set": "#one", "values": "=one"}' % day, ""]
    entries += ['2020-06-01T00:00:00Z bob approved {"stage": "staging", "set": "#one", "reason": "good"}',
                '2020-06-02T00:00:00Z ada promoted {"stage": "staging", "set": "#one", "before": "#one", "values": "=one", "changes": '
                '[{"image": "docker.io/library/redis", "tag": "7.2", "digest": "@a"}]}', ""]
    subprocess.run([os.path.join(HERE, "../ledger.py"), run.project], input="=one: %s\n%s\n" % (values, "\n".join(entries)),
                   text=True, check=True, stdout=subprocess.DEVNULL)


def write_stages(run):
    """What has stood and passed in staging, so that it may enter production."""
    entries = run.fill('=one: ["{registry}/app:1.0@%s"]\n' % harness.NEW)
    entries += run.fill('2020-05-01T00:00:00Z ci evidence {{"test": "answers", "definition": "%s", "outcome": "passed", "platform": '
                        '"linux/amd64", "source": "run", "values": ["{registry}/app:1.0@%s"]}}\n'.replace("{{", "{").replace("}}", "}")
                        % ("1" * 64, harness.NEW))
    entries += '2020-05-01T00:00:01Z ci observed {"stage": "staging", "set": "#one", "values": "=one"}\n'
    subprocess.run([os.path.join(HERE, "../ledger.py"), run.project], input=entries, text=True, check=True, stdout=subprocess.DEVNULL)


STAGES = table.CONFIG + ("stages:\n  - {name: staging, files: [staging/]}\n"
                         "  - {name: production, files: [Dockerfile], from: staging}\n")
STAGED = {"Dockerfile": OLD_FILE, "staging/Dockerfile.app": table.PROMOTED["Dockerfile"]}
DOCTOR = table.REGISTRY + [table.on("HEAD", "/v2/app/manifests/%s" % harness.OLD, headers=dict(
    table.REGISTRY[0].headers, **{"Docker-Content-Digest": harness.OLD}))]  # it asks for the pinned digest
REPORT = {"Dockerfile": OLD_FILE, "pingate-out/result.json": None}
COMMANDS = [
    command("scan"),
    command("scan --json"),
    command("status --json"),
    command("init --print", config=None),
    command("doctor", prints=False, registry=DOCTOR),  # its notes tell what failed
    command("run --plan"),
    command("run --plan --json"),
    command("test --since HEAD", prints=False, prepare=commit_old_pins, files={"Dockerfile": OLD_FILE}, moves=[table.PROMOTED["Dockerfile"]]),
    command("history --type=all", prepare=write_ledger),
    command("history --json --image=redis --type=all", prepare=write_ledger),
    command("history staging --at=2020-06-03 --json", prepare=write_ledger),
    command("history staging --at=2020-06-03", prepare=write_ledger),
    command("history --verify --json", prepare=write_ledger),
    command("history --compact", prepare=write_ledger),
    command("hold production --reason=no", adds="held", prints=False, prepare=write_stages, config=STAGES, files=STAGED),
    command("approve production --reason=good", adds="approved", prints=False, prepare=write_stages, config=STAGES, files=STAGED),
    command("deny %s --reason=bad" % harness.NEW, adds="denied", prints=False, prepare=write_stages, config=STAGES, files=STAGED),
    command("promote production", adds="promoted", prints=False, prepare=write_stages, config=STAGES, files=STAGED, registry=[
        table.on("HEAD", "/v2/app/manifests/%s" % harness.NEW, headers=table.REGISTRY[0].headers)], moves=[table.PROMOTED["Dockerfile"]]),
    command("report json", files=REPORT),
    command("report junit", files=REPORT),
    command("report markdown", files=REPORT),
    command("report diff", files=REPORT),
    command("run", exit=1, prints=False, engine=table.engine(exit={harness.NEW: 3})),
    command("run --promote=passing", prints=False, registry=BOTH, config=SPLIT, files={"Dockerfile": TWO % (harness.OLD, harness.OLD)},
            moves=[TWO % (harness.NEW, harness.NEW), TWO % (harness.NEW, harness.OLD), TWO % (harness.OLD, harness.NEW)]),
]


def command_name(one):
    return one["name"] + (", the candidate fails" if one["good"] == 1 else "")


def execute_command(one, environment):
    """Runs it once in a project of its own; gives the run, the Dockerfile before and after, and what else is there."""
    one = dict(one, env=dict(one["env"], **environment))
    folder = harness.tempfile.mkdtemp(prefix="pingate-inject.")
    servers, names = harness.start_servers(one)
    names.update(home=os.path.join(folder, "home"), project=os.path.join(folder, "project"))
    run = harness.Run(one, folder, servers, names)
    try:
        for name in ("home", "project"):
            os.mkdir(os.path.join(folder, name))
        for name, server in servers.items():
            server.start(name, names)
        files = {n: stored_result().encode() if t is None else t for n, t in one["files"].items()}
        harness.write_files(run.project, files, run)
        if one["config"] is not None:
            harness.write_files(run.project, {"pingate.yaml": one["config"]}, run)
        if one["prepare"]:
            one["prepare"](run)
        before = harness.tree(run.project)
        harness.execute(run, 60)
        run.same_out = run.out
        for name in ("registry", "engine", "project", "home"):
            run.same_out = run.same_out.replace(run.names[name], "{%s}" % name)
        return run, before, harness.tree(run.project)
    finally:
        for server in servers.values():
            server.stop()
        harness.shutil.rmtree(folder, ignore_errors=True)


def ledger_lines(tree):
    """Each entry once, wherever it stands: none of what these commands do adds or takes away one."""
    return {line.strip() for name, content in tree.items() if name.endswith(".jsonl") for line in content[0].splitlines()}


def judge_ledger(one, run, before, after):
    new = ledger_lines(after) - ledger_lines(before)
    kinds = [json.loads(line)["type"] for line in new]
    if ledger_lines(before) - ledger_lines(after) or (new and not one["adds"]):
        return ["the ledger has other entries than before"]
    if one["adds"] and run.status == one["good"] and one["adds"] not in kinds:
        return ["ended with %d, and the ledger has no new %s" % (run.status, one["adds"])]
    unfinished = "the next run finishes the rest" in run.err  # tests/crash/stages.sh asks it to
    if unfinished and not any("journal" in name for name in after):
        return ["it left something to finish, and no journal to do so by"]
    if one["adds"] and one["moves"] and not unfinished and (one["adds"] in kinds) != (before["Dockerfile"] != after["Dockerfile"]):
        return ["the Dockerfile and the ledger do not agree"]
    return []


def judge_command(one, run, before, after, good_out):
    faults = []
    if run.killed or run.status not in STATUSES:
        faults.append("ended with %s" % run.status)
    if "Sanitizer" in run.err or "runtime error" in run.err:
        faults.append("a sanitizer spoke")
    if run.status not in (0, one["good"]) and not (run.err + run.out).strip():
        faults.append("ended with %d and said nothing" % run.status)
    if run.status == 0 and one["good"] != 0:
        faults.append("a false pass")
    if one["prints"] and run.status == one["good"] and good_out is not None and run.same_out != good_out:
        faults.append("ended with %d, and printed something else than it should: %r" % (run.status, good_out))
    allowed = [before["Dockerfile"][0]] + [run.fill(text).encode() for text in one["moves"]]
    if after["Dockerfile"][0] not in allowed:
        faults.append("the Dockerfile is %r" % after["Dockerfile"][0])
    faults += judge_ledger(one, run, before, after)
    for name in set(before) | set(after):
        if name != "Dockerfile" and not name.startswith(".pingate") and before.get(name) != after.get(name) \
                and not (one["moves"] and name.startswith("Dockerfile")):  # a temporary file is the next run's to remove
            faults.append("%s was touched" % name)
    return faults


def run_command(one, what, good_out):
    try:
        run, before, after = execute_command(one, {"PINGATE_FAIL": what})
        faults = judge_command(one, run, before, after, good_out)
        return faults, harness.tell(run) if faults else []
    except Exception as why:
        import traceback
        return ["the harness failed: %r" % why], traceback.format_exc().splitlines()


def command_jobs(one, calls, full):
    """What is to be done for a command: (name, function)."""
    folder = harness.tempfile.mkdtemp(prefix="pingate-counts.")
    path = os.path.join(folder, "counts")
    run, before, after = execute_command(one, {"PINGATE_FAIL_COUNTS": path})
    faults = judge_command(one, run, before, after, run.same_out)
    if faults or run.status != one["good"] or (one["moves"] and not one["prepare"] and after == before):
        sys.exit("%s, in which nothing fails, ended with %d: %s\n%s" % (command_name(one), run.status, "; ".join(faults), run.err))
    counts = read_counts(path)
    harness.shutil.rmtree(folder)
    for what in calls or chosen(counts, full, COMMAND_SAMPLE):
        yield "%s: %s fails" % (command_name(one), what), lambda what=what: run_command(one, what, run.same_out)


def read_counts(path):
    with open(path) as opened:
        return dict((k, int(v)) for k, v in (line.split() for line in opened))


def count_calls():
    """How many calls of each kind a run makes when nothing fails."""
    path = os.path.join(harness.tempfile.mkdtemp(prefix="pingate-counts."), "counts")
    one = row("counts", {"PINGATE_FAIL_COUNTS": path})
    faults, told = harness.run_case(one, False)
    if faults:
        sys.exit("the run in which nothing fails: %s\n%s" % ("; ".join(faults), "\n".join(told)))
    counts = read_counts(path)
    harness.shutil.rmtree(os.path.dirname(path))
    return counts


def chosen(counts, full, sample):
    for kind in KINDS:
        count = counts[kind.split(":")[0]]
        step = 1 if full else max(1, count // sample)
        for number in sorted(set(list(range(1, count + 1, step)) + [count])):
            parts = kind.split(":")
            yield ":".join([parts[0], str(number)] + parts[1:])


def build():
    """The copy of the program beside the one under test; a sanitized build where there is one."""
    folder = os.path.abspath(os.environ.get("PINGATE_TEST_BUILD") or os.path.dirname(harness.program()))
    made = subprocess.run(["make", "-s", "-C", folder, "tests/faults/pingate-inject"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if made.returncode != 0:
        sys.exit("pingate-inject does not build:\n%s" % made.stdout.decode("utf-8", "replace"))
    os.environ["PINGATE_TEST_PROGRAM"] = os.path.join(folder, "tests/faults/pingate-inject")


def main():
    parser = argparse.ArgumentParser(description="One failing call at a time; TAP on standard output.")
    parser.add_argument("calls", nargs="*", metavar="KIND:N", help="only these")
    parser.add_argument("--full", action="store_true", help="every call")
    parser.add_argument("--command", choices=["promote"] + [command_name(one) for one in COMMANDS],
                        help="this alone; promote is the run whose pin moves")
    parser.add_argument("--jobs", type=int, default=4, help="runs at a time (4)")
    given = parser.parse_args()
    build()
    jobs = []
    if given.command in (None, "promote"):
        counts = count_calls()
        print("# a run makes %s" % ", ".join("%d calls of %s" % (v, k) for k, v in counts.items()))
        jobs += [("%s fails" % what, lambda what=what: run_injected(what))
                 for what in given.calls or chosen(counts, given.full, SAMPLE)]
    for one in COMMANDS:
        if command_name(one) == given.command or (given.command is None and not given.calls):
            jobs += command_jobs(one, given.calls, given.full)
    print("1..%d" % len(jobs), flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for number, (name, (faults, told)) in enumerate(zip([n for n, _ in jobs], pool.map(lambda j: j[1](), jobs)), 1):
            failed += 1 if faults else 0
            print("%sok %d - %s" % ("not " if faults else "", number, name))
            for line in faults + told:
                print("# " + line)
            sys.stdout.flush()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
