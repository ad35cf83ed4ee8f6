#!/usr/bin/env python3
"""Runs the program as people do: exact outputs and exit statuses.

PODIUM_BUILD_DIR names the build. PODIUM_ACCEPT=1 writes the expected outputs in tests/cli/golden/
anew; look at the difference before it is committed.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
PODIUM = pathlib.Path(os.environ.get("PODIUM_BUILD_DIR", ROOT / "build/dev")) / "podium"
EXAMPLES = sorted(p for p in (ROOT / "examples").iterdir() if p.suffix in (".yaml", ".json"))
TEN_MISTAKES = "examples/broken/ten-mistakes.yaml"

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: nginx
"""


def podium(*arguments, stdin=b"", timeout=60):
    """Exit status, standard output and standard error."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    run = subprocess.run([PODIUM, *map(str, arguments)], input=stdin, cwd=ROOT, timeout=timeout,
                         capture_output=True, check=False)
    return run.returncode, run.stdout, run.stderr.decode()


class PodiumTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="podium_test_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def expect(self, arguments, out="", err="", status=0, stdin=b""):
        actual = podium(*arguments, stdin=stdin)
        self.assertEqual((actual[0], actual[1].decode(), actual[2]), (status, out, err), arguments)

    def expect_golden(self, name, arguments, status=0):
        actual, out, err = podium(*arguments)
        self.assertEqual((actual, err), (status, ""), arguments)
        path = GOLDEN / name
        if os.environ.get("PODIUM_ACCEPT"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(out)
        self.assertEqual(out.decode(), path.read_text(encoding="utf-8"), arguments)


class ValidateTest(PodiumTest):
    def test_ten_mistakes_each_at_its_line(self):
        self.expect_golden("ten-mistakes.txt", ["validate", "-f", TEN_MISTAKES], status=1)
        lines = (ROOT / TEN_MISTAKES).read_text(encoding="utf-8").splitlines()
        marked = [i + 1 for i, line in enumerate(lines) if re.search(r"# \d+: ", line)]
        _, out, _ = podium("validate", "-f", TEN_MISTAKES, "-o", "json")
        report = json.loads(out)
        self.assertEqual([problem["line"] for problem in report["problems"]], marked)
        self.assertEqual(len(marked), 10)

    def test_json_report(self):
        self.expect_golden("ten-mistakes.json", ["validate", "-f", TEN_MISTAKES, "-o", "json"],
                           status=1)
        self.expect(["validate", "-f", "examples/pod.yaml", "-o", "json"],
                    '{\n  "files": 1,\n  "objects": 1,\n  "problems": []\n}\n')
        missing = self.folder / "missing"
        self.expect(["validate", "-o", "json", missing], json.dumps({
            "files": 0, "objects": 0, "problems": [{
                "file": str(missing), "reason": "Unreadable",
                "message": "cannot be read: No such file or directory"}]}, indent=2) + "\n",
            status=1)

    def test_examples_have_no_problem(self):
        status, out, err = podium("validate", "-f", "examples")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out.decode(), rf"^{len(EXAMPLES)} files, \d+ objects: no problems\n$")
        played = sorted((ROOT / "examples/play").iterdir())
        self.assertTrue(played)
        for path in EXAMPLES + played:
            status, out, err = podium("validate", "-f", path)
            self.assertEqual((status, err), (0, ""), out.decode())

    def test_what_is_named(self):
        good = self.write("good.yaml", POD)
        bad = self.write("sub/bad.yaml", POD.replace("image:", "imgae:"))
        problem = f'{bad}:8:7: unknown field "spec.containers[0].imgae"; did you mean "image"?\n'
        for arguments, out, status in (
                (["-f", good], "1 file, 1 object: no problems\n", 0),
                ([good, good], "2 files, 2 objects: no problems\n", 0),
                (["-f", self.folder], "1 file, 1 object: no problems\n", 0),
                (["-f", bad], problem + "1 file, 1 object: 1 problem\n", 1),
                (["-Rf", self.folder], problem + "2 files, 2 objects: 1 problem\n", 1),
        ):
            self.expect(["validate", *arguments], out, status=status)
        self.expect(["validate", "-f", "-"], "1 file, 1 object: no problems\n", stdin=POD)
        self.expect(["validate", "-f", "-"], status=1, stdin=POD.replace("Pod", "Pdo"), out=(
            'stdin:2:7: kind: no matches for kind "Pdo" in version "v1"; did you mean "Pod"?\n'
            "1 file, 1 object: 1 problem\n"))

    def test_kinds_that_are_not_known(self):
        widget = "apiVersion: example.com/v1\nkind: Widget\n---\n"
        out = ('stdin:1:13: apiVersion: no matches for kind "Widget" in version "example.com/v1"\n'
               "1 file, 2 objects: 1 problem\n")
        self.expect(["validate", "-f", "-"], out, status=1, stdin=widget + POD)
        self.expect(["validate", "--ignore-unknown-kinds", "-f", "-"], stdin=widget + POD,
                    out="1 file, 1 object and 1 of unknown kinds: no problems\n")

    def test_streams(self):
        name = POD.replace("name: web\n  ", "name: WEB\n  ", 1).replace("metadata:\n  name: web",
                                                                       "metadata:\n  name: W")
        status, out, _ = podium("validate", "-f", "-", stdin=POD + "---\n" + name)
        self.assertEqual(status, 1)
        self.assertTrue(out.startswith(b'stdin:13:9: metadata.name: Invalid value: "W": '), out)
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}}]}, indent=1)
        self.expect(["validate", "-f", "-"], status=1, stdin=items, out=(
            "stdin:11:4: items[0].spec.containers: Required value\n1 file, 1 object: 1 problem\n"))

    def test_nothing_to_validate(self):
        for arguments in ([], ["-f", "-", "-"]):
            self.assertEqual(podium("validate", *arguments)[0], 2)
        self.expect(["validate", "-f", "-"], "stdin: holds no objects\n1 file, 0 objects: 1 "
                    "problem\n", status=1, stdin="# nothing\n---\n")
        empty = self.folder / "empty"
        empty.mkdir()
        self.expect(["validate", "-f", empty], f"{empty}: no file in it ends in .yaml, .yml or "
                    ".json\n0 files, 0 objects: 1 problem\n", status=1)

    def test_unreadable_folder(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0)
        program, user = PODIUM, None
        if os.geteuid() == 0:  # who may read every folder
            self.folder.chmod(0o755)
            program, user = shutil.copy(PODIUM, self.folder), 65534
        run = subprocess.run([program, "validate", "-f", closed], user=user, cwd="/", check=False,
                             capture_output=True)
        self.assertEqual((run.returncode, run.stdout.decode()), (
            1, f"{closed}: cannot be read: Permission denied\n0 files, 0 objects: 1 problem\n"))

    def test_what_a_file_says_cannot_steer_the_terminal(self):
        text = POD.replace("nginx", '"\\e[31m"').replace("image", '"\\e]0;x\\a"')
        status, out, _ = podium("validate", "-f", "-", stdin=text)
        self.assertEqual(status, 1)
        self.assertNotIn(b"\x1b", out)


class HostileInputTest(PodiumTest):
    """Each ends soon, with a problem and no crash."""

    CASES = {
        "flow.yaml": "a: " + "[" * 200_000,
        "flow-closed.yaml": "[" * 50_000 + "]" * 50_000,
        "block.yaml": "".join(" " * i + "a:\n" for i in range(3000)),
        "deep.json": '{"a":' * 200_000,
        "deep-closed.json": '{"apiVersion":"v1","kind":"Pod","x":' + "[" * 5000 + "]" * 5000 + "}",
        "bomb.yaml": "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"a{i}: &a{i} [" + ",".join([f"*a{i - 1}"] * 10) + "]\n" for i in range(1, 12)),
        "cycle.yaml": "a: &a [*a]\n",
        "binary.yaml": bytes(range(256)) * 100,
        "zeros.json": b"{" + b"\0" * 10_000,
        "utf16.yaml": POD.encode("utf-16"),
        "latin1.yaml": POD.replace("nginx", "ü").encode("latin-1"),
        "protobuf.yaml": b"k8s\0\x0a\x00",
        "unclosed.json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x',
        "many-mistakes.yaml": POD + "".join(f"  x{i}: 1\n" for i in range(100_000)),
        "long-line.json": '{"apiVersion":"v1","kind":"ConfigMap","data":{' +
                          ",".join(f'"{i}":1' for i in range(100_000)) + "}}",
        "many-documents.yaml": "a: 1\n---\n" * 20_000,
    }

    def test_validate_and_convert(self):
        for name, content in self.CASES.items():
            path = self.write(name, content)
            for command in (["validate", "-f"], ["convert", "-f"]):
                with self.subTest(name=name, command=command[0]):
                    start = time.monotonic()
                    status, _, err = podium(*command, path)
                    if name == "utf16.yaml":
                        self.assertIn(status, (0, 1), err)  # YAML may be in UTF-16
                    else:
                        self.assertEqual(status, 1, err)
                    self.assertNotIn("Sanitizer", err)
                    self.assertLess(time.monotonic() - start, 30)

    def test_a_huge_file(self):
        path = self.write("huge.yaml", b"")
        os.truncate(path, (64 << 20) + 1)
        self.expect(["validate", "-f", path],
                    f"{path}: larger than 64 MiB\n0 files, 0 objects: 1 problem\n", status=1)

    def test_arguments(self):
        for argument in ("", "\x1b[31m", "a" * 100_000, "..", "[", "pod.spec[", "pod." * 10_000):
            for command in ("explain", "__complete", "help", "completion"):
                status, out, err = podium(command, argument)
                self.assertIn(status, (0, 1, 2), (command, argument[:20], err))
                self.assertNotIn(b"\x1b[31m", out)
                self.assertNotIn("\x1b[31m", err)


class ConvertTest(PodiumTest):
    def test_formats(self):
        self.expect_golden("pod.json", ["convert", "-f", "examples/pod.yaml", "-o", "json"])
        self.expect_golden("pod.yaml", ["convert", "-f", "examples/pod.json"])
        _, protobuf, _ = podium("convert", "-f", "examples/pod.yaml", "-o", "protobuf")
        self.assertTrue(protobuf.startswith(b"k8s\0"))
        decoded = subprocess.run(["protoc", "--decode_raw"], input=protobuf[4:], check=True,
                                 capture_output=True).stdout.decode()
        self.assertTrue(decoded.startswith('1 {\n  1: "v1"\n  2: "Pod"\n}\n2 {\n'), decoded)

    def test_every_example_survives_every_format(self):
        for path in EXAMPLES:
            status, yaml, err = podium("convert", "-f", path)
            self.assertEqual((status, err), (0, ""), path)
            status, as_json, err = podium("convert", "-f", "-", "-o", "json", stdin=yaml)
            self.assertEqual((status, err), (0, ""), path)
            self.assertEqual(podium("convert", "-f", "-", stdin=as_json), (0, yaml, ""), path)
            if separators := yaml.count(b"\n---\n"):
                self.expect(["convert", "-f", "-", "-o", "protobuf"], status=1, stdin=yaml, err=(
                    f"podium convert: protobuf takes one object, and there are {separators + 1}\n"))
                continue
            status, protobuf, err = podium("convert", "-f", "-", "-o", "protobuf", stdin=yaml)
            self.assertEqual((status, err), (0, ""), path)
            self.assertEqual(podium("convert", "-f", "-", stdin=protobuf), (0, yaml, ""), path)

    def test_kinds_that_are_not_known(self):
        widget = "apiVersion: example.com/v1\nkind: Widget\nspec:\n  b: 1\n  a: null\n"
        status, out, _ = podium("convert", "-f", "-", "-o", "json", stdin=widget)
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(out), {"apiVersion": "example.com/v1", "kind": "Widget",
                                           "spec": {"b": 1, "a": None}})
        self.expect(["convert", "-f", "-", "-o", "protobuf"], status=1, stdin=widget, err=(
            "podium convert: an object of an unknown kind has no protobuf form\n"))

    def test_what_cannot_be_read(self):
        self.expect(["convert", "-f", "-"], status=1, stdin=POD + "  x: 1\n---\n" + POD,
                    err='stdin:9:3: unknown field "spec.x"\n')
        missing = self.folder / "missing"
        self.expect(["convert", "-f", missing], status=1,
                    err=f"{missing}: cannot be read: No such file or directory\n")
        self.expect(["convert", "-f", "-"], status=1, stdin=b"k8s\0\x0a\x0a\x0a\x02v1\x12\x04Nope",
                    err='stdin: no matches for kind "Nope" in version "v1"\n')
        self.assertEqual(podium("convert")[0], 2)
        self.assertEqual(podium("convert", "-f", "x", "-o", "toml")[0], 2)

    def test_protobuf_is_kept_from_terminals(self):
        leader, follower = os.openpty()
        run = subprocess.run([PODIUM, "convert", "-f", "examples/pod.yaml", "-o", "protobuf"],
                             cwd=ROOT, stdout=follower, stderr=subprocess.PIPE, check=False)
        os.close(follower)
        os.close(leader)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"protobuf is nothing for a terminal", run.stderr)


class ExplainTest(PodiumTest):
    def without_descriptions(self, *arguments):
        status, out, err = podium("explain", *arguments)
        self.assertEqual((status, err), (0, ""), arguments)
        return re.sub(r"DESCRIPTION:\n(    .*\n)+", "DESCRIPTION:\n", out.decode())

    def test_the_form(self):
        self.assertEqual(self.without_descriptions("deployment.spec.strategy", "--recursive"), (
            "GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n\n"
            "FIELD: strategy <DeploymentStrategy>\n\nDESCRIPTION:\n\nFIELDS:\n"
            '  rollingUpdate\t<RollingUpdateDeployment>\n'
            '  default: {"maxUnavailable":"25%","maxSurge":"25%"}\n'
            "    maxSurge\t<IntOrString>\n    default: 25%\n"
            "    maxUnavailable\t<IntOrString>\n    default: 25%\n"
            "  type\t<string>\n  enum: Recreate, RollingUpdate\n  default: RollingUpdate\n"))
        self.assertEqual(self.without_descriptions("pod.spec.containers.imagePullPolicy"), (
            "KIND:       Pod\nVERSION:    v1\n\nFIELD: imagePullPolicy <string>\n"
            "ENUM:\n    Always\n    IfNotPresent\n    Never\nDEFAULT:\n"
            "    Always when the image's tag is latest or missing, else IfNotPresent\n\n"
            "DESCRIPTION:\n"))

    def test_a_whole_page(self):
        self.expect_golden("explain-probe.txt", ["explain", "pod.spec.containers.livenessProbe"])

    def test_fields_have_type_requiredness_and_description(self):
        _, out, _ = podium("explain", "pod.spec.containers")
        fields = re.findall(r"^  (\w+)\t<(.*)>( -required-)?\n(?:  \w+: .*\n)*((?:    .*\n)+)",
                            out.decode(), re.MULTILINE)
        by_name = {name: (kind, bool(required)) for name, kind, required, _ in fields}
        self.assertEqual(by_name["name"], ("string", True))
        self.assertEqual(by_name["image"], ("string", False))
        self.assertEqual(by_name["ports"], ("[]ContainerPort", False))
        self.assertEqual(list(by_name), sorted(by_name))

    def test_the_optional_mark_wins(self):
        for field, required in (
                ("service.status.loadBalancer.ingress.ports.error", False),  # has both marks
                ("ingress.status.loadBalancer.ingress.ports.error", False),  # has both marks
                ("service.status.loadBalancer.ingress.ports.port", True),
                ("cronjob.spec", True),  # marked, though JSON may leave it out
        ):
            _, out, _ = podium("explain", field)
            line = next(line for line in out.decode().splitlines() if line.startswith("FIELD: "))
            self.assertEqual(line.endswith(" -required-"), required, line)

    def test_everything_can_be_explained(self):
        for resource in ("pods", "crd", "validatingadmissionpolicies", "resourceslices", "hpa"):
            status, out, err = podium("explain", resource, "--recursive")
            self.assertEqual((status, err), (0, ""), resource)
            self.assertGreater(out.count(b"\n"), 50)

    def test_versions(self):
        _, v1, _ = podium("explain", "hpa.spec", "--api-version", "autoscaling/v1")
        _, v2, _ = podium("explain", "hpa.spec")
        self.assertIn(b"targetCPUUtilizationPercentage", v1)
        self.assertIn(b"metrics\t<[]MetricSpec>", v2)

    def test_mistakes(self):
        for arguments, err in (
                (["pdo"], 'there is no resource type "pdo"; did you mean "pod"?'),
                (["pod.spec.contaners"],
                 'field "contaners" does not exist in pod.spec; did you mean "containers"?'),
                (["pods", "--api-version=apps/v1"],
                 'there is no resource type "pods" in apps/v1'),
        ):
            self.expect(["explain", *arguments], err=f"podium explain: {err}\n", status=1)
        self.assertEqual(podium("explain")[0], 2)
        self.assertEqual(podium("explain", "pod", "node")[0], 2)


class PatchTest(PodiumTest):
    def patched(self, patch, *arguments, manifest=POD):
        status, out, err = podium("patch", "--local", "-f", "-", "-p", patch, "-o", "json",
                                  *arguments, stdin=manifest)
        self.assertEqual((status, err), (0, ""), patch)
        return json.loads(out)

    def test_every_kind_of_patch(self):
        strategic = self.patched(
            '{"spec":{"containers":[{"name":"side","image":"x"},{"name":"web","image":"y"}]}}')
        self.assertEqual([(c["name"], c["image"]) for c in strategic["spec"]["containers"]],
                         [("side", "x"), ("web", "y")])
        merge = self.patched('{"spec":{"containers":[{"name":"side","image":"x"}]}}',
                             "--type", "merge")
        self.assertEqual([c["name"] for c in merge["spec"]["containers"]], ["side"])
        operations = '[{"op":"replace","path":"/spec/containers/0/image","value":"z"}]'
        operated = self.patched(operations, "--type=json")
        self.assertEqual(operated["spec"]["containers"][0]["image"], "z")

    def test_yaml_and_files(self):
        patch = self.write("patch.yaml", "metadata:\n  labels: {a: b}\n")
        self.expect(["patch", "--local", "-f", "-", "--patch-file", patch, "-o", "yaml"],
                    POD.replace("metadata:\n", "metadata:\n  labels:\n    a: b\n")
                       .replace("    - name: web\n      image: nginx\n",
                                "  - image: nginx\n    name: web\n    resources: {}\n"
                                "status: {}\n"), stdin=POD)
        pod = self.write("pod.yaml", POD)
        self.expect(["patch", "--local", "-f", pod, "--patch-file", "-"], "pod/web patched\n",
                    stdin=b'{"spec":{"nodeName":"n"}}')
        self.assertEqual(pod.read_text(), POD)

    def test_several_objects_and_lists(self):
        widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {a: 1}\n"
        both = widget + "---\n" + POD
        patch = ["patch", "--local", "-f", "-", "--type", "merge", "-p", '{"spec":{"nodeName":"n"}}']
        self.expect([*patch], "widget.example.com/w patched\npod/web patched\n", stdin=both)
        self.expect([*patch, "-o", "name"], "widget.example.com/w\npod/web\n", stdin=both)
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"},
             "data": {"k": "v"}}]})
        self.expect(["patch", "--local", "-f", "-", "-p", '{"data":{"k":"v"}}'],
                    "configmap/a patched\nconfigmap/b patched (no change)\n", stdin=listed)

    def test_what_does_not_apply(self):
        def fails(message, patch, *arguments, manifest=POD):
            self.expect(["patch", "--local", "-f", "-", "-p", patch, *arguments], stdin=manifest,
                        err=f"podium patch: {message}\n", status=1)
        fails("pod/web: testing value /kind failed: test failed",
              '[{"op":"test","path":"/kind","value":"Node"}]', "--type", "json")
        fails("pod/web: map: map[image:x] does not contain declared merge key: name",
              '{"spec":{"containers":[{"image":"x"}]}}')
        fails('pod/web: unknown field "spec.nope"', '{"spec":{"nope":1}}')
        fails("pod/web: a patch cannot change apiVersion and kind", '{"kind":"Node"}', "--type",
              "merge")
        fails("pod/web: the patch is no object", "[]")
        fails("widget.example.com/w: strategic merge patch is not supported for example.com/v1, "
              "Kind=Widget locally, try --type merge", "{}",
              manifest="apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n")
        for arguments in (["--local", "x", "-p", "{}"], ["--local", "-p", "{}"], ["--local", "-f", "-"],
                          ["--local", "-f", "-", "-p", "{}", "--patch-file", "x"],
                          ["--local", "-f", "-", "--patch-file", "-"],
                          ["--local", "-f", "-", "-p", "{}", "--type", "apply"]):
            self.assertEqual(podium("patch", *arguments, stdin=POD)[0], 2, arguments)


class ApplyTest(PodiumTest):
    DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - {name: web, image: nginx}
"""
    SCALE = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"

    def applied(self, manifest, *arguments):
        status, out, err = podium("apply", "--local", "-f", "-", "-o", "json", *arguments,
                                  stdin=manifest)
        self.assertEqual((status, err), (0, ""), manifest)
        self.live = self.write("live.json", out.decode())
        return json.loads(out)

    @staticmethod
    def owners(deployment):
        return {(entry["manager"], entry["operation"]): entry["fieldsV1"]
                for entry in deployment["metadata"]["managedFields"]}

    def test_ownership_is_shown(self):
        config = self.write("web.yaml", self.DEPLOYMENT)
        self.expect(["apply", "--local", config, "--field-manager=ci"],
                    "deployment.apps/web serverside-applied\n"
                    "  ci applies:\n"
                    "    metadata.labels.app\n"
                    "    spec.replicas\n"
                    '    spec.template.spec.containers[name="web"].image\n'
                    '    spec.template.spec.containers[name="web"].name\n')
        self.applied(self.DEPLOYMENT, "--field-manager", "ci")
        self.expect(["apply", "--local", config, "--onto", self.live, "--field-manager=ci"],
                    "deployment.apps/web serverside-applied (no change)\n"
                    "  ci applies:\n"
                    "    metadata.labels.app\n"
                    "    spec.replicas\n"
                    '    spec.template.spec.containers[name="web"].image\n'
                    '    spec.template.spec.containers[name="web"].name\n')
        self.expect(["apply", "--local", "-f", config, "-o", "name"], "deployment.apps/web\n")

    def test_conflicts(self):
        self.applied(self.DEPLOYMENT, "--field-manager=ci")
        self.expect(
            ["apply", "--local", "-f", "-", "--onto", self.live, "--field-manager=scaler"],
            stdin=self.SCALE, status=1,
            err='podium apply: deployment.apps/web: Apply failed with 1 conflict: conflict with '
                '"ci": .spec.replicas\n'
                "Take the fields over with --force-conflicts; or leave them out of the file, and "
                "their owners keep them; or give them the value that they have, and own them "
                "together.\n")
        scaled = self.applied(self.SCALE, "--onto", self.live, "--field-manager=scaler",
                              "--force-conflicts")
        self.assertEqual(scaled["spec"]["replicas"], 3)
        owners = self.owners(scaled)
        self.assertEqual(owners["scaler", "Apply"], {"f:spec": {"f:replicas": {}}})
        self.assertNotIn("f:replicas", owners["ci", "Apply"]["f:spec"])

    def test_what_is_not_applied_any_more_goes(self):
        self.applied(self.DEPLOYMENT, "--field-manager=ci")
        less = self.applied(self.DEPLOYMENT.replace("  replicas: 1\n", "")
                            .replace(", labels: {app: web}", ""),
                            "--onto", self.live, "--field-manager=ci")
        self.assertNotIn("replicas", less["spec"])
        self.assertNotIn("labels", less["metadata"])

    def test_objects_without_owners_and_unknown_kinds(self):
        pod = self.write("pod.yaml", POD)
        status, out, _ = podium("apply", "--local", "-f", "-", "--onto", pod,
                                "--field-manager=ci", stdin=POD.replace("nginx", "httpd"))
        self.assertEqual(status, 1)
        out = self.applied(POD, "--onto", pod, "--field-manager=ci")
        self.assertEqual(set(self.owners(out)),
                         {("ci", "Apply"), ("before-first-apply", "Update")})
        widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {a: 1}\n"
        self.expect(["apply", "--local", "-f", "-"], stdin=widget,
                    out="widget.example.com/w serverside-applied\n  podium applies:\n    spec.a\n")

    def test_one_object_is_found_by_its_namespace(self):
        # A cluster's dump names the namespace that a file leaves out.
        dumped = self.DEPLOYMENT.replace("data: {name: web,", "data: {name: web, namespace: default,")
        live = self.applied(dumped, "--field-manager=ci")
        scaled = self.applied(self.SCALE, "--onto", self.live, "--field-manager=ci")
        self.assertEqual(scaled["metadata"]["namespace"], "default")
        self.assertIsNone(scaled["spec"]["template"]["spec"]["containers"])
        self.write("live.json", json.dumps(live))
        other = self.applied(self.SCALE.replace("{name: web}", "{name: web, namespace: other}"),
                             "--onto", self.live, "--field-manager=ci")
        self.assertEqual(other["metadata"]["namespace"], "other")

    def test_steps_that_are_no_fields_are_shown_whole(self):
        live = json.loads(podium("convert", "-f", "-", "-o", "json", stdin=POD)[1])
        live["metadata"]["managedFields"] = [{
            "manager": "odd", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"i:5": {}}}]
        onto = self.write("p.json", json.dumps(live))
        self.expect(["apply", "--local", "-f", "-", "--onto", onto],
                    "pod/web serverside-applied\n  podium applies:\n"
                    '    spec.containers[name="web"].image\n'
                    '    spec.containers[name="web"].name\n'
                    "  odd has set:\n    [5]\n", stdin=POD)

    def test_fields_owned_in_another_version_of_the_kind(self):
        scaler = ("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
                  "metadata: {name: web}\nspec:\n"
                  "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
                  "  maxReplicas: %d\n")
        live = self.applied(scaler % 3, "--field-manager=ci")
        owned = live["metadata"]["managedFields"][0]
        owned["apiVersion"] = "autoscaling/v1"
        self.live = self.write("live.json", json.dumps(live))
        status, _, err = podium("apply", "--local", "-f", "-", "--onto", self.live,
                                "--field-manager=other", stdin=scaler % 4)
        self.assertEqual(status, 1)
        self.assertIn('conflict with "ci": .spec.maxReplicas', err)
        self.assertEqual(self.applied(scaler % 4, "--onto", self.live, "--field-manager=ci")
                         ["spec"]["maxReplicas"], 4)

    def test_an_object_that_is_there_twice_is_applied_twice(self):
        self.applied(self.DEPLOYMENT, "--field-manager=ci")
        status, out, err = podium(
            "apply", "--local", "-f", "-", "--onto", self.live, "--field-manager=scaler",
            "--force-conflicts", "-o", "yaml",
            stdin=self.SCALE + "---\n" + self.SCALE.replace("{replicas: 3}", "{}"))
        self.assertEqual((status, err), (0, ""))
        first, second = out.decode().split("---\n")
        self.assertIn("replicas: 3", first)
        # What the first has taken over, the second lets go: it is nobody's then.
        self.assertNotIn("replicas", second)

    def test_what_cannot_be_applied(self):
        self.expect(["apply", "--local", "-f", "-"],
                    stdin=POD.replace("  name: web\n", "  name: web\n  managedFields: []\n", 1),
                    err="podium apply: pod/web: metadata.managedFields must be nil\n", status=1)
        self.assertIn('unknown field "spec.x"',
                      podium("apply", "--local", "-f", "-", stdin=POD + "  x: 1\n")[2])
        for arguments in (["--onto", "-"], ["--local"], ["--local", "-f", "-", "--onto", "-"],
                          ["--local", "-f", "-", "-o", "table"], ["-f", "-", "extra"],
                          ["--local", "-f", "-", "--server-side"]):
            self.assertEqual(podium("apply", *arguments, stdin=POD)[0], 2, arguments)


class DiffTest(PodiumTest):
    def differs(self, before, after, *arguments):
        return podium("diff", self.write("a.yaml", before), self.write("b.yaml", after), *arguments)

    def test_meaning_not_form(self):
        pod = POD + "      resources: {limits: {cpu: 1000m}}\n"
        as_json = podium("convert", "-f", "-", "-o", "json", stdin=pod)[1]
        other = as_json.replace(b'"1"', b'"1000m"')
        self.assertEqual(self.differs(pod, other), (0, b"", ""))

    def test_differences(self):
        after = POD.replace("nginx", "httpd") + "    - name: side\n      image: x\n"
        self.assertEqual(self.differs(POD, after), (1, (
            '~ pod/web\n'
            '  ~ spec.containers[name="web"].image: "nginx" -> "httpd"\n'
            '  + spec.containers[name="side"]: {"name":"side","image":"x","resources":{}}\n'
        ).encode(), ""))
        status, out, _ = self.differs(POD, after, "-o", "json")
        self.assertEqual(status, 1)
        self.assertEqual(json.loads(out)["objects"][0]["fields"][0], {
            "change": "changed", "field": 'spec.containers[name="web"].image', "before": "nginx",
            "after": "httpd"})

    def test_objects_of_one_side(self):
        other = POD.replace("name: web\nspec", "name: api\n  namespace: prod\nspec")
        self.assertEqual(self.differs(POD, other), (1, b"- pod/web\n+ pod/api in prod\n", ""))

    def test_a_namespace_that_is_left_out_is_the_default_one(self):
        named = POD.replace("name: web\nspec", "name: web\n  namespace: default\nspec")
        self.assertEqual(self.differs(POD, named), (
            1, b'~ pod/web\n  + metadata.namespace: "default"\n', ""))
        node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
        self.assertEqual(self.differs(node, node), (0, b"", ""))

    def test_defaults(self):
        after = POD + "  restartPolicy: Always\n"
        self.assertEqual(self.differs(POD, after)[0], 1)
        self.assertEqual(self.differs(POD, after, "--defaults"), (0, b"", ""))

    def test_what_cannot_be_compared(self):
        status, out, err = self.differs(POD, POD + "  x: 1\n")
        self.assertEqual((status, out), (2, b""))
        self.assertIn('unknown field "spec.x"', err)
        status, _, err = self.differs(POD + "---\n" + POD, POD)
        self.assertEqual((status, err), (2, "podium diff: pod/web is there twice\n"))
        for arguments in (["x"], ["-", "-"], ["x", "y", "-f", "z"], ["x", "y", "--server-side"],
                          ["-f", "x", "--defaults"], ["-f", "x", "-o", "json"], []):
            self.assertEqual(podium("diff", *arguments)[0], 2, arguments)


class ReadmeTest(PodiumTest):
    # All others need an agent or start one: tests/e2e tries them, on a machine of their own.
    OF_DATA = {"validate", "explain", "convert", "apply", "patch", "diff", "completion", "--help"}
    README = (ROOT / "README.md").read_text(encoding="utf-8")

    def test_what_it_shows_is_what_one_gets(self):
        shown = re.findall(r"^```\n\$ podium (.*)\n((?:.*\n)*?)```$", self.README, re.MULTILINE)
        self.assertTrue(shown)
        for command, output in shown:
            if command.split()[0] not in self.OF_DATA:
                continue
            self.assertEqual(podium(*command.split())[1].decode(), output, command)

    def test_every_option_of_the_server(self):
        status, out, _ = podium("server", "--help")
        self.assertEqual(status, 0)
        options = re.findall(r"^      --([a-z-]+)", out.decode(), re.MULTILINE)
        self.assertIn("secure-port", options)
        rows = re.findall(r"^\| (`--.*?) \|", self.README, re.MULTILINE)
        self.assertEqual(sorted(re.findall(r"`--([a-z-]+)", " ".join(rows))), sorted(options))

    def test_usage_lines(self):
        usage = re.findall(r"^podium (\S+)(.*?)  +\S", self.README, re.MULTILINE)
        self.assertGreaterEqual(len(usage), 4)
        for command, arguments in usage:
            of_server = (command in ("apply", "patch") and "--local" not in arguments
                         or command == "diff" and "-f" in arguments)
            if of_server or command not in self.OF_DATA:
                self.assertEqual(podium("help", command.strip(","))[0], 0, command)
                continue
            line = (command + arguments).replace("FILE|DIR|-", "examples")
            line = line.replace("FILE", "examples/pod.yaml").replace("bash|zsh|fish", "bash")
            line = line.replace("PATCH", '{"spec":{"nodeName":"n1"}}')
            status, out, err = podium(*line.split())
            self.assertEqual((status, err), (0, ""), line)
            # Between a file and itself there is no difference.
            self.assertEqual(out == b"", command == "diff", line)


class ProgramTest(PodiumTest):
    def test_help(self):
        status, out, _ = podium("--help")
        self.assertEqual(status, 0)
        for command in re.findall(r"^  (\w+)  ", out.decode(), re.MULTILINE):
            status, text, err = podium(command, "--help")
            self.assertEqual((status, err), (0, ""), command)
            self.assertRegex(text.decode(), rf"\nExamples:\n(.*\n)*.*podium {command}")
            self.assertLessEqual(max(map(len, text.decode().splitlines())), 100)

    def test_version(self):
        status, out, err = podium("version")
        self.assertRegex(out.decode(), r"^podium \d+\.\d+\.\d+, Kubernetes 1\.36\n$")
        self.assertEqual(podium("--version"), (status, out, err))

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            run = subprocess.run([PODIUM, "version"], stdout=full, stderr=subprocess.PIPE,
                                 check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"No space left on device", run.stderr)


if __name__ == "__main__":
    unittest.main()
