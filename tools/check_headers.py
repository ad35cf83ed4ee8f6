#!/usr/bin/env python3
"""Checks that every header in src/ compiles by itself.

    tools/check_headers.py BUILD_DIR

Each header is compiled alone, with the flags of a source file of its room taken from
BUILD_DIR/compile_commands.json, so that what it needs it includes, and only from rooms it may
include. Headers that the source of the same name includes first are left out: the build has
compiled them so. Prints the compiler's words for those that fail and exits 1 if any does. Generated headers
must have been built before.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from compile_commands import flags_of_rooms

ROOT = Path(__file__).resolve().parent.parent


def check(header, command):
    """The compiler's complaint about a header, or an empty string."""
    name = header.relative_to(ROOT / "src")
    run = subprocess.run(command + ["-fsyntax-only", "-x", "c++", "-"], cwd=ROOT, text=True,
                         input=f'#include "{name}"\n', stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    return f"src/{name} does not compile by itself:\n{run.stdout}" if run.returncode else ""


def stands_first(header):
    """Whether the source of the same name begins with it."""
    source = header.with_suffix(".cpp")
    if not source.exists():
        return False
    for line in source.read_text().splitlines():
        if line.startswith("#include"):
            return line == f'#include "{header.relative_to(ROOT / "src")}"'
    return False


def main():
    flags = flags_of_rooms(ROOT, Path(sys.argv[1]))
    headers = [header for header in sorted((ROOT / "src").rglob("*.h"))
               if not stands_first(header)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = list(pool.map(
            lambda header: check(header, flags[header.relative_to(ROOT / "src").parts[0]]), headers))
    failed = [complaint for complaint in complaints if complaint]
    print("".join(failed) + f"{len(headers)} headers, {len(failed)} failed")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
