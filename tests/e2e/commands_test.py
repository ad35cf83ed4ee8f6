#!/usr/bin/env python3
"""What the commands say of pods and images that are there, and do with them.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

import cases
import terminal as terminals
import world as worlds

setUpModule = cases.begin
tearDownModule = cases.end

IMAGE = worlds.REGISTRY + "/busybox"
PODS = """\
apiVersion: v1
kind: Pod
metadata:
  name: two
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  initContainers:
    - name: before
      image: busybox
      command: ["true"]
  containers:
    - name: one
      image: busybox
      command: ["sleep", "infinity"]
      resources:
        limits:
          memory: 32Mi
    - name: other
      image: busybox
      command: ["sleep", "infinity"]
    - name: failed
      image: busybox
      command: ["sh", "-c", "exit 3"]
---
apiVersion: v1
kind: Pod
metadata:
  name: shared
  namespace: shop
spec:
  terminationGracePeriodSeconds: 0
  shareProcessNamespace: true
  containers:
    - name: main
      image: busybox
      command: ["sleep", "infinity"]
"""
MNT, NET, PID, IPC, UTS = "mnt", "net", "pid", "ipc", "uts"


def at_terminal(case, *arguments):
    return terminals.Terminal(case, [worlds.PODIUM, *arguments], case.world.environment)


class ViewsTest(cases.PodCase):
    @classmethod
    def setUpClass(cls):
        status, _, err = cls.world.podium("play", "-d", cls.world.manifest(PODS))
        if status != 0:
            raise AssertionError(err)
        worlds.wait_for("a container fails", lambda: any(
            "terminated" in each["state"]
            for each in cls.world.pods()["two"]["status"].get("containerStatuses", [])))
        cls.world.ready("shared")

    @classmethod
    def tearDownClass(cls):
        cls.world.stop_all()

    def setUp(self):
        """The pods stay for the next test."""

    def json(self, *arguments):
        return json.loads(self.run_podium(*arguments, "-o", "json")[0])

    def test_ps(self):
        out, err = self.run_podium("ps")
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^POD +CONTAINER +ID +STATE +PID +IMAGE +STARTED$")
        row = r"^two +(\(infra\)|one|other) +[0-9a-f]{12} +running +\d+ +(-|127\S+) +\d+s ago$"
        self.assertEqual([re.match(row, line)[1] for line in lines if line.startswith("two")],
                         ["(infra)", "one", "other"])
        self.assertEqual(len([line for line in lines if line.startswith("shop/shared")]), 2)
        self.assertEqual(err, "")
        out, _ = self.run_podium("ps", "-a", "-n", "default")
        self.assertRegex(out, r"(?m)^two +before +[0-9a-f]{12} +exited \(0\) +- +127")
        self.assertRegex(out, r"(?m)^two +failed +[0-9a-f]{12} +exited \(3\) +- +127")
        self.assertNotIn("shared", out)

    def test_ps_as_json(self):
        containers = self.json("ps", "-a")
        infra = [each for each in containers if each["infra"]]
        self.assertEqual([(each["namespace"], each["pod"]) for each in infra],
                         [("default", "two"), ("shop", "shared")])
        one = next(each for each in containers if each["container"] == "one")
        self.assertEqual((one["state"], one["image"]), ("running", IMAGE))
        command = pathlib.Path(f"/proc/{one['pid']}/cmdline").read_bytes()
        self.assertEqual(command, b"sleep\0infinity\0")
        self.assertRegex(one["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        failed = next(each for each in containers if each["container"] == "failed")
        self.assertEqual((failed["state"], failed["exitCode"]), ("exited", 3))
        self.assertNotIn("pid", failed)

    def test_inspect_shows_the_namespaces_that_are_shared(self):
        facts = self.json("inspect", "two")
        self.assertEqual(facts["pod"]["metadata"]["name"], "two")
        sandbox = facts["sandboxes"][0]
        running = [each for each in sandbox["containers"] if each["state"] == "running"]
        self.assertEqual([each["name"] for each in running], ["one", "other"])
        for each in [sandbox, *running]:
            for kind in MNT, NET, PID, IPC, UTS:
                self.assertEqual(each["namespaces"][kind],
                                 os.stat(f"/proc/{each['pid']}/ns/{kind}").st_ino)
        for kind in NET, IPC, UTS:
            self.assertEqual(len({each["namespaces"][kind] for each in [sandbox, *running]}), 1)
        for kind in MNT, PID:
            self.assertEqual(len({each["namespaces"][kind] for each in [sandbox, *running]}), 3)
        self.assertEqual(running[0]["sharedNamespaces"], ["net", "ipc", "uts", "user"])
        self.assertEqual(sandbox["addresses"], [facts["pod"]["status"]["podIP"]])
        shared = self.json("inspect", "shop/shared")["sandboxes"][0]
        main = shared["containers"][0]
        self.assertEqual(main["namespaces"][PID], shared["namespaces"][PID])
        self.assertNotEqual(main["namespaces"][MNT], shared["namespaces"][MNT])

    def test_inspect_for_people(self):
        out, _ = self.run_podium("inspect", "-n", "shop", "shared")
        self.assertRegex(out, r"^Pod shop/shared, uid \S+, Running\n")
        self.assertRegex(out, r"(?m)^main +[0-9a-f]{12} +running +\d+ +0 +127")
        self.assertRegex(out, r"(?m)^main +\d+\* +\d+\* +\d+\* +\d+\* +\d+ ")
        _, err = self.run_podium("inspect", "nobody", status=1)
        self.assertEqual(err, 'podium inspect: pods "nobody" not found\n')

    def test_stats(self):
        out, _ = self.run_podium("stats", "--no-stream")
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^POD +CONTAINER +CPU +MEMORY +LIMIT +PIDS +NET IN / OUT$")
        size = r"[\d.]+([KM]i)?B"
        self.assertRegex(out, rf"(?m)^two +\(pod\) +\d+m +{size} +(-|{size}) +\d+ +{size} / {size}$")
        self.assertEqual([line.split()[1] for line in lines if line.startswith("two")],
                         ["(pod)", "one", "other"])
        facts = self.json("stats", "--no-stream", "two")
        one = next(each for each in facts if each.get("container") == "one")
        self.assertGreater(one["memoryBytes"], 0)
        self.assertEqual(one["memoryLimitBytes"], 32 << 20)
        self.assertGreater(one["cpuNanoseconds"], 0)
        self.assertIn("cpuMillicores", one)
        self.assertGreaterEqual(facts[0]["pids"], 2)
        self.assertIn("receivedBytes", facts[0])
        _, err = self.run_podium("stats", "--no-stream", "nobody", status=1)
        self.assertEqual(err, 'podium stats: pod "default/nobody" does not run\n')

    def test_stats_line_by_line(self):
        stats = self.start("stats", "-o", "json")
        for _ in range(2):
            self.assertEqual({each["pod"] for each in json.loads(stats.stdout.readline())},
                             {"two", "shared"})

    def test_images_in_use(self):
        # What other tests have left.
        self.run_podium("prune", "--all")
        out, _ = self.run_podium("images")
        self.assertRegex(out, r"^IMAGE +ID +CREATED +SIZE +UNPACKED +IN USE\n")
        self.assertRegex(out, rf"(?m)^{IMAGE}:latest +[0-9a-f]{{12}} +.+ ago +\S+B +\S+B +yes$")
        image = self.json("images")[0]
        self.assertEqual(image["repoTags"], [IMAGE + ":latest"])
        self.assertTrue(image["repoDigests"][0].startswith(IMAGE + "@sha256:"))
        self.assertGreater(image["unpackedSize"], image["size"])
        self.assertEqual(image["inUse"], 5)
        for name in IMAGE, image["id"], image["id"][7:19]:
            _, err = self.run_podium("rmi", name, status=1)
            self.assertIn(f"image {image['id']} is in use by container \"before\" of pod "
                          "default/two and 4 more; ", err)
            self.assertIn("podium stop", err)
        self.assertEqual(self.json("prune", "--all")["deleted"], [])
        self.assertEqual(len(self.json("images")), 1)

    def test_pods(self):
        out, _ = self.run_podium("pods", "-o", "wide")
        self.assertRegex(out, r"(?m)^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP +NODE$")
        self.assertRegex(out, r"(?m)^default +two +2/3 +Error +0 +\d+s +10\.\S+ +\S+$")
        self.assertEqual(self.run_podium("pods", "-o", "name")[0], "pod/two\npod/shared\n")
        self.assertEqual([each["kind"] for each in self.json("pods", "-n", "shop")["items"]],
                         ["Pod"])


class ImagesTest(cases.PodCase):
    def json(self, *arguments):
        return json.loads(self.run_podium(*arguments, "-o", "json")[0])

    def names(self):
        return sorted(name for image in self.json("images") for name in image["repoTags"])

    def setUp(self):
        super().setUp()
        self.run_podium("prune", "--all")

    def run_image(self, image, *script):
        """What a pod of this image prints; the image must be here."""
        path = self.world.manifest(f"""\
apiVersion: v1
kind: Pod
metadata:
  name: try
spec:
  restartPolicy: Never
  containers:
    - name: main
      image: {image}
      imagePullPolicy: Never
      args: {json.dumps(script)}
""")
        return self.run_podium("play", path)[0]

    def test_pull_into_a_pipe(self):
        name = self.world.image("busybox")
        out, err = self.run_podium("pull", name)
        self.assertRegex(out, r"^sha256:[0-9a-f]{64}\n$")
        self.assertRegex(err, r"(?m)^[0-9a-f]{12}: done \(\S+B\)$")
        self.assertNotIn("\x1b", err)
        out, err = self.run_podium("pull", "-q", name)
        self.assertEqual(err, "")
        pulled = self.json("pull", name)
        self.assertEqual((pulled[0]["image"], pulled[0]["id"]), (name, out.strip()))

    def test_pull_at_a_terminal(self):
        terminal = at_terminal(self, "pull", self.world.image("nginx"))
        self.assertEqual(terminal.end(), 0)
        self.assertRegex(terminal.seen, r"\x1b\[2K[0-9a-f]{12} \w+ +\[=* *\] [\d.]+\w+/[\d.]+\w+")
        self.assertRegex(terminal.seen, r"[0-9a-f]{12} done +\[=+\] [\d.]+MiB\r\n")
        self.assertRegex(terminal.seen, r"sha256:[0-9a-f]{64}\r\n$")

    def test_pull_that_is_broken_off(self):
        name = self.world.image("debian")
        terminal = at_terminal(self, "pull", name)
        terminal.until(r"\[=")
        terminal.type("\x03")
        self.assertEqual(terminal.process.wait(timeout=30), -signal.SIGINT)
        self.run_podium("pull", name)
        self.assertEqual(self.names(), [name + ":latest"])

    def test_names_that_are_wrong(self):
        _, err = self.run_podium("pull", "Not:A:Name", status=1)
        self.assertRegex(err, r"^podium pull: invalid reference format.*\n$")
        _, err = self.run_podium("pull", worlds.REGISTRY + "/nothing:1", status=1)
        self.assertRegex(err, r"^podium pull: .*/nothing:1: not found\n$")
        _, err = self.run_podium("rmi", "nothing:1", status=1)
        self.assertRegex(err, r'^podium rmi: image ".*nothing:1" not found\n$')
        _, err = self.run_podium("export", "nothing:1", "-", status=1)
        self.assertRegex(err, r"^podium export: .*nothing:1.* not found\n$")
        _, err = self.run_podium("import", "/no/file", status=1)
        self.assertEqual(err, "podium import: /no/file: No such file or directory\n")

    def test_an_oci_archive_in_and_out(self):
        archive = worlds.IMAGES / "busybox.tar"
        imported = self.json("import", "--name", "example.test/in:1", archive)
        self.assertEqual(imported[0]["repoTags"], ["example.test/in:1"])
        self.assertEqual(self.run_image("example.test/in:1", "echo", "runs"), "main | runs\n")
        out = self.world.folder / "out.tar"
        written = self.json("export", "example.test/in:1", out)
        self.assertEqual(written["size"], out.stat().st_size)
        config = json.loads(worlds.output_of("skopeo", "inspect", "--config",
                                             f"oci-archive:{out}"))
        self.assertEqual(config["os"], "linux")
        self.assertEqual(self.json("rmi", "example.test/in:1")["deleted"], [imported[0]["id"]])
        self.assertEqual(self.names(), [])
        again = self.run_podium("import", out)[0]
        self.assertEqual(again, f"{imported[0]['id']} example.test/in:1\n")

    def test_an_archive_of_docker_save(self):
        archive = self.world.folder / "saved.tar"
        worlds.output_of("skopeo", "copy", "--quiet", f"oci-archive:{worlds.IMAGES}/busybox.tar",
                         f"docker-archive:{archive}:example.test/saved:2")
        out, _ = self.run_podium("import", archive)
        self.assertRegex(out, r"^sha256:[0-9a-f]{64} example.test/saved:2\n$")
        self.assertEqual(self.run_image("example.test/saved:2", "echo", "saved"), "main | saved\n")

    def test_a_root_file_system(self):
        archive = worlds.IMAGES / "busybox.layer.tar.gz"
        image = self.json("import", archive, "--name", "own:1", "--entrypoint",
                          '["/bin/sh", "-c"]', "-e", "WORD=of mine", "-w", "/tmp", "-u", "7:8",
                          "--label", "a=b")[0]
        self.assertEqual(image["repoTags"], ["docker.io/library/own:1"])
        script = "echo $WORD $PWD $(id -u):$(id -g)"
        self.assertEqual(self.run_image("own:1", script),
                         "main | of mine /tmp 7:8\n")

    def test_prune_takes_what_has_no_name(self):
        name = self.world.image("busybox")
        self.run_podium("pull", "-q", name)
        self.assertEqual(self.run_podium("prune")[0], "freed 0B\n")
        self.assertEqual(self.names(), [name + ":latest"])
        out, _ = self.run_podium("prune", "-a")
        self.assertRegex(out, rf"untagged {name}:latest\n(.*\n)*deleted sha256:\S+\nfreed \S+MiB\n")
        _, err = self.run_podium("images")
        self.assertEqual(err, "No images are here. Get one: podium pull IMAGE\n")


class SessionsTest(cases.PodCase):
    def setUp(self):
        super().setUp()
        self.play(self.pod("shell", "exec sleep infinity"))
        self.world.ready("shell")

    def test_the_first_look_at_the_window_is_right(self):
        terminal = at_terminal(self, "exec", "-it", "shell", "--", "sh", "-c",
                               "stty size; trap 'stty size; exit 9' WINCH; while :; do sleep 0.1; done")
        self.assertEqual(terminal.until(r"\d+ \d+\r\n")[0], "33 77\r\n")
        time.sleep(0.3)
        terminal.resize(44, 99)
        terminal.until(r"44 99\r\n")
        self.assertEqual(terminal.end(), 9)

    def test_a_shell_at_a_terminal(self):
        terminal = at_terminal(self, "exec", "-it", "shell", "--", "sh")
        terminal.until("# ")
        terminal.type("tty; echo $TERM\r")
        terminal.until(r"/dev/pts/0\r\nxterm\r\n")
        # Ctrl-C is the shell's, not ours.
        terminal.type("sleep 1000\r")
        time.sleep(0.3)
        terminal.type("\x03")
        terminal.type("echo alive; exit 5\r")
        self.assertEqual(terminal.end(), 5)
        self.assertIn("\r\nalive\r\n", terminal.seen)

    def test_input_without_a_terminal(self):
        out, err = self.run_podium("exec", "-it", "shell", "--", "cat", stdin="to the end")
        self.assertEqual(out, "to the end")
        self.assertIn("Unable to use a TTY", err)
        # Without -i there is nothing to read.
        self.assertEqual(self.run_podium("exec", "shell", "--", "cat", stdin="unread")[0], "")

    def test_a_hundred_megabytes(self):
        piece = os.urandom(1 << 20)
        process = subprocess.Popen([worlds.PODIUM, "exec", "-i", "shell", "--", "cat"],
                                   env=self.world.environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        size = 100 if os.environ.get("PODIUM_TEST_LONG") == "1" else 20

        def write():
            with process.stdin:
                for _ in range(size):
                    process.stdin.write(piece)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            writing = pool.submit(write)
            got = hashlib.file_digest(process.stdout, "sha256").hexdigest()
            writing.result()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertEqual(got, hashlib.sha256(piece * size).hexdigest())

    def test_many_at_once(self):
        def one(number):
            return self.world.podium("exec", "-i", "shell", "--", "sh", "-c",
                                     f"cat; echo {number}; exit {number}", stdin=f"in {number}\n")
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for number, (status, out, _) in enumerate(pool.map(one, range(50))):
                self.assertEqual((status, out), (number, f"in {number}\n{number}\n"))

    def test_leaving_an_attached_terminal(self):
        path = pathlib.Path(self.pod("cat", "echo up; exec cat", stdin="true"))
        path.write_text(path.read_text().replace("stdin: true", "stdin: true\n      tty: true"))
        self.play(path)
        self.world.ready("cat")
        terminal = at_terminal(self, "attach", "-it", "cat")
        time.sleep(0.3)
        terminal.type("one\r")
        terminal.until("one\r\none\r\n")
        # Ctrl-P alone goes to the program.
        terminal.type("\x10x\r")
        terminal.until(r"\x10x\r\n|\^Px\r\n")
        terminal.type("\x10\x11")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("pod/cat is left running", terminal.seen)
        self.assertEqual(self.world.pods()["cat"]["status"]["phase"], "Running")


class EndsTest(cases.PodCase):
    def test_stop_and_rm_as_json(self):
        self.play(self.pod("long", "exec sleep infinity"))
        self.play(self.pod("short", "true"))
        self.world.phase("short", "Succeeded")
        self.world.ready("long")
        removed = json.loads(self.run_podium("rm", "--all", "-o", "json")[0])
        self.assertEqual([(each["namespace"], each["name"]) for each in removed],
                         [("default", "short")])
        uid = self.world.pods()["long"]["metadata"]["uid"]
        stopped = json.loads(self.run_podium("stop", "long", "-t", "0", "-o", "json")[0])
        self.assertEqual(stopped, [{"namespace": "default", "name": "long", "uid": uid}])
        self.assertEqual(self.run_podium("ps", "-a", "-o", "json")[0].strip(), "[]")
        for command in "stop", "rm":
            _, err = self.run_podium(command, "long", status=1)
            self.assertEqual(err, f'podium {command}: pods "long" not found\n')


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
