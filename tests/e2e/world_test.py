#!/usr/bin/env python3
"""What tests of the real program rely on, without the program."""

import threading
import time
import unittest
import unittest.mock

import world as worlds


class World(worlds.World):
    """One without namespaces, registry and instance."""

    def connect(self):
        pass

    def _start_registry(self):
        pass

    def _traces(self):
        return {}


class ImageTest(unittest.TestCase):
    def setUp(self):
        with unittest.mock.patch.dict("os.environ", {worlds.INSIDE: "0"}):
            self.world = World()
        self.addCleanup(self.world.folder.rmdir)

    def test_threads_that_ask_at_once_push_it_once(self):
        pushes = []

        def push(*command):
            pushes.append(command[-1])
            time.sleep(0.1)

        names = []
        with unittest.mock.patch.object(worlds, "output_of", push):
            threads = [threading.Thread(target=lambda: names.append(self.world.image("busybox")))
                       for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(pushes, [f"docker://{worlds.REGISTRY}/busybox:latest"])
        self.assertEqual(names, [f"{worlds.REGISTRY}/busybox"] * 4)

    def test_a_push_that_failed_is_tried_again(self):
        with unittest.mock.patch.object(worlds, "output_of", side_effect=AssertionError):
            self.assertRaises(AssertionError, self.world.image, "busybox")
        with unittest.mock.patch.object(worlds, "output_of") as push:
            self.world.image("busybox")
        push.assert_called_once()


if __name__ == "__main__":
    unittest.main()
