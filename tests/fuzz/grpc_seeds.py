"""Writes the seeds of grpc_fuzz: what a client of the CRI sends in a call, a file each.

  tests/fuzz/grpc_seeds.py FOLDER

An input is a byte that says which call, one that says in which pieces, then the bytes
(grpc_fuzz.cpp).
"""
import pathlib
import struct
import sys


def framed(message, flag=0):
    return struct.pack(">BI", flag, len(message)) + message


def field(number, value):
    return bytes([number << 3 | 2, len(value)]) + value


def call(service, number, data, piece=7):
    """Of the runtime's services (1) or the images' (0), counted as the table has them."""
    return bytes([4 * number + service, piece]) + data


def seeds():
    metadata = field(1, field(1, b"name") + field(2, b"uid") + field(3, b"namespace"))
    config = field(1, metadata + field(3, b"/logs") + field(6, field(1, b"key") + field(2, b"one")))
    yield "timeout", call(1, 0, b"119999m")
    yield "hours", call(1, 0, b"99999999H")
    yield "slice", call(1, 0, b"kubepods-burstable-pod1.slice")
    yield "path", call(1, 0, b"/kubepods.slice//kubepods-pod1.slice/")
    yield "text", call(1, 0, "50% of \"é\"\r\n".encode())
    yield "message", call(1, 0, framed(b"hello, world"), 0)
    yield "two_messages", call(1, 0, framed(b"a") + framed(b"b"))
    yield "compressed", call(1, 0, framed(b"a", 1))
    yield "large", call(1, 0, b"\0\xff\xff\xff\xff")
    yield "sandbox", call(1, 1, config)
    yield "exec", call(1, 17, field(1, b"id") + field(2, b"sh") + field(2, b"-c") + b"\x18\x01")
    yield "pull", call(0, 3, field(1, field(1, b"nginx")) + field(2, field(1, b"me")))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / name).write_bytes(data)
