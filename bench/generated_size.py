#!/usr/bin/env python3
"""Measures the generated code: how long it takes to compile, and how large it is.

    bench/generated_size.py

Generates everything into a temporary folder and compiles it as the release preset does, but without
ccache and link-time optimization, so that objects hold machine code; two files at a time. Prints a
row for each object and the sums: text (code and constants), data (constants with addresses in
them, which the loader fills in), and seconds, of the wall clock and of the processor. On a machine
that does something else besides, only the latter means anything.
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


def main():
    with tempfile.TemporaryDirectory(prefix="generated-size.") as folder:
        build = Path(folder)
        subprocess.run(["cmake", "--preset", "release", "-B", str(build)], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, ROOT / "tools" / "generate.py", "--out",
                        build / "generated", *sorted((ROOT / "schema").glob("*.table"))],
                       check=True)
        tasks = [([word for word in command if not word.startswith("-flto")], source,
                  build / f"{source.parent.parent.name}_{source.stem}.o")
                 for source, command in entries(build)
                 if source.is_relative_to(build / "generated")]
        tasks.sort(key=lambda task: task[1].stat().st_size, reverse=True)
        start, used = time.monotonic(), processor_seconds()
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda task: compile_one(*task), tasks))
        wall, used = time.monotonic() - start, processor_seconds() - used
        rows = [(*size_of(output), source.parent.parent.name + "/" + source.name)
                for _, source, output in tasks]
    print(f"{'text':>9} {'data':>9}  file")
    for text, data, name in rows:
        print(f"{text:9} {data:9}  {name}")
    print(f"{sum(row[0] for row in rows):9} {sum(row[1] for row in rows):9}  {len(rows)} files, "
          f"{wall:.1f} s with {JOBS} jobs, {used:.1f} s of processor time")


if __name__ == "__main__":
    main()
