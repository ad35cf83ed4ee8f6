#!/usr/bin/env python3
"""Counts test cases after a run of ctest.

    tools/count_cases.py JUNIT GTEST_FOLDER

JUNIT is what `ctest --output-junit` wrote. A test of ctest is one case, unless it is a program of
GoogleTest that left its cases in GTEST_FOLDER/NAME.json: then those count. Such a program that
fails besides its cases (a leak found at its end) or that ended before it wrote its cases is one
failed case more. Prints `PASSED FAILED SKIPPED`, then the failed ones, one a line.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def program_cases(path):
    """(name, outcome) of each case that a program of GoogleTest reported."""
    for suite in json.loads(path.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            if case["status"] == "NOTRUN":
                continue
            outcome = "failed" if case.get("failures") else (
                "skipped" if case["result"] == "SKIPPED" else "passed")
            yield f"{path.stem}: {suite['name']}.{case['name']}", outcome


def main():
    junit, folder = Path(sys.argv[1]), Path(sys.argv[2])
    cases = []
    for test in ElementTree.parse(junit).getroot().iter("testcase"):
        name = test.get("name")
        outcome = {"run": "passed", "fail": "failed"}.get(test.get("status"), "skipped")
        report = folder / f"{name}.json"
        if not report.exists():
            cases.append((name, outcome))
            continue
        of_program = list(program_cases(report))
        cases += of_program
        if outcome == "failed" and all(each != "failed" for _, each in of_program):
            cases.append((f"{name}: the program itself", "failed"))
    outcomes = [outcome for _, outcome in cases]
    print(outcomes.count("passed"), outcomes.count("failed"), outcomes.count("skipped"))
    for name, outcome in cases:
        if outcome == "failed":
            print(name)


if __name__ == "__main__":
    main()
