"""Builds an initramfs: a file system in memory that a kernel boots into.

It holds busybox, the programs to run with the libraries that they are linked to, and the modules of
the kernel that are asked for with all that these need.
"""

import gzip
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path


class Initramfs:
    """An archive in the kernel's form (newc, gen_init_cpio(1)), made in memory."""

    def __init__(self):
        self._entries = []
        self._known = {""}

    def add_folder(self, name):
        name = name.strip("/")
        if name in self._known:
            return
        self.add_folder(os.path.dirname(name))
        self._known.add(name)
        self._entries.append((name, stat.S_IFDIR | 0o755, b"", 0, 0))

    def add_bytes(self, name, data, mode=0o644):
        name = name.strip("/")
        if name in self._known:
            return
        self.add_folder(os.path.dirname(name))
        self._known.add(name)
        self._entries.append((name, stat.S_IFREG | mode, data, 0, 0))

    def add_link(self, name, target):
        name = name.strip("/")
        if name in self._known:
            return
        self.add_folder(os.path.dirname(name))
        self._known.add(name)
        self._entries.append((name, stat.S_IFLNK | 0o777, target.encode(), 0, 0))

    def add_device(self, name, major, minor):
        self.add_folder(os.path.dirname(name.strip("/")))
        self._entries.append((name.strip("/"), stat.S_IFCHR | 0o600, b"", major, minor))

    def add_file(self, name, source):
        source = Path(source)
        self.add_bytes(name, source.read_bytes(), source.stat().st_mode & 0o777)

    def add_tree(self, name, source):
        """A folder with all in it; links stay links."""
        for folder, _, files in os.walk(source):
            place = os.path.join(name, os.path.relpath(folder, source))
            self.add_folder(os.path.normpath(place))
            for file in files:
                path = os.path.join(folder, file)
                inside = os.path.normpath(os.path.join(place, file))
                if os.path.islink(path):
                    self.add_link(inside, os.readlink(path))
                else:
                    self.add_file(inside, path)

    def add_program(self, name, source):
        """A program, and what the dynamic linker would load for it."""
        self.add_bytes(name, self._without_debug_information(source),
                       Path(source).stat().st_mode & 0o777)
        self.add_libraries(source)

    @staticmethod
    def _without_debug_information(source):
        """Which is most of a program that is built with it, and all of it would be unpacked by an
        emulated processor. Names of functions stay."""
        tool = shutil.which("llvm-objcopy-19") or shutil.which("objcopy")
        if tool is None:
            return Path(source).read_bytes()
        with tempfile.TemporaryDirectory(prefix="podium-vm-") as folder:
            stripped = Path(folder) / "program"
            subprocess.run([tool, "--strip-debug", str(source), str(stripped)], check=True)
            return stripped.read_bytes()

    def add_libraries(self, source):
        listing = subprocess.run(["ldd", str(source)], capture_output=True, text=True, check=False)
        for path in re.findall(r"(/\S+) \(0x", listing.stdout):
            self.add_file(path, path)

    def add_python(self, scripts):
        """Python, and of its library what the scripts import; these must be importable without
        doing anything."""
        self.add_program("usr/bin/python3", os.path.realpath(sys.executable))
        probe = ("import runpy, sys\n"
                 "for path in sys.argv[1:]: runpy.run_path(path, run_name='probe')\n"
                 "for module in list(sys.modules.values()):\n"
                 "    if getattr(module, '__file__', None): print(module.__file__)\n")
        run = subprocess.run([sys.executable, "-I", "-c", probe, *scripts], capture_output=True,
                             text=True, check=True)
        library = sysconfig.get_path("stdlib")
        self.add_tree(f"{library}/encodings", f"{library}/encodings")
        for path in run.stdout.splitlines():
            if path.startswith(library):
                self.add_file(path, path)
                if path.endswith(".so"):
                    self.add_libraries(path)

    def write(self, path):
        with gzip.open(path, "wb", compresslevel=1) as out:
            for number, entry in enumerate(self._entries, 1):
                out.write(self._record(number, *entry))
            out.write(self._record(0, "TRAILER!!!", 0, b"", 0, 0))

    @staticmethod
    def _record(number, name, mode, data, major, minor):
        encoded = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(encoded), 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        head += b"\0" * (-len(head) % 4)
        return head + data + b"\0" * (-len(data) % 4)


def modules_to_load(modules, wanted):
    """The files of the wanted modules, each behind those that it needs. `modules` is
    lib/modules/<release> of a package that was unpacked: depmod has not run there."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in modules.rglob("*.ko*")}
    ordered = []

    def visit(name):
        path = files.get(name.replace("-", "_"))
        if path is None:
            raise FileNotFoundError(f"the kernel has no module {name}")
        if path in ordered:
            return
        data = path.read_bytes()
        for needed in re.findall(rb"\0depends=([^\0]*)\0", data):
            for other in filter(None, needed.decode().split(",")):
                visit(other)
        ordered.append(path)

    for name in wanted:
        visit(name)
    return ordered
