#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reflect/apply/object_fields.h"
#include "reflect/go_text.h"
#include "reflect/go_value_text.h"
#include "reflect/patch/patch_lists.h"

namespace podium::reflect {
namespace {

using Sort = ValueSchema::Sort;

bool IsScalar(const JsonValue& value) {
  return value.is_number() || value.is_string() || value.is_bool();
}

// As fmt prints an untyped value with %#v.
void AppendGoSyntax(const JsonValue& value, std::string* out) {
  if (value.is_string()) {
    AppendGoQuoted(value.string(), out);
  } else if (value.is_array()) {
    *out += "[]interface {}{";
    std::string_view separator;
    for (const JsonValue& element : value.array()) {
      *out += std::exchange(separator, ", ");
      AppendGoSyntax(element, out);
    }
    *out += '}';
  } else if (value.is_object()) {
    *out += "map[string]interface {}{";
    JsonValue::Object members = value.object();
    std::ranges::sort(members, {}, &JsonValue::Member::key);
    std::string_view separator;
    for (const auto& [key, its] : members) {
      *out += std::exchange(separator, ", ");
      AppendGoQuoted(key, out);
      *out += ':';
      AppendGoSyntax(its, out);
    }
    *out += '}';
  } else {
    *out += value.is_null() ? "interface {}(nil)" : GoText(value);
  }
}

// As fmt prints upstream's holder of a value, with %v and with %#v.
std::string Held(const JsonValue& value) { return "&{" + GoText(value) + '}'; }
std::string HeldSyntax(const JsonValue& value) {
  std::string out = "&value.valueUnstructured{Value:";
  AppendGoSyntax(value, &out);
  return out + '}';
}

// The way to a value, through the checker's own stack: its text is made for errors alone.
struct Way {
  const Way* from = nullptr;
  // The last step: to a field, to an element by its place, or by what is in it.
  const std::string* field = nullptr;
  const ListItems* items = nullptr;
  const JsonValue* element = nullptr;
  size_t place = 0;

  std::string Text() const {
    if (from == nullptr) return {};
    return from->Text() + (field ? '.' + *field : Step().Shown());
  }

 private:
  PathElement Step() const {
    if (items != nullptr) {
      Result<PathElement> step = items->StepOf(*element);
      if (step.ok()) return *std::move(step);
    }
    return PathElement::Index(static_cast<int64_t>(place));
  }
};

// Whether any value of the JSON kind is one of the field: most members are scalars, and nothing
// else has to be known of them.
bool TakesScalar(const Field& field, const JsonValue& value) {
  if (field.shape != Shape::kScalar && field.shape != Shape::kOptional) return false;
  switch (field.kind) {
    case Kind::kString:
    case Kind::kEnum:
    case Kind::kBytes:
      return value.is_string();
    case Kind::kBool:
      return value.is_bool();
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint32:
    case Kind::kUint64:
    case Kind::kDouble:
      return value.is_number();
    default:
      return false;
  }
}

class Checker {
 public:
  explicit Checker(Duplicates duplicates) : duplicates_(duplicates) {}

  void Check(const ValueSchema& schema, const JsonValue& value, const Way& way) {
    switch (schema.sort) {
      case Sort::kStruct:
      case Sort::kMap:
        if (value.is_object()) return CheckMembers(schema, value.object(), way);
        break;
      case Sort::kList:
        if (value.is_array()) return CheckElements(schema, value.array(), way);
        break;
      case Sort::kText:
        if (value.is_string()) return;
        break;
      case Sort::kNumber:
        if (value.is_number()) return;
        break;
      case Sort::kBool:
        if (value.is_bool()) return;
        break;
      case Sort::kAnyScalar:
        if (IsScalar(value)) return;
        break;
      case Sort::kDeduced:
      case Sort::kWhole:
        return;
    }
    if (!value.is_null()) Add(way, Mismatch(schema.sort, value));
  }

  Result<void> Finish() {
    if (errors_.empty()) return {};
    if (errors_.size() == 1) return Error(Code::kInvalidArgument, errors_[0]);
    std::string text = "errors:";
    for (const std::string& error : errors_) text += "\n  " + error;
    return Error(Code::kInvalidArgument, std::move(text));
  }

 private:
  static std::string Mismatch(Sort expected, const JsonValue& value) {
    switch (expected) {
      case Sort::kNumber:
        return "expected numeric (int or float), got " + std::string(GoTypeName(GoTypeOf(value)));
      case Sort::kText:
        return "expected string, got " + HeldSyntax(value);
      case Sort::kBool:
        return "expected boolean, got " + Held(value);
      case Sort::kAnyScalar:
        return "expected any scalar, got " + Held(value);
      case Sort::kList:
        return "expected list, got " + Held(value);
      default:
        return "expected map, got " + Held(value);
    }
  }

  void CheckMembers(const ValueSchema& schema, const JsonValue::Object& members, const Way& way) {
    const bool is_struct = schema.sort == Sort::kStruct;
    for (const auto& [key, value] : members) {
      const Field* field = is_struct ? schema.type->Find(key) : nullptr;
      if (field && TakesScalar(*field, value)) continue;
      const Way there{.from = &way, .field = &key};
      const ApplyMember member = MemberOf(schema, key);
      if (!member.declared) return Add(there, "field not declared in schema");
      Check(member.schema, value, there);
    }
  }

  void CheckElements(const ValueSchema& schema, const JsonValue::Array& elements, const Way& way) {
    const ValueSchema element = ElementOf(schema);
    if (schema.atomic) {
      for (size_t i = 0; i < elements.size(); ++i) {
        Check(element, elements[i], {.from = &way, .place = i});
      }
      return;
    }
    const ListItems items(schema);
    std::set<PathElement> seen;
    for (size_t i = 0; i < elements.size(); ++i) {
      if (const Result<void> checked = items.Check(elements[i]); !checked.ok()) {
        return Add(way, "element " + std::to_string(i) + ": " + checked.error().message());
      }
      if (duplicates_ == Duplicates::kForbid) CheckDuplicate(items, elements[i], way, &seen);
      Check(element, elements[i],
            {.from = &way, .items = &items, .element = &elements[i], .place = i});
    }
  }

  void CheckDuplicate(const ListItems& items, const JsonValue& element, const Way& way,
                      std::set<PathElement>* seen) {
    Result<PathElement> step = items.StepOf(element);
    if (!step.ok()) return;
    const auto [place, is_new] = seen->insert(*std::move(step));
    if (!is_new) Add(way, "duplicate entries for key " + place->Shown());
  }

  void Add(const Way& way, const std::string& message) {
    const std::string path = way.Text();
    errors_.push_back(path.empty() ? message : path + ": " + message);
  }

  const Duplicates duplicates_;
  std::vector<std::string> errors_;
};

}  // namespace

Result<void> CheckValue(const ValueSchema& schema, const JsonValue& value, Duplicates duplicates) {
  Checker checker(duplicates);
  checker.Check(schema, value, {});
  return checker.Finish();
}

}  // namespace podium::reflect
