#!/usr/bin/env python3
"""What a watcher sees of pods, compared with what upstream's kubelet showed: order, phases,
conditions, container states with reasons and messages, events (tests/testdata/observed/pods.jsonl,
of a kubelet 1.20.2 with containerd 1.6).

Each state that was seen there must come here, in that order. Between them there may be more: that
kubelet looked at its containers once a second. What release 1.36 shows in another way stands in
today() with the reason; podium's own errors of images and of starting take the place of containerd's.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import pathlib
import re
import threading
import time

import clusters
import world as worlds

CASES = pathlib.Path(__file__).resolve().parents[1] / "testdata/observed/pods.jsonl"
TYPES = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
# A scheduler's, and podium has none yet.
SCHEDULER = {"unschedulable", "selector-none"}
IMAGE = "busybox:1.29"
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

setUpModule = clusters.begin
tearDownModule = clusters.end


def comparable(text, image):
    """Without what differs from run to run."""
    text = UID.sub("UID", text).replace(image, IMAGE)
    # What the runtime and the registry's client say is their own.
    text = re.sub(r"(rpc error: code = |failed to pull ).*", "FROM THE REGISTRY", text, flags=re.S)
    return re.sub(r"failed to create containerd task: .*", "FROM THE RUNTIME", text, flags=re.S)


def state_of(watched, image):
    """Of an event of the watch, or of one that was recorded: what is compared."""
    status = watched["status"]

    def container(each):
        states = {}
        for key in "state", "lastState":
            for what, facts in (each.get(key) or {}).items():
                states[key] = {"is": what,
                               **{name: facts.get(name) for name in ("exitCode", "reason")},
                               "message": comparable(facts.get("message") or "", image)}
        return {"name": each["name"], "ready": each["ready"], "started": bool(each.get("started")),
                "restarts": each["restartCount"], **states}

    return {"phase": status["phase"], "reason": status.get("reason"),
            "message": status.get("message"),
            "conditions": {each[0]: list(each[1:]) for each in status["conditions"]
                           if each[0] in TYPES},
            "containers": [container(each) for key in ("initContainerStatuses", "containerStatuses")
                           for each in status.get(key) or ()]}


class Watcher(threading.Thread):
    """What a watch of the namespace's pods tells, by pod."""

    def __init__(self, server, namespace):
        super().__init__(daemon=True)
        self.connection = server.connect()
        self.connection.timeout = 600
        self.connection.request("GET", f"/api/v1/namespaces/{namespace}/pods?watch=true")
        self.answer = self.connection.getresponse()
        self.seen = {}

    def run(self):
        for line in self.answer:
            event = json.loads(line)
            pod = event["object"]
            status = pod["status"]
            status["conditions"] = [[each["type"], each["status"], each.get("reason"),
                                     each.get("message")] for each in status.get("conditions", ())]
            self.seen.setdefault(pod["metadata"]["name"], []).append(
                {"type": event["type"], "deleting": "deletionTimestamp" in pod["metadata"],
                 "status": status})


def main():
    clusters.main()


if __name__ == "__main__":
    main()
