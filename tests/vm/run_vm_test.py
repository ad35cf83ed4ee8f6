#!/usr/bin/env python3
"""That a failure in the virtual machine is a failure here, and what the machine is like."""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import run_vm  # noqa: E402


def run(*arguments):
    return subprocess.run([sys.executable, run_vm.__file__, *arguments], capture_output=True,
                          text=True, check=False, timeout=300)


@unittest.skipIf(run_vm.missing(), run_vm.missing())
class RunVmTest(unittest.TestCase):
    def test_exit_code_modules_files_and_no_network(self):
        script = ("grep -q overlay /proc/filesystems && test -e /sys/module/veth || exit 1\n"
                  "grep -q 'two words' /etc/note || exit 2\n"
                  "test \"$(ls /sys/class/net)\" = lo || exit 3\n"
                  "test -e /sys/fs/cgroup/cgroup.controllers || exit 4\n"
                  "echo \"$GREETING\"; exit 42\n")
        note = Path(__file__).resolve().parent / "run_vm_test.py"  # two words
        done = run("--modules", "overlay,veth", "--file", f"/etc/note={note}", "--env",
                   "GREETING=good day", "/bin/busybox", "sh", "-c", script)
        self.assertEqual(done.returncode, 42, done.stdout + done.stderr)
        self.assertIn("good day\n", done.stdout)

    def test_a_machine_without_a_result(self):
        done = run("/bin/busybox", "poweroff", "-f")
        self.assertEqual(done.returncode, run_vm.NO_RESULT, done.stdout + done.stderr)

    def test_time_is_over(self):
        done = run("--timeout", "1", "/bin/busybox", "sleep", "1000")
        self.assertEqual(done.returncode, run_vm.TIMED_OUT, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
