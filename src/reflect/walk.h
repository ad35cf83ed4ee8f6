// Walking over described objects: every value that is set, with its path.
//
//   Walk(TypeOf<Pod>(), &pod, [&](const WalkPath& path, const ValueRef& value) {
//     if (value.kind() == Kind::kString && !value.is_container()) Check(path.Text(), value);
//     return Next::kInside;
//   });
//
// Generated types and those made at run time are walked alike. Nothing is copied, and a path is put
// together only when its text is asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "reflect/type.h"

namespace podium::reflect {

// One value in an object: the whole, a field, or an element of a field's list or map.
struct ValueRef {
  const Type* type = nullptr;    // of structs and leaves; else null
  const Field* field = nullptr;  // that it is or stands in; null for the whole
  bool is_element = false;
  // Of a field, its storage as the Field describes it; else the value.
  const void* at = nullptr;

  Kind kind() const { return field ? field->kind : Kind::kStruct; }
  bool is_list() const { return field && !is_element && field->shape == Shape::kList; }
  bool is_map() const { return field && !is_element && field->shape == Shape::kMap; }
  bool is_struct() const { return kind() == Kind::kStruct && !is_list() && !is_map(); }
  bool is_container() const { return kind() == Kind::kStruct || is_list() || is_map(); }
  // The value itself, out of its optional or box: a T for a scalar of that kind, the object, the
  // list, the map. Null when it is absent.
  const void* get() const;
  // Through types whose JSON is that of one field (Form::kTransparent), to the value that the JSON
  // shows.
  ValueRef Unwrapped() const;
  template <class T>
  const T& as() const {
    return *static_cast<const T*>(get());
  }
};

// The way to a value, as links through the walker's own stack: valid during the visit only.
class WalkPath {
 public:
  WalkPath() = default;
  WalkPath(const WalkPath* parent, std::string_view name) : parent_(parent), name_(name) {}
  WalkPath(const WalkPath* parent, size_t index) : parent_(parent), index_(index), in_list_(true) {}

  // Null for the whole.
  const WalkPath* parent() const { return parent_; }
  bool in_list() const { return in_list_; }
  std::string_view name() const { return name_; }  // unless in_list()
  size_t index() const { return index_; }          // if in_list()
  // As FieldPath writes it.
  std::string Text() const;

 private:
  const WalkPath* parent_ = nullptr;
  std::string_view name_;
  size_t index_ = 0;
  bool in_list_ = false;
};

enum class Next {
  kInside,  // go on with what the value holds
  kPast,    // go on behind it
  kStop,
};

// Visits the object, then, in the order of JSON output, each field that differs from a default-made
// one, each element of a list, each entry of a map. A type whose JSON is that of one field
// is one value: a transparent one is visited as that field, and the alternatives of one that has
// them add no step and no visit. Returns
// false when the visitor stopped.
using WalkVisitor = Next (*)(void* context, const WalkPath& path, const ValueRef& value);
bool Walk(const Type& type, const void* object, void* context, WalkVisitor visitor);

template <class F>
bool Walk(const Type& type, const void* object, F&& visit) {
  return Walk(type, object, std::addressof(visit),
              [](void* context, const WalkPath& path, const ValueRef& value) -> Next {
                return (*static_cast<std::remove_reference_t<F>*>(context))(path, value);
              });
}

}  // namespace podium::reflect
