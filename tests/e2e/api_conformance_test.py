#!/usr/bin/env python3
"""What upstream's conformance tests ask of an API server alone (test/e2e/{apimachinery,architecture,
auth,apps,network,node,scheduling,storage}, release 1.36), by plain requests as client-go makes them.
Those that need pods are in node_conformance_test.py.

PODIUM_BUILD_DIR names the build (api_server.py).
"""

import json
import time
import urllib.parse

import api_server
import world as worlds

setUpModule = api_server.begin
tearDownModule = api_server.end

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
POD = {"containers": [{"name": "main", "image": "busybox"}]}
LABEL = {"conformance": "yes"}
TEMPLATE = {"metadata": {"labels": LABEL}, "spec": POD}
SELECTOR = {"matchLabels": LABEL}
GIB = {"storage": "1Gi"}
HOOK = {"name": "hook.example.com", "clientConfig": {"url": "https://127.0.0.1:1/"},
        "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "namespaceSelector": {"matchLabels": {"nobody": "has"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
                   "operations": ["CREATE"]}]}
DAY = 86400


class Case(api_server.ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = cls.server.connect()
        cls.addClassCleanup(cls.connection.close)

    def ask(self, method, path, body=None, status=(200, 201), kind="application/json",
            accept="application/json", **query):
        """What answers; ~ in the path is the namespace's."""
        path = path.replace("~", f"namespaces/{self.namespace}")
        if query:
            path += "?" + urllib.parse.urlencode(query)
        if not isinstance(body, (str, bytes, type(None))):
            body = json.dumps(body)
        self.connection.request(method, path, body, {"Content-Type": kind, "Accept": accept})
        answer = self.connection.getresponse()
        text = answer.read()
        wanted = status if isinstance(status, tuple) else (status,)
        self.assertIn(answer.status, wanted, f"{method} {path}\n{text.decode()}")
        return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()

    def watch(self, path, **query):
        """The events of a watch, as they come."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        path = path.replace("~", f"namespaces/{self.namespace}")
        connection.request("GET", path + "?" + urllib.parse.urlencode(
            {"watch": "true", "timeoutSeconds": 20, **query}))
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        return ((event["type"], event["object"]) for event in map(json.loads, answer))

    def becomes(self, what, path, check):
        return worlds.wait_for(what, lambda: check(self.ask("GET", path)))

    def conditions(self, thing):
        return {c["type"]: c["status"] for c in thing.get("status", {}).get("conditions", ())}


# How each kind is made, where the tests "should support … API operations" and their like are
# alike. What is there besides: a change of its spec that goes in, and a status.
KINDS = (
    ("/api/v1/~", "configmaps", {"data": {"a": "b"}}),
    ("/api/v1/~", "secrets", {"stringData": {"a": "b"}}),
    ("/api/v1/~", "serviceaccounts", {"automountServiceAccountToken": False}),
    ("/api/v1/~", "podtemplates", {"template": TEMPLATE}),
    ("/api/v1/~", "limitranges", {"spec": {"limits": [
        {"type": "Container", "max": {"memory": "4Gi"}}]}}),
    ("/api/v1/~", "resourcequotas", {"spec": {"hard": {"pods": "50"}}}),
    ("/api/v1/~", "endpoints", {"subsets": [{"addresses": [{"ip": "192.0.2.9"}],
                                             "ports": [{"port": 80}]}]}),
    ("/api/v1/~", "events", {"involvedObject": {"kind": "Pod", "name": "x", "namespace": "~"},
                             "reason": "Test", "message": "m", "type": "Normal"}),
    ("/api/v1/~", "persistentvolumeclaims", {"spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": GIB}}}),
    ("/api/v1/~", "services", {"spec": {"ports": [{"port": 80}], "selector": LABEL}}),
    ("/api/v1/~", "replicationcontrollers", {"spec": {
        "replicas": 0, "selector": LABEL, "template": TEMPLATE}}),
    ("/api/v1", "persistentvolumes", {"spec": {
        "capacity": GIB, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp"}}}),
    ("/api/v1", "namespaces", {}),
    ("/api/v1", "nodes", {}),
    ("/apis/apps/v1/~", "controllerrevisions", {"revision": 1, "data": {"a": 1}}),
    ("/apis/apps/v1/~", "daemonsets", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}),
    ("/apis/apps/v1/~", "deployments", {"spec": {
        "replicas": 0, "selector": SELECTOR, "template": TEMPLATE}}),
    ("/apis/apps/v1/~", "replicasets", {"spec": {
        "replicas": 0, "selector": SELECTOR, "template": TEMPLATE}}),
    ("/apis/apps/v1/~", "statefulsets", {"spec": {
        "replicas": 0, "selector": SELECTOR, "template": TEMPLATE, "serviceName": "x"}}),
    ("/apis/autoscaling/v1/~", "horizontalpodautoscalers", {"spec": {
        "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x",
                                             "apiVersion": "apps/v1"}}}),
    ("/apis/autoscaling/v2/~", "horizontalpodautoscalers", {"spec": {
        "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x",
                                             "apiVersion": "apps/v1"}}}),
    ("/apis/batch/v1/~", "jobs", {"spec": {"suspend": True, "template": {
        "spec": {**POD, "restartPolicy": "Never"}}}}),
    ("/apis/batch/v1/~", "cronjobs", {"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {
        "template": {"spec": {**POD, "restartPolicy": "Never"}}}}}}),
    ("/apis/certificates.k8s.io/v1", "certificatesigningrequests", None),
    ("/apis/coordination.k8s.io/v1/~", "leases", {"spec": {
        "holderIdentity": "me", "leaseDurationSeconds": 30,
        "acquireTime": "2026-01-01T00:00:00.123456Z"}}),
    ("/apis/discovery.k8s.io/v1/~", "endpointslices", {
        "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}],
        "ports": [{"port": 80}]}),
    ("/apis/events.k8s.io/v1/~", "events", {
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "c",
        "reportingInstance": "i", "action": "Do", "reason": "Test", "type": "Normal",
        "regarding": {"kind": "Pod", "name": "x", "namespace": "~"}}),
    ("/apis/networking.k8s.io/v1/~", "ingresses", {"spec": {"defaultBackend": {
        "service": {"name": "x", "port": {"number": 80}}}}}),
    ("/apis/networking.k8s.io/v1", "ingressclasses", {"spec": {"controller": "example.com/x"}}),
    ("/apis/networking.k8s.io/v1/~", "networkpolicies", {"spec": {"podSelector": {}}}),
    ("/apis/networking.k8s.io/v1", "servicecidrs", {"spec": {"cidrs": ["10.251.%d.0/24"]}}),
    ("/apis/networking.k8s.io/v1", "ipaddresses", None),
    ("/apis/node.k8s.io/v1", "runtimeclasses", {"handler": "podium"}),
    ("/apis/policy/v1/~", "poddisruptionbudgets", {"spec": {
        "minAvailable": 1, "selector": SELECTOR}}),
    ("/apis/rbac.authorization.k8s.io/v1/~", "roles", {"rules": [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
    ("/apis/rbac.authorization.k8s.io/v1/~", "rolebindings", {"roleRef": {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"}}),
    ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", {"rules": []}),
    ("/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", {"roleRef": {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"}}),
    ("/apis/scheduling.k8s.io/v1", "priorityclasses", {"value": 7}),
    ("/apis/storage.k8s.io/v1", "csidrivers", {"spec": {"attachRequired": False}}),
    ("/apis/storage.k8s.io/v1", "csinodes", {"spec": {"drivers": []}}),
    ("/apis/storage.k8s.io/v1/~", "csistoragecapacities", {
        "storageClassName": "fast", "capacity": "1Gi"}),
    ("/apis/storage.k8s.io/v1", "storageclasses", {"provisioner": "example.com/x"}),
    ("/apis/storage.k8s.io/v1", "volumeattachments", {"spec": {
        "attacher": "x.example.com", "nodeName": "n", "source": {"persistentVolumeName": "v"}}}),
    ("/apis/storage.k8s.io/v1", "volumeattributesclasses", {
        "driverName": "example.com/x", "parameters": {"a": "b"}}),
    ("/apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", {
        "webhooks": [HOOK]}),
    ("/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", {
        "webhooks": [HOOK]}),
    ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", None),
)


class OperationsTest(Case):
    """Each kind through discovery, create, get, list, watch, patch, update, status, delete and
    deletion of a collection."""

    def body(self, plural, spec, number):
        name = f"{plural}-{number}"
        spec = json.loads(json.dumps(spec).replace("%d", str(number)).replace(
            '"~"', json.dumps(self.namespace))) if spec is not None else {}
        if plural == "certificatesigningrequests":
            spec = {"spec": {"request": self.request, "signerName": "example.com/nobody",
                             "usages": ["client auth"], "expirationSeconds": DAY}}
        elif plural == "ipaddresses":
            name = f"10.250.0.{number}"
            spec = {"spec": {"parentRef": {"resource": "services", "name": "x",
                                           "namespace": self.namespace}}}
        elif plural == "customresourcedefinitions":
            name = f"things{number}.conformance.example.com"
            spec = {"spec": {
                "group": "conformance.example.com", "scope": "Namespaced",
                "names": {"plural": f"things{number}", "kind": f"Thing{number}"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                    "openAPIV3Schema": {"type": "object"}}}]}}
        return {"metadata": {"name": name, "labels": {"lifecycle": plural}}, **spec}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.request = worlds.output_of("sh", "-c", (
            "openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=e2e 2>/dev/null "
            "| base64 -w0")).strip()

    def test_each_kind(self):
        for path, plural, spec in KINDS:
            with self.subTest(f"{path}/{plural}"):
                self.lifecycle(path, plural, spec)

    def lifecycle(self, base, plural, spec):
        selector = {"labelSelector": f"lifecycle={plural}"}
        version = base.removesuffix("/~")
        resource = {r["name"]: r for r in self.ask("GET", version)["resources"]}
        self.assertIn(plural, resource)
        verbs = {"create", "delete", "get", "list", "patch", "update", "watch"}
        if plural != "namespaces":
            verbs.add("deletecollection")
        self.assertEqual(verbs, set(resource[plural]["verbs"]))
        path = f"{base}/{plural}"
        since = self.ask("GET", path, **selector)
        self.assertEqual(since["items"], [])
        seen = self.watch(path, resourceVersion=since["metadata"]["resourceVersion"], **selector)
        made = [self.ask("POST", path, self.body(plural, spec, number), status=201)
                for number in (1, 2, 3)]
        first = made[0]
        one = f"{path}/{first['metadata']['name']}"
        self.assertEqual(self.ask("GET", one)["metadata"]["uid"], first["metadata"]["uid"])
        listed = self.ask("GET", path, **selector)
        self.assertEqual(len(listed["items"]), 3)
        self.assertEqual(listed["kind"], first["kind"] + "List")
        if "/~" in base:
            everywhere = self.ask("GET", f"{version}/{plural}", **selector)
            self.assertEqual(len(everywhere["items"]), 3)
        patched = self.ask("PATCH", one, {"metadata": {"annotations": {"patched": "true"}}},
                           kind=MERGE)
        self.assertEqual(patched["metadata"]["annotations"]["patched"], "true")
        for _ in range(5):
            patched = self.ask("GET", one)
            patched["metadata"]["annotations"]["updated"] = "true"
            updated = self.ask("PUT", one, patched, status=(200, 409))
            if updated["kind"] != "Status":
                break
        self.assertEqual(updated["metadata"]["annotations"]["updated"], "true")
        table = self.ask("GET", one, accept=TABLE)
        # Of an IPAddress upstream has a cell more than columns.
        self.assertGreaterEqual(len(table["rows"][0]["cells"]), len(table["columnDefinitions"]))
        self.assertEqual(table["rows"][0]["object"]["metadata"]["uid"], first["metadata"]["uid"])
        if f"{plural}/status" in resource:
            self.status(one)
        names = set()
        for what, thing in seen:
            names.add((what, thing["metadata"]["name"]))
            if thing["metadata"].get("annotations", {}).get("updated"):
                break
        for other in made:
            self.assertIn(("ADDED", other["metadata"]["name"]), names)
        self.ask("DELETE", one, status=(200, 202), propagationPolicy="Background")
        self.wait_gone(path, selector, 2)
        if "deletecollection" in resource[plural]["verbs"]:
            self.ask("DELETE", path, **selector)
        else:
            for other in made[1:]:
                self.ask("DELETE", f"{path}/{other['metadata']['name']}")
        self.wait_gone(path, selector, 0)
        gone = 0
        for what, thing in seen:
            gone += what == "DELETED"
            if gone == 3:
                break

    def wait_gone(self, path, selector, left):
        worlds.wait_for("they are gone", lambda: len(
            self.ask("GET", path, **selector)["items"]) == left)

    def status(self, one):
        """Reads, patches and replaces a status."""
        path = one + "/status"
        self.assertEqual(self.ask("GET", path)["metadata"]["name"], one.rsplit("/", 1)[1])
        before = self.ask("GET", one)
        patched = self.ask("PATCH", path, {"spec": {"nonsense": 1}, "status": {}}, kind=MERGE)
        self.assertEqual(patched.get("spec"), before.get("spec"))
        for _ in range(5):
            now = self.ask("GET", path)
            answer = self.ask("PUT", path, now, status=(200, 409))
            if answer["kind"] != "Status":
                return
        self.fail("the status was never replaced")


class ChunkingTest(Case):
    def test_should_return_chunks_of_results_for_list_calls(self):
        path = "/api/v1/~/podtemplates"
        for number in range(60):
            self.ask("POST", path, {"metadata": {"name": f"template-{number:04}"},
                                    "template": TEMPLATE})
        for limit in (1, 7, 59, 60, 61):
            found, query, version = [], {"limit": limit}, None
            while True:
                page = self.ask("GET", path, **query)
                meta = page["metadata"]
                version = version or meta["resourceVersion"]
                self.assertEqual(meta["resourceVersion"], version)
                found += [item["metadata"]["name"] for item in page["items"]]
                if not meta.get("continue"):
                    self.assertNotIn("remainingItemCount", meta)
                    break
                self.assertEqual(meta["remainingItemCount"] + len(found), 60)
                query["continue"] = meta["continue"]
            self.assertEqual(found, [f"template-{number:04}" for number in range(60)])
        # Tables come in pieces too.
        page = self.ask("GET", path, limit=2, accept=TABLE)
        self.assertEqual([row["cells"][0] for row in page["rows"]],
                         ["template-0000", "template-0001"])
        page = self.ask("GET", path, accept=TABLE,
                        **{"continue": page["metadata"]["continue"]})
        self.assertEqual(page["rows"][0]["cells"][0], "template-0002")
        self.assertEqual(len(page["rows"]), 58)


class NegotiationTest(Case):
    def test_should_return_a_406_for_a_backend_which_does_not_implement_metadata(self):
        answer = self.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                          {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}},
                          accept=TABLE, status=406)
        self.assertEqual(answer["reason"], "NotAcceptable")

    def test_watch_list_as_tables(self):
        query = {"watch": "true", "sendInitialEvents": "true", "allowWatchBookmarks": "true",
                 "resourceVersionMatch": "NotOlderThan", "timeoutSeconds": "1"}
        self.ask("GET", "/api/v1/~/secrets", accept=TABLE, status=406, **query)
        self.ask("GET", "/api/v1/~/secrets", accept=TABLE + ",application/json", status=200,
                 **query)

    def test_watches_in_the_form_asked_for(self):
        path = "/api/v1/~/configmaps"
        start = self.ask("GET", path)["metadata"]["resourceVersion"]
        self.ask("POST", path, {"metadata": {"name": "negotiated"}})
        proto = "application/vnd.kubernetes.protobuf"
        for accept, is_proto in (("application/json", False), (proto, True),
                                 (f"{proto},application/json", True),
                                 (f"application/json,{proto}", False)):
            connection = self.server.connect()
            self.addCleanup(connection.close)
            connection.request(
                "GET", path.replace("~", f"namespaces/{self.namespace}") +
                f"?watch=1&resourceVersion={start}&fieldSelector=metadata.name%3Dnegotiated",
                headers={"Accept": accept})
            answer = connection.getresponse()
            self.assertEqual(answer.getheader("Content-Type").split(";")[0],
                             proto if is_proto else "application/json")
            frame = answer.read1(65536)
            self.assertIn(b"ADDED", frame)
            self.assertIn(b"negotiated", frame)
            if is_proto:
                self.assertEqual(int.from_bytes(frame[:4], "big"), len(frame) - 4)

    def test_request_timeouts(self):
        self.assertIn("invalid timeout specified in the request URL",
                      self.ask("GET", "/version", status=400, timeout="invalid")["message"])
        for timeout in "3m", "0s", "10s":
            self.ask("GET", "/version", status=200, timeout=timeout)


class DiscoveryTest(Case):
    def test_should_validate_preferred_version_for_each_group(self):
        groups = self.ask("GET", "/apis/")["groups"]
        self.assertTrue(groups)
        for group in groups:
            alone = self.ask("GET", f"/apis/{group['name']}/")
            self.assertIn(alone["preferredVersion"], alone["versions"])
            for version in alone["versions"]:
                listed = self.ask("GET", f"/apis/{version['groupVersion']}")
                self.assertEqual(listed["groupVersion"], version["groupVersion"])

    def test_aggregated_discovery(self):
        form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        for path, group, version, resource in (
                ("/api", "", "v1", "namespaces"), ("/apis", "apps", "v1", "deployments"),
                ("/apis", "apiextensions.k8s.io", "v1", "customresourcedefinitions")):
            answer = self.ask("GET", path, accept=form)
            self.assertEqual(answer["kind"], "APIGroupDiscoveryList")
            found = next(g for g in answer["items"] if g["metadata"].get("name", "") == group)
            versions = {v["version"]: v for v in found["versions"]}
            self.assertIn(resource, [r["resource"] for r in versions[version]["resources"]])

    def test_storage_version_hashes(self):
        for name, hash_ in (("pods", "xPOwRZ+Yhw8="), ("configmaps", "qFsyl6wFWjQ="),
                            ("namespaces", "Q3oi5N2YM8M=")):
            listed = {r["name"]: r for r in self.ask("GET", "/api/v1")["resources"]}
            self.assertEqual(listed[name]["storageVersionHash"], hash_)

    def test_server_version(self):
        version = self.ask("GET", "/version")
        self.assertRegex(version["major"], r"^\d+$")
        self.assertRegex(version["minor"], r"^\d+\+?$")

    def test_openapi(self):
        for path in "/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1":
            self.assertIsInstance(self.ask("GET", path), dict)


def strict(**more):
    return {"fieldManager": "manager", "fieldValidation": "Strict", **more}


class Definitions(Case):
    """Cases that define resources."""
    PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def define(self, name, schema, group="conformance.example.com", versions=("v1",), **more):
        """Cluster-wide ones of this kind in small letters; their path in the first version."""
        self.ask("POST", self.PATH, {
            "metadata": {"name": f"{name}s.{group}"},
            "spec": {"group": group, "scope": "Cluster",
                     "names": {"plural": f"{name}s", "singular": name, "kind": name.title(),
                               "listKind": name.title() + "ItemList"},
                     "versions": [{"name": version, "served": True, "storage": number == 0,
                                   "schema": {"openAPIV3Schema": schema}, **more}
                                  for number, version in enumerate(versions)]}})
        self.becomes("it is established", f"{self.PATH}/{name}s.{group}",
                     lambda thing: self.conditions(thing).get("Established") == "True")
        return f"/apis/{group}/{versions[0]}/{name}s"

    def redefine(self, name, change, group="conformance.example.com"):
        path = f"{self.PATH}/{name}s.{group}"
        for _ in range(20):
            now = self.ask("GET", path)
            change(now["spec"])
            if self.ask("PUT", path, now, status=(200, 409))["kind"] != "Status":
                return
        self.fail("never without a conflict")


def enum(*values):
    return {"type": "string", "enum": list(values)}


class RatchetingTest(Definitions):
    """CRDValidationRatcheting: what has not changed is not asked to be valid again."""
    ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

    def apply(self, path, body, status=(200, 201)):
        kind = path.rsplit("/", 1)[1][:-1].title()
        return self.ask("PATCH", f"{path}/test-resource", {
            "apiVersion": "conformance.example.com/v1", "kind": kind, **body,
            "metadata": {"name": "test-resource", **body.get("metadata", {})}}, kind=APPLY,
                        status=status, fieldManager="manager")

    def constrain(self, name, properties):
        def change(spec):
            spec["versions"][0]["schema"]["openAPIV3Schema"] = {
                "type": "object", "properties": properties}
        self.redefine(name, change)

    @staticmethod
    def everywhere(field):
        thing = {"type": "object", "properties": {"field": field}}
        return {"field": field, "struct": thing, "map": {
            "type": "object", "additionalProperties": thing}, "list": {
                "type": "array", "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["key"], "items": {
                    "type": "object", "required": ["key"],
                    "properties": {"key": {"type": "string"}, "field": field}}}}

    @staticmethod
    def full(value):
        return {"field": value, "struct": {"field": value},
                "list": [{"key": "foo", "field": value}, {"key": "bar", "field": value}],
                "map": {"foo": {"field": value}, "bar": {"field": value}}}

    def test_must_not_fail_on_unchanged_correlatable_fields(self):
        path = self.define("unchanged", self.ANY)
        self.apply(path, self.full("foo"))
        self.constrain("unchanged", self.everywhere(enum("notfoo")))
        changed = self.apply(path, {**self.full("foo"), "metadata": {"labels": {"foo": "bar"}}})
        self.assertEqual(changed["metadata"]["labels"], {"foo": "bar"})
        # What is new beside them is looked at.
        self.apply(path, {**self.full("foo"), "struct": {"field": "other"}}, status=422)

    def test_must_fail_on_unchanged_uncorrelatable_fields(self):
        path = self.define("listed", self.ANY)
        old = ["foo", "bar", "baz"]
        self.apply(path, {"setArray": old, "atomicArray": old})
        items = enum("notfoo", "notbar", "notbaz")
        self.constrain("listed", {
            "atomicArray": {"type": "array", "items": items},
            "setArray": {"type": "array", "x-kubernetes-list-type": "set", "items": items}})
        new = old + ["notfoo"]
        answer = self.apply(path, {"setArray": new, "atomicArray": new,
                                   "metadata": {"labels": {"foo": "bar"}}}, status=422)
        self.assertIn("atomicArray", answer["message"])
        self.assertIn("setArray", answer["message"])

    def test_must_fail_on_changed_fields(self):
        path = self.define("changed", self.ANY)
        self.apply(path, self.full("foo"))
        self.constrain("changed", self.everywhere(enum("foo")))
        answer = self.apply(path, self.full("notfoo"), status=422)
        self.assertLessEqual(
            {"field", "struct.field", "list[0].field", "list[1].field", "map.foo.field",
             "map.bar.field"}, {cause["field"] for cause in answer["details"]["causes"]})


class PublishingTest(Definitions):
    """CustomResourcePublishOpenAPI."""
    FOO = {"type": "object", "description": "Foo CRD for Testing", "properties": {
        "spec": {"type": "object", "description": "Specification of Foo", "properties": {
            "bars": {"type": "array", "description": "List of Bars and their specs.", "items": {
                "type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string", "description": "Name of Bar."},
                    "feeling": enum("Great", "Down"),
                    "age": {"type": "string", "description": "Age of Bar."},
                    "bazs": {"type": "array", "description": "List of Bazs.",
                             "items": {"type": "string"}}}}}}},
        "status": {"type": "object", "description": "Status of Foo"}}}

    def published(self, group, version, kind):
        name = ".".join(reversed(group.split("."))) + f".{version}.{kind}"
        return self.ask("GET", "/openapi/v2")["definitions"].get(name)

    def test_with_a_schema(self):
        path = self.define("foo", self.FOO, group="publish.example.com")
        shown = worlds.wait_for("it is published", lambda: self.published(
            "publish.example.com", "v1", "Foo"))
        self.assertEqual(shown["description"], "Foo CRD for Testing")
        self.assertEqual(shown["x-kubernetes-group-version-kind"], [
            {"group": "publish.example.com", "kind": "Foo", "version": "v1"}])
        self.assertEqual(shown["properties"]["spec"]["properties"]["bars"]["items"]["required"],
                         ["name"])
        for value, status in (({"name": "b", "feeling": "NonExistentValue"}, 422),
                              ({"age": "10"}, 422), ({"name": "b", "unknown": 1}, 400),
                              ({"name": "b"}, 201)):
            self.ask("POST", path, {
                "apiVersion": "publish.example.com/v1", "kind": "Foo",
                "metadata": {"name": "f"}, "spec": {"bars": [value]}}, status=status, **strict())
        for field, pattern in (
                ("foos", "(?s)DESCRIPTION:.*Foo CRD for Testing.*FIELDS:.*apiVersion.*<string>.*"
                         "APIVersion defines.*spec.*<Object>.*Specification of Foo"),
                ("foos.metadata", "(?s)DESCRIPTION:.*Standard object.s metadata.*FIELDS:.*"
                                  "creationTimestamp.*<string>.*CreationTimestamp is a timestamp"),
                ("foos.spec.bars", "(?s)bars.*<\\[\\]Object>.*DESCRIPTION:.*List of Bars and their "
                                   "specs.*FIELDS:.*bazs.*<\\[\\]string>.*List of Bazs.*name.*"
                                   "<string>.*Name of Bar")):
            self.assertRegex(self.kubectl("explain", field), pattern)
        self.assertIn('field "bars2" does not exist', self.kubectl(
            "explain", "foos.spec.bars2", status=1))

    def test_versions_come_go_and_change(self):
        group = "versions.example.com"
        self.define("multi", self.FOO, group=group, versions=("v2", "v3"))
        for version in "v2", "v3":
            worlds.wait_for(f"{version} is published", lambda v=version: self.published(
                group, v, "Multi"))

        def rename(spec):
            spec["versions"][1]["name"] = "v4"
        self.redefine("multi", rename, group)
        worlds.wait_for("v4 is published", lambda: self.published(group, "v4", "Multi"))
        self.assertIsNone(self.published(group, "v3", "Multi"))
        self.assertTrue(self.published(group, "v2", "Multi"))

        def hide(spec):
            spec["versions"][1]["served"] = False
        self.redefine("multi", hide, group)
        worlds.wait_for("v4 is gone", lambda: self.published(group, "v4", "Multi") is None)
        self.ask("GET", f"/apis/{group}/v4/multis", status=404)
        self.ask("DELETE", f"{self.PATH}/multis.{group}")
        worlds.wait_for("all is gone", lambda: self.published(group, "v2", "Multi") is None)

    def test_unknown_fields(self):
        for name, schema in (
                ("root", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
                ("nested", {"type": "object", "properties": {"spec": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": True}}})):
            path = self.define(name, schema)
            spec = {"a": None, "b": [{"c": "d"}]}
            made = self.ask("POST", path, {
                "apiVersion": "conformance.example.com/v1", "kind": name.title(),
                "metadata": {"name": "cr"}, "spec": spec}, **strict())
            self.assertEqual(made["spec"]["b"], spec["b"])
            # kubectl reads what may stand there from this.
            shown = worlds.wait_for("it is published", lambda kind=name.title(): self.published(
                "conformance.example.com", "v1", kind))
            if name == "root":
                self.assertEqual(set(shown), {"type", "x-kubernetes-group-version-kind"})
            else:
                self.assertEqual(shown["properties"]["spec"],
                                 {"x-kubernetes-preserve-unknown-fields": True})
            self.kubectl("create", "-f", "-", stdin=json.dumps({
                "apiVersion": "conformance.example.com/v1", "kind": name.title(),
                "metadata": {"name": "by-kubectl"}, "spec": spec}))


class CustomObjectsTest(Definitions):
    def test_defaults_for_requests_and_from_storage(self):
        schema = {"type": "object", "properties": {
            "a": {"type": "string", "default": "A"}, "b": {"type": "string"}}}
        path = self.define("defaulted", schema)
        one = self.ask("POST", path, {"apiVersion": "conformance.example.com/v1",
                                      "kind": "Defaulted", "metadata": {"name": "foo"}})
        self.assertEqual(one["a"], "A")
        self.assertNotIn("b", one)

        def change(spec):
            properties = spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
            properties["a"] = {"type": "string"}
            properties["b"]["default"] = "B"
        self.redefine("defaulted", change)
        worlds.wait_for("b is there", lambda: self.ask("GET", f"{path}/foo").get("b") == "B")
        self.assertEqual(self.ask("GET", f"{path}/foo")["a"], "A")

    def test_status_and_life_of_a_definition(self):
        self.define("state", {"type": "object"}, subresources={"status": {}})
        path = f"{self.PATH}/states.conformance.example.com"
        patched = self.ask("PATCH", f"{path}/status", {"status": {"conditions": [
            {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "m"}]}},
                           kind=MERGE)
        self.assertEqual(self.conditions(patched).get("StatusPatch"), "True")
        now = self.ask("GET", f"{path}/status")
        now["status"]["conditions"].append({
            "type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "m"})
        self.assertEqual(self.conditions(self.ask("PUT", f"{path}/status", now)).get(
            "StatusUpdate"), "True")

    def test_watch_on_custom_objects(self):
        path = self.define("seen", {"type": "object"})
        events = self.watch(path)
        for name in "a", "b":
            self.ask("POST", path, {"apiVersion": "conformance.example.com/v1", "kind": "Seen",
                                    "metadata": {"name": name}})
        self.ask("PATCH", f"{path}/a", {"metadata": {"labels": {"x": "y"}}}, kind=MERGE)
        self.ask("DELETE", f"{path}/a")
        told = [(what, thing["metadata"]["name"]) for _, (what, thing) in zip(range(4), events)]
        self.assertEqual(told, [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"),
                                ("DELETED", "a")])

    def test_selectable_fields(self):
        path = self.define("shirt", {"type": "object", "properties": {"spec": {
            "type": "object", "properties": {"color": {"type": "string"},
                                             "size": {"type": "string"}}}}},
                           selectableFields=[{"jsonPath": ".spec.color"},
                                             {"jsonPath": ".spec.size"}])
        events = self.watch(path, fieldSelector="spec.color=blue")
        for name, color, size in (("s1", "blue", "S"), ("s2", "blue", "M"), ("s3", "green", "M")):
            self.ask("POST", path, {"apiVersion": "conformance.example.com/v1", "kind": "Shirt",
                                    "metadata": {"name": name},
                                    "spec": {"color": color, "size": size}})
        listed = self.ask("GET", path, fieldSelector="spec.color=blue,spec.size=M")["items"]
        self.assertEqual([item["metadata"]["name"] for item in listed], ["s2"])
        self.ask("PATCH", f"{path}/s1", {"spec": {"color": "green"}}, kind=MERGE)
        told = [(what, thing["metadata"]["name"]) for _, (what, thing) in zip(range(3), events)]
        self.assertEqual(told, [("ADDED", "s1"), ("ADDED", "s2"), ("DELETED", "s1")])
        self.ask("DELETE", path, fieldSelector="spec.color=green")
        self.assertEqual([item["metadata"]["name"] for item in self.ask("GET", path)["items"]],
                         ["s2"])
        self.ask("GET", path, status=400, fieldSelector="spec.other=x")


class FieldValidationTest(Definitions):
    DEPLOYMENT = ('{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"my-dep"%s,'
                  '"labels":{"app":"nginx"}},"spec":{%s"selector":{"matchLabels":{"app":"nginx"}},'
                  '"template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{'
                  '"name":"nginx","image":"nginx:latest"}]}}}}')

    def test_should_detect_unknown_and_duplicate_fields_of_a_typed_object(self):
        answer = self.ask("POST", "/apis/apps/v1/~/deployments", self.DEPLOYMENT % (
            "", '"unknownField":"foo","replicas":2,"replicas":3,'), status=400, **strict())
        self.assertIn('strict decoding error: unknown field "spec.unknownField", '
                      'duplicate field "spec.replicas"', answer["message"])

    def test_should_detect_unknown_metadata_fields_of_a_typed_object(self):
        answer = self.ask("POST", "/apis/apps/v1/~/deployments", self.DEPLOYMENT % (
            ',"unknownMeta":"foo"', ""), status=400, **strict())
        self.assertIn('strict decoding error: unknown field "metadata.unknownMeta"',
                      answer["message"])

    def definition(self, name, schema):
        return self.define(name, schema, "fields.example.com", ("v1beta1", "v1beta2", "v0"))

    PORTS = {"type": "array", "x-kubernetes-list-type": "map",
             "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
             "items": {"type": "object", "required": ["containerPort", "protocol"], "properties": {
                 "containerPort": {"format": "int32", "type": "integer"},
                 "hostIP": {"type": "string"}, "hostPort": {"format": "int32", "type": "integer"},
                 "name": {"type": "string"}, "protocol": {"type": "string"}}}}
    CRON = {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"}
    SCHEMA = {"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "foo": {"type": "string"}, "cronSpec": CRON, "ports": PORTS}}}}
    BODY = ('apiVersion: fields.example.com/v1beta1\nkind: {kind}\nmetadata:\n  name: mytest\n'
            '  finalizers:\n  - test-finalizer\n{root}spec:\n{spec}  cronSpec: "* * * * */5"\n'
            '  ports:\n  - name: x\n    containerPort: 80\n    protocol: TCP\n')

    def apply(self, path, kind, root="", spec="  foo: foo1\n", status=(200, 201)):
        return self.ask("PATCH", f"{path}/mytest",
                        self.BODY.format(kind=kind, root=root, spec=spec), kind=APPLY,
                        status=status, **strict())

    def test_should_create_apply_a_valid_custom_resource(self):
        path = self.definition("valid", self.SCHEMA)
        made = self.apply(path, "Valid")
        self.assertEqual(made["spec"]["ports"],
                         [{"name": "x", "containerPort": 80, "protocol": "TCP"}])
        self.assertEqual(made["metadata"]["finalizers"], ["test-finalizer"])

    def test_should_create_apply_a_custom_resource_with_unknown_fields_without_schema(self):
        path = self.definition("free", {"type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True})
        made = self.apply(path, "Free", spec="  unknown: uk1\n")
        self.assertEqual(made["spec"]["unknown"], "uk1")

    def test_should_refuse_a_custom_resource_with_extra_properties(self):
        path = self.definition("extra", self.SCHEMA)
        answer = self.apply(path, "Extra", root="unknownField: unknown\n", status=500)
        self.assertIn(".unknownField: field not declared in schema", answer["message"])

    def test_should_detect_unknown_metadata_of_root_and_embedded_object(self):
        schema = {"type": "object", "properties": {"spec": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {
                "template": {"type": "object", "x-kubernetes-embedded-resource": True,
                             "properties": {"metadata": {"type": "object", "properties": {
                                 "name": {"type": "string"}}}, "spec": {"type": "object"}}},
                "foo": {"type": "string"}, "cronSpec": self.CRON, "ports": self.PORTS}}}}
        path = self.definition("embed", schema)
        text = self.BODY.format(kind="Embed", root="", spec=(
            "  template:\n    apiVersion: foo/v1\n    kind: Sub\n    metadata:\n"
            "      unknownSubMeta: unknown\n      name: subobject\n      namespace: x\n"
            "  foo: foo1\n"))
        for unknown, found in (("  unknownMeta: unknown\n", "metadata.unknownMeta"),
                               ("", "spec.template.metadata.unknownSubMeta")):
            body = text.replace("name: mytest\n", f"name: mytest\n{unknown}")
            answer = self.ask("PATCH", f"{path}/mytest", body, kind=APPLY, status=(400, 500),
                              **strict())
            self.assertIn(f".{found}: field not declared in schema", answer["message"])

    def test_should_detect_duplicates_in_a_custom_resource_when_preserving_unknown_fields(self):
        path = self.definition("twice", {"type": "object", "properties": {"spec": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": True}}})
        answer = self.apply(path, "Twice", spec="  unknown: uk1\n  foo: foo1\n  foo: foo2\n",
                            status=400)
        self.assertIn('line 10: key "foo" already set in map', answer["message"])


class WatchTest(Case):
    PATH = "/api/v1/~/configmaps"

    def make(self, name, **labels):
        return self.ask("POST", self.PATH, {"metadata": {"name": name, "labels": labels}})

    def change(self, name, number):
        return self.ask("PATCH", f"{self.PATH}/{name}", {"data": {"mutation": str(number)}},
                        kind=MERGE)

    def take(self, events, count):
        taken = []
        for what, thing in events:
            taken.append((what, thing["metadata"]["name"], thing.get("data", {}).get("mutation")))
            if len(taken) == count:
                return taken
        self.fail(taken)

    def test_should_observe_add_update_and_delete_with_selectors(self):
        a = self.watch(self.PATH, labelSelector="w=a")
        both = self.watch(self.PATH, labelSelector="w in (a, b)")
        self.make("wa", w="a")
        self.change("wa", 1)
        self.make("wb", w="b")
        self.ask("DELETE", f"{self.PATH}/wa")
        self.ask("DELETE", f"{self.PATH}/wb")
        self.assertEqual(self.take(a, 3), [("ADDED", "wa", None), ("MODIFIED", "wa", "1"),
                                           ("DELETED", "wa", "1")])
        self.assertEqual(self.take(both, 5), [
            ("ADDED", "wa", None), ("MODIFIED", "wa", "1"), ("ADDED", "wb", None),
            ("DELETED", "wa", "1"), ("DELETED", "wb", None)])

    def test_should_be_able_to_start_watching_from_a_version(self):
        made = self.make("from", w="from")
        first = self.change("from", 1)
        self.change("from", 2)
        self.ask("DELETE", f"{self.PATH}/from")
        events = self.watch(self.PATH, labelSelector="w=from",
                            resourceVersion=first["metadata"]["resourceVersion"])
        self.assertEqual(self.take(events, 2), [("MODIFIED", "from", "2"), ("DELETED", "from", "2")])
        self.assertLess(int(made["metadata"]["resourceVersion"]),
                        int(first["metadata"]["resourceVersion"]))

    def test_should_observe_an_object_deletion_if_it_stops_meeting_the_selector(self):
        events = self.watch(self.PATH, labelSelector="w=here")
        self.make("moves", w="here")
        self.change("moves", 1)
        self.ask("PATCH", f"{self.PATH}/moves", {"metadata": {"labels": {"w": "gone"}}}, kind=MERGE)
        self.change("moves", 2)
        self.ask("PATCH", f"{self.PATH}/moves", {"metadata": {"labels": {"w": "here"}}}, kind=MERGE)
        self.change("moves", 3)
        self.ask("DELETE", f"{self.PATH}/moves")
        self.assertEqual(self.take(events, 6), [
            ("ADDED", "moves", None), ("MODIFIED", "moves", "1"), ("DELETED", "moves", "1"),
            ("ADDED", "moves", "2"), ("MODIFIED", "moves", "3"), ("DELETED", "moves", "3")])

    def test_should_receive_events_on_concurrent_watches_in_same_order(self):
        start = self.ask("GET", self.PATH)["metadata"]["resourceVersion"]
        last = 0
        for number in range(30):
            name = f"order-{number % 7}"
            self.ask("DELETE", f"{self.PATH}/{name}", status=(200, 404))
            last = self.make(name, w="order")["metadata"]["resourceVersion"]
        seen = []
        versions = [start]
        for what, thing in self.watch(self.PATH, resourceVersion=start, labelSelector="w=order"):
            versions.append(thing["metadata"]["resourceVersion"])
            seen.append((what, thing["metadata"]["resourceVersion"]))
            if thing["metadata"]["resourceVersion"] == last:
                break
        self.assertEqual(versions, sorted(versions, key=int))
        for from_ in range(0, len(seen), 9):
            events = self.watch(self.PATH, resourceVersion=versions[from_],
                                labelSelector="w=order")
            rest = [(w, t["metadata"]["resourceVersion"]) for _, (w, t) in
                    zip(seen[from_:], events)]
            self.assertEqual(rest, seen[from_:])


class QuotaTest(Case):
    PATH = "/api/v1/~/resourcequotas"

    def used(self, name, **wanted):
        wanted = {key.replace("__", "/").replace("_", "."): value
                  for key, value in wanted.items()}
        return self.becomes(
            f"{name} counts {wanted}", f"{self.PATH}/{name}",
            lambda quota: all(quota.get("status", {}).get("used", {}).get(key) == value
                              for key, value in wanted.items()))

    def quota(self, name, hard, **spec):
        self.ask("POST", self.PATH, {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})

    def pod(self, name, status=201, grace=None, **container):
        spec = {"containers": [{"name": "main", "image": "busybox", **container}]}
        if grace is not None:
            spec["activeDeadlineSeconds"] = grace
        return self.ask("POST", "/api/v1/~/pods", {"metadata": {"name": name}, "spec": spec},
                        status=status)

    def tearDown(self):
        for kind in "pods", "resourcequotas", "services", "secrets", "configmaps":
            for thing in self.ask("GET", f"/api/v1/~/{kind}")["items"]:
                self.ask("DELETE", f"/api/v1/~/{kind}/{thing['metadata']['name']}",
                         status=(200, 404), gracePeriodSeconds=0)
        for kind in "replicationcontrollers", "persistentvolumeclaims":
            for thing in self.ask("GET", f"/api/v1/~/{kind}")["items"]:
                self.ask("DELETE", f"/api/v1/~/{kind}/{thing['metadata']['name']}",
                         status=(200, 404))
        for thing in self.ask("GET", "/apis/apps/v1/~/replicasets")["items"]:
            self.ask("DELETE", f"/apis/apps/v1/~/replicasets/{thing['metadata']['name']}",
                     status=(200, 404))

    def test_life_of_a_service(self):
        self.quota("q", {"services": "10", "services.nodeports": "1", "services.loadbalancers": "1",
                         "resourcequotas": "1"})
        self.used("q", resourcequotas="1", services="0")
        service = {"spec": {"ports": [{"port": 80, "targetPort": 80}]}}
        self.ask("POST", "/api/v1/~/services", {"metadata": {"name": "a"}, **service})
        service["spec"]["type"] = "NodePort"
        self.ask("POST", "/api/v1/~/services", {"metadata": {"name": "np"}, **service})
        service["spec"]["type"] = "LoadBalancer"
        answer = self.ask("POST", "/api/v1/~/services", {"metadata": {"name": "lb"}, **service},
                          status=403)
        self.assertIn("exceeded quota: q, requested: services.nodeports=1, used: "
                      "services.nodeports=1, limited: services.nodeports=1", answer["message"])
        self.used("q", services="2", services_nodeports="1")
        self.ask("DELETE", "/api/v1/~/services/a")
        self.ask("DELETE", "/api/v1/~/services/np")
        self.used("q", services="0", services_nodeports="0")

    def test_life_of_a_pod(self):
        self.quota("q", {"pods": "5", "cpu": "1", "memory": "500Mi", "ephemeral-storage": "50Gi",
                         "requests.example.com/dongle": "3"})
        self.used("q", pods="0")
        big = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi",
               "example.com/dongle": "2"}
        pod = self.pod("p", resources={"requests": big, "limits": {"example.com/dongle": "2"}})
        used = {"pods": "1", "cpu": "500m", "memory": "252Mi"}
        self.used("q", **used, **{"ephemeral-storage": "30Gi", "requests.example.com__dongle": "2"})
        self.pod("fail", 403, resources={"requests": {"cpu": "600m", "memory": "100Mi"}})
        self.pod("fail-ext", 403, resources={
            "requests": {**big, "memory": "100Mi"}, "limits": {"example.com/dongle": "2"}})
        pod["spec"]["containers"][0]["resources"]["requests"] = {
            "cpu": "100m", "memory": "100Mi", "ephemeral-storage": "10Gi"}
        self.ask("PUT", "/api/v1/~/pods/p", pod, status=422)
        self.used("q", **used)
        self.ask("DELETE", "/api/v1/~/pods/p", gracePeriodSeconds=0)
        self.used("q", pods="0", cpu="0", memory="0")

    def test_life_of_objects(self):
        self.quota("q", {"configmaps": "3", "secrets": "1", "replicationcontrollers": "10",
                         "count/replicasets.apps": "5", "persistentvolumeclaims": "10",
                         "requests.storage": "10Gi",
                         "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
                         "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
                         "count/configmaps": "3"})
        self.used("q", configmaps="1", secrets="0")
        for kind, body in (("configmaps", {}), ("secrets", {}),
                           ("replicationcontrollers", {"spec": {
                               "replicas": 0, "selector": LABEL, "template": TEMPLATE}})):
            self.ask("POST", f"/api/v1/~/{kind}", {"metadata": {"name": "x"}, **body})
        self.ask("POST", "/api/v1/~/secrets", {"metadata": {"name": "y"}}, status=403)
        self.ask("POST", "/apis/apps/v1/~/replicasets", {"metadata": {"name": "x"}, "spec": {
            "replicas": 0, "selector": SELECTOR, "template": TEMPLATE}})
        claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": GIB},
                          "storageClassName": "gold"}}
        self.ask("POST", "/api/v1/~/persistentvolumeclaims", {"metadata": {"name": "x"}, **claim})
        self.used("q", configmaps="2", secrets="1", replicationcontrollers="1",
                  count__replicasets_apps="1", persistentvolumeclaims="1", requests_storage="1Gi",
                  gold_storageclass_storage_k8s_io__persistentvolumeclaims="1",
                  gold_storageclass_storage_k8s_io__requests_storage="1Gi", count__configmaps="2")
        for kind in "configmaps", "secrets", "replicationcontrollers", "persistentvolumeclaims":
            self.ask("DELETE", f"/api/v1/~/{kind}/x")
        self.ask("DELETE", "/apis/apps/v1/~/replicasets/x")
        self.used("q", configmaps="1", secrets="0", replicationcontrollers="0",
                  count__replicasets_apps="0", persistentvolumeclaims="0", requests_storage="0")

    def test_scopes(self):
        for name, scope in (("terminating", "Terminating"), ("lasting", "NotTerminating")):
            self.quota(name, {"pods": "5", "requests.cpu": "1", "limits.cpu": "2",
                              "requests.memory": "500Mi", "limits.memory": "1Gi"}, scopes=[scope])
        self.quota("best", {"pods": "5"}, scopes=["BestEffort"])
        self.quota("not-best", {"pods": "5"}, scopes=["NotBestEffort"])
        for name in "terminating", "lasting", "best", "not-best":
            self.used(name, pods="0")
        resources = {"requests": {"cpu": "500m", "memory": "200Mi"},
                     "limits": {"cpu": "1", "memory": "400Mi"}}
        self.pod("long", resources=resources)
        self.used("lasting", pods="1", requests_cpu="500m", limits_cpu="1",
                  requests_memory="200Mi", limits_memory="400Mi")
        self.used("not-best", pods="1")
        self.pod("short", grace=3600, resources=resources)
        self.used("terminating", pods="1", requests_cpu="500m")
        self.used("lasting", pods="1")
        self.used("best", pods="0")
        self.ask("DELETE", "/api/v1/~/pods/long", gracePeriodSeconds=0)
        self.ask("DELETE", "/api/v1/~/pods/short", gracePeriodSeconds=0)
        self.used("not-best", pods="0")
        for name in "terminating", "lasting":
            self.ask("DELETE", f"{self.PATH}/{name}")
        self.pod("best-effort")
        self.used("best", pods="1")
        self.used("not-best", pods="0")

    def test_update_delete_and_status(self):
        self.quota("q", {"cpu": "1", "memory": "500Mi"})
        quota = self.ask("GET", f"{self.PATH}/q")
        quota["spec"]["hard"] = {"cpu": "2", "memory": "1Gi"}
        self.assertEqual(self.ask("PATCH", f"{self.PATH}/q", {"spec": quota["spec"]}, kind=MERGE)[
            "spec"]["hard"], {"cpu": "2", "memory": "1Gi"})
        self.used("q", cpu="0")
        changed = self.ask("PATCH", f"{self.PATH}/q/status", {"status": {"hard": {"cpu": "7"}}},
                           kind=STRATEGIC)
        self.assertEqual(changed["status"]["hard"]["cpu"], "7")
        self.assertEqual(changed["spec"]["hard"]["cpu"], "2")
        self.ask("DELETE", f"{self.PATH}/q")
        self.ask("GET", f"{self.PATH}/q", status=404)

    def test_priority_class_scope(self):
        self.ask("POST", "/apis/scheduling.k8s.io/v1/priorityclasses",
                 {"metadata": {"name": "pclass1"}, "value": 1000})
        self.quota("q", {"pods": "1"}, scopeSelector={"matchExpressions": [
            {"scopeName": "PriorityClass", "operator": "In", "values": ["pclass1"]}]})
        self.used("q", pods="0")
        pod = {"metadata": {"name": "p1"}, "spec": {**POD, "priorityClassName": "pclass1"}}
        self.ask("POST", "/api/v1/~/pods", pod)
        self.used("q", pods="1")
        pod["metadata"]["name"] = "p2"
        self.ask("POST", "/api/v1/~/pods", pod, status=403)
        self.pod("without")
        self.used("q", pods="1")


class LimitRangeTest(Case):
    def test_defaults_and_limits(self):
        self.ask("POST", "/api/v1/~/limitranges", {
            "metadata": {"name": "limits"}, "spec": {"limits": [{
                "type": "Container", "min": {"cpu": "50m", "memory": "100Mi"},
                "max": {"cpu": "500m", "memory": "500Mi"},
                "default": {"cpu": "500m", "memory": "500Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "200Mi"}}]}})
        pod = self.ask("POST", "/api/v1/~/pods", {"metadata": {"name": "plain"}, "spec": POD})
        self.assertEqual(pod["spec"]["containers"][0]["resources"], {
            "requests": {"cpu": "100m", "memory": "200Mi"},
            "limits": {"cpu": "500m", "memory": "500Mi"}})
        pod = self.ask("POST", "/api/v1/~/pods", {"metadata": {"name": "partial"}, "spec": {
            "containers": [{"name": "c", "image": "b", "resources": {
                "requests": {"cpu": "300m", "memory": "150Mi"},
                "limits": {"cpu": "300m"}}}]}})
        self.assertEqual(pod["spec"]["containers"][0]["resources"], {
            "requests": {"cpu": "300m", "memory": "150Mi"},
            "limits": {"cpu": "300m", "memory": "500Mi"}})
        for requests in {"cpu": "10m", "memory": "50Mi"}, {"cpu": "600m", "memory": "600Mi"}:
            self.ask("POST", "/api/v1/~/pods", {"metadata": {"name": "bad"}, "spec": {
                "containers": [{"name": "c", "image": "b", "resources": {
                    "requests": requests}}]}}, status=(403, 422))


class AuthTest(Case):
    def test_certificate_requests(self):
        path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
        request = worlds.output_of("sh", "-c", (
            "openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=e2e 2>/dev/null "
            "| base64 -w0")).strip()
        self.ask("POST", path, {"metadata": {"name": "c"}, "spec": {
            "request": request, "signerName": "example.com/mine",
            "usages": ["digital signature", "key encipherment", "server auth"]}})
        patched = self.ask("PATCH", f"{path}/c/approval", {
            "metadata": {"annotations": {"patchedapproval": "true"}}, "status": {"conditions": [
                {"type": "ApprovalPatch", "status": "True", "reason": "e2e"}]}}, kind=MERGE)
        self.assertEqual(self.conditions(patched), {"ApprovalPatch": "True"})
        self.assertEqual(patched["metadata"]["annotations"], {"patchedapproval": "true"})
        csr = self.ask("GET", f"{path}/c/approval")
        csr["status"]["conditions"].append({
            "type": "Approved", "status": "True", "reason": "E2E", "message": "Set by the test"})
        self.assertEqual(self.conditions(self.ask("PUT", f"{path}/c/approval", csr)),
                         {"ApprovalPatch": "True", "Approved": "True"})
        self.ask("PATCH", f"{path}/c/status", {"status": {"certificate": "bm8="}}, kind=MERGE,
                 status=422)

    def test_subject_reviews(self):
        user = f"system:serviceaccount:{self.namespace}:default"
        review = {"spec": {"user": user, "resourceAttributes": {
            "verb": "list", "resource": "configmaps", "version": "v1",
            "namespace": self.namespace}}}
        base = "/apis/authorization.k8s.io/v1"
        for path in f"{base}/subjectaccessreviews", f"{base}/~/localsubjectaccessreviews":
            self.assertEqual(self.ask("POST", path, review, status=201)["status"]["allowed"], False)
        self.ask("POST", "/apis/rbac.authorization.k8s.io/v1/~/rolebindings", {
            "metadata": {"name": "view"}, "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "default",
                          "namespace": self.namespace}]})
        for path in f"{base}/subjectaccessreviews", f"{base}/~/localsubjectaccessreviews":
            worlds.wait_for("the right is known", lambda p=path: self.ask(
                "POST", p, review)["status"]["allowed"])

    def test_self_subject_reviews(self):
        answer = self.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
        self.assertIn("system:masters", answer["status"]["userInfo"]["groups"])
        rules = self.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                         {"spec": {"namespace": self.namespace}})
        self.assertTrue(rules["status"]["resourceRules"])

    def test_service_account_life_and_tokens(self):
        path = "/api/v1/~/serviceaccounts"
        made = self.ask("POST", path, {"metadata": {"name": "bot"}})
        token = self.ask("POST", f"{path}/bot/token", {"spec": {
            "audiences": [], "expirationSeconds": 3600}}, status=201)["status"]["token"]
        review = self.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                          {"spec": {"token": token}})["status"]
        self.assertTrue(review["authenticated"])
        self.assertEqual(review["user"]["username"],
                         f"system:serviceaccount:{self.namespace}:bot")
        self.assertEqual(review["user"]["uid"], made["metadata"]["uid"])
        self.ask("DELETE", f"{path}/bot")
        worlds.wait_for("its token is no longer taken", lambda: not self.ask(
            "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
            {"spec": {"token": token}})["status"].get("authenticated"))

    def test_root_ca_and_default_account_come_back(self):
        self.ask("DELETE", "/api/v1/~/configmaps/kube-root-ca.crt")
        self.becomes("the bundle is back", "/api/v1/~/configmaps", lambda listed: any(
            "ca.crt" in item.get("data", {}) for item in listed["items"]))
        self.ask("PATCH", "/api/v1/~/configmaps/kube-root-ca.crt", {"data": {"ca.crt": ""}},
                 kind=MERGE)
        self.becomes("the bundle is whole", "/api/v1/~/configmaps/kube-root-ca.crt",
                     lambda thing: "BEGIN CERT" in thing["data"]["ca.crt"])
        self.ask("DELETE", "/api/v1/~/serviceaccounts/default")
        self.becomes("the account is back", "/api/v1/~/serviceaccounts", lambda listed: any(
            item["metadata"]["name"] == "default" for item in listed["items"]))

    def test_oidc_discovery(self):
        document = self.ask("GET", "/.well-known/openid-configuration")
        self.assertEqual(document["response_types_supported"], ["id_token"])
        self.assertTrue(self.ask("GET", "/openid/v1/jwks")["keys"])


class NamespaceTest(Case):
    def space(self, name, **spec):
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}, **spec})
        return f"/api/v1/namespaces/{name}"

    def test_patch_update_status_and_finalizers(self):
        path = self.space("ns-life")
        self.assertEqual(self.ask("PATCH", path, {"metadata": {"labels": {"testLabel": "v"}}},
                                  kind=STRATEGIC)["metadata"]["labels"]["testLabel"], "v")
        condition = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "m"}
        patched = self.ask("PATCH", f"{path}/status", {
            "metadata": {"annotations": {"e2e-patched-status": "x"}},
            "status": {"conditions": [condition]}}, kind=MERGE)
        self.assertEqual(self.conditions(patched), {"StatusPatch": "True"})
        self.assertEqual(patched["metadata"]["annotations"]["e2e-patched-status"], "x")
        patched["status"]["conditions"].append({**condition, "type": "StatusUpdate"})
        self.assertEqual(len(self.ask("PUT", f"{path}/status", patched)["status"]["conditions"]), 2)
        space = self.ask("GET", path)
        space["spec"]["finalizers"].append("e2e.example.com/fakeFinalizer")
        space = self.ask("PUT", f"{path}/finalize", space)
        self.assertEqual(space["spec"]["finalizers"], ["kubernetes", "e2e.example.com/fakeFinalizer"])
        space["spec"]["finalizers"].pop()
        self.assertEqual(self.ask("PUT", f"{path}/finalize", space)["spec"]["finalizers"],
                         ["kubernetes"])
        self.ask("DELETE", path)
        worlds.wait_for("it is gone", lambda: self.ask("GET", path, status=(200, 404))[
            "kind"] == "Status")

    def test_should_ensure_that_all_pods_and_services_are_removed(self):
        path = self.space("ns-full")
        worlds.wait_for("the account is there", lambda: self.ask(
            "GET", f"{path}/serviceaccounts/default", status=(200, 404))["kind"] != "Status")
        self.ask("POST", f"{path}/pods", {"metadata": {"name": "p"}, "spec": POD})
        self.ask("POST", f"{path}/services", {"metadata": {"name": "s"}, "spec": {
            "ports": [{"port": 80}]}})
        self.ask("DELETE", path)
        worlds.wait_for("it is gone", lambda: self.ask("GET", path, status=(200, 404))[
            "kind"] == "Status")
        path = self.space("ns-full")
        self.assertEqual(self.ask("GET", f"{path}/pods")["items"], [])
        self.assertEqual(self.ask("GET", f"{path}/services")["items"], [])


class GarbageTest(Case):
    SETS = "/apis/apps/v1/~/replicasets"
    DEPLOYMENTS = "/apis/apps/v1/~/deployments"

    def owner(self, thing, **more):
        return {"apiVersion": thing.get("apiVersion", "v1"), "kind": thing["kind"],
                "name": thing["metadata"]["name"], "uid": thing["metadata"]["uid"], **more}

    def make(self, name, *owners):
        return self.ask("POST", "/api/v1/~/configmaps", {"metadata": {
            "name": name, "ownerReferences": list(owners)}})

    def gone(self, name):
        worlds.wait_for(f"{name} is gone", lambda: self.ask(
            "GET", f"/api/v1/~/configmaps/{name}", status=(200, 404))["kind"] == "Status")

    def test_should_not_be_blocked_by_dependency_circle(self):
        one, two, three = (self.make(f"pod{n}") for n in (1, 2, 3))
        for thing, owner in ((one, three), (two, one), (three, two)):
            self.ask("PATCH", f"/api/v1/~/configmaps/{thing['metadata']['name']}", {
                "metadata": {"ownerReferences": [self.owner(
                    owner, controller=True, blockOwnerDeletion=True)]}}, kind=STRATEGIC)
        self.ask("DELETE", "/api/v1/~/configmaps/pod1", propagationPolicy="Foreground")
        for name in "pod1", "pod2", "pod3":
            self.gone(name)

    def test_should_not_delete_dependents_that_have_both_valid_owner_and_owner_that_waits(self):
        stays, goes = self.make("stays"), self.make("goes")
        self.make("both", self.owner(stays), self.owner(goes, blockOwnerDeletion=True))
        self.make("one", self.owner(goes, blockOwnerDeletion=True))
        self.ask("DELETE", "/api/v1/~/configmaps/goes", propagationPolicy="Foreground")
        self.gone("goes")
        self.gone("one")
        both = self.ask("GET", "/api/v1/~/configmaps/both")
        self.assertEqual([o["name"] for o in both["metadata"]["ownerReferences"]], ["stays"])

    def test_orphans(self):
        owner = self.make("parent")
        self.make("child", self.owner(owner))
        self.ask("DELETE", "/api/v1/~/configmaps/parent", {
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan"})
        self.gone("parent")
        child = self.becomes("nobody owns it", "/api/v1/~/configmaps/child",
                             lambda thing: not thing["metadata"].get("ownerReferences"))
        self.assertTrue(child)


class NetworkObjectsTest(Case):
    def test_service_status_and_types(self):
        path = "/api/v1/~/services"
        made = self.ask("POST", path, {"metadata": {"name": "lb"}, "spec": {
            "type": "LoadBalancer", "ports": [{"name": "http", "port": 80, "targetPort": 80}],
            "loadBalancerClass": "example.com/none"}})
        self.assertTrue(made["spec"]["ports"][0]["nodePort"])
        patched = self.ask("PATCH", f"{path}/lb/status", {
            "metadata": {"annotations": {"patchedstatus": "true"}},
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}}, kind=MERGE)
        self.assertEqual(patched["status"]["loadBalancer"]["ingress"],
                         [{"ip": "203.0.113.1", "ipMode": "VIP"}])
        now = self.ask("GET", f"{path}/lb/status")
        now["status"]["conditions"] = [{"type": "StatusUpdate", "status": "True", "reason": "E2E",
                                        "message": "m", "lastTransitionTime":
                                        "2026-01-01T00:00:00Z"}]
        self.assertEqual(self.conditions(self.ask("PUT", f"{path}/lb/status", now)),
                         {"StatusUpdate": "True"})
        self.ask("PATCH", f"{path}/lb", {"spec": {"type": "ClusterIP", "loadBalancerClass": None}},
                 kind=MERGE)
        now = self.ask("GET", f"{path}/lb")
        self.assertNotIn("nodePort", now["spec"]["ports"][0])
        self.ask("PATCH", f"{path}/lb", {"spec": {
            "type": "ExternalName", "externalName": "a.example.com", "clusterIP": None,
            "clusterIPs": None}}, kind=MERGE)
        self.assertNotIn("clusterIP", self.ask("GET", f"{path}/lb")["spec"])
        self.ask("PATCH", f"{path}/lb", {"spec": {"type": "NodePort", "externalName": None}},
                 kind=MERGE)
        self.assertTrue(self.ask("GET", f"{path}/lb")["spec"]["ports"][0]["nodePort"])

    def test_ingress_status(self):
        path = "/apis/networking.k8s.io/v1/~/ingresses"
        self.ask("POST", path, {"metadata": {"name": "i"}, "spec": {
            "rules": [{"host": "a.example.com", "http": {"paths": [{
                "path": "/", "pathType": "ImplementationSpecific", "backend": {
                    "service": {"name": "x", "port": {"number": 80}}}}]}}]}})
        patched = self.ask("PATCH", f"{path}/i/status", {"status": {"loadBalancer": {
            "ingress": [{"ip": "169.1.1.1"}]}}}, kind=MERGE)
        self.assertEqual(patched["status"]["loadBalancer"]["ingress"], [{"ip": "169.1.1.1"}])

    def test_servicecidr_and_ipaddress(self):
        path = "/apis/networking.k8s.io/v1/servicecidrs"
        self.assertTrue(self.ask("GET", f"{path}/kubernetes")["spec"]["cidrs"])
        self.ask("POST", path, {"metadata": {"name": "svc"}, "spec": {"cidrs": ["10.196.196.0/24"]}})
        self.becomes("it is ready", f"{path}/svc",
                     lambda thing: self.conditions(thing).get("Ready") == "True")
        patched = self.ask("PATCH", f"{path}/svc/status", {
            "metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"conditions": [
                {"type": "E2E", "status": "True", "reason": "E", "message": "m",
                 "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, kind=MERGE)
        self.assertEqual(self.conditions(patched).get("E2E"), "True")
        both = ["10.196.196.0/24", "fd00:10:196::/112"]
        self.assertEqual(self.ask("PATCH", f"{path}/svc", {"spec": {"cidrs": both}}, kind=MERGE)[
            "spec"]["cidrs"], both)
        self.ask("DELETE", f"{path}/svc")
        worlds.wait_for("it is gone", lambda: self.ask("GET", f"{path}/svc", status=(200, 404))[
            "kind"] == "Status")


class WorkloadObjectsTest(Case):
    """Status and scale of what controllers will keep."""

    def test_status_of_workloads(self):
        condition = {"type": "StatusPatched", "status": "True", "reason": "E2E", "message": "m"}
        for kind, spec in (("deployments", {"replicas": 0}), ("statefulsets", {
                "replicas": 0, "serviceName": "x"}), ("replicasets", {"replicas": 0}),
                           ("daemonsets", {})):
            path = f"/apis/apps/v1/~/{kind}"
            self.ask("POST", path, {"metadata": {"name": "w"}, "spec": {
                **spec, "selector": SELECTOR, "template": TEMPLATE}})
            patched = self.ask("PATCH", f"{path}/w/status", {"status": {
                "conditions": [condition]}}, kind=MERGE)
            self.assertEqual(self.conditions(patched).get("StatusPatched"), "True")
            patched["status"]["conditions"].append({**condition, "type": "StatusUpdate"})
            self.assertEqual(self.conditions(self.ask("PUT", f"{path}/w/status", patched)).get(
                "StatusUpdate"), "True")
            if kind != "daemonsets":
                scale = self.ask("GET", f"{path}/w/scale")
                self.assertEqual(scale["kind"], "Scale")
                scale["spec"]["replicas"] = 2
                scale["metadata"].pop("resourceVersion")
                self.assertEqual(self.ask("PUT", f"{path}/w/scale", scale)["spec"]["replicas"], 2)
                self.ask("PATCH", f"{path}/w/scale", {"spec": {"replicas": 4}}, kind=MERGE)
                self.assertEqual(self.ask("GET", f"{path}/w")["spec"]["replicas"], 4)

    def test_replication_controller_scale(self):
        path = "/api/v1/~/replicationcontrollers"
        self.ask("POST", path, {"metadata": {"name": "rc"}, "spec": {
            "replicas": 0, "selector": LABEL, "template": TEMPLATE}})
        scale = self.ask("GET", f"{path}/rc/scale")
        scale["spec"]["replicas"] = 2
        self.assertEqual(self.ask("PUT", f"{path}/rc/scale", scale)["spec"]["replicas"], 2)
        patched = self.ask("PATCH", f"{path}/rc/status", {"status": {
            "readyReplicas": 0, "availableReplicas": 0}}, kind=MERGE)
        self.assertEqual(patched["kind"], "ReplicationController")

    def test_disruption_budgets_and_eviction(self):
        path = "/apis/policy/v1/~/poddisruptionbudgets"
        self.ask("POST", path, {"metadata": {"name": "foo"}, "spec": {
            "minAvailable": 1, "selector": SELECTOR}})
        patched = self.ask("PATCH", f"{path}/foo/status", {"status": {
            "disruptedPods": {"pod": "2026-01-01T00:00:00Z"}}}, kind=MERGE)
        self.assertEqual(patched["status"]["disruptedPods"], {"pod": "2026-01-01T00:00:00Z"})
        self.ask("PATCH", f"{path}/foo", {"spec": {"minAvailable": "50%"}}, kind=MERGE)
        self.ask("POST", "/api/v1/~/pods", {"metadata": {"name": "lonely"}, "spec": POD})
        self.ask("POST", "/api/v1/~/pods/lonely/eviction", {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "lonely"}},
                 status=201)
        self.ask("GET", "/api/v1/~/pods/lonely", status=404)

    def test_pods(self):
        path = "/api/v1/~/pods"
        made = self.ask("POST", path, {"metadata": {"name": "p", "labels": LABEL}, "spec": POD})
        self.assertEqual(made["status"]["qosClass"], "BestEffort")
        patched = self.ask("PATCH", f"{path}/p/status", {"status": {
            "message": "Patched by e2e test", "reason": "E2E", "conditions": [
                {"type": "TestReady", "status": "True"}]}}, kind=MERGE)
        self.assertEqual(patched["status"]["message"], "Patched by e2e test")
        self.assertEqual(self.ask("PATCH", f"{path}/p", {"spec": {"containers": [
            {"name": "main", "image": "other"}]}}, kind=STRATEGIC)["spec"]["containers"][0][
                "image"], "other")
        template = self.ask("GET", f"{path}/p")
        template["spec"]["activeDeadlineSeconds"] = 5
        self.assertEqual(self.ask("PUT", f"{path}/p", template)["spec"]["activeDeadlineSeconds"], 5)
        for name in "test-pod-1", "test-pod-2":
            self.ask("POST", path, {"metadata": {"name": name, "labels": {"set": "x"}},
                                    "spec": POD})
        self.ask("DELETE", path, labelSelector="set=x", gracePeriodSeconds=0)
        self.assertEqual(self.ask("GET", path, labelSelector="set=x")["items"], [])
        bound = self.ask("POST", f"{path}/p/binding", {"metadata": {"name": "p"}, "target": {
            "kind": "Node", "name": "nowhere"}}, status=201)
        self.assertEqual(bound["status"], "Success")
        self.assertEqual(self.conditions(self.ask("GET", f"{path}/p")).get("PodScheduled"), "True")

    def test_grace_periods_of_any_length(self):
        path = "/api/v1/~/pods"
        longest = 2 ** 63 - 1
        for number, grace in enumerate((longest, 10 ** 12, 31)):
            name = f"patient-{number}"
            self.ask("POST", path, {"metadata": {"name": name}, "spec": {
                **POD, "nodeName": "nowhere", "terminationGracePeriodSeconds": longest}})
            self.ask("DELETE", f"{path}/{name}", gracePeriodSeconds=grace)
            ending = self.ask("GET", f"{path}/{name}")["metadata"]
            self.assertEqual(ending["deletionGracePeriodSeconds"], grace)
            self.assertRegex(ending["deletionTimestamp"], r"^2\d{3}-")
            sooner = self.ask("DELETE", f"{path}/{name}", gracePeriodSeconds=30)["metadata"]
            self.assertLess(sooner["deletionTimestamp"], ending["deletionTimestamp"])
            self.assertLess(sooner["deletionTimestamp"], "2100")
            self.ask("DELETE", f"{path}/{name}", gracePeriodSeconds=0)
            self.ask("GET", f"{path}/{name}", status=404)

    def test_pod_templates_replace(self):
        path = "/api/v1/~/podtemplates"
        made = self.ask("POST", path, {"metadata": {"name": "t"}, "template": TEMPLATE})
        made["metadata"]["annotations"] = {"updated": "true"}
        self.assertEqual(self.ask("PUT", f"{path}/t", made)["metadata"]["annotations"],
                         {"updated": "true"})
        made["metadata"]["annotations"] = {"updated": "no"}
        self.assertEqual(self.ask("PUT", f"{path}/t", made, status=409)["reason"], "Conflict")


class StorageTest(Case):
    def test_volume_and_claim_status(self):
        self.ask("POST", "/api/v1/persistentvolumes", {"metadata": {"name": "v1"}, "spec": {
            "capacity": GIB, "accessModes": ["ReadWriteOnce"], "storageClassName": "none",
            "hostPath": {"path": "/tmp"}, "persistentVolumeReclaimPolicy": "Retain"}})
        patched = self.ask("PATCH", "/api/v1/persistentvolumes/v1/status", {"status": {
            "message": "StatusPatched", "reason": "E2E patchStatus"}}, kind=MERGE)
        self.assertEqual(patched["status"]["reason"], "E2E patchStatus")
        claims = "/api/v1/~/persistentvolumeclaims"
        self.ask("POST", claims, {"metadata": {"name": "c"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": GIB},
            "storageClassName": "none"}})
        patched = self.ask("PATCH", f"{claims}/c/status", {"status": {"conditions": [
            {"type": "StatusPatched", "status": "True", "reason": "E2E"}]}}, kind=MERGE)
        self.assertEqual(self.conditions(patched), {"StatusPatched": "True"})
        self.ask("DELETE", f"{claims}/c", status=(200, 202))
        self.ask("DELETE", "/api/v1/persistentvolumes/v1", status=(200, 202))
        worlds.wait_for("the volume is gone", lambda: self.ask(
            "GET", "/api/v1/persistentvolumes/v1", status=(200, 404))["kind"] == "Status")

    def test_immutable_secrets_and_config_maps(self):
        for kind in "secrets", "configmaps":
            path = f"/api/v1/~/{kind}"
            self.ask("POST", path, {"metadata": {"name": "i"}, "data": {"a": "YQ=="}})
            self.ask("PATCH", f"{path}/i", {"immutable": True}, kind=MERGE)
            self.ask("PATCH", f"{path}/i", {"data": {"a": "Yg=="}}, kind=MERGE, status=422)
            self.ask("PATCH", f"{path}/i", {"immutable": False}, kind=MERGE, status=422)
            self.ask("PATCH", f"{path}/i", {"metadata": {"labels": {"a": "b"}}}, kind=MERGE)
            self.ask("POST", path, {"metadata": {"name": "bad"}, "data": {"": "YQ=="}}, status=422)

    def test_priority_classes(self):
        path = "/apis/scheduling.k8s.io/v1/priorityclasses"
        made = self.ask("POST", path, {"metadata": {"name": "p1"}, "value": 1})
        made["value"] = 2
        self.ask("PUT", f"{path}/p1", made, status=422)
        self.ask("PATCH", f"{path}/p1", {"description": "x"}, kind=MERGE)
        self.ask("DELETE", f"{path}/p1")


if __name__ == "__main__":
    api_server.main()
