#!/usr/bin/env python3
"""What runs with `podium server` by itself, as kubectl and a node's agent see it.

PODIUM_BUILD_DIR names the build, KUBECTL the kubectl (api_server.py). Certificates are asked for
with openssl.
"""

import base64
import http.client
import json
import socket
import subprocess

import api_server
import world as worlds

setUpModule = api_server.begin
tearDownModule = api_server.end

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers:
    - name: main
      image: nginx:1
      resources: {requests: {cpu: 500m}}
  volumes:
    - name: scratch
      ephemeral:
        volumeClaimTemplate:
          spec:
            accessModes: [ReadWriteOnce]
            resources: {requests: {storage: 1Gi}}
"""


class RootConnection(http.client.HTTPConnection):
    """As root on the same machine: by the server's socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class QuotaTest(api_server.ServerCase):
    def used(self):
        return self.get("quota", "q")["status"].get("used", {})

    def becomes(self, **used):
        wanted = {key.replace("__", "/").replace("_", "."): value for key, value in used.items()}
        worlds.wait_for(f"the quota says {wanted}", lambda: self.used() == wanted)

    def test_counts_what_is_there_and_gives_back_what_goes(self):
        self.kubectl("create", "deployment", "before", "--image=nginx:1")
        self.kubectl("create", "quota", "q",
                     "--hard=pods=2,requests.cpu=2,count/deployments.apps=2")
        self.becomes(count__deployments_apps="1", pods="0", requests_cpu="0")
        self.kubectl("create", "-f", "-", stdin=POD % "one")
        self.kubectl("create", "-f", "-", stdin=POD % "two")
        self.becomes(count__deployments_apps="1", pods="2", requests_cpu="1")
        self.assertIn("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2",
                      self.kubectl("create", "-f", "-", stdin=POD % "three", status=1))
        self.kubectl("delete", "pod", "one", "--force", "--grace-period=0")
        self.kubectl("delete", "deployment", "before")
        self.becomes(count__deployments_apps="0", pods="1", requests_cpu="500m")
        self.kubectl("create", "-f", "-", stdin=POD % "three")


class CustomQuotaTest(api_server.ServerCase):
    def test_custom_resources_count(self):
        self.kubectl("create", "-f", "-", stdin="""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, kind: Thing}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
""")
        thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: one}\n"
        worlds.wait_for("things are served", lambda: self.server.kubectl(
            "-n", self.namespace, "create", "-f", "-", stdin=thing)[0] == 0)
        self.kubectl("create", "quota", "things", "--hard=count/things.example.com=1")
        # Kinds that are new are looked for every 30 seconds.
        worlds.wait_for("things are counted", lambda: self.get("quota", "things")["status"].get(
            "used") == {"count/things.example.com": "1"}, seconds=60)
        self.kubectl("delete", "things", "one")
        worlds.wait_for("they are given back", lambda: self.get("quota", "things")["status"][
            "used"] == {"count/things.example.com": "0"})


class EphemeralTest(api_server.ServerCase):
    def test_claims_come_and_go_with_their_pod(self):
        self.kubectl("create", "-f", "-", stdin=POD % "web")
        worlds.wait_for("the claim is made",
                        lambda: self.names("pvc") == ["persistentvolumeclaim/web-scratch"])
        claim = self.get("pvc", "web-scratch")
        self.assertEqual(claim["spec"]["resources"], {"requests": {"storage": "1Gi"}})
        self.kubectl("delete", "pod", "web", "--force", "--grace-period=0")
        worlds.wait_for("the claim goes", lambda: self.names("pvc") == [])


class LegacyTokenTest(api_server.ServerCase):
    def test_its_use_is_noted(self):
        self.kubectl("create", "-f", "-", stdin="""\
apiVersion: v1
kind: Secret
metadata:
  name: token
  annotations: {kubernetes.io/service-account.name: default}
type: kubernetes.io/service-account-token
""")
        token = worlds.wait_for("the token is made", lambda: self.get("secret", "token").get(
            "data", {}).get("token"))
        account = f"system:serviceaccount:{self.namespace}:default"
        self.assertIn(f'User "{account}" cannot list resource "pods"', self.kubectl(
            f"--server=https://127.0.0.1:{self.server.port}", "--insecure-skip-tls-verify",
            f"--token={base64.b64decode(token).decode()}", "get", "pods", status=1,
            environment={"KUBECONFIG": "/dev/null"}))
        label = worlds.wait_for("its use is noted", lambda: self.get("secret", "token")[
            "metadata"].get("labels", {}).get("kubernetes.io/legacy-token-last-used"))
        self.assertRegex(label, r"^\d{4}-\d\d-\d\d$")


class CertificatesTest(api_server.ServerCase):
    def request(self, signer, usage, subject="/O=system:nodes/CN=system:node:n1", names=""):
        """A CertificateSigningRequest; its key is left in the file `key`."""
        folder = self.server.folder
        command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key"),
                   "-subj", subject]
        if names:
            command += ["-addext", f"subjectAltName={names}"]
        asked = subprocess.run(command, capture_output=True, check=True).stdout
        return {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
                "metadata": {"generateName": "csr-"},
                "spec": {"request": base64.b64encode(asked).decode(),
                         "signerName": f"kubernetes.io/{signer}",
                         "usages": ["digital signature", usage]}}

    def post_as_root(self, thing):
        root = RootConnection(self.server.folder / "run" / "server.sock")
        root.request("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests",
                     json.dumps(thing), {"Content-Type": "application/json"})
        answer = root.getresponse()
        made = json.load(answer)
        self.assertEqual(answer.status, 201, made)
        root.close()
        return made["metadata"]["name"]

    def signed(self, name):
        return worlds.wait_for(f"{name} is signed", lambda: self.get("csr", name)["status"].get(
            "certificate"))

    def test_a_node_on_this_machine_gets_its_identity(self):
        name = self.post_as_root(self.request("kube-apiserver-client-kubelet", "client auth"))
        certificate = base64.b64decode(self.signed(name))
        self.assertEqual(self.get("csr", name)["status"]["conditions"][0]["message"],
                         "Auto approving kubelet client certificate after SubjectAccessReview.")
        folder = self.server.folder
        (folder / "crt").write_bytes(certificate)
        node = (f"--server=https://127.0.0.1:{self.server.port}", "--insecure-skip-tls-verify",
                f"--client-certificate={folder}/crt", f"--client-key={folder}/key")
        nobody = {"KUBECONFIG": "/dev/null"}
        self.assertIn('User "system:node:n1" cannot list resource "secrets"',
                      self.kubectl(*node, "get", "secrets", environment=nobody, status=1))
        self.kubectl(*node, "create", "-f", "-", environment=nobody,
                     stdin="apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n")
        self.assertIn("node \"n1\" is not allowed to modify node \"n2\"",
                      self.kubectl(*node, "create", "-f", "-", environment=nobody, status=1,
                                   stdin="apiVersion: v1\nkind: Node\nmetadata: {name: n2}\n"))

    def test_serving_certificates_wait_for_somebody(self):
        name = self.post_as_root(self.request("kubelet-serving", "server auth",
                                              names="DNS:n1,IP:10.0.0.7"))
        self.assertNotIn("conditions", self.get("csr", name)["status"])
        self.kubectl("certificate", "approve", name)
        shown = subprocess.run(["openssl", "x509", "-noout", "-text"], check=True,
                               input=base64.b64decode(self.signed(name)), capture_output=True)
        self.assertIn(b"DNS:n1, IP Address:10.0.0.7", shown.stdout)
        self.assertIn(b"TLS Web Server Authentication", shown.stdout)

    def test_what_a_signer_does_not_sign_has_failed(self):
        name = self.post_as_root(self.request("kube-apiserver-client-kubelet", "client auth",
                                              subject="/CN=jane"))
        self.assertNotIn("conditions", self.get("csr", name)["status"])
        self.kubectl("certificate", "approve", name)
        failed = worlds.wait_for("it has failed", lambda: [
            each for each in self.get("csr", name)["status"]["conditions"]
            if each["type"] == "Failed"])
        self.assertEqual((failed[0]["reason"], failed[0]["message"]),
                         ("SignerValidationFailure", "subject organization is not system:nodes"))


class ServiceCidrTest(api_server.ServerCase):
    PATH = "/apis/networking.k8s.io/v1/servicecidrs"

    def ready(self, name):
        raw = json.loads(self.kubectl("get", "--raw", f"{self.PATH}/{name}"))
        return [(each["status"], each.get("reason", ""))
                for each in raw.get("status", {}).get("conditions", [])]

    def test_one_that_is_used_stays(self):
        self.kubectl("create", "-f", "-", stdin="""\
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: more}
spec: {cidrs: [10.99.0.0/24]}
""")
        worlds.wait_for("it is ready", lambda: self.ready("more") == [("True", "")])
        self.kubectl("create", "service", "clusterip", "web", "--tcp=80", "--clusterip=10.99.0.7")
        self.kubectl("delete", "--raw", f"{self.PATH}/more")
        worlds.wait_for("it waits", lambda: self.ready("more") == [("False", "Terminating")])
        self.kubectl("delete", "service", "web")
        worlds.wait_for("it goes", lambda: self.server.kubectl(
            "get", "--raw", f"{self.PATH}/more")[0] == 1)

    def test_the_service_of_the_server_comes_back(self):
        self.kubectl("-n", "default", "delete", "service", "kubernetes")
        worlds.wait_for("it comes back", lambda: self.server.kubectl(
            "-n", "default", "get", "service", "kubernetes")[0] == 0)
        again = self.get("-n", "default", "service", "kubernetes")
        self.assertEqual(again["spec"]["clusterIP"], "10.43.0.1")
        self.assertEqual(again["spec"]["ports"][0]["targetPort"], int(self.server.port))


if __name__ == "__main__":
    api_server.main()
