"""A kubelet for tests: HTTPS on loopback with a certificate of the cluster's authority, and the
paths that API servers ask. What containers would do is decided here: logs are what the test says,
commands are answered with themselves, ports echo.

SPDY/3.1 is as much of it as kubectl needs. Header blocks of the client are not read: which stream is
which follows from the order in which kubectl opens them.
"""

import base64
import hashlib
import json
import socket
import ssl
import struct
import subprocess
import threading
import urllib.parse
import zlib


def certificate(folder, pki, address="127.0.0.1"):
    """Key and certificate of a kubelet, signed by the authority in `pki`, in one file."""
    name = folder / f"kubelet-{address}"
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName=IP:{address}\nextendedKeyUsage=serverAuth\n")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.csr", "-subj", "/O=system:nodes/CN=system:node:fake")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{pki}/ca.crt", "-CAkey", f"{pki}/ca.key",
            "-set_serial", "7", "-days", "2", "-extfile", str(extensions), "-out", f"{name}.crt")
    return f"{name}.crt", f"{name}.key"


class Gone(Exception):
    pass


class Connection:
    def __init__(self, stream):
        self.stream = stream
        self.buffer = b""
        self.lock = threading.Lock()

    def fill(self):
        try:
            more = self.stream.recv(65536)
        except OSError as error:
            raise Gone from error
        if not more:
            raise Gone
        self.buffer += more

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        return lines[0], [tuple(line.split(": ", 1)) for line in lines[1:]]

    def send(self, data):
        try:
            with self.lock:
                self.stream.sendall(data)
        except OSError as error:
            raise Gone from error

    def answer(self, status, body, *headers):
        text = "".join(f"{header}\r\n" for header in headers)
        self.send(f"HTTP/1.1 {status}\r\n{text}Content-Length: {len(body)}\r\n\r\n".encode() + body)


class Spdy:
    """One side of SPDY/3.1, over bytes that `take` and `send` carry."""

    def __init__(self, take, send):
        self.take, self.send = take, send
        self.out = zlib.compressobj()
        self.streams = []

    def frame(self):
        """Kind, stream, flags, data."""
        first, rest = struct.unpack(">II", self.take(8))
        data = self.take(rest & 0xffffff)
        if first >> 31:
            stream = struct.unpack(">I", data[:4])[0] if len(data) >= 4 else 0
            return first & 0xffff, stream, rest >> 24, data
        return 0, first, rest >> 24, data

    def control(self, kind, flags, data):
        self.send(struct.pack(">II", 0x80030000 | kind, flags << 24 | len(data)) + data)

    def data(self, stream, data, last=False):
        self.send(struct.pack(">II", stream, (0x01000000 if last else 0) | len(data)) + data)

    def open(self, stream, fields):
        block = struct.pack(">I", len(fields)) + b"".join(
            struct.pack(">I", len(text)) + text for field in fields for text in field)
        block = self.out.compress(block) + self.out.flush(zlib.Z_SYNC_FLUSH)
        self.control(1, 0, struct.pack(">IIH", stream, 0, 0) + block)

    def reply(self, stream):
        self.streams.append(stream)
        block = self.out.compress(bytes(4)) + self.out.flush(zlib.Z_SYNC_FLUSH)
        self.control(2, 0, struct.pack(">I", stream) + block)

    def events(self):
        """Data that comes: stream, bytes, whether it is the last. A new stream is ("open", id)."""
        while True:
            kind, stream, flags, data = self.frame()
            if kind == 0:
                yield stream, data, bool(flags & 1)
            elif kind == 1:
                self.reply(stream)
                yield "open", stream, bool(flags & 1)
            elif kind == 6:
                self.control(6, 0, data)
            elif kind == 7:
                raise Gone


class WebSocket:
    def __init__(self, connection):
        self.connection = connection

    def read(self):
        first, length = self.connection.take(2)
        is_masked, length = length >> 7, length & 0x7f
        if length == 126:
            length = struct.unpack(">H", self.connection.take(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.connection.take(8))[0]
        mask = self.connection.take(4) if is_masked else bytes(4)
        data = self.connection.take(length)
        if any(mask):
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        return first & 15, data

    def send(self, data, opcode=2):
        size = len(data)
        head = bytes([0x80 | opcode]) + (bytes([size]) if size < 126
                                         else bytes([126]) + struct.pack(">H", size))
        self.connection.send(head + data)


class Tunnel:
    """Bytes in the messages of a WebSocket."""

    def __init__(self, socket_):
        self.socket = socket_
        self.buffer = b""

    def take(self, size):
        while len(self.buffer) < size:
            opcode, data = self.socket.read()
            if opcode == 8:
                raise Gone
            self.buffer += data
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def send(self, data):
        for begin in range(0, len(data), 60000):
            self.socket.send(data[begin:begin + 60000])


TUNNEL = "SPDY/3.1+portforward.k8s.io"


def ending(query):
    """The Status of a command: of "exit N" that it ended so."""
    command = query.get("command", [])
    if command[:1] != ["exit"]:
        return json.dumps({"metadata": {}, "status": "Success"}).encode()
    return json.dumps({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {command[1]}",
        "details": {"causes": [{"reason": "ExitCode", "message": command[1]}]}}).encode()


class FakeNode:
    def __init__(self, files, authority):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*files)
        tls.load_verify_locations(authority)
        tls.verify_mode = ssl.CERT_REQUIRED
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests = []   # request line, headers
        self.subjects = set()  # who asked, by certificate
        self.open = set()    # connections
        self.gone = []       # paths whose client went away
        self.websockets = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()
        self.drop()

    def drop(self):
        """Breaks all connections."""
        for stream in list(self.open):
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[stream], daemon=True).start()

    def _serve(self, raw):
        try:
            stream = self._tls.wrap_socket(raw, server_side=True)
        except (ssl.SSLError, OSError):
            raw.close()
            return
        self.open.add(stream)
        subject = dict(pair[0] for pair in stream.getpeercert()["subject"])
        self.subjects.add((subject.get("organizationName"), subject["commonName"]))
        line = ""
        try:
            connection = Connection(stream)
            line, fields = connection.head()
            self.requests.append((line, fields))
            merged = {}
            for key, value in fields:
                key = key.lower()
                merged[key] = f"{merged[key]}, {value}" if key in merged else value
            self._answer(connection, line.split(" ")[1], merged)
        except Gone:
            self.gone.append(line)
        finally:
            self.open.discard(stream)
            stream.close()

    def _answer(self, connection, target, fields):
        url = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(url.query)
        parts = url.path.strip("/").split("/")
        if parts[0] == "containerLogs":
            self._log(connection, parts, query, url.query)
        elif parts[0] in ("exec", "attach", "portForward"):
            self._upgrade(connection, parts, query, fields)
        elif "upgrade" in fields:
            connection.send(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                            f"Upgrade: {fields['upgrade']}\r\n\r\n".encode())
            while True:
                if not connection.buffer:
                    connection.fill()
                connection.send(connection.take(len(connection.buffer)))
        else:
            connection.answer("200 OK", f"{target} of the node\n".encode(),
                              "Content-Type: text/plain")

    @staticmethod
    def _log(connection, parts, query, text):
        if parts[-1] == "broken":
            connection.answer("400 Bad Request", b"the container is waiting to start\n")
        elif "follow" not in query:
            connection.answer("200 OK", f"log of {'/'.join(parts[1:])} by {text}\n".encode(),
                              "Content-Type: text/plain")
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n")
            while True:
                connection.fill()  # until the client goes

    def _upgrade(self, connection, parts, query, fields):
        protocols = [each.strip() for each in fields.get("sec-websocket-protocol", "").split(",")]
        if parts[-1] == "broken":
            connection.answer("404 Not Found", b"container not found (\"broken\")\n")
        elif fields.get("upgrade", "").lower() == "spdy/3.1":
            offered = fields.get("x-stream-protocol-version", "")
            chosen = "portforward.k8s.io" if parts[0] == "portForward" else "v4.channel.k8s.io"
            assert chosen in offered, offered
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                            b"Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: "
                            + chosen.encode() + b"\r\n\r\n")
            spdy = Spdy(connection.take, connection.send)
            (self._echo_ports if parts[0] == "portForward" else self._run)(spdy, query)
        elif self.websockets and "v5.channel.k8s.io" in protocols:
            self._shake_hands(connection, fields, "v5.channel.k8s.io")
            self._run_in_channels(WebSocket(connection), query)
        elif self.websockets and TUNNEL in protocols:
            self._shake_hands(connection, fields, TUNNEL)
            tunnel = Tunnel(WebSocket(connection))
            self._echo_ports(Spdy(tunnel.take, tunnel.send), query)
        else:
            connection.answer("403 Forbidden", b"no such protocol\n")

    @staticmethod
    def _shake_hands(connection, fields, protocol):
        key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        connection.send(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                        f"Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
                        f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n".encode())

    @staticmethod
    def _run(spdy, query):
        """A command that says what it is, then what it reads, and what its terminal becomes."""
        last_role = "resize" if "tty" in query else "error"
        roles = ["status"] + [role for role in ("input", "output") if role in query]
        roles += [last_role] if last_role in query or "tty" in query else []
        ids, said, pending, ended = {}, False, b"", "input" not in query
        for what, data, last in spdy.events():
            if what == "open":
                ids[roles[len(ids)]] = data
            elif what == ids.get("resize"):
                pending += data
            else:
                pending += data
                ended = ended or (what == ids.get("input") and last)
            if len(ids) < len(roles):
                continue
            if not said:
                said = True
                spdy.data(ids["output"], (" ".join(query.get("command", ["-"])) + "\n").encode())
            spdy.data(ids["output"], pending)
            pending = b""
            if ended:
                for role in ("output", "error"):
                    if role in ids:
                        spdy.data(ids[role], b"", last=True)
                spdy.data(ids["status"], ending(query), last=True)
                spdy.control(7, 0, struct.pack(">II", 0, 0))
                return

    @staticmethod
    def _echo_ports(spdy, _query):
        for number, (what, data, last) in enumerate(spdy.events()):
            if what == "open":
                # Each connection: the stream of its error, then the one of its data.
                continue
            is_error = (what // 2) % 2 == 0
            if is_error:
                spdy.data(what, b"", last=True)
            else:
                spdy.data(what, data, last)

    @staticmethod
    def _run_in_channels(socket_, query):
        socket_.send(b"\x01" + (" ".join(query.get("command", ["-"])) + "\n").encode())
        while "input" in query:
            opcode, data = socket_.read()
            if opcode == 9:
                socket_.send(data, 10)
            elif opcode == 8 or data[:2] == b"\xff\x00":
                break
            elif data[:1] in (b"\x00", b"\x04"):
                socket_.send(b"\x01" + data[1:])
        socket_.send(b"\x03" + ending(query))
        socket_.send(struct.pack(">H", 1000), 8)
        try:
            while socket_.read()[0] != 8:
                pass
        except Gone:
            pass
