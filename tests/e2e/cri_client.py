"""A client of the CRI by gRPC: upstream's library (Debian's python3-grpcio), and messages made of
schema/cri.table.

The packages are for Debian's Python, whichever runs the tests; without them a test is skipped.
"""

import functools
import os
import pathlib
import re
import sys

DEBIAN = "/usr/bin/python3"
try:
    import grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    if os.path.realpath(sys.executable) == os.path.realpath(DEBIAN) or not os.path.exists(DEBIAN):
        print("skipped: python3-grpcio and python3-protobuf are not installed")
        sys.exit(77)
    os.execv(DEBIAN, [DEBIAN, *sys.argv])

TABLE = pathlib.Path(__file__).resolve().parent.parent.parent / "schema/cri.table"
PACKAGE = "runtime.v1"
FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = {name: getattr(FIELD, "TYPE_" + name.upper())
           for name in ("string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "double")}


def _sections():
    """Each "type", "enum" and "service" of the table: its first line, and those below it."""
    section = None
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith(" "):
            section[1].append(line.split())
            continue
        if section:
            yield section
        section = line.split(), []
    yield section


def _add_field(message, name, kind, number, enums):
    field = message.field.add(name=name, number=number, label=FIELD.LABEL_OPTIONAL)
    if kind.startswith("map["):
        entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", "string", 1, enums)
        _add_field(entry, "value", kind[kind.index("]") + 1:], 2, enums)
        field.label, field.type = FIELD.LABEL_REPEATED, FIELD.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"
        return
    if kind.startswith("[]"):
        field.label, kind = FIELD.LABEL_REPEATED, kind[2:]
    if kind in SCALARS:
        field.type = SCALARS[kind]
    else:
        field.type = FIELD.TYPE_ENUM if kind in enums else FIELD.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"


def _read():
    """The messages' classes by their names, and the calls: name, path, request, response, stream."""
    file = descriptor_pb2.FileDescriptorProto(name="cri.proto", package=PACKAGE, syntax="proto3")
    sections = list(_sections())
    enums = {head[1] for head, _ in sections if head[0] == "enum"}
    calls = []
    for head, lines in sections:
        if head[0] == "enum":
            enum = file.enum_type.add(name=head[1])
            for value in head[3:] + [word for line in lines for word in line]:
                name, number = value.split(":")
                enum.value.add(name=name, number=int(number))
        elif head[0] == "type":
            message = file.message_type.add(name=head[1])
            for name, kind, number, *_ in lines:
                _add_field(message, name, kind, int(number), enums)
        elif head[0] == "service":
            calls += [(line[0], f"/{PACKAGE}.{head[1]}/{line[0]}", line[1], line[2],
                       line[3:] == ["stream"]) for line in lines]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {message.name: factory.GetPrototype(
        pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}"))
            for message in file.message_type}, calls


MESSAGES, CALLS = _read()


class Client:
    """client.RunPodSandbox(config={...}) answers with the message, or raises grpc.RpcError; a call
    that streams answers with an iterator. `timeout_` is the call's deadline, in seconds."""

    def __init__(self, socket, options=()):
        self.channel = grpc.insecure_channel(f"unix:{socket}", options=[
            ("grpc.max_receive_message_length", 16 << 20),
            ("grpc.max_send_message_length", -1), *options])
        for name, path, request, response, stream in CALLS:
            make = self.channel.unary_stream if stream else self.channel.unary_unary
            call = make(path, request_serializer=MESSAGES[request].SerializeToString,
                        response_deserializer=MESSAGES[response].FromString)
            setattr(self, name, functools.partial(self._call, call, MESSAGES[request]))

    @staticmethod
    def _call(call, message, timeout_=60, compression_=None, **fields):
        return call(message(**fields), timeout=timeout_, compression=compression_)

    def close(self):
        self.channel.close()
