#!/usr/bin/env python3
"""The table of system calls against the kernel's headers of this machine, which know a part of it."""

import platform
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r'\{"(\w+)", \{(-?\d+), (-?\d+), (-?\d+), (-?\d+)\}\}')


def table():
    text = (ROOT / "src/linux/syscall_numbers.cpp").read_text()
    return {match[1]: [int(number) for number in match.groups()[1:]]
            for match in ROW.finditer(text)}


def header(path):
    return {match[1]: int(match[2]) for match in
            re.finditer(r"^#define\s+__NR_(\w+)\s+(\d+)\s*$", path.read_text(), re.MULTILINE)}


class SyscallNumbersTest(unittest.TestCase):
    def test_no_number_twice(self):
        for column in range(4):
            numbers = [row[column] for row in table().values() if row[column] >= 0]
            self.assertEqual(len(numbers), len(set(numbers)), column)
            self.assertGreater(len(numbers), 300)

    def test_new_calls_have_the_same_number_everywhere(self):
        for name, row in table().items():
            new = {number for number in row if 424 <= number < 0xf0000}
            self.assertLessEqual(len(new), 1, name)

    @unittest.skipUnless(platform.machine() == "x86_64", "headers of x86_64")
    def test_headers_agree(self):
        folder = Path("/usr/include/x86_64-linux-gnu/asm")
        rows = table()
        for column, name in enumerate(("unistd_64.h", "unistd_32.h")):
            numbers = header(folder / name)
            self.assertGreater(len(numbers), 300)
            for call, number in numbers.items():
                self.assertEqual(rows[call][column], number, call)
            newest = max(numbers.values())
            for call, row in rows.items():
                # uretprobe and uprobe (335, 336) came later, into a gap.
                if 0 <= row[column] <= newest and row[0] not in (335, 336):
                    self.assertIn(call, numbers)


if __name__ == "__main__":
    unittest.main()
