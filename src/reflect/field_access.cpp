#include "reflect/field_access.h"

#include <utility>

#include "reflect/copy.h"
#include "reflect/json_value.h"
#include "reflect/unknown_members.h"

namespace podium::reflect {
namespace {

// A field that holds one element of another field's list or map.
Field ElementField(const Field& field) {
  Field element = field;
  element.shape = Shape::kScalar;
  element.ops = nullptr;
  element.flags = 0;
  return element;
}

// Follows a path through an object, or, once something is absent, through its types alone.
class Resolver {
 public:
  enum class Mode { kFind, kMake };

  Resolver(const Type& type, void* object, Mode mode)
      : type_(&type), at_(object), make_(mode == Mode::kMake) {}

  // False when there is no such step.
  bool Enter(const PathStep& step) {
    Unwrap(step);
    if (!field_ || is_element_ || field_->shape == Shape::kScalar || field_->shape == Shape::kBox ||
        field_->shape == Shape::kOptional) {
      return EnterObject(step);
    }
    return field_->shape == Shape::kList ? EnterList(step) : EnterMap(step);
  }

  // Null address: absent on the way.
  ValueRef value() const { return {type_, field_, is_element_, at_}; }
  void* at() const { return at_; }

 private:
  bool IsStruct() const {
    if (!field_) return true;
    const bool one = is_element_ || (field_->shape != Shape::kList && field_->shape != Shape::kMap);
    return one && field_->kind == Kind::kStruct;
  }

  // The object itself, out of its box.
  void* Object() {
    if (!at_ || !field_ || is_element_ || field_->shape != Shape::kBox) return at_;
    void*& object = static_cast<BoxStorage*>(at_)->object;
    if (!object && make_) object = field_->type->create(*field_->type);
    return object;
  }

  void GoToField(const Field& field, void* object) {
    type_ = field.type;
    field_ = &field;
    is_element_ = false;
    at_ = object ? field.at(object) : nullptr;
  }

  void GoToElement(void* element) {
    is_element_ = true;
    at_ = element;
  }

  // Into the field that is a transparent type's JSON, or the alternative that the step fits.
  void Unwrap(const PathStep& step) {
    while (IsStruct() && type_->form != Form::kStruct) {
      void* object = Object();
      const Field* inner = &type_->fields[0];
      if (type_->form == Form::kAlternatives) {
        for (const Field& field : type_->fields) {
          const Shape fit = step.index ? Shape::kList : Shape::kBox;
          if (field.shape == fit) inner = &field;
          if (make_ && object && field.has(kFromOuter)) {
            *static_cast<bool*>(field.at(object)) = true;
          }
        }
      }
      GoToField(*inner, object);
    }
  }

  bool EnterObject(const PathStep& step) {
    if (!IsStruct()) return false;
    if (step.index) return false;
    if (const Field* field = type_->Find(step.name)) {
      GoToField(*field, Object());
      return true;
    }
    const Field* unknown = UnknownField(*type_);
    if (!unknown) return false;
    GoToField(*unknown, Object());
    return EnterMap(step);
  }

  bool EnterList(const PathStep& step) {
    if (!step.index) return false;
    void* element = nullptr;
    if (at_) {
      const ListOps& ops = field_->list();
      const size_t size = ops.size(at_);
      if (*step.index < size) {
        element = static_cast<char*>(ops.data(at_)) + *step.index * ops.stride;
      } else if (make_ && *step.index == size) {
        element = ops.add(at_, field_->type);
        if (field_->has(kNullable)) *field_->present(at_) = true;
      }
    }
    GoToElement(element);
    return true;
  }

  bool EnterMap(const PathStep& step) {
    void* entry = nullptr;
    if (at_) {
      const MapOps& ops = field_->map();
      bool inserted = false;
      entry =
          make_ ? ops.insert(at_, field_->type, step.name, &inserted) : ops.find(at_, step.name);
      if (make_ && field_->has(kNullable)) *field_->present(at_) = true;
    }
    GoToElement(entry);
    return true;
  }

  const Type* type_;
  const Field* field_ = nullptr;
  bool is_element_ = false;
  void* at_;
  bool make_;
};

Result<ValueRef> Resolve(const Type& type, void* object, const FieldPath& path,
                         Resolver::Mode mode) {
  Resolver resolver(type, object, mode);
  for (const PathStep& step : path.steps()) {
    if (!resolver.Enter(step)) {
      return Error(Code::kInvalidArgument, "no field \"" + path.Text() + "\" in " + type.name);
    }
  }
  if (resolver.at()) return resolver.value();
  if (mode == Resolver::Mode::kMake) {
    return Error(Code::kInvalidArgument, path.Text() + ": index beyond the end of the list");
  }
  return Error(Code::kNotFound, path.Text() + " is not set");
}

}  // namespace

Result<ValueRef> FindField(const Type& type, const void* object, const FieldPath& path) {
  TRY(const ValueRef found, Resolve(type, const_cast<void*>(object), path, Resolver::Mode::kFind));
  return found.Unwrapped();
}

Result<std::string> FieldText(const Type& type, const void* object, const FieldPath& path) {
  Result<ValueRef> found = FindField(type, object, path);
  if (!found.ok()) {
    if (found.error().code() == Code::kNotFound) return std::string();
    return std::move(found).error();
  }
  if (!found->get()) return std::string();
  if (found->is_container()) {
    return Error(Code::kInvalidArgument, path.Text() + " is no single value");
  }
  if (found->kind() == Kind::kString) return found->as<std::string>();
  std::string json;
  TRY_VOID(EncodeJsonValue(*found, &json));
  if (!json.starts_with('"')) return json == "null" ? std::string() : json;
  TRY(const JsonValue value, ParseJson(json));
  return value.string();
}

Result<void> SetField(const Type& type, void* object, const FieldPath& path, std::string_view json,
                      const DecodeOptions& options) {
  TRY(const ValueRef target, Resolve(type, object, path, Resolver::Mode::kMake));
  void* at = const_cast<void*>(target.at);
  if (!target.field) {
    for (const Field& field : type.fields) ResetField(field, field.at(at));
    return DecodeJsonInto(json, type, at, options);
  }
  const Field element = ElementField(*target.field);
  const Field& field = target.is_element ? element : *target.field;
  ResetField(field, at);
  std::string message;
  Code code = Code::kInvalidArgument;
  for (Problem& problem : DecodeJsonField(json, field, at, options)) {
    if (problem.kind == Problem::Kind::kLimit) code = Code::kResourceExhausted;
    const std::string below = std::exchange(problem.path, path.Text());
    if (!below.empty() && !below.starts_with('[') && !problem.path.empty()) problem.path += '.';
    problem.path += below;
    if (!message.empty()) message += '\n';
    message += problem.Text();
  }
  if (!message.empty()) return Error(code, std::move(message));
  return {};
}

Result<void> EncodeJsonValue(const ValueRef& value, std::string* out) {
  if (!value.field) return EncodeJson(*value.type, value.at, out);
  return EncodeJsonField(value.is_element ? ElementField(*value.field) : *value.field, value.at,
                         out);
}

}  // namespace podium::reflect
