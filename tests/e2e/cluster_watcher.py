"""Follows the pods of an API server by one watch that goes on wherever it broke off, for
cluster_crash_test.py; what no watcher may ever see is kept in `wrong`."""

import json
import threading
import time

import cluster_load as load

TERMINAL = ("Succeeded", "Failed")


def statuses(pod):
    """Of all containers, by name."""
    status = pod.get("status", {})
    return {each["name"]: each for kind in ("initContainerStatuses", "containerStatuses")
            for each in status.get(kind, ())}


class Watcher:
    def __init__(self, server):
        self._server = server
        self._lock = threading.Lock()
        self._over = False
        self._codes = {}  # by container id: the exit code that was told
        self.version = 0
        self.pods = {}  # by name, as the last event said
        self.gone = {}  # by uid, as they were last
        self.events = self.streams = 0
        self.wrong = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        api = load.Api(self._server)
        _, answer = api.insist("GET", load.PODS)
        api.close()
        self.version = int(answer["metadata"]["resourceVersion"])
        assert not answer["items"]
        self._thread.start()

    def end(self):
        self._over = True
        self._thread.join()

    def shown(self):
        with self._lock:
            return dict(self.pods)

    def _run(self):
        while not self._over:
            try:
                connection = self._server.connect()
                try:
                    self._follow(connection)
                finally:
                    connection.close()
            except (OSError, ValueError, load.http.client.HTTPException):
                time.sleep(0.05)

    def _follow(self, connection):
        # Ends now and then, so that it is seen when it is to end for good.
        connection.request("GET", f"{load.PODS}?watch=1&timeoutSeconds=3"
                                  f"&resourceVersion={self.version}")
        answer = connection.getresponse()
        if answer.status != 200:
            # What is starting does not know everything yet.
            if answer.status not in (429, 500, 503):
                self.wrong.append(f"a watch from {self.version}: {answer.status} {answer.read()}")
            time.sleep(0.05)
            return
        self.streams += 1
        while line := answer.readline():
            if not line.endswith(b"\n"):
                return  # the server went in the midst of it
            event = json.loads(line)
            with self._lock:
                self._take(event["type"], event["object"])

    def _take(self, kind, pod):
        if kind == "ERROR":
            self.wrong.append(f"after {self.version}: {pod}")
            return
        self.events += 1
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        version = int(pod["metadata"]["resourceVersion"])
        before = self.pods.get(name)
        known = before is not None and before["metadata"]["uid"] == uid
        if version <= self.version:
            self.wrong.append(f"{name}: version {version} after {self.version}")
        if uid in self.gone or known != (kind != "ADDED") or (before and not known):
            self.wrong.append(f"{name} {uid}: {kind}, known {known}")
        self.version = version
        if known:
            self._compare(before, pod)
        if kind == "DELETED":
            self.pods.pop(name, None)
            self.gone[uid] = pod
        else:
            self.pods[name] = pod

    def _compare(self, before, pod):
        """What only goes forward."""
        name = pod["metadata"]["name"]
        old, new = before["status"].get("phase"), pod["status"].get("phase")
        if old in TERMINAL and new != old:
            self.wrong.append(f"{name}: {new} after {old}")
        was = statuses(before)
        initializes = {each["name"] for each in pod["spec"].get("initContainers", ())}
        for container, status in statuses(pod).items():
            earlier = was.get(container)
            if not earlier:
                continue
            # Init containers that run again in a new sandbox are counted anew, as upstream has it.
            if status["restartCount"] < earlier["restartCount"] and container not in initializes:
                self.wrong.append(f"{name}/{container}: restarts {earlier} then {status}")
            for state in status["state"], status["lastState"]:
                self._note_end(name, container, state)
            identity = status.get("containerID")
            if "running" in status["state"] and identity in self._codes:
                self.wrong.append(f"{name}/{container}: runs after its end: {earlier} {status}")

    def _note_end(self, name, container, state):
        ended = state.get("terminated", {})
        identity = ended.get("containerID")
        if not identity:
            return
        code = self._codes.setdefault(identity, ended["exitCode"])
        if code != ended["exitCode"]:
            self.wrong.append(f"{name}/{container}: ended with {code}, and now {ended}")
