"""A cluster of one node for a test: `podium server`, `podium agent`, a registry, and kubectl.

A test module names begin and end its setUpModule and tearDownModule.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import unittest

import api_server
import world as worlds


class Cluster:
    def __init__(self, options=()):
        """The agent has these options beside its own."""
        self.options = options
        self.world = worlds.World()
        self.server = api_server.ApiServer(self.world.folder)
        self.agent = None
        self.manifests = self.world.folder / "manifests"
        self.node = os.uname().nodename.lower()
        self._log = open(self.world.folder / "cluster-agent.log", "w+", encoding="utf-8",
                         errors="replace")

    def start(self):
        self.server.start()
        self.start_agent()
        worlds.wait_for("the default account is made", lambda: self.server.ask(
            "GET", "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200)

    def start_agent(self):
        self.agent = subprocess.Popen(
            [worlds.PODIUM, "agent", "--local-server", f"--pod-manifest-path={self.manifests}",
             "--node-labels=disk=ssd", *self.options],
            env=self.world.environment, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=self._log)

    def kill_agent(self):
        """As crashes do; its pods run on."""
        self.agent.send_signal(signal.SIGKILL)
        self.agent.wait()

    def background(self, *arguments):
        """kubectl with pipes; see end_background."""
        return subprocess.Popen([api_server.KUBECTL, *arguments], env=self.server.environment,
                                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)

    @staticmethod
    def end_background(process):
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def agent_log(self):
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def close(self):
        """Ends everything, and fails if something is left."""
        try:
            self.stop()
        finally:
            self.close_world()

    def stop(self):
        """Ends pods, agent and server, and takes away what an agent keeps for the next one:
        bridge, rules, cgroups."""
        shutil.rmtree(self.manifests, ignore_errors=True)
        self.server.kubectl("delete", "pods", "--all", "--all-namespaces", "--grace-period=0",
                            "--force", "--wait=false")
        worlds.wait_for("nothing of a pod is left",
                        lambda: not list((self.world.folder / "run/pods").glob("*")), 30)
        self.agent.send_signal(signal.SIGTERM)
        status = self.agent.wait(timeout=30)
        if status != 0 or api_server.REPORT.search(self.agent_log()):
            raise AssertionError(f"the agent ended with {status}\n{self.agent_log()}")
        self.server.stop()
        subprocess.run([worlds.PODIUM, "agent", "--until-idle", *self.options], check=True,
                       timeout=60, env=self.world.environment, stderr=subprocess.DEVNULL)

    def close_world(self):
        """Whatever still runs ends at once; fails if something is left."""
        for process in self.agent, self.server.process:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        self._log.close()
        self.world.close()


def begin(*options):
    ClusterCase.cluster = Cluster(options)
    ClusterCase.cluster.start()


def end():
    ClusterCase.cluster.close()


class ClusterCase(unittest.TestCase):
    """Tests of one class share a namespace of their own, which is named like the class."""
    maxDiff = None
    cluster = None

    @classmethod
    def setUpClass(cls):
        cls.namespace = cls.__name__.removesuffix("Test").lower()
        cls.cluster.server.make_namespace(cls.namespace)

    def kubectl(self, *arguments, status=0, **options):
        """The output of a command that ends as expected; what it says of errors, if that is not
        well."""
        actual, out, err = self.cluster.server.kubectl("-n", self.namespace, *arguments, **options)
        self.assertEqual(actual, status, f"{arguments}\n{out}{err}{self.cluster.agent_log()}")
        return out if status == 0 else err

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def run_pod(self, name, spec, metadata=None):
        """A pod for this node, of whose images the names in images/ are enough."""
        for kind in "initContainers", "containers":
            for container in spec.get(kind, ()):
                if "/" not in container["image"]:
                    container["image"] = self.cluster.world.image(container["image"])
        manifest = {"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": name, **(metadata or {})},
                    "spec": {"nodeName": self.cluster.node,
                             "terminationGracePeriodSeconds": 2, **spec}}
        self.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
        return name

    def when(self, what, name, probe, seconds=40):
        """The pod as soon as this holds for it."""
        pod = {}

        def look():
            nonlocal pod
            status, answer = self.ask_for_pod(name)
            pod = answer if status == 200 else {}
            return probe(pod) and pod
        try:
            return worlds.wait_for(f"{name} {what}", look, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{json.dumps(pod.get('status'), indent=1)}\n"
                                 f"{self.cluster.agent_log()}") from None

    def ready(self, name):
        return self.when("is ready", name, lambda pod: any(
            (each["type"], each["status"]) == ("Ready", "True")
            for each in pod.get("status", {}).get("conditions", ())))

    def phase(self, name, phase):
        return self.when(f"is {phase}", name,
                         lambda pod: pod.get("status", {}).get("phase") == phase)

    def gone(self, name, seconds=40):
        worlds.wait_for(f"{name} is gone", lambda: self.ask_for_pod(name)[0] == 404, seconds)

    def ask_for_pod(self, name):
        """Status and answer; 0 while nobody answers, as the servers of some tests come and go."""
        try:
            return self.cluster.server.ask("GET", f"/api/v1/namespaces/{self.namespace}/pods/{name}")
        except (http.client.HTTPException, OSError):
            return 0, None


def main():
    worlds.enter()
    unittest.main()
