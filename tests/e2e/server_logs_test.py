#!/usr/bin/env python3
"""What `podium server` writes down of requests: the audit log, and the log of requests."""

import json
import subprocess

import api_server
import world as worlds

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  resources: [{resources: [secrets]}]
- level: Request
  verbs: [create]
  users: [kubernetes-admin]
"""


def setUpModule():
    api_server.begin(["--audit-policy-file={folder}/policy.yaml",
                      "--audit-log-path={folder}/logs/audit.log", "--log-requests=all"],
                     {"policy.yaml": POLICY})


tearDownModule = api_server.end


class LogsTest(api_server.ServerCase):
    def test_audit_and_requests(self):
        self.kubectl("create", "configmap", "noted", "--from-literal=a=told")
        self.kubectl("create", "secret", "generic", "hidden", "--from-literal=a=never-told")
        self.server.stop()
        text = (self.server.folder / "logs/audit.log").read_text()
        requests = self.server.errors()
        self.server.start()
        events = [json.loads(line) for line in text.splitlines()]

        noted = [event for event in events if event.get("objectRef", {}).get("name") == "noted"]
        self.assertEqual([event["verb"] for event in noted], ["create"])
        self.assertEqual(noted[0]["requestObject"]["data"], {"a": "told"})
        self.assertEqual(noted[0]["responseStatus"]["code"], 201)
        self.assertEqual(noted[0]["annotations"]["authorization.k8s.io/decision"], "allow")
        self.assertEqual(noted[0]["sourceIPs"], ["127.0.0.1"])
        hidden = [event for event in events if event.get("objectRef", {}).get("name") == "hidden"]
        self.assertEqual([event["level"] for event in hidden], ["Metadata"])
        self.assertNotIn("bmV2ZXItdG9sZA==", text)  # base64 of never-told

        lines = [json.loads(line) for line in requests.splitlines() if line.startswith("{")]
        posts = [line for line in lines if line["verb"] == "POST"]
        self.assertEqual({line["resp"] for line in posts}, {201})
        self.assertIn(noted[0]["auditID"], [line["audit-ID"] for line in posts])

    def test_what_is_wrong_is_said_at_the_start(self):
        def start(*options):
            run = subprocess.run(
                [worlds.PODIUM, "server", "--bind-address=127.0.0.1", "--secure-port=0", *options],
                env=self.server.environment | {
                    "PODIUM_DATA_DIR": str(self.server.folder / "other")},
                text=True, capture_output=True, timeout=60, check=False)
            self.assertEqual(run.returncode, 1)
            return run.stderr

        bad = self.server.folder / "bad.yaml"
        bad.write_text(POLICY.replace("Metadata", "Everything"))
        self.assertIn(f"the audit policy {bad} is wrong: rules[0].level: Unsupported value: "
                      '"Everything"', start(f"--audit-policy-file={bad}"))
        self.assertIn("the audit policy /nowhere cannot be read",
                      start("--audit-policy-file=/nowhere"))
        self.assertIn("--audit-log-maxsize is no number", start("--audit-log-maxsize=1G"))
        self.assertIn('disable-admission-plugins plugin "Webhooks" is unknown',
                      start("--disable-admission-plugins=PodSecurity,Webhooks"))
        self.assertIn("--log-requests is slow, all or none", start("--log-requests=some"))


if __name__ == "__main__":
    api_server.main()
