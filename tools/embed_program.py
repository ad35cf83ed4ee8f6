#!/usr/bin/env python3
"""Writes a file's bytes as C++.

    tools/embed_program.py FILE NAMESPACE NAME OUTPUT

OUTPUT defines NAMESPACE::internal::NAMEBytes and NAMESize. (#embed would be shorter, and is not
seen by what decides whether a file must be compiled again.)
"""

import sys
from pathlib import Path


def main():
    source, namespace, name, output = sys.argv[1:]
    data = Path(source).read_bytes()
    rows = "\n".join(",".join(str(byte) for byte in data[at:at + 32]) + ","
                     for at in range(0, len(data), 32))
    text = (f"#include <cstddef>\n\nnamespace {namespace}::internal {{\n\n"
            f"extern const unsigned char {name}Bytes[];\nextern const std::size_t {name}Size;\n"
            f"const unsigned char {name}Bytes[] = {{\n{rows}\n}};\n"
            f"const std::size_t {name}Size = {len(data)};\n\n}}  // namespace {namespace}::internal\n")
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
