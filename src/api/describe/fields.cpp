// Objects of kinds without a description of their own: their fields, as upstream's generic
// describer prints them.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe/parts.h"
#include "api/types/meta_v1.h"
#include "base/ascii.h"
#include "base/text.h"
#include "reflect/go_value_text.h"
#include "reflect/json_value.h"

namespace podium::api {
namespace {

using reflect::JsonValue;

// Of metadata: shown above the fields, or not at all.
constexpr std::string_view kShown[] = {"managedFields", "name", "namespace", "labels",
                                       "annotations"};

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

std::vector<const JsonValue::Member*> Sorted(const JsonValue::Object& object) {
  std::vector<const JsonValue::Member*> out;
  for (const JsonValue::Member& member : object) out.push_back(&member);
  std::ranges::sort(out, {}, [](const auto* member) { return std::string_view(member->key); });
  return out;
}

enum class Part { kWhole, kMetadata, kOther };

void WriteFields(const JsonValue::Object& object, int level, Part part, DescribeWriter* out) {
  for (const JsonValue::Member* member : Sorted(object)) {
    const std::string_view key = member->key;
    if (part == Part::kMetadata && std::ranges::find(kShown, key) != std::end(kShown)) continue;
    const Part inner = part == Part::kWhole && key == "metadata" ? Part::kMetadata : Part::kOther;
    const JsonValue& value = member->value;
    if (!value.is_object() && !value.is_array()) {
      out->Line(level, LabelOf(member->key), ":\t", GoText(value));
      continue;
    }
    out->Line(level, LabelOf(member->key), ":");
    if (value.is_object()) {
      WriteFields(value.object(), level + 1, inner, out);
      continue;
    }
    for (const JsonValue& element : value.array()) {
      if (element.is_object()) {
        WriteFields(element.object(), level + 1, inner, out);
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
  if (json.is_object()) WriteFields(json.object(), 0, Part::kWhole, out);
  WriteEvents(scene.Events({.name = header.name,
                            .namespace_ = header.namespace_,
                            .kind = header.kind,
                            .uid = header.uid}),
              scene, out);
  return {};
}

}  // namespace podium::api
