#!/usr/bin/env python3
"""Checks who includes whom.

    tools/check_includes.py [ROOT]

Prints one line a finding (path:line: what is wrong) and exits 1 if there are any. It reads, and
changes nothing:

  docs/architecture.md   the table of rooms in section 2 ("| room | may include |")
  docs/dependencies.md   the table of libraries ("| library | ... |"), and who may include each
  src/CMakeLists.txt     the podium_room() calls, which must say the same as the table
  src/**                 every #include line, which must obey both
  tests/, CMake files    that no file is lost and no wildcard is used

The build enforces the table too (cmake/rooms.cmake); this names the line, and sees what a compiler
lets pass: relative paths, libraries in headers, a table and a build that have drifted apart.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

# Said in prose above the table: everyone may include base; every room but these may include
# reflect.
WITHOUT_REFLECT = {"base", "linux"}

# Rooms that decide and make no system calls (docs/architecture.md, section 2).
PURE_ROOMS = {"api", "reflect", "scheduler", "controllers"}
SYSTEM_CALL_HEADERS = re.compile(
    r"^(unistd|fcntl|poll|dirent|signal|spawn|pthread|sched|netdb|termios|sys/(?!types\.h)\w+"
    r"|net/\w+|netinet/\w+|arpa/\w+|linux/\w+)\.h$")

# The system's own folders; anything else with a slash is a library.
SYSTEM_FOLDERS = {"sys", "linux", "net", "netinet", "arpa", "asm"}

# Headers that the build generates: room/GENERATED_FOLDER/anything.h.
GENERATED_FOLDER = "types"

INCLUDE = re.compile(r"^\s*#\s*(include|include_next|import)\b\s*(.*)$")
TARGET = re.compile(r'^(["<])([^">]+)[">]')


@dataclass(order=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


@dataclass
class Library:
    """A row of docs/dependencies.md."""
    name: str
    headers: list[str]      # "fmt/" for a folder, "yaml.h" for a file
    used_by: set[str]       # rooms, "any", "tests", "bench"


@dataclass
class Room:
    """A podium_room() call of src/CMakeLists.txt."""
    name: str
    line: int
    sources: list[str] = field(default_factory=list)
    may_include: set[str] = field(default_factory=set)


def markdown_table(path, first_heading):
    """Yields (line number, cells) of each row of the table whose heading starts with first_heading."""
    inside = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_heading:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            yield number, cells


def names(cell):
    """The names in a table's cell: comma separated, remarks in parentheses and a lone dash dropped."""
    cell = re.sub(r"\([^)]*\)", "", cell)
    return [name for name in re.split(r"[,\s]+", cell.replace("`", "")) if name and name != "–"]


def read_table(path, findings):
    """The table of rooms: name to the set of rooms it may include, prose rules applied."""
    table = {}
    where = {}
    for number, cells in markdown_table(path, "room"):
        for name in names(cells[0]):
            if name in table:
                findings.append(Finding("docs/architecture.md", number, f"{name} is listed twice"))
            table[name] = set(names(cells[1]))
            where[name] = number
    if not table:
        findings.append(Finding("docs/architecture.md", 1, "no table '| room | may include |'"))
    table.setdefault("base", set())
    for name, allowed in table.items():
        if allowed == {"all"}:
            table[name] = allowed = {other for other in table if other != "main.cpp"} - {name}
        for other in sorted(allowed - table.keys()):
            findings.append(Finding("docs/architecture.md", where[name],
                                    f"{name} may include {other}, which is no room of the table"))
        if name != "base":
            allowed.add("base")
        if name not in WITHOUT_REFLECT | {"reflect"}:
            allowed.add("reflect")
    for cycle in cycles(table):
        findings.append(Finding("docs/architecture.md", where.get(cycle[0], 1),
                                f"rooms include each other: {' -> '.join(cycle)}"))
    return table


def cycles(graph):
    """One path a cycle of the graph, its first node repeated at the end."""
    state = {}
    found = []

    def visit(node, path):
        state[node] = "open"
        for other in sorted(graph.get(node, ())):
            if state.get(other) == "open":
                found.append(path[path.index(other):] + [other] if other in path else [node, other])
            elif other not in state:
                visit(other, path + [other])
        state[node] = "done"

    for node in sorted(graph):
        if node not in state:
            visit(node, [node])
    return found


def read_libraries(path, findings):
    libraries = []
    for number, cells in markdown_table(path, "library"):
        if len(cells) < 6:
            findings.append(Finding("docs/dependencies.md", number, "expected six columns"))
            continue
        libraries.append(Library(cells[0], names(cells[3]), set(names(cells[4]))))
    return libraries


def read_rooms(path, findings):
    """The podium_room() calls of a CMake file, and podium_freestanding()'s."""
    text = re.sub(r"#[^\n]*", "", path.read_text())
    rooms = {}
    for match in re.finditer(r"\bpodium_room\(([^)]*)\)", text):
        line = text.count("\n", 0, match.start()) + 1
        words = match[1].split()
        room = Room(words[0], line)
        keyword = None
        for word in words[1:]:
            if word in ("SOURCES", "MAY_INCLUDE", "LIBRARIES"):
                keyword = word
            elif keyword == "SOURCES":
                room.sources.append(word)
            elif keyword == "MAY_INCLUDE":
                room.may_include.add(word)
        if room.name in rooms:
            findings.append(Finding("src/CMakeLists.txt", line, f"room {room.name} is made twice"))
        rooms[room.name] = room
    # Programs without a C library have sources of their own in a room.
    for match in re.finditer(r"\bpodium_freestanding\(([^)]*)\)", text):
        words = match[1].split()
        if words[0] in rooms:
            rooms[words[0]].sources += [word for word in words if word.endswith(".cpp")]
    return rooms


def listing(words):
    return ", ".join(sorted(words)) or "nothing"


def check_rooms(root, table, rooms, findings):
    """src/CMakeLists.txt against the table, and against the folders."""
    where = "src/CMakeLists.txt"
    for room in rooms.values():
        if room.name not in table:
            findings.append(Finding(where, room.line,
                                    f"room {room.name} is not in docs/architecture.md, section 2"))
            continue
        expected = table[room.name] & rooms.keys()
        if room.may_include != expected:
            findings.append(Finding(where, room.line,
                                    f"room {room.name}: MAY_INCLUDE is {listing(room.may_include)}; "
                                    f"docs/architecture.md says {listing(expected)}"))
        files = {str(path.relative_to(root / "src" / room.name))
                 for path in (root / "src" / room.name).rglob("*.cpp")}
        if not files:
            findings.append(Finding(where, room.line, f"room {room.name} has no source file"))
        for lost in sorted(files - set(room.sources)):
            findings.append(Finding(f"src/{room.name}/{lost}", 1,
                                    "is not among the SOURCES of its room in src/CMakeLists.txt"))
    for folder in sorted(path.name for path in (root / "src").iterdir() if path.is_dir()):
        if folder not in rooms:
            findings.append(Finding(f"src/{folder}", 1, "is no room of src/CMakeLists.txt"))


def library_of(libraries, header):
    for library in libraries:
        for prefix in library.headers:
            if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
                return library
    return None


def check_angle_include(room, is_header, header, table, libraries):
    """What is wrong with #include <header> in a file of a room, or None."""
    folder = header.split("/")[0] if "/" in header else None
    library = library_of(libraries, header)
    if library:
        if is_header:
            return f"{library.name} in a header: libraries from outside stay in .cpp files"
        if not library.used_by & {"any", room}:
            return (f"{library.name} is not for {room}; docs/dependencies.md allows "
                    f"{listing(library.used_by)}")
    elif folder in table and folder not in SYSTEM_FOLDERS:
        return f'a room\'s header is included with quotes: "{header}"'
    elif folder and folder not in SYSTEM_FOLDERS:
        return f"<{header}> belongs to no library of docs/dependencies.md"
    elif room in PURE_ROOMS and SYSTEM_CALL_HEADERS.match(header):
        return f"{room} makes no system calls, and <{header}> is for these"
    return None


def check_quoted_include(root, room, header, table, rooms):
    """What is wrong with #include "header" in a file of a room, or None."""
    parts = header.split("/")
    if ".." in parts or "." in parts or header.startswith("/"):
        return f'"{header}" is no path from a room: write "room/header.h"'
    if len(parts) < 2 or parts[0] not in table:
        return f'"{header}" names no room: write "room/header.h"'
    other = parts[0]
    if other != room and other not in table.get(room, ()):
        return f"{room} may not include {other}"
    if not (root / "src" / header).is_file() and parts[1] != GENERATED_FOLDER:
        return f'there is no "{header}" in src/' + ("" if other in rooms else f" (nor room {other})")
    return None


def check_file(root, path, table, rooms, libraries, findings):
    name = str(path.relative_to(root))
    parts = path.relative_to(root / "src").parts
    room = parts[0]  # "main.cpp" for src/main.cpp, which has its own row in the table
    is_header = path.suffix == ".h"
    lines = path.read_text().splitlines()
    if is_header and "#pragma once" not in lines:
        findings.append(Finding(name, 1, "has no #pragma once"))
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = TARGET.match(match[2])
        if match[1] != "include" or not target:
            problem = "an include that this check cannot read"
        elif target[1] == "<":
            problem = check_angle_include(room, is_header, target[2], table, libraries)
        else:
            problem = check_quoted_include(root, room, target[2], table, rooms)
        if problem:
            findings.append(Finding(name, number, problem))


def check_tests(root, findings):
    """Every test and fuzz file must be in a list: the lists are written by hand."""
    tests = root / "tests"
    if not tests.is_dir():
        return
    cmake = "\n".join(re.sub(r"#[^\n]*", "", path.read_text())
                      for path in sorted(tests.rglob("CMakeLists.txt")))
    for path in sorted(tests.rglob("*_test.*")) + sorted(tests.rglob("*_fuzz.cpp")):
        if path.suffix not in (".cpp", ".py"):
            continue
        name = path.name
        if path.stem.endswith("_fuzz"):
            stem = path.stem.removesuffix("_fuzz")
            listed = re.search(rf"\bpodium_fuzz\(\s*{re.escape(stem)}\b", cmake)
            corpus = tests / "fuzz" / "corpus" / stem
            made = (re.search(rf"\bpodium_fuzz\(\s*{re.escape(stem)}\s+MADE\b", cmake)
                    and path.with_name(f"{stem}_seeds.py").exists())
            if not made and not (corpus.is_dir() and any(corpus.iterdir())):
                findings.append(Finding(str(path.relative_to(root)), 1,
                                        f"has no seeds in tests/fuzz/corpus/{stem}/"))
        else:
            listed = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", cmake)
        if not listed:
            findings.append(Finding(str(path.relative_to(root)), 1,
                                    "is in no list of tests' CMakeLists.txt files: it never runs"))


def check_wildcards(root, findings):
    ours = [root / "CMakeLists.txt"]
    for folder in ("cmake", "src", "tests", "bench"):
        ours += sorted((root / folder).rglob("CMakeLists.txt"))
        ours += sorted((root / folder).rglob("*.cmake"))
    for path in ours:
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\bGLOB(_RECURSE)?\b|\baux_source_directory\b", line.split("#")[0], re.I):
                findings.append(Finding(str(path.relative_to(root)), number,
                                        "a wildcard: write the list out"))


def check(root):
    """All findings of a source tree, sorted."""
    findings = []
    table = read_table(root / "docs/architecture.md", findings)
    libraries = read_libraries(root / "docs/dependencies.md", findings)
    rooms = read_rooms(root / "src/CMakeLists.txt", findings)
    check_rooms(root, table, rooms, findings)
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".h", ".cpp"):
            check_file(root, path, table, rooms, libraries, findings)
    check_tests(root, findings)
    check_wildcards(root, findings)
    return sorted(findings)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    findings = check(root)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
