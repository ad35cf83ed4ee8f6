#!/usr/bin/env python3
"""Describes the objects of tests/cli/describe/ and compares with what is expected, and with kubectl.

Each file there is a small cluster. What podium says of its objects stands beside it (*.txt), with
years of ages as NNy; PODIUM_ACCEPT=1 writes that anew. A kubectl of a release that is near ours has
to say the same of them, from a server that has little more than the file: DIFFERENCES lists what it
says otherwise, and why. PODIUM_BUILD_DIR names the build.

  unshare -rn describe_test.py --kubectl FILE    prints how kubectl and podium differ on one file
"""

import difflib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLUSTERS = sorted((ROOT / "tests/cli/describe").glob("*.yaml"))
PODIUM = pathlib.Path(os.environ.get("PODIUM_BUILD_DIR", ROOT / "build/dev")) / "podium"

# What a kubectl says otherwise than release 1.36, by its minor version: what is taken out of its
# texts, and out of ours, before they are compared; the kinds whose lines come in any order; and
# those that it asks for in a version of which the server knows nothing.
DIFFERENCES = {
    32: (
        (
            r"(?<=\d/TCP) \(http\)",  # names of container ports
            r"spec\.containers\{web\}: ",  # the part of an object that an event is about
            # 1.32 prints addresses of booleans in memory.
            r"\n    (Optional: {16}|ConfigMapOptional: {7}|SecretOptionalName: {6})\S+",
            r"\n  Kube-Proxy Version:.*",  # is no more
            r"\nMountable secrets:.*|\nTokens:.*| \(not found\)",  # likewise
            r"\nAppProtocol:.*|\nTraffic Distribution:.*",
            r"\nNamespace: .*(?=\nSelector:.*\nNode-Selector:)",  # of DaemonSets
            r"\n  MaxUnavailable:.*|\nTime Zone:.*",
            r"\n    (My URL|Pod C).*",  # acronyms in names of fields
        ),
        ("ConfigMap", "Secret"),  # in the order of a Go map
        ("ServiceCIDR", "IPAddress"),
    ),
}
# Kinds that kubectl asks for beside those of the file.
RELATED = (("v1", "Pod"), ("v1", "Event"), ("v1", "ResourceQuota"), ("v1", "LimitRange"),
           ("apps/v1", "ReplicaSet"), ("discovery.k8s.io/v1", "EndpointSlice"),
           ("coordination.k8s.io/v1", "Lease"), ("resource.k8s.io/v1", "ResourceSlice"))
CLUSTER_WIDE = ("Node", "Namespace", "PersistentVolume", "PriorityClass", "ResourceSlice", "CSINode",
                "StorageClass", "ClusterRoleBinding", "IngressClass", "ServiceCIDR", "IPAddress")


def environment():
    return {**os.environ, "TZ": "Asia/Kolkata" if pathlib.Path(
        "/usr/share/zoneinfo/Asia/Kolkata").exists() else "UTC"}


def podium(*arguments):
    run = subprocess.run([PODIUM, *map(str, arguments)], env=environment(), timeout=60,
                         capture_output=True, check=False)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def objects_of(path):
    """As a server would keep them, but for defaults."""
    status, text, errors = podium("convert", "-f", path, "-o", "json")
    assert status == 0, errors
    objects = []
    while text.strip():
        value, end = json.JSONDecoder().raw_decode(text)
        objects.append(value)
        text = text[end:].lstrip()
    return objects


def plural(kind):
    if kind == "Endpoints":
        return "endpoints"
    return re.sub(r"y$", "ie", re.sub(r"s$", "se", kind.lower())) + "s"


def matches_labels(selector, labels):
    for term in re.findall(r"[^,(]+(?:\([^)]*\))?", selector):
        inside = re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term)
        if inside:
            key, operator, values = inside.groups()
            holds = (labels.get(key) in values.split(",")) == (operator == "in")
        elif term.startswith("!"):
            holds = term[1:] not in labels
        elif "=" in term:
            key, value = term.split("=")
            holds = labels.get(key) == value
        else:
            holds = term in labels
        if not holds:
            return False
    return True


def matches_fields(selector, value):
    for term in filter(None, selector.split(",")):
        path, operator, wanted = re.fullmatch(r"([^!=]+)(!?=)(.*)", term).groups()
        at = value
        for name in path.split("."):
            at = at.get(name, {}) if isinstance(at, dict) else {}
        if ((at or "") == wanted) != (operator == "="):
            return False
    return True


class Server(http.server.BaseHTTPRequestHandler):
    """A server of the objects of one file: discovery, get, and list with selectors."""
    kinds = {}  # (group/version, plural): kind
    objects = []

    @classmethod
    def fill(cls, objects):
        cls.objects = sorted(objects, key=lambda o: (
            o["metadata"].get("namespace", "") + "/" + o["metadata"]["name"]))
        names = [(o["apiVersion"], o["kind"]) for o in objects] + list(RELATED)
        cls.kinds = {(version, plural(kind)): kind for version, kind in names}

    def discovery(self, path):
        groups = sorted({version for version, _ in self.kinds if "/" in version})
        if path == "/version":
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": each.split("/")[0], "versions": [
                    {"groupVersion": each, "version": each.split("/")[1]}],
                 "preferredVersion": {"groupVersion": each, "version": each.split("/")[1]}}
                for each in groups]}
        version = re.sub("^/apis?/", "", path)
        if version in {each for each, _ in self.kinds}:
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
                    "resources": [{"name": name, "singularName": kind.lower(), "kind": kind,
                                   "namespaced": kind not in CLUSTER_WIDE,
                                   "verbs": ["get", "list"]}
                                  for (its, name), kind in self.kinds.items() if its == version]}
        return None

    def answer_of(self, path, query):
        found = re.fullmatch(r"/(?:api|apis)/(v1|[^/]+/[^/]+)"
                             r"(?:/namespaces/([^/]+)(?=/))?/([^/]+)(?:/([^/]+))?", path)
        if not found or (found[1], found[3]) not in self.kinds:
            return None
        version, namespace, name_of_kind, name = found.groups()
        kind = self.kinds[(version, name_of_kind)]
        items = [each for each in self.objects
                 if (each["apiVersion"], each["kind"]) == (version, kind)
                 and namespace in (None, each["metadata"].get("namespace"))]
        if name:
            return next((each for each in items if each["metadata"]["name"] == name), None)
        return {"apiVersion": version, "kind": kind + "List", "metadata": {}, "items": [
            each for each in items
            if matches_labels(query.get("labelSelector", ""), each["metadata"].get("labels", {}))
            and matches_fields(query.get("fieldSelector", ""), each)]}

    def do_GET(self):
        path, _, query = self.path.partition("?")
        answer = self.discovery(path) or self.answer_of(path, dict(urllib.parse.parse_qsl(query)))
        words = path.split("/")
        resource = words[-2] + (f".{words[2]}" if words[1] == "apis" and len(words) > 4 else "")
        body = json.dumps(answer or {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
            "reason": "NotFound", "message": f'{resource} "{words[-1]}" not found'}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def kubectl_minor():
    run = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True,
                         timeout=60, check=False)
    try:
        return int(re.match(r"\d+", json.loads(run.stdout)["clientVersion"]["minor"])[0])
    except (ValueError, KeyError, TypeError):
        return 0


def compare(path):
    """How kubectl and podium differ on the file, as text."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    objects = objects_of(path)
    Server.fill(objects)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    groups = {}
    for each in objects:
        key = (each["apiVersion"], each["kind"], each["metadata"].get("namespace", ""))
        groups.setdefault(key, []).append(each["metadata"]["name"])
    patterns, unordered, unknown = DIFFERENCES[kubectl_minor()]
    out = []
    with tempfile.TemporaryDirectory() as home:
        for (version, kind, namespace), names in groups.items():
            if kind in unknown:
                continue
            group, _, only_version = version.rpartition("/")
            resource = f"{plural(kind)}.{only_version}.{group}" if group else plural(kind)
            arguments = [*names, *(["-n", namespace] if namespace else [])]
            run = subprocess.run(
                ["kubectl", f"--server=http://127.0.0.1:{server.server_port}", "describe",
                 resource, *arguments], capture_output=True, timeout=60, check=False,
                env={**environment(), "HOME": home, "KUBECONFIG": "/dev/null"})
            theirs = run.stdout.decode() + run.stderr.decode()
            type_name = f"{plural(kind)}.{group}" if group else plural(kind)
            if kind == "CronTab":
                type_name = "crontab"
            _, ours, errors = podium("describe", "-f", path, type_name, *arguments)
            ours += errors
            lines = []
            for text in (theirs, ours):
                for pattern in patterns:
                    text = re.sub(pattern, "", text)
                lines.append(sorted(text.split("\n")) if kind in unordered else text.split("\n"))
            out += difflib.unified_diff(*lines, "kubectl", "podium", kind, lineterm="")
    return "\n".join(out)


class DescribeTest(unittest.TestCase):
    maxDiff = None

    def test_expected_texts(self):
        self.assertTrue(CLUSTERS)
        if environment()["TZ"] == "UTC":
            self.skipTest("needs the time zones of tzdata")
        for path in CLUSTERS:
            status, out, err = podium("describe", "-f", path)
            self.assertEqual((status, err), (0, ""), path)
            out = re.sub(r"\b\d\dy\b", "NNy", out)
            golden = path.with_suffix(".txt")
            if os.environ.get("PODIUM_ACCEPT"):
                golden.write_text(out, encoding="utf-8")
            self.assertEqual(out, golden.read_text(encoding="utf-8"), path)

    def test_what_is_described(self):
        """Names of what is described, by arguments."""
        path = ROOT / "tests/cli/describe/pods.yaml"
        with tempfile.TemporaryDirectory() as folder:
            listed = pathlib.Path(folder) / "list.json"
            listed.write_text(json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [
                {"metadata": {"name": "a"}}, {"metadata": {"name": "b", "namespace": "x"}}]}),
                encoding="utf-8")
            for arguments, names in (
                    ((path,), ["full", "leaving", "done", "mirror", "volumes"]),
                    ((path, "po/done", "po/full"), ["done", "full"]),
                    ((path, "pods", "done"), ["done"]),
                    ((path, "pod", "m"), ["mirror"]),
                    ((path, "event", "e4", "-n", "shop"), ["e4"]),
                    ((listed,), ["a", "b"]),
                    ((listed, "-n", "default"), ["a"])):
                status, out, err = podium("describe", "-f", *arguments)
                self.assertEqual((status, err), (0, ""), arguments)
                self.assertEqual(re.findall(r"^Name:\s+(\S+)", out, re.M), names, arguments)
        for arguments, error in (
                ((path, "pod", "x"), 'podium describe: pods "x" not found\n'),
                ((path, "widget"), f"podium describe: {path}: holds no such objects\n"),
                ((path, "-n", "other"), f"podium describe: {path}: holds no such objects\n")):
            self.assertEqual(podium("describe", "-f", *arguments), (1, "", error))

    def test_kubectl_says_the_same(self):
        if not shutil.which("kubectl") or subprocess.run(["unshare", "-rn", "true"],
                                                         check=False).returncode != 0:
            self.skipTest("needs kubectl, and the right to make a network namespace")
        minor = kubectl_minor()
        if minor not in DIFFERENCES:
            self.skipTest(f"kubectl of release 1.{minor} says other things")
        for path in CLUSTERS:
            run = subprocess.run(["unshare", "-rn", sys.executable, __file__, "--kubectl", path],
                                 capture_output=True, timeout=300, check=False)
            self.assertEqual((run.stdout.decode(), run.stderr.decode()), ("", ""), path)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--kubectl":
        differences = compare(pathlib.Path(sys.argv[2]))
        if differences:
            print(differences)
        sys.exit(0)
    unittest.main()
