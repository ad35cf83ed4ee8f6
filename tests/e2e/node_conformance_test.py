#!/usr/bin/env python3
"""What upstream's conformance tests ask of a node (test/e2e/common/{node,storage}, release 1.36),
each case named after the test that it stands for, with busybox where upstream has agnhost. Cases
run side by side: all pods of a class are made first.

PODIUM_BUILD_DIR names the build; the images are those of scripts/build-images.
"""

import json
import random
import re
import time

import clusters
import world as worlds

setUpModule = clusters.begin
tearDownModule = clusters.end


def env(name, **source):
    return {"name": name, "valueFrom": source}


def field(path, **more):
    return {"fieldRef": {"fieldPath": path, **more}}


def resource(name, **more):
    return {"resourceFieldRef": {"resource": name, **more}}


class Case:
    """A pod that runs a script once. `want`: expressions, each matches a part of its log."""

    def __init__(self, script, *want, phase="Succeeded", metadata=None, mounts=(), image="busybox",
                 **spec):
        container = {"name": "main", "image": image, "volumeMounts": list(mounts),
                     **spec.pop("container", {})}
        if script is not None:
            container["command"] = ["sh", "-c", script]
        self.want, self.phase, self.metadata = want, phase, metadata
        self.spec = {"automountServiceAccountToken": False, "restartPolicy": "Never",
                     "containers": [container, *spec.pop("others", ())], **spec}


class NodeCase(clusters.ClusterCase):
    cases = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = cls.cluster.server.connect()
        cls.addClassCleanup(cls.connection.close)
        cls.prepare()
        for name, case in cls.cases.items():
            cls.create_pod(name, case.spec, case.metadata)

    @classmethod
    def prepare(cls):
        """What its pods need."""

    @classmethod
    def ask(cls, method, path, body=None, kind="application/json"):
        """Status and answer, of a path in the namespace."""
        headers = {"Content-Type": kind} if body is not None else {}
        cls.connection.request(method, f"/api/v1/namespaces/{cls.namespace}{path}",
                               json.dumps(body) if body is not None else None, headers)
        answer = cls.connection.getresponse()
        text = answer.read().decode(errors="replace")
        return answer.status, json.loads(text) if text.startswith("{") else text

    @classmethod
    def create(cls, plural, body):
        status, answer = cls.ask("POST", "/" + plural, body)
        if status != 201:
            raise AssertionError(answer)
        return answer

    @classmethod
    def create_pod(cls, name, spec, metadata=None):
        for kind in "initContainers", "containers":
            for container in spec.get(kind, ()):
                if "/" not in container["image"]:
                    container["image"] = cls.cluster.world.image(container["image"])
        return cls.create("pods", {"metadata": {"name": name, **(metadata or {})},
                                   "spec": {"nodeName": cls.cluster.node,
                                            "terminationGracePeriodSeconds": 1, **spec}})

    def patch(self, path, body, kind="application/merge-patch+json"):
        status, answer = self.ask("PATCH", path, body, kind)
        self.assertEqual(status, 200, answer)
        return answer

    def pod(self, name):
        status, answer = self.ask("GET", "/pods/" + name)
        self.assertEqual(status, 200, answer)
        return answer

    def log(self, name, **options):
        query = "&".join(f"{key}={value}" for key, value in options.items())
        status, text = self.ask("GET", f"/pods/{name}/log?{query}")
        self.assertEqual(status, 200, text)
        return text if isinstance(text, str) else json.dumps(text)

    def logs(self, name, expression, seconds=30, **options):
        """Waits until the log has this."""
        log = ""

        def look():
            nonlocal log
            query = "&".join(f"{key}={value}" for key, value in options.items())
            status, log = self.ask("GET", f"/pods/{name}/log?{query}")
            return status == 200 and re.search(expression, log, re.M)
        try:
            return worlds.wait_for(f"the log of {name} has {expression}", look, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{log}") from None

    def condition(self, name, kind):
        return next((each for each in self.pod(name)["status"].get("conditions", ())
                     if each["type"] == kind), None)

    def check_cases(self):
        for name, case in self.cases.items():
            with self.subTest(name):
                self.phase(name, case.phase)
                log = self.log(name, container="main") if case.want else ""
                for expression in case.want:
                    self.assertRegex(log, re.compile(expression, re.M))


# test/e2e/common/node/{configmap,secrets,downwardapi,expansion,containers,kubelet}.go
class EnvironmentTest(NodeCase):
    @classmethod
    def prepare(cls):
        cls.create("configmaps", {"metadata": {"name": "map"},
                                  "data": {"data-1": "value-1", "data_2": "value-2"}})
        cls.create("secrets", {"metadata": {"name": "secret"},
                               "stringData": {"data_1": "value-1", "data_2": "value-2"}})

    cases = {
        "configmap-environment": Case("env", "^CONFIG_DATA_1=value-1$", container={"env": [
            env("CONFIG_DATA_1", configMapKeyRef={"name": "map", "key": "data-1"})]}),
        "configmap-all": Case(None, "^data_2=value-2$", "^p-data-1=value-1$", container={
            "command": ["env"],
            "envFrom": [{"configMapRef": {"name": "map"}},
                        {"prefix": "p-", "configMapRef": {"name": "map"}}]}),
        "secret-environment": Case("env", "^SECRET_DATA=value-1$", container={"env": [
            env("SECRET_DATA", secretKeyRef={"name": "secret", "key": "data_1"})]}),
        "secret-all": Case("env", "^data_1=value-1$", "^p_data_2=value-2$", container={
            "envFrom": [{"secretRef": {"name": "secret"}},
                        {"prefix": "p_", "secretRef": {"name": "secret"}}]}),
        "optional-missing": Case("env; echo $A.", r"^\.$", container={
            "env": [env("A", secretKeyRef={"name": "no", "key": "k", "optional": True})],
            "envFrom": [{"configMapRef": {"name": "no", "optional": True}}]}),
        "downward-environment": Case(
            "env", "^POD_NAME=downward-environment$", "^POD_NAMESPACE=environment$",
            r"^POD_IP=(\d+\.){3}\d+$", rf"^HOST_IP={worlds.ADDRESS}$", "^UID=[0-9a-f-]{36}$",
            "^NODE=.+$", "^ACCOUNT=default$", "^LABEL=l$", "^NOTE=n$",
            metadata={"labels": {"a": "l"}, "annotations": {"a": "n"}},
            container={"env": [
                env("POD_NAME", **field("metadata.name")),
                env("POD_NAMESPACE", **field("metadata.namespace")),
                env("POD_IP", **field("status.podIP")), env("HOST_IP", **field("status.hostIP")),
                env("UID", **field("metadata.uid")), env("NODE", **field("spec.nodeName")),
                env("ACCOUNT", **field("spec.serviceAccountName")),
                env("LABEL", **field("metadata.labels['a']")),
                env("NOTE", **field("metadata.annotations['a']"))]}),
        "downward-resources": Case(
            "env", "^CPU_LIMIT=2$", "^MEMORY_LIMIT=67108864$", "^CPU_REQUEST=250$",
            "^MEMORY_REQUEST=32$",
            container={"resources": {"requests": {"cpu": "250m", "memory": "32Mi"},
                                     "limits": {"cpu": "1250m", "memory": "64Mi"}},
                       "env": [env("CPU_LIMIT", **resource("limits.cpu")),
                               env("MEMORY_LIMIT", **resource("limits.memory")),
                               env("CPU_REQUEST", **resource("requests.cpu", divisor="1m")),
                               env("MEMORY_REQUEST",
                                   **resource("requests.memory", divisor="1Mi"))]}),
        # Without limits: what the node has for pods.
        "downward-allocatable": Case(
            "env", "^CPU_LIMIT=[1-9]", "^MEMORY_LIMIT=[1-9]", container={
                "env": [env("CPU_LIMIT", **resource("limits.cpu")),
                        env("MEMORY_LIMIT", **resource("limits.memory"))]}),
        "expansion-environment": Case(
            "env", "^FOOBAR=foo-value;;bar-value$", r"^LITERAL=\$\(FOO\) \$\(NO\)$", container={
                "env": [{"name": "FOO", "value": "foo-value"}, {"name": "BAR", "value": "bar-value"},
                        {"name": "FOOBAR", "value": "$(FOO);;$(BAR)"},
                        {"name": "LITERAL", "value": "$$(FOO) $(NO)"}]}),
        "expansion-command": Case(
            "TEST_VAR=wrong echo \"$(TEST_VAR)\"", "^test-value$",
            container={"env": [{"name": "TEST_VAR", "value": "test-value"}]}),
        "expansion-arguments": Case(
            None, "^test-value$", container={
                "env": [{"name": "TEST_VAR", "value": "test-value"}],
                "command": ["sh", "-c"], "args": ["TEST_VAR=wrong echo \"$(TEST_VAR)\""]}),
        "arguments-override": Case(None, "^override arguments$", container={
            "command": ["echo"], "args": ["override", "arguments"]}),
        "hosts-of-the-kubelet": Case(
            "cat /etc/hosts", "^# Kubernetes-managed hosts file.$",
            r"^(\d+\.){3}\d+\thosts-of-the-kubelet$", "^123.45.67.89\tfoo\tbar$",
            hostAliases=[{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]),
        "hosts-of-the-container": Case(
            "cat /etc/hosts", r"\Avalue-1\Z",
            mounts=[{"name": "v", "mountPath": "/etc/hosts", "subPath": "data-1"}],
            volumes=[{"name": "v", "configMap": {"name": "map"}}]),
        "read-only-root": Case("echo a > /a || echo refused", "^refused$",
                               container={"securityContext": {"readOnlyRootFilesystem": True}}),
        "subdomain": Case("hostname; hostname -f", r"^h\nh\.s\.environment\.svc\.cluster\.local$",
                          hostname="h", subdomain="s"),
    }

    def test_programs_that_run_once(self):
        self.check_cases()

    def test_commands_that_fail_have_a_reason(self):
        self.create_pod("fails", Case("exit 3").spec)
        state = self.phase("fails", "Failed")["status"]["containerStatuses"][0]["state"]
        self.assertEqual((state["terminated"]["reason"], state["terminated"]["exitCode"]),
                         ("Error", 3))

    def test_expansion_that_fails(self):
        for name, path, message in (
                ("above", "$(POD_NAME)", "must not contain '..'"),
                ("absolute", "$(POD_NAME)", "must not be an absolute path")):
            value = ".." if name == "above" else "/tmp"
            self.create_pod("expansion-" + name, Case(
                "true", container={"env": [{"name": "POD_NAME", "value": value}]},
                mounts=[{"name": "v", "mountPath": "/v", "subPathExpr": path}],
                volumes=[{"name": "v", "emptyDir": {}}]).spec)
            state = self.when("waits", "expansion-" + name, lambda pod: pod.get("status", {}).get(
                "containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("reason")
                == "CreateContainerConfigError")
            self.assertIn(message,
                          state["status"]["containerStatuses"][0]["state"]["waiting"]["message"])

    def test_failing_expansion_is_mended_by_an_annotation(self):
        self.create_pod("mended", Case(
            "touch /v/test.log && ls /all/mypath", container={
                "env": [env("PATH_OF", **field("metadata.annotations['mysubpath']")),
                        env("POD_NAME", **field("metadata.name"))]},
            mounts=[{"name": "v", "mountPath": "/v", "subPathExpr": "$(PATH_OF)/$(POD_NAME)"},
                    {"name": "v", "mountPath": "/all"}],
            volumes=[{"name": "v", "emptyDir": {}}]).spec)
        self.when("waits", "mended", lambda pod: pod.get("status", {}).get(
            "containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("reason")
            == "CreateContainerConfigError")
        self.patch("/pods/mended", {"metadata": {"annotations": {"mysubpath": "mypath"}}})
        self.phase("mended", "Succeeded")
        self.assertEqual(self.log("mended"), "mended\n")


MODES = (("root", {}), ("user", {"runAsUser": 1001}))


def empty_dir_cases():
    """empty_dir.go: medium, user and the mode of a file that is made."""
    cases = {}
    for medium, kind in (("default", "overlay|ext|xfs|btrfs"), ("Memory", "tmpfs")):
        source = {} if medium == "default" else {"medium": medium}
        for who, security in MODES:
            for mode in "0644", "0666", "0777":
                cases[f"empty-dir-{medium}-{who}-{mode}".lower()] = Case(
                    f"stat -c 'folder %a' /v; echo hi > /v/f; chmod {mode} /v/f; "
                    "stat -c 'file %a %u' /v/f; cat /v/f; "
                    "awk '$2 == \"/v\" { print \"type\", $3 }' /proc/mounts",
                    "^folder 777$", f"^file {mode[1:]} {security.get('runAsUser', 0)}$", "^hi$",
                    "^type tmpfs$" if medium == "Memory" else "^type ",
                    mounts=[{"name": "v", "mountPath": "/v"}], securityContext=security,
                    volumes=[{"name": "v", "emptyDir": source}])
    cases["empty-dir-shared"] = Case(
        "until [ -s /v/f ]; do sleep 0.05; done; cat /v/f", "^from the other$",
        mounts=[{"name": "v", "mountPath": "/v"}], volumes=[{"name": "v", "emptyDir": {}}],
        others=[{"name": "other", "image": "busybox",
                 "command": ["sh", "-c", "echo from the other > /w/f"],
                 "volumeMounts": [{"name": "v", "mountPath": "/w"}]}])
    cases["empty-dir-memory-size"] = Case(
        "df -k /v | tail -1 | awk '{print $2}'", "^10240$",
        mounts=[{"name": "v", "mountPath": "/v"}],
        volumes=[{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "10Mi"}}])
    cases["empty-dir-group"] = Case(
        "touch /v/f; stat -c '%g' /v /v/f; stat -c '%A' /v", r"^123\n123\ndrwxrwsrwx$",
        mounts=[{"name": "v", "mountPath": "/v"}],
        securityContext={"runAsUser": 1001, "fsGroup": 123},
        volumes=[{"name": "v", "emptyDir": {}}])
    return cases


def file_cases():
    """{configmap,secrets,projected_*,downwardapi}_volume.go, for each kind of volume with files."""
    cases = {}

    def projected(kind):
        def source(items=None, **more):
            return {"projected": {"sources": [{kind: {
                "name": "map", **({"items": items} if items else {})}}], **more}}
        return source
    kinds = {"configmap": lambda **more: {"configMap": {"name": "map", **more}},
             "secret": lambda **more: {"secret": {"secretName": "map", **more}},
             "projected-configmap": projected("configMap"),
             "projected-secret": projected("secret")}
    items = {"items": [{"key": "data-2", "path": "path/to/data-2"}]}
    modes = {"items": [{"key": "data-2", "path": "path/to/data-2", "mode": 0o400}]}
    for kind, source in kinds.items():
        for what, more, security, script, want in (
                ("plain", {}, {}, "cat /v/data-1; stat -Lc %a /v/data-1", "^value-1644$"),
                ("as-user", {}, {"runAsUser": 1000}, "cat /v/data-1", "^value-1$"),
                ("default-mode", {"defaultMode": 0o400}, {}, "stat -Lc %a /v/data-1", "^400$"),
                ("default-mode-group", {"defaultMode": 0o440},
                 {"runAsUser": 1000, "fsGroup": 1001},
                 "cat /v/data-1; stat -Lc '%a %g' /v/data-1", "^value-1440 1001$"),
                ("mappings", items, {}, "cat /v/path/to/data-2; ls /v", "^value-2path$"),
                ("mappings-mode", modes, {}, "stat -Lc %a /v/path/to/data-2", "^400$"),
                ("mappings-user", items, {"runAsUser": 1000}, "cat /v/path/to/data-2",
                 "^value-2$")):
            cases[f"{kind}-{what}"] = Case(
                script, want, mounts=[{"name": "v", "mountPath": "/v"}], securityContext=security,
                volumes=[{"name": "v", **source(**more)}])
    cases["configmap-twice"] = Case(
        "cat /a/data-1 /b/data-1", "^value-1value-1$",
        mounts=[{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/b"}],
        volumes=[{"name": "a", "configMap": {"name": "map"}},
                 {"name": "b", "configMap": {"name": "map"}}])
    cases["configmap-binary"] = Case(
        "cat /v/dump.bin | od -An -tx1", "^ *de ca fe ba d0 fe ff$",
        mounts=[{"name": "v", "mountPath": "/v"}],
        volumes=[{"name": "v", "configMap": {"name": "binary"}}])
    cases["projected-all"] = Case(
        "cd /v; cat podname secret-data configmap-data", "^projected-allvalue-1value-1$",
        mounts=[{"name": "v", "mountPath": "/v"}],
        volumes=[{"name": "v", "projected": {"sources": [
            {"secret": {"name": "map", "items": [{"key": "data-1", "path": "secret-data"}]}},
            {"configMap": {"name": "map", "items": [{"key": "data-1", "path": "configmap-data"}]}},
            {"downwardAPI": {"items": [{"path": "podname", **field("metadata.name")}]}}]}}])
    downward = {
        "podname": field("metadata.name"), "labels": field("metadata.labels"),
        "annotations": field("metadata.annotations"),
        "cpu_limit": {"resourceFieldRef": {"containerName": "main", "resource": "limits.cpu"}},
        "memory_limit": {"resourceFieldRef": {"containerName": "main",
                                              "resource": "limits.memory"}},
        "cpu_request": {"resourceFieldRef": {"containerName": "main", "resource": "requests.cpu",
                                             "divisor": "1m"}}}
    for kind, wrap in (("downward", lambda items: {"downwardAPI": {"items": items}}),
                       ("projected-downward", lambda items: {"projected": {"sources": [
                           {"downwardAPI": {"items": items}}]}})):
        cases[kind + "-volume"] = Case(
            "cd /v; for f in podname labels annotations cpu_limit memory_limit cpu_request mode; do "
            "echo $f: $(cat $f); done; stat -Lc %a mode",
            rf"^podname: {kind}-volume$", '^labels: a="1" b="2"$', '^annotations: .*n="x y"$',
            "^cpu_limit: 2$", "^memory_limit: 67108864$", "^cpu_request: 250$", "^400$",
            metadata={"labels": {"b": "2", "a": "1"}, "annotations": {"n": "x y"}},
            container={"resources": {"requests": {"cpu": "250m"},
                                     "limits": {"cpu": "1250m", "memory": "64Mi"}}},
            mounts=[{"name": "v", "mountPath": "/v"}],
            volumes=[{"name": "v", **wrap(
                [{"path": path, **source} for path, source in downward.items()] +
                [{"path": "mode", "mode": 0o400, **field("metadata.name")}])}])
    return cases


# test/e2e/common/storage
class VolumesTest(NodeCase):
    cases = {**empty_dir_cases(), **file_cases(),
             # host_path.go
             "host-path-mode": Case("stat -c %a /v", "^1?777$",
                                    mounts=[{"name": "v", "mountPath": "/v"}],
                                    volumes=[{"name": "v", "hostPath": {"path": "/tmp"}}]),
             # test/e2e/storage/subpath.go: atomic writer volumes
             "sub-path-secret": Case(
                 "cat /v", "^value-1$",
                 mounts=[{"name": "v", "mountPath": "/v", "subPath": "data-1"}],
                 volumes=[{"name": "v", "secret": {"secretName": "map"}}]),
             "sub-path-over-a-file": Case(
                 "cat /etc/resolv.conf", r"\Avalue-1\Z",
                 mounts=[{"name": "v", "mountPath": "/etc/resolv.conf", "subPath": "data-1"}],
                 volumes=[{"name": "v", "configMap": {"name": "map"}}]),
             "sub-path-projected": Case(
                 "cat /v/x", "^value-2$",
                 mounts=[{"name": "v", "mountPath": "/v", "subPath": "path"}],
                 volumes=[{"name": "v", "projected": {"sources": [{"secret": {
                     "name": "map", "items": [{"key": "data-2", "path": "path/x"}]}}]}}]),
             # empty_dir_wrapper.go: many volumes of one pod do not conflict
             "many-volumes": Case(
                 "cat /v*/data-1 | wc -c", "^350$",
                 mounts=[{"name": f"v{i}", "mountPath": f"/v{i}"} for i in range(50)],
                 volumes=[{"name": f"v{i}", "configMap": {"name": "map"}} for i in range(50)])}

    @classmethod
    def prepare(cls):
        data = {"data-1": "value-1", "data-2": "value-2"}
        for plural, key in (("configmaps", "data"), ("secrets", "stringData")):
            cls.create(plural, {"metadata": {"name": "map"}, key: data})
            cls.create(plural, {"metadata": {"name": "deleted"}, key: data})
            cls.create(plural, {"metadata": {"name": "changed"}, key: data})
        cls.create("configmaps", {"metadata": {"name": "binary"},
                                  "data": {"data-1": "value-1"},
                                  "binaryData": {"dump.bin": "3sr+utD+/w=="}})

    def test_programs_that_run_once(self):
        self.check_cases()

    def test_optional_updates_are_reflected(self):
        """One that goes, one that changes, one that comes; in each kind of volume."""
        def sources(kind):
            name = "secretName" if kind == "secret" else "name"
            volumes = []
            for each in "deleted", "changed", "made":
                volumes.append({"name": each, kind: {name: each, "optional": True}})
                volumes.append({"name": "p-" + each, "projected": {"sources": [
                    {kind: {"name": each, "optional": True}}]}})
            return volumes
        names = []
        for kind in "configMap", "secret":
            volumes = sources(kind)
            names.append("reflects-" + kind.lower())
            self.create_pod(names[-1], {
                "automountServiceAccountToken": False, "volumes": volumes,
                "containers": [{"name": "main", "image": "busybox", "command": [
                    "sh", "-c", "while :; do cd /; for v in /v/*; do echo $v: "
                    "$(cat $v/data-1 2>/dev/null).; done; echo round; sleep 0.1; done"],
                    "volumeMounts": [{"name": each["name"], "mountPath": "/v/" + each["name"]}
                                     for each in volumes]}]})
        for name in names:
            for prefix in "", "p-":
                self.logs(name, rf"^/v/{prefix}deleted: value-1\.$")
                self.logs(name, rf"^/v/{prefix}changed: value-1\.$")
                self.logs(name, rf"^/v/{prefix}made: \.$")
        for plural, key in (("configmaps", "data"), ("secrets", "stringData")):
            self.assertEqual(self.ask("DELETE", f"/{plural}/deleted")[0], 200)
            self.patch(f"/{plural}/changed", {key: {"data-1": "value-3"}})
            self.create(plural, {"metadata": {"name": "made"}, key: {"data-1": "value-1"}})
        for name in names:
            for prefix in "", "p-":
                self.logs(name, rf"^/v/{prefix}deleted: \.$")
                self.logs(name, rf"^/v/{prefix}changed: value-3\.$")
                self.logs(name, rf"^/v/{prefix}made: value-1\.$")

    def test_labels_and_annotations_are_updated(self):
        self.create_pod("relabelled", {
            "automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "busybox", "command": [
                "sh", "-c", "while :; do cat /v/labels /v/annotations; echo; sleep 0.1; done"],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
            "volumes": [{"name": "v", "downwardAPI": {"items": [
                {"path": "labels", **field("metadata.labels")},
                {"path": "annotations", **field("metadata.annotations")}]}}]},
            {"labels": {"key1": "value1"}, "annotations": {"builder": "bar"}})
        self.logs("relabelled", '^key1="value1"builder="bar"')
        self.patch("/pods/relabelled", {"metadata": {"labels": {"key3": "value3"},
                                                     "annotations": {"builder": "foo"}}})
        self.logs("relabelled", '^key1="value1"\nkey3="value3"builder="foo"')

    def test_immutable_objects_are_refused_changes(self):
        for plural in "configmaps", "secrets":
            self.create(plural, {"metadata": {"name": "fixed"}, "immutable": True,
                                 "data": {"a": "YQ=="}})
            status, answer = self.ask("PATCH", f"/{plural}/fixed", {"data": {"a": "Yg=="}},
                                      "application/merge-patch+json")
            self.assertEqual((status, answer["reason"]), (422, "Invalid"))

    def test_missing_objects_hold_a_pod_back(self):
        for name, source in (
                ("no-map", {"configMap": {"name": "nowhere"}}),
                ("no-key", {"secret": {"secretName": "map",
                                       "items": [{"key": "nothing", "path": "a"}]}})):
            self.create_pod(name, Case("true", mounts=[{"name": "v", "mountPath": "/v"}],
                                       volumes=[{"name": "v", **source}]).spec)
        for name, message in (("no-map", 'configmap "nowhere" not found'),
                              ("no-key", "references non-existent secret key: nothing")):
            worlds.wait_for("it is told", lambda name=name, message=message: any(
                message in event["message"] for event in self.get(
                    "events", f"--field-selector=involvedObject.name={name},reason=FailedMount")
                ["items"]))
            self.assertEqual(self.pod(name)["status"]["phase"], "Pending")


# test/e2e/common/node/{security_context,sysctl,privileged}.go
class SecurityTest(NodeCase):
    cases = {
        "run-as-user": Case("id -u", "^65534$", container={"securityContext": {"runAsUser": 65534}}),
        "run-as-root": Case("id -u", "^0$", container={"securityContext": {"runAsUser": 0}}),
        "pod-user-and-group": Case("id", r"uid=1001.* gid=2002.*", securityContext={
            "runAsUser": 1001, "runAsGroup": 2002}),
        "container-before-pod": Case("id -u", "^1002$", securityContext={"runAsUser": 1001},
                                     container={"securityContext": {"runAsUser": 1002}}),
        "supplemental-groups": Case("id -G", r"(?=.*\b1234\b)(?=.*\b5678\b)", securityContext={
            "supplementalGroups": [1234, 5678]}),
        "non-root": Case("id -u", "^1001$", container={"securityContext": {
            "runAsNonRoot": True, "runAsUser": 1001}}),
        "unprivileged": Case("mkdir /t; mount -t tmpfs t /t || echo refused", "^refused$",
                             container={"securityContext": {"privileged": False}}),
        "privileged": Case("mkdir /t && mount -t tmpfs t /t && echo made", "^made$",
                           container={"securityContext": {"privileged": True}}),
        "no-escalation": Case("grep NoNewPrivs /proc/self/status", r"^NoNewPrivs:\s*1$",
                              container={"securityContext": {"allowPrivilegeEscalation": False,
                                                             "runAsUser": 1000}}),
        "escalation": Case("grep NoNewPrivs /proc/self/status", r"^NoNewPrivs:\s*0$",
                           container={"securityContext": {"runAsUser": 1000}}),
        "host-pid": Case("exec readlink /proc/self", r"^\d\d", hostPID=True),
        "own-pid": Case("exec readlink /proc/self", "^1$"),
        "sysctl": Case("sysctl -n kernel.shm_rmid_forced", "^1$", securityContext={
            "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}),
        "sysctl-of-the-network": Case(
            "cat /proc/sys/net/ipv4/ping_group_range", r"^0\s+5$", securityContext={
                "sysctls": [{"name": "net.ipv4.ping_group_range", "value": "0 5"}]}),
        "drop-all": Case("grep CapEff /proc/self/status", r"^CapEff:\s*0+$", container={
            "securityContext": {"capabilities": {"drop": ["ALL"]}}}),
        "unconfined": Case("grep Seccomp: /proc/self/status", r"^Seccomp:\s*0$", container={
            "securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        "runtime-default": Case("grep Seccomp: /proc/self/status", r"^Seccomp:\s*2$", container={
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
    }

    def test_programs_that_run_once(self):
        self.check_cases()

    def test_root_is_refused(self):
        self.create_pod("explicit-root", Case("id -u", container={"securityContext": {
            "runAsNonRoot": True, "runAsUser": 0}}).spec)
        self.create_pod("implicit-root", Case("id -u", container={"securityContext": {
            "runAsNonRoot": True}}).spec)
        for name, message in (("explicit-root", "container's runAsUser breaks non-root policy"),
                              ("implicit-root", "container has runAsNonRoot and image will run as "
                                                "root")):
            pod = self.when("waits", name, lambda pod: pod.get("status", {}).get(
                "containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("reason")
                == "CreateContainerConfigError")
            self.assertIn(message,
                          pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"])

    def test_sysctls(self):
        status, answer = self.ask("POST", "/pods", {"metadata": {"name": "invalid"}, "spec": {
            "securityContext": {"sysctls": [{"name": "foo-", "value": "bar"},
                                            {"name": "safe-and-unsafe", "value": "1"},
                                            {"name": "bar..", "value": "42"}]},
            "containers": [{"name": "main", "image": "x"}]}})
        self.assertEqual(status, 422)
        for each in "foo-", "bar..":
            self.assertIn(f'Invalid value: "{each}"', answer["message"])
        self.create_pod("unsafe", Case("true", securityContext={
            "sysctls": [{"name": "kernel.msgmax", "value": "10000000000"}]}).spec)
        pod = self.phase("unsafe", "Failed")
        self.assertEqual(pod["status"]["reason"], "SysctlForbidden")


# test/e2e/common/node/{pods,init_container,lifecycle_hook,runtime,runtimeclass}.go
class LivesTest(NodeCase):
    cases = {
        "message-of-root": Case("printf DONE > /dev/termination-log"),
        "init-in-order": Case("cat /v/f", r"^1\n2$", mounts=[{"name": "v", "mountPath": "/v"}],
                              volumes=[{"name": "v", "emptyDir": {}}], initContainers=[
            {"name": f"init{i}", "image": "busybox", "command": ["sh", "-c", f"echo {i} >> /v/f"],
             "volumeMounts": [{"name": "v", "mountPath": "/v"}]} for i in (1, 2)]),
        "init-fails": Case("true", phase="Failed", initContainers=[
            {"name": "init1", "image": "busybox", "command": ["false"]},
            {"name": "init2", "image": "busybox", "command": ["true"]}]),
    }

    def sleeper(self, name, metadata=None, **more):
        spec = {"automountServiceAccountToken": False,
                "containers": [{"name": "main", "image": "busybox", "command": ["sleep", "1000"],
                                **more.pop("container", {})}], **more}
        return self.create_pod(name, spec, metadata)

    def terminated(self, name, index=0):
        return self.pod(name)["status"]["containerStatuses"][index]["state"]["terminated"]

    def test_programs_that_run_once(self):
        self.check_cases()

    def test_init_containers_of_restart_always(self):
        fails = {"name": "init1", "image": "busybox", "command": ["false"]}
        never = {"name": "init2", "image": "busybox", "command": ["true"]}
        self.sleeper("init-again", initContainers=[fails, never])
        pod = self.when("has failed twice", "init-again", lambda pod: pod["status"].get(
            "initContainerStatuses", [{}])[0].get("restartCount", 0) >= 2, 60)
        self.assertEqual(pod["status"]["phase"], "Pending")
        self.assertNotIn("startedAt", pod["status"]["containerStatuses"][0]["state"].get(
            "running", {}))
        condition = self.condition("init-again", "Initialized")
        self.assertEqual((condition["status"], condition["reason"], condition["message"]),
                         ("False", "ContainersNotInitialized",
                          "containers with incomplete status: [init1 init2]"))

    def test_init_failure_is_told(self):
        pod = self.phase("init-fails", "Failed")
        second = pod["status"]["initContainerStatuses"][1]["state"]
        self.assertIn("waiting", second)
        self.assertEqual(pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"],
                         "PodInitializing")

    def test_termination_messages(self):
        self.phase("message-of-root", "Succeeded")
        self.assertEqual(self.terminated("message-of-root")["message"], "DONE")
        for name, script, phase, more, want in (
                ("message-of-user", "printf DONE > /dev/termination-custom-log", "Succeeded",
                 {"terminationMessagePath": "/dev/termination-custom-log",
                  "securityContext": {"runAsUser": 1000}}, "DONE"),
                ("message-of-log", "printf DONE; exit 1", "Failed",
                 {"terminationMessagePolicy": "FallbackToLogsOnError"}, "DONE"),
                ("message-of-nothing", "printf DONE", "Succeeded",
                 {"terminationMessagePolicy": "FallbackToLogsOnError"}, None),
                ("message-of-file", "printf OK > /dev/termination-log; printf DONE", "Succeeded",
                 {"terminationMessagePolicy": "FallbackToLogsOnError"}, "OK")):
            with self.subTest(name):
                self.create_pod(name, Case(script, container=more).spec)
                self.phase(name, phase)
                self.assertEqual(self.terminated(name).get("message"), want)

    def test_restart_policies(self):
        """runtime.go: a command that ends, by restartPolicy: how often, what phase and state."""
        script = ("f=/v/count; printf x >> $f; [ $(wc -c < $f) -ge 3 ] && {after}; exit 1")
        mounts = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
        for policy, after, phase, count in (("Always", "exec sleep 1000", "Running", 2),
                                            ("OnFailure", "exit 0", "Succeeded", 2),
                                            ("Never", "exit 0", "Failed", 0)):
            self.create_pod("terminates-" + policy.lower(), Case(
                script.format(after=after), container=mounts, restartPolicy=policy,
                volumes=[{"name": "v", "emptyDir": {}}]).spec | {"restartPolicy": policy})
        for policy, phase, count in (("always", "Running", 2), ("onfailure", "Succeeded", 2),
                                     ("never", "Failed", 0)):
            pod = self.when(f"was started again {count} times", "terminates-" + policy,
                            lambda pod, count=count, phase=phase: pod["status"].get("phase") == phase
                            and pod["status"]["containerStatuses"][0]["restartCount"] == count, 60)
            state = pod["status"]["containerStatuses"][0]["state"]
            self.assertEqual(list(state), ["running" if phase == "Running" else "terminated"])

    def test_updates(self):
        """pods.go: labels, activeDeadlineSeconds."""
        self.sleeper("updated", {"labels": {"time": "one"}})
        self.phase("updated", "Running")
        self.patch("/pods/updated", {"metadata": {"labels": {"time": "two"}}})
        _, found = self.ask("GET", "/pods?labelSelector=time%3Dtwo")
        self.assertEqual([each["metadata"]["name"] for each in found["items"]], ["updated"])
        self.patch("/pods/updated", {"spec": {"activeDeadlineSeconds": 1}})
        pod = self.phase("updated", "Failed")
        self.assertEqual(pod["status"]["reason"], "DeadlineExceeded")

    def test_generation_is_observed(self):
        """pods.go, Pod Generation: status and conditions tell which generation they are of."""
        made = self.sleeper("generations")
        self.assertEqual(made["metadata"]["generation"], 1)
        self.when("is seen", "generations",
                  lambda pod: pod["status"].get("observedGeneration") == 1)
        self.ready("generations")
        image = self.cluster.world.image("debian")
        answer = self.patch("/pods/generations", {"spec": {"activeDeadlineSeconds": 5000}})
        self.assertEqual(answer["metadata"]["generation"], 2)
        answer = self.patch("/pods/generations",
                            {"spec": {"containers": [{"name": "main", "image": image}]}},
                            "application/strategic-merge-patch+json")
        self.assertEqual(answer["metadata"]["generation"], 3)
        pod = self.when("is seen", "generations", lambda pod: pod["status"].get(
            "observedGeneration") == 3 and pod["status"]["containerStatuses"][0]["restartCount"])
        self.assertIn("debian", pod["status"]["containerStatuses"][0]["image"])

    def test_deletion_is_graceful(self):
        self.sleeper("graceful", terminationGracePeriodSeconds=20, container={
            "command": ["sh", "-c", "trap 'sleep 1; exit 3' TERM; while :; do sleep 0.05; done"]})
        self.ready("graceful")
        version = self.pod("graceful")["metadata"]["resourceVersion"]
        status, answer = self.ask("DELETE", "/pods/graceful")
        self.assertEqual((status, answer["metadata"]["deletionGracePeriodSeconds"]), (200, 20))
        seen = []
        for event in self.watch("fieldSelector=metadata.name%3Dgraceful", version, 20):
            seen.append(event)
            if event["type"] == "DELETED":
                break
        self.assertEqual(seen[-1]["type"], "DELETED")
        states = [each["object"]["status"]["containerStatuses"][0]["state"] for each in seen]
        self.assertEqual(states[-1]["terminated"]["exitCode"], 3)
        self.assertEqual(seen[-1]["object"]["status"]["phase"], "Failed")

    def test_deletion_of_a_collection(self):
        for i in range(3):
            self.sleeper(f"set-{i}", {"labels": {"type": "Testing"}})
        for i in range(3):
            self.phase(f"set-{i}", "Running")
        self.assertEqual(self.ask("DELETE", "/pods?labelSelector=type%3DTesting")[0], 200)
        for i in range(3):
            self.gone(f"set-{i}")

    def test_host_addresses(self):
        self.sleeper("addresses")
        pod = self.phase("addresses", "Running")
        self.assertEqual(pod["status"]["hostIP"], worlds.ADDRESS)
        self.assertEqual(pod["status"]["hostIPs"][0], {"ip": worlds.ADDRESS})
        self.assertEqual(pod["status"]["podIPs"][0]["ip"], pod["status"]["podIP"])

    def test_readiness_gates(self):
        """pods.go: pod readiness gates, by patches of the status."""
        self.sleeper("gated", readinessGates=[{"conditionType": "k8s.io/test-condition1"}])
        self.when("has its containers", "gated", lambda pod: any(
            (each["type"], each["status"]) == ("ContainersReady", "True")
            for each in pod["status"].get("conditions", ())))
        self.assertEqual(self.condition("gated", "Ready")["status"], "False")
        self.assertEqual(self.condition("gated", "Ready")["reason"], "ReadinessGatesNotReady")
        for value in "True", "False":
            self.patch("/pods/gated/status", {"status": {"conditions": [
                {"type": "k8s.io/test-condition1", "status": value}]}},
                "application/strategic-merge-patch+json")
            self.when(f"is ready: {value}", "gated", lambda pod, value=value: any(
                (each["type"], each["status"]) == ("Ready", value)
                for each in pod["status"]["conditions"]))

    def test_hooks(self):
        """lifecycle_hook.go: exec and HTTP, after the start and before the end."""
        self.sleeper("hears", container={
            "command": ["sh", "-c", "mkdir -p /w/cgi-bin; cd /w/cgi-bin; for f in start stop; do "
                        "printf '#!/bin/sh\\necho heard-%s >> /w/heard\\necho; echo ok\\n' $f > $f; "
                        "chmod +x $f; done; httpd -p 8080 -h /w; touch /w/heard; tail -f /w/heard"]})
        address = self.ready("hears")["status"]["podIP"]
        self.logs("hears", "^|")

        def http(name):
            return {"httpGet": {"host": address, "port": 8080, "path": "/cgi-bin/" + name}}

        def run(name):
            return {"exec": {"command": ["sh", "-c", f"echo exec-{name} > /proc/1/fd/1"]}}
        self.sleeper("hooked-http", container={"lifecycle": {
            "postStart": http("start"), "preStop": http("stop")}})
        self.sleeper("hooked-exec", terminationGracePeriodSeconds=10, container={
            "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"],
            "lifecycle": {"postStart": run("start"), "preStop": {"exec": {"command": [
                "sh", "-c", "echo exec-stop > /proc/1/fd/1; sleep 1"]}}}})
        self.ready("hooked-http")
        self.ready("hooked-exec")
        self.logs("hears", "^heard-start$")
        self.logs("hooked-exec", "^exec-start$")
        self.ask("DELETE", "/pods/hooked-http")
        self.logs("hears", "^heard-stop$")
        self.ask("DELETE", "/pods/hooked-exec")
        self.logs("hooked-exec", "^exec-stop$")
        self.gone("hooked-exec")

    def test_pre_stop_sleeps_no_longer_than_the_grace_period(self):
        self.sleeper("sleeps", terminationGracePeriodSeconds=60,
                     container={"lifecycle": {"preStop": {"sleep": {"seconds": 50}}}})
        self.ready("sleeps")
        began = time.time()
        self.ask("DELETE", "/pods/sleeps?gracePeriodSeconds=2")
        self.gone("sleeps")
        self.assertTrue(1.5 < time.time() - began < 30, time.time() - began)

    def test_runtime_classes(self):
        status, answer = self.ask("POST", "/pods", {
            "metadata": {"name": "classless"}, "spec": {
                "runtimeClassName": "nonexistent", "nodeName": self.cluster.node,
                "containers": [{"name": "main", "image": "x"}]}})
        self.assertEqual((status, answer["reason"]), (403, "Forbidden"))
        self.assertIn('RuntimeClass "nonexistent" not found', answer["message"])

    def watch(self, query, version, seconds):
        """Events until the watch ends, as they come."""
        connection = self.cluster.server.connect()
        self.addCleanup(connection.close)
        connection.request("GET", f"/api/v1/namespaces/{self.namespace}/pods?watch=1&{query}&"
                           f"timeoutSeconds={seconds}&resourceVersion={version}")
        answer = connection.getresponse()
        while line := answer.readline():
            yield json.loads(line)

    def check_history(self, history):
        """What a pod whose only container fails may look like, one state after the other."""
        before = {}
        for status in history:
            phase = status.get("phase")
            self.assertIn(phase, ("Pending", "Running", "Failed"), history)
            if before.get("phase") in ("Running", "Failed"):
                self.assertNotEqual(phase, "Pending", history)
            if before.get("phase") == "Failed":
                self.assertEqual(phase, "Failed", history)
            for each in status.get("containerStatuses", ()):
                self.assertEqual(each["restartCount"], 0, history)
                ended = each["state"].get("terminated")
                if ended and ended["exitCode"] != 1:
                    # Killed before, or never there.
                    self.assertEqual(ended["exitCode"], 137, history)
                    self.assertIn(ended["reason"], ("Error", "ContainerStatusUnknown"), history)
                elif ended:
                    self.assertLessEqual(ended["startedAt"], ended["finishedAt"])
                for last in before.get("containerStatuses", ()):
                    if "terminated" in last["state"]:
                        self.assertEqual(each["state"], last["state"], history)
                    if "running" in last["state"]:
                        self.assertNotIn("waiting", each["state"], history)
            before = status

    def test_success_is_never_told_of_what_did_not_run(self):
        """test/e2e/node/pods.go: pods that fail at once and are deleted at any moment."""
        random.seed(1)
        version = self.ask("GET", "/pods?limit=1")[1]["metadata"]["resourceVersion"]
        for i in range(20):
            self.create_pod(f"hurried-{i}", Case("exit 1", initContainers=[] if i % 2 else [
                {"name": "init", "image": "busybox", "command": ["true"]}]).spec,
                {"labels": {"hurried": "1"}})
            time.sleep(random.random() / 10)
            self.assertEqual(self.ask("DELETE", f"/pods/hurried-{random.randint(0, i)}?"
                                      f"gracePeriodSeconds={random.choice((0, 1, 30))}")[0] // 100
                             in (2, 4), True)
        self.ask("DELETE", "/pods?labelSelector=hurried%3D1")
        histories, ended = {}, set()
        for event in self.watch("labelSelector=hurried%3D1", version, 20):
            name = event["object"]["metadata"]["name"]
            histories.setdefault(name, []).append(event["object"]["status"])
            if event["type"] == "DELETED":
                self.check_history(histories.pop(name))
                ended.add(name)
                if len(ended) == 20:
                    break
        self.assertEqual(len(ended), 20, histories)

    def test_patches_of_the_status(self):
        """pods.go: the lifecycle of a status that others write too."""
        self.sleeper("patched")
        self.ready("patched")
        self.patch("/pods/patched/status", {"status": {"conditions": [
            {"type": "example.com/mine", "status": "True", "reason": "Because"}]}},
            "application/strategic-merge-patch+json")
        time.sleep(1)
        self.assertEqual(self.condition("patched", "example.com/mine")["reason"], "Because")
        self.assertEqual(self.condition("patched", "Ready")["status"], "True")

    def test_quality_of_service(self):
        amounts = {"cpu": "100m", "memory": "32Mi"}
        for name, resources, wanted in (
                ("guaranteed", {"limits": amounts, "requests": amounts}, "Guaranteed"),
                ("burstable", {"requests": amounts}, "Burstable"), ("besteffort", {}, "BestEffort")):
            made = self.sleeper("qos-" + name, container={"resources": resources})
            self.assertEqual(made["status"]["qosClass"], wanted)


# test/e2e/common/node/container_probe.go
class ProbesTest(NodeCase):
    quick = {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1}

    @classmethod
    def prober(cls, name, script, **probes):
        cls.create_pod(name, {"automountServiceAccountToken": False, "containers": [
            {"name": "main", "image": "busybox", "command": ["sh", "-c", script], **probes}]})

    @classmethod
    def prepare(cls):
        def run(*command):
            return {"exec": {"command": list(command)}, **cls.quick}
        http = {"httpGet": {"path": "/", "port": 8080}, **cls.quick}
        serve = "mkdir /w; echo ok > /w/index.html; httpd -f -p 8080 -h /w"
        alive = "touch /tmp/health; {}; sleep 1000"
        cls.steady = ["exec-well", "http-well", "tcp-well", "startup-well"]
        cls.restarted = ["exec-ill", "http-ill", "timeout", "startup-ill", "local-redirect"]
        cls.prober("exec-well", alive.format("true"), livenessProbe=run("cat", "/tmp/health"))
        cls.prober("http-well", serve, livenessProbe={**http, "initialDelaySeconds": 1})
        cls.prober("tcp-well", serve, livenessProbe={
            "tcpSocket": {"port": 8080}, **cls.quick, "initialDelaySeconds": 1})
        cls.prober("exec-ill", alive.format("sleep 1; rm /tmp/health"),
                   livenessProbe={**run("cat", "/tmp/health"), "initialDelaySeconds": 1})
        cls.prober("http-ill", serve + " & sleep 2; rm /w/index.html; wait",
                   livenessProbe={**http, "initialDelaySeconds": 1})
        cls.prober("timeout", alive.format("true"), livenessProbe=run("sleep", "600"))
        cls.prober("not-ready-timeout", alive.format("true"), readinessProbe=run("sleep", "600"))
        cls.prober("not-ready", alive.format("true"), readinessProbe=run("false"))
        cls.prober("delayed", alive.format("true"), readinessProbe={
            **run("true"), "initialDelaySeconds": 4})
        # Until it has started, the other probes wait.
        cls.prober("startup-well", "sleep 2; touch /tmp/health; sleep 1000",
                   startupProbe={**run("cat", "/tmp/health"), "failureThreshold": 60},
                   livenessProbe=run("cat", "/tmp/health"))
        cls.prober("startup-ill", "sleep 1000",
                   startupProbe={**run("cat", "/tmp/health"), "failureThreshold": 2},
                   livenessProbe=run("true"))
        redirect = ("mkdir -p /w/cgi-bin; cd /w/cgi-bin; "
                    "printf '#!/bin/sh\\necho \"Status: 302 Found\"; echo \"Location: {}\"; echo\\n' "
                    "> r; chmod +x r; httpd -f -p 8080 -h /w")
        redirected = {"httpGet": {"path": "/cgi-bin/r", "port": 8080}, **cls.quick,
                      "initialDelaySeconds": 1}
        cls.prober("local-redirect", redirect.format("/nothing"), livenessProbe=redirected)
        cls.prober("foreign-redirect", redirect.format("http://0.0.0.0:1/"),
                   livenessProbe=redirected)

    def restarts(self, name):
        statuses = self.pod(name)["status"].get("containerStatuses", ())
        return [each["restartCount"] for each in statuses]

    def test_restarts(self):
        for name in self.restarted:
            with self.subTest(name):
                self.when("was started again", name, lambda pod: pod["status"].get(
                    "containerStatuses", [{}])[0].get("restartCount", 0) > 0, 60)
        for name in self.steady:
            self.ready(name)
            self.assertEqual(self.restarts(name), [0], name)

    def test_redirects_to_others_are_not_followed(self):
        self.ready("foreign-redirect")
        worlds.wait_for("it is told", lambda: self.get(
            "events", "--field-selector=involvedObject.name=foreign-redirect,reason=ProbeWarning")
            ["items"])
        self.assertEqual(self.restarts("foreign-redirect"), [0])

    def test_readiness(self):
        pod = self.ready("delayed")
        started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        ready = self.condition("delayed", "Ready")["lastTransitionTime"]

        def seconds(text):
            return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
        self.assertGreaterEqual(seconds(ready) - seconds(started), 3)
        for name in "not-ready", "not-ready-timeout":
            pod = self.phase(name, "Running")
            self.assertFalse(pod["status"]["containerStatuses"][0]["ready"])
            self.assertEqual(self.restarts(name), [0])
            self.assertEqual(self.condition(name, "Ready")["reason"], "ContainersNotReady")


# test/e2e/common/network/networking.go, test/e2e/network/hostport.go
class NetworkTest(NodeCase):
    def server(self, name, **more):
        self.create_pod(name, {"automountServiceAccountToken": False, "containers": [
            {"name": "main", "image": "busybox", "command": [
                "sh", "-c", f"mkdir /w; echo {name} > /w/index.html; httpd -p 8080 -h /w; "
                "exec tail -f /dev/null"], **more.pop("container", {})}], **more})

    def test_pods_reach_each_other(self):
        for i in range(2):
            self.server(f"peer-{i}")
        addresses = [self.ready(f"peer-{i}")["status"]["podIP"] for i in range(2)]
        for i in range(2):
            for other in range(2):
                self.assertEqual(self.kubectl(
                    "exec", f"peer-{i}", "--", "wget", "-qO-",
                    f"http://{addresses[other]}:8080/"), f"peer-{other}\n")
        # The node reaches its pods.
        self.assertEqual(self.cluster.world.fetch(f"http://{addresses[0]}:8080/")[0], "peer-0\n")

    def test_host_ports_with_other_addresses_do_not_conflict(self):
        for name, address, protocol in (("port-1", "127.0.0.1", "TCP"),
                                        ("port-2", worlds.ADDRESS, "TCP"),
                                        ("port-3", worlds.ADDRESS, "UDP")):
            self.server(name, container={"ports": [
                {"containerPort": 8080 if protocol == "TCP" else 8081, "hostPort": 54323,
                 "protocol": protocol, "hostIP": address}]})
        for i in 1, 2, 3:
            self.ready(f"port-{i}")
        self.assertEqual(self.cluster.world.fetch("http://127.0.0.1:54323/")[0], "port-1\n")
        self.assertEqual(self.cluster.world.fetch(f"http://{worlds.ADDRESS}:54323/")[0], "port-2\n")

    def test_host_network(self):
        self.create_pod("of-the-host", Case("hostname; cat /etc/hosts", hostNetwork=True).spec)
        pod = self.phase("of-the-host", "Succeeded")
        self.assertEqual(pod["status"]["podIP"], worlds.ADDRESS)
        self.assertNotIn("Kubernetes-managed hosts file.", self.log("of-the-host"))

    def test_names(self):
        self.create_pod("dns", Case("cat /etc/resolv.conf", dnsPolicy="None", dnsConfig={
            "nameservers": ["1.1.1.1"], "searches": ["resolv.conf.local"],
            "options": [{"name": "ndots", "value": "2"}]}).spec)
        self.phase("dns", "Succeeded")
        self.assertEqual(self.log("dns"),
                         "search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n")


if __name__ == "__main__":
    clusters.main()
