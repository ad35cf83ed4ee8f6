#!/usr/bin/env python3
"""Measures the generated code: how long it takes to compile, and how large it is.

    bench/generated_size.py

Generates everything into a temporary folder and compiles it as the release preset does, but without
ccache and link-time optimization, so that objects hold machine code; two files at a time. Prints a
row for each object: text (code and constants) and data (constants with addresses in them, which the
loader fills in); their sums; and what is left of them in a program, where strings and functions
that are in several objects are there once. Seconds are of the wall clock and of the processor; on
a machine that does something else besides, only the latter means anything.
"""

import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from compile_commands import entries

JOBS = 2


def compile_one(command, source, output):
    subprocess.run(command + ["-c", str(source), "-o", str(output)], cwd=output.parent, check=True)


def processor_seconds():
    """Of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def size_of(output):
    """(text, data) in bytes."""
    rows = subprocess.run(["llvm-size-19", "--format=berkeley", str(output)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.splitlines()
    text, data = rows[1].split()[:2]
    return int(text), int(data)


def linked_size(outputs, program):
    """Bytes of all loaded sections of a program that is made of these objects and nothing else."""
    subprocess.run(["clang++-19", "-fuse-ld=lld-19", "-pie", "-nostdlib", "-Wl,-e,0", "-Wl,-O2",
                    "-Wl,--unresolved-symbols=ignore-all", "-Wl,--icf=safe",
                    "-Wl,-z,pack-relative-relocs", "-o", str(program), *map(str, outputs)],
                   check=True)
    return sum(size_of(program))


def main():
    with tempfile.TemporaryDirectory(prefix="generated-size.") as folder:
        build = Path(folder)
        subprocess.run(["cmake", "--preset", "release", "-B", str(build)], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, ROOT / "tools" / "generate.py", "--out",
                        build / "generated", *sorted((ROOT / "schema").glob("*.table"))],
                       check=True)
        tasks = [([word for word in command if not word.startswith("-flto")], source,
                  build / f"{source.stem}.o")
                 for source, command in entries(build)
                 if source.is_relative_to(build / "generated")
                 and source.parent.name != "embedded"]
        start, used = time.monotonic(), processor_seconds()
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda task: compile_one(*task), tasks))
        wall, used = time.monotonic() - start, processor_seconds() - used
        rows = [(*size_of(output), source.name)
                for _, source, output in tasks]
        linked = linked_size([output for _, _, output in tasks], build / "program")
    print(f"{'text':>9} {'data':>9}  file")
    for text, data, name in rows:
        print(f"{text:9} {data:9}  {name}")
    print(f"{sum(row[0] for row in rows):9} {sum(row[1] for row in rows):9}  {len(rows)} files, "
          f"{wall:.1f} s with {JOBS} jobs, {used:.1f} s of processor time")
    print(f"{linked:19}  linked")


if __name__ == "__main__":
    main()
