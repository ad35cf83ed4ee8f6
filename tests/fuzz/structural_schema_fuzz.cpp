// Structural schemas and values for them, both from arbitrary bytes: two JSON values, a line feed
// between them. Whatever comes, it ends soon. Pruning twice prunes nothing more; defaults that are
// in need no second filling; what did not change is never wrong in an update; run-time types are
// made of every schema that is structural, or refused.
#include <string_view>

#include "api/structural/custom_resource.h"
#include "api/types/meta_v1.h"
#include "fuzz/require.h"
#include "reflect/runtime_types.h"
#include "reflect/schema/structural.h"

using namespace podium;
using podium::fuzz::Require;
using reflect::JsonValue;

namespace {

void CheckSchema(const JsonValue& document, reflect::Structural* schema) {
  const bool structural = api::ValidateStructural(*schema, api::field::Path("schema")).empty();
  (void)api::ValidateDefaults(*schema, true, true, api::field::Path("schema"));
  (void)reflect::HasCelRules(*schema);
  const auto types = reflect::RuntimeTypes::FromSchema(
      document, {"example.com", "v1", "Thing"},
      {.object_meta = &reflect::TypeOf<api::meta::v1::ObjectMeta>()});
  if (types.ok() && structural) {
    reflect::AnyObject object((*types)->root());
    Require(static_cast<bool>(object));
  }
  PruneDefaults(schema);
}

void CheckValue(const reflect::Structural& schema, JsonValue value) {
  (void)api::ValidateCustomResource(schema, value, api::field::Path());
  Require(api::ValidateCustomResourceUpdate(schema, value, value, api::field::Path()).empty());
  (void)api::ValidateListSetsAndMaps(schema, value, api::field::Path());
  (void)api::ValidateEmbeddedMetadata(schema, value, true, api::field::Path());
  PruneValue(&schema, &value);
  Require(PruneValue(&schema, &value).empty());
  DropNulls(schema, &value);
  if (ApplyDefaults(schema, &value, {.max_bytes = 100'000}).ok()) {
    JsonValue again = value;
    Require(ApplyDefaults(schema, &again, {.max_bytes = 0}).ok());
    Require(again == value);
  }
  (void)api::CoerceMetadata(schema, true, true, api::field::Path(), &value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto document = reflect::ParseJson(text.substr(0, line));
  auto value = reflect::ParseJson(text.substr(line + 1));
  if (!document.ok() || !value.ok()) return 0;
  auto schema = reflect::ParseStructural(*document);
  if (!schema.ok()) return 0;
  CheckSchema(*document, schema->get());
  CheckValue(**schema, *std::move(value));
  return 0;
}
