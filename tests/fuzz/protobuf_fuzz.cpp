// Decodes arbitrary bytes as a message of some type. What decodes must encode to bytes that decode
// to an equal object and encode to the same bytes again.

#include "fuzz/fuzz_types.h"
#include "fuzz/require.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"

using namespace podium;
using podium::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const reflect::Type& type = fuzz::ChooseType(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);

  (void)reflect::ReadEnvelope(bytes);
  reflect::AnyObject object(type);
  if (!reflect::DecodeProtobuf(bytes, type, object.get()).ok()) return 0;
  std::string once;
  Require(reflect::EncodeProtobuf(type, object.get(), &once).ok());
  reflect::AnyObject again(type);
  Require(reflect::DecodeProtobuf(once, type, again.get()).ok());
  std::string twice;
  Require(reflect::EncodeProtobuf(type, again.get(), &twice).ok());
  Require(once == twice);

  // JSON may refuse raw bytes and numbers that are not finite, but must not fail otherwise.
  std::string json;
  (void)reflect::EncodeJson(type, object.get(), &json);
  return 0;
}
