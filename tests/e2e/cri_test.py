#!/usr/bin/env python3
"""`podium cri` as kubelets, crictl and critest use it: every call of the CRI by a real client of
gRPC, with real images, and the streams of exec, attach and port-forward by SPDY and WebSockets. What
is tried, and in which order, is what critest validates (kubernetes-sigs/cri-tools, pkg/validate).

PODIUM_BUILD_DIR names the build.
"""

import base64
import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.parse

import cri_client
import fake_node
import world as worlds
from cri_client import grpc

CODE = grpc.StatusCode
CGROUPS = pathlib.Path("/sys/fs/cgroup")


class CriServer:
    """The program, in a world of its own."""

    def __init__(self, world):
        self.world = world
        self.socket = world.folder / "cri.sock"
        self.process = None
        self.client = None

    def start(self, *options):
        read, write = os.pipe()
        with open(self.world.folder / "cri.log", "ab") as log:
            self.process = subprocess.Popen(
                [worlds.PODIUM, "cri", "--socket", self.socket, f"--ready-fd={write}", *options],
                env=self.world.environment, pass_fds=[write], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        os.close(write)
        ready = os.read(read, 1)
        os.close(read)
        if ready != b"1":
            raise AssertionError(self.log())
        self.client = cri_client.Client(self.socket)

    def end(self, how=signal.SIGTERM):
        self.client.close()
        self.process.send_signal(how)
        return self.process.wait(30)

    def log(self):
        return (self.world.folder / "cri.log").read_text(errors="replace")


WORLD = None
SERVER = None


def setUpModule():
    global WORLD, SERVER
    worlds.enter()
    WORLD = worlds.World()
    SERVER = CriServer(WORLD)
    SERVER.start()


def tearDownModule():
    status = SERVER.end()
    log = SERVER.log()
    WORLD.close()
    if status != 0:
        raise AssertionError(f"podium cri ended with {status}:\n{log}")


class CriCase(unittest.TestCase):
    number = 0

    @property
    def client(self):
        return SERVER.client

    def refused(self, code, call, **fields):
        """The message of a call that is refused so."""
        with self.assertRaises(grpc.RpcError) as raised:
            answer = call(**fields)
            if hasattr(answer, "__next__"):
                list(answer)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        return raised.exception.details()

    def pull(self, name="busybox"):
        there = WORLD.image(name)
        self.client.PullImage(image={"image": there})
        return there

    def sandbox_config(self, **more):
        CriCase.number += 1
        name = f"pod-{CriCase.number}"
        logs = WORLD.folder / "log" / name
        logs.mkdir(parents=True, exist_ok=True)
        return {"metadata": {"name": name, "uid": f"uid-{name}", "namespace": "tests"},
                "log_directory": str(logs), "labels": {"test": self.id()}, **more}

    def sandbox(self, **more):
        config = self.sandbox_config(**more)
        pod = self.client.RunPodSandbox(config=config).pod_sandbox_id
        # By the client that there is then.
        self.addCleanup(lambda: self.client.RemovePodSandbox(pod_sandbox_id=pod))
        self.addCleanup(lambda: self.client.StopPodSandbox(pod_sandbox_id=pod))
        return pod, config

    def container(self, sandbox, command, name="main", start=True, image=None, **more):
        pod, config = sandbox
        made = self.client.CreateContainer(
            pod_sandbox_id=pod, sandbox_config=config,
            config={"metadata": {"name": name}, "image": {"image": image or self.pull()},
                    "command": command, "log_path": f"{name}.log", **more},
        ).container_id
        if start:
            self.client.StartContainer(container_id=made)
        return made

    def stubborn(self):
        """Ignores TERM, from now on."""
        main = self.container(self.sandbox(),
                              ["sh", "-c", "trap '' TERM; touch /tmp/ready; sleep 1000"])
        waiting = "until [ -e /tmp/ready ]; do sleep 0.05; done"
        self.assertEqual(self.run_sync(main, "sh", "-c", waiting)[0], 0)
        return main

    def state(self, container):
        return self.client.ContainerStatus(container_id=container).status

    def exited(self, container):
        exited = cri_client.MESSAGES["ContainerStatus"].DESCRIPTOR.fields_by_name[
            "state"].enum_type.values_by_name["CONTAINER_EXITED"].number
        return worlds.wait_for("the container has ended", lambda: (
            self.state(container).state == exited and self.state(container)))

    def run_sync(self, container, *command, timeout=20):
        done = self.client.ExecSync(container_id=container, cmd=command, timeout=timeout)
        return done.exit_code, done.stdout.decode(), done.stderr.decode()


class RuntimeInfoTest(CriCase):
    def test_version(self):
        version = self.client.Version(version="v1")
        self.assertEqual((version.version, version.runtime_name, version.runtime_api_version),
                         ("0.1.0", "podium", "v1"))
        self.assertTrue(version.runtime_version)

    def test_status(self):
        status = self.client.Status()
        self.assertEqual({each.type: each.status for each in status.status.conditions},
                         {"RuntimeReady": True, "NetworkReady": True})
        self.assertEqual(dict(status.info), {})
        self.assertIn("", [each.name for each in status.runtime_handlers])
        info = json.loads(self.client.Status(verbose=True).info["config"])
        self.assertEqual(info["socket"], str(SERVER.socket))

    def test_config(self):
        self.assertEqual(self.client.RuntimeConfig().linux.cgroup_driver, 1)  # CGROUPFS
        self.client.UpdateRuntimeConfig()
        self.client.UpdateRuntimeConfig(runtime_config={"network_config": {"pod_cidr": ""}})
        text = self.refused(CODE.FAILED_PRECONDITION, self.client.UpdateRuntimeConfig,
                            runtime_config={"network_config": {"pod_cidr": "10.9.0.0/24"}})
        self.assertIn("not of 10.9.0.0/24", text)

    def test_a_second_one_is_refused(self):
        status, _, err = WORLD.podium("cri", "--socket", str(WORLD.folder / "other.sock"))
        self.assertEqual(status, 1)
        self.assertIn("runs already", err)


class SandboxTest(CriCase):
    def test_life(self):
        pod, config = self.sandbox(annotations={"a": "b"})
        name = config["metadata"]["name"]
        status = self.client.PodSandboxStatus(pod_sandbox_id=pod).status
        self.assertEqual((status.id, status.state, status.metadata.name, dict(status.annotations)),
                         (pod, 0, name, {"a": "b"}))
        self.assertRegex(status.network.ip, r"^\d+\.\d+\.\d+\.\d+$")
        verbose = self.client.PodSandboxStatus(pod_sandbox_id=pod, verbose=True)
        self.assertGreater(json.loads(verbose.info["info"])["pid"], 0)
        text = self.refused(CODE.ALREADY_EXISTS, self.client.RunPodSandbox, config=config)
        self.assertIn(name, text)
        for _ in range(2):  # idempotent
            self.client.StopPodSandbox(pod_sandbox_id=pod)
            self.assertEqual(self.client.PodSandboxStatus(pod_sandbox_id=pod).status.state, 1)
        for _ in range(2):
            self.client.RemovePodSandbox(pod_sandbox_id=pod)
        self.refused(CODE.NOT_FOUND, self.client.PodSandboxStatus, pod_sandbox_id=pod)
        self.client.StopPodSandbox(pod_sandbox_id=pod)

    def test_lists_and_filters(self):
        pod, _ = self.sandbox(labels={"key": "one"})
        other, _ = self.sandbox(labels={"key": "two"})
        for label, found in ("one", [pod]), ("two", [other]), ("no", []):
            filter_ = {"label_selector": {"key": label}}
            self.assertEqual([each.id for each in self.client.ListPodSandbox(filter=filter_).items],
                             found)
            streamed = self.client.StreamPodSandboxes(filter=filter_)
            self.assertEqual([each.id for part in streamed for each in part.pod_sandboxes], found)
        self.assertEqual([each.id for each in self.client.ListPodSandbox(
            filter={"id": pod, "state": {"state": "SANDBOX_READY"}}).items], [pod])
        self.assertEqual(len(self.client.ListPodSandbox(filter={"id": "nothing"}).items), 0)
        self.assertLessEqual({pod, other}, {each.id for each in self.client.ListPodSandbox().items})

    def test_what_is_refused(self):
        self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, self.client.RunPodSandbox),
                         "missing required config")
        self.assertIn("metadata", self.refused(CODE.INVALID_ARGUMENT, self.client.RunPodSandbox,
                                               config={"hostname": "box"}))
        self.refused(CODE.INVALID_ARGUMENT, self.client.RunPodSandbox,
                     config=self.sandbox_config(), runtime_handler="gvisor")

    def test_surroundings(self):
        pod, config = self.sandbox(
            hostname="box", dns_config={"servers": ["10.9.9.9"], "searches": ["example.org"],
                                        "options": ["ndots:3"]},
            linux={"sysctls": {"net.ipv4.ip_forward": "1"}})
        main = self.container((pod, config), ["sleep", "1000"])
        self.assertEqual(self.run_sync(main, "hostname"), (0, "box\n", ""))
        self.assertEqual(self.run_sync(main, "cat", "/etc/resolv.conf")[1],
                         "search example.org\nnameserver 10.9.9.9\noptions ndots:3\n")
        self.assertEqual(self.run_sync(main, "cat", "/proc/sys/net/ipv4/ip_forward")[1], "1\n")


class CgroupTest(CriCase):
    """cgroup_parent is the kubelet's: from the root of the hierarchy on, and not to be touched."""

    def cgroups_of(self, container):
        pid = json.loads(self.client.ContainerStatus(container_id=container, verbose=True)
                         .info["info"])["pid"]
        return {line.split(":", 2)[2] for line in
                pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()}

    @staticmethod
    def folders(name):
        return [pathlib.Path(path) for path, _, _ in os.walk(CGROUPS) if path.endswith("/" + name)]

    def drop(self, *names):
        for name in names:
            for folder in self.folders(name):
                folder.rmdir()

    def test_parents(self):
        unique = f"podium{os.getpid()}"
        for given, folder in (
                (f"/{unique}/burstable/pod1", f"{unique}/burstable/pod1"),
                (f"{unique}-pod2.slice", f"{unique}.slice/{unique}-pod2.slice"),
                (f"/{unique}.slice/{unique}-pod3.slice", f"{unique}.slice/{unique}-pod3.slice")):
            with self.subTest(given):
                pod, config = self.sandbox(linux={"cgroup_parent": given, "resources": {
                    "memory_limit_in_bytes": 64 << 20}})
                main = self.container((pod, config), ["sleep", "1000"])
                self.assertIn(f"/{folder}/{main}", self.cgroups_of(main))
                for limit in self.folders(folder):
                    file = limit / "memory.limit_in_bytes"
                    if file.exists():  # theirs to set
                        self.assertGreater(int(file.read_text()), 1 << 40)
                self.client.StopPodSandbox(pod_sandbox_id=pod)
                self.client.RemovePodSandbox(pod_sandbox_id=pod)
                worlds.wait_for("the container's cgroup has gone",
                                lambda name=main: not self.folders(name))
                self.assertTrue(self.folders(folder), "the parent is its owner's to remove")
        self.drop(f"{unique}/burstable/pod1", f"{unique}/burstable", unique,
                  f"{unique}.slice/{unique}-pod2.slice", f"{unique}.slice/{unique}-pod3.slice",
                  f"{unique}.slice")

    def test_two_in_one_parent(self):
        """One that ends takes nothing of the other's with it."""
        unique = f"podium-shared{os.getpid()}"
        both = [self.sandbox(linux={"cgroup_parent": "/" + unique}) for _ in range(2)]
        mains = [self.container(each, ["sleep", "1000"]) for each in both]
        self.client.StopPodSandbox(pod_sandbox_id=both[0][0])
        self.client.RemovePodSandbox(pod_sandbox_id=both[0][0])
        self.assertEqual(self.run_sync(mains[1], "echo", "here"), (0, "here\n", ""))
        self.client.RemovePodSandbox(pod_sandbox_id=both[1][0])
        worlds.wait_for("the cgroup is empty", lambda: not self.folders(mains[1]))
        self.drop(unique)

    def test_none_and_wrong_ones(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        self.assertTrue(any(f"/podium-{WORLD.name}/pods/" in each
                            for each in self.cgroups_of(main)), self.cgroups_of(main))
        for parent in "/a/../b", "a--b.slice", "-a.slice":
            self.refused(CODE.INVALID_ARGUMENT, self.client.RunPodSandbox,
                         config=self.sandbox_config(linux={"cgroup_parent": parent}))


class ContainerTest(CriCase):
    def test_life(self):
        sandbox = self.sandbox()
        main = self.container(sandbox, ["sh", "-c", "echo out; echo err >&2; exec sleep 1000"],
                              start=False, labels={"a": "b"}, annotations={"c": "d"})
        status = self.state(main)
        self.assertEqual((status.state, status.metadata.name, dict(status.labels),
                          dict(status.annotations)), (0, "main", {"a": "b"}, {"c": "d"}))
        self.assertEqual(status.log_path, sandbox[1]["log_directory"] + "/main.log")
        self.assertTrue(status.image_ref)
        self.client.StartContainer(container_id=main)
        self.assertEqual(self.state(main).state, 1)
        self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, self.client.StartContainer,
                                      container_id=main),
                         "container is in CONTAINER_RUNNING state")
        log = pathlib.Path(sandbox[1]["log_directory"], "main.log")
        worlds.wait_for("what it prints", lambda: log.read_text().count("\n") == 2)
        for _ in range(2):
            self.client.StopContainer(container_id=main, timeout=0)
        status = self.exited(main)
        self.assertEqual((status.exit_code, status.reason), (137, "Error"))
        for _ in range(2):
            self.client.RemoveContainer(container_id=main)
        self.refused(CODE.NOT_FOUND, self.client.ContainerStatus, container_id=main)
        lines = log.read_text().splitlines()
        self.assertEqual(sorted(line.split(" ", 1)[1] for line in lines),
                         ["stderr F err", "stdout F out"])

    def test_what_was_never_there(self):
        name = "0f8fad5b-d9cb-469f-a165-70867728950e"
        self.client.StopContainer(container_id=name, timeout=0)
        self.client.RemoveContainer(container_id=name)
        self.client.StopPodSandbox(pod_sandbox_id=name)
        self.client.RemovePodSandbox(pod_sandbox_id=name)
        self.refused(CODE.NOT_FOUND, self.client.ContainerStatus, container_id=name)

    def test_no_log(self):
        config = self.sandbox_config()
        del config["log_directory"]
        pod = self.client.RunPodSandbox(config=config).pod_sandbox_id
        self.addCleanup(lambda: self.client.RemovePodSandbox(pod_sandbox_id=pod))
        main = self.container((pod, config), ["sh", "-c", "echo hello"], log_path="")
        self.assertEqual((self.exited(main).exit_code, self.state(main).log_path), (0, ""))

    def test_exit_codes(self):
        sandbox = self.sandbox()
        good = self.container(sandbox, ["true"], "good")
        bad = self.container(sandbox, ["sh", "-c", "exit 7"], "bad")
        self.assertEqual((self.exited(good).exit_code, self.state(good).reason), (0, "Completed"))
        self.assertEqual((self.exited(bad).exit_code, self.state(bad).reason), (7, "Error"))
        none = self.container(sandbox, ["/no/such/program"], "none", start=False)
        with self.assertRaises(grpc.RpcError):
            self.client.StartContainer(container_id=none)
        self.assertEqual((self.state(none).exit_code, self.state(none).reason), (128, "StartError"))

    def test_lists_and_filters(self):
        sandbox = self.sandbox()
        one = self.container(sandbox, ["sleep", "1000"], "one", labels={"key": "one"})
        two = self.container(sandbox, ["sleep", "1000"], "two", start=False, labels={"key": "two"})
        for filter_, found in (({"id": one}, [one]), ({"id": "nothing"}, []),
                               ({"pod_sandbox_id": sandbox[0]}, [one, two]),
                               ({"pod_sandbox_id": sandbox[0],
                                 "state": {"state": "CONTAINER_RUNNING"}}, [one]),
                               ({"label_selector": {"key": "two"}}, [two])):
            with self.subTest(filter_):
                self.assertCountEqual([each.id for each in self.client.ListContainers(
                    filter=filter_).containers], found)
                self.assertCountEqual(
                    [each.id for part in self.client.StreamContainers(filter=filter_)
                     for each in part.containers], found)

    def test_what_is_refused(self):
        pod, _ = self.sandbox()
        self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, self.client.CreateContainer,
                                      pod_sandbox_id=pod), "missing required config")
        config = {"metadata": {"name": "main"}, "image": {"image": "127.0.0.1:5000/nothing"}}
        self.refused(CODE.NOT_FOUND, self.client.CreateContainer, pod_sandbox_id=pod, config=config)
        config["image"]["image"] = self.pull()
        self.refused(CODE.NOT_FOUND, self.client.CreateContainer, pod_sandbox_id="0" * 64,
                     config=config)
        text = self.refused(CODE.UNIMPLEMENTED, self.client.CheckpointContainer,
                            container_id="a", location="/b")
        self.assertEqual(text, "checkpoints of containers are not supported yet")

    def test_mounts_and_environment(self):
        folder = WORLD.folder / "mounted"
        folder.mkdir()
        (folder / "file").write_text("hello")
        main = self.container(
            self.sandbox(), ["sleep", "1000"], envs=[{"key": "WORD", "value": b"hi"}],
            working_dir="/mnt", mounts=[{"host_path": str(folder), "container_path": "/mnt/here",
                                         "readonly": True}])
        self.assertEqual(self.run_sync(main, "sh", "-c", "pwd; echo $WORD; cat here/file"),
                         (0, "/mnt\nhi\nhello", ""))
        self.assertEqual(self.run_sync(main, "touch", "/mnt/here/new")[0], 1)

    def test_resources(self):
        main = self.container(self.sandbox(), ["sleep", "1000"], linux={
            "resources": {"cpu_shares": 512, "memory_limit_in_bytes": 64 << 20}})
        resources = self.state(main).resources.linux
        self.assertEqual((resources.cpu_shares, resources.memory_limit_in_bytes), (512, 64 << 20))
        self.client.UpdateContainerResources(container_id=main, linux={
            "cpu_shares": 256, "memory_limit_in_bytes": 128 << 20})
        resources = self.state(main).resources.linux
        self.assertEqual((resources.cpu_shares, resources.memory_limit_in_bytes), (256, 128 << 20))
        limit = [path for path in CgroupTest.folders(main) if "memory" in str(path)]
        for folder in limit:
            self.assertEqual((folder / "memory.limit_in_bytes").read_text(), f"{128 << 20}\n")
        self.refused(CODE.NOT_FOUND, self.client.UpdateContainerResources, container_id="0" * 64,
                     linux={"cpu_shares": 2})

    def test_pod_resources(self):
        pod, config = self.sandbox()
        main = self.container((pod, config), ["sleep", "1000"])
        self.client.UpdatePodSandboxResources(pod_sandbox_id=pod, resources={
            "memory_limit_in_bytes": 96 << 20})
        folders = [path.parent for path in CgroupTest.folders(main) if "memory" in str(path)]
        for folder in folders:
            self.assertEqual((folder / "memory.limit_in_bytes").read_text(), f"{96 << 20}\n")
        self.refused(CODE.NOT_FOUND, self.client.UpdatePodSandboxResources,
                     pod_sandbox_id="0" * 64, resources={"cpu_shares": 2})

    def test_logs_are_reopened(self):
        sandbox = self.sandbox()
        main = self.container(sandbox, ["sh", "-c",
                                        "i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done"])
        log = pathlib.Path(sandbox[1]["log_directory"], "main.log")
        worlds.wait_for("a line is there", lambda: log.exists() and log.read_text())
        log.rename(log.with_suffix(".1"))
        self.client.ReopenContainerLog(container_id=main)
        worlds.wait_for("the new log has a line", lambda: log.exists() and log.read_text())
        numbers = [int(line.split()[-1]) for path in (log.with_suffix(".1"), log)
                   for line in path.read_text().splitlines()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.client.StopContainer(container_id=main, timeout=0)
        with self.assertRaises(grpc.RpcError):
            self.client.ReopenContainerLog(container_id=main)


class ExecSyncTest(CriCase):
    def test_exec_sync(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        self.assertEqual(self.run_sync(main, "sh", "-c", "echo out; echo err >&2; exit 3"),
                         (3, "out\n", "err\n"))
        begun = time.monotonic()
        text = self.refused(CODE.DEADLINE_EXCEEDED, self.client.ExecSync, container_id=main,
                            cmd=["sleep", "1000"], timeout=1)
        self.assertIn("timed out", text)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, self.client.ExecSync,
                                      container_id=main), "missing required cmd")
        self.refused(CODE.NOT_FOUND, self.client.ExecSync, container_id="0" * 64, cmd=["true"])

    def test_no_command_outlives_its_call(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        self.refused(CODE.DEADLINE_EXCEEDED, self.client.ExecSync, container_id=main,
                     cmd=["sleep", "1234"], timeout_=0.5)
        worlds.wait_for("it is gone", lambda: "1234" not in self.run_sync(main, "ps")[1])


class StreamCase(CriCase):
    """Clients of the URLs that Exec, Attach and PortForward answer with."""

    def upgraded(self, url, fields):
        place = urllib.parse.urlsplit(url)
        self.assertEqual((place.scheme, place.hostname), ("http", "127.0.0.1"))
        stream = socket.create_connection((place.hostname, place.port), 10)
        self.addCleanup(stream.close)
        connection = fake_node.Connection(stream)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        verb = "GET" if "Sec-WebSocket-Key" in fields else "POST"
        connection.send(f"{verb} {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
                        f"Connection: Upgrade\r\n{lines}\r\n".encode())
        line, _ = connection.head()
        return int(line.split()[1]), connection

    def spdy(self, url, protocol="v4.channel.k8s.io"):
        status, connection = self.upgraded(
            url, {"Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocol})
        self.assertEqual(status, 101)
        return fake_node.Spdy(connection.take, connection.send)

    def run_spdy(self, url, roles, stdin=b"", stop=None):
        """What came on each stream, until the error stream ends or `stop` was said."""
        spdy = self.spdy(url)
        ids = {role: 2 * i + 1 for i, role in enumerate(roles)}
        for role, number in ids.items():
            spdy.open(number, [(b"streamtype", role.encode())])
        if "stdin" in ids:
            spdy.data(ids["stdin"], stdin, last=stop is None)
        said = {role: b"" for role in roles}
        by_id = {number: role for role, number in ids.items()}
        for number, data, last in spdy.events():
            said[by_id[number]] += data
            if (by_id[number] == "error" and last) or (stop and stop in said["stdout"]):
                return said
        return said

    def web_socket(self, url, protocol):
        status, connection = self.upgraded(url, {
            "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
            "Sec-WebSocket-Protocol": protocol})
        self.assertEqual(status, 101)
        return connection

    @staticmethod
    def masked(data):
        size = (bytes([0x80 | len(data)]) if len(data) < 126
                else b"\xfe" + len(data).to_bytes(2, "big"))
        return b"\x82" + size + bytes(4) + data


class StreamTest(StreamCase):
    def test_exec_by_spdy(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        url = self.client.Exec(container_id=main, cmd=["sh", "-c", "cat; echo err >&2; exit 3"],
                               stdin=True, stdout=True, stderr=True).url
        said = self.run_spdy(url, ["error", "stdin", "stdout", "stderr"], b"hello")
        self.assertEqual((said["stdout"], said["stderr"]), (b"hello", b"err\n"))
        status = json.loads(said["error"])
        self.assertEqual((status["reason"], status["details"]["causes"]),
                         ("NonZeroExitCode", [{"reason": "ExitCode", "message": "3"}]))
        # It counted once.
        self.assertEqual(self.upgraded(url, {"Upgrade": "SPDY/3.1"})[0], 404)

    def test_exec_in_a_terminal(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        url = self.client.Exec(container_id=main, cmd=["sh"], tty=True, stdin=True,
                               stdout=True).url
        said = self.run_spdy(url, ["error", "stdin", "stdout", "resize"], b"tty\n",
                             stop=b"/dev/pts/")
        self.assertIn(b"/dev/pts/", said["stdout"])

    def test_exec_by_web_sockets(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        for protocol in "v5.channel.k8s.io", "v4.channel.k8s.io":
            with self.subTest(protocol):
                url = self.client.Exec(container_id=main, cmd=["head", "-c", "5"], stdin=True,
                                       stdout=True).url
                connection = self.web_socket(url, protocol)
                connection.send(self.masked(b"\x00hello"))
                reader = fake_node.WebSocket(connection)
                said, opcode = {}, 2
                while opcode != 8:
                    opcode, data = reader.read()
                    if opcode != 8 and data:
                        said[data[0]] = said.get(data[0], b"") + data[1:]
                self.assertEqual(said[1], b"hello")
                self.assertEqual(json.loads(said[3])["status"], "Success")

    def test_attach(self):
        main = self.container(self.sandbox(), ["sh", "-c", "read line; echo got $line; sleep 1000"],
                              stdin=True)
        url = self.client.Attach(container_id=main, stdin=True, stdout=True, stderr=True).url
        said = self.run_spdy(url, ["error", "stdin", "stdout", "stderr"], b"this\n", stop=b"\n")
        self.assertEqual(said["stdout"], b"got this\n")

    def serve(self):
        """A sandbox that answers at port 80, and its page."""
        sandbox = self.sandbox()
        main = self.container(sandbox, ["sh", "-c", "mkdir /www && echo page > /www/index.html && "
                                                    "exec busybox httpd -f -p 80 -h /www"])
        waiting = "until wget -q -O /dev/null http://127.0.0.1/; do sleep 0.05; done"
        self.assertEqual(self.run_sync(main, "sh", "-c", waiting)[0], 0)
        return sandbox[0]

    def test_port_forward_by_spdy(self):
        pod = self.serve()
        url = self.client.PortForward(pod_sandbox_id=pod, port=[80]).url
        spdy = self.spdy(url, "portforward.k8s.io")
        for number, kind in (1, b"error"), (3, b"data"):
            spdy.open(number, [(b"streamtype", kind), (b"port", b"80"), (b"requestid", b"0")])
        spdy.data(3, b"GET / HTTP/1.0\r\n\r\n")
        said = b""
        for number, data, last in spdy.events():
            if number == 3:
                said += data
                if last:
                    break
        self.assertTrue(said.endswith(b"\r\n\r\npage\n"), said)

    def test_port_forward_by_web_sockets(self):
        pod = self.serve()
        url = self.client.PortForward(pod_sandbox_id=pod, port=[80]).url
        connection = self.web_socket(url, "v4.channel.k8s.io")
        connection.send(self.masked(b"\x00GET / HTTP/1.0\r\n\r\n"))
        reader = fake_node.WebSocket(connection)
        said = b""
        while b"page" not in said:
            _, data = reader.read()
            said += data[1:] if data[0] == 0 else b""
        self.assertTrue(said.startswith(b"\x50\x00HTTP/1."), said)

    def test_what_is_refused(self):
        pod, config = self.sandbox()
        main = self.container((pod, config), ["sleep", "1000"], start=False)
        exec_ = self.client.Exec
        for fields, text in (
                ({}, "missing required container_id"),
                ({"container_id": main, "cmd": ["sh"]},
                 "one of stdin, stdout, or stderr must be set"),
                ({"container_id": main, "cmd": ["sh"], "tty": True, "stdout": True,
                  "stderr": True}, "tty and stderr cannot both be true"),
                ({"container_id": main, "stdout": True}, "missing required cmd")):
            self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, exec_, **fields), text)
        self.refused(CODE.FAILED_PRECONDITION, exec_, container_id=main, cmd=["sh"], stdout=True)
        self.refused(CODE.NOT_FOUND, self.client.Attach, container_id="0" * 64, stdout=True)
        self.refused(CODE.INVALID_ARGUMENT, self.client.PortForward, pod_sandbox_id=pod, port=[0])
        self.client.StopPodSandbox(pod_sandbox_id=pod)
        self.refused(CODE.FAILED_PRECONDITION, self.client.PortForward, pod_sandbox_id=pod,
                     port=[80])

    def test_urls_are_nobodys_to_guess(self):
        main = self.container(self.sandbox(), ["sleep", "1000"])
        url = self.client.Exec(container_id=main, cmd=["true"], stdout=True).url
        place = urllib.parse.urlsplit(url)
        self.assertRegex(place.path, r"^/exec/[0-9a-f-]{36}$")
        other = place._replace(path="/exec/" + "0" * 36).geturl()
        self.assertEqual(self.upgraded(other, {"Upgrade": "SPDY/3.1"})[0], 404)
        attach = place._replace(path=place.path.replace("exec", "attach")).geturl()
        self.assertEqual(self.upgraded(attach, {"Upgrade": "SPDY/3.1"})[0], 404)
        with self.assertRaises(urllib.error.HTTPError) as plain:
            WORLD.fetch(url)
        self.assertEqual(plain.exception.code, 400)
        self.assertEqual(self.run_spdy(url, ["error", "stdout"])["stdout"], b"")


class ImageTest(CriCase):
    def test_life(self):
        there = WORLD.image("busybox") + ":latest"
        self.client.RemoveImage(image={"image": there})
        self.assertFalse(self.client.ImageStatus(image={"image": there}).HasField("image"))
        reference = self.client.PullImage(image={"image": there}).image_ref
        status = self.client.ImageStatus(image={"image": there}, verbose=True)
        self.assertEqual(status.image.id, reference)
        self.assertEqual(list(status.image.repo_tags), [there])
        self.assertRegex(status.image.repo_digests[0], r"^127\.0\.0\.1:5000/busybox@sha256:")
        self.assertGreater(status.image.size, 1000)
        self.assertEqual(json.loads(status.info["info"])["imageSpec"]["os"], "linux")
        for name in (reference, status.image.repo_digests[0], there[:-len(":latest")]):
            self.assertEqual(self.client.ImageStatus(image={"image": name}).image.id, reference)
            for found in (self.client.ListImages(filter={"image": {"image": name}}).images,
                          [each for part in self.client.StreamImages(
                              filter={"image": {"image": name}}) for each in part.images]):
                self.assertEqual([each.id for each in found], [reference])
        self.assertIn(reference, [each.id for each in self.client.ListImages().images])
        self.assertEqual(len(self.client.ListImages(
            filter={"image": {"image": "nothing"}}).images), 0)
        for _ in range(2):
            self.client.RemoveImage(image={"image": reference})
        self.assertEqual([each.id for each in self.client.ListImages().images
                          if each.id == reference], [])

    def test_one_identifier(self):
        """A MUST of the CRI from release 1.36 on."""
        there = WORLD.image("busybox")
        reference = self.client.PullImage(image={"image": there}).image_ref
        main = self.container(self.sandbox(), ["true"], image=reference)
        listed = self.client.ListContainers(filter={"id": main}).containers[0]
        self.assertEqual({reference}, {
            self.client.ImageStatus(image={"image": there}).image.id, listed.image_id,
            self.state(main).image_id})

    def test_what_is_gone_already(self):
        reference = self.client.PullImage(image={"image": WORLD.image("busybox")}).image_ref

        def remove(_):
            self.client.RemoveImage(image={"image": reference})
            return self.client.ImageStatus(image={"image": reference}).HasField("image")

        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            self.assertEqual(list(pool.map(remove, range(5))), [False] * 5)
        for name in "0" * 64, "sha256:" + "0" * 64, "nothing", "example.org/a:1":
            with self.subTest(name):
                self.client.RemoveImage(image={"image": name})
                self.assertFalse(self.client.ImageStatus(image={"image": name}).HasField("image"))

    def test_what_is_refused(self):
        self.refused(CODE.NOT_FOUND, self.client.PullImage,
                     image={"image": worlds.REGISTRY + "/nothing"})
        for call in self.client.PullImage, self.client.ImageStatus, self.client.RemoveImage:
            self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, call), "image is required")
        self.refused(CODE.INVALID_ARGUMENT, self.client.PullImage, image={"image": "A B"})
        self.refused(CODE.INVALID_ARGUMENT, self.client.PullImage,
                     image={"image": WORLD.image("busybox")}, auth={"auth": "no base64"})

    def test_an_image_in_use(self):
        """Its names go, its files stay as long as they are used."""
        main = self.container(self.sandbox(), ["sleep", "1000"])
        self.client.RemoveImage(image={"image": self.state(main).image_ref})
        self.assertEqual(self.run_sync(main, "busybox", "true")[0], 0)

    def test_file_systems(self):
        self.pull()
        info = self.client.ImageFsInfo()
        for each in info.image_filesystems[0], info.container_filesystems[0]:
            self.assertEqual(each.fs_id.mountpoint, str(WORLD.folder / "data/images"))
            self.assertGreater(each.used_bytes.value, 0)
            self.assertGreater(each.inodes_used.value, 0)
            self.assertAlmostEqual(each.timestamp / 1e9, time.time(), delta=60)


class CredentialsTest(CriCase):
    """A registry that asks who one is."""
    PLACE = "127.0.0.1:5001"

    @classmethod
    def setUpClass(cls):
        WORLD.image("busybox")
        folder = WORLD.folder / "guarded"
        folder.mkdir()
        # someone:secret
        (folder / "htpasswd").write_text(
            "someone:$2y$05$YTY9RyQ7ZMMgkZrHtScg7uc4REv9.0oj5XDuDzl3xEJxazVsEhalm\n")
        (folder / "config.yml").write_text(
            "version: 0.1\n"
            f"storage: {{filesystem: {{rootdirectory: {WORLD.folder}/registry}}}}\n"
            f"http: {{addr: {cls.PLACE}}}\n"
            f"auth: {{htpasswd: {{realm: here, path: {folder}/htpasswd}}}}\n")
        with open(folder / "log", "wb") as log:
            registry = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"],
                                        stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        cls.addClassCleanup(registry.wait)
        cls.addClassCleanup(registry.kill)
        worlds.wait_for("the registry answers", cls.asks)

    @classmethod
    def asks(cls):
        try:
            WORLD.fetch(f"http://{cls.PLACE}/v2/")
        except OSError as error:
            return getattr(error, "code", 0) == 401
        return False

    def test_credentials(self):
        image = {"image": self.PLACE + "/busybox"}
        good = base64.b64encode(b"someone:secret").decode()
        for auth in ({"username": "someone", "password": "secret"}, {"auth": good},
                     {"auth": good, "server_address": f"http://{self.PLACE}/v2/"}):
            with self.subTest(auth):
                reference = self.client.PullImage(image=image, auth=auth).image_ref
                self.assertEqual(self.client.ImageStatus(image=image).image.id, reference)
                self.client.RemoveImage(image={"image": reference})
        for auth in ({}, {"username": "someone", "password": "wrong"},
                     {"auth": good, "server_address": "http://example.org"}):
            with self.subTest(auth):
                self.refused(CODE.UNAUTHENTICATED, self.client.PullImage, image=image, auth=auth)


class StatsTest(CriCase):
    def test_stats(self):
        pod, config = self.sandbox(labels={"stats": "yes"})
        main = self.container((pod, config), ["sleep", "1000"], labels={"stats": "yes"})
        stats = self.client.ContainerStats(container_id=main).stats
        self.assertEqual((stats.attributes.id, stats.attributes.metadata.name), (main, "main"))
        self.assertGreater(stats.memory.usage_bytes.value, 0)
        self.assertGreater(stats.cpu.usage_core_nano_seconds.value, 0)
        for filter_ in {"id": main}, {"pod_sandbox_id": pod}, {"label_selector": {"stats": "yes"}}:
            lists = (self.client.ListContainerStats(filter=filter_).stats,
                     [each for part in self.client.StreamContainerStats(filter=filter_)
                      for each in part.container_stats])
            for found in lists:
                self.assertEqual([each.attributes.id for each in found], [main])
        self.assertEqual(len(self.client.ListContainerStats(filter={"id": "nothing"}).stats), 0)
        of_pod = self.client.PodSandboxStats(pod_sandbox_id=pod).stats
        self.assertEqual(of_pod.attributes.id, pod)
        self.assertEqual([each.attributes.id for each in of_pod.linux.containers], [main])
        self.assertEqual(of_pod.linux.network.default_interface.name, "eth0")
        for filter_ in {"id": pod}, {"label_selector": {"stats": "yes"}}:
            lists = (self.client.ListPodSandboxStats(filter=filter_).stats,
                     [each for part in self.client.StreamPodSandboxStats(filter=filter_)
                      for each in part.pod_sandbox_stats])
            for found in lists:
                self.assertEqual([each.attributes.id for each in found], [pod])
        self.refused(CODE.NOT_FOUND, self.client.ContainerStats, container_id="0" * 64)
        self.refused(CODE.NOT_FOUND, self.client.PodSandboxStats, pod_sandbox_id="0" * 64)

    def test_metrics(self):
        pod, config = self.sandbox()
        main = self.container((pod, config), ["sleep", "1000"])
        keys = {each.name: len(each.label_keys)
                for each in self.client.ListMetricDescriptors().descriptors}
        streamed = [each for part in self.client.StreamPodSandboxMetrics()
                    for each in part.pod_sandbox_metrics]
        for found in self.client.ListPodSandboxMetrics().pod_metrics, streamed:
            mine = [each for each in found if each.pod_sandbox_id == pod]
            self.assertEqual(len(mine), 1)
            for each in mine[0].metrics:
                self.assertEqual(len(each.label_values), keys[each.name], each)
            of_container = {each.name: each.value.value for each in
                            mine[0].container_metrics[0].metrics}
            self.assertEqual(mine[0].container_metrics[0].container_id, main)
            self.assertGreater(of_container["container_memory_usage_bytes"], 0)
            self.assertIn("container_network_receive_bytes_total",
                          {each.name for each in mine[0].metrics})


class EventTest(CriCase):
    def test_events(self):
        stream = self.client.GetContainerEvents(timeout_=60)
        seen = []

        def collect():
            try:
                for event in stream:
                    seen.append((event.container_id, event.container_event_type))
            except grpc.RpcError:
                pass

        thread = threading.Thread(target=collect)
        thread.start()
        # The call has begun when an event of another pod comes by it.
        first = self.sandbox()[0]
        while not seen:
            self.client.StopPodSandbox(pod_sandbox_id=first)
            first = self.sandbox()[0]
            time.sleep(0.05)
        pod, config = self.sandbox()
        main = self.container((pod, config), ["sleep", "1000"])
        self.client.StopContainer(container_id=main, timeout=0)
        self.client.RemoveContainer(container_id=main)
        self.client.StopPodSandbox(pod_sandbox_id=pod)
        self.client.RemovePodSandbox(pod_sandbox_id=pod)
        created, started, stopped, deleted = range(4)
        try:
            worlds.wait_for("all events are told", lambda: (pod, deleted) in seen)
        finally:
            stream.cancel()
            thread.join()
        self.assertEqual([kind for who, kind in seen if who == main],
                         [created, started, stopped, deleted])
        self.assertEqual([kind for who, kind in seen if who == pod],
                         [created, started, stopped, deleted])


class GrpcTest(CriCase):
    def test_unknown_calls(self):
        for path, text in (("/runtime.v1.RuntimeService/Nothing",
                            "unknown method Nothing for service runtime.v1.RuntimeService"),
                           ("/runtime.v1alpha2.RuntimeService/Version",
                            "unknown service runtime.v1alpha2.RuntimeService")):
            call = self.client.channel.unary_unary(path)
            with self.assertRaises(grpc.RpcError) as raised:
                call(b"", timeout=10)
            self.assertEqual((raised.exception.code(), raised.exception.details()),
                             (CODE.UNIMPLEMENTED, text))

    def test_compression(self):
        self.refused(CODE.UNIMPLEMENTED, self.client.ListContainers,
                     filter={"label_selector": {"a": "b" * 10000}},
                     compression_=grpc.Compression.Gzip)

    def test_large_messages(self):
        """As much as both sides allow, and more."""
        labels = {f"key{i}": "x" * (1 << 20) for i in range(12)}
        self.assertEqual(len(self.client.ListContainers(
            filter={"label_selector": labels}).containers), 0)
        labels = {f"key{i}": "x" * (1 << 20) for i in range(17)}
        text = self.refused(CODE.RESOURCE_EXHAUSTED, self.client.ListContainers,
                            filter={"label_selector": labels})
        self.assertIn("received message larger than max", text)

    def test_many_calls(self):
        """One after the other, and beside each other, on one connection."""
        for _ in range(3000):
            self.client.Version()
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            done = pool.map(lambda _: self.client.ListPodSandbox(), range(2000))
            self.assertEqual(len(list(done)), 2000)

    def test_a_slow_call_holds_up_no_other(self):
        mains = [self.container(self.sandbox(), ["sleep", "1000"]) for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            slow = [pool.submit(self.client.ExecSync, container_id=mains[i % 2],
                                cmd=["sleep", "2"], timeout=30) for i in range(40)]
            time.sleep(0.5)
            begun = time.monotonic()
            self.client.Version()
            self.assertEqual(self.run_sync(mains[0], "true")[0], 0)
            self.assertLess(time.monotonic() - begun, 10)
            for each in slow:
                self.assertEqual(each.result().exit_code, 0)

    def test_deadlines(self):
        main = self.stubborn()
        self.refused(CODE.DEADLINE_EXCEEDED, self.client.StopContainer, container_id=main,
                     timeout=100, timeout_=0.5)
        self.assertEqual(self.state(main).state, 1)
        self.client.StopContainer(container_id=main, timeout=0)  # shortens the first

    def test_garbage(self):
        for junk in b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 100, b"PRI * HTTP/2.0\r\n":
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(SERVER.socket))
                peer.settimeout(10)
                try:
                    peer.sendall(junk)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass
                except ConnectionError:
                    pass
        call = self.client.channel.unary_unary("/runtime.v1.RuntimeService/RunPodSandbox")
        with self.assertRaises(grpc.RpcError) as raised:
            call(b"\x0a\xff\xff\xff\xff\x0f", timeout=10)
        self.assertEqual(raised.exception.code(), CODE.INTERNAL)
        self.assertEqual(self.client.Version().runtime_name, "podium")


class RestartTest(CriCase):
    def test_pods_live_on(self):
        sandbox = self.sandbox()
        main = self.container(sandbox, ["sleep", "1000"])
        before = cri_client.Client(SERVER.socket, [("grpc.max_reconnect_backoff_ms", 500)])
        self.addCleanup(before.close)
        stream = before.GetContainerEvents(timeout_=600)
        for how in signal.SIGTERM, signal.SIGKILL:
            before.Version()
            SERVER.end(how)
            with self.assertRaises(grpc.RpcError) as ended:
                next(stream)
            self.assertEqual(ended.exception.code(), CODE.UNAVAILABLE)
            SERVER.start()
            self.assertEqual(self.client.PodSandboxStatus(
                pod_sandbox_id=sandbox[0]).status.state, 0)
            self.assertEqual(self.run_sync(main, "echo", "still"), (0, "still\n", ""))
            # Who was connected before finds it again.
            grpc.channel_ready_future(before.channel).result(20)
            stream = before.GetContainerEvents(timeout_=600)

    def test_it_waits_for_no_slow_call(self):
        main = self.stubborn()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            slow = pool.submit(self.client.StopContainer, container_id=main, timeout=600)
            time.sleep(0.5)
            begun = time.monotonic()
            self.assertEqual(SERVER.end(), 0)
            self.assertLess(time.monotonic() - begun, 20)
            with self.assertRaises(grpc.RpcError):
                slow.result(20)
        SERVER.start()
        self.assertEqual(self.state(main).state, 1)


class PluginTest(CriCase):
    """With a network of CNI plugins, as kubelets' nodes mostly have it."""

    CONFIG = {"cniVersion": "1.0.0", "name": "net", "plugins": [{
        "type": "ptp", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}]}

    def setUp(self):
        if not pathlib.Path("/usr/lib/cni/ptp").exists():
            self.skipTest("no plugins of CNI")
        self.folder = WORLD.folder / "cni"
        self.folder.mkdir(exist_ok=True)
        self.addCleanup(SERVER.start)
        self.addCleanup(lambda: SERVER.end())
        self.addCleanup((self.folder / "10-net.conflist").unlink, missing_ok=True)

    def write(self):
        self.CONFIG["plugins"][0]["ipam"]["dataDir"] = str(WORLD.folder / "addresses")
        (self.folder / "10-net.conflist").write_text(json.dumps(self.CONFIG))

    def network(self):
        return next((each.status, each.reason) for each in self.client.Status().status.conditions
                    if each.type == "NetworkReady")

    def check_a_pod(self):
        pod, config = self.sandbox()
        address = self.client.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip
        self.assertRegex(address, r"^10\.77\.0\.\d+$")
        main = self.container((pod, config), ["sleep", "1000"])
        self.assertIn(address, self.run_sync(main, "ip", "-4", "address")[1])
        self.client.RemovePodSandbox(pod_sandbox_id=pod)

    def test_a_configuration_that_is_there(self):
        SERVER.end()
        self.write()
        SERVER.start()
        self.assertEqual(self.network(), (True, ""))
        # Whose pods' addresses are not ours to deal out.
        self.client.UpdateRuntimeConfig(
            runtime_config={"network_config": {"pod_cidr": "10.9.0.0/24"}})
        self.check_a_pod()

    def test_a_configuration_that_comes_later(self):
        SERVER.end()
        SERVER.start("--cni")
        self.assertEqual(self.network(), (False, "NetworkPluginNotReady"))
        text = self.refused(CODE.UNAVAILABLE, self.client.RunPodSandbox,
                            config=self.sandbox_config())
        self.assertIn("cni plugin not initialized", text)
        self.write()
        self.assertEqual(self.network(), (True, ""))
        self.check_a_pod()


if __name__ == "__main__":
    unittest.main()
