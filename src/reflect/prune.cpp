#include "reflect/prune.h"

#include <algorithm>

#include "reflect/copy.h"
#include "reflect/unknown_members.h"
#include "reflect/walk.h"

namespace podium::reflect {
namespace {

class Pruner {
 public:
  Pruner(const PruneOptions& options, std::vector<std::string>* dropped)
      : options_(options), dropped_(*dropped) {}

  void Object(const Type& type, const WalkPath& path, JsonValue* value) {
    switch (type.form) {
      case Form::kTransparent:
        return FieldValue(type.fields[0], path, value);
      case Form::kAlternatives:
        for (const Field& field : type.fields) {
          const bool list = field.shape == Shape::kList;
          if (list ? value->is_array() : field.kind == Kind::kStruct && value->is_object()) {
            return FieldValue(field, path, value);
          }
        }
        return;
      case Form::kLeaf:
        return;
      case Form::kStruct:
        break;
    }
    if (!value->is_object()) return;
    JsonValue::Object& members = value->object();
    std::erase_if(members, [&](const JsonValue::Member& member) {
      if (type.Find(member.key) || UnknownField(type)) return false;
      if (dropped_.size() < options_.max_paths) {
        dropped_.push_back(WalkPath(&path, member.key).Text());
      }
      return true;
    });
    for (JsonValue::Member& member : members) {
      const Field* field = type.Find(member.key);
      if (field) FieldValue(*field, WalkPath(&path, member.key), &member.value);
    }
  }

 private:
  void FieldValue(const Field& field, const WalkPath& path, JsonValue* value) {
    if (field.kind != Kind::kStruct) return;
    if (field.shape == Shape::kList) {
      if (!value->is_array()) return;
      size_t index = 0;
      for (JsonValue& element : value->array()) {
        Object(*field.type, WalkPath(&path, index++), &element);
      }
    } else if (field.shape == Shape::kMap) {
      if (!value->is_object()) return;
      for (JsonValue::Member& member : value->object()) {
        Object(*field.type, WalkPath(&path, member.key), &member.value);
      }
    } else {
      Object(*field.type, path, value);
    }
  }

  const PruneOptions& options_;
  std::vector<std::string>& dropped_;
};

bool IsEmptyContainer(const Field& field, const void* at) {
  return field.shape == Shape::kList ? ListOps::empty(at) : MapOps::empty(at);
}

void ResetEmptyElements(const Field& field, void* at) {
  if (field.kind != Kind::kStruct) return;
  if (field.shape == Shape::kMap) {
    field.map().each(at, false, const_cast<Type*>(field.type),
                     [](void* type, const std::string&, void* value) {
                       ResetEmpty(*static_cast<const Type*>(type), value);
                       return true;
                     });
    return;
  }
  const ListOps& ops = field.list();
  const size_t size = ops.size(at);
  for (size_t i = 0; i < size; ++i) {
    ResetEmpty(*field.type, static_cast<char*>(ops.data(at)) + i * ops.stride);
  }
}

}  // namespace

std::vector<std::string> PruneUnknown(const Type& type, JsonValue* value,
                                      const PruneOptions& options) {
  std::vector<std::string> dropped;
  Pruner(options, &dropped).Object(type, WalkPath(), value);
  return dropped;
}

void ResetEmpty(const Type& type, void* object) {
  // Where the JSON is one field's value, dropping it would say something else: {} is not true.
  const bool keeps_meaning = type.form == Form::kStruct;
  for (const Field& field : type.fields) {
    void* at = field.at(object);
    switch (field.shape) {
      case Shape::kScalar:
        if (field.kind == Kind::kStruct) ResetEmpty(*field.type, at);
        break;
      case Shape::kOptional:
        break;
      case Shape::kBox:
        if (void* inner = static_cast<BoxStorage*>(at)->object) {
          ResetEmpty(*field.type, inner);
          const bool may_drop = keeps_meaning && field.type->form == Form::kStruct;
          if (may_drop && IsZeroObject(*field.type, inner)) ResetField(field, at);
        }
        break;
      case Shape::kList:
      case Shape::kMap:
        ResetEmptyElements(field, at);
        if (keeps_meaning && IsEmptyContainer(field, at)) ResetField(field, at);
        break;
    }
  }
}

}  // namespace podium::reflect
