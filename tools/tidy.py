#!/usr/bin/env python3
"""Runs clang-tidy over every hand-written source file of a build.

    tools/tidy.py BUILD_DIR [FILE...]

Files come from BUILD_DIR/compile_commands.json; what the generator wrote is left out, and the
headers of ours are seen through the files that include them. Prints each finding once and exits 1
if there are any. FILE, relative to the repository, limits the run. The build must have run before,
for generated headers.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from compile_commands import entries

ROOT = Path(__file__).resolve().parent.parent
FINDING = re.compile(r"^(/[^:]+):(\d+:\d+: (?:warning|error): .*)$")
# Headers are reached through links, one for each room.
ROOM_LINK = re.compile(r"^.*/rooms/\w+/")


def tidy(build, source):
    run = subprocess.run(["clang-tidy-19", "-p", str(build), "--quiet", str(source)], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    findings = {}
    block = None
    for line in run.stdout.splitlines():
        match = FINDING.match(line)
        if match:
            path = ROOM_LINK.sub("src/", match[1]).removeprefix(f"{ROOT}/")
            block = findings.setdefault(f"{path}:{match[2]}", [])
        elif block is not None:
            block.append(line)
    if run.returncode != 0 and not findings:
        findings[f"{source}: clang-tidy failed"] = run.stderr.splitlines()[-20:]
    return findings


def main():
    build = Path(sys.argv[1]).resolve()
    wanted = set(sys.argv[2:])
    sources = {source for source, _ in entries(build)
               if source.is_relative_to(ROOT) and not source.is_relative_to(build)}
    if wanted:
        sources = {source for source in sources if str(source.relative_to(ROOT)) in wanted}
    # The largest first, so that no core is left alone with one at the end.
    order = sorted(sources, key=lambda source: source.stat().st_size, reverse=True)
    findings = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda source: tidy(build, source), order):
            findings.update(found)
    for finding in sorted(findings):
        print(finding, *findings[finding], sep="\n")
    print(f"{len(order)} files, {len(findings)} findings")
    return 1 if findings or not order else 0


if __name__ == "__main__":
    sys.exit(main())
