#!/usr/bin/env python3
"""Pods of a node through the API: a server and an agent of the build, as a watcher sees them.

    bench/cluster_pods.py [--pods N] [--at-once N]... [--idle SECONDS] [--data DIR] [--token]
                          [--probe exec|httpGet|tcpSocket [--period SECONDS]]

Both run in network, mount and process namespaces made for the benchmark. The client asks the server
at its socket for root and does nothing else (pod_client.py). A pod is one busybox container whose
image is present and that ends when it is told to; with --token it has its service account's token.
POST to Running is what a watch tells, from before the request is sent; DELETE to gone likewise, with
the pod's own grace period. With --probe it has a liveness and a readiness probe of that kind.
Upstream's kubelet is no Debian package: docs/benchmarks.md has figures of another machine's.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
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
TICKS = os.sysconf("SC_CLK_TCK")


def pss(pid):
    """Bytes, without what other processes would need as well."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no Pss of process {pid}")


def cpu(process):
    """Processor seconds of a process and of those of its own that have ended."""
    stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
    return sum(map(int, stat[stat.rindex(")") + 2:].split()[11:15])) / TICKS


PORT = 8080
PROBES = {"exec": {"exec": {"command": ["true"]}},
          "httpGet": {"httpGet": {"path": "/", "port": PORT}},
          "tcpSocket": {"tcpSocket": {"port": PORT}}}


def container(probe, period):
    """One that ends when it is told to; a server for the probes that want one."""
    server = f"httpd -p {PORT} -h /etc; " if probe in ("httpGet", "tcpSocket") else ""
    probes = {} if not probe else {
        each: {**PROBES[probe], "periodSeconds": period, "timeoutSeconds": 5}
        for each in ("livenessProbe", "readinessProbe")}
    return {"name": "main", "image": "docker.io/library/busybox:latest", "imagePullPolicy": "Never",
            "command": ["sh", "-c", f"trap 'exit 0' TERM; {server}sleep infinity & wait"], **probes}


class Cluster:
    def __init__(self, folder, token, template):
        self.token = token
        self.template = template
        self.node = os.uname().nodename.lower()
        run = pathlib.Path("/run/podium-bench")
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
                       "PODIUM_INSTANCE": f"bench-{os.environ[world.INSIDE]}",
                       "PODIUM_RUN_DIR": str(run),
                       **{f"PODIUM_{key.upper()}_DIR": str(folder / key)
                          for key in ("data", "log", "config", "cni")}}
        self.environment = environment
        self.log = open(folder / "log.txt", "wb")
        self.server = self.launch("server", "--bind-address=127.0.0.1", "--secure-port=6443")
        self.socket = run / "server.sock"
        world.wait_for("the server serves", self.socket.exists)
        self.connection = pod_client.Connection(self.socket)
        self.agent = self.launch("agent", "--local-server", "--max-pods=1000")
        world.wait_for("the node is ready", self.ready)
        world.output_of("env", *(f"{key}={value}" for key, value in environment.items()),
                        PODIUM, "import", world.IMAGES / "busybox.tar")
        world.wait_for("the default account is made", self.account)
        self.watch = pod_client.Watch(self.socket)

    def account(self):
        path = "/api/v1/namespaces/default/serviceaccounts"
        return json.loads(self.connection.request("GET", path))["items"]

    def launch(self, *arguments):
        return subprocess.Popen([PODIUM, *arguments], env=self.environment, stdout=self.log,
                                stdin=subprocess.DEVNULL, stderr=self.log)

    def ready(self):
        node = json.loads(self.connection.request("GET", "/api/v1/nodes"))["items"]
        return any(each["type"] == "Ready" and each["status"] == "True"
                   for one in node for each in one["status"].get("conditions", ()))

    def start(self, name):
        self.connection.request("POST", pod_client.PODS, json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"nodeName": self.node, "automountServiceAccountToken": self.token,
                     "terminationGracePeriodSeconds": 5,
                     "containers": [self.template]},
        }).encode())

    def remove(self, name):
        self.connection.request("DELETE", f"{pod_client.PODS}/{name}")

    def memory(self):
        """Of the server, of the agent, and of what belongs to the pods."""
        helpers = [pid for pid, command in world.processes().items()
                   if command.startswith(("podium-shim", "/pause"))]
        return pss(self.server.pid), pss(self.agent.pid), sum(map(pss, helpers))

    def close(self):
        for name in self.watch.living():
            self.remove(name)
            self.watch.wait(name, "deleted")
        self.watch.close()
        self.connection.close()
        for process in self.agent, self.server:
            process.terminate()
            process.wait(timeout=30)
        # Takes away what an agent keeps for the next one.
        subprocess.run([PODIUM, "agent", "--until-idle"], env=self.environment, check=True,
                       timeout=60, stdout=self.log, stderr=self.log)
        self.log.close()


def show(what, values, unit="ms", scale=1000):
    values = sorted(value * scale for value in values)
    print(f"{what:36} {statistics.median(values):9.2f} {values[(len(values) - 1) * 99 // 100]:9.2f} "
          f"{values[0]:9.2f} {unit}")


def one_after_the_other(cluster, count):
    starts, removals = [], []
    before = cpu(cluster.server), cpu(cluster.agent)
    for i in range(-3, count):  # the first ones warm all caches
        if i == 0:
            before = cpu(cluster.server), cpu(cluster.agent)
        name = f"one-{i + 3}"
        begin = time.perf_counter()
        cluster.start(name)
        starts.append(cluster.watch.wait(name, "running main") - begin)
        begin = time.perf_counter()
        cluster.remove(name)
        removals.append(cluster.watch.wait(name, "deleted") - begin)
    used = [after - first for after, first in
            zip((cpu(cluster.server), cpu(cluster.agent)), before)]
    show("POST to Running, one after the other", starts[3:])
    show("DELETE to gone", removals[3:])
    show("  processor time of the server, both", [used[0] / count])
    show("  of the agent and its shims", [used[1] / count])


def at_once(cluster, count, idle):
    bare = cluster.memory()
    names = [f"many-{count}-{i}" for i in range(count)]
    begin = time.perf_counter()
    sent = {}
    for name in names:
        sent[name] = time.perf_counter()
        cluster.start(name)
    running = {name: cluster.watch.wait(name, "running main") for name in names}
    print(f"{f'{count} at once':36} {count / (max(running.values()) - begin):9.1f} pods/s")
    show("  POST to Running of each", [running[name] - sent[name] for name in names])
    time.sleep(2)
    full = cluster.memory()
    for what, first, last in zip(("server", "agent", "shim and infra"), bare, full):
        show(f"  memory a pod, {what}", [(last - first) / count], "KiB", 1 / 1024)
    rest(cluster, f"  with {count} pods", idle)
    begin = time.perf_counter()
    for name in names:
        cluster.remove(name)
    last = max(cluster.watch.wait(name, "deleted") for name in names)
    print(f"{'  removal':36} {count / (last - begin):9.1f} pods/s")


def rest(cluster, what, seconds):
    before = cpu(cluster.server), cpu(cluster.agent)
    time.sleep(seconds)
    for name, process, first in zip(("server", "agent"), (cluster.server, cluster.agent), before):
        show(f"{what}, idle processor, {name}", [(cpu(process) - first) / seconds], "% of a core",
             100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pods", type=int, default=100, metavar="N")
    parser.add_argument("--at-once", type=int, action="append", metavar="N")
    parser.add_argument("--idle", type=int, default=20, metavar="SECONDS")
    parser.add_argument("--data", default="/var/tmp", metavar="DIR")
    parser.add_argument("--token", action="store_true")
    parser.add_argument("--probe", choices=PROBES)
    parser.add_argument("--period", type=int, default=10, metavar="SECONDS")
    options = parser.parse_args()
    world.enter()
    world.output_of("ip", "link", "set", "lo", "up")
    world.output_of("mount", "-t", "tmpfs", "tmpfs", "/run")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="podium_bench_", dir=options.data))
    cluster = None
    try:
        cluster = Cluster(folder, options.token, container(options.probe, options.period))
        print(f"{'':36} {'p50':>9} {'p99':>9} {'best':>9}")
        server, agent, _ = cluster.memory()
        show("memory at rest, server", [server], "MiB", 2**-20)
        show("memory at rest, agent", [agent], "MiB", 2**-20)
        rest(cluster, "no pods", options.idle)
        one_after_the_other(cluster, options.pods)
        for count in options.at_once or [50]:
            at_once(cluster, count, options.idle)
    finally:
        if cluster:
            cluster.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
