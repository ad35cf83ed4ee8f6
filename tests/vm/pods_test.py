#!/usr/bin/env python3
"""Ten pods in a virtual machine: Debian 12's kernel, cgroup v2, AppArmor; no other machine, no disk.

Puts the program, an image and pods_guest.py, which says what is tested, into the machine.
PODIUM_BUILD_DIR names the build.
"""

import os
import sys
from pathlib import Path

import run_vm

HERE = Path(__file__).resolve().parent
PODIUM = Path(os.environ.get("PODIUM_BUILD_DIR", run_vm.ROOT / "build/dev")) / "podium"
IMAGES = Path(os.environ.get("PODIUM_IMAGE_CACHE") or run_vm.ROOT / "build/images")
PARSER = run_vm.KERNEL.parent / "apparmor/sbin/apparmor_parser"


def arguments():
    yield from ("--timeout", "300", "--memory", "1536", "--modules", "pods")
    yield from ("--kernel", "lsm=apparmor", "--env", "PYTHONUNBUFFERED=1")
    yield from ("--program", f"usr/bin/podium={PODIUM}", "--program", "usr/bin/nft=/usr/sbin/nft")
    if PARSER.exists():
        yield from ("--program", f"usr/bin/apparmor_parser={PARSER}")
    yield from ("--file", f"busybox.tar={IMAGES}/busybox.tar", str(HERE / "pods_guest.py"))


if __name__ == "__main__":
    sys.argv[1:] = arguments()
    sys.exit(run_vm.main())
