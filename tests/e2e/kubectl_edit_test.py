#!/usr/bin/env python3
"""podium edit and podium set beside kubectl's, as kubectl_twin_test.py does it: status, output,
errors, what the editor is shown and what is there afterwards are the same bytes.
"""

import os
import re
import shutil

import api_server
import kubectl_twin_test as twin

setUpModule = api_server.begin
tearDownModule = api_server.end

# Keeps what it is shown, and changes it as the next line of `script` says.
EDITOR = """\
#!/bin/sh
for file in "$@"; do :; done
turn=$(($(cat "$EDITED/turn" 2>/dev/null || echo 0) + 1))
echo $turn > "$EDITED/turn"
cp "$file" "$EDITED/shown.$turn"
change=$(sed -n "${turn}p" "$EDITED/script")
eval "$change"
"""
NEW = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\ndata:\n  one: a\n"
NEWS = "---\n".join(NEW.replace("name: new", f"name: new{number}") for number in (10, 11))
# What is edited, behind the changes that are made: a line for each time that the editor is opened.
EDITS = (
    ("cm m", ""),
    ("cm m", 'sed -i \'s/one: .*/one: "9"/\' "$file"'),
    ("cm m", "sed -i 's/one: .*/one: 9/' \"$file\"\nsed -i 's/one: .*/one: \"8\"/' \"$file\""),
    ("cm m", 'echo "nope: 1" >> "$file"'),
    ("cm m --validate=false", 'echo "nope: 1" >> "$file"'),
    ("cm m --validate=warn", 'echo "nope: 1" >> "$file"'),
    ("cm m", 'sed -i "s/^  name: m/  name: other/" "$file"'),
    ("cm m", 'sed -i "s/kind: ConfigMap/kind: Secret/" "$file"'),
    ("cm m", 'sed -i "s/kind: ConfigMap/kind: Nope/" "$file"'),
    ("cm m", 'sed -i "s/namespace: .*/namespace: other/" "$file"'),
    ("cm m", "exit 3"),
    ("cm m --validate=false", ': > "$file"'),
    ("cm m --validate=false", 'echo "# nothing" > "$file"'),
    ("cm m -o yaml", 'sed -i \'s/one: .*/one: "5"/\' "$file"'),
    ("cm m -o json", 'sed -i \'s/"one": .*/"one": "4",/\' "$file"'),
    ("cm m -o json", 'sed -i \'s/"one": .*/"one": 4,/\' "$file"'),
    ("cm m -o json --show-managed-fields", 'sed -i \'s/"one": .*/"one": "3",/\' "$file"'),
    ("cm m --windows-line-endings", 'sed -i \'s/one: .*/one: "6"\\r/\' "$file"'),
    ("cm m --windows-line-endings -o json", ""),
    ("cm m -o name", ""),
    ("cm m --save-config", 'sed -i \'s/one: .*/one: "2"/\' "$file"'),
    ("cm m --field-manager=me", 'sed -i \'s/one: .*/one: "1"/\' "$file"'),
    ("cm/m pod/p1", 'sed -i \'s/one: .*/one: "0"/\' "$file"'),
    ("cm/m pod/p1", 'sed -i "s/one: .*/one: 0/" "$file"'),
    ("cm/m pod/p1 --output-patch",
     'sed -i "s/one: .*/one: \\"1\\"/; s/image: nginx:1/image: nginx:2/" "$file"'),
    ("pods", 'sed -i "s/image: nginx:.*/image: nginx:3/" "$file"'),
    ("deploy web",
     'sed -i "s/replicas: 2/replicas: -1/" "$file"\nsed -i "s/replicas: -1/replicas: 3/" "$file"'),
    ("deploy web", 'sed -i "s/image: nginx:1/image: \\"\\"/; s/replicas: 3/replicas: x/" "$file"'),
    ("deploy web --subresource=status", 'sed -i "s/^status:.*/status: {replicas: 4}/" "$file"'),
    ("deploy web --subresource=scale", ""),
    ("svc web", 'sed -i "s/type: ClusterIP/type: Nope/" "$file"'),
    ("-f one", 'sed -i "s/^metadata:/data: {one: \\"7\\"}\\nmetadata:/" "$file"'),
    ("", ""),
    ("cm none", ""),
    ("cm m none", ""),
    ("nosuch x", ""),
    ("roles", ""),
    ("-f nosuch", ""),
    ("cm m --as nobody", ""),
)
CREATED = (
    ("-f new", ""),
    ("-f new", 'sed -i "s/one: .*/one: edited/" "$file"'),
    ("-f new", 'sed -i "s/one: .*/one: again/" "$file"'),
    ("-f new", 'sed -i "s/name: .*/name: new2/" "$file"'),
    ("-f new --save-config -o yaml", 'sed -i "s/name: .*/name: new3/" "$file"'),
    ("-f new -o json", 'sed -i "s/\\"new\\"/\\"new4\\"/" "$file"'),
    ("-f new -o name", 'sed -i "s/name: .*/name: new5/" "$file"'),
    ("-f new --windows-line-endings", 'sed -i "s/name: .*/name: new6/" "$file"'),
    ("-f new", 'sed -i "s/name: .*/name: NEW/" "$file"'),
    ("-f new", 'sed -i "s/one: .*/one: 1/" "$file"'),
    ("-f new", 'sed -i "s/kind: .*/kind: Nope/" "$file"\nsed -i "s/kind: .*/kind: Secret/" "$file"'),
    ("-f new --validate=false", 'echo "nope: 1" >> "$file"; sed -i "s/name: .*/name: new8/" "$file"'),
    ("-f new", 'echo "nope: 1" >> "$file"; sed -i "s/name: .*/name: new9/" "$file"'),
    ("-f new --validate=false", ': > "$file"'),
    ("-f new", "exit 3"),
    ("-f news", 'sed -i "s/one: .*/one: x/" "$file"\nsed -i "s/one: .*/one: y/" "$file"'),
    ("-f news", '\nsed -i "s/name: .*/name: new12/" "$file"'),
    ("-f news -f nosuch", ""),
    ("-f nosuch", ""),
    ("-f new --as nobody", 'sed -i "s/name: .*/name: new13/" "$file"'),
    ("", ""),
)
LAST_APPLIED = (
    ("cm applied", ""),
    ("cm applied", 'sed -i "s/one: a/one: b/" "$file"'),
    ("cm applied -o json", 'sed -i "s/\\"one\\": .*/\\"one\\": \\"c\\"/" "$file"'),
    ("cm applied --validate=false", ': > "$file"'),
    ("-f applied", 'sed -i "s/one: c/one: d/" "$file"'),
    ("cm applied cm m", ""),
    ("cm m", ""),
    ("cm applied --as nobody", ""),
)
EDITORS = ("nosuch", "nosuch -x", "true -x", "sh -c 'exit 2'", "false")

SETS = r"""
set image
set image deploy web
set image main=x:1
set image deploy web main=
set image deploy/web main=nginx:2
set image deploy/web main=nginx:2
set image deploy/web nope=x
set image deploy/web nope=x main=nginx:3
set image deploy/web *=y:1 main=x
set image deploy/web *=y:1 -o name
set image cm none a=b
set image cm m a=b
set image pod/p1 main=n:2 --dry-run=client
set image pod/p1 main=n:2 --dry-run=server
set image pod/p1 main=n:2 --dry-run=perhaps
set image pod/p1 main=n:2
set image deploy,pod --all main=z:1
set image pods -l a=b main=z:2
set image pods -l a=b --all main=z:2
set image pods -l no=such main=z:2
set image pods main=z:3
set image pod p1 main=z:3 --as nobody
set image deploy none main=x
set image deploy/web main-
set image deploy/web main=a foo
set image deploy/web main=z:4 -o jsonpath={..image}
set image deploy/web main=z:4 --local
set image nosuch w main=x
set image -f /nope main=x
set image -f objects main=q:1
set image -f objects main=q:1 --local
set image -f objects main=q:2 --local -o jsonpath={.kind}
set image -f objects main=q:2 --local --dry-run=server
set serviceaccount
set serviceaccount robot
set serviceaccount deploy web robot
set serviceaccount deploy web robot
set serviceaccount deploy web robot2 --dry-run=client
set serviceaccount deploy web robot2 --dry-run=server
set serviceaccount deploy/web robot3 -o name
set serviceaccount deploy --all robot4
set serviceaccount pod p1 robot3
set serviceaccount -f workload robot5
set serviceaccount -f workload robot6 --local
set image deploy/web main=z:5 -o json
set image deploy/web main=z:6 -o yaml
set image -f objects main=q:3 --local -o json
set image -f objects main=q:3 --local -o yaml
set image -f workload main=q:3 --local -o yaml
set env
set env A=b
set env deploy web
set env deploy/web A=b
set env deploy/web A=b
set env deploy/web A=c --overwrite=false
set env deploy/web B=c --overwrite=false C= D=e=f
set env deploy/web --list
set env deploy/web --list E=f A-
set env deploy/web A- C-
set env deploy/web A- A=x
set env deploy/web A=x foo
set env deploy/web 1A=x
set env deploy/web =x
set env deploy/web -e G=h -e B-
set env deploy/web -e G
set env deploy/web A=1 -c nope
set env deploy/web A=1 -c m*
set env deploy/web A=2 -c *n
set env deploy/web A=3 --dry-run=client
set env deploy/web A=3 --dry-run=server -o yaml
set env deploy/web A=3 --list -o yaml
set env deploy/web --from=configmap/m --keys=one
set env deploy/web --from=cm/m --keys=text --prefix=X_
set env deploy/web --list
set env deploy/web --list --resolve
set env deploy/web --from=secret/s
set env deploy/web --list
set env deploy/web ONE=x --overwrite=false
set env deploy/web --from=secret/none
set env deploy/web --from=svc/web
set env deploy/web --from=cm
set env deploy/web --from=nosuch/x
set env deploy/web --keys=one
set env pods --all --list
set env pods -l a=b --list
set env pods -l a=b --all --list
set env pod/p1 A=b
set env cm/m A=b
set env deploy none A=b
set env deploy/web A=b -o json
set env deploy/web fields=x
set env -f workload A=b
set env -f workload A=c --local
set env -f workload A=c --local -o yaml
set env -f fields --local --list
set env -f elsewhere --local --list
set env -f fields --local --list --resolve -c b
set env -f workload A=c --local --dry-run=server
set env --as nobody deploy/web A=c
set resources
set resources deploy web
set resources deploy web --limits=cpu=200m,memory=512Mi
set resources deploy web --limits=cpu=0.2,memory=512Mi
set resources deploy web --requests=cpu=0.10,memory=256Mi -o yaml
set resources deploy web --limits=cpu=x
set resources deploy web --limits=cpu
set resources deploy web --limits=cpu=1=2
set resources deploy web --limits=cpu=1 -c nope
set resources deploy web --limits=cpu=1 -c mai* -o name
set resources deploy web --requests=cpu=2
set resources deploy --all --limits=cpu=3 --dry-run=client
set resources deploy -l app=web --limits=cpu=3 --dry-run=server
set resources deploy -l app=web --all --limits=cpu=3
set resources pod/p1 --limits=cpu=3
set resources cm/m --limits=cpu=3
set resources -f workload --limits=cpu=4
set resources -f workload --limits=cpu=4 --local -o yaml
set resources deploy/web --limits=cpu=4 --local
set resources deploy/none --limits=cpu=4
set selector
set selector svc web
set selector svc/web a=b
set selector svc/web a=b,c=d
set selector svc/web a=b
set selector svc/web 'a in (b,c)'
set selector svc/web 'a=='
set selector svc/web 'a!=b'
set selector deploy/web a=b
set selector svc/none a=b
set selector a=b
set selector svc/web a=c --resource-version=1
set selector svc/web a=c --dry-run=client
set selector svc/web a=c --dry-run=server
set selector svc/web a=c -o name
set selector svc --all a=d
set selector svc/web --local a=d
set selector -f service --local a=d -o yaml
set selector -f service a=e
set selector -f folder a=e --local -o name
set selector -f folder a=e --local -R=false -o name
set selector -f folder a=e --local --recursive=true -o name
set selector -f folder a=g --recursive=false
set image -f folder main=x --local -o name
set selector svc/web --as nobody a=e
set subject
set subject rolebinding b
set subject rolebinding b --user=jane
set subject rolebinding b --user=jane
set subject rolebinding b --user=z --user=a --group=g --serviceaccount=n:s --serviceaccount=:t
set subject rolebinding b --serviceaccount=x
set subject rolebinding b --serviceaccount=x:
set subject rolebinding/b --user=jim --dry-run=client
set subject rolebinding/b --user=jim --dry-run=server -o yaml
set subject rolebinding/none --user=jim
set subject deploy/web --user=jim
set subject rolebindings --all --group=all -o name
set subject clusterrolebinding/view-nobody --serviceaccount=:t
set subject -f binding --local --user=x -o yaml
set subject -f binding --local --user=x -o json
set subject rolebinding/b --local --user=x
label -f objects --local z=1
label -f objects --local z=1 -o yaml
label -f workload --local z=1 -o json -n other
label -f workload --local --list
label pod p1 --local z=1
annotate -f objects --local z=1
annotate -f objects --local z=1 -o yaml
annotate -f workload --local z=1 --dry-run=server
annotate --local z=1
"""
FIELDS = """\
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {a: b, c: "d e"}, annotations: {x.y/z: "1"}}
spec:
  containers:
  - {name: a, image: x}
  - name: b
    image: x
    resources: {limits: {cpu: 1500m, memory: 100Mi}, requests: {cpu: 1}}
    env:
    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: LABELS, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}
    - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['a']"}}}
    - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['x.y/z']"}}}
    - {name: BAD, valueFrom: {fieldRef: {fieldPath: "metadata.name['x']"}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: MILLI, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Ki}}}
    - {name: NONE, valueFrom: {resourceFieldRef: {containerName: b, resource: requests.memory}}}
    - {name: ODD, valueFrom: {resourceFieldRef: {resource: limits.odd}}}
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
"""


class EditCase(twin.ChangingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.server.folder / "edited"
        cls.folder.mkdir(exist_ok=True)
        documents = twin.OBJECTS.split("---\n")
        for name, text in (("new", NEW), ("applied", NEW.replace("name: new", "name: applied")),
                           ("news", NEWS), ("one", twin.ONE), ("workload", documents[0]),
                           ("fields", FIELDS),
                           ("elsewhere", FIELDS.replace("name: p,", "name: p, namespace: ns,")), ("binding", BINDING), ("service", documents[1]),
                           ("objects", "---\n".join(documents[2:5]))):
            (cls.folder / name).write_text(text, encoding="utf-8")
        (cls.folder / "folder/in").mkdir(parents=True, exist_ok=True)
        for name, where in (("web", "web.yaml"), ("none", "in/none.yaml")):
            (cls.folder / "folder" / where).write_text(
                documents[1].replace("name: web", f"name: {name}", 1), encoding="utf-8")

    @staticmethod
    def shown(item):
        return (item["metadata"].get("annotations"), twin.managers(item), item.get("data"),
                item.get("spec"), item.get("status", {}).get("replicas"))


class EditingTest(EditCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        editor = cls.folder / "editor"
        editor.write_text(EDITOR, encoding="utf-8")
        editor.chmod(0o755)
        cls.scratch = cls.folder / "scratch"
        cls.temporary = cls.folder / "temporary"
        cls.temporary.mkdir()
        cls.server.environment.update(EDITOR=str(editor), TMPDIR=str(cls.temporary))

    def edit(self, place, arguments, script, command=("edit",)):
        """What a program makes of it, and what the editor was shown."""
        scratch = self.scratch / str(place)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        (scratch / "script").write_text(script + "\n", encoding="utf-8")
        answer = self.one_change(place, [*command, *arguments], environment={"EDITED": str(scratch)})
        return answer, [self.neutral(file.read_text(encoding="utf-8"))
                        for file in sorted(scratch.glob("shown.*"))]

    def edit_both(self, arguments, script, command=("edit",)):
        return api_server.side_by_side(
            lambda place: self.edit(place, arguments.split(), script, command))

    def neutral(self, text):
        text = re.sub(r"\bPROGRAM-edit-\w+", "EDITED", super().neutral(text))
        return re.sub(r"10\.43\.0\.\d+", "ADDRESS", text)

    def test_edits(self):
        for arguments, script in EDITS:
            with self.subTest(arguments, script=script):
                kubectl, podium = self.edit_both(arguments, script)
                self.assertEqual(podium, kubectl)
                self.assert_same_left("cm,pods,deploy", self.shown)

    def test_objects_that_are_edited_before_they_are_created(self):
        for arguments, script in CREATED:
            with self.subTest(arguments, script=script):
                answers = self.edit_both(arguments, script, ("create", "--edit"))
                self.assertEqual(answers[1], answers[0])
                self.assert_same_left("cm", self.shown)

    def test_what_was_applied_last(self):
        for name in self.namespaces:
            self.admin("-n", name, "apply", "-f", str(self.folder / "applied"))
        for arguments, script in LAST_APPLIED:
            with self.subTest(arguments, script=script):
                answers = self.edit_both(arguments, script, ("apply", "edit-last-applied"))
                self.assertEqual(answers[1], answers[0])
        self.assert_same_left("cm", self.shown)

    def test_what_create_heeds_with_an_editor(self):
        """kubectl creates it, and takes no heed of --field-manager and --selector."""
        for how, mark in (("client", "dry run"), ("server", "server dry run")):
            answer, _ = self.edit(1, ["-f", "new", f"--dry-run={how}"],
                                  'sed -i "s/one: .*/one: b/" "$file"', ("create", "--edit"))
            self.assertEqual(answer, (0, f"configmap/new created ({mark})\n", ""))
        self.assertNotIn("configmap/new\n",
                         self.admin("-n", self.namespaces[1], "get", "cm", "-o", "name"))
        self.edit(1, ["-f", "new", "--field-manager=me"], 'sed -i "s/one: .*/one: b/" "$file"',
                  ("create", "--edit"))
        self.assertEqual("me", self.admin(
            "-n", self.namespaces[1], "get", "cm", "new",
            "-o", "jsonpath={.metadata.managedFields[*].manager}"))
        answer, shown = self.edit(1, ["-f", "new", "-l", "no=such"], "", ("create", "--edit"))
        self.assertEqual((answer, shown), ((0, "", ""), []))

    def test_editors(self):
        for editor in EDITORS:
            with self.subTest(editor):
                self.server.environment["KUBE_EDITOR"] = editor
                self.addCleanup(self.server.environment.pop, "KUBE_EDITOR", None)
                answers = [answer for answer, _ in self.edit_both("cm m", "")]
                self.assertEqual(answers[1], answers[0])

    def test_files_are_kept_only_where_something_would_be_lost(self):
        for script, kept in (("", 0), ("exit 1", 0), (": > $file", 0),
                             ("sed -i 's/one: .*/one: \"6\"/' $file", 0),
                             ("sed -i 's/one: .*/one: 6/' $file", 1),
                             ("sed -i 's/one: .*/one: 7/' $file; exit 1", 1),
                             ("sed -i 's/one: .*/one: 8/' $file\nexit 1", 1)):
            with self.subTest(script):
                shutil.rmtree(self.temporary)
                self.temporary.mkdir()
                (_, _, err), _ = self.edit(1, ["cm", "m"], script)
                files = os.listdir(self.temporary)
                self.assertEqual(len(files), kept, files)
                self.assertEqual("A copy of your changes has been stored to" in err, kept == 1)
                for file in files:
                    self.assertEqual((self.temporary / file).stat().st_mode & 0o777, 0o600)

    def test_an_object_that_went_meanwhile(self):
        for place, name in enumerate(self.namespaces):
            answer, _ = self.edit(place, ["cm", "m"], f'"{api_server.KUBECTL}" -n {name} delete cm m '
                                  '>/dev/null; echo "immutable: true" >> "$file"')
            self.assertEqual(answer[:2], (1, ""))
            self.assertRegex(answer[2], 'error: configmaps "m" could not be found on the server\n'
                             'The edits you made on deleted resources have been saved to '
                             '".*/EDITED.yaml"\n')

    def test_an_object_that_another_has_changed(self):
        """Only what was edited is sent: another's change stays, unless the version is edited too."""
        name = self.namespaces[1]
        change = (f'"{api_server.KUBECTL}" -n {name} label cm m by=another >/dev/null; '
                  'echo "immutable: true" >> "$file"')
        answer, _ = self.edit(1, ["cm", "m"], change)
        self.assertEqual(answer, (0, "configmap/m edited\n", ""))
        self.assertIn("by: another", self.admin("-n", name, "get", "cm", "m", "-o", "yaml"))
        (status, out, err), _ = self.edit(
            1, ["pod", "p1"], 'sed -i \'s/resourceVersion: .*/resourceVersion: "1"/\' "$file"')
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(err, 'error: pods "p1" could not be patched: Operation cannot be fulfilled '
                         '.*\nA copy of your changes has been stored to ".*"\n')

    def test_what_podium_does_better(self):
        answer, _ = self.edit(1, ["cm", "m"], ': > "$file"')
        self.assertEqual(answer, (0, "", "Edit cancelled, saved file was empty.\n"))
        # Lines of a value that begin with '#' outlive a mistake.
        answer, shown = self.edit(1, ["cm", "m"], 'printf "  text: |\\n    # a\\n    b\\n  one: 1\\n" > '
                                  '"$EDITED/data"; sed -i "/^  one:/d; /^  text:/,/^    b/d" "$file"; '
                                  'sed -i "/^data:/r $EDITED/data" "$file"\n'
                                  'sed -i "s/  one: 1/  one: \\"1\\"/" "$file"')
        self.assertEqual(answer, (0, "configmap/m edited\n",
                                  'error: configmaps "m" is invalid\n'))
        self.assertIn("    # a\n    b\n", shown[1])
        text = self.admin("-n", self.namespaces[1], "get", "cm", "m", "-o", "jsonpath={.data.text}")
        self.assertEqual(text, "# a\nb\n")
        # Reasons stand above the text where it is no YAML, too.
        answer, shown = self.edit(1, ["cm", "m"], 'echo "  x: [" >> "$file"\nexit 0')
        self.assertEqual(answer[0], 1)
        self.assertRegex(shown[1], '# configmaps "m" was not valid:\n# [*] <nil>: Invalid value: "The '
                         'edited file failed validation": yaml: line \\d+: .*\n#\n')


class SettingTest(EditCase):
    def neutral(self, text):
        return re.sub(r"10\.43\.0\.\d+", "ADDRESS", super().neutral(text))

    def test_sets(self):
        for name in self.namespaces:
            self.admin("-n", name, "create", "-f", str(self.folder / "binding"))
        self.admin("create", "clusterrolebinding", "view-nobody", "--clusterrole=view")
        for arguments in twin.lines(SETS):
            with self.subTest(" ".join(arguments)):
                self.assert_same_change(arguments)
                self.assert_same_objects()

    def assert_same_objects(self):
        self.assert_same_left("pods,deploy,svc", self.shown)
        self.assert_same_left("rolebindings", lambda item: item.get("subjects"))

    def test_variables_of_the_standard_input(self):
        for arguments in (["set", "env", "deploy/web", "-e", "-"], ["set", "env", "deploy/web", "-",
                                                                    "A=z"]):
            self.assert_same_change(arguments, stdin="A=b # c\nnone\nC=d=e\n#F=g\n")
        self.assert_same_left("deploy", self.shown)

    def test_what_set_heeds(self):
        """kubectl takes no heed of --from and of names with --local."""
        for arguments, says in (
                (["env", "-f", "workload", "--local", "--from=cm/m"],
                 "error: --from asks the server for a config map or secret, which --local does not\n"),
                (["env", "deploy/web", "A=b", "--local"],
                 "error: you must specify resources by --filename when --local is set.\n")):
            status, out, err = self.one_change(1, ["set", *arguments])
            self.assertEqual((status, out, err[:len(says)]), (1, "", says))
        self.assertEqual(self.one_change(1, ["set", "env", "-f", "workload", "--from=cm/m"])[:2],
                         (0, "deployment.apps/web env updated\n"))


if __name__ == "__main__":
    twin.main()
