#!/usr/bin/env python3
"""Lets one call fail at a time, the N-th allocation or the N-th call that touches a file, over a whole run with a scripted
registry and engine: find, look up, pull, test, report, move the pins.

    tests/faults/inject.py              a sample of the calls of each kind
    tests/faults/inject.py --full       every call
    tests/faults/inject.py memory:17 files:930:28     these alone (28 is ENOSPC)

However a run ends, it ends by itself, with an exit status of its own and with a word of why. A pin has moved or has not; the
next run, in which nothing fails, recovers and ends as it should. Needs the copy of the program that make builds as
tests/faults/pingate-inject (inject.c); with sanitizers a leak or a wrong access is a fault too.
"""
import argparse
import concurrent.futures
import copy
import os
import subprocess
import sys

import engine as table
import harness

SAMPLE = 60  # calls of each kind; the first and the last are among them
KINDS = ("memory", "files", "files:28")  # files: EIO; 28: ENOSPC
OLD_FILE = table.PROMOTED["Dockerfile"].replace(harness.NEW, harness.OLD)
STATUSES = (0, 1, 2, 3)


def row(name, environment=None, second=False):
    """A run with all that it may come to. What it leaves in the scripted engine is not asked: its removal may be what failed."""
    one = table.passes(name, env=dict(environment or {}, PINGATE_ENGINE_TIMEOUT="20s"), seconds=60)
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


def count_calls():
    """How many calls of each kind a run makes when nothing fails."""
    path = os.path.join(harness.tempfile.mkdtemp(prefix="pingate-counts."), "counts")
    one = row("counts", {"PINGATE_FAIL_COUNTS": path})
    faults, told = harness.run_case(one, False)
    if faults:
        sys.exit("the run in which nothing fails: %s\n%s" % ("; ".join(faults), "\n".join(told)))
    with open(path) as opened:
        counts = dict((k, int(v)) for k, v in (line.split() for line in opened))
    harness.shutil.rmtree(os.path.dirname(path))
    return counts


def chosen(counts, full):
    for kind in KINDS:
        count = counts[kind.split(":")[0]]
        step = 1 if full else max(1, count // SAMPLE)
        for number in sorted(set(list(range(1, count + 1, step)) + [count])):
            parts = kind.split(":")
            yield ":".join([parts[0], str(number)] + parts[1:])


def build():
    """The copy of the program beside the one under test; a sanitized build where there is one."""
    folder = os.environ.get("PINGATE_TEST_BUILD") or os.path.dirname(harness.program())
    made = subprocess.run(["make", "-s", "-C", folder, "tests/faults/pingate-inject"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if made.returncode != 0:
        sys.exit("pingate-inject does not build:\n%s" % made.stdout.decode("utf-8", "replace"))
    os.environ["PINGATE_TEST_PROGRAM"] = os.path.join(folder, "tests/faults/pingate-inject")


def main():
    parser = argparse.ArgumentParser(description="One failing call at a time; TAP on standard output.")
    parser.add_argument("calls", nargs="*", metavar="KIND:N", help="only these")
    parser.add_argument("--full", action="store_true", help="every call")
    parser.add_argument("--jobs", type=int, default=4, help="runs at a time (4)")
    given = parser.parse_args()
    build()
    counts = count_calls()
    print("# a run makes %s" % ", ".join("%d calls of %s" % (v, k) for k, v in counts.items()))
    calls = given.calls or list(chosen(counts, given.full))
    print("1..%d" % len(calls), flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for number, (what, (faults, told)) in enumerate(zip(calls, pool.map(run_injected, calls)), 1):
            failed += 1 if faults else 0
            print("%sok %d - %s fails" % ("not " if faults else "", number, what))
            for line in faults + told:
                print("# " + line)
            sys.stdout.flush()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
