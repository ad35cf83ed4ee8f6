"""A load of pods that change all the time, for cluster_crash_test.py: what a pod is made of, what
is known of how it must end, and threads that create, change and delete pods at an API server which
may be killed at any moment.

Each container takes a lock of its own for its whole life, in a folder of the machine, and writes
down there that it begins and, where it ends by itself, how. A second instance of the same container
of the same pod does not get the lock, and says so in the file `twice`.
"""

import dataclasses
import http.client
import json
import random
import threading
import time

NAMESPACE = "crash"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CONFIGS = 3
# Seconds from the last kill until every request has its answer, and until a pod of a name is gone
# that is made again.
ANSWERED = 300
IMAGES = ("debian", "debian-next")
MARKER = "crash-$(POD_UID)-{container}"

BEGIN = """\
exec 9>>/marks/$POD_UID.{container}
flock -n 9 || {{ echo $POD_UID {container} >>/marks/twice; exit 99; }}
runs=$(grep -c begin /marks/$POD_UID.{container})
echo begin >&9
"""
# A shell that waits for its child hears signals at once.
POLITE = "trap 'echo end 0 >&9; exit 0' TERM\n"
STAYS = "sleep 3000 & wait\n"
ENDS = "sleep {seconds} & wait\n[ $runs -ge {failures} ] || {{ echo end 7 >&9; exit 7; }}\n" \
       "echo end {code} >&9; exit {code}\n"


@dataclasses.dataclass
class Container:
    """What one does: stays, or ends by itself with a code, after some runs that fail with 7."""
    name: str
    code: int | None = None
    failures: int = 0
    polite: bool = True
    seconds: float = 0

    def spec(self, image, mounts):
        script = BEGIN.format(container=self.name) + (POLITE if self.polite else "")
        script += STAYS if self.code is None else ENDS.format(
            seconds=self.seconds, failures=self.failures, code=self.code)
        return {"name": self.name, "image": image, "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", script, MARKER.format(container=self.name)],
                "env": [{"name": "POD_UID",
                         "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}],
                "volumeMounts": mounts}


class Pod:
    """A pod as it was asked for, and what is known of it since."""

    def __init__(self, number, rng, images, marks):
        # Names come again.
        self.name = f"p{number % 80}"
        self.uid = None
        self.policy = rng.choices(["Always", "OnFailure", "Never"], [50, 25, 25])[0]
        self.init, self.sidecars, self.containers = [], [], []
        self.deadline = False  # it has one that has been or will soon be over
        self.told_to_end = False  # deleted, and not by force
        self.replaced = False  # of a container the image was changed
        self.images = images
        self.config = rng.randrange(CONFIGS)
        self._make_containers(rng)
        self.manifest = self._manifest(rng, marks)

    def _make_containers(self, rng):
        if rng.random() < 0.3:
            failures = 1 if self.policy != "Never" and rng.random() < 0.2 else 0
            code = 4 if self.policy == "Never" and rng.random() < 0.15 else 0
            self.init.append(Container("first", code, failures, True, rng.choice([0, 0.2])))
        if rng.random() < 0.2:
            self.sidecars.append(Container("beside"))
        for name in ["main", "other"][:rng.choices([1, 2], [70, 30])[0]]:
            if rng.random() < (0.15 if self.policy == "Always" else 0.6):
                failures = 1 if self.policy == "OnFailure" and rng.random() < 0.3 else 0
                code = rng.choice([0, 0, 3]) if self.policy != "OnFailure" else 0
                self.containers.append(
                    Container(name, code, failures, True, round(rng.uniform(0, 6), 1)))
            else:
                self.containers.append(Container(name, polite=rng.random() < 0.8))

    def _manifest(self, rng, marks):
        mounts = [{"name": "marks", "mountPath": "/marks"},
                  {"name": "scratch", "mountPath": "/scratch"},
                  {"name": "config", "mountPath": "/config"},
                  {"name": "secret", "mountPath": "/secret"}]
        first = [each.spec(self.images[0], mounts) for each in self.init]
        for each in self.sidecars:
            first.append({**each.spec(self.images[0], mounts), "restartPolicy": "Always"})
        containers = [each.spec(self.images[0], mounts) for each in self.containers]
        for container, spec in zip(self.containers, containers):
            look = f"grep -q begin /marks/$POD_UID.{container.name}"
            probe = {"exec": {"command": ["sh", "-c", look]},
                     "periodSeconds": rng.randint(1, 5), "timeoutSeconds": 60}
            if rng.random() < 0.3:
                spec["readinessProbe"] = probe
            if rng.random() < 0.1:
                spec["startupProbe"] = {**probe, "failureThreshold": 30}
            if rng.random() < 0.1:
                spec["livenessProbe"] = {**probe, "failureThreshold": 10}
        medium = {"medium": "Memory"} if rng.random() < 0.3 else {}
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": self.name, "labels": {"turn": "0"}},
                "spec": {"restartPolicy": self.policy, "initContainers": first,
                         "containers": containers, "automountServiceAccountToken": False,
                         "terminationGracePeriodSeconds": rng.choice([1, 1, 2]),
                         "shareProcessNamespace": rng.random() < 0.15,
                         "volumes": [
                             {"name": "marks", "hostPath": {"path": str(marks)}},
                             {"name": "scratch", "emptyDir": medium},
                             {"name": "config", "configMap": {"name": f"c{self.config}"}},
                             {"name": "secret", "secret": {"secretName": f"s{self.config}"}}]}}

    def all_containers(self):
        return [*self.init, *self.sidecars, *self.containers]

    def stays(self):
        """It runs for as long as nobody disturbs it."""
        return (self.policy == "Always" or any(each.code is None for each in self.containers)) and \
            not self._init_fails()

    def _init_fails(self):
        return self.policy == "Never" and any(each.code for each in self.init)

    def may_have_ended(self):
        """What was told to end, to be started with another image, by an agent that was killed
        before it could do so, has ended as far as the next agent knows; as with upstream's
        kubelet."""
        return self.replaced and self.policy != "Always"

    def end(self):
        """The phase in which it ends, undisturbed."""
        failed = self._init_fails() or any(each.code for each in self.containers)
        return "Failed" if failed else "Succeeded"


class Api:
    """JSON requests over a connection that is made again whenever it breaks. For one thread."""

    def __init__(self, server):
        self._server = server
        self._connection = None

    def ask(self, method, path, body=None, kind="application/json"):
        """Status and answer; nothing for a server that is not there, or went meanwhile."""
        try:
            if self._connection is None:
                self._connection = self._server.connect()
            self._connection.request(method, path, body=body and json.dumps(body),
                                     headers={"Content-Type": kind})
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return None

    def insist(self, method, path, body=None, kind="application/json", seconds=300):
        """As ask, until there is an answer. On a busy machine a server is killed again and again
        before it comes to a request."""
        end = time.monotonic() + seconds
        while (answer := self.ask(method, path, body, kind)) is None:
            if time.monotonic() > end:
                raise AssertionError(f"{method} {path}: no answer for {seconds} s")
            time.sleep(0.05)
        return answer

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None


class Drivers:
    """Threads that create, change and delete pods without end, whether a server answers or not."""

    def __init__(self, cluster, marks, seed, most_pods, threads=3, pause=0.3):
        self._cluster = cluster
        self._marks = marks
        self._most = most_pods
        self._pause = pause
        self._images = [f"127.0.0.1:5000/{name}" for name in IMAGES]
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._number = 0
        self._busy = 0
        self._paused = self._over = False
        self._in_work = set()  # names
        self.pods = {}  # by name; there, and not asked to go
        self.all = {}  # by uid; also those that are gone
        self.words = {index: 0 for index in range(CONFIGS)}
        self.counts = {}
        self.problem = None
        self._threads = [threading.Thread(target=self._run, args=(random.Random(seed + i),))
                         for i in range(threads)]

    def start(self):
        api = Api(self._cluster.server)
        for index in range(CONFIGS):
            self._write_words(api, index, "POST")
        api.close()
        for thread in self._threads:
            thread.start()

    def pause(self):
        """Returns when every request that was under way has come to its end."""
        with self._lock:
            self._paused = True
            answered = self._idle.wait_for(lambda: self._busy == 0 or self.problem, ANSWERED)
        if self.problem:
            raise self.problem
        if not answered:
            raise AssertionError(f"the server runs, and has not answered for {ANSWERED} s")

    def go_on(self):
        with self._lock:
            self._paused = False
            self._idle.notify_all()

    def end(self):
        with self._lock:
            self._over = True
            self._idle.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self.problem:
            raise self.problem

    def _run(self, rng):
        api = Api(self._cluster.server)
        while True:
            with self._lock:
                self._idle.wait_for(lambda: self._over or not self._paused)
                if self._over or self.problem:
                    break
                self._busy += 1
                job, pod = self._next(rng)
            try:
                job(api, rng, pod)
            except BaseException as problem:  # pylint: disable=broad-except
                self.problem = self.problem or problem
            with self._lock:
                name = job.__name__.strip("_")
                self.counts[name] = self.counts.get(name, 0) + 1
                if pod:
                    self._in_work.discard(pod.name)
                self._busy -= 1
                full = len(self.pods) > self._most / 2
                self._idle.notify_all()
            time.sleep(rng.uniform(0, self._pause) if full else 0)
        api.close()

    def _next(self, rng):
        """What to do, and with which pod; with the lock held."""
        free = [name for name in sorted(self.pods) if name not in self._in_work]
        if len(self.pods) < self._most or not free:
            while True:
                self._number += 1
                pod = Pod(self._number, rng, self._images, self._marks)
                if pod.name not in self.pods and pod.name not in self._in_work:
                    break
            self._in_work.add(pod.name)
            return self._create, pod
        job = rng.choices([self._delete, self._label, self._change_image, self._set_deadline,
                           self._change_words], [45, 20, 15, 5, 15])[0]
        if job == self._change_words:
            return job, None
        pod = self.pods[rng.choice(free)]
        self._in_work.add(pod.name)
        if job == self._delete:
            del self.pods[pod.name]
        return job, pod

    def _create(self, api, _, pod):
        pod.manifest["spec"]["nodeName"] = self._cluster.node
        path = f"{PODS}/{pod.name}"
        end = time.monotonic() + ANSWERED
        while True:
            answer = api.ask("POST", PODS, pod.manifest)
            if answer is None or answer[0] == 409:
                # Made before the server went, or one of that name that is not gone yet.
                known = api.insist("GET", path)
                made = known[0] == 200 and "deletionTimestamp" not in known[1]["metadata"] and \
                    known[1]["metadata"]["uid"] not in self.all
                answer = (201, known[1]) if made else None
            if answer:
                break
            if time.monotonic() > end:
                raise AssertionError(f"{pod.name} cannot be made: {known}")
            time.sleep(0.1)
        if answer[0] != 201:
            raise AssertionError(f"{pod.name}: {answer}")
        pod.uid = answer[1]["metadata"]["uid"]
        with self._lock:
            self.pods[pod.name] = pod
            self.all[pod.uid] = pod

    def _delete(self, api, rng, pod):
        options = {"preconditions": {"uid": pod.uid}}
        if rng.random() < 0.6:
            # Without grace, at once; with it, when the node says so.
            options["gracePeriodSeconds"] = rng.choice([0, 1])
        pod.told_to_end = options.get("gracePeriodSeconds") != 0
        status, answer = api.insist("DELETE", f"{PODS}/{pod.name}", options)
        # Somebody's answer was lost: it is gone, or another one is there.
        if status not in (200, 404, 409):
            raise AssertionError(f"{pod.name}: {status} {answer}")

    def _patch(self, api, pod, patch):
        patch["metadata"] = {**patch.get("metadata", {}), "uid": pod.uid}
        status, answer = api.insist("PATCH", f"{PODS}/{pod.name}", patch,
                                    "application/strategic-merge-patch+json")
        if status != 200:
            raise AssertionError(f"{pod.name}: {status} {answer}")

    def _label(self, api, rng, pod):
        turn = str(rng.randrange(1000))
        self._patch(api, pod, {"metadata": {"labels": {"turn": turn}}})
        pod.manifest["metadata"]["labels"]["turn"] = turn

    def _change_image(self, api, rng, pod):
        container = rng.choice(pod.manifest["spec"]["containers"])
        container["image"] = rng.choice(self._images)
        pod.replaced = True
        self._patch(api, pod, {"spec": {"containers": [
            {"name": container["name"], "image": container["image"]}]}})

    def _set_deadline(self, api, rng, pod):
        # It can only become shorter.
        if pod.deadline:
            return
        pod.deadline = True
        self._patch(api, pod, {"spec": {"activeDeadlineSeconds": rng.randint(1, 4)}})

    def _change_words(self, api, rng, _):
        index = rng.randrange(CONFIGS)
        with self._lock:
            if f"words {index}" in self._in_work:
                return
            self._in_work.add(f"words {index}")
        self.words[index] += 1
        self._write_words(api, index, "PUT")
        with self._lock:
            self._in_work.discard(f"words {index}")

    def _write_words(self, api, index, method):
        word = str(self.words[index])
        for resource, name, data in (("configmaps", f"c{index}", "data"),
                                     ("secrets", f"s{index}", "stringData")):
            path = f"/api/v1/namespaces/{NAMESPACE}/{resource}"
            status, answer = api.insist(
                method, path if method == "POST" else f"{path}/{name}",
                {"metadata": {"name": name}, data: {"word": word}})
            if status not in (200, 201):
                raise AssertionError(f"{path}/{name}: {status} {answer}")
