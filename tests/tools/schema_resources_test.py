"""tools/schema_resources.py: what resources.table and columns.table may say."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import schema_model
import schema_resources
import schema_table

META = "package meta v1\ngroup meta.k8s.io\ntype TypeMeta\n  kind  string  -\n" \
       "  apiVersion  string  -\n"
SHOP = "package shop v1\ngroup shop.example\nkind Shop namespaced\nkind Sale\ntype Part\n"


def printed(name, text):
    """The .cpp file that table NAME becomes; raises SchemaErrors."""
    problems = schema_table.Problems()
    model = schema_model.Model([schema_table.read_table("meta.table", META, problems),
                                schema_table.read_table("shop.table", SHOP, problems)], problems)
    files = schema_resources.FORMS[name](f"{name}.table", text, model, problems)
    problems.check()
    return files[f"api/api/types/{name}.cpp"]


class Tables(unittest.TestCase):
    def mistakes(self, name, text):
        with self.assertRaises(schema_table.SchemaErrors) as caught:
            printed(name, text)
        return str(caught.exception)

    def test_a_resource(self):
        text = printed("resources", "version shop.v1\n\nresource shops Shop namespaced sh\n"
                                    "  categories all\n  verbs get list\n  fields spec.city\n"
                                    "  hash abc=\n  sub sale Sale create\n")
        self.assertIn('constexpr std::string_view kStrings0[] = {"create"};', text)
        self.assertIn('{"sale", "shop.example", "v1", "Sale", kStrings0},', text)
        self.assertIn('{"shop.example", "v1", "shops", "shop", "Shop", true,', text)
        self.assertIn('{"metadata.name", "metadata.namespace", "spec.city"};', text)
        # Every word that people may type, in byte order.
        self.assertIn('{"sh", 0},\n    {"shop", 0},\n    {"shops", 0},\n', text)

    def test_wrong_resources_are_named(self):
        for line, message in [
                ("resource shops Shop", "expected: version PACKAGE"),
                ("resource shops Shop town", "scope is namespaced or cluster"),
                ("resource shops Shoe cluster", "'Shoe' is no kind"),
                ("resource parts Part cluster", "'Part' is no kind"),
                ("resource shops Shop cluster\n  verbs read", "unknown verb 'read'"),
                ("resource shops Shop cluster\n  verb get", "unknown line 'verb'"),
                ("resource shops Shop cluster\n  sub x other.v1.X get", "unknown package 'other.v1'"),
                ("resource shops Shop cluster\nresource shops Shop cluster",
                 "resource 'shops' stands twice"),
        ]:
            with self.subTest(line=line):
                self.assertIn(message, self.mistakes("resources", "version shop.v1\n" + line))

    def test_columns(self):
        text = printed("columns", "columns default\n  Name string/name 0 metadata.name\n"
                                  "columns shop.v1 Shop\n  \"Open Since\" date 1 age(spec.opened)\n"
                                  "  when spec.closed Closed True Sold \"It is closed.\"\n")
        self.assertIn('{"Open Since", "date", "", 1, "age(spec.opened)"},', text)
        self.assertIn('{"spec.closed", "Closed", "True", "Sold", "It is closed."},', text)
        self.assertLess(text.index('{"", "", "", kColumns0'),
                        text.index('{"shop.example", "v1", "Shop", kColumns1'))

    def test_wrong_columns_are_named(self):
        default = "columns default\n  Name string/name 0 metadata.name\n"
        for text, message in [
                ("columns shop.v1 Shop\n  Name string 0 x", "there is no 'columns default'"),
                (default + "  Age time 0 x", "unknown column type 'time'"),
                (default + "  Age date x", "expected: NAME TYPE[/FORMAT] PRIORITY CELL"),
                (default + "columns shop.v1 Shoe\n", "'Shoe' is no kind"),
                (default + "columns shop.v1 Shop\n" * 2, "two blocks for Shop"),
        ]:
            with self.subTest(text=text):
                self.assertIn(message, self.mistakes("columns", text))


if __name__ == "__main__":
    unittest.main()
