// The constants of protobuf's wire format and of Kubernetes' envelope. Private to reflect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reflect/type.h"

namespace podium::reflect {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kLengthDelimited = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

inline constexpr size_t kMaxVarint = 10;

// Entries of a map are messages with these two fields.
inline constexpr uint32_t kMapKeyNumber = 1;
inline constexpr uint32_t kMapValueNumber = 2;

// RawExtension, FieldsV1 and JSON are messages with their bytes in field 1.
inline constexpr uint32_t kRawNumber = 1;

inline constexpr std::string_view kEnvelopeMagic{"k8s\0", 4};
// runtime.Unknown and runtime.TypeMeta.
inline constexpr uint32_t kUnknownTypeMeta = 1;
inline constexpr uint32_t kUnknownRaw = 2;
inline constexpr uint32_t kUnknownContentEncoding = 3;
inline constexpr uint32_t kUnknownContentType = 4;
inline constexpr uint32_t kTypeMetaApiVersion = 1;
inline constexpr uint32_t kTypeMetaKind = 2;

// Numbers may stand packed in one length-delimited field.
constexpr bool IsPackable(Kind kind) {
  return kind == Kind::kBool || kind == Kind::kInt32 || kind == Kind::kInt64 ||
         kind == Kind::kUint32 || kind == Kind::kUint64 || kind == Kind::kDouble ||
         kind == Kind::kEnum;
}

}  // namespace podium::reflect
