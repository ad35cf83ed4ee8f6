// Decodes arbitrary bytes as JSON of some type. What decodes strictly must encode, decode again to
// an equal object, and then encode to the same bytes; lenient decoding must take it as well.

#include "fuzz/fuzz_types.h"
#include "fuzz/require.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/object.h"

using namespace podium;
using podium::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const reflect::Type& type = fuzz::ChooseType(data[0]);
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);

  (void)reflect::ReadHeader(text);
  reflect::AnyObject object(type);
  const auto problems = reflect::DecodeJson(text, type, object.get());
  Require(problems.size() <= reflect::DecodeOptions().max_problems);
  for (const reflect::Problem& problem : problems) Require(problem.offset <= text.size());

  reflect::AnyObject copy(type);
  reflect::CopyObject(type, object.get(), copy.get());
  Require(reflect::EqualObjects(type, object.get(), copy.get()));
  if (!problems.empty()) return 0;

  std::string once;
  Require(reflect::EncodeJson(type, object.get(), &once).ok());
  reflect::AnyObject again(type);
  reflect::DecodeOptions lenient;
  lenient.strict = false;
  Require(reflect::DecodeJson(once, type, again.get(), lenient).empty());
  std::string twice;
  Require(reflect::EncodeJson(type, again.get(), &twice).ok());
  Require(once == twice);
  return 0;
}
