#!/usr/bin/env python3
"""A token server as the registry's documentation describes it: GET /token?service=…&scope=… with Basic or anonymously.

    token_server.py FOLDER LIFE      FOLDER has key.pem and cert.pem; LIFE is that of a token, in seconds

The user "user" with the password "open-sesame" may pull; who comes without a password gets a token that allows nothing, who comes
with a wrong one gets 401. It writes its port into FOLDER/token.port, and a line for each request into FOLDER/token.log.
"""
import base64
import http.server
import json
import os
import subprocess
import sys
import time
import urllib.parse

folder, life = sys.argv[1], int(sys.argv[2])


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims):
    with open(os.path.join(folder, "cert.pem")) as opened:
        certificate = "".join(line.strip() for line in opened if "-----" not in line)
    text = "%s.%s" % (coded(json.dumps({"typ": "JWT", "alg": "RS256", "x5c": [certificate]}).encode()),
                      coded(json.dumps(claims).encode()))
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", os.path.join(folder, "key.pem")], input=text.encode(),
                               stdout=subprocess.PIPE, check=True).stdout
    return "%s.%s" % (text, coded(signature))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        given = self.headers.get("Authorization")
        right = "Basic " + base64.b64encode(b"user:open-sesame").decode()
        with open(os.path.join(folder, "token.log"), "a") as log:
            log.write("%s %s\n" % (self.path, "with a password" if given else "anonymously"))
        if given not in (None, right):
            self.answer(401, {"errors": [{"message": "wrong password"}]})
            return
        scope = query.get("scope", [""])[0].split(":")
        access = [{"type": scope[0], "name": scope[1], "actions": ["pull"]}] if given and len(scope) == 3 else []
        now = int(time.time())
        self.answer(200, {"expires_in": life, "token": sign({
            "iss": "tests", "sub": "user", "aud": query.get("service", [""])[0], "iat": now, "nbf": now - 10, "exp": now + life,
            "jti": str(now), "access": access})})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(os.path.join(folder, "token.port.new"), "w") as out:
    out.write(str(server.server_port))
os.rename(os.path.join(folder, "token.port.new"), os.path.join(folder, "token.port"))
server.serve_forever()
