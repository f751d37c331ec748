"""Runs the real program in a small project of its own against scripted servers, and holds what came of it to a table.

A case is one row of data. The file of a table is a program that ends with `main(CASES)`; it prints TAP:

    tests/faults/registry.py                    all of its cases
    tests/faults/registry.py NAME…              those whose name contains one of these words
    tests/faults/registry.py --list             their names
    tests/faults/registry.py --keep NAME        leaves the project's folder for a look

    case("429 once, then fine",
         {"registry": [on("HEAD", TAG, 429, {"Retry-After": "1"}, times=1),
                       on("HEAD", TAG, headers={"Docker-Content-Digest": NEW})]},
         exit=0,
         updates=[{"code": "not-tested", "candidate": NEW}],
         sent=[sent("registry", "HEAD", TAG, count=2)])

The program under test is $PINGATE_TEST_PROGRAM, else build/pingate. "{registry}" in files, configuration, command and
environment stands for the address of the server of that name; "{ca}" is the authority of all certificates, "{refused}"
an address at which nothing listens, "{home}" and "{project}" the folders. A server on a unix socket that is named "engine"
is the engine that the program finds.
"""
import argparse
import concurrent.futures
import copy
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import scripted

OLD = "sha256:" + "a" * 64
NEW = "sha256:" + "b" * 64
DOCKERFILE = "FROM {registry}/app:1.0@%s\n" % OLD

DEFAULTS = {
    # what is run
    "files": {"Dockerfile": DOCKERFILE},
    "config": None,  # text of pingate.yaml; None: there is none
    "home": {},  # files of the home folder
    "modes": {},  # path below the home folder: mode, such as 0o755 for a script
    "env": {},
    "command": ["status", "--json"],
    "signal": None,  # ("server", "flag", signal.SIGTERM): sent to the program when that flag is set
    # what must come of it
    "exit": 0,
    "out": [],  # regexes that standard output must match
    "err": [],  # regexes that standard error must match
    "said": [],  # regexes that one of the two must match
    "unsaid": [],  # regexes that neither of them, nor any report, may match: secrets above all
    "updates": None,  # of the machine form, in order; see check_update
    "result": {},  # keys of result.json and their values
    "changed": {},  # file: its new text; all others must be as they were
    "sent": [],  # requests that must have come
    "not_sent": [],  # and must not
    "surprises": False,  # requests that the script did not foresee are no fault
    "check": None,  # function(run) -> list of faults, for what a table cannot say
    "seconds": 10.0,  # it must be done by then
    "memory_mib": 64,  # its peak; below about 50 the harness itself is what is seen
}


def server(rows=(), **options):
    """A server of a case; options as scripted.Server has them. A plain list of rows is one with the defaults."""
    return dict(options, rows=list(rows))


def case(name, servers, **options):
    for key in options:
        if key not in DEFAULTS:
            raise TypeError("case %r: there is no option %r" % (name, key))
    return dict(copy.copy(DEFAULTS), name=name, servers=servers, **options)


def sent(name, method=".*", path=".*", header=None, without=None, body=None, count=None, connections=None):
    """Requests at a server: method and path are regexes for the whole of each, header and body are searched.
    count: exactly so many, else at least one; a pair is the least and the most. connections: on at most so many."""
    return dict(locals())


class Run:
    """What came of running the program once."""

    def __init__(self, row, folder, servers, names):
        self.row, self.folder, self.servers, self.names = row, folder, servers, names
        self.project = os.path.join(folder, "project")
        self.status = None
        self.out = self.err = ""
        self.seconds = 0.0
        self.memory_mib = 0.0
        self.document = {}

    def fill(self, text):
        for name, where in self.names.items():
            text = text.replace("{%s}" % name, where)
        return text


def program():
    here = os.path.dirname(os.path.abspath(__file__))
    return os.environ.get("PINGATE_TEST_PROGRAM") or os.path.join(here, "..", "..", "build", "pingate")


def is_sanitized(path, known={}):
    if path not in known:
        with open(path, "rb") as opened:
            known[path] = b"__asan_init" in opened.read()
    return known[path]


def write_files(folder, files, run, modes=None):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else run.fill(text).encode())
        if modes and name in modes:
            os.chmod(path, modes[name])


def tree(folder):
    """Every file of the project but the program's own output: name -> bytes and mode."""
    found = {}
    for path, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in ("pingate-out", ".git")]
        for name in files:
            whole = os.path.join(path, name)
            with open(whole, "rb") as opened:
                found[os.path.relpath(whole, folder)] = (opened.read(), os.stat(whole).st_mode)
    return found


def start_servers(row):
    servers, names = {}, {}
    for name, spec in row["servers"].items():
        options = dict(spec) if isinstance(spec, dict) else {"rows": spec}
        options["rows"] = [copy.copy(line) for line in options["rows"]]
        servers[name] = scripted.Server(**options)
        names[name] = servers[name].where
    if any(one.tls for one in servers.values()) or "{ca}" in (row["config"] or ""):
        names["ca"] = os.path.join(scripted.certificates(), "ca.pem")
    return servers, names


def send_signal(run, child):
    name, flag, number = run.row["signal"]
    one = run.servers[name]
    with one.lock:
        one.flagged.wait_for(lambda: one.ending or flag in one.flags, run.row["seconds"])
        come = flag in one.flags
    if come and child.returncode is None:
        child.send_signal(number)


def forget_peak():
    """A process begins with the peak of who started it, and one row of ours may have been large for a moment."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def execute(run, limit_seconds):
    """Starts the program, waits, and measures. Its output goes to files: a pipe that nobody reads would stop it."""
    row = run.row
    environment = {"PATH": os.environ["PATH"], "HOME": os.path.join(run.folder, "home"), "LC_ALL": "C.UTF-8",
                   "DOCKER_HOST": "unix://" + run.names.get("engine", os.path.join(run.folder, "no-engine")),
                   "ASAN_OPTIONS": "exitcode=99:detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    for name, value in row["env"].items():
        environment[name] = run.fill(value)
    paths = [os.path.join(run.folder, name) for name in ("out", "err")]
    started = time.monotonic()
    with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
        forget_peak()
        child = subprocess.Popen([program()] + [run.fill(word) for word in row["command"]], cwd=run.project,
                                 env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        killer = threading.Timer(limit_seconds + 5, child.kill)
        killer.start()
        if row["signal"]:
            threading.Thread(target=send_signal, args=(run, child), daemon=True).start()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        killer.cancel()
    run.seconds = time.monotonic() - started
    run.memory_mib = usage.ru_maxrss / 1024.0
    run.status = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    run.killed = os.WIFSIGNALED(status)
    run.out, run.err = [open(path, "rb").read().decode("utf-8", "replace") for path in paths]


def read_document(run):
    path = os.path.join(run.project, "pingate-out", "result.json")
    try:
        if os.path.exists(path):
            with open(path, "rb") as opened:
                return json.loads(opened.read().decode())
        if "--json" in run.row["command"]:
            return json.loads(run.out)
    except ValueError as why:
        return {"unreadable": str(why)}
    return {}


def flat(update):
    """One shape for the updates of `status --json` and of result.json."""
    found = dict(update)
    candidate = update.get("candidate") or {}
    found["candidate"] = candidate.get("digest") or update.get("candidate_digest")
    found["candidate_tag"] = candidate.get("tag") or update.get("candidate_tag")
    found["code"] = update.get("code") or None
    return found


def check_update(run, number, expected, update):
    """reason: a regex or a list of them; every other key: equal."""
    faults, found = [], flat(update)
    for key, value in expected.items():
        if key == "reason":
            for regex in value if isinstance(value, list) else [value]:
                if not re.search(run.fill(regex), found.get("reason") or ""):
                    faults.append("update %d: reason %r lacks %r" % (number, found.get("reason"), regex))
        else:
            wanted = run.fill(value) if isinstance(value, str) else value
            if found.get(key) != wanted:
                faults.append("update %d: %s is %r, expected %r (reason: %s)"
                              % (number, key, found.get(key), wanted, found.get("reason")))
    return faults


def matching(run, question):
    one = run.servers[question["name"]]
    with one.lock:
        requests = list(one.requests)
    return [r for r in requests
            if re.match(question["method"] + r"\Z", r.method) and re.match(question["path"] + r"\Z", r.path)
            and (question["header"] is None or any(re.search(question["header"], h, re.I) for h in r.headers))
            and (question["without"] is None or not any(re.search(question["without"], h, re.I) for h in r.headers))
            and (question["body"] is None or re.search(question["body"].encode(), r.body_start))]


def shown(question):
    return "%s(%s)" % ("sent", ", ".join("%s=%r" % (k, v) for k, v in question.items() if v is not None and v != ".*"))


def check_sent(run):
    faults = []
    for question in run.row["sent"]:
        found, count = matching(run, question), question["count"]
        least, most = (1, None) if count is None else count if isinstance(count, tuple) else (count, count)
        if len(found) < least or (most is not None and len(found) > most):
            faults.append("%s came %d times" % (shown(question), len(found)))
        used = len(set(r.connection for r in found))
        if question["connections"] is not None and used > question["connections"]:
            faults.append("%s came on %d connections" % (shown(question), used))
    for question in run.row["not_sent"]:
        for request in matching(run, question):
            faults.append("must not have come: %s" % request)
    if not run.row["surprises"]:
        for one in run.servers.values():
            faults += ["the script foresees no %s" % request for request in one.surprises]
    return faults


def everything_said(run):
    said = [run.out, run.err]
    for path, _, files in os.walk(os.path.join(run.project, "pingate-out")):
        for name in files:
            with open(os.path.join(path, name), "rb") as opened:
                said.append(opened.read().decode("utf-8", "replace"))
    return said


def check_words(run):
    faults, row = [], run.row
    for what, texts in (("out", [run.out]), ("err", [run.err]), ("said", [run.out, run.err])):
        for regex in row[what]:
            if not any(re.search(run.fill(regex), text) for text in texts):
                faults.append("%s lacks %r" % ({"out": "standard output", "err": "standard error"}.get(what, "output"), regex))
    for regex in row["unsaid"]:
        if any(re.search(run.fill(regex), text) for text in everything_said(run)):
            faults.append("this must be said nowhere: %r" % regex)
    return faults


def check_files(run, before):
    faults, after = [], tree(run.project)
    for name in sorted(set(before) | set(after)):
        if name in run.row["changed"]:
            wanted = run.fill(run.row["changed"][name]).encode()
            if name not in after or after[name][0] != wanted:
                faults.append("%s is not what was expected: %r" % (name, after.get(name, (None,))[0]))
        elif before.get(name) != after.get(name):
            faults.append("%s was touched" % name)
    return faults


def check(run, before, limits):
    row, faults = run.row, []
    if run.killed or run.status != row["exit"]:
        faults.append("exit status %s%s, expected %s" % (run.status, " (a signal)" if run.killed else "", row["exit"]))
    if run.seconds > limits[0]:
        faults.append("took %.1f s, more than %.1f" % (run.seconds, limits[0]))
    if run.memory_mib > limits[1]:
        faults.append("used %.0f MiB, more than %d" % (run.memory_mib, limits[1]))
    run.document = read_document(run)
    updates = run.document.get("updates")
    if row["updates"] is not None:
        if updates is None or len(updates) != len(row["updates"]):
            faults.append("%s updates, expected %d" % (len(updates) if updates is not None else "no", len(row["updates"])))
        else:
            for number, expected in enumerate(row["updates"]):
                faults += check_update(run, number, expected, updates[number])
    for key, value in row["result"].items():
        if run.document.get(key) != value:
            faults.append("result: %s is %r, expected %r" % (key, run.document.get(key), value))
    faults += check_words(run) + check_files(run, before) + check_sent(run)
    if row["check"]:
        faults += row["check"](run) or []
    return faults


def tell(run):
    """Everything that helps to see what happened."""
    lines = ["command: pingate %s" % " ".join(run.row["command"]),
             "%.2f s, %.0f MiB, exit status %s" % (run.seconds, run.memory_mib, run.status)]
    for name, one in run.servers.items():
        lines += ["%s (%s):" % (name, one.where)] + ["  %r" % line for line in one.rows]
        lines += ["  came: %s" % request for request in one.requests[:40]]
    for what, text in (("standard output", run.out), ("standard error", run.err)):
        lines += ["%s:" % what] + ["  " + line[:600] for line in text.splitlines()[-40:]]
    return lines


def run_case(row, keep):
    """Gives the faults and what there is to tell."""
    folder = tempfile.mkdtemp(prefix="pingate-faults.")
    refused = socket.socket()
    refused.bind(("127.0.0.1", 0))
    servers, names = start_servers(row)
    names.update(refused="127.0.0.1:%d" % refused.getsockname()[1], home=os.path.join(folder, "home"),
                 project=os.path.join(folder, "project"))
    run = Run(row, folder, servers, names)
    for one in ("home", "project"):
        os.mkdir(os.path.join(folder, one))
    try:
        write_files(run.project, row["files"], run)
        write_files(names["home"], row["home"], run, row["modes"])
        if row["config"] is not None:
            write_files(run.project, {"pingate.yaml": row["config"]}, run)
        before = tree(run.project)
        for name, one in servers.items():
            one.start(name, names)
        slow = 4 if is_sanitized(program()) else 1
        limits = (row["seconds"] * slow, row["memory_mib"] * (6 if slow > 1 else 1))
        execute(run, limits[0])
        faults = check(run, before, limits)
        return faults, tell(run) if faults else []
    finally:
        for one in servers.values():
            one.stop()
        refused.close()
        if keep:
            sys.stderr.write("%s: %s\n" % (row["name"], folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)


def guarded(row, keep):
    try:
        return run_case(row, keep)
    except Exception as why:  # a fault of the harness is a failed case, and the others go on
        import traceback
        return ["the harness failed: %r" % why], traceback.format_exc().splitlines()


def main(cases):
    parser = argparse.ArgumentParser(description="Scripted faults; TAP on standard output.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only cases whose name contains it")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    parser.add_argument("--jobs", type=int, default=4, help="cases at a time (4)")
    given = parser.parse_args()
    names = [row["name"] for row in cases]
    double = sorted(set(name for name in names if names.count(name) > 1))
    if double:
        sys.exit("two cases have one name: %s" % ", ".join(double))
    chosen = [row for row in cases if not given.names or any(part in row["name"] for part in given.names)]
    if given.list:
        print("\n".join(row["name"] for row in chosen))
        return
    if not chosen:
        sys.exit("no case has such a name")
    if not os.access(program(), os.X_OK):
        sys.exit("there is no program %s: build it, or name it in PINGATE_TEST_PROGRAM" % program())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("1..%d" % len(chosen), flush=True)
    failed = 0
    try:
        with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
            for number, (row, found) in enumerate(zip(chosen, pool.map(lambda r: guarded(r, given.keep), chosen)), 1):
                faults, told = found
                failed += 1 if faults else 0
                print("%sok %d - %s" % ("not " if faults else "", number, row["name"]))
                for line in faults + told:
                    print("# " + line)
                sys.stdout.flush()
    finally:
        scripted.remove_certificates()
    sys.exit(1 if failed else 0)
