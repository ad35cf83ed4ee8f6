#!/usr/bin/env python3
"""podium run with what is attached to, beside kubectl's of release 1.32, through a server to an
agent: status, output and errors are the same bytes; and at a terminal, as a person sees it.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py).
"""

import json
import re

import api_server
import clusters
import kubectl_pods_test as pods
import kubectl_twin_test as twin
import world as worlds

setUpModule = clusters.begin
tearDownModule = clusters.end

# Options; a command; what it reads.
RUNS = (
    ("--rm -i --restart=Never", "cat", "one\ntwo\n"),
    ("--rm -i -q --restart=Never", "read x; echo got $x; exit 4", "one\n"),
    ("-i --restart=Never", "read x; echo got $x; exit 4", "one\n"),
    ("-i --restart=OnFailure --rm", "cat", "one\n"),
    ("-it --restart=Never --rm", "read x; echo got $x", "one\n"),
    ("--attach --restart=Never --rm", "sleep 1; echo out; echo err >&2; exit 3", ""),
    ("--attach --restart=Never", "never ready", ""),
    ("--attach --restart=Never --quiet --rm", "never ready", ""),
    ("-i --restart=Never --leave-stdin-open --rm", "read x; echo got $x; exit 6", "one\n"),
    ("-i --attach=false --restart=Never", "echo not here", ""),
    ("--attach --expose --port=80 --rm --restart=Never", "sleep 1; echo out", ""),
    ("--attach --pod-running-timeout=1s --restart=Never --rm", "unplaced", ""),
)


class RunTest(pods.KubectlCase):
    programs = (api_server.KUBECTL, worlds.PODIUM)

    def arguments(self, options, command):
        spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1,
                "nodeName": self.cluster.node}
        if command == "unplaced":
            spec["nodeName"] = "nowhere"
        if command == "never ready":
            # It has ended before it could be attached to.
            options += " --override-type=strategic"
            spec["containers"] = [{"name": "visit", "readinessProbe": {"exec": {"command": ["false"]}}}]
            command = "echo out; sleep 1; exit 5"
        overrides = json.dumps({"apiVersion": "v1", "spec": spec})
        return ["run", "visit", f"--overrides={overrides}", *options.split(), "--image=" +
                self.cluster.world.image("busybox"), "--command", "--", "sh", "-c", command]

    def neutral(self, text):
        return re.sub(r"\b(kubectl|podium)\b", "PROGRAM", twin.LOGGED.sub("", text))

    def clean(self):
        self.program = api_server.KUBECTL
        self.kubectl("delete", "pod,svc", "visit", "--ignore-not-found", "--grace-period=0",
                     "--force")

    def test_runs(self):
        for options, command, stdin in RUNS:
            answers = []
            for program in self.programs:
                self.program = program
                status, out, err = self.both(*self.arguments(options, command), stdin=stdin)
                self.program = api_server.KUBECTL
                # --rm does not wait: what is being deleted is as good as gone.
                answers.append((status, self.neutral(out), self.neutral(err), [
                    f"{kind}/{item['metadata']['name']}" for kind, item in
                    self.cluster.server.objects(self.namespace, "pods,svc")
                    if "deletionTimestamp" not in item["metadata"]]))
                self.clean()
            with self.subTest(options, command=command):
                self.assertEqual(answers[1], answers[0])

    def test_what_ends_at_once(self):
        """Whether it can be attached to is a matter of luck; what it says is told all the same."""
        self.program = worlds.PODIUM
        self.addCleanup(self.clean)
        for _ in range(3):
            status, out, err = self.both(*self.arguments("--attach --restart=Never --rm", "echo out; exit 5"))
            self.assertEqual((status, out), (5, 'out\npod "visit" deleted\n'))
            self.assertNotIn("warning", err)
            self.assertTrue(err.endswith("pod run/visit terminated (Error)\n"), err)

    def test_how_it_is_deleted(self):
        """kubectl takes the options and does nothing of them."""
        self.program = worlds.PODIUM
        self.addCleanup(self.clean)
        status, out, err = self.both(*self.arguments(
            "-i --rm --force --restart=Never", "cat"), stdin="x\n")
        self.assertEqual((status, out), (0, 'x\npod "visit" force deleted\n'), err)
        for option in "--force", "--grace-period=3", "--cascade=orphan", "--wait", "--timeout=1s":
            name = option.split("=", 1)[0]
            status, out, err = self.both(*self.arguments(option, "true"))
            self.assertEqual((status, out), (1, ""))
            self.assertTrue(err.startswith(f"error: {name} says how --rm deletes the pod\n"), err)
        self.assertEqual(self.both("get", "pod", "visit")[0], 1)


class TerminalTest(pods.Terminals, pods.KubectlCase):
    """What people do with kubectl at a terminal, with podium."""
    program = worlds.PODIUM

    def visit(self, name, *options):
        overrides = json.dumps({"apiVersion": "v1", "spec": {
            "nodeName": self.cluster.node, "terminationGracePeriodSeconds": 1}})
        terminal = self.at_terminal(
            "run", name, "-it", *options, f"--overrides={overrides}",
            "--image=" + self.cluster.world.image("busybox"), "--", "sh")
        before = terminal.settings()
        terminal.until(pods.PROMPT + "|try pressing enter")
        terminal.say("", pods.PROMPT)
        return terminal, before

    def test_keys_are_the_pods(self):
        terminal, before = self.visit("keys", "--restart=Never", "--rm", "--grace-period=1",
                                      "--wait")
        self.assertNotEqual(terminal.settings(), before)
        terminal.type("sleep 1000\r")
        worlds.wait_for("it sleeps", lambda: "sleep 1000" in self.kubectl_of(
            "exec", "keys", "--", "ps"))
        terminal.type("\x03")
        terminal.say("echo ended by $?", r"\r\nended by 130\r\n")
        # As kubectl has it, nothing that is typed leaves it.
        terminal.type("\x10\x11")
        terminal.type("\x15")
        terminal.say("echo still here", r"\r\nstill here\r\n")
        terminal.type("exit 7\r")
        self.assertEqual(terminal.end(), 7)
        self.assertRegex(terminal.seen,
                         r'pod "keys" deleted\r\npod terminal/keys terminated \(Error\)')
        self.assertEqual(terminal.settings(), before)
        self.assertEqual(self.kubectl_of("get", "pod", "keys", "--ignore-not-found"), "")

    def test_what_goes_on_is_told(self):
        terminal, before = self.visit("anew")
        terminal.type("exit 7\r")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("Session ended, resume using 'podium attach anew -c anew -i -t' command when "
                      "the pod is running\r\n", terminal.seen)
        self.assertEqual(terminal.settings(), before)

    def kubectl_of(self, *arguments):
        return self.cluster.server.kubectl("-n", self.namespace, *arguments)[1]


class StreamsTest(pods.KubectlCase):
    program = worlds.PODIUM
    test_exec_without_a_terminal = pods.Streams.test_exec_without_a_terminal
    test_attach_to_pipes = pods.Streams.test_attach_to_pipes
    test_logs_as_they_come = pods.Streams.test_logs_as_they_come
    test_logs_of_the_container_before = pods.Streams.test_logs_of_the_container_before
    test_logs_of_all_containers = pods.Streams.test_logs_of_all_containers

    test_copy = pods.Streams.test_copy
    test_port_forward = pods.Streams.test_port_forward
    test_a_port_where_nobody_listens = pods.Streams.test_a_port_where_nobody_listens
    forward = pods.Streams.forward
    asked = staticmethod(pods.Streams.asked)

    def test_copies(self):
        """In kubectl's words; what comes of it is test_copy's matter and that of tests/cli."""
        self.pod("copied-from")
        self.kubectl("exec", "copied-from", "--", "sh", "-c", (
            "mkdir /c; cd /c; echo x > f; ln -s /etc out; ln -s f in; echo y > ' b\"l'"))
        near = self.cluster.world.folder / "near"
        near.write_text("near\n")
        pod = f"{self.namespace}/copied-from"
        for arguments in (["none:/c", "near"], ["near", "none:/c"], [f"{pod}:/c", "far"],
                          [f"{pod}:c/in", "far-link"], ["-c", "other", "near", f"{pod}:/c"],
                          ["near", f"{pod}:/c/.././c/new"], ["near", f"{pod}:/nowhere/new"],
                          [f"{pod}:/c/new", "far"], ["far", f"{pod}:/c"]):
            answers = []
            for program in RunTest.programs:
                self.program = program
                status, out, err = self.both("cp", *arguments)
                # What tar says on the way to an error may come too late.
                answers.append((status, out if status == 0 else "", RunTest.neutral(self, err)))
            with self.subTest(arguments):
                self.assertEqual(answers[1], answers[0])
        self.assertEqual(self.kubectl("exec", "copied-from", "--", "sh", "-c",
                                      "cat /c/new /c/far/f"), "near\nx\n")

    def test_pods_of_an_object(self):
        """exec and attach take TYPE/NAME, and one container of several, in kubectl's words."""
        spec = {"automountServiceAccountToken": False, "nodeName": self.cluster.node,
                "terminationGracePeriodSeconds": 1,
                "containers": [{"name": name, "image": self.cluster.world.image("busybox"),
                                "command": ["sh", "-c", f"echo {name} 1; echo {name} 2; exec sleep 1000"]}
                               for name in ("one", "two")]}
        self.kubectl("create", "-f", "-", stdin=json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "duo", "labels": {"a": "b"}},
            "spec": spec}))
        self.kubectl("create", "svc", "clusterip", "duo", "--tcp=80")
        self.kubectl("set", "selector", "svc/duo", "a=b")
        self.ready("duo")
        for arguments in (["exec", "duo", "--", "hostname"],
                          ["exec", "pod/duo", "-c", "two", "--", "hostname"],
                          ["exec", "svc/duo", "-c", "two", "--", "echo", "x"],
                          ["exec", "svc/duo", "-q", "--", "true"],
                          ["exec", "duo", "-c", "three", "--", "true"],
                          ["exec", "none", "--", "true"], ["exec", "svc/none", "--", "true"],
                          ["exec", "nosuch/x", "--", "true"],
                          ["exec", "duo", "-it", "-c", "one", "--", "cat"],
                          ["attach", "none"], ["attach", "duo", "-c", "three"],
                          ["logs", "duo"], ["logs", "duo", "two"], ["logs", "duo", "-c", "two"],
                          ["logs", "pod/duo", "--all-containers"],
                          ["logs", "duo", "--all-containers", "--prefix", "--tail=1"],
                          ["logs", "-l", "a=b", "-c", "one"], ["logs", "-l", "a=none"],
                          ["logs", "-l", "a=b", "--all-containers", "--tail=1"],
                          ["logs", "svc/duo", "-c", "two", "--limit-bytes=3"],
                          ["logs", "duo", "-c", "three"],
                          ["logs", "duo", "-c", "one", "-p"],
                          ["logs", "-f", "-l", "a=b", "--all-containers", "--max-log-requests=1"]):
            answers = []
            for program in RunTest.programs:
                self.program = program
                status, out, err = self.both(*arguments, stdin="in\n")
                # Of several containers kubectl takes any first.
                answers.append((status, sorted(out.splitlines()), RunTest.neutral(self, err)))
            with self.subTest(arguments):
                self.assertEqual(answers[1], answers[0])


if __name__ == "__main__":
    twin.check_version()
    clusters.main()
