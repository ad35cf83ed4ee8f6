"""tools/schema_table.py and schema_model.py: what a table may say, and how a wrong one is named."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import generate
import schema_model
import schema_table
import undescribed

META = """\
package meta v1
group meta.k8s.io
proto k8s.io.meta.v1

type TypeMeta noproto
  kind        string  -  opt
  apiVersion  string  -  opt

type ListMeta
  resourceVersion  string  2  opt

type ObjectMeta
  | What every object carries.
  name  string  1  opt
    | Unique in its namespace.
"""
HEAD = "package shop v1\ngroup shop.example\nproto example.shop.v1\n\n"


def read(text):
    """The linked model of meta and of the table `text`; raises SchemaErrors."""
    problems = schema_table.Problems()
    tables = [schema_table.read_table(path, content, problems)
              for path, content in (("meta.table", META), ("shop.table", text))]
    problems.check()
    return schema_model.Model(tables, problems)


def mistakes(text):
    try:
        read(text)
    except schema_table.SchemaErrors as errors:
        return [f"{place.line}: {message}" for place, message in errors.mistakes]
    return []


class Rows(unittest.TestCase):
    def test_shapes(self):
        model = read(HEAD + "type Item\n"
                            "  name    string                1\n"
                            "  size    *int32                2  opt\n"
                            "  parts   []Item                3  opt list=map(name) patch=merge(name)\n"
                            "  labels  map[string]string     4\n"
                            "  outer   *Item                 5  omitempty\n"
                            "  colour  string:Colour         6  opt default=\"red\"\n"
                            "enum Colour closed = red green\n")
        item = model.structs["shop.v1.Item"]
        shapes = [(m.json, m.shape, m.value.kind, m.nullable, m.proto) for m in item.members]
        self.assertEqual(shapes, [
            ("name", "kScalar", "kString", False, 1),
            ("size", "kOptional", "kInt32", False, 2),
            ("parts", "kList", "kStruct", False, 3),
            ("labels", "kMap", "kString", True, 4),
            ("outer", "kBox", "kStruct", False, 5),
            ("colour", "kScalar", "kString", False, 6)])
        self.assertEqual(item.members[5].enum.values, ["red", "green"])

    def test_kinds_and_lists_have_what_they_stand_for(self):
        model = read(HEAD + "kind Shop namespaced\n"
                            "  metadata  meta.v1.ObjectMeta  1  opt\n"
                            "list ShopList of Shop\n")
        self.assertEqual([m.json for m in model.structs["shop.v1.Shop"].members],
                         ["kind", "apiVersion", "metadata"])
        shops = model.structs["shop.v1.ShopList"]
        self.assertTrue(shops.is_list)
        self.assertEqual([m.json for m in shops.members],
                         ["kind", "apiVersion", "metadata", "items"])

    def test_inlined_structs_are_flat_and_nested_on_the_wire(self):
        model = read(HEAD + "type Inner\n  a  string  1\n  b  string  2\n"
                            "type Outer\n  c  string  1\n  inline  Inner  2\n")
        outer = model.structs["shop.v1.Outer"]
        self.assertEqual([m.json for m in outer.members], ["c", "a", "b"])
        self.assertEqual([(r.number, r.member) for r in outer.rows[1].rows], [(1, 1), (2, 2)])

    def test_wrong_rows_are_named(self):
        for row, message in [
                ("  a  string", "expected: NAME TYPE NUMBER [flag ...]; NUMBER is - for none"),
                ("  a  string  0", "'0' is no field number"),
                ("  a  string  4096", "field number 4096 is over 4095"),
                ("  a  strnig  1", "unknown type 'strnig'"),
                ("  a  string  1  optt", "unknown flag 'optt'"),
                ("  a  string  1  opt=1", "flag 'opt' takes no value"),
                ("  a  string  1  opt opt", "flag 'opt' is given twice"),
                ("  a  string  1  opt optional", "'opt' already says omitempty and optional"),
                ("  a  string  1  default=red", "default= is a JSON value"),
                ("  a  string  1  default=3", "default=3 does not fit the type"),
                ("  a  string  1  list=set", "list= on a field that is no list"),
                ("  a  []string  1  list=map(b)", "list map key 'b' is no field of the elements"),
                ("  a  string  -", "field 'a' has no protobuf number"),
                ("   a  string  1", "indent by 2 for a field, by 4 for what belongs to it"),
                ("\ta  string  1", "tab; indent with spaces"),
                ("  a  Item  1", "Item holds itself; use a pointer or a list"),
        ]:
            with self.subTest(row=row):
                text = HEAD + "type Item\n" + row + "\n"
                try:
                    generate.outputs({"meta.table": META, "shop.table": text})
                    found = []
                except schema_table.SchemaErrors as errors:
                    found = [f"{place}: {message}" for place, message in errors.mistakes]
                self.assertIn(f"shop.table:6: {message}", found)

    def test_all_mistakes_of_a_table_come_at_once(self):
        self.assertEqual(mistakes(HEAD + "type Item\n  a  string  1\n  a  string  1\nkindd B\n"), [
            "7: field 'a' stands twice in Item", "7: field number 1 stands twice in Item",
            "8: unknown keyword 'kindd'"])


class Specifications(unittest.TestCase):
    """Tables that are no group-version: CRI, CNI, OCI."""

    def test_proto3(self):
        model = read("package till\nroom wire\nsyntax proto3\nproto till.v1\n"
                     "type Sum\n  total_cents  int64     1\n  paid_by      Coin      2\n"
                     "  parts        []Sum     3\n  first        Sum       4\n"
                     "enum Coin =\n  COIN_PENNY:0 COIN_POUND:5\n"
                     "service Till\n  Pay  Sum  Sum  stream\n")
        members = model.structs["till.Sum"].members
        self.assertEqual([(m.json, m.cpp, m.shape, m.value.kind, m.nullable) for m in members], [
            ("totalCents", "total_cents", "kScalar", "kInt64", False),
            ("paidBy", "paid_by", "kScalar", "kEnum", False),
            ("parts", "parts", "kList", "kStruct", False),
            ("first", "first", "kBox", "kStruct", False)])
        self.assertEqual(members[1].value.initializer, " = Coin::kCoinPenny")
        self.assertEqual(members[1].value.enum.numbers, [0, 5])

    def test_documents_without_protobuf(self):
        model = read("package till\nroom wire\n"
                     "type Slip\n  os.version  string  -\n  shop/till  string  -  omitempty\n"
                     "  rows  []Row  -\nalias Row = []string items=-\n")
        self.assertEqual([m.cpp for m in model.structs["till.Slip"].members],
                         ["osVersion", "shopTill", "rows"])
        self.assertEqual(model.structs["till.Row"].form, "kTransparent")

    def test_wrong_ones_are_named(self):
        head = "package till\nroom wire\n"
        proto3 = head + "syntax proto3\nproto till.v1\n"
        for text, message in [
                (proto3 + "enum Coin = A B", "5: expected NAME:NUMBER, not 'A'"),
                (proto3 + "enum Coin = A:0\n  A:1", "6: value 'A' stands twice"),
                (proto3 + "enum Coin = A:1\ntype T\n  a  Coin  1", "7: Coin has no value 0"),
                (proto3 + "service Till\n  Pay  Sum  Sum", "6: unknown type 'Sum'"),
                (head + "type T\n  a  string  1", "4: field 'a' has a number, but no protobuf message"),
                (head + "type T\n  a  Time  -", "4: Time belongs to room api"),
                (head + "alias Row = []string items=x", "3: unknown flag 'items=x'"),
        ]:
            with self.subTest(text=text):
                self.assertIn(message, mistakes(text))


class Descriptions(unittest.TestCase):
    def test_belong_to_what_stands_above(self):
        model = read(HEAD + "type Item\n"
                            "  | A thing: \"sold\" here, with 'quotes' and # signs.\n"
                            "  name  string  1\n"
                            "    rule +required\n"
                            "    | What it is called.\n"
                            "  size  int32   2\n"
                            "list ItemList of Item\n")
        item = model.structs["shop.v1.Item"]
        self.assertEqual(item.description, "A thing: \"sold\" here, with 'quotes' and # signs.")
        self.assertEqual([m.field.description for m in item.members], ["What it is called.", ""])
        self.assertEqual(model.structs["shop.v1.ItemList"].description, "A list of Item objects.")

    def test_wrong_ones_are_named(self):
        for lines, message in [
                ("| Nothing above.", "6: unknown keyword '|'"),
                ("type A\n    | Too deep.",
                 "7: indent the description of a field by 4, of a type by 2"),
                ("type A\n  a  string  1\n  | Not deep enough.",
                 "8: indent the description of a field by 4, of a type by 2"),
                ("type A\n  | One.\n  | Two.", "8: a second description; keep it to one line"),
                ("type A\n  |", "7: empty description"),
                ("type A\n  | no period", "7: a description is a sentence and ends with a period"),
                ("type A\n  | " + "x" * 110 + ".",
                 "7: description of 111 characters; the limit is 110"),
                ("enum E = a b\n  | No type in C++.",
                 "7: nothing here that a description could belong to"),
        ]:
            with self.subTest(lines=lines):
                self.assertIn(message, mistakes(HEAD + "\n" + lines + "\n"))

    def test_missing_ones_are_listed(self):
        text = HEAD + ("kind Shop namespaced\n"
                       "  metadata  meta.v1.ObjectMeta  1  opt\n"
                       "  size      int32               2\n"
                       "list ShopList of Shop\n")
        found = [f"{place}: {name}" for place, name
                 in undescribed.undescribed({"meta.table": META, "shop.table": text})]
        self.assertEqual([line for line in found if line.startswith("shop")],
                         ["shop.table:5: Shop", "shop.table:7: Shop.size"])
        self.assertIn("meta.table:10: ListMeta.resourceVersion", found)

    def test_print_as_lines_in_the_order_of_the_fields(self):
        text = HEAD + "type Item\n  | A thing.\n  a  int32  1\n  b  int32  2\n    | It's \\ b.\n" \
                      "kind Shop\n"
        files = generate.outputs({"meta.table": META, "shop.table": text})
        self.assertIn('    // Item\n    "A thing.\\n"\n    "\\n"\n    "It\'s \\\\ b.\\n",\n',
                      files["api/api/types/descriptions.cpp"])
        self.assertIn("  // It's \\ b.\n  int32_t b = 0;", files["api/api/types/shop_v1.h"])


if __name__ == "__main__":
    unittest.main()
