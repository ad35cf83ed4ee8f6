#!/usr/bin/env python3
"""Custom resources with kubectl: definitions, what they define, and how both go.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py).
"""

import json

import api_server

setUpModule = api_server.begin
tearDownModule = api_server.end

SCHEMA = {
    "type": "object",
    "description": "CronTab says when something is to be run.",
    "properties": {
        "spec": {"type": "object", "required": ["cronSpec"], "properties": {
            "cronSpec": {"type": "string", "description": "When, as crontab(5) says it."},
            "image": {"type": "string", "default": "nginx"},
            "replicas": {"type": "integer", "minimum": 0, "default": 1},
            "ports": {"type": "array", "x-kubernetes-list-type": "map",
                      "x-kubernetes-list-map-keys": ["name"],
                      "items": {"type": "object", "required": ["name"], "properties": {
                          "name": {"type": "string"}, "number": {"type": "integer"}}}}}},
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}}}}


def definition(name="crontabs", kind="CronTab", versions=None, **spec):
    return json.dumps({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}.e2e.example.com"},
        "spec": {"group": "e2e.example.com", "scope": "Namespaced",
                 "names": {"plural": name, "kind": kind, "shortNames": [name[:3] + "x"],
                           "categories": ["tests"]},
                 "versions": versions or [{
                     "name": "v1", "served": True, "storage": True,
                     "schema": {"openAPIV3Schema": SCHEMA},
                     "subresources": {"status": {}, "scale": {
                         "specReplicasPath": ".spec.replicas",
                         "statusReplicasPath": ".status.replicas"}},
                     "additionalPrinterColumns": [
                         {"name": "When", "type": "string", "jsonPath": ".spec.cronSpec"},
                         {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"}]}],
                 **spec}})


def tab(name, version="v1", kind="CronTab", **spec):
    return json.dumps({"apiVersion": f"e2e.example.com/{version}", "kind": kind,
                       "metadata": {"name": name}, "spec": {"cronSpec": "* *", **spec}})


class CustomResourcesTest(api_server.ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.kubectl("create", "-f", "-", stdin=definition())

    def test_is_served_at_once(self):
        self.kubectl("create", "-f", "-", stdin=definition("atonces", "AtOnce"))
        self.kubectl("create", "-f", "-", stdin=tab("one", kind="AtOnce"))
        self.kubectl("wait", "--for=condition=Established",
                     "crd/atonces.e2e.example.com", "--timeout=5s")
        self.kubectl("delete", "crd", "atonces.e2e.example.com", "--timeout=20s")
        answer = self.kubectl("get", "--raw", "/apis/e2e.example.com/v1/atonces", status=1)
        self.assertIn("the server could not find the requested resource", answer)

    def test_discovery(self):
        listed = self.kubectl("api-resources", "--api-group=e2e.example.com", "--no-headers")
        row = next(line for line in listed.splitlines() if line.startswith("crontabs "))
        self.assertEqual(row.split(), ["crontabs", "crox", "e2e.example.com/v1", "true", "CronTab"])
        self.assertIn("When, as crontab(5) says it.", self.kubectl("explain", "crontab.spec.cronSpec"))

    def test_columns(self):
        self.kubectl("create", "-f", "-", stdin=tab("columns"))
        self.assertEqual(self.kubectl("get", "crox", "columns").split(),
                         ["NAME", "WHEN", "REPLICAS", "columns", "*", "*", "1"])
        self.assertIn("crontab.e2e.example.com/columns", self.kubectl("get", "tests", "-o", "name"))

    def test_what_is_invalid_is_refused(self):
        answer = self.kubectl("create", "--validate=false", "-f", "-", status=1,
                              stdin=tab("wrong", image=5))
        self.assertEqual(answer,
                         'The CronTab "wrong" is invalid: spec.image: Invalid value: "integer": '
                         'spec.image in body must be of type string: "integer"\n')

    def test_apply(self):
        self.kubectl("apply", "-f", "-", stdin=tab("applied"))
        self.assertIn("configured", self.kubectl("apply", "-f", "-",
                                                 stdin=tab("applied", image="b")))
        self.assertEqual(self.get("crontab", "applied")["spec"]["image"], "b")
        for manager, port in (("one", "a"), ("two", "b")):
            self.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-",
                         stdin=tab("sides", ports=[{"name": port, "number": 1}]))
        self.assertEqual([each["name"] for each in self.get("crontab", "sides")["spec"]["ports"]],
                         ["a", "b"])

    def test_patch_scale_and_delete(self):
        self.kubectl("create", "-f", "-", stdin=tab("changed"))
        self.kubectl("patch", "crontab", "changed", "--type=merge", "-p", '{"spec":{"image":"c"}}')
        self.kubectl("patch", "crontab", "changed", "--type=json", "-p",
                     '[{"op":"replace","path":"/spec/cronSpec","value":"1"}]')
        self.kubectl("scale", "crontab", "changed", "--replicas=4")
        self.assertEqual(self.get("crontab", "changed")["spec"],
                         {"cronSpec": "1", "image": "c", "replicas": 4})
        # Release 1.20 ends with another status where it logs more.
        self.assertIn("the body of the request was in an unknown format - accepted media types "
                      "include: application/json-patch+json, application/merge-patch+json, "
                      "application/apply-patch+yaml",
                      self.kubectl("patch", "crontab", "changed", "--type=strategic", "-p", "{}",
                                   status=1))
        self.kubectl("delete", "crontab", "changed")
        self.assertIn("NotFound", self.kubectl("get", "crontab", "changed", status=1))

    def test_names_that_are_taken(self):
        self.kubectl("create", "-f", "-", stdin=definition("others", "CronTab"))
        got = self.get("crd", "others.e2e.example.com")
        conditions = {each["type"]: each for each in got["status"]["conditions"]}
        self.assertEqual(conditions["NamesAccepted"]["reason"], "ListKindConflict")
        self.assertEqual(conditions["Established"]["status"], "False")

    def test_owners_are_followed(self):
        # The collector looks for new resources twice a minute.
        self.kubectl("create", "configmap", "owner")
        owner = self.get("cm", "owner")
        owned = json.loads(tab("owned"))
        owned["metadata"]["ownerReferences"] = [{
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
            "uid": owner["metadata"]["uid"]}]
        self.kubectl("create", "-f", "-", stdin=json.dumps(owned))
        self.kubectl("delete", "cm", "owner")
        self.kubectl("wait", "--for=delete", "crontab/owned", "--timeout=50s")

    def test_a_namespace_takes_them_along(self):
        self.kubectl("create", "namespace", "customs")
        self.kubectl("create", "-n", "customs", "-f", "-", stdin=tab("inside"))
        self.kubectl("delete", "namespace", "customs", "--timeout=30s")
        self.assertNotIn("customs", self.kubectl("get", "crontabs", "-A"))


if __name__ == "__main__":
    api_server.main()
