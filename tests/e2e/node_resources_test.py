#!/usr/bin/env python3
"""What containers may use while they run, as the kernel has it: resizes, and CPUs of their own.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import os
import pathlib
import unittest

import clusters
import world as worlds

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done"]
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def setUpModule():
    clusters.begin("--cpu-manager-policy=static", "--system-reserved=cpu=500m")


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

    def cpus(self):
        return self._read("cpuset", "cpuset.cpus", False)


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
