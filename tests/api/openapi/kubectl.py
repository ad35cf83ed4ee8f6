#!/usr/bin/env python3
"""Lets kubectl read an OpenAPI document from a server that has little more than that.

  unshare -rn kubectl.py FILE      FILE: the protobuf form of OpenAPI v2

Runs in a network namespace of its own. Exits with 1 and says why when kubectl does not explain
fields as the document has them, does not find the mistake in an object, or finds one where there is
none.
"""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


def resources(group_version, *entries):
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
            "resources": [{"name": name, "singularName": "", "namespaced": True, "kind": kind,
                           "verbs": ["get", "list", "create", "patch"]}
                          for name, kind in entries]}


DISCOVERY = {
    "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": name, "versions": [{"groupVersion": f"{name}/v1", "version": "v1"}],
         "preferredVersion": {"groupVersion": f"{name}/v1", "version": "v1"}}
        for name in ("apps", "stable.example.com")]},
    "/api/v1": resources("v1", ("pods", "Pod")),
    "/apis/apps/v1": resources("apps/v1", ("deployments", "Deployment")),
    "/apis/stable.example.com/v1": resources("stable.example.com/v1", ("crontabs", "CronTab")),
}


class Handler(http.server.BaseHTTPRequestHandler):
    document = b""
    asked = []

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/openapi/v2":
            Handler.asked.append(self.headers.get("Accept", ""))
            self.answer(200, CONTENT_TYPE, Handler.document)
        elif path in DISCOVERY:
            self.answer(200, "application/json", json.dumps(DISCOVERY[path]).encode())
        else:
            self.answer(404, "application/json", json.dumps(
                {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
                 "reason": "NotFound"}).encode())

    def answer(self, code, content_type, body):
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open(sys.argv[1], "rb") as file:
        Handler.document = file.read()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failures = []
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HOME": home, "KUBECONFIG": "/dev/null"}
        base = ["kubectl", f"--server=http://127.0.0.1:{server.server_port}"]

        def kubectl(*arguments, text=""):
            run = subprocess.run([*base, *arguments], env=env, input=text, text=True,
                                 capture_output=True, timeout=60, check=False)
            return run.returncode, run.stdout + run.stderr

        def expect(holds, what, output):
            if not holds:
                failures.append(f"{what}:\n{output}")

        code, out = kubectl("explain", "pods.spec.containers.ports")
        expect(code == 0 and "containerPort\t<integer> -required-" in out, "explain", out)
        expect("FIELD" in out or "RESOURCE: ports <[]Object>" in out, "explain a list", out)
        code, out = kubectl("explain", "deployments", "--recursive")
        expect(code == 0 and "maxSurge\t<string>" in out, "explain all of a Deployment", out)
        code, out = kubectl("explain", "crontabs.spec")
        expect(code == 0 and "cron\t<string> -required-" in out, "explain a custom resource", out)

        # Since release 1.27 kubectl leaves the check of fields to servers whose PATCH has
        # fieldValidation; to see its own check, the parameter gets another name of that length.
        Handler.document = Handler.document.replace(b"fieldValidation", b"fieldValidatiom")
        pod = ("apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b}}\nspec:\n"
               "  containers: [{name: c, image: i, ports: [{containerPort: 80}]}]\n")
        create = ("create", "--dry-run=client", "--validate=true", "-f", "-", "-o", "name")
        code, out = kubectl(*create, text=pod)
        expect(code == 0 and "pod/p" in out, "a good Pod", out)
        code, out = kubectl(*create, text=pod.replace("image: i", "imagee: i"))
        expect(code != 0 and 'unknown field "imagee"' in out, "an unknown field", out)
        code, out = kubectl(*create, text=pod.replace("80", "x"))
        expect(code != 0 and "invalid type" in out, "a wrong type", out)
    accepted = any(PROTOBUF in asked for asked in Handler.asked)
    expect(accepted, "kubectl asks for the protobuf form", str(Handler.asked))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
