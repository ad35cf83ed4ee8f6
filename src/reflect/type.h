// Descriptors: what the engine knows of a type. The generator writes them as constant tables beside
// the structs; RuntimeTypes builds them at run time for custom resources. Everything generic (JSON,
// YAML, protobuf, copy, equality, walking) is written once over them.
//
// A descriptor is immutable, lives as long as every object made by it (for good, if it is not
// flagged kRuntime), and may be read from any thread. Objects are addressed as void*: the address
// of a struct whose Type is known.
//
// Example, for `struct Port { std::string name; int32_t containerPort = 0; }`:
//   Field rows:  {"\"name\":", kString, kScalar, kOmitEmpty, offset 0, proto 1}
//                {"\"containerPort\":", kInt32, kScalar, 0, offset 32, proto 3}
//   fields stand in the order of declaration, which is the order of JSON output; proto_rows stand
//   in the order of numbers, which is the order of protobuf output.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "reflect/name_index.h"
#include "reflect/presence.h"
#include "reflect/values.h"

namespace podium::reflect {

struct Type;
struct Field;
struct JsonScalar;

enum class Kind : uint8_t {
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kDouble,
  kString,  // std::string
  kEnum,    // an enum over int32_t, of protobuf schemas; JSON is the name, see Facts::enum_values
  kBytes,   // Bytes
  kRaw,     // RawJson
  kLeaf,    // a type with a text form of its own (Type::leaf): Quantity, Time
  kStruct,  // a struct with fields
};

// How a field holds values of its kind.
enum class Shape : uint8_t {
  kScalar,    // T, always there
  kOptional,  // std::optional<T>, for every kind but kStruct
  kBox,       // Box<T>, for kStruct
  kList,      // List<T>, or Nullable<List<T>> with kNullable
  kMap,       // Map<T>, or Nullable<Map<T>> with kNullable
};

enum FieldFlags : uint8_t {
  kOmitEmpty = 1,      // JSON leaves out false, 0, "", absent, empty lists and maps
  kOmitZero = 2,       // JSON leaves out a zero struct or leaf
  kNullable = 4,       // the container is a Nullable; without kOmitEmpty null is printed for null.
                       // Of a kBox of a run-time type: unknown_members.h
  kOmitNull = 8,       // with kNullable: JSON leaves out null but prints an empty list
  kRequired = 16,      // as marked upstream
  kOptionalMark = 32,  // as marked upstream; neither means unmarked
  kFromOuter = 64,     // kAlternatives: set to true when another alternative is read
  kUnknown = 128,      // run-time types: holds the members that no field names; unknown_members.h
};

// Operations on one list type. `list` is the address of a List<T>; `element` is the descriptor of
// its elements where they are structs or leaves, else null (run-time types need it).
//
// There are hundreds of list types, so that only what depends on T is a function of its own. The
// rest reads where libstdc++'s vector keeps its first element, its end and the end of its memory;
// tests/reflect/ops_test.cpp checks that it does.
struct ListOps {
  uint32_t stride;  // bytes from one element to the next
  // Appends default elements, or drops the last ones.
  void (*resize)(void* list, const Type* element, size_t size);

  size_t size(const void* list) const {
    const Storage storage(list);
    return static_cast<size_t>(storage.end - storage.first) / stride;
  }
  // The first element; unspecified when empty.
  static void* data(const void* list) { return Storage(list).first; }
  static bool empty(const void* list) {
    const Storage storage(list);
    return storage.first == storage.end;
  }
  // Appends a default element.
  void* add(void* list, const Type* element) const {
    // Lists of small elements begin with room for a few, which saves them most of their growing.
    const size_t count = size(list);
    if (!data(list) && stride <= kFirstBytes / 2) resize(list, element, kFirstBytes / stride);
    resize(list, element, count + 1);
    return Storage(list).end - stride;
  }
  void clear(void* list, const Type* element) const {
    if (!empty(list)) resize(list, element, 0);
  }

 private:
  static constexpr size_t kFirstBytes = 128;

  // Copied out, as the compiler may think that a vector of one type does not share memory with
  // members of another.
  struct Storage {
    explicit Storage(const void* list) { std::memcpy(this, list, sizeof *this); }
    char* first;
    char* end;
    char* limit;
  };
};

// Operations on one map type; keys are strings in byte order.
struct MapOps {
  using Visitor = bool (*)(void* context, const std::string& key, void* value);

  // The value of a key, or null.
  void* (*find)(const void* map, std::string_view key);
  // The value of a key, made by default if absent; *inserted tells which.
  void* (*insert)(void* map, const Type* element, std::string_view key, bool* inserted);
  void (*erase)(void* map, const Type* element, std::string_view key);
  void (*clear)(void* map, const Type* element);
  // Calls the visitor in key order, or against it; stops when it returns false.
  void (*each)(const void* map, bool backwards, void* context, Visitor visitor);

  // As with lists: the same for every T.
  static size_t size(const void* map) { return static_cast<const Map<char>*>(map)->size(); }
  static bool empty(const void* map) { return size(map) == 0; }
};

// A type with a text form of its own. The functions that read return false and say why in *problem
// (never null), leaving the value in a valid but unspecified state.
struct Leaf {
  uint32_t size;
  bool quoted;              // its JSON is a string (for descriptions and OpenAPI)
  bool plain;               // trivially copyable
  const char* description;  // one sentence; generated types have theirs in api/descriptions.h
  void (*construct)(void* value);
  void (*destroy)(void* value);
  void (*copy)(void* to, const void* from);  // both constructed
  bool (*equal)(const void* a, const void* b);
  bool (*is_zero)(const void* value);
  bool (*from_json)(const JsonScalar& token, void* value, std::string* problem);
  void (*to_json)(const void* value, std::string* out);  // appends, quotes included
  bool (*from_proto)(std::string_view message, void* value, std::string* problem);
  void (*to_proto)(const void* value, std::string* out);  // appends the message's body
  // std::optional<T> around it.
  void* (*optional_get)(const void* optional);  // null when empty
  void* (*optional_emplace)(void* optional);    // drops what was there
  void (*optional_reset)(void* optional);
};

// A JSON token that is no container, as a Leaf reads it.
struct JsonScalar {
  enum class Form { kNull, kFalse, kTrue, kNumber, kString, kContainer };
  Form form;
  // kString: the text, unescaped; kNumber: as written. Valid during the call only.
  std::string_view text;
};

enum class ListType : uint8_t { kNone, kAtomic, kSet, kMap };
enum class MapType : uint8_t { kNone, kAtomic, kGranular };

// What only patches, OpenAPI and people need of a field; off the hot path.
struct Facts {
  const char* enum_name = "";      // the named string type
  const char* enum_values = "";    // its values, as "TCP|UDP"; kEnum: "NAME=0 OTHER=1"
  const char* default_value = "";  // JSON; empty when there is no declared default
  const char* merge_key = "";      // patchMergeKey
  const char* list_map_keys = "";  // for ListMapKeysOf (list_map_keys.h)
  bool patch_merge = false;        // patchStrategy merge
  bool patch_retain_keys = false;  // patchStrategy retainKeys
  bool patch_replace = false;      // patchStrategy replace
  ListType list_type = ListType::kNone;
  MapType map_type = MapType::kNone;
  bool struct_atomic = false;
  bool extension = false;    // RawExtension: server-side apply takes it as a whole
  bool closed_enum = false;  // enum_values are all there are
};

struct Field {
  const char* quoted;  // the JSON key with quotes and colon: "\"name\":"
  const Type* type;    // of kStruct and kLeaf; else null
  const void* ops;     // ListOps or MapOps, by shape; else null
  const Facts* facts;  // never null
  uint32_t offset : 20;
  uint32_t proto : 12;  // protobuf number; 0: not in protobuf
  uint8_t name_size;
  Kind kind;
  Shape shape;
  uint8_t flags;

  std::string_view name() const { return {quoted + 1, name_size}; }
  constexpr bool has(FieldFlags flag) const { return (flags & flag) != 0; }
  const ListOps& list() const { return *static_cast<const ListOps*>(ops); }
  const MapOps& map() const { return *static_cast<const MapOps*>(ops); }
  // Where a Nullable tells [] from null; null for other fields. `at` is the list or map.
  bool* present(void* at) const {
    if (!has(kNullable)) return nullptr;
    if (shape == Shape::kList) return &static_cast<Nullable<List<char>>*>(at)->present;
    if (shape == Shape::kMap) return &static_cast<Nullable<Map<char>>*>(at)->present;
    return nullptr;
  }
  const bool* present(const void* at) const { return present(const_cast<void*>(at)); }
  void* at(void* object) const { return static_cast<char*>(object) + offset; }
  const void* at(const void* object) const { return static_cast<const char*>(object) + offset; }
};
static_assert(sizeof(Field) == 40);

// The probe of a field, in an object of `size` bytes.
constexpr Probe ProbeOf(const Field& field, size_t size) {
  const Kind kind = field.kind;
  const size_t offset = field.offset;
  size_t width = 0;  // of a plain scalar
  if (kind == Kind::kBool) width = sizeof(bool);
  if (kind == Kind::kInt32 || kind == Kind::kUint32 || kind == Kind::kEnum) width = sizeof(int32_t);
  if (kind == Kind::kInt64 || kind == Kind::kUint64 || kind == Kind::kDouble) width = 8;
  const bool text = kind == Kind::kString || kind == Kind::kRaw;
  Probe probe;
  switch (field.shape) {
    case Shape::kScalar:
      if (text) probe = Probe::At(offset + 8, 8);
      if (width > 0) probe = Probe::At(offset, width);
      break;
    case Shape::kOptional:
      if (text) probe = Probe::At(offset + sizeof(std::string), 1);
      if (width > 0) probe = Probe::At(offset + width, 1);
      break;
    case Shape::kBox:
    case Shape::kList:
      probe = Probe::At(offset, 8);
      break;
    case Shape::kMap:
      probe = Probe::At(offset + 40, 8);
      break;
  }
  // The flag of a Nullable is in another word, and the last word may reach out of the object.
  if (field.has(kNullable) || (probe.word + size_t{1}) * Probe::kWord > size) probe = {};
  // A list may have room and no elements, and a double a negative zero.
  probe.exact = probe.mask != Probe::kNone && field.shape != Shape::kList && kind != Kind::kDouble;
  probe.json_omits = field.has(kOmitEmpty);
  probe.protobuf_omits = field.shape != Shape::kScalar;
  return probe;
}

// The table for Type::probes of T.
template <class T, size_t count>
constexpr std::array<Probe, count> ProbesOf(const Field (&fields)[count]) {
  std::array<Probe, count> probes;
  for (size_t i = 0; i < count; ++i) probes[i] = ProbeOf(fields[i], sizeof(T));
  return probes;
}

// One row of a message: a field, or a nested message whose fields JSON inlines into the owner. The
// rows of nested messages stand in the same table, behind those of the message itself.
struct ProtoRow {
  static constexpr uint8_t kGroup = 0xFF;

  uint16_t number;
  uint8_t field;        // index into Type::fields, or kGroup
  uint8_t inner = 0;    // of a nested message: how many rows it has,
  uint16_t offset = 0;  // and how far behind this row they begin

  bool is_group() const { return field == kGroup; }
  std::span<const ProtoRow> rows() const { return {this + offset, inner}; }
};
static_assert(sizeof(ProtoRow) == 6);

struct Package {
  const char* group;          // "" for core
  const char* version;        // "v1"
  const char* proto_package;  // "k8s.io.api.core.v1"
  const char* go_package;
};

enum class Form : uint8_t {
  kStruct,        // a JSON object with these fields
  kTransparent,   // one field; JSON is the field's value, protobuf a message around it
  kAlternatives,  // JSON is the value of the first field that accepts the token's form
  kLeaf,          // see Leaf
};

enum TypeFlags : uint8_t {
  kRootKind = 1,  // has kind and apiVersion as its first fields
  kListKind = 2,  // a list of a kind: items
  kProto3 = 4,    // protobuf leaves out zero scalars; JSON quotes 64-bit integers
  kNoProto = 8,   // no protobuf message
  kRuntime = 16,  // built at run time
  kAtomic = 32,   // server-side apply takes it as a whole, also as an element
};

struct Type {
  const char* name;
  const Package* package;
  std::span<const Field> fields;
  std::span<const ProtoRow> proto_rows;
  const Leaf* leaf;                   // Form::kLeaf
  void* (*create)(const Type& type);  // a default object on the heap
  void (*destroy)(const Type& type, void* object);
  uint32_t size;  // bytes of an object
  Form form;
  uint8_t flags;
  NameIndex index{};              // over the keys of fields
  const Probe* probes = nullptr;  // one for each field; none for types built at run time

  bool has(TypeFlags flag) const { return (flags & flag) != 0; }
  // Null when there is none.
  const Field* Find(std::string_view field_name) const;
  // "v1" or "apps/v1".
  std::string ApiVersion() const;
};

// One call of a protobuf service.
struct Method {
  const char* path;  // "/runtime.v1.RuntimeService/Version"
  const Type* request;
  const Type* response;
  bool server_stream;  // any number of responses
};

// Owns an object of a type known at run time.
class AnyObject {
 public:
  AnyObject() = default;
  explicit AnyObject(const Type& type) : type_(&type), object_(type.create(type)) {}
  AnyObject(const Type& type, void* object) : type_(&type), object_(object) {}
  AnyObject(AnyObject&& other) noexcept
      : type_(other.type_), object_(std::exchange(other.object_, nullptr)) {}
  AnyObject& operator=(AnyObject&& other) noexcept {
    std::swap(type_, other.type_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~AnyObject() {
    if (object_) type_->destroy(*type_, object_);
  }

  explicit operator bool() const { return object_ != nullptr; }
  const Type& type() const { return *type_; }
  void* get() { return object_; }
  const void* get() const { return object_; }

  // The object as T, or null when it is of another type.
  template <class T>
  T* As() {
    return object_ && type_ == &TypeOf<T>() ? static_cast<T*>(object_) : nullptr;
  }
  template <class T>
  const T* As() const {
    return object_ && type_ == &TypeOf<T>() ? static_cast<const T*>(object_) : nullptr;
  }

 private:
  const Type* type_ = nullptr;
  void* object_ = nullptr;
};

}  // namespace podium::reflect
