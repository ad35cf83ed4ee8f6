#include "api/validation/toleration_annotation.h"

#include <optional>
#include <string>

#include "api/go_json.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/json_value.h"

namespace podium::api {

using core::v1::Toleration;
using reflect::JsonValue;
using reflect::List;

namespace {

class Reader {
 public:
  List<Toleration> Read(const JsonValue& value) {
    List<Toleration> tolerations;
    if (value.is_null()) return tolerations;
    if (!value.is_array()) {
      Fail(GoKindOf(value), "value of type []core.Toleration");
      return tolerations;
    }
    for (const JsonValue& element : value.array()) {
      Toleration& toleration = tolerations.emplace_back();
      if (element.is_object()) {
        for (const auto& [name, field] : element.object()) Field(name, field, &toleration);
      } else if (!element.is_null()) {
        Fail(GoKindOf(element), "value of type core.Toleration");
      }
    }
    return tolerations;
  }

  const std::optional<std::string>& problem() const { return problem_; }

 private:
  void Field(std::string_view name, const JsonValue& value, Toleration* toleration) {
    auto text = [&](std::string_view field, std::string_view type, std::string* target) {
      if (!EqualsIgnoringCase(name, field)) return;
      if (value.is_string()) {
        *target = value.string();
      } else if (!value.is_null()) {
        FailField(GoKindOf(value), field, type);
      }
    };
    text("Key", "string", &toleration->key);
    text("Operator", "core.TolerationOperator", &toleration->operator_);
    text("Value", "string", &toleration->value);
    text("Effect", "core.TaintEffect", &toleration->effect);
    if (EqualsIgnoringCase(name, "TolerationSeconds"))
      Seconds(value, &toleration->tolerationSeconds);
  }

  void Seconds(const JsonValue& value, std::optional<int64_t>* seconds) {
    if (value.is_null()) {
      seconds->reset();
      return;
    }
    std::string found(GoKindOf(value));
    if (value.is_number()) {
      if (Result<int64_t> number = reflect::ParseGoInt(value.number()); number.ok()) {
        *seconds = *number;
        return;
      }
      found += " " + value.number();
    }
    FailField(found, "TolerationSeconds", "int64");
  }

  void FailField(std::string_view found, std::string_view field, std::string_view type) {
    std::string target = "struct field Toleration.";
    Fail(found, target.append(field).append(" of type ").append(type));
  }

  void Fail(std::string_view found, std::string_view target) {
    if (problem_) return;
    problem_ = "json: cannot unmarshal ";
    problem_->append(found).append(" into Go ").append(target);
  }

  std::optional<std::string> problem_;
};

}  // namespace

Result<List<Toleration>> TolerationsFromAnnotation(std::string_view text) {
  if (std::optional<std::string> problem = GoJsonSyntaxProblem(text)) {
    return Error(Code::kInvalidArgument, *std::move(problem));
  }
  TRY(JsonValue value, reflect::ParseJson(text));
  Reader reader;
  List<Toleration> tolerations = reader.Read(value);
  if (reader.problem()) return Error(Code::kInvalidArgument, *reader.problem());
  return tolerations;
}

}  // namespace podium::api
