#!/usr/bin/env python3
"""kubectl against `podium server`: what it prints, and what is stored then.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py). There is no node, and no
controller of Deployments and the like: nothing but requests changes those.
"""

import json
import re
import signal
import subprocess
import threading
import time

import api_server
import world as worlds

setUpModule = api_server.begin
tearDownModule = api_server.end

MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {{of: {name}}}
data:
  a: "{a}"
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{of: {name}}}
data:
  a: "{a}000"
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: main
          image: nginx:1
          ports: [{{containerPort: 80}}]
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80}}]
"""


def managers(thing):
    return {(entry["manager"], entry["operation"]) for entry in thing["metadata"]["managedFields"]}


class CreateTest(api_server.ServerCase):
    def test_from_a_file(self):
        self.assertEqual(self.kubectl("create", "-f", "-", stdin=MAP.format(name="file", a=1)),
                         "configmap/file created\n")
        stored = self.get("cm", "file")
        self.assertEqual(stored["data"], {"a": "1"})
        self.assertEqual(stored["metadata"]["labels"], {"of": "file"})
        self.assertRegex(stored["metadata"]["uid"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(
            self.kubectl("create", "-f", "-", status=1, stdin=MAP.format(name="file", a=2)),
            'Error from server (AlreadyExists): error when creating "STDIN": '
            'configmaps "file" already exists\n')
        self.assertEqual(self.get("cm", "file"), stored)

    def test_by_arguments(self):
        for arguments, says in (
                (("configmap", "args", "--from-literal=a=b"), "configmap/args"),
                (("secret", "generic", "args", "--from-literal=a=b"), "secret/args"),
                (("deployment", "args", "--image=nginx:1", "--replicas=2"), "deployment.apps/args"),
                (("job", "args", "--image=busybox:1", "--", "true"), "job.batch/args"),
                (("service", "clusterip", "args", "--tcp=80:8080"), "service/args"),
                (("serviceaccount", "args"), "serviceaccount/args"),
                (("role", "args", "--verb=get", "--resource=pods"),
                 "role.rbac.authorization.k8s.io/args"),
                (("quota", "args", "--hard=pods=9"), "resourcequota/args")):
            with self.subTest(arguments):
                self.assertEqual(self.kubectl("create", *arguments), says + " created\n")
                self.assertEqual(self.names(says), [says])
        self.assertEqual(self.get("secret", "args")["data"], {"a": "Yg=="})
        self.assertEqual(self.get("deploy", "args")["spec"]["replicas"], 2)
        self.assertRegex(self.get("svc", "args")["spec"]["clusterIP"], r"^10\.43\.")

    def test_a_pod_gets_defaults(self):
        self.assertEqual(self.kubectl("run", "plain", "--image=nginx"), "pod/plain created\n")
        pod = self.get("pod", "plain")
        self.assertEqual(pod["status"], {"phase": "Pending", "qosClass": "BestEffort"})
        self.assertEqual(pod["spec"]["serviceAccountName"], "default")
        self.assertEqual(pod["spec"]["restartPolicy"], "Always")
        self.assertEqual(pod["spec"]["containers"][0]["imagePullPolicy"], "Always")

    def test_dry_run_stores_nothing(self):
        self.assertEqual(self.kubectl("create", "cm", "dry", "--dry-run=server"),
                         "configmap/dry created (server dry run)\n")
        self.gone("cm", "dry")

    def test_generated_names_differ(self):
        text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: made-}\n"
        made = {self.kubectl("create", "-f", "-", "-o", "name", stdin=text) for _ in range(3)}
        self.assertEqual(len(made), 3)
        for name in made:
            self.assertRegex(name, r"^configmap/made-[a-z0-9]{5}\n$")

    def test_what_is_invalid_is_refused_with_every_cause(self):
        text = "apiVersion: v1\nkind: Pod\nmetadata: {name: A_b}\nspec: {containers: []}\n"
        says = self.kubectl("create", "-f", "-", status=1, stdin=text)
        self.assertIn('The Pod "A_b" is invalid: \n', says)
        self.assertIn('* metadata.name: Invalid value: "A_b": ', says)
        self.assertIn("* spec.containers: Required value", says)

    def test_a_namespace_that_is_not_there(self):
        _, _, says = self.server.kubectl("-n", "nowhere", "create", "cm", "a")
        self.assertRegex(says, r'^(?i:error).*namespaces "nowhere" not found\n$')

    def test_unknown_fields_are_refused(self):
        text = MAP.format(name="unknown", a=1) + "notThere: 1\n"
        self.kubectl("create", "-f", "-", status=1, stdin=text)
        self.gone("cm", "unknown")


class GetTest(api_server.ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = "---\n".join(SECRET.format(name=f"m{number}", a=9 - number) for number in range(5))
        status, _, err = cls.server.kubectl("-n", cls.namespace, "create", "-f", "-", stdin=text)
        if status != 0:
            raise AssertionError(err)

    def test_names(self):
        self.assertEqual(self.names("secret"), [f"secret/m{number}" for number in range(5)])

    def test_table(self):
        lines = self.kubectl("get", "secret", "m1").splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "TYPE", "DATA", "AGE"])
        self.assertRegex(lines[1], r"^m1 +Opaque +1 +\d+s$")
        self.assertEqual(len(lines), 2)

    def test_labels_as_columns(self):
        lines = self.kubectl("get", "secret", "m1", "-L", "of", "--show-labels").splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "TYPE", "DATA", "AGE", "OF", "LABELS"])
        self.assertRegex(lines[1], r"^m1 +Opaque +1 +\S+ +m1 +of=m1$")

    def test_yaml(self):
        text = self.kubectl("get", "secret", "m1", "-o", "yaml")
        self.assertIn('\ndata:\n  a: "8000"\n', text)
        self.assertIn("\nkind: Secret\n", text)

    def test_jsonpath_custom_columns_and_template(self):
        self.assertEqual(self.kubectl("get", "secret", "-o", "jsonpath={.items[*].data.a}"),
                         "9000 8000 7000 6000 5000")
        self.assertEqual(
            self.kubectl("get", "secret", "m2", "-o", "custom-columns=N:.metadata.name,A:.data.a"),
            "N     A\nm2    7000\n")
        self.assertEqual(self.kubectl("get", "secret", "m2", "-o", "go-template={{.data.a}}"), "7000")

    def test_sorted_by_a_field(self):
        lines = self.kubectl("get", "secret", "--sort-by=.data.a", "--no-headers").splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["m4", "m3", "m2", "m1", "m0"])

    def test_selectors(self):
        for selector, found in (("of=m3", [3]), ("of!=m3", [0, 1, 2, 4]), ("of in (m1,m2)", [1, 2]),
                                ("of notin (m1,m2)", [0, 3, 4]), ("!of", []),
                                ("of", [0, 1, 2, 3, 4]), ("of=m1,of=m2", [])):
            with self.subTest(selector):
                self.assertEqual(self.names("secret", "-l", selector),
                                 [f"secret/m{number}" for number in found])
        self.assertEqual(self.names("secret", "--field-selector=metadata.name=m4"), ["secret/m4"])
        self.assertEqual(self.names("secret", "--field-selector=metadata.name!=m4"),
                         [f"secret/m{number}" for number in range(4)])
        self.assertIn("(BadRequest)", self.kubectl("get", "secret", "--field-selector=data.a=1",
                                                   status=1))

    def test_in_pieces(self):
        self.assertEqual(self.names("secret", "--chunk-size=2"),
                         [f"secret/m{number}" for number in range(5)])
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        first = json.loads(self.kubectl("get", "--raw", path + "?limit=2"))
        self.assertEqual([each["metadata"]["name"] for each in first["items"]], ["m0", "m1"])
        self.assertEqual(first["metadata"]["remainingItemCount"], 3)
        # The next piece is of the same moment.
        self.kubectl("create", "secret", "generic", "m11")
        self.addCleanup(self.kubectl, "delete", "secret", "m11")
        rest = json.loads(self.kubectl(
            "get", "--raw", f"{path}?limit=9&continue={first['metadata']['continue']}"))
        self.assertEqual([each["metadata"]["name"] for each in rest["items"]], ["m2", "m3", "m4"])
        self.assertEqual(rest["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"])

    def test_several_kinds_and_all_namespaces(self):
        self.assertEqual(self.names("secret/m1", "sa/default"),
                         ["secret/m1", "serviceaccount/default"])
        self.assertEqual(self.names("secret,sa", "-l", "of=m1"), ["secret/m1"])
        lines = self.kubectl("get", "secret", "-A", "-l", "of=m1", "--no-headers").splitlines()
        self.assertEqual([line.split()[:2] for line in lines], [[self.namespace, "m1"]])

    def test_what_is_not_there(self):
        self.assertEqual(self.kubectl("get", "secret", "none", status=1),
                         'Error from server (NotFound): secrets "none" not found\n')
        self.assertEqual(self.kubectl("get", "secret", "none", "--ignore-not-found"), "")
        self.assertIn('doesn\'t have a resource type "nosuch"',
                      self.kubectl("get", "nosuch", status=1))

    def test_watch_of_a_selector(self):
        watch = self.background("get", "secret", "-w", "-o", "name", "-l", "phase=in")
        time.sleep(1)
        self.kubectl("create", "secret", "generic", "watched")
        self.addCleanup(self.kubectl, "delete", "secret", "watched", "--ignore-not-found")
        self.kubectl("label", "secret", "watched", "phase=in")
        self.assertEqual(watch.stdout.readline(), "secret/watched\n")


class DescribeTest(api_server.ServerCase):
    def test_deployment(self):
        self.kubectl("create", "deployment", "web", "--image=nginx:1", "--replicas=3")
        text = self.kubectl("describe", "deployment", "web")
        self.assertRegex(text, r"(?m)^Name: +web$")
        self.assertRegex(text, r"(?m)^Selector: +app=web$")
        self.assertRegex(text, r"(?m)^Replicas: +3 desired \| 0 updated \| 0 total \| 0 available")
        self.assertRegex(text, r"(?m)^    Image: +nginx:1$")
        self.assertRegex(text, r"(?m)^Events: +<none>$")

    def test_pod_with_an_event(self):
        self.kubectl("run", "app", "--image=busybox:1", "--", "true")
        pod = self.get("pod", "app")["metadata"]
        event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "app.1"},
                 "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "app",
                                    "namespace": self.namespace, "uid": pod["uid"]},
                 "reason": "Noticed", "message": "it is there", "type": "Normal", "count": 1,
                 "firstTimestamp": pod["creationTimestamp"],
                 "lastTimestamp": pod["creationTimestamp"], "source": {"component": "a test"}}
        self.kubectl("create", "-f", "-", stdin=json.dumps(event))
        text = self.kubectl("describe", "pod", "app")
        self.assertRegex(text, r"(?m)^Status: +Pending$")
        self.assertRegex(text, r"(?m)^QoS Class: +BestEffort$")
        self.assertRegex(text, r"(?m)^  Normal +Noticed +\S+ +a test +it is there$")
        self.assertRegex(self.kubectl("get", "events"), r"(?m)^\S+ +Normal +Noticed +pod/app +it is")

    def test_secret(self):
        self.kubectl("create", "secret", "generic", "key", "--from-literal=word=hidden")
        text = self.kubectl("describe", "secret", "key")
        self.assertRegex(text, r"(?m)^word: +6 bytes$")
        self.assertNotIn("hidden", text)


class ApplyTest(api_server.ServerCase):
    def apply(self, text, *options, **more):
        return self.kubectl("apply", "-f", "-", *options, stdin=text, **more)

    def test_client_side(self):
        self.assertEqual(self.apply(WEB.format(name="c", replicas=2)),
                         "deployment.apps/c created\nservice/c created\n")
        first = self.get("deploy", "c")
        self.assertEqual(self.apply(WEB.format(name="c", replicas=2)),
                         "deployment.apps/c unchanged\nservice/c unchanged\n")
        self.assertEqual(self.get("deploy", "c"), first)
        self.kubectl("annotate", "deploy", "c", "of=another")
        changed = WEB.format(name="c", replicas=3).replace(
            "          ports: [{containerPort: 80}]\n", "")
        self.assertEqual(self.apply(changed), "deployment.apps/c configured\nservice/c unchanged\n")
        second = self.get("deploy", "c")
        self.assertEqual(second["spec"]["replicas"], 3)
        self.assertNotIn("ports", second["spec"]["template"]["spec"]["containers"][0])
        self.assertEqual(second["metadata"]["annotations"]["of"], "another")
        # Of a Deployment an annotation counts too.
        self.assertEqual(second["metadata"]["generation"], first["metadata"]["generation"] + 2)
        self.assertEqual(second["metadata"]["uid"], first["metadata"]["uid"])

    def test_diff(self):
        self.apply(WEB.format(name="d", replicas=2))
        status, out, _ = self.server.kubectl("-n", self.namespace, "diff", "-f", "-",
                                             stdin=WEB.format(name="d", replicas=5))
        self.assertEqual(status, 1)
        self.assertRegex(out, r"(?m)^-  replicas: 2\n\+  replicas: 5$")
        self.assertEqual(self.get("deploy", "d")["spec"]["replicas"], 2)
        self.assertEqual(self.kubectl("diff", "-f", "-", stdin=WEB.format(name="d", replicas=2)), "")

    def test_prune(self):
        options = ("--prune", "-l", "set=p", "--prune-whitelist=core/v1/ConfigMap")
        if "--prune-allowlist" in self.server.kubectl("apply", "--help")[1]:
            options = ("--prune", "-l", "set=p", "--prune-allowlist=core/v1/ConfigMap")
        both = "---\n".join(MAP.format(name=name, a=1).replace("of:", "set: p, of:")
                            for name in ("p1", "p2"))
        self.apply(both, *options)
        self.assertIn("configmap/p2 pruned\n", self.apply(both.split("---\n")[0], *options))
        self.assertEqual(self.names("cm", "-l", "set=p"), ["configmap/p1"])

    def test_server_side(self):
        self.assertEqual(self.apply(WEB.format(name="s", replicas=2), "--server-side"),
                         "deployment.apps/s serverside-applied\nservice/s serverside-applied\n")
        stored = self.get("deploy", "s", "--show-managed-fields=true") if self.hides_managers() \
            else self.get("deploy", "s")
        self.assertEqual(managers(stored), {("kubectl", "Apply")})
        again = self.get("deploy", "s")["metadata"]["resourceVersion"]
        self.apply(WEB.format(name="s", replicas=2), "--server-side")
        self.assertEqual(self.get("deploy", "s")["metadata"]["resourceVersion"], again)
        # What an applier leaves out, and nobody else has, goes.
        self.apply(WEB.format(name="s", replicas=2).replace(
            "          ports: [{containerPort: 80}]\n", ""), "--server-side")
        self.assertNotIn("ports",
                         self.get("deploy", "s")["spec"]["template"]["spec"]["containers"][0])

    def hides_managers(self):
        return "--show-managed-fields" in self.server.kubectl("get", "--help")[1]

    def test_conflict(self):
        self.apply(MAP.format(name="conflict", a=1), "--server-side", "--field-manager=one")
        says = self.apply(MAP.format(name="conflict", a=2), "--server-side",
                          "--field-manager=two", status=1)
        self.assertIn('Apply failed with 1 conflict: conflict with "one": .data.a', says)
        self.assertEqual(self.get("cm", "conflict")["data"], {"a": "1"})
        self.apply(MAP.format(name="conflict", a=2), "--server-side", "--field-manager=two",
                   "--force-conflicts")
        self.assertEqual(self.get("cm", "conflict")["data"], {"a": "2"})
        self.assertIn('conflict with "two": .data.a', self.apply(
            MAP.format(name="conflict", a=1), "--server-side", "--field-manager=one", status=1))

    def test_dry_run(self):
        self.assertEqual(self.apply(MAP.format(name="dry", a=1), "--dry-run=server"),
                         "configmap/dry created (server dry run)\n")
        self.apply(MAP.format(name="dry", a=1), "--server-side", "--dry-run=server")
        self.gone("cm", "dry")


class ChangeTest(api_server.ServerCase):
    def setUp(self):
        self.kubectl("create", "-f", "-", stdin=MAP.format(name="m", a=1))
        self.addCleanup(self.kubectl, "delete", "cm", "m")

    def web(self):
        self.kubectl("create", "-f", "-", stdin=WEB.format(name="web", replicas=2))
        self.addCleanup(self.kubectl, "delete", "deploy,svc", "web")

    def test_merge_patch(self):
        self.assertEqual(self.kubectl("patch", "cm", "m", "--type=merge", "-p",
                                      '{"data":{"a":null,"b":"2"}}'), "configmap/m patched\n")
        stored = self.get("cm", "m")
        self.assertEqual(stored["data"], {"b": "2"})
        self.assertEqual(self.kubectl("patch", "cm", "m", "--type=merge", "-p",
                                      '{"data":{"b":"2"}}'), "configmap/m patched (no change)\n")
        self.assertEqual(self.get("cm", "m"), stored)

    def test_json_patch(self):
        self.kubectl("patch", "cm", "m", "--type=json", "-p", json.dumps([
            {"op": "test", "path": "/data/a", "value": "1"},
            {"op": "add", "path": "/data/b", "value": "2"},
            {"op": "move", "from": "/data/a", "path": "/data/c"}]))
        self.assertEqual(self.get("cm", "m")["data"], {"b": "2", "c": "1"})
        self.kubectl("patch", "cm", "m", "--type=json", "-p", json.dumps([
            {"op": "remove", "path": "/data/b"},
            {"op": "test", "path": "/data/c", "value": "another"}]), status=1)
        self.assertEqual(self.get("cm", "m")["data"], {"b": "2", "c": "1"})

    def test_strategic_patch(self):
        self.web()
        patch = {"spec": {"template": {"spec": {"containers": [
            {"name": "main", "image": "nginx:2"}, {"name": "beside", "image": "busybox:1"}]}}}}
        self.assertEqual(self.kubectl("patch", "deploy", "web", "-p", json.dumps(patch)),
                         "deployment.apps/web patched\n")
        containers = self.get("deploy", "web")["spec"]["template"]["spec"]["containers"]
        self.assertEqual({each["name"]: each["image"] for each in containers},
                         {"main": "nginx:2", "beside": "busybox:1"})
        main = next(each for each in containers if each["name"] == "main")
        self.assertEqual(main["ports"], [{"containerPort": 80, "protocol": "TCP"}])
        patch = {"spec": {"template": {"spec": {"containers": [
            {"name": "beside", "$patch": "delete"}]}}}}
        self.kubectl("patch", "deploy", "web", "-p", json.dumps(patch))
        containers = self.get("deploy", "web")["spec"]["template"]["spec"]["containers"]
        self.assertEqual([each["name"] for each in containers], ["main"])

    def test_a_patch_that_is_invalid(self):
        self.web()
        says = self.kubectl("patch", "deploy", "web", "-p", '{"spec":{"replicas":-1}}', status=1)
        self.assertIn('The Deployment "web" is invalid: spec.replicas: Invalid value: -1', says)
        self.assertEqual(self.get("deploy", "web")["spec"]["replicas"], 2)

    def test_edit(self):
        self.assertEqual(self.kubectl("edit", "cm", "m", environment={
            "KUBE_EDITOR": "sed -i 's/a: \"1\"/a: \"5\"/'"}), "configmap/m edited\n")
        self.assertEqual(self.get("cm", "m")["data"], {"a": "5"})
        _, out, err = self.server.kubectl("-n", self.namespace, "edit", "cm", "m",
                                          environment={"KUBE_EDITOR": "true"})
        self.assertIn("Edit cancelled, no changes made.", out + err)

    def test_replace(self):
        old = self.get("cm", "m")
        new = dict(old, data={"a": "7"})
        self.assertEqual(self.kubectl("replace", "-f", "-", stdin=json.dumps(new)),
                         "configmap/m replaced\n")
        self.assertEqual(self.get("cm", "m")["data"], {"a": "7"})
        says = self.kubectl("replace", "-f", "-", status=1, stdin=json.dumps(old))
        self.assertIn("(Conflict)", says)
        self.assertIn("the object has been modified; please apply your changes to the latest", says)

    def test_label_and_annotate(self):
        for verb, done in ("label", "labeled"), ("annotate", "annotated"):
            with self.subTest(verb):
                self.assertEqual(self.kubectl(verb, "cm", "m", "x=1"), f"configmap/m {done}\n")
                self.assertIn("'x' already has a value (1)",
                              self.kubectl(verb, "cm", "m", "x=2", status=1))
                self.kubectl(verb, "cm", "m", "x=2", "--overwrite")
                key = verb.replace("annotate", "annotation") + "s"
                self.assertEqual(self.get("cm", "m")["metadata"][key]["x"], "2")
                self.kubectl(verb, "cm", "m", "x-")
                self.assertNotIn("x", self.get("cm", "m")["metadata"].get(key, {}))

    def test_scale_image_and_expose(self):
        self.web()
        self.assertEqual(self.kubectl("scale", "deploy", "web", "--replicas=5"),
                         "deployment.apps/web scaled\n")
        self.assertEqual(self.get("deploy", "web")["spec"]["replicas"], 5)
        self.kubectl("scale", "deploy", "web", "--current-replicas=4", "--replicas=1", status=1)
        self.assertEqual(self.get("deploy", "web")["spec"]["replicas"], 5)
        self.kubectl("set", "image", "deploy/web", "main=nginx:3")
        template = self.get("deploy", "web")["spec"]["template"]
        self.assertEqual(template["spec"]["containers"][0]["image"], "nginx:3")
        self.kubectl("expose", "deploy", "web", "--name=outside", "--port=80", "--type=NodePort")
        self.addCleanup(self.kubectl, "delete", "svc", "outside")
        port = self.get("svc", "outside")["spec"]["ports"][0]
        self.assertTrue(30000 <= port["nodePort"] <= 32767, port)


class DeleteTest(api_server.ServerCase):
    def family(self, name, finalizers=()):
        """An owner, and one that it owns."""
        self.kubectl("create", "cm", name)
        uid = self.get("cm", name)["metadata"]["uid"]
        child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": name + "-child", "finalizers": list(finalizers), "ownerReferences": [
                {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid,
                 "blockOwnerDeletion": True}]}}
        self.kubectl("create", "-f", "-", stdin=json.dumps(child))

    def delete(self, name, policy):
        """By the API's own word, which is the same in every kubectl."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy}
        self.kubectl("delete", "--raw", f"/api/v1/namespaces/{self.namespace}/configmaps/{name}",
                     "-f", "-", stdin=json.dumps(options))

    def wait_until_gone(self, name):
        worlds.wait_for(f"{name} is gone",
                        lambda: not self.kubectl("get", "cm", name, "--ignore-not-found"))

    def test_background(self):
        self.family("b", ["test.example/hold"])
        self.assertIn('configmap "b" deleted', self.kubectl("delete", "cm", "b"))
        self.gone("cm", "b")
        worlds.wait_for("the child goes", lambda: "deletionTimestamp" in
                        self.get("cm", "b-child")["metadata"])
        self.release("b-child")
        self.wait_until_gone("b-child")

    def release(self, name):
        self.kubectl("patch", "cm", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')

    def test_foreground(self):
        self.family("f", ["test.example/hold"])
        self.delete("f", "Foreground")
        worlds.wait_for("the child goes", lambda: "deletionTimestamp" in
                        self.get("cm", "f-child")["metadata"])
        owner = self.get("cm", "f")["metadata"]
        self.assertEqual(owner["finalizers"], ["foregroundDeletion"])
        self.assertIn("deletionTimestamp", owner)
        self.release("f-child")
        self.wait_until_gone("f-child")
        self.wait_until_gone("f")

    def test_orphan(self):
        self.family("o")
        self.delete("o", "Orphan")
        self.wait_until_gone("o")
        child = self.get("cm", "o-child")["metadata"]
        self.assertNotIn("ownerReferences", child)
        self.assertNotIn("deletionTimestamp", child)

    def test_orphan_by_option(self):
        self.family("option")
        self.kubectl("delete", "cm", "option", "--cascade=orphan")
        self.gone("cm", "option")
        self.assertNotIn("ownerReferences", self.get("cm", "option-child")["metadata"])

    def test_foreground_by_option(self):
        self.family("waits", ["test.example/hold"])
        self.kubectl("delete", "cm", "waits", "--cascade=foreground", "--wait=false")
        self.assertEqual(self.get("cm", "waits")["metadata"]["finalizers"], ["foregroundDeletion"])
        worlds.wait_for("the child goes", lambda: "deletionTimestamp" in
                        self.get("cm", "waits-child")["metadata"])
        self.release("waits-child")
        self.wait_until_gone("waits-child")
        self.wait_until_gone("waits")

    def test_finalizers_hold(self):
        self.kubectl("create", "cm", "held")
        self.kubectl("patch", "cm", "held", "--type=merge", "-p",
                     '{"metadata":{"finalizers":["test.example/hold"]}}')
        self.kubectl("delete", "cm", "held", "--wait=false")
        self.assertIn("deletionTimestamp", self.get("cm", "held")["metadata"])
        waiting = self.background("wait", "--for=delete", "cm/held", "--timeout=30s")
        # Of an object that went before it looked release 1.20 says that it is not there.
        worlds.wait_for("it waits", lambda: re.search(
            r'^apiserver_longrunning_requests\{.*resource="configmaps".*verb="WATCH".*\} [1-9]',
            self.kubectl("get", "--raw", "/metrics"), re.MULTILINE))
        self.kubectl("patch", "cm", "held", "--type=json", "-p",
                     '[{"op":"remove","path":"/metadata/finalizers"}]')
        self.assertEqual(waiting.wait(timeout=40), 0)
        self.gone("cm", "held")

    def test_preconditions(self):
        self.kubectl("create", "cm", "kept")
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/kept"
        for field, called in ("uid", "UID"), ("resourceVersion", "ResourceVersion"):
            options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {field: "1"}}
            says = self.kubectl("delete", "--raw", path, "-f", "-", status=1,
                                stdin=json.dumps(options))
            self.assertIn(f"the {called} in the precondition (1) does not match the {called} in "
                          "record", says)
        self.assertEqual(self.names("cm", "kept"), ["configmap/kept"])

    def test_many(self):
        for name in "x1", "x2", "z1":
            self.kubectl("create", "-f", "-", stdin=MAP.format(name=name, a=1).replace(
                f"of: {name}", f"set: {name[0]}"))
        self.assertEqual(self.kubectl("delete", "cm", "-l", "set=x", "-o", "name").split(),
                         ["configmap/x1", "configmap/x2"])
        self.assertEqual(self.names("cm", "-l", "set"), ["configmap/z1"])
        path = f"/api/v1/namespaces/{self.namespace}/configmaps"
        self.kubectl("delete", "--raw", path + "?labelSelector=set%3Dz")
        self.assertEqual(self.names("cm", "-l", "set"), [])

    def test_a_dry_run(self):
        self.kubectl("create", "cm", "dry")
        self.assertIn("(server dry run)", self.kubectl("delete", "cm", "dry", "--dry-run=server"))
        self.assertEqual(self.names("cm", "dry"), ["configmap/dry"])

    def test_a_pod_nobody_runs_goes_at_once(self):
        self.kubectl("run", "idle", "--image=nginx")
        self.kubectl("delete", "pod", "idle")
        self.gone("pod", "idle")

    def test_a_pod_of_a_node_waits_for_it(self):
        self.kubectl("run", "bound", "--image=nginx",
                     "--overrides", '{"spec":{"nodeName":"one"}}')
        self.kubectl("delete", "pod", "bound", "--grace-period=7", "--wait=false")
        self.assertEqual(self.get("pod", "bound")["metadata"]["deletionGracePeriodSeconds"], 7)
        self.assertRegex(self.kubectl("get", "pod", "bound", "--no-headers"), r" Terminating ")
        self.kubectl("delete", "pod", "bound", "--grace-period=0", "--force")
        self.gone("pod", "bound")

    def test_a_namespace_waits_for_its_content(self):
        self.kubectl("create", "namespace", "ending")
        held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "held", "namespace": "ending", "finalizers": ["test.example/hold"]}}
        self.server.kubectl("create", "-f", "-", stdin=json.dumps(held))
        self.kubectl("delete", "namespace", "ending", "--wait=false")
        ending = self.get("namespace", "ending")
        self.assertEqual(ending["status"]["phase"], "Terminating")
        self.assertIn("deletionTimestamp", ending["metadata"])
        self.assertNotIn("deletionGracePeriodSeconds", ending["metadata"])
        _, _, says = self.server.kubectl("-n", "ending", "create", "cm", "late")
        self.assertIn("because it is being terminated", says)
        worlds.wait_for("what is left is said", lambda: any(
            each["type"] == "NamespaceFinalizersRemaining" and each["status"] == "True"
            for each in self.get("namespace", "ending")["status"].get("conditions", [])))
        self.server.kubectl("-n", "ending", "patch", "cm", "held", "--type=merge", "-p",
                            '{"metadata":{"finalizers":null}}')
        self.kubectl("wait", "--for=delete", "namespace/ending", "--timeout=50s")
        self.assertIn("(Forbidden)", self.kubectl("delete", "namespace", "kube-system", status=1))


class WaitTest(api_server.ServerCase):
    def test_condition(self):
        self.kubectl("create", "deployment", "web", "--image=nginx:1")
        self.assertIn("timed out waiting for the condition", self.kubectl(
            "wait", "--for=condition=Available", "deploy/web", "--timeout=1s", status=1))
        waiting = self.background("wait", "--for=condition=Available", "deploy/web",
                                  "--timeout=40s")
        time.sleep(1)
        web = self.get("deploy", "web")
        web["status"] = {"observedGeneration": 1, "replicas": 1, "conditions": [
            {"type": "Available", "status": "True", "reason": "Test", "message": "is said",
             "lastUpdateTime": web["metadata"]["creationTimestamp"],
             "lastTransitionTime": web["metadata"]["creationTimestamp"]}]}
        web["spec"]["replicas"] = 9
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/web/status"
        self.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(web))
        out, err = waiting.communicate(timeout=50)
        self.assertEqual((waiting.returncode, out), (0, "deployment.apps/web condition met\n"), err)
        # A request about the status changes nothing else.
        self.assertEqual(self.get("deploy", "web")["spec"]["replicas"], 1)

    def test_delete(self):
        self.kubectl("create", "cm", "going")
        waiting = self.background("wait", "--for=delete", "cm/going", "--timeout=40s")
        time.sleep(1)
        self.assertIsNone(waiting.poll())
        self.kubectl("delete", "cm", "going")
        out, err = waiting.communicate(timeout=50)
        self.assertEqual((waiting.returncode, out), (0, "configmap/going condition met\n"), err)


class KnowsTest(api_server.ServerCase):
    def test_explain(self):
        text = self.kubectl("explain", "deployment.spec.strategy.rollingUpdate")
        self.assertRegex(text, r"(?m)^KIND: +Deployment$")
        self.assertRegex(text, r"(?m)^ +maxSurge\t")
        self.assertIn("FIELDS:", self.kubectl("explain", "pod", "--recursive"))
        self.assertIn('field "nosuch" does not exist',
                      self.kubectl("explain", "pod.nosuch", status=1))

    def test_api_resources(self):
        rows = {tuple(line.split()) for line in
                self.kubectl("api-resources", "--no-headers").splitlines()}
        for row in (("configmaps", "cm", "v1", "true", "ConfigMap"),
                    ("deployments", "deploy", "apps/v1", "true", "Deployment"),
                    ("namespaces", "ns", "v1", "false", "Namespace"),
                    ("cronjobs", "cj", "batch/v1", "true", "CronJob"),
                    ("horizontalpodautoscalers", "hpa", "autoscaling/v2", "true",
                     "HorizontalPodAutoscaler"),
                    ("customresourcedefinitions", "crd,crds", "apiextensions.k8s.io/v1", "false",
                     "CustomResourceDefinition"),
                    ("runtimeclasses", "node.k8s.io/v1", "false", "RuntimeClass")):
            self.assertIn(row, rows)
        listed = self.kubectl("api-resources", "--namespaced=false", "--verbs=list", "-o", "name")
        self.assertIn("nodes\n", listed)
        self.assertNotIn("tokenreviews", listed)
        self.assertNotIn("pods\n", listed)

    def test_metrics_count_what_is_served(self):
        self.get("configmap", "kube-root-ca.crt")
        text = self.kubectl("get", "--raw", "/metrics")
        # The request that asks for them is itself in flight.
        self.assertRegex(text, r'(?m)^apiserver_current_inflight_requests'
                               r'\{request_kind="readOnly"\} [1-9]')
        self.assertRegex(text, r'(?m)^apiserver_request_total\{code="200",[^\n]*'
                               r'resource="configmaps"[^\n]*verb="GET"[^\n]*\} [1-9]')

    def test_everything_that_says_it_can_be_listed_is(self):
        names = self.kubectl("api-resources", "--verbs=list", "-o", "name").split()
        self.assertGreater(len(names), 40)
        self.kubectl("get", ",".join(names), "-A", "-o", "name")

    def test_versions(self):
        versions = self.kubectl("api-versions").split()
        for version in "v1", "apps/v1", "batch/v1", "batch/v1beta1", "policy/v1beta1":
            self.assertIn(version, versions)
        says = json.loads(self.kubectl("version", "-o", "json"))["serverVersion"]
        self.assertEqual((says["major"], says["minor"]), ("1", "36"))

    def test_who_may(self):
        self.assertEqual(self.kubectl("auth", "can-i", "delete", "nodes"), "yes\n")
        account = f"--as=system:serviceaccount:{self.namespace}:default"
        self.kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
        self.assertEqual(self.server.kubectl("-n", self.namespace, "auth", "can-i", "get", "cm",
                                             account)[:2], (1, "no\n"))
        self.kubectl("create", "rolebinding", "reads", "--role=reader",
                     f"--serviceaccount={self.namespace}:default")
        self.assertEqual(self.kubectl("auth", "can-i", "get", "cm", account), "yes\n")
        rules = self.kubectl("auth", "can-i", "--list", account)
        self.assertRegex(rules, r"(?m)^configmaps +\[\] +\[\] +\[get list\]$")
        self.kubectl("get", "cm", account)
        user = f"system:serviceaccount:{self.namespace}:default"
        self.assertEqual(
            self.kubectl("delete", "cm", "any", account, status=1),
            f'Error from server (Forbidden): configmaps "any" is forbidden: User "{user}" cannot '
            f'delete resource "configmaps" in API group "" in the namespace "{self.namespace}"\n')

    def test_health(self):
        self.assertEqual(self.kubectl("get", "--raw", "/livez"), "ok")
        self.assertIn("[+]etcd ok\n", self.kubectl("get", "--raw", "/readyz?verbose"))

    def test_a_node_that_is_not_there_is_not_asked(self):
        self.kubectl("run", "alone", "--image=nginx", "--overrides", '{"spec":{"nodeName":"one"}}')
        self.assertEqual(self.kubectl("logs", "alone", status=1),
                         'Error from server (NotFound): nodes "one" not found\n')


class PathTest(api_server.ServerCase):
    """Paths that kubectl does not ask for."""

    def ask(self, method, path, body=None, user=None):
        """The answer's status, and what it is."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        headers = {"Content-Type": "application/json"}
        if user:
            headers["Impersonate-User"] = user
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_a_path_has_a_namespace_where_its_resource_has_one(self):
        inside = f"/api/v1/namespaces/{self.namespace}"
        web = {"metadata": {"name": "web"}}
        for method, path, body, status in (
                ("GET", f"{inside}/nodes", None, 404),
                ("GET", f"{inside}/nodes?watch=1&timeoutSeconds=1", None, 404),
                ("POST", f"{inside}/nodes", web, 404),
                ("GET", f"{inside}/namespaces", None, 404),
                ("POST", f"{inside}/namespaces", web, 404),
                ("GET", f"{inside}/namespaces/default", None, 404),
                ("GET", inside, None, 200),
                ("GET", f"{inside}/status", None, 200),
                ("GET", "/api/v1/configmaps", None, 200),
                ("GET", "/api/v1/configmaps/web", None, 404),
                ("POST", "/api/v1/configmaps", web, 405),
                ("DELETE", "/api/v1/configmaps", None, 405),
                ("POST", f"{inside}/configmaps/web", web, 405),
                ("PUT", f"{inside}/configmaps", web, 405),
                ("PATCH", f"{inside}/configmaps", {}, 405),
                ("DELETE", "/api/v1/namespaces", None, 405)):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.ask(method, path, body)[0], status)
        self.assertEqual(self.names("cm/web", "--ignore-not-found"), [])

    def test_rights_in_a_namespace_end_there(self):
        self.kubectl("create", "rolebinding", "all", "--clusterrole=cluster-admin", "--user=eve")
        binding = {"metadata": {"name": "eve"},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                               "name": "cluster-admin"},
                   "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                                 "name": "eve"}]}
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        for path in (f"{rbac}/clusterrolebindings",
                     f"{rbac}/namespaces/{self.namespace}/clusterrolebindings"):
            status, _ = self.ask("POST", path, binding, "eve")
            self.assertIn(status, (403, 404), path)
        self.assertEqual(self.names("clusterrolebinding/eve", "--ignore-not-found"), [])
        for inside in "nodes", "namespaces", "namespaces/default", "persistentvolumes":
            status, _ = self.ask("GET", f"/api/v1/namespaces/{self.namespace}/{inside}", None,
                                 "eve")
            self.assertIn(status, (403, 404), inside)
        self.assertEqual(self.ask("GET", f"/api/v1/namespaces/{self.namespace}/secrets", None,
                                  "eve")[0], 200)

    def test_a_body_that_is_too_large(self):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.putrequest("POST", f"/api/v1/namespaces/{self.namespace}/configmaps")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(4 << 20))
        # Its size says enough: the answer comes without any of it.
        connection.endheaders()
        answer = connection.getresponse()
        said = json.loads(answer.read())
        self.assertEqual((answer.status, said["kind"], said["reason"]),
                         (413, "Status", "RequestEntityTooLarge"))
        self.assertEqual(said["message"], "Request entity too large: limit is 3145728")


class AttackTest(api_server.ServerCase):
    """Rows of docs/attacks.md that take a whole server."""

    def test_external_ips(self):
        """externalIPs (CVE-2020-8554): refused by default; server_tables_test.py allows them."""
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "taker"},
                   "spec": {"ports": [{"port": 443}], "externalIPs": ["198.51.100.1"]}}
        refused = ('services "taker" is forbidden: '
                   "Use of external IPs is denied by admission control")
        self.assertIn(refused, self.kubectl("create", "-f", "-", stdin=json.dumps(service),
                                            status=1))
        del service["spec"]["externalIPs"]
        self.kubectl("create", "-f", "-", stdin=json.dumps(service))
        patch = json.dumps({"spec": {"externalIPs": ["198.51.100.1"]}})
        for kind in "merge", "strategic", "json":
            body = patch if kind != "json" else json.dumps(
                [{"op": "add", "path": "/spec/externalIPs", "value": ["198.51.100.1"]}])
            self.assertIn(refused, self.kubectl("patch", "svc", "taker", f"--type={kind}", "-p",
                                                body, status=1))
        service["spec"]["externalIPs"] = ["198.51.100.1"]
        self.assertIn(refused, self.kubectl("apply", "--server-side", "--force-conflicts", "-f",
                                            "-", stdin=json.dumps(service), status=1))
        self.assertNotIn("externalIPs", self.get("svc", "taker")["spec"])


class RestartTest(api_server.ServerCase):
    def write(self, acknowledged, number, stop):
        """Creates one ConfigMap after the other; notes the names that the server has said yes to."""
        connection = self.server.connect()
        for count in range(100000):
            if stop.is_set():
                break
            name = f"w{number}-{count}"
            body = json.dumps({"metadata": {"name": name}, "data": {"a": name}})
            try:
                connection.request("POST", f"/api/v1/namespaces/{self.namespace}/configmaps", body,
                                   {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except OSError:
                break
            if answer.status != 201:
                break
            acknowledged.add(name)
        connection.close()

    def keeps(self, number):
        acknowledged, stop = set(), threading.Event()
        writers = [threading.Thread(target=self.write, args=(acknowledged, writer, stop))
                   for writer in range(4)]
        for writer in writers:
            writer.start()
        worlds.wait_for("writes", lambda: len(acknowledged) > 100)
        self.server.stop(number)
        stop.set()
        for writer in writers:
            writer.join(60)
        self.server.start()
        found = {each["metadata"]["name"]: each for each in self.get("cm")["items"]}
        self.assertEqual(acknowledged - set(found), set())
        for name in acknowledged:
            self.assertEqual(found[name]["data"], {"a": name})
        self.kubectl("delete", "--raw", f"/api/v1/namespaces/{self.namespace}/configmaps")

    def test_sigterm(self):
        self.keeps(signal.SIGTERM)

    def test_sigkill(self):
        for _ in range(5):
            self.keeps(signal.SIGKILL)

    def test_identity_and_revisions_go_on(self):
        self.kubectl("create", "cm", "before")
        before = self.get("cm", "before")
        self.server.stop()
        self.server.start()
        self.assertEqual(self.get("cm", "before"), before)
        self.kubectl("create", "cm", "after")
        self.assertGreater(int(self.get("cm", "after")["metadata"]["resourceVersion"]),
                           int(before["metadata"]["resourceVersion"]))
        self.kubectl("delete", "cm", "before", "after")

    def test_two_cannot_have_the_same_data(self):
        environment = dict(self.server.environment,
                           PODIUM_RUN_DIR=str(self.server.folder / "another"))
        command = [worlds.PODIUM, "server", "--bind-address=127.0.0.1", "--secure-port=0"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30,
                             check=False)
        data = self.server.environment["PODIUM_DATA_DIR"]
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (1, "", f"podium server: {data}/server/store.db is in use by another "
                                 "process\n"))
        self.assertEqual(self.kubectl("get", "--raw", "/readyz"), "ok")


if __name__ == "__main__":
    api_server.main()
