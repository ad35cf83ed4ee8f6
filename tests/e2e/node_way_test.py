#!/usr/bin/env python3
"""What the API server asks of nodes and of pods: kubectl logs, exec, attach, port-forward and proxies
against `podium server`, with a fake kubelet (fake_node.py) and a fake web server behind it.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py).
"""

import http.server
import json
import resource
import socket
import threading

import api_server
import fake_node
import world as worlds

# Of the web server in a pod: neither loopback nor link-local.
POD_ADDRESS = "10.11.12.13"


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def log_message(self, *arguments):
        pass

    def _answer(self):
        if self.headers.get("Upgrade"):
            self._echo()
            return
        size = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while chunk := int(self.rfile.readline(), 16):
                body += self.rfile.read(chunk)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(size)
        Web.seen.append((self.command, self.path, self.headers))
        status, type_, headers = 200, "text/plain", {}
        if self.path.startswith("/page"):
            type_, out = "text/html", b'<a href="/x/">x</a><img src="y.png"><script>"<a href=/z>"</script>'
        elif self.path.startswith("/moved"):
            status, out, headers = 302, b"", {"Location": "/there/?a=b"}
        elif self.path.startswith("/missing"):
            status, out = 404, b"not here\n"
        else:
            out = f"{self.command} {self.path} {len(body)}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Access-Control-Allow-Origin", "*")
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(out)

    def _echo(self):
        """Whatever is asked for, it sends back what comes."""
        Web.seen.append((self.command, self.path, self.headers))
        self.close_connection = True
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        while data := self.rfile.read1(65536):
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _answer


class WebServer(http.server.ThreadingHTTPServer):
    request_queue_size = 1024


NODE = """\
apiVersion: v1
kind: Node
metadata: {name: fake}
"""
NODE_STATUS = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
# Of a kubelet that takes the WebSockets of clients as they are.
FEATURES = {"declaredFeatures": ["ExtendWebSocketsToKubelet"]}
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  nodeName: {node}
  containers: [{containers}]
"""


AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  resources: [{resources: [pods/exec, pods/log, pods/proxy]}]
"""


def setUpModule():
    # The server begins with what shells and init systems give, and raises it by itself.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, most), most))
    api_server.begin(["--audit-policy-file={folder}/policy.yaml",
                      "--audit-log-path={folder}/audit.log"], {"policy.yaml": AUDIT_POLICY})
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    worlds.output_of("ip", "address", "add", f"{POD_ADDRESS}/32", "dev", "lo")
    server = api_server.ServerCase.server
    pki = server.folder / "data" / "server" / "pki"
    files = fake_node.certificate(server.folder, pki)
    NodeCase.node = fake_node.FakeNode(files, pki / "ca.crt")
    NodeCase.web = WebServer((POD_ADDRESS, 0), Web)
    threading.Thread(target=NodeCase.web.serve_forever, daemon=True).start()
    # The same kubelet twice: as one of today, and as one before 1.36.
    for name, features in (("fake", FEATURES), ("old", {})):
        status, out, err = server.kubectl("create", "-f", "-", stdin=NODE.replace("fake", name))
        if status != 0:
            raise AssertionError(out + err)
        set_status(server, f"/api/v1/nodes/{name}", {**NODE_STATUS, **features, "daemonEndpoints": {
            "kubeletEndpoint": {"Port": NodeCase.node.port}}})


def tearDownModule():
    NodeCase.web.shutdown()
    NodeCase.node.close()
    api_server.end()


def set_status(server, path, status):
    connection = server.connect()
    connection.request("PATCH", path + "/status", json.dumps({"status": status}),
                       {"Content-Type": "application/merge-patch+json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise AssertionError(text)


def masked(data):
    """A message of a client, by WebSocket; the mask is one that changes nothing."""
    size = (bytes([0x80 | len(data)]) if len(data) < 126
            else b"\xfe" + len(data).to_bytes(2, "big"))
    return b"\x82" + size + bytes(4) + data


class NodeCase(api_server.ServerCase):
    node = None
    web = None

    def pod(self, name, containers=("main",), node="fake", address=POD_ADDRESS, port=None):
        port = port or self.web.server_address[1]
        spec = ", ".join(f"{{name: {each}, image: x, ports: [{{containerPort: {port}}}]}}"
                         for each in containers)
        self.kubectl("create", "-f", "-",
                     stdin=POD.format(name=name, node=node or '""', containers=spec))
        if address:
            set_status(self.server, f"/api/v1/namespaces/{self.namespace}/pods/{name}",
                       {"podIP": address, "podIPs": [{"ip": address}]})

    def path(self, rest):
        return f"/api/v1/namespaces/{self.namespace}/{rest}"

    def ask(self, method, path, body=None, headers=None, **options):
        """Status, headers, body."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {}, **options)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def sent(self, *lines):
        """A connection on which a request without a body was sent."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.connect()
        connection.sock.sendall("\r\n".join([*lines, "Host: x", "", ""]).encode())
        return fake_node.Connection(connection.sock)

    def forwarded(self, what, data):
        """What comes back through kubectl port-forward."""
        process = self.background("port-forward", what, ":8080")
        line = process.stdout.readline()
        self.assertRegex(line, r"^Forwarding from 127.0.0.1:\d+ -> 8080\n$")
        port = int(line.split(":")[1].split(" ")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            threading.Thread(target=lambda: (client.sendall(data),
                                             client.shutdown(socket.SHUT_WR))).start()
            got = b""
            while more := client.recv(65536):
                got += more
        return got

    def endpoints(self, name, *endpoints):
        """A Service without a selector, and where it leads."""
        port = self.web.server_address[1]
        for each in (
                {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                 "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                 "addressType": "IPv4", "ports": [{"name": "web", "port": port}],
                 "endpoints": [*endpoints]},
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                 "spec": {"ports": [{"name": "web", "port": 80}]}}):
            self.kubectl("create", "-f", "-", stdin=json.dumps(each))

    def upgraded(self, path, protocol=None):
        """The connection of a WebSocket, whose answer comes next."""
        return self.sent(
            f"GET {path} HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []))

    def message(self, status, *request, **options):
        got, _, body = self.ask(*request, **options)
        self.assertEqual(got, status, body)
        return json.loads(body)["message"]


class LogTest(NodeCase):
    def test_options_are_translated(self):
        self.pod("web")
        self.assertEqual(self.kubectl("logs", "web", "--tail=5", "--timestamps", "--since=1m",
                                      "--limit-bytes=100", "--previous"),
                         f"log of {self.namespace}/web/main by limitBytes=100&previous=true&"
                         "sinceSeconds=60&tailLines=5&timestamps=true\n")
        self.assertEqual(self.node.subjects, {("system:masters", "kube-apiserver-kubelet-client")})

    def test_follow_ends_with_its_client(self):
        self.pod("followed")
        process = self.background("logs", "-f", "followed")
        self.assertEqual(process.stdout.readline(), "first\n")
        process.kill()
        worlds.wait_for("the kubelet sees the end", lambda: any(
            "/followed/" in line for line in self.node.gone))

    def test_follow_ends_with_its_node(self):
        self.pod("dropped")
        process = self.background("logs", "-f", "dropped")
        self.assertEqual(process.stdout.readline(), "first\n")
        self.node.drop()
        process.wait(timeout=20)

    def test_refusals(self):
        self.pod("two", containers=("one", "broken"))
        log = self.path("pods/two/log")
        for query, status, says in (
                ("", 400, "a container name must be specified for pod two, choose one of: "
                          "[one broken]"),
                ("?container=x", 400, "container x is not valid for pod two"),
                ("?container=one&tailLines=-1", 422,
                 'PodLogOptions "two" is invalid: tailLines: Invalid value: -1: must be greater '
                 "than or equal to 0"),
                ("?container=one&tailLines=x", 400,
                 'strconv.ParseInt: parsing "x": invalid syntax'),
                ("?container=broken", 400, "the container is waiting to start\n")):
            with self.subTest(query):
                self.assertEqual(self.message(status, "GET", log + query), says)
        self.pod("nowhere", node=None)
        self.assertEqual(self.ask("GET", self.path("pods/nowhere/log"))[0], 204)
        self.assertEqual(self.message(404, "GET", self.path("pods/none/log")),
                         'pods "none" not found')

    def test_a_node_that_is_another(self):
        other = fake_node.FakeNode(fake_node.certificate(
            self.server.folder, self.server.folder / "data" / "server" / "pki", "127.0.0.2"),
            self.server.folder / "data" / "server" / "pki" / "ca.crt")
        self.addCleanup(other.close)
        self.kubectl("create", "-f", "-", stdin=NODE.replace("fake", "other"))
        set_status(self.server, "/api/v1/nodes/other", {**NODE_STATUS, "daemonEndpoints": {
            "kubeletEndpoint": {"Port": other.port}}})
        self.pod("far", node="other")
        self.assertIn("failed to verify certificate",
                      self.message(500, "GET", self.path("pods/far/log")))
        status, _, body = self.ask("GET", self.path(
            "pods/far/log?insecureSkipTLSVerifyBackend=true"))
        self.assertEqual((status, body), (200, f"log of {self.namespace}/far/main by \n".encode()))


class StreamTest(NodeCase):
    def exec_both_ways(self):
        self.assertEqual(self.kubectl("exec", "web", "--", "echo", "a b"), "echo a b\n")
        self.assertEqual(self.kubectl("exec", "-i", "web", "--", "cat", stdin="one\ntwo\n"),
                         "cat\none\ntwo\n")

    def test_exec(self):
        self.pod("web")
        self.exec_both_ways()
        # Kubelets know no v5: they refuse, and kubectl asks by SPDY.
        self.node.websockets = False
        self.addCleanup(setattr, self.node, "websockets", True)
        self.exec_both_ways()
        self.assertIn("spdy/3.1", {dict(fields).get("Upgrade", "").lower()
                                   for _, fields in self.node.requests})
        self.assertEqual({name for _, fields in self.node.requests for name, _ in fields
                          if name.lower() in ("authorization", "impersonate-user")}, set())

    def test_audit(self):
        self.pod("audited")
        self.kubectl("exec", "audited", "--", "echo", "x")
        self.kubectl("logs", "audited")
        self.ask("GET", self.path("pods/audited/proxy/hello"))

        def events():
            text = (self.server.folder / "audit.log").read_text()
            lines = text[:text.rfind("\n") + 1].splitlines()
            return [event for event in map(json.loads, lines)
                    if event["objectRef"]["name"] == "audited"]

        def stages(subresource):
            return [(event["stage"], event["responseStatus"]["code"]) for event in events()
                    if event["objectRef"]["subresource"] == subresource]

        # A stream ends when both of its sides do.
        worlds.wait_for("the end of everything is logged", lambda: all(
            stages(each)[-1:] and stages(each)[-1][0] == "ResponseComplete"
            for each in ("exec", "log", "proxy")))
        self.assertEqual(stages("exec")[-2:],
                         [("ResponseStarted", 101), ("ResponseComplete", 101)])
        for each in ("log", "proxy"):
            self.assertEqual(stages(each), [("ResponseStarted", 200), ("ResponseComplete", 200)])
        self.assertIn("command=echo", events()[0]["requestURI"])

    def test_port_forward(self):
        self.pod("forwarded")
        # kubectl asks whether the pod runs.
        set_status(self.server, self.path("pods/forwarded"), {"phase": "Running"})
        for text in (b"hello", b"x" * 300000):
            self.assertEqual(self.forwarded("pod/forwarded", text), text)

    def test_refusals(self):
        self.pod("none", node=None)
        stream = self.path("pods/none/exec?command=x&stdout=true")
        self.assertEqual(self.message(400, "POST", stream),
                         "pod none does not have a host assigned")
        self.pod("one")
        stream = self.path("pods/one/exec?command=x&stdout=true")
        self.assertEqual(self.message(400, "POST", stream), "Upgrade request required")

    def test_reading_is_not_opening(self):
        """By GET, too, a stream takes the permission to make one (KEP-4006)."""
        self.pod("opened")
        self.kubectl("create", "role", "reader", "--verb=get", "--resource=pods,pods/exec")
        self.kubectl("create", "rolebinding", "reader", "--role=reader", "--user=reader")
        before = len(self.node.requests)
        self.assertEqual(
            self.message(403, "GET", self.path("pods/opened/exec?command=x&stdout=true"),
                         headers={"Impersonate-User": "reader"}),
            'pods "opened" is forbidden: User "reader" cannot create resource "pods/exec" in API '
            f'group "" in the namespace "{self.namespace}"')
        self.assertEqual(len(self.node.requests), before)

    def test_upgrade_through_the_proxy(self):
        """CVE-2018-1002105: what stands behind an upgrade that was refused is nobody's."""
        self.pod("smuggled")
        before = len(self.node.requests)
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.connect()
        stream = connection.sock
        upgrade = self.path("pods/smuggled/exec?command=x&stdout=true")
        stream.sendall(f"GET {upgrade} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                       "Upgrade: other\r\n\r\nGET /exec/smuggled HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = b""
        while more := stream.recv(65536):
            got += more
        self.assertTrue(got.startswith(b"HTTP/1.1 403 Forbidden\r\n"), got)
        self.assertEqual(got.count(b"HTTP/1.1"), 1)
        self.assertIn(b"no such protocol\n", got)
        self.assertEqual(len(self.node.requests), before + 1)


class ProxyTest(NodeCase):
    def test_pods(self):
        self.pod("web")
        base = self.path("pods/web/proxy")
        self.assertEqual(self.kubectl("get", "--raw", base + "/a/b%20c?d=e"),
                         "GET /a/b%20c?d=e 0\n")
        _, _, headers = Web.seen[-1]
        self.assertEqual(headers["X-Forwarded-Uri"], base + "/a/b%20c")
        self.assertEqual(headers["X-Forwarded-For"], "127.0.0.1")
        status, headers, _ = self.ask("GET", base + "?q=1")
        self.assertEqual((status, headers["Location"]), (301, base + "/?q=1"))
        status, headers, _ = self.ask("GET", base + "/moved")
        self.assertEqual((status, headers["Location"]), (302, base + "/there/?a=b"))
        status, headers, body = self.ask("GET", base + "/page")
        self.assertEqual(body.decode(), f'<a href="{base}/x/">x</a><img src="y.png">'
                         '<script>"<a href=/z>"</script>')
        self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertEqual(self.ask("GET", base + "/missing")[::2], (404, b"not here\n"))
        status, headers, body = self.ask("HEAD", base + "/x")
        self.assertEqual((status, body, headers["Content-Length"]), (200, b"", "10"))

    def test_methods_and_bodies(self):
        self.pod("bodies")
        base = self.path("pods/bodies/proxy/x")
        big = 20 << 20
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with self.subTest(method):
                self.assertEqual(self.ask(method, base, b"b" * 70000)[2],
                                 f"{method} /x 70000\n".encode())
        self.assertEqual(self.ask("POST", base, b"b" * big)[2], f"POST /x {big}\n".encode())
        self.assertEqual(self.ask("POST", base, iter([b"b" * 1000] * 50), encode_chunked=True,
                                  headers={"Transfer-Encoding": "chunked"})[2],
                         b"POST /x 50000\n")
        self.assertEqual(self.ask("OPTIONS", base)[2], b"OPTIONS /x 0\n")

    def test_what_says_who_asks_stays_here(self):
        self.pod("secret")
        self.ask("GET", self.path("pods/secret/proxy/"), headers={
            "Impersonate-User": "kubernetes-admin", "Impersonate-Group": "system:masters",
            "X-Secret": "a", "Connection": "X-Secret"})
        headers = Web.seen[-1][2]
        for name in ("Authorization", "Impersonate-User", "Impersonate-Group", "X-Secret"):
            self.assertIsNone(headers[name])

    def test_nodes(self):
        self.assertEqual(self.kubectl("get", "--raw", "/api/v1/nodes/fake/proxy/stats/summary?a=b"),
                         "/stats/summary?a=b of the node\n")
        self.assertEqual(
            self.message(400, "GET", "/api/v1/nodes/fake:80/proxy/"), "address not allowed")
        self.assertEqual(self.message(400, "GET", "/api/v1/nodes/ftp:fake:80/proxy/"),
                         'invalid node request "ftp:fake:80"')
        self.assertEqual(self.message(404, "GET", "/api/v1/nodes/x/proxy/"), 'nodes "x" not found')

    def test_services(self):
        self.pod("backend")
        of_pod = {"kind": "Pod", "name": "backend", "namespace": self.namespace}
        self.endpoints(
            "s",
            {"addresses": ["10.9.9.9"], "conditions": {"ready": False}, "targetRef": of_pod},
            # Of no pod that has it.
            {"addresses": ["10.9.9.8"], "conditions": {"ready": True}},
            {"addresses": [POD_ADDRESS], "conditions": {"ready": True}, "targetRef": of_pod})
        for name in ("s:web", "s:80", "http:s:web"):
            with self.subTest(name):
                self.assertEqual(self.kubectl("get", "--raw", self.path(f"services/{name}/proxy/q")),
                                 "GET /q 0\n")
        self.assertEqual(self.message(503, "GET", self.path("services/s:81/proxy/q")),
                         'no service port 81 found for service "s"')
        self.assertEqual(self.message(503, "GET", self.path("services/s/proxy/q")),
                         'no endpoints available for service "s"')

    def test_addresses_that_are_the_server_s_own(self):
        """A pod's status must not lead to this machine, or to a cloud's metadata."""
        for number, address in enumerate(("127.0.0.1", "169.254.169.254", "::1", "fe80::1",
                                          "224.0.0.1", "0.0.0.0")):
            with self.subTest(address):
                name = f"rogue-{number}"
                self.pod(name, address=address)
                self.assertEqual(self.message(400, "GET", self.path(f"pods/{name}:6443/proxy/")),
                                 "address not allowed")

    def test_paths_that_can_be_read_in_two_ways(self):
        self.pod("paths")
        seen = len(Web.seen)
        for path in ("/a/../b", "/a%2fb", "/%2e%2e/b", "/a%00b"):
            with self.subTest(path):
                self.assertEqual(self.ask("GET", self.path("pods/paths/proxy") + path)[0], 400)
        self.assertEqual(len(Web.seen), seen)
        status, _, body = self.ask("GET", self.path("pods/paths/proxy/a%0d%0aX-Bad:%20b"))
        self.assertEqual((status, body), (200, b"GET /a%0d%0aX-Bad:%20b 0\n"))
        self.assertNotIn("X-Bad", Web.seen[-1][2])

    def test_nobody_there(self):
        self.pod("nobody", port=1)
        self.assertRegex(self.message(503, "GET", self.path("pods/nobody/proxy/")),
                         rf"^error trying to reach service: dial tcp {POD_ADDRESS}:1: connect: ")


class WebSocketTest(NodeCase):
    def open(self, path, protocol=None):
        """The connection of a WebSocket, and the head of the answer."""
        client = self.upgraded(path, protocol)
        return client, client.head()

    @staticmethod
    def message(client):
        """Opcode and payload."""
        first, length = client.take(2)
        if length == 126:
            length = int.from_bytes(client.take(2), "big")
        return first & 15, client.take(length)

    def test_watch(self):
        client, (line, _) = self.open(self.path("configmaps?watch=true&fieldSelector="
                                                "metadata.name=seen"))
        self.assertIn(" 101 ", line)
        self.kubectl("create", "configmap", "seen", "--from-literal=a=1")
        opcode, text = self.message(client)
        event = json.loads(text)
        self.assertEqual((opcode, event["type"], event["object"]["data"]), (1, "ADDED", {"a": "1"}))
        self.kubectl("delete", "configmap", "seen")
        self.assertEqual(json.loads(self.message(client)[1])["type"], "DELETED")

    def test_watch_that_ends(self):
        client, _ = self.open(self.path("configmaps?watch=true&timeoutSeconds=1&fieldSelector="
                                        "metadata.name=none"))
        self.assertEqual(self.message(client), (8, b"\x03\xe8"))

    def test_log(self):
        self.pod("logged")
        expected = f"log of {self.namespace}/logged/main by \n".encode()
        for protocol, opcode, shown in (
                (None, 2, expected), ("binary.k8s.io", 2, expected),
                ("x, base64.binary.k8s.io", 1, fake_node.base64.b64encode(expected))):
            with self.subTest(protocol):
                client, (line, _) = self.open(self.path("pods/logged/log"), protocol)
                self.assertIn(" 101 ", line)
                self.assertEqual(self.message(client), (opcode, b""))
                self.assertEqual(self.message(client), (opcode, shown))
                self.assertEqual(self.message(client)[0], 8)
        self.assertIn(" 403 ", self.open(self.path("pods/logged/log"), "x")[1][0])
        # Errors come before there is a WebSocket.
        self.assertIn(" 404 ", self.open(self.path("pods/none/log"))[1][0])


class ManyTest(NodeCase):
    def threads(self):
        return len(list(worlds.pathlib.Path(f"/proc/{self.server.process.pid}/task").iterdir()))

    def test_slow_uploads_have_no_threads(self):
        """More of them than there could be threads (ServerOptions::max_long_running), and the way
        is open for others all the same."""
        self.pod("slow")
        path = self.path("pods/slow/proxy/up")
        before = self.threads()
        clients = [self.server.connect() for _ in range(600)]
        # First: six hundred handshakes may take longer than an upload may stand still.
        for client in clients:
            self.addCleanup(client.close)
            client.connect()
        for number, client in enumerate(clients):
            client.putrequest("POST", path)
            if number % 2:
                client.putheader("Content-Length", "8")
                client.endheaders(b"half")
            else:
                client.putheader("Transfer-Encoding", "chunked")
                client.endheaders(b"4\r\nhalf\r\n")
        self.assertEqual(self.ask("POST", path, b"b" * 70000)[::2],
                         (200, b"POST /up 70000\n"))
        self.assertEqual(self.ask("GET", path)[::2], (200, b"GET /up 0\n"))
        self.assertLess(self.threads(), before + 20)
        for number, client in enumerate(clients):
            client.send(b"rest" if number % 2 else b"4\r\nrest\r\n0\r\n\r\n")
        for client in clients:
            answer = client.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b"POST /up 8\n"))
        # The connections are as good as before.
        clients[0].request("GET", path)
        self.assertEqual(clients[0].getresponse().read(), b"GET /up 0\n")

    def test_streams_have_no_threads(self):
        """A thousand of them: logs that are followed, and commands that wait for input."""
        self.pod("many")
        before = self.threads()
        logs, commands = [], []
        for _ in range(500):
            logs.append(self.sent(f"GET {self.path('pods/many/log?follow=true')} HTTP/1.1"))
            commands.append(self.upgraded(self.path(
                "pods/many/exec?command=cat&stdin=true&stdout=true"), "v5.channel.k8s.io"))
        for client in logs:
            self.assertIn(" 200 ", client.head()[0])
            self.assertEqual(client.take(11), b"6\r\nfirst\n\r\n")
        for client in commands:
            self.assertIn(" 101 ", client.head()[0])
            client.send(masked(b"\x00to all"))
        for client in commands:
            socket_ = fake_node.WebSocket(client)
            self.assertEqual([socket_.read() for _ in range(2)],
                             [(2, b"\x01cat\n"), (2, b"\x01to all")])
        self.assertLess(self.threads(), before + 20)
        for client in logs + commands:
            client.stream.close()
        worlds.wait_for("the node's connections end, too", lambda: not self.node.open)


if __name__ == "__main__":
    api_server.main()
