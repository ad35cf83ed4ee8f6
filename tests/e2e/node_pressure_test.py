#!/usr/bin/env python3
"""A node that has not enough: which pods it does not take, and which end for others, or because
memory, disk, inodes or process ids run out. All of it happens for real: pods have so little memory
together that a pod of them can fill it, and the agent's files lie on a small disk.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import unittest

import clusters
import world as worlds

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done"]

MI = 1 << 20
# What pods have of memory together, and less than what of it must be left.
MEMORY = 400
LEAST = 100
DISK = 600 * MI
INODES = 40000
FORKS = 1600
SOFT_GRACE = 6  # seconds
LONG = unittest.skipUnless(os.environ.get("PODIUM_TEST_LONG"), "in the long form")


def options():
    """The agent's. Nothing is asked of the machine, which has other things to do."""
    total = int(re.search("MemTotal: +([0-9]+) kB",
                          pathlib.Path("/proc/meminfo").read_text()).group(1)) // 1024
    threads = int(pathlib.Path("/proc/loadavg").read_text().split("/")[1].split()[0])
    most = min(int(pathlib.Path("/proc/sys/kernel", name).read_text())
               for name in ("pid_max", "threads-max"))
    return [f"--system-reserved=memory={total - MEMORY}Mi",
            f"--eviction-hard=memory.available<{LEAST}Mi,nodefs.available<20%,"
            f"nodefs.inodesFree<20%,pid.available<{most - threads - FORKS * 3 // 4}",
            "--eviction-soft=nodefs.available<40%",
            f"--eviction-soft-grace-period=nodefs.available={SOFT_GRACE}s",
            "--eviction-max-pod-grace-period=2",
            "--eviction-pressure-transition-period=8s"]


def setUpModule():
    cluster = clusters.Cluster(options())
    clusters.ClusterCase.cluster = cluster
    image = cluster.world.folder / "disk.img"
    with open(image, "wb") as file:
        file.truncate(DISK)
    worlds.output_of("mkfs.ext4", "-q", "-N", str(INODES), image)
    data = cluster.world.folder / "data"
    data.mkdir(exist_ok=True)
    worlds.output_of("mount", "-o", "loop", image, data)
    cluster.start()
    worlds.wait_for("the node is there", lambda: cluster.server.kubectl(
        "get", "node", cluster.node)[0] == 0)


def tearDownModule():
    cluster = clusters.ClusterCase.cluster
    try:
        cluster.stop()
        subprocess.run(["umount", cluster.world.folder / "data"], check=True)
    finally:
        cluster.close_world()


def one(requests=None, **more):
    return {"automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "busybox", "command": SLEEP,
                            "resources": {"requests": requests or {}}}], **more}


class AdmissionTest(clusters.ClusterCase):
    """Pods that somebody else than a scheduler has bound to the node."""

    def refused(self, name, reason, message):
        pod = self.phase(name, "Failed")
        self.assertEqual(pod["status"]["reason"], reason)
        self.assertRegex(pod["status"]["message"], "^Pod was rejected: " + message)
        self.assertNotIn("containerStatuses", pod["status"])
        worlds.wait_for("the event is there", lambda: any(
            (each["reason"], each["type"]) == (reason, "Warning")
            for each in self.get("events", f"--field-selector=involvedObject.name={name}")[
                "items"]))

    def test_resources(self):
        self.run_pod("large", one({"cpu": "1000"}))
        self.refused("large", "OutOfcpu", "Node didn't have enough resource: cpu, requested: "
                     "1000000, used: [0-9]+, capacity: [0-9]+$")
        self.run_pod("wide", one({"memory": "1000Ti"}))
        self.refused("wide", "OutOfmemory", "Node didn't have enough resource: memory, requested: ")

    def test_ports_of_the_host(self):
        def web():
            spec = one()
            spec["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 18080}]
            return spec
        self.run_pod("first", web())
        self.ready("first")
        self.run_pod("second", web())
        self.refused("second", "NodePorts", "Predicate NodePorts failed: node\\(s\\) didn't have "
                     "free ports for the requested pod ports$")
        self.kubectl("delete", "pod", "first", "--grace-period=0", "--force")
        self.gone("first")
        worlds.wait_for("it has ended", lambda: "first" not in self.cluster.world.pods())
        self.run_pod("third", web())
        self.ready("third")

    def test_labels(self):
        self.run_pod("elsewhere", one(nodeSelector={"disk": "hdd"}))
        self.refused("elsewhere", "NodeAffinity", "Predicate NodeAffinity failed: node\\(s\\) "
                     "didn't match Pod's node affinity/selector$")
        # The label and who wants it come at once.
        self.kubectl("label", "node", self.cluster.node, "fresh=yes")
        self.run_pod("fresh", one(nodeSelector={"fresh": "yes"}))
        self.ready("fresh")

    def test_unsafe_sysctls(self):
        self.run_pod("tuned", one(securityContext={"sysctls": [
            {"name": "net.core.somaxconn", "value": "100"}]}))
        self.refused("tuned", "SysctlForbidden",
                     'forbidden sysctl: "net.core.somaxconn" not allowlisted$')

    def test_a_critical_pod_finds_room(self):
        node = json.loads(self.kubectl("get", "node", self.cluster.node, "-o", "json"))
        capacity = int(node["status"]["allocatable"]["cpu"])
        most = str(capacity * 900) + "m"
        self.run_pod("filler", one({"cpu": most}))
        self.ready("filler")
        self.run_pod("late", one({"cpu": most}))
        self.refused("late", "OutOfcpu", "Node didn't have enough resource: cpu")
        self.run_pod("critical", one({"cpu": most}, priorityClassName="system-node-critical"))
        self.ready("critical")
        pod = self.phase("filler", "Failed")
        self.assertEqual(pod["status"]["reason"], "Preempting")
        self.assertEqual(pod["status"]["message"], "Preempted in order to admit critical pod")
        condition = next(each for each in pod["status"]["conditions"]
                         if each["type"] == "DisruptionTarget")
        self.assertEqual((condition["status"], condition["reason"], condition["message"]),
                         ("True", "TerminationByKubelet",
                          "Preempted in order to admit critical pod"))
        self.kubectl("delete", "pod", "critical")


class EvictionTest(clusters.ClusterCase):
    def tearDown(self):
        self.kubectl("delete", "pods", "--all", "--grace-period=0", "--force")
        self.pressure("MemoryPressure", "False")
        self.pressure("DiskPressure", "False")
        self.pressure("PIDPressure", "False")

    def pressure(self, condition, status, seconds=90):
        """The node's condition as soon as it is so."""
        found = {}

        def look():
            for each in self.get("node", self.cluster.node)["status"]["conditions"]:
                if each["type"] == condition:
                    found.update(each)
            return found.get("status") == status and found
        return worlds.wait_for(f"{condition} is {status}", look, seconds)

    def evicted(self, name, message, resource, seconds=60):
        pod = self.when("is evicted", name,
                        lambda pod: pod.get("status", {}).get("phase") == "Failed", seconds)
        self.assertEqual(pod["status"]["reason"], "Evicted")
        self.assertRegex(pod["status"]["message"], message)
        condition = next(each for each in pod["status"]["conditions"]
                         if each["type"] == "DisruptionTarget")
        self.assertEqual((condition["status"], condition["reason"], condition["message"]),
                         ("True", "TerminationByKubelet", pod["status"]["message"]))

        def event():
            for each in self.get("events", f"--field-selector=involvedObject.name={name}")["items"]:
                if (each["reason"], each["message"]) == ("Evicted", pod["status"]["message"]):
                    return each
            return None
        found = worlds.wait_for("the event is there", event)
        annotations = found["metadata"]["annotations"]
        self.assertEqual(annotations["starved_resource"], resource)
        using = re.search("Container main was using ([^,]+), ", pod["status"]["message"])
        self.assertEqual((annotations["offending_containers"],
                          annotations["offending_containers_usage"]),
                         ("main", using[1]) if using else ("", ""))
        return found

    def told_of_the_node(self, resource):
        worlds.wait_for("the node tells of it", lambda: any(
            (each["reason"], each["message"]) ==
            ("EvictionThresholdMet", f"Attempting to reclaim {resource}")
            for each in json.loads(self.cluster.server.kubectl(
                "-n", "default", "get", "events", "-o", "json")[1])["items"]))

    def runs(self, *names):
        for name in names:
            self.assertEqual(self.get("pod", name)["status"]["phase"], "Running", name)

    @staticmethod
    def doing(script, requests=None, limits=None, **more):
        spec = one(requests, **more)
        container = spec["containers"][0]
        container["command"] = ["sh", "-c", script + "; while true; do sleep 0.1; done"]
        if limits:
            container["resources"]["limits"] = limits
        return spec

    def test_memory(self):
        with_room = {"memory": "150Mi", "cpu": "10m"}
        memory = [{"name": "m", "emptyDir": {"medium": "Memory"}}]

        def hog(megabytes, requests=None, limits=None):
            spec = self.doing(f"dd if=/dev/zero of=/m/full bs=1M count={megabytes}", requests,
                              limits, volumes=memory)
            spec["containers"][0]["volumeMounts"] = [{"name": "m", "mountPath": "/m"}]
            return spec
        self.run_pod("guaranteed", hog(100, with_room, with_room))
        self.run_pod("small", one())
        self.ready("guaranteed")
        self.ready("small")
        self.run_pod("hog", hog(220))
        # Told before a pod is evicted, and true for a while after: looked for at once, and so is
        # what holds while it is so.
        condition = self.pressure("MemoryPressure", "True")
        self.run_pod("late", one())
        self.run_pod("burstable", one({"memory": "1Mi"}))
        self.assertEqual((condition["reason"], condition["message"]),
                         ("KubeletHasInsufficientMemory",
                          "kubelet has insufficient memory available"))
        # None comes that asks for nothing.
        pod = self.phase("late", "Failed")
        self.assertEqual(
            (pod["status"]["reason"], pod["status"]["message"]),
            ("Evicted", "Pod was rejected: The node had condition: [MemoryPressure]. "))
        # Mi where it happens to be a whole number of them.
        self.evicted("hog", f"^The node was low on resource: memory. Threshold quantity: {LEAST}Mi,"
                     " available: [0-9]+[KM]i. Container main was using [0-9]+[KM]i, request is 0, "
                     "has larger consumption of memory. $", "memory")
        self.told_of_the_node("memory")
        self.ready("burstable")
        self.runs("guaranteed", "small")
        condition = self.pressure("MemoryPressure", "False")
        self.assertEqual((condition["reason"], condition["message"]),
                         ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"))
        self.run_pod("later", one())
        self.ready("later")

    def fill(self, script):
        """Two pods that fill the disk, one of which has asked for what it takes."""
        spec = self.doing(script.format("/d"), volumes=[{"name": "d", "emptyDir": {}}])
        spec["containers"][0]["volumeMounts"] = [{"name": "d", "mountPath": "/d"}]
        return spec

    @LONG
    def test_a_soft_threshold_must_last(self):
        self.run_pod("thrifty", one({"ephemeral-storage": "50Mi"}))
        self.ready("thrifty")
        free = os.statvfs(self.cluster.world.folder / "data")
        # Between the soft threshold, 40%, and the hard one, 20%.
        count = (free.f_bavail * free.f_frsize - DISK * 3 // 10) // MI
        self.run_pod("slow", self.fill(f"dd if=/dev/zero of={{}}/full bs=1M count={count}"))
        condition = self.pressure("DiskPressure", "True", 60)
        self.assertEqual(condition["reason"], "KubeletHasDiskPressure")
        event = self.evicted("slow", "^The node was low on resource: ephemeral-storage. Threshold "
                             "quantity: [0-9]+(Ki)?, available: [0-9]+[KM]i. ",
                             "ephemeral-storage")
        seen, gone = (datetime.datetime.fromisoformat(text) for text in
                      (condition["lastTransitionTime"], event["firstTimestamp"]))
        # Whole seconds, both of them.
        self.assertGreaterEqual((gone - seen).total_seconds(), SOFT_GRACE - 1)
        self.runs("thrifty")

    @LONG
    def test_disk(self):
        self.run_pod("thrifty", one({"ephemeral-storage": "50Mi"}))
        self.ready("thrifty")
        free = os.statvfs(self.cluster.world.folder / "data")
        count = (free.f_bavail * free.f_frsize - DISK // 10) // MI
        self.run_pod("greedy", self.fill(f"dd if=/dev/zero of={{}}/full bs=1M count={count}"))
        condition = self.pressure("DiskPressure", "True", 60)
        self.evicted("greedy", "^The node was low on resource: ephemeral-storage. Threshold "
                     "quantity: [0-9]+(Ki)?, available: [0-9]+[KM]i. ", "ephemeral-storage")
        self.told_of_the_node("ephemeral-storage")
        self.runs("thrifty")
        self.assertEqual((condition["reason"], condition["message"]),
                         ("KubeletHasDiskPressure", "kubelet has disk pressure"))
        condition = self.pressure("DiskPressure", "False")
        self.assertEqual(condition["reason"], "KubeletHasNoDiskPressure")

    @LONG
    def test_what_has_ended_goes_before_pods(self):
        self.run_pod("thrifty", one({"ephemeral-storage": "50Mi"}))
        self.ready("thrifty")
        for name, left in (("first", 45), ("second", 17)):
            free = os.statvfs(self.cluster.world.folder / "data")
            count = (free.f_bavail * free.f_frsize - DISK * left // 100) // MI
            spec = self.doing(f"dd if=/dev/zero of=/full bs=1M count={count}; exit 0",
                              restartPolicy="Never")
            self.run_pod(name, spec)
            pod = self.phase(name, "Succeeded")
        before = os.statvfs(self.cluster.world.folder / "data")
        self.told_of_the_node("ephemeral-storage")

        def won_back():
            now = os.statvfs(self.cluster.world.folder / "data")
            return (now.f_bavail - before.f_bavail) * now.f_frsize > DISK // 3
        worlds.wait_for("their layers are gone", won_back, 60)
        self.runs("thrifty")
        # What was told of them stays.
        again = self.get("pod", "second")
        self.assertEqual(again["status"]["containerStatuses"], pod["status"]["containerStatuses"])
        self.assertEqual(self.get("events", "--field-selector=reason=Evicted,involvedObject.name=thrifty")["items"],
                         [])

    @LONG
    def test_inodes(self):
        self.run_pod("thrifty", one())
        self.ready("thrifty")
        free = os.statvfs(self.cluster.world.folder / "data").f_ffree
        count = free - INODES // 10
        self.run_pod("many", self.fill(
            f"cd {{}} && seq 1 {count} | xargs -n 1000 touch"))
        self.evicted("many", "^The node was low on resource: inodes. Threshold quantity: [0-9]+, "
                     "available: [0-9k]+. $", "inodes", 120)
        self.told_of_the_node("inodes")
        self.runs("thrifty")

    @LONG
    def test_pids(self):
        self.run_pod("quiet", one())
        self.ready("quiet")
        self.run_pod("important", one(priorityClassName="system-node-critical"))
        self.ready("important")
        self.run_pod("forks", self.doing(
            f"i=0; while [ $i -lt {FORKS} ]; do sleep 1000 & i=$((i+1)); done"))
        self.evicted("forks", "^The node was low on resource: pids. Threshold quantity: [0-9]+, "
                     "available: [0-9k]+. $", "pids", 120)
        self.told_of_the_node("pids")
        self.runs("quiet", "important")


if __name__ == "__main__":
    clusters.main()
