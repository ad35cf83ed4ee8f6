#!/usr/bin/env python3
"""What people do first: scripts/quickstart, and then the commands that README.md shows.

On a machine made for the test, with the program of PODIUM_BUILD_DIR; nothing is installed or built.
"""

import os
import re
import subprocess
import tempfile
import unittest

import cases
import world as worlds

README = worlds.ROOT / "README.md"
PAGE = "<h1>Hello from init-page</h1>\n"
# Commands of README that can be repeated until they print what is expected.
LOOKING = ("podium pods", "podium ps", "podium logs", "podium images", "curl")
# What is different each time: how README has it, and how it always looks.
VARIABLE = {
    r"10\.\d+\.\d+\.\d+": r"10\.\d+\.\d+\.\d+",
    r"\b[0-9a-f]{8}…": r"[0-9a-f]{64}",
    r"\b[0-9a-f]{12}\b": r"[0-9a-f]{12}",
    r"\b\d{4,7}\b": r"\d+",  # a process
    r"\b\d+s\b": r"\d+s",
    r"\[\d\d/\w+/\d{4}[^]]+\]": r"\[[^]]+\]",
    r"curl/[0-9.]+": r"curl/[0-9.]+",
    r"build/images/": re.escape(f"{worlds.IMAGES}/"),
    r" +": r" +",
}


setUpModule = cases.begin
tearDownModule = cases.end


def blocks(text):
    """What README shows of pods: commands and what they print."""
    found = re.findall(r"(?s)```\n(\$ podium .*?)```", text)
    return [block for block in found if "$ podium play" in block]


def transcript(text):
    """Commands and what they print."""
    steps = []
    for block in blocks(text):
        for step in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, output = step.partition("\n")
            steps.append((command, output))
    return steps


def pattern(output):
    """What an output that README has looks like each time."""
    pieces, end = [], 0
    for found in re.finditer("|".join(f"({known})" for known in VARIABLE), output):
        pieces += [re.escape(output[end:found.start()]),
                   list(VARIABLE.values())[found.lastindex - 1]]
        end = found.end()
    return "".join(pieces) + re.escape(output[end:])


class QuickstartTest(cases.PodCase):
    def environment(self, **changes):
        return {**self.world.environment, "PODIUM_BUILD_DIR": str(worlds.PODIUM.parent),
                "PODIUM_IMAGE_CACHE": str(worlds.IMAGES), **changes}

    def quickstart(self, *arguments, **changes):
        return subprocess.run([worlds.ROOT / "scripts/quickstart", *arguments],
                              env=self.environment(**changes), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=180, check=False)

    def test_shows_the_page_and_leaves_nothing(self):
        worlds.wait_for("no agent runs", lambda: not self.world.left())
        run = self.quickstart("--play")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr + self.world.agent_log())
        self.assertIn(PAGE, run.stdout)
        self.assertRegex(run.stdout, "^\n" + pattern(blocks(README.read_text(encoding="utf-8"))[0]))
        # It returned when its agent ended; of that one at most a process that nobody has waited for
        # may be left.
        worlds.wait_for("nothing is left", lambda: not self.world.left(), 2)
        self.assertEqual(run.stderr, "")
        out, _ = self.run_podium("images")
        self.assertIn("docker.io/library/nginx:latest", out)

    def test_says_what_is_missing(self):
        with tempfile.TemporaryDirectory(dir=self.world.folder) as empty:
            run = self.quickstart("--play", PODIUM_IMAGE_CACHE=empty)
            self.assertEqual(run.returncode, 1)
            self.assertEqual(run.stderr, f"quickstart: {empty}/busybox.tar is not built: "
                                         "scripts/build-images busybox nginx\n")
            run = self.quickstart("--play", PODIUM_BUILD_DIR=empty)
            self.assertEqual(run.returncode, 1)
            self.assertIn(f"{empty}/podium is not built", run.stderr)
        run = self.quickstart("--paly")
        self.assertEqual((run.returncode, run.stderr), (2, "usage: scripts/quickstart [--play]\n"))

    def test_an_agent_and_pods_that_were_there_stay(self):
        self.run_podium("import", worlds.IMAGES / "busybox.tar")
        path = self.world.manifest("""\
apiVersion: v1
kind: Pod
metadata:
  name: own
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: docker.io/library/busybox
      imagePullPolicy: IfNotPresent
      command: ["sleep", "infinity"]
""")
        self.play(path)
        before = self.world.ready("own")
        agent = self.world.agent()
        run = self.quickstart("--play")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn(PAGE, run.stdout)
        self.assertEqual(self.world.agent(), agent)
        after = self.world.pods()
        self.assertEqual(list(after), ["own"])
        self.assertEqual(after["own"]["status"]["containerStatuses"],
                         before["status"]["containerStatuses"])

    def test_readme(self):
        steps = transcript(README.read_text(encoding="utf-8"))
        self.assertGreater(len(steps), 10)
        address = None
        for command, output in steps:
            if address:
                command = re.sub(r"10\.\d+\.\d+\.\d+", address, command)
            command = command.replace("build/images/", f"{worlds.IMAGES}/")
            # At once, but for what waits for a pod.
            seconds = 20 if command.startswith(LOOKING) else 0
            printed = self.run_until(command, pattern(output), seconds)
            found = re.search(r"\b10\.\d+\.\d+\.\d+\b", printed)
            if found and command == "podium pods":
                address = found[0]
        self.assertEqual(self.world.pods(), {})

    def run_until(self, command, expected, seconds):
        """Runs a command line until it prints what is expected; what it printed."""
        last = None
        path = f"{worlds.PODIUM.parent}:{os.environ['PATH']}"

        def printed():
            run = subprocess.run(["bash", "-c", command],
                                 env=self.environment(PATH=path, no_proxy="*"),
                                 cwd=worlds.ROOT, stdin=subprocess.DEVNULL, text=True,
                                 capture_output=True, timeout=60, check=False)
            nonlocal last
            last = run.stdout + run.stderr
            return run.returncode == 0 and re.fullmatch(expected, run.stdout) and run.stdout
        try:
            return worlds.wait_for(command, printed, seconds)
        except AssertionError as late:
            self.fail(f"{late}\nexpected: {expected}\nprinted: {last}")


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
