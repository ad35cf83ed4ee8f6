#!/usr/bin/env python3
"""Each kind through its life, as upstream's conformance tests take it (test/e2e, [Conformance],
"API operations", "lifecycle"): found, created, watched, listed, patched, replaced, its status
patched and replaced, deleted alone and with others. One table, raw requests.
"""

import base64
import json

import api_server

setUpModule = api_server.begin
tearDownModule = api_server.end

MERGE = "application/merge-patch+json"
CONDITION = {"type": "StatusPatched", "status": "True", "reason": "E2E", "message": "Set by a test"}
TIMED = {**CONDITION, "lastTransitionTime": "2026-01-01T00:00:00Z"}
POD = {"containers": [{"name": "c", "image": "i"}]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
SELECTOR = {"matchLabels": {"a": "b"}}
ONCE = {"metadata": {"labels": {"a": "b"}}, "spec": {**POD, "restartPolicy": "Never"}}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
HOOK = {"name": "a.example.com", "clientConfig": {"url": "https://127.0.0.1:1/"},
        "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"no": "such"}}}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
WORKLOAD = {"selector": SELECTOR, "template": TEMPLATE}
WORKLOAD_STATUS = {"replicas": 1, "conditions": [CONDITION]}
INGRESS = {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}}
SERVED = {"name": "v1", "served": True, "storage": True,
          "schema": {"openAPIV3Schema": {"type": "object"}}, "subresources": {"status": {}}}


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


# Group and version, plural, kind, what the object holds beside metadata; what its status is set to.
# `cluster`: in no namespace. `name`: where one must be of a form, or where there is to be but one,
# as each takes ten seconds to go.
def row(place, plural, kind, body=None, status=None, cluster=False, name=None):
    return place, plural, kind, body or {}, status, cluster, name


KINDS = [
    row("v1", "pods", "Pod", {"spec": POD},
        {"conditions": [{"type": "StatusPatched", "status": "True"}]}),
    row("v1", "services", "Service", {"spec": {"ports": [{"port": 80}]}},
        {"conditions": [TIMED]}),
    row("v1", "podtemplates", "PodTemplate", {"template": TEMPLATE}),
    row("v1", "events", "Event", {"involvedObject": {"namespace": "lifecycle"}, "reason": "r",
                                  "type": "Normal"}),
    row("v1", "serviceaccounts", "ServiceAccount", {"automountServiceAccountToken": False}),
    row("v1", "endpoints", "Endpoints", {"subsets": [{"addresses": [{"ip": "10.0.0.24"}]}]}),
    row("v1", "configmaps", "ConfigMap", {"data": {"k": "v"}}),
    row("v1", "secrets", "Secret", {"data": {"k": base64_of("v")}}),
    row("v1", "limitranges", "LimitRange", {"spec": {"limits": [
        {"type": "Container", "max": {"cpu": "2"}}]}}),
    row("v1", "resourcequotas", "ResourceQuota", {"spec": {"hard": {"secrets": "500"}}},
        {"hard": {"secrets": "500"}}),
    row("v1", "replicationcontrollers", "ReplicationController",
        {"spec": {"replicas": 0, "selector": {"a": "b"}, "template": TEMPLATE}}, WORKLOAD_STATUS),
    row("v1", "persistentvolumeclaims", "PersistentVolumeClaim", {"spec": CLAIM},
        {"conditions": [CONDITION]}),
    row("v1", "persistentvolumes", "PersistentVolume",
        {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                  "hostPath": {"path": "/x"}}}, {"message": "StatusPatched", "reason": "E2E"}, True),
    row("v1", "nodes", "Node", {}, {"conditions": [TIMED]}, True),
    row("apps/v1", "controllerrevisions", "ControllerRevision", {"data": {"x": 1}, "revision": 1}),
    row("apps/v1", "deployments", "Deployment", {"spec": WORKLOAD}, WORKLOAD_STATUS),
    row("apps/v1", "replicasets", "ReplicaSet", {"spec": WORKLOAD}, WORKLOAD_STATUS),
    row("apps/v1", "statefulsets", "StatefulSet", {"spec": WORKLOAD}, WORKLOAD_STATUS),
    row("apps/v1", "daemonsets", "DaemonSet", {"spec": WORKLOAD}, {"conditions": [CONDITION]}),
    row("batch/v1", "jobs", "Job", {"spec": {"suspend": True, "template": ONCE}},
        {"conditions": [CONDITION], "startTime": "2026-01-01T00:00:00Z"}),
    row("batch/v1", "cronjobs", "CronJob", {"spec": {"schedule": "* */1 * * ?", "suspend": True,
                                                     "jobTemplate": {"spec": {"template": ONCE}}}},
        {"lastScheduleTime": "2026-01-01T00:00:00Z"}),
    row("autoscaling/v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 2, "scaleTargetRef": TARGET}},
        {"currentReplicas": 1, "desiredReplicas": 1}),
    row("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 2, "scaleTargetRef": TARGET}},
        {"desiredReplicas": 1, "conditions": [CONDITION]}),
    row("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget",
        {"spec": {"selector": SELECTOR, "minAvailable": 1}}, {"disruptionsAllowed": 1}),
    row("networking.k8s.io/v1", "ingresses", "Ingress",
        {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}}, INGRESS),
    row("networking.k8s.io/v1", "ingressclasses", "IngressClass",
        {"spec": {"controller": "example.com/controller"}}, cluster=True),
    row("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", {"spec": {"podSelector": {}}}),
    row("networking.k8s.io/v1", "servicecidrs", "ServiceCIDR", {"spec": {"cidrs": ["10.77.0.0/16"]}},
        {"conditions": [TIMED]}, True, "e2e-cidr"),
    row("networking.k8s.io/v1", "ipaddresses", "IPAddress",
        {"spec": {"parentRef": {"resource": "services", "namespace": "n", "name": "s"}}},
        cluster=True, name="192.168.8.8"),
    row("discovery.k8s.io/v1", "endpointslices", "EndpointSlice",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["1.2.3.4"]}]}),
    row("coordination.k8s.io/v1", "leases", "Lease", {"spec": {"leaseDurationSeconds": 5}}),
    row("events.k8s.io/v1", "events", "Event",
        {"eventTime": "2026-01-01T00:00:00.000001Z", "action": "Do", "reason": "Test",
         "note": "n", "type": "Normal", "reportingController": "test", "reportingInstance": "t-1",
         "regarding": {"namespace": "default"}}),
    row("storage.k8s.io/v1", "storageclasses", "StorageClass", {"provisioner": "e2e.example.com"},
        cluster=True),
    row("storage.k8s.io/v1", "csidrivers", "CSIDriver", {"spec": {"podInfoOnMount": True}},
        cluster=True),
    row("storage.k8s.io/v1", "csinodes", "CSINode", {"spec": {"drivers": []}}, cluster=True),
    row("storage.k8s.io/v1", "csistoragecapacities", "CSIStorageCapacity",
        {"storageClassName": "s", "capacity": "1Gi"}),
    row("storage.k8s.io/v1", "volumeattachments", "VolumeAttachment",
        {"spec": {"attacher": "e2e.example.com", "nodeName": "n",
                  "source": {"persistentVolumeName": "p"}}}, {"attached": True}, True),
    row("storage.k8s.io/v1", "volumeattributesclasses", "VolumeAttributesClass",
        {"driverName": "e2e.example.com", "parameters": {"a": "b"}}, cluster=True),
    row("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", {"handler": "h"}, cluster=True),
    row("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", {"value": 1}, cluster=True),
    row("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration", {"webhooks": [HOOK]}, cluster=True),
    row("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration", {"webhooks": [HOOK]}, cluster=True),
    row("rbac.authorization.k8s.io/v1", "roles", "Role", {"rules": [RULE]}),
    row("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", {"roleRef": REFERENCE}),
    row("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", {"rules": [RULE]},
        cluster=True),
    row("rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding",
        {"roleRef": REFERENCE}, cluster=True),
    row("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition",
        {"spec": {"group": "life.example.com", "scope": "Cluster", "versions": [SERVED],
                  "names": {"plural": "lives", "kind": "Life"}}}, {"conditions": [TIMED]}, True,
        "lives.life.example.com"),
]


class LifecycleCase(api_server.ServerCase):
    def setUp(self):
        super().setUp()
        self.connection = self.server.connect()
        self.addCleanup(self.connection.close)

    def ask(self, method, path, body=None, status=(200, 201), content="application/json",
            accept="application/json"):
        """The answer, which is of one of these statuses."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": content, "Accept": accept})
        response = self.connection.getresponse()
        answer = response.read()
        self.warnings = response.headers.get_all("Warning") or []
        self.assertIn(response.status, status if isinstance(status, tuple) else (status,),
                      f"{method} {path}\n{text}\n{answer.decode()}")
        return json.loads(answer)

    def base(self, place, plural, namespace=None):
        root = f"/api/{place}" if place == "v1" else f"/apis/{place}"
        return f"{root}/{f'namespaces/{namespace}/' if namespace else ''}{plural}"

    def events(self, path, version, name, ends="DELETED"):
        """What a watch from that version says of the object, until it is deleted."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.request("GET", f"{path}?watch=1&resourceVersion={version}&timeoutSeconds=20"
                                  f"&fieldSelector=metadata.name%3D{name}")
        said = []
        for line in connection.getresponse():
            said.append(json.loads(line))
            if said[-1]["type"] == ends:
                break
        return said


class LifecycleTest(LifecycleCase):
    def test_kinds(self):
        for each in KINDS:
            with self.subTest(f"{each[0]} {each[1]}"):
                self.live(*each)

    def live(self, place, plural, kind, body, status, cluster, name):
        name = name or f"e2e-{plural}"
        namespace = None if cluster else self.namespace
        path = self.base(place, plural, namespace)
        self.find(place, plural, kind, cluster, status)
        new = {"apiVersion": place, "kind": kind, **body,
               "metadata": {"name": name, "labels": {"e2e": plural}}}
        created = self.ask("POST", path, new, 201)
        self.assertEqual((created["kind"], created["apiVersion"]), (kind, place))
        version = str(int(created["metadata"]["resourceVersion"]) - 1)
        self.assertEqual(self.ask("GET", f"{path}/{name}")["metadata"]["uid"],
                         created["metadata"]["uid"])
        for where in {path, self.base(place, plural)}:
            listed = self.ask("GET", f"{where}?labelSelector=e2e%3D{plural}")
            self.assertEqual([item["metadata"]["name"] for item in listed["items"]], [name])
        patched = self.ask("PATCH", f"{path}/{name}", {"metadata": {"annotations": {"patched": "1"}}},
                           200, MERGE)
        self.assertEqual(patched["metadata"]["annotations"]["patched"], "1")
        self.replace(path, name, "updated")
        if status:
            self.change_status(path, name, status)
        self.delete(path, name, plural, new)
        said = [event["type"] for event in self.events(path, version, name)]
        self.assertEqual((said[0], set(said[1:-1]), said[-1]), ("ADDED", {"MODIFIED"}, "DELETED"))

    def find(self, place, plural, kind, cluster, status):
        """It is in the group's document, with all verbs."""
        served = {each["name"]: each for each in self.ask("GET", self.base(place, ""))["resources"]}
        self.assertEqual((served[plural]["kind"], served[plural]["namespaced"]), (kind, not cluster))
        self.assertEqual(set(served[plural]["verbs"]), {
            "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
        self.assertEqual(f"{plural}/status" in served, status is not None)

    def replace(self, path, name, word, part=""):
        """As clients do who lost a race: with what is there now."""
        for _ in range(5):
            now = self.ask("GET", f"{path}/{name}{part}")
            now["metadata"].setdefault("annotations", {})["word"] = word
            answer = self.ask("PUT", f"{path}/{name}{part}", now, (200, 409))
            if answer["kind"] != "Status":
                break
        return answer

    def change_status(self, path, name, status):
        before = self.ask("GET", f"{path}/{name}")
        spec, generation = before.get("spec"), before["metadata"].get("generation")
        patched = self.ask("PATCH", f"{path}/{name}/status", {"status": status}, 200, MERGE)
        self.same(status, patched["status"])
        self.same(status, self.ask("GET", f"{path}/{name}/status")["status"])
        replaced = self.replace(path, name, "status", "/status")
        self.same(status, replaced["status"])
        self.assertEqual(replaced.get("spec"), spec)
        self.assertEqual(replaced["metadata"].get("generation"), generation)
        # And the other way round: through the object itself nobody changes it.
        kept = self.ask("PATCH", f"{path}/{name}", {"status": None}, 200, MERGE)
        self.same(status, kept["status"])

    def same(self, expected, actual):
        """What was set is there, next to what the server has added."""
        for key, value in expected.items():
            if isinstance(value, list):
                for element in value:
                    self.assertTrue(any(element.items() <= each.items() for each in actual[key]),
                                    f"{element} in {actual[key]}")
            else:
                self.assertEqual(actual[key], value)

    def delete(self, path, name, plural, new):
        self.ask("DELETE", f"{path}/{name}", {"gracePeriodSeconds": 0})
        self.gone_from(path, plural, name)
        if name != f"e2e-{plural}":
            return
        for number in range(2):
            new["metadata"]["name"] = f"e2e-{plural}-{number}"
            self.ask("POST", path, new, 201)
        self.ask("DELETE", f"{path}?labelSelector=e2e%3D{plural}", {"gracePeriodSeconds": 0})
        self.gone_from(path, plural, f"e2e-{plural}-0")

    def gone_from(self, path, plural, name):
        """Volumes and their like go when those who guard them have looked."""
        api_server.worlds.wait_for(f"{plural} are gone", lambda: not self.ask(
            "GET", f"{path}?labelSelector=e2e%3D{plural}")["items"])
        self.ask("GET", f"{path}/{name}", status=404)


class OtherRulesTest(LifecycleCase):
    def test_namespaces(self):
        """Patched, their status patched and replaced, finalizers put on and taken away."""
        path = "/api/v1/namespaces/e2e-life"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "e2e-life"}}, 201)
        labelled = self.ask("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, 200, MERGE)
        self.assertEqual(labelled["metadata"]["labels"],
                         {"a": "b", "kubernetes.io/metadata.name": "e2e-life"})
        status = self.ask("PATCH", path + "/status", {"status": {"conditions": [TIMED]}}, 200, MERGE)
        self.assertEqual(status["status"]["conditions"][0]["type"], "StatusPatched")
        status["status"]["conditions"][0]["status"] = "False"
        replaced = self.ask("PUT", path + "/status", status, 200)
        self.assertEqual(replaced["status"]["conditions"][0]["status"], "False")
        replaced["spec"]["finalizers"].append("e2e.example.com/f")
        held = self.ask("PUT", path + "/finalize", replaced, 200)
        self.assertEqual(held["spec"]["finalizers"], ["kubernetes", "e2e.example.com/f"])
        self.ask("DELETE", path)
        api_server.worlds.wait_for("only the test holds it", lambda: self.ask(
            "GET", path)["spec"]["finalizers"] == ["e2e.example.com/f"])
        held = self.ask("GET", path)
        self.assertEqual(held["status"]["phase"], "Terminating")
        held["spec"]["finalizers"] = []
        self.ask("PUT", path + "/finalize", held, 200)
        self.ask("GET", path, status=404)

    def test_scales(self):
        for plural, kind in (("deployments", "Deployment"), ("replicasets", "ReplicaSet"),
                             ("statefulsets", "StatefulSet")):
            path = self.base("apps/v1", plural, self.namespace)
            self.ask("POST", path, {"kind": kind, "apiVersion": "apps/v1", "spec": WORKLOAD,
                                    "metadata": {"name": "scaled"}}, 201)
            scale = self.ask("GET", path + "/scaled/scale")
            self.assertEqual((scale["kind"], scale["spec"]), ("Scale", {"replicas": 1}))
            scale["spec"]["replicas"] = 2
            self.assertEqual(self.ask("PUT", path + "/scaled/scale", scale, 200)["spec"],
                             {"replicas": 2})
            self.ask("PATCH", path + "/scaled/scale", {"spec": {"replicas": 4}}, 200, MERGE)
            self.assertEqual(self.ask("GET", path + "/scaled")["spec"]["replicas"], 4)

    def test_signing_requests(self):
        path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
        key = self.server.folder / "csr.key"
        request = api_server.worlds.output_of(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", str(key), "-subj", "/CN=e2e")
        self.ask("POST", path, {"metadata": {"name": "e2e"}, "spec": {
            "request": base64_of(request), "signerName": "example.com/e2e",
            "usages": ["client auth"]}}, 201)
        approved = self.ask("GET", path + "/e2e/approval")
        approved["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "E2E"}]}
        approved = self.ask("PUT", path + "/e2e/approval", approved, 200)
        self.assertEqual(approved["status"]["conditions"][0]["type"], "Approved")
        certificate = self.ask("GET", "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt")
        signed = self.ask("PATCH", path + "/e2e/status",
                          {"status": {"certificate": base64_of(certificate["data"]["ca.crt"])}}, 200,
                          MERGE)
        self.assertEqual(signed["spec"]["username"], "kubernetes-admin")
        self.assertEqual(signed["status"]["conditions"][0]["reason"], "E2E")
        self.ask("DELETE", path + "/e2e")
        self.ask("GET", path + "/e2e", status=404)

    def test_lists_in_pieces(self):
        path = self.base("v1", "podtemplates", self.namespace)
        for number in range(10):
            self.ask("POST", path, {"metadata": {"name": f"chunk-{number}"}, "template": TEMPLATE})
        names, more = [], ""
        while True:
            page = self.ask("GET", f"{path}?limit=4{more}")
            names += [item["metadata"]["name"] for item in page["items"]]
            if "continue" not in page["metadata"]:
                break
            self.assertEqual(page["metadata"]["remainingItemCount"], 10 - len(names))
            more = "&continue=" + page["metadata"]["continue"]
        self.assertEqual(names, [f"chunk-{number}" for number in range(10)])
        self.assertNotIn("remainingItemCount", page["metadata"])

    def test_tables(self):
        form = "application/json;as=Table;v=v1;g=meta.k8s.io"
        path = self.base("v1", "pods", self.namespace)
        self.ask("POST", path, {"metadata": {"name": "table"}, "spec": POD}, 201)
        table = self.ask("GET", path + "/table", accept=form)
        self.assertEqual((table["kind"], table["apiVersion"]), ("Table", "meta.k8s.io/v1"))
        self.assertEqual(table["columnDefinitions"][0]["name"], "Name")
        self.assertEqual(table["rows"][0]["cells"][0], "table")
        self.assertEqual(table["rows"][0]["object"]["kind"], "PartialObjectMetadata")
        refused = self.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                           {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}, 406,
                           accept=form)
        self.assertEqual(refused["reason"], "NotAcceptable")

    def test_fields_that_nobody_knows(self):
        path = self.base("apps/v1", "deployments", self.namespace)
        text = json.dumps({"metadata": {"name": "strict"}, "unknown": 1, "spec": {
            **WORKLOAD, "unknownNested": True}})
        doubled = text.replace('"spec": {"selector"', '"spec": {"paused": true, "paused": false, '
                               '"selector"', 1)
        refused = self.ask("POST", path + "?fieldValidation=Strict&dryRun=All", doubled, 400)
        for said in ('duplicate field "spec.paused"', 'unknown field "spec.unknownNested"',
                     'unknown field "unknown"'):
            self.assertIn(said, refused["message"])
        self.ask("POST", path + "?fieldValidation=Warn&dryRun=All", doubled, 201)
        self.assertEqual(len(self.warnings), 3, self.warnings)
        self.ask("POST", path + "?fieldValidation=Ignore&dryRun=All", doubled, 201)
        self.assertEqual(self.warnings, [])

    def test_quotas_and_what_is_made(self):
        """A quota counts what there is, and refuses what would be too much."""
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "e2e-quota"}}, 201)
        path = self.base("v1", "resourcequotas", "e2e-quota")
        self.ask("POST", path, {"metadata": {"name": "q"}, "spec": {"hard": {
            "count/leases.coordination.k8s.io": "1", "services.nodeports": "0"}}}, 201)
        api_server.worlds.wait_for("the quota is counted", lambda: "hard" in self.ask(
            "GET", path + "/q").get("status", {}))
        leases = self.base("coordination.k8s.io/v1", "leases", "e2e-quota")
        self.ask("POST", leases, {"metadata": {"name": "one"}}, 201)
        refused = self.ask("POST", leases, {"metadata": {"name": "two"}}, 403)
        self.assertEqual(refused["message"],
                         'leases.coordination.k8s.io "two" is forbidden: exceeded quota: q, '
                         "requested: count/leases.coordination.k8s.io=1, used: "
                         "count/leases.coordination.k8s.io=1, limited: "
                         "count/leases.coordination.k8s.io=1")
        refused = self.ask("POST", self.base("v1", "services", "e2e-quota"),
                           {"metadata": {"name": "s"}, "spec": {"type": "NodePort",
                                                                "ports": [{"port": 80}]}}, 403)
        self.assertIn("exceeded quota: q, requested: services.nodeports=1", refused["message"])

    def test_owners_and_what_they_leave(self):
        """Background, foreground, orphan: what becomes of what a controller has made."""
        sets = self.base("apps/v1", "replicasets", self.namespace)
        pods = self.base("v1", "pods", self.namespace)
        for policy in ("Background", "Foreground", "Orphan"):
            name = f"owner-{policy.lower()}"
            owner = self.ask("POST", sets, {"metadata": {"name": name}, "spec": WORKLOAD}, 201)
            reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name,
                         "uid": owner["metadata"]["uid"], "controller": True,
                         "blockOwnerDeletion": True}
            self.ask("POST", pods, {"metadata": {"name": name, "ownerReferences": [reference]},
                                    "spec": POD}, 201)
            self.ask("DELETE", f"{sets}/{name}", {"propagationPolicy": policy})
            api_server.worlds.wait_for("the owner is gone", lambda: self.ask(
                "GET", f"{sets}/{name}", status=(200, 404))["kind"] == "Status")
            if policy == "Orphan":
                left = self.ask("GET", f"{pods}/{name}")
                self.assertNotIn("ownerReferences", left["metadata"])
            else:
                api_server.worlds.wait_for("the pod is gone", lambda: self.ask(
                    "GET", f"{pods}/{name}", status=(200, 404))["kind"] == "Status")

    def test_what_is_not_served_is_not_said_to_be(self):
        """Policies in CEL are not served, in neither form of discovery."""
        served = self.ask("GET", "/apis/admissionregistration.k8s.io/v1")["resources"]
        self.assertNotIn("validatingadmissionpolicies", {each["name"] for each in served})
        self.ask("GET", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
                 status=404)
        form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        groups = self.ask("GET", "/apis", accept=form)
        self.assertEqual((groups["kind"], groups["apiVersion"]),
                         ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"))
        for group in groups["items"]:
            for version in group["versions"]:
                old = self.ask("GET", f"/apis/{group['metadata']['name']}/{version['version']}")
                self.assertEqual({each["resource"] for each in version.get("resources", [])},
                                 {each["name"] for each in old["resources"]
                                  if "/" not in each["name"]})


if __name__ == "__main__":
    api_server.main()
