"""The descriptions in schema/*.table: none is missing, and each says something.

A field that holds a struct may leave the words to its type. That each is one short sentence is seen
to by tools/schema_table.py.
"""

import re
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import schema_model
import schema_table

EMPTY_WORDS = set("a an and are be defines field for in is its of specifies that the this".split())

MODEL = """\
package core v1
proto core.v1

kind Cup cluster
  | Holds tea.
  spec  CupSpec  1
  size  string   2
    | Milliliters that fit in.

type CupSpec
  | How the cup is made.
  glazeColor  string  1
    | Color by its catalog number.

list CupList of Cup
"""
META = """\
package meta v1
proto meta.v1

type TypeMeta
  | Names kind and version.
  kind        string  1
    | What the object is.
  apiVersion  string  2
    | How it is written down.

type ListMeta
  | Said of the list as a whole.
  continue  string  1
    | Where the next page begins.
"""


def read(tables):
    """The model of tables: path -> text."""
    problems = schema_table.Problems()
    packages = [schema_table.read_table(path, text, problems) for path, text in tables.items()]
    problems.check()
    return schema_model.Model(packages, problems)


def words_of(text):
    """Of 'podIP', 'Pod IPs.' and 'the pod IP' alike: pod, ip."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z]|s?\b|\d)|[A-Z]?[a-z]+|\d+", text)
    return {word.lower().rstrip("s") for word in words if word.lower() not in EMPTY_WORDS}


def repeats(text, name):
    return words_of(text) <= words_of(name)


def complaints(model):
    found = []
    for name, struct in model.structs.items():
        if not struct.description:
            found.append(f"{struct.place}: {name} has no description")
        elif repeats(struct.description, struct.name):
            found.append(f"{struct.place}: {name} is only named again: {struct.description}")
        if struct.form != "kTransparent":  # else its one field is the struct
            found += complaints_of_fields(name, struct)
    return found


def complaints_of_fields(name, struct):
    found, seen = [], {}
    for member in struct.members:
        where = f"{member.field.place}: {name}.{member.json}"
        own, value = member.field.description, member.value.struct
        if not own:
            if not (value and value.description):
                found.append(f"{where} has no description")
        elif own in seen:
            found.append(f"{where} and .{seen[own]} share one: {own}")
        elif repeats(own, member.json):
            found.append(f"{where} is only named again: {own}")
        seen.setdefault(own, member.json)
    return found


class Tables(unittest.TestCase):
    def test_every_description_is_there_and_says_something(self):
        paths = sorted((ROOT / "schema").glob("*.v*.table")) + [ROOT / "schema/runtime.table"]
        model = read({str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in paths})
        for name in ("core.v1.Probe", "apps.v1.Deployment", "meta.v1.ManagedFieldsEntry"):
            self.assertIn(name, model.structs)
        found = complaints(model)
        self.assertFalse(found, "\n" + "\n".join(found))


class Complaints(unittest.TestCase):
    """The check itself, on tables of its own."""

    def check(self, old="", new=""):
        self.assertIn(old, MODEL)
        return complaints(read({"core": MODEL.replace(old, new), "meta": META}))

    def test_good(self):
        self.assertEqual([], self.check())

    def test_missing(self):
        self.assertEqual(["core:7: core.v1.Cup.size has no description"],
                         self.check("    | Milliliters that fit in.\n"))
        self.assertEqual(["core:4: core.v1.Cup has no description"],
                         self.check("  | Holds tea.\n"))

    def test_missing_of_a_type_that_speaks_for_its_field(self):
        self.assertEqual(["core:6: core.v1.Cup.spec has no description",
                          "core:10: core.v1.CupSpec has no description"],
                         self.check("  | How the cup is made.\n"))

    def test_shared(self):
        self.assertEqual(
            ["core:7: core.v1.Cup.size and .kind share one: What the object is."],
            self.check("Milliliters that fit in.", "What the object is."))

    def test_repeats_the_name(self):
        self.assertEqual(
            ["core:12: core.v1.CupSpec.glazeColor is only named again: The color of the glaze."],
            self.check("Color by its catalog number.", "The color of the glaze."))
        self.assertEqual(["core:10: core.v1.CupSpec is only named again: A cup spec."],
                         self.check("How the cup is made.", "A cup spec."))


if __name__ == "__main__":
    unittest.main()
