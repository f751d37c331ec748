#!/usr/bin/env python3
"""What engines do to the services of a test: networks that are refused, processes whose exit code is never told, services that
go, logs that are cut. A pass needs a service that was seen to be ready and to run to the end; what was made is removed."""
import json
import signal

from engine import CONFIG, JSON, PROMOTED, QUICK, cannot, outcome, passes, run, says_no, warned  # noqa: F401
from engine_api import (EXEC_CREATE, EXEC_INSPECT, EXEC_START, INSPECT, LOGS, NETWORK_CREATE, NETWORK_REMOVE, NETWORKS, PROBE_CREATE, PUT,
                        SERVICE_CREATE, frame, lie, spoil)
from harness import NEW, main, sent
from scripted import on


def config(service):
    return "version: 1\nchanges: off\ntests:\n  - {name: answers, run: [\"true\"], timeout: 30s, services: {app: {image: '**', within: 2s, %s}}}\n" % service


TCP = config("ready: {tcp: 80}")
EXEC = config("ready: {exec: [check]}")
LOG = config("ready: {log: '^ready$'}")
EXIT = config("ready: {exit: 0}")
HEALTHY = config("ready: healthy")
DEFAULT = config("may_end: false")
ENDED = {"Running": False, "Status": "exited", "ExitCode": 1, "FinishedAt": "2026-11-25T07:00:01.25Z"}
STEPS = [  # name, method, path, an answer is read as JSON
    ("the list of networks", "GET", NETWORKS, True), ("the network", "POST", NETWORK_CREATE, True), ("the service", "POST", SERVICE_CREATE, True),
    ("the helper", "POST", PROBE_CREATE, True), ("a process", "POST", EXEC_CREATE, True), ("its start", "POST", EXEC_START, False),
    ("its end", "GET", EXEC_INSPECT, True),
]
TESTS = [
    ("tcp", TCP, {}), ("exec", EXEC, {}), ("log", LOG, {"logs": ((1, b"not yet\nrea"), (1, b"dy\n"))}),
    ("exit", EXIT, {"service": dict(ENDED, ExitCode=0)}), ("healthy", HEALTHY, {"config": {"Healthcheck": {"Test": ["CMD", "check"]}}}),
    ("by default, with a health check", DEFAULT, {"config": {"Healthcheck": {"Test": ["CMD-SHELL", "check"]}}}),
    ("by default, with a port", DEFAULT, {"config": {"ExposedPorts": {"80/tcp": {}, "9/udp": {}}}}), ("by default, with nothing", DEFAULT, {}),
]


def services_are(word):
    def check(done):
        found = [s["outcome"] for t in done.document["trials"] for s in t["services"]][:1]
        return [] if found == [word] else ["the service is %r, expected %r" % (found, word)]
    return check


def steps():
    for name, method, path, is_json in STEPS:
        asks = {"config": TCP}
        yield cannot("%s: the socket is closed" % name, "engine unix://|answers no more", [on(method, path, close=True)], **asks)
        if path != EXEC_START:  # it may be silent as long as the check may take
            yield cannot("%s: no answer" % name, "no whole answer within 2\\.0 s|answers no more", [on(method, path, never=True)], env=QUICK,
                         seconds=30, **asks)
        yield cannot("%s: half an answer, then the end" % name, "engine unix://", [spoil(method, path, cut_head=20)], **asks)
        yield cannot("%s: 500" % name, "the engine answered 500: boom", [on(method, path, 500, JSON, '{"message":"boom"}')], **asks)
        if is_json:
            yield cannot("%s: text instead of JSON" % name, "is not JSON", [on(method, path, 200, None, "<html>hello</html>")], **asks)
            if path != NETWORKS:
                yield cannot("%s: JSON of another kind" % name, ".", [on(method, path, 200, JSON, "[7]")], **asks)


def flood():
    for _ in range(100):
        yield frame(1, b"x" * (1 << 20))


CASES = [passes("a service gets ready by %s" % name, options=options, config=text, check=services_are("passed"),
                sent=[sent("engine", "DELETE", NETWORK_REMOVE, count=1)]) for name, text, options in TESTS]
CASES += list(steps())
CASES += [
    cannot("network: all addresses are in use", "non-overlapping IPv4", [on("POST", NETWORK_CREATE, 500, JSON, json.dumps(
        {"message": "could not find an available, non-overlapping IPv4 address pool"}))], config=TCP, not_sent=[sent("engine", "POST", SERVICE_CREATE)]),
    cannot("network: its name is taken: the other's is not touched", "already exists", [on(
        "POST", NETWORK_CREATE, 409, JSON, '{"message":"network with name x already exists"}')], config=TCP,
        not_sent=[sent("engine", "DELETE", NETWORK_REMOVE)]),
    cannot("network: an id that is a path", "without an id", [spoil("POST", NETWORK_CREATE, body=b'{"Id":"../volumes/x"}')], config=TCP),
    cannot("network: made, and the answer is cut", "make the network", [spoil("POST", NETWORK_CREATE, cut=10)], config=TCP,
           sent=[sent("engine", "DELETE", NETWORK_REMOVE)]),
    passes("network: it cannot be removed", [on("DELETE", NETWORK_REMOVE, 403, JSON, '{"message":"has active endpoints"}')], config=TCP,
           check=warned("stayed in the engine|could not be removed")),
    passes("network: what a dead run left is swept", options={"networks": [("f" * 64, {"pingate.run": "gone", "pingate.expires": "1"})]},
           config=TCP, sent=[sent("engine", "DELETE", NETWORK_REMOVE, count=2)]),
    says_no("exec: it says no", "answers", options={"exec": (3,), "exec_says": b"one\nnot yet\n"}, config=EXEC, code="already-broken",
            check=outcome("timed-out"), seconds=30),
    passes("exec: it says yes the third time", options={"exec": (1, 1, 0)}, config=EXEC, sent=[sent("engine", "POST", EXEC_CREATE, count=3)]),
    cannot("exec: ExitCode null is no 0", "does not tell how a process in a container ended",
           [lie("GET", EXEC_INSPECT, lambda a: a.update(ExitCode=None))], config=EXEC, seconds=30),
    cannot("exec: without ExitCode", "does not tell how a process", [lie("GET", EXEC_INSPECT, lambda a: a.pop("ExitCode") and None)], config=EXEC,
           seconds=30),
    cannot("exec: it ended and runs on", "does not tell how a process", [lie("GET", EXEC_INSPECT, lambda a: a.update(Running=True))], config=EXEC,
           seconds=30),
    cannot("exec: an exit code that 32 bits would make 0", "which is none", [lie("GET", EXEC_INSPECT, lambda a: a.update(ExitCode=1 << 32))],
           config=EXEC),
    cannot("exec: an exit code of text", "does not tell how a process", [lie("GET", EXEC_INSPECT, lambda a: a.update(ExitCode="0"))], config=EXEC,
           seconds=30),
    cannot("exec: whether it runs is a word", "does not tell whether", [lie("GET", EXEC_INSPECT, lambda a: a.update(Running="no"))], config=EXEC),
    says_no("exec: it never ends", "answers", [on("POST", EXEC_START, never=True)], config=EXEC, code="already-broken", check=outcome("timed-out"),
            seconds=30),
    cannot("exec: no frames", "no frame where one begins", [on("POST", EXEC_START, 200, None, b"hello world, a terminal", length="none")], config=EXEC),
    says_no("exec: 100 MB of words", "answers", [on("POST", EXEC_START, 200, None, flood, length="none")],
            options={"exec": (1,)}, config=EXEC, code="already-broken", check=outcome("timed-out"), memory_mib=120, seconds=40),
    cannot("healthy: a check of a kind that is not known", "of a kind that is not known", options={"config": {"Healthcheck": {"Test": ["HTTP", "/"]}}},
           config=HEALTHY),
    says_no("healthy: there is no check", "answers", options={"config": {"Healthcheck": {"Test": ["NONE"]}}}, config=HEALTHY, code="already-broken",
            check=outcome("failed")),
    says_no("healthy: never", "answers", options={"config": {"Healthcheck": {"Test": ["CMD", "check"]}}, "exec": (1,)}, config=HEALTHY,
            code="already-broken", check=outcome("timed-out"), seconds=30),
    says_no("a service that ends before it is ready", "answers", options={"service": ENDED}, config=TCP, code="already-broken",
            check=services_are("failed")),
    says_no("a service that ends while the command runs", "answers", [lie("GET", INSPECT, lambda a: a["State"].update(ENDED) if "-service-" in a["Name"] else None, nth=5)], config=config("ready: none"),
            check=services_are("failed")),
    says_no("a service whose child was killed for its memory", "answers", options={"service": {"OOMKilled": True}}, config=config("ready: none"),
            code="already-broken", check=outcome("oom")),
    cannot("a service that runs another image", "another image than the one that was pulled", [lie(
        "GET", INSPECT, lambda a: a.update(Image="sha256:" + "0" * 64) if "-service-" in a["Name"] else None)], config=TCP),
    cannot("a service that is gone", "the container is gone", [on("GET", INSPECT, 404, JSON, '{"message":"No such container"}')], config=TCP),
    cannot("a service without an address", "gave service app no address", [lie("GET", INSPECT, lambda a: a["NetworkSettings"].clear())], config=TCP),
    cannot("the helper: the program cannot be put into it", "make a helper container: .*507", [on("PUT", PUT, 507, JSON, '{"message":"full"}')],
           config=TCP),
    says_no("log: the line never comes", "answers", options={"logs": ((1, b"not yet\n"),)}, config=LOG, code="already-broken",
            check=outcome("timed-out"), seconds=30),
    says_no("log: two streams are two texts", "answers", options={"logs": ((1, b"rea"), (2, b"dy\n"))}, config=LOG, code="already-broken",
            check=outcome("timed-out"), seconds=30),
    cannot("log: no frames", "no frame where one begins", [on("GET", LOGS, 200, None, b"hello world, this is a terminal\r\n", chunked="good")],
           config=LOG),
    says_no("log: an endless line", "answers", [on("GET", LOGS, 200, None, flood, chunked="good")], config=LOG,
            code="already-broken", check=outcome("timed-out"), memory_mib=160, seconds=40),
]
# An engine whose containers cannot run our program: the service's own shell is asked.
VAX = [lie("GET", "(/v1\\.\\d+)?/version", lambda a: a.update(Arch="vax"))]
CASES += [
    passes("another platform: tcp is asked by the service's own shell", VAX, config=TCP, not_sent=[sent("engine", "POST", PROBE_CREATE)]),
    passes("another platform: http as well", VAX, config=config("ready: {http: '80/x'}")),
    says_no("another platform: there is no shell", "answers", VAX, config=TCP, code="already-broken", check=outcome("failed"), options={
        "exec": (126,), "exec_says": b'OCI runtime exec failed: exec failed: "sh": executable file not found in $PATH: unknown\r\n'}),
]
for name, method, path in (("the network", "POST", NETWORK_CREATE), ("the service", "POST", SERVICE_CREATE), ("the helper", "POST", PROBE_CREATE),
                           ("a process", "POST", EXEC_START), ("the removal of the network", "DELETE", NETWORK_REMOVE)):
    CASES.append(run("SIGINT in %s" % name, [spoil(method, path, never=True, sets="there")], exit=130, signal=("engine", "there", signal.SIGINT),
                     config=TCP, seconds=8, updates=[{"verdict": "hold", "code": "not-tested"}], said=["stopped by SIGINT"]))

for row in CASES:  # a program begins with the peak of the process that starts it, and floods run in this one
    row["memory_mib"] = max(row["memory_mib"], 160)

if __name__ == "__main__":
    main(CASES)
