// What a structural schema does to values: pruning, defaults, nulls.
#include <algorithm>
#include <set>

#include "reflect/schema/structural.h"
#include "reflect/walk.h"

namespace podium::reflect {
namespace {

bool IsHeader(std::string_view member) {
  return member == "apiVersion" || member == "kind" || member == "metadata";
}

class Pruner {
 public:
  Pruner(const SchemaPruneOptions& options, std::vector<std::string>* dropped)
      : options_(options), dropped_(*dropped) {}

  // `whole`: the value is an object with a header.
  void Value(const Structural* schema, bool whole, const WalkPath& path, JsonValue* value) {
    const bool keeps = schema && schema->preserve_unknown_fields;
    if (value->is_array()) {
      size_t index = 0;
      for (JsonValue& element : value->array()) {
        const WalkPath at(&path, index++);
        const Structural* items = schema ? schema->items.get() : nullptr;
        // Below a list that keeps all, elements keep all until a property has a schema.
        if (keeps) {
          if (items) Kept(*items, at, &element);
        } else {
          Value(items, items && items->embedded_resource, at, &element);
        }
      }
      return;
    }
    if (!value->is_object()) return;
    if (!keeps) DropUnknown(schema, whole, path, value);
    if (schema) Members(*schema, whole, path, value);
  }

  // A value that keeps what is unknown because what holds it does.
  void Kept(const Structural& schema, const WalkPath& path, JsonValue* value) {
    if (value->is_array()) {
      size_t index = 0;
      for (JsonValue& element : value->array()) {
        if (schema.items) Kept(*schema.items, WalkPath(&path, index), &element);
        ++index;
      }
    } else if (value->is_object()) {
      Members(schema, schema.embedded_resource, path, value);
    }
  }

 private:
  void DropUnknown(const Structural* schema, bool whole, const WalkPath& path, JsonValue* value) {
    std::erase_if(value->object(), [&](const JsonValue::Member& member) {
      if (schema && ((whole && IsHeader(member.key)) || schema->properties.contains(member.key) ||
                     schema->has_additional_properties)) {
        return false;
      }
      if (dropped_.size() < options_.max_paths) {
        dropped_.push_back(WalkPath(&path, member.key).Text());
      }
      return true;
    });
  }

  void Members(const Structural& schema, bool whole, const WalkPath& path, JsonValue* value) {
    for (JsonValue::Member& member : value->object()) {
      if (whole && IsHeader(member.key)) continue;
      const auto property = schema.properties.find(member.key);
      if (property == schema.properties.end() && !schema.has_additional_properties) continue;
      const Structural* inner = schema.SchemaOf(member.key);
      Value(inner, inner && inner->embedded_resource, WalkPath(&path, member.key), &member.value);
    }
  }

  const SchemaPruneOptions& options_;
  std::vector<std::string>& dropped_;
};

bool IsForbiddenNull(const JsonValue& value, const Structural* schema) {
  return value.is_null() && schema && !schema->nullable;
}

// As DefaultLimits counts.
size_t SizeOf(const JsonValue& value) {
  constexpr size_t kValue = 32;
  size_t size = kValue;
  if (value.is_string()) size += value.string().size();
  if (value.is_array()) {
    for (const JsonValue& element : value.array()) size += SizeOf(element);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.object()) size += key.size() + SizeOf(member);
  }
  return size;
}

class Filler {
 public:
  explicit Filler(const DefaultLimits& limits) : left_(limits.max_bytes) {}

  Result<void> Fill(const Structural& schema, JsonValue* value) {
    if (value->is_array() && schema.items) {
      for (JsonValue& element : value->array()) {
        if (IsForbiddenNull(element, schema.items.get())) {
          TRY_VOID(PutDefault(*schema.items, &element));
        }
        TRY_VOID(Fill(*schema.items, &element));
      }
    }
    if (!value->is_object()) return {};
    TRY_VOID(AddDefaults(schema, &value->object()));
    for (JsonValue::Member& member : value->object()) {
      const Structural* inner = schema.SchemaOf(member.key);
      if (!inner) continue;
      if (inner == schema.additional_properties.get() && IsForbiddenNull(member.value, inner)) {
        TRY_VOID(PutDefault(*inner, &member.value));
      }
      TRY_VOID(Fill(*inner, &member.value));
    }
    return {};
  }

 private:
  // The default of a schema that has one, or null.
  Result<void> PutDefault(const Structural& schema, JsonValue* value) {
    if (!schema.default_value) return {};
    const size_t size = SizeOf(*schema.default_value);
    if (size > left_) {
      return Error(Code::kResourceExhausted,
                   "the defaults of the schema make the object too large");
    }
    left_ -= size;
    *value = *schema.default_value;
    return {};
  }

  // Adds the members that have a default and are not there.
  Result<void> AddDefaults(const Structural& schema, JsonValue::Object* members) {
    std::set<std::string_view> there;
    for (JsonValue::Member& member : *members) {
      const auto property = schema.properties.find(member.key);
      if (property == schema.properties.end() || !property->second.default_value) continue;
      there.insert(property->first);
      if (IsForbiddenNull(member.value, &property->second)) {
        TRY_VOID(PutDefault(property->second, &member.value));
      }
    }
    for (const auto& [name, property] : schema.properties) {
      if (!property.default_value || there.contains(name)) continue;
      TRY_VOID(PutDefault(property, &members->emplace_back(JsonValue::Member{name, {}}).value));
    }
    return {};
  }

  size_t left_;
};

}  // namespace

std::vector<std::string> PruneValue(const Structural* schema, JsonValue* value,
                                    const SchemaPruneOptions& options) {
  static const Structural& empty = *new Structural();
  if (!schema && options.is_resource_root) schema = &empty;
  const bool whole = options.is_resource_root || (schema && schema->embedded_resource);
  std::vector<std::string> dropped;
  Pruner(options, &dropped).Value(schema, whole, WalkPath(), value);
  return dropped;
}

void DropNulls(const Structural& schema, JsonValue* value) {
  if (value->is_array() && schema.items) {
    for (JsonValue& element : value->array()) DropNulls(*schema.items, &element);
  }
  if (!value->is_object()) return;
  std::erase_if(value->object(), [&](const JsonValue::Member& member) {
    const Structural* inner = schema.SchemaOf(member.key);
    return IsForbiddenNull(member.value, inner) && !inner->default_value;
  });
  for (JsonValue::Member& member : value->object()) {
    const Structural* inner = schema.SchemaOf(member.key);
    if (inner) DropNulls(*inner, &member.value);
  }
}

Result<void> ApplyDefaults(const Structural& schema, JsonValue* value,
                           const DefaultLimits& limits) {
  return Filler(limits).Fill(schema, value);
}

namespace {

// `kept`: what holds the schema's values keeps what is unknown. What a header's defaults hold is
// the business of the object's metadata.
void PruneDefaultsBelow(Structural* schema, bool whole, bool kept) {
  if (schema->default_value) {
    std::vector<std::string> dropped;
    const SchemaPruneOptions options{.is_resource_root = false, .max_paths = 0};
    Pruner pruner(options, &dropped);
    if (kept) {
      pruner.Kept(*schema, WalkPath(), &*schema->default_value);
    } else {
      pruner.Value(schema, whole, WalkPath(), &*schema->default_value);
    }
  }
  const bool keeps = kept || schema->preserve_unknown_fields;
  if (schema->items) {
    PruneDefaultsBelow(schema->items.get(), schema->items->embedded_resource, keeps);
  }
  if (Structural* additional = schema->additional_properties.get()) {
    PruneDefaultsBelow(additional, additional->embedded_resource, false);
  }
  for (auto& [name, property] : schema->properties) {
    if (whole && IsHeader(name)) continue;
    PruneDefaultsBelow(&property, property.embedded_resource, false);
  }
}

}  // namespace

void PruneDefaults(Structural* schema) { PruneDefaultsBelow(schema, true, false); }

}  // namespace podium::reflect
