#!/usr/bin/env python3
"""What people do to pods with kubectl, through the server to an agent: at a terminal and without
one. All of it is done with the kubectl that is installed (KUBECTL names another) and, where that is
not Debian's 1.20, with Debian's too.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import hashlib
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import api_server
import clusters
import terminal as terminals
import world as worlds

setUpModule = clusters.begin
tearDownModule = clusters.end

PROMPT = "/ # "
# Says of what it hears, and when it is told to end.
TALKER = ("trap 'echo told to end; exit 0' TERM; echo begun; "
          "while read line; do echo \"heard $line\"; done; while :; do sleep 0.05; done")


class KubectlCase(clusters.ClusterCase):
    """Its subclasses say which kubectl."""
    program = api_server.KUBECTL

    def kubectl(self, *arguments, status=0, **options):
        """Standard output if it ends well, else standard error."""
        actual, out, err = self.both(*arguments, **options)
        self.assertEqual(actual, status, f"{arguments}\n{out}{err}{self.cluster.agent_log()}")
        return out if status == 0 else err

    def both(self, *arguments, stdin="", seconds=60):
        run = subprocess.run([self.program, "-n", self.namespace, *arguments], input=stdin,
                             text=True, timeout=seconds, capture_output=True, check=False,
                             env=self.cluster.server.environment, cwd=self.cluster.world.folder)
        return run.returncode, run.stdout, run.stderr

    def start(self, *arguments, **options):
        """In the background, with pipes of bytes; ends with the test, or what hangs, at the
        latest."""
        process = subprocess.Popen([self.program, "-n", self.namespace, *arguments],
                                   env=self.cluster.server.environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        timer = threading.Timer(120, process.kill)
        timer.start()
        for pipe in process.stdin, process.stdout, process.stderr:
            self.addCleanup(pipe.close)
        self.addCleanup(timer.cancel)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def at_terminal(self, *arguments):
        return terminals.Terminal(self, [self.program, "-n", self.namespace, *arguments],
                                  {**self.cluster.server.environment, "TERM": "xterm"})

    def pod(self, name, command="while :; do sleep 0.05; done", container=None, **spec):
        """A pod of one container, main, once it is ready."""
        main = {"name": "main", "image": "busybox", "command": ["sh", "-c", command],
                **(container or {})}
        self.run_pod(name, {"automountServiceAccountToken": False, "containers": [main], **spec})
        self.ready(name)
        return name


class Terminals:
    def test_exec_at_a_terminal(self):
        pod = self.pod("shell")
        terminal = self.at_terminal("exec", "-it", pod, "--", "sh")
        before = terminal.settings()
        terminal.until(PROMPT)
        self.assertTrue(terminal.say("tty", r"/dev/pts/0\r\n"))
        terminal.say("stty size", r"\r\n33 77\r\n")
        # What ctrl-C ends is what runs there.
        terminal.type("sleep 1000; echo not this\r")
        worlds.wait_for("it sleeps", lambda: "sleep 1000" in self.kubectl(
            "exec", pod, "--", "ps"))
        terminal.type("\x03")
        terminal.say("echo ended by $?", r"\r\nended by 130\r\n")
        terminal.resize(50, 132)
        worlds.wait_for("the other end is as large", lambda: terminal.say(
            "stty size", r"\r\n(\d+ \d+)\r\n")[1] == "50 132")
        terminal.type("exit 7\r")
        self.assertEqual(terminal.end(), 7)
        self.assertIn("command terminated with exit code 7", terminal.seen)
        self.assertNotIn("\nnot this", terminal.seen)
        self.assertEqual(terminal.settings(), before)

    def test_a_resize_is_a_signal_there(self):
        pod = self.pod("resized")
        terminal = self.at_terminal("exec", "-it", pod, "--", "sh", "-c", (
            "trap 'stty size' WINCH; stty size; while :; do sleep 0.02; done"))
        # As everywhere, the first size comes a moment after the program has begun.
        terminal.until(r"\b33 77\r\n")
        for rows, columns in ((10, 20), (60, 200), (33, 77)):
            start = len(terminal.seen)
            terminal.resize(rows, columns)
            terminal.until(rf"\b{rows} {columns}\r\n", start)
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 130)

    def test_nothing_typed_is_lost(self):
        """Nor its echo: a page pasted into a terminal, whose other end takes its time."""
        pod = self.pod("typed")
        terminal = self.at_terminal("exec", "-it", pod, "--", "sh", "-c", (
            "echo go; while read -r line; do [ \"$line\" = end ] && break; n=$((n+1)); "
            "done; echo lines: $n"))
        terminal.until("go\r\n")
        lines = [f"line {number} {'x' * 40}" for number in range(300)]
        for first in range(0, len(lines), 20):
            terminal.type("".join(line + "\r" for line in lines[first:first + 20]))
            terminal.until(re.escape(lines[min(first + 19, len(lines) - 1)]) + "\r\n")
        terminal.type("end\r")
        self.assertEqual(terminal.end(), 0)
        terminal.until(r"lines: 300\r\n")
        echoed = [line for line in terminal.seen.split("\r\n") if line.startswith("line ")]
        self.assertEqual(echoed, lines)

    def test_a_terminal_and_the_end_of_input(self):
        pod = self.pod("until-eof")
        terminal = self.at_terminal("exec", "-it", pod, "--", "cat")
        terminal.say("one", "one\r\none\r\n")
        terminal.type("\x04")
        self.assertEqual(terminal.end(), 0)

    def test_run_at_a_terminal(self):
        overrides = json.dumps({"apiVersion": "v1", "spec": {
            "nodeName": self.cluster.node, "terminationGracePeriodSeconds": 1}})
        terminal = self.at_terminal(
            "run", "visit", "-it", "--rm", "--restart=Never", f"--overrides={overrides}",
            "--image=" + self.cluster.world.image("busybox"), "--", "sh")
        # It asks for enter when the prompt came before it was there.
        terminal.until(PROMPT + "|try pressing enter")
        terminal.say("", PROMPT)
        terminal.say("stty size; hostname", r"33 77\r\nvisit\r\n")
        terminal.resize(40, 90)
        worlds.wait_for("the pod's terminal is as large", lambda: terminal.say(
            "stty size", r"\r\n(\d+ \d+)\r\n")[1] == "40 90")
        terminal.type("exit 3\r")
        self.assertEqual(terminal.end(), 3)
        self.assertRegex(terminal.seen, r'pod "visit" deleted( from \w+ namespace)?\r\n')
        self.gone("visit")

    def test_attach_at_a_terminal(self):
        pod = self.pod("painter", "trap 'stty size' WINCH; trap 'echo interrupted' INT; "
                       "while :; do read line && echo \"heard $line\"; done",
                       {"stdin": True, "tty": True})
        terminal = self.at_terminal("attach", "-it", pod)
        # The size that it is attached with. kubectl sends one that is larger by one first, so that
        # the other end draws anew; the second may be told of twice, at any moment.
        terminal.until(r"\b33 77\r\n")
        terminal.say("hello", r"hello\r\n(33 77\r\n)?heard hello\r\n")
        start = len(terminal.seen)
        terminal.resize(40, 100)
        terminal.until(r"\b40 100\r\n", start)
        terminal.type("\x03")
        terminal.until(r"\^C.*interrupted\r\n")
        # Who goes away leaves it; the next one finds it.
        terminal.process.kill()
        terminal.process.wait()
        again = self.at_terminal("attach", "-it", pod)
        again.until(r"\b33 77\r\n")
        again.say("back", r"back\r\n(33 77\r\n)?heard back\r\n")
        log = self.kubectl("logs", pod)
        for heard in "heard hello", "heard back", "interrupted":
            self.assertIn(heard, log)
        # The end of the pod is the end of who is attached.
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
        again.end()
        self.gone(pod)


class Streams:
    def test_exec_without_a_terminal(self):
        pod = self.pod("plain")
        self.assertEqual(self.both("exec", pod, "--", "sh", "-c", "echo out; echo err >&2; exit 9"),
                         (9, "out\n", "err\ncommand terminated with exit code 9\n"))
        data = os.urandom(8 << 20)
        process = self.start("exec", "-i", pod, "--", "cat")
        out, err = process.communicate(data, timeout=60)
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(data).digest())
        _, err = self.both("exec", pod, "--", "no-such-program")[1:]
        self.assertRegex(err, r'exec: "no-such-program": executable file not found in \$PATH')

    def test_attach_to_pipes(self):
        pod = self.pod("talker", TALKER, {"stdin": True})
        process = self.start("attach", "-i", pod)
        process.stdin.write(b"one\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"heard one\n")
        # A second one hears what comes from then on, and so does the first.
        listener = self.start("attach", pod)
        heard = threading.Event()

        def listen():
            if listener.stdout.readline():
                heard.set()
        threading.Thread(target=listen).start()
        said = []

        def say():
            said.append(b"more %d" % len(said))
            process.stdin.write(said[-1] + b"\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"heard " + said[-1] + b"\n")
            return heard.wait(0.5)
        worlds.wait_for("the second one hears", say)

    def test_logs_as_they_come(self):
        pod = self.pod("writer", "echo one; while ! test -e /go; do sleep 0.05; done; echo two; "
                       "echo three >&2; exit 4", restartPolicy="Never")
        process = self.start("logs", "-f", pod)
        self.assertEqual(process.stdout.readline(), b"one\n")
        self.kubectl("exec", pod, "--", "touch", "/go")
        out, _ = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (0, b"two\nthree\n"))
        self.phase(pod, "Failed")
        self.assertEqual(self.kubectl("logs", pod), "one\ntwo\nthree\n")
        self.assertEqual(self.kubectl("logs", pod, "-f", "--tail=1"), "three\n")
        self.assertEqual(self.kubectl("logs", pod, "--limit-bytes=5"), "one\nt")
        self.assertEqual(self.kubectl("logs", pod, "--since=1h"), "one\ntwo\nthree\n")
        stamped = self.kubectl("logs", pod, "--timestamps").splitlines()
        for line, word in zip(stamped, ("one", "two", "three"), strict=True):
            self.assertRegex(line, rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+ {word}$")

    def test_logs_of_the_container_before(self):
        pod = self.pod("again", "test -e /v/second && { echo second; exec sleep 1000; }; "
                       "touch /v/second; echo first; sleep 1; exit 1",
                       {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                       volumes=[{"name": "v", "emptyDir": {}}])
        self.when("runs again", pod, lambda pod: pod["status"]["containerStatuses"][0][
            "restartCount"] == 1 and "running" in pod["status"]["containerStatuses"][0]["state"])
        worlds.wait_for("it says so", lambda: self.kubectl("logs", pod) == "second\n")
        self.assertEqual(self.kubectl("logs", pod, "--previous"), "first\n")

    def test_logs_of_all_containers(self):
        self.run_pod("pair", {"restartPolicy": "Never", "containers": [
            {"name": name, "image": "busybox", "command": ["sh", "-c", f"echo {name}; sleep 0.5"]}
            for name in ("left", "right")]})
        self.when("is taken", "pair", lambda pod: pod["status"].get("phase") != "Pending")
        said = self.kubectl("logs", "-f", "pair", "--all-containers", "--prefix")
        self.assertEqual(sorted(said.splitlines()), ["[pod/pair/left] left", "[pod/pair/right] right"])

    def test_copy(self):
        pod = self.pod("copied")
        with tempfile.TemporaryDirectory(dir=self.cluster.world.folder) as folder:
            tree = os.path.join(folder, "tree")
            os.makedirs(tree + "/deep/er")
            contents = {"large": os.urandom(5 << 20), "empty": b"", "deep/with blank": b"1",
                        "deep/er/ümlaut": "ü".encode(), "deep/er/" + "n" * 120: b"long"}
            for name, data in contents.items():
                with open(f"{tree}/{name}", "wb") as file:
                    file.write(data)
            os.chmod(tree + "/empty", 0o755)
            self.kubectl("cp", tree, f"{self.namespace}/{pod}:/tmp/there")
            self.assertEqual(self.kubectl("exec", pod, "--", "stat", "-c", "%a", "/tmp/there/empty"),
                             "755\n")
            self.assertEqual(
                self.kubectl("exec", pod, "--", "sha256sum", "/tmp/there/large").split()[0],
                hashlib.sha256(contents["large"]).hexdigest())
            self.kubectl("cp", f"{self.namespace}/{pod}:/tmp/there", folder + "/back")
            for name, data in contents.items():
                with open(f"{folder}/back/{name}", "rb") as file:
                    self.assertEqual(file.read(), data, name)
            # Either kind of output, as the version goes; and kubectl may end before it has shown
            # what the other end has said.
            worlds.wait_for("it says what is missing", lambda: "No such file or directory" in "".join(
                self.both("cp", f"{self.namespace}/{pod}:/tmp/nothing", folder + "/x")[1:]))

    def forward(self, pod, *ports):
        process = self.start("port-forward", pod, *ports)
        line = process.stdout.readline().decode()
        found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) -> ", line)
        self.assertTrue(found, line)
        return process, int(found[1])

    @staticmethod
    def asked(port, data):
        """What comes back until the other side ends it."""
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.settimeout(30)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_port_forward(self):
        # Whoever ends sending is still answered: it counts until the end.
        pod = self.pod("counter", "exec nc -ll -p 7000 -e sh -c 'cat | wc -c'", {
            "readinessProbe": {"tcpSocket": {"port": 7000}, "periodSeconds": 1}})
        process, port = self.forward(pod, ":7000")
        for size in (1, 100000, 3000000):
            self.assertEqual(self.asked(port, b"x" * size), f"{size}\n".encode())
        # Connections of one kubectl stand side by side.
        with socket.create_connection(("127.0.0.1", port), 30) as waiting:
            self.assertEqual(self.asked(port, b"four"), b"4\n")
            waiting.sendall(b"five5")
            waiting.shutdown(socket.SHUT_WR)
            waiting.settimeout(30)
            self.assertEqual(waiting.recv(10), b"5\n")
        self.assertIsNone(process.poll())

    def test_a_port_where_nobody_listens(self):
        pod = self.pod("deaf")
        process, port = self.forward(pod, ":9")
        self.assertEqual(self.asked(port, b"x"), b"")
        said = b""
        while b"Connection refused" not in said and b"connection refused" not in said:
            line = process.stderr.readline()
            self.assertTrue(line, said)
            said += line
        self.assertIn(b"an error occurred forwarding", said)


class Lives:
    def test_describe(self):
        pod = self.pod("described", container={
            "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "b"}],
            "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
            "resources": {"limits": {"memory": "64Mi"}}})
        worlds.wait_for("all is told", lambda: "Started" in self.kubectl("describe", "pod", pod))
        said = self.kubectl("describe", "pod", pod)
        status = self.get("pod", pod)["status"]
        container = status["containerStatuses"][0]
        for key, value in (
                ("Node", f"{self.cluster.node}/{worlds.ADDRESS}"), ("Status", "Running"),
                ("IP", status["podIP"]), ("Container ID", container["containerID"]),
                ("Image ID", container["imageID"]), ("Port", "80/TCP"), ("State", "Running"),
                ("Ready", "True"), ("Restart Count", "0"), ("memory", "64Mi"), ("A", "b"),
                ("QoS Class", "Burstable"), ("Readiness", "exec [true] delay=0s timeout=1s "
                                             "period=1s #success=1 #failure=3")):
            self.assertRegex(said, rf"(?m)^ *{key}: +{re.escape(value)}$")
        events = said[said.index("Events:"):]
        self.assertEqual(re.findall(r"(?m)^  Normal +(\w+) .*kubelet", events),
                         ["Pulled", "Created", "Started"] if "Pulling" not in events else
                         ["Pulling", "Pulled", "Created", "Started"])
        node = self.kubectl("describe", "node", self.cluster.node)
        self.assertRegex(node, rf"(?m)^  {self.namespace} +{pod} ")

    def debug(self, *arguments, **options):
        """Debian's is of the time when it was alpha."""
        alpha = self.kubectl("version", "--client").find('Minor:"20"') >= 0
        return self.kubectl(*(["alpha"] if alpha else []), "debug", *arguments, **options)

    def test_debug(self):
        pod = self.pod("puzzle", shareProcessNamespace=True)
        image = "--image=" + self.cluster.world.image("busybox")
        self.debug(pod, image, "-c", "look", "--", "sh", "-c", "ps; echo looked")
        self.when("has been looked at", pod, lambda pod: any(
            each["name"] == "look" and each["state"].get("terminated", {}).get("exitCode") == 0
            for each in pod["status"].get("ephemeralContainerStatuses", ())))
        said = self.kubectl("logs", pod, "-c", "look")
        self.assertIn("sleep 0.05", said)
        self.assertTrue(said.endswith("looked\n"), said)
        self.assertIn("Ephemeral Containers:\n  look:\n", self.kubectl("describe", "pod", pod))
        # At a terminal, and a second one beside the first.
        version = self.kubectl("version", "--client")
        terminal = self.at_terminal(*(["alpha"] if 'Minor:"20"' in version else []), "debug", "-it",
                                    pod, image, "-c", "visit", "--target=main", "--", "sh")
        terminal.until(PROMPT + "|try pressing enter")
        terminal.say("", PROMPT)
        terminal.say("stty size", r"\r\n33 77\r\n")
        terminal.type("exit\r")
        self.assertEqual(terminal.end(), 0)
        names = [each["name"] for each in self.get("pod", pod)["spec"]["ephemeralContainers"]]
        self.assertEqual(names, ["look", "visit"])
        self.assertEqual(self.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"], 0)

    def test_delete_with_grace(self):
        pod = self.pod("polite", TALKER + " </dev/null", terminationGracePeriodSeconds=600)
        follower = self.start("logs", "-f", pod)
        self.assertEqual(follower.stdout.readline(), b"begun\n")
        start = time.monotonic()
        self.assertIn(f'pod "{pod}" deleted', self.kubectl("delete", "pod", pod))
        self.assertLess(time.monotonic() - start, 30)
        self.assertEqual(follower.communicate(timeout=30)[0], b"told to end\n")
        self.gone(pod, 1)

    def test_delete_of_what_does_not_listen(self):
        for name, option, least in (("grace", "--grace-period=2", 2), ("now", "--now", 1)):
            pod = self.pod(f"stubborn-{name}", "trap '' TERM; while :; do sleep 0.05; done",
                           terminationGracePeriodSeconds=600)
            start = time.monotonic()
            self.kubectl("delete", "pod", pod, option)
            self.assertGreaterEqual(time.monotonic() - start, least)
            self.assertLess(time.monotonic() - start, least + 20)

    def test_delete_without_grace(self):
        pod = self.pod("killed", "trap '' TERM; while :; do sleep 0.05; done",
                       terminationGracePeriodSeconds=600)
        _, out, err = self.both("delete", "pod", pod, "--grace-period=0", "--force")
        self.assertIn("Immediate deletion does not wait for confirmation", err)
        self.assertRegex(out, rf'pod "{pod}" force deleted')
        self.gone(pod, 1)
        worlds.wait_for("nothing of it runs", lambda: pod not in self.cluster.world.pods())


class InstalledTerminalsTest(Terminals, KubectlCase):
    pass


class InstalledStreamsTest(Streams, KubectlCase):
    pass


class InstalledLivesTest(Lives, KubectlCase):
    pass


@unittest.skipUnless(api_server.OF_DEBIAN.exists(), "the one that is installed is Debian's")
class DebianTerminalsTest(Terminals, KubectlCase):
    program = api_server.OF_DEBIAN


@unittest.skipUnless(api_server.OF_DEBIAN.exists(), "the one that is installed is Debian's")
class DebianStreamsTest(Streams, KubectlCase):
    program = api_server.OF_DEBIAN


@unittest.skipUnless(api_server.OF_DEBIAN.exists(), "the one that is installed is Debian's")
class DebianLivesTest(Lives, KubectlCase):
    program = api_server.OF_DEBIAN


if __name__ == "__main__":
    clusters.main()
