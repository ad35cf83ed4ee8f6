"""What the tests of the real program have in common: a world for a module, and pods in it.

A test module names begin and end its setUpModule and tearDownModule.
"""

import unittest

import world as worlds


def begin():
    PodCase.world = worlds.World()


def end():
    PodCase.world.close()


class PodCase(unittest.TestCase):
    maxDiff = None
    world = None

    def setUp(self):
        self.addCleanup(self.world.stop_all)

    def run_podium(self, *arguments, status=0, **options):
        """Output and errors of a command that ends as expected."""
        actual, out, err = self.world.podium(*arguments, **options)
        self.assertEqual(actual, status, f"{arguments}\n{out}{err}{self.world.agent_log()}")
        return out, err

    def start(self, *arguments):
        """A command in the background, which ends with the test at the latest."""
        process = self.world.start(*arguments)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        for pipe in process.stdin, process.stdout, process.stderr:
            pipe.close()

    def play(self, path):
        """Leaves the pods running; their names."""
        out, _ = self.run_podium("play", "-d", path)
        return [line.removeprefix("pod/") for line in out.splitlines()]

    def fetch_or_none(self, url):
        """The answer and its headers, or nothing while nobody answers well."""
        try:
            return self.world.fetch(url)
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
        pod = self.world.pods().get(name, {})
        return "terminated" in self.container(pod, container).get("state", {}) and pod

    def waiting(self, name, reason):
        """The status of the main container, if it waits for this reason."""
        status = self.container(self.world.pods().get(name, {}), "main")
        return status.get("state", {}).get("waiting", {}).get("reason") == reason and status

    POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  restartPolicy: {restart}
  terminationGracePeriodSeconds: 2
  containers:
    - name: main
      image: {image}
      stdin: {stdin}
      command:
        - sh
        - -c
        - |
          {script}
"""

    def pod(self, name, script, restart="Never", image="busybox", stdin="false"):
        """A manifest with one container that runs a shell script of one line."""
        return self.world.manifest(self.POD.format(name=name, script=script, restart=restart,
                                              image=image, stdin=stdin))
