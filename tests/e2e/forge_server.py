#!/usr/bin/env python3
"""A forge: the part of GitHub's API that the CI steps call, as its documentation describes it, and git over HTTP (git's own
http-backend).

    forge_server.py FOLDER        FOLDER/acme/shop.git is the bare repository that it serves

The password is "the-token", for the API as Bearer, for git as Basic of any user; git may fetch without it. It writes its port into
FOLDER/port and a line for each call of the API into FOLDER/calls. Pull requests and comments are kept in FOLDER/pulls.json and
FOLDER/comments.json, which a test may write before. A FOLDER/refuse makes the API answer 403 to all that writes, as for a fork.
"""
import base64
import gzip
import http.server
import json
import os
import re
import subprocess
import sys
import urllib.parse

folder = sys.argv[1]
PAGE = 30  # what comes on a page unless asked for more; 100 is the most


def load(name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file)


def tip(branch):
    return subprocess.run(["git", "-C", os.path.join(folder, "acme/shop.git"), "rev-parse", "--verify", "--quiet", branch],
                          stdout=subprocess.PIPE, check=False).stdout.decode().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.read_body()
        if self.path.startswith("/api/"):
            self.api(body)
        else:
            self.git(body)

    do_GET = do_POST = do_PATCH = handle_any

    def read_body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline(), 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def api(self, body):
        url = urllib.parse.urlparse(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        with open(os.path.join(folder, "calls"), "a", encoding="utf-8") as calls:
            calls.write(f"{self.command} {url.path[4:]}\n")
        if self.headers.get("Authorization") != "Bearer the-token":
            self.answer(401, {"message": "Bad credentials"})
        elif self.command != "GET" and os.path.exists(os.path.join(folder, "refuse")):
            self.answer(403, {"message": "Resource not accessible by integration"})
        else:
            for method, pattern, call in ROUTES:
                found = re.fullmatch(r"/api/repos/acme/shop" + pattern, url.path)
                if found and method == self.command:
                    self.answer(*call(query, json.loads(body or b"null"), *found.groups()))
                    return
            self.answer(404, {"message": "Not Found"})

    def git(self, body):
        url = urllib.parse.urlparse(self.path)
        given = self.headers.get("Authorization", "")
        if given.startswith("Basic "):
            given = base64.b64decode(given[6:]).decode().split(":", 1)[1]
        writes = "git-receive-pack" in self.path
        if given != "the-token" and (given or writes):
            self.answer(401, {"message": "wrong password"}, {"WWW-Authenticate": "Basic realm=forge"})
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        environment = dict(os.environ, GIT_PROJECT_ROOT=folder, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=url.path,
                           QUERY_STRING=url.query, REQUEST_METHOD=self.command, CONTENT_LENGTH=str(len(body)),
                           CONTENT_TYPE=self.headers.get("Content-Type", ""), GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        if writes:
            environment["REMOTE_USER"] = "bot"
        made = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=False).stdout
        head, _, content = made.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.answer(int(headers.pop("Status", "200").split()[0]), content, headers)

    def answer(self, status, body, headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def list_pulls(query, _):
    head = query.get("head", "").split(":", 1)[-1]
    return 200, [pull for pull in load("pulls.json") if pull["state"] == query.get("state", "open")
                 and head in ("", pull["head"]["ref"]) and query.get("base", pull["base"]["ref"]) == pull["base"]["ref"]]


def create_pull(_, body):
    pulls = load("pulls.json")
    if tip(body["head"]) in ("", tip(body["base"])):
        return 422, {"message": "No commits between base and head"}
    if any(pull["head"]["ref"] == body["head"] and pull["state"] == "open" for pull in pulls):
        return 422, {"message": "A pull request already exists"}
    pulls.append({"number": len(pulls) + 1, "state": "open", "title": body["title"], "body": body["body"],
                  "head": {"ref": body["head"], "sha": tip(body["head"])}, "base": {"ref": body["base"]},
                  "html_url": f"https://forge.example.com/acme/shop/pull/{len(pulls) + 1}"})
    save("pulls.json", pulls)
    return 201, pulls[-1]


def update_pull(_, body, number):
    pulls = load("pulls.json")
    for pull in pulls:
        if pull["number"] == int(number):
            pull.update(body)
            save("pulls.json", pulls)
            return 200, pull
    return 404, {"message": "Not Found"}


def list_comments(query, _, number):
    size = min(int(query.get("per_page", PAGE)), 100)
    page = int(query.get("page", 1))
    ours = [comment for comment in load("comments.json") if comment["pull"] == int(number)]
    return 200, ours[(page - 1) * size:page * size]


def create_comment(_, body, number):
    comments = load("comments.json")
    comments.append({"id": 1000 + len(comments), "pull": int(number), "body": body["body"],
                     "user": {"login": "github-actions[bot]"}})
    save("comments.json", comments)
    return 201, comments[-1]


def update_comment(_, body, number):
    comments = load("comments.json")
    for comment in comments:
        if comment["id"] == int(number):
            comment.update(body)
            save("comments.json", comments)
            return 200, comment
    return 404, {"message": "Not Found"}


ROUTES = [
    ("GET", "/pulls", list_pulls),
    ("POST", "/pulls", create_pull),
    ("PATCH", r"/pulls/(\d+)", update_pull),
    ("GET", r"/issues/(\d+)/comments", list_comments),
    ("POST", r"/issues/(\d+)/comments", create_comment),
    ("PATCH", r"/issues/comments/(\d+)", update_comment),
]

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(os.path.join(folder, "port.new"), "w", encoding="utf-8") as port:
    port.write(str(server.server_port))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
