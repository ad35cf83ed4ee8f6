#!/usr/bin/env python3
"""Turns the tables under schema/ into C++ structs and descriptors.

    tools/generate.py --out build/dev/generated schema/*.table

Writes OUT/ROOM/ROOM/types/NAME.h and .cpp for every table, the registry of each room, and the
descriptions of a room that has kinds; the build runs it. resources.table and columns.table have
forms of their own (schema_resources.py). Files that would not change are left alone, so that
nothing is compiled in vain. Mistakes in the tables are printed as file:line: message, all at once,
and nothing is written.
"""

import argparse
import pathlib
import sys

import schema_cpp
import schema_descriptions
import schema_model
import schema_registry
import schema_resources
import schema_table


def outputs(tables):
    """Path under the output folder -> text, of all tables (path -> text)."""
    problems = schema_table.Problems()
    special = {name: path for path in tables
               if (name := pathlib.PurePath(path).stem) in schema_resources.FORMS}
    packages = [schema_table.read_table(path, text, problems) for path, text in tables.items()
                if path not in special.values()]
    problems.check()
    model = schema_model.Model(packages, problems)
    files = {}
    for package in packages:
        printer = schema_cpp.Printer(model, package)
        stem = f"{package.room}/{schema_cpp.header_path(package)[:-2]}"
        files[stem + ".h"] = printer.header()
        files[stem + ".cpp"] = printer.source()
    for room in sorted({package.room for package in packages}):
        files.update(schema_registry.files(model, room))
        if any(s.is_kind and s.package.room == room for s in model.structs.values()):
            files.update(schema_descriptions.files(model, room))
    for name, path in special.items():
        files.update(schema_resources.FORMS[name](path, tables[path], model, problems))
    problems.check()
    return files


def write_if_changed(path, text):
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("tables", nargs="+", type=pathlib.Path)
    options = parser.parse_args(arguments)
    tables = {str(path): path.read_text(encoding="utf-8") for path in options.tables}
    try:
        files = outputs(tables)
    except schema_table.SchemaErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    for name, text in files.items():
        write_if_changed(options.out / name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
