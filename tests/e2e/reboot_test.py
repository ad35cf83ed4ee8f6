#!/usr/bin/env python3
"""A machine that was switched off and on: a server, an agent and their pods.

What is left of a node is its disk: processes, cgroups, interfaces, rules, what lies in memory and
the boot's id are gone. Pods come back by their restart policy, and are told as upstream's kubelet
tells them where its runtime has forgotten its containers (CRI-O after a boot).
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import uuid

import clusters
import world as worlds

setUpModule = clusters.begin
tearDownModule = clusters.end

LOST = ("ContainerStatusUnknown", 137)
SLEEP = "trap 'exit 0' TERM; while true; do sleep 0.05; done"


def shell(text, **more):
    return {"name": "main", "image": "busybox", "command": ["sh", "-c", text], **more}


def state_of(status):
    """("running",), ("terminated", reason, exit code), …"""
    for name, state in status.get("state", {}).items():
        return (name, state["reason"], state["exitCode"]) if name == "terminated" else (name,)
    return ()


def lost(status):
    ended = status.get("lastState", {}).get("terminated", {})
    return (ended.get("reason"), ended.get("exitCode"))


class RebootTest(clusters.ClusterCase):
    def reboot(self):
        """The cluster's machine is another one of the same disk and the same network."""
        cluster = self.cluster
        folder = cluster.world.folder
        stay = {1, os.getpid(), cluster.world.registry.pid}
        cluster.agent.kill()
        cluster.server.process.kill()
        for pid in set(worlds.processes()) - stay:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        cluster.agent.wait()
        cluster.server.process.wait()
        cluster.server.process.stdout.close()
        worlds.wait_for("all processes have ended", lambda: not set(worlds.processes()) - stay)
        for mount in reversed(worlds.mounts()):
            if mount.startswith(f"{folder}/"):
                worlds.output_of("umount", "--lazy", mount)
        shutil.rmtree(folder / "run")
        self.remove_cgroups(cluster.world.name)
        for link in json.loads(worlds.output_of("ip", "-j", "link", "show", "type", "bridge")):
            worlds.output_of("ip", "link", "delete", link["ifname"])
        worlds.output_of("nft", "flush", "ruleset")
        boot = folder / "boot_id"
        boot.write_text(f"{uuid.uuid4()}\n")
        worlds.output_of("mount", "--bind", boot, "/proc/sys/kernel/random/boot_id")
        self.addCleanup(worlds.output_of, "umount", "/proc/sys/kernel/random/boot_id")
        cluster.server.start()
        cluster.start_agent()
        return boot.read_text().strip()

    @staticmethod
    def remove_cgroups(name):
        """With their names, which are the instance's; empty ones, or it fails."""
        own = [pathlib.Path(path) for path, folders, _ in os.walk("/sys/fs/cgroup")
               if pathlib.Path(path).name == name or name in pathlib.Path(path).name]
        for root in own:
            for path, _, _ in os.walk(root, topdown=False):
                worlds.wait_for(f"{path} is empty", lambda path=path: subprocess.run(
                    ["rmdir", path], check=False, stderr=subprocess.DEVNULL).returncode == 0
                    or not pathlib.Path(path).exists())

    def container(self, name):
        return self.get("pod", name)["status"]["containerStatuses"][0]

    def test_pods_come_back_by_their_restart_policy(self):
        self.run_pod("always", {
            "initContainers": [{**shell("echo begun >>/disk/init"), "name": "first",
                                "volumeMounts": [{"name": "disk", "mountPath": "/disk"}]}],
            "containers": [shell(f"echo ran >>/disk/ran; echo ran >>/memory/ran; {SLEEP}",
                                 volumeMounts=[{"name": "disk", "mountPath": "/disk"},
                                               {"name": "memory", "mountPath": "/memory"}])],
            "volumes": [{"name": "disk", "emptyDir": {}},
                        {"name": "memory", "emptyDir": {"medium": "Memory"}}]})
        self.run_pod("on-failure", {"restartPolicy": "OnFailure", "containers": [shell(SLEEP)]})
        self.run_pod("never", {"restartPolicy": "Never", "containers": [shell(SLEEP)]})
        self.run_pod("done", {"restartPolicy": "OnFailure", "containers": [shell("exit 0")]})
        self.run_pod("failed", {"restartPolicy": "Never", "containers": [shell("exit 3")]})
        before = {name: self.ready(name) for name in ("always", "on-failure", "never")}
        self.phase("done", "Succeeded")
        self.phase("failed", "Failed")

        boot_id = self.reboot()

        worlds.wait_for("the node has the new boot's id", lambda: self.get("node", self.cluster.node)[
            "status"]["nodeInfo"]["bootID"] == boot_id)
        for name in "always", "on-failure":
            pod = self.when("runs again", name, lambda pod: [
                each for each in pod["status"].get("containerStatuses", ())
                if each["restartCount"] == 1 and each["ready"]])
            status = pod["status"]["containerStatuses"][0]
            self.assertEqual(pod["status"]["phase"], "Running")
            self.assertEqual(state_of(status), ("running",))
            self.assertEqual(lost(status), LOST)
            old = before[name]["status"]["containerStatuses"][0]
            self.assertNotEqual(status["containerID"], old["containerID"])
            self.assertEqual(pod["metadata"]["uid"], before[name]["metadata"]["uid"])
        self.assertEqual(self.kubectl("exec", "always", "-c", "main", "--", "cat", "/disk/init",
                                      "/disk/ran", "/memory/ran"),
                         "begun\nbegun\nran\nran\nran\n")

        never = self.phase("never", "Failed")["status"]["containerStatuses"][0]
        self.assertEqual(state_of(never), ("terminated", *LOST))
        # Counted as upstream counts it, whose kubelet does not look at the policy here.
        self.assertEqual(never["restartCount"], 1)
        for name, phase, reason, code in (("done", "Succeeded", "Completed", 0),
                                          ("failed", "Failed", "Error", 3)):
            pod = self.get("pod", name)
            self.assertEqual(pod["status"]["phase"], phase)
            status = pod["status"]["containerStatuses"][0]
            self.assertEqual(state_of(status), ("terminated", reason, code))
            self.assertEqual(status["restartCount"], 0)

        def told():
            events = json.loads(self.kubectl("get", "events", "-n", "default", "-o", "json"))
            return [each["message"] for each in events["items"] if each["reason"] == "Rebooted"]
        message = worlds.wait_for("the boot is told", told)[0]
        self.assertRegex(message, re.escape(boot_id))

        # Nothing of the old boot is left for them to trip over.
        for name in "always", "on-failure", "never", "done", "failed":
            self.kubectl("delete", "pod", name, "--wait=false")
            self.gone(name)


if __name__ == "__main__":
    clusters.main()
