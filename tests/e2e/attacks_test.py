#!/usr/bin/env python3
"""Attacks on the whole program by what runs in its pods: those rows of docs/attacks.md that the
agent has a part in. Each must leave the agent as it was and its neighbours alive.

PODIUM_TEST_LONG=1 for the counts that are named; a tenth or a few seconds otherwise.
"""

import os
import pathlib
import re
import socket
import threading
import time
import unittest

import cases
import world as worlds

LONG = "PODIUM_TEST_LONG" in os.environ
MIB = 1 << 20
SHORT_SECONDS = 6

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  hostNetwork: {host}
  containers:
    - name: main
      image: busybox
      resources: {{limits: {{memory: {memory}}}}}
      command:
        - sh
        - -c
        - |
          {script}
"""


def setUpModule():
    cases.begin()
    # What was freed would count as memory for long.
    environment = cases.PodCase.world.environment
    environment["ASAN_OPTIONS"] = f"{environment.get('ASAN_OPTIONS', '')}:quarantine_size_mb=1"


tearDownModule = cases.end


def memory_of(pid):
    """Of a process, resident, in bytes."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024


def times(count):
    """Numbers below count; in the short form below a tenth of it, and for some seconds."""
    end = time.monotonic() + SHORT_SECONDS
    for i in range(count if LONG else count // 10):
        if not LONG and time.monotonic() > end:
            return
        yield i


class AttacksTest(cases.PodCase):
    def play_script(self, name, script, host="false", memory="64Mi"):
        self.play(self.world.manifest(
            POD.format(name=name, script=script, host=host, memory=memory)))

    def output(self, *arguments):
        return self.run_podium(*arguments)[0]

    def play_neighbour(self):
        self.play_script("neighbour", "echo up; exec sleep 100000")
        self.world.ready("neighbour")

    def expect_well(self):
        """The neighbour answers, and has not been started again; so does the agent."""
        self.assertEqual(self.output("exec", "neighbour", "--", "echo", "well"), "well\n")
        status = self.container(self.world.pods()["neighbour"], "main")
        self.assertEqual((status["restartCount"], "running" in status["state"]), (0, True))

    def terminated(self, name):
        pod = worlds.wait_for(f"{name} ends", lambda: self.with_ended(name, "main"), 60)
        return self.container(pod, "main")["state"]["terminated"]

    def log_files(self, name):
        folder, = (self.world.folder / "log").glob(f"default_{name}_*/main")
        return {path.name: path.stat().st_size for path in folder.iterdir()}

    def test_abstract_sockets(self):
        """CVE-2020-15257: with the host's network a pod could reach those of the agent."""
        self.play_neighbour()
        self.play_script("host", "grep @ /proc/net/unix; echo end", host="true")
        self.terminated("host")
        self.assertEqual(self.output("logs", "host"), "end\n")

    def test_log_flood(self):
        """CVE-2020-8557: the log is rotated, and all of its files together are bounded."""
        self.play_neighbour()
        agent = self.world.agent()
        before = memory_of(agent)
        self.play_script("loud", "exec yes 0123456789012345678901234567890123456789")
        self.world.ready("loud")
        worlds.wait_for("it was rotated", lambda: len(self.log_files("loud")) > 2, 60)
        # Five files: the one that is written, one as it is, three compressed.
        for _ in times(100):
            files = self.log_files("loud")
            self.assertLessEqual(len(files), 6, files)
            # The limit is 10 MiB, and the agent is told as soon as it is reached. However late it
            # has its turn, output waits when there are 14.
            self.assertLess(max(files.values()), 16 * MIB, files)
            time.sleep(0.1)
        self.assertEqual(len(self.output("logs", "--tail", "3", "loud").splitlines()), 3)
        self.expect_well()
        self.assertLess(memory_of(agent) - before, 64 * MIB)

    def test_termination_message_flood(self):
        """Its last 4,096 bytes are read, whatever is put there."""
        self.play_neighbour()
        self.play_script("message",
                         "yes 0123456789 | head -c 50000000 > /dev/termination-log; exit 3")
        self.play_script("sparse", "dd if=/dev/zero of=/dev/termination-log bs=1 count=0 "
                                   "seek=1099511627776; exit 4")
        message = self.terminated("message")
        self.assertEqual(message["exitCode"], 3)
        self.assertEqual(len(message["message"]), 4096)
        self.assertEqual(self.terminated("sparse")["exitCode"], 4)
        self.expect_well()

    def test_hosts_file_flood(self):
        """/etc/hosts and its like are the pod's, and go with it; the node's own stay."""
        self.play_neighbour()
        hosts = pathlib.Path("/etc/hosts").read_text(encoding="utf-8")
        self.play_script("hosts", "yes 10.0.0.1 evil | head -c 20000000 >> /etc/hosts; "
                                  "grep -c evil /etc/hosts; exec sleep 1000")
        self.world.ready("hosts")
        worlds.wait_for("it has written", lambda: self.output("logs", "hosts"))
        self.assertEqual(pathlib.Path("/etc/hosts").read_text(encoding="utf-8"), hosts)
        out = self.output("exec", "neighbour", "--", "cat", "/etc/hosts")
        self.assertNotIn("evil", out)
        self.expect_well()
        self.output("stop", "hosts", "-t", "0")
        # Files of a pod that is gone are removed when nobody waits for it.
        worlds.wait_for("the flood is gone", lambda: not any(
            path.is_file() and path.stat().st_size > MIB
            for path in (self.world.folder / "data/pods").rglob("*")), 5)

    def test_memory_bomb(self):
        """The pod dies of it, as OOMKilled; nobody else does."""
        self.play_neighbour()
        agent = self.world.agent()
        self.play_script("bomb", "x=$(yes | head -c 30000000); y=$x$x$x$x; echo survived",
                         memory="32Mi")
        ended = self.terminated("bomb")
        self.assertEqual((ended["reason"], ended["exitCode"]), ("OOMKilled", 137))
        self.assertEqual(self.output("logs", "bomb"), "")
        self.expect_well()
        self.assertEqual(self.world.agent(), agent)

    def test_fork_bomb(self):
        """Bounded at the least by the pod's memory; the node goes on and it can be stopped."""
        self.play_neighbour()
        agent = self.world.agent()
        self.play_script("bomb", "b() { b | b & }; b; while true; do b; done", memory="32Mi")
        self.world.phase("bomb", "Running")
        for _ in times(30):
            self.expect_well()
        self.output("stop", "bomb", "-t", "0")
        self.assertNotIn("bomb", self.world.pods())
        self.expect_well()
        self.assertEqual(self.world.agent(), agent)

    def open_exec(self, verb, query):
        """An upgrade of a stream, aborted as soon as the agent has said something."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.world.folder / "run/agent.sock"))
            connection.sendall(
                f"GET /api/v1/namespaces/default/pods/victim/{verb}?container=main&{query} "
                "HTTP/1.1\r\nHost: podium\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n".encode())
            return connection.recv(64)

    def test_exec_and_attach_floods(self):
        """CVE-2025-64329: 100,000 opens and aborts leave no memory and no process."""
        self.play_neighbour()
        self.play_script("victim", "echo up; while true; do yes | head -c 10000; sleep 0.2; done")
        self.world.ready("victim")
        agent = self.world.agent()
        shims = [pid for pid, command in worlds.processes().items()
                 if command.startswith("podium-shim")]
        kinds = (("exec", "command=sleep&command=100000&stdout=true&stderr=true"),
                 ("attach", "stdout=true&stderr=true"),
                 ("exec", "command=yes&stdout=true"))
        answers = set()

        def flood(numbers):
            for i in numbers:
                answers.add(self.open_exec(*kinds[i % len(kinds)])[:12])
        def flood_by_four(make_numbers):
            """Memory of the agent and of the shims when all of it is over."""
            threads = [threading.Thread(target=flood, args=(make_numbers(),)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            worlds.wait_for("no process is left", lambda: not any(
                re.match(r"sleep 100000$|yes$", command) and "exec" not in command
                for command in self.processes_of("victim")), 30)
            return memory_of(agent), sum(memory_of(pid) for pid in shims)
        # As many at once as later: what many hold at one moment stays with the allocator.
        before = flood_by_four(lambda: range(300))
        after = flood_by_four(lambda: times(25_000))
        # More than the pod's shim has places for is told so.
        self.assertIn(b"HTTP/1.1 101", answers)
        self.assertEqual(answers - {b"HTTP/1.1 101", b"HTTP/1.1 503"}, set())
        self.assertLess(after[0] - before[0], 32 * MIB)
        self.assertLess(after[1] - before[1], MIB)
        self.expect_well()

    def processes_of(self, name):
        out = self.output("exec", name, "--", "ps", "-o", "args")
        return [line.strip() for line in out.splitlines()]


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
