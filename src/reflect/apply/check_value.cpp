#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reflect/apply/object_fields.h"
#include "reflect/go_text.h"
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

class Checker {
 public:
  explicit Checker(Duplicates duplicates) : duplicates_(duplicates) {}

  void Check(const ValueSchema& schema, const JsonValue& value) {
    if (value.is_null()) return;
    switch (schema.sort) {
      case Sort::kNumber:
        if (!value.is_number()) {
          Add("expected numeric (int or float), got " + std::string(GoTypeName(GoTypeOf(value))));
        }
        return;
      case Sort::kText:
        if (!value.is_string()) Add("expected string, got " + HeldSyntax(value));
        return;
      case Sort::kBool:
        if (!value.is_bool()) Add("expected boolean, got " + Held(value));
        return;
      case Sort::kAnyScalar:
        if (!IsScalar(value)) Add("expected any scalar, got " + Held(value));
        return;
      case Sort::kStruct:
      case Sort::kMap:
        if (value.is_object()) return CheckMembers(schema, value.object());
        Add("expected map, got " + Held(value));
        return;
      case Sort::kList:
        if (value.is_array()) return CheckElements(schema, value.array());
        Add("expected list, got " + Held(value));
        return;
      case Sort::kDeduced:
      case Sort::kWhole:
        return;
    }
  }

  Result<void> Finish() {
    if (errors_.empty()) return {};
    if (errors_.size() == 1) return Error(Code::kInvalidArgument, errors_[0]);
    std::string text = "errors:";
    for (const std::string& error : errors_) text += "\n  " + error;
    return Error(Code::kInvalidArgument, std::move(text));
  }

 private:
  void CheckMembers(const ValueSchema& schema, const JsonValue::Object& members) {
    const size_t size = path_.size();
    for (const auto& [key, value] : members) {
      path_ += '.' + key;
      const ApplyMember member = MemberOf(schema, key);
      if (member.declared) {
        Check(member.schema, value);
      } else {
        Add("field not declared in schema");
      }
      path_.resize(size);
      if (!member.declared) return;
    }
  }

  void CheckElements(const ValueSchema& schema, const JsonValue::Array& elements) {
    const ValueSchema element = ElementOf(schema);
    const size_t size = path_.size();
    if (schema.atomic) {
      for (size_t i = 0; i < elements.size(); ++i) {
        path_ += PathElement::Index(static_cast<int64_t>(i)).Shown();
        Check(element, elements[i]);
        path_.resize(size);
      }
      return;
    }
    const ListItems steps(schema);
    std::set<PathElement> seen;
    for (size_t i = 0; i < elements.size(); ++i) {
      const Result<PathElement> step = steps.StepOf(elements[i]);
      if (!step.ok()) {
        Add("element " + std::to_string(i) + ": " + step.error().message());
        return;
      }
      if (duplicates_ == Duplicates::kForbid && !seen.insert(*step).second) {
        Add("duplicate entries for key " + step->Shown());
      }
      path_ += step->Shown();
      Check(element, elements[i]);
      path_.resize(size);
    }
  }

  void Add(const std::string& message) {
    errors_.push_back(path_.empty() ? message : path_ + ": " + message);
  }

  const Duplicates duplicates_;
  std::string path_;
  std::vector<std::string> errors_;
};

}  // namespace

Result<void> CheckValue(const ValueSchema& schema, const JsonValue& value, Duplicates duplicates) {
  Checker checker(duplicates);
  checker.Check(schema, value);
  return checker.Finish();
}

}  // namespace podium::reflect
