"""Reads the tables under schema/ into plain Python objects; schema/README.md describes the format.

One table is one package (a group-version, or one specification). Reading checks what one line can
tell; schema_model.py links the packages and checks the rest. Mistakes are collected, so that one
run names them all, each as 'file:line: message'.
"""

import dataclasses
import json
import re
from typing import Optional


@dataclasses.dataclass(frozen=True)
class Place:
    """A line of a table, for messages."""

    path: str
    line: int

    def __str__(self):
        return f"{self.path}:{self.line}"


class SchemaErrors(Exception):
    """Every mistake found, as (Place, message)."""

    def __init__(self, mistakes):
        self.mistakes = mistakes
        super().__init__("\n".join(f"{place}: {message}" for place, message in mistakes))


class Problems:
    """Collects mistakes; check() raises them together."""

    def __init__(self):
        self.mistakes = []

    def add(self, place, message):
        self.mistakes.append((place, message))

    def check(self):
        if self.mistakes:
            raise SchemaErrors(sorted(self.mistakes, key=lambda m: (m[0].path, m[0].line)))


@dataclasses.dataclass
class Field:
    """One row of a type. `type` is the name as written, without pointer, list and map marks."""

    place: Place
    name: str
    shape: str  # scalar, pointer, list, map, inline
    type: str
    key_type: str = ""  # of a map: "string" or a named string type
    enum: str = ""  # string:Enum
    number: Optional[int] = None
    flags: dict = dataclasses.field(default_factory=dict)
    rules: list = dataclasses.field(default_factory=list)
    description: str = ""

    def has(self, flag):
        return flag in self.flags


@dataclasses.dataclass
class TypeBlock:
    """kind, list, type and alternatives blocks."""

    place: Place
    keyword: str
    name: str
    of: str = ""  # list: the kind of the items
    flags: dict = dataclasses.field(default_factory=dict)
    fields: list = dataclasses.field(default_factory=list)
    description: str = ""


@dataclasses.dataclass
class Alias:
    """A named list or map type; with `items`, a type of its own: a message around that field."""

    place: Place
    name: str
    target: Field
    items: str = ""  # the field's number, "-" for none
    description: str = ""


@dataclasses.dataclass
class Enum:
    place: Place
    name: str
    values: list  # of strings
    numbers: Optional[list] = None  # protobuf enums
    closed: bool = False
    same: str = ""  # another name of that enum
    description: str = ""


@dataclasses.dataclass
class Method:
    place: Place
    name: str
    request: str
    response: str
    streams: bool


@dataclasses.dataclass
class Service:
    place: Place
    name: str
    methods: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Package:
    """One table. `header` holds the lines before the first block."""

    place: Place
    name: str = ""
    version: str = ""
    header: dict = dataclasses.field(default_factory=dict)
    types: list = dataclasses.field(default_factory=list)
    aliases: list = dataclasses.field(default_factory=list)
    sames: dict = dataclasses.field(default_factory=dict)  # name -> (Place, package.Type)
    raws: dict = dataclasses.field(default_factory=dict)  # name -> Place
    enums: list = dataclasses.field(default_factory=list)
    consts: list = dataclasses.field(default_factory=list)  # (Place, name, value)
    services: list = dataclasses.field(default_factory=list)

    @property
    def full_name(self):
        return f"{self.name}.{self.version}" if self.version else self.name

    @property
    def room(self):
        return self.header.get("room", "api")

    @property
    def group(self):
        return self.header.get("group", self.name)


HEADER_KEYS = {"group", "go", "proto", "room", "syntax"}
TYPE_KEYWORDS = {"kind", "list", "type", "alternatives"}
TYPE_FLAGS = {
    "namespaced": False, "cluster": False, "since": True, "deprecated": True, "sub": True,
    "struct": True, "union": False, "noproto": False,
}
FIELD_FLAGS = {
    "opt": False, "omitempty": False, "omitzero": False, "omitnull": False, "optional": False,
    "required": False, "discriminator": False, "fromouter": False,
    "default": True, "list": True, "map": True, "struct": True, "patch": True, "oneof": True,
    "gate": True, "go": True, "proto": True,
}
STRUCT_TYPES = {"atomic", "granular"}

TOKEN = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')
NAME = re.compile(r"[A-Za-z_$][\w$./-]*\Z")
TYPE_NAME = re.compile(r"[A-Za-z][\w.]*\Z")
FLAG = re.compile(r"([a-z]+)(?:=(.*))?\Z", re.DOTALL)
LIST_VALUE = re.compile(r"(atomic|set|map)(?:\(([^()]+)\))?\Z")
PATCH_VALUE = re.compile(r"(merge|retainKeys|merge,retainKeys|replace)(?:\(([^()]+)\))?\Z")
MAX_NUMBER = 4095
MAX_DESCRIPTION = 110


def parse_shape(text):
    """'[]*T', 'map[K]T', '*T', 'T', 'string:Enum' -> (shape, type, key type, enum), or None."""
    shape, key = "scalar", ""
    if text.startswith("*"):
        shape, text = "pointer", text[1:]
    elif text.startswith("[]"):
        shape, text = "list", text[2:]
    elif text.startswith("map["):
        end = text.find("]")
        if end < 0:
            return None
        shape, key, text = "map", text[4:end], text[end + 1:]
        if not TYPE_NAME.match(key):
            return None
    enum = ""
    if text.startswith("string:"):
        text, enum = "string", text[len("string:"):]
        if not TYPE_NAME.match(enum):
            return None
    return (shape, text, key, enum) if TYPE_NAME.match(text) else None


class Reader:
    """Reads one table, line by line; the keyword at the start of a line says what follows."""

    def __init__(self, path, text, problems):
        self.path = path
        self.problems = problems
        self.package = Package(Place(path, 1))
        self.block = None  # the block that indented lines belong to
        self.target = None  # what a description line describes
        self.names = {}
        for number, line in enumerate(text.split("\n"), 1):
            self.place = Place(path, number)
            self.read_line(line)
        if not self.package.name:
            problems.add(Place(path, 1), "the table has no 'package' line")

    def error(self, message):
        self.problems.add(self.place, message)

    def read_line(self, line):
        if "\t" in line:
            self.error("tab; indent with spaces")
        text = line.strip()
        if not text or text.startswith("#"):
            return
        indent = len(line) - len(line.lstrip(" "))
        if indent == 0:
            self.top(text)
        elif text.startswith("|"):
            self.describe(text[1:].strip(), indent)
        elif indent == 2:
            self.member(text)
        elif indent == 4:
            self.note(text)
        else:
            self.error("indent by 2 for a field, by 4 for what belongs to it")

    def describe(self, text, indent):
        if self.target is None:
            self.error("nothing here that a description could belong to")
        elif indent != (4 if isinstance(self.target, Field) else 2):
            self.error("indent the description of a field by 4, of a type by 2")
        elif self.target.description:
            self.error("a second description; keep it to one line")
        elif not text:
            self.error("empty description")
        elif len(text) > MAX_DESCRIPTION:
            self.error(f"description of {len(text)} characters; the limit is {MAX_DESCRIPTION}")
        elif not text.endswith("."):
            self.error("a description is a sentence and ends with a period")
        else:
            self.target.description = text

    def top(self, text):
        words = TOKEN.findall(text)
        keyword, rest = words[0], words[1:]
        self.block = self.target = None
        if keyword == "package":
            self.package_line(rest)
        elif keyword in HEADER_KEYS:
            if self.names:
                self.error(f"'{keyword}' stands before the first block")
            if len(rest) != 1:
                return self.error(f"'{keyword}' takes one value")
            self.package.header[keyword] = "" if rest[0] == '""' else rest[0]
        elif keyword in TYPE_KEYWORDS:
            self.type_line(keyword, rest)
        elif keyword == "alias":
            self.alias_line(rest)
        elif keyword == "enum":
            self.enum_line(text, rest)
        elif keyword == "same":
            if len(rest) != 3 or rest[1] != "=" or not TYPE_NAME.match(rest[2]):
                return self.error("expected: same NAME = PACKAGE.TYPE")
            if self.declare(rest[0]):
                self.package.sames[rest[0]] = (self.place, rest[2])
        elif keyword == "raw":
            if len(rest) != 1:
                return self.error("expected: raw NAME")
            if self.declare(rest[0]):
                self.package.raws[rest[0]] = self.place
        elif keyword == "const":
            self.const_line(text, rest)
        elif keyword == "service":
            if len(rest) != 1 or not self.declare(rest[0]):
                return self.error("expected: service NAME")
            self.block = Service(self.place, rest[0])
            self.package.services.append(self.block)
        else:
            self.error(f"unknown keyword '{keyword}'")

    def declare(self, name):
        if not TYPE_NAME.match(name):
            self.error(f"'{name}' is no name of a type")
            return False
        if name in self.names:
            self.error(f"'{name}' is declared twice; first in line {self.names[name].line}")
            return False
        self.names[name] = self.place
        return True

    def package_line(self, rest):
        if self.package.name:
            return self.error("a second 'package' line")
        if not 1 <= len(rest) <= 2:
            return self.error("expected: package NAME [VERSION]")
        self.package.place = self.place
        self.package.name = rest[0]
        self.package.version = rest[1] if len(rest) == 2 else ""

    def type_line(self, keyword, rest):
        if not rest or not self.declare(rest[0]):
            return self.error(f"expected: {keyword} NAME") if not rest else None
        block = TypeBlock(self.place, keyword, rest[0])
        rest = rest[1:]
        if keyword == "list":
            if len(rest) < 2 or rest[0] != "of":
                return self.error("expected: list NAME of KIND")
            block.of, rest = rest[1], rest[2:]
        for word in rest:
            self.flag(word, TYPE_FLAGS, block.flags)
        if block.flags.get("struct", "atomic") not in STRUCT_TYPES:
            self.error("struct= is atomic or granular")
        self.block = self.target = block
        self.package.types.append(block)

    def flag(self, word, known, flags):
        match = FLAG.match(word)
        if not match or match[1] not in known:
            return self.error(f"unknown flag '{word}'")
        name, value = match[1], match[2]
        if known[name] != (value is not None):
            return self.error(f"flag '{name}' takes {'a' if known[name] else 'no'} value")
        if name in flags:
            return self.error(f"flag '{name}' is given twice")
        flags[name] = True if value is None else value

    def alias_line(self, rest):
        if len(rest) not in (3, 4) or rest[1] != "=":
            return self.error("expected: alias NAME = []T or map[K]T [items=NUMBER]")
        shape = parse_shape(rest[2])
        if not shape or shape[0] not in ("list", "map"):
            return self.error(f"'{rest[2]}' is no list or map")
        items = ""
        if len(rest) == 4:
            match = re.fullmatch(r"items=(\d+|-)", rest[3])
            if not match:
                return self.error(f"unknown flag '{rest[3]}'")
            items = match[1]
        if self.declare(rest[0]):
            target = Field(self.place, "items", *shape[:2], key_type=shape[2], enum=shape[3])
            alias = Alias(self.place, rest[0], target, items)
            self.target = alias if items else None  # without, it is no type
            self.package.aliases.append(alias)

    def enum_line(self, text, rest):
        before, found, after = text.partition("=")
        words = before.split()[1:]
        if not found or not words or words[1:] not in ([], ["closed"]):
            return self.error("expected: enum NAME [closed] = VALUE ...")
        if not self.declare(words[0]):
            return
        enum = Enum(self.place, words[0], [], closed="closed" in words)
        if self.package.header.get("syntax") == "proto3":
            enum.numbers = []
        values = TOKEN.findall(after)
        if len(values) == 2 and values[0] == "same":
            enum.same = values[1]
        else:
            self.enum_values(enum, values)
        self.block = enum
        self.target = None if enum.numbers is None else enum  # only these become a C++ type
        self.package.enums.append(enum)

    def enum_values(self, enum, values):
        for written in values:
            value = json.loads(written) if written.startswith('"') else written
            if enum.numbers is not None:
                value, _, number = written.partition(":")
                if not number.isdigit():
                    self.error(f"expected NAME:NUMBER, not '{written}'")
                    continue
                enum.numbers.append(int(number))
            if value in enum.values:
                self.error(f"value '{value}' stands twice")
            if "|" in value:
                self.error(f"value '{value}' holds '|', which separates values in descriptors")
            enum.values.append(value)

    def const_line(self, text, rest):
        match = re.fullmatch(r"const\s+(\w+)\s*=\s*(.+)", text)
        try:
            value = json.loads(match[2]) if match else None
        except ValueError:
            value = None
        if not isinstance(value, (str, int)):
            return self.error("expected: const NAME = a string in quotes, a number, true or false")
        if any(name == match[1] for _, name, _ in self.package.consts):
            return self.error(f"constant '{match[1]}' is declared twice")
        self.package.consts.append((self.place, match[1], value))

    def member(self, text):
        self.target = None
        if isinstance(self.block, Service):
            words = text.split()
            if len(words) not in (3, 4) or words[3:] not in ([], ["stream"]):
                return self.error("expected: METHOD REQUEST RESPONSE [stream]")
            self.block.methods.append(Method(self.place, *words[:3], streams=len(words) == 4))
        elif isinstance(self.block, TypeBlock) and self.block.keyword != "list":
            self.field_line(text)
        elif isinstance(self.block, Enum) and not self.block.same:
            self.enum_values(self.block, TOKEN.findall(text))
        else:
            self.error("no block here that has fields")

    def field_line(self, text):
        words = TOKEN.findall(text)
        if len(words) < 3:
            return self.error("expected: NAME TYPE NUMBER [flag ...]; NUMBER is - for none")
        name, written, number = words[:3]
        shape = parse_shape(written)
        if not NAME.match(name):
            return self.error(f"'{name}' is no name of a field")
        if not shape:
            return self.error(f"'{written}' is no type")
        field = Field(self.place, name, *shape[:2], key_type=shape[2], enum=shape[3])
        if name == "inline":
            if field.shape != "scalar":
                return self.error("only a struct can be inlined")
            field.shape, field.name = "inline", ""
        if number != "-":
            if not number.isdigit() or int(number) == 0:
                return self.error(f"'{number}' is no field number")
            field.number = int(number)
            if field.number > MAX_NUMBER:
                return self.error(f"field number {number} is over {MAX_NUMBER}")
        for word in words[3:]:
            self.flag(word, FIELD_FLAGS, field.flags)
        self.flag_values(field)
        self.check_unique(field)
        self.block.fields.append(field)
        self.target = field

    def check_unique(self, field):
        for other in self.block.fields:
            if field.name and other.name == field.name:
                self.error(f"field '{field.name}' stands twice in {self.block.name}")
            if field.number is not None and other.number == field.number:
                self.error(f"field number {field.number} stands twice in {self.block.name}")

    def flag_values(self, field):
        flags = field.flags
        if flags.pop("opt", None):
            if "omitempty" in flags or "optional" in flags:
                self.error("'opt' already says omitempty and optional")
            flags["omitempty"] = flags["optional"] = True
        if "list" in flags:
            match = LIST_VALUE.match(flags["list"])
            if not match or (match[1] == "map") != (match[2] is not None):
                self.error("list= is atomic, set or map(KEY,...)")
                del flags["list"]
            else:
                flags["list"] = (match[1], match[2].split(",") if match[2] else [])
        if "patch" in flags:
            match = PATCH_VALUE.match(flags["patch"])
            if not match:
                self.error("patch= is merge, merge(KEY), retainKeys, merge,retainKeys(KEY)"
                           " or replace")
                del flags["patch"]
            else:
                flags["patch"] = (match[1].split(","), match[2] or "")
        if flags.get("map", "atomic") not in STRUCT_TYPES:
            self.error("map= is atomic or granular")
        if flags.get("struct", "atomic") not in STRUCT_TYPES:
            self.error("struct= is atomic or granular")
        if "default" in flags:
            try:
                json.loads(flags["default"])
            except ValueError:
                self.error("default= is a JSON value")
        if "gate" in flags:
            flags["gate"] = flags["gate"].split(",")

    def note(self, text):
        if not isinstance(self.target, Field):
            return self.error("nothing here that this line could belong to")
        keyword, _, rest = text.partition(" ")
        if keyword != "rule" or not rest.strip():
            return self.error(f"unknown note '{keyword}'; expected 'rule ...' or '| ...'")
        self.target.rules.append(rest.strip())


def read_table(path, text, problems):
    return Reader(path, text, problems).package
