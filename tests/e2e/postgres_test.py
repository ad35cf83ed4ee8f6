#!/usr/bin/env python3
"""A PostgreSQL server in a pod, asked over the pod network, with PODIUM_TEST_LONG=1: its image takes
minutes to make.

PODIUM_BUILD_DIR names the build. The image is built where it is missing, which takes the network of
the machine; the pod runs on a machine made for the test.
"""

import os
import subprocess
import sys
import unittest

import world as worlds

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: database
spec:
  containers:
  - name: postgres
    image: postgres
    env:
    - {name: POSTGRES_PASSWORD, value: it's a secret}
    - {name: POSTGRES_DB, value: logs}
    volumeMounts:
    - {name: data, mountPath: /data}
  volumes:
  - name: data
    emptyDir: {}
"""


class PostgresTest(unittest.TestCase):
    def ask(self, world, address, query, password="it's a secret"):
        """Over TCP, as another pod would."""
        return world.podium("exec", "database", "--", "env", f"PGPASSWORD={password}", "psql", "-h",
                            address, "-U", "postgres", "-d", "logs", "-Atc", query)

    def test_it_serves_and_keeps_what_it_is_told(self):
        world = worlds.World()
        self.addCleanup(world.close)
        self.assertEqual(world.podium("play", "-d", world.manifest(POD))[0], 0)
        address = world.ready("database", 180)["status"]["podIP"]
        worlds.wait_for("it serves", lambda: self.ask(world, address, "SELECT 1")[0] == 0, 180)
        made = "CREATE TABLE lines (line text); INSERT INTO lines VALUES ('kept')"
        self.assertEqual(self.ask(world, address, made)[0], 0)
        status, _, err = self.ask(world, address, "SELECT 1", "wrong")
        self.assertNotEqual(status, 0)
        self.assertIn("password authentication failed", err)
        # A server that starts again finds its databases; the first password stays nowhere.
        self.assertEqual(world.podium("exec", "database", "--", "sh", "-c",
                                      "ls /data; kill -INT 1")[:2], (0, "pgdata\n"))
        worlds.wait_for("it serves again", lambda: self.ask(
            world, address, "SELECT line FROM lines")[:2] == (0, "kept\n"), 60)
        self.assertEqual(world.podium("stop", "database")[0], 0)


if __name__ == "__main__":
    if os.environ.get("PODIUM_TEST_LONG") != "1":
        print("skipped: with PODIUM_TEST_LONG=1 only")
        sys.exit(77)
    if worlds.INSIDE not in os.environ:
        subprocess.run([sys.executable, worlds.ROOT / "tools/build_images.py", "postgres"],
                       check=True)
    worlds.enter()
    unittest.main(verbosity=2)
