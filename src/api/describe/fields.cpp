// Objects of kinds without a description of their own: their fields, as upstream's generic
// describer prints them.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe/parts.h"
#include "api/types/meta_v1.h"
#include "base/ascii.h"
#include "base/text.h"
#include "reflect/json.h"

namespace podium::api {
namespace {

using reflect::JsonValue;

// Shown above the fields, or not at all.
constexpr std::string_view kShown[] = {".metadata.managedFields", ".metadata.name",
                                       ".metadata.namespace", ".metadata.labels",
                                       ".metadata.annotations"};

enum class Case { kLower, kUpper, kOther };
Case CaseOf(char c) { return IsLower(c) ? Case::kLower : IsUpper(c) ? Case::kUpper : Case::kOther; }

// Words of a name by upper and lower case: "podCIDRs" is pod, CID, Rs; "apiVersion" api, Version.
std::vector<std::string> WordsOf(std::string_view name) {
  std::vector<std::string> words;
  for (size_t i = 0; i < name.size(); ++i) {
    if (i == 0 || CaseOf(name[i]) != CaseOf(name[i - 1])) words.emplace_back();
    words.back() += name[i];
  }
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (!IsUpper(words[i].front()) || !IsLower(words[i + 1].front())) continue;
    words[i + 1].insert(0, 1, words[i].back());
    words[i].pop_back();
  }
  std::erase(words, "");
  return words;
}

bool IsAllUpper(std::string_view word) { return std::ranges::none_of(word, IsLower); }

// As it stands above a value. Upstream keeps an acronym and the word behind it in one.
std::string LabelOf(std::string_view name) {
  const auto is_plain = [](char c) { return IsLetter(c) || c == '-'; };
  if (!std::ranges::all_of(name, is_plain)) return std::string(name);
  std::vector<std::string> words = WordsOf(name);
  std::string label;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    if (word.size() >= 2 && IsAllUpper(word) && i + 1 < words.size() &&
        IsUpper(words[i + 1].front())) {
      word += words[++i];
    }
    const std::string upper = UpperCase(word);
    if (upper == "API" || upper == "URL" || upper == "UID" || upper == "GUID") {
      word = upper;
    } else if (std::ranges::none_of(word, IsUpper)) {
      word.front() = upper.front();
    }
    if (!label.empty()) label += ' ';
    label += word;
  }
  return label;
}

// Of integers the digits; of other numbers what Go's %v makes of a float64: as few digits as tell
// it, with an exponent where that is below -4 or above 5.
std::string NumberText(const std::string& digits) {
  int64_t whole = 0;
  const char* end = digits.data() + digits.size();
  if (const auto [at, error] = std::from_chars(digits.data(), end, whole);
      error == std::errc() && at == end) {
    return std::to_string(whole);
  }
  double value = 0;
  std::from_chars(digits.data(), end, value);
  std::array<char, 64> text;
  auto written =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  std::string scientific(text.data(), written.ptr);
  int exponent = 0;
  const size_t e = scientific.find('e');
  const size_t sign = scientific[e + 1] == '+' ? 1 : 0;
  std::from_chars(scientific.data() + e + 1 + sign, scientific.data() + scientific.size(),
                  exponent);
  constexpr int kLeast = -4;
  constexpr int kMost = 5;
  if (exponent < kLeast || exponent > kMost) return scientific;
  written = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return {text.data(), written.ptr};
}

std::vector<const JsonValue::Member*> Sorted(const JsonValue::Object& object) {
  std::vector<const JsonValue::Member*> out;
  for (const JsonValue::Member& member : object) out.push_back(&member);
  std::ranges::sort(out, {}, [](const auto* member) { return std::string_view(member->key); });
  return out;
}

void WriteFields(const JsonValue::Object& object, int level, const std::string& path,
                 DescribeWriter* out) {
  for (const JsonValue::Member* member : Sorted(object)) {
    const std::string its_path = path + '.' + member->key;
    if (std::ranges::find(kShown, its_path) != std::end(kShown)) continue;
    const JsonValue& value = member->value;
    if (!value.is_object() && !value.is_array()) {
      out->Line(level, LabelOf(member->key), ":\t", GoText(value));
      continue;
    }
    out->Line(level, LabelOf(member->key), ":");
    if (value.is_object()) {
      WriteFields(value.object(), level + 1, its_path, out);
      continue;
    }
    for (const JsonValue& element : value.array()) {
      if (element.is_object()) {
        WriteFields(element.object(), level + 1, its_path, out);
      } else {
        out->Line(level + 1, GoText(element));
      }
    }
  }
}

reflect::Map<std::string> StringsAt(const JsonValue& metadata, std::string_view name) {
  reflect::Map<std::string> out;
  const JsonValue* map = metadata.Find(name);
  if (!map || !map->is_object()) return out;
  for (const auto& [key, value] : map->object()) {
    if (value.is_string()) out[key] = value.string();
  }
  return out;
}

}  // namespace

std::string GoText(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kNull:
      return "<nil>";
    case JsonValue::Kind::kBool:
      return value.boolean() ? "true" : "false";
    case JsonValue::Kind::kNumber:
      return NumberText(value.number());
    case JsonValue::Kind::kString:
      return value.string();
    case JsonValue::Kind::kArray: {
      reflect::List<std::string> elements;
      for (const JsonValue& element : value.array()) elements.push_back(GoText(element));
      return GoText(elements);
    }
    case JsonValue::Kind::kObject: {
      reflect::Map<std::string> members;
      for (const auto& [key, member] : value.object()) members[key] = GoText(member);
      return GoText(members);
    }
  }
  return {};
}

Result<void> DescribeFields(const reflect::Object& object, const Scene& scene,
                            DescribeWriter* out) {
  TRY(const JsonValue json, reflect::ParseJson(object.json()));
  const reflect::ObjectHeader& header = object.header();
  const JsonValue none;
  const JsonValue* metadata = json.Find("metadata");
  out->Line(0, "Name:\t", header.name);
  out->Line(0, "Namespace:\t", header.namespace_);
  WriteLabels("Labels", StringsAt(metadata ? *metadata : none, "labels"), out);
  WriteAnnotations("Annotations", StringsAt(metadata ? *metadata : none, "annotations"), out);
  if (json.is_object()) WriteFields(json.object(), 0, "", out);
  WriteEvents(scene.Events({.name = header.name,
                            .namespace_ = header.namespace_,
                            .kind = header.kind,
                            .uid = header.uid}),
              scene, out);
  return {};
}

}  // namespace podium::api
