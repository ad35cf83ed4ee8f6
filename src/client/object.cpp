#include "client/object.h"

#include <optional>

#include "api/object_meta.h"

namespace podium::client {

using api::meta::v1::ObjectMeta;
using reflect::Field;
using reflect::Type;

const ObjectMeta* MetaOf(const Type& type, const void* object) {
  return object != nullptr ? api::FindObjectMeta(type, object) : nullptr;
}

ObjectMeta* MetaOf(const Type& type, void* object) {
  return const_cast<ObjectMeta*>(MetaOf(type, static_cast<const void*>(object)));
}

void SetKind(const Type& type, void* object) {
  if (!type.has(reflect::kRootKind)) return;
  const auto set = [&](std::string_view name, std::string value) {
    const Field* field = type.Find(name);
    if (!field || field->kind != reflect::Kind::kString) return;
    void* at = field->at(object);
    if (field->shape == reflect::Shape::kOptional) {
      *static_cast<std::optional<std::string>*>(at) = std::move(value);
    } else {
      *static_cast<std::string*>(at) = std::move(value);
    }
  };
  set("kind", type.name);
  set("apiVersion", type.ApiVersion());
}

std::string KeyOf(const SharedObject& object) {
  const ObjectMeta* meta = object ? object.meta() : nullptr;
  if (!meta) return "";
  return meta->namespace_.empty() ? meta->name : meta->namespace_ + "/" + meta->name;
}

}  // namespace podium::client
