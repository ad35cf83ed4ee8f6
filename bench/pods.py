#!/usr/bin/env python3
"""Pods: how fast they start and go, and what they cost, beside the floor and what people use today.

    bench/pods.py [--rounds N] [--pods N] [--at-once N]... [--data DIR] [--quick]

An agent of the build runs in network, mount and process namespaces made for the benchmark, and is
driven through its socket by a client that does nothing else (pod_client.py): the start of a command
is not counted. The floor (floor.cpp), podman and crun, where they are installed, take their turns
with it, so that all have met the same machine; trust the ratios. Nothing is left behind.

The pod is one busybox container with limits for cpu and memory, whose image is present. Folders of
the agent are where they usually are: /run on a tmpfs, layers, volumes and logs on a disk (--data),
on which the floor has its layers too.
"""

import argparse
import collections
import json
import os
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import pod_client

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
import world  # noqa: E402  (namespaces, and the cache of images)

BUILD = pathlib.Path(os.environ.get("PODIUM_BUILD_DIR") or ROOT / "build/release")
PODIUM = BUILD / "podium"
FLOOR = BUILD / "bench/floor"
MS = 1000


def manifest(name):
    return json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{
            "name": "main", "image": "docker.io/library/busybox:latest",
            "imagePullPolicy": "Never", "command": ["sleep", "infinity"],
            # A node takes no more than what fits by its pods' requests.
            "resources": {"limits": {"cpu": "500m", "memory": "64Mi"},
                          "requests": {"cpu": "1m", "memory": "1Mi"}}}]}}).encode()


def pss(pid):
    """Bytes, without what other processes would need as well."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no Pss of process {pid}")


def floor(pods, folder, *options):
    """Seconds to start and to remove, of each; processor seconds of all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = world.output_of(FLOOR, "--pods", str(pods), "--upper", folder, "--samples", *options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(folder)
    folder.mkdir()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [[float(each) / 1e6 for each in line.split()] for line in text.splitlines()], cpu


class Agent:
    """An instance of its own, and a watch of its pods."""

    def __init__(self, folder):
        self.folder = folder
        folders = {"data": folder / "data", "log": folder / "log", "cni": folder / "cni",
                   "run": pathlib.Path("/run/podium-bench")}
        self.socket = folders["run"] / "agent.sock"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
                       "PODIUM_INSTANCE": f"bench-{os.environ[world.INSIDE]}",
                       **{f"PODIUM_{key.upper()}_DIR": str(path) for key, path in folders.items()}}
        with open(folder / "agent.log", "wb") as log:
            self.process = subprocess.Popen([PODIUM, "agent", "--until-idle", "--max-pods=2000"],
                                            env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        world.wait_for("the agent serves", self.socket.exists)
        self.watch = pod_client.Watch(self.socket)
        self.connection = pod_client.Connection(self.socket)
        done = subprocess.run([PODIUM, "import", world.IMAGES / "busybox.tar"], env=environment,
                              capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            self.close()
            raise AssertionError(f"podium import: {done.stderr}\n{self.log()}")

    def log(self):
        """What it said, and how it ended if it has."""
        said = (self.folder / "agent.log").read_text(errors="replace")[-4000:]
        return f"{said}(the agent's exit status: {self.process.poll()})"

    def start(self, name):
        self.connection.request("POST", pod_client.PODS, manifest(name))

    def remove(self, name):
        self.connection.request("DELETE", f"{pod_client.PODS}/{name}?gracePeriodSeconds=0")

    def wait(self, name, what):
        return self.watch.wait(name, what)

    def add_container(self, pod, name):
        """An ephemeral one, as kubectl debug makes them."""
        target = f"{pod_client.PODS}/{pod}"
        whole = json.loads(self.connection.request("GET", target))
        whole["spec"].setdefault("ephemeralContainers", []).append(
            {"name": name, "image": "docker.io/library/busybox:latest",
             "imagePullPolicy": "Never", "command": ["sleep", "infinity"]})
        body = json.dumps(whole).encode()
        begin = time.perf_counter()
        self.connection.request("PUT", target + "/ephemeralcontainers", body)
        return self.wait(pod, "running " + name) - begin

    def cpu(self):
        """Processor seconds, with those of shims and containers that have ended."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def helpers(self):
        """Shims and infra processes."""
        return [pid for pid, command in world.processes().items()
                if command.startswith(("podium-shim", "/pause"))]

    def close(self):
        """It goes by itself when nobody asks any more, and takes all it made along."""
        for name in self.watch.living():
            self.remove(name)
            self.wait(name, "deleted")
        self.watch.close()
        self.connection.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"the agent does not end\n{self.log()}") from None


class Peers:
    """podman and crun, as far as they are installed; see pod_peers.py."""

    def __init__(self, folder, names):
        self.names = [name for name in names if shutil.which(name)]
        self.process = None
        if self.names:
            (folder / "peers").mkdir()
            self.process = subprocess.Popen(
                ["unshare", "--mount", sys.executable, ROOT / "bench/pod_peers.py",
                 folder / "peers", world.IMAGES / "busybox.tar"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, name, count):
        if name not in self.names or count == 0:
            return []
        print(name, count, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{name} failed; see above")
        return json.loads(line)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(timeout=60)


class Bench:
    def __init__(self, options):
        self.options = options
        self.samples = collections.defaultdict(list)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="podium_bench_", dir=options.data))
        self.layers = self.folder / "floor"
        self.layers.mkdir()
        self.count = 0

    def add(self, name, values):
        self.samples[name].extend(values)

    def next_name(self):
        self.count += 1
        return f"bench-{self.count}"

    def one_pod(self, agent, pause):
        time.sleep(pause)
        name = self.next_name()
        begin = time.perf_counter()
        agent.start(name)
        start = agent.wait(name, "running main") - begin
        time.sleep(pause)
        begin = time.perf_counter()
        agent.remove(name)
        return start, agent.wait(name, "deleted") - begin

    def pods(self, agent, kind, count, pause):
        cpu = agent.cpu()
        for _ in range(count):
            start, removal = self.one_pod(agent, pause)
            self.add(f"{kind} start", [start])
            self.add(f"{kind} removal", [removal])
        self.add(f"{kind} cpu", [(agent.cpu() - cpu) / count])

    def floor(self, count):
        samples, cpu = floor(count, self.layers)
        self.add("floor start", [each[0] for each in samples])
        self.add("floor removal", [each[1] for each in samples])
        self.add("floor cpu", [cpu / count])

    def execs(self, agent, count):
        name = self.next_name()
        agent.start(name)
        agent.wait(name, "running main")
        for i in range(count):
            begin = time.perf_counter()
            os.waitpid(os.posix_spawn("/bin/busybox", ["true"], {}), 0)
            middle = time.perf_counter()
            status = pod_client.run_in(agent.socket, name, "true")
            end = time.perf_counter()
            if status != "Success":
                raise AssertionError(f"exec: {status}")
            self.add("fork and exec", [middle - begin])
            self.add("exec", [end - middle])
            if i < min(count, 10):
                self.add("container start", [agent.add_container(name, f"more-{i}")])
        agent.remove(name)
        agent.wait(name, "deleted")

    def at_once(self, agent, count):
        samples, cpu = floor(count, self.layers, "--keep")
        for index, what in enumerate(("start", "removal")):
            self.add(f"floor {count} {what}", [count / sum(each[index] for each in samples)])
        self.add(f"floor {count} cpu", [cpu / count])
        idle = pss(agent.process.pid) + sum(map(pss, agent.helpers()))
        names = [self.next_name() for _ in range(count)]
        cpu = agent.cpu()
        begin = time.perf_counter()
        for name in names:
            agent.start(name)
        last = max(agent.wait(name, "running main") for name in names)
        self.add(f"podium {count} start", [count / (last - begin)])
        time.sleep(0.5)  # for what was begun ahead
        full = pss(agent.process.pid) + sum(map(pss, agent.helpers()))
        self.add(f"memory with {count}", [(full - idle) / count])
        begin = time.perf_counter()
        for name in names:
            agent.remove(name)
        last = max(agent.wait(name, "deleted") for name in names)
        self.add(f"podium {count} removal", [count / (last - begin)])
        self.add(f"podium {count} cpu", [(agent.cpu() - cpu) / count])

    def run(self):
        options = self.options
        agent = Agent(self.folder)
        peers = Peers(self.folder, options.peers)
        try:
            for _ in range(3):  # all caches are warm afterwards
                self.one_pod(agent, 0)
            for _ in range(options.rounds):
                self.floor(options.pods)
                self.pods(agent, "podium", options.pods, 0)
                self.pods(agent, "prepared", options.pods, 0.05)
                self.execs(agent, options.pods)
                for name in peers.names:
                    count = min(options.pods, 2 if name == "podman" else 10)
                    for start, removal in peers.run(name, count):
                        self.add(f"{name} start", [start])
                        self.add(f"{name} removal", [removal])
            for count in options.at_once:
                for _ in range(options.rounds_at_once):
                    self.at_once(agent, count)
        except BaseException:
            print(agent.log(), file=sys.stderr)
            raise
        finally:
            peers.close()
            agent.close()

    def close(self):
        shutil.rmtree(self.folder)
        left = [path for path, _, _ in os.walk("/sys/fs/cgroup")
                if f"bench-{os.environ[world.INSIDE]}" in path or self.folder.name in path]
        if left:
            raise AssertionError(f"cgroups left behind: {left}")

    # --- the report ---

    def middle(self, name):
        values = self.samples.get(name)
        return statistics.median(values) if values else None

    def high(self, name):
        values = sorted(self.samples[name])
        return values[(len(values) - 1) * 99 // 100]

    def row(self, what, name, peer, better=min, scale=MS, unit="ms"):
        value, other = self.middle(name), self.middle(peer)
        if value is None:
            return
        ratio = "" if not other else f"{value / other:8.2f} x {peer} {other * scale:.2f}"
        lowest = better(self.samples[name])
        print(f"{what:34} {value * scale:9.2f} {self.high(name) * scale:9.2f} "
              f"{lowest * scale:9.2f} {unit:6}{ratio}")

    def report(self):
        print(f"{'':34} {'p50':>9} {'p99':>9} {'best':>9}       ratio of the medians")
        for kind, words in ("podium", "one after the other"), ("prepared", "50 ms apart"):
            self.row(f"pod start, {words}", f"{kind} start", "floor start")
            self.row("  beside podman play kube", f"{kind} start", "podman start")
            self.row("  processor time, with removal", f"{kind} cpu", "floor cpu")
            self.row("  removal", f"{kind} removal", "floor removal")
            self.row("  beside podman pod rm", f"{kind} removal", "podman removal")
        self.row("container start in a pod", "container start", "crun start")
        self.row("exec", "exec", "fork and exec")
        if self.samples.get("exec"):
            over = self.middle("exec") - self.middle("fork and exec")
            print(f"{'  over fork and exec':34} {over * MS:9.2f}")
        for count in self.options.at_once:
            for what in "start", "removal":
                self.row(f"{count} at once, {what}", f"podium {count} {what}",
                         f"floor {count} {what}", max, 1, "pods/s")
            self.row("  processor time", f"podium {count} cpu", f"floor {count} cpu")
            self.row("  memory a pod", f"memory with {count}", "", min, 1 / 1024, "KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pods", type=int, default=20, help="of each kind a round")
    parser.add_argument("--at-once", type=int, action="append")
    parser.add_argument("--rounds-at-once", type=int, default=3)
    parser.add_argument("--data", default=ROOT / "build", help="a folder on the disk to measure")
    parser.add_argument("--peer", dest="peers", action="append", choices=["podman", "crun"])
    parser.add_argument("--quick", action="store_true", help="only that it works")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.pods, options.at_once, options.rounds_at_once = 1, 2, [5], 1
        options.peers = []
    options.at_once = options.at_once if options.at_once is not None else [100, 500]
    options.peers = options.peers if options.peers is not None else ["podman", "crun"]
    world.enter()
    # The agent's run folder is where it usually is: on a tmpfs.
    world.output_of("mount", "-t", "tmpfs", "none", "/run")
    world.output_of("ip", "link", "set", "lo", "up")
    bench = Bench(options)
    try:
        bench.run()
    finally:
        bench.close()
    bench.report()


if __name__ == "__main__":
    main()
