#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>

#include "reflect/protobuf.h"
#include "reflect/protobuf_wire.h"
#include "reflect/visit_scalar.h"

namespace podium::reflect {
namespace {

// Writes from the end to the beginning: a message's length is known when its fields are written,
// so one pass is enough (as upstream's generated marshallers do it).
class BackwardWriter {
 public:
  BackwardWriter() : buffer_(new char[kFirst]), end_(buffer_.get() + kFirst), at_(end_) {}

  size_t size() const { return static_cast<size_t>(end_ - at_); }
  std::string_view text() const { return {at_, size()}; }

  void Bytes(std::string_view bytes) {
    Reserve(bytes.size());
    Put(bytes);
  }
  void Varint(uint64_t value) {
    Reserve(kMaxVarint);
    PutVarint(value);
  }
  void Fixed64(uint64_t value) {
    static_assert(std::endian::native == std::endian::little);
    char encoded[sizeof value];
    std::memcpy(encoded, &value, sizeof value);
    Bytes({encoded, sizeof encoded});
  }
  void Tag(uint32_t number, WireType wire_type) { Varint(TagOf(number, wire_type)); }
  void LengthDelimited(uint32_t number, std::string_view bytes) {
    Reserve(bytes.size() + 2 * kMaxVarint);
    Put(bytes);
    PutVarint(bytes.size());
    PutVarint(TagOf(number, WireType::kLengthDelimited));
  }
  // Closes the message that was begun when size() was `before`.
  void CloseMessage(uint32_t number, size_t before) {
    const size_t length = size() - before;
    Reserve(2 * kMaxVarint);
    PutVarint(length);
    PutVarint(TagOf(number, WireType::kLengthDelimited));
  }

 private:
  static constexpr size_t kFirst = 4096;

  static constexpr uint64_t TagOf(uint32_t number, WireType wire_type) {
    return uint64_t{number} << 3 | static_cast<uint64_t>(wire_type);
  }

  // Both with room for it.
  void Put(std::string_view bytes) {
    at_ -= bytes.size();
    std::memcpy(at_, bytes.data(), bytes.size());
  }
  // Tags and lengths, nearly all varints there are, take one or two bytes.
  void PutVarint(uint64_t value) {
    if (value < 0x80) [[likely]] {
      *--at_ = static_cast<char>(value);
    } else if (value < 0x4000) {
      *--at_ = static_cast<char>(value >> 7);
      *--at_ = static_cast<char>(value | 0x80);
    } else {
      at_ -= (static_cast<size_t>(std::bit_width(value)) + 6) / 7;
      char* to = at_;
      for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
      *to = static_cast<char>(value);
    }
  }

  void Reserve(size_t more) {
    if (static_cast<size_t>(at_ - buffer_.get()) < more) [[unlikely]]
      Grow(more);
  }
  [[gnu::noinline]] void Grow(size_t more) {
    const size_t written = size();
    const size_t capacity = std::max(static_cast<size_t>(end_ - buffer_.get()) * 2, written + more);
    std::unique_ptr<char[]> buffer(new char[capacity]);
    char* const end = buffer.get() + capacity;
    std::memcpy(end - written, at_, written);
    buffer_ = std::move(buffer);
    end_ = end;
    at_ = end - written;
  }

  std::unique_ptr<char[]> buffer_;
  char* end_;
  char* at_;
};

class Encoder {
 public:
  void Object(const Type& type, const void* object) { Rows(type, type.proto_rows, object); }
  BackwardWriter& out() { return out_; }

 private:
  void Rows(const Type& type, std::span<const ProtoRow> rows, const void* object);
  void FieldRow(const Type& type, const Field& field, const void* at);
  void List(const Type& owner, const Field& field, const void* at);
  void Map(const Field& field, const void* at);
  void Element(uint32_t number, Kind kind, const Type* type, const void* at);
  // A number without its tag; false for kinds that are no numbers.
  bool Number(Kind kind, const void* at);

  BackwardWriter out_;
  std::string leaf_body_;  // kept for its memory
};

void Encoder::Rows(const Type& type, std::span<const ProtoRow> rows, const void* object) {
  const Probe* const probes = type.probes;
  const bool proto3 = type.has(kProto3);
  for (size_t i = rows.size(); i-- > 0;) {
    const ProtoRow& row = rows[i];
    if (row.is_group()) {
      const size_t before = out_.size();
      Rows(type, row.rows(), object);
      out_.CloseMessage(row.number, before);
    } else {
      // Zero scalars are written, what may be absent is not.
      if (probes && probes[row.field].protobuf_omits && probes[row.field].SurelyEmpty(object)) {
        continue;
      }
      const Field& field = type.fields[row.field];
      if (field.kind == Kind::kString && field.shape == Shape::kScalar && !proto3) {
        out_.LengthDelimited(row.number, *static_cast<const std::string*>(field.at(object)));
      } else {
        FieldRow(type, field, field.at(object));
      }
    }
  }
}

bool IsZeroScalar(Kind kind, const void* at) {
  return VisitScalar(kind, false, [&]<class T>(std::type_identity<T>) {
    return *static_cast<const T*>(at) == T();
  });
}

void Encoder::FieldRow(const Type& type, const Field& field, const void* at) {
  switch (field.shape) {
    case Shape::kScalar:
      if (type.has(kProto3) && IsZeroScalar(field.kind, at)) return;
      if (field.kind == Kind::kBytes) {
        const Bytes& bytes = *static_cast<const Bytes*>(at);
        if (bytes.data.empty() && !bytes.present) return;
      }
      Element(field.proto, field.kind, field.type, at);
      return;
    case Shape::kOptional:
    case Shape::kBox:
      if (const void* value = OptionalValue(field, at)) {
        Element(field.proto, field.kind, field.type, value);
      }
      return;
    case Shape::kList:
      List(type, field, at);
      return;
    case Shape::kMap:
      Map(field, at);
      return;
  }
}

void Encoder::List(const Type& owner, const Field& field, const void* at) {
  const ListOps& ops = field.list();
  const size_t size = ops.size(at);
  if (size == 0) return;
  const char* first = static_cast<const char*>(ops.data(at));
  const size_t before = out_.size();
  const bool packed = owner.has(kProto3) && IsPackable(field.kind);
  for (size_t i = size; i-- > 0;) {
    const void* element = first + i * ops.stride;
    if (packed) {
      Number(field.kind, element);
    } else {
      Element(field.proto, field.kind, field.type, element);
    }
  }
  if (packed) out_.CloseMessage(field.proto, before);
}

void Encoder::Map(const Field& field, const void* at) {
  if (field.map().size(at) == 0) return;
  struct Context {
    Encoder& encoder;
    const Field& field;
  } context{*this, field};
  field.map().each(at, true, &context, [](void* opaque, const std::string& key, void* value) {
    auto& [encoder, f] = *static_cast<Context*>(opaque);
    const size_t before = encoder.out_.size();
    encoder.Element(kMapValueNumber, f.kind, f.type, value);
    encoder.out_.LengthDelimited(kMapKeyNumber, key);
    encoder.out_.CloseMessage(f.proto, before);
    return true;
  });
}

bool Encoder::Number(Kind kind, const void* at) {
  switch (kind) {
    case Kind::kBool:
      out_.Varint(*static_cast<const bool*>(at) ? 1 : 0);
      return true;
    case Kind::kInt32:
    case Kind::kEnum:
      // Negative numbers are sign-extended to 64 bits.
      out_.Varint(static_cast<uint64_t>(int64_t{*static_cast<const int32_t*>(at)}));
      return true;
    case Kind::kInt64:
      out_.Varint(static_cast<uint64_t>(*static_cast<const int64_t*>(at)));
      return true;
    case Kind::kUint32:
      out_.Varint(*static_cast<const uint32_t*>(at));
      return true;
    case Kind::kUint64:
      out_.Varint(*static_cast<const uint64_t*>(at));
      return true;
    case Kind::kDouble:
      out_.Fixed64(std::bit_cast<uint64_t>(*static_cast<const double*>(at)));
      return true;
    default:
      return false;
  }
}

void Encoder::Element(uint32_t number, Kind kind, const Type* type, const void* at) {
  switch (kind) {
    case Kind::kString:
      return out_.LengthDelimited(number, *static_cast<const std::string*>(at));
    case Kind::kBytes:
      return out_.LengthDelimited(number, static_cast<const Bytes*>(at)->data);
    case Kind::kRaw: {
      const size_t before = out_.size();
      const std::string& text = static_cast<const RawJson*>(at)->text;
      if (!text.empty()) out_.LengthDelimited(kRawNumber, text);
      return out_.CloseMessage(number, before);
    }
    case Kind::kLeaf: {
      leaf_body_.clear();
      type->leaf->to_proto(at, &leaf_body_);
      return out_.LengthDelimited(number, leaf_body_);
    }
    case Kind::kStruct: {
      const size_t before = out_.size();
      Object(*type, at);
      return out_.CloseMessage(number, before);
    }
    default:
      Number(kind, at);
      return out_.Tag(number, kind == Kind::kDouble ? WireType::kFixed64 : WireType::kVarint);
  }
}

Error NoForm(const Type& type) {
  return Error(Code::kUnsupported, std::string(type.name) + " has no protobuf form");
}

}  // namespace

Result<void> EncodeProtobuf(const Type& type, const void* object, std::string* out) {
  if (type.has(kNoProto)) return NoForm(type);
  Encoder encoder;
  encoder.Object(type, object);
  out->append(encoder.out().text());
  return {};
}

Result<void> EncodeEnveloped(const Type& type, const void* object, std::string* out) {
  if (type.has(kNoProto)) return NoForm(type);
  const Field* kind = type.Find("kind");
  const Field* api_version = type.Find("apiVersion");
  if (!type.has(kRootKind) || !kind || !api_version) {
    return Error(Code::kInvalidArgument, std::string(type.name) + " is no kind of its own");
  }
  Encoder encoder;
  BackwardWriter& writer = encoder.out();
  // contentType and contentEncoding are written empty, as upstream does.
  writer.LengthDelimited(kUnknownContentType, "");
  writer.LengthDelimited(kUnknownContentEncoding, "");
  size_t before = writer.size();
  encoder.Object(type, object);
  writer.CloseMessage(kUnknownRaw, before);
  before = writer.size();
  writer.LengthDelimited(kTypeMetaKind, *static_cast<const std::string*>(kind->at(object)));
  writer.LengthDelimited(kTypeMetaApiVersion,
                         *static_cast<const std::string*>(api_version->at(object)));
  writer.CloseMessage(kUnknownTypeMeta, before);
  writer.Bytes(kEnvelopeMagic);
  out->append(writer.text());
  return {};
}

}  // namespace podium::reflect
