#!/usr/bin/env python3
"""Streams of newer clients to pods, by way of the API server: commands by v5.channel.k8s.io and
ports by SPDY in a WebSocket, to a kubelet that takes them as they are and to one that speaks SPDY
alone; upgrades through the proxies. kubectl is told to attach, too.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py).
"""

import json
import re
import threading
import time

import api_server
import fake_node
import node_way_test as cases
import world as worlds

setUpModule = cases.setUpModule
tearDownModule = cases.tearDownModule
V5 = "v5.channel.k8s.io"


class Command:
    """A command's channels, from the client's side."""

    def __init__(self, client):
        self.client = client
        self.socket = fake_node.WebSocket(client)

    def send(self, channel, data):
        self.client.send(cases.masked(bytes([channel]) + data))

    def end_input(self):
        self.client.send(cases.masked(b"\xff\x00"))

    def read(self):
        """Channel and data; "closed" and the code."""
        opcode, data = self.socket.read()
        return ("closed", int.from_bytes(data, "big")) if opcode == 8 else (data[0], data[1:])

    def rest(self):
        """What each channel still says, and how the connection is closed."""
        said, end = {}, None
        while end is None:
            channel, data = self.read()
            if channel == "closed":
                end = data
            else:
                said[channel] = said.get(channel, b"") + data
        return said, end


class StreamCase(cases.NodeCase):
    def pods(self):
        """One of the kubelet as it is, and one of an older one, which takes no such WebSocket."""
        self.addCleanup(setattr, self.node, "websockets", True)
        for node in ("fake", "old"):
            self.node.websockets = node == "fake"
            name = f"{node}-{self._testMethodName.replace('_', '-')}"
            self.pod(name, node=node, containers=("main", "broken"))
            yield name

    def command(self, pod, query, protocol=V5, container="main", verb="exec"):
        client = self.upgraded(
            self.path(f"pods/{pod}/{verb}?container={container}&{query}"), protocol)
        line, fields = client.head()
        self.assertIn(" 101 ", line)
        self.assertIn(("Sec-WebSocket-Protocol", V5), fields)
        return Command(client)


class CommandTest(StreamCase):
    def test_commands(self):
        for pod in self.pods():
            with self.subTest(pod):
                for verb, says in (("exec", b"cat -\n"), ("attach", b"-\n")):
                    command = self.command(pod, "command=cat&command=-&stdin=true&stdout=true"
                                           if verb == "exec" else "stdin=true&stdout=true", verb=verb)
                    command.send(0, b"one ")
                    command.send(0, b"x" * 50000)
                    command.end_input()
                    said, end = command.rest()
                    self.assertEqual(said.pop(1), says + b"one " + b"x" * 50000)
                    self.assertEqual(json.loads(said.pop(3))["status"], "Success")
                    self.assertEqual((said, end), ({}, 1000))

    def test_exit_codes(self):
        for pod in self.pods():
            with self.subTest(pod):
                said, _ = self.command(pod, "command=exit&command=7&stdout=true&stderr=true").rest()
                status = json.loads(said[3])
                self.assertEqual((status["status"], status["reason"], status["details"]["causes"]),
                                 ("Failure", "NonZeroExitCode",
                                  [{"reason": "ExitCode", "message": "7"}]))
        self.assertEqual(status["message"], "command terminated with non-zero exit code: command "
                                            "terminated with exit code 7")

    def test_terminals(self):
        for pod in self.pods():
            with self.subTest(pod):
                command = self.command(pod, "command=sh&stdin=true&stdout=true&tty=true")
                command.send(4, b'{"Width":80,"Height":24}')
                got = b""
                while not got.endswith(b"}"):
                    channel, data = command.read()
                    self.assertEqual(channel, 1)
                    got += data
                self.assertEqual(got, b'sh\n{"Width":80,"Height":24}')
                command.end_input()
                self.assertEqual(command.rest()[1], 1000)

    def test_what_the_node_refuses(self):
        """Clients of commands are told in the words of their channels."""
        pods = self.pods()
        client = self.upgraded(self.path(
            f"pods/{next(pods)}/exec?container=broken&command=x&stdout=true"), V5)
        self.assertIn(" 404 ", client.head()[0])
        said, end = self.command(next(pods), "command=x&stdout=true", container="broken").rest()
        self.assertEqual(end, 1000)
        status = json.loads(said[3])
        self.assertEqual((status["code"], status["reason"], status["message"]),
                         (500, "InternalError", "Internal error occurred: unable to upgrade "
                                                'connection: container not found ("broken")'))

    def test_a_node_that_is_not_there(self):
        self.kubectl("create", "-f", "-", stdin=cases.NODE.replace("fake", "gone"))
        cases.set_status(self.server, "/api/v1/nodes/gone", {
            **cases.NODE_STATUS, "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}})
        self.pod("lost", node="gone")
        said, _ = self.command("lost", "command=x&stdout=true").rest()
        self.assertRegex(
            json.loads(said[3])["message"],
            r'^Internal error occurred: error sending request: Post "https://127.0.0.1:1/exec/'
            rf'{self.namespace}/lost/main\?command=x&output=1": dial tcp 127.0.0.1:1: connect: ')

    def test_a_node_that_goes_away(self):
        """Upstream's translator takes the end of the connection for success."""
        self.pod("broken-off", node="old")
        command = self.command("broken-off", "command=cat&stdin=true&stdout=true")
        self.assertEqual(command.read(), (1, b""))
        self.assertEqual(command.read(), (1, b"cat\n"))
        self.node.drop()
        said, _ = command.rest()
        self.assertEqual(json.loads(said[3])["status"], "Failure")

    def test_a_client_that_goes_away(self):
        for pod in self.pods():
            with self.subTest(pod):
                command = self.command(pod, "command=cat&stdin=true&stdout=true")
                while command.read() != (1, b"cat\n"):
                    pass
                command.client.stream.close()
                worlds.wait_for("the node's connection ends, too", lambda: not self.node.open)

    def test_nothing_is_lost_for_slow_clients(self):
        for pod in self.pods():
            with self.subTest(pod):
                command = self.command(pod, "command=cat&stdin=true&stdout=true")
                sent = bytes(range(256)) * 120

            def feed(command=command, sent=sent):
                for _ in range(200):
                    command.send(0, sent)
                command.end_input()
            threading.Thread(target=feed).start()
            time.sleep(1)
            said, end = command.rest()
            self.assertEqual(said[1], b"cat\n" + sent * 200)
            self.assertEqual((json.loads(said[3])["status"], end), ("Success", 1000))

    def test_other_protocols_go_on_as_they_are(self):
        self.pod("fourth", node="old")
        self.addCleanup(setattr, self.node, "websockets", True)
        self.node.websockets = False
        for protocol in ("v4.channel.k8s.io", None):
            client = self.upgraded(self.path("pods/fourth/exec?command=x&stdout=true"), protocol)
            self.assertIn(" 403 ", client.head()[0])

    def test_kubectl_attach(self):
        for pod in self.pods():
            with self.subTest(pod):
                cases.set_status(self.server, self.path(f"pods/{pod}"), {"phase": "Running"})
                self.assertIn("-\nhello\n", self.kubectl("attach", "-i", pod, "-c", "main",
                                                         stdin="hello\n"))
                self.assertEqual(self.kubectl("exec", "-i", pod, "-c", "main", "--", "cat",
                                              stdin="hello\n"), "cat\nhello\n")
                self.assertIn("exit code 3", self.kubectl("exec", pod, "-c", "main", "--", "exit", "3",
                                                          status=3))


class CountTest(StreamCase):
    def counted(self):
        return {(way, what): int(number) for way, what, number in re.findall(
            r'(?m)^apiserver_websocket_streaming_requests_total'
            r'\{proxy_type="(\w+)",subresource="(\w+)"\} (\d+)$',
            self.kubectl("get", "--raw", "/metrics"))}

    def test_ways_of_streams_are_counted(self):
        before = self.counted()
        for pod in self.pods():
            for verb in "exec", "attach":
                self.command(pod, "command=exit&command=0&stdout=true" if verb == "exec"
                             else "stdout=true", verb=verb).client.stream.close()
        after = self.counted()
        for way in "proxied_to_kubelet", "translated_at_apiserver":
            for verb in "exec", "attach":
                key = way, verb
                self.assertEqual(after[key], before.get(key, 0) + 1, key)


class TunnelTest(StreamCase):
    def tunnel(self, pod):
        client = self.upgraded(self.path(f"pods/{pod}/portforward"),
                               f"SPDY/3.1+other, {fake_node.TUNNEL}")
        line, fields = client.head()
        self.assertIn(" 101 ", line)
        self.assertIn(("Sec-WebSocket-Protocol", fake_node.TUNNEL), fields)
        tunnel = fake_node.Tunnel(fake_node.WebSocket(client))
        return client, fake_node.Spdy(
            tunnel.take, lambda data: [client.send(cases.masked(data[i:i + 60000]))
                                       for i in range(0, len(data), 60000)])

    def test_ports(self):
        for pod in self.pods():
            with self.subTest(pod):
                client, spdy = self.tunnel(pod)
                for stream, type_ in ((1, b"error"), (3, b"data")):
                    fields = [(b"streamtype", type_), (b"port", b"8080"), (b"requestid", b"0")]
                    spdy.open(stream, fields)
                replies = [spdy.frame()[:2] for _ in range(2)]
                self.assertEqual(replies, [(2, 1), (2, 3)])
                sent = bytes(range(256)) * 2000
                spdy.data(3, sent, last=True)
                got, ended = b"", False
                while not ended:
                    kind, stream, flags, data = spdy.frame()
                    if (kind, stream) == (0, 3):
                        got += data
                        ended = flags & 1
                self.assertEqual(got, sent)
                client.send(b"\x88\x82\0\0\0\0\x03\xe8")
                worlds.wait_for("the node's connection ends, too", lambda: not self.node.open)

    def test_kubectl_port_forward(self):
        for pod in self.pods():
            with self.subTest(pod):
                cases.set_status(self.server, self.path(f"pods/{pod}"), {"phase": "Running"})
                self.assertEqual(self.forwarded(f"pod/{pod}", b"x" * 300000), b"x" * 300000)


class ProxyUpgradeTest(cases.NodeCase):
    def echo(self, path, upgrade, *lines):
        client = self.sent(f"GET {path} HTTP/1.1", "Connection: Upgrade", f"Upgrade: {upgrade}",
                           *lines)
        line, fields = client.head()
        self.assertIn(" 101 ", line)
        self.assertIn(("Upgrade", upgrade), fields)
        for data in (b"hello", bytes(range(256)) * 1000):
            client.send(data)
            self.assertEqual(client.take(len(data)), data)
        client.stream.close()

    def test_both_protocols_through_each_proxy(self):
        self.pod("web")
        self.endpoints("s", {
            "addresses": [cases.POD_ADDRESS], "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "name": "web", "namespace": self.namespace}})
        for path in (self.path("pods/web/proxy/echo?a=b"), self.path("services/s:80/proxy/echo?a=b"),
                     "/api/v1/nodes/fake/proxy/echo?a=b"):
            for upgrade, lines in (
                    ("websocket", ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {V5}",
                                   "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]),
                    ("SPDY/3.1", ["X-Stream-Protocol-Version: v4.channel.k8s.io"])):
                with self.subTest(path=path, upgrade=upgrade):
                    self.echo(path, upgrade, *lines)
                    fields = (dict(self.node.requests[-1][1]) if path.startswith("/api/v1/nodes")
                              else cases.Web.seen[-1][2])
                    for line in lines:
                        name, value = line.split(": ")
                        self.assertEqual(fields[name], value)


if __name__ == "__main__":
    api_server.main()
