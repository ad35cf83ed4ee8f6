#include "cli/field_defaults.h"

#include "api/defaults.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::Field;
using reflect::Shape;
using reflect::Type;

// What lists and maps on the way hold their one element by.
constexpr std::string_view kKey = "x";

// The struct in the field of `object`; null when there is none and `make` is off.
void* Enter(void* object, const Field& field, bool make) {
  void* value = field.at(object);
  switch (field.shape) {
    case Shape::kScalar:
      return value;
    case Shape::kBox: {
      auto& box = *static_cast<reflect::BoxStorage*>(value);
      if (!box.object && make) box.object = field.type->create(*field.type);
      return box.object;
    }
    case Shape::kList:
      if (field.list().size(value) > 0) return field.list().data(value);
      return make ? field.list().add(value, field.type) : nullptr;
    case Shape::kMap: {
      bool inserted = false;
      return make ? field.map().insert(value, field.type, kKey, &inserted)
                  : field.map().find(value, kKey);
    }
    case Shape::kOptional:
      break;
  }
  return nullptr;
}

void* Follow(void* object, const std::vector<const Field*>& way, bool make) {
  for (const Field* field : way) {
    if (object) object = Enter(object, *field, make);
  }
  return object;
}

// Empty for what JSON leaves out.
std::vector<std::string> ValuesOf(const Type& type, const void* object) {
  std::vector<std::string> values;
  for (const Field& field : type.fields) {
    std::string& value = values.emplace_back();
    const void* storage = field.at(object);
    if (reflect::IsOmitted(field, storage)) continue;
    if (!reflect::EncodeJsonField(field, storage, &value).ok() || value == "null") value.clear();
  }
  return values;
}

}  // namespace

std::vector<std::string> DefaultsAt(const Type& root, const std::vector<const Field*>& way) {
  const Type& type = way.empty() ? root : *way.back()->type;
  reflect::AnyObject object(root);
  std::vector<std::string> before = ValuesOf(type, Follow(object.get(), way, true));
  api::SetDefaults(root, object.get(), {});
  const void* defaulted = Follow(object.get(), way, false);
  if (!defaulted) return std::vector<std::string>(type.fields.size());
  std::vector<std::string> after = ValuesOf(type, defaulted);
  for (size_t i = 0; i < after.size(); ++i) {
    const Field& field = type.fields[i];
    const bool always_there = field.kind == reflect::Kind::kStruct && field.shape == Shape::kScalar;
    if (always_there || after[i] == before[i]) after[i].clear();
  }
  return after;
}

}  // namespace podium::cli
