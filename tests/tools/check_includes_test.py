"""tools/check_includes.py finds each kind of wrong tree, and nothing in a right one."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import check_includes

# A small house that is right: api may include reflect and base, cli also api.
RIGHT = {
    "docs/architecture.md": """\
# a house
| unrelated | table |
|---|---|
| api | everything |

| room | may include |
|---|---|
| commands | all |
| cli | client, api (documents only) |
| client, api | – |
| reflect, linux | – (base only) |
| main.cpp | commands, cli |
""",
    "docs/dependencies.md": """\
| library | package | version | headers | used by | why |
|---|---|---|---|---|---|
| fmt | libfmt-dev | 9.1 | `fmt/` | any | text |
| libyaml | libyaml-dev | 0.2 | `yaml.h` | reflect | scanner |
| CLI11 | libcli11-dev | 2.1 | `CLI/` | cli | options |
""",
    "src/CMakeLists.txt": """\
# rooms: podium_room(commented SOURCES out.cpp)
podium_room(base SOURCES error.cpp)
podium_room(reflect MAY_INCLUDE base SOURCES json.cpp)
podium_room(api MAY_INCLUDE reflect base
            SOURCES pod.cpp validation/pod.cpp)
podium_room(cli MAY_INCLUDE api reflect base SOURCES apply.cpp LIBRARIES CLI11::CLI11)
""",
    "src/base/error.h": "#pragma once\n#include <string>\n",
    "src/base/error.cpp": '#include "base/error.h"\n#include <unistd.h>\n#include <sys/stat.h>\n',
    "src/reflect/json.h": '#pragma once\n#include "base/error.h"\n',
    "src/reflect/json.cpp": '#include "reflect/json.h"\n#include <yaml.h>\n#include <fmt/format.h>\n',
    "src/api/pod.h": '#pragma once\n#include "reflect/json.h"\n#include "api/types/core_v1.h"\n',
    "src/api/pod.cpp": '#include "api/pod.h"\n#include <cerrno>\n',
    "src/api/validation/pod.cpp": '#include "api/pod.h"\n',
    "src/cli/apply.cpp": '#include "api/pod.h"\n#include <CLI/CLI.hpp>\n',
    "src/main.cpp": "int main() {}\n",
    "tests/CMakeLists.txt": "podium_test(base SOURCES error_test.cpp)\n",
    "tests/base/error_test.cpp": "",
    "tests/fuzz/CMakeLists.txt": "podium_fuzz(json LIBRARIES podium_reflect)\n",
    "tests/fuzz/json_fuzz.cpp": "",
    "tests/fuzz/corpus/json/empty": "",
}


def findings(changes):
    """What the check says of the right house with some files changed, added or (None) removed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in (RIGHT | changes).items():
            if text is not None:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return [str(finding) for finding in check_includes.check(root)]


class CheckIncludesTest(unittest.TestCase):
    def expect(self, changes, *expected):
        self.assertEqual(findings(changes), list(expected))

    def test_the_right_house_has_no_finding(self):
        self.expect({})

    def test_a_room_that_may_not_be_included(self):
        self.expect({"src/reflect/json.cpp": '#include "reflect/json.h"\n\n#include "api/pod.h"\n'},
                    "src/reflect/json.cpp:3: reflect may not include api")
        self.expect({"src/base/error.h": '#pragma once\n#include "reflect/json.h"\n'},
                    "src/base/error.h:2: base may not include reflect")
        self.expect({"src/main.cpp": '  #  include "api/pod.h"  // spaced out\n'},
                    "src/main.cpp:1: main.cpp may not include api")

    def test_paths_that_are_not_from_a_room(self):
        self.expect({"src/api/pod.cpp": '#include "../base/error.h"\n'},
                    'src/api/pod.cpp:1: "../base/error.h" is no path from a room: '
                    'write "room/header.h"')
        self.expect({"src/api/pod.cpp": '#include "pod.h"\n'},
                    'src/api/pod.cpp:1: "pod.h" names no room: write "room/header.h"')
        self.expect({"src/api/pod.cpp": '#include "attic/box.h"\n'},
                    'src/api/pod.cpp:1: "attic/box.h" names no room: write "room/header.h"')
        self.expect({"src/cli/apply.cpp": '#include "api/validation.h"\n'},
                    'src/cli/apply.cpp:1: there is no "api/validation.h" in src/')
        self.expect({"src/cli/apply.cpp": "#include <api/pod.h>\n"},
                    "src/cli/apply.cpp:1: a room's header is included with quotes: \"api/pod.h\"")

    def test_includes_that_hide_what_they_name(self):
        self.expect({"src/api/pod.cpp": "#include POD_HEADER\n"},
                    "src/api/pod.cpp:1: an include that this check cannot read")
        self.expect({"src/api/pod.cpp": '#include_next "api/pod.h"\n'},
                    "src/api/pod.cpp:1: an include that this check cannot read")

    def test_libraries(self):
        self.expect({"src/api/pod.h": "#pragma once\n#include <fmt/format.h>\n"},
                    "src/api/pod.h:2: fmt in a header: libraries from outside stay in .cpp files")
        self.expect({"src/api/pod.cpp": "#include <yaml.h>\n"},
                    "src/api/pod.cpp:1: libyaml is not for api; docs/dependencies.md allows reflect")
        self.expect({"src/api/pod.cpp": "#include <boost/json.hpp>\n"},
                    "src/api/pod.cpp:1: <boost/json.hpp> belongs to no library of "
                    "docs/dependencies.md")

    def test_rooms_that_make_no_system_calls(self):
        for header in ("unistd.h", "sys/stat.h", "linux/fs.h"):
            self.expect({"src/api/pod.cpp": f"#include <{header}>\n"},
                        f"src/api/pod.cpp:1: api makes no system calls, and <{header}> is for these")

    def test_a_header_without_pragma_once(self):
        self.expect({"src/api/pod.h": "// #pragma once\n"}, "src/api/pod.h:1: has no #pragma once")

    def test_the_build_may_not_drift_from_the_page(self):
        wider = RIGHT["src/CMakeLists.txt"].replace("reflect MAY_INCLUDE base",
                                                    "reflect MAY_INCLUDE base api")
        self.expect({"src/CMakeLists.txt": wider},
                    "src/CMakeLists.txt:3: room reflect: MAY_INCLUDE is api, base; "
                    "docs/architecture.md says base")
        narrower = RIGHT["src/CMakeLists.txt"].replace("api reflect base", "api base")
        self.expect({"src/CMakeLists.txt": narrower},
                    "src/CMakeLists.txt:6: room cli: MAY_INCLUDE is api, base; "
                    "docs/architecture.md says api, base, reflect")

    def test_rooms_without_a_place(self):
        cmake = RIGHT["src/CMakeLists.txt"]
        self.expect({"src/CMakeLists.txt": cmake + "podium_room(attic SOURCES box.cpp)\n",
                     "src/attic/box.cpp": ""},
                    "src/CMakeLists.txt:7: room attic is not in docs/architecture.md, section 2")
        self.expect({"src/attic/box.cpp": ""}, "src/attic:1: is no room of src/CMakeLists.txt")
        self.expect({"src/CMakeLists.txt": cmake + "podium_room(linux MAY_INCLUDE base)\n"},
                    "src/CMakeLists.txt:7: room linux has no source file")
        self.expect({"src/CMakeLists.txt": cmake + "podium_room(base SOURCES error.cpp)\n"},
                    "src/CMakeLists.txt:7: room base is made twice")

    def test_tables_that_contradict_themselves(self):
        page = RIGHT["docs/architecture.md"]
        self.expect({"docs/architecture.md": page.replace("| client, api | – |",
                                                          "| client | api |\n| api | client |")},
                    "docs/architecture.md:11: rooms include each other: api -> client -> api")
        self.expect({"docs/architecture.md": page.replace("client, api (", "clint, api (")},
                    "docs/architecture.md:9: cli may include clint, which is no room of the table")
        self.expect({"docs/architecture.md": page + "| cli | client, api |\n"},
                    "docs/architecture.md:13: cli is listed twice")

    def test_files_that_no_list_names(self):
        self.expect({"src/api/lost.cpp": ""},
                    "src/api/lost.cpp:1: is not among the SOURCES of its room in src/CMakeLists.txt")
        self.expect({"tests/base/lost_test.cpp": ""},
                    "tests/base/lost_test.cpp:1: is in no list of tests' CMakeLists.txt files: "
                    "it never runs")
        self.expect({"tests/fuzz/lost_fuzz.cpp": "", "tests/fuzz/corpus/lost/seed": ""},
                    "tests/fuzz/lost_fuzz.cpp:1: is in no list of tests' CMakeLists.txt files: "
                    "it never runs")
        unseeded = "tests/fuzz/json_fuzz.cpp:1: has no seeds in tests/fuzz/corpus/json/"
        self.expect({"tests/fuzz/corpus/json/empty": None}, unseeded)
        # A recipe does as well, if the build makes it.
        recipe = {"tests/fuzz/corpus/json/empty": None, "tests/fuzz/json_seeds.py": ""}
        self.expect(recipe, unseeded)
        path = "tests/fuzz/CMakeLists.txt"
        self.expect({**recipe, path: RIGHT[path].replace("(json", "(json MADE")})

    def test_wildcards(self):
        self.expect({"src/CMakeLists.txt": RIGHT["src/CMakeLists.txt"] +
                     "file(GLOB_RECURSE sources *.cpp)\n"},
                    "src/CMakeLists.txt:7: a wildcard: write the list out")


if __name__ == "__main__":
    unittest.main()
