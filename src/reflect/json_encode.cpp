#include <charconv>
#include <cmath>
#include <cstdint>

#include "reflect/base64.h"
#include "reflect/copy.h"
#include "reflect/enum_names.h"
#include "reflect/json.h"
#include "reflect/json_scanner.h"
#include "reflect/json_writer.h"
#include "reflect/unknown_members.h"
#include "reflect/visit_scalar.h"

namespace podium::reflect {
namespace {

// Nothing that came from JSON is deeper than a decoder allows; this bounds what came from protobuf.
constexpr size_t kMaxRawDepth = 10'000;

bool IsEmpty(const Field& field, const void* at) {
  switch (field.shape) {
    case Shape::kScalar:
      if (field.kind == Kind::kString) return static_cast<const std::string*>(at)->empty();
      // Upstream's omitempty never drops a struct, and its leaves are structs.
      if (field.kind == Kind::kStruct || field.kind == Kind::kLeaf || field.kind == Kind::kRaw) {
        return false;
      }
      return VisitScalar(field.kind, false, [&]<class T>(std::type_identity<T>) {
        return *static_cast<const T*>(at) == T();
      });
    case Shape::kOptional:
    case Shape::kBox:
      return OptionalValue(field, at) == nullptr;
    case Shape::kList:
      return ListOps::empty(at);
    case Shape::kMap:
      return MapOps::empty(at);
  }
  return false;
}

bool IsZeroScalar(const Field& field, const void* at) {
  if (field.shape != Shape::kScalar) return false;
  if (field.kind == Kind::kLeaf) return field.type->leaf->is_zero(at);
  return field.kind == Kind::kStruct && IsZeroObject(*field.type, at);
}

// Null as a Nullable is: empty, and nobody said that it is there.
bool IsNull(const Field& field, const void* at) {
  const bool empty = field.shape == Shape::kList ? ListOps::empty(at) : MapOps::empty(at);
  return empty && field.has(kNullable) && !*field.present(at);
}

class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}

  // False when a value has no JSON form; error() says why.
  bool Value(Kind kind, const Type* type, const Facts* facts, uint8_t type_flags, const void* at);
  bool FieldValue(const Field& field, uint8_t type_flags, const void* at);

  const std::string& error() const { return error_; }
  void Undo(size_t size) { out_.Truncate(size); }

 private:
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }
  bool Object(const Type& type, const void* object);
  bool Alternatives(const Type& type, const void* object);
  bool List(const Field& field, uint8_t type_flags, const void* at);
  bool Map(const Field& field, uint8_t type_flags, const void* at);
  bool Entries(const Field& field, uint8_t type_flags, const void* at);
  bool Raw(const RawJson& raw);
  bool Double(double value);
  template <class T>
  void Integer(T value, bool quoted);

  JsonWriter out_;
  std::string leaf_text_;  // kept for its memory
  std::string error_;
};

bool Encoder::Object(const Type& type, const void* object) {
  out_.Char('{');
  const Probe* const probes = type.probes;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Probe probe = probes ? probes[i] : Probe();
    if (probe.json_omits && probe.SurelyEmpty(object)) continue;
    const Field& field = type.fields[i];
    const void* at = field.at(object);
    if (!probe.exact && IsOmitted(field, at)) continue;
    if (field.has(kUnknown)) [[unlikely]] {
      if (!Entries(field, type.flags, at)) return false;
      continue;
    }
    if (field.has(kEscapedKey)) [[unlikely]] {
      out_.String(field.name());
      out_.Char(':');
    } else {
      out_.Key(field.quoted, field.name_size + size_t{3});
    }
    if (!FieldValue(field, type.flags, at)) return false;
    out_.Char(',');
  }
  if (out_.last() == ',') {
    out_.ReplaceLast('}');
  } else {
    out_.Char('}');
  }
  return true;
}

// What is set: a list with elements, else an object, else the boolean.
bool Encoder::Alternatives(const Type& type, const void* object) {
  for (const Field& field : type.fields) {
    if (field.shape == Shape::kList && !IsEmpty(field, field.at(object))) {
      return FieldValue(field, type.flags, field.at(object));
    }
  }
  for (const Field& field : type.fields) {
    if (field.shape == Shape::kBox && OptionalValue(field, field.at(object))) {
      return FieldValue(field, type.flags, field.at(object));
    }
  }
  for (const Field& field : type.fields) {
    if (field.kind == Kind::kBool) return FieldValue(field, type.flags, field.at(object));
  }
  out_.Text("null");
  return true;
}

bool Encoder::FieldValue(const Field& field, uint8_t type_flags, const void* at) {
  switch (field.shape) {
    case Shape::kScalar:
      return Value(field.kind, field.type, field.facts, type_flags, at);
    case Shape::kOptional:
    case Shape::kBox:
      at = OptionalValue(field, at);
      if (at) return Value(field.kind, field.type, field.facts, type_flags, at);
      out_.Text("null");
      return true;
    case Shape::kList:
      return List(field, type_flags, at);
    case Shape::kMap:
      return Map(field, type_flags, at);
  }
  return false;
}

bool Encoder::List(const Field& field, uint8_t type_flags, const void* at) {
  const ListOps& ops = field.list();
  const size_t size = ops.size(at);
  if (size == 0) {
    out_.Text(IsNull(field, at) ? "null" : "[]");
    return true;
  }
  out_.Char('[');
  const char* element = static_cast<const char*>(ops.data(at));
  for (size_t i = 0; i < size; ++i, element += ops.stride) {
    if (!Value(field.kind, field.type, field.facts, type_flags, element)) return false;
    out_.Char(',');
  }
  out_.ReplaceLast(']');
  return true;
}

bool Encoder::Map(const Field& field, uint8_t type_flags, const void* at) {
  if (MapOps::empty(at)) {
    out_.Text(IsNull(field, at) ? "null" : "{}");
    return true;
  }
  out_.Char('{');
  if (!Entries(field, type_flags, at)) return false;
  out_.ReplaceLast('}');
  return true;
}

// The entries of a map with a comma behind each.
bool Encoder::Entries(const Field& field, uint8_t type_flags, const void* at) {
  struct Context {
    Encoder& encoder;
    const Field& field;
    uint8_t type_flags;
    bool ok = true;
  } context{*this, field, type_flags};
  field.map().each(at, false, &context, [](void* opaque, const std::string& key, void* value) {
    Context& c = *static_cast<Context*>(opaque);
    c.encoder.out_.String(key);
    c.encoder.out_.Char(':');
    c.ok = c.encoder.Value(c.field.kind, c.field.type, c.field.facts, c.type_flags, value);
    c.encoder.out_.Char(',');
    return c.ok;
  });
  return context.ok;
}

bool Encoder::Value(Kind kind, const Type* type, const Facts* facts, uint8_t type_flags,
                    const void* at) {
  switch (kind) {
    case Kind::kString:
      out_.String(*static_cast<const std::string*>(at));
      return true;
    case Kind::kStruct:
      if (type->form == Form::kStruct) [[likely]]
        return Object(*type, at);
      if (type->form == Form::kAlternatives) return Alternatives(*type, at);
      return FieldValue(type->fields[0], type_flags, type->fields[0].at(at));
    case Kind::kBool:
      out_.Text(*static_cast<const bool*>(at) ? "true" : "false");
      return true;
    case Kind::kInt32:
      Integer(*static_cast<const int32_t*>(at), false);
      return true;
    case Kind::kInt64:
      Integer(*static_cast<const int64_t*>(at), (type_flags & kProto3) != 0);
      return true;
    case Kind::kUint32:
      Integer(*static_cast<const uint32_t*>(at), false);
      return true;
    case Kind::kUint64:
      Integer(*static_cast<const uint64_t*>(at), (type_flags & kProto3) != 0);
      return true;
    case Kind::kDouble:
      return Double(*static_cast<const double*>(at));
    case Kind::kEnum: {
      const int32_t number = *static_cast<const int32_t*>(at);
      const std::string_view name = EnumName(facts->enum_values, number);
      if (name.empty()) {
        Integer(number, false);
      } else {
        out_.String(name);
      }
      return true;
    }
    case Kind::kBytes: {
      const Bytes& bytes = *static_cast<const Bytes*>(at);
      if (bytes.data.empty() && !bytes.present) {
        out_.Text("null");
      } else {
        std::string encoded;
        AppendBase64(bytes.data, &encoded);
        out_.String(encoded);
      }
      return true;
    }
    case Kind::kRaw:
      return Raw(*static_cast<const RawJson*>(at));
    case Kind::kLeaf: {
      leaf_text_.clear();
      type->leaf->to_json(at, &leaf_text_);
      out_.Text(leaf_text_);
      return true;
    }
  }
  return false;
}

bool Encoder::Raw(const RawJson& raw) {
  if (raw.is_null()) {
    out_.Text("null");
    return true;
  }
  // Text read from JSON begins like JSON; bytes from protobuf may be anything.
  JsonScanner scanner(raw.text);
  std::string compact;
  if (!scanner.CopyValue(kMaxRawDepth, &compact) || !scanner.ExpectEnd()) {
    return Fail("raw bytes are not JSON: " + std::string(scanner.error()));
  }
  out_.Text(compact);
  return true;
}

template <class T>
void Encoder::Integer(T value, bool quoted) {
  constexpr size_t kMost = 24;
  char* const begin = out_.Room(kMost);
  char* at = begin;
  if (quoted) *at++ = '"';
  at = std::to_chars(at, begin + kMost, value).ptr;
  if (quoted) *at++ = '"';
  out_.Advance(static_cast<size_t>(at - begin));
}

// Shortest form that reads back the same; with an exponent only where Go's encoder writes one.
bool Encoder::Double(double value) {
  if (!std::isfinite(value)) return Fail("number is not finite");
  constexpr size_t kMost = 64;
  const double magnitude = std::fabs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  char* const begin = out_.Room(kMost);
  char* end = std::to_chars(begin, begin + kMost, value,
                            exponent ? std::chars_format::scientific : std::chars_format::fixed)
                  .ptr;
  // Go writes e-9 where C writes e-09.
  if (exponent && end - begin >= 4 && end[-4] == 'e' && end[-2] == '0') {
    end[-2] = end[-1];
    --end;
  }
  out_.Advance(static_cast<size_t>(end - begin));
  return true;
}

}  // namespace

bool IsOmitted(const Field& field, const void* value) {
  if (field.has(kOmitEmpty) && IsEmpty(field, value)) return true;
  if (field.has(kOmitZero) && IsZeroScalar(field, value)) return true;
  return field.has(kOmitNull) && IsNull(field, value);
}

Result<void> EncodeJson(const Type& type, const void* object, std::string* out) {
  const size_t before = out->size();
  Encoder encoder(out);
  if (encoder.Value(Kind::kStruct, &type, nullptr, type.flags, object)) return {};
  encoder.Undo(before);
  return Error(Code::kInvalidArgument, encoder.error());
}

Result<void> EncodeJsonField(const Field& field, const void* value, std::string* out) {
  const size_t before = out->size();
  Encoder encoder(out);
  if (encoder.FieldValue(field, 0, value)) return {};
  encoder.Undo(before);
  return Error(Code::kInvalidArgument, encoder.error());
}

}  // namespace podium::reflect
