// Elements that must not come twice: x-kubernetes-list-type.
#include <set>

#include "api/structural/custom_resource.h"
#include "reflect/number_text.h"

namespace podium::api {
namespace {

using field::Path;
using reflect::JsonValue;
using reflect::Structural;

constexpr reflect::JsonPrintOptions kComparable{.sort_keys = true, .canonical_numbers = true};

// A text that two values share when Go calls them equal: of numbers alone, an integer is never
// equal to a float; inside of objects and lists their JSON counts.
std::string SetKey(const JsonValue& value) {
  std::string out = ToText(value, kComparable);
  if (value.is_number() && !reflect::ReadJsonNumber(value.number()).is_integer) out += 'f';
  return out;
}

// The places of keys that were there before, each key's second place alone.
std::vector<size_t> Repeated(const std::vector<std::string>& keys) {
  std::set<std::string_view> seen;
  std::set<std::string_view> reported;
  std::vector<size_t> out;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!seen.insert(keys[i]).second && reported.insert(keys[i]).second) out.push_back(i);
  }
  return out;
}

void CheckSet(const JsonValue::Array& elements, const Path& path, field::ErrorList* errors) {
  std::vector<std::string> keys;
  for (const JsonValue& element : elements) keys.push_back(SetKey(element));
  for (const size_t i : Repeated(keys)) {
    errors->Add(field::Duplicate(path.Index(i), BadJsonValue(elements[i])));
  }
}

// The members that tell an element from others; those that it lacks are not among them.
JsonValue KeyOf(const Structural& schema, const JsonValue& element) {
  JsonValue::Object key;
  for (const std::string& name : schema.list_map_keys) {
    const JsonValue* value = element.Find(name);
    if (value) key.push_back({name, *value});
  }
  return JsonValue::Of(std::move(key));
}

void CheckMap(const Structural& schema, const JsonValue::Array& elements, const Path& path,
              field::ErrorList* errors) {
  for (size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].is_object() || elements[i].is_null()) continue;
    errors->Add(field::Invalid(path.Index(i), BadJsonValue(elements[i]),
                               "must be an object for an array of list-type map"));
    return;
  }
  std::vector<JsonValue> values;
  std::vector<std::string> keys;
  for (const JsonValue& element : elements) {
    values.push_back(KeyOf(schema, element));
    // One key is compared by itself.
    const JsonValue& key = values.back();
    const bool single = schema.list_map_keys.size() == 1 && !key.object().empty();
    keys.push_back(single ? SetKey(key.object()[0].value) : ToText(key, kComparable) + "{}");
  }
  for (const size_t i : Repeated(keys)) {
    errors->Add(field::Duplicate(path.Index(i), BadJsonValue(values[i])));
  }
}

void Check(const Structural& schema, const JsonValue& value, const Path& path,
           field::ErrorList* errors) {
  if (value.is_array()) {
    if (schema.list_type == "set") CheckSet(value.array(), path, errors);
    if (schema.list_type == "map") CheckMap(schema, value.array(), path, errors);
    for (size_t i = 0; schema.items && i < value.array().size(); ++i) {
      Check(*schema.items, value.array()[i], path.Index(i), errors);
    }
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, member] : value.object()) {
    const auto property = schema.properties.find(name);
    if (property != schema.properties.end()) {
      Check(property->second, member, path.Child(name), errors);
    } else if (schema.additional_properties) {
      Check(*schema.additional_properties, member, path.Key(name), errors);
    }
  }
}

}  // namespace

field::ErrorList ValidateListSetsAndMaps(const Structural& schema, const JsonValue& value,
                                         const Path& path) {
  field::ErrorList errors;
  Check(schema, value, path, &errors);
  return errors;
}

}  // namespace podium::api
