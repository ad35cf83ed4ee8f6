#!/usr/bin/env python3
"""Counts instructions of the benchmarks of codec_bench, by callgrind.

    bench/instructions.py [--program PATH] [FILTER]

Prints, for each benchmark whose name the regular expression FILTER finds, the instructions of one
operation with the destruction of what it made, and their ratio to those of Decode. A program is
run twice, with few and with more iterations: the difference is the operation's, as all else is the
same. Counts do not depend on what else the machine does.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FEW, MORE = 5, 25
BASE = "Decode"


def names(program):
    listed = subprocess.run([program, "--benchmark_list_tests"], check=True, text=True,
                            capture_output=True)
    return listed.stdout.split()


def instructions(program, name, iterations):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}",
                        program, f"--iterations={iterations}", f"--benchmark_filter=^{name}(/|$)"],
                       check=True, capture_output=True)
        text = Path(out.name).read_text()
    return int(re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE).group(1))


def of_one(program, name):
    few, more = (instructions(program, name, count) for count in (FEW, MORE))
    return (more - few) // (MORE - FEW)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("filter", nargs="?", default=".")
    parser.add_argument("--program", default=str(ROOT / "build/release/bench/codec_bench"))
    options = parser.parse_args()
    base = of_one(options.program, BASE)
    for name in names(options.program):
        if not re.search(options.filter, name):
            continue
        count = base if name == BASE else of_one(options.program, name)
        print(f"{name:24} {count:12,} {count / base:8.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
