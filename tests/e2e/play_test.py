#!/usr/bin/env python3
"""Plays pods with the real program on a machine made for the test, and looks at what comes of it.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import os
import pathlib
import re
import signal
import tempfile
import time
import unittest

import cases
import world as worlds

setUpModule = cases.begin
tearDownModule = cases.end

class ExamplesTest(cases.PodCase):
    def test_init_container_writes_the_page(self):
        self.assertEqual(self.play(self.world.example("init-page.yaml")), ["init-page"])
        pod = self.world.ready("init-page")
        self.assertEqual(worlds.wait_for("nginx serves", lambda: self.page_or_none(pod)),
                         "<h1>Hello from init-page</h1>\n")
        fetch = pod["status"]["initContainerStatuses"][0]
        self.assertEqual(fetch["state"]["terminated"]["reason"], "Completed")

    def test_processes_are_shared(self):
        self.play(self.world.example("shared-processes.yaml"))
        self.world.ready("shared-processes")
        for container in "server", "shell":
            out, _ = self.run_podium("exec", "shared-processes", "-c", container, "--", "ps", "-o",
                                     "pid,args")
            self.assertIn("httpd -f -p 8080", out)
            self.assertIn("sleep infinity", out)
            self.assertNotRegex(out, r"(?m)^ *1 (httpd|sleep|ps)\b")

    def test_memory_is_shared(self):
        path = self.world.example("shared-memory.yaml")
        out, _ = self.run_podium("play", path)
        self.assertEqual(out, "reader | through shared memory\n")

    def test_two_pods_listen_on_one_port(self):
        self.assertEqual(self.play(self.world.example("same-port-two-pods.yaml")),
                         ["port-one", "port-two"])
        one, two = self.world.ready("port-one"), self.world.ready("port-two")
        self.assertNotEqual(one["status"]["podIP"], two["status"]["podIP"])
        worlds.wait_for("both serve", lambda: self.page_or_none(one) == "one\n" and
                        self.page_or_none(two) == "two\n")

    def test_two_containers_of_a_pod_cannot_listen_on_one_port(self):
        self.play(self.world.example("same-port-one-pod.yaml"))
        pod = worlds.wait_for("the second ends", lambda: self.with_ended("same-port", "second"))
        ended = self.container(pod, "second")["state"]["terminated"]
        self.assertEqual((ended["exitCode"], ended["reason"]), (1, "Error"))
        out, _ = self.run_podium("logs", "same-port", "-c", "second")
        self.assertIn("Address already in use", out)
        holder = re.compile(r'^port 80 is held by container "first" \(httpd, pid (\d+)\)$')
        self.assertRegex(ended["message"], holder)
        pid = int(holder.match(ended["message"])[1])
        self.assertTrue(worlds.processes()[pid].startswith("httpd -f -p 80"))

    def test_play_says_who_holds_the_port(self):
        play = self.start("play", self.world.example("same-port-one-pod.yaml"))
        line = next(line for line in play.stderr if " container second: " in line)
        self.assertRegex(line, r'^podium: pod/same-port container second: Error, exit code 1: '
                               r'port 80 is held by container "first" \(httpd, pid \d+\)\n$')
        play.send_signal(signal.SIGINT)
        play.communicate(timeout=30)

    def test_debian_writes_the_page_that_nginx_serves(self):
        with tempfile.TemporaryDirectory(dir=self.world.folder) as parent:
            # Not there yet: podium makes it.
            folder = pathlib.Path(parent) / "page"
            self.play(self.world.example("shared-folder.yaml", {"/srv/podium-page": folder}))
            pod = worlds.wait_for("debian ends", lambda: self.with_ended("shared-folder", "debian"))
            self.assertEqual(worlds.wait_for("nginx serves", lambda: self.page_or_none(pod)),
                             "Hello from the debian container\n")
            self.assertEqual(pod["status"]["phase"], "Running")
            self.run_podium("stop", "shared-folder")
            self.assertEqual((folder / "index.html").read_text(),
                             "Hello from the debian container\n")

    def test_traffic_goes_through_the_proxy(self):
        self.play(self.world.example("proxy-sidecar.yaml"))
        address = self.world.ready("proxy-sidecar")["status"]["podIP"]
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
        self.play(self.world.example("log-collector.yaml"))
        self.world.ready("redis")
        self.world.ready("log-collector")

        def lines():
            out, _ = self.run_podium("exec", "redis", "--", "redis-cli", "LRANGE", "logs", "0",
                                     "-1")
            found = out.splitlines()
            return len(found) >= 5 and found
        self.assertEqual(worlds.wait_for("lines arrive", lines)[:5],
                         [f"request {number} served" for number in range(1, 6)])

    def test_folder_is_refreshed_while_it_is_served(self):
        with tempfile.TemporaryDirectory(dir=self.world.folder) as folder:
            page = pathlib.Path(folder) / "index.html"
            page.write_text("first\n")
            self.play(self.world.example("refreshed-folder.yaml", {"/srv/podium-page": folder}))
            pod = self.world.ready("refreshed-folder")
            worlds.wait_for("the first page", lambda: self.page_or_none(pod) == "first\n")
            page.write_text("second\n")
            worlds.wait_for("the second page", lambda: self.page_or_none(pod) == "second\n")


class CommandsTest(cases.PodCase):
    def test_logs(self):
        self.play(self.pod("lines", "echo one; sleep 1; echo two >&2; sleep 1; echo three"))
        self.world.phase("lines", "Running")
        follow = self.start("logs", "-f", "lines")
        out, err = follow.communicate(timeout=30)
        self.assertEqual((follow.returncode, out, err), (0, "one\ntwo\nthree\n", ""))
        self.assertEqual(self.run_podium("logs", "lines"), ("one\ntwo\nthree\n", ""))
        self.assertEqual(self.run_podium("logs", "--tail", "2", "lines")[0], "two\nthree\n")
        out, _ = self.run_podium("logs", "--timestamps", "--tail", "1", "lines")
        self.assertRegex(out, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) three\n$")
        log = list((self.world.folder / "log").glob("default_lines_*/main/0.log"))
        self.assertEqual(len(log), 1)
        self.assertRegex(log[0].read_text().splitlines()[1], r"^\S+ stderr F two$")
        _, err = self.run_podium("logs", "lines", "-c", "other", status=1)
        self.assertEqual(err, "error: container other is not valid for pod lines\n")
        _, err = self.run_podium("logs", "nobody", status=1)
        self.assertEqual(err, 'Error from server (NotFound): pods "nobody" not found\n')

    def test_exec(self):
        self.play(self.pod("shell", "exec sleep infinity"))
        self.world.ready("shell")
        _, err = self.run_podium("exec", "shell", "--", "sh", "-c", "exit 42", status=42)
        self.assertEqual(err, "command terminated with exit code 42\n")
        text = "line\n" * 20000
        out, _ = self.run_podium("exec", "-i", "shell", "--", "cat", stdin=text)
        self.assertEqual(out, text)
        out, err = self.run_podium("exec", "shell", "--", "sh", "-c", "hostname; echo oops >&2")
        self.assertEqual((out, err), ("shell\n", "oops\n"))
        _, err = self.run_podium("exec", "shell", "--", "no-such-program", status=1)
        self.assertIn("no-such-program", err)
        self.assertIn("not found", err)
        self.copies("shell")

    def copies(self, pod):
        near = self.world.folder / "near"
        (near / "deep").mkdir(parents=True)
        (near / "deep/file").write_bytes(bytes(range(256)) * 2000)
        self.run_podium("cp", near, f"{pod}:/tmp/far")
        back = self.world.folder / "back"
        self.run_podium("cp", "--retries=1", f"default/{pod}:/tmp/far", back)
        self.assertEqual((back / "deep/file").read_bytes(), (near / "deep/file").read_bytes())
        out, err = self.run_podium("cp", "--retries=1", f"{pod}:/tmp/none", back, status=1)
        self.assertIn("No such file", out)
        self.assertEqual(err, "command terminated with exit code 1\n")

    def test_attach(self):
        self.play(self.pod("echo", "while read line; do echo got $line; done", stdin="true"))
        self.world.ready("echo")
        attached = self.start("attach", "-i", "echo")
        attached.stdin.write("hello\n")
        attached.stdin.flush()
        self.assertEqual(attached.stdout.readline(), "got hello\n")
        self.run_podium("stop", "echo")
        attached.communicate(timeout=30)

    def test_foreground_shows_and_ends_with_the_pod(self):
        out, err = self.run_podium("play", self.pod("job", "echo working; exit 3"), status=1)
        self.assertEqual(out, "main | working\n")
        self.assertIn("podium: pod/job container main: Error, exit code 3\n", err)
        self.assertEqual(self.world.pods(), {})
        out, _ = self.run_podium("play", self.pod("job", "echo fine"))
        self.assertEqual(out, "main | fine\n")

    def test_interrupt_stops_in_the_pods_own_time(self):
        script = "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.1; done"
        play = self.start("play", self.pod("server", script))
        self.assertEqual(play.stdout.readline(), "main | up\n")
        play.send_signal(signal.SIGINT)
        out, err = play.communicate(timeout=30)
        self.assertEqual((play.returncode, out), (130, "main | bye\n"), err)
        self.assertIn("podium: stopping the pods; once more kills them\n", err)
        self.assertEqual(self.world.pods(), {})

    def test_two_interrupts_kill(self):
        script = "trap '' TERM; echo up; while true; do sleep 0.1; done"
        path = pathlib.Path(self.pod("server", script))
        path.write_text(path.read_text().replace("Seconds: 2", "Seconds: 600"))
        play = self.start("play", path)
        self.assertEqual(play.stdout.readline(), "main | up\n")
        play.send_signal(signal.SIGINT)
        while "once more kills them" not in play.stderr.readline():
            self.assertIsNone(play.poll())
        play.send_signal(signal.SIGINT)
        self.assertEqual(play.wait(timeout=30), 130)
        self.assertEqual(self.world.pods(), {})

    def test_down_and_twice(self):
        path = self.pod("web", "exec sleep infinity")
        self.assertEqual(self.play(path), ["web"])
        _, err = self.run_podium("play", path, status=1)
        self.assertEqual(err, 'podium play: pods "web" already exists; stop it first: podium stop '
                              "web, or podium play --down FILE; podium play -d FILE brings what may "
                              "be changed to it\n")
        self.world.ready("web")
        _, err = self.run_podium("rm", "web", status=1)
        self.assertEqual(err, 'podium rm: pod "web" runs; stop it first, or use --force\n')
        self.assertEqual(self.run_podium("play", "--down", path)[0], "pod/web\n")
        self.assertEqual(self.world.pods(), {})
        self.play(path)
        self.assertEqual(self.run_podium("rm", "--force", "web")[0], "pod/web\n")

    def test_crashes_back_off(self):
        self.play(self.pod("crash", "echo run; exit 7", restart="Always"))
        waiting = worlds.wait_for("it backs off", lambda: self.waiting("crash",
                                                                       "CrashLoopBackOff"))
        self.assertEqual(waiting["restartCount"], 1)
        self.assertEqual(waiting["lastState"]["terminated"]["exitCode"], 7)
        self.assertRegex(waiting["state"]["waiting"]["message"],
                         r"^back-off 10s restarting failed container=main pod=crash_default\(")
        out, _ = self.run_podium("pods")
        self.assertRegex(out, r"(?m)^crash +0/1 +CrashLoopBackOff +1 ")
        self.assertEqual(self.run_podium("logs", "--previous", "crash")[0], "run\n")

    def test_image_that_does_not_exist(self):
        self.play(self.pod("missing", "true", image=f"{worlds.REGISTRY}/nothing:1"))
        status = worlds.wait_for("the pull fails", lambda: self.waiting("missing", "ErrImagePull")
                                 or self.waiting("missing", "ImagePullBackOff"))
        self.assertIn(f"{worlds.REGISTRY}/nothing:1", status["state"]["waiting"]["message"])
        play = self.start("play", self.pod("missing-too", "true",
                                            image=f"{worlds.REGISTRY}/nothing:2"))
        line = next(line for line in play.stderr if " container main: ErrImagePull: " in line)
        self.assertIn(f"{worlds.REGISTRY}/nothing:2", line)
        self.assertIn("not found", line)
        play.send_signal(signal.SIGINT)
        play.communicate(timeout=30)
        self.assertEqual(play.returncode, 130)
        self.assertEqual(list(self.world.pods()), ["missing"])

    def test_config_in_the_same_file(self):
        path = self.world.manifest("""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  color: green
  motd: |
    welcome
---
apiVersion: v1
kind: Secret
metadata:
  name: key
stringData:
  password: s3cret
---
apiVersion: v1
kind: Pod
metadata:
  name: configured
spec:
  restartPolicy: Never
  containers:
    - name: main
      image: busybox
      command: ["sh", "-c", "echo $COLOR $PASSWORD; cat /config/motd /key/password"]
      env:
        - name: COLOR
          valueFrom:
            configMapKeyRef:
              name: settings
              key: color
        - name: PASSWORD
          valueFrom:
            secretKeyRef:
              name: key
              key: password
      volumeMounts:
        - name: config
          mountPath: /config
        - name: key
          mountPath: /key
  volumes:
    - name: config
      configMap:
        name: settings
    - name: key
      secret:
        secretName: key
""")
        out, _ = self.run_podium("play", path)
        self.assertEqual(out, "main | green s3cret\nmain | welcome\nmain | s3cret\n")

    def test_template_of_a_deployment(self):
        path = self.world.manifest("""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: busybox
          command: ["sleep", "infinity"]
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
""")
        out, err = self.run_podium("play", "-d", path)
        self.assertRegex(out, r"^pod/web\S*\n$")
        self.assertIn('podium: deployment "web"', err)
        self.assertIn("replicas", err)
        self.assertIn('podium: service "web"', err)
        pod = self.world.ready(out.strip().removeprefix("pod/"))
        self.assertEqual(pod["metadata"]["labels"], {"app": "web"})

    def test_agent_killed_while_pods_run(self):
        script = "n=0; while true; do n=$((n+1)); echo $n; sleep 0.1; done"
        self.play(self.pod("counter", script))
        self.play(self.pod("ends", "sleep 1; echo done; exit 5"))
        self.world.ready("counter")
        before = self.container(self.world.phase("ends", "Running"), "main")["containerID"]
        agent = self.world.agent()
        os.kill(agent, signal.SIGKILL)
        worlds.wait_for("the agent is gone", lambda: agent not in worlds.processes())
        _, err = self.run_podium("pods", status=1)
        self.assertIn("agent", err)
        time.sleep(1.5)
        self.play(self.pod("third", "exec sleep infinity"))
        ended = self.container(self.world.phase("ends", "Failed"), "main")
        self.assertEqual(ended["state"]["terminated"]["exitCode"], 5)
        self.assertEqual(ended["containerID"], before)
        self.assertEqual(self.run_podium("logs", "ends")[0], "done\n")
        self.world.ready("counter")
        self.assertEqual(self.container(self.world.pods()["counter"], "main")["restartCount"], 0)
        numbers = [int(line) for line in self.run_podium("logs", "counter")[0].split()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertGreater(len(numbers), 15)
        self.world.ready("third")


if __name__ == "__main__":
    worlds.enter()
    unittest.main(verbosity=2)
