// Any bytes: reading YAML ends in bounded time and memory; what it gives is JSON; what is written
// from that reads back as the same.
#include <cstdint>
#include <string_view>

#include "fuzz/require.h"
#include "reflect/yaml.h"

using namespace podium::reflect;  // NOLINT: a fuzz target
using podium::fuzz::Require;

namespace {

void CheckDocument(const YamlDocument& document) {
  const auto value = ParseJson(document.json, {.max_depth = 1001});
  Require(value.ok());
  const JsonParseOptions deep{.max_depth = 1001};
  for (const int width : {80, 0}) {
    std::string yaml;
    WriteYaml(*value, &yaml, {.sort_keys = width == 0, .fold_width = width});
    YamlReadOptions options;
    options.max_depth = 1001;
    options.max_size = size_t{1} << 30;
    options.max_nodes = size_t{1} << 30;
    const auto again = YamlToJson(yaml, options);
    Require(again.ok());
    const auto read = ParseJson(again->json, deep);
    Require(read.ok() && Equivalent(*read, *value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  YamlReader reader(text);
  // A call takes at least one line or one document.
  for (size_t calls = 0;; ++calls) {
    Require(calls <= 2 * size + 2);
    YamlDocument document;
    const auto more = reader.Next(&document);
    if (!more.ok()) {
      Require(!more.error().message().empty() && !reader.problem().empty());
      continue;
    }
    if (!*more) break;
    Require(document.start.line > 0 && document.positions.size() > 0);
    CheckDocument(document);
  }
  return 0;
}
