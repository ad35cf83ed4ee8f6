#!/usr/bin/env python3
"""A machine that goes down: the node of a cluster is told so by a logind of the test's own
(fake_logind.cpp, on a bus of its own), or by hand, and its pods end in their order and in time.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import unittest

import clusters
import world as worlds

FAKE_LOGIND = worlds.PODIUM.parent / "tests/fake_logind"
SYSTEMD = pathlib.Path("/etc/systemd")
# Seconds, of which critical pods have the second.
GRACE, CRITICAL = 6, 3

GENTLE = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done"]
DEAF = ["sh", "-c", "trap '' TERM; while true; do sleep 0.05; done"]
BUS = """<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""


class Logind:
    """What it says is in `lines`."""
    def __init__(self, folder):
        self.lines = []
        self._socket = folder / "bus"
        (folder / "bus.xml").write_text(BUS.format(socket=self._socket))
        self._config = folder / "bus.xml"
        self.address = f"unix:path={self._socket}"
        self._bus = self._logind = self._reader = None

    def start(self):
        self._bus = subprocess.Popen(
            ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", f"--config-file={self._config}"],
            stdin=subprocess.DEVNULL)
        worlds.wait_for("the bus is there", self._socket.exists)
        self._logind = subprocess.Popen(
            [FAKE_LOGIND, SYSTEMD / "logind.conf.d"], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address})
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.wait_for("ready")

    def _read(self):
        for line in self._logind.stdout:
            self.lines.append(line.strip())

    def say(self, word):
        self._logind.stdin.write(word + "\n")
        self._logind.stdin.flush()

    def wait_for(self, beginning, seconds=30):
        """The first line that begins so; it and those before it are forgotten."""
        def look():
            for at, line in enumerate(self.lines):
                if line.startswith(beginning):
                    del self.lines[:at + 1]
                    return line
            return None
        return worlds.wait_for(f"logind says {beginning}", look, seconds)

    def stop(self):
        for process in self._logind, self._bus:
            if process:
                process.kill()
                process.wait()
        if self._reader:
            self._reader.join()
            self._logind.stdin.close()
            self._logind.stdout.close()


def setUpModule():
    worlds.output_of("mount", "-t", "tmpfs", "tmpfs", SYSTEMD)
    cluster = clusters.Cluster([f"--shutdown-grace-period={GRACE}s",
                                f"--shutdown-grace-period-critical-pods={CRITICAL}s"])
    clusters.ClusterCase.cluster = cluster
    NodeShutdownTest.logind = Logind(cluster.world.folder)
    cluster.world.environment["DBUS_SYSTEM_BUS_ADDRESS"] = NodeShutdownTest.logind.address
    cluster.start()
    worlds.wait_for("the node is there", lambda: cluster.server.kubectl(
        "get", "node", cluster.node)[0] == 0)


def tearDownModule():
    cluster = clusters.ClusterCase.cluster
    try:
        cluster.stop()
    finally:
        NodeShutdownTest.logind.stop()
        cluster.close_world()


def one(command, **more):
    return {"automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "busybox", "command": command}], **more}


def condition(pod, kind):
    return next((each for each in pod["status"]["conditions"] if each["type"] == kind), {})


def end_of(pod):
    """When its container ended."""
    return pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]


class NodeShutdownTest(clusters.ClusterCase):
    logind = None

    def node_is(self, ready):
        """What the node says of itself, as soon as that is so."""
        def look():
            node = json.loads(self.kubectl("get", "node", self.cluster.node, "-o", "json"))
            found = condition(node, "Ready")
            return found["status"] == ready and found
        return worlds.wait_for(f"the node's Ready is {ready}", look)

    def ended_by_shutdown(self, name):
        pod = self.phase(name, "Failed")
        message = "Pod was terminated in response to imminent node shutdown."
        self.assertEqual((pod["status"]["reason"], pod["status"]["message"]),
                         ("Terminated", message))
        disruption = condition(pod, "DisruptionTarget")
        self.assertEqual((disruption["status"], disruption["reason"], disruption["message"]),
                         ("True", "TerminationByKubelet", message))
        return pod

    def node_events(self):
        events = json.loads(self.cluster.server.kubectl(
            "-n", "default", "get", "events", "-o", "json")[1])["items"]
        return [each["message"] for each in events if each["reason"] == "NodeShutdown"
                and each["involvedObject"]["kind"] == "Node"]

    def shutdown_times(self):
        """When the last one began and when it ended, as the agent counts it."""
        page = self.kubectl("get", "--raw", f"/api/v1/nodes/{self.cluster.node}/proxy/metrics")
        return [int(float(line.split()[1])) for word in ("start", "end")
                for line in page.splitlines()
                if line.startswith(f"kubelet_graceful_shutdown_{word}_time_seconds ")]

    def mounts_of_pods(self):
        return [mount for mount in worlds.mounts()
                if mount.startswith(str(self.cluster.world.folder / "data/pods"))]

    def test_1_no_logind(self):
        worlds.wait_for("the agent says what it misses", lambda: "podium agent: unable to watch "
                        "the node for shutdown events: no logind" in self.cluster.agent_log())

    def test_2_the_lock(self):
        self.logind.start()
        self.logind.wait_for("reload systemd-logind.service all 1")
        self.logind.wait_for("lock shutdown podium podium ends its pods before the machine goes "
                             "down delay")
        files = list((SYSTEMD / "logind.conf.d").iterdir())
        self.assertEqual([file.name for file in files], [f"99-{self.cluster.world.name}.conf"])
        self.assertIn(f"\nInhibitDelayMaxSec={GRACE}\n", files[0].read_text())

    def test_3_shutdown(self):
        self.run_pod("gentle", one(GENTLE, volumes=[
            {"name": "memory", "emptyDir": {"medium": "Memory"}}]))
        self.run_pod("deaf", one(DEAF, terminationGracePeriodSeconds=600))
        self.run_pod("critical", one(GENTLE, priorityClassName="system-node-critical"))
        for name in "gentle", "deaf", "critical":
            self.ready(name)
        self.assertNotEqual(self.mounts_of_pods(), [])
        self.assertEqual(self.shutdown_times(), [0, 0])
        begun, began_at = time.monotonic(), int(time.time())
        self.logind.say("down")
        ready = self.node_is("False")
        self.assertEqual((ready["reason"], ready["message"]),
                         ("KubeletNotReady", "node is shutting down"))
        self.run_pod("late", one(GENTLE))
        late = self.phase("late", "Failed")
        self.assertEqual((late["status"]["reason"], late["status"]["message"]),
                         ("NodeShutdown",
                          "Pod was rejected: Pod was rejected as the node is shutting down."))
        self.assertEqual(self.ended_by_shutdown("gentle")["status"]["containerStatuses"][0][
            "state"]["terminated"]["exitCode"], 0)
        self.logind.wait_for("released")
        took, ended_at = time.monotonic() - begun, int(time.time())
        self.assertGreaterEqual(took, GRACE - CRITICAL)
        self.assertEqual(self.mounts_of_pods(), [])
        deaf = self.ended_by_shutdown("deaf")
        self.assertEqual(deaf["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"],
                         137)
        critical = self.ended_by_shutdown("critical")
        self.assertGreaterEqual(end_of(critical), end_of(deaf))
        worlds.wait_for("it is told of the node", lambda: self.node_events() == [
            "Shutdown manager detected shutdown event"])
        start, end = self.shutdown_times()
        self.assertLessEqual(began_at, start)
        self.assertLessEqual(start + GRACE - CRITICAL, end)
        self.assertLessEqual(end, ended_at)

    def test_4_the_machine_stays(self):
        self.logind.say("up")
        self.assertEqual(self.node_is("True")["reason"], "KubeletReady")
        self.logind.wait_for("lock shutdown podium")
        worlds.wait_for("it is told of the node", lambda: self.node_events()[-1:] == [
            "Shutdown manager detected shutdown cancellation"])
        self.run_pod("after", one(GENTLE))
        self.ready("after")

    def test_5_by_hand(self):
        self.run_pod("web", one(GENTLE))
        self.ready("web")
        status, out, err = self.cluster.world.podium("node", "shutdown", "--grace-period=5s")
        self.assertEqual((status, out), (0, "pods have ended: the machine may go down\n"), err)
        self.ended_by_shutdown("web")
        self.assertEqual(self.node_is("False")["message"], "node is shutting down")
        self.assertEqual(self.cluster.world.podium("node", "shutdown", "--cancel")[0], 0)
        self.node_is("True")

    def test_6_periods_that_are_none(self):
        _, _, err = self.cluster.world.podium("node", "shutdown", "--grace-period=1s",
                                              "--grace-period-critical-pods=2s")
        self.assertEqual(err, "podium node shutdown: invalid configuration: "
                         "shutdownGracePeriodCriticalPods {2s} must be <= shutdownGracePeriod "
                         "{1s}\n")
        self.node_is("True")


if __name__ == "__main__":
    if not SYSTEMD.is_dir() or not shutil.which("dbus-daemon"):
        print(f"skipped: no {SYSTEMD}, or no dbus-daemon")
        sys.exit(77)
    clusters.main()
