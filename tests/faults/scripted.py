"""A scripted HTTP server: it answers as a table of rows says, truly, late, by halves, by a lie, by a flood, or never.

It stands for a registry, a token server, a proxy or (on a unix socket) a container engine. Only the standard library and
the `openssl` program are used. What a case is, and how the program is run against it, stands in harness.py.

    server = Server([
        on("HEAD", "/v2/app/manifests/1.0", 429, {"Retry-After": "1"}, times=1),
        on("HEAD", "/v2/app/manifests/1.0", headers={"Docker-Content-Digest": NEW}),
    ])

The first row that matches a request answers it. A row can be used up (`times`), can ask for a header, for a flag that an
earlier row has set, or be for the n-th request of its kind only; so a table has state without any code. A request that no
row matches gets 404 and is kept in `server.surprises`: a case fails for it.

In texts (headers, bodies, raw bytes) "{name}" stands for the address of the server of that name ("127.0.0.1:4711"), and
in headers "{digest}" for the digest of this row's body.
"""
import hashlib
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

HEADERS_LIMIT = 1 << 20  # bytes of one request's headers
FLOOD_PIECE = b"x" * 65536
STALL_SECONDS = 120  # "never" lasts this long, and ends with the server


def digest_of(body):
    return "sha256:" + hashlib.sha256(body).hexdigest()


class Row:
    """One line of a table: which requests it answers, and how. Made by on()."""

    def __init__(self, method, path, status, headers, body, **options):
        self.method = re.compile(method + r"\Z")
        self.path = re.compile(path + r"\Z")  # with the query
        self.status = status
        self.headers = headers
        self.body = body
        self.used = 0
        known = {
            # which requests
            "header": None,  # regex that one "Name: value" line must match
            "without": None,  # regex that no "Name: value" line may match
            "body_has": None,  # regex that the request's body must match
            "times": None,  # answers at most so many requests
            "nth": None,  # answers only the n-th request with this method and path at this server, from 1
            "when": None,  # only while this flag is set (or, with "!" before it, is not)
            "sets": None,  # sets this flag, or clears it with "!" before it, when the request has come
            # when
            "delay": 0.0,  # seconds before the status line
            "until": None,  # answers when this flag is set
            "headers_only": False,  # status and headers, then nothing more (HEAD answers of a right length do so anyway)
            "pause": 0.0,  # seconds between the first and the second half of the body
            "drip": None,  # (bytes, seconds): the body in such pieces, with such breaks
            "drip_headers": None,  # the same for the head
            # how much
            "length": "right",  # Content-Length: "right", "none", or what it says (a lie)
            "chunked": None,  # "good", or "size" (no number), "short" (chunk cut), "no-end" (last chunk lacks), "huge"
            "cut": None,  # closes after so many bytes of the body
            "cut_head": None,  # closes after so many bytes of the head
            "reset": False,  # a cut is a reset, and not an end
            "flood": 0,  # bytes of "x" after the body
            "flood_headers": 0,  # bytes of headers more
            # never
            "never": False,  # no answer, the connection stays
            "stall": False,  # after what is sent, the connection stays open and silent
            "close": False,  # closes at once; with reset, resets
            "keep": True,  # takes more requests on this connection
            "raw": None,  # these bytes instead of an answer
            "reply": None,  # function(request, server) -> Row, for what a table cannot say
        }
        for name, value in options.items():
            if name not in known:
                raise TypeError("a row has no option %r" % name)
            known[name] = value
        self.__dict__.update(known)
        self.told = describe(self)

    def __repr__(self):
        return self.told


def describe(row):
    words = ["on(%s %s -> %s" % (row.method.pattern[:-2], row.path.pattern[:-2], row.status)]
    plain = vars(Row_defaults) if Row_defaults else {}
    for name, value in sorted(vars(row).items()):
        if name in ("method", "path", "status", "used", "told") or not value or value == plain.get(name):
            continue
        shown = repr(value)
        words.append("%s=%s" % (name, shown if len(shown) < 160 else shown[:150] + "…"))
    return ", ".join(words) + ")"


Row_defaults = None
Row_defaults = Row("", "", 200, None, b"")


def on(method, path, status=200, headers=None, body=b"", **options):
    """A row. method and path are regexes for the whole of each; body is bytes, text, or a function() -> iterable of bytes."""
    return Row(method, path, status, headers, body, **options)


def from_file(path):
    """A body that is read from a file, piece by piece."""
    def pieces():
        with open(path, "rb") as opened:
            while True:
                piece = opened.read(65536)
                if not piece:
                    return
                yield piece
    return pieces


class Request:
    """What came: kept for the case's questions."""

    def __init__(self, server, connection, number):
        self.server = server
        self.connection = connection  # number of the connection, from 1
        self.number = number  # of the request at this server, from 1
        self.method = self.path = ""
        self.headers = []  # "Name: value"
        self.body = hashlib.sha256()
        self.body_start = b""  # its first 64 KiB
        self.body_size = 0
        self.row = None
        self.time = time.monotonic()

    def add_body(self, piece):
        self.body.update(piece)
        self.body_size += len(piece)
        self.body_start = (self.body_start + piece)[:65536]

    def __str__(self):
        auth = [line for line in self.headers if line.lower().startswith("authorization")]
        return "%s %s %s%s" % (self.server.name, self.method, self.path, " [%s]" % auth[0] if auth else "")


class Closed(Exception):
    pass


class Connection:
    def __init__(self, server, sock, number):
        self.server, self.sock, self.number = server, sock, number
        self.left = b""

    def read_some(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise Closed
        self.left += piece

    def read_head(self):
        while b"\r\n\r\n" not in self.left:
            if len(self.left) > HEADERS_LIMIT:
                raise Closed
            self.read_some()
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        return head.decode("latin-1").split("\r\n")

    def take(self, size, give):
        while size > 0:
            if not self.left:
                self.read_some()
            piece, self.left = self.left[:size], self.left[size:]
            size -= len(piece)
            give(piece)

    def take_line(self):
        while b"\r\n" not in self.left:
            self.read_some()
        line, _, self.left = self.left.partition(b"\r\n")
        return line

    def take_chunks(self, give):
        while True:
            size = int(self.take_line().split(b";")[0], 16)
            self.take(size, give)
            if size == 0:
                while self.take_line():
                    pass
                return
            self.take_line()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Closed

    def stall(self):
        """Silent until the other side goes away or the server ends."""
        self.sock.settimeout(0.2)
        end = time.monotonic() + STALL_SECONDS
        while time.monotonic() < end and not self.server.ending:
            try:
                if not self.sock.recv(65536):
                    break
            except (socket.timeout, ssl.SSLWantReadError):
                continue
            except OSError:
                break
        raise Closed

    def send(self, data, drip=None):
        if not drip:
            self.sock.sendall(data)
            return
        size, seconds = drip
        for start in range(0, len(data), size):
            if self.server.ending:
                raise Closed
            self.sock.sendall(data[start:start + size])
            time.sleep(seconds)


class Server:
    """rows      the table
    tls        None, or "good", "self-signed", "wrong-host", "expired"
    address    to listen at; 127.0.0.0/8 gives any number of hosts
    unix       listen on a unix socket instead, at a path of its own
    accept     "all"; or, before any request: "stall", "close", "reset", or bytes that are sent and then the end
    relay      for a proxy that takes CONNECT: {"host:port": "name of a server"}
    """

    def __init__(self, rows=(), tls=None, address="127.0.0.1", unix=False, accept="all", relay=None):
        self.rows, self.tls, self.accept, self.relay = list(rows), tls, accept, relay or {}
        self.name, self.names = "server", {}
        self.requests, self.surprises, self.flags = [], [], set()
        self.connections = 0
        self.ending = False
        self.lock = threading.Lock()
        self.flagged = threading.Condition(self.lock)
        self.sockets = set()
        self.folder = None
        if unix:
            self.folder = tempfile.mkdtemp(prefix="scripted.")
            self.where = os.path.join(self.folder, "socket")
            self.listening = socket.socket(socket.AF_UNIX)
            self.listening.bind(self.where)
        else:
            self.listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            self.listening.bind((address, 0))
            port = self.listening.getsockname()[1]
            self.where = ("[%s]:%d" if ":" in address else "%s:%d") % (address, port)
        self.unix = unix
        self.context = tls_context(tls) if tls else None

    def start(self, name="server", names=None):
        """names: what "{name}" stands for in this server's texts."""
        self.name, self.names = name, names or {}
        self.listening.listen(256)
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self):
        with self.lock:
            self.ending = True
            self.flagged.notify_all()
            open_ones = list(self.sockets)
        try:
            self.listening.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listening.close()
        for sock in open_ones:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _listen(self):
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self.sockets.add(sock)
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        wrapped = sock
        try:
            sock.settimeout(STALL_SECONDS)
            if self.accept != "all":
                self._refuse(Connection(self, sock, number))
            if self.context:
                wrapped = self.context.wrap_socket(sock, server_side=True)
            connection = Connection(self, wrapped, number)
            while not self.ending:
                self._answer(connection)
        except (Closed, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.sockets.discard(sock)
            wrapped.close()

    def _refuse(self, connection):
        if self.accept == "stall":
            connection.stall()
        if self.accept == "reset":
            connection.reset()
        if isinstance(self.accept, bytes):
            connection.send(self.accept)
        raise Closed

    def fill(self, text):
        for name, where in self.names.items():
            text = text.replace("{%s}" % name, where)
        return text

    def _read(self, connection):
        lines = connection.read_head()
        with self.lock:
            request = Request(self, connection.number, len(self.requests) + 1)
            request.method, request.path = (lines[0].split(" ") + [""])[:2]
            request.headers = lines[1:]
            self.requests.append(request)
        fields = dict((line.partition(":")[0].strip().lower(), line.partition(":")[2].strip()) for line in lines[1:])
        if fields.get("transfer-encoding", "").lower() == "chunked":
            connection.take_chunks(request.add_body)
        else:
            connection.take(int(fields.get("content-length", 0)), request.add_body)
        return request

    def _is_set(self, flag):
        return flag[1:] not in self.flags if flag.startswith("!") else flag in self.flags

    def _matches(self, row, request):
        if not (row.method.match(request.method) and row.path.match(request.path)):
            return False
        lines = request.headers
        same = 0
        if row.nth is not None:
            same = sum(1 for r in self.requests if row.method.match(r.method) and row.path.match(r.path))
        return ((row.times is None or row.used < row.times)
                and (row.nth is None or row.nth == same)
                and (row.when is None or self._is_set(row.when))
                and (row.header is None or any(re.search(row.header, line, re.I) for line in lines))
                and (row.without is None or not any(re.search(row.without, line, re.I) for line in lines))
                and (row.body_has is None or re.search(row.body_has.encode(), request.body_start)))

    def _choose(self, request):
        with self.lock:
            for row in self.rows:
                if self._matches(row, request):
                    row.used += 1
                    request.row = row
                    self._flag(row.sets)
                    return row
            self.surprises.append(request)
        return on("", "", 404, {"Content-Type": "text/plain"}, b"the script has no row for this\n")

    def _flag(self, flag):
        if flag is None:
            return
        if flag.startswith("!"):
            self.flags.discard(flag[1:])
        else:
            self.flags.add(flag)
        self.flagged.notify_all()

    def set_flag(self, flag):
        with self.lock:
            self._flag(flag)

    def _answer(self, connection):
        request = self._read(connection)
        if request.method == "CONNECT" and request.path in self.relay:
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
            self._relay(connection, self.names[self.relay[request.path]])
        row = self._choose(request)
        if row.reply:
            row = row.reply(request, self)
        if row.until:
            with self.lock:
                self.flagged.wait_for(lambda: self.ending or self._is_set(row.until), STALL_SECONDS)
        time.sleep(row.delay)
        if row.never:
            connection.stall()
        if row.close:
            if row.reset:
                connection.reset()
            raise Closed
        if row.raw is not None:
            raw = row.raw if isinstance(row.raw, bytes) else self.fill(row.raw).encode()
            connection.send(raw, row.drip)
        else:
            Sender(self, connection, request, row).send()
        if row.stall:
            connection.stall()
        if not row.keep or row.raw is not None:
            raise Closed

    def _relay(self, connection, where):
        host, _, port = where.rpartition(":")
        other = socket.create_connection((host, int(port)))
        with self.lock:
            self.sockets.add(other)

        def pump(source, target):
            try:
                while True:
                    piece = source.recv(65536)
                    if not piece:
                        break
                    target.sendall(piece)
            except OSError:
                pass
            for sock in (source, target):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        other.sendall(connection.left)
        threading.Thread(target=pump, args=(other, connection.sock), daemon=True).start()
        pump(connection.sock, other)
        raise Closed


class Sender:
    """Sends one answer as its row says."""

    def __init__(self, server, connection, request, row):
        self.server, self.connection, self.request, self.row = server, connection, request, row
        self.sent = 0
        body = row.body
        if isinstance(body, str):
            body = server.fill(body).encode()
        self.whole = body if isinstance(body, bytes) else None
        self.pieces = [body] if self.whole is not None else body()
        self.no_body = request.method == "HEAD" or row.status in (204, 304) or 100 <= row.status < 200

    def head(self):
        row, lines = self.row, []
        given = row.headers or {}
        items = list(given.items()) if isinstance(given, dict) else list(given)
        for name, value in items:
            for one in value if isinstance(value, list) else [value]:
                if self.whole is not None:
                    one = one.replace("{digest}", digest_of(self.whole))
                lines.append("%s: %s" % (name, self.server.fill(one)))
        names = set(name.lower() for name, _ in items)
        if row.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif "content-length" not in names and row.length != "none" and row.status != 204 and row.status >= 200:
            right = (len(self.whole) if self.whole is not None else 0) + row.flood
            if self.whole is not None or row.length != "right":
                lines.append("Content-Length: %s" % (right if row.length == "right" else row.length))
        start = "HTTP/1.1 %d %s" % (row.status, "Scripted")
        return ("\r\n".join([start] + lines) + "\r\n").encode("latin-1")

    def cut(self):
        if self.row.reset:
            self.connection.reset()
        raise Closed

    def send(self):
        row, connection = self.row, self.connection
        head = self.head()
        if row.cut_head is not None:
            connection.send(head[:row.cut_head])
            self.cut()
        connection.send(head, row.drip_headers)
        left = row.flood_headers
        while left > 0:
            line = b"X-Flood: " + FLOOD_PIECE[:1000] + b"\r\n"
            connection.send(line)
            left -= len(line)
        connection.send(b"\r\n")
        if row.headers_only or self.no_body:
            if row.cut is not None:
                self.cut()
            return
        if row.pause and self.whole:
            half = len(self.whole) // 2
            self.piece(self.whole[:half])
            time.sleep(row.pause)
            self.piece(self.whole[half:])
        else:
            for piece in self.pieces:
                self.piece(piece)
        left = row.flood
        while left > 0:
            self.piece(FLOOD_PIECE[:left])
            left -= len(FLOOD_PIECE)
        self.end()

    def piece(self, data):
        row = self.row
        if row.cut is not None and self.sent + len(data) > row.cut:
            data = data[:row.cut - self.sent]
        self.sent += len(data)
        if row.chunked and data:
            size = {"size": b"zz", "huge": b"7fffffffffffffff", "short": b"%x" % (len(data) + 7)}
            data = size.get(row.chunked, b"%x" % len(data)) + b"\r\n" + data + b"\r\n"
        self.connection.send(data, row.drip)
        if row.cut is not None and self.sent >= row.cut:
            self.cut()

    def end(self):
        row = self.row
        if row.chunked == "good":
            self.connection.send(b"0\r\n\r\n")
        elif row.chunked:
            raise Closed
        elif row.stall:
            return
        elif row.length == "none" or self.whole is None or row.length != "right":
            raise Closed


# Certificates, made once a process by the openssl program.

certificates_lock = threading.Lock()
certificates_folder = None


def openssl(folder, *arguments):
    done = subprocess.run(("openssl",) + arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (" ".join(arguments), done.stdout.decode("utf-8", "replace")))


def make_certificate(folder, name, names, dates):
    with open(os.path.join(folder, name + ".cnf"), "w") as out:
        out.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s.db\nserial=%s.serial\nnew_certs_dir=.\ndefault_md=sha256\n"
                  "policy=p\nunique_subject=no\nx509_extensions=e\n[p]\ncommonName=supplied\n"
                  "[e]\nsubjectAltName=%s\n[req]\ndistinguished_name=n\n[n]\n" % (name, name, names))
    open(os.path.join(folder, name + ".db"), "w").close()
    with open(os.path.join(folder, name + ".serial"), "w") as out:
        out.write("%02X\n" % (1 + ["good", "self-signed", "wrong-host", "expired"].index(name)))
    openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            name + ".key", "-subj", "/CN=" + name, "-config", name + ".cnf", "-out", name + ".csr")
    signer = ["-selfsign", "-keyfile", name + ".key"] if name == "self-signed" else ["-cert", "ca.pem", "-keyfile", "ca.key"]
    openssl(folder, "ca", "-batch", "-notext", "-config", name + ".cnf", "-in", name + ".csr", "-out", name + ".pem",
            "-startdate", dates[0], "-enddate", dates[1], *signer)


def certificates():
    """The folder with ca.pem and a NAME.pem and NAME.key for each kind of certificate."""
    global certificates_folder
    with certificates_lock:
        if certificates_folder:
            return certificates_folder
        folder = tempfile.mkdtemp(prefix="scripted-tls.")
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", "ca.key", "-subj", "/CN=scripted authority", "-days", "30", "-out", "ca.pem")
        here = ("IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,DNS:localhost,DNS:*.localhost,DNS:*.example.com,DNS:*.hub.example.com,DNS:*.example.org,"
                "DNS:*.docker.io,DNS:*.example.co.uk,DNS:*.other.co.uk")
        now = ("20240101000000Z", "20991231000000Z")
        make_certificate(folder, "good", here, now)
        make_certificate(folder, "self-signed", here, now)
        make_certificate(folder, "wrong-host", "DNS:elsewhere.invalid", now)
        make_certificate(folder, "expired", here, ("20200101000000Z", "20210101000000Z"))
        certificates_folder = folder
        return folder


def remove_certificates():
    global certificates_folder
    if certificates_folder:
        shutil.rmtree(certificates_folder, ignore_errors=True)
        certificates_folder = None


def tls_context(kind):
    folder = certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, kind + ".pem"), os.path.join(folder, kind + ".key"))
    return context
