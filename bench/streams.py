#!/usr/bin/env python3
"""Streams to containers: what a thousand of them cost the API server, in threads and in memory.

    bench/streams.py [--streams N]

`podium server` of the build (PODIUM_BUILD_DIR, or build/release) runs in a network namespace made for
the benchmark, in front of the fake kubelet of the tests. Half of the streams are commands that wait
for input (WebSocket, v5.channel.k8s.io), half are logs that are followed; each is two connections
with TLS. They are opened one after the other, carry some bytes, carry many bytes at once, and end;
three times, as what the first time leaves behind must be all that is left.
"""

import argparse
import os
import pathlib
import resource
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("PODIUM_BUILD_DIR", str(ROOT / "build/release"))
sys.path.insert(0, str(ROOT / "tests/e2e"))
import api_server  # noqa: E402
import fake_node  # noqa: E402
import node_way_test as cases  # noqa: E402
import world  # noqa: E402

PIECE = 100


class Server(cases.NodeCase):
    """The connections of its tests."""

    def runTest(self):  # pylint: disable=invalid-name
        raise NotImplementedError

    def facts(self):
        folder = pathlib.Path(f"/proc/{self.server.process.pid}")
        rollup = (folder / "smaps_rollup").read_text().splitlines()
        pss = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return {"threads": len(list((folder / "task").iterdir())),
                "connections": len(list((folder / "fd").iterdir())), "pss": pss}

    def show(self, what, before, streams):
        facts = self.facts()
        each = (facts["pss"] - before["pss"]) / streams
        print(f"{what:28} {facts['threads']:4} threads {facts['connections']:5} descriptors "
              f"{facts['pss'] / 1024:7.1f} MiB (PSS) {each:6.1f} KiB a stream", flush=True)

    def exchange(self, commands, size):
        """Bytes go to all commands before any answer is read."""
        data = b"\x00" + b"x" * size
        begin = time.monotonic()
        for client in commands:
            client.send(cases.masked(data))
        for client in commands:
            got = fake_node.WebSocket(client).read()[1]
            assert got == b"\x01" + data[1:], len(got)
        return time.monotonic() - begin

    def run_all(self, streams):
        self.pod("many")
        # What the first of each makes stays: contexts of TLS, for one.
        for client in self.opened(2):
            client.stream.close()
        world.wait_for("the first streams end", lambda: not self.node.open)
        time.sleep(1)
        before = self.facts()
        self.show("before", before, streams)
        for _ in range(3):
            self.run_round(before, streams)

    def run_round(self, before, streams):
        clients = self.opened(streams)
        commands = clients[:streams // 2]
        time.sleep(1)
        self.show(f"{streams} streams open", before, streams)
        seconds = self.exchange(commands, PIECE)
        time.sleep(1)
        self.show(f"after {PIECE} bytes each", before, streams)
        print(f"{'':28} {len(commands)} times there and back in {seconds * 1000:.0f} ms")
        for _ in range(20):
            self.exchange(commands, 30000)
        time.sleep(1)
        self.show("after 600 KB each", before, streams)
        for client in clients:
            client.stream.close()
        world.wait_for("the streams end", lambda: not self.node.open)
        time.sleep(1)
        self.show("closed", before, streams)

    def opened(self, streams):
        """Commands, then logs, when each has shown its first bytes."""
        commands = [self.upgraded(self.path("pods/many/exec?command=cat&stdin=true&stdout=true"),
                                  "v5.channel.k8s.io") for _ in range(streams // 2)]
        logs = [self.sent(f"GET {self.path('pods/many/log?follow=true')} HTTP/1.1")
                for _ in range(streams - streams // 2)]
        for client in commands:
            assert " 101 " in client.head()[0]
            assert fake_node.WebSocket(client).read()[1] == b"\x01cat\n"
        for client in logs:
            assert " 200 " in client.head()[0]
            assert client.take(11) == b"6\r\nfirst\n\r\n"
        return commands + logs


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    arguments = parser.parse_args()
    world.enter()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < 4 * arguments.streams + 200:
        sys.exit(f"{most} files may be open at most, which is too few")
    cases.setUpModule()
    try:
        Server.setUpClass()
        server = Server()
        try:
            server.run_all(arguments.streams)
        finally:
            server.doCleanups()
    finally:
        cases.tearDownModule()


if __name__ == "__main__":
    main()
