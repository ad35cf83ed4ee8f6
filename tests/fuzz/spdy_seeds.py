"""Writes the seeds of spdy_fuzz: what a client or a server of SPDY/3.1 sends, a file each.

  tests/fuzz/spdy_seeds.py FOLDER

An input is a byte that says who reads it (odd: a server) and in which pieces, then frames
(draft-mbelshe-httpbis-spdy-00, section 2.6).
"""
import pathlib
import struct
import sys
import zlib

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = (
    1, 2, 3, 4, 6, 7, 8, 9)
SERVER, CLIENT = b"\x09", b"\x08"


def control(kind, body, flags=0):
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(body)) + body


def data(stream, payload, flags=0):
    return struct.pack(">II", stream, flags << 24 | len(payload)) + payload


def number(*values):
    return struct.pack(f">{len(values)}I", *values)


class Blocks:
    def __init__(self):
        self._zlib = zlib.compressobj()

    def __call__(self, **fields):
        text = number(len(fields))
        for name, value in fields.items():
            text += number(len(name)) + name.encode() + number(len(value)) + value.encode()
        return self._zlib.compress(text) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


def open_stream(stream, block, flags=0):
    return control(SYN_STREAM, number(stream, 0) + b"\0\0" + block, flags)


def seeds():
    block, other = Blocks(), Blocks()
    session = b"".join(open_stream(2 * i + 1, block(streamtype=role))
                       for i, role in enumerate(["error", "stdin", "stdout", "resize"]))
    forward = open_stream(1, other(streamtype="error", port="80", requestid="0"), 1)
    forward += open_stream(3, other(streamtype="data", port="80", requestid="0"))
    return {
        "exec": SERVER + session + data(3, b"hello") + data(7, b'{"Width":80,"Height":24}')
                + control(PING, number(1)) + data(3, b"", 1) + control(GOAWAY, number(0, 0)),
        "forward": SERVER + forward + data(3, b"GET / HTTP/1.0\r\n\r\n") + control(
            RST_STREAM, number(3, 5)),
        "same_number": SERVER + 2 * open_stream(1, Blocks()(a="b")),
        "bomb": SERVER + open_stream(1, zlib.compress(bytes(1 << 20))),
        "reply": CLIENT + control(SYN_REPLY, number(1) + Blocks()(a="b")) + data(1, b"hello", 1),
        "others": CLIENT + control(SETTINGS, number(1, 7, 100)) + control(
            WINDOW_UPDATE, number(1, 100)) + control(HEADERS, number(1) + Blocks()(), 1)
                  + control(99, b"abc") + control(GOAWAY, number(0, 0)),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
