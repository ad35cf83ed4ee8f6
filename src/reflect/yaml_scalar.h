// YAML 1.1 scalar resolution as go-yaml v2 does it (resolve.go): which plain texts are null, a
// boolean, a number or a timestamp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podium::reflect {

enum class YamlTag : uint8_t {
  kNone,  // no tag: the text decides
  kNull,
  kBool,
  kInt,
  kFloat,
  kString,
  kTimestamp,
  kBinary,
  kMerge,
  kOther,  // one of the writer's own; the value is the text as a string
};

// A tag as libyaml reports it ("tag:yaml.org,2002:int"); empty is kNone.
YamlTag ReadYamlTag(std::string_view tag);
// "!!int".
std::string_view YamlTagName(YamlTag tag);

struct YamlScalar {
  enum class Type { kNull, kBool, kInt, kUint, kFloat, kString };
  Type type = Type::kString;
  // What the text resolved to; kTimestamp and kMerge are of type kString.
  YamlTag tag = YamlTag::kString;
  bool boolean = false;
  int64_t integer = 0;
  uint64_t unsigned_integer = 0;  // kUint: above the range of int64_t
  double floating = 0;            // may be infinite or NaN
};

// Resolves a scalar with an explicit tag, or a plain one with none. Empty when the text is not of
// the tag's type; *found is then the tag that the text resolved to. kBinary and kOther resolve to
// strings; the caller decodes the base64.
std::optional<YamlScalar> ResolveYamlScalar(YamlTag tag, std::string_view text, YamlTag* found);

// Whether the text, written plain, would be read as something else than this very string. Includes
// base-60 numbers ("1:30"), which go-yaml does not read but other readers do.
bool NeedsYamlQuotes(std::string_view text);

// 2001-12-14, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43.10.
bool IsYamlTimestamp(std::string_view text);

}  // namespace podium::reflect
