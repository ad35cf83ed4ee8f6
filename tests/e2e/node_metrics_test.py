#!/usr/bin/env python3
"""What a node and its pods use, as the kubelet's port and the API server tell it, against the
kernel's own files, `kubectl top` and Prometheus's parser.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import calendar
import json
import pathlib
import re
import socket
import subprocess
import threading
import time
import unittest

import api_server
import clusters
import world as worlds

PROMTOOL = worlds.ROOT / "build/promtool/usr/bin/promtool"
MEBI = 1 << 20
# Holds so much, and uses a fifth of a processor: its quota, which it would like to exceed.
HELD = 32 * MEBI
SHARE = 0.2
BURNER = {
    "automountServiceAccountToken": False,
    "containers": [{
        "name": "burn", "image": "busybox",
        "command": ["sh", "-c", "dd if=/dev/zero of=/held/file bs=1048576 count=32; "
                                "while true; do :; done"],
        "resources": {"limits": {"cpu": "200m", "memory": "64Mi"}},
        "volumeMounts": [{"name": "held", "mountPath": "/held"}]}],
    "volumes": [{"name": "held", "emptyDir": {"medium": "Memory"}}]}

# What promtool would like to be called otherwise: cAdvisor's and the kubelet's names, which others
# know.
LINT = re.compile(r"^container_|^machine_|^cadvisor_|^kubelet_(evictions|preemptions) ")

# A layer, a log, a volume on the disk and one in memory.
WRITER = {
    "automountServiceAccountToken": False,
    "terminationGracePeriodSeconds": 0,
    "containers": [{
        "name": "main", "image": "busybox",
        "command": ["sh", "-c", "dd if=/dev/zero of=/layer bs=1048576 count=5;"
                                "dd if=/dev/zero of=/cache/file bs=1048576 count=7;"
                                "dd if=/dev/zero of=/held/file bs=1048576 count=3;"
                                "seq 1 200000; touch /cache/done; sleep 1000"],
        "readinessProbe": {"exec": {"command": ["test", "-e", "/cache/done"]},
                           "periodSeconds": 1},
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"},
                         {"name": "held", "mountPath": "/held"}]}],
    "volumes": [{"name": "cache", "emptyDir": {}},
                {"name": "held", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}]}

PROBED = {
    "automountServiceAccountToken": False,
    "terminationGracePeriodSeconds": 0,
    "containers": [{
        "name": "main", "image": "busybox", "command": ["sleep", "1000"],
        "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
        "livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1,
                          "failureThreshold": 1000}}]}

setUpModule = clusters.begin
tearDownModule = clusters.end


def samples(page):
    """Of each series its value, by its name and its labels as a frozen set."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#") or not line:
            continue
        name, labels, value = re.match(r"([a-z_:0-9]+)(?:\{(.*)\})? ([^ ]+)", line).groups()
        pairs = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
        assert (name, pairs) not in found, line
        found[name, pairs] = float(value)
    return found


def one(found, name, **labels):
    """The value of the only series of this name that has these labels."""
    values = [value for (each, pairs), value in found.items()
              if each == name and set(labels.items()) <= pairs]
    assert len(values) == 1, (name, labels, values)
    return values[0]


class CgroupFiles:
    """Of a cgroup, named as cAdvisor names it; of either version."""

    def __init__(self, name):
        root = pathlib.Path("/sys/fs/cgroup")
        self.v1 = (root / "cpuacct").exists()
        self.cpu = root / ("cpuacct" if self.v1 else "") / name.lstrip("/")
        self.memory = root / ("memory" if self.v1 else "") / name.lstrip("/")

    def cpu_seconds(self):
        if self.v1:
            return int((self.cpu / "cpuacct.usage").read_text()) / 1e9
        return int(re.search(r"usage_usec (\d+)", (self.cpu / "cpu.stat").read_text())[1]) / 1e6

    def working_set(self):
        usage = int((self.memory / ("memory.usage_in_bytes" if self.v1 else "memory.current"))
                    .read_text())
        key = "total_inactive_file" if self.v1 else "inactive_file"
        inactive = re.search(rf"^{key} (\d+)", (self.memory / "memory.stat").read_text(), re.M)
        return usage - int(inactive[1])


class CpuReadings:
    """A cgroup's use of processors, read again and again as long as it is entered. Other work may
    hold up whoever reads: a reading is of some moment between two times."""

    def __init__(self, cgroup):
        self._cgroup = cgroup
        self._readings = []  # times before and after it, in seconds of the wall clock; what was read
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._read()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.wait(0.1):
            self._read()

    def _read(self):
        before = time.time()
        used = self._cgroup.cpu_seconds()
        self._readings.append((before, time.time(), used))

    def _at(self, moment):
        """The least and the most that may have been used by then."""
        return (max(used for _, after, used in self._readings if after <= moment),
                min(used for before, _, used in self._readings if before >= moment))

    def rate(self, end, window):
        """The least and the most that the rate over so many seconds may have been, which ended
        within the second that began at `end`."""
        rates = []
        for tenth in range(11):
            begun, ended = self._at(end + tenth / 10 - window), self._at(end + tenth / 10)
            rates += [(ended[0] - begun[1]) / window, (ended[1] - begun[0]) / window]
        return min(rates), max(rates)


class MetricsTest(clusters.ClusterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.burner = None

    def setUp(self):
        if MetricsTest.burner is None:
            MetricsTest.burner = self.run_pod("burner", json.loads(json.dumps(BURNER)))
            # Now: files are looked at once a minute, and this minute other tests fill.
            self.run_pod("writer", json.loads(json.dumps(WRITER)))
            self.ready("writer")
        self.ready("burner")

    def page(self, path):
        status, text = self.cluster.server.ask_for_text(
            "GET", f"/api/v1/nodes/{self.cluster.node}/proxy{path}")
        self.assertEqual(status, 200, text)
        return text

    def cgroup(self):
        found = samples(self.page("/metrics/cadvisor"))
        names = [dict(pairs)["id"] for name, pairs in found
                 if name == "container_memory_usage_bytes" and ("container", "burn") in pairs]
        self.assertEqual(len(names), 1)
        return CgroupFiles(names[0])

    def held(self, cgroup):
        worlds.wait_for("the memory is held", lambda: cgroup.working_set() >= HELD)

    def claim(self, name, source):
        """A claim that is bound to a volume made for it, as a binder does that."""
        size, access = {"storage": "1Mi"}, ["ReadWriteOnce"]
        claimed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
                   "spec": {"accessModes": access, "storageClassName": "", "volumeName": name,
                            "resources": {"requests": size}}}
        made = json.loads(self.kubectl("create", "-o", "json", "-f", "-",
                                       stdin=json.dumps(claimed)))
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                        "values": [self.cluster.node]}]}]
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
                  "spec": {"capacity": size, "accessModes": access, "storageClassName": "",
                           "claimRef": {"namespace": self.namespace, "name": name,
                                        "uid": made["metadata"]["uid"]},
                           "nodeAffinity": {"required": {"nodeSelectorTerms": terms}}, **source}}
        self.kubectl("create", "-f", "-", stdin=json.dumps(volume))
        self.kubectl("patch", "pvc", name, "--subresource=status", "-p",
                     json.dumps({"status": {"phase": "Bound"}}))

    def check_claims(self):
        """A disk of its own shows what it holds; a folder of the machine is nobody's to measure."""
        disk = self.cluster.world.folder / "claimed"
        disk.mkdir()
        worlds.output_of("mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=100", "claimed", disk)
        self.addCleanup(worlds.output_of, "umount", "--lazy", disk)
        self.claim("local", {"local": {"path": str(disk)}})
        self.claim("host", {"hostPath": {"path": str(disk)}})
        mounts = [{"name": name, "mountPath": "/" + name} for name in ("local", "host")]
        self.run_pod("claims", {
            "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "busybox", "volumeMounts": mounts,
                            "command": ["sh", "-c", "dd if=/dev/zero of=/local/file bs=1048576 "
                                                    "count=3; touch /tmp/done; sleep 1000"],
                            "readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/done"]},
                                               "periodSeconds": 1}}],
            "volumes": [{"name": name, "persistentVolumeClaim": {"claimName": name}}
                        for name in ("local", "host")]})
        self.ready("claims")
        found = samples(self.page("/metrics"))
        told = {name.removeprefix("kubelet_volume_stats_"): (value, dict(labels))
                for (name, labels), value in found.items() if name.startswith("kubelet_volume_")}
        whose = {"namespace": self.namespace, "persistentvolumeclaim": "local"}
        self.assertEqual(told, {
            "capacity_bytes": (8 * MEBI, whose), "available_bytes": (5 * MEBI, whose),
            "used_bytes": (3 * MEBI, whose), "inodes": (100, whose), "inodes_free": (98, whose),
            "inodes_used": (2, whose)})

    @unittest.skipUnless(PROMTOOL.exists(), "no promtool (tests/e2e/promtool/fetch)")
    def test_prometheus_reads_every_page(self):
        self.run_pod("probed", PROBED)
        self.check_claims()
        self.ready("probed")
        for path in ("/metrics", "/metrics/probes", "/metrics/resource", "/metrics/cadvisor"):
            check = subprocess.run([PROMTOOL, "check", "metrics"], input=self.page(path),
                                   text=True, capture_output=True, check=False, timeout=60)
            problems = check.stdout + check.stderr
            self.assertNotIn("error while linting", problems, path)
            self.assertIn(check.returncode, (0, 3), problems)  # 3: it has words about names
            for line in problems.splitlines():
                self.assertRegex(line, LINT, path)

    def test_what_the_agent_counts(self):
        self.run_pod("counted", PROBED)
        self.ready("counted")
        whose = {"namespace": self.namespace, "pod": "counted", "container": "main"}

        def probes():
            found = samples(self.page("/metrics/probes"))
            return {labels["probe_type"] + " " + labels["result"]: value
                    for name, pairs in found if name == "prober_probe_total"
                    and set(whose.items()) <= pairs
                    for labels, value in [(dict(pairs), found[name, pairs])]}
        before = worlds.wait_for("both probes have run", lambda: len(probes()) == 2 and probes())
        self.assertEqual(set(before), {"Readiness successful", "Liveness failed"})
        begin = time.monotonic()
        time.sleep(4)
        after, passed = probes(), time.monotonic() - begin
        for probe, count in after.items():
            self.assertAlmostEqual(count - before[probe], passed, delta=3)
        found = samples(self.page("/metrics/probes"))
        self.assertGreaterEqual(one(found, "prober_probe_duration_seconds_count",
                                    probe_type="Readiness", **whose), 2)
        found = samples(self.page("/metrics"))
        pods = [pod for pod in self.get("pods")["items"] if pod["status"]["phase"] == "Running"]
        self.assertEqual(one(found, "kubelet_running_pods"), len(pods))
        self.assertEqual(one(found, "kubelet_node_name", node=self.cluster.node), 1)
        self.assertEqual(one(found, "kubelet_started_pods_errors_total"), 0)
        for operation in "run_podsandbox", "create_container", "start_container", "exec":
            self.assertGreater(one(found, "kubelet_runtime_operations_total",
                                   operation_type=operation), 0, operation)
        self.assertGreater(one(found, "rest_client_requests_total", method="PATCH", code="200"), 0)
        for name in ("kubelet_pod_start_duration_seconds", "kubelet_pod_start_sli_duration_seconds",
                     "kubelet_pod_start_total_duration_seconds",
                     "kubelet_pod_worker_start_duration_seconds",
                     "kubelet_pod_status_sync_duration_seconds"):
            self.assertGreater(one(found, name + "_count"), 0, name)
            self.assertLess(one(found, name + "_sum") / one(found, name + "_count"), 60, name)
        self.kubectl("delete", "pod", "counted")
        worlds.wait_for("nobody probes it any more", lambda: not probes())

    def test_what_pods_hold_on_disks(self):
        self.ready("writer")

        def told():
            for pod in json.loads(self.page("/stats/summary"))["pods"]:
                if pod["podRef"]["name"] == "writer" and "ephemeral-storage" in pod:
                    return pod
            return None
        # Somebody may have asked just before, and pods are looked at once a minute.
        pod = worlds.wait_for("its files were looked at", told, 75)
        log = next((self.cluster.world.folder / "log").glob(
            f"{self.namespace}_writer_*/main/0.log")).stat().st_size
        volumes = {each["name"]: each for each in pod["volume"]}
        self.assertAlmostEqual(volumes["cache"]["usedBytes"], 7 * MEBI, delta=64 * 1024)
        self.assertEqual(volumes["cache"]["inodesUsed"], 3)
        self.assertEqual(volumes["held"]["usedBytes"], 3 * MEBI)
        self.assertEqual(volumes["held"]["capacityBytes"], 4 * MEBI)
        container = pod["containers"][0]
        self.assertAlmostEqual(container["rootfs"]["usedBytes"], 5 * MEBI, delta=64 * 1024)
        self.assertAlmostEqual(container["logs"]["usedBytes"], log, delta=64 * 1024)
        together = (volumes["cache"]["usedBytes"] + container["rootfs"]["usedBytes"] +
                    container["logs"]["usedBytes"])
        self.assertAlmostEqual(pod["ephemeral-storage"]["usedBytes"], together, delta=64 * 1024)
        found = samples(self.page("/metrics/cadvisor"))
        whose = {"namespace": self.namespace, "pod": "writer", "container": "main"}
        self.assertEqual(one(found, "container_fs_usage_bytes", **whose),
                         container["rootfs"]["usedBytes"])
        self.assertEqual(one(found, "container_fs_limit_bytes", **whose),
                         container["rootfs"]["capacityBytes"])

    def test_configuration(self):
        config = json.loads(self.page("/configz"))["kubeletconfig"]
        node = self.get("node", self.cluster.node)
        self.assertEqual(str(config["maxPods"]), node["status"]["capacity"]["pods"])
        self.assertEqual(config["port"], node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"])
        self.assertEqual(config["staticPodPath"], str(self.cluster.manifests))
        self.assertEqual(config["authentication"]["anonymous"], {"enabled": False})

    def test_pages_agree_with_the_cgroup_files(self):
        cgroup = self.cgroup()
        self.held(cgroup)
        names = {"container": "burn", "namespace": self.namespace, "pod": "burner"}
        before = cgroup.cpu_seconds()
        # What was read for another page, or for the server, is not fresh any more.
        time.sleep(1.1)
        resource = samples(self.page("/metrics/resource"))
        cadvisor = samples(self.page("/metrics/cadvisor"))
        summary = json.loads(self.page("/stats/summary"))
        after = cgroup.cpu_seconds()
        pod = next(pod for pod in summary["pods"] if pod["podRef"]["name"] == "burner")
        container = pod["containers"][0]
        for used in (one(resource, "container_cpu_usage_seconds_total", **names),
                     one(cadvisor, "container_cpu_usage_seconds_total", cpu="total", **names),
                     container["cpu"]["usageCoreNanoSeconds"] / 1e9):
            self.assertGreaterEqual(used, before)
            self.assertLessEqual(used, after)
        memory = cgroup.working_set()
        for used in (one(resource, "container_memory_working_set_bytes", **names),
                     one(cadvisor, "container_memory_working_set_bytes", **names),
                     container["memory"]["workingSetBytes"]):
            self.assertAlmostEqual(used, memory, delta=2 * MEBI)
        self.assertEqual(container["memory"]["availableBytes"],
                         64 * MEBI - container["memory"]["workingSetBytes"])
        self.assertEqual(one(cadvisor, "container_spec_cpu_quota", **names) /
                         one(cadvisor, "container_spec_cpu_period", **names), SHARE)
        self.assertGreater(one(cadvisor, "container_cpu_cfs_throttled_seconds_total", **names), 0)
        # The pod has its container, the cgroup above has the pod, the machine has all.
        self.assertGreaterEqual(pod["memory"]["usageBytes"], container["memory"]["usageBytes"])
        above = {each["name"]: each for each in summary["node"]["systemContainers"]}
        self.assertGreaterEqual(above["pods"]["cpu"]["usageCoreNanoSeconds"],
                                pod["cpu"]["usageCoreNanoSeconds"])
        self.assertGreater(above["kubelet"]["memory"]["rssBytes"], MEBI)
        self.assertGreaterEqual(summary["node"]["cpu"]["usageCoreNanoSeconds"],
                                above["pods"]["cpu"]["usageCoreNanoSeconds"])
        total = int(re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
        node = summary["node"]["memory"]
        self.assertEqual(node["availableBytes"] + node["workingSetBytes"], total * 1024)

    def test_network_counts(self):
        def received():
            return one(samples(self.page("/metrics/cadvisor")),
                       "container_network_receive_bytes_total", pod="burner", interface="eth0")
        before = received()
        address = self.get("pod", "burner")["status"]["podIP"]
        # Nobody takes it, but it arrives.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(3):
                sender.sendto(b"x" * 1000, (address, 9))
        time.sleep(1.1)
        self.assertGreaterEqual(received() - before, 3000)

    def top(self, *arguments):
        """Rows of `kubectl top` without its header: the first word, processors, bytes."""
        out = self.kubectl("top", *arguments, "--no-headers")
        rows = {}
        for words in map(str.split, out.splitlines()):
            name, cpu, memory = words[0], words[-2], words[-1]
            rows[name] = (int(cpu.removesuffix("m")) / 1000,
                          int(memory.removesuffix("Mi")) * MEBI)
        return rows

    def measured(self):
        """When the measurement of the burner ended that is told now, and how many seconds it had
        taken. The end is told in whole seconds: it is within the second that begins then."""
        status, answer = self.cluster.server.ask(
            "GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/{self.namespace}/pods")
        self.assertEqual(status, 200, answer)
        items = [item for item in answer["items"] if item["metadata"]["name"] == "burner"]
        if not items:
            return None
        item, = items
        end = calendar.timegm(time.strptime(item["timestamp"], "%Y-%m-%dT%H:%M:%SZ"))
        minutes, seconds = re.fullmatch(r"(?:(\d+)m)?([0-9.]+)s", item["window"]).groups()
        return end, int(minutes or 0) * 60 + float(seconds)

    def test_kubectl_top_pod(self):
        cgroup = self.cgroup()
        self.held(cgroup)
        with CpuReadings(cgroup) as readings:
            begin = time.time()
            self.kubectl("top", "pod")  # the first question begins the readings

            def told():
                """Once what is told was measured here from its beginning to its end."""
                measured = self.measured()
                if not measured or measured[0] - measured[1] < begin:
                    return None
                top = self.top("pod")["burner"]
                return self.measured() == measured and (measured, top)
            (end, window), (cpu, memory) = worlds.wait_for("two readings", told, 60)
            time.sleep(1.1)  # until the end is over, too
        least, most = readings.rate(end, window)
        self.assertGreaterEqual(cpu, least - 0.01)
        self.assertLessEqual(cpu, most + 0.01)
        self.assertLess(most - least, SHARE / 2, "nothing was measured")
        self.assertLessEqual(cpu, SHARE + 0.03)
        self.assertAlmostEqual(memory, cgroup.working_set(), delta=2 * MEBI)
        containers = self.kubectl("top", "pod", "burner", "--containers", "--no-headers").split()
        self.assertEqual(containers[:2], ["burner", "burn"])
        self.assertIn("burner", self.kubectl("top", "pod", "-l", "a!=b"))
        self.assertEqual(self.kubectl("top", "pod", "-l", "a=b"), "")
        self.assertIn('"nobody" not found', self.kubectl("top", "pod", "nobody", status=1))

    def test_kubectl_top_node(self):
        out = self.kubectl("top", "node", "--no-headers").split()
        self.assertEqual(out[0], self.cluster.node)
        metrics = json.loads(self.kubectl(
            "get", "--raw", f"/apis/metrics.k8s.io/v1beta1/nodes/{self.cluster.node}"))
        self.assertEqual(metrics["metadata"]["labels"]["disk"], "ssd")
        memory = int(metrics["usage"]["memory"].removesuffix("Ki")) * 1024
        info = pathlib.Path("/proc/meminfo").read_text()
        kibis = {key: int(re.search(rf"^{re.escape(key)}: +(\d+)", info, re.M)[1])
                 for key in ("MemTotal", "MemFree", "Inactive(file)")}
        used = (kibis["MemTotal"] - kibis["MemFree"] - kibis["Inactive(file)"]) * 1024
        # The machine has other work.
        self.assertAlmostEqual(memory, used, delta=0.25 * kibis["MemTotal"] * 1024)

    def test_podium_top(self):
        """Of podium top and kubectl top: the same bytes. Between two readings nothing changes."""
        def answer(program, *arguments):
            run = subprocess.run([program, "top", *arguments, "-n", self.namespace], text=True,
                                 capture_output=True, check=False, timeout=60,
                                 env=self.cluster.server.environment)
            return run.returncode, run.stdout, run.stderr.replace("kubectl", "podium")

        version = subprocess.run([api_server.KUBECTL, "version", "--client"], text=True,
                                 capture_output=True, check=False).stdout
        found = re.search(r"v1\.(\d+)", version)
        if not found or int(found[1]) < 32:
            self.skipTest("an older kubectl has other words")
        self.kubectl("top", "pod")
        for arguments in (["node"], ["nodes"], ["no", self.cluster.node], ["node", "--no-headers"],
                          ["node", "--sort-by=memory"], ["node", "-l", "disk=ssd"],
                          ["node", "-l", "disk=hdd"], ["node", "nobody"],
                          ["node", "--sort-by=disk"], ["node", "a", "-l", "a=b"],
                          ["node", "a", "b"], ["node", "-l", "!!"],
                          ["pod"], ["pods", "-A"], ["po", "burner"], ["pod", "--containers"],
                          ["pod", "-A", "--containers", "--sort-by=cpu"], ["pod", "--sum"],
                          ["pod", "-A", "--containers", "--sum", "--no-headers"],
                          ["pod", "--sort-by=memory"], ["pod", "--no-headers"],
                          ["pod", "-l", "a=b"], ["pod", "nobody"], ["pod", "a", "-l", "a=b"],
                          ["pod", "--field-selector=metadata.name=burner"],
                          ["pod", "--sort-by=x"], ["pod", "a", "b"]):
            with self.subTest(" ".join(arguments)):
                for _ in range(5):
                    kubectl = answer(api_server.KUBECTL, *arguments)
                    mine = answer(worlds.PODIUM, *arguments)
                    if mine == kubectl:
                        break
                self.assertEqual(mine, kubectl)

    def test_who_may_ask(self):
        for role, allowed in ((None, False), ("view", True)):
            if role:
                self.kubectl("create", "rolebinding", "viewer", f"--clusterrole={role}",
                             "--user=eve")
            self.kubectl("auth", "can-i", "list", "pods.metrics.k8s.io", "--as=eve",
                         status=0 if allowed else 1)
            self.kubectl("top", "pod", "--as=eve", status=0 if allowed else 1)
        self.assertIn("(Forbidden)", self.kubectl(
            "get", "--raw", f"/api/v1/nodes/{self.cluster.node}/proxy/metrics/resource", "--as=eve",
            status=1))

    def test_tables(self):
        head, row = self.kubectl("get", "pods.metrics.k8s.io", "burner").splitlines()
        self.assertEqual(head.split(), ["NAME", "CPU", "MEMORY", "SWAP", "WINDOW"])
        self.assertEqual(row.split()[0], "burner")


if __name__ == "__main__":
    clusters.main()
