#!/usr/bin/env python3
"""Runs client_node/pods.test.mjs: the newest client library for Node and pods that run.

PODIUM_BUILD_DIR names the build; client_node/fetch gets the library and its Node; the images are
those of scripts/build-images.
"""

import pathlib
import subprocess
import sys
import tempfile

import client_node_test as client_node
import clusters
import world as worlds

setUpModule = clusters.begin
tearDownModule = clusters.end

TESTS = pathlib.Path(__file__).resolve().parent / "client_node/pods.test.mjs"


class ClientNodePodsTest(clusters.ClusterCase):
    def test_everything(self):
        with tempfile.TemporaryDirectory(dir=self.cluster.world.folder) as folder:
            run = subprocess.run(
                [client_node.NODE, "--test-reporter=spec", TESTS,
                 client_node.MODULES / "@kubernetes/client-node", self.cluster.node,
                 self.cluster.world.image("busybox"), folder],
                env=self.cluster.server.environment, stdin=subprocess.DEVNULL, text=True,
                capture_output=True, timeout=500, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr + self.cluster.agent_log())
        self.assertRegex(run.stdout, r"pass 11\n")
        worlds.wait_for("what was deleted without grace has ended, too",
                        lambda: "killed" not in self.cluster.world.pods())


if __name__ == "__main__":
    if not client_node.NODE.exists():
        print(f"skipped: no {client_node.NODE} (tests/e2e/client_node/fetch)")
        sys.exit(77)
    clusters.main()
