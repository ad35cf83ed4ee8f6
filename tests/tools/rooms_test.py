"""The build finds the headers that a room may include, and no others.

    PODIUM_BUILD_DIR=build/dev rooms_test.py

cmake/rooms.cmake is tried on a small house of its own, where wrong includes must not compile, and
on the real one, where every room is asked about every header.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import check_includes
from compile_commands import flags_of_rooms

BUILD = Path(os.environ["PODIUM_BUILD_DIR"])

# attic may include hall, hall may include cellar; attic may not include cellar.
HOUSE = {
    "CMakeLists.txt": f"""\
cmake_minimum_required(VERSION 3.25)
project(house CXX)
include({ROOT}/cmake/rooms.cmake)
podium_room(cellar SOURCES wine.cpp)
podium_room(hall MAY_INCLUDE cellar SOURCES door.cpp)
podium_room(attic MAY_INCLUDE hall SOURCES box.cpp)
add_executable(visit porch/visit.cpp)
podium_use_rooms(visit podium_attic)
""",
    "cellar/wine.h": "#pragma once\nint Wine();\n",
    "cellar/wine.cpp": '#include "cellar/wine.h"\nint Wine() { return 1; }\n',
    "hall/door.h": "#pragma once\nint Door();\n",
    "hall/door.cpp": '#include "hall/door.h"\n#include "cellar/wine.h"\nint Door() { return Wine(); }\n',
    "attic/box.h": "#pragma once\nint Box();\n",
    "attic/box.cpp": '#include "attic/box.h"\n#include "hall/door.h"\nint Box() { return Door(); }\n',
    "porch/visit.cpp": '#include "attic/box.h"\n#include "hall/door.h"\nint main() { return Box() - Door(); }\n',
}


def build_house(changes):
    """The exit code of building the small house with some files changed, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (HOUSE | changes).items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        output = ""
        for command in (["cmake", "-G", "Ninja", "-S", folder, "-B", f"{folder}/build",
                         "-DCMAKE_CXX_COMPILER=clang++-19"], ["cmake", "--build", f"{folder}/build"]):
            run = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, check=False)
            output += run.stdout
            if run.returncode != 0:
                break
        return run.returncode, output


class SmallHouseTest(unittest.TestCase):
    def expect_not_found(self, changes, header):
        code, output = build_house(changes)
        self.assertNotEqual(code, 0)
        self.assertIn(f"fatal error: '{header}' file not found", output)

    def test_what_the_table_allows_builds_and_links(self):
        code, output = build_house({})
        self.assertEqual(code, 0, output)

    def test_a_room_above_is_not_found(self):
        self.expect_not_found({"cellar/wine.cpp": '#include "hall/door.h"\n'}, "hall/door.h")

    def test_what_an_included_room_may_include_is_not_lent(self):
        self.expect_not_found({"attic/box.cpp": '#include "cellar/wine.h"\n'}, "cellar/wine.h")

    def test_nor_is_it_through_a_header(self):
        self.expect_not_found({"hall/door.h": '#pragma once\n#include "cellar/wine.h"\n'},
                              "cellar/wine.h")

    def test_a_program_sees_the_room_it_uses_and_that_rooms_rooms(self):
        self.expect_not_found({"porch/visit.cpp": '#include "cellar/wine.h"\nint main() {}\n'},
                              "cellar/wine.h")


class RealHouseTest(unittest.TestCase):
    def test_each_room_finds_just_the_headers_it_may_include(self):
        rooms = check_includes.read_rooms(ROOT / "src/CMakeLists.txt", [])
        headers = [str(path.relative_to(ROOT / "src")) for path in sorted((ROOT / "src").rglob("*.h"))]
        self.assertTrue(headers)
        source = "".join(f'#if __has_include("{header}")\nfound {header}\n#endif\n'
                         for header in headers)
        flags = flags_of_rooms(ROOT, BUILD)
        for room in rooms.values():
            run = subprocess.run(flags[room.name] + ["-E", "-P", "-x", "c++", "-"], text=True,
                                 input=source, stdout=subprocess.PIPE, check=True)
            found = [line.removeprefix("found ") for line in run.stdout.splitlines() if line]
            allowed = room.may_include | {room.name}
            with self.subTest(room=room.name):
                self.assertEqual(found, [header for header in headers
                                         if header.split("/")[0] in allowed])


if __name__ == "__main__":
    unittest.main()
