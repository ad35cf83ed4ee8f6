#!/usr/bin/env python3
"""podium's server as a static pod of its own agent: types what examples/static-pod/README.md says,
word for word, on a machine whose /etc, /run, /var/lib and /var/log are the test's.

PODIUM_BUILD_DIR names the build that the image is made of.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import api_server
import world as worlds

README = worlds.ROOT / "examples/static-pod/README.md"
NODE = os.uname().nodename.lower()
POD = "podium-server-" + NODE
ADMIN = "/var/lib/podium/server/pki/admin.conf"


def blocks():
    """What the text has people type; its first block makes the image, before the test begins."""
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"))


class Machine:
    """Folders of their own where podium's defaults are, an address, and its commands in the PATH."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        worlds.output_of("mount", "-t", "tmpfs", "tmpfs", folder)
        for path in "/etc", "/run", "/var/lib", "/var/log":
            own = self.folder / path.strip("/").replace("/", "-")
            if path == "/etc":
                worlds.output_of("cp", "-a", path, own)
            else:
                own.mkdir()
            worlds.output_of("mount", "--bind", own, path)
        worlds.World.connect()
        for name, target in (("podium", worlds.PODIUM), ("kubectl", shutil.which(api_server.KUBECTL))):
            program = self.folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f'#!/bin/sh\nexec {target} "$@"\n')
            program.chmod(0o755)
        self.environment = {
            **worlds.environment_of(self.folder), "HOME": str(self.folder),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        for name in list(self.environment):
            if name.startswith("PODIUM_"):
                del self.environment[name]
        # Cgroups are the machine's, whatever namespaces there are.
        self.environment["PODIUM_CGROUP_ROOT"] = "podium-e2e-" + os.environ[worlds.INSIDE]
        self.log = open(self.folder / "log", "w+", encoding="utf-8", errors="replace")

    def type(self, text, status=0):
        """In a shell; what it prints. Not by a pipe: what it leaves in the background keeps it."""
        with open(self.folder / "out", "w+", encoding="utf-8") as out:
            run = subprocess.run(["bash", "-ec", text], env=self.environment, cwd=worlds.ROOT,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=self.log, timeout=120,
                                 check=False)
            out.seek(0)
            said = out.read()
        if run.returncode != status:
            raise AssertionError(f"{text}\n{said}\n{self.told()}")
        return said

    def told(self):
        self.log.flush()
        return (self.folder / "log").read_text(errors="replace")[-20000:]


class StaticPodTest(unittest.TestCase):
    maxDiff = None

    def get(self, *what):
        return json.loads(self.machine.type(
            f"KUBECONFIG={ADMIN} kubectl get -o json " + " ".join(what)))

    def agents(self):
        return [pid for pid, name in worlds.processes().items()
                if re.match(r"(\S*/)?podium agent ", name)]

    def end(self):
        """What the text does last, and the agent's end: nothing runs any more."""
        self.machine.type(self.text.pop())
        worlds.wait_for("the pod is gone", lambda: not list(
            pathlib.Path("/run/podium/sandboxes").glob("*")), 60)
        for pid in self.agents():
            os.kill(pid, signal.SIGTERM)
        worlds.wait_for("the agent has ended", lambda: not self.agents())
        subprocess.run([worlds.PODIUM, "agent", "--until-idle"], check=True, timeout=60,
                       env=self.machine.environment, stderr=subprocess.DEVNULL)
        self.assertIsNone(api_server.REPORT.search(self.machine.told()), self.machine.told())

    def server(self):
        """The process of the server, as podium ps has it, and the infra container's."""
        listed = json.loads(self.machine.type("podium ps -o json"))
        self.assertEqual([(each["namespace"], each["pod"]) for each in listed],
                         [("kube-system", POD)] * 2)
        return {"infra" if each["infra"] else each["container"]: each["pid"] for each in listed}

    def test_what_the_text_says(self):
        folder = tempfile.mkdtemp(prefix="podium_e2e_")
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        self.machine = machine = Machine(folder)
        self.addCleanup(machine.log.close)
        image, agent, server, look, mirror, containers, namespaces, kill, *self.text = blocks()
        self.assertIn("scripts/build-images podium", image)

        machine.type(agent)
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in self.agents()])
        worlds.wait_for("the agent serves", pathlib.Path("/run/podium/agent.sock").exists)
        self.assertFalse(pathlib.Path(ADMIN).exists())
        # The text's path is the default one.
        machine.type(server.replace("build/images/podium.tar", str(worlds.IMAGES / "podium.tar")))
        worlds.wait_for("the server has come", pathlib.Path(ADMIN).exists, 60)
        worlds.wait_for("the mirror is there", lambda: POD in machine.type(
            f"KUBECONFIG={ADMIN} kubectl get pods -n kube-system -o name || true"), 60)

        said = machine.type(look)
        self.assertRegex(said, rf"(?m)^{POD} +1/1 +Running +0 +\S+ +{worlds.ADDRESS} +{NODE} ")
        self.see_the_mirror(machine.type(f"export KUBECONFIG={ADMIN}\n" + mirror))
        self.see_the_containers(machine.type(containers))
        self.see_the_namespaces(machine.type(namespaces))
        self.see_it_killed(kill)
        self.end()

    def see_the_mirror(self, described):
        self.assertRegex(described, rf"(?m)^{NODE} +Ready ")
        for line in ("Priority Class Name:  system-node-critical", "Controlled By:  Node/" + NODE):
            self.assertIn(line, described)
        pod = self.get("pod", "-n", "kube-system", POD)
        annotations = pod["metadata"]["annotations"]
        self.assertEqual(annotations["kubernetes.io/config.source"], "file")
        self.assertEqual(annotations["kubernetes.io/config.mirror"],
                         annotations["kubernetes.io/config.hash"])
        self.assertEqual(pod["spec"]["priority"], 2000001000)
        self.assertEqual(pod["status"]["qosClass"], "Burstable")
        node = self.get("node", NODE)
        self.assertEqual(pod["metadata"]["ownerReferences"][0]["uid"], node["metadata"]["uid"])

    def see_the_containers(self, said):
        self.assertRegex(said, rf"(?m)^kube-system/{POD} +\(infra\) +[0-9a-f]{{12}} +running ")
        self.assertRegex(said, rf"(?m)^kube-system/{POD} +server +[0-9a-f]{{12}} +running ")
        self.assertRegex(said, rf"(?m)^Pod kube-system/{POD}, uid \S+, Running$")

    def see_the_namespaces(self, said):
        pids = self.server()
        seen = {name: (infra, own) for name, infra, own in map(str.split, said.splitlines())}
        self.assertEqual(set(seen), set(os.listdir("/proc/self/ns")))
        own = os.getpid()
        for name, links in seen.items():
            self.assertEqual(links, tuple(os.readlink(f"/proc/{pids[key]}/ns/{name}")
                                          for key in ("infra", "server")), name)
        link = {name: os.readlink(f"/proc/{own}/ns/{name}") for name in seen}
        for name in "mnt", "pid":
            self.assertEqual(len({*seen[name], link[name]}), 3, name)
        self.assertEqual(len(set(seen["ipc"])), 1)
        self.assertNotEqual(seen["ipc"][0], link["ipc"])
        for name in "net", "uts", "user":
            self.assertEqual(set(seen[name]), {link[name]}, name)

    def see_it_killed(self, kill):
        self.machine.type(f"KUBECONFIG={ADMIN} kubectl create configmap kept --from-literal=a=b")
        before = self.get("pod", "-n", "kube-system", POD)
        pids = self.server()
        self.machine.type(kill)

        def again():
            try:
                now = self.get("pod", "-n", "kube-system", POD)
            except AssertionError:
                return False
            status = now["status"]["containerStatuses"][0]
            return status["restartCount"] == 1 and status["ready"] and now
        after = worlds.wait_for("it runs again", again, 90)
        self.assertEqual(after["metadata"]["uid"], before["metadata"]["uid"])
        ended = after["status"]["containerStatuses"][0]["lastState"]["terminated"]
        self.assertEqual((ended["exitCode"], ended["reason"]), (137, "Error"))
        now = self.server()
        self.assertEqual(now["infra"], pids["infra"])
        self.assertNotEqual(now["server"], pids["server"])
        self.assertEqual(self.get("configmap", "kept")["data"], {"a": "b"})
        # The node is still one: a new pod of the API runs there.
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "next"}, "spec": {
            "nodeName": NODE, "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1, "restartPolicy": "Never", "containers": [
                {"name": "main", "image": "podium", "imagePullPolicy": "Never",
                 "args": ["version"]}]}}
        (self.machine.folder / "next.json").write_text(json.dumps(pod))
        self.machine.type(f"KUBECONFIG={ADMIN} kubectl create -f {self.machine.folder}/next.json")
        worlds.wait_for("it has run", lambda: self.get("pod", "next")["status"]["phase"] ==
                        "Succeeded", 60)
        self.machine.type(f"KUBECONFIG={ADMIN} kubectl delete pod next")


if __name__ == "__main__":
    if worlds.INSIDE not in os.environ:
        subprocess.run([sys.executable, worlds.ROOT / "tools/build_images.py", "podium"], check=True,
                       env={**os.environ, "PODIUM_BUILD_DIR": str(worlds.PODIUM.parent)},
                       stdout=subprocess.DEVNULL)
    worlds.enter()
    unittest.main()
