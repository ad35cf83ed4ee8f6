#!/usr/bin/env python3
"""Kills the agent with SIGKILL at random moments while pods start and stop, and looks each time
whether the next agent finds everything: no pod lost, none there twice, every container the process
that it was, every log line and exit code kept, and nothing left behind at the end. Also kills what
a pod cannot live without: its shim, its infra process.

20 kills; 200 with PODIUM_TEST_LONG=1. PODIUM_TEST_SEED repeats a run's decisions.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

import cases
import world as worlds

LONG = "PODIUM_TEST_LONG" in os.environ
KILLS = 200 if LONG else 20
SEED = int(os.environ.get("PODIUM_TEST_SEED") or random.SystemRandom().randrange(2 ** 32))
MOST_PODS = 8
DRIVERS = 2

# NAME is also in the program's arguments, so that its processes can be counted.
COUNTS = "n=0; while true; do n=$((n+1)); echo $n; sleep 0.05; done"
ENDS = "n=0; while [ $n -lt {lines} ]; do n=$((n+1)); echo $n; sleep 0.05; done; exit {code}"
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  shareProcessNamespace: {shared}
  volumes:
    - name: scratch
      emptyDir: {{medium: {medium}}}
{init}  containers:
{containers}"""
INIT = """\
  initContainers:
    - name: first
      image: busybox
      command: [sh, -c, "echo 1; echo 2", crash-{name}-first]
      volumeMounts: [{{name: scratch, mountPath: /scratch}}]
"""
CONTAINER = """\
    - name: {container}
      image: busybox
      command: [sh, -c, "{script}", crash-{name}-{container}]
      volumeMounts: [{{name: scratch, mountPath: /scratch}}]
"""


def setUpModule():
    print(f"seed {SEED} (PODIUM_TEST_SEED)", file=sys.stderr)
    cases.begin()


tearDownModule = cases.end


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(") ")[2].split()[1])


class Pod:
    """What is known of one."""

    def __init__(self, number, rng):
        self.name = f"p{number}"
        # By container: how it ends; nothing for one that counts until it is stopped.
        self.ends = {}
        containers = ["main"] + (["side"] if rng.random() < 0.3 else [])
        for container in containers:
            if rng.random() < 0.5:
                self.ends[container] = (rng.randrange(5, 60), rng.randrange(0, 256))
        self.containers = containers
        self.has_init = rng.random() < 0.3
        self.text = POD.format(
            name=self.name, shared=str(rng.random() < 0.2).lower(),
            medium=rng.choice(['""', "Memory"]),
            init=INIT.format(name=self.name) if self.has_init else "",
            containers="".join(self._container(each) for each in containers))
        self.seen = {}  # container: its id and its process
        self.verified = set()  # containers whose end was as it should be

    def _container(self, container):
        script = COUNTS
        if container in self.ends:
            lines, code = self.ends[container]
            script = ENDS.format(lines=lines, code=code)
        return CONTAINER.format(name=self.name, container=container, script=script)


class Drivers:
    """Threads that play and stop pods without end, whether an agent answers or not."""

    def __init__(self, world, rng):
        self._world = world
        self._rng = rng
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._number = 0
        self._busy = 0
        self._paused = False
        self._over = False
        self.pods = {}  # acknowledged, and not asked to go
        self.played = self.stopped = 0
        self.problem = None
        self._threads = [threading.Thread(target=self._run) for _ in range(DRIVERS)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def pause(self):
        """Returns when every command that was under way has come to its end."""
        with self._lock:
            self._paused = True
            self._idle.wait_for(lambda: self._busy == 0)
        if self.problem:
            raise self.problem

    def go_on(self):
        with self._lock:
            self._paused = False
            self._idle.notify_all()

    def end(self):
        with self._lock:
            self._over = True
            self._idle.notify_all()
        for thread in self._threads:
            thread.join()
        if self.problem:
            raise self.problem

    def _next(self):
        """The next thing to do: a pod, and whether it is to be played."""
        with self._lock:
            self._idle.wait_for(lambda: self._over or not self._paused)
            if self._over:
                return None
            self._busy += 1
            if len(self.pods) < 3 or (len(self.pods) < MOST_PODS and self._rng.random() < 0.5):
                self._number += 1
                return Pod(self._number, self._rng), True
            return self.pods.pop(self._rng.choice(sorted(self.pods))), False

    def _run(self):
        while (job := self._next()) is not None:
            pod, play = job
            try:
                self._play(pod) if play else self._stop(pod)
            except BaseException as problem:  # pylint: disable=broad-except
                self.problem = self.problem or problem
            with self._lock:
                self._busy -= 1
                self._idle.notify_all()
            if self.problem:
                return

    def _until_it_works(self, arguments, is_done):
        """An agent that dies leaves a command without its answer: it is asked again."""
        said = []
        for _ in range(100):
            status, _, err = self._world.podium(*arguments)
            if status == 0 or is_done(err):
                return
            said.append(err)
            time.sleep(0.1)
        raise AssertionError(f"{arguments}: {said}\n{self._world.agent_log()}")

    def _play(self, pod):
        self._until_it_works(("play", "-d", self._world.manifest(pod.text)),
                             lambda err: f'pods "{pod.name}" already exists' in err)
        with self._lock:
            self.pods[pod.name] = pod
            self.played += 1

    def _stop(self, pod):
        self._until_it_works(("stop", pod.name, "-t", "1"), lambda err: "not found" in err)
        with self._lock:
            self.stopped += 1


class CrashTest(cases.PodCase):
    def setUp(self):
        self.agents = []
        # The last of the cleanups: without pods agents end, and none may be left unreaped.
        self.addCleanup(self.await_ends)
        super().setUp()
        self.rng = random.Random(SEED)
        self.drivers = Drivers(self.world, random.Random(SEED + 1))

    def start_agent(self):
        """One that goes by itself once no pod is left; it may find that a play was quicker."""
        (self.world.folder / "run").mkdir(mode=0o700, exist_ok=True)
        log = open(self.world.folder / "run/agent.log", "wb")
        with log:
            self.agents.append(subprocess.Popen(
                ["podium", "agent", "--until-idle"], executable=worlds.PODIUM,
                env=self.world.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def kill_agent(self):
        agent = self.world.agent()
        if agent is None:
            return False
        os.kill(agent, signal.SIGKILL)
        for process in self.agents:
            if process.pid == agent:
                process.wait()
        self.agents = [each for each in self.agents if each.poll() is None]
        worlds.wait_for("the agent is gone", lambda: agent not in worlds.processes())
        return True

    def await_ends(self):
        """Also of an agent that a play has started, which is no child of this process: what it has
        made ahead is there until it ends."""
        for process in self.agents:
            process.wait(timeout=30)
        worlds.wait_for("no agent is left", lambda: self.world.agent() is None, 30)

    def await_agent(self):
        def answers():
            if self.world.agent() is None:
                self.start_agent()
            return self.world.podium("pods")[0] == 0
        worlds.wait_for("an agent answers", answers, 60)

    def test_agent_is_killed_while_pods_start_and_stop(self):
        self.start_agent()
        self.await_agent()
        self.addCleanup(self.drivers.end)
        self.drivers.start()
        for kill in range(KILLS):
            # One in four while it is still coming up.
            time.sleep(self.rng.uniform(0, 0.3) if kill % 4 == 3 else self.rng.uniform(0.2, 2))
            self.assertTrue(self.kill_agent() or kill % 4 == 3,
                            "no agent: " + self.world.agent_log())
            if self.rng.random() < 0.3:
                time.sleep(self.rng.uniform(0, 1))
            self.start_agent()
            if kill % 4 == 2:
                continue
            self.await_agent()
            self.drivers.pause()
            with self.subTest(kill=kill, seed=SEED):
                self.look_at_everything()
            self.drivers.go_on()
        self.drivers.end()
        print(f"{KILLS} kills, {self.drivers.played} pods played, {self.drivers.stopped} stopped",
              file=sys.stderr)
        # What has an end comes to it.
        for pod in self.drivers.pods.values():
            if set(pod.ends) == set(pod.containers):
                self.world.phase(pod.name, "Succeeded" if all(code == 0 for _, code in
                                                         pod.ends.values()) else "Failed")
        self.look_at_everything()
        self.world.stop_all()
        self.assertEqual(self.world.pods(), {})
        self.await_ends()
        self.assertEqual(self.files_left(), [])

    def files_left(self):
        """Of the instance, apart from its images and what belongs to no pod."""
        own = re.compile(r"(run/agent\.(log|lock|sock))|data/(images|image_manager|places)/.*")
        return sorted(
            str(path.relative_to(self.world.folder)) for top in ("run", "data", "log")
            for path in (self.world.folder / top).rglob("*")
            if not path.is_dir() and not own.fullmatch(str(path.relative_to(self.world.folder))))

    def look_at_everything(self):
        expected = self.drivers.pods
        worlds.wait_for("every pod has started", lambda: self.all_started(self.world.pods()), 60)
        pods = self.world.pods()
        self.assertEqual(sorted(pods), sorted(expected), self.world.agent_log())
        marked = self.marked_processes()
        addresses = {}
        for name, pod in pods.items():
            address = pod["status"].get("podIP")
            if pod["status"]["phase"] == "Running":
                self.assertNotIn(address, addresses, f"{name} and {addresses.get(address)}")
                addresses[address] = name
            for status in pod["status"]["containerStatuses"]:
                self.look_at_container(expected[name], pod, status, marked)
        # No sandbox of pods that are gone, and one a pod. Records of the former go by and by.
        sandboxes = self.world.folder / "run/sandboxes"
        self.assertEqual(len([each for each in sandboxes.iterdir() if each.suffix != ".ended"]),
                         len(expected))
        worlds.wait_for("records of sandboxes that are gone are gone too",
                        lambda: len(list(sandboxes.iterdir())) == len(expected), 10)
        # No process of pods that are gone.
        self.assertEqual({name.split("-")[1] for name in marked} - set(expected), set())

    @staticmethod
    def all_started(pods):
        for pod in pods.values():
            statuses = pod["status"].get("containerStatuses", [])
            if not statuses or any("waiting" in each["state"] for each in statuses):
                return False
        return True

    @staticmethod
    def marked_processes():
        """Process ids by the marker in their arguments. What a shell forks has its arguments for a
        moment, and is not meant."""
        marked = {}
        for pid, command in worlds.processes().items():
            marker = re.search(r" (crash-\S+)$", command)
            if marker:
                marked[pid] = marker[1]
        found = {}
        for pid, marker in marked.items():
            try:
                if parent_of(pid) not in marked:
                    found.setdefault(marker, []).append(pid)
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def look_at_container(self, pod, shown, status, marked):
        name = status["name"]
        marker = f"crash-{pod.name}-{name}"
        about = f"{pod.name}/{name}: {status}\n{self.world.agent_log()}"
        pids = marked.get(marker, [])
        seen = pod.seen.setdefault(name, [status["containerID"], None])
        self.assertEqual(status["containerID"], seen[0], about)
        self.assertEqual(status["restartCount"], 0, about)
        lines = self.log_lines(shown, name)
        self.assertEqual(lines, list(range(1, len(lines) + 1)), about)
        if "running" in status["state"]:
            # It may have ended since.
            self.assertTrue(len(pids) == 1 or (not pids and name in pod.ends), f"{pids} {about}")
            if pids:
                seen[1] = seen[1] or pids[0]
                self.assertEqual(pids[0], seen[1], about)
            return
        self.assertEqual(pids, [], about)
        self.assertIn(name, pod.ends, about)
        count, code = pod.ends[name]
        self.assertEqual(status["state"]["terminated"]["exitCode"], code, about)
        self.assertEqual(status["state"]["terminated"]["reason"],
                         "Completed" if code == 0 else "Error", about)
        self.assertEqual(len(lines), count, about)

    def log_lines(self, pod, container):
        metadata = pod["metadata"]
        folder = self.world.folder / "log" / f"default_{metadata['name']}_{metadata['uid']}"
        lines = (folder / container / "0.log").read_text().splitlines()
        entries = [line.split(" ", 3) for line in lines]
        assert all(len(entry) == 4 and entry[2] == "F" for entry in entries), entries
        return [int(entry[3]) for entry in entries]


class LostProcessesTest(cases.PodCase):
    """A pod ends when its infra process or its shim does; its restart policy decides what then."""

    POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  restartPolicy: {policy}
  terminationGracePeriodSeconds: 1
  volumes:
    - {{name: disk, emptyDir: {{}}}}
    - {{name: memory, emptyDir: {{medium: Memory}}}}
  containers:
    - name: main
      image: busybox
      command: [sh, -c, "cat /disk/x /memory/x 2>/dev/null; echo d >>/disk/x; echo m >>/memory/x; echo up; while true; do sleep 1; done", crash-{name}-main]
      volumeMounts:
        - {{name: disk, mountPath: /disk}}
        - {{name: memory, mountPath: /memory}}
"""

    def infra(self, name):
        """The process id of the pod's infra container."""
        out, _ = self.run_podium("inspect", name, "-o", "json")
        return json.loads(out)["sandboxes"][0]["pid"]

    def log(self, name, attempt):
        path, = (self.world.folder / "log").glob(f"default_{name}_*/main/{attempt}.log")
        return [line.split(" ", 3)[3] for line in path.read_text().splitlines()]

    def lose(self, name, policy, victim):
        """A pod whose shim or infra was killed; its main container before that."""
        self.play(self.world.manifest(self.POD.format(name=name, policy=policy)))
        before = self.container(self.world.ready(name), "main")
        worlds.wait_for("it is up", lambda: self.log(name, 0)[-1:] == ["up"])
        process, = CrashTest.marked_processes()[f"crash-{name}-main"]
        infra = self.infra(name)
        os.kill(parent_of(infra) if victim == "shim" else infra, signal.SIGKILL)
        for pid in process, infra:
            worlds.wait_for("it is gone", lambda gone=pid: gone not in worlds.processes())
        return before

    def test_always_makes_a_new_sandbox(self):
        for victim in "shim", "infra":
            with self.subTest(victim=victim):
                name = f"always-{victim}"
                before = self.lose(name, "Always", victim)
                worlds.wait_for("it restarts", lambda: self.container(
                    self.world.pods()[name], "main")["restartCount"] == 1)
                after = self.container(self.world.ready(name), "main")
                self.assertNotEqual(after["containerID"], before["containerID"])
                ended = after["lastState"]["terminated"]
                self.assertEqual((ended["containerID"], ended["exitCode"], ended["reason"]),
                                 (before["containerID"], 137, "Error"))
                # Volumes are the pod's, not the sandbox's.
                worlds.wait_for("it is up", lambda: self.log(name, 1)[-1:] == ["up"])
                self.assertEqual(self.log(name, 1), ["d", "m", "up"])

    def test_never_ends_the_pod(self):
        for victim in "shim", "infra":
            with self.subTest(victim=victim):
                name = f"never-{victim}"
                before = self.lose(name, "Never", victim)
                status = self.container(self.world.phase(name, "Failed"), "main")
                self.assertEqual(status["restartCount"], 0)
                ended = status["state"]["terminated"]
                self.assertEqual((ended["containerID"], ended["exitCode"], ended["reason"]),
                                 (before["containerID"], 137, "Error"))

    INITIALIZES = """\
apiVersion: v1
kind: Pod
metadata:
  name: initializes
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  initContainers:
    - name: first
      image: busybox
      command: ["true"]
    - name: waits
      image: 127.0.0.1:5000/none
      imagePullPolicy: Never
  containers:
    - name: main
      image: busybox
"""

    def initialized(self, unlike=None):
        """The id of the first init container once it has ended, if that is another one."""
        statuses = self.world.pods()["initializes"]["status"].get("initContainerStatuses", [])
        ended = [each for each in statuses if "terminated" in each["state"]]
        return ended and ended[0]["containerID"] != unlike and ended[0]["containerID"]

    def test_never_begins_anew_as_long_as_nothing_else_has_run(self):
        self.play(self.world.manifest(self.INITIALIZES))
        before = worlds.wait_for("it is half initialized", self.initialized)
        os.kill(self.infra("initializes"), signal.SIGKILL)
        worlds.wait_for("it is so again", lambda: self.initialized(before))
        self.assertEqual(self.world.pods()["initializes"]["status"]["phase"], "Pending")


class LargeVolumeTest(cases.PodCase):
    """What a pod has written does not hold up its end, and goes, whoever is killed meanwhile."""

    FILES = 20000
    LARGE = """\
apiVersion: v1
kind: Pod
metadata:
  name: large
spec:
  terminationGracePeriodSeconds: 0
  volumes:
    - {{name: disk, emptyDir: {{}}}}
  containers:
    - name: main
      image: busybox
      command: [sh, -c, "cd /disk && seq {files} | xargs touch && echo made; exec sleep 1000"]
      volumeMounts: [{{name: disk, mountPath: /disk}}]
"""

    def test_it_goes_though_the_agent_is_killed(self):
        self.play(self.world.manifest(self.LARGE.format(files=self.FILES)))
        pod = self.world.ready("large")
        log, = (self.world.folder / "log").glob("default_large_*/main/0.log")
        worlds.wait_for("its files are made", lambda: log.read_text().endswith(" F made\n"), 60)
        folder = self.world.folder / "data/pods" / pod["metadata"]["uid"]
        volume = folder / "volumes/kubernetes.io~empty-dir/disk"
        self.assertEqual(sum(1 for _ in volume.iterdir()), self.FILES)
        self.run_podium("stop", "large", "-t", "0")
        agent = self.world.agent()
        os.kill(agent, signal.SIGKILL)
        worlds.wait_for("the agent is gone", lambda: agent not in worlds.processes())
        print("killed with the files there:", folder.exists(), file=sys.stderr)
        # The next agent, which another pod has started for it.
        self.play(self.pod("small", "sleep 1000"))
        self.world.ready("small")
        worlds.wait_for("the files are gone", lambda: not folder.exists())
        self.assertEqual(list(self.world.pods()), ["small"])


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
