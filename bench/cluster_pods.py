#!/usr/bin/env python3
"""Pods of a node through the API: a server and an agent of the build, as a watcher sees them.

    bench/cluster_pods.py [--pods N] [--at-once N]... [--idle SECONDS] [--data DIR] [--token]
                          [--probe exec|httpGet|tcpSocket [--period SECONDS]] [--scrapes N] [--quick]

Both run in network, mount and process namespaces made for the benchmark. The client asks the server
at its socket for root and does nothing else (pod_client.py). A pod is one busybox container whose
image is present and that ends when it is told to; with --token it has its service account's token.
POST to Running is what a watch tells, from before the request is sent; DELETE to gone likewise, with
the pod's own grace period. With --probe it has a liveness and a readiness probe of that kind. With
--scrapes the node's pages are read so many times, when the pods are there. Upstream's kubelet is no
Debian package: docs/benchmarks.md has figures of another machine's.
"""

import argparse
import time

import cluster as clusters
from cluster import heading, show

PORT = 8080
PROBES = {"exec": {"exec": {"command": ["true"]}},
          "httpGet": {"httpGet": {"path": "/", "port": PORT}},
          "tcpSocket": {"tcpSocket": {"port": PORT}}}
PAGES = ("metrics/cadvisor", "metrics/resource", "metrics/probes", "metrics", "stats/summary")


def container(probe, period):
    """One that ends when it is told to; a server for the probes that want one."""
    server = "" if probe in (None, "exec") else f"touch /index.html; httpd -p {PORT} -h /; "
    probes = {} if not probe else {
        each: {**PROBES[probe], "periodSeconds": period, "timeoutSeconds": 5}
        for each in ("livenessProbe", "readinessProbe")}
    return {"name": "main", "image": clusters.IMAGE, "imagePullPolicy": "Never",
            "command": ["sh", "-c", f"trap 'exit 0' TERM; {server}sleep infinity & wait"], **probes}


class Pods:
    def __init__(self, cluster, options):
        self.cluster = cluster
        self.options = options
        self.container = container(options.probe, options.period)

    def start(self, name):
        self.cluster.start(name, [self.container], automountServiceAccountToken=self.options.token)

    def show_cpu(self, used, count):
        for name, value in used.items():
            show(f"  processor time a pod, {name}", [value / count])

    def one_after_the_other(self, count):
        starts, removals = [], []
        watch = self.cluster.watch
        before = None
        for i in range(-3, count):  # the first ones warm all caches
            if i == 0:
                before = self.cluster.cpu()
            name = f"one-{i + 3}"
            begin = time.perf_counter()
            self.start(name)
            starts.append(watch.wait(name, "running main") - begin)
            begin = time.perf_counter()
            self.cluster.remove(name)
            removals.append(watch.wait(name, "deleted") - begin)
        used = self.cluster.spent(before)
        show("POST to Running, one after the other", starts[3:])
        show("DELETE to gone", removals[3:])
        self.show_cpu(used, count)

    def at_once(self, count):
        cluster, watch = self.cluster, self.cluster.watch
        bare, before = cluster.memory(), cluster.cpu()
        names = [f"many-{count}-{i}" for i in range(count)]
        begin = time.perf_counter()
        sent = {}
        for name in names:
            sent[name] = time.perf_counter()
            self.start(name)
        running = {name: watch.wait(name, "running main", 120) for name in names}
        print(f"{f'{count} at once':36} {count / (max(running.values()) - begin):9.1f} pods/s",
              flush=True)
        show("  POST to Running of each", [running[name] - sent[name] for name in names])
        time.sleep(1)
        self.show_cpu(cluster.spent(before), count)
        # What is left of the pods before these is removed meanwhile.
        time.sleep(min(5, self.options.idle))
        full = cluster.memory()
        for what, first, last in zip(("server", "agent", "shim and infra"), bare, full):
            show(f"  memory a pod, {what}", [(last - first) / count], "KiB", 1 / 1024)
        self.rest(f"  with {count} pods", count)
        for page in PAGES if self.options.scrapes else ():
            self.scrape(page)
        begin = time.perf_counter()
        for name in names:
            cluster.remove(name)
        last = max(watch.wait(name, "deleted", 120) for name in names)
        print(f"{'  removal':36} {count / (last - begin):9.1f} pods/s", flush=True)

    def rest(self, what, count):
        """What a node uses when nothing happens but probes."""
        before, seconds = self.cluster.cpu(), self.options.idle
        time.sleep(seconds)
        used = self.cluster.spent(before)
        for name, value in used.items():
            show(f"{what}, idle processor, {name}", [value / seconds], "% of a core", 100)
        if self.options.probe and count:
            probes = count * 2 * seconds / self.options.period
            for name in "agent", "shims", "containers":
                show(f"  a probe, {name}", [used[name] / probes], "us", 1e6)

    def scrape(self, page):
        """One by one, so far apart that each is a reading of its own."""
        walls, costs = [], {"agent": [], "server": []}
        for _ in range(self.options.scrapes):
            time.sleep(1.1 if self.options.scrapes > 1 else 0)
            before = self.cluster.cpu()
            begin = time.perf_counter()
            size = len(self.cluster.page(page))
            walls.append(time.perf_counter() - begin)
            used = self.cluster.spent(before)
            for name, values in costs.items():
                values.append(used[name])
        print(f"  /{page}: {size} bytes")
        show("    wall", walls)
        for name, values in costs.items():
            show(f"    processor time, {name}", values)

    def run(self):
        heading()
        server, agent, _ = self.cluster.memory()
        show("memory at rest, server", [server], "MiB", 2**-20)
        show("memory at rest, agent", [agent], "MiB", 2**-20)
        self.rest("no pods", 0)
        if self.options.pods:
            self.one_after_the_other(self.options.pods)
        for count in self.options.at_once or [50]:
            self.at_once(count)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pods", type=int, default=100, metavar="N")
    parser.add_argument("--at-once", type=int, action="append", metavar="N")
    parser.add_argument("--idle", type=int, default=20, metavar="SECONDS")
    parser.add_argument("--data", default="/var/tmp", metavar="DIR")
    parser.add_argument("--token", action="store_true")
    parser.add_argument("--probe", choices=PROBES)
    parser.add_argument("--period", type=int, default=10, metavar="SECONDS")
    parser.add_argument("--scrapes", type=int, default=0, metavar="N")
    parser.add_argument("--quick", action="store_true", help="only that it works")
    options = parser.parse_args()
    if options.quick:
        options.pods, options.at_once, options.idle, options.scrapes = 3, [4], 1, 1
    clusters.run(options.data, (), lambda cluster: Pods(cluster, options).run())


if __name__ == "__main__":
    main()
