#!/usr/bin/env python3
"""Names the texts of validation that no test expects.

    tools/untested_messages.py SOURCE... -- TEST_FOLDER

SOURCE are C++ files, or folders of them, whose string literals users see in errors. A text is tested when it stands,
as a whole, within a string literal of a file below TEST_FOLDER (adjacent literals are one). Texts
are:

  - every literal with words in it;
  - every literal in the detail of a field error (Invalid, Forbidden, ...), a single word too;
  - the list of a NotSupported, as the error prints it.

Literals that are joined at run time count each for itself, as do the parts of a format string
around its {}. Prints them as file:line: text and exits 1 if there are any, or if one of EXCEPTIONS
is no such text any more.
"""

import pathlib
import re
import sys
from dataclasses import dataclass

# Text -> why no test of these folders expects it.
EXCEPTIONS = {}

# Calls of field_errors.h, whose last argument is the detail.
DETAIL_CALLS = ("TypeInvalid", "Required", "Invalid", "Forbidden", "InternalError")
# Calls with a list of the values that may be, and those that hand it on.
LIST_CALLS = ("NotSupported", "CheckOneOf", "ValidateBinding", "ValidateEnum", "ValidateOneOf")

LITERAL = re.compile(
    r'//[^\n]*'  # a comment, to be passed over
    r'|(?P<raw>R"(?P<tag>[^(\s]*)\((?P<raw_body>.*?)\)(?P=tag)")'
    r'|"(?P<body>(?:[^"\\\n]|\\.)*)"'
    r"|'(?:[^'\\\n]|\\.)'",
    re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "'": "'"}


@dataclass
class Text:
    text: str
    start: int  # where it begins and ends in the file
    end: int
    raw: bool


def unescaped(body):
    return re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)",
                  lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else ESCAPES.get(m[1], m[1]),
                  body)


def literals(source):
    """The string literals of a file, adjacent ones joined; and the file with their insides and its
    comments blanked out, so that brackets can be counted."""
    found = []
    blank = list(source)
    for match in LITERAL.finditer(source):
        for i in range(match.start(), match.end()):
            if blank[i] != "\n":
                blank[i] = " "
        if match["raw"] is None and match["body"] is None:
            continue
        raw = match["raw"] is not None
        text = match["raw_body"] if raw else unescaped(match["body"])
        between = "".join(blank[found[-1].end:match.start()]) if found else "x"
        if not between.strip():
            found[-1].text += text
            found[-1].end = match.end()
        else:
            found.append(Text(text, match.start(), match.end(), raw))
    return found, "".join(blank)


def arguments(blank, start):
    """(start, end) of each argument of the call whose bracket opens at `start`."""
    depth = 0
    begin = start + 1
    spans = []
    for i in range(start, len(blank)):
        c = blank[i]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                spans.append((begin, i))
                return spans
        elif c == "," and depth == 1:
            spans.append((begin, i))
            begin = i + 1
    return spans


def calls(blank, names):
    for match in re.finditer(r"\b(?:%s)\(" % "|".join(names), blank):
        yield arguments(blank, match.end() - 1)


def parts(text):
    """A text without what is filled in at run time."""
    return [part for part in re.split(r"\{[^{}]*\}", text) if part.strip()]


def has_words(text):
    return re.search(r"[A-Za-z]{2,} |[ ,][a-z]{2,}", text) is not None


def messages(source):
    """(text, offset) of what users see."""
    found, blank = literals(source)
    include = re.compile(r"#include[^\n]*\Z")
    cooked = [text for text in found
              if not text.raw and not include.search(source[:text.start])]
    seen = set()
    for text in cooked:
        if has_words(text.text):
            seen.add(text.start)
            yield from ((part, text.start) for part in parts(text.text))
    for spans in calls(blank, DETAIL_CALLS):
        if len(spans) < 2:
            continue
        begin, end = spans[-1]
        for text in cooked:
            inside = begin <= text.start < end and text.start not in seen
            # Names of fields are no texts.
            if inside and text.text and not re.search(r"(?:Child|Key|Path)\(\s*\Z",
                                                      source[begin:text.start]):
                seen.add(text.start)
                yield from ((part, text.start) for part in parts(text.text))
    for spans in calls(blank, LIST_CALLS):
        for begin, end in spans:
            if not blank[begin:end].strip().startswith("{"):
                continue
            values = [text for text in cooked if begin <= text.start < end]
            # A list is of literals only, or it is not known here.
            if values and not re.sub(r"[{},\s]", "", blank[begin:end]):
                yield (", ".join(f'"{value.text}"' for value in values), values[0].start)


def untested(sources, tests):
    """(path, line, text) of each, and the exceptions that are none. `sources` is path -> text."""
    expected = [text.text for test in tests for text in literals(test)[0]]
    haystack = "\0".join(expected)
    found = []
    excepted = set()
    for path, source in sources.items():
        for text, offset in messages(source):
            if text in haystack:
                continue
            if text in EXCEPTIONS:
                excepted.add(text)
                continue
            found.append((path, source.count("\n", 0, offset) + 1, text))
    return found, sorted(set(EXCEPTIONS) - excepted)


def files(paths):
    """Path -> text of the C++ files that are named, or below a folder that is."""
    found = {}
    for name in paths:
        path = pathlib.Path(name)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in (".cpp", ".h"):
                found[str(file)] = file.read_text(encoding="utf-8")
    return found


def main(arguments_given):
    split = arguments_given.index("--")
    sources = files(arguments_given[:split])
    tests = files(arguments_given[split + 1:]).values()
    found, stale = untested(sources, tests)
    for path, line, text in found:
        print(f"{path}:{line}: {text!r} is in no test")
    for text in stale:
        print(f"tools/untested_messages.py: {text!r} needs no exception")
    return 1 if found or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
