"""A Docker Engine as a state machine: true to its API in what the program uses of it, with nothing behind it.

    engine()                                       all goes well
    engine([on("POST", CREATE, 500, …)])           a row that answers instead of the machine, which then has done nothing
    engine([spoil("POST", CREATE, cut=5)])         the machine does its work, and only its answer is spoiled
    engine(exit={NEW: 3}, logs=[(1, b"…")])        what containers do; see OPTIONS

What was made and is still there when the program has ended is a fault, unless its removal was tried: see left_behind().
"""
import base64
import copy
import hashlib
import io
import json
import re
import struct
import tarfile
from urllib.parse import parse_qs, unquote, urlsplit

from harness import NEW, OLD, server
from scripted import on

V = "/v1\\.\\d+"
ID = "/[0-9a-f]{64}"
VERSION = "/version"
INFO = V + "/info"
LIST = V + "/containers/json\\?.*"
VOLUMES = V + "/volumes\\?.*"
VOLUME_CREATE = V + "/volumes/create"
VOLUME_REMOVE = V + "/volumes/pingate-[^/]*"
NETWORKS = V + "/networks\\?.*"
NETWORK_CREATE = V + "/networks/create"
NETWORK_REMOVE = V + "/networks/[^/]*"
SERVICE_CREATE = V + "/containers/create\\?name=.*-service-.*"
PROBE_CREATE = V + "/containers/create\\?name=.*-probe"
EXEC_CREATE = V + "/containers" + ID + "/exec"
EXEC_START = V + "/exec" + ID + "/start"
EXEC_INSPECT = V + "/exec" + ID + "/json"
IMAGE = V + "/images/.*/json"
PULL = V + "/images/create\\?.*"
IMAGE_REMOVE = V + "/images/[^?]*@sha256:[0-9a-f]*"
IMAGES = V + "/images/json\\?.*"
BUILD = V + "/build\\?.*"
BUILT = V + "/images/sha256:[0-9a-f]{64}/json"
BUILT_REMOVE = V + "/images/sha256:[0-9a-f]{64}"
TAG = V + "/images/sha256:[0-9a-f]{64}/tag\\?.*"
CREATE = V + "/containers/create\\?.*"
PUT = V + "/containers" + ID + "/archive\\?.*"
GET = V + "/containers" + ID + "/archive\\?.*"
START = V + "/containers" + ID + "/start"
LOGS = V + "/containers" + ID + "/logs\\?.*"
FOLLOW = V + "/containers" + ID + "/logs\\?follow=1&.*"
INSPECT = V + "/containers" + ID + "/json"
EVENTS = V + "/events\\?.*"
REMOVE = V + "/containers/[^/]*\\?force=1&v=1"
JSON = {"Content-Type": "application/json"}

OPTIONS = {
    "api": "1.41", "least": "1.12",
    "images": (),  # digests that are there from the beginning
    "exit": {},  # digest: exit code of what runs in it
    "oom": {},  # digest: True
    "logs": ((1, b"hello\n"), (2, b"warning\n")),  # (stream, bytes) of each container
    "state": {},  # changes of State in every inspect
    "inspect": {},  # changes of the rest; None takes a member away
    "volumes": (),  # of others: (name, labels)
    "containers": (),  # of others: (id, labels)
    "events": (),  # actions that the engine tells of a container
    "warnings": (),  # of a create
    "archive": {},  # path below the workspace: what a GET of it brings, as tar() makes it
    "database": {},  # path: what a GET of that path brings out of a container that was never started
    "shown": {},  # digest: members of what is shown of the image
    "networks": (),  # of others: (id, labels)
    "service": {},  # changes of State of what is named as a service
    "config": {},  # members of its Config
    "exec": (0,),  # exit codes of what is started in containers, one after the other; the last one stays
    "exec_says": b"",  # on standard output
    "pull": None,  # lines of a pull's stream instead of the usual ones
    "pulled": True,  # whether the image is there after a pull
    "build": None,  # function(Machine, digests of the side Dockerfile, id) -> lines of a build's stream; see buildkit()
    "built": True,  # whether the image is there after a build
    "info": {},  # changes of /info
    "built_images": (),  # of others: (id, labels)
}


def frame(stream, data):
    return struct.pack(">BxxxI", stream, len(data)) + data


def tar(*entries, end=True):
    """An archive as engines send it. An entry: (name, bytes), or (name, type of tarfile, target or ""[, size that is claimed])."""
    out = io.BytesIO()
    for name, what, *more in entries:
        entry = tarfile.TarInfo(name)
        data = what if len(more) == 0 else b""
        if more:
            entry.type, entry.linkname = what, more[0]
        entry.size = more[1] if len(more) > 1 else len(data)
        out.write(entry.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512))
    return out.getvalue() + (bytes(1024) if end else b"")


def field(number, data):
    def varint(value):
        out = b""
        while value > 127:
            out, value = out + bytes([value & 127 | 128]), value >> 7
        return out + bytes([value])
    return varint(number << 3 | 2) + varint(len(data)) + data


def vertex(name, started=True, completed=True, cached=False, error=""):
    body = field(1, name.encode()) + field(3, name.encode())
    return field(1, body + (b"\x20\x01" if cached else b"") + (field(5, b"") if started else b"") +
                 (field(6, b"") if completed else b"") + (field(7, error.encode()) if error else b""))


def output(name, data):
    return field(3, field(1, name.encode()) + field(4, data))


def told(*parts):
    """A line of BuildKit."""
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(parts)).decode()}


def buildkit(machine, digests, built):
    return [told(vertex("[1/2] FROM app@" + digest)) for digest in digests] + [
        told(vertex("[2/2] RUN make", completed=False), output("[2/2] RUN make", b"made\n")),
        told(vertex("[2/2] RUN make")), {"id": "moby.image.id", "aux": {"ID": built}}]


def classic(machine, digests, built):
    return [{"stream": "Step 1/2 : FROM ${BASE}"}, {"stream": "\n"},
            {"stream": " ---> %s\n" % image_id(digests[0])[7:19]}, {"stream": "Step 2/2 : RUN make"}, {"stream": "\n"},
            {"stream": " ---> 0123456789ab\n"}, {"aux": {"ID": built}}, {"stream": "Successfully built 0123456789ab\n"}]


def image_id(digest):
    return "sha256:" + hashlib.sha256(digest.encode()).hexdigest()


def json_row(status, value):
    return on("", "", status, JSON, json.dumps(value))


def refuse(status, words):
    return json_row(status, {"message": words})


class Machine:
    def __init__(self, options):
        self.options = dict(OPTIONS, **options)
        self.images = set(self.options["images"])
        self.pulled = set()
        self.volumes = dict(self.options["volumes"])
        self.built = dict(self.options["built_images"])  # id: labels
        self.networks = {key: {"Name": "other", "Labels": labels} for key, labels in self.options["networks"]}
        self.execs = []  # exit codes of those that were made
        self.containers = {}  # id: {"name", "image", "labels", "status"}
        for number, (name, labels) in enumerate(self.options["containers"]):
            self.containers[name] = {"name": "other-%d" % number, "digest": NEW, "labels": labels, "status": "running"}
        self.made = []  # what the program made: ("container", id, name), ("volume", name, name), ("image", digest, …)

    def reply(self, request, server):
        parts = urlsplit(request.path)
        path = unquote(re.sub(r"\A/v1\.\d+", "", parts.path))
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        for method, regex, answer in ROUTES:
            match = re.match(regex + r"\Z", path)
            if method == request.method and match:
                with server.lock:
                    return answer(self, request, query, *match.groups())
        with server.lock:
            server.surprises.append(request)
        return refuse(404, "page not found")

    def version(self, request, query):
        return json_row(200, {"Platform": {"Name": "Docker Engine - Community"}, "Version": "20.10.24", "Os": "linux",
                              "Arch": "amd64", "ApiVersion": self.options["api"], "MinAPIVersion": self.options["least"]})

    def info(self, request, query):
        return json_row(200, dict({"Driver": "overlay2", "OSType": "linux"}, **self.options["info"]))

    def ping(self, request, query):
        return on("", "", 200, {"Content-Type": "text/plain"}, b"OK")

    def wanted(self, query, labels):
        for one in json.loads(query.get("filters", "{}")).get("label", []):
            key, equals, value = one.partition("=")
            if key not in labels or (equals and labels[key] != value):
                return False
        return True

    def list_containers(self, request, query):
        return json_row(200, [{"Id": i, "Names": ["/" + c["name"]], "Labels": c["labels"]}
                              for i, c in self.containers.items() if self.wanted(query, c["labels"])])

    def list_volumes(self, request, query):
        found = [{"Name": n, "Labels": labels} for n, labels in self.volumes.items() if self.wanted(query, labels)]
        return json_row(200, {"Volumes": found or None, "Warnings": None})

    def create_volume(self, request, query):
        spec = json.loads(request.body_start.decode())
        self.volumes[spec["Name"]] = spec["Labels"]
        self.made.append(("volume", spec["Name"], spec["Name"]))
        return json_row(201, {"Name": spec["Name"], "Driver": "local", "Labels": spec["Labels"]})

    def remove_volume(self, request, query, name):
        if name not in self.volumes:
            return refuse(404, "get %s: no such volume" % name)
        if any(c.get("volume") == name for c in self.containers.values()):
            return refuse(409, "remove %s: volume is in use" % name)
        del self.volumes[name]
        return on("", "", 204)

    def show_image(self, request, query, reference):
        if reference in self.built:
            return json_row(200, {"Id": reference, "RepoDigests": [], "Config": {"Labels": self.built[reference]}})
        digest = reference.partition("@")[2]
        if digest not in self.images:
            return refuse(404, "No such image: " + reference)
        return json_row(200, dict({"Id": image_id(digest), "RepoDigests": [reference], "RepoTags": [], "Os": "linux",
                                   "Architecture": "amd64"}, **self.options["shown"].get(digest, {})))

    def list_images(self, request, query):
        return json_row(200, [{"Id": i, "Labels": labels} for i, labels in self.built.items() if self.wanted(query, labels)])

    def build(self, request, query):
        labels = json.loads(query["labels"])
        digests = re.findall(rb"@(sha256:[0-9a-f]{64})", request.body_start[request.body_start.index(b".pingate."):])
        built = "sha256:" + hashlib.sha256(labels["pingate.build"].encode()).hexdigest()
        if self.options["built"]:
            self.built[built] = labels
            self.made.append(("built", built, labels["pingate.build"]))
        lines = (self.options["build"] or buildkit)(self, [one.decode() for one in digests], built)
        body = b"".join(json.dumps(line).encode() + b"\r\n" if not isinstance(line, bytes) else line for line in lines)
        return on("", "", 200, JSON, body, chunked="good")

    def tag(self, request, query, reference):
        return on("", "", 201)

    def pull(self, request, query):
        digest = query["fromImage"].partition("@")[2]
        if self.options["pulled"]:
            self.images.add(digest)
            self.pulled.add(digest)
            self.made.append(("image", digest, digest))
        lines = self.options["pull"]
        if lines is None:
            lines = [{"status": "Pulling from app", "id": digest}] + [
                {"status": "Downloading", "id": "aa", "progressDetail": {"current": n, "total": 3}} for n in (1, 2, 3)] + [
                {"status": "Status: Downloaded newer image"}]
        body = b"".join(json.dumps(line).encode() + b"\r\n" if not isinstance(line, bytes) else line for line in lines)
        return on("", "", 200, JSON, body, chunked="good")

    def remove_image(self, request, query, reference):
        if self.built.pop(reference, None) is not None:
            return json_row(200, [{"Deleted": reference}])
        digest = reference.partition("@")[2]
        if digest not in self.images:
            return refuse(404, "No such image: " + reference)
        self.images.discard(digest)
        self.pulled.discard(digest)
        return json_row(200, [{"Untagged": reference}])

    def create(self, request, query):
        spec = json.loads(request.body_start.decode())
        by_id = [digest for digest in self.images if image_id(digest) == spec["Image"]]
        digest = spec["Image"] if spec["Image"] in self.built else by_id[0] if by_id else spec["Image"].partition("@")[2]
        if digest not in self.images and digest not in self.built:
            return refuse(404, "No such image: " + spec["Image"])
        if any(c["name"] == query["name"] for c in self.containers.values()):
            return refuse(409, 'Conflict. The container name "/%s" is already in use' % query["name"])
        container = hashlib.sha256(query["name"].encode()).hexdigest()
        self.containers[container] = {"name": query["name"], "digest": digest, "labels": spec["Labels"],
                                      "status": "created",
                                      "volume": (spec["HostConfig"].get("Mounts") or [{}])[0].get("Source")}
        self.made.append(("container", container, query["name"]))
        return json_row(201, {"Id": container, "Warnings": list(self.options["warnings"])})

    def known(self, name):
        for container, one in self.containers.items():
            if name in (container, one["name"]):
                return container
        return None

    def put(self, request, query, container):
        return on("", "", 200) if self.known(container) else refuse(404, "No such container: " + container)

    def get(self, request, query, container):
        if not self.known(container):
            return refuse(404, "No such container: " + container)
        path = query["path"]
        if path.startswith("/pingate/workspace"):
            body = self.options["archive"].get(path.partition("/pingate/workspace")[2].lstrip("/"))
        else:
            found = self.options["database"].get(path)
            body = found.get(self.containers[self.known(container)]["digest"]) if isinstance(found, dict) else found
        if body is None:
            return refuse(404, "Could not find the file %s in container %s" % (query["path"], container))
        return on("", "", 200, {"Content-Type": "application/x-tar"}, body, chunked="good")

    def start(self, request, query, container):
        if not self.known(container):
            return refuse(404, "No such container: " + container)
        stays = re.search("-service-[0-9]+$|-probe$", self.containers[container]["name"])
        self.containers[container]["status"] = "running" if stays else "exited"
        return on("", "", 204)

    def logs(self, request, query, container):
        if not self.known(container):
            return refuse(404, "No such container: " + container)
        body = b"".join(frame(*one) for one in self.options["logs"])
        return on("", "", 200, None, body, chunked="good")

    def inspect(self, request, query, container):
        one = self.containers.get(container)
        if not one:
            return refuse(404, "No such container: " + container)
        ran = one["status"] != "created"
        digest = one["digest"]
        state = {"Status": one["status"], "Running": False, "Paused": False, "Restarting": False, "Dead": False,
                 "OOMKilled": bool(self.options["oom"].get(digest)), "Error": "",
                 "ExitCode": self.options["exit"].get(digest, 0) if ran else 0,
                 "StartedAt": "2026-11-25T07:00:00.5Z" if ran else "0001-01-01T00:00:00Z",
                 "FinishedAt": "2026-11-25T07:00:01.25Z" if ran else "0001-01-01T00:00:00Z"}
        state.update(self.options["state"])
        if one["status"] == "running":
            state.update({"Running": True, "ExitCode": 0, "FinishedAt": "0001-01-01T00:00:00Z"})
        if "-service-" in one["name"]:
            state.update(self.options["service"])
        whole = {"Id": container, "Name": "/" + one["name"], "Image": digest if digest in self.built else image_id(digest), "State": state,
                 "Config": dict(self.options["config"]),
                 "NetworkSettings": {"Networks": {one["Name"]: {"NetworkID": key, "IPAddress": "10.1.2.3"} for key, one in self.networks.items()}}}
        whole.update(self.options["inspect"])
        for found in (whole, whole["State"] if isinstance(whole["State"], dict) else {}):
            for key in [key for key, value in found.items() if value is None]:
                del found[key]
        return json_row(200, whole)

    def list_networks(self, request, query):
        return json_row(200, [dict(one, Id=key) for key, one in self.networks.items() if self.wanted(query, one["Labels"])])

    def create_network(self, request, query):
        spec = json.loads(request.body_start.decode())
        if any(one["Name"] == spec["Name"] for one in self.networks.values()) and spec["CheckDuplicate"]:
            return refuse(409, "network with name %s already exists" % spec["Name"])
        key = hashlib.sha256(b"network" + spec["Name"].encode()).hexdigest()
        self.networks[key] = spec
        self.made.append(("network", key, spec["Name"]))
        return json_row(201, {"Id": key, "Warning": ""})

    def remove_network(self, request, query, name):
        for key, one in self.networks.items():
            if name in (key, one["Name"]):
                del self.networks[key]
                return on("", "", 204)
        return refuse(404, "network %s not found" % name)

    def create_exec(self, request, query, container):
        one = self.containers.get(self.known(container))
        if not one or one["status"] != "running":
            return refuse(409, "Container %s is not running" % container)
        codes = self.options["exec"]
        self.execs.append(codes[min(len(self.execs), len(codes) - 1)])
        return json_row(201, {"Id": "%064x" % (len(self.execs) - 1)})

    def start_exec(self, request, query, number):
        return on("", "", 200, {"Content-Type": "application/vnd.docker.raw-stream"},
                  frame(1, self.options["exec_says"]) if self.options["exec_says"] else b"", length="none")

    def inspect_exec(self, request, query, number):
        return json_row(200, {"ID": number, "Running": False, "ExitCode": self.execs[int(number, 16)]})

    def events(self, request, query):
        container = json.loads(query["filters"])["container"][0]
        found = [json.dumps({"Type": "container", "Action": action, "Actor": {"ID": container}})
                 for action in ("die",) + tuple(self.options["events"])]
        return on("", "", 200, JSON, "".join(one + "\n" for one in found), chunked="good")

    def kill(self, request, query, container):
        return on("", "", 204) if self.known(container) else refuse(404, "No such container: " + container)

    def remove(self, request, query, name):
        container = self.known(name)
        if not container:
            return refuse(404, "No such container: " + name)
        del self.containers[container]
        return on("", "", 204)


ROUTES = [
    ("GET", "/version", Machine.version), ("GET", "/info", Machine.info), ("GET", "/_ping", Machine.ping),
    ("GET", "/containers/json", Machine.list_containers), ("GET", "/volumes", Machine.list_volumes),
    ("POST", "/volumes/create", Machine.create_volume), ("DELETE", "/volumes/([^/]*)", Machine.remove_volume),
    ("GET", "/images/json", Machine.list_images), ("POST", "/build", Machine.build), ("POST", "/images/(.*)/tag", Machine.tag),
    ("GET", "/images/(.*)/json", Machine.show_image), ("POST", "/images/create", Machine.pull),
    ("DELETE", "/images/(.*)", Machine.remove_image), ("POST", "/containers/create", Machine.create),
    ("PUT", "/containers/([^/]*)/archive", Machine.put), ("GET", "/containers/([^/]*)/archive", Machine.get),
    ("POST", "/containers/([^/]*)/start", Machine.start),
    ("GET", "/containers/([^/]*)/logs", Machine.logs), ("GET", "/containers/([^/]*)/json", Machine.inspect),
    ("GET", "/networks", Machine.list_networks), ("POST", "/networks/create", Machine.create_network),
    ("DELETE", "/networks/([^/]*)", Machine.remove_network), ("POST", "/containers/([^/]*)/exec", Machine.create_exec),
    ("POST", "/exec/([0-9a-f]*)/start", Machine.start_exec), ("GET", "/exec/([0-9a-f]*)/json", Machine.inspect_exec),
    ("GET", "/events", Machine.events),
    ("POST", "/containers/([^/]*)/kill", Machine.kill), ("DELETE", "/containers/([^/]*)", Machine.remove),
]


def machine_of(one, options=None):
    with one.lock:
        if not hasattr(one, "machine"):
            one.machine = Machine(options or {})
        return one.machine


def spoil(method, path, change=None, **changes):
    """The machine works and its answer is spoiled: by changes of the row, or by change(row) -> row."""
    which = {key: changes.pop(key) for key in ("times", "nth", "when", "sets", "until") if key in changes}

    def reply(request, one):
        row = copy.copy(machine_of(one).reply(request, one))
        row.__dict__.update(changes)
        return change(row) if change else row
    return on(method, path, reply=reply, **which)


def lie(method, path, change, **which):
    """The machine works, and change(answer) is sent as its JSON."""
    def changed(row):
        value = json.loads(row.body)
        row.body = json.dumps(change(value) or value)
        return row
    return spoil(method, path, changed, **which)


def engine(rows=(), unix=True, **options):
    for key in options:
        if key not in OPTIONS:
            raise TypeError("an engine has no option %r" % key)

    def reply(request, one):
        return machine_of(one, options).reply(request, one)
    first = on(".*", ".*", reply=reply)

    def prepared(row):
        """The machine of a spoiled answer is the server's own, with its options."""
        if row.reply:
            inner = row.reply
            row = copy.copy(row)

            def outer(request, one):
                machine_of(one, options)
                return inner(request, one)
            row.reply = outer
        return row
    return server([prepared(row) for row in rows] + [first], unix=unix)


def left_behind(run, name="engine"):
    """Faults: what the program made, is still there, and was never asked to go."""
    one = run.servers[name]
    machine, faults = machine_of(one), []
    for kind, key, word in machine.made:
        there = {"container": machine.containers, "volume": machine.volumes, "image": machine.pulled,
                 "built": machine.built, "network": machine.networks}[kind]
        tried = any(r.method == "DELETE" and (key in unquote(r.path) or word in unquote(r.path)) for r in one.requests)
        if key in there and not tried:
            faults.append("%s %s was left behind, and its removal was not tried" % (kind, word))
    return faults
