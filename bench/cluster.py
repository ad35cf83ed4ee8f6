"""A server and an agent of the build for a benchmark, in namespaces that have no way out, and what
they use: processor time to the nanosecond, and memory without what other processes need as well."""

import json
import os
import pathlib
import re
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
IMAGE = "docker.io/library/busybox:latest"
TICKS = os.sysconf("SC_CLK_TCK")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# Of version 1 each has a folder of its own.
CPU, MEMORY = (CGROUPS / name if (CGROUPS / name).is_dir() else CGROUPS
               for name in ("cpuacct", "memory"))


def pss(pid):
    """Bytes, without what other processes would need as well."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no Pss of process {pid}")


def own_cpu(pid):
    """Processor seconds of a process and all its threads, also of those that have ended."""
    return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)


def children_cpu(pid):
    """Of its own children that have ended, in ticks of a hundredth of a second."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return sum(map(int, stat[stat.rindex(")") + 2:].split()[13:15])) / TICKS


def group_cpu(group):
    """Of all that ever ran in a cgroup and in those below."""
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e9
    found = re.search(r"usage_usec (\d+)", (group / "cpu.stat").read_text())
    return int(found[1]) / 1e6


def working_set(group):
    """What the agent compares with its threshold; in bytes."""
    first = group / "memory.usage_in_bytes"
    usage = int((first if first.exists() else group / "memory.current").read_text())
    key = "total_inactive_file" if first.exists() else "inactive_file"
    return usage - int(re.search(rf"(?m)^{key} (\d+)", (group / "memory.stat").read_text())[1])


def show(what, values, unit="ms", scale=1000):
    values = sorted(value * scale for value in values)
    print(f"{what:36} {statistics.median(values):9.2f} {values[(len(values) - 1) * 99 // 100]:9.2f} "
          f"{values[0]:9.2f} {unit}", flush=True)


def heading():
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"{f'load {load}':36} {'p50':>9} {'p99':>9} {'best':>9}", flush=True)


class Cluster:
    """Serves and is ready when it is made; one at a time."""

    def __init__(self, folder, options=()):
        self.node = os.uname().nodename.lower()
        self.options = options
        run = pathlib.Path("/run/podium-bench")
        instance = f"bench-{os.environ[world.INSIDE]}"
        self.group = f"podium-{instance}"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
                            "PODIUM_INSTANCE": instance, "PODIUM_RUN_DIR": str(run),
                            **{f"PODIUM_{key.upper()}_DIR": str(folder / key)
                               for key in ("data", "log", "config", "cni")}}
        self.log = open(folder / "log.txt", "wb")
        self.server = self._launch("server", "--bind-address=127.0.0.1", "--secure-port=6443")
        self.socket = run / "server.sock"
        world.wait_for("the server serves", self.socket.exists)
        self.connection = pod_client.Connection(self.socket)
        self.agent = self._launch("agent", "--local-server", "--max-pods=1000", *options)
        world.wait_for("the node is ready", lambda: self.condition("Ready") == "True")
        world.output_of("env", *(f"{key}={value}" for key, value in self.environment.items()),
                        PODIUM, "import", world.IMAGES / "busybox.tar")
        world.wait_for("the default account is made", self._account)
        self.watch = pod_client.Watch(self.socket)

    def _launch(self, *arguments):
        return subprocess.Popen([PODIUM, *arguments], env=self.environment, stdout=self.log,
                                stdin=subprocess.DEVNULL, stderr=self.log)

    def _account(self):
        path = "/api/v1/namespaces/default/serviceaccounts"
        return json.loads(self.connection.request("GET", path))["items"]

    def condition(self, name):
        """The node's, or nothing."""
        nodes = json.loads(self.connection.request("GET", "/api/v1/nodes"))["items"]
        return next((each["status"] for node in nodes
                     for each in node["status"].get("conditions", ()) if each["type"] == name),
                    None)

    def start(self, name, containers, **spec):
        self.connection.request("POST", pod_client.PODS, json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"nodeName": self.node, "automountServiceAccountToken": False,
                     "terminationGracePeriodSeconds": 5, "containers": containers, **spec},
        }).encode())

    def remove(self, name):
        self.connection.request("DELETE", f"{pod_client.PODS}/{name}")

    def page(self, path):
        """What the node answers at its port, by way of the server."""
        return self.connection.request("GET", f"/api/v1/nodes/{self.node}/proxy/{path}")

    def memory(self):
        """Of the server, of the agent, and of what belongs to the pods."""
        helpers = [pid for pid, command in world.processes().items()
                   if command.startswith(("podium-shim", "/pause"))]
        return pss(self.server.pid), pss(self.agent.pid), sum(map(pss, helpers))

    def cpu(self):
        """By whose it is. Of shims and of pods it is what their cgroups have counted."""
        return {"server": own_cpu(self.server.pid),
                "agent": own_cpu(self.agent.pid) + children_cpu(self.agent.pid),
                **{name: group_cpu(CPU / self.group / below)
                   for name, below in (("shims", "shims"), ("containers", "kubepods"))}}

    def spent(self, before):
        """Since an earlier cpu()."""
        return {name: value - before[name] for name, value in self.cpu().items()}

    def close(self):
        for name in self.watch.living():
            self.remove(name)
        for name in self.watch.living():
            self.watch.wait(name, "deleted", 120)
        self.watch.close()
        self.connection.close()
        for process in self.agent, self.server:
            process.terminate()
            process.wait(timeout=30)
        # Takes away what an agent keeps for the next one.
        subprocess.run([PODIUM, "agent", "--until-idle", *self.options], env=self.environment,
                       check=True, timeout=60, stdout=self.log, stderr=self.log)
        self.log.close()


def run(data, options, body):
    """body(cluster), where the cluster's files are in a new folder of data. The whole program is
    run again in the namespaces: what is before this happens twice."""
    world.enter()
    world.output_of("ip", "link", "set", "lo", "up")
    world.output_of("mount", "-t", "tmpfs", "tmpfs", "/run")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="podium_bench_", dir=data))
    cluster = None
    try:
        cluster = Cluster(folder, options)
        body(cluster)
    except BaseException:
        log = folder / "log.txt"
        print(log.read_text(errors="replace")[-4000:] if log.exists() else "", file=sys.stderr)
        raise
    finally:
        if cluster:
            cluster.close()
        shutil.rmtree(folder)
