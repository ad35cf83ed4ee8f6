#!/usr/bin/env python3
"""Loads the completion scripts into the shells they are for, and completes.

bash and fish can be asked what they would offer; zsh is typed at, in a terminal.
"""

import fcntl
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PODIUM_BUILD_DIR", ROOT / "build/dev"))
# What is typed, and what a shell offers for the last word.
CASES = (
    ("podium val", ["validate"]),
    ("podium ", ["agent", "annotate", "api-resources", "api-versions", "apply", "attach", "auth", "backup",
                 "completion", "config", "convert", "cp", "create", "cri", "delete", "describe", "diff", "edit",
                 "events", "exec", "explain", "export", "expose", "get", "images", "import", "inspect", "label", "logs", "node",
                 "patch", "play", "pods", "port-forward", "proxy", "prune", "ps", "pull", "restore", "rm", "rmi", "run",
                 "scale", "server", "set", "stats", "stop", "top", "validate", "version", "wait"]),
    ("podium validate --rec", ["--recursive"]),
    ("podium validate -o j", ["json"]),
    ("podium convert -o ", ["json", "protobuf", "yaml"]),
    ("podium apply --onto bro", ["broken"]),
    ("podium apply --force-", ["--force-conflicts"]),
    ("podium patch --type ", ["json", "merge", "strategic"]),
    ("podium patch --patch-file bro", ["broken"]),
    ("podium diff -f bro", ["broken"]),
    ("podium diff bro", ["broken"]),
    ("podium completion f", ["fish"]),
    ("podium explain deploy.s", ["deploy.spec", "deploy.status"]),
    ("podium explain pod.spec.con", ["pod.spec.containers", "pod.spec.containers."]),
    ("podium explain pod.spec.nodeN", ["pod.spec.nodeName"]),
    ("podium validate -f bro", ["broken"]),
    ("podium validate broken/t", ["broken/ten-mistakes.yaml"]),
)


def environment():
    path = f"{BUILD}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": "/nonexistent", "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def run(command):
    return subprocess.run(command, env=environment(), cwd=ROOT / "examples", check=True,
                          capture_output=True, timeout=60).stdout.decode()


class BashTest(unittest.TestCase):
    SCRIPT = """
        source <(podium completion bash)
        COMP_LINE=$1 COMP_POINT=${#1}
        read -ra COMP_WORDS <<<"$1"
        [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        $(complete -p podium | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        printf '%s\\n' "${COMPREPLY[@]}"
    """

    def complete(self, line):
        return run(["bash", "--norc", "-c", self.SCRIPT, "bash", line]).splitlines()

    def test_candidates(self):
        for line, candidates in CASES:
            self.assertEqual(sorted(self.complete(line)), candidates, line)

    def test_words_that_bash_takes_apart(self):
        script = self.SCRIPT.replace("read -ra COMP_WORDS <<<\"$1\"",
                                     "COMP_WORDS=(podium validate --output = j)")
        self.assertEqual(run(["bash", "--norc", "-c", script, "bash", "x"]), "json\n")


class FishTest(unittest.TestCase):
    def test_candidates(self):
        for line, candidates in CASES:
            out = run(["fish", "--no-config", "-c",
                       "podium completion fish | source; complete -C $argv[1]", line])
            offered = [each.split("\t")[0].removesuffix("/") for each in out.splitlines()]
            self.assertEqual(sorted(offered), candidates, line)

    def test_descriptions(self):
        out = run(["fish", "--no-config", "-c",
                   "podium completion fish | source; complete -C 'podium val'"])
        self.assertEqual(out, "validate\tFind every mistake in manifests\n")


class ZshTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="podium_zsh_")
        self.addCleanup(shutil.rmtree, folder)
        script = pathlib.Path(folder) / "_podium"
        script.write_text(run(["podium", "completion", "zsh"]), encoding="utf-8")
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(ROOT / "examples")
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment() | {"COLUMNS": "200"})
        self.addCleanup(self.end)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("4H", 50, 200, 0, 0))
        self.type(f"unset zle_bracketed_paste; fpath=({folder} $fpath); autoload -Uz compinit; "
                  "compinit -u -D; echo set'-'up\n")
        self.read_until(b"\nset-up")

    def end(self):
        os.kill(self.child, signal.SIGKILL)
        os.close(self.terminal)
        os.waitpid(self.child, 0)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, text, seconds=30):
        seen = b""
        deadline = time.monotonic() + seconds
        while text not in seen:
            ready, _, _ = select.select([self.terminal], [], [], deadline - time.monotonic())
            self.assertTrue(ready, f"no {text!r} in {seen!r}")
            seen += os.read(self.terminal, 4096)
        return seen

    def test_words_are_completed(self):
        for line, candidates in CASES:
            if len(candidates) > 1:
                continue
            with self.subTest(line=line):
                # Home, echo, End: what the line became is printed.
                self.type(line + "\t\x01echo \x05 END\n")
                completed = line.rsplit(" ", 1)[0] + " " + candidates[0]
                self.read_until(b"\n" + completed.encode())

    def test_candidates_are_listed_with_descriptions(self):
        self.type("podium \t")
        seen = self.read_until(b"-- Print the version of podium")
        self.assertIn(b"Find every mistake in manifests", seen)


if __name__ == "__main__":
    unittest.main()
