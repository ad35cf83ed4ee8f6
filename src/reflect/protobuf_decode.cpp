#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "base/bulk_heap.h"
#include "reflect/json_scanner.h"
#include "reflect/protobuf.h"
#include "reflect/protobuf_wire.h"
#include "reflect/visit_scalar.h"

namespace podium::reflect {
namespace {

constexpr size_t kMaxDepth = 1000;
// As DecodeOptions::max_expansion for JSON: an empty element is two bytes here.
constexpr size_t kMaxExpansion = 64;
constexpr size_t kMinBudget = size_t{1} << 20;
constexpr size_t kMapNodeBytes = 96;

struct Token {
  uint32_t number = 0;
  WireType wire_type = WireType::kVarint;
  uint64_t value = 0;      // of kVarint, kFixed64 and kFixed32
  std::string_view bytes;  // of kLengthDelimited
};

// Reads one message's fields in their order.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }

  // Null, or what is wrong.
  const char* Next(Token* token) {
    uint64_t tag = 0;
    if (!Varint(&tag)) return "tag is cut off";
    if (tag >> 3 == 0 || tag >> 3 > kMaxNumber) return "bad field number";
    token->number = static_cast<uint32_t>(tag >> 3);
    token->wire_type = static_cast<WireType>(tag & 7);
    uint64_t length = 0;
    switch (token->wire_type) {
      case WireType::kVarint:
        return Varint(&token->value) ? nullptr : "number is cut off";
      case WireType::kFixed64:
        return Fixed(8, &token->value) ? nullptr : "number is cut off";
      case WireType::kFixed32:
        return Fixed(4, &token->value) ? nullptr : "number is cut off";
      case WireType::kLengthDelimited:
        if (!Varint(&length) || length > rest_.size()) return "field is cut off";
        token->bytes = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return nullptr;
      default:
        return "groups are not used";
    }
  }

  bool Varint(uint64_t* value) {
    // Of one byte: nearly all tags and most lengths.
    if (!rest_.empty() && static_cast<unsigned char>(rest_[0]) < 0x80) [[likely]] {
      *value = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      return true;
    }
    return LongVarint(value);
  }
  bool Fixed(size_t size, uint64_t* value) {
    if (rest_.size() < size) return false;
    *value = 0;
    std::memcpy(value, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }

 private:
  [[gnu::noinline]] bool LongVarint(uint64_t* value) {
    *value = 0;
    for (size_t i = 0; i < std::min(rest_.size(), kMaxVarint); ++i) {
      const uint64_t byte = static_cast<unsigned char>(rest_[i]);
      *value |= (byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        // The tenth byte has room for one bit only.
        return i + 1 < kMaxVarint || byte <= 1;
      }
    }
    return false;
  }

  static constexpr uint64_t kMaxNumber = (uint64_t{1} << 29) - 1;

  std::string_view rest_;
};

class Decoder {
 public:
  explicit Decoder(size_t size) : budget_(std::max(size * kMaxExpansion, kMinBudget)) {}

  bool Object(const Type& type, std::string_view bytes, void* object) {
    if (depth_ == kMaxDepth) return Limit("nested too deep");
    ++depth_;
    const bool ok = Rows(type, type.proto_rows, bytes, object);
    --depth_;
    return ok;
  }
  Error error() && {
    const std::string where = path_.empty() ? "" : path_.substr(1) + ": ";
    return Error(limit_ ? Code::kResourceExhausted : Code::kInvalidArgument, where + error_);
  }

 private:
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }
  bool Limit(const char* error) {
    limit_ = true;
    return Fail(error);
  }
  // Called while unwinding, from the inside out.
  bool At(std::string_view name) {
    path_.insert(0, name);
    path_.insert(0, ".");
    return false;
  }
  bool Spend(size_t bytes) {
    if (bytes > budget_) return Limit("too large when decoded");
    budget_ -= bytes;
    return true;
  }

  bool Rows(const Type& type, std::span<const ProtoRow> rows, std::string_view bytes, void* object);
  bool FieldToken(const Field& field, const Token& token, void* at);
  bool Optional(const Field& field, const Token& token, void* at);
  bool List(const Field& field, const Token& token, void* at);
  bool Packed(const Field& field, std::string_view bytes, void* at);
  bool MapEntry(const Field& field, const Token& token, void* at);
  bool Element(Kind kind, const Type* type, const Token& token, void* at);
  bool Raw(std::string_view message, RawJson* raw);

  size_t depth_ = 0;
  size_t budget_;
  bool limit_ = false;
  std::string error_;
  std::string path_;
};

bool Decoder::Rows(const Type& type, std::span<const ProtoRow> rows, std::string_view bytes,
                   void* object) {
  WireReader reader(bytes);
  size_t expected = 0;
  Token token;
  while (!reader.at_end()) {
    if (const char* error = reader.Next(&token)) return Fail(error);
    // Messages are written in number order: go on from the last row, once around.
    const ProtoRow* row = nullptr;
    for (size_t tried = 0; tried < rows.size() && !row; ++tried) {
      if (expected >= rows.size()) expected = 0;
      if (rows[expected].number == token.number) {
        row = &rows[expected];
      } else {
        ++expected;
      }
    }
    if (!row) continue;  // a field of a newer version
    if (row->is_group()) {
      if (token.wire_type != WireType::kLengthDelimited) return Fail("wrong wire type");
      if (!Rows(type, row->rows(), token.bytes, object)) return false;
    } else {
      const Field& field = type.fields[row->field];
      if (!FieldToken(field, token, field.at(object))) return At(field.name());
    }
  }
  return true;
}

bool Decoder::FieldToken(const Field& field, const Token& token, void* at) {
  switch (field.shape) {
    case Shape::kScalar:
      return Element(field.kind, field.type, token, at);
    case Shape::kOptional:
      return Optional(field, token, at);
    case Shape::kBox: {
      void*& object = static_cast<BoxStorage*>(at)->object;
      if (!object) {
        if (!Spend(field.type->size)) return false;
        object = field.type->create(*field.type);
      }
      return Element(Kind::kStruct, field.type, token, object);
    }
    case Shape::kList:
      return List(field, token, at);
    case Shape::kMap:
      return MapEntry(field, token, at);
  }
  return false;
}

bool Decoder::Optional(const Field& field, const Token& token, void* at) {
  if (field.kind == Kind::kLeaf) {
    return Element(field.kind, field.type, token, field.type->leaf->optional_emplace(at));
  }
  return VisitScalar(field.kind, false, [&]<class T>(std::type_identity<T>) {
    return Element(field.kind, nullptr, token, &static_cast<std::optional<T>*>(at)->emplace());
  });
}

bool Decoder::List(const Field& field, const Token& token, void* at) {
  if (IsPackable(field.kind) && token.wire_type == WireType::kLengthDelimited) {
    return Packed(field, token.bytes, at);
  }
  if (!Spend(field.list().stride)) return false;
  return Element(field.kind, field.type, token, field.list().add(at, field.type));
}

bool Decoder::Packed(const Field& field, std::string_view bytes, void* at) {
  WireReader reader(bytes);
  Token token;
  const bool fixed = field.kind == Kind::kDouble;
  token.wire_type = fixed ? WireType::kFixed64 : WireType::kVarint;
  while (!reader.at_end()) {
    const bool read = fixed ? reader.Fixed(8, &token.value) : reader.Varint(&token.value);
    if (!read) return Fail("number is cut off");
    if (!Spend(field.list().stride)) return false;
    if (!Element(field.kind, nullptr, token, field.list().add(at, nullptr))) return false;
  }
  return true;
}

bool Decoder::MapEntry(const Field& field, const Token& token, void* at) {
  if (token.wire_type != WireType::kLengthDelimited) return Fail("wrong wire type");
  // The key decides where the value goes, and may stand behind it.
  std::string_view key;
  std::optional<Token> value;
  WireReader reader(token.bytes);
  Token part;
  while (!reader.at_end()) {
    if (const char* error = reader.Next(&part)) return Fail(error);
    if (part.number == kMapKeyNumber) {
      if (part.wire_type != WireType::kLengthDelimited) return Fail("wrong wire type");
      key = part.bytes;
    } else if (part.number == kMapValueNumber) {
      value = part;
    }
  }
  if (!Spend(kMapNodeBytes)) return false;
  const MapOps& ops = field.map();
  bool inserted = false;
  void* target = ops.insert(at, field.type, key, &inserted);
  if (!inserted) {
    // The last entry of a key counts, whole.
    ops.erase(at, field.type, key);
    target = ops.insert(at, field.type, key, &inserted);
  }
  if (!value || Element(field.kind, field.type, *value, target)) return true;
  return At(key);
}

bool Decoder::Raw(std::string_view message, RawJson* raw) {
  raw->text.clear();
  WireReader reader(message);
  Token token;
  while (!reader.at_end()) {
    if (const char* error = reader.Next(&token)) return Fail(error);
    if (token.number != kRawNumber) continue;
    if (token.wire_type != WireType::kLengthDelimited) return Fail("wrong wire type");
    JsonScanner scanner(token.bytes);
    raw->text.clear();
    // JSON is kept compact, as from a JSON decoder; other bytes are kept as they are.
    if (!scanner.CopyValue(kMaxDepth, &raw->text) || !scanner.ExpectEnd()) {
      raw->text = token.bytes;
    } else if (raw->text == "null") {
      raw->text.clear();
    }
  }
  return true;
}

bool Decoder::Element(Kind kind, const Type* type, const Token& token, void* at) {
  const bool number = IsPackable(kind);
  const WireType wanted = !number                 ? WireType::kLengthDelimited
                          : kind == Kind::kDouble ? WireType::kFixed64
                                                  : WireType::kVarint;
  if (token.wire_type != wanted) return Fail("wrong wire type");
  switch (kind) {
    case Kind::kString:
      // Cheaper than assignment, which must find out first whether the bytes lie in the target.
      std::destroy_at(static_cast<std::string*>(at));
      std::construct_at(static_cast<std::string*>(at), token.bytes);
      return true;
    case Kind::kBytes:
      static_cast<Bytes*>(at)->data = token.bytes;
      static_cast<Bytes*>(at)->present = true;
      return true;
    case Kind::kRaw:
      return Raw(token.bytes, static_cast<RawJson*>(at));
    case Kind::kLeaf: {
      std::string problem;
      return type->leaf->from_proto(token.bytes, at, &problem) || Fail(std::move(problem));
    }
    case Kind::kStruct:
      return Object(*type, token.bytes, at);
    case Kind::kBool:
      *static_cast<bool*>(at) = token.value != 0;
      return true;
    case Kind::kInt32:
    case Kind::kEnum:
      *static_cast<int32_t*>(at) = static_cast<int32_t>(token.value);
      return true;
    case Kind::kInt64:
      *static_cast<int64_t*>(at) = static_cast<int64_t>(token.value);
      return true;
    case Kind::kUint32:
      *static_cast<uint32_t*>(at) = static_cast<uint32_t>(token.value);
      return true;
    case Kind::kUint64:
      *static_cast<uint64_t*>(at) = token.value;
      return true;
    case Kind::kDouble:
      *static_cast<double*>(at) = std::bit_cast<double>(token.value);
      return true;
  }
  return false;
}

Error BadEnvelope(const char* what) {
  return Error(Code::kInvalidArgument, std::string("protobuf envelope: ") + what);
}

Result<void> ReadTypeMeta(std::string_view bytes, Envelope* envelope) {
  WireReader reader(bytes);
  Token token;
  while (!reader.at_end()) {
    if (const char* error = reader.Next(&token)) return BadEnvelope(error);
    if (token.wire_type != WireType::kLengthDelimited) continue;
    if (token.number == kTypeMetaApiVersion) envelope->api_version = token.bytes;
    if (token.number == kTypeMetaKind) envelope->kind = token.bytes;
  }
  return {};
}

}  // namespace

Result<void> DecodeProtobuf(std::string_view bytes, const Type& type, void* object) {
  if (type.has(kNoProto)) {
    return Error(Code::kUnsupported, std::string(type.name) + " has no protobuf form");
  }
  const BulkAllocation bulk;
  Decoder decoder(bytes.size());
  if (decoder.Object(type, bytes, object)) return {};
  return std::move(decoder).error();
}

bool HasEnvelope(std::string_view bytes) { return bytes.starts_with(kEnvelopeMagic); }

Result<Envelope> ReadEnvelope(std::string_view bytes) {
  if (!HasEnvelope(bytes)) return BadEnvelope("does not begin with k8s and a zero byte");
  Envelope envelope;
  WireReader reader(bytes.substr(kEnvelopeMagic.size()));
  Token token;
  while (!reader.at_end()) {
    if (const char* error = reader.Next(&token)) return BadEnvelope(error);
    if (token.wire_type != WireType::kLengthDelimited) continue;
    if (token.number == kUnknownTypeMeta) TRY_VOID(ReadTypeMeta(token.bytes, &envelope));
    if (token.number == kUnknownRaw) envelope.raw = token.bytes;
    if (token.number == kUnknownContentEncoding) envelope.content_encoding = token.bytes;
    if (token.number == kUnknownContentType) envelope.content_type = token.bytes;
  }
  return envelope;
}

Result<void> DecodeEnveloped(std::string_view bytes, const Type& type, void* object) {
  TRY(Envelope envelope, ReadEnvelope(bytes));
  TRY_VOID(DecodeProtobuf(envelope.raw, type, object));
  const Field* kind = type.Find("kind");
  const Field* api_version = type.Find("apiVersion");
  if (!type.has(kRootKind) || !kind || !api_version) {
    return Error(Code::kInvalidArgument, std::string(type.name) + " is no kind of its own");
  }
  *static_cast<std::string*>(kind->at(object)) = std::move(envelope.kind);
  *static_cast<std::string*>(api_version->at(object)) = std::move(envelope.api_version);
  return {};
}

}  // namespace podium::reflect
