// Kubernetes protobuf in and out of described objects.
//
// API objects travel in an envelope: four bytes "k8s\0", then message runtime.Unknown with the
// apiVersion, the kind and the object's own message, which has neither (k8s.io/apimachinery
// pkg/runtime/serializer/protobuf). CRI messages travel bare and follow proto3.
//
// Bytes are what upstream's generated marshallers write: fields in number order, zero scalars that
// are no pointers written, maps sorted by key, repeated numbers not packed. Reading takes any field
// order, packed numbers, and skips unknown fields. Limits as in json.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::reflect {

// Appends the object's message. kUnsupported for types that have no protobuf form.
Result<void> EncodeProtobuf(const Type& type, const void* object, std::string* out);

// Reads a message into *object, a default-made object of `type`. kInvalidArgument with the path for
// malformed bytes, kResourceExhausted for too deep or too large ones.
Result<void> DecodeProtobuf(std::string_view bytes, const Type& type, void* object);

struct Envelope {
  std::string api_version;
  std::string kind;
  std::string_view raw;  // into the bytes that were read
  std::string content_encoding;
  std::string content_type;
};

bool HasEnvelope(std::string_view bytes);
Result<Envelope> ReadEnvelope(std::string_view bytes);

// Appends the envelope with the object in it; apiVersion and kind are the object's own fields.
// `type` is a root kind.
Result<void> EncodeEnveloped(const Type& type, const void* object, std::string* out);

// Reads an envelope whose object is of `type` (see ReadEnvelope to choose it), and sets apiVersion
// and kind.
Result<void> DecodeEnveloped(std::string_view bytes, const Type& type, void* object);

}  // namespace podium::reflect
