"""Links the tables: every name to what it means, every struct to its flat list of C++ members.

The result is what schema_cpp.py prints: Struct, Member, Row. Rules that need more than one line
of a table are checked here; a mistake names the file and the line.
"""

import dataclasses
import json
import re
from typing import Optional

import schema_table

SCALARS = {  # name in tables -> (C++ type, reflect::Kind, initializer)
    "string": ("std::string", "kString", ""),
    "bool": ("bool", "kBool", " = false"),
    "int32": ("int32_t", "kInt32", " = 0"),
    "int64": ("int64_t", "kInt64", " = 0"),
    "uint32": ("uint32_t", "kUint32", " = 0"),
    "uint64": ("uint64_t", "kUint64", " = 0"),
    "double": ("double", "kDouble", " = 0"),
    "bytes": ("reflect::Bytes", "kBytes", ""),
}
# Types with a text form of their own: written by hand in src/api.
LEAVES = {  # name in tables -> header
    "Quantity": "api/quantity.h",
    "IntOrString": "api/int_or_string.h",
    "Time": "api/time.h",
    "MicroTime": "api/time.h",
    "Duration": "api/time.h",
}
# JSON kept as text. Upstream declares RawExtension and FieldsV1 as structs, which omitempty alone
# never drops, and `any` as an interface, which it does.
RAW_STRUCTS = {"RawExtension", "FieldsV1"}

# Names that C++ or the C library's macros take; they get a trailing underscore.
RESERVED = set(
    """alignas alignof and asm auto bitand bitor bool break case catch char class compl concept
    const consteval constexpr constinit continue decltype default delete do double else enum
    explicit export extern false float for friend goto if inline int long mutable namespace new
    noexcept not nullptr operator or private protected public register requires return short
    signed sizeof static struct switch template this throw true try typedef typeid typename union
    unsigned using virtual void volatile while xor
    linux unix stdin stdout stderr minor major errno""".split()
)


@dataclasses.dataclass
class Value:
    """What a field or an element holds."""

    kind: str  # reflect::Kind
    cpp: str  # the C++ type, as seen from the package's namespace
    initializer: str = ""
    struct: Optional["Struct"] = None
    leaf: str = ""
    enum: Optional[schema_table.Enum] = None
    never_empty: bool = False  # omitempty does not apply


@dataclasses.dataclass
class Member:
    """One C++ member and its descriptor row; inlined structs contribute theirs."""

    field: schema_table.Field
    json: str
    cpp: str
    value: Value
    shape: str  # reflect::Shape
    nullable: bool
    enum: Optional[schema_table.Enum]  # of a string field
    proto: int


@dataclasses.dataclass
class Row:
    """A protobuf field: a member, or a nested message that JSON inlines."""

    number: int
    member: int = 0
    rows: Optional[list] = None


@dataclasses.dataclass
class Struct:
    package: schema_table.Package
    place: schema_table.Place
    name: str
    description: str
    flags: dict
    form: str  # reflect::Form
    is_kind: bool
    fields: list
    members: list = dataclasses.field(default_factory=list)
    rows: list = dataclasses.field(default_factory=list)
    is_list: bool = False

    @property
    def no_proto(self):
        return "noproto" in self.flags or "proto" not in self.package.header

    def find(self, json_name):
        return next((m for m in self.members if m.json == json_name), None)


def cpp_name(name):
    """The C++ member of a JSON name: nodeName, namespace_, osVersion for 'os.version'."""
    name = proto_name(name)
    return name + "_" if name in RESERVED else name


def proto_name(name):
    """Drops what is no letter, digit or underscore; the letter behind it becomes a capital."""
    parts = [part for part in re.split(r"[^A-Za-z0-9_]+", name) if part]
    return parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])


def json_name(field, package):
    """Protobuf's JSON name for proto3 packages, whose tables carry protobuf names."""
    if package.header.get("syntax") != "proto3":
        return field.name
    first, *rest = field.name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def description_of(block):
    """A list needs no words of its own."""
    return block.description or (f"A list of {block.of} objects." if block.of else "")


def namespace(package):
    parts = ["podium", package.room, package.name] + ([package.version] if package.version else [])
    return "::".join(parts)


class Model:
    """All packages, linked. `structs` maps 'core.v1.Pod' to its Struct."""

    def __init__(self, packages, problems):
        self.problems = problems
        self.packages = {}
        self.structs = {}
        self.sames = {}  # full name -> Struct
        self.enums = {}
        self.aliases = {}
        self.raws = set()
        for package in packages:
            if package.full_name in self.packages:
                problems.add(package.place, f"package {package.full_name} has two tables")
            self.packages[package.full_name] = package
            self.declare(package)
        problems.check()
        for package in packages:
            for name, (place, target) in package.sames.items():
                struct = self.structs.get(target)
                if struct is None:
                    problems.add(place, f"unknown type '{target}'")
                else:
                    self.sames[f"{package.full_name}.{name}"] = struct
            for enum in package.enums:
                if enum.same:
                    self.copy_enum(package, enum)
            self.check_services(package)
        self.done = set()
        for struct in self.structs.values():
            self.link(struct, ())
        problems.check()
        for struct in self.structs.values():
            self.check_keys(struct)
        problems.check()

    def error(self, place, message):
        self.problems.add(place, message)

    def declare(self, package):
        prefix = package.full_name + "."
        for enum in package.enums:
            self.enums[prefix + enum.name] = enum
        for alias in package.aliases:
            self.aliases[prefix + alias.name] = alias
            if alias.items:
                self.structs[prefix + alias.name] = self.transparent(package, alias)
        self.raws.update(prefix + name for name in package.raws)
        for block in package.types:
            self.structs[prefix + block.name] = Struct(
                package, block.place, block.name, description_of(block), block.flags,
                "kAlternatives" if block.keyword == "alternatives" else "kStruct",
                block.keyword in ("kind", "list"), self.fields_of(package, block))

    def transparent(self, package, alias):
        field = dataclasses.replace(
            alias.target, number=None if alias.items == "-" else int(alias.items))
        return Struct(package, alias.place, alias.name, alias.description, {}, "kTransparent",
                      False, [field])

    def fields_of(self, package, block):
        """The block's fields, and those that its keyword stands for."""
        meta = "" if package.full_name == "meta.v1" else "meta.v1."
        make = schema_table.Field
        fields = list(block.fields)
        if block.keyword == "list":
            fields = [
                make(block.place, "metadata", "scalar", meta + "ListMeta", number=1,
                     flags={"omitempty": True, "optional": True}),
                make(block.place, "items", "list", block.of, number=2,
                     description="The objects."),
            ]
        if block.keyword in ("kind", "list"):
            fields.insert(0, make(block.place, "", "inline", meta + "TypeMeta"))
        return fields

    def copy_enum(self, package, enum):
        other = self.enums.get(f"{package.full_name}.{enum.same}")
        if other is None or other.same:
            return self.error(enum.place, f"unknown enum '{enum.same}'")
        enum.values, enum.numbers = other.values, other.numbers

    def check_services(self, package):
        for service in package.services:
            for method in service.methods:
                for name in (method.request, method.response):
                    if self.find(package, name) is None:
                        self.error(method.place, f"unknown type '{name}'")

    def qualify(self, package, name):
        return name if "." in name else f"{package.full_name}.{name}"

    def find(self, package, name):
        """The struct of a type's name, or None."""
        full = self.qualify(package, name)
        return self.structs.get(full) or self.sames.get(full)

    def find_enum(self, package, name):
        """The enum of a named string type. Types whose values are open have none."""
        if "." not in name:
            return self.enums.get(f"{package.full_name}.{name}")
        return self.enums.get(name)

    def link(self, struct, owners):
        """Fills in members and rows; structs that are inlined come first."""
        if id(struct) in self.done:
            return
        if struct in owners:
            return self.error(struct.place, f"{struct.name} inlines itself")
        for field in struct.fields:
            if field.shape == "inline":
                inner = self.find(struct.package, field.type)
                if inner is None:
                    self.error(field.place, f"unknown type '{field.type}'")
                    continue
                self.link(inner, owners + (struct,))
                self.inline(struct, field, inner)
            else:
                member = self.member(struct, field)
                if member is None:
                    continue
                self.add_member(struct, field, member)
                if field.number is not None:
                    struct.rows.append(Row(field.number, len(struct.members) - 1))
        struct.rows.sort(key=lambda row: row.number)
        metadata, items = struct.find("metadata"), struct.find("items")
        struct.is_list = bool(struct.is_kind and items and metadata and metadata.value.struct
                              and metadata.value.struct.name == "ListMeta")
        self.done.add(id(struct))

    def add_member(self, struct, field, member):
        if struct.find(member.json):
            return self.error(field.place, f"{struct.name} has two fields '{member.json}'")
        if any(other.cpp == member.cpp for other in struct.members):
            return self.error(field.place, f"{struct.name} has two members {member.cpp}")
        struct.members.append(member)

    def inline(self, struct, field, inner):
        base = len(struct.members)
        for member in inner.members:
            member = dataclasses.replace(member, value=self.reseen(struct, inner, member.value))
            if field.number is None:
                member.proto = 0
            self.add_member(struct, field, member)
        if field.number is not None:
            struct.rows.append(Row(field.number, rows=self.shifted(inner.rows, base)))

    def shifted(self, rows, base):
        return [Row(r.number, r.member + base, None if r.rows is None else
                    self.shifted(r.rows, base)) for r in rows]

    def reseen(self, struct, inner, value):
        """A value of `inner` with its C++ type as seen from `struct`'s package."""
        if value.struct is None or struct.package is inner.package:
            return value
        return dataclasses.replace(value, cpp=self.struct_cpp(struct.package, value.struct))

    def struct_cpp(self, package, struct):
        if struct.package is package:
            return struct.name
        inside = f"podium::{package.room}::"
        return (namespace(struct.package) + "::" + struct.name).removeprefix(inside)

    def member(self, struct, field):
        """The member of a field that is not inlined, or None after an error."""
        package = struct.package
        proto3 = package.header.get("syntax") == "proto3"
        alias = self.aliases.get(self.qualify(package, field.type))
        shape, type_name, enum_name, owner = field.shape, field.type, field.enum, package
        if alias is not None and not alias.items:
            if shape != "scalar":
                return self.error(field.place, f"{field.type} is a {alias.target.shape} itself")
            shape, type_name, enum_name = alias.target.shape, alias.target.type, alias.target.enum
            owner = self.packages[self.qualify(package, field.type).rpartition(".")[0]]
        value = self.value(package, owner, type_name, field)
        if value is None:
            return None
        enum = self.find_enum(owner, enum_name) if enum_name else None
        if proto3 and shape == "scalar" and value.kind == "kStruct":
            shape = "pointer"
        cpp_shape = {"scalar": "kScalar", "list": "kList", "map": "kMap",
                     "pointer": "kBox" if value.kind == "kStruct" else "kOptional"}[shape]
        omits = field.has("omitempty") or field.has("omitzero") or proto3
        nullable = shape in ("list", "map") and not omits and struct.form != "kAlternatives"
        if field.has("omitnull"):
            if shape not in ("list", "map") or omits:
                self.error(field.place, "omitnull is for lists and maps without omitempty")
            nullable = True
        self.check_flags(struct, field, shape, value)
        proto = 0 if struct.no_proto else field.number or 0
        return Member(field, json_name(field, package), cpp_name(field.name), value, cpp_shape,
                      nullable, enum, proto)

    def value(self, package, owner, name, field):
        if name in SCALARS:
            cpp, kind, initializer = SCALARS[name]
            return Value(kind, cpp, initializer)
        if name in LEAVES:
            if package.room != "api":
                return self.error(field.place, f"{name} belongs to room api")
            return Value("kLeaf", name, leaf=name, never_empty=True)
        full = self.qualify(owner, name)
        if name == "any" or name in RAW_STRUCTS or full in self.raws:
            return Value("kRaw", "reflect::RawJson", never_empty=name != "any")
        struct = self.find(owner, name)
        if struct is not None:
            return Value("kStruct", self.struct_cpp(package, struct), struct=struct,
                         never_empty=True)
        enum = self.enums.get(full)
        if enum is not None and enum.numbers is not None:
            first = enum_constant(enum.values[enum.numbers.index(0)]) if 0 in enum.numbers else None
            if first is None:
                return self.error(field.place, f"{name} has no value 0")
            return Value("kEnum", name, f" = {name}::{first}", enum=enum)
        if full in self.aliases:
            return self.error(field.place, f"list or map of {name}, which is one itself")
        return self.error(field.place, f"unknown type '{name}'")

    def check_flags(self, struct, field, shape, value):
        wants = {"list": ("list",), "map": ("map",), "struct": ("scalar", "pointer")}
        for flag, shapes in wants.items():
            if field.has(flag) and shape not in shapes and value.kind != "kBytes":
                self.error(field.place, f"{flag}= on a field that is no {flag}")
        if field.has("fromouter") and (value.kind != "kBool" or struct.form != "kAlternatives"):
            self.error(field.place, "fromouter is for a bool among alternatives")
        if "default" in field.flags:
            wanted = {"kString": str, "kBool": bool, "kInt32": int, "kInt64": int}.get(value.kind)
            if wanted is None or type(json.loads(field.flags["default"])) is not wanted:
                self.error(field.place, f"default={field.flags['default']} does not fit the type")
        if field.number is None and not struct.no_proto:
            self.error(field.place, f"field '{field.name}' has no protobuf number")
        if field.number is not None and struct.no_proto:
            self.error(field.place, f"field '{field.name}' has a number, but no protobuf message")

    def check_keys(self, struct):
        """Merge keys and list map keys name fields of the elements."""
        for member in struct.members:
            flags = member.field.flags
            keys = [(key, "list map key") for key in flags.get("list", ("", []))[1]]
            if flags.get("patch", ([], ""))[1]:
                keys.append((flags["patch"][1], "merge key"))
            for key, what in keys:
                element = member.value.struct
                if member.shape != "kList" or element is None or element.find(key) is None:
                    self.error(member.field.place, f"{what} '{key}' is no field of the elements")


def enum_constant(value):
    """RUNTIME_DEFAULT -> kRuntimeDefault, RuntimeDefault -> kRuntimeDefault."""
    words = value.split("_")
    if value.upper() == value:
        words = [word.capitalize() for word in words]
    return "k" + "".join(words)
