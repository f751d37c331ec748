#!/usr/bin/env python3
"""What registries, token servers and the network between do to a look-up.

Cases that end badly run the whole gate (`run`): the reports are written, they say "lookup-failed" with code and reason, the
exit status is 3, no file is touched, no secret stands anywhere. Cases that end well look (`status`). See harness.py.
"""
import base64
import email.utils
import json
import os
import re
import signal
import time

from harness import NEW, OLD, case, main, sent, server
from scripted import digest_of, on

TAG = "/v2/app/manifests/1.0"
LIST = r"/v2/app/tags/list\?n=1000"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
SECRET = "s3cr3t-of-mine"
BASIC = base64.b64encode(("user:" + SECRET).encode()).decode()
INDEX = json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}).encode()
IMAGE = json.dumps({"schemaVersion": 2, "config": {"size": 1}, "layers": []}).encode()
OLD_SCHEMA = json.dumps({"schemaVersion": 1, "name": "app", "fsLayers": [], "signatures": []}).encode()
HTML = "<!doctype html><title>Please log in</title>"
CONFIG = """version: 1
registries:
  "{registry}": {timeout: %s%s}
updates:
  - {images: "*", policy: %s}
tests:
  - {name: t, run: ["true"]}
"""


def config(extra="", policy="digest", timeout="30s"):
    """What ends well may take its time on a slow machine; what must end by time has little of it."""
    return CONFIG % (timeout, extra, policy)


def found(digest=NEW):
    """How `status` shows a newer digest: nobody has tested it."""
    return {"verdict": "hold", "code": "not-tested", "candidate": digest}


def head(digest=NEW, **options):
    """The answer of a registry without faults."""
    return on("HEAD", TAG, headers={"Docker-Content-Digest": digest, "Content-Type": INDEX_TYPE}, **options)


def get(body=INDEX, headers=None, **options):
    return on("GET", TAG, headers=headers or {"Docker-Content-Digest": "{digest}", "Content-Type": INDEX_TYPE}, body=body,
              **options)


def tags(*names, **options):
    path = options.pop("path", LIST)
    return on("GET", path, body=json.dumps({"name": "app", "tags": list(names)}), **options)


def challenge(realm="http://{registry}/token", rest=',service="here",scope="repository:app:pull"', **options):
    """Who comes without a token is told where to get one."""
    options.setdefault("without", "authorization")
    return on("HEAD|GET", options.pop("path", TAG), 401, {"WWW-Authenticate": 'Bearer realm="%s"%s' % (realm, rest)}, **options)


def token(value="t0ken", path=r"/token\?.*", status=200, **options):
    answer = dict({"token": value}, **options.pop("more", {}))
    return on("GET", path, status, body=json.dumps(answer), **options)


def login(name="registry", user="user", secret=SECRET, key="{%s}"):
    auth = base64.b64encode(("%s:%s" % (user, secret)).encode()).decode()
    return {".docker/config.json": json.dumps({"auths": {key.replace("%s", name): {"auth": auth}}})}


def fine(name, servers, **options):
    """Ends well: a newer digest was found."""
    options.setdefault("updates", [found()])
    options.setdefault("config", config())
    return checked(name, servers, options)


def fails(name, servers, code, reason, **options):
    options.setdefault("updates", [{"verdict": "lookup-failed", "code": code, "reason": reason}])
    options["config"] = options.get("config", config()).replace("timeout: 30s", "timeout: 3s")
    options.setdefault("command", ["run"])
    options.setdefault("result", {"exit_status": 3, "changed": False})
    return checked(name, servers, dict(options, exit=3))


def checked(name, servers, options):
    options["unsaid"] = [SECRET, BASIC, "t0ken"] + options.get("unsaid", [])
    options["env"] = dict({"PINGATE_TRACE": "http"}, **options.get("env", {}))  # traces keep secrets as well
    return case(name, servers, **options)


PAST = "Wed, 21 Oct 2015 07:28:00 GMT"


def soon(request, server):
    """A Retry-After that is a date, one to two seconds from now."""
    return on("", "", 429, {"Retry-After": email.utils.formatdate(time.time() + 1.5, usegmt=True)})


ZEROS = b"0," * 4096
PLAIN = [
    fine("a newer digest", {"registry": [head()]}, sent=[sent("registry", "HEAD", TAG, count=1, without="authorization")]),
    fine("the same digest", {"registry": [head(OLD)]}, updates=[{"verdict": "up-to-date", "candidate": None}]),
    fine("all four types are asked for", {"registry": [head()]},
         sent=[sent("registry", "HEAD", TAG, header="Accept: .*oci.image.index.*manifest.list.*oci.image.manifest.*manifest.v2")]),
    fine("a password is not sent before it is asked for", {"registry": [head()]}, home=login(),
         not_sent=[sent("registry", header="authorization")]),
    fails("no such tag", {"registry": [on("HEAD", TAG, 404)]}, "not-found", "{registry} has no such tag.*check the name"),
    fails("one fails beside one that succeeds",
          {"registry": [head(), on("HEAD", "/v2/gone/manifests/2", 404)]}, "not-found", "no such tag",
          files={"Dockerfile": "FROM {registry}/app:1.0@%s\nFROM {registry}/gone:2@%s\n" % (OLD, OLD)},
          command=["run", "--json"],
          updates=[{"image": "{registry}/app", "verdict": "hold", "code": "not-tested", "candidate": NEW},
                   {"image": "{registry}/gone", "verdict": "lookup-failed", "code": "not-found", "reason": "no such tag"}]),
    fails("a dead registry beside one that lives",
          {"registry": [head()]}, "network", "",
          files={"Dockerfile": "FROM {registry}/app:1.0@%s\nFROM {refused}/app:1.0@%s\n" % (OLD, OLD)},
          config=config().replace("updates:", '  "{refused}": {timeout: 1s}\nupdates:'), command=["status", "--json"],
          updates=None, result={}, check=lambda run: [] if sorted(u["verdict"] for u in run.document["updates"]) ==
          ["hold", "lookup-failed"] else ["verdicts are %r" % run.document["updates"]]),
]

DIGESTS = [
    fine("no digest at HEAD: GET and hash",
         {"registry": [on("HEAD", TAG, headers={"Content-Type": INDEX_TYPE}), get(headers={"Content-Type": INDEX_TYPE})]},
         updates=[found(digest_of(INDEX))]),
    fine("the exact bytes are hashed",
         {"registry": [on("HEAD", TAG, headers={"Content-Type": INDEX_TYPE}),
                       get(body=b" \r\n" + INDEX + b"\n\n", headers={"Content-Type": INDEX_TYPE})]},
         updates=[found(digest_of(b" \r\n" + INDEX + b"\n\n"))]),
    fine("in chunks, slowly",
         {"registry": [on("HEAD", TAG), get(chunked="good", drip=(10, 0.01), headers={"Content-Type": INDEX_TYPE})]},
         updates=[found(digest_of(INDEX))]),
    fails("header and body disagree",
          {"registry": [on("HEAD", TAG), get(headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
          "protocol", "said digest %s and sent a manifest with digest %s" % (NEW, digest_of(INDEX))),
    fails("a digest that is none", {"registry": [on("HEAD", TAG, headers={"Docker-Content-Digest": "sha256:zz",
                                                                         "Content-Type": INDEX_TYPE})]},
          "protocol", 'gave "sha256:zz" as the digest'),
    fails("a digest of another algorithm",
          {"registry": [on("HEAD", TAG, headers={"Docker-Content-Digest": "sha512:" + "c" * 128, "Content-Type": INDEX_TYPE})]},
          "protocol", 'gave "sha512:c+"'),
    fails("a digest in capitals",
          {"registry": [on("HEAD", TAG, headers={"Docker-Content-Digest": NEW.upper(), "Content-Type": INDEX_TYPE})]},
          "protocol", "as the digest, which is none"),
    fails("a page of a proxy with status 200", {"registry": [on("HEAD", TAG, headers={"Content-Type": "text/html"}),
                                                            get(HTML, {"Content-Type": "text/html"})]},
          "protocol", "text/html.*is no manifest.*login page"),
    fails("a page of a proxy that knows the digest header",
          {"registry": [on("HEAD", TAG, headers={"Content-Type": "text/html", "Docker-Content-Digest": NEW}),
                        get(HTML, {"Content-Type": "text/html"})]},
          "protocol", "is no manifest"),
    fails("an empty manifest", {"registry": [on("HEAD", TAG), get(b"", {"Content-Type": INDEX_TYPE})]}, "protocol",
          "is no manifest"),
    fails("JSON that is no manifest", {"registry": [on("HEAD", TAG), get(b'{"a":1}', {"Content-Type": INDEX_TYPE})]},
          "protocol", "is no manifest"),
    fails("image and index at once",
          {"registry": [on("HEAD", TAG), get(b'{"manifests":[],"config":{}}', {"Content-Type": INDEX_TYPE})]},
          "protocol", "is no manifest"),
    fails("very deep JSON", {"registry": [on("HEAD", TAG), get(b"[" * 1000000, {"Content-Type": INDEX_TYPE})]}, "protocol",
          "is no manifest"),
    fails("schema 1 by its type",
          {"registry": [on("HEAD", TAG, headers={"Docker-Content-Digest": NEW,
                                                 "Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"})]},
          "protocol", "schema 1 manifest.*push it again"),
    fails("schema 1 by its body", {"registry": [on("HEAD", TAG), get(OLD_SCHEMA, {"Content-Type": "application/json"})]},
          "protocol", "schema 1 manifest.*push it again"),
    fine("a wrong type, and a manifest all the same",
         {"registry": [on("HEAD", TAG, headers={"Content-Type": "application/json", "Docker-Content-Digest": NEW}),
                       get(IMAGE, {"Content-Type": "application/json"})]},
         updates=[found(digest_of(IMAGE))]),
    fine("no type at all", {"registry": [on("HEAD", TAG), get(IMAGE, {"X": "y"})]},
         updates=[found(digest_of(IMAGE))]),
    fine("HEAD is refused with 405", {"registry": [on("HEAD", TAG, 405), get()]},
         updates=[found(digest_of(INDEX))]),
    fine("HEAD is refused with 403", {"registry": [on("HEAD", TAG, 403), get()]},
         updates=[found(digest_of(INDEX))]),
    fine("HEAD is refused with 401 for good", {"registry": [on("HEAD", TAG, 401), get()]},
         updates=[found(digest_of(INDEX))]),
]

BODIES = [
    fails("a manifest of 100 MB", {"registry": [on("HEAD", TAG), get(b"{", {"Content-Type": INDEX_TYPE}, flood=100 << 20)]},
          "limit", "larger than 4194304 bytes", memory_mib=48),
    fails("a list of 100 MB", {"registry": [on("GET", LIST, body=b'{"tags":["', flood=100 << 20)]},
          "limit", "larger than 16777216 bytes", config=config(policy="minor"), memory_mib=80),
    fine("a list of 7 million numbers takes no memory",
         {"registry": [on("GET", LIST, body=lambda: [b'{"tags":['] + [b"0," * 4096] * 1700 + [b'"1.1"]}']),
                       on("HEAD", "/v2/app/manifests/1.1", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         config=config(policy="minor"), memory_mib=56),
    fails("headers without end", {"registry": [on("HEAD", TAG, flood_headers=100 << 20)]}, "limit",
          "headers of the answer are larger", memory_mib=48),
    fails("a body that is cut", {"registry": [on("HEAD", TAG), get(cut=20)]}, "network", "{registry}: .*\\d times"),
    fails("a body that is reset", {"registry": [on("HEAD", TAG), get(cut=20, reset=True)]}, "network", "\\d times"),
    fails("a length that lies upward", {"registry": [on("HEAD", TAG), get(length=100000)]}, "network", "\\d times"),
    fails("a length that lies downward", {"registry": [on("HEAD", TAG), get(length=10, headers={"Content-Type": INDEX_TYPE})]},
          "protocol", "is no manifest"),
    fails("a length that is none", {"registry": [on("HEAD", TAG), get(length="many")]}, "protocol", "Content-Length"),
    fails("no length, and cut", {"registry": [on("HEAD", TAG), get(length="none", cut=20, headers={"Content-Type": INDEX_TYPE})]},
          "protocol", "is no manifest"),
    fails("a chunk without a size", {"registry": [on("HEAD", TAG), get(chunked="size")]}, "network", "\\d times"),
    fails("a chunk that is cut", {"registry": [on("HEAD", TAG), get(chunked="short")]}, "network", "\\d times"),
    fails("the last chunk lacks", {"registry": [on("HEAD", TAG), get(chunked="no-end")]}, "network", "\\d times"),
    fails("a chunk of 8 EiB", {"registry": [on("HEAD", TAG), get(chunked="huge")]}, "network", ""),
    fails("no HTTP at all", {"registry": [on("HEAD", TAG, raw=b"SSH-2.0-OpenSSH_9.2\r\n")]}, "protocol", "{registry}: "),
    fails("bytes of zero", {"registry": [on("HEAD", TAG, raw=b"HTTP/1.1 200 OK\r\n" + b"\0" * 5000 + b"\r\n\r\n"), on("GET", TAG)]}, "protocol",
          ""),
    fails("a status that is none", {"registry": [on("HEAD", TAG, raw=b"HTTP/1.1 9999 What\r\n\r\n")]}, "protocol", ""),
    fails("only 100 Continue", {"registry": [on("HEAD", TAG, raw=b"HTTP/1.1 100 Continue\r\n\r\n")]}, "network", ""),
]

STALLS = [
    fails("never an answer", {"registry": [on("HEAD", TAG, never=True)]}, "timeout", "{registry}: .*timed out.*more time in pingate.yaml",
          seconds=6),
    fails("a stall in the headers", {"registry": [head(drip_headers=(1, 0.5))]}, "timeout", "timed out",
          seconds=6),
    fails("a stall in the body", {"registry": [on("HEAD", TAG), get(INDEX[:10], stall=True, length=500)]}, "timeout", "timed out",
          seconds=8),
    fails("a body that drips", {"registry": [on("HEAD", TAG), get(b"{" + b" " * 500, drip=(1, 0.2))]}, "timeout", "timed out",
          seconds=8),
    fails("taken and left alone", {"registry": server(accept="stall")}, "timeout", "timed out", seconds=6),
    fails("closed at once", {"registry": server(accept="close")}, "network", "{registry}: ", seconds=8),
    fails("reset at once", {"registry": server(accept="reset")}, "network", "{registry}: ", seconds=8),
    fine("a stall once, then fine", {"registry": [on("HEAD", TAG, never=True, times=1), head()]}, config=config(timeout="6s"),
         sent=[sent("registry", "HEAD", TAG, count=2)]),
    fine("a cut once, then fine", {"registry": [on("HEAD", TAG, close=True, times=1), head()]}),
    fails("connection refused", {"registry": []}, "network", "{refused}: .*check that it runs",
          files={"Dockerfile": "FROM {refused}/app:1.0@%s\n" % OLD},
          config='version: 1\nregistries:\n  "{refused}": {timeout: 2s}\n'),
    checked("SIGTERM in a stall", {"registry": [on("HEAD", TAG, never=True, sets="asked")]},
            dict(exit=143, command=["run"], config=config(), signal=("registry", "asked", signal.SIGTERM), seconds=4,
                 result={"exit_status": 143, "changed": False})),
    checked("SIGINT while it waits to ask again", {"registry": [on("HEAD", TAG, 429, {"Retry-After": "20"}, sets="asked")]},
            dict(exit=130, command=["run"], config=config(), signal=("registry", "asked", signal.SIGINT), seconds=4,
                 result={"exit_status": 130, "changed": False})),
    fails("no such name", {"registry": []}, "network", "registry.invalid: .*(resolve|proxy).*check the name",
          files={"Dockerfile": "FROM registry.invalid/app:1.0@%s\n" % OLD},
          config="version: 1\nregistries:\n  registry.invalid: {timeout: 2s}\n"),
    fails("700 images of a registry that is silent cost one time-out", {"registry": server(accept="stall")}, None, "",
          files={"Dockerfile": "".join("FROM {registry}/app%d:1.0@%s\n" % (n, OLD) for n in range(700))},
          updates=None, seconds=12,
          check=lambda run: [u["verdict"] for u in run.document["updates"] if u["verdict"] != "lookup-failed"]),
    fine("250 images at one registry, few connections",
         {"registry": [on("HEAD", "/v2/app[0-9]+/manifests/1.0",
                          headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         files={"Dockerfile": "".join("FROM {registry}/app%d:1.0@%s\n" % (n, OLD) for n in range(250))},
         updates=[found()] * 250, sent=[sent("registry", "HEAD", count=250, connections=8)]),
]

STATUSES = [
    fine("429 with seconds", {"registry": [on("HEAD", TAG, 429, {"Retry-After": "1"}, times=1), head()]},
         sent=[sent("registry", "HEAD", TAG, count=2)], check=lambda run: [] if run.seconds > 1 else ["it did not wait"]),
    fine("429 with a date", {"registry": [on("HEAD", TAG, reply=soon, times=1), head()]},
         sent=[sent("registry", "HEAD", TAG, count=2)], check=lambda run: [] if run.seconds > 0.4 else ["it did not wait"]),
    fine("429 with a date that is past", {"registry": [on("HEAD", TAG, 429, {"Retry-After": PAST}, times=1), head()]}, seconds=2),
    fine("429 without a word", {"registry": [on("HEAD", TAG, 429, times=1), head()]}, sent=[sent("registry", "HEAD", TAG, count=2)]),
    fine("429 with nonsense", {"registry": [on("HEAD", TAG, 429, {"Retry-After": "soon, maybe"}, times=1), head()]}),
    fails("429 for ever", {"registry": [on("HEAD", TAG, 429)]}, "rate-limit", "429, too many requests, \\d times; log in",
          seconds=6),
    fails("429 with an hour", {"registry": [on("HEAD", TAG, 429, {"Retry-After": "3600"})]}, "rate-limit",
          "wants us to wait 1 h.*longer than is left", seconds=2, sent=[sent("registry", "HEAD", TAG, count=1)]),
    fails("429 until the end of days", {"registry": [on("HEAD", TAG, 429, {"Retry-After": "9" * 30})]}, "rate-limit",
          "wants us to wait for ever", seconds=2),
    fails("429 with a date in the next century",
          {"registry": [on("HEAD", TAG, 429, {"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"})]}, "rate-limit",
          "wants us to wait", seconds=2),
    fine("500, 502, then fine", {"registry": [on("HEAD", TAG, 500, times=1), on("HEAD", TAG, 502, times=1), head()]},
         sent=[sent("registry", "HEAD", TAG, count=3)]),
    fine("503 with Retry-After, then fine", {"registry": [on("HEAD", TAG, 503, {"Retry-After": "1"}, times=1), head()]}),
    fails("503 for ever", {"registry": [on("HEAD", TAG, 503)]}, "network", "answered 503, \\d times; try later", seconds=6),
    fails("500 with words", {"registry": [on("HEAD", TAG), on("GET", TAG, 500, body='{"errors":[{"code":"X","message":"disk full"}]}')]},
          "network", 'answered 500 \\("disk full"\\)', seconds=6),
    fails("500 with 4 MB of JSON", {"registry": [on("GET", LIST, 500, body=lambda: [b'{"errors":['] + [ZEROS] * 450 + [b"0]}"])]},
          "network", "answered 500, \\d times", config=config(policy="minor"), seconds=6, memory_mib=48),
    fails("a pause of the host that ends too late for another image",
          {"registry": [on("GET", "/v2/a/.*", 500, times=2), on("GET", "/v2/a/.*", 429, {"Retry-After": "8"}),
                        on("GET", "/v2/b/.*", delay=2.5, headers={"Link": "</v2/b/more>; rel=next"}, body='{"tags":[]}')]},
          "rate-limit", "", config=config(policy="minor", timeout="9s"),
          files={"Dockerfile": "FROM {registry}/a:1.0@%s\nFROM {registry}/b:1.0@%s\n" % (OLD, OLD)},
          updates=[{"verdict": "lookup-failed", "code": "rate-limit", "reason": "429, too many.*wait 8.0 s, longer than is left of the 9.0 s"},
                   {"verdict": "lookup-failed", "code": "rate-limit", "reason": "told us to wait for longer"}],
          seconds=6, not_sent=[sent("registry", path="/v2/b/more")]),
    fails("a status that makes no sense", {"registry": [on("HEAD", TAG, 418)]}, "protocol", "418, which makes no sense"),
    fails("204 and nothing", {"registry": [on("HEAD", TAG, 204)]}, "protocol", "204, which makes no sense"),
    fails("403 for ever", {"registry": [on("HEAD", TAG, 403), on("GET", TAG, 403, body=b'{"errors":[{"message":"not yours"}]}')]},
          "auth", 'refused with 403 \\("not yours"\\).*docker login'),
    fails("words that are hostile", {"registry": [on("HEAD", TAG, 403), on("GET", TAG, 403, body=json.dumps(
        {"errors": [{"message": "\x1b[31m::error::<b>\u202e" + "x" * 5000}]}))]}, "auth", "refused with 403",
          unsaid=["\x1b\\[31m", "x{400}"]),
]

TOKENS = [
    fine("a token, anonymously", {"registry": [challenge(), token(), head(header="Authorization: Bearer t0ken$")]},
         sent=[sent("registry", "GET", r"/token\?scope=repository%3Aapp%3Apull&service=here", without="authorization", count=1),
               sent("registry", "HEAD", TAG, count=2)]),
    fine("access_token", {"registry": [challenge(), on("GET", r"/token\?.*", body='{"access_token":"t0ken","expires_in":300}'),
                                       head(header="Bearer t0ken")]}),
    fine("an empty token and an access_token",
         {"registry": [challenge(), on("GET", r"/token\?.*", body='{"token":"","access_token":"t0ken"}'), head(header="Bearer t0ken")]}),
    fine("a token with the password", {"registry": [challenge(), token(header="Authorization: Basic " + BASIC), head(header="Bearer t0ken")]},
         home=login(), sent=[sent("registry", "GET", r"/token\?.*", header="Basic " + BASIC)],
         not_sent=[sent("registry", "HEAD", header="Basic")]),
    fine("several challenges in one header",
         {"registry": [on("HEAD", TAG, 401, {"WWW-Authenticate": 'Negotiate, Digest realm="x, Bearer realm=y", nonce="\\"", '
                                             'Bearer realm="http://{registry}/token",service="here"'}, without="authorization"),
                       token(), head(header="Bearer t0ken")]}),
    fine("several headers",
         {"registry": [on("HEAD", TAG, 401, [("WWW-Authenticate", 'Basic realm="x"'), ("www-authenticate",
                                             'bearer REALM="http://{registry}/token"')], without="authorization"),
                       token(), head(header="Bearer t0ken")]},
         sent=[sent("registry", "GET", r"/token\?scope=repository%3Aapp%3Apull")]),
    fine("basic", {"registry": [on("HEAD", TAG, 401, {"WWW-Authenticate": 'Basic realm="x"'}, without="authorization"),
                                head(header="Authorization: Basic " + BASIC)]}, home=login()),
    fails("basic, and no password", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "{registry} refused with 401; asked without credentials.*docker login {registry}"),
    fails("basic, and a wrong password", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "refused with 401; asked with the credentials of user from .*config.json: log in again", home=login(),
          sent=[sent("registry", "HEAD|GET", TAG, count=(2, 4))]),
    fails("basic, and a password for another host", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "without credentials", home=login(key="{refused}"), not_sent=[sent("registry", header="authorization")]),
    fails("401 without a challenge", {"registry": [on("HEAD|GET", TAG, 401)]}, "auth", "refused with 401",
          sent=[sent("registry", count=2)]),
    fails("a challenge without a realm", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Bearer"})]}, "auth",
          "refused with 401"),
    fails("401 for ever", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": 'Bearer realm="http://{registry}/token"'}),
                                       token()]}, "auth", "refused with 401", sent=[sent("registry", count=(3, 5))]),
    fails("401 for ever, and a new challenge each time",
          {"registry": [on("HEAD|GET", TAG, reply=lambda request, server: on("", "", 401, {
              "WWW-Authenticate": 'Bearer realm="http://{registry}/token",scope="s%d"' % request.number})), token()]},
          "auth", "refused with 401", sent=[sent("registry", count=(3, 12))]),
    fails("the token server says 401", {"registry": [challenge(), token(status=401)]}, "auth",
          "token server {registry} refused with 401.*without credentials.*docker login"),
    fails("the token server says 403 to the password", {"registry": [challenge(), token(status=403)]}, "auth",
          "token server {registry} refused with 403; asked with the credentials of user from", home=login()),
    fine("the token server says 429, then gives one", {"registry": [challenge(), token(status=429, times=1), token(),
                                                                   head(header="Bearer t0ken")]}),
    fine("the token server says 503, then gives one", {"registry": [challenge(), token(status=503, times=2), token(),
                                                                   head(header="Bearer t0ken")]}),
    fails("the token server says 429 for ever", {"registry": [challenge(), token(status=429)]}, "rate-limit",
          "token server {registry} answered 429", seconds=6),
    fails("the token server says 500 for ever", {"registry": [challenge(), token(status=500)]}, "network",
          "token server {registry} answered 500", seconds=6),
    fails("the token server answers with a page", {"registry": [challenge(), on("GET", r"/token\?.*", body=HTML)]}, "protocol",
          "token server {registry} answered 200 without a token"),
    fails("the token server redirects", {"registry": [challenge(), on("GET", r"/token\?.*", 302, {"Location": "http://{other}/"})],
                                        "other": []}, "protocol", "answered 302 without a token", home=login(),
          not_sent=[sent("other")]),
    fails("a token of 100 MB", {"registry": [challenge(), on("GET", r"/token\?.*", body=b'{"token":"', flood=100 << 20)]},
          "limit", "token server {registry}.*larger than", memory_mib=48),
    fails("a token with a line break", {"registry": [challenge(), token("a\r\nX-Evil: 1")]}, "protocol",
          "characters that no token has", not_sent=[sent("registry", header="X-Evil")]),
    fails("a token with a blank", {"registry": [challenge(), token("a b")]}, "protocol", "characters that no token has"),
    fails("an empty token", {"registry": [challenge(), token("")]}, "protocol", "without a token|characters"),
    fails("a token that is a number", {"registry": [challenge(), token(7)]}, "protocol", "without a token"),
    fails("the token server is silent", {"registry": [challenge(), on("GET", r"/token\?.*", never=True)]}, "timeout",
          "token server {registry}: .*timed out", seconds=6),
    fails("700 images and a token server that is silent cost one time-out",
          {"registry": [challenge("http://{other}/token", rest="", path="/v2/.*")],
           "other": server(accept="stall")}, None, "",
          files={"Dockerfile": "".join("FROM {registry}/app%d:1.0@%s\n" % (n, OLD) for n in range(700))}, updates=None, seconds=12,
          check=lambda run: [u["verdict"] for u in run.document["updates"] if u["verdict"] != "lookup-failed"]),
    fails("the token server is down", {"registry": [challenge("http://{refused}/token")]}, "network", "token server {refused}",
          seconds=6),
    fine("a token is used for both pins of an image",
         {"registry": [challenge(path="/v2/app/manifests/.*"), token(times=1),
                       on("HEAD", "/v2/app/manifests/.*", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         files={"Dockerfile": "FROM {registry}/app:1.0@%s\nFROM {registry}/app:2.0@%s\n" % (OLD, OLD)},
         updates=[found()] * 2, sent=[sent("registry", "GET", r"/token\?.*", count=1)]),
    fine("one token for all images where the scope is one",
         {"registry": [challenge(path="/v2/.*/manifests/1.0", rest=',scope="all"'), token(delay=0.3),
                       on("HEAD", "/v2/.*/manifests/1.0", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         files={"Dockerfile": "".join("FROM {registry}/app%d:1.0@%s\n" % (n, OLD) for n in range(20))},
         updates=[found()] * 20, sent=[sent("registry", "GET", r"/token\?.*", count=1)]),
    fine("401 after success: the token has run out among the pages",
         {"registry": [challenge(path="/v2/app/tags/list.*"), token("t0ken", times=1), token("t0ken2"),
                       tags("1.0", header="Bearer t0ken$", headers={"Link": "</v2/app/tags/list?n=1000&last=1.0>; rel=next"}),
                       on("GET", r".*last=1.0", 401, {"WWW-Authenticate": 'Bearer realm="http://{registry}/token",service="here",'
                                                      'scope="repository:app:pull"'}, header="Bearer t0ken$"),
                       tags("1.1", path=".*last=1.0", header="Bearer t0ken2"),
                       on("HEAD", "/v2/app/manifests/1.1", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         config=config(policy="minor"), sent=[sent("registry", "GET", r"/token\?.*", count=2)]),
    fine("a token that lives for a second is renewed before it is used again",
         {"registry": [challenge(path="/v2/app/tags/list.*"), token("t0ken", more={"expires_in": 1}, times=1), token("t0ken2"),
                       tags("1.0", header="Bearer t0ken$", delay=0.8, headers={"Link": "</v2/app/tags/list?last=1.0>; rel=next"}),
                       tags("1.1", path=".*last=1.0", header="Bearer t0ken2"),
                       on("HEAD", "/v2/app/manifests/1.1", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         config=config(policy="minor"), not_sent=[sent("registry", path=".*last=1.0", header="Bearer t0ken$")]),
    fine("an identity token goes out by POST",
         {"registry": [challenge(), on("POST", "/token", body='{"access_token":"t0ken"}',
                                       body_has="grant_type=refresh_token&.*scope=repository%3Aapp%3Apull&service=here&refresh_token=" + SECRET),
                       head(header="Bearer t0ken")]},
         home={".docker/config.json": json.dumps({"auths": {"{registry}": {"identitytoken": SECRET}}})},
         not_sent=[sent("registry", path=".*" + SECRET)]),
    fine("an identity token for a server that knows no POST",
         {"registry": [challenge(), on("POST", "/token", 405), token(header="Authorization: Basic " + BASIC), head(header="Bearer t0ken")]},
         home={".docker/config.json": json.dumps({"auths": {"{registry}": {
             "auth": base64.b64encode(b"user:").decode(), "identitytoken": SECRET}}})}),
]

HOME = login()
ELSEWHERE = [
    fails("the realm is another host: no password there",
          {"registry": [challenge("http://{other}/token")], "other": server([token(status=401)], address="127.0.0.2")},
          "auth", "token server {other} is another host and was asked without your credentials.*token_server: \"{other}\"",
          home=HOME, sent=[sent("other", "GET", r"/token\?.*", without="authorization")], not_sent=[sent("other", header="authorization")]),
    fine("the realm is another host that needs none",
         {"registry": [challenge("http://{other}/token"), head(header="Bearer t0ken")],
          "other": server([token()], address="127.0.0.2")}, home=HOME, not_sent=[sent("other", header="authorization")]),
    fine("the realm is another host that the user named",
         {"registry": [challenge("http://{other}/token"), head(header="Bearer t0ken")],
          "other": server([token(header="Basic " + BASIC)], address="127.0.0.2")}, home=HOME,
         config=config(', token_server: "{other}"')),
    fine("the realm is the same host on another port",
         {"registry": [challenge("http://{other}/token"), head(header="Bearer t0ken")],
          "other": [token(header="Basic " + BASIC)]}, home=HOME),
    fails("the realm has a user's name in it", {"registry": [challenge("http://me:you@{registry}/token")]}, "auth",
          "must not be asked", home=HOME),
    fails("the realm is no address", {"registry": [challenge("over there")]}, "auth", "must not be asked", home=HOME),
    fails("the realm is a file", {"registry": [challenge("file:///etc/passwd")]}, "auth", "must not be asked", home=HOME),
    fine("a redirect to another host",
         {"registry": [on("HEAD", TAG, 307, {"Location": "http://{other}/there"})],
          "other": server([on("HEAD", "/there", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})],
                          address="127.0.0.2")}),
    fine("a redirect with a token: it stays behind",
         {"registry": [challenge(), token(), on("HEAD", TAG, 307, {"Location": "http://{other}/there"}, header="Bearer t0ken")],
          "other": server([on("HEAD", "/there", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})],
                          address="127.0.0.2")}, home=HOME, not_sent=[sent("other", header="authorization")]),
    fine("a redirect with a password to another port: it stays behind",
         {"registry": [on("HEAD", TAG, 401, {"WWW-Authenticate": "Basic"}, without="authorization"),
                       on("HEAD", TAG, 302, {"Location": "http://{other}/there"})],
          "other": [on("HEAD", "/there", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         home=HOME, not_sent=[sent("other", header="authorization")]),
    fails("a redirect to a host that wants a password",
          {"registry": [on("HEAD", TAG, 307, {"Location": "http://{other}/there"})],
           "other": server([on("HEAD", "/there", 401, {"WWW-Authenticate": "Basic"})], address="127.0.0.2")},
          "auth", "redirects to {other}, which refused with 401; credentials are never sent there", home=HOME,
          not_sent=[sent("other", header="authorization")]),
    fine("a redirect on the same host keeps the token",
         {"registry": [challenge(), token(), on("HEAD", TAG, 301, {"Location": "/v2/library/app/manifests/1.0"}, header="Bearer"),
                       on("HEAD", "/v2/library/app/manifests/1.0", header="Bearer t0ken",
                          headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]}),
    fails("a redirect to itself", {"registry": [on("HEAD", TAG, 307, {"Location": TAG})]}, "protocol", "redirects more than 3 times",
          sent=[sent("registry", count=4)]),
    fails("redirects to and fro",
          {"registry": [on("HEAD", TAG, 307, {"Location": "http://{other}" + TAG})],
           "other": server([on("HEAD", TAG, 307, {"Location": "http://{registry}" + TAG})], address="127.0.0.2")},
          "protocol", "redirects more than 3 times"),
    fails("a redirect to nowhere", {"registry": [on("HEAD", TAG, 307)]}, "protocol", "does not say where to"),
    fails("a redirect to another protocol", {"registry": [on("HEAD", TAG, 307, {"Location": "ftp://{registry}/x"})]}, "protocol",
          "no address of a registry"),
    fails("a redirect with a password in it", {"registry": [on("HEAD", TAG, 307, {"Location": "http://a:b@{other}/x"})], "other": []},
          "protocol", "no address of a registry", not_sent=[sent("other")]),
    fails("a redirect that is no address", {"registry": [on("HEAD", TAG, 307, {"Location": "http://["})]}, "protocol", "is no address"),
]


def pages(*rows, **options):
    return {"registry": list(rows) + [on("HEAD", "/v2/app/manifests/1.1",
                                         headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})], **options}


def endless(request, server):
    return on("", "", headers={"Link": "</v2/app/tags/list?n=1000&last=%d>; rel=\"next\"" % request.number},
              body='{"tags":["1.%d"]}' % request.number)


def many_tags(count, name="build-%d"):
    yield b'{"tags":["1.1"'
    for start in range(0, count - 1, 5000):
        yield "".join(',"' + name % number + '"' for number in range(start, min(start + 5000, count - 1))).encode()
    yield b"]}"


PATTERN = r"^(a+)+$|^\d"
EXPENSIVE = "a" * 100 + "."


def filtered(more="", policy="minor"):
    return config(policy="%s, tags: {match: '%s'%s}" % (policy, PATTERN, more))


MINOR = config(policy="minor")
NEXT = "/v2/app/tags/list?n=1000&last=%s"
PAGES = [
    fine("pages", pages(tags("1.0", headers={"Link": "<%s>; rel=\"next\"" % (NEXT % "1.0")}), tags("1.1", path=".*last=1.0")),
         config=MINOR),
    fine("the next page as the registry gives it", pages(tags("1.0", headers={"Link": "<../odd?token=abc>;rel=next"}),
                                                        tags("1.1", path=r"/v2/app/odd\?token=abc")), config=MINOR),
    fine("a next page with the whole address", pages(tags("1.0", headers={"Link": "<http://{registry}/x>; rel=next"}),
                                                    tags("1.1", path="/x")), config=MINOR),
    fine("links to other things", pages(tags("1.0", "1.1", headers={"Link": "</a>; rel=prev, </b>; title=\"rel=next\""})), config=MINOR),
    fine("each of six pages is redirected",
         pages(on("GET", "/v2/app/tags/list.*", reply=lambda request, server: on(
             "", "", 307, {"Location": "/real/%s" % (request.path.partition("last=")[2] or 0)})),
               on("GET", "/real/.*", reply=lambda request, server: on("", "", body='{"tags":["1.0","1.1"]}', headers={
                   "Link": "</v2/app/tags/list?last=%d>; rel=next" % (int(request.path[6:]) + 1)}
                   if int(request.path[6:]) < 5 else {}))),
         config=MINOR, sent=[sent("registry", "GET", "/real/.*", count=6)]),
    fails("the next page is on another host", pages(tags("1.0", headers={"Link": "<http://{other}/x>; rel=next"}),
                                                   other=server([], address="127.0.0.2")),
          "protocol", "next page of tags is on another host", config=MINOR, not_sent=[sent("other")]),
    fails("a page that is its own next", {"registry": [tags("1.0", headers={"Link": "</v2/app/tags/list?n=1000>; rel=next"})]},
          "protocol", "round in a circle", config=MINOR, sent=[sent("registry", count=(1, 4))]),
    fails("pages in a circle",
          {"registry": [tags("1.0", headers={"Link": "<%s>; rel=next" % (NEXT % "a")}),
                        tags("1.1", path=".*last=a", headers={"Link": "<%s>; rel=next" % (NEXT % "b")}),
                        tags("1.2", path=".*last=b", headers={"Link": "<%s>; rel=next" % (NEXT % "c")}),
                        tags("1.3", path=".*last=c", headers={"Link": "<%s>; rel=next" % (NEXT % "a")})]},
          "protocol", "round in a circle", config=MINOR, sent=[sent("registry", count=(4, 12))]),
    fails("pages without end", {"registry": [on("GET", "/v2/app/tags/list.*", reply=endless)]}, None, "pages|settle|timed out",
          config=MINOR, updates=[{"verdict": "lookup-failed"}], seconds=10),
    fails("tags: null", {"registry": [on("GET", LIST, body='{"name":"app","tags":null}'), on("HEAD", TAG, 404)]}, "not-found",
          "no such tag", config=MINOR),
    fails("no such repository", {"registry": [on("GET", LIST, 404, body='{"errors":[{"message":"repository name not known"}]}')]},
          "not-found", 'knows no such repository \\("repository name not known"\\)', config=MINOR),
    fails("a list that is none", {"registry": [on("GET", LIST, body='["1.1"]')]}, "protocol", "no list of tags", config=MINOR),
    fails("a list that is a page", {"registry": [on("GET", LIST, body=HTML)]}, "protocol", "no list of tags", config=MINOR),
    fails("a list that is cut short", {"registry": [on("GET", LIST, body='{"tags":["1.1","1.', length="none")]}, "protocol",
          "no list of tags", config=MINOR),
    fails("an error with status 200", {"registry": [on("GET", LIST, body='{"errors":[{"message":"no"}]}')]}, "protocol",
          "no list of tags", config=MINOR),
    fine("tags that are none", pages(on("GET", LIST, body='{"tags":["../../x","1.1",null,7,{"a":["9.9"]},"1.9\\n","","9/9"]}')),
         config=MINOR),
    fails("200,001 tags", {"registry": [on("GET", LIST, body=lambda: many_tags(200001))]}, "limit", "more than 200000 tags",
          config=MINOR, memory_mib=48),
    fine("100,000 tags", pages(on("GET", LIST, body=lambda: many_tags(100000))), config=MINOR, memory_mib=48),
    fails("a pattern that takes too long on one of the tags", pages(tags("1.0", "1.1", EXPENSIVE, "0.9")), "limit",
          ['"%s" cannot be matched with "%s"' % (re.escape(PATTERN), re.escape(EXPENSIVE)), "takes more steps", r"tags\.ignore"],
          config=filtered(), not_sent=[sent("registry", "HEAD")]),
    fails("many such tags", {"registry": [on("GET", LIST, body=lambda: many_tags(100000, "a" * 60 + ".%d"))]}, "limit",
          "takes more steps", config=filtered(), memory_mib=48),
    fine("such tags, ignored", pages(tags("1.0", "1.1", EXPENSIVE, "0.9")), config=filtered(", ignore: 'a*'")),
    fine("such tags, and the digest alone is followed", {"registry": [head()]}, config=filtered(policy="digest"),
         not_sent=[sent("registry", "GET")]),
    fine("200,000 tags through a filter", pages(on("GET", LIST, body=lambda: many_tags(200000))),
         config=config(policy="minor, tags: {match: '^(?<v>1\\.\\d+)(-.*)?$', extract: '$v'}"), memory_mib=64),
    fails("the second page fails", {"registry": [tags("1.0", "1.1", headers={"Link": "<%s>; rel=next" % (NEXT % "x")}),
                                                on("GET", ".*last=x", 500)]}, "network", "answered 500", config=MINOR, seconds=6),
]

CA = config(', ca: "{ca}"')
TLS = [
    fine("TLS with a private authority", {"registry": server([head()], tls="good")}, config=CA),
    fails("an authority that nobody knows", {"registry": server([head()], tls="good", address="127.0.0.1")}, "protocol",
          "certificate.*name it in pingate.yaml", config=config(', ca: /etc/ssl/certs/ca-certificates.crt')),
    fails("a certificate that vouches for itself", {"registry": server([head()], tls="self-signed")}, "protocol",
          "certificate.*ca: FILE", config=CA, seconds=3),
    fails("a certificate for another host", {"registry": server([head()], tls="wrong-host")}, "protocol",
          "(subject|certificate).*(match|name)", config=CA, seconds=3),
    fails("a certificate that has expired", {"registry": server([head()], tls="expired")}, "protocol", "expired", config=CA, seconds=3),
    fails("plain HTTP on the port for TLS", {"registry": server(accept=b"HTTP/1.1 400 Bad Request\r\n\r\n")}, "network",
          "plain_http: true", config=CA, seconds=6),
    fails("TLS on the port for plain HTTP", {"registry": server([head()], tls="good")}, None, "{registry}: ",
          updates=[{"verdict": "lookup-failed"}]),
    fails("the file of authorities lacks", {"registry": server([head()], tls="good")}, "io", "check the file that `ca` names",
          config=config(", ca: nowhere.pem"), seconds=3),
    fails("a stall within the handshake", {"registry": server(accept="stall")}, "timeout", "timed out", config=CA, seconds=6),
    fails("https leads to http",
          {"registry": server([on("HEAD", TAG, 307, {"Location": "http://{other}/there?sig=s1gnature"})], tls="good"),
           "other": server([], address="127.0.0.2")}, "protocol", "from https to http://{other}/there, which is not followed", config=CA,
          not_sent=[sent("other")], unsaid=["s1gnature"]),
    fails("https, and a token server without", {"registry": server([challenge("http://{other}/token")], tls="good"),
                                               "other": server([token()], address="127.0.0.1")},
          "auth", "must not be asked, since it is not https", config=CA, home=HOME, not_sent=[sent("other")]),
]


def named(host, rows, **others):
    """A registry with a name of its own behind a proxy that knows where it is; by TLS, with a private authority."""
    servers = {"registry": server(rows, tls="good"), **others}
    relay = {host + ":443": "registry"}
    relay.update((name.replace("_", ".") + ":443", name) for name in others)
    servers["proxy"] = server([], relay=relay)
    return servers


def behind(host, **options):
    extra = options.pop("extra", "")
    return dict(options, files={"Dockerfile": "FROM %s/app:1.0@%s\n" % (host, OLD)}, env={"https_proxy": "http://{proxy}"},
                config='version: 1\nregistries:\n  %s: {timeout: 30s, ca: "{ca}"%s}\n' % (host, extra),
                home=options.get("home", login(key=host)))


NAMES = [
    fine("by a proxy", named("registry.example.com", [head()]), **behind("registry.example.com")),
    fine("a token server below the registry's name sees the password",
         named("hub.example.com", [challenge("https://auth.hub.example.com/token"), head(header="Bearer t0ken")],
               auth_hub_example_com=server([token(header="Basic " + BASIC)], tls="good")),
         **behind("hub.example.com")),
    fails("a token server beside the registry does not see the password",
          named("registry.example.com", [challenge("https://auth.example.com/token")],
                auth_example_com=server([token(status=401)], tls="good")),
          "auth", "auth.example.com is another host", **behind("registry.example.com",
                                                               not_sent=[sent("auth_example_com", header="authorization")])),
    fine("a token server beside the registry that the user named",
         named("registry.example.com", [challenge("https://auth.example.com/token"), head(header="Bearer t0ken")],
               auth_example_com=server([token(header="Basic " + BASIC)], tls="good")),
         **behind("registry.example.com", extra=", token_server: auth.example.com")),
    fails("a token server that shares only a suffix of names",
          named("registry.example.co.uk", [challenge("https://evil.other.co.uk/token")],
                evil_other_co_uk=server([token(status=401)], tls="good")),
          "auth", "evil.other.co.uk is another host", **behind("registry.example.co.uk",
                                                               not_sent=[sent("evil_other_co_uk", header="authorization")])),
    fine("Docker Hub and its token server",
         dict(named("registry-1.docker.io", [
             on("HEAD", "/v2/library/app/manifests/1.0", 401, {"WWW-Authenticate": 'Bearer realm="https://auth.docker.io/token",'
                                                               'service="registry.docker.io"'}, without="authorization"),
             on("HEAD", "/v2/library/app/manifests/1.0", header="Bearer t0ken",
                headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})],
             auth_docker_io=server([token(header="Basic " + BASIC)], tls="good"))),
         files={"Dockerfile": "FROM app:1.0@%s\n" % OLD}, env={"https_proxy": "http://{proxy}"},
         config='version: 1\nregistries:\n  docker.io: {timeout: 30s, ca: "{ca}"}\n', home=login(key="https://index.docker.io/v1/")),
    fails("the proxy is down", {"registry": []}, "network", "registry.example.com: ", files={
        "Dockerfile": "FROM registry.example.com/app:1.0@%s\n" % OLD}, env={"https_proxy": "http://{refused}"},
          config="version: 1\nregistries:\n  registry.example.com: {timeout: 2s}\n"),
    fails("the proxy refuses", {"registry": [], "proxy": [on("CONNECT", ".*", 403, body="no way out")]}, "network",
          "registry.example.com: .*403", files={"Dockerfile": "FROM registry.example.com/app:1.0@%s\n" % OLD},
          env={"https_proxy": "http://{proxy}"}, config="version: 1\nregistries:\n  registry.example.com: {timeout: 2s}\n"),
    fine("loopback needs no proxy", {"registry": [head()], "proxy": [on(".*", ".*", 500)]}, env={"http_proxy": "http://{proxy}"},
         not_sent=[sent("proxy")]),
]

HELPER = "#!/bin/sh\nread -r url\necho \"$url\" >>\"$HOME/asked\"\n%s\n"
ANSWER = 'printf \'{"ServerURL":"%%s","Username":"user","Secret":"%s"}\' "$url"' % SECRET
ASK_BASIC = [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"}, without="authorization"), head(header="Basic " + BASIC)]


def helper(script, settings, **options):
    """A home folder with the program docker-credential-test in its bin."""
    home = {".docker/config.json": json.dumps(settings), "bin/docker-credential-test": HELPER % script}
    return dict(options, home=home, modes={"bin/docker-credential-test": 0o755}, env={"PATH": "{home}/bin:/usr/bin:/bin"})


BY_HOST = {"credHelpers": {"{registry}": "test"}}
HELPERS = [
    fine("a helper by host", {"registry": ASK_BASIC}, **helper(ANSWER, BY_HOST)),
    fine("a helper for all", {"registry": ASK_BASIC}, **helper(ANSWER, {"credsStore": "test"})),
    fine("a helper comes before the file", {"registry": ASK_BASIC}, **helper(
        ANSWER, dict(BY_HOST, auths={"{registry}": {"auth": base64.b64encode(b"a:b").decode()}}))),
    fine("a helper knows none: the file", {"registry": ASK_BASIC}, **helper(
        "echo credentials not found in native keychain; exit 1", {"credsStore": "test", "auths": {"{registry}": {"auth": BASIC}}})),
    fine("a helper knows none: anonymous", {"registry": [challenge(), token(without="authorization"), head(header="Bearer t0ken")]},
         **helper("echo credentials not found in native keychain; exit 1", BY_HOST)),
    fine("a helper is asked once for a host", {"registry": [
        on("HEAD", "/v2/app[0-9]+/manifests/1.0", 401, {"WWW-Authenticate": "Basic"}, without="authorization"),
        on("HEAD", "/v2/app[0-9]+/manifests/1.0", headers={"Docker-Content-Digest": NEW, "Content-Type": INDEX_TYPE})]},
         files={"Dockerfile": "".join("FROM {registry}/app%d:1.0@%s\n" % (n, OLD) for n in range(20))},
         updates=[found()] * 20,
         check=lambda run: [] if open(run.names["home"] + "/asked").read() == run.names["registry"] + "\n" else ["asked again"],
         **helper(ANSWER, BY_HOST)),
    fine("a helper gives an identity token",
         {"registry": [challenge(), on("POST", "/token", body='{"access_token":"t0ken"}', body_has="refresh_token=" + SECRET),
                       head(header="Bearer t0ken")]},
         **helper(ANSWER.replace('"user"', '"<token>"'), BY_HOST)),
    fails("a helper fails", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          'config.json names the credential helper "test" for {registry}: .*failed: the keyring is locked',
          **helper("echo the keyring is locked; exit 1", BY_HOST)),
    fails("a helper lacks", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          'names the credential helper "other" for {registry}: docker-credential-other: no such program',
          **helper("", {"credHelpers": {"{registry}": "other"}})),
    fine("the helper for all lacks, and nothing needs it", {"registry": [challenge(), token(), head(header="Bearer t0ken")]},
         **helper("", {"credsStore": "desktop"})),
    fails("the helper for all lacks, and it is told", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          'refused with 401.*helper "desktop".*no such program', **helper("", {"credsStore": "desktop"})),
    fails("a helper hangs", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "did not end within 10000 ms", **helper("exec sleep 60", BY_HOST, seconds=14)),
    fails("a helper talks nonsense with a secret in it", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "without \"Username\" and \"Secret\"", **helper("echo '{\"Secret\":\"%s\"}'" % SECRET, BY_HOST)),
    fails("a helper fails with a secret in its words", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "failed: exit status 1", **helper("echo '{\"Secret\":\"%s\"}'; exit 1" % SECRET, BY_HOST)),
    fails("a helper floods", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]}, "auth",
          "credential helper", **helper("exec yes", BY_HOST)),
]

FILES = [
    fine("REGISTRY_AUTH_FILE", {"registry": ASK_BASIC}, home={"auth.json": json.dumps({"auths": {"{registry}": {"auth": BASIC}}})},
         env={"REGISTRY_AUTH_FILE": "{home}/auth.json"}),
    fine("DOCKER_CONFIG", {"registry": ASK_BASIC}, home={"d/config.json": json.dumps({"auths": {"{registry}": {"auth": BASIC}}})},
         env={"DOCKER_CONFIG": "{home}/d"}),
    fine("podman's file", {"registry": ASK_BASIC},
         home={"run/containers/auth.json": json.dumps({"auths": {"{registry}/app": {"auth": BASIC}}})},
         env={"XDG_RUNTIME_DIR": "{home}/run"}),
    fails("podman's file has a password for another path", {"registry": [on("HEAD|GET", TAG, 401, {"WWW-Authenticate": "Basic"})]},
          "auth", "without credentials", home={"run/containers/auth.json": json.dumps({"auths": {"{registry}/ap": {"auth": BASIC}}})},
          env={"XDG_RUNTIME_DIR": "{home}/run"}, not_sent=[sent("registry", header="authorization")]),
    checked("a configuration that is broken", {"registry": [head()]},
            dict(exit=2, home={".docker/config.json": '{"auths": {"a": {"auth": "%s"' % SECRET},
                 err=["config.json:1:\\d+: not a docker configuration"], not_sent=[sent("registry")])),
    checked("an entry that is broken", {"registry": [head()]},
            dict(exit=2, home={".docker/config.json": '{"auths": {"some.host": {"auth": "%s"}}}' % SECRET},
                 err=["config.json: auths: some.host: \"auth\" is not base64"], not_sent=[sent("registry")])),
    checked("REGISTRY_AUTH_FILE names nothing", {"registry": [head()]},
            dict(exit=2, env={"REGISTRY_AUTH_FILE": "{home}/none.json"}, err=["REGISTRY_AUTH_FILE names .*none.json, which is not there"])),
    checked("a host with a scheme in pingate.yaml", {"registry": [head()]},
            dict(exit=2, config="version: 1\nregistries: {'https://a.example.com': {}}\n", err=["pingate.yaml:2:14: .*a host was expected"])),
]

def part(letter, size):
    return {"digest": "sha256:" + letter * 64, "size": size}


def image(*layers, config=part("c", 10)):
    return json.dumps({"schemaVersion": 2, "config": config, "layers": list(layers)}).encode()


def index(*children):
    """Of pairs: platform, manifest (its bytes, or another digest)."""
    def child(platform, manifest):
        os, architecture, *variant = platform.split("/")
        return {"digest": digest_of(manifest) if isinstance(manifest, bytes) else manifest, "size": 5,
                "platform": dict({"os": os, "architecture": architecture}, **({"variant": variant[0]} if variant else {}))}
    return json.dumps({"schemaVersion": 2, "manifests": [child(*pair) for pair in children]}).encode()


def by_digest(manifest, name="app", digest=None, **options):
    options.setdefault("headers", {"Content-Type": "application/json"})
    return on("GET", "/v2/%s/manifests/%s" % (name, digest or digest_of(manifest)), body=manifest, **options)


HERE = "linux/" + {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def plan(name, candidates, rows, pull, tests='[{name: t, run: ["true"]}]', others=None, **options):
    """`run --plan` of these candidates (repository: manifest); pull: what the machine form says of sizes, images as pairs of bytes
    and a regex for the reason. It always ends well: a size is never a reason for a plan to fail."""
    def check(run):
        found = run.document.get("pull", {"platform": None, "bytes": None, "reason": None, "images": []})
        seen = [(one["bytes"], one["reason"]) for one in found["images"]]
        wanted = pull["images"]
        good = (found["platform"], found["bytes"]) == (HERE, pull["bytes"]) and len(seen) == len(wanted) and all(
            one[0] == other[0] and (re.search(run.fill(other[1]), one[1] or "") if other[1] else one[1] is None)
            for one, other in zip(seen, wanted)) and re.search(pull.get("reason", "^$"), found["reason"] or "")
        return [] if good else ["pull is %s" % json.dumps(found, indent=1)]
    heads = [on("HEAD", "/v2/%s/manifests/1.0" % repository,
                headers={"Docker-Content-Digest": digest_of(manifest), "Content-Type": INDEX_TYPE})
             for repository, manifest in candidates.items()]
    options.setdefault("files", {"Dockerfile": "".join("FROM {registry}/%s:1.0@%s\n" % (repository, OLD)
                                                       for repository in candidates)})
    return checked(name, dict(others or {}, registry=rows + heads), dict(
        options, command=["run", "--plan", "--json"], check=check,
        config=options.get("config", config()).replace('\n  - {name: t, run: ["true"]}', " " + tests)))


def unknown(name, manifest, reason, rows=None, **options):
    return plan("no size: " + name, {"app": manifest}, [by_digest(manifest)] if rows is None else rows,
                {"bytes": None, "images": [(None, reason)]}, **options)


SMALL = image(part("d", 100))
SHARED = image(part("d", 100), part("e", 1000), config=part("f", 1))
NESTED = index((HERE, index((HERE, SMALL))))
PLANS = [
    plan("the size of an image", {"app": SMALL}, [by_digest(SMALL)], {"bytes": 110, "images": [(110, None)]},
         sent=[sent("registry", "GET", count=1, header="Accept: .*oci.image.index")]),
    plan("the size of an image by its index", {"app": index(("linux/other", SHARED), (HERE, SMALL), ("unknown/unknown", OLD))},
         [by_digest(index(("linux/other", SHARED), (HERE, SMALL), ("unknown/unknown", OLD))), by_digest(SMALL)],
         {"bytes": 110, "images": [(110, None)]}, sent=[sent("registry", "GET", count=2)]),
    plan("a layer of two images is counted once", {"app": SMALL, "other": SHARED}, [by_digest(SMALL), by_digest(SHARED, "other")],
         {"bytes": 1111, "images": [(110, None), (1101, None)]}),
    plan("one digest of two images", {"app": SMALL, "other": SMALL}, [by_digest(SMALL), by_digest(SMALL, "other")],
         {"bytes": 110, "images": [(110, None), (110, None)]}),
    plan("two sizes for one layer", {"app": SMALL, "other": image(part("d", 101))},
         [by_digest(SMALL), by_digest(image(part("d", 101)), "other")],
         {"bytes": None, "reason": "d{64} is said to have 10[01] bytes and 10[01]", "images": [(110, None), (111, None)]}),
    plan("the size of one of two images", {"app": SMALL, "other": SHARED}, [by_digest(SMALL), by_digest(SHARED, "other", status=404)],
         {"bytes": None, "images": [(110, None), (None, "{registry}/other: {registry} has no manifest sha256:")]}),
    plan("an image that stays as it is", {"app": SMALL}, [by_digest(SMALL), by_digest(SHARED, "tool"),
                                                        on("HEAD", "/v2/tool/manifests/1", headers={
                                                            "Docker-Content-Digest": digest_of(SHARED), "Content-Type": INDEX_TYPE})],
         {"bytes": 1111, "images": [(110, None), (1101, None)]},
         tests='[{name: t, images: "{registry}/app", run: ["true", {in: "{registry}/tool", command: "true"}]}]',
         files={"Dockerfile": "FROM {registry}/app:1.0@%s\nFROM {registry}/tool:1@%s\n" % (OLD, digest_of(SHARED))}),
    plan("nothing newer, nothing to pull", {}, [head(OLD)], {"bytes": 0, "images": []},
         files={"Dockerfile": "FROM {registry}/app:1.0@%s\n" % OLD}, not_sent=[sent("registry", "GET")]),
    plan("sizes after 429", {"app": SMALL}, [by_digest(SMALL, status=429, headers={"Retry-After": "1"}, times=1), by_digest(SMALL)],
         {"bytes": 110, "images": [(110, None)]}),
    plan("one token for candidates and sizes", {"app": SMALL},
         [on("HEAD|GET", "/v2/app/manifests/.*", 401, {"WWW-Authenticate": 'Bearer realm="http://{registry}/token",service="here"'},
             without="authorization"), token(), by_digest(SMALL, header="Bearer t0ken")],
         {"bytes": 110, "images": [(110, None)]}, sent=[sent("registry", "GET", "/token.*", count=1)]),
    unknown("no JSON", b"{", "is no manifest"),
    unknown("another manifest than was asked for", SMALL, "asked for sha256:\\w+, the registry answered with",
            [by_digest(SHARED, digest=digest_of(SMALL))]),
    unknown("a child that is another one", index((HERE, SMALL)), "asked for sha256:\\w+, the registry answered with",
            [by_digest(index((HERE, SMALL))), by_digest(SHARED, digest=digest_of(SMALL))]),
    unknown("gone", SMALL, "has no manifest sha256:", [by_digest(SMALL, status=404)]),
    unknown("the child is gone", index((HERE, SMALL)), "has no manifest " + digest_of(SMALL),
            [by_digest(index((HERE, SMALL))), by_digest(SMALL, status=404)]),
    unknown("refused", SMALL, "refused with 403", [by_digest(SMALL, status=403)]),
    unknown("an index without this platform", index(("linux/other", SMALL), ("unknown/unknown", OLD)),
            "the index has no image for " + HERE),
    unknown("an index with two images for this platform", index((HERE, SMALL), (HERE, SHARED)), "more than one image for " + HERE),
    unknown("an index in the index", NESTED, "names another index", [by_digest(NESTED), by_digest(index((HERE, SMALL)))]),
    unknown("a negative size", image(part("d", -100)), "no size that makes sense for layer 1"),
    unknown("a size of 8 EiB", image(part("d", 2**63 - 1)), "no size that makes sense for layer 1"),
    unknown("a size lacks", image({"digest": OLD}), "no size that makes sense for layer 1"),
    unknown("10,000 layers", image(*[part("d", 1)] * 10000), "more than 1000 layers"),
    unknown("schema 1", OLD_SCHEMA, "schema 1 manifest"),
    unknown("100 MB", SMALL, "larger than 4194304 bytes", [by_digest(SMALL, flood=100 << 20)], memory_mib=48),
    unknown("never an answer", SMALL, "timed out", [by_digest(SMALL, never=True)],
            config=CONFIG % ("3s", "", "digest"), seconds=6),
    plan("an index on another host, its image at home", {"app": index((HERE, SMALL))},
         [on("GET", "/v2/app/manifests/.*", 401, {"WWW-Authenticate": "Basic"}, without="authorization"),
          by_digest(index((HERE, SMALL)), status=307, headers={"Location": "http://{other}/elsewhere"}), by_digest(SMALL)],
         {"bytes": 110, "images": [(110, None)]}, home=login(), others={"other": [on("GET", "/elsewhere", body=index((HERE, SMALL)))]},
         not_sent=[sent("other", header="authorization")]),
    checked("`run --plan` for people says why a size is not known",
            {"registry": [head(digest_of(SMALL)), by_digest(SMALL, status=404)]},
            dict(command=["run", "--plan"], config=config(), out=["t \\(1 command\\); pulls: unknown",
                                                                 "1 trial in the first round; how much they pull .* is not known",
                                                                 "unknown: {registry}/app: {registry} has no manifest sha256:"])),
    fine("`status` asks for no sizes", {"registry": [head(digest_of(SMALL))]}, updates=[found(digest_of(SMALL))],
         sent=[sent("registry", count=1)]),
]

CASES = PLAIN + DIGESTS + BODIES + STALLS + STATUSES + TOKENS + ELSEWHERE + PAGES + TLS + NAMES + HELPERS + FILES + PLANS

if __name__ == "__main__":
    main(CASES)
