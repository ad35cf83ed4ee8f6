#!/usr/bin/env python3
"""Kills the agent, the API server, shims and infra processes with SIGKILL at random moments while
pods come, change and go, and looks whether the cluster becomes what the API says each time that the
load rests: every pod in the state that it must have, by the processes of this machine, by the agent
and by the API alike; no container twice at the same time (its lock), no exit code lost, no event
lost or there twice for who watches; nothing left of pods that are gone.

20 kills and 20 pods; 200 and 50 with PODIUM_TEST_LONG=1. PODIUM_TEST_SEED repeats a run's
decisions, PODIUM_TEST_KILLS sets their number.
"""

import json
import os
import pathlib
import random
import re
import signal
import sys
import time
import unittest

import cluster_load as load
import clusters
import crash_test
import world as worlds
from cluster_watcher import TERMINAL, Watcher, statuses

LONG = "PODIUM_TEST_LONG" in os.environ
KILLS = int(os.environ.get("PODIUM_TEST_KILLS") or (200 if LONG else 20))
SEED = int(os.environ.get("PODIUM_TEST_SEED") or random.SystemRandom().randrange(2 ** 32))
PODS = 50 if LONG else 20
EVERY = 10  # kills, after which everything is looked at
# Nothing may be wrong in the same way for so many seconds after the last change that a watcher saw,
# since a server that hardly gets a processor tells of changes slowly; and something for so many in
# all. At the end of the long form what waits to be started again is waited for, too, which takes
# minutes where it was killed often.
QUIET = 60
PATIENCE = 300
LAST_PATIENCE = 600


def setUpModule():
    print(f"seed {SEED} (PODIUM_TEST_SEED)", file=sys.stderr)
    clusters.begin()


tearDownModule = clusters.end


class Machine:
    """What of pods is on this machine, read from /proc and the instance's folders."""

    def __init__(self, folder, marks):
        self._folder = folder
        self._marks = marks
        # By uid and container: the processes that are its first.
        self.containers = {}
        for marker, pids in crash_test.CrashTest.marked_processes().items():
            match = re.fullmatch(r"crash-(.{36})-(\w+)", marker)
            self.containers[match[1], match[2]] = pids

    def uids(self):
        """Of whose pods something is here, and what."""
        found = {}
        for uid, container in self.containers:
            found.setdefault(uid, []).append(f"process of {container}")
        for top in "run/pods", "data/pods":
            for path in (self._folder / top).glob("*"):
                found.setdefault(path.stem[:36], []).append(str(path))
        for path in (self._folder / "log").glob(f"{load.NAMESPACE}_*"):
            found.setdefault(path.name[-36:], []).append(str(path))
        for path in (self._folder / "run/sandboxes").iterdir():
            found.setdefault(sandbox_uid(path) or path.name, []).append(str(path))
        for path, _, _ in os.walk("/sys/fs/cgroup"):
            match = re.search(rf"podium-e2e-{os.environ[worlds.INSIDE]}/.*/pod([^/]{{36}})$", path)
            if match:
                found.setdefault(match[1], []).append(path)
        return found

    def runs(self, uid, container):
        """How each run of a container that has begun has ended, as it said itself; None: nothing
        is written of its end."""
        path = self._marks / f"{uid}.{container}"
        ends = []
        for line in path.read_text().splitlines() if path.exists() else ():
            if line == "begin":
                ends.append(None)
            else:
                ends[-1] = int(line.removeprefix("end "))
        return ends


def sandbox_uid(folder):
    """Of whose pod it is; nothing for one that has gone, or is only being made."""
    try:
        return json.loads((folder / "config.json").read_text())["metadata"]["uid"]
    except (OSError, ValueError, KeyError):
        return None


def difference(one, other):
    """What differs of two objects, by their first keys."""
    return json.dumps({key: (one.get(key), other.get(key)) for key in {*one, *other}
                       if one.get(key) != other.get(key)})


def problems_of_addresses(shown):
    owners = {}
    for name, pod in shown.items():
        if pod["status"].get("phase") == "Running" and "podIP" in pod["status"]:
            owners.setdefault(pod["status"]["podIP"], []).append(name)
    return [f"{names} have {address}" for address, names in owners.items() if len(names) > 1]


def waits(pod):
    """A container of it is to be started again, later."""
    return any(each["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
               for each in statuses(pod).values())


def end_of(known, status):
    """How a container of the pod ended last, as its status tells it; nothing for one that has
    not."""
    ended = status["state"].get("terminated", {})
    if known.deadline and ended.get("reason") == "ContainerStatusUnknown":
        # It waited to be started again when the deadline was over. Upstream's words for that.
        return status["lastState"].get("terminated", ended)
    return ended


class ClusterCrashTest(clusters.ClusterCase):
    @classmethod
    def setUpClass(cls):
        worlds.output_of("skopeo", "copy", "--quiet", "--dest-tls-verify=false",
                         f"oci-archive:{worlds.IMAGES}/debian.tar",
                         f"docker://{worlds.REGISTRY}/{load.IMAGES[1]}:latest")
        cls.cluster.world.image(load.IMAGES[0])
        status, out, err = cls.cluster.server.kubectl("create", "namespace", load.NAMESPACE)
        if status != 0:
            raise AssertionError(out + err)

    def setUp(self):
        folder = self.cluster.world.folder
        self.marks = folder / "marks"
        self.marks.mkdir()
        self.rng = random.Random(SEED)
        self.api = load.Api(self.cluster.server)
        self.watcher = Watcher(self.cluster.server)
        self.drivers = load.Drivers(self.cluster, self.marks, SEED + 1, PODS)
        self.hurt = set()  # uids of pods whose shim or infra process was killed
        self.kills = {}

    def pull_images(self):
        """Before anything is killed: how long that takes depends on the machine's disk alone."""
        for image in load.IMAGES:
            path = f"{load.PODS}/{image}"
            container = {"name": "main", "image": f"{worlds.REGISTRY}/{image}", "command": ["true"]}
            made = self.api.insist("POST", load.PODS, {
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": image},
                "spec": {"nodeName": self.cluster.node, "restartPolicy": "Never",
                         "automountServiceAccountToken": False, "containers": [container]}})
            self.assertEqual(made[0], 201, made)
            worlds.wait_for(f"{image} is there", lambda there=path: self.api.insist(
                "GET", there)[1].get("status", {}).get("phase") == "Succeeded", 200)
            self.api.insist("DELETE", path)
            worlds.wait_for(f"{image} is gone", lambda there=path: self.api.insist(
                "GET", there)[0] == 404)

    # The kills.

    def victims(self, name):
        """Shims, or infra processes, of pods: process ids with the pod's uid, which is not known of
        one that is only being made."""
        processes = worlds.processes()
        shims = {}
        for pid, command in sorted(processes.items()):
            match = re.fullmatch(r"podium-shim ([0-9a-f]{64})", command)
            if match:
                shims[pid] = sandbox_uid(self.cluster.world.folder / "run/sandboxes" / match[1])
        if name == "shim":
            return list(shims.items())
        found = []
        for pid in sorted(pid for pid, command in processes.items() if command == "/pause"):
            try:
                shim = crash_test.parent_of(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if shim in shims:
                found.append((pid, shims[shim]))
        return found

    def kill(self):
        name = self.rng.choices(["agent", "server", "both", "shim", "infra"],
                                [30, 15, 10, 25, 20])[0]
        self.kills[name] = self.kills.get(name, 0) + 1
        if name in ("shim", "infra"):
            self.kill_process(name)
        if name in ("server", "both"):
            self.cluster.server.stop(signal.SIGKILL)
            self.rest()
        if name in ("agent", "both"):
            self.cluster.kill_agent()
            # What ends while no agent looks.
            if self.rng.random() < 0.3:
                self.kill_process(self.rng.choice(["shim", "infra"]))
            self.rest()
            self.cluster.start_agent()
            self.rest()
        if name in ("server", "both"):
            self.cluster.server.start()

    def rest(self):
        time.sleep(self.rng.choice([0, self.rng.uniform(0, 1)]))

    def kill_process(self, name):
        try:
            pid, uid = self.rng.choice(self.victims(name))
            self.hurt.add(uid)
            os.kill(pid, signal.SIGKILL)
        except (IndexError, ProcessLookupError, FileNotFoundError):
            pass  # it has ended meanwhile

    # What must be.

    def problems(self, last):
        """What is not as it must be once nothing changes any more; none is well. `last`: those that
        are to be started again later have been."""
        status, answer = self.api.insist("GET", load.PODS)
        assert status == 200, answer
        # Of a list's items it is the list that says what they are.
        shown = {pod["metadata"]["name"]: {"kind": "Pod", "apiVersion": "v1", **pod}
                 for pod in answer["items"]}
        machine = Machine(self.cluster.world.folder, self.marks)
        found = []
        if sorted(shown) != sorted(self.drivers.pods):
            found.append(f"pods of the API: {sorted(set(shown) ^ set(self.drivers.pods))}")
        found += problems_of_addresses(shown)
        uids = {pod["metadata"]["uid"] for pod in shown.values()}
        found += [f"left of {uid} {getattr(self.drivers.all.get(uid), 'name', '')}: {what}"
                  for uid, what in machine.uids().items() if uid not in uids]
        found += self.problems_of_agent(shown)
        found += self.problems_of_ends(machine)
        for name, pod in shown.items():
            known = self.drivers.pods.get(name)
            if known and known.uid != pod["metadata"]["uid"]:
                found.append(f"{name}: {pod['metadata']['uid']} instead of {known.uid}")
            elif known:
                found += [f"{name}: {each}: {json.dumps(pod['status'])}"
                          for each in self.problems_of_pod(pod, known, machine, last)]
        seen = self.watcher.shown()
        found += [f"{name}: who watches and who lists: " +
                  difference(seen.get(name, {}), shown.get(name, {}))
                  for name in set(seen) | set(shown) if seen.get(name) != shown.get(name)]
        return found

    def problems_of_ends(self, machine):
        """Of pods that their node has removed: how each container ended was told before."""
        found = []
        for uid, pod in list(self.watcher.gone.items()):
            known = self.drivers.all[uid]
            if uid in self.hurt or not known.told_to_end:
                continue
            for name, status in statuses(pod).items():
                runs = machine.runs(uid, name)
                code = end_of(known, status).get("exitCode")
                if runs and (code is None or (runs[-1] is not None and runs[-1] != code)):
                    found.append(f"{known.name}/{name} ended with {runs[-1]}, and was last told to "
                                 f"be {status['state']}")
        return found

    def problems_of_agent(self, shown):
        status, out, err = self.cluster.world.podium("pods", "-n", load.NAMESPACE, "-o", "json")
        if status != 0:
            return [f"the agent: {err}"]
        agents = {pod["metadata"]["uid"]: pod for pod in json.loads(out)["items"]}
        servers = {pod["metadata"]["uid"]: pod for pod in shown.values()}
        found = [f"{uid} is known to one of agent and server alone"
                 for uid in set(agents) ^ set(servers)]
        for uid in set(agents) & set(servers):
            for part in "spec", "status":
                if agents[uid][part] != servers[uid][part]:
                    found.append(f"{servers[uid]['metadata']['name']}: {part}, agent and server: " +
                                 difference(agents[uid][part], servers[uid][part]))
        return found

    def problems_of_pod(self, pod, known, machine, last):
        spec = pod["spec"]
        if "deletionTimestamp" in pod["metadata"]:
            return ["it is there"]
        told = statuses(pod)
        wanted = [each["name"] for each in spec.get("initContainers", []) + spec["containers"]]
        if sorted(told) != sorted(wanted):
            return [f"statuses of {sorted(told)}"]
        found = self.problems_of_phase(pod, known, last)
        if pod["metadata"]["labels"] != known.manifest["metadata"]["labels"]:
            found.append("labels")
        for container in known.all_containers():
            found += [f"{container.name}: {each}" for each in self.problems_of_container(
                pod, known, container, told[container.name], machine)]
        return found

    def problems_of_phase(self, pod, known, last):
        status = pod["status"]
        phase = status.get("phase")
        if known.deadline and (phase in TERMINAL or status.get("reason") == "DeadlineExceeded"):
            return [] if phase in TERMINAL else ["its deadline is over"]
        if phase not in TERMINAL and waits(pod) and not (last and known.policy == "OnFailure"):
            return [] if phase in ("Running", "Pending") else [f"{phase}, and it waits"]
        allowed = {"Running" if known.stays() else known.end()}
        if known.uid in self.hurt and known.policy == "Never":
            allowed.add("Failed")
        if known.may_have_ended():
            allowed |= set(TERMINAL)
        if known.deadline or phase not in allowed:
            return [f"{phase}, not {allowed}, deadline {known.deadline}"]
        conditions = {each["type"]: each["status"] for each in status["conditions"]}
        ready = phase == "Running" and all(each.code is None for each in known.containers)
        if ready and not known.may_have_ended() and conditions.get("Ready") != "True":
            return ["it is not ready"]
        return []

    def problems_of_container(self, pod, known, container, status, machine):
        uid = pod["metadata"]["uid"]
        pids = machine.containers.get((uid, container.name), [])
        runs = machine.runs(uid, container.name)
        found = []
        if "running" in status["state"]:
            if len(pids) != 1:
                found.append(f"runs, as {pids}")
            else:
                found += self.problems_of_process(pids[0], pod, known, container, status)
            if runs and runs[-1] is not None:
                found.append("has ended")
        elif pids:
            found.append(f"does not run, and is {pids}")
        # Init containers are counted anew in a new sandbox, as upstream has it.
        if container in known.containers and len(runs) > status["restartCount"] + 1:
            found.append(f"{len(runs)} runs and {status['restartCount']} restarts")
        ended = end_of(known, status)
        ends = [code for code in runs if code is not None or "running" not in status["state"]]
        if "terminated" in status["state"] and ends and not (
                ended["exitCode"] == ends[-1] or
                ended["exitCode"] in (137, 143) and ends[-1] is None or
                # 255: nobody saw it, since the agent was not there either.
                ended["exitCode"] in (137, 255) and uid in self.hurt):
            found.append(f"has ended with {ends[-1]}")
        return found

    def problems_of_process(self, pid, pod, known, container, status):
        """The volumes as they must be by now, the image that was asked for."""
        found = []
        word = str(self.drivers.words[known.config])
        for folder in "config", "secret":
            try:
                text = pathlib.Path(f"/proc/{pid}/root/{folder}/word").read_text(encoding="utf-8")
            except OSError as error:
                text = str(error)
            if text != word:
                found.append(f"/{folder}/word is {text!r} instead of {word!r}")
        wanted = [each["image"] for each in pod["spec"]["containers"]
                  if each["name"] == container.name]
        if wanted and status["image"] != wanted[0]:
            found.append(f"image {status['image']} instead of {wanted[0]}")
        return found

    def converge(self, kill, last=False):
        """Waits until all is as it must be, and fails where that does not happen."""
        try:
            self.drivers.pause()
        except AssertionError as problem:
            raise AssertionError(f"after {kill} kills with seed {SEED}: {problem}\n"
                                 f"{self.what_the_agent_does()}") from problem
        begin = changed = time.monotonic()
        events = self.watcher.events
        since = {}  # since when each of them has been there
        patience = LAST_PATIENCE if last else PATIENCE
        while problems := self.problems(last):
            now = time.monotonic()
            since = {each: since.get(each, now) for each in problems}
            if events != self.watcher.events:
                events, changed = self.watcher.events, now
            if now - max(changed, min(since.values())) > QUIET or now - begin > patience:
                said = "\n".join(each[:3000] for each in problems)
                self.fail(f"not as it must be after {now - begin:.0f} s, {kill} kills, seed {SEED}:"
                          f"\n{said}\n{self.cluster.agent_log()[-20000:]}")
            time.sleep(0.2)
        self.look_at_what_must_never_be(kill)
        print(f"{kill} kills: converged in {time.monotonic() - begin:.1f} s", file=sys.stderr)
        self.drivers.go_on()

    def what_the_agent_does(self):
        """For a message: the pods as the agent sees them, where its threads are, what it said."""
        lines = [" ".join(self.cluster.world.podium("pods", "-n", load.NAMESPACE)[1:])]
        for task in pathlib.Path(f"/proc/{self.cluster.agent.pid}/task").glob("*"):
            try:
                lines.append(f"{task.name} {(task / 'comm').read_text().strip()} "
                             f"{(task / 'wchan').read_text()} {(task / 'syscall').read_text()}")
            except OSError as gone:
                lines.append(str(gone))
        return "\n".join([*lines, self.cluster.agent_log()[-20000:]])

    def look_at_what_must_never_be(self, kill):
        twice = self.marks / "twice"
        if twice.exists():
            self.fail(f"ran twice at the same time, after {kill} kills with seed {SEED}: "
                      f"{twice.read_text()}{self.cluster.agent_log()}")
        self.assertEqual(self.watcher.wrong, [], f"after {kill} kills with seed {SEED}")

    def test_everything_is_killed_while_pods_change(self):
        self.pull_images()
        self.watcher.start()
        self.addCleanup(self.watcher.end)
        self.addCleanup(self.drivers.end)
        self.drivers.start()
        worlds.wait_for("there are pods", lambda: len(self.drivers.pods) >= PODS or
                        self.drivers.problem, PATIENCE)
        for kill in range(1, KILLS + 1):
            time.sleep(self.rng.uniform(0, 0.3) if kill % 4 == 3 else self.rng.uniform(0.2, 1.5))
            self.kill()
            if kill % EVERY == 0 and kill < KILLS:
                self.converge(kill)
        self.converge(KILLS, last=LONG)
        self.drivers.end()
        print(f"{self.kills}, {self.drivers.counts}, {self.watcher.events} events of "
              f"{self.watcher.streams} watches", file=sys.stderr)
        for pod in list(self.drivers.pods.values()):
            status, answer = self.api.insist("DELETE", f"{load.PODS}/{pod.name}")
            self.assertEqual(status, 200, answer)
            pod.told_to_end = True
        self.drivers.pods.clear()
        self.converge(KILLS)
        self.assertEqual(self.files_left(), [])

    def files_left(self):
        """Of pods; images and what belongs to the node and the cluster may stay."""
        own = re.compile(r"run/(agent\.(log|lock|sock)|server\.sock)|"
                         r"data/(images|image_manager|places|roots|server|agent|pki)/.*")
        return sorted(
            str(path.relative_to(self.cluster.world.folder)) for top in ("run", "data", "log")
            for path in (self.cluster.world.folder / top).rglob("*")
            if not path.is_dir() and not own.fullmatch(
                str(path.relative_to(self.cluster.world.folder))))


if __name__ == "__main__":
    # It has not passed several times in a row yet since the last fault that it found was mended.
    if not LONG and "PODIUM_TEST_KILLS" not in os.environ:
        sys.exit(77)
    clusters.main()
