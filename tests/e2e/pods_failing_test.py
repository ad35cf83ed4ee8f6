#!/usr/bin/env python3
"""What a watcher sees of pods that fail: each state on the way, the conditions with the last one,
the events; of every case in failing_cases.py, all side by side. What a real kubelet was seen to
show is compared by observed_pods_test.py.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import hashlib
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.request

import clusters
import failing_cases
import watched_pods
import world as worlds

SECONDS = 240
KUBELET = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
REFUSING = "127.0.0.1:5001"

tearDownModule = clusters.end


def setUpModule():
    # Of this test's own mount namespace.
    resolver = pathlib.Path("/tmp") / f"podium-e2e-resolv-{os.getpid()}"
    resolver.write_text("nameserver 192.0.2.53\n")
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
    resolver.unlink()
    clusters.begin()


class Refusing(http.server.BaseHTTPRequestHandler):
    """A registry that gives nothing away, and says so in the way of the image's name."""
    ANSWERS = {"unauthorized": 401, "forbidden": 403, "fails": 500}

    def do_GET(self):  # pylint: disable=invalid-name
        name = self.path.split("/")[2]
        self.send_response(self.ANSWERS.get(name, 200))
        if name == "unauthorized":
            self.send_header("WWW-Authenticate", 'Basic realm="nobody"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


def registry(method, path, body=None, kind="application/octet-stream"):
    request = urllib.request.Request(f"http://{worlds.REGISTRY}/v2/{path}", body, method=method,
                                     headers={"Content-Type": kind})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return answer.read(), answer.headers


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def push(base, name, change, platform=None):
    """The image `base`, as `name`, with another configuration; for a platform, in an index."""
    kind = "application/vnd.oci.image.manifest.v1+json"
    request = urllib.request.Request(f"http://{worlds.REGISTRY}/v2/{base}/manifests/latest",
                                     headers={"Accept": kind})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        manifest = json.loads(answer.read())
    config = json.loads(registry("GET", f"{base}/blobs/{manifest['config']['digest']}")[0])
    change(config)
    blobs = [json.dumps(config).encode()]
    manifest["config"].update(digest=digest_of(blobs[0]), size=len(blobs[0]))
    blobs += [registry("GET", f"{base}/blobs/{layer['digest']}")[0] for layer in manifest["layers"]]
    for blob in blobs:
        place = registry("POST", f"{name}/blobs/uploads/")[1]["Location"]
        query = "&" if "?" in place else "?"
        registry("PUT", place.split("/v2/")[1] + f"{query}digest={digest_of(blob)}", blob)
    text = json.dumps(manifest).encode()
    if platform is None:
        registry("PUT", f"{name}/manifests/latest", text, kind)
        return
    registry("PUT", f"{name}/manifests/{digest_of(text)}", text, kind)
    index = "application/vnd.oci.image.index.v1+json"
    registry("PUT", f"{name}/manifests/latest", json.dumps(
        {"schemaVersion": 2, "mediaType": index, "manifests": [
            {"mediaType": kind, "digest": digest_of(text), "size": len(text),
             "platform": platform}]}).encode(), index)


def matches(wanted, actual):
    """Whether a text is the wanted one, in which "…" stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, wanted.split("…"))), actual, re.S) is not None


def difference(wanted, lines):
    """What is wrong with the states that came, or nothing."""
    at = 0
    for line in lines:
        while at < len(wanted) and not matches(wanted[at].removeprefix("? "), line) and \
                wanted[at].startswith("? "):
            at += 1
        if at == len(wanted):
            break
        if not matches(wanted[at].removeprefix("? "), line):
            return f"not expected: {line}"
        at += 1
        if at == len(wanted):
            return None
    return "never came: " + wanted[at]


class PodsFailingTest(clusters.ClusterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.image = cls.cluster.world.image("busybox")
        cls.links = cls.cluster.world.folder / "links"
        cls.links.mkdir()
        (cls.links / "out").symlink_to("/etc")
        cls.refusing = http.server.ThreadingHTTPServer(tuple(
            [REFUSING.split(":")[0], int(REFUSING.split(":")[1])]), Refusing)
        threading.Thread(target=cls.refusing.serve_forever, daemon=True).start()
        push("busybox", "busybox/named", lambda config: config["config"].update(User="nobody"))
        push("busybox", "busybox/nosuch", lambda config: config["config"].update(User="nosuch"))
        push("busybox", "busybox/nocommand", lambda config: config["config"].pop("Cmd"))
        push("busybox", "busybox/s390x", lambda config: config.update(architecture="s390x"),
             {"os": "linux", "architecture": "s390x"})
        cls.watcher = watched_pods.Watcher(cls.cluster.server, cls.namespace)
        cls.watcher.start()
        cls.told_events = watched_pods.EventWatcher(cls.cluster.server, cls.namespace)
        cls.told_events.start()
        cls.apply([
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "there"}, "data": {}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys"},
             "data": {"1.b-d": "x"}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "there"}},
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "unbound"},
             "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "",
                      "resources": {"requests": {"storage": "1Mi"}}}},
            # So that the images are there.
            *({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "first-" + name.lower()},
               "spec": {**failing_cases.spec(failing_cases.container("true")),
                        "restartPolicy": "Never", "nodeName": cls.cluster.node,
                        "containers": [{"name": "c", "image": cls.image + path}]}}
              for name, path in (("plain", ""), ("named", "/named"), ("nosuch", "/nosuch"),
                                 ("nocommand", "/nocommand")))])
        worlds.wait_for("the images are there", lambda: all(
            any("Pulled" in text for text in cls.events("first-" + name))
            for name in ("plain", "named", "nosuch", "nocommand")))
        cls.until = time.monotonic() + SECONDS
        cls.apply([{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": each["name"]},
                    "spec": {**cls.filled(each["spec"]), "nodeName": cls.cluster.node}}
                   for each in failing_cases.CASES.values()])
        cls.changes = threading.Thread(target=cls.change, daemon=True)
        cls.changes.start()

    @classmethod
    def tearDownClass(cls):
        cls.changes.join()
        if cls.undone:
            raise AssertionError(f"not done: {cls.undone}")
        cls.refusing.shutdown()
        cls.refusing.server_close()

    @classmethod
    def apply(cls, objects):
        status, out, err = cls.cluster.server.kubectl(
            "-n", cls.namespace, "create", "-f", "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        if status != 0:
            raise AssertionError(out + err)

    @classmethod
    def filled(cls, value):
        """With this run's names in place of IMAGE, REFUSING, LINKS."""
        text = json.dumps(value)
        for key, actual in (("IMAGE", cls.image), ("REFUSING", REFUSING), ("LINKS", str(cls.links))):
            text = re.sub(rf'(?<=["]){key}', actual, text)
        return json.loads(text)

    @classmethod
    def change(cls):
        """Does with the pods that are ready what their cases ask for."""
        waiting = {name: each for name, each in failing_cases.CASES.items() if each.get("then")}
        cls.undone = waiting
        while waiting and time.monotonic() < cls.until:
            for name in list(waiting):
                if not any(matches(failing_cases.CASES[name]["shows"][1], cls.text(pod))
                           for pod in cls.watcher.pods(name)):
                    continue
                getattr(cls, waiting[name]["then"])(name)
                del waiting[name]
            time.sleep(0.1)

    @classmethod
    def send(cls, method, resource, rest, body=None):
        """The answer to a request of the namespace; a body patches."""
        kind = {"Content-Type": "application/strategic-merge-patch+json"} if body else {}
        connection = cls.cluster.server.connect()
        connection.request(method, f"/api/v1/namespaces/{cls.namespace}/{resource}{rest}",
                           body and json.dumps(body), kind)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(text)
        return json.loads(text)

    @classmethod
    def gate(cls, name, status):
        cls.send("PATCH", "pods", f"/{name}/status", {"status": {"conditions": [
            {"type": failing_cases.GATE, "status": status}]}})

    @classmethod
    def open_the_gate(cls, name):
        cls.gate(name, "True")

    @classmethod
    def close_the_gate(cls, name):
        cls.gate(name, "False")

    @classmethod
    def delete(cls, name):
        cls.send("DELETE", "pods", f"/{name}")

    @classmethod
    def kill_the_sandbox(cls, name):
        """The infra process: the first that the shim made, which is the container's parent too."""
        main = " ".join(failing_cases.CASES[name]["spec"]["containers"][0]["command"])

        def parent(pid):
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return None
            return int(stat.rpartition(")")[2].split()[1])
        found = worlds.processes()
        shim, = {parent(pid) for pid, command in found.items() if command == main}
        os.kill(min(pid for pid in found if parent(pid) == shim), signal.SIGKILL)

    @classmethod
    def debug(cls, name):
        cls.send("PATCH", "pods", f"/{name}/ephemeralcontainers", {"spec": {
            "ephemeralContainers": [cls.filled(failing_cases.CASES[name]["ephemeral"])]}})

    @classmethod
    def plain(cls, text, pod=None):
        """Without what differs from run to run."""
        text = watched_pods.UID.sub("UID", text.replace(cls.image, "IMAGE"))
        text = text.replace(REFUSING, "REFUSING").replace(str(cls.links), "LINKS")
        text = text.replace(cls.namespace, "NS")
        address = pod and pod["status"].get("podIP")
        return text.replace(address, "ADDRESS") if address else text

    @classmethod
    def text(cls, pod):
        return cls.plain(watched_pods.pod_text(pod), pod)

    @classmethod
    def told(cls, name):
        """The pod's states, each once, from the first that the agent told."""
        lines = []
        for pod in cls.watcher.pods(name):
            line = cls.text(pod)
            if watched_pods.containers_of(pod) and lines[-1:] != [line]:
                lines.append(line)
        return lines

    @classmethod
    def events(cls, name):
        pods = cls.watcher.pods(name)
        return [cls.plain(text, pods[-1] if pods else None)
                for text in watched_pods.event_texts(cls.told_events.events(name))]

    def left(self):
        return max(self.until - time.monotonic(), 1)

    def check_states(self, case):
        wanted = [line.replace("CHILD_OOM", "137" if os.path.exists(
            "/sys/fs/cgroup/cgroup.controllers") else "7") for line in case["shows"]]
        try:
            worlds.wait_for("all states", lambda: not difference(wanted, self.told(case["name"])),
                            self.left())
        except AssertionError:
            self.fail(difference(wanted, self.told(case["name"])) + "\nall:\n" +
                      "\n".join(self.told(case["name"])) + "\nevents:\n" +
                      "\n".join(self.events(case["name"])))
        # With the last state, or as soon as what stands beside it has followed.
        def conditions():
            return [watched_pods.conditions_of(pod) for pod in self.watcher.pods(case["name"])
                    if matches(wanted[-1].removeprefix("? "), self.text(pod))]
        try:
            worlds.wait_for("the conditions", lambda: case["conditions"] in conditions(),
                            self.left())
        except AssertionError:
            self.assertEqual(conditions()[-1], case["conditions"])

    def check_events(self, case):
        wanted = case["events"]

        def as_wanted():
            told = [each for each in self.events(case["name"])
                    if not any(matches(more, each) for more in case.get("more", ()))]
            pairs = zip(wanted, told)
            if case.get("unordered"):
                return len(told) == len(wanted) and all(
                    any(matches(one, each) for each in told) for one in wanted)
            return len(told) == len(wanted) and all(matches(*pair) for pair in pairs)
        try:
            worlds.wait_for("the events", as_wanted, self.left())
        except AssertionError:
            self.assertEqual(self.events(case["name"]), wanted)

    def check_facts(self, pod):
        """What holds of every status that the agent wrote."""
        status = pod["status"]
        generation = pod["metadata"]["generation"]
        self.assertEqual(status["qosClass"], "Burstable" if "requests" in json.dumps(
            pod["spec"]["containers"] + pod["spec"].get("initContainers", [])) else "BestEffort")
        self.assertEqual(status["hostIPs"][0], {"ip": status["hostIP"]})
        self.assertEqual(status.get("podIPs", [])[:1],
                         [{"ip": status["podIP"]}] if "podIP" in status else [])
        self.assertIn("startTime", status)
        self.assertLessEqual(status["observedGeneration"], generation)
        types = [each["type"] for each in status["conditions"]]
        self.assertEqual(sorted(set(types) - {failing_cases.GATE}), sorted(KUBELET))
        for each in status["conditions"]:
            if each["type"] in KUBELET:
                self.assertEqual(each["observedGeneration"], status["observedGeneration"])
        for each in watched_pods.containers_of(pod):
            self.assertTrue(each["image"])
            self.assertEqual("containerID" in each and each["containerID"] != "",
                             bool(each["imageID"]), each)

    def test_the_node_is_told_that_it_has_no_cluster_dns(self):
        """pkg/kubelet/network/dns/dns.go GetPodDNS."""
        def told():
            events = json.loads(self.kubectl(
                "get", "events", "-n", "default", "-o", "json",
                "--field-selector=involvedObject.kind=Node,reason=MissingClusterDNS"))["items"]
            return {(each["type"], each["involvedObject"]["name"], each["message"])
                    for each in events}
        worlds.wait_for("the event", lambda: told() == {(
            "Warning", self.cluster.node,
            "kubelet does not have ClusterDNS IP configured and cannot create Pod using "
            "\"ClusterFirst\" policy. Falling back to \"Default\" policy.")}, self.left())

    def check(self, case):
        self.check_states(case)
        self.check_events(case)
        for pod in self.watcher.pods(case["name"]):
            if watched_pods.containers_of(pod):
                self.check_facts(pod)


def add_test(name):
    def test(self):
        self.check(failing_cases.CASES[name])
    setattr(PodsFailingTest, "test_" + name.replace("-", "_"), test)


for each_name in failing_cases.CASES:
    add_test(each_name)


if __name__ == "__main__":
    clusters.main()
