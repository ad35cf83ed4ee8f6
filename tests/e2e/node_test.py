#!/usr/bin/env python3
"""What the node does beside running pods: registries and credentials, logs, cgroups, what it says.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import cases
import world as worlds

GUARDED = "127.0.0.1:5001"

setUpModule = cases.begin
tearDownModule = cases.end


class NodeTest(cases.PodCase):
    def manifest(self, name, lines, spec=""):
        """A pod with one container of busybox."""
        return self.world.manifest(f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  terminationGracePeriodSeconds: 1
{spec}  containers:
    - name: main
{lines}""")

    def events(self, reason):
        """Messages of the events of this reason."""
        socket = self.world.folder / "run/agent.sock"
        out = worlds.output_of("curl", "--silent", "--unix-socket", socket,
                               "http://localhost/api/v1/events?fieldSelector=reason=" + reason)
        return [event["message"] for event in json.loads(out)["items"]]

    def end_agent(self):
        """So that the next command starts one anew."""
        agent = self.world.agent()
        if agent:
            os.kill(agent, signal.SIGKILL)
            # Until then its socket takes connections that nobody answers.
            worlds.wait_for("the agent is gone", lambda: agent not in worlds.processes())


class RegistriesTest(NodeTest):
    def configure(self, text):
        config = self.world.folder / "config"
        config.mkdir(exist_ok=True)
        (config / "registries.json").write_text(text)
        self.end_agent()

        def forget():
            (config / "registries.json").unlink()
            self.world.stop_all()
            self.end_agent()
            # One that was killed leaves its bridge to the next.
            self.run_podium("images")
        self.addCleanup(forget)

    def test_mirror(self):
        there = "docker://" + worlds.REGISTRY + "/hub/library/busybox:latest"
        worlds.output_of("skopeo", "copy", "--quiet", "--dest-tls-verify=false",
                         f"oci-archive:{worlds.IMAGES}/busybox.tar", there)
        self.configure(json.dumps({"registries": {"docker.io": {
            "mirrors": [f"http://{worlds.REGISTRY}/hub"]}}}))
        self.play(self.manifest("mirrored", """\
      image: docker.io/library/busybox:latest
      command: ["sleep", "infinity"]
"""))
        pod = self.world.ready("mirrored")
        self.assertEqual(self.container(pod, "main")["image"], "docker.io/library/busybox:latest")

    def test_mistake(self):
        self.configure('{"registries": {"docker.io": {"mirror": []}}}')
        path = self.manifest("never", "      image: busybox\n")
        _, err = self.run_podium("play", "-d", path, status=1)
        file = self.world.folder / "config/registries.json"
        self.assertEqual(err, f"podium play: podium agent: {file}: "
                              'registries["docker.io"].mirror: unknown\n')


class CredentialsTest(NodeTest):
    """A registry that asks who one is."""

    def setUp(self):
        super().setUp()
        # It has what is in the other one.
        self.world.image("busybox")
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.world.folder))
        # someone:secret
        (folder / "htpasswd").write_text(
            "someone:$2y$05$YTY9RyQ7ZMMgkZrHtScg7uc4REv9.0oj5XDuDzl3xEJxazVsEhalm\n")
        (folder / "config.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {self.world.folder}/registry}}}}\n"
            f"http: {{addr: {GUARDED}}}\n"
            f"auth: {{htpasswd: {{realm: here, path: {folder}/htpasswd}}}}\n")
        with open(folder / "log", "wb") as log:
            registry = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"],
                                        stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(registry.wait)
        self.addCleanup(registry.kill)
        worlds.wait_for("the registry answers", self.refuses)

    def refuses(self):
        try:
            self.world.fetch(f"http://{GUARDED}/v2/")
        except OSError as error:
            return getattr(error, "code", 0) == 401
        return False

    AUTHS = json.dumps({"auths": {GUARDED: {
        "auth": base64.b64encode(b"someone:secret").decode()}}})
    MAIN = f"""\
      image: {GUARDED}/busybox:latest
      imagePullPolicy: Always
      command: ["sleep", "infinity"]
"""

    def play_with_secret(self, secrets):
        pod = pathlib.Path(self.manifest("private", self.MAIN, f"  imagePullSecrets:\n{secrets}"))
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"},
                  "type": "kubernetes.io/dockerconfigjson",
                  "stringData": {".dockerconfigjson": self.AUTHS}}
        pod.write_text(pod.read_text() + "---\n" + json.dumps(secret) + "\n")
        self.play(pod)
        self.world.ready("private")

    def test_pull_secret_of_the_same_file(self):
        self.play_with_secret("    - name: mine\n    - name: gone\n")
        self.assertEqual(self.events("FailedToRetrieveImagePullSecret"),
                         ["Unable to retrieve some image pull secrets (gone); attempting to pull "
                          "the image may not succeed."])

    def test_login_while_the_agent_runs(self):
        self.play(self.manifest("private", self.MAIN))
        reason, message = worlds.wait_for("the pull fails", self.waiting)
        self.assertIn(reason, ("ErrImagePull", "ImagePullBackOff"))
        self.assertIn(f'failed to pull and unpack image "{GUARDED}/busybox:latest"', message)
        folder = self.world.folder / ".docker"
        folder.mkdir()
        self.addCleanup(folder.rmdir)
        (folder / "config.json").write_text(self.AUTHS)
        self.addCleanup((folder / "config.json").unlink)
        self.world.ready("private")

    def test_image_that_another_pods_secret_brought(self):
        self.play_with_secret("    - name: mine\n")
        self.play(self.manifest("other", self.MAIN.replace("Always", "IfNotPresent")))
        reason, message = worlds.wait_for("the registry is asked", lambda: self.waiting("other"))
        self.assertIn(reason, ("ErrImagePull", "ImagePullBackOff"))
        self.assertIn(f'failed to pull and unpack image "{GUARDED}/busybox:latest"', message)
        self.play(self.manifest("third", self.MAIN.replace("Always", "Never")))
        reason, message = worlds.wait_for("it is not used", lambda: self.waiting("third"))
        self.assertEqual(reason, "ErrImageNeverPull")

    def waiting(self, pod="private"):
        waiting = self.container(self.world.pods().get(pod, {}), "main").get("state", {}) \
            .get("waiting", {})
        return waiting.get("message") and (waiting["reason"], waiting["message"])

    def test_image_that_is_never_pulled(self):
        self.play(self.manifest("private", self.MAIN.replace("Always", "Never").replace(
            "busybox:latest", "busybox:none")))
        reason, message = worlds.wait_for("it is not pulled", self.waiting)
        self.assertEqual((reason, message),
                         ("ErrImageNeverPull", f'Container image "{GUARDED}/busybox:none" is not '
                                               "present with pull policy of Never"))


class AgainTest(NodeTest):
    FILE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data:
  color: {color}
---
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels:
    color: {color}
spec:
  restartPolicy: {restart}
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: busybox
      command: ["sh", "-c", "{script}"]
"""

    def file(self, script="sleep 1000", name="again", restart="Always", color="green"):
        return self.world.manifest(self.FILE.format(script=script, name=name, restart=restart,
                                               color=color))

    def test_what_runs(self):
        self.assertEqual(self.run_podium("play", "-d", self.file()), ("pod/again\n", ""))
        before = self.container(self.world.ready("again"), "main")["containerID"]
        self.assertEqual(self.run_podium("play", "-d", self.file()),
                         ("pod/again\n", "podium: configmap/again unchanged\n"
                                         "podium: pod/again unchanged\n"))
        self.assertEqual(self.run_podium("play", "-d", self.file(color="red")),
                         ("pod/again\n", "podium: configmap/again updated\n"
                                         "podium: pod/again updated\n"))
        pod = self.world.pods()["again"]
        self.assertEqual(pod["metadata"]["labels"], {"color": "red"})
        self.assertEqual(self.container(pod, "main")["containerID"], before)
        _, err = self.run_podium("play", "-d", self.file("sleep 2000"), status=1)
        self.assertIn('Pod "again" is invalid: spec: Forbidden: pod updates may not change', err)
        self.assertIn("stop it first: podium stop again, or podium play --down FILE", err)
        # In the foreground Ctrl-C would end what another has started.
        _, err = self.run_podium("play", self.file(), status=1)
        self.assertIn('podium play: pods "again" already exists; stop it first', err)
        self.assertEqual(self.container(self.world.pods()["again"], "main")["containerID"], before)

    def test_what_has_ended(self):
        path = self.file("echo once", "job", "Never")
        self.play(path)
        uid = self.world.phase("job", "Succeeded")["metadata"]["uid"]
        out, err = self.run_podium("play", "-d", path)
        self.assertEqual(out, "pod/job\n")
        self.assertIn("podium: pod/job run again: it had ended (Succeeded)\n", err)
        self.assertNotEqual(self.world.phase("job", "Succeeded")["metadata"]["uid"], uid)


class LogsTest(NodeTest):
    def test_rotation(self):
        # 300,000 lines are some 40 MiB in the log, rotated as soon as there are 10: five files, which
        # is as many as are kept.
        self.play(self.manifest("chatty", """\
      image: busybox
      command:
        - sh
        - -c
        - |
          awk 'BEGIN { for (i = 1; i <= 150000; i++) printf "%099d\\n", i }'; sleep 12
          awk 'BEGIN { for (i = 150001; i <= 300000; i++) printf "%099d\\n", i }'; sleep 12
          echo end
          exec sleep 1000
"""))
        self.world.ready("chatty")
        follow = self.start("logs", "-f", "chatty")
        lines = []
        for line in follow.stdout:
            if line == "end\n":
                break
            lines.append(int(line))
        self.assertEqual(lines, list(range(1, 300001)))
        names = {re.sub(r"\d{8}-\d{6}\.\d{6}", "TIME", each.name)
                 for each in (self.world.folder / "log").glob("default_chatty_*/main/*")}
        self.assertIn("0.log.TIME", names)
        out, _ = self.run_podium("logs", "chatty")
        self.assertEqual(len(out.splitlines()), 300001)
        out, _ = self.run_podium("logs", "--tail", "200000", "chatty")
        self.assertEqual([int(line) for line in out.splitlines()[:-1]], list(range(100002, 300001)))

    def test_runs_that_ended_before_the_last(self):
        self.play(self.manifest("crash", """\
      image: busybox
      command: ["sh", "-c", "date +%N; sleep 0.5; exit 1"]
"""))
        worlds.wait_for("it was started twice more",
                        lambda: self.container(self.world.pods()["crash"], "main")["restartCount"] >= 2
                        and "waiting" in self.container(self.world.pods()["crash"], "main")["state"], 60)
        logs = sorted(path.name for path in
                      (self.world.folder / "log").glob("default_crash_*/main/*.log"))
        self.assertEqual(logs, ["2.log"])
        # What is gone is removed a moment later.
        worlds.wait_for("only the last run has files",
                        lambda: len(list((self.world.folder / "data/containers").iterdir())) == 1, 10)
        last = self.run_podium("logs", "crash")[0]
        self.assertEqual(last, self.run_podium("logs", "--previous", "crash")[0])


class CgroupsTest(NodeTest):
    def shares(self, path):
        """Of a cgroup below kubepods, in the words of v1."""
        root = pathlib.Path("/sys/fs/cgroup")
        name = f"podium-{self.world.name}/{path}"
        for tree in "cpu", "cpu,cpuacct", ".":
            for file in "cpu.shares", "cpu.weight":
                if (root / tree / name / file).exists():
                    return file, int((root / tree / name / file).read_text())
        raise AssertionError(f"no cgroup {name}")

    def test_shares_of_the_tiers(self):
        for name, cpu in (("one", "250m"), ("two", "1")):
            self.play(self.manifest(name, f"""\
      image: busybox
      command: ["sleep", "1000"]
      resources:
        requests:
          cpu: {cpu}
"""))
            self.world.ready(name)
        file, shares = self.shares("kubepods/burstable")
        v1 = file == "cpu.shares"
        if v1:
            self.assertEqual(shares, 1280)
            self.assertEqual(self.shares("kubepods/besteffort"), (file, 2))
        else:
            self.assertGreater(shares, 100)
            self.assertEqual(self.shares("kubepods/besteffort"), (file, 1))
        self.assertEqual(self.shares("kubepods")[1],
                         1024 * os.cpu_count() if v1 else self.shares("kubepods")[1])
        self.run_podium("stop", "two")
        if v1:
            self.assertEqual(self.shares("kubepods/burstable"), (file, 256))
        else:
            self.assertLess(self.shares("kubepods/burstable")[1], shares)


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
