#!/usr/bin/env python3
"""podium's commands that make and scale objects, beside kubectl's, as kubectl_twin_test.py does it:
status, output, errors and what is there afterwards are the same bytes.
"""

import re

import api_server
import kubectl_twin_test as twin

setUpModule = api_server.begin
tearDownModule = api_server.end

FILES = {
    "one": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, labels: {a: b}}\ndata: {z: '1'}\n",
    "two": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m1, labels: {a: b}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d1, labels: {a: c}}
spec:
  selector: {matchLabels: {app: d1}}
  template:
    metadata: {labels: {app: d1}}
    spec: {containers: [{name: main, image: "nginx:1"}]}
""",
    "list": """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: l2}, data: {n: 1}}
""",
    "generated": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n",
    "nameless": "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}\n",
    "unknown": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u}\nnope: 1\n",
    "invalid": "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {containers: []}\n",
    "nokind": "apiVersion: v1\nmetadata: {name: x}\n",
    "newkind": "apiVersion: example.com/v1\nkind: Nope\nmetadata: {name: x}\n",
    "some": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: BAD}
---
apiVersion: example.com/v1
kind: Nope
metadata: {name: x}
---
metadata: {labels: {a: b}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: last}
""",
    "elsewhere": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u, namespace: other}\n",
    "empty": "# nothing\n",
    "saved": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: saved, annotations: {kubectl.kubernetes.io/last-applied-configuration: old}}
data: {x: y}
""",
    "cluster": "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n",
}

CREATES = r"""
create
create nosuch
create -f one extra words
create -f nosuch
create -f one --dry-run=client
create -f one --dry-run=client -o yaml
create -f one --dry-run=client -o json --save-config
create -f one --dry-run=server -o yaml
create -f one --dry-run=server
create -f one --dry-run=perhaps
create -f one
create -f one
create -f one --dry-run=server
create -f two -o name
create -f two
create -f two -l a=b
create -f two -l no=such
create -f two -l 'a=='
create -f list --save-config
create -f list -o jsonpath={.metadata.name}
create -f generated --dry-run=client
create -f generated --dry-run=client -o name
create -f nameless
create -f nameless --dry-run=client
create -f unknown
create -f unknown --validate=warn
create -f unknown --validate=ignore
create -f invalid
create -f nokind
create -f newkind
create -f newkind -f one -f nokind
create -f some -f some --validate=false
create -f some
create -f elsewhere
create -f empty
create -f saved
create -f saved --field-manager=me
create -f cluster
create -f one --as nobody
create -f . -R --dry-run=client
"""

SCALES = r"""
scale --replicas=1
scale --replicas=-1 deploy/web
scale --replicas=1 deploy/web --current-replicas=-2
scale --replicas=1 deploy
scale --replicas=1 deploy/none
scale --replicas=1 nosuch/x
scale --replicas=1 deploy/none deploy/web
scale --replicas=1 deploy/none deploy/no
scale --replicas=3 deploy/web --dry-run=client
scale --replicas=3 deploy/web --dry-run=server
scale --replicas=3 deploy web --dry-run=perhaps
scale --replicas=3 deploy web
scale --replicas=3 deploy web
scale --replicas=4 deploy/web -o name
scale --replicas=5 deploy/web -o yaml
scale --replicas=5 deploy/web -o jsonpath={.spec.replicas} --dry-run=client
scale --replicas=2 deploy/web --current-replicas=4
scale --replicas=2 deploy/web --current-replicas=5
scale --replicas=2 deploy/web --resource-version=1
scale --replicas=2 deploy --all --resource-version=1
scale --replicas=2 pod/p1
scale --replicas=2 pod/p1 --current-replicas=1
scale --replicas=2 pod --all --resource-version=1
scale --replicas=1 deploy --all
scale --replicas=2 deploy -l app=web
scale --replicas=2 deploy -l no=such
scale --replicas=2 deploy/web -l app=web
scale --replicas=2 deploy,rs --all
scale --replicas=0 deploy/web --timeout=5s
scale --replicas=4 deploy/web --timeout=1s
scale --replicas=4 deploy/web --timeout=1s --dry-run=server
scale --replicas=4 deploy/web --as nobody
scale --replicas=1 -f /nope
"""


class CreatingTest(twin.ChangingCase):
    """Each command once with either program, each in its namespace; then all that there is."""
    SHOWN = ("jsonpath={range .items[*]}{.kind} {.metadata} {.spec} {.data} {.subjects} "
             "{.metadata.managedFields[*].manager}{'\\n'}{end}")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.server.folder / "files"
        cls.folder.mkdir(exist_ok=True)
        for name, text in FILES.items():
            (cls.folder / name).write_text(text, encoding="utf-8")
        (cls.folder / "in").mkdir(exist_ok=True)
        (cls.folder / "in" / "cm.yaml").write_text(FILES["one"], encoding="utf-8")

    def compare(self, commands, *types):
        for arguments in twin.lines(commands):
            with self.subTest(" ".join(arguments)):
                self.assert_same_change(arguments)
                if types:
                    kubectl, podium = self.left(",".join(types), "-o", self.SHOWN)
                    self.assertEqual(podium, kubectl)

    def podium(self, *arguments, stdin=""):
        return self.one_change(1, arguments, stdin)

    def neutral(self, text):
        return re.sub(r"(resource version to be \d+, was) \d+", r"\1 VERSION",
                      super().neutral(text))

    def test_files(self):
        self.compare(CREATES, "cm", "deploy")

    def test_the_standard_input(self):
        for arguments in (["create", "-f", "-"], ["create", "-f", "-"],
                          ["create", "-f", "-", "-f", "-"]):
            kubectl, podium = self.both_change(arguments, stdin=twin.ONE)
            if arguments.count("-") < 2:
                self.assertEqual(podium, kubectl)
        self.assertEqual(podium[0], 1)

    def test_names_that_the_server_makes(self):
        for _, out, _ in self.both_change(["create", "-f", "generated"]):
            self.assertRegex(out, r"^configmap/x-[a-z0-9]{5} created\n$")

    def test_an_editor_is_not_opened(self):
        self.assertEqual(
            self.podium("create", "-f", "one", "--edit"),
            (1, "", "error: PROGRAM create opens no editor: edit the file first, or the object once "
                    "it is there\n"))

    def test_scales(self):
        self.compare(SCALES, "deploy")

    def test_a_scale_by_a_file(self):
        deployment = twin.OBJECTS.split("---")[0]
        for arguments in (["--replicas=3"], ["--replicas=4", "-o", "yaml"]):
            self.assert_same_change(["scale", "-f", "-", *arguments], stdin=deployment)

    def test_without_the_number_nothing_is_scaled(self):
        self.assertEqual(self.podium("scale", "deploy/web"),
                         (1, "", 'error: required flag(s) "replicas" not set\n'))
        status, _, err = self.podium("scale", "deploy/web", "--replicas=x")
        self.assertEqual((status, err), (
            1, 'error: invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": '
               "invalid syntax\n"))


if __name__ == "__main__":
    twin.main()
