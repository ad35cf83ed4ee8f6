#!/usr/bin/env python3
"""Streams to containers at the kubelet's port: what a thousand of them cost the agent, in threads
and in memory, where clients come directly and where they come by way of the API server.

    bench/node_streams.py [--streams N] [--only commands|logs]

`podium server` and `podium agent` of the build (PODIUM_BUILD_DIR, or build/release) run in namespaces
made for the benchmark, with four pods of three containers: of commands, 256 may run in a pod at once.
Half of the streams are commands (cat), half are attached to a container that runs cat; all by
v5.channel.k8s.io with TLS. They are opened one after the other, carry some bytes, then many, and
end; twice each way. At the end as many clients follow the log of a container that prints nothing,
half of them directly, and then that of one that prints a line each second.
"""

import argparse
import os
import pathlib
import resource
import socket
import ssl
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("PODIUM_BUILD_DIR", str(ROOT / "build/release"))
sys.path.insert(0, str(ROOT / "tests/e2e"))
import clusters  # noqa: E402
import fake_node  # noqa: E402
import node_way_test as cases  # noqa: E402
import world  # noqa: E402

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
           "Sec-WebSocket-Protocol: v5.channel.k8s.io")
PODS = 4


class Streams(clusters.ClusterCase):
    """The pod of its tests."""

    def runTest(self):  # pylint: disable=invalid-name
        raise NotImplementedError

    def facts(self):
        """Of the agent; pss also of the server and of shims, in KiB."""
        pid = self.cluster.agent.pid
        shims = [pid for pid, name in world.processes().items() if name.startswith("podium-shim")]

        def pss(pid):
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return {"threads": len(os.listdir(f"/proc/{pid}/task")),
                "files": len(os.listdir(f"/proc/{pid}/fd")), "pss": pss(pid),
                "server": pss(self.cluster.server.process.pid), "shims": sum(map(pss, shims))}

    def show(self, what, before, streams):
        facts = self.facts()
        each = (facts["pss"] - before["pss"]) / streams
        print(f"{what:32} {facts['threads']:4} threads {facts['files']:5} descriptors "
              f"{facts['pss'] / 1024:7.1f} MiB (PSS) {each:6.1f} KiB a stream; shims "
              f"{facts['shims'] / 1024:.1f}, server {facts['server'] / 1024:.1f} MiB", flush=True)

    def connect(self, directly):
        """To the kubelet's port as the administrator, or to the server."""
        connection = self.cluster.server.connect()
        if not directly:
            connection.connect()
            return connection.sock
        # The kubelet's certificate is for other names than the one that is asked for here.
        context = connection._context
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", 10250), 30))

    def sent(self, directly, *lines):
        sock = self.connect(directly)
        sock.sendall("\r\n".join([*lines, "Host: x", "", ""]).encode())
        return fake_node.Connection(sock)

    def opened(self, directly, streams):
        """When each has shown that it runs."""
        kubelet = f"{self.namespace}/pod-"
        api = f"/api/v1/namespaces/{self.namespace}/pods/pod-"
        paths = ([kubelet.join(["/exec/", "{}/idle?input=1&output=1&command=cat"]),
                  kubelet.join(["/attach/", "{}/cat?input=1&output=1"])] if directly else
                 [api + "{}/exec?container=idle&stdin=true&stdout=true&command=cat",
                  api + "{}/attach?container=cat&stdin=true&stdout=true"])
        clients = []
        for number in range(streams):
            path = paths[number % 2].format(number // 2 % PODS)
            client = self.sent(directly, f"GET {path} HTTP/1.1", *UPGRADE)
            line, _ = client.head()
            assert " 101 " in line, line
            clients.append(client)
        return clients

    @staticmethod
    def exchange(commands, size):
        """Bytes go to all commands before any answer is read."""
        begin = time.monotonic()
        for client in commands:
            client.send(cases.masked(b"\x00" + b"x" * size))
        for client in commands:
            left = size
            while left > 0:
                opcode, data = fake_node.WebSocket(client).read()
                assert opcode == 2 and data[:1] == b"\x01" or len(data) == 1, data
                left -= len(data) - 1
        return time.monotonic() - begin

    def run_round(self, directly, streams):
        way = "directly" if directly else "through the server"
        before = self.facts()
        self.show(f"{way}: before", before, streams)
        clients = self.opened(directly, streams)
        self.exchange(clients[::2], 1)  # they run
        time.sleep(1)
        self.show(f"{streams} streams open", before, streams)
        commands = clients[::2]
        seconds = self.exchange(commands, 100)
        print(f"{'':32} {len(commands)} times there and back in {seconds * 1000:.0f} ms")
        for _ in range(20):
            self.exchange(commands, 30000)
        time.sleep(1)
        self.show("after 600 KB each", before, streams)
        for client in clients:
            client.stream.close()
        world.wait_for("the streams end", lambda: self.facts()["files"] <= before["files"] + 8, 60)
        time.sleep(1)
        self.show("closed", before, streams)

    def processor(self):
        """Of the agent, in seconds."""
        stat = pathlib.Path(f"/proc/{self.cluster.agent.pid}/stat").read_text()
        return sum(map(int, stat[stat.rindex(")") + 2:].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def follow_logs(self, streams, container):
        """Of the second pod's container, which prints, a line must have come to each."""
        before = self.facts()
        ways = [(True, f"/containerLogs/{self.namespace}/pod-1/{container}?follow=true&tailLines=0"),
                (False, f"/api/v1/namespaces/{self.namespace}/pods/pod-1/log"
                        f"?container={container}&follow=true&tailLines=0")]
        clients = []
        for number in range(streams):
            directly, path = ways[number % 2]
            client = self.sent(directly, f"GET {path} HTTP/1.1")
            line, _ = client.head()
            assert " 200 " in line, line
            clients.append(client)
        used, seconds = self.processor(), 10
        time.sleep(seconds)
        used = self.processor() - used
        self.show(f"{streams} follow {container}", before, streams)
        print(f"{'':32} {100 * used / seconds:.1f} % of a core")
        if container == "talk":
            for client in clients:
                text = client.stream.recv(10)
                assert text, "nothing came"
        for client in clients:
            client.stream.close()
        world.wait_for("the streams end", lambda: self.facts()["files"] <= before["files"] + 8, 60)
        self.show("closed", before, streams)

    def run_all(self, streams, only):
        container = {"image": self.cluster.world.image("busybox")}
        for number in range(PODS):
            self.run_pod(f"pod-{number}", {"automountServiceAccountToken": False, "containers": [
                {**container, "name": "idle", "command": ["sleep", "100000"]},
                {**container, "name": "cat", "command": ["sh", "-c", "cat >/dev/null"],
                 "stdin": True},
                {**container, "name": "talk", "command": [
                    "sh", "-c", "while true; do echo word; sleep 1; done"]}]})
            self.ready(f"pod-{number}")
        # What the first of each makes stays: contexts of TLS, for one.
        for directly in (True, False):
            clients = self.opened(directly, 2)
            self.exchange(clients[::2], 1)
            for client in clients:
                client.stream.close()
        time.sleep(1)
        for _ in range(2 if only != "logs" else 0):
            for directly in (True, False):
                self.run_round(directly, streams)
        for name in ("idle", "talk") if only != "commands" else ():
            self.follow_logs(streams, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--only", choices=("commands", "logs"))
    arguments = parser.parse_args()
    world.enter()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    clusters.begin()
    try:
        Streams.setUpClass()
        case = Streams()
        try:
            case.run_all(arguments.streams, arguments.only)
        except BaseException:
            print(case.cluster.agent_log(), file=sys.stderr)
            raise
        finally:
            case.doCleanups()
    finally:
        clusters.end()


if __name__ == "__main__":
    main()
