// Server-side apply of arbitrary configurations to arbitrary objects. The first byte chooses the
// type, or none; then two JSON values, a line feed between them: the object and the configuration.
// Whatever comes, it ends soon and takes memory in proportion; what comes out can be applied to and
// updated again; where nobody had applied before, applying twice is applying once.
#include <string_view>

#include "fuzz/fuzz_types.h"
#include "fuzz/require.h"
#include "reflect/apply/field_manager.h"

using namespace podium;
using podium::fuzz::Require;
using reflect::JsonValue;

namespace {

const JsonValue* ManagedFieldsOf(const JsonValue& object) {
  const JsonValue* metadata = object.Find("metadata");
  return metadata ? metadata->Find("managedFields") : nullptr;
}

std::string TextAt(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value && value->is_string() ? value->string() : std::string();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  auto live = reflect::ParseJson(text.substr(0, line));
  auto config = reflect::ParseJson(text.substr(line + 1));
  if (!live.ok() || !config.ok() || !live->is_object() || !config->is_object()) return 0;
  const std::string api_version = TextAt(*config, "apiVersion");
  if (api_version.empty()) return 0;
  const bool typed = data[0] % 6 != 5;
  const reflect::FieldManager manager({.type = typed ? &fuzz::ChooseType(data[0]) : nullptr,
                                       .api_version = api_version,
                                       .kind = TextAt(*config, "kind"),
                                       .hooks = {}});
  const reflect::WriteOptions write{.manager = "a", .time = "2026-03-14T09:26:53Z", .force = true};
  const auto once = manager.Apply(*live, *config, write);
  if (once.ok()) {
    Require(once->conflicts.empty());
    Require(reflect::CheckManagedFields(ManagedFieldsOf(once->object)).ok());
    const auto twice = manager.Apply(once->object, *config, write);
    if (ManagedFieldsOf(*live) == nullptr) {
      Require(twice.ok());
      Require(Equivalent(once->object, twice->object));
    }
    (void)manager.Apply(once->object, *live, {.manager = "b", .time = write.time});
  }
  const auto updated = manager.Update(*live, *config, write);
  if (updated.ok()) Require(reflect::CheckManagedFields(ManagedFieldsOf(*updated)).ok());
  return 0;
}
