"""Writes the seeds of api_write_fuzz that nobody can read: requests whose bodies are Kubernetes
protobuf, a file each.

  tests/fuzz/api_write_seeds.py FOLDER

An input is requests (fuzz/api_session.h) with a line %% between them. A body is the envelope that
upstream's runtime.Unknown is (k8s.io/apimachinery/pkg/runtime/generated.proto) behind the bytes
k8s\\0. Messages are given as pairs of a field's number and its value: a string, bytes, an integer,
a message (pairs) or a list of any of them; numbers are those of schema/*.table.
"""
import pathlib
import sys

PROTOBUF = "application/vnd.kubernetes.protobuf"


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, list):
        return b"".join(field(number, each) for each in value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value & (1 << 64) - 1)
    if isinstance(value, dict):
        value = message(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(fields):
    return b"".join(field(number, value) for number, value in fields.items())


def entries(**pairs):
    """Of a map: messages of key and value."""
    return [{1: key, 2: value} for key, value in pairs.items()]


def body(version, kind, fields):
    return b"k8s\0" + message({1: {1: version, 2: kind}, 2: message(fields), 3: "", 4: ""})


def request(method, path, content, accept=""):
    head = f"{method} {path}\nContent-Type: {PROTOBUF}\n"
    if accept:
        head += f"Accept: {accept}\n"
    return head.encode() + b"\n" + content


def sequence(*requests):
    return b"\n%%\n".join(requests)


IN = "/api/v1/namespaces/a/"
CONTAINER = {
    1: "main", 2: "registry.example/app:1", 3: ["/bin/app"], 4: ["--one", "two"], 5: "/work",
    6: {1: "web", 3: 8080, 4: "TCP"}, 7: [{1: "A", 2: "one"}, {1: "B", 3: {1: {2: "metadata.name"}}}],
    8: {1: entries(cpu={1: "1"}, memory={1: "64Mi"}), 2: entries(cpu={1: "10m"})},
    9: {1: "data", 2: 1, 3: "/data"},
    10: {1: {2: {1: "/live", 2: {1: 1, 3: "web"}}}, 3: 1, 4: 10},
}
POD_SPEC = {
    1: {1: "data", 2: {2: {1: "", 2: {1: "16Mi"}}}}, 2: CONTAINER, 3: "Always", 4: 30, 6: "ClusterFirst",
    7: entries(zone="z"), 8: "default", 22: {1: "key", 2: "Exists", 4: "NoExecute", 5: 300},
}


def seeds():
    maps = body("v1", "ConfigMap", {
        1: {1: "m", 11: entries(l="1"), 12: entries(a="b"), 14: ["x.y/z"],
            13: {1: "Pod", 3: "p", 4: "u", 5: "v1", 6: 1}},
        2: entries(a="1"), 3: entries(b=b"\0\1"), 4: 0})
    changed = body("v1", "ConfigMap", {1: {1: "m"}, 2: entries(a="2", c=""), 4: 1})
    pod = body("v1", "Pod", {1: {1: "p", 11: entries(app="x")}, 2: POD_SPEC})
    deployment = body("apps/v1", "Deployment", {
        1: {1: "d"}, 2: {1: 2, 2: {1: entries(app="x")},
                         3: {1: {11: entries(app="x")}, 2: POD_SPEC}}})
    service = body("v1", "Service", {
        1: {1: "s"}, 2: {1: [{1: "web", 2: "TCP", 3: 80, 4: {1: 1, 3: "web"}},
                             {1: "dns", 2: "UDP", 3: 53, 4: {2: 5353}}],
                         2: entries(app="x"), 4: "NodePort"}})
    role = body("rbac.authorization.k8s.io/v1", "Role", {
        1: {2: "made-"}, 2: {1: ["get", "list"], 2: [""], 3: ["pods"]}})
    deletion = body("v1", "DeleteOptions", {1: 0, 4: "Foreground"})
    return {
        "maps": sequence(
            request("POST", IN + "configmaps", maps),
            request("PUT", IN + "configmaps/m?fieldManager=f", changed, accept=PROTOBUF),
            request("POST", IN + "configmaps?dryRun=All", maps, accept="application/yaml"),
            request("DELETE", IN + "configmaps/m", deletion)),
        "pods": sequence(
            request("POST", IN + "pods", pod),
            request("POST", IN + "pods/p/binding",
                    body("v1", "Binding", {1: {1: "p"}, 2: {1: "Node", 3: "n"}})),
            request("POST", IN + "pods/p/eviction",
                    body("policy/v1", "Eviction", {1: {1: "p"}, 2: {1: 5}}))),
        "workloads": sequence(
            request("POST", "/apis/apps/v1/namespaces/a/deployments", deployment),
            request("PUT", "/apis/apps/v1/namespaces/a/deployments/d/scale",
                    body("autoscaling/v1", "Scale", {1: {1: "d", 3: "a"}, 2: {1: 5}})),
            request("POST", IN + "services", service),
            request("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles", role)),
        "old_version": request(
            "POST", "/apis/policy/v1beta1/namespaces/a/poddisruptionbudgets",
            body("policy/v1beta1", "PodDisruptionBudget",
                 {1: {1: "b"}, 2: {1: {1: 0, 2: 1}, 2: {1: entries(app="x")}}})),
        "no_type": request("POST", IN + "configmaps", b"k8s\0" + message({2: message({1: {1: "m"}})})),
        "no_envelope": request("POST", IN + "configmaps", message({1: {1: "m"}})),
        "encoded": request("POST", IN + "configmaps", b"k8s\0" + message(
            {1: {1: "v1", 2: "ConfigMap"}, 2: message({1: {1: "m"}}), 3: "gzip"})),
        "cut": request("POST", IN + "pods", pod[:-40]),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
