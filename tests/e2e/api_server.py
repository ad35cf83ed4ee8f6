"""`podium server` for a test, on a machine of its own, and kubectl in front of it.

KUBECTL names another kubectl than the one that is installed.
"""

import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import unittest

import world as worlds

KUBECTL = os.environ.get("KUBECTL", "kubectl")
# Debian's, where kubectl/fetch found that another one is installed.
OF_DEBIAN = worlds.ROOT / "build/kubectl/usr/bin/kubectl"
TYPES = {
    "cj": "apis/batch/v1/cronjobs", "cm": "api/v1/configmaps", "deploy": "apis/apps/v1/deployments",
    "ingress": "apis/networking.k8s.io/v1/ingresses", "jobs": "apis/batch/v1/jobs",
    "pdb": "apis/policy/v1/poddisruptionbudgets", "pods": "api/v1/pods",
    "quota": "api/v1/resourcequotas",
    "rolebindings": "apis/rbac.authorization.k8s.io/v1/rolebindings",
    "roles": "apis/rbac.authorization.k8s.io/v1/roles", "rs": "apis/apps/v1/replicasets",
    "sa": "api/v1/serviceaccounts", "secrets": "api/v1/secrets", "svc": "api/v1/services"}
REPORT = re.compile(r"Sanitizer|runtime error")


def begin(options=(), files=None):
    """{folder} in the options is the server's folder, where these files are by name."""
    worlds.output_of("ip", "link", "set", "lo", "up")
    ServerCase.server = ApiServer()
    for name, text in (files or {}).items():
        (ServerCase.server.folder / name).write_text(text)
    ServerCase.server.options = [option.format(folder=ServerCase.server.folder)
                                 for option in options]
    ServerCase.server.start()


def end():
    ServerCase.server.close()


def side_by_side(one):
    """What one(0) and one(1) return, which run at once."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(2)))


class ApiServer:
    def __init__(self, folder=None):
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="podium_e2e_"))
        # kubectl's garbage collector takes a third of its time, for naught in a process that ends at
        # once.
        self.environment = {**worlds.environment_of(self.folder), "GOGC": "off",
                            "GOMEMLIMIT": "256MiB"}
        self.process = None
        self._kept = None  # see ask
        self._asking = threading.Lock()
        self.kubeconfig = None
        self.port = "0"
        self.options = []
        self._reached = None  # the kubeconfig, and what was made of it
        self._errors = open(self.folder / "errors", "w+", encoding="utf-8", errors="replace")

    def start(self):
        """Returns when it serves; again at the address of the last time."""
        self.process = subprocess.Popen(
            [worlds.PODIUM, "server", "--bind-address=127.0.0.1",
             f"--secure-port={self.port}", *self.options],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self._errors, text=True)
        line = self.process.stdout.readline()
        says = re.fullmatch(r"podium server: serving on port (\d+); export KUBECONFIG=(.+)\n", line)
        if not says:
            raise AssertionError(f"{line!r}\n{self.errors()}")
        self.port = says[1]
        self.kubeconfig = self.environment["KUBECONFIG"] = says[2]

    def stop(self, number=signal.SIGTERM):
        self._forget()
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        errors = self.errors()
        if status != (0 if number == signal.SIGTERM else -number) or REPORT.search(errors):
            raise AssertionError(f"the server ended with {status}\n{errors}")

    def errors(self):
        self._errors.seek(0)
        return self._errors.read()

    def close(self):
        try:
            self.stop()
            left = [name for pid, name in worlds.processes().items()
                    if pid not in (1, os.getpid())]
            if left:
                raise AssertionError(f"left behind: {left}")
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._errors.close()
            shutil.rmtree(self.folder)

    def kubectl(self, *arguments, stdin="", environment=None, seconds=60):
        """Exit status, output, errors."""
        run = subprocess.run([KUBECTL, *arguments], input=stdin, text=True, timeout=seconds,
                             env={**self.environment, **(environment or {})}, cwd=self.folder,
                             capture_output=True, check=False)
        return run.returncode, run.stdout, run.stderr

    def connect(self):
        """A connection with the administrator's certificate, for requests that kubectl does not
        make."""
        text = pathlib.Path(self.kubeconfig).read_bytes()
        if self._reached is None or self._reached[0] != text:
            view = json.loads(worlds.output_of(KUBECTL, f"--kubeconfig={self.kubeconfig}", "config",
                                               "view", "--raw", "-o", "json"))
            port = int(view["clusters"][0]["cluster"]["server"].rsplit(":", 1)[1])
            self._reached = text, port, self._tls(view)
        _, port, tls = self._reached
        return http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=30)

    def ask(self, method, path, body=None):
        """Status and answer: an object, or text. Otherwise as ask_for_text."""
        status, found = self.ask_for_text(method, path, body)
        return status, json.loads(found) if found.startswith("{") else found

    def ask_for_text(self, method, path, body=None):
        """Status and answer, by a connection that is kept: a hundredth of what kubectl takes. For any
        thread. OSError or HTTPException: nobody answers."""
        text = json.dumps(body) if body is not None else None
        with self._asking:
            while True:
                used = self._kept is not None
                try:
                    self._kept = self._kept or self.connect()
                    self._kept.request(method, path, text,
                                       {"Content-Type": "application/json"} if text else {})
                    answer = self._kept.getresponse()
                    return answer.status, answer.read().decode()
                except (http.client.HTTPException, OSError):
                    self._forget()
                    # One that was kept may have been idle for too long, or the server is another one.
                    if not used:
                        raise

    def _forget(self):
        if self._kept:
            self._kept.close()
        self._kept = None

    def make_namespace(self, name):
        """Returns when pods can be made in it."""
        status, answer = self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        if status != 201:
            raise AssertionError(answer)
        worlds.wait_for("the default account is made", lambda: self.ask(
            "GET", f"/api/v1/namespaces/{name}/serviceaccounts/default")[0] == 200)

    def objects(self, namespace, types):
        """Types (as in TYPES, between commas) and objects."""
        found = []
        for name in types.split(","):
            group, plural = TYPES[name].rsplit("/", 1)
            status, answer = self.ask("GET", f"/{group}/namespaces/{namespace}/{plural}")
            if status != 200:
                raise AssertionError(answer)
            found += [(name, item) for item in answer["items"]]
        return found

    def _tls(self, view):
        cluster, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for name, data in (("ca", cluster["certificate-authority-data"]),
                               ("cert", user["client-certificate-data"]),
                               ("key", user["client-key-data"])):
                (pathlib.Path(folder) / name).write_bytes(base64.b64decode(data))
            tls = ssl.create_default_context(cafile=f"{folder}/ca")
            tls.load_cert_chain(f"{folder}/cert", f"{folder}/key")
        return tls


class ServerCase(unittest.TestCase):
    """Tests of one class share a namespace of their own, which is named like the class."""
    maxDiff = None
    server = None

    @classmethod
    def setUpClass(cls):
        cls.namespace = cls.__name__.removesuffix("Test").lower()
        cls.server.make_namespace(cls.namespace)

    def kubectl(self, *arguments, status=0, **options):
        """The output of a command that ends as expected; what it says of errors, if that is not
        well."""
        actual, out, err = self.server.kubectl("-n", self.namespace, *arguments, **options)
        self.assertEqual(actual, status, f"{arguments}\n{out}{err}{self.server.errors()}")
        return out if status == 0 else err

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def names(self, *arguments):
        return self.kubectl("get", *arguments, "-o", "name").split()

    def gone(self, *arguments):
        self.assertIn("(NotFound)", self.kubectl("get", *arguments, status=1))

    def background(self, *arguments):
        """kubectl in the background, which ends with the test at the latest."""
        process = subprocess.Popen(
            [KUBECTL, "-n", self.namespace, *arguments], env=self.server.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def main():
    worlds.enter()
    unittest.main()
