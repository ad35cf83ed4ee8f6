#!/usr/bin/env python3
"""What a watcher sees of pods, compared with what upstream's kubelet showed: order, phases,
conditions, container states with reasons and messages, events (tests/testdata/observed/pods.jsonl,
of a kubelet 1.20.2 with containerd 1.6).

Each state that was seen there must come here, in that order. Between them there may be more: that
kubelet looked at its containers once a second. What release 1.36 shows in another way stands in
today() and comparable(), with the reason.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import pathlib
import re
import threading
import time

import clusters
import watched_pods
import world as worlds

CASES = pathlib.Path(__file__).resolve().parents[1] / "testdata/observed/pods.jsonl"
TYPES = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
# A scheduler's, and podium has none yet.
SCHEDULER = {"unschedulable", "selector-none"}
IMAGE = "busybox:1.29"

setUpModule = clusters.begin
tearDownModule = clusters.end


def comparable(text, image):
    """Without what differs from run to run, and from runtime to runtime."""
    text = watched_pods.UID.sub("UID", text).replace(image, IMAGE).replace("_seq(UID)", "_observedpods(UID)")
    # Since 1.31 the last error stands behind it.
    text = re.sub(r"^(Back-off pulling image \S+): .*", r"\1", text, flags=re.S)
    text = re.sub(r"^(rpc error: code = |failed to pull ).*", "FROM THE REGISTRY", text,
                  flags=re.S)
    # A newer library's words.
    text = text.replace("couldn't parse image reference", "couldn't parse image name")
    text = text.replace("repository name must", "repository name (library/BAD) must")
    return re.sub(r"^(failed to create containerd task: |unable to start ).*", "FROM THE RUNTIME",
                  text, flags=re.S)


def state_of(status, image):
    """Of what a watch tells, or of what was recorded: what is compared."""

    def container(each):
        states = {}
        for key in "state", "lastState":
            for what, facts in (each.get(key) or {}).items():
                states[key] = {"is": what,
                               **{name: facts.get(name) for name in ("exitCode", "reason")},
                               "message": comparable(facts.get("message") or "", image)}
        return {"name": each["name"], "ready": each["ready"], "restarts": each["restartCount"],
                **states}

    # Whether init containers have started is told since 1.28.
    started = {each["name"]: bool(each.get("started"))
               for each in status.get("containerStatuses") or ()}
    return {"phase": status["phase"], "reason": status.get("reason"),
            "message": status.get("message"),
            "conditions": {each["type"]: [each["status"], each.get("reason"), each.get("message")]
                           for each in status.get("conditions", ()) if each["type"] in TYPES},
            "started": started,
            "containers": [container(each) for key in ("initContainerStatuses", "containerStatuses")
                           for each in status.get(key) or ()]}


def today(case, states):
    """The states of a kubelet of 1.20 as release 1.36 shows them, from the first that it wrote."""
    states = [state for state in states if state["containers"]]
    if case == "deadline":
        # Then the phase came first and wiped the conditions away; since 1.22 they stay, and since
        # 1.27 the phase comes when nothing runs any more.
        states[-1:] = [{**states[-2], "phase": "Failed", "started": {"c": False}, **{
            key: states[-1][key] for key in ("reason", "message")}, "containers": [
                {**states[-1]["containers"][0], "state": {
                    "is": "terminated", "exitCode": 137, "reason": "Error", "message": ""}}]}]
    for state in states:
        if state["phase"] == "Failed":
            # Since 1.28.
            for condition in "Ready", "ContainersReady":
                state["conditions"] = {**state["conditions"],
                                       condition: ["False", "PodFailed", None]}
    return states


def passing(state):
    """Whether a state is only on the way to the next: a container that has ended and is started
    again, or waits for that. On a busy machine both are told at once."""
    return state["phase"] == "Running" and any(
        each.get("state", {}).get("is") == "terminated" for each in state["containers"])


# Events that come here beside those.
MORE = {
    # It is killed and started again, which that kubelet had not got to.
    "startup-fails": [["Normal", "Killing", "spec.containers{c}"],
                      ["Warning", "BackOff", "spec.containers{c}"]],
}


class ObservedPodsTest(clusters.ClusterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.cluster.server
        cls.until = time.monotonic() + 75
        cls.image = cls.cluster.world.image("busybox")
        cls.cases = {case["case"]: case for case in map(json.loads, CASES.read_text().splitlines())
                     if case["case"] not in SCHEDULER}
        for each in (each for case in cls.cases.values() for each in case["watch"]):
            each["status"]["conditions"] = [dict(zip(("type", "status", "reason", "message"), one))
                                            for one in each["status"]["conditions"]]
        cls.watcher = watched_pods.Watcher(server, cls.namespace)
        cls.watcher.start()
        # So that it is there already, as it was then.
        cls.create("first", {"containers": [{"name": "c", "image": cls.image}],
                             "restartPolicy": "Never",
                             "automountServiceAccountToken": False})
        worlds.wait_for("the image is there", lambda: any(
            pod["status"]["phase"] == "Running" or "containerStatuses" in pod["status"]
            and "terminated" in pod["status"]["containerStatuses"][0]["state"]
            for pod in cls.watcher.pods("first")))
        for name, case in cls.cases.items():
            cls.create(name, case["spec"])
            delay = case["deletedAfterSeconds"]
            if delay is not None:
                threading.Timer(delay, server.kubectl, (
                    "-n", cls.namespace, "delete", "pod", name, "--wait=false")).start()

    @classmethod
    def create(cls, name, spec):
        spec = json.loads(json.dumps(spec).replace(json.dumps(IMAGE), json.dumps(cls.image)))
        for container in spec.get("initContainers", []) + spec["containers"]:
            if container["image"] == cls.image:
                container["imagePullPolicy"] = "IfNotPresent"
        spec.setdefault("nodeName", cls.cluster.node)
        status, out, err = cls.cluster.server.kubectl(
            "-n", cls.namespace, "create", "-f", "-", stdin=json.dumps(
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}))
        if status != 0:
            raise AssertionError(out + err)

    def wanted(self, case):
        states = [state_of(each["status"], IMAGE) for each in case["watch"]
                  if each["bound"] and not each["deleting"]]
        return today(case["case"], states)

    def missing(self, case):
        """The first state that was seen then and has not come here yet, and what came instead."""
        actual = [state_of(pod["status"], self.image) for pod in self.watcher.pods(case["case"])]
        at = 0
        for wanted in self.wanted(case):
            found = next((i for i in range(at, len(actual)) if actual[i] == wanted), None)
            if found is not None:
                at = found
            elif not passing(wanted):
                return wanted, actual
        return None

    def events(self, name):
        found = self.get("events", f"--field-selector=involvedObject.name={name}")["items"]
        found.sort(key=lambda each: (each["firstTimestamp"], int(each["metadata"]["resourceVersion"])))
        return [[each["type"], each["reason"], each["involvedObject"].get("fieldPath")]
                for each in found if each["reason"] != "MissingClusterDNS"]


def add_test(name):
    def test(self):
        case = self.cases[name]
        try:
            worlds.wait_for("all states", lambda: not self.missing(case),
                            max(self.until - time.monotonic(), 1))
        except AssertionError:
            wanted, actual = self.missing(case)
            self.fail("not seen:\n" + json.dumps(wanted, indent=1) + "\nbut:\n" +
                      "\n".join(map(json.dumps, actual)))
        wanted = sorted([each["type"], each["reason"], each["fieldPath"]] for each in case["events"]
                        if each["from"] == "kubelet")
        worlds.wait_for("all events", lambda: all(
            each in self.events(name) for each in wanted),
                        max(self.until - time.monotonic(), 1))
        more = [each for each in self.events(name) if each not in wanted]
        self.assertEqual([each for each in more if each not in MORE.get(name, ())], [])
    setattr(ObservedPodsTest, "test_" + name.replace("-", "_"), test)


for each in CASES.read_text().splitlines():
    if json.loads(each)["case"] not in SCHEDULER:
        add_test(json.loads(each)["case"])


def main():
    clusters.main()


if __name__ == "__main__":
    main()
