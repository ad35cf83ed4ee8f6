"""Reads schema/resources.table and schema/columns.table and prints them as constant tables.

The comment at the top of each says what a line may hold. Kinds are named as in the other tables,
by package; the structs that are filled in stand in src/api/resource.h.
"""

import dataclasses
import json

import schema_cpp
import schema_model
from schema_table import TOKEN, Place

ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
COLUMN_TYPES = {"string", "integer", "boolean", "date", "number"}


@dataclasses.dataclass
class Resource:
    place: Place
    package: str
    stored: str  # the package of the stored form
    plural: str
    kind: str
    namespaced: bool
    short: list
    singular: str
    categories: list = dataclasses.field(default_factory=list)
    verbs: list = dataclasses.field(default_factory=list)
    fields: list = dataclasses.field(default_factory=list)
    hash: str = ""
    subs: list = dataclasses.field(default_factory=list)  # (place, name, kind, verbs)


@dataclasses.dataclass
class Columns:
    """The columns of one kind; of every other kind when `kind` is empty."""

    place: Place
    package: str
    kind: str
    rows: list = dataclasses.field(default_factory=list)  # (name, type, format, priority, cell)
    conditions: list = dataclasses.field(default_factory=list)
    order: str = ""
    extra: list = dataclasses.field(default_factory=list)


def lines(path, text):
    """(Place, indented, words, line) of the lines that say something."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield Place(path, number), line.startswith(" "), TOKEN.findall(stripped), stripped


def unquote(word):
    return json.loads(word) if word.startswith('"') else word


def read_resources(path, text, problems):
    found, package, stored = [], "", ""
    for place, indented, words, _ in lines(path, text):
        if not indented and words[0] == "version" and len(words) in (2, 4):
            package = words[1]
            stored = words[3] if len(words) == 4 else package
        elif not indented and words[0] == "resource" and len(words) >= 4 and package:
            if words[3] not in ("namespaced", "cluster"):
                problems.add(place, "scope is namespaced or cluster")
            found.append(Resource(place, package, stored, words[1], words[2],
                                  words[3] == "namespaced", words[4:], words[2].lower()))
            found[-1].fields = ["metadata.name"]
            if found[-1].namespaced:
                found[-1].fields.append("metadata.namespace")
        elif indented and found:
            resource_line(found[-1], place, words, problems)
        else:
            problems.add(place, "expected: version PACKAGE [from PACKAGE], or"
                                " resource PLURAL KIND SCOPE [short name ...]")
    seen = {}
    for resource in found:
        key = (resource.package, resource.plural)
        if key in seen:
            problems.add(resource.place, f"resource '{resource.plural}' stands twice")
        seen[key] = resource
    return found


def resource_line(resource, place, words, problems):
    keyword, values = words[0], words[1:]
    if keyword == "singular" and len(values) == 1:
        resource.singular = unquote(values[0])
    elif keyword == "categories" and values:
        resource.categories = values
    elif keyword == "verbs" and values:
        resource.verbs = check_verbs(ALL_VERBS if values == ["*"] else values, place, problems)
    elif keyword == "fields" and values:
        resource.fields = [] if values == ["-"] else resource.fields + values
    elif keyword == "hash" and len(values) == 1:
        resource.hash = values[0]
    elif keyword == "sub" and len(values) >= 3:
        verbs = check_verbs(values[2:], place, problems)
        resource.subs.append((place, values[0], values[1], verbs))
    else:
        problems.add(place, f"unknown line '{keyword}' in a resource, or values missing")


def check_verbs(verbs, place, problems):
    for verb in verbs:
        if verb not in ALL_VERBS:
            problems.add(place, f"unknown verb '{verb}'")
    return verbs


def read_columns(path, text, problems):
    found = []
    for place, indented, words, line in lines(path, text):
        if not indented:
            if words == ["columns", "default"]:
                found.append(Columns(place, "", ""))
            elif words[0] == "columns" and len(words) == 3:
                found.append(Columns(place, words[1], words[2]))
            else:
                problems.add(place, "expected: columns PACKAGE KIND, or columns default")
        elif found:
            columns_line(found[-1], place, words, line, problems)
        else:
            problems.add(place, "a column before the first 'columns' line")
    if not any(not columns.kind for columns in found):
        problems.add(Place(path, 1), "there is no 'columns default'")
    return found


def columns_line(columns, place, words, line, problems):
    if words[0] == "when" and len(words) == 6:
        columns.conditions.append([unquote(word) for word in words[1:]])
    elif words[0] == "order":
        columns.order = line.removeprefix("order").strip()
    elif words[0] == "extra":
        columns.extra.append(line.removeprefix("extra").strip())
    elif len(words) >= 4 and words[2].isdigit():
        kind, _, form = words[1].partition("/")
        if kind not in COLUMN_TYPES:
            problems.add(place, f"unknown column type '{kind}'")
        cell = line
        for word in words[:3]:
            cell = cell.removeprefix(word).lstrip()
        columns.rows.append((unquote(words[0]), kind, form, int(words[2]), cell))
    else:
        problems.add(place, "expected: NAME TYPE[/FORMAT] PRIORITY CELL")


class Tables:
    """Prints constant arrays, each list of strings once."""

    def __init__(self, model, problems):
        self.model = model
        self.problems = problems
        self.lists = {}

    def package(self, place, name):
        package = self.model.packages.get(name)
        if package is None:
            self.problems.add(place, f"unknown package '{name}'")
        return package

    def kind(self, place, package, name):
        """The package and the struct of a kind: NAME of `package`, or PACKAGE.NAME."""
        scope, _, kind = name.rpartition(".")
        owner = self.package(place, scope or package)
        struct = owner and self.model.find(owner, kind)
        if owner and (struct is None or not struct.is_kind):
            self.problems.add(place, f"'{name}' is no kind")
            return None, None
        return owner, struct

    def strings(self, values):
        """The name of a constant array of string_views; {} for none."""
        if not values:
            return "{}"
        return self.lists.setdefault(tuple(values), f"kStrings{len(self.lists)}")

    def print_lists(self):
        out = ""
        for values, name in self.lists.items():
            items = [quoted(value) for value in values]
            items[-1] += "};"
            out += schema_cpp.fill(items, "    ", f"constexpr std::string_view {name}[] = {{")
            out += "\n"
        return out + "\n"

    def print_resource(self, index, resource):
        owner, struct = self.kind(resource.place, resource.package, resource.kind)
        stored = self.package(resource.place, resource.stored)
        if owner is None or stored is None:
            return "", ""
        subs = ""
        for place, name, kind, verbs in resource.subs:
            scope, sub = self.kind(place, resource.package, kind)
            if scope is None:
                continue
            items = [quoted(name), quoted(scope.group), quoted(scope.version), quoted(sub.name),
                     self.strings(verbs) + "},"]
            subs += schema_cpp.fill(items, "     ", "    {") + "\n"
        if subs:
            subs = f"constexpr Subresource kSubresources{index}[] = {{\n{subs}}};\n"
        items = [quoted(owner.group), quoted(owner.version), quoted(resource.plural),
                 quoted(resource.singular), quoted(resource.kind),
                 "true" if resource.namespaced else "false", self.strings(resource.short),
                 self.strings(resource.categories), self.strings(resource.verbs),
                 self.strings(resource.fields), f"kSubresources{index}" if subs else "{}",
                 quoted(resource.hash), quoted(stored.version), type_address(struct) + "},"]
        return subs, schema_cpp.fill(items, "     ", "    {") + "\n"


def quoted(text):
    return schema_cpp.quote(text)


def type_address(struct):
    scope = schema_model.namespace(struct.package).removeprefix("podium::api::")
    return f"&{scope}::k{struct.name}Type"


def head(name, extra=""):
    return ("// Generated by tools/generate.py from schema/" + name + ".table; do not edit.\n"
            + extra)


def resource_files(path, text, model, problems):
    resources = read_resources(path, text, problems)
    tables = Tables(model, problems)
    subs, rows, names = "", "", []
    for index, resource in enumerate(resources):
        nested, row = tables.print_resource(index, resource)
        subs, rows = subs + nested, rows + row
        words = {resource.plural, resource.singular, *resource.short} - {""}
        names += [(word, index) for word in words]
    includes = sorted({schema_cpp.header_path(s.package) for s in model.structs.values()
                       if s.is_kind and s.package.room == "api"})
    source = [head("resources"), '#include "api/types/resources.h"\n\n',
              "".join(f'#include "{path}"\n' for path in includes),
              "\nnamespace podium::api {\nnamespace {\n\n", tables.print_lists(), subs,
              f"\nconstexpr Resource kResourceTable[] = {{\n{rows}}};\n\n",
              "constexpr ResourceName kNameTable[] = {\n",
              "".join(f"    {{{quoted(word)}, {index}}},\n" for word, index in sorted(names)),
              "};\n\n}  // namespace\n\n",
              "constinit const std::span<const Resource> kResources = kResourceTable;\n",
              "constinit const std::span<const ResourceName> kResourceNames = kNameTable;\n\n",
              "}  // namespace podium::api\n"]
    header = head("resources") + """#pragma once

#include <span>

#include "api/resource.h"

namespace podium::api {

// In the order of discovery: versions by preference.
extern const std::span<const Resource> kResources;
// By name, then in the order of kResources.
extern const std::span<const ResourceName> kResourceNames;

}  // namespace podium::api
"""
    return {"api/api/types/resources.h": header, "api/api/types/resources.cpp": "".join(source)}


def column_files(path, text, model, problems):
    blocks = read_columns(path, text, problems)
    tables = Tables(model, problems)
    arrays, rows = "", []
    for index, block in enumerate(blocks):
        group = version = ""
        if block.kind:
            owner, _ = tables.kind(block.place, block.package, block.kind)
            if owner is None:
                continue
            group, version = owner.group, owner.version
        arrays += f"constexpr Column kColumns{index}[] = {{\n"
        for name, kind, form, priority, cell in block.rows:
            items = [quoted(name), quoted(kind), quoted(form), str(priority), quoted(cell) + "},"]
            arrays += schema_cpp.fill(items, "     ", "    {") + "\n"
        arrays += "};\n"
        if block.conditions:
            arrays += f"constexpr RowCondition kConditions{index}[] = {{\n"
            for condition in block.conditions:
                items = [quoted(text) for text in condition]
                items[-1] += "},"
                arrays += schema_cpp.fill(items, "     ", "    {") + "\n"
            arrays += "};\n"
        items = [quoted(group), quoted(version), quoted(block.kind), f"kColumns{index}",
                 f"kConditions{index}" if block.conditions else "{}", quoted(block.order),
                 tables.strings(block.extra) + "},"]
        rows.append(((group, version, block.kind),
                     schema_cpp.fill(items, "     ", "    {") + "\n"))
    for before, after in zip(sorted(rows), sorted(rows)[1:]):
        if before[0] == after[0]:
            problems.add(blocks[0].place, f"two blocks for {before[0][2] or 'default'}")
    source = [head("columns"), '#include "api/types/columns.h"\n\n',
              "namespace podium::api {\nnamespace {\n\n", tables.print_lists(), arrays,
              "\nconstexpr TableColumns kColumnTable[] = {\n",
              "".join(text for _, text in sorted(rows)), "};\n\n}  // namespace\n\n",
              "constinit const std::span<const TableColumns> kTableColumns = kColumnTable;\n\n",
              "}  // namespace podium::api\n"]
    header = head("columns") + """#pragma once

#include <span>

#include "api/resource.h"

namespace podium::api {

// By group, version and kind; the first, of no kind, holds for all that are not listed.
extern const std::span<const TableColumns> kTableColumns;

}  // namespace podium::api
"""
    return {"api/api/types/columns.h": header, "api/api/types/columns.cpp": "".join(source)}


# Table -> what prints it: (path, text, model, problems) -> {output path: text}.
FORMS = {"resources": resource_files, "columns": column_files}
