#!/usr/bin/env python3
"""What engines do to a run: each call in turn is answered late, by halves, by a cut, by a lie, by a flood, with an error
inside a 200, out of order or never. A run that could not test ends with 3, moves nothing and says why; a test's own no
ends with 1; what was made is removed, or its removal was tried."""
import json
import os
import signal
import tarfile

from engine_api import (BUILD, BUILT, BUILT_REMOVE, CREATE, EVENTS, FOLLOW, GET, IMAGE, IMAGE_REMOVE, IMAGES, INFO, INSPECT, LIST, LOGS, PULL, PUT, REMOVE, START, VERSION,
                        TAG, VOLUME_CREATE, VOLUME_REMOVE, VOLUMES, buildkit, classic, engine, frame, image_id, left_behind, lie, machine_of, output, spoil, tar, told, vertex)
from harness import NEW, OLD, case, main, sent
from scripted import on

CONFIG = "version: 1\nchanges: off\ntests:\n  - {name: answers, run: [\"true\"], timeout: 30s}\n"
SHORT = CONFIG.replace("30s", "2s")
PROMOTED = {"Dockerfile": "FROM {registry}/app:1.0@%s\n" % NEW}
REGISTRY = [on("HEAD", "/v2/app/manifests/1.0", headers={"Docker-Content-Digest": NEW,
                                                         "Content-Type": "application/vnd.oci.image.index.v1+json"})]
QUICK = {"PINGATE_ENGINE_TIMEOUT": "2s"}
JSON = {"Content-Type": "application/json"}


def run(name, rows=(), options=None, check=None, servers=None, keeps=False, keeps_images=False, **expected):
    def whole_check(done):
        faults = left_behind(done) if not keeps and not keeps_images else []
        return faults + (check(done) or [] if check else [])
    expected.setdefault("config", CONFIG)
    expected.setdefault("seconds", 20)
    expected.setdefault("command", ["run"])
    servers = dict(servers or {"engine": engine(rows, **(options or {}))}, registry=REGISTRY)
    return case(name, servers, check=whole_check, **expected)


def passes(name, rows=(), options=None, **expected):
    return run(name, rows, options, exit=0, changed=PROMOTED, updates=[{"verdict": "promote"}], **expected)


def cannot(name, why, rows=(), options=None, **expected):
    """It could not be tested: exit status 3, the update is held, and the reason is told to the user and in the report."""
    return run(name, rows, options, exit=3, updates=[{"verdict": "hold", "code": "not-tested", "reason": why}],
               said=[why], **expected)


def says_no(name, why, rows=(), options=None, code="regression", **expected):
    return run(name, rows, options, exit=1, updates=[{"verdict": "reject", "code": code, "reason": why}], **expected)


def outcome(word):
    """The first trial's."""
    def check(done):
        found = [t["outcome"] for t in done.document.get("trials", [])][:1]
        return [] if found == [word] else ["the first trial is %r, expected %r" % (found, word)]
    return check


def attempts(count, *reasons, outcome="passed"):
    """The first trial was run so often, and the attempts before the last did not pass for these reasons."""
    import re

    def check(done):
        trial = done.document["trials"][0]
        told = trial["attempt_reasons"]
        good = trial["attempts"] == count and len(told) == len(reasons) and trial["outcome"] == outcome and all(
            re.search(regex, one) for regex, one in zip(reasons, told))
        return [] if good else ["attempts: %r, %r, %r" % (trial["attempts"], told, trial["outcome"])]
    return check


def whole_log(done):
    """Each command's log is that of the machine, once."""
    found = [(c["out_tail"], c["out_bytes"], c["err_bytes"]) for t in done.document["trials"] for c in t["commands"]]
    return [] if found and set(found) == {("hello\n", 6, 8)} else ["the logs are %r" % found]


def nothing_there(done):
    machine = machine_of(done.servers["engine"])
    return ["%s stayed" % one for one in (machine.containers, machine.volumes, machine.pulled, machine.built) if one]


def warned(regex):
    import re

    def check(done):
        return [] if any(re.search(regex, w) for w in done.document.get("warnings", [])) else \
            ["no warning is %r: %r" % (regex, done.document.get("warnings"))]
    return check


# Every call in turn, and what can become of it whatever it is.
STEPS = [  # name, method, path, an answer is read as JSON
    ("version", "GET", VERSION, True),
    ("info", "GET", INFO, True),
    ("the list of containers", "GET", LIST, True),
    ("the list of volumes", "GET", VOLUMES, True),
    ("the list of what was built", "GET", IMAGES, True),
    ("the look for the image", "GET", IMAGE, True),
    ("the making of a volume", "POST", VOLUME_CREATE, True),
    ("pull", "POST", PULL, False),
    ("create", "POST", CREATE, True),
    ("the copy of the workspace", "PUT", PUT, False),
    ("start", "POST", START, False),
    ("logs", "GET", LOGS, False),
    ("inspect", "GET", INSPECT, True),
    ("events", "GET", EVENTS, False),
]
CLEANING = [
    ("the removal of the container", "DELETE", REMOVE),
    ("the removal of the volume", "DELETE", VOLUME_REMOVE),
    ("the removal of the image", "DELETE", IMAGE_REMOVE),
]


def steps():
    for name, method, path, is_json in STEPS:
        yield cannot("%s: the socket is closed" % name, "engine unix://|answers no more|no Docker Engine", [on(method, path, close=True)])
        if name != "logs":  # these may be silent as long as the test may take
            yield cannot("%s: no answer" % name, "no whole answer within 2\\.0 s|answers no more|no byte came or went",
                         [on(method, path, never=True)], env=QUICK, seconds=30)
        yield cannot("%s: half an answer, then the end" % name, "engine unix://|no Docker Engine",
                     [spoil(method, path, cut_head=20)])
        yield cannot("%s: 500" % name, "the engine answered 500: boom at work",
                     [on(method, path, 500, JSON, '{"message":"boom at work"}')])
        if is_json:
            yield cannot("%s: text instead of JSON" % name, "is not JSON", [on(method, path, 200, None, "<html>hello</html>")])
            yield cannot("%s: JSON of another kind" % name, ".", [on(method, path, 200, JSON, "[7]")]) \
                if name not in ("info", "the list of containers", "the list of volumes", "the list of what was built") else \
                passes("%s: JSON of another kind" % name, [on(method, path, 200, JSON, "[7]")])
            yield cannot("%s: 100 MB of JSON" % name, "larger than",
                         [on(method, path, 200, JSON, '{"x":"', flood=100 << 20)], memory_mib=120)
        yield cannot("%s: a flood of headers" % name, "headers of the answer are larger",
                     [on(method, path, 200, None, "{}", flood_headers=4 << 20)])
    for name, method, path in CLEANING:
        told = warned("stayed in the engine|could not be removed")
        yield passes("%s: the socket is closed" % name, [on(method, path, close=True)], check=told)
        yield passes("%s: no answer" % name, [on(method, path, never=True)], env=QUICK, check=told)
        yield passes("%s: 500" % name, [on(method, path, 500, JSON, '{"message":"boom at work"}')], check=told)
        yield passes("%s: it is gone already" % name, [on(method, path, 404, JSON, '{"message":"no such thing"}')],
                     check=None if path == REMOVE else no_warning)

CASES = [
    passes("all goes well", check=nothing_there,
           sent=[sent("engine", "DELETE", VOLUME_REMOVE), sent("engine", "DELETE", IMAGE_REMOVE, count=1),
                 sent("engine", "POST", PULL, count=1)]),
    passes("over TCP", servers={"engine": engine(unix=False)}, env={"DOCKER_HOST": "tcp://{engine}"}),
    passes("the image was there: it is not pulled and stays", options={"images": (NEW,)},
           not_sent=[sent("engine", "POST", PULL), sent("engine", "DELETE", IMAGE_REMOVE)]),
]


def frames_row(*frames, **options):
    body = b"".join(one if isinstance(one, bytes) else frame(*one) for one in frames)
    options.setdefault("chunked", "good")
    return on("GET", LOGS, 200, None, body, **options)


def lines(*values):
    return [json.dumps(one).encode() + b"\n" for one in values]


def state(**changes):
    """A lie about every container."""
    return {"state": changes}


def whole(**changes):
    return {"inspect": changes}


def refused(status, words, code, times=1, **more):
    """A start that is refused, and what inspect then tells of the first containers."""
    def change(answer):
        answer["State"].update({"Status": "created", "ExitCode": code, "Error": words, "StartedAt": "0001-01-01T00:00:00Z",
                                "FinishedAt": "0001-01-01T00:00:00Z"}, **more)
    return [on("POST", START, status, JSON, json.dumps({"message": words}), times=times), lie("GET", INSPECT, change, times=times)]


def versions():
    yield passes("a newer engine is spoken to in the newest words that are known", options={"api": "1.99", "least": "1.44"},
                 sent=[sent("engine", "POST", "/v1\\.51/containers/create\\?.*")], not_sent=[sent("engine", ".*", "/v1\\.(99|41)/.*")])
    yield cannot("an engine that is too new", "newer pingate is needed", options={"api": "1.60", "least": "1.55"})
    yield cannot("an engine that is too old", "1\\.40 is the oldest.*newer engine is needed", options={"api": "1.39"})
    for word in ("2.0", "1.x", "", "1.", "1.99999999999999999999", "1.41; rm -rf", None):
        yield cannot("a version that is none: %r" % word, "is no Docker Engine", options={"api": word})
    yield cannot("a web server answers", "is not JSON", [on(".*", ".*", 200, {"Content-Type": "text/html"}, "<html></html>")])
    yield cannot("something that speaks no HTTP answers", "no Docker Engine answers at",
                 servers={"engine": dict(engine(), accept=b"SSH-2.0-OpenSSH_9.2\r\n")})
    yield cannot("it takes connections and says nothing", "no whole answer within 2\\.0 s",
                 servers={"engine": dict(engine(), accept="stall")}, env=QUICK)
    yield cannot("nobody listens at the address", "no Docker Engine answers at tcp://", env={"DOCKER_HOST": "tcp://{refused}"})
    yield cannot("there is no socket", "there is no socket at /nowhere/engine.sock: is the engine running",
                 env={"DOCKER_HOST": "unix:///nowhere/engine.sock"})
    yield run("an address that is not spoken", exit=2, env={"DOCKER_HOST": "npipe:////./pipe/docker_engine"}, said=["does not speak npipe://; use tcp://host:port"],
              updates=[{"verdict": "hold", "code": "not-tested"}])
    yield cannot("a host for ssh that has no address", "ssh says", env={"DOCKER_HOST": "ssh://build@host.invalid"})
    yield cannot("it goes after the first answers", "look for what dead runs left: engine unix://",
                 [spoil("GET", INFO, sets="down"), on(".*", ".*", when="down", close=True)])


def pulls():
    def detail(message):
        return {"errorDetail": {"message": message}, "error": "older words"}
    yield cannot("pull: an error inside a 200", "pull .*: unknown blob",
                 options={"pull": lines({"status": "Pulling"}, detail("unknown blob")), "pulled": False})
    yield cannot("pull: an error inside a 200, and the image is there all the same", "unknown blob",
                 options={"pull": lines(detail("unknown blob"), {"status": "Download complete"})})
    yield cannot("pull: an error in the old form", "no space left on device",
                 options={"pull": lines({"error": "no space left on device"}), "pulled": False})
    yield cannot("pull: an error without a word", "did not say why", options={"pull": lines({"errorDetail": {}}), "pulled": False})
    yield cannot("pull: an error without a line end", "denied", options={"pull": [b'{"error":"denied"}'], "pulled": False})
    yield cannot("pull: done, and there is no image", "says it is done and holds no image of this digest", options={"pulled": False})
    yield passes("pull: text in the stream, and the image is there", options={"pull": [b"<html>\n", b"\xff\xfe\n", b"[[[[\n"]})
    yield passes("pull: 20,000 layers", options={"pull": lines(*({"status": "Downloading", "id": str(n), "progressDetail":
                                                                  {"current": n, "total": n}} for n in range(20000)))})
    yield cannot("pull: one line of 2 MiB", "larger than|limit", options={"pull": [b'{"status":"' + b"x" * (2 << 20)]})
    for kind in ("short", "no-end", "size"):
        yield cannot("pull: a stream with a broken chunk (%s)" % kind, "pull .*: engine unix://", [spoil("POST", PULL, chunked=kind)])
    yield cannot("pull: the stream is cut", "pull .*: engine unix://", [spoil("POST", PULL, cut=40)])
    yield cannot("pull: the stream is reset", "pull .*: engine unix://", [spoil("POST", PULL, cut=40, reset=True)])
    yield cannot("pull: the stream stops", "no byte came or went for 4\\.0 s",
                 [on("POST", PULL, 200, JSON, '{"status":"Pulling"}\n', length="99", stall=True)], env=QUICK)
    yield passes("pull: slow, and it comes", [spoil("POST", PULL, drip=(64, 0.1))])
    for status, words in ((404, "manifest unknown"), (500, "no basic auth credentials"), (401, "unauthorized"), (503, "busy")):
        yield cannot("pull: %d %s" % (status, words), "the engine answered %d: %s" % (status, words),
                     [on("POST", PULL, status, JSON, json.dumps({"message": words}))])
    after = dict(when="pulled")
    mark = [spoil("POST", PULL, sets="pulled")]

    def image(change):
        return mark + [lie("GET", IMAGE, change, **after)]
    yield cannot("pull: another digest than the asked one is there", "holds no image of this digest",
                 image(lambda a: a.update(RepoDigests=["app@" + OLD])))
    yield cannot("pull: an image without digests is there", "holds no image of this digest", image(lambda a: a.update(RepoDigests=None)))
    yield cannot("pull: digests of another type", "holds no image of this digest", image(lambda a: a.update(RepoDigests={"x": 7})))
    yield cannot("pull: an image without an id is there", "an image without an id", image(lambda a: a.pop("Id") and None))
    yield cannot("pull: an id of another type", "an image without an id", image(lambda a: a.update(Id=7)))


def creates():
    yield cannot("create: the image went meanwhile", "No such image", [on("POST", CREATE, 404, JSON, '{"message":"No such image: x"}')])
    yield cannot("create: the name is taken: the other's container is not touched", "already in use",
                 [on("POST", CREATE, 409, JSON, '{"message":"Conflict. The name is already in use"}')],
                 not_sent=[sent("engine", "DELETE", REMOVE)])
    yield cannot("create: refused", "the engine answered 400: invalid mount",
                 [on("POST", CREATE, 400, {"Content-Type": "text/plain"}, "invalid mount\n")], not_sent=[sent("engine", "POST", START)])
    for what, body in (("no id", "{}"), ("an empty id", '{"Id":""}'), ("an id that is a number", '{"Id":7}'),
                       ("an id that is a path", '{"Id":"../../images/prune"}'), ("nothing", "")):
        yield cannot("create: %s" % what, "without an id", [spoil("POST", CREATE, body=body.encode())],
                     not_sent=[sent("engine", ".*", ".*prune.*")])
    mismatch = "The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64)"
    yield cannot("create: warned of another platform", "not for this engine's platform", options={"warnings": [mismatch]},
                 not_sent=[sent("engine", "POST", START)])
    yield passes("create: warned of a limit", options={"warnings": ["Your kernel does not support swap limit capabilities"]})
    yield passes("create: warnings that are none", [lie("POST", CREATE, lambda a: a.update(Warnings=[7, None, {}]))])
    yield cannot("create: made, and the answer is cut", "create the container: engine unix://", [spoil("POST", CREATE, cut=10)])
    yield cannot("create: made, and the answer never comes", "no whole answer within 2\\.0 s",
                 [spoil("POST", CREATE, never=True)], env=QUICK)
    yield passes("create: late", [spoil("POST", CREATE, delay=1.0)])
    for status, words in ((404, "Could not find the file /pingate"), (500, "no space left on device")):
        yield cannot("copy: %d" % status, "copy the workspace in: the engine answered %d: %s" % (status, words),
                     [on("PUT", PUT, status, JSON, json.dumps({"message": words}))], not_sent=[sent("engine", "POST", START)])
    yield passes("copy: late", [spoil("PUT", PUT, delay=1.0)])


def starts():
    exec_words = "OCI runtime create failed: exec: \\\"true\\\": executable file not found"
    yield cannot("start: 304, somebody else started it", "could not be started: the engine answered 304",
                 [spoil("POST", START, status=304)])
    yield cannot("start: 200 in place of 204", "answered 200 to a start", [spoil("POST", START, status=200, body=b"{}")])
    yield cannot("start: 404", "No such container", [on("POST", START, 404, JSON, '{"message":"No such container: x"}')])
    yield cannot("start: 409", "marked for removal", [on("POST", START, 409, JSON, '{"message":"container is marked for removal"}')])
    yield cannot("start: 500, the engine's fault", "failed to create shim", refused(500, "failed to create shim", 128, times=2))
    yield says_no("start: the command is not in the image (127)", "answers", refused(400, exec_words, 127), check=outcome("failed"))
    yield says_no("start: the command may not be run (126)", "answers", refused(400, "permission denied", 126), check=outcome("failed"))
    yield says_no("start: the user is not in the image", "answers",
                  refused(500, "unable to find user app: no matching entries in passwd file", 128), check=outcome("failed"))
    yield cannot("start: refused, and nothing is known of the container", "could not be started",
                 [on("POST", START, 400, JSON, '{"message":"no"}', times=2), on("GET", INSPECT, 500, JSON, "{}", times=2)])
    yield cannot("start: refused, and the container ran", "could not be started",
                 [on("POST", START, 400, JSON, '{"message":"no"}', times=2)] +
                 [lie("GET", INSPECT, lambda a: a["State"].update(ExitCode=127, StartedAt="2026-11-25T07:00:00Z"), times=2)])
    yield cannot("start: answered well, and it never started", "never started", [on("POST", START, 204)])
    yield cannot("start: answered well, never started, code 127", "never started", [on("POST", START, 204)], state(ExitCode=127))
    yield passes("start: late", [spoil("POST", START, delay=1.0)])


def logs():
    for what, rows, why in (
            ("the engine's own error", [frames_row((1, b"a"), (3, b"error from daemon in stream"))], "stream broke: error from daemon"),
            ("the engine's own error without a word", [frames_row((3, b""))], "stream broke"),
            ("ended in a header", [frames_row((1, b"a"), b"\1\0\0")], "inside a frame"),
            ("ended after a header", [frames_row((1, b"a"), b"\1\0\0\0\0\0\0\1")], "inside a frame"),
            ("ended in a frame", [frames_row(b"\1\0\0\0\0\0\0\5ab")], "inside a frame"),
            ("a frame of 4 GiB that ends", [frames_row(b"\1\0\0\0\xff\xff\xff\xffab")], "inside a frame"),
            ("text instead of frames", [frames_row(b"hello world, this is a terminal\r\n")], "no frame where one begins"),
            ("JSON instead of frames", [frames_row(b'{"message":"driver does not support reading"}')], "no frame where one begins"),
            ("cut in a chunk", [frames_row((1, b"hello"), chunked="short")], "engine unix://"),
            ("without the last chunk", [frames_row((1, b"hello"), chunked="no-end")], "engine unix://"),
            ("cut between frames", [frames_row((1, b"hello"), (1, b"world"), chunked=None, length="99", cut=13)], "engine unix://"),
            ("an end that is only the connection's", [frames_row((1, b"hello"), chunked=None, length="none")], "nobody knows whether it was whole"),
            ("404", [on("GET", LOGS, 404, JSON, '{"message":"No such container"}')], "No such container"),
            ("501", [on("GET", LOGS, 501, JSON, '{"message":"logging driver does not support reading"}')], "does not support reading")):
        yield cannot("logs: %s" % what, why, rows)
    yield passes("logs: nothing at all", [frames_row()])
    yield passes("logs: a byte at a time", [spoil("GET", LOGS, drip=(1, 0.005))])
    yield passes("logs: as HTTP with a length", [frames_row((1, b"hello"), chunked=None)])
    limited = CONFIG.replace("timeout", "log_limit: 8MiB, timeout")

    def flood():
        for _ in range(2 << 10):
            yield frame(1, b"x" * (1 << 20))
    yield run("logs: 2 GiB", [on("GET", LOGS, 200, None, flood, chunked="good")], exit=1, config=limited, seconds=60,
              updates=[{"verdict": "reject", "code": "already-broken"}], check=outcome("failed"))
    huge = b"\1\0\0\0\x80\0\0\0"
    yield run("logs: one frame of 2 GiB", [on("GET", LOGS, 200, None, huge, length="2147483656", flood=2 << 30, times=1)], exit=1,
              config=limited, seconds=60, updates=[{"verdict": "reject", "code": "regression"}], check=outcome("failed"))
    half = frame(1, b"hello\n")
    stuck = on("GET", LOGS, 200, None, half, length="99", stall=True)
    yield run("logs: they do not end, and the container runs: timed out", [stuck], state(Running=True, Status="running"), config=SHORT,
              exit=1, updates=[{"verdict": "reject", "code": "already-broken"}], check=outcome("timed-out"))
    yield cannot("logs: they do not end, and the container has ended", "its log had not when the test's time", [stuck], config=SHORT)
    yield cannot("logs: no answer, and the container has ended", "its log had not when the test's time", [on("GET", LOGS, never=True)],
                 config=SHORT)
    yield cannot("logs: they do not end, and the engine is gone", "did not tell how it stood",
                 [on("GET", LOGS, 200, None, half, length="99", stall=True, sets="down"), on("GET", INSPECT, when="down", close=True)],
                 config=SHORT)
    yield cannot("logs: they do not end, and inspect is never answered", "did not tell how it stood",
                 [stuck, on("GET", INSPECT, never=True)], config=SHORT, env=QUICK)
    # What Podman does to a container that ends at once: followed its log does not end, and read again it is there.
    endless = on("GET", FOLLOW, 200, None, half, length="99", stall=True)
    still = [lie("GET", INSPECT, lambda a: a["State"].update(Running=True, Status="running"), times=1)]
    yield passes("logs: followed they do not end, read again they do", [endless], check=whole_log, seconds=30)
    yield passes("logs: followed they never begin, read again they are there", [on("GET", FOLLOW, never=True)], check=whole_log, seconds=30)
    yield passes("logs: followed they do not end, the container ends later", [endless] + still, check=whole_log, seconds=40)
    yield says_no("logs: followed they do not end, and the command failed", "answers", [endless], {"exit": {NEW: 3}},
                  check=outcome("failed"), seconds=40)
    yield cannot("logs: they end neither followed nor read again", "no byte came or went for", [stuck], env=QUICK, seconds=30)
    running = [lie("GET", INSPECT, lambda a: a["State"].update(Running=True, Status="running"), times=1)]
    yield passes("logs: the engine is a moment late with the container's end", running)
    yield passes("logs: they ended early, while the container ran: it is run again", [frames_row((1, b"hel"), times=1)] + running,
                 check=attempts(2, "the log stream ended early"))
    yield cannot("logs: they ended, and the container runs on", "still runs", options=state(Running=True, Status="running"), seconds=30)


def inspects():
    for key in ("State", "Image", "Id"):
        for value in (None, 7, [], ""):
            yield cannot("inspect: %s is %r" % (key, value), "lacks its state|another", options=whole(**{key: value}))
    for key in ("ExitCode", "Running", "StartedAt", "OOMKilled"):
        for value in (None, [], "0" if key != "StartedAt" else 0):
            yield cannot("inspect: %s is %r" % (key, value), "lacks its state", options=state(**{key: value}))
    for value in (1.5, True, False):
        yield cannot("inspect: ExitCode is %r" % value, "lacks its state", options=state(ExitCode=value))
    for value in (1 << 32, -(1 << 32), (1 << 63) - 1):
        yield cannot("inspect: ExitCode is %d, whose low half is 0 or -1" % value, "which is none", options=state(ExitCode=value))
    yield cannot("inspect: ExitCode is larger than any number", "is not JSON", [
        spoil("GET", INSPECT, lambda row: setattr(row, "body", row.body.replace('"ExitCode": 0', '"ExitCode": 99999999999999999999')) or row)])
    yield says_no("inspect: exit code 3", "answers", options={"exit": {NEW: 3}}, check=outcome("failed"))
    yield says_no("inspect: exit code -1", "answers", options={"exit": {NEW: -1}}, check=outcome("failed"))
    yield says_no("inspect: exit code 126, of a shell inside", "answers", options={"exit": {NEW: 126}}, check=outcome("failed"))
    yield says_no("inspect: exit code 127, of a shell inside", "answers", options={"exit": {NEW: 127}}, check=outcome("failed"))
    yield says_no("inspect: exit code 127, and init says that the command is not there", "answers", options={
        "exit": {NEW: 127}, "logs": [(2, b"[FATAL tini (7)] exec /x failed: No such file or directory\n")]},
        check=lambda done: [] if "could not be started: exec /x failed" in done.document["trials"][0]["reason"] else
        [done.document["trials"][0]["reason"]])
    yield says_no("inspect: 137 without a word of memory", "answers", options={"exit": {NEW: 137}}, check=outcome("failed"))
    yield says_no("inspect: out of memory and 137", "answers", options={"exit": {NEW: 137}, "oom": {NEW: True}}, check=outcome("oom"))
    yield says_no("inspect: out of memory and 0", "answers", options={"oom": {NEW: True}}, check=outcome("oom"))
    yield says_no("inspect: fails on both", "answers", options={"exit": {NEW: 1, OLD: 1}}, code="already-broken")
    yield says_no("inspect: fails, and the pinned one could not be tried", "answers", [on("POST", CREATE, 500, JSON, "{}", nth=2), on("POST", CREATE, 500, JSON, "{}", nth=3)],
                  {"exit": {NEW: 1}}, code="test-failed")
    yield cannot("inspect: another image ran", "another image", options=whole(Image=image_id(OLD)))
    yield cannot("inspect: of another container", "another container", options=whole(Id="f" * 64))
    yield cannot("inspect: it never started", "never started", options=state(StartedAt="0001-01-01T00:00:00Z"))
    yield cannot("inspect: a start without a time", "never started", options=state(StartedAt=""))
    yield cannot("inspect: it has no end", "does not know when", options=state(FinishedAt="0001-01-01T00:00:00Z"))
    yield cannot("inspect: its end lacks", "does not know when", options=state(FinishedAt=None))
    yield cannot("inspect: exited with 0, and an error", "tells of an error: cannot mount", options=state(Error="cannot mount"))
    yield cannot("inspect: paused", "still runs", options=state(Paused=True), seconds=30)
    yield cannot("inspect: restarting", "still runs", options=state(Restarting=True), seconds=30)
    yield cannot("inspect: gone", "the container is gone", [on("GET", INSPECT, 404, JSON, '{"message":"No such container"}')])
    yield passes("inspect: late", [spoil("GET", INSPECT, delay=1.0)])


def ends():
    yield cannot("events: somebody stopped the container, and it exited with 0", "somebody stopped its container", options={"events": ["kill"]})
    yield passes("events: of other kinds", options={"events": ["exec_die", "attach"]})
    yield passes("events: of other containers", [on("GET", EVENTS, 200, JSON, json.dumps(
        {"Type": "container", "Action": "kill", "Actor": {"ID": "f" * 64}}))])
    yield passes("events: no JSON", [on("GET", EVENTS, 200, JSON, "\n\nnothing\n[]\n{}\n")])
    yield cannot("events: a flood", "limit|larger", [on("GET", EVENTS, 200, JSON, "{}\n", flood=4 << 20)])
    yield says_no("events: a failure stays one, whoever stopped it", "answers", options={"events": ["kill"], "exit": {NEW: 143}},
                  check=outcome("failed"), code="test-failed")


def restarts():
    down = on(".*", ".*", when="down", close=True)
    yield cannot("restart: gone in the middle of the log, for good", "answers no more",
                 [on("GET", LOGS, 200, None, frame(1, b"hello"), length="99", cut=13, sets="down"), down],
                 keeps=True, seconds=40)  # nothing can be asked of it any more
    yield cannot("restart: the log is cut, and the container is gone afterwards", "engine unix://",
                 [spoil("GET", LOGS, cut=5, sets="back"), on("GET", INSPECT, 404, JSON, "{}", when="back")])
    yield cannot("restart: the log ended well, and the container is gone afterwards", "the container is gone",
                 [on("GET", INSPECT, 404, JSON, '{"message":"No such container"}')])
    yield cannot("restart: it is older when it is back", "client version 1.41 is too new",
                 [on("POST", CREATE, 400, JSON, '{"message":"client version 1.41 is too new. Maximum supported API version is 1.30"}')])


def again():
    """What the engine spoiled is run again once, from the beginning; what a test said as often as it may."""
    down = on(".*", ".*", when="down", close=True, times=8)
    cut = dict(length="99", cut=13, sets="down", times=1)
    both = CONFIG.replace("timeout", "retries: 2, timeout")
    yield passes("again: the engine was started anew", [on("GET", LOGS, 200, None, frame(1, b"hello"), **cut), down],
                 check=lambda done: attempts(2, "engine unix://")(done) + nothing_there(done) + no_warning(done))
    for name, method, path in (("create", "POST", CREATE), ("the copy", "PUT", PUT), ("start", "POST", START), ("inspect", "GET", INSPECT),
                               ("the making of a volume", "POST", VOLUME_CREATE), ("logs", "GET", LOGS), ("events", "GET", EVENTS)):
        nth = dict(nth=2) if path == VOLUME_CREATE else dict(times=1)  # the first volume is the image's mark
        yield passes("again: %s failed once" % name, [on(method, path, 500, JSON, '{"message":"boom at work"}', **nth)],
                     check=lambda done: attempts(2, "boom at work")(done) + nothing_there(done))
    yield passes("again: the pull was reset once", [spoil("POST", PULL, cut=40, reset=True, times=1)],
                 sent=[sent("engine", "POST", PULL, count=2)], check=attempts(1))
    yield cannot("again: a pull that is refused is not", "unauthorized", [on("POST", PULL, 401, JSON, '{"message":"unauthorized"}')],
                 sent=[sent("engine", "POST", PULL, count=1)])
    yield cannot("again: an error twice is one", "boom at work", [on("POST", START, 500, JSON, '{"message":"boom at work"}')],
                 sent=[sent("engine", "POST", START, count=2)], check=attempts(2, "boom at work", outcome="error"), config=both)
    yield cannot("again: thirty trials that all err are no storm", "boom at work",
                 [on("POST", START, 500, JSON, '{"message":"boom at work"}')], sent=[sent("engine", "POST", START, count=38)],
                 config="version: 1\nchanges: off\ntests:\n" + "".join("  - {name: t%d, run: [\"true\"]}\n" % n for n in range(30)), seconds=60)
    yield says_no("again: a test that says no thrice", "answers", options={"exit": {NEW: 1}}, config=both,
                  sent=[sent("engine", "POST", START, count=4)],
                  check=attempts(3, "exited with 1", "exited with 1", outcome="failed"))


def over():
    """The run's time is over while a call of the engine is not answered."""
    limited = dict(command=["run", "--time-limit", "1500ms"], seconds=12, env=QUICK)
    for name, method, path in (("pull", "POST", PULL), ("the copy", "PUT", PUT), ("start", "POST", START), ("logs", "GET", LOGS),
                               ("inspect", "GET", INSPECT)):
        yield cannot("time over in %s" % name, "the run's time \\(1\\.5 s\\) was over", [on(method, path, never=True)], **limited)
    yield cannot("time over in create", "the run's time|no whole answer within", [on("POST", CREATE, never=True)], **limited)
    yield cannot("time over in a removal: what is to be proved after it is not", "ask whether somebody stopped.*the run's time",
                 [on("DELETE", REMOVE, never=True)], check=warned("stayed in the engine|could not be removed"), **limited)


def no_warning(done):
    found = done.document.get("warnings")
    return ["warned: %r" % found] if found else []


def removals():
    yield passes("remove: a removal is under way already", [spoil("DELETE", REMOVE, status=409, body=b'{"message":"already in progress"}')],
                 check=no_warning)
    yield passes("remove: the volume is in use", [on("DELETE", VOLUME_REMOVE, 409, JSON, '{"message":"volume is in use"}')],
                 check=warned("volume is in use"))
    yield passes("remove: the image is in use by somebody", [on("DELETE", IMAGE_REMOVE, 409, JSON, '{"message":"image is in use"}')],
                 check=no_warning)
    yield passes("remove: --keep-images", command=["run", "--keep-images"], not_sent=[sent("engine", "DELETE", IMAGE_REMOVE)],
                 check=lambda done: [] if done.servers["engine"].machine.pulled else ["the image went"], keeps_images=True)
    yield says_no("remove: --keep leaves a failed trial", "answers", options={"exit": {NEW: 1}}, command=["run", "--keep"],
                  keeps=True, check=lambda done: [] if len(done.servers["engine"].machine.containers) == 1 else ["no container is left"])


def labels(**changes):
    """Those of this process, which lives."""
    def read(path):
        with open(path) as opened:
            return opened.read().strip()
    import os
    import socket
    import time
    own = {"pingate.run": "0123456789abcdef", "pingate.host": socket.gethostname(),
           "pingate.boot": read("/proc/sys/kernel/random/boot_id"), "pingate.namespace": os.readlink("/proc/self/ns/pid"),
           "pingate.pid": str(os.getpid()), "pingate.started": read("/proc/self/stat").rpartition(")")[2].split()[19],
           "pingate.expires": str(int(time.time()) + 3600)}
    own.update(changes)
    return own


def others():
    import re
    dead, living = labels(**{"pingate.started": "1"}), labels()
    elsewhere = labels(**{"pingate.host": "elsewhere"})
    old = labels(**{"pingate.host": "elsewhere", "pingate.expires": "1000000000"})
    image = "{registry}/app@" + NEW
    gone = [sent("engine", "DELETE", "/v1\\.41/containers/d{64}\\?.*"), sent("engine", "DELETE", "/v1\\.41/volumes/dead\\?.*"),
            sent("engine", "DELETE", "/v1\\.41/volumes/old\\?.*")]
    kept = [sent("engine", "DELETE", "/v1\\.41/containers/a{64}.*"), sent("engine", "DELETE", "/v1\\.41/volumes/(living|elsewhere|no).*"),
            sent("engine", "DELETE", "/v1\\.41/containers/e{64}.*")]
    yield passes("sweep: what dead runs left goes, and nothing of others", options={
        "containers": [("d" * 64, dead), ("a" * 64, living), ("e" * 64, elsewhere)],
        "volumes": [("dead", dead), ("living", living), ("elsewhere", elsewhere), ("old", old), ("no", {"x": "y"})]},
        sent=gone, not_sent=kept)

    def marked(one):
        """A mark on the image that this case pulls; its name is known when the registry is."""
        def change(row):
            return row
        return [on("GET", VOLUMES, reply=lambda request, server: mark_reply(request, server, one))]

    def mark_reply(request, server, one):
        machine = machine_of(server)
        if "other" not in machine.volumes and not getattr(machine, "seen", False):
            machine.seen = True
            machine.volumes["other"] = dict(one, **{"pingate.image": server.fill(image)})
        return machine.reply(request, server)
    shared = [sent("engine", "DELETE", IMAGE_REMOVE)]
    yield passes("shared image: pulled by a run that lives: it stays for that one", marked(living), {"images": (NEW,)},
                 not_sent=shared + [sent("engine", "POST", PULL), sent("engine", "DELETE", "/v1\\.41/volumes/other.*")],
                 sent=[sent("engine", "POST", VOLUME_CREATE, body="pingate.image")])
    yield passes("shared image: pulled by a run that was killed: swept with its mark, and pulled anew", marked(dead), {"images": (NEW,)},
                 sent=[sent("engine", "DELETE", "/v1\\.41/volumes/other.*"), sent("engine", "POST", PULL, count=1),
                       sent("engine", "DELETE", IMAGE_REMOVE, count=2)])


WITH_ARTIFACTS = CONFIG.replace("timeout", 'artifacts: ["report/**", out.txt], timeout')
REPORT = tar(("report/", tarfile.DIRTYPE, ""), ("report/index.html", b"page"), ("report/img/a.png", b"pixel"))
OUT = tar(("out.txt", b"text"))
GOOD = {"report": REPORT, "out.txt": OUT}
ALL = {"out.txt": b"text", "report/img/a.png": b"pixel", "report/index.html": b"page"}


def fetched(files, *warnings, one_trial=False):
    """Below the trial's folder are these files and nothing else; these warnings are told, in order, and no others."""
    import re

    def check(done):
        root, found, faults = os.path.join(done.project, "pingate-out/artifacts/001-answers"), {}, []
        for folder, folders, names in os.walk(root if one_trial else os.path.dirname(root)):
            for name in names + folders:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not (os.path.isdir(path) or os.path.isfile(path)):
                    faults.append("%s is neither a file nor a folder" % path)
                elif os.path.isfile(path):
                    with open(path, "rb") as opened:
                        found[os.path.relpath(path, root)] = opened.read()
        trial, told = done.document["trials"][0], [w for w in done.document["warnings"] if not w.startswith("kept for a look")]
        if found != files:
            faults.append("fetched are %r" % {name: data[:40] for name, data in found.items()})
        if sorted(trial["artifacts"]) != sorted(files) or trial["artifact_count"] != len(files) or \
                trial["artifact_bytes"] != sum(map(len, files.values())) or \
                trial["artifact_folder"] != ("artifacts/001-answers" if files else None):
            faults.append("the result tells of %r" % {k: v for k, v in trial.items() if k.startswith("artifact")})
        if len(told) != len(warnings) or not all(
                re.match("artifacts of answers on .*/app:1.0: " + regex, one) for regex, one in zip(warnings, told)):
            faults.append("warnings are %r" % told)
        return faults
    return check


def artifact(name, archive, files, *warnings, rows=(), **expected):
    """Whatever comes of the fetching, the test has passed and the pin moves."""
    expected.setdefault("config", WITH_ARTIFACTS)
    return passes("artifacts: " + name, rows, {"archive": archive}, check=fetched(files, *warnings), **expected)


def artifacts():
    def spoiled(name, words, files={"out.txt": b"text"}, **changes):  # of the report; the other archive is well
        env = changes.pop("env", {})
        when = {"path": GET.replace(".*", ".*report"), "method": "GET"}
        return artifact(name, GOOD, files, words, rows=[spoil(when["method"], when["path"], **changes)], env=env, seconds=30)

    yield artifact("all is well", GOOD, ALL)
    yield passes("artifacts: none are asked for", not_sent=[sent("engine", "GET", GET)], check=lambda done: [] if
                 not os.path.exists(os.path.join(done.project, "pingate-out/artifacts")) else ["there is a folder for them"])
    yield says_no("artifacts: of a test that failed, and of its baseline", "fails on the candidate", [], {"archive": GOOD, "exit": {NEW: 3}},
                  config=WITH_ARTIFACTS, sent=[sent("engine", "GET", GET, count=4)], check=lambda done: [] if
                  [t["artifact_count"] for t in done.document["trials"]] == [3, 3] else ["trials: %r" % done.document["trials"]])
    yield run("artifacts: of the container that is kept", [], {"archive": GOOD, "exit": {NEW: 3, OLD: 3}}, exit=1, keeps=True,
              command=["run", "--keep"], config=WITH_ARTIFACTS, updates=[{"verdict": "reject", "code": "already-broken"}],
              check=fetched(ALL, one_trial=True))
    yield artifact("nothing is there", {}, {}, "no file matches report/\\*\\*", "no file matches out.txt")
    yield artifact("one is not there", {"out.txt": OUT}, {"out.txt": b"text"}, "no file matches report/\\*\\*")
    yield artifact("other files than were asked for", {"report": tar(("other/x", b"1"), ("reports/x", b"1"), ("x", b"1")),
                                                       "out.txt": tar(("out.txt/x", b"below"), ("out.txt.bak", b"1"))},
                   {"out.txt/x": b"below"}, "no file matches report/\\*\\*")
    yield artifact("names that lead elsewhere", {"report": tar(
        ("/etc/evil", b"1"), ("../evil", b"1"), ("report/../../evil", b"1"), ("report/..", b"1"), ("report//x", b"1"),
        ("report/good", b"1"), ("report/a\nb", b"1"), ("report/" + "n" * 300, b"1"), ("report/" + "d/" * 100 + "x", b"1"))},
        {"report/good": b"1"}, "left out: 8 names that are no paths; only regular files are fetched", config=WITH_ARTIFACTS.replace(", out.txt", ""))
    yield artifact("links, and files behind them", {"report": tar(
        ("report/etc", tarfile.SYMTYPE, "/etc"), ("report/etc/evil", b"1"), ("report/up", tarfile.SYMTYPE, "../../../.."),
        ("report/up/evil", b"1"), ("report/hard", tarfile.LNKTYPE, "/etc/passwd"), ("report/tty", tarfile.CHRTYPE, ""),
        ("report/disk", tarfile.BLKTYPE, ""), ("report/fifo", tarfile.FIFOTYPE, "")), "out.txt": OUT},
        {"report/etc/evil": b"1", "report/up/evil": b"1", "out.txt": b"text"},
        "left out: 3 links, 3 devices, fifos or sockets; only regular files are fetched")
    yield artifact("what was asked for is a link", {"report": tar(("report", tarfile.SYMTYPE, "/etc")), "out.txt": OUT}, {"out.txt": b"text"},
                   "left out: 1 link; only", "no file matches report")
    yield artifact("one name twice, a file over a folder, a folder over a file", {"report": tar(
        ("report/a", b"first"), ("report/a", b"second"), ("report/b/c", b"1"), ("report/b", b"2"), ("report/a/d", b"3")), "out.txt": OUT},
        {"report/a": b"first", "report/b/c": b"1", "out.txt": b"text"}, "left out: 3 files whose places were taken")
    def many():
        for number in range(20000):
            yield tar(("report/%d" % number, b""), end=False)
    yield passes("artifacts: 20,000 files", [], {"archive": {"report": many}},
                 config=WITH_ARTIFACTS, check=lambda done: warned("too many files: a trial may have 10000")(done) + (
                     [] if done.document["trials"][0]["artifact_count"] == 10000 else ["not 10,000 were fetched"]))
    bomb = tar(("report/bomb", tarfile.XHDTYPE, "", 100 << 20), end=False)
    yield artifact("a header of 100 MB", {"report": bomb, "out.txt": OUT}, {"out.txt": b"text"},
                   "report could not be fetched: the tar archive is malformed", memory_mib=80, rows=[
                       spoil("GET", GET.replace(".*", ".*report"), chunked=None, length="none", flood=100 << 20)])
    yield artifact("a terabyte is claimed, and little comes", {"report": tar(("report/x", tarfile.REGTYPE, "", 1 << 40), end=False),
                                                              "out.txt": OUT}, {"out.txt": b"text"},
                   "report could not be fetched: report/x: the tar archive is malformed or cut short")
    yield artifact("100 MB behind the archive's end", GOOD, ALL, rows=[
        spoil("GET", GET.replace(".*", ".*report"), chunked=None, length=str(len(REPORT) + (100 << 20)), flood=100 << 20)])
    yield artifact("an archive without its end", {"report": REPORT[:-1024], "out.txt": OUT}, ALL)
    yield artifact("an archive that is cut in a file", {"report": REPORT[:512 * 4], "out.txt": OUT},
                   {"report/index.html": b"page", "out.txt": b"text"}, "report could not be fetched whole: report/img/a.png: the tar")
    for words, body in (("text", b"<html>hello</html>"), ("JSON", b"[7]"), ("nothing", b""), ("gzip", b"\x1f\x8b\x08" + bytes(600)),
                        ("noise", bytes(range(256)) * 40)):
        yield artifact("%s instead of an archive" % words, {"report": body, "out.txt": OUT}, {"out.txt": b"text"},
                       "report could not be fetched: the tar archive is malformed")
    yield spoiled("the socket is closed", "report could not be fetched: engine unix://", close=True)
    yield spoiled("no answer", "report could not be fetched: engine unix://.*(no whole answer|no byte came or went)", never=True, env=QUICK)
    yield spoiled("half a head", "report could not be fetched: engine unix://", cut_head=20)
    yield spoiled("a cut in the first header", "report could not be fetched: engine unix://", cut=300)
    yield spoiled("a cut in the second file", "report could not be fetched( whole)?: engine unix://", cut=2100,
                  files={"report/index.html": b"page", "out.txt": b"text"})
    yield spoiled("a stall", "report could not be fetched( whole)?: engine unix://.*no byte came or went", cut=None, length=str(1 << 20),
                  chunked=None, stall=True, env=QUICK, files=ALL)
    yield spoiled("nobody knows where it ends", "report could not be fetched( whole)?: .*ended with its connection", chunked=None, length="none",
                  files=ALL)
    yield spoiled("500", "report could not be fetched: the engine answered 500: boom", status=500, chunked=None, headers=JSON,
                  body=b'{"message":"boom"}')
    yield spoiled("no such container", "report could not be fetched: the engine answered 404: No such container", status=404,
                  chunked=None, headers=JSON, body=b'{"message":"No such container: x"}')
    yield run("artifacts: SIGINT while they come", [spoil("GET", GET, never=True, sets="there")], {"archive": GOOD}, exit=130,
              signal=("engine", "there", signal.SIGINT), config=WITH_ARTIFACTS, seconds=8,
              updates=[{"verdict": "hold", "code": "not-tested"}], said=["stopped by SIGINT"])


BUILDS = CONFIG.replace("run:", "build: ., run:")


def built(word, step=None, tail=None):
    """The first trial's build."""
    def check(done):
        found = [t.get("build") for t in done.document.get("trials", [])][:1]
        if not found or not found[0] or found[0]["outcome"] != word:
            return ["the first build is %r, expected %r" % (found, word)]
        return [] if (step is None or found[0]["step"] == step) and (tail is None or tail in found[0]["tail"]) else \
            ["step or tail of the build: %r" % found[0]]
    return check


def builds():
    def lines_then(*more, first=lambda digests: [told(vertex("[1/2] FROM app@" + d)) for d in digests]):
        return {"build": lambda machine, digests, image: first(digests) + [one(image) if callable(one) else one for one in more]}

    def image(value):
        return {"id": "moby.image.id", "aux": {"ID": value}}

    def ok(name, rows=(), options=None, **more):
        return passes("build: " + name, rows, options, config=BUILDS, **more)

    def no(name, why, rows=(), options=None, **more):
        more.setdefault("config", BUILDS)
        return cannot("build: " + name, why, rows, options, not_sent=[sent("engine", "POST", START)], **more)
    failure = {"errorDetail": {"message": "exit code: 2"}, "error": "exit code: 2"}
    make = "[2/2] RUN make"
    yield ok("all goes well", check=lambda done: nothing_there(done) + (built("passed", tail="made")(done)),
             sent=[sent("engine", "POST", BUILD, count=1), sent("engine", "DELETE", BUILT_REMOVE, count=1)])
    yield ok("kept with --keep-images", command=["run", "--keep-images"], keeps_images=True,
             not_sent=[sent("engine", "DELETE", BUILT_REMOVE)])
    yield ok("no BuildKit: the classic builder", [on("POST", BUILD, 500, JSON, '{"message":"buildkit is not supported by daemon"}', times=1)],
             {"build": classic}, sent=[sent("engine", "POST", "/v1\\.\\d+/build\\?version=1&.*", count=1)],
             check=nothing_there)
    yield no("no BuildKit, and no other", "is not supported", [on("POST", BUILD, 500, JSON, '{"message":"buildkit is not supported"}')])
    for status in (400, 404, 409, 500):
        yield no("%d" % status, "build: the engine answered %d: boom" % status, [on("POST", BUILD, status, JSON, '{"message":"boom"}')])
    yield no("the socket is closed", "engine unix://", [on("POST", BUILD, close=True)])
    yield no("half an answer", "engine unix://", [spoil("POST", BUILD, cut_head=20)])
    yield no("the stream is cut", "build: engine unix://", [spoil("POST", BUILD, cut=300)])
    yield no("the stream is reset", "build: engine unix://", [spoil("POST", BUILD, cut=300, reset=True)])
    for kind in ("short", "no-end", "size"):
        yield no("a broken chunk (%s)" % kind, "build: engine unix://", [spoil("POST", BUILD, chunked=kind)])
    yield no("nobody knows where it ends", "ended with its connection", [spoil("POST", BUILD, chunked=None, length="none")])
    yield no("the stream ends too early, and well", "names no image", options=lines_then())
    yield no("an error inside a 200 before any step", "build: no space left", options=lines_then({"error": "no space left"}))
    yield says_no("build: an error inside a 200, of a step", "answers", options={"build": lambda machine, digests, image: [
        told(vertex("[1/2] FROM app@" + digests[0])), told(vertex(make, completed=False), output(make, b"last words\n")),
        told(vertex(make, error="exit code: 2")), failure] if NEW in digests else buildkit(machine, digests, image)},
        config=BUILDS, check=built("failed", make, "last words"))
    yield no("an error of a step, and an image all the same", "no space left", options=lines_then(
        {"error": "no space left"}, image))
    yield no("an error with NULs in it", "unknown instruction", options=lines_then(
        b'{"errorDetail":{"message":"unknown instruction: \\u0000\\u0000"}}\r\n', image))
    yield no("text in the stream", "is not what a build tells", options=lines_then(b"<html>\n", image))
    yield no("a trace that is none", "cannot be read", options=lines_then(
        {"id": "moby.buildkit.trace", "aux": "aGVsbG8="}, image))
    yield no("a trace that is no base64", "no base64", options=lines_then({"id": "moby.buildkit.trace", "aux": "!"}, image))
    yield ok("an older trace field and words that nobody knows", options=lines_then(
        {"id": "moby.buildkit.trace", "aux": None}, {"status": "x"}, {"id": "x", "aux": "y"}, [], image))
    for what, value in (("a short one", "sha256:77"), ("a path", "../../images/prune"), ("a number", 7), ("nothing", None)):
        yield no("an image id that is none: %s" % what, "without an id", options=lines_then(image(value)))
    yield no("an id of an image that is not there", "holds no such image", options={"built": False})
    yield no("an id of another image", "not the one that was asked for", [
        lie("GET", BUILT, lambda a: a["Config"]["Labels"].update({"pingate.build": "pingate-other-1"}))])
    yield no("an image that shows as another", "another image than it built", [lie("GET", BUILT, lambda a: a.update(Id=image_id(NEW)))])
    yield no("an image without labels", "not the one that was asked for", [lie("GET", BUILT, lambda a: a.update(Config=None))])
    yield no("another base was used", "nothing that was built uses", options={"build": lambda machine, digests, image: buildkit(
        machine, ["sha256:" + 64 * "7"], image)})
    yield no("a base that was only looked for", "nothing that was built uses", options=lines_then(
        image, first=lambda digests: [told(vertex("[internal] load metadata for app@" + d)) for d in digests]))
    yield no("a base that was announced and never came", "nothing that was built uses", options=lines_then(
        image, first=lambda digests: [told(vertex("[1/2] FROM app@" + d, completed=False)) for d in digests]))
    yield run("build: it stalls until the test's time is over", [spoil("POST", BUILD, never=True)], exit=1, seconds=30,
              config=BUILDS.replace("30s", "2s"), updates=[{"verdict": "reject", "code": "already-broken"}], check=built("timed-out"))
    yield run("build: it stalls with the engine", [spoil("POST", BUILD, never=True, sets="down"),
                                                   on("GET", ".*/_ping", when="down", close=True)], exit=3,
              seconds=30, config=BUILDS.replace("30s", "2s"), updates=[{"verdict": "hold", "code": "not-tested"}])
    yield says_no("build: a flood", "answers", options={"build": lambda machine, digests, image: [told(
        output(make, 100000 * b"x")) for _ in range(15)]}, config=BUILDS.replace("timeout", "log_limit: 1MiB, timeout"),
        code="already-broken", check=built("failed"), memory_mib=150)
    yield no("one line of 20 MiB", "larger than|limit", [on("POST", BUILD, 200, JSON, '{"stream":"', flood=20 << 20)], memory_mib=200)
    yield ok("6,000 steps", options={"build": lambda machine, digests, image: buildkit(machine, digests, image)[:-1] + [
        told(vertex("step %d" % n)) for n in range(6000)] + [{"id": "moby.image.id", "aux": {"ID": image}}]}, seconds=60)
    yield passes("build: its removal fails", [on("DELETE", BUILT_REMOVE, 500, JSON, '{"message":"boom"}')], config=BUILDS,
                 check=warned("stayed in the engine|could not be removed"))
    boom = {"status": 500, "headers": JSON, "body": '{"message":"boom"}'}
    yield passes("build: the list of what is to go fails once", [on("GET", IMAGES, nth=2, **boom)], config=BUILDS, check=no_warning)
    yield passes("build: the list of what is to go fails twice", [on("GET", IMAGES, nth=2, **boom), on("GET", IMAGES, nth=3, **boom)],
                 config=BUILDS, keeps=True, check=warned("stayed in the engine|could not be removed"))
    yield ok("containerd's store: each base gets a name for the time of the build", options={
        "info": {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}},
        sent=[sent("engine", "POST", TAG, count=1), sent("engine", "DELETE", ".*/images/[^?]*/app:pingate-.*", count=1)],
        check=nothing_there)
    yield no("containerd's store: a name cannot be given", "name the image .*: the engine answered 500: boom",
             [on("POST", TAG, 500, JSON, '{"message":"boom"}')],
             {"info": {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}})
    yield run("build: SIGTERM while it runs", [spoil("POST", BUILD, never=True, sets="there")], exit=143, config=BUILDS,
              signal=("engine", "there", signal.SIGTERM), seconds=8, updates=[{"verdict": "hold", "code": "not-tested"}],
              said=["stopped by SIGTERM"])
    dead = {"pingate.run": "dead", "pingate.host": "h", "pingate.expires": "1"}
    yield passes("build: what a dead run built is swept, what a living one or somebody else built is not", options={"built_images": (
        ("sha256:" + 64 * "1", dead), ("sha256:" + 64 * "2", dict(dead, **{"pingate.expires": "99999999999"})),
        ("sha256:" + 64 * "3", {"maintainer": "x"}))},
        check=lambda done: [] if sorted(i[7] for i in machine_of(done.servers["engine"]).built) == ["2", "3"]
        else ["built images: %r" % machine_of(done.servers["engine"]).built])
# What changed between two images that are both there; `deny` asks for it before the tests.
DENY = CONFIG.replace("changes: off\n", "deny: [user-becomes-root, package-removed]\n")
STATUS = "/var/lib/dpkg/status"
BOTH = tar(("status", b"Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n"))
ONE = tar(("status", b"Package: a\nVersion: 2\n"))
LOOK = CREATE.replace(".*", ".*look.*")


def changed(name, verdict, why, rows=(), database=None, shown=None, images=(OLD, NEW), config=DENY, check=None, **expected):
    options = {"images": images, "database": database or {STATUS: BOTH}, "shown": shown or {}}
    known = {"denied": (1, {"verdict": "reject", "code": "change-denied"}), "held": (3, {"verdict": "hold", "code": "not-tested"}),
             "passes": (0, {"verdict": "promote"})}[verdict]
    update = dict(known[1], **({"reason": why} if why else {}))
    if verdict == "passes":
        expected["changed"] = PROMOTED
    else:
        expected.setdefault("not_sent", [sent("engine", "POST", START)])
    return run("changes: " + name, rows, options, exit=known[0], updates=[update], config=config, check=check, **expected)


def changes():
    could_not = "could not be looked for: package-removed: the packages could not be read: "
    yield changed("nothing that is denied", "passes", None, database={STATUS: {OLD: BOTH, NEW: BOTH}})
    yield changed("a package is removed", "denied", "package-removed: package b is gone$", database={STATUS: {OLD: BOTH, NEW: ONE}})
    yield changed("a database is removed", "denied", "package a is gone, package b is gone$", database={STATUS: {OLD: BOTH}})
    yield changed("a user becomes root", "denied", "user-becomes-root: user 5 → root$", shown={OLD: {"Config": {"User": "5"}}},
                  not_sent=[sent("engine", "POST", CREATE)])
    yield changed("a configuration of a wrong type", "held", "User is of a wrong type", shown={NEW: {"Config": {"User": 0}}},
                  surprises=True)
    yield changed("another digest is shown", "held", ".", shown={NEW: {"RepoDigests": ["x@" + OLD]}}, surprises=True,
                  rows=[on("POST", PULL, 500, JSON, '{"message":"boom"}')])
    yield changed("an id that is none", "held", "package-removed|Id|without an id", shown={NEW: {"Id": None}}, surprises=True)
    yield changed("the id of another image", "held", could_not, shown={NEW: {"Id": "sha256:" + "0" * 64}})
    for words, body in (("a link", tar(("status", tarfile.SYMTYPE, "/etc/shadow"))), ("a fifo", tar(("status", tarfile.FIFOTYPE, ""))),
                        ("a device", tar(("status", tarfile.BLKTYPE, ""))), ("another file", tar(("shadow", b"root:x"))),
                        ("nothing", tar()), ("no archive", b"hello"), ("a cut archive", BOTH[:600]),
                        ("an archive without its end", tar(("status", b"Package: a\nVersion: 1\n" * 400), end=False)[:4000]),
                        ("a claim of 1 TB", tar(("status", tarfile.REGTYPE, "", 1 << 40))), ("noise", bytes(range(256)) * 40),
                        ("a name that leads out", tar(("../status", b"Package: a\nVersion: 1\n"))),
                        ("another database", tar(("status", b"SQLite format 3\0")))):
        yield changed("%s for a database" % words, "held", could_not + ".*" + STATUS, database={STATUS: {OLD: BOTH, NEW: body}})

    def flood():
        yield tar(("status", tarfile.REGTYPE, "", 1 << 40), end=False)
        for _ in range(200):
            yield b"x" * (1 << 20)
    yield changed("a flood for a database", "held", could_not + ".*larger than 64 MiB", database={STATUS: {OLD: BOTH, NEW: flood}},
                  memory_mib=200, seconds=40)
    yield changed("a database of RPM", "held", could_not + ".*RPM", database={
        STATUS: {OLD: BOTH}, "/var/lib/rpm/rpmdb.sqlite": {NEW: tar(("rpmdb.sqlite", b"x"))}})
    for words, how in (("the socket is closed", {"close": True}), ("half a head", {"cut_head": 20}), ("a cut", {"cut": 700}),
                       ("no end", {"chunked": None, "length": "none"}),
                       ("500", {"status": 500, "chunked": None, "headers": JSON, "body": b'{"message":"boom"}'}),
                       ("no such container", {"status": 404, "chunked": None, "headers": JSON, "body": b'{"message":"No such container: x"}'}),
                       ("never", {"never": True})):
        yield changed("an archive: %s" % words, "held", could_not, [spoil("GET", GET + "dpkg%2Fstatus", **how)], env=QUICK, seconds=30)
        if words not in ("a cut", "no end"):  # its answer is shorter, and tells its end
            yield changed("the look: %s" % words, "held", ".", [spoil("POST", LOOK, **how)], env=QUICK, seconds=30)
    yield changed("for the report alone, nothing can go wrong", "passes", None, [spoil("POST", LOOK, close=True)],
                  config=DENY.replace("deny: [user-becomes-root, package-removed]\n", ""))
    yield changed("the container that was looked into stays", "passes", None, [on("DELETE", REMOVE, 500, JSON, '{"message":"boom"}')],
                  config=DENY.replace("deny: [user-becomes-root, package-removed]\n", ""), check=warned("stayed in the engine|could not be removed"))
    for number in (signal.SIGINT, signal.SIGTERM):
        yield run("changes: %s while it is read" % number.name, [spoil("GET", GET, never=True, sets="there")],
                {"images": (OLD, NEW), "database": {STATUS: BOTH}}, exit=128 + number, config=DENY, seconds=8,
                signal=("engine", "there", number), updates=[{"verdict": "hold", "code": "not-tested"}], said=["stopped by " + number.name])


def signals():
    for name, method, path, seconds in (("pull", "POST", PULL, 3), ("copy", "PUT", PUT, 3), ("create", "POST", CREATE, 8),
                                        ("start", "POST", START, 3), ("logs", "GET", LOGS, 3), ("inspect", "GET", INSPECT, 3),
                                        ("the removal of a container", "DELETE", REMOVE, 8)):
        for number in (signal.SIGINT, signal.SIGTERM):
            yield run("%s in %s" % (number.name, name), [spoil(method, path, never=True, sets="there")], exit=128 + number,
                      signal=("engine", "there", number), seconds=seconds,
                      updates=[{"verdict": "hold", "code": "not-tested", "reason": number.name}],
                      said=["stopped by " + number.name],
                      check=lambda done: [] if [t["outcome"] for t in done.document["trials"]] in (["error"], ["passed"])
                      else ["trials: %r" % done.document["trials"]])


CASES += list(steps()) + list(versions()) + list(pulls()) + list(creates()) + list(starts()) + list(logs()) + list(inspects())
CASES += list(ends()) + list(restarts()) + list(again()) + list(over()) + list(removals()) + list(others()) + list(artifacts()) + list(changes())
CASES += list(builds()) + list(signals())

if __name__ == "__main__":
    main(CASES)
