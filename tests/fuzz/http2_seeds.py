"""Writes the seeds of http2_fuzz: sessions of a client, a file each.

  tests/fuzz/http2_seeds.py FOLDER

An input is a byte that says how to cut it, then frames as http2_fuzz.cpp takes them: a byte of the
length, the type, the flags, a byte of the stream, and the payload (RFC 9113, section 4.1). An odd
first byte says that all behind it are bytes of the connection as they are, so many at a time.
"""
import pathlib
import struct
import sys

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0, 1, 3, 4, 6, 7, 8, 9)
END_STREAM, END_HEADERS = 1, 4
FRAMES = b"\0"
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags, stream, payload=b""):
    return bytes([len(payload), kind, flags, stream]) + payload


def on_the_wire(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(name, value):
    """A header without Huffman codes and not to be remembered (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def request(method, path):
    fields = {":method": method, ":scheme": "https", ":authority": "h", ":path": path}
    return b"".join(field(name, value) for name, value in fields.items())


def get(path, stream=1):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, request("GET", path))


def post(path):
    return frame(HEADERS, END_HEADERS, 1, request("POST", path))


def more_window(stream, size):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


def setting(name, value):
    return frame(SETTINGS, 0, 0, struct.pack(">HI", name, value))


def seeds():
    whole = request("GET", "/")
    cut = whole[:20]
    return {
        "get": FRAMES + get("/echo"),
        "list": FRAMES + get("/") + more_window(0, 0x10000) + more_window(1, 0x10000),
        "post": FRAMES + post("/echo") + frame(DATA, 0, 1, b"abc")
                + frame(DATA, END_STREAM, 1, b"def"),
        "stream": FRAMES + post("/t/s") + frame(DATA, 0, 1, b"abc")
                  + frame(DATA, END_STREAM, 1, b"def"),
        "trailers": FRAMES + post("/echo") + frame(DATA, 0, 1, b"abc")
                    + frame(HEADERS, END_STREAM | END_HEADERS, 1, field("a", "b")),
        "continuation": FRAMES + frame(HEADERS, END_STREAM, 1, cut)
                        + frame(CONTINUATION, 0, 1, whole[len(cut):])
                        + frame(CONTINUATION, END_HEADERS, 1),
        # A client that takes back what it asks for, again and again: CVE-2023-44487.
        "reset": FRAMES + b"".join(
            get("/ab", stream) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            for stream in range(1, 31, 2)),
        "settings": FRAMES + setting(INITIAL_WINDOW_SIZE, 1) + get("/")
                    + setting(INITIAL_WINDOW_SIZE, 0x10000) + frame(PING, 0, 0, b"12345678")
                    + frame(GOAWAY, 0, 0, bytes(8)),
        "raw": b"\xff" + on_the_wire(SETTINGS, 0, 0)
               + on_the_wire(HEADERS, END_STREAM | END_HEADERS, 1, request("GET", "/echo"))
               # Of a stream that nobody has opened.
               + on_the_wire(DATA, 0, 3, b"x"),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
