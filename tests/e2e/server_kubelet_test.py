#!/usr/bin/env python3
"""`podium server --kubelet-certificate-authority`: kubelets whose certificates somebody else signs.
(By default it is the cluster's own authority: node_way_test.py.)"""

import json
import pathlib
import subprocess
import tempfile

import api_server
import fake_node
import world as worlds

OTHERS = tempfile.TemporaryDirectory()


def setUpModule():
    folder = pathlib.Path(OTHERS.name)
    worlds.output_of("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=others", "-days", "2",
                     "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.crt")
    api_server.begin(["--kubelet-certificate-authority={folder}/others.crt"],
                     {"others.crt": (folder / "ca.crt").read_text()})


def tearDownModule():
    api_server.end()
    OTHERS.cleanup()


class MovedNode(fake_node.FakeNode):
    """One that sends whoever asks somewhere else."""
    to = ""

    def _answer(self, connection, target, fields):
        connection.answer("302 Found", b"moved", f"Location: {self.to}{target}")


class KubeletTest(api_server.ServerCase):
    def node(self, name, authority, kind=fake_node.FakeNode):
        """A node whose kubelet has a certificate of the authority with this folder."""
        pki = self.server.folder / "data" / "server" / "pki"
        folder = self.server.folder / name
        folder.mkdir()
        kubelet = kind(fake_node.certificate(folder, authority or pki), pki / "ca.crt")
        self.addCleanup(kubelet.close)
        self.kubectl("create", "-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}))
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.request("PATCH", f"/api/v1/nodes/{name}/status", json.dumps({"status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.port}}}}),
            {"Content-Type": "application/merge-patch+json"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200, answer.read())
        self.kubectl("create", "-f", "-", stdin=json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"nodeName": name, "containers": [{"name": "c", "image": "i"}]}}))
        return kubelet

    def test_the_one_that_it_names_is_trusted(self):
        kubelet = self.node("theirs", pathlib.Path(OTHERS.name))
        self.assertIn(f"log of {self.namespace}/theirs/c", self.kubectl("logs", "theirs"))
        # The server still shows what its own authority signed.
        self.assertEqual(kubelet.subjects, {("system:masters", "kube-apiserver-kubelet-client")})

    def test_the_clusters_own_is_not(self):
        kubelet = self.node("ours", None)
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.request("GET", f"/api/v1/namespaces/{self.namespace}/pods/ours/log")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 500)
        self.assertIn("failed to verify certificate", json.load(answer)["message"])
        self.assertEqual(kubelet.requests, [])

    def test_redirects(self):
        """CVE-2020-8559: a kubelet that redirects does not take the server's certificate along."""
        victim = self.node("victim", pathlib.Path(OTHERS.name))
        moved = self.node("moved", pathlib.Path(OTHERS.name), MovedNode)
        moved.to = f"https://127.0.0.1:{victim.port}"
        pod = f"/api/v1/namespaces/{self.namespace}/pods/moved"
        for path, headers in (
                (f"{pod}/log", {}),
                (f"{pod}/exec?command=id&stdout=true",
                 {"Connection": "Upgrade", "Upgrade": "SPDY/3.1",
                  "X-Stream-Protocol-Version": "v4.channel.k8s.io"}),
                (f"{pod}/portforward", {"Connection": "Upgrade", "Upgrade": "SPDY/3.1",
                                        "X-Stream-Protocol-Version": "portforward.k8s.io"}),
                ("/api/v1/nodes/moved/proxy/stats", {})):
            with self.subTest(path):
                asked = len(moved.requests)
                connection = self.server.connect()
                self.addCleanup(connection.close)
                connection.request("GET", path, headers=headers)
                self.assertGreaterEqual(connection.getresponse().status, 300)
                self.assertEqual(len(moved.requests), asked + 1)
        self.assertEqual((victim.requests, victim.subjects), ([], set()))

    def test_what_is_wrong_is_said_at_the_start(self):
        empty = self.server.folder / "empty.crt"
        empty.write_text("")
        broken = self.server.folder / "broken.crt"
        broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        for path, says in (("/nowhere", "/nowhere cannot be read"),
                           (empty, f"{empty}: no block CERTIFICATE"), (broken, f"{broken}: ")):
            run = subprocess.run(
                [worlds.PODIUM, "server", "--bind-address=127.0.0.1", "--secure-port=0",
                 f"--kubelet-certificate-authority={path}"],
                env=self.server.environment | {
                    "PODIUM_DATA_DIR": str(self.server.folder / "other")},
                text=True, capture_output=True, timeout=60, check=False)
            self.assertEqual(run.returncode, 1)
            self.assertIn("--kubelet-certificate-authority", run.stderr)
            self.assertIn(says, run.stderr)


if __name__ == "__main__":
    api_server.main()
