"""Reads compile_commands.json, for the checks that run the compiler."""

import json
import shlex
from pathlib import Path


def entries(build):
    """Yields (source file, command as a list) of each entry, without launcher, output and input, and
    without precompiled header: what is checked is what a file includes."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        words = shlex.split(entry["command"])
        if Path(words[0]).name == "ccache":
            words = words[1:]
        command = []
        skip = False
        for word in words:
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MT", "-include-pch"):
                skip = True
            elif word not in ("-c", "-MD", str(source)):
                command.append(word)
        yield source, command


def flags_of_rooms(root, build):
    """The compiler's command for the sources of each room of root/src, by the room's name."""
    flags = {}
    for source, command in entries(build):
        if source.is_relative_to(root / "src"):
            flags.setdefault(source.relative_to(root / "src").parts[0], command)
    return flags
