#!/usr/bin/env python3
"""Names the types and fields of the tables that have no description.

    tools/undescribed.py schema/*.v*.table

Prints them as file:line: name, and exits 1 if there are any. A field that holds a struct needs
none: the words of its type stand in.
"""

import pathlib
import sys

import schema_model
import schema_table


def undescribed(tables):
    """(Place, name) of each, in the order of the tables (path -> text)."""
    problems = schema_table.Problems()
    packages = [schema_table.read_table(path, text, problems) for path, text in tables.items()]
    problems.check()
    model = schema_model.Model(packages, problems)
    found = []
    for struct in model.structs.values():
        if not struct.description:
            found.append((struct.place, struct.name))
        for field in struct.fields:
            if field.shape == "inline" or field.description or field.place == struct.place:
                continue
            member = next((m for m in struct.members if m.field is field), None)
            if member is None or member.value.kind != "kStruct":
                found.append((field.place, f"{struct.name}.{field.name}"))
    return found


def main(paths):
    tables = {path: pathlib.Path(path).read_text(encoding="utf-8") for path in paths}
    try:
        found = undescribed(tables)
    except schema_table.SchemaErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    for place, name in found:
        print(f"{place}: {name}")
    print(f"{len(found)} without a description")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
