"""The smallest client of the agent's socket: requests as ready bytes, watches as lines.

A benchmark of the agent must not be one of its client: nothing is decoded that is not asked for.
"""

import base64
import json
import os
import socket
import threading
import time

PODS = "/api/v1/namespaces/default/pods"


class Connection:
    """One connection, one request after the other."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.fspath(path))
        self.buffer = b""

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # also for a thread that waits for more
        except OSError:
            pass  # the agent was first
        self.socket.close()

    def send(self, method, target, body=b"", headers=""):
        self.socket.sendall(f"{method} {target} HTTP/1.1\r\nHost: agent\r\n{headers}"
                            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise ConnectionError("the agent has closed the connection")
        self.buffer += piece

    def head(self):
        """Status and header lines in lower case."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), [line.lower() for line in lines[1:]]

    def take(self, size):
        while len(self.buffer) < size:
            self._more()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def line(self):
        while b"\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def _chunks(self):
        pieces = []
        while size := int(self.line().strip(), 16):
            pieces.append(self.take(size))
            self.take(2)
        self.take(2)
        return b"".join(pieces)

    def request(self, method, target, body=b""):
        """The answer's body; raises unless it is a success."""
        self.send(method, target, body)
        status, headers = self.head()
        size = next((int(line.split(":")[1]) for line in headers
                     if line.startswith("content-length:")), None)
        if size is not None:
            answer = self.take(size)
        elif "transfer-encoding: chunked" in headers:
            answer = self._chunks()
        else:
            raise AssertionError(f"{method} {target}: an answer without a length")
        if status >= 300:
            raise AssertionError(f"{method} {target}: {status} {answer.decode()}")
        return answer


class Watch:
    """The pods' changes on a thread of its own, each with the moment at which it came."""

    def __init__(self, path):
        self.connection = Connection(path)
        self.connection.send("GET", PODS + "?watch=1")
        self.changed = threading.Condition()
        self.pods = {}  # by name
        self.times = {}  # (name, what) to the moment
        self.failed = None
        status, _ = self.connection.head()
        if status != 200:
            raise AssertionError(f"watch: {status}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            rest = b""
            while True:
                size = int(self.connection.line().strip(), 16)
                rest += self.connection.take(size)
                self.connection.take(2)
                now = time.perf_counter()
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    self._take(json.loads(line), now)
        except (OSError, ValueError) as error:
            with self.changed:
                self.failed = error
                self.changed.notify_all()

    def _take(self, event, now):
        pod = event["object"]
        name = pod["metadata"]["name"]
        with self.changed:
            self.pods[name] = pod
            what = set()
            if event["type"] == "DELETED":
                what.add("deleted")
            if pod["status"].get("phase") in ("Succeeded", "Failed"):
                what.add(pod["status"]["phase"])
            statuses = pod["status"].get("containerStatuses", [])
            statuses = statuses + pod["status"].get("ephemeralContainerStatuses", [])
            for each in statuses:
                if "running" in each.get("state", {}):
                    what.add("running " + each["name"])
            for each in what:
                self.times.setdefault((name, each), now)
            self.changed.notify_all()

    def wait(self, name, what, seconds=60):
        """The moment at which it came."""
        with self.changed:
            come = self.changed.wait_for(
                lambda: self.failed or (name, what) in self.times, seconds)
            if not come or self.failed:
                raise AssertionError(f"{name} is not {what}: {self.failed}: {self.pods.get(name)}")
            return self.times[name, what]

    def living(self):
        with self.changed:
            return [name for name in self.pods if (name, "deleted") not in self.times]

    def close(self):
        self.connection.close()


def run_in(path, pod, *command):
    """Runs a command in a container to its end, over a connection of its own; its exit status.

    The agent's side of kubectl exec (v5.channel.k8s.io): the end is told on channel 3.
    """
    connection = Connection(path)
    try:
        query = "&".join("command=" + word for word in command)
        key = base64.b64encode(os.urandom(16)).decode()
        connection.send("GET", f"{PODS}/{pod}/exec?{query}&stdout=true",
                        headers="Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                                "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n")
        status, _ = connection.head()
        if status != 101:
            raise AssertionError(f"exec: {status} {connection.buffer}")
        while True:
            kind, size = connection.take(2)
            if size == 126:
                size = int.from_bytes(connection.take(2))
            payload = connection.take(size)
            if kind & 15 == 2 and payload[:1] == b"\3":
                return json.loads(payload[1:])["status"]
            if kind & 15 == 8:
                raise AssertionError("exec ended without a status")
    finally:
        connection.close()
