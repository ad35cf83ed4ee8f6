#!/usr/bin/env python3
"""Plays examples/play/war-and-tomcat.yaml, with PODIUM_TEST_LONG=1: its image takes minutes to make.

PODIUM_BUILD_DIR names the build. The images are built where they are missing, which takes the
network of the machine; the pod runs on a machine made for the test.
"""

import os
import subprocess
import sys
import unittest

import world as worlds


class TomcatTest(unittest.TestCase):
    def test_an_init_container_brings_the_war(self):
        world = worlds.World()
        self.addCleanup(world.close)
        self.assertEqual(world.podium("play", "-d", world.example("war-and-tomcat.yaml"))[:2],
                         (0, "pod/war-and-tomcat\n"))
        pod = world.ready("war-and-tomcat", 180)
        address = f"http://{pod['status']['podIP']}:8080"
        page, headers = world.fetch(f"{address}/sample/")
        self.assertIn("<h1>Hello from a WAR</h1>", page)
        self.assertIn("text/html", headers["content-type"])
        # Tomcat compiles it.
        self.assertEqual(world.fetch(f"{address}/sample/sum.jsp", 60)[0], "6 * 7 = 42\n")
        war = pod["status"]["initContainerStatuses"][0]
        self.assertEqual(war["state"]["terminated"]["reason"], "Completed")
        # It ends in its own time, on the signal.
        self.assertEqual(world.podium("stop", "war-and-tomcat")[0], 0)


if __name__ == "__main__":
    if os.environ.get("PODIUM_TEST_LONG") != "1":
        print("skipped: with PODIUM_TEST_LONG=1 only")
        sys.exit(77)
    if worlds.INSIDE not in os.environ:
        subprocess.run([sys.executable, worlds.ROOT / "tools/build_images.py", "sample-war",
                        "tomcat"], check=True)
    worlds.enter()
    unittest.main(verbosity=2)
