#!/usr/bin/env python3
"""An agent as a node of an API server: what becomes of pods, of the node, and of both when one of
the programs is killed.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import base64
import json
import pathlib
import resource
import signal
import time

import clusters
import world as worlds

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.05; done"]

# What shells and init systems let a program open at first.
SHELLS = 1024


def setUpModule():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (SHELLS, hard))
    clusters.begin()


tearDownModule = clusters.end


def one(command, **more):
    """A pod's specification with one container of busybox."""
    return {"automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "busybox", "command": command}], **more}


def restarts(pod):
    return [each["restartCount"] for each in pod["status"]["containerStatuses"]]


class PodsTest(clusters.ClusterCase):
    def test_run_and_delete(self):
        self.run_pod("web", one(SLEEP))
        pod = self.ready("web")
        self.assertEqual(pod["status"]["hostIP"], worlds.ADDRESS)
        self.assertTrue(pod["status"]["podIP"])
        self.assertRegex(pod["status"]["containerStatuses"][0]["imageID"],
                         "^127.0.0.1:5000/busybox@sha256:")
        self.kubectl("delete", "pod", "web")
        self.assertIn("(NotFound)", self.kubectl("get", "pod", "web", status=1))

    def test_forced_deletion(self):
        # Does not end by itself, nor within a moment.
        self.run_pod("stubborn", one(["sleep", "1000"], terminationGracePeriodSeconds=600))
        self.ready("stubborn")
        self.kubectl("delete", "pod", "stubborn", "--grace-period=0", "--force")
        worlds.wait_for("nothing runs any more", lambda: "stubborn" not in self.cluster.world.pods())

    def test_config_reaches_a_running_pod(self):
        self.kubectl("create", "configmap", "words", "--from-literal=word=old")
        self.run_pod("reader", one(["sh", "-c", "while true; do cat /c/word; echo; sleep 0.1; done"],
                                   volumes=[{"name": "c", "configMap": {"name": "words"}}]) | {
            "containers": [{"name": "main", "image": "busybox", "volumeMounts": [
                {"name": "c", "mountPath": "/c"}],
                "command": ["sh", "-c", "while true; do cat /c/word; echo; sleep 0.1; done"]}]})
        self.ready("reader")
        self.kubectl("patch", "configmap", "words", "-p", '{"data":{"word":"new"}}')
        # A second for the change, one for the container's own loop and this machine's other work.
        worlds.wait_for("the new word is read", lambda: "new" in self.log("reader"), 5)

    def log(self, name):
        status, out, err = self.cluster.world.podium("logs", "-n", self.namespace, name)
        self.assertEqual(status, 0, err)
        return out

    def test_what_is_missing_is_waited_for(self):
        self.run_pod("early", one(SLEEP) | {"containers": [
            {"name": "main", "image": "busybox", "command": SLEEP,
             "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "a"}}}],
             }]})
        self.when("waits", "early", lambda pod: pod["status"].get("containerStatuses", [{}])[0].get(
            "state", {}).get("waiting", {}).get("reason") == "CreateContainerConfigError")
        self.kubectl("create", "configmap", "later", "--from-literal=a=1")
        self.ready("early")

    def test_token_of_the_service_account(self):
        spec = one(["sh", "-c", "cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace; "
                    "grep -c CERTIFICATE ca.crt; cut -d. -f2 token; sleep 1000"])
        del spec["automountServiceAccountToken"]
        self.run_pod("named", spec)
        pod = self.ready("named")
        worlds.wait_for("it is read", lambda: len(self.log("named").split()) == 2)
        first, claims = self.log("named").split()
        self.assertEqual(first, self.namespace + "2")
        claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
        self.assertEqual(claims["kubernetes.io"]["pod"],
                         {"name": "named", "uid": pod["metadata"]["uid"]})
        self.assertEqual(claims["kubernetes.io"]["node"]["name"], self.cluster.node)

    def test_static_pod(self):
        manifest = {"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": "fixed", "namespace": self.namespace}, "spec": one(SLEEP)}
        manifest["spec"]["containers"][0]["image"] = self.cluster.world.image("busybox")
        name = f"fixed-{self.cluster.node}"
        self.cluster.manifests.mkdir(exist_ok=True)
        file = self.cluster.manifests / "fixed.json"
        file.write_text(json.dumps(manifest))
        mirror = self.ready(name)
        self.assertEqual(mirror["metadata"]["annotations"]["kubernetes.io/config.source"], "file")
        self.assertEqual(mirror["metadata"]["ownerReferences"][0]["kind"], "Node")
        # Who deletes its mirror deletes nothing else.
        self.kubectl("delete", "pod", name)
        again = self.ready(name)
        self.assertNotEqual(again["metadata"]["uid"], mirror["metadata"]["uid"])
        self.assertEqual(again["status"]["containerStatuses"], mirror["status"]["containerStatuses"])
        # What refers to the API cannot be bound to it, and leaves what runs.
        file.write_text(json.dumps({**manifest, "spec": {**manifest["spec"],
                                                         "serviceAccountName": "default"}}))
        worlds.wait_for("it is told", lambda: "static pods may not reference serviceaccounts" in
                        self.cluster.agent_log())
        self.ready(name)
        file.unlink()
        self.gone(name)

    def test_the_node(self):
        node = json.loads(self.kubectl("get", "node", self.cluster.node, "-o", "json"))
        self.assertEqual(node["metadata"]["labels"]["disk"], "ssd")
        conditions = {each["type"]: (each["status"], each["reason"])
                      for each in node["status"]["conditions"]}
        self.assertEqual(conditions, {
            "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
            "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
            "PIDPressure": ("False", "KubeletHasSufficientPID"),
            "Ready": ("True", "KubeletReady")})
        lease = json.loads(self.kubectl("-n", "kube-node-lease", "get", "lease", self.cluster.node,
                                        "-o", "json"))
        self.assertEqual(lease["spec"]["holderIdentity"], self.cluster.node)
        self.assertEqual(lease["metadata"]["ownerReferences"][0]["uid"], node["metadata"]["uid"])
        # Its certificates are its own, not the administrator's.
        requests = json.loads(self.kubectl("get", "csr", "-o", "json"))["items"]
        self.assertEqual({each["spec"]["signerName"] for each in requests},
                         {"kubernetes.io/kube-apiserver-client-kubelet",
                          "kubernetes.io/kubelet-serving"})

    def test_open_files(self):
        """A thousand streams take some four thousand; shells give a thousand, and that is what
        goes on to what an agent starts."""
        for process in self.cluster.agent, self.cluster.server.process:
            soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            self.assertEqual(soft, hard)
            self.assertGreater(hard, SHELLS)
        self.run_pod("files", one(SLEEP))
        self.ready("files")
        children = {pid: name for pid, name in worlds.processes().items()
                    if name.startswith(("podium-shim", "/pause"))}
        self.assertGreaterEqual(len(children), 2)
        for pid, name in children.items():
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
            self.assertRegex(limits, f"Max open files +{SHELLS} ", name)
        self.assertEqual(self.kubectl("exec", "files", "--", "sh", "-c", "ulimit -Sn").strip(),
                         str(SHELLS))

    def test_how_containers_are_stopped(self):
        """The hook, then the signal that is asked for, of a sidecar when the others have ended."""
        def stopped_by(name, number, **more):
            return {"name": name, "image": "busybox", "command": [
                "sh", "-c", f"trap 'echo {number}; sleep 0.3; echo end; exit 0' {number}; "
                            "trap 'echo TERM; exit 1' TERM; echo up; while true; do sleep 0.05; done"],
                "lifecycle": {"stopSignal": f"SIG{number}", "preStop": {"exec": {
                    "command": ["sh", "-c", "echo hook >/proc/1/fd/1; sleep 0.3"]}}}, **more}
        self.run_pod("stopped", {
            "os": {"name": "linux"}, "terminationGracePeriodSeconds": 30,
            "initContainers": [stopped_by("side", "USR2", restartPolicy="Always")],
            "containers": [stopped_by("main", "USR1")]})
        pod = self.ready("stopped")
        self.assertEqual(pod["status"]["containerStatuses"][0]["stopSignal"], "SIGUSR1")
        logs = {name: self.cluster.background("-n", self.namespace, "logs", "-f", "--timestamps",
                                              "stopped", "-c", name) for name in ("main", "side")}
        for log in logs.values():
            self.assertRegex(log.stdout.readline(), " up\n$")
        self.kubectl("delete", "pod", "stopped", "--wait=false")
        times = {}
        for name, number in ("main", "USR1"), ("side", "USR2"):
            # It ends with the container.
            lines = [line.split() for line in logs[name].stdout.read().splitlines()]
            self.assertEqual([word for _, word in lines], ["hook", number, "end"], name)
            times[name] = [time for time, _ in lines]
            self.cluster.end_background(logs[name])
        # Hooks run at once; of a sidecar only the signal waits.
        self.assertLess(times["main"][-1], times["side"][1])
        self.gone("stopped")

    def test_events(self):
        self.run_pod("eventful", one(SLEEP))
        self.ready("eventful")
        self.kubectl("delete", "pod", "eventful")
        wanted = ["Pulled", "Created", "Started", "Killing"]

        def seen():
            events = self.get("events", "--field-selector=involvedObject.name=eventful")["items"]
            return [each["reason"] for each in events]
        worlds.wait_for("all is told", lambda: set(wanted) <= set(seen()))


class StreamsTest(clusters.ClusterCase):
    """kubectl to the server, the server to the agent's port."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        image = cls.cluster.world.image("busybox")
        spec = one(["sh", "-c", "echo begun; trap 'echo told to end; exit 0' TERM; "
                    "while read line; do echo \"heard $line\"; done; while true; do sleep 0.05; done"])
        spec["containers"][0].update(image=image, stdin=True)
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker"},
                    "spec": {**spec, "nodeName": cls.cluster.node}}
        status, out, err = cls.cluster.server.kubectl("-n", cls.namespace, "create", "-f", "-",
                                                      stdin=json.dumps(manifest))
        if status != 0:
            raise AssertionError(out + err)
        worlds.wait_for("it runs", lambda: cls.cluster.server.kubectl(
            "-n", cls.namespace, "get", "pod", "talker", "-o", "jsonpath={.status.phase}")[1] ==
            "Running")

    def test_logs(self):
        worlds.wait_for("it has begun", lambda: self.kubectl("logs", "talker"))
        self.assertEqual(self.kubectl("logs", "talker").splitlines()[0], "begun")
        self.assertIn("container nothing is not valid for pod talker",
                      self.kubectl("logs", "talker", "-c", "nothing", status=1))

    def test_exec(self):
        self.assertEqual(self.kubectl("exec", "talker", "--", "echo", "out"), "out\n")
        said = self.kubectl("exec", "talker", "--", "sh", "-c", "echo bad >&2; exit 3", status=3)
        self.assertEqual(said, "bad\ncommand terminated with exit code 3\n")
        self.assertEqual(self.kubectl("exec", "-i", "talker", "--", "cat", stdin="a\nb\n"), "a\nb\n")

    def test_attach(self):
        process = self.cluster.background("-n", self.namespace, "attach", "-i", "talker")
        self.addCleanup(self.cluster.end_background, process)
        process.stdin.write("hello\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "heard hello\n")
        worlds.wait_for("it has heard", lambda: "heard hello" in self.kubectl("logs", "talker"))

    def test_copy(self):
        near = self.cluster.world.folder / "near"
        near.write_bytes(bytes(range(256)) * 2000)
        self.kubectl("cp", "near", f"{self.namespace}/talker:/tmp/far")
        back = self.cluster.world.folder / "back"
        self.kubectl("cp", f"{self.namespace}/talker:/tmp/far", "back")
        self.assertEqual(back.read_bytes(), near.read_bytes())

    def test_port_forward(self):
        self.run_pod("page", one(["sh", "-c", "mkdir /w; echo found > /w/index.html; "
                                  "httpd -f -p 8080 -h /w"]))
        self.ready("page")
        process = self.cluster.background("-n", self.namespace, "port-forward", "page", ":8080")
        self.addCleanup(self.cluster.end_background, process)
        port = process.stdout.readline().split(":")[1].split()[0]
        for _ in range(3):
            self.assertEqual(self.cluster.world.fetch(f"http://127.0.0.1:{port}/")[0], "found\n")

    def test_proxies(self):
        self.assertEqual(self.kubectl(
            "get", "--raw", f"/api/v1/nodes/{self.cluster.node}/proxy/healthz"), "ok")


class DebugTest(clusters.ClusterCase):
    """Ephemeral containers, as today's clients and those of 1.20 add them."""

    def ask(self, method, body=None, agent="kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19"):
        connection = self.cluster.server.connect()
        connection.request(
            method, f"/api/v1/namespaces/{self.namespace}/pods/puzzle/ephemeralcontainers",
            body=body and json.dumps(body),
            headers={"User-Agent": agent, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def ran(self, name):
        return self.when(f"has run {name}", "puzzle", lambda pod: any(
            each["name"] == name and "terminated" in each["state"]
            for each in pod["status"].get("ephemeralContainerStatuses", ())))

    def test_debug(self):
        self.run_pod("puzzle", one(SLEEP))
        self.ready("puzzle")
        image = self.cluster.world.image("busybox")
        _, pod = self.ask("GET", agent="another/1.0")
        self.assertEqual(pod["kind"], "Pod")
        pod["spec"]["ephemeralContainers"] = [
            {"name": "today", "image": image, "command": ["sh", "-c", "echo new"]}]
        status, pod = self.ask("PUT", pod, "another/1.0")
        self.assertEqual((status, pod["kind"]), (200, "Pod"), pod)
        self.ran("today")
        self.assertEqual(self.kubectl("logs", "puzzle", "-c", "today"), "new\n")
        status, old = self.ask("GET")
        self.assertEqual((status, old["kind"], old["apiVersion"]), (200, "EphemeralContainers", "v1"))
        self.assertEqual([each["name"] for each in old["ephemeralContainers"]], ["today"])
        stale = dict(old["metadata"])
        old["ephemeralContainers"].append(
            {"name": "then", "image": image, "command": ["sh", "-c", "echo old"]})
        status, changed = self.ask("PUT", old)
        self.assertEqual((status, changed["kind"]), (200, "EphemeralContainers"), changed)
        self.assertEqual([each["name"] for each in changed["ephemeralContainers"]],
                         ["today", "then"])
        self.ran("then")
        # Its rules are the Pod's.
        status, refusal = self.ask("PUT", {**old, "metadata": stale})
        self.assertEqual((status, refusal["reason"]), (409, "Conflict"))
        status, refusal = self.ask("PUT", {**changed, "metadata": {"name": "puzzle"},
                                           "ephemeralContainers": []})
        self.assertEqual((status, refusal["reason"]), (422, "Invalid"))


class CrashTest(clusters.ClusterCase):
    def kill_agent(self):
        self.cluster.kill_agent()
        self.addCleanup(lambda: self.cluster.agent.poll() is None or self.cluster.start_agent())

    def test_agent_is_killed(self):
        self.run_pod("survivor", one(SLEEP))
        self.run_pod("ends", one(["sh", "-c", "sleep 3; exit 7"], restartPolicy="Never"))
        before = self.ready("survivor")
        self.ready("ends")
        self.kill_agent()
        time.sleep(4)
        self.cluster.start_agent()
        ended = self.phase("ends", "Failed")
        state = ended["status"]["containerStatuses"][0]["state"]["terminated"]
        self.assertEqual(state["exitCode"], 7)
        after = self.ready("survivor")
        for key in "podIP", "startTime":
            self.assertEqual(after["status"][key], before["status"][key])
        self.assertEqual(after["status"]["containerStatuses"][0]["containerID"],
                         before["status"]["containerStatuses"][0]["containerID"])
        self.assertEqual(restarts(after), [0])

    def test_deleted_while_the_agent_was_down(self):
        self.run_pod("forgotten", one(SLEEP))
        self.run_pod("forced", one(SLEEP))
        self.ready("forgotten")
        self.ready("forced")
        self.kill_agent()
        self.kubectl("delete", "pod", "forgotten", "--wait=false")
        self.kubectl("delete", "pod", "forced", "--grace-period=0", "--force")
        self.cluster.start_agent()
        self.gone("forgotten")
        worlds.wait_for("both have ended", lambda: not {"forgotten", "forced"} &
                        set(self.cluster.world.pods()))

    def test_server_is_killed(self):
        self.run_pod("lasting", one(SLEEP))
        self.run_pod("shortly", one(["sh", "-c", "sleep 2; exit 5"], restartPolicy="Never"))
        before = self.ready("lasting")
        self.ready("shortly")
        self.cluster.server.stop(signal.SIGKILL)
        time.sleep(3)
        self.cluster.server.start()
        # What happened meanwhile is told as soon as it is there again.
        self.phase("shortly", "Failed")
        after = self.ready("lasting")
        self.assertEqual(after["metadata"]["uid"], before["metadata"]["uid"])
        self.assertEqual(restarts(after), [0])
        self.run_pod("afterwards", one(SLEEP))
        self.ready("afterwards")


if __name__ == "__main__":
    clusters.main()
