#!/usr/bin/env python3
"""A node that has not enough: which pods it does not take, and which end for others.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json

import clusters
import world as worlds

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done"]

setUpModule = clusters.begin
tearDownModule = clusters.end


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


if __name__ == "__main__":
    clusters.main()
