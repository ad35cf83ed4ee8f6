#!/usr/bin/env python3
"""Plays pods with the real program on a machine made for the test, and looks at what comes of it.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import pathlib
import tempfile
import unittest

import world as worlds

WORLD = None


def setUpModule():
    global WORLD
    WORLD = worlds.World()


def tearDownModule():
    WORLD.close()


class PlayTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.addCleanup(WORLD.stop_all)

    def run_podium(self, *arguments, status=0, **options):
        """Output and errors of a command that ends as expected."""
        actual, out, err = WORLD.podium(*arguments, **options)
        self.assertEqual(actual, status, f"{arguments}\n{out}{err}{WORLD.agent_log()}")
        return out, err

    def play(self, path):
        """Leaves the pods running; their names."""
        out, _ = self.run_podium("play", "-d", path)
        return [line.removeprefix("pod/") for line in out.splitlines()]

    @staticmethod
    def fetch_or_none(url):
        """The answer and its headers, or nothing while nobody answers well."""
        try:
            return WORLD.fetch(url)
        except OSError:
            return None

    def page_or_none(self, pod):
        answer = self.fetch_or_none(f"http://{pod['status']['podIP']}/")
        return answer and answer[0]

    @staticmethod
    def container(pod, name):
        """The status of a container, or nothing."""
        for each in pod.get("status", {}).get("containerStatuses", []):
            if each["name"] == name:
                return each
        return {}

    def with_ended(self, name, container):
        """The pod, if this container of it has ended."""
        pod = WORLD.pods().get(name, {})
        return "terminated" in self.container(pod, container).get("state", {}) and pod


class ExamplesTest(PlayTest):
    def test_init_container_writes_the_page(self):
        self.assertEqual(self.play(WORLD.example("init-page.yaml")), ["init-page"])
        pod = WORLD.ready("init-page")
        self.assertEqual(worlds.wait_for("nginx serves", lambda: self.page_or_none(pod)),
                         "<h1>Hello from init-page</h1>\n")
        fetch = pod["status"]["initContainerStatuses"][0]
        self.assertEqual(fetch["state"]["terminated"]["reason"], "Completed")

    def test_processes_are_shared(self):
        self.play(WORLD.example("shared-processes.yaml"))
        WORLD.ready("shared-processes")
        for container in "server", "shell":
            out, _ = self.run_podium("exec", "shared-processes", "-c", container, "--", "ps", "-o",
                                     "pid,args")
            self.assertIn("httpd -f -p 8080", out)
            self.assertIn("sleep infinity", out)
            self.assertNotRegex(out, r"(?m)^ *1 (httpd|sleep|ps)\b")

    def test_memory_is_shared(self):
        path = WORLD.example("shared-memory.yaml")
        out, _ = self.run_podium("play", path)
        self.assertEqual(out, "reader | through shared memory\n")

    def test_two_pods_listen_on_one_port(self):
        self.assertEqual(self.play(WORLD.example("same-port-two-pods.yaml")),
                         ["port-one", "port-two"])
        one, two = WORLD.ready("port-one"), WORLD.ready("port-two")
        self.assertNotEqual(one["status"]["podIP"], two["status"]["podIP"])
        worlds.wait_for("both serve", lambda: self.page_or_none(one) == "one\n" and
                        self.page_or_none(two) == "two\n")

    def test_two_containers_of_a_pod_cannot_listen_on_one_port(self):
        self.play(WORLD.example("same-port-one-pod.yaml"))
        pod = worlds.wait_for("the second ends", lambda: self.with_ended("same-port", "second"))
        ended = self.container(pod, "second")["state"]["terminated"]
        self.assertEqual((ended["exitCode"], ended["reason"]), (1, "Error"))
        out, _ = self.run_podium("logs", "same-port", "-c", "second")
        self.assertIn("Address already in use", out)

    def test_debian_writes_the_page_that_nginx_serves(self):
        with tempfile.TemporaryDirectory(dir=WORLD.folder) as parent:
            # Not there yet: podium makes it.
            folder = pathlib.Path(parent) / "page"
            self.play(WORLD.example("shared-folder.yaml", {"/srv/podium-page": folder}))
            pod = worlds.wait_for("debian ends", lambda: self.with_ended("shared-folder", "debian"))
            self.assertEqual(worlds.wait_for("nginx serves", lambda: self.page_or_none(pod)),
                             "Hello from the debian container\n")
            self.assertEqual(pod["status"]["phase"], "Running")
            self.run_podium("stop", "shared-folder")
            self.assertEqual((folder / "index.html").read_text(),
                             "Hello from the debian container\n")

    def test_traffic_goes_through_the_proxy(self):
        self.play(WORLD.example("proxy-sidecar.yaml"))
        address = WORLD.ready("proxy-sidecar")["status"]["podIP"]
        text, headers = worlds.wait_for("nginx answers",
                                        lambda: self.fetch_or_none(f"http://{address}/"))
        self.assertIn("Welcome to nginx!", text)
        self.assertEqual(headers["x-proxied-by"], "podium-proxy")
        # Inside the pod the application is reached directly.
        script = r"exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3"
        out, _ = self.run_podium("exec", "proxy-sidecar", "-c", "app", "--", "bash", "-c", script)
        self.assertIn("Welcome to nginx!", out)
        self.assertNotIn("x-proxied-by", out)

    def test_log_lines_reach_a_database_in_another_pod(self):
        self.play(WORLD.example("log-collector.yaml"))
        WORLD.ready("redis")
        WORLD.ready("log-collector")

        def lines():
            out, _ = self.run_podium("exec", "redis", "--", "redis-cli", "LRANGE", "logs", "0",
                                     "-1")
            found = out.splitlines()
            return len(found) >= 5 and found
        self.assertEqual(worlds.wait_for("lines arrive", lines)[:5],
                         [f"request {number} served" for number in range(1, 6)])

    def test_folder_is_refreshed_while_it_is_served(self):
        with tempfile.TemporaryDirectory(dir=WORLD.folder) as folder:
            page = pathlib.Path(folder) / "index.html"
            page.write_text("first\n")
            self.play(WORLD.example("refreshed-folder.yaml", {"/srv/podium-page": folder}))
            pod = WORLD.ready("refreshed-folder")
            worlds.wait_for("the first page", lambda: self.page_or_none(pod) == "first\n")
            page.write_text("second\n")
            worlds.wait_for("the second page", lambda: self.page_or_none(pod) == "second\n")


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
