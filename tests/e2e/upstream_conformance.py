#!/usr/bin/env python3
"""Upstream's own conformance tests, as build/upstream/e2e.test has them (scripts/upstream-conformance
builds it), against `podium server`: those that need neither pods that run nor the controllers that
make pods. Ends with a line `N passed, N failed`.

What kubectl is, KUBECTL says (build/kubectl's, of the same release, or the one that is installed).
"""

import argparse
import json
import os
import re
import subprocess
import sys

import api_server
import world as worlds

PROGRAM = worlds.ROOT / "build/upstream/e2e.test"
SOURCE = worlds.ROOT / "build/upstream/source"
FOCUS = "|".join((
    "CustomResourceDefinition resources", "CustomResourceDefinition Watch",
    "CustomResourcePublishOpenAPI", "Servers with support for", "client-go should negotiate",
    "Discovery should", "server version should", "Generated clientset should create v1beta1", "Watchers should",
    "Garbage collector should (not be blocked|support)", "Events API should",
    r"sig-api-machinery\] Events should", "Namespaces .Serial. should (patch|ensure that all services)",
    "ResourceQuota should", r"ResourceQuota \[Feature", "LimitRange should", "Secrets should (patch|fail)",
    "ConfigMap should (run through|fail)", "PodTemplates", "PriorityClass endpoints verify",
    "Certificates API", "ServiceAccounts should (run through|guarantee)", "IngressClass API",
    "Ingress API", "lifecycle of an Endpoint", "find a service from listing",
    "Kubectl (api-versions|cluster-info|version)", "server-side dry-run", "Proxy server should support"))
SKIP = "|".join((
    r"\[Slow\]", r"\[Flaky\]",
    # A controller is to make pods, or a node to run them.
    "consumable", "replication controller", "PersistentVolumeClaim with"))
# What a pod could be scheduled to: the tests begin with a look at it.
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}, "status": {
    "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110"},
    "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
    "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": ""}],
    "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--focus", default=FOCUS)
    parser.add_argument("--skip", default=SKIP)
    arguments = parser.parse_args()
    worlds.enter()
    # Tests of release 1.20 wait for the Secret of an account.
    api_server.begin(["--legacy-account-tokens"])
    server = api_server.ServerCase.server
    kubectl = os.environ.get("KUBECTL") or (
        api_server.OF_DEBIAN if api_server.OF_DEBIAN.exists() else "/usr/bin/kubectl")
    try:
        status, out, err = server.kubectl("create", "-f", "-", stdin=json.dumps(NODE))
        if status != 0:
            raise AssertionError(out + err)
        server.kubectl("taint", "node", "node", "node.kubernetes.io/not-ready-")
        run = subprocess.Popen(
            [PROGRAM, f"--kubeconfig={server.kubeconfig}", "--provider=skeleton",
             f"--kubectl-path={kubectl}", "--allowed-not-ready-nodes=10", "--minStartupPods=0",
             "--ginkgo.noColor", f"--ginkgo.focus={arguments.focus}",
             f"--ginkgo.skip={arguments.skip}"],
            cwd=SOURCE, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        passed, failed = 0, []
        for line in run.stdout:
            told = re.match(r'\{"msg":"(PASSED|FAILED) (.*?)","total"', line)
            if told:
                print(f"{'ok  ' if told[1] == 'PASSED' else 'FAIL'}  {told[2]}", flush=True)
                passed += told[1] == "PASSED"
                failed += [told[2]] if told[1] == "FAILED" else []
            elif re.match(r"\s+\w{3} +\d+ [\d:.]+: ", line) and "INFO" not in line:
                print(line.rstrip(), flush=True)
        run.wait()
    finally:
        api_server.end()
    print(f"{passed} passed, {len(failed)} failed")
    # None at all is no success.
    sys.exit(1 if failed or not passed or run.returncode != 0 else 0)


if __name__ == "__main__":
    main()
