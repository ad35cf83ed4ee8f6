#!/usr/bin/env python3
"""Ten pods, played by the real program on a machine with cgroup v2: inside the virtual machine.

Looks at what the kernel was told of each, at what comes back as status and usage, and that nothing
is left when they are gone. vm_pods in tests/CMakeLists.txt says what is in the machine.
"""

import functools
import http.client
import json
import os
import socket
import subprocess
import time
import unittest
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup/podium/kubepods")
APPARMOR = Path("/sys/kernel/security/apparmor")
MIB = 1 << 20
# What takes a second on a real processor takes twenty on an emulated one.
PATIENCE = 120

# The second is what podium takes for RuntimeDefault where it is loaded.
PROFILES = """
profile podium-test flags=(attach_disconnected) {
  file,
  capability,
  network,
  signal,
  ptrace,
  deny /denied/** w,
}
"""


def manifest(name, containers, init=(), **spec):
    if init:
        spec["initContainers"] = list(init)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                     "containers": containers, **spec}}


def container(name="main", script="exec sleep 1000", limits=None, requests=None, **more):
    resources = {key: value for key, value in (("limits", limits), ("requests", requests)) if value}
    return {"name": name, "image": "busybox", "imagePullPolicy": "Never",
            "command": ["sh", "-c", script], "resources": resources, **more}


def confined(profile, name="podium-test"):
    extra = {"localhostProfile": name} if profile == "Localhost" else {}
    return {"appArmorProfile": {"type": profile, **extra}}


SHARED = [{"name": "shared", "mountPath": "/shared"}]
DENIED = [{"name": "shared", "mountPath": "/denied"}]
IN_MEMORY = [{"name": "shared", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]
ADMIN = {"capabilities": {"add": ["SYS_ADMIN"]}}

PODS = [
    manifest("guaranteed", [container(limits={"cpu": "500m", "memory": "64Mi",
                                              "hugepages-2Mi": "4Mi"}, volumeMounts=SHARED)],
             volumes=[{"name": "shared", "emptyDir": {"medium": "HugePages"}}]),
    manifest("burstable", [
        container("first", requests={"cpu": "250m", "memory": "32Mi"},
                  limits={"cpu": "1", "memory": "96Mi"}),
        container("second", requests={"cpu": "100m"})]),
    manifest("best-effort", [container()]),
    manifest("oom", [container(script="exec tail /dev/zero", limits={"memory": "24Mi"})]),
    manifest("failing", [container(script="echo out; echo err >&2; exit 3")]),
    manifest("init", [container(script="cat /shared/page; exec sleep 1000", volumeMounts=SHARED)],
             init=[container("writer", "echo written >/shared/page", volumeMounts=SHARED)],
             volumes=IN_MEMORY),
    manifest("sidecar", [container(script="sleep 1")],
             init=[container("helper", "trap 'exit 0' TERM; while true; do sleep 0.2; done",
                             restartPolicy="Always", limits={"cpu": "100m", "memory": "16Mi"})]),
    manifest("profiles", [
        container("denied", volumeMounts=DENIED, securityContext=confined("Localhost")),
        container("unconfined", volumeMounts=DENIED,
                  securityContext={**confined("Unconfined"), **ADMIN}),
        container("default", securityContext=ADMIN),
        container("missing", securityContext=confined("Localhost", "no-such-profile"))],
             shareProcessNamespace=True, volumes=IN_MEMORY),
    manifest("host", [container()], hostNetwork=True, hostPID=True, hostIPC=True),
    manifest("busy", [container(script="i=0; while true; do i=$((i+1)); done",
                                limits={"cpu": "200m", "memory": "32Mi"}),
                      container("web", "echo hello >/tmp/index.html; exec httpd -f -h /tmp -p 80",
                                ports=[{"containerPort": 80, "hostPort": 8080}])]),
]


class AgentConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect("/run/podium/agent.sock")


def ask(path):
    """What the agent's API answers; far quicker than a command where each is emulated."""
    connection = AgentConnection("agent")
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def pods():
    return {pod["metadata"]["name"]: pod for pod in ask("/api/v1/pods")["items"]}


def agent_log():
    log = Path("/run/podium/agent.log")
    return log.read_text(errors="replace")[-8000:] if log.exists() else ""


def podium(*arguments, status=0):
    run = subprocess.run(["/usr/bin/podium", *arguments], text=True, capture_output=True,
                         timeout=PATIENCE, check=False)
    if run.returncode != status:
        raise AssertionError(f"podium {' '.join(arguments)}: {run.returncode}\n{run.stdout}"
                             f"{run.stderr}\n{agent_log()}")
    return run.stdout + run.stderr


def states():
    """What is not as it should be, for messages."""
    return "\n".join(f"{name}: {json.dumps(pod.get('status', {}).get('containerStatuses'))}"
                     for name, pod in pods().items() if not started(name, pod))


def wait_for(what, probe):
    end = time.monotonic() + PATIENCE
    while not (value := probe()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}\n{states()}\n{agent_log()}")
        time.sleep(0.2)
    return value


def started(name, pod):
    """Whether the pod has come where it is meant to."""
    status = pod.get("status", {})
    if name in ("oom", "failing"):
        return status.get("phase") == "Failed"
    if name == "sidecar":
        return status.get("phase") == "Succeeded"
    containers = status.get("containerStatuses", [])
    return len(containers) == len(pod["spec"]["containers"]) and all(
        "running" in each["state"] or each["name"] == "missing" for each in containers)


def traces():
    """What a machine shows of pods that run, or have not been cleaned up."""
    rules = subprocess.run(["/usr/bin/nft", "list", "ruleset"], check=True, capture_output=True,
                           text=True).stdout
    commands = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                commands.append((entry / "cmdline").read_text().split("\0")[0])
        except OSError:
            pass  # it has ended meanwhile
    return {
        "processes": sorted(filter(None, commands)),
        "mounts": sorted(line.split()[4]
                         for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "interfaces": sorted(os.listdir("/sys/class/net")),
        "rules": rules,
        "cgroups": sorted(path for path, _, _ in os.walk("/sys/fs/cgroup") if "podium" in path),
        "files": sorted(str(path) for top in ("run/podium/sandboxes", "run/podium/pods",
                                              "var/lib/podium/pods", "var/lib/podium/containers",
                                              "var/log/pods") for path in Path("/", top).glob("*")),
    }


BEFORE = {}


def setUpModule():
    os.environ.setdefault("PODIUM_POD_RANGE6", "fd00:10:208::/64")
    if APPARMOR.exists():
        subprocess.run(["/usr/bin/apparmor_parser", "--config-file", "/dev/null", "--add"], input=PROFILES, text=True, check=True)
    Path("/proc/sys/vm/nr_hugepages").write_text("4")
    BEFORE.update(traces())
    start = time.monotonic()
    ready, tell = os.pipe()
    os.set_inheritable(tell, True)
    os.makedirs("/run/podium", mode=0o700)
    with open("/run/podium/agent.log", "wb") as log:
        # Whoever reads traces() reaps it.
        os.posix_spawn("/usr/bin/podium",
                       ["podium", "agent", "--until-idle", "--ready-fd", str(tell)], os.environ,
                       file_actions=[(os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                                     (os.POSIX_SPAWN_DUP2, log.fileno(), 2)])
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    # The agent stays while somebody is there: a command takes seconds to come so far.
    somebody = AgentConnection("agent")
    somebody.connect()
    podium("import", "/busybox.tar")
    path = Path("/tmp/pods.json")
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": PODS}))
    podium("play", "-d", str(path))
    somebody.close()
    wait_for("all pods are where they should be",
             lambda: all(started(name, pod) for name, pod in pods().items()))
    print(f"ten pods after {time.monotonic() - start:.0f} s", flush=True)


def tearDownModule():
    podium("stop", "--all", "-t", "1")
    # The agent goes by itself a few seconds after the last pod.
    try:
        wait_for("nothing is left", lambda: traces() == BEFORE)
    except AssertionError as late:
        now = traces()
        changes = {key: (BEFORE[key], now[key]) for key in now if BEFORE[key] != now[key]}
        raise AssertionError(f"{late}\nleft behind (before, now): {changes}") from None


@functools.cache
def sandboxes():
    return {each["status"]["metadata"]["name"]: each
            for each in ask("/node/v1/sandboxes")["items"]}


class PodsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.pods = pods()

    def folder(self, pod, name=None):
        """The cgroup of a pod, or of one of its containers."""
        qos = self.pods[pod]["status"]["qosClass"].lower()
        parent = CGROUPS if qos == "guaranteed" else CGROUPS / qos
        folder = parent / ("pod" + self.pods[pod]["metadata"]["uid"])
        if name is None:
            return folder
        return folder / self.status(pod, name)["containerID"].removeprefix("podium://")

    def status(self, pod, name="main"):
        status = self.pods[pod]["status"]
        found = [each for each in status["containerStatuses"] +
                 status.get("initContainerStatuses", []) if each["name"] == name]
        self.assertEqual(len(found), 1, status)
        return found[0]

    def limits(self, folder):
        """cpu.weight follows from 1,024 shares a processor by runc's later, curved formula."""
        return tuple((folder / file).read_text().strip()
                     for file in ("cpu.max", "cpu.weight", "memory.max"))

    def in_container(self, pod, script, name="main", status=0):
        return podium("exec", pod, "-c", name, "--", "sh", "-c", script, status=status)

    def test_all_ten_ran(self):
        self.assertEqual(sorted(self.pods), sorted(pod["metadata"]["name"] for pod in PODS))
        self.assertEqual(len(self.pods), 10)

    def test_limits_of_guaranteed(self):
        for folder in (self.folder("guaranteed"), self.folder("guaranteed", "main")):
            self.assertEqual(self.limits(folder), ("50000 100000", "59", str(64 * MIB)), folder)
        # A container that is told to have no swap.
        swap = self.folder("guaranteed", "main") / "memory.swap.max"
        self.assertEqual(swap.read_text().strip(), "0")

    def test_huge_pages(self):
        for folder in (self.folder("guaranteed"), self.folder("guaranteed", "main")):
            self.assertEqual((folder / "hugetlb.2MB.max").read_text(), f"{4 * MIB}\n")
        # None for who has not asked.
        limit = self.folder("burstable", "first") / "hugetlb.2MB.max"
        self.assertEqual(limit.read_text(), "0\n")
        out = self.in_container("guaranteed", "grep ' /shared ' /proc/mounts")
        self.assertRegex(out, r"^\S+ /shared hugetlbfs \S*pagesize=2M")

    def test_limits_of_burstable(self):
        self.assertEqual(self.limits(self.folder("burstable", "first")),
                         ("100000 100000", "35", str(96 * MIB)))
        self.assertEqual(self.limits(self.folder("burstable", "second")),
                         ("max 100000", "17", "max"))
        # One container has no limit, so the pod has none; the requests add up.
        self.assertEqual(self.limits(self.folder("burstable")), ("max 100000", "45", "max"))

    def test_limits_of_best_effort(self):
        for folder in (self.folder("best-effort"), self.folder("best-effort", "main")):
            self.assertEqual(self.limits(folder), ("max 100000", "1", "max"), folder)

    def test_processes_are_limited(self):
        most = int(Path("/proc/sys/kernel/pid_max").read_text())
        for name in ("guaranteed", "burstable", "best-effort", "busy"):
            limit = int((self.folder(name) / "pids.max").read_text())
            self.assertLess(limit, most / 2)
            self.assertGreater(limit, 100)

    def test_a_container_sees_its_own_cgroup(self):
        out = self.in_container("guaranteed", "cat /proc/self/cgroup /sys/fs/cgroup/memory.max")
        self.assertEqual(out, f"0::/\n{64 * MIB}\n")

    def test_oom_kill_is_told(self):
        ended = self.status("oom")["state"]["terminated"]
        self.assertEqual((ended["reason"], ended["exitCode"]), ("OOMKilled", 137))

    def test_exit_code_and_log(self):
        ended = self.status("failing")["state"]["terminated"]
        self.assertEqual((ended["reason"], ended["exitCode"]), ("Error", 3))
        self.assertEqual(podium("logs", "failing"), "out\nerr\n")

    def test_init_container_and_memory_volume(self):
        self.assertEqual(self.status("init", "writer")["state"]["terminated"]["reason"],
                         "Completed")
        self.assertEqual(podium("logs", "init", "-c", "main"), "written\n")

    def test_sidecar_ended_last(self):
        helper = self.status("sidecar", "helper")["state"]["terminated"]
        main = self.status("sidecar")["state"]["terminated"]
        self.assertEqual((helper["exitCode"], main["exitCode"]), (0, 0))
        self.assertGreaterEqual(helper["finishedAt"], main["finishedAt"])

    def test_host_namespaces(self):
        self.assertNotIn("podIP", {} if "10.208" not in str(self.pods["host"]["status"])
                         else self.pods["host"]["status"])
        out = self.in_container("host", "ls /sys/class/net; ls -d /proc/1/cwd; readlink "
                                        "/proc/self/ns/net")
        self.assertIn("podium0", out)
        self.assertIn(os.readlink("/proc/self/ns/net"), out)

    def test_both_families_of_addresses(self):
        addresses = [each["ip"] for each in self.pods["busy"]["status"]["podIPs"]]
        self.assertEqual(len(addresses), 2)
        self.assertRegex(addresses[0], r"^10\.208\.")
        self.assertRegex(addresses[1], r"^fd00:10:208::")
        self.assertEqual(self.pods["busy"]["status"]["podIP"], addresses[0])
        for host, port in [(address, 80) for address in addresses] + [("127.0.0.1", 8080)]:
            connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
            # Not by a name, for which there is no codec here.
            connection.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            connection.sock.connect((host, port))
            connection.request("GET", "/")
            self.assertEqual(connection.getresponse().read(), b"hello\n", host)
            connection.close()
        self.assertIn(addresses[1], self.in_container("busy", "cat /etc/hosts"))

    def test_usage_is_read_back(self):
        def usage():
            items = json.loads(podium("stats", "--no-stream", "-o", "json"))
            return {(each["pod"], each.get("container")): each for each in items}
        now = usage()
        busy = now["busy", "main"]
        # A fifth of a processor, and what an emulated clock makes of it.
        self.assertGreater(busy["cpuMillicores"], 100)
        self.assertLess(busy["cpuMillicores"], 400)
        self.assertGreater(busy["memoryBytes"], 0)
        self.assertEqual(now["guaranteed", "main"]["memoryLimitBytes"], 64 * MIB)
        self.assertEqual(now["guaranteed", None]["pids"], 1)
        self.assertGreater(now["busy", None]["receivedBytes"], 0)
        throttled = dict(line.split() for line in
                         (self.folder("busy", "main") / "cpu.stat").read_text().splitlines())
        self.assertGreater(int(throttled["nr_throttled"]), 0)

    @unittest.skipUnless(APPARMOR.exists(), "the kernel has no AppArmor")
    def test_apparmor(self):
        label = "cat /proc/self/attr/apparmor/current"
        write = "echo x >/denied/file"
        self.assertEqual(self.in_container("profiles", label, "denied"), "podium-test (enforce)\n")
        self.assertIn("Permission denied", self.in_container("profiles", write, "denied", status=1))
        # The agent has loaded it.
        self.assertEqual(self.in_container("best-effort", label), "podium-default (enforce)\n")
        # What the capability would allow.
        mount = "mkdir -p /m; mount -t tmpfs none /m || exit 1"
        self.assertIn("Permission denied", self.in_container("profiles", mount, "default", 1))
        self.in_container("profiles", mount, "unconfined")
        umount = "umount /proc/sys || exit 1"
        self.assertIn("Permission denied", self.in_container("profiles", umount, "default", 1))
        self.in_container("profiles", umount, "unconfined")
        self.assertEqual(self.in_container("profiles", label, "unconfined"), "unconfined\n")
        self.assertEqual(self.in_container("profiles", write, "unconfined"), "")
        waiting = self.status("profiles", "missing")["state"]["waiting"]
        self.assertEqual(waiting["reason"], "CreateContainerError")
        self.assertIn("apparmor profile not found no-such-profile", waiting["message"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
