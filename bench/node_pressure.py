#!/usr/bin/env python3
"""From memory pressure to relief: how long a node that runs full takes to see it, to say so, to
evict the pod that is to blame, and to have its memory back.

    bench/node_pressure.py [--rounds N] [--neighbours N] [--data DIR] [--quick]

A server and an agent of the build (cluster.py). All pods together have 400 MiB, and the threshold is
100 MiB left of that; the machine itself has enough. In each round a pod writes 320 MiB into a folder
in memory as fast as it can. Time 0 is when the working set of all pods, which is read every
millisecond, has come past the threshold; the rest is what a watcher of pods and nodes sees, and when
the working set is below the threshold again. Neighbours are pods that do nothing.
"""

import argparse
import json
import pathlib
import re
import threading
import time

import cluster as clusters
import pod_client
import world
from cluster import heading, show

MI = 1 << 20
ROOM, LEAST, GREEDY = 400, 100, 320  # MiB: of all pods, what must be left, what one takes
TRANSITION = 2  # seconds that the condition stays


def options():
    """The agent's."""
    total = int(re.search("MemTotal: +([0-9]+) kB",
                          pathlib.Path("/proc/meminfo").read_text())[1]) // 1024
    return (f"--system-reserved=memory={total - ROOM}Mi",
            f"--eviction-hard=memory.available<{LEAST}Mi", "--eviction-max-pod-grace-period=1",
            f"--eviction-pressure-transition-period={TRANSITION}s")


class MemoryUse:
    """Reads what all pods have, as long as it is entered; when it crossed the threshold."""

    def __init__(self, group):
        self.group = group
        self.over = self.under = self.most = 0
        self._end = False
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _read(self):
        while not self._end:
            use, now = clusters.working_set(self.group), time.perf_counter()
            self.most = max(self.most, use)
            if not self.over and use > (ROOM - LEAST) * MI:
                self.over = now
            if self.over and use > (ROOM - LEAST) * MI:
                self.under = 0
            elif self.over and not self.under:
                self.under = now
            time.sleep(0.001)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end = True
        self._thread.join()


class Pressure:
    """When the node said that its memory runs out; a connection and a thread of its own."""

    def __init__(self, socket):
        self.connection = pod_client.Connection(socket)
        self.connection.send("GET", "/api/v1/nodes?watch=1")
        status, _ = self.connection.head()
        assert status == 200, status
        self.changes = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        try:
            while True:
                size = int(self.connection.line().strip(), 16)
                rest += self.connection.take(size)
                self.connection.take(2)
                now = time.perf_counter()
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    for each in json.loads(line)["object"]["status"].get("conditions", ()):
                        if each["type"] == "MemoryPressure":
                            self.changes.append((now, each["status"]))
        except (OSError, ValueError):
            pass  # closed

    def since(self, moment, status):
        return next((now for now, each in self.changes if now > moment and each == status), None)

    def close(self):
        self.connection.close()


def container(script, **more):
    return {"name": "main", "image": clusters.IMAGE, "imagePullPolicy": "Never",
            "command": ["sh", "-c", f"trap 'exit 0' TERM; {script}; sleep infinity & wait"], **more}


def one_round(cluster, pressure, name):
    """Seconds since the threshold was crossed, by what came then; and the agent's processor."""
    greedy = container(f"dd if=/dev/zero of=/m/full bs=1M count={GREEDY}",
                       volumeMounts=[{"name": "m", "mountPath": "/m"}])
    begin, before = time.perf_counter(), cluster.cpu()
    with MemoryUse(clusters.MEMORY / cluster.group / "kubepods") as use:
        cluster.start(name, [greedy], volumes=[{"name": "m", "emptyDir": {"medium": "Memory"}}])
        evicted = cluster.watch.wait(name, "Failed")
        assert cluster.watch.pods[name]["status"]["reason"] == "Evicted", cluster.watch.pods[name]
        world.wait_for("the memory is given back", lambda: use.under)
        told = world.wait_for("the node says so", lambda: pressure.since(begin, "True"))
    found = {"the node says MemoryPressure": told - use.over,
             "the pod is Failed, Evicted": evicted - use.over,
             "below the threshold again": use.under - use.over}
    spent = cluster.spent(before)
    cluster.remove(name)
    world.wait_for("the pressure is over", lambda: pressure.since(told, "False"), 60)
    return found, spent["agent"], use.most


def measure(cluster, rounds, neighbours):
    heading()
    for number in range(neighbours):
        cluster.start(f"neighbour-{number}", [container("true")])
    for number in range(neighbours):
        cluster.watch.wait(f"neighbour-{number}", "running main")
    pressure = Pressure(cluster.socket)
    all_found, processor, most = {}, [], []
    for number in range(rounds):
        found, spent, peak = one_round(cluster, pressure, f"greedy-{number}")
        for what, seconds in found.items():
            all_found.setdefault(what, []).append(seconds)
        processor.append(spent)
        most.append(peak)
    pressure.close()
    for what, values in all_found.items():
        show(what, values)
    show("processor time of a round, agent", processor)
    show("most memory of all pods", most, "MiB", 1 / MI)
    lost = [name for name in cluster.watch.living() if name.startswith("neighbour")
            and cluster.watch.pods[name]["status"]["phase"] != "Running"]
    assert not lost, lost


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=10, metavar="N")
    parser.add_argument("--neighbours", type=int, default=20, metavar="N")
    parser.add_argument("--data", default="/var/tmp", metavar="DIR")
    parser.add_argument("--quick", action="store_true", help="only that it works")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.neighbours = 1, 2
    clusters.run(arguments.data, options(), lambda cluster: measure(
        cluster, arguments.rounds, arguments.neighbours))


if __name__ == "__main__":
    main()
