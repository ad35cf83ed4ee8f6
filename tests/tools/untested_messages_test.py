#!/usr/bin/env python3
"""Tests of tools/untested_messages.py."""

import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))
import untested_messages


def texts(source):
    return [text for text, _ in untested_messages.messages(source)]


class MessagesTest(unittest.TestCase):
    def test_literals_with_words(self):
        self.assertEqual(texts('auto a = "must be set"; // "a comment"\n'
                               'auto b = "field"; auto c = " \\t"; auto d = R"(raw words)";\n'
                               '#include "a file"\n'), ["must be set"])

    def test_adjacent_literals_are_one(self):
        self.assertEqual(texts('f("must be "\n  "set", "or " + x + " not");'),
                         ["must be set", "or ", " not"])

    def test_escapes(self):
        self.assertEqual(texts(r'auto a = "a \"big\" cup\n";'), ['a "big" cup\n'])

    def test_details_of_one_word(self):
        self.assertEqual(texts('field::Required(path.Child("name"), "mandatory");'
                               'field::Invalid(path, "x", Reason(path.Child("b")) + "end");'
                               'field::Required(path, "");'), ["mandatory", "end"])

    def test_parts_of_a_format(self):
        self.assertEqual(texts('fmt::format("found {} of {:04X} things", a, b)'),
                         ["found ", " of ", " things"])

    def test_lists(self):
        self.assertEqual(texts('field::NotSupported(path, value, {"A", "B"});'
                               'field::NotSupported(path, value, kValues);'
                               'if (IsOneOf(value, {"C", "D"})) x();'), ['"A", "B"'])

    def test_brackets_in_literals_and_characters(self):
        self.assertEqual(texts("Required(p(')', \"(\"), \"word\");"), ["word"])


class UntestedTest(unittest.TestCase):
    SOURCES = {"a.cpp": '\nx("must be set"); x("must be green");'}

    def test_finds_what_no_test_says(self):
        found, stale = untested_messages.untested(self.SOURCES, ['"spec: must be " "set"'])
        self.assertEqual(found, [("a.cpp", 2, "must be green")])
        self.assertEqual(stale, [])

    def test_texts_do_not_reach_from_one_literal_into_the_next(self):
        found, _ = untested_messages.untested(self.SOURCES, ['"must be " + x + "set"'])
        self.assertEqual(len(found), 2)

    def test_comments_expect_nothing(self):
        found, _ = untested_messages.untested(self.SOURCES, ['// "must be set"'])
        self.assertEqual(len(found), 2)

    def test_exceptions(self):
        exceptions = {"must be green": "why", "must be old": "why"}
        with mock.patch.object(untested_messages, "EXCEPTIONS", exceptions):
            found, stale = untested_messages.untested(self.SOURCES, ['"must be set"'])
        self.assertEqual(found, [])
        self.assertEqual(stale, ["must be old"])


if __name__ == "__main__":
    unittest.main()
