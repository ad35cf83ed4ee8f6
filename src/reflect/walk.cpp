#include "reflect/walk.h"

#include <vector>

#include "reflect/copy.h"
#include "reflect/field_path.h"
#include "reflect/unknown_members.h"
#include "reflect/visit_scalar.h"

namespace podium::reflect {
namespace {

class Walker {
 public:
  Walker(void* context, WalkVisitor visitor) : context_(context), visitor_(visitor) {}

  bool Visit(const WalkPath& path, ValueRef value) {
    value = value.Unwrapped();
    switch (visitor_(context_, path, value)) {
      case Next::kInside:
        return Inside(path, value);
      case Next::kPast:
        return true;
      case Next::kStop:
        break;
    }
    return false;
  }

 private:
  bool Inside(const WalkPath& path, const ValueRef& value) {
    if (value.is_list()) return Elements(path, value);
    if (value.is_map()) return Entries(path, value);
    const void* object = value.is_struct() ? value.get() : nullptr;
    return !object || Members(path, *value.type, object);
  }

  bool Members(const WalkPath& path, const Type& type, const void* object) {
    const Probe* const probes = type.probes;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      if (probes && probes[i].SurelyEmpty(object)) continue;
      const Field& field = type.fields[i];
      const ValueRef value{field.type, &field, false, field.at(object)};
      if (IsZeroField(field, value.at)) continue;
      const bool own_step = type.form == Form::kStruct && !field.has(kUnknown);
      if (!(own_step ? Visit(WalkPath(&path, field.name()), value) : Inside(path, value))) {
        return false;
      }
    }
    return true;
  }

  bool Elements(const WalkPath& path, const ValueRef& list) {
    const ListOps& ops = list.field->list();
    const size_t size = ops.size(list.at);
    if (size == 0) return true;
    const char* element = static_cast<const char*>(ops.data(list.at));
    for (size_t i = 0; i < size; ++i, element += ops.stride) {
      if (!Visit(WalkPath(&path, i), {list.type, list.field, true, element})) return false;
    }
    return true;
  }

  bool Entries(const WalkPath& path, const ValueRef& map) {
    struct Context {
      Walker& walker;
      const WalkPath& path;
      const ValueRef& map;
      bool go_on = true;
    } context{*this, path, map};
    map.field->map().each(
        map.at, false, &context, [](void* opaque, const std::string& key, void* value) {
          Context& c = *static_cast<Context*>(opaque);
          c.go_on = c.walker.Visit(WalkPath(&c.path, key), {c.map.type, c.map.field, true, value});
          return c.go_on;
        });
    return context.go_on;
  }

  void* context_;
  WalkVisitor visitor_;
};

}  // namespace

const void* ValueRef::get() const {
  if (!field || is_element) return at;
  const bool optional = field->shape == Shape::kOptional || field->shape == Shape::kBox;
  return optional ? OptionalValue(*field, at) : at;
}

ValueRef ValueRef::Unwrapped() const {
  ValueRef value = *this;
  while (value.is_struct() && value.type->form == Form::kTransparent) {
    const void* object = value.get();
    if (!object) break;
    const Field& inner = value.type->fields[0];
    value = {inner.type, &inner, false, inner.at(object)};
  }
  return value;
}

std::string WalkPath::Text() const {
  std::vector<const WalkPath*> links;
  for (const WalkPath* link = this; link->parent_; link = link->parent_) links.push_back(link);
  std::string out;
  for (auto at = links.rbegin(); at != links.rend(); ++at) {
    if ((*at)->in_list_) {
      AppendPathIndex((*at)->index_, &out);
    } else {
      AppendPathName((*at)->name_, &out);
    }
  }
  return out;
}

bool Walk(const Type& type, const void* object, void* context, WalkVisitor visitor) {
  return Walker(context, visitor).Visit(WalkPath(), {&type, nullptr, false, object});
}

}  // namespace podium::reflect
