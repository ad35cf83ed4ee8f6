#!/usr/bin/env python3
"""What containers may use, as the kernel has it: limits, resizes, and CPUs of their own.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import os
import pathlib
import re
import unittest

import clusters
import world as worlds

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done"]
CGROUPS = pathlib.Path("/sys/fs/cgroup")
PIDS = 40
CAP_SYS_RESOURCE = 24


def setUpModule():
    clusters.begin("--cpu-manager-policy=static", "--system-reserved=cpu=500m",
                   f"--pod-max-pids={PIDS}")


tearDownModule = clusters.end


def amounts(cpu, memory, limit=None):
    return {"requests": {"cpu": cpu, "memory": memory},
            "limits": {"cpu": limit or cpu, "memory": memory}}


class Limits:
    """Files of the cgroups of a pod and its only container; of version 1 or 2."""

    def __init__(self, pod):
        self.uid = pod["metadata"]["uid"]
        self.container = pod["status"]["containerStatuses"][0]["containerID"].split("//")[1]

    def _read(self, controller, name, whole_pod):
        folder = f"pod{self.uid}" + ("" if whole_pod else f"/{self.container}")
        for pattern in (f"{controller}/*/kubepods/**/{folder}/{name}",
                        f"*/kubepods/**/{folder}/{name}"):
            for path in CGROUPS.glob(pattern):
                return path.read_text().strip()
        return None

    def of(self, whole_pod=False):
        """Shares or weight are left out: quota in microseconds, bytes."""
        quota = self._read("cpu", "cpu.cfs_quota_us", whole_pod)
        if quota is None:
            quota = (self._read("cpu", "cpu.max", whole_pod) or "?").split()[0]
        memory = (self._read("memory", "memory.limit_in_bytes", whole_pod) or
                  self._read("memory", "memory.max", whole_pod))
        return quota, memory

    def pids(self):
        return self._read("pids", "pids.max", True)

    def cpus(self):
        return self._read("cpuset", "cpuset.cpus", False)


class LimitsTest(clusters.ClusterCase):
    def start(self, name, own=None, command=None, **more):
        self.run_pod(name, {"automountServiceAccountToken": False, "containers": [
            {"name": "main", "image": "busybox", "command": command or SLEEP,
             "resources": own or {}}], **more})
        return self.ready(name)

    def test_what_pods_may_have_together_is_told(self):
        def told():
            events = json.loads(self.cluster.server.kubectl(
                "-n", "default", "get", "events", "-o", "json")[1])["items"]
            return [(each["type"], each["message"]) for each in events
                    if each["reason"] == "NodeAllocatableEnforced"
                    and each["involvedObject"]["kind"] == "Node"]
        worlds.wait_for("the node says it", lambda: told() == [
            ("Normal", "Updated Node Allocatable limit across pods")])

    def test_processes_of_a_pod(self):
        # Forks until it cannot; the next pod does not feel it.
        pod = self.start("many", command=[
            "sh", "-c", "(for i in $(seq 200); do sleep 1000 & done); exec sleep 1000"])
        self.assertEqual(Limits(pod).pids(), str(PIDS))
        said = worlds.wait_for("it has as many as it may", lambda: self.kubectl("logs", "many"))
        self.assertIn("can't fork", said)
        self.assertEqual(self.kubectl("exec", self.start("few")["metadata"]["name"], "--", "sh",
                                      "-c", "sleep 0 & wait; echo yes").strip(), "yes")

    def test_scores_for_when_memory_runs_out(self):
        self.start("guaranteed", amounts("10m", "32Mi"))
        self.start("burstable", {"requests": {"memory": "64Mi"}})
        self.start("best-effort")
        facts = dict(line.split(":") for line in
                     pathlib.Path("/proc/meminfo").read_text().splitlines())
        share = 1000 * (64 << 20) // (int(facts["MemTotal"].split()[0]) * 1024)
        may_lower = re.search("CapEff:\t(.*)", pathlib.Path("/proc/self/status").read_text())
        for name, score in (("guaranteed", -997), ("burstable", min(1000 - share, 999)),
                            ("best-effort", 1000)):
            if score < 0 and not int(may_lower[1], 16) >> CAP_SYS_RESOURCE & 1:
                continue  # told as a warning by the agent
            self.assertEqual(int(self.kubectl("exec", name, "--", "cat",
                                              "/proc/1/oom_score_adj")), score, name)

    def test_what_a_pod_has_as_a_whole(self):
        resources = {"requests": {"cpu": "20m", "memory": "32Mi"},
                     "limits": {"cpu": "200m", "memory": "64Mi"}}
        pod = self.start("whole", resources=resources)
        self.assertEqual(pod["status"]["qosClass"], "Burstable")
        limits = Limits(pod)
        wanted = "20000", str(64 << 20)
        self.assertEqual(limits.of(whole_pod=True), wanted)
        # A container without limits of its own is bounded by them, too.
        self.assertEqual(limits.of(), wanted)

    def test_huge_pages_that_are_not_there(self):
        self.run_pod("huge", {"automountServiceAccountToken": False, "containers": [
            {"name": "main", "image": "busybox", "command": SLEEP, "resources": {
                "requests": {"cpu": "10m"}, "limits": {"hugepages-2Mi": "1000Gi"}}}]})
        pod = self.phase("huge", "Failed")
        self.assertEqual(pod["status"]["reason"], "OutOfhugepages-2Mi")
        self.assertRegex(pod["status"]["message"], "^Pod was rejected: Node didn't have enough "
                         "resource: hugepages-2Mi, requested: 1073741824000, used: 0, capacity: ")


class ResizeTest(clusters.ClusterCase):
    def resize(self, name, resources, status=200):
        connection = self.cluster.server.connect()
        connection.request(
            "PATCH", f"/api/v1/namespaces/{self.namespace}/pods/{name}/resize",
            json.dumps({"spec": {"containers": [{"name": "main", "resources": resources}]}}),
            {"Content-Type": "application/strategic-merge-patch+json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertEqual(answer.status, status, text)

    def start(self, name, resources, **more):
        self.run_pod(name, {"automountServiceAccountToken": False, "containers": [
            {"name": "main", "image": "busybox", "command": SLEEP, "resources": resources, **more}]})
        return self.ready(name)

    def done(self, name, resources):
        return self.when("has been resized", name, lambda pod: pod["status"][
            "containerStatuses"][0].get("resources") == resources and not any(
                each["type"].startswith("PodResize") for each in pod["status"]["conditions"]))

    def test_up_and_down(self):
        pod = self.start("web", amounts("100m", "32Mi", "200m"))
        limits = Limits(pod)
        self.assertEqual(limits.of(), ("20000", str(32 << 20)))
        for resources, wanted in ((amounts("200m", "64Mi", "300m"), ("30000", str(64 << 20))),
                                  (amounts("100m", "16Mi", "150m"), ("15000", str(16 << 20)))):
            self.resize("web", resources)
            worlds.wait_for("the kernel has it", lambda wanted=wanted: limits.of() == wanted, 10)
            worlds.wait_for("the pod has it",
                            lambda wanted=wanted: limits.of(whole_pod=True) == wanted, 10)
            after = self.done("web", resources)
        self.assertEqual(after["status"]["containerStatuses"][0]["restartCount"], 0)
        events = [each["reason"] for each in self.get(
            "events", "--field-selector=involvedObject.name=web")["items"]]
        self.assertEqual(events.count("ResizeStarted"), 2)
        self.assertEqual(events.count("ResizeCompleted"), 2)

    def test_policies_that_ask_for_a_restart(self):
        pod = self.start("again", amounts("100m", "32Mi", "200m"), resizePolicy=[
            {"resourceName": "memory", "restartPolicy": "RestartContainer"}])
        self.resize("again", amounts("200m", "32Mi", "300m"))
        pod = self.done("again", amounts("200m", "32Mi", "300m"))
        self.assertEqual(pod["status"]["containerStatuses"][0]["restartCount"], 0)
        self.resize("again", amounts("200m", "64Mi", "300m"))
        pod = self.done("again", amounts("200m", "64Mi", "300m"))
        self.assertEqual(pod["status"]["containerStatuses"][0]["restartCount"], 1)
        self.assertEqual(Limits(pod).of(), ("30000", str(64 << 20)))

    def test_what_has_no_room_waits(self):
        self.start("large", amounts("700m", "16Mi", "800m"))
        self.start("small", amounts("100m", "16Mi", "800m"))
        self.resize("small", amounts("900m", "16Mi", "1"))
        pod = self.when("waits", "small", lambda pod: any(
            each["type"] == "PodResizePending" for each in pod["status"]["conditions"]))
        condition = next(each for each in pod["status"]["conditions"]
                         if each["type"] == "PodResizePending")
        self.assertEqual(condition["reason"], "Deferred")
        self.assertRegex(condition["message"], "^Node didn't have enough resource: cpu, requested: "
                         "900, used: [0-9]+, capacity: 1500$")
        self.assertEqual(pod["status"]["containerStatuses"][0]["allocatedResources"]["cpu"], "100m")
        # Nor does a new agent take the wish for the grant.
        self.cluster.kill_agent()
        self.cluster.start_agent()
        self.kubectl("delete", "pod", "large", "--grace-period=1")
        self.done("small", amounts("900m", "16Mi", "1"))


@unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "there is one CPU")
class CpusTest(clusters.ClusterCase):
    def start(self, name, cpu):
        self.run_pod(name, {"automountServiceAccountToken": False, "containers": [
            {"name": "main", "image": "busybox", "command": SLEEP,
             "resources": amounts(cpu, "16Mi")}]})
        return Limits(self.ready(name))

    def test_whole_ones(self):
        every = self.start("half", "200m")
        before = every.cpus()
        own = self.start("whole", "1")
        self.assertEqual(own.cpus(), "1")
        self.assertEqual(own.of()[0] in ("-1", "max"), True, own.of())
        worlds.wait_for("the other one has moved", lambda: every.cpus() == "0" if before == "0-1"
                        else every.cpus() not in (before, "1"))
        self.assertEqual(every.of()[0], "20000")
        self.kubectl("delete", "pod", "whole", "--grace-period=1")
        worlds.wait_for("it is back", lambda: every.cpus() == before)


if __name__ == "__main__":
    clusters.main()
