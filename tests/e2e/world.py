"""A machine of its own for a test: what is started here, and what pods do, cannot leave it.

enter() runs the test again in new network, mount and process namespaces; World then has a registry
on loopback with the images of images/, an instance of podium with folders and names of its own, and
looks at the end whether anything of it is left.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PODIUM = pathlib.Path(os.environ.get("PODIUM_BUILD_DIR", ROOT / "build/dev")) / "podium"
IMAGES = pathlib.Path(os.environ.get("PODIUM_IMAGE_CACHE") or ROOT / "build/images")
REGISTRY = "127.0.0.1:5000"
# What other machines would reach this one at.
ADDRESS = "192.0.2.10"
INSIDE = "PODIUM_TEST_INSIDE"
# Empty when no pod is.
OF_PODS = ("run/sandboxes", "run/pods", "data/pods", "data/containers")
# Empty when no agent is, either.
OF_AGENTS = ("data/roots",)


def enter():
    """Returns in the new namespaces, as a child of the process namespace's first process."""
    if INSIDE not in os.environ:
        if os.geteuid() != 0:
            print("skipped: pods take root")
            sys.exit(77)
        os.environ[INSIDE] = str(os.getpid())
        # --kill-child: whatever ends the test also ends all that it has started.
        os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
                              "--mount-proc", "--propagation", "private",
                              sys.executable, *sys.argv])
    child = os.fork()
    if child == 0:
        return
    # The first process gets the orphans of all others, and is the one that must wait for them.
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def wait_for(what, probe, seconds=30):
    """The first true value of probe(); fails when that takes longer."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def processes():
    """Process ids and what they are, as far as the process namespace goes."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(entry.name)] = name or stat[stat.index("("):stat.rindex(")") + 1]
    return found


def output_of(*command):
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {run.stderr}")
    return run.stdout


def mounts():
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return sorted(line.split()[4] for line in lines)


def environment_of(folder):
    """What an instance of the program sees that has its folders in this one."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
        "PODIUM_INSTANCE": "e2e-" + os.environ[INSIDE],
        **{f"PODIUM_{key.upper()}_DIR": str(folder / key)
           for key in ("data", "run", "log", "config", "cni")}}
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if key in os.environ:
            environment[key] = os.environ[key]
    return environment


class World:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="podium_e2e_"))
        self.environment = environment_of(self.folder)
        self.name = self.environment["PODIUM_INSTANCE"]
        self.registry = None
        self._pushed = set()
        self._pushing = threading.Lock()
        try:
            self.connect()
            self._start_registry()
        except BaseException:
            self._end_registry()
            raise
        self.before = self._traces()

    @staticmethod
    def connect():
        output_of("ip", "link", "set", "lo", "up")
        output_of("ip", "link", "add", "lan", "type", "veth", "peer", "name", "wire")
        output_of("ip", "address", "add", ADDRESS + "/24", "dev", "lan")
        for end in "lan", "wire":
            output_of("ip", "link", "set", end, "up")

    def _start_registry(self):
        config = self.folder / "registry.yml"
        config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: "
                          f"{self.folder}/registry}}}}\nhttp: {{addr: {REGISTRY}}}\n")
        with open(self.folder / "registry.log", "wb") as log:
            self.registry = subprocess.Popen(["docker-registry", "serve", config], stdout=log,
                                             stderr=log, stdin=subprocess.DEVNULL)
        wait_for("the registry answers", self._registry_answers)

    def _registry_answers(self):
        if self.registry.poll() is not None:
            raise AssertionError((self.folder / "registry.log").read_text())
        try:
            return self.fetch(f"http://{REGISTRY}/v2/") is not None
        except OSError:
            return False

    def _end_registry(self):
        if self.registry:
            self.registry.kill()
            self.registry.wait()
        shutil.rmtree(self.folder)

    def image(self, name):
        """An image of images/ in the registry; its name there. For any thread: the registry refuses
        one of two pushes of the same blob that meet ("digest invalid")."""
        there = f"{REGISTRY}/{name}"
        with self._pushing:
            if name not in self._pushed:
                output_of("skopeo", "copy", "--quiet", "--dest-tls-verify=false",
                          f"oci-archive:{IMAGES}/{name}.tar", f"docker://{there}:latest")
                self._pushed.add(name)
        return there

    @staticmethod
    def fetch(url, seconds=5):
        """The answer's text and its headers; no proxy is asked."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=seconds) as answer:
            return answer.read().decode(), answer.headers

    def manifest(self, text, folders=None):
        """A file of a manifest: images come from the registry, and host paths are replaced."""
        text = re.sub(r"(?m)^(\s*(?:- )?image: )([a-z-]+)$",
                      lambda found: found[1] + self.image(found[2]), text)
        for path, replacement in (folders or {}).items():
            text = text.replace(f"path: {path}\n", f"path: {replacement}\n")
        number, path = tempfile.mkstemp(suffix=".yaml", dir=self.folder)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def example(self, name, folders=None):
        return self.manifest((ROOT / "examples/play" / name).read_text(encoding="utf-8"), folders)

    def podium(self, *arguments, stdin="", seconds=60):
        """Runs the program; exit status, output, errors."""
        run = subprocess.run([PODIUM, *arguments], input=stdin, env=self.environment, text=True,
                             timeout=seconds, capture_output=True, check=False)
        return run.returncode, run.stdout, run.stderr

    def start(self, *arguments):
        """Runs the program in the background, with pipes."""
        return subprocess.Popen([PODIUM, *arguments], env=self.environment, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def pods(self):
        """By name."""
        status, out, err = self.podium("pods", "-o", "json")
        if status != 0:
            raise AssertionError(err)
        return {pod["metadata"]["name"]: pod for pod in json.loads(out)["items"]}

    def ready(self, name, seconds=40):
        """The pod as soon as it is ready."""
        def probe():
            pod = self.pods().get(name, {})
            conditions = {each["type"]: each["status"]
                          for each in pod.get("status", {}).get("conditions", [])}
            return conditions.get("Ready") == "True" and pod
        return self._wait_for_pod(name, "ready", probe, seconds)

    def phase(self, name, phase, seconds=40):
        """The pod as soon as it is in this phase."""
        def probe():
            pod = self.pods().get(name, {})
            return pod.get("status", {}).get("phase") == phase and pod
        return self._wait_for_pod(name, phase, probe, seconds)

    def _wait_for_pod(self, name, what, probe, seconds):
        try:
            return wait_for(f"{name} is {what}", probe, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{json.dumps(self.pods().get(name), indent=1)}\n"
                                 f"{self.agent_log()}") from None

    def agent_log(self):
        log = self.folder / "run/agent.log"
        return log.read_text(errors="replace")[-20000:] if log.exists() else ""

    def agent(self):
        """The agent's process id, or nothing."""
        for pid, command in processes().items():
            if command.startswith("podium agent"):
                return pid
        return None

    def stop_all(self):
        """Removes every pod; a moment later nothing of one may be left."""
        if self.agent():
            status, _, err = self.podium("stop", "--all", "-t", "0")
            if status != 0:
                raise AssertionError(err + self.agent_log())
        try:
            wait_for("nothing of a pod is left", lambda: not self._files_of_pods(), 10)
        except AssertionError:
            raise AssertionError(f"left of pods that are gone: {self._files_of_pods()}") from None

    def _files_of_pods(self, tops=OF_PODS):
        return sorted(str(path) for top in tops for path in (self.folder / top).glob("*"))

    def left(self):
        """What the instance has left on the machine: kinds of traces, as they were and are."""
        now = self._traces()
        return {key: (self.before[key], now[key]) for key in now if self.before[key] != now[key]}

    def _traces(self):
        """What a machine shows of an instance that runs, or has not cleaned up."""
        own = {1, os.getpid(), self.registry.pid}
        return {
            "processes": sorted(f"{pid} {command}" for pid, command in processes().items()
                                if pid not in own),
            "mounts": mounts(),
            "interfaces": sorted(each["ifname"]
                                 for each in json.loads(output_of("ip", "-json", "link"))),
            "rules": output_of("nft", "list", "ruleset"),
            "cgroups": sorted(path for path, _, _ in os.walk("/sys/fs/cgroup")
                              if f"podium-{self.name}" in path),
            "files": self._files_of_pods(OF_PODS + OF_AGENTS),
        }

    def close(self):
        """Ends everything, and fails if the instance leaves anything behind."""
        try:
            problem = None
            try:
                self.stop_all()
            except (AssertionError, subprocess.TimeoutExpired) as failed:
                problem = failed
            # An agent that play started goes by itself a few seconds after the last pod.
            try:
                wait_for("nothing is left", lambda: not self.left(), 20)
            except AssertionError:
                raise AssertionError(f"left behind (before, now): {self.left()}\n"
                                     f"{self.agent_log()}") from problem
            if problem:
                raise problem
        finally:
            self._end_registry()
