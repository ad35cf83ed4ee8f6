// Patches of every kind, from arbitrary bytes, applied to arbitrary documents. The first byte
// chooses the type, the second the kind of patch; then two JSON values, a line feed between them:
// the document and the patch. Whatever comes, it ends soon and takes memory in proportion; a merge
// patch that applies does nothing more the second time; the patch from a document to what became of
// it leads there.
#include <string_view>

#include "fuzz/fuzz_types.h"
#include "fuzz/require.h"
#include "reflect/json_value.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"

using namespace podium;
using podium::fuzz::Require;
using reflect::JsonValue;

namespace {

void TryJsonPatch(JsonValue document, JsonValue patch) {
  const auto parsed = reflect::JsonPatch::FromValue(std::move(patch));
  if (!parsed.ok()) return;
  const JsonValue before = document;
  if (!parsed->Apply(&document, {.copied_bytes = 1 << 16, .operations = 1000}).ok()) return;
  const auto back = reflect::JsonPatch::FromValue(reflect::JsonPatch::Make(before, document));
  Require(back.ok());
  JsonValue again = before;
  // Only members of objects have pointers; a document that is no object is replaced whole, by an
  // object or a list.
  if (!back->Apply(&again).ok()) {
    Require(!before.is_object() || !document.is_object());
    return;
  }
  Require(Equivalent(again, document));
}

void TryMergePatch(JsonValue document, const JsonValue& patch) {
  reflect::ApplyMergePatch(patch, &document);
  JsonValue twice = document;
  reflect::ApplyMergePatch(patch, &twice);
  Require(Equivalent(document, twice));
}

void TryStrategicPatch(const reflect::Type& type, JsonValue document, JsonValue patch) {
  const JsonValue before = document;
  const JsonValue change = patch;
  if (!reflect::ApplyStrategicPatch(type, std::move(patch), &document).ok()) return;
  // Documents that the type cannot have make errors here, which is all there is to know.
  (void)reflect::MakeStrategicPatch(type, before, document);
  (void)reflect::MakeThreeWayPatch(type, change, document, before, {.overwrite = false});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const reflect::Type& type = fuzz::ChooseType(data[0]);
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  auto document = reflect::ParseJson(text.substr(0, line));
  auto patch = reflect::ParseJson(text.substr(line + 1));
  if (!document.ok() || !patch.ok()) return 0;
  switch (data[1] % 3) {
    case 0:
      TryJsonPatch(*std::move(document), *std::move(patch));
      break;
    case 1:
      TryMergePatch(*std::move(document), *patch);
      break;
    default:
      TryStrategicPatch(type, *std::move(document), *std::move(patch));
  }
  return 0;
}
