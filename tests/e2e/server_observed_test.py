#!/usr/bin/env python3
"""What a kube-apiserver of release 1.20 answered (tests/testdata/observed/wire.jsonl), asked again
of `podium server`. Where release 1.36 answers otherwise, wire-1.36.json has what, and why; a
difference that is not listed there fails, and so does one that is listed and is none. Of a listed
answer only the members that stand there are compared."""

import json
import pathlib
import re

import api_server

setUpModule = api_server.begin
tearDownModule = api_server.end

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "testdata/observed"
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
           "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
       "spec": {"containers": [{"name": "c", "image": "i"}]}}
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ObsTest(api_server.ServerCase):
    def ask(self, method, path, content_type, accept, body):
        connection = self.server.connect()
        headers = {"Accept": accept, "User-Agent": "Python-urllib/3.9"}
        text = None
        if body is not None:
            headers["Content-Type"] = content_type
            text = body if isinstance(body, str) else json.dumps(body)
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        try:
            body = json.loads(text) if text else {"kind": None}
        except ValueError:
            body = text
        return answer.status, body

    @staticmethod
    def comparable(answer):
        """Without what differs from one server to the next."""
        if not isinstance(answer, dict):
            return answer
        text = UID.sub("UID", json.dumps(answer))
        return json.loads(re.sub(r"current: \d+", "current: N", text))

    def test_wire(self):
        newer = json.loads((FOLDER / "wire-1.36.json").read_text())
        cases = [json.loads(line) for line in (FOLDER / "wire.jsonl").read_text().splitlines()]
        self.assertGreater(len(cases), 30)
        self.assertLessEqual(set(newer), {case["case"] for case in cases})
        for case in cases:
            # One of them deletes services.
            for thing, where in ((SERVICE, "services"), (POD, "pods")):
                status, answer = self.ask("POST", f"/api/v1/namespaces/obs/{where}",
                                          "application/json", "application/json", thing)
                self.assertIn(status, (201, 409), answer)
            with self.subTest(case["case"]):
                actual = self.ask(case["method"], case["path"], case["contentType"],
                                  case["accept"], case["request"])
                actual = (actual[0], self.comparable(actual[1]))
                observed = (case["code"], self.comparable(case["response"]))
                # Of bodies that are no objects (a watch's, none at all) the code alone was noted.
                if case["response"] == {"kind": None}:
                    actual = (actual[0], observed[1])
                if case["case"] not in newer:
                    self.assertEqual(actual, observed)
                    continue
                difference = newer[case["case"]]
                self.assertTrue(difference["why"])
                self.assertNotEqual(actual, observed, "it is no difference any more")
                self.assertEqual(actual[0], difference["code"])
                said = {key: actual[1].get(key) for key in difference["response"]}
                self.assertEqual(said, difference["response"])

    def test_what_upstream_has_no_route_for(self):
        for method, path, status in (("HEAD", "/api/v1/namespaces/obs/pods", 405),
                                     ("HEAD", "/api/v1/namespaces/obs/pods/p", 405),
                                     ("HEAD", "/api/v1/foos", 404),
                                     ("GET", "/api/v1/namespaces/obs", 200),
                                     ("GET", "/api/v1/namespaces/obs/namespaces/obs", 404),
                                     ("PUT", "/api/v1/namespaces/obs/namespaces/obs/status", 404)):
            self.assertEqual(self.ask(method, path, "", "application/json", None)[0], status, path)


if __name__ == "__main__":
    api_server.main()
