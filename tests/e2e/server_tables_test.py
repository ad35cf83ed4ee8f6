#!/usr/bin/env python3
"""What kubectl prints of each kind, compared with a golden.

Columns and cells come from the server, so that every kubectl prints the same. server_kinds.yaml has
the objects, server_kinds.golden the tables; PODIUM_ACCEPT=1 writes the golden anew.
"""

import base64
import datetime
import json
import os
import pathlib
import re
import select
import subprocess
import tempfile
import time

import api_server
import world as worlds


def setUpModule():
    api_server.begin(["--disable-admission-plugins=DenyServiceExternalIPs"])


tearDownModule = api_server.end

FOLDER = pathlib.Path(__file__).resolve().parent
GOLDEN = FOLDER / "server_kinds.golden"
# They have no labels, and are what there is.
WITHOUT_LABELS = {"componentstatuses.v1."}


def signing_request():
    with tempfile.TemporaryDirectory() as folder:
        worlds.output_of("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=anna",
                         "-keyout", f"{folder}/key", "-out", f"{folder}/request")
        return base64.b64encode((pathlib.Path(folder) / "request").read_bytes()).decode()


def ago(found):
    parts = {unit: int(number) for number, unit in re.findall(r"(\d+)([hm])", found[1])}
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(
        hours=parts.get("h", 0), minutes=parts.get("m", 0))
    return f'"{when:%Y-%m-%dT%H:%M:%S}.000000Z"'


def cells(table):
    """The names of a table's columns, and its rows, cell by cell."""
    header, *rows = table.splitlines()
    starts = [found.start() for found in re.finditer(r"\S+( \S+)*", header)]
    ends = [*starts[1:], None]
    return [[row[start:end].strip() for start, end in zip(starts, ends)] for row in (header, *rows)]


def settled(cell, column=""):
    """Without what differs from run to run."""
    if column == "AGE":
        cell = re.sub(r"^\d+(ms|s|m)$|^\d+m\d+s$", "AGE", cell)
    cell = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", cell)
    cell = re.sub(r"\b10\.43\.\d+\.\d+\b", "ADDRESS", cell)
    cell = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID", cell)
    return re.sub(r":3[0-2]\d{3}/", ":PORT/", cell)


def aligned(rows):
    rows = [[settled(cell, column) for cell, column in zip(row, rows[0])] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n"
                   for row in rows)


class TablesTest(api_server.ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = cls.server.connect()
        cls.addClassCleanup(cls.connection.close)
        cls.resources = cls.discover()
        cls.uids = {}
        text = (FOLDER / "server_kinds.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^#.*\n", "", text)
        request = signing_request()
        for document in text.split("\n---\n"):
            document = re.sub(r"AGO\((\w+)\)", ago, document.replace("REQUEST", request))
            document = re.sub(r"UID\((.+?)\)", lambda found: cls.uids[found[1]], document)
            cls.make(document)
        for arguments in (("certificate", "approve", "approved"), ("certificate", "deny", "denied"),
                          ("-n", cls.namespace, "delete", "pod", "ending", "--wait=false"),
                          ("delete", "namespace", "tables-more", "--wait=false")):
            status, out, err = cls.server.kubectl(*arguments)
            if status != 0:
                raise AssertionError(out + err)

    @classmethod
    def ask(cls, method, path, body=None):
        cls.connection.request(method, path, body, {"Content-Type": "application/apply-patch+yaml"})
        answer = cls.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status}\n{text.decode()}\n{body}")
        return json.loads(text)

    @classmethod
    def discover(cls):
        """(apiVersion, kind) -> the resource; of those that can be got and listed."""
        paths = {"v1": "/api/v1"}
        for group in cls.ask("GET", "/apis")["groups"]:
            for version in group["versions"]:
                paths[version["groupVersion"]] = "/apis/" + version["groupVersion"]
        found = {}
        for version, path in paths.items():
            for resource in cls.ask("GET", path)["resources"]:
                if "/" not in resource["name"] and {"get", "list"} <= set(resource["verbs"]):
                    found[version, resource["kind"]] = {**resource, "path": path}
        return found

    @classmethod
    def make(cls, document):
        """An object, and what its document says of its status."""
        version, kind, name = (re.search(field, document)[1] for field in (
            r"(?m)^apiVersion: (\S+)$", r"(?m)^kind: (\S+)$", r"\bname: ([^\s,}]+)"))
        resource = cls.resources[version, kind]
        space = f"/namespaces/{cls.namespace}" if resource["namespaced"] else ""
        path = f"{resource['path']}{space}/{resource['name']}/{name}"
        query = "?fieldManager=golden&force=true"
        made = cls.ask("PATCH", path + query, document)
        cls.uids[f"{kind} {name}"] = made["metadata"]["uid"]
        if re.search(r"(?m)^status:", document):
            cls.ask("PATCH", f"{path}/status{query}", document)

    def test_as_in_the_golden(self):
        blocks = []
        for (version, _), resource in self.resources.items():
            group, _, number = version.rpartition("/")
            # Read from nodes, of which there is none here (node_metrics_test.py).
            if group == "metrics.k8s.io":
                continue
            name = f"{resource['name']}.{number}.{group}"
            chosen = () if name in WITHOUT_LABELS else ("-l", "golden")
            tables = [self.kubectl("get", name, *chosen, *form) for form in ((), ("-o", "wide"))]
            self.assertTrue(all(tables), f"no object of {name}")
            narrow, wide = map(cells, tables)
            blocks.append(f"# get {name}\n" + aligned(narrow))
            if wide[0] != narrow[0]:
                blocks.append(f"# get -o wide {name}\n" + aligned(wide))
        text = "\n".join(blocks)
        if os.environ.get("PODIUM_ACCEPT"):
            GOLDEN.write_text(text, encoding="utf-8")
        self.assertEqual(text, GOLDEN.read_text(encoding="utf-8"))
        self.assertGreater(len(blocks), 60)

    def test_deprecated(self):
        """What upstream warns of in a header, which kubectl shows."""
        for name, warning in (("cs", "v1 ComponentStatus is deprecated in v1.19+"),
                              ("cs/etcd-0", "v1 ComponentStatus is deprecated in v1.19+"),
                              ("endpoints", "v1 Endpoints is deprecated in v1.33+; "
                                            "use discovery.k8s.io/v1 EndpointSlice"),
                              ("cm", "")):
            status, out, err = self.server.kubectl("-n", self.namespace, "get", name)
            self.assertEqual((status, err), (0, warning and f"Warning: {warning}\n"), out)

    def test_in_every_namespace(self):
        header, *rows = cells(self.kubectl("get", "cm", "-A", "-l", "golden"))
        self.assertEqual(header, ["NAMESPACE", "NAME", "DATA", "AGE"])
        self.assertEqual([row[:3] for row in rows], [["tables", "empty", "0"], ["tables", "g", "3"]])


class WatchedTest(api_server.ServerCase):
    """Tables of a watch: a row an event, and the columns with the first."""

    def watch(self, *arguments):
        process = subprocess.Popen(
            [api_server.KUBECTL, "-n", self.namespace, "get", *arguments],
            env=self.server.environment, bufsize=0, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end, process)

        def line():
            if not select.select([process.stdout], [], [], 30)[0]:
                raise AssertionError("nothing more came")
            words = process.stdout.readline().decode().split()
            return [settled(word, "AGE") for word in words]
        return line

    def status(self, name, status):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.request(
            "PATCH", f"/api/v1/namespaces/{self.namespace}/pods/{name}/status",
            json.dumps({"status": status}), {"Content-Type": "application/merge-patch+json"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200, answer.read())

    def change(self, line, events):
        """A pod comes, runs, ends and goes."""
        def expect(event, *row):
            expected = [event, *row] if events else list(row)
            self.assertEqual(line()[:len(expected)], expected)

        self.kubectl("run", "w", "--image=nginx:1", "--overrides", '{"spec":{"nodeName":"one"}}')
        expect("ADDED", "w", "0/1", "Pending", "0")
        self.status("w", {"phase": "Running", "podIP": "10.42.0.3", "podIPs": [{"ip": "10.42.0.3"}],
                          "containerStatuses": [
                              {"name": "w", "image": "nginx:1", "imageID": "", "ready": True,
                               "restartCount": 0, "state": {"running": {}}}]})
        expect("MODIFIED", "w", "1/1", "Running", "0")
        self.kubectl("delete", "pod", "w", "--wait=false")
        expect("MODIFIED", "w", "1/1", "Terminating", "0")
        self.kubectl("delete", "pod", "w", "--grace-period=0", "--force", "--wait=false")
        # The shorter grace is written before it is used.
        expect("MODIFIED", "w", "1/1", "Terminating", "0")
        expect("DELETED", "w", "1/1", "Terminating", "0")

    def test_rows(self):
        self.kubectl("run", "first", "--image=nginx:1")
        self.addCleanup(self.kubectl, "delete", "pod", "first")
        line = self.watch("pods", "-w")
        self.assertEqual(line(), ["NAME", "READY", "STATUS", "RESTARTS", "AGE"])
        self.assertEqual(line(), ["first", "0/1", "Pending", "0", "AGE"])
        self.change(line, events=False)

    def test_wide(self):
        line = self.watch("pods", "--watch-only", "-o", "wide")
        time.sleep(1)
        self.kubectl("run", "first", "--image=nginx:1")
        self.addCleanup(self.kubectl, "delete", "pod", "first")
        self.assertEqual(line(), "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE "
                                 "READINESS GATES".split())
        self.assertEqual(line(), "first 0/1 Pending 0 AGE <none> <none> <none> <none>".split())

    def test_events(self):
        self.kubectl("run", "first", "--image=nginx:1")
        self.addCleanup(self.kubectl, "delete", "pod", "first")
        line = self.watch("pods", "-w", "--output-watch-events")
        self.assertEqual(line(), ["EVENT", "NAME", "READY", "STATUS", "RESTARTS", "AGE"])
        self.assertEqual(line(), ["ADDED", "first", "0/1", "Pending", "0", "AGE"])
        self.change(line, events=True)

    def test_a_selector(self):
        """What enters it is added, what leaves it is deleted."""
        self.kubectl("create", "cm", "in", "--from-literal=a=1")
        line = self.watch("cm", "-w", "--output-watch-events", "-l", "chosen")
        time.sleep(1)
        self.kubectl("label", "cm", "in", "chosen=1")
        self.assertEqual(line(), ["EVENT", "NAME", "DATA", "AGE"])
        self.assertEqual(line(), ["ADDED", "in", "1", "AGE"])
        self.kubectl("label", "cm", "in", "chosen-")
        self.assertEqual(line(), ["DELETED", "in", "1", "AGE"])


if __name__ == "__main__":
    api_server.main()
