// A JSON document of any kind: decoded, defaulted and checked as a new object, as its own
// successor, and against an empty object. Nothing may crash or change the object, and what a server
// would store must pass unchanged. Inputs are changed as objects too (a field here, an item there),
// so that they stay near to what is valid; the unit tests' properties do the same with less
// patience.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "api/scheme.h"
#include "api/types/core_v1.h"
#include "api/validation/validation.h"
#include "fuzz/require.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/object.h"
#include "support/mutate_object.h"
#include "support/stored_object.h"

using namespace podium;  // NOLINT: a fuzz target
using podium::fuzz::Require;

// libFuzzer's own change of bytes; absent where the corpus is only replayed.
extern "C" [[gnu::weak]] size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

std::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Empty where the text is no document of a known kind.
reflect::AnyObject Decode(std::string_view text, bool strict) {
  const auto header = reflect::ReadHeader(text);
  if (!header.ok()) return {};
  const reflect::Type* type = api::FindType(header->api_version, header->kind);
  if (type == nullptr) return {};
  reflect::AnyObject object(*type);
  reflect::DecodeOptions options;
  options.strict = strict;
  if (!reflect::DecodeJson(text, *type, object.get(), options).empty() && strict) return {};
  return object;
}

reflect::AnyObject CopyOf(const reflect::AnyObject& object) {
  reflect::AnyObject copy(object.type());
  reflect::CopyObject(object.type(), object.get(), copy.get());
  return copy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  reflect::AnyObject object = Decode(TextOf(data, size), true);
  if (!object) return 0;
  const reflect::Type& type = object.type();
  const reflect::AnyObject empty(type);
  // As a person wrote it, and as a server stores it.
  (void)api::ValidateCreate(type, object.get());
  testing::PrepareForStorage(type, object.get());
  const reflect::AnyObject copy = CopyOf(object);
  const bool valid = api::ValidateCreate(type, object.get()).empty();
  const bool stays_valid = api::ValidateUpdate(type, object.get(), copy.get()).empty();
  // Of a Node upstream looks at addresses and configuration only when it changes.
  Require(!valid || stays_valid || &type == &reflect::TypeOf<api::core::v1::Node>());
  (void)api::ValidateUpdate(type, object.get(), empty.get());
  (void)api::ValidateUpdate(type, empty.get(), object.get());
  Require(reflect::EqualObjects(type, object.get(), copy.get()));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  reflect::AnyObject object;
  if (seed % 8 != 0) object = Decode(TextOf(data, size), false);
  if (!object) return LLVMFuzzerMutate(data, size, max_size);
  testing::MutateObject(object.type(), object.get(),
                        {.seed = seed, .changes = 1 + static_cast<int>(seed % 3)});
  std::string json;
  if (!reflect::EncodeJson(object.type(), object.get(), &json).ok() || json.size() > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::memcpy(data, json.data(), json.size());
  return json.size();
}
