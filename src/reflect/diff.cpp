#include "reflect/diff.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "reflect/field_path.h"
#include "reflect/list_map_keys.h"

namespace podium::reflect {
namespace {

// What is known of a value: nothing, a struct's type, or the field that it is.
struct Known {
  const Type* type = nullptr;    // of an object
  const Field* field = nullptr;  // of a list or map
};

Known OfElement(const Field& field) {
  if (field.kind != Kind::kStruct || field.type->form != Form::kStruct) return {};
  return {.type = field.type};
}

Known OfMember(const Known& object, std::string_view key) {
  if (object.field != nullptr && object.field->shape == Shape::kMap) {
    return OfElement(*object.field);
  }
  if (object.type == nullptr) return {};
  const Field* field = object.type->Find(key);
  if (field == nullptr) return {};
  if (field->shape == Shape::kList || field->shape == Shape::kMap) return {.field = field};
  return OfElement(*field);
}

std::vector<std::string> KeysOf(const Field& field) {
  if (field.facts->list_type == ListType::kMap) return ListMapKeysOf(*field.facts);
  if (field.facts->list_type == ListType::kAtomic || field.facts->merge_key[0] == '\0') return {};
  return {field.facts->merge_key};
}

bool IsSet(const Field& field) {
  return field.facts->list_type == ListType::kSet ||
         (field.facts->list_type == ListType::kNone && field.facts->patch_merge &&
          field.facts->merge_key[0] == '\0');
}

// The elements of a list by the text that stands for each in a path: [name="web"].
using ByKey = std::map<std::string, const JsonValue*, std::less<>>;

struct Keyed {
  ByKey elements;
  std::vector<std::string> order;
};

// Nothing when the elements cannot be told apart.
std::optional<Keyed> ByKeys(const Field& field, const JsonValue::Array& list) {
  const std::vector<std::string> keys = KeysOf(field);
  const bool is_set = IsSet(field);
  if (keys.empty() && !is_set) return std::nullopt;
  Keyed keyed;
  for (const JsonValue& element : list) {
    std::string text = "[";
    if (is_set && keys.empty()) {
      if (element.is_object() || element.is_array()) return std::nullopt;
      text += ToText(element);
    }
    for (const std::string& key : keys) {
      const JsonValue* value = element.Find(key);
      if (text.size() > 1) text += ',';
      text += key;
      text += '=';
      if (value != nullptr) {
        text += ToText(*value);
      } else if (const Field* its = field.type ? field.type->Find(key) : nullptr;
                 its != nullptr && its->facts->default_value[0] != '\0') {
        text += its->facts->default_value;
      } else if (keys.size() == 1) {
        return std::nullopt;
      }
    }
    text += ']';
    if (!keyed.elements.emplace(text, &element).second) return std::nullopt;
    keyed.order.push_back(std::move(text));
  }
  return keyed;
}

class Differ {
 public:
  void Compare(const Known& known, const JsonValue& from, const JsonValue& to) {
    if (from.is_object() && to.is_object()) {
      CompareObjects(known, from, to);
    } else if (from.is_array() && to.is_array()) {
      CompareLists(known, from.array(), to.array());
    } else if (!Equivalent(from, to)) {
      Add(Difference::Kind::kChanged, from, to);
    }
  }

  std::vector<Difference> Take() && { return std::move(found_); }

 private:
  void Add(Difference::Kind kind, const JsonValue& before, const JsonValue& after) {
    found_.push_back({kind, path_, before, after});
  }

  static std::map<std::string_view, const JsonValue*> Members(const JsonValue& object) {
    std::map<std::string_view, const JsonValue*> members;
    for (const auto& [key, value] : object.object()) members.emplace(key, &value);
    return members;
  }

  void CompareObjects(const Known& known, const JsonValue& from, const JsonValue& to) {
    const auto before = Members(from);
    const auto after = Members(to);
    const size_t size = path_.size();
    for (const auto& [key, value] : from.object()) {
      AppendPathName(key, &path_);
      const auto found = after.find(key);
      if (found == after.end()) {
        Add(Difference::Kind::kRemoved, value, JsonValue());
      } else {
        Compare(OfMember(known, key), value, *found->second);
      }
      path_.resize(size);
    }
    for (const auto& [key, value] : to.object()) {
      if (before.contains(key)) continue;
      AppendPathName(key, &path_);
      Add(Difference::Kind::kAdded, JsonValue(), value);
      path_.resize(size);
    }
  }

  void CompareLists(const Known& known, const JsonValue::Array& from, const JsonValue::Array& to) {
    if (known.field != nullptr && known.field->shape == Shape::kList) {
      const auto before = ByKeys(*known.field, from);
      const auto after = ByKeys(*known.field, to);
      if (before && after) return CompareKeyed(*known.field, *before, *after);
    }
    const Known element = known.field ? OfElement(*known.field) : Known();
    const size_t size = path_.size();
    for (size_t i = 0; i < std::max(from.size(), to.size()); ++i) {
      AppendPathIndex(i, &path_);
      if (i >= to.size()) {
        Add(Difference::Kind::kRemoved, from[i], JsonValue());
      } else if (i >= from.size()) {
        Add(Difference::Kind::kAdded, JsonValue(), to[i]);
      } else {
        Compare(element, from[i], to[i]);
      }
      path_.resize(size);
    }
  }

  void CompareKeyed(const Field& field, const Keyed& before, const Keyed& after) {
    std::vector<std::string_view> left;
    std::vector<std::string_view> right;
    const size_t size = path_.size();
    for (const std::string& key : before.order) {
      const JsonValue& value = *before.elements.find(key)->second;
      const auto found = after.elements.find(key);
      path_ += key;
      if (found == after.elements.end()) {
        Add(Difference::Kind::kRemoved, value, JsonValue());
      } else {
        left.push_back(key);
        Compare(OfElement(field), value, *found->second);
      }
      path_.resize(size);
    }
    for (const std::string& key : after.order) {
      if (before.elements.contains(key)) {
        right.push_back(key);
        continue;
      }
      path_ += key;
      Add(Difference::Kind::kAdded, JsonValue(), *after.elements.find(key)->second);
      path_.resize(size);
    }
    if (left == right || IsSet(field)) return;
    Add(Difference::Kind::kReordered, Texts(left), Texts(right));
  }

  static JsonValue Texts(const std::vector<std::string_view>& texts) {
    JsonValue::Array out;
    for (const std::string_view text : texts) out.push_back(JsonValue::String(std::string(text)));
    return JsonValue::Of(std::move(out));
  }

  // Of the values that are compared now: one text for all, as a key may be as long as the document.
  std::string path_;
  std::vector<Difference> found_;
};

}  // namespace

std::vector<Difference> Differences(const Type* type, const JsonValue& from, const JsonValue& to) {
  Differ differ;
  differ.Compare({.type = type}, from, to);
  return std::move(differ).Take();
}

}  // namespace podium::reflect
