#!/usr/bin/env python3
"""What pods take from an API server, as the programs in them see it: ConfigMaps and Secrets that
change, services, tokens, claims. The agent has a node's rights and no more.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import time

import clusters
import world as worlds

setUpModule = clusters.begin
tearDownModule = clusters.end

REPORT = "/dev/termination-log"


class PodObjectsTest(clusters.ClusterCase):
    def request(self, method, path, body, kind="application/json"):
        connection = self.cluster.server.connect()
        connection.request(method, path, json.dumps(body), {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertIn(answer.status, (200, 201), text)
        return json.loads(text)

    def create(self, kind, name, **fields):
        self.kubectl("create", "-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}))

    def script(self, name, text, **spec):
        """A pod that runs this once."""
        container = {"name": "a", "image": "busybox", "command": ["sh", "-c", text],
                     **spec.pop("container", {})}
        return self.run_pod(name, {"restartPolicy": "Never", "containers": [container], **spec})

    def report(self, name):
        """What its container wrote to the termination log."""
        pod = self.phase(name, "Succeeded")
        return pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"]

    def messages(self, name, reason):
        return [event["message"] for event in self.get(
            "events", f"--field-selector=involvedObject.name={name},reason={reason}")["items"]]

    def test_changes_reach_running_containers_within_a_second(self):
        self.create("ConfigMap", "map", data={"key": "old"})
        self.create("Secret", "secret", stringData={"key": "old"})
        name = self.script(
            "changes",
            "until [ $(cat /map/key) = new ] && [ $(cat /all/secret) = new ]; do sleep 0.05; done;"
            f"echo $(cat /map/key) $(cat /all/secret) $(date +%s) > {REPORT}",
            container={"volumeMounts": [{"name": "map", "mountPath": "/map"},
                                        {"name": "all", "mountPath": "/all"}]},
            volumes=[{"name": "map", "configMap": {"name": "map"}},
                     {"name": "all", "projected": {"sources": [{"secret": {
                         "name": "secret", "items": [{"key": "key", "path": "secret"}]}}]}}])
        self.phase(name, "Running")
        base = f"/api/v1/namespaces/{self.namespace}"
        merge = "application/merge-patch+json"
        self.request("PATCH", base + "/configmaps/map", {"data": {"key": "new"}}, merge)
        self.request("PATCH", base + "/secrets/secret", {"stringData": {"key": "new"}}, merge)
        changed = time.time()
        first, second, seen = self.report(name).split()
        self.assertEqual((first, second), ("new", "new"))
        # Whole seconds, rounded down.
        self.assertLessEqual(int(seen), changed + 1)

    def test_what_is_missing_is_waited_for(self):
        name = self.script("missing", f"echo $A $(cat /v/key) > {REPORT}",
                           container={"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {
                               "name": "late", "key": "key"}}}],
                                      "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                           volumes=[{"name": "v", "secret": {"secretName": "late"}}])
        worlds.wait_for("it says what is missing", lambda: self.messages(name, "FailedMount"))
        self.assertEqual(set(self.messages(name, "FailedMount")),
                         {'MountVolume.SetUp failed for volume "v" : secret "late" not found'})
        self.create("Secret", "late", stringData={"key": "secret"})
        self.when("has a volume", name, lambda pod: [
            each["state"].get("waiting", {}).get("message")
            for each in pod["status"].get("containerStatuses", ())]
            == ['configmap "late" not found'])
        self.create("ConfigMap", "late", data={"key": "map"})
        self.assertEqual(self.report(name), "map secret\n")

    def test_containers_hear_of_services(self):
        self.create("Service", "my-db", spec={"ports": [{"name": "sql", "port": 5432}]})
        address = self.get("service", "my-db")["spec"]["clusterIP"]
        ask = (f"echo $KUBERNETES_SERVICE_HOST $MY_DB_SERVICE_HOST $MY_DB_SERVICE_PORT_SQL "
               f"$MY_DB_PORT > {REPORT}")
        status, out, err = self.cluster.server.kubectl(
            "-n", "default", "get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
        self.assertEqual(status, 0, err)
        # A service that was made a moment ago may come a moment later.
        time.sleep(0.5)
        self.script("hears", ask)
        self.assertEqual(self.report("hears"),
                         f"{out} {address} 5432 tcp://{address}:5432\n")
        self.script("hears-not", ask, enableServiceLinks=False)
        self.assertEqual(self.report("hears-not"), f"{out}\n")

    def test_a_token_is_the_pods(self):
        folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        self.script("token", f"cat {folder}/namespace {folder}/token > {REPORT}; "
                             f"test -s {folder}/ca.crt")
        text = self.report("token")
        self.assertTrue(text.startswith(self.namespace), text)
        review = self.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": {"token": text.removeprefix(self.namespace)}})["status"]
        self.assertTrue(review.get("authenticated"), review)
        self.assertEqual(review["user"]["username"],
                         f"system:serviceaccount:{self.namespace}:default")
        self.assertEqual(review["user"]["extra"]["authentication.kubernetes.io/pod-name"],
                         ["token"])

    def bind(self, claim, volume, source):
        """What a binder does, for a volume made now."""
        path = f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims/{claim}"
        claimed = self.get("persistentvolumeclaim", claim)
        self.create("PersistentVolume", volume, spec={
            "capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "", "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": self.namespace, "name": claim,
                         "uid": claimed["metadata"]["uid"]}, **source})
        merge = "application/merge-patch+json"
        self.request("PATCH", path, {"spec": {"volumeName": volume}}, merge)
        self.request("PATCH", path + "/status", {"status": {"phase": "Bound"}}, merge)

    def local(self, folder, node=None):
        path = self.cluster.world.folder / folder
        path.mkdir()
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                        "values": [node or self.cluster.node]}]}]
        return path, {"local": {"path": str(path)},
                      "nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}

    CLAIM = {"accessModes": ["ReadWriteOnce"], "storageClassName": "",
             "resources": {"requests": {"storage": "1Mi"}}}

    def test_a_claim_of_a_local_volume(self):
        path, source = self.local("disk")
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
        spec = {"container": {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                "volumes": volumes, "securityContext": {"fsGroup": 4242}}
        self.script("claims", f"echo kept > /v/file; id -G > {REPORT}", **spec)
        unattached = ("Unable to attach or mount volumes: unmounted volumes=[v], unattached "
                      "volumes=[], failed to process volumes=[v]: error processing PVC "
                      f"{self.namespace}/data: ")
        none = (unattached + 'failed to fetch PVC from API server: '
                'persistentvolumeclaims "data" not found')
        worlds.wait_for("it says what is missing",
                        lambda: none in self.messages("claims", "FailedMount"))
        self.create("PersistentVolumeClaim", "data", spec=self.CLAIM)
        worlds.wait_for("it says what is missing", lambda: unattached + "PVC is not bound"
                        in self.messages("claims", "FailedMount"))
        self.bind("data", "disk", source)
        self.assertIn("4242", self.report("claims").split())
        self.assertEqual((path / "file").read_text(), "kept\n")
        self.assertEqual((path / "file").stat().st_gid, 4242)
        self.kubectl("delete", "pod", "claims")
        self.gone("claims")
        self.assertEqual((path / "file").read_text(), "kept\n")
        volumes[0]["persistentVolumeClaim"]["readOnly"] = True
        self.script("reads", f"cat /v/file > {REPORT}; ! touch /v/other", **spec)
        self.assertEqual(self.report("reads"), "kept\n")

    def test_a_volume_of_another_node(self):
        _, source = self.local("far", "elsewhere")
        self.create("PersistentVolumeClaim", "far", spec=self.CLAIM)
        self.bind("far", "far", source)
        self.script("far", "true", container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                    volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "far"}}])
        worlds.wait_for("it is refused", lambda: self.messages("far", "FailedMount"))
        self.assertEqual(self.messages("far", "FailedMount"), [
            'MountVolume.NodeAffinity check failed for volume "far" : no matching '
            'NodeSelectorTerms'])

    def test_an_ephemeral_volume(self):
        path, source = self.local("scratch")
        self.script("own", f"echo mine > /v/file; echo done > {REPORT}",
                    container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                    volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {
                        "spec": self.CLAIM}}}])
        worlds.wait_for("its claim is made", lambda: self.cluster.server.kubectl(
            "-n", self.namespace, "get", "persistentvolumeclaim", "own-v")[0] == 0)
        self.bind("own-v", "scratch", source)
        self.assertEqual(self.report("own"), "done\n")
        self.assertEqual((path / "file").read_text(), "mine\n")

    def test_a_new_agent_brings_what_has_changed(self):
        self.create("ConfigMap", "while-away", data={"key": "old"})
        name = self.script(
            "stays", f"until [ $(cat /v/key) = new ]; do sleep 0.05; done; cat /v/key > {REPORT}",
            container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            volumes=[{"name": "v", "configMap": {"name": "while-away"}}])
        self.phase(name, "Running")
        self.cluster.kill_agent()
        self.kubectl("patch", "configmap", "while-away", "-p", '{"data": {"key": "new"}}')
        self.cluster.start_agent()
        self.assertEqual(self.report(name), "new")


if __name__ == "__main__":
    clusters.main()
