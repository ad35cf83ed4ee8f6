#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/field_errors.h"
#include "api/go_json.h"
#include "api/status.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/meta_v1.h"
#include "apiserver/audit/audit.h"
#include "apiserver/body.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/managed_fields.h"
#include "apiserver/object_rules.h"
#include "apiserver/replace.h"
#include "apiserver/request_options.h"
#include "apiserver/subresources/scale_write.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/go_value_text.h"
#include "reflect/json.h"
#include "reflect/json_duplicates.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::PatchOptions;
using reflect::AnyObject;
using reflect::JsonValue;

enum class PatchForm { kJson, kMerge, kStrategic, kApply };

// By the Content-Type; 415 for others. Custom resources have no strategic merge.
Result<PatchForm> PatchFormOf(std::string_view content_type, bool is_custom) {
  const std::string type = LowerCase(content_type.substr(0, content_type.find(';')));
  if (type == "application/json-patch+json") return PatchForm::kJson;
  if (type == "application/merge-patch+json") return PatchForm::kMerge;
  if (type == "application/strategic-merge-patch+json" && !is_custom) return PatchForm::kStrategic;
  if (type == "application/apply-patch+yaml") return PatchForm::kApply;
  if (is_custom) {
    return api::UnsupportedMediaTypeError({"application/json-patch+json",
                                           "application/merge-patch+json",
                                           "application/apply-patch+yaml"});
  }
  // The routes of built-in resources refuse it, before there is anybody who says more.
  api::meta::v1::Status status = api::StatusOf(api::UnsupportedMediaTypeError({}));
  status.message = "415: Unsupported Media Type";
  status.details.ensure();
  return api::StatusError(std::move(status));
}

class PatchChange final : public Replacement {
 public:
  using Replacement::Replacement;

  Result<bool> Prepare() override {
    TRY(form_, PatchFormOf(call().Header("Content-Type"), resource().custom != nullptr));
    TRY(options_, ReadPatchOptions(call().query, form_ == PatchForm::kApply));
    dry_run_ = !options_.dryRun.empty();
    manager_ = ManagerOf(options_.fieldManager, call().Header("User-Agent"));
    validation_ = FieldValidationOf(options_.fieldValidation);
    TRY_VOID(ReadPatch());
    return Begin(Operation::kUpdate);
  }

 protected:
  Result<AnyObject> Wanted(const AnyObject* live) override {
    if (call().info.subresource == "scale") return PatchedScale(*live);
    if (form_ == PatchForm::kApply) return Applied(live);
    TRY(JsonValue tree, TreeOf(*live));
    TRY_VOID(ApplyTo(*resource().type, &tree));
    return DecodeResult(tree);
  }
  bool MayCreate() const override { return form_ == PatchForm::kApply && subresource().empty(); }
  bool TracksItself() const override {
    return form_ == PatchForm::kApply || subresource() == "scale";
  }
  bool Unconditional() const override { return true; }
  void SetOptions(AdmissionRequest* request) const override {
    request->options_type = &reflect::TypeOf<PatchOptions>();
    request->options = &options_;
  }

 private:
  Result<void> ReadPatch() {
    if (form_ == PatchForm::kApply) {
      std::vector<std::string> duplicates;
      auto json = JsonOfBody(call().body, BodyFormat::kYaml, &duplicates);
      if (!json.ok()) {
        return api::BadRequestError("error decoding YAML: " + json.error().message());
      }
      if (call().audit != nullptr) call().audit->SetRequest(*json);
      for (const std::string& text : duplicates) {
        strict_.push_back("error converting YAML to JSON: " + text);
      }
      TRY(patch_, reflect::ParseJson(*json));
      return CheckApplied();
    }
    if (call().audit != nullptr) call().audit->SetRequest(std::string(call().body));
    auto parsed = reflect::ParseJson(call().body);
    if (validation_ != FieldValidation::kIgnore) strict_ = reflect::DuplicateFields(call().body);
    if (form_ == PatchForm::kJson) {
      if (parsed.ok() && !parsed->is_array() && !parsed->is_null()) {
        return api::BadRequestError("json: cannot unmarshal " +
                                    std::string(api::GoKindOf(*parsed)) +
                                    " into Go value of type jsonpatch.Patch");
      }
      auto operations = reflect::JsonPatch::Parse(call().body);
      if (!operations.ok()) return api::BadRequestError(operations.error().message());
      json_patch_ = *std::move(operations);
      const size_t most = reflect::JsonPatch::Limits().operations;
      if (json_patch_->size() > most) {
        return api::RequestEntityTooLargeError(
            "The allowed maximum operations in a JSON patch is " + std::to_string(most) + ", got " +
            std::to_string(json_patch_->size()));
      }
      if (parsed.ok()) MindOperations(*parsed);
      return {};
    }
    if (const auto problem = api::GoJsonObjectProblem(call().body)) {
      return api::BadRequestError(form_ == PatchForm::kMerge ? "error decoding patch: " + *problem
                                                             : *problem);
    }
    if (!parsed.ok()) return api::BadRequestError(parsed.error().message());
    patch_ = *std::move(parsed);
    if (patch_.is_null()) patch_ = JsonValue::Of(JsonValue::Object());
    return {};
  }

  // What a strict reader minds of a JSON patch: also what no operation has.
  void MindOperations(const JsonValue& operations) {
    if (validation_ == FieldValidation::kIgnore || !operations.is_array()) return;
    for (size_t i = 0; i < operations.array().size(); ++i) {
      const JsonValue& operation = operations.array()[i];
      if (!operation.is_object()) continue;
      for (const auto& [name, value] : operation.object()) {
        if (name == "op" || name == "path" || name == "from" || name == "value") continue;
        strict_.push_back("unknown field " +
                          reflect::GoQuoted("[" + std::to_string(i) + "]." + name));
      }
    }
    for (std::string& text : strict_) text.insert(0, "json patch ");
  }

  // What a strict reader minds of the patch, and then of what it leaves. An applied configuration
  // is minded on its own, as it came.
  Result<void> Mind(std::vector<std::string> of_result, const JsonValue& result) {
    if (form_ == PatchForm::kApply || validation_ == FieldValidation::kIgnore) return {};
    std::vector<std::string> texts = strict_;
    texts.insert(texts.end(), std::make_move_iterator(of_result.begin()),
                 std::make_move_iterator(of_result.end()));
    if (texts.empty()) return {};
    if (validation_ == FieldValidation::kStrict) {
      return BadResult("strict decoding error: " + Join(texts, ", "), result);
    }
    for (std::string& text : texts) call().Warn(std::move(text));
    return {};
  }

  // 422, about a patch rather than a kind, with what the patch is or what it left.
  Error BadResult(std::string_view why, const JsonValue& result) const {
    if (form_ == PatchForm::kApply) {
      return CannotBeHandled(resource().kind, resource().api_version, resource().kind, why);
    }
    const std::string value =
        form_ == PatchForm::kStrategic ? reflect::GoText(patch_) : reflect::ToText(result);
    const api::field::ErrorList errors = {
        api::field::Invalid(api::field::Path("patch"), value, why)};
    return api::InvalidError("", "", "", errors);
  }

  Result<void> MindConfiguration() {
    for (const std::string& text : strict_) {
      if (validation_ == FieldValidation::kStrict) {
        return api::BadRequestError("error strict decoding YAML: " + text);
      }
      if (validation_ == FieldValidation::kWarn) call().Warn(text);
    }
    return {};
  }

  // A configuration has to say what it is.
  Result<void> CheckApplied() {
    const auto text = [&](std::string_view name) -> std::string {
      const JsonValue* value = patch_.is_object() ? patch_.Find(name) : nullptr;
      return value != nullptr && value->is_string() ? value->string() : std::string();
    };
    if (!patch_.is_object()) {
      return api::BadRequestError("error decoding YAML: the configuration is no object");
    }
    const bool of_scale = call().info.subresource == "scale";
    const std::string_view kind = of_scale ? "Scale" : std::string_view(resource().kind);
    const std::string_view version =
        of_scale ? "autoscaling/v1" : std::string_view(resource().api_version);
    if (text("kind") != kind || text("apiVersion") != version) {
      return api::BadRequestError("invalid object type: /" + text("apiVersion") +
                                  ", Kind=" + text("kind"));
    }
    return {};
  }

  static Result<JsonValue> TreeOf(const AnyObject& object) {
    std::string json;
    TRY_VOID(reflect::EncodeJson(object.type(), object.get(), &json));
    return reflect::ParseJson(json);
  }

  Result<void> ApplyTo(const reflect::Type& type, JsonValue* tree) {
    switch (form_) {
      case PatchForm::kJson: {
        const auto applied = json_patch_->Apply(tree);
        if (applied.ok()) return {};
        // 422, without a kind: upstream's NewGenericServerResponse of an Unprocessable Entity.
        api::meta::v1::Status status = api::StatusOf(applied.error());
        status.code = 422;
        status.reason = "Invalid";
        status.message = "the server rejected our request due to an error in our request";
        status.details.ensure();
        return api::StatusError(std::move(status));
      }
      case PatchForm::kMerge:
        reflect::ApplyMergePatch(patch_, tree);
        return {};
      case PatchForm::kStrategic: {
        JsonValue patch = patch_;
        const auto applied = reflect::ApplyStrategicPatch(type, std::move(patch), tree);
        if (applied.ok()) return {};
        if (applied.error().code() == Code::kInvalidArgument) {
          return api::BadRequestError(applied.error().message());
        }
        if (applied.error().code() == Code::kUnsupported) {
          api::meta::v1::Status status = api::StatusOf(applied.error());
          status.code = 422;
          status.reason = "Invalid";
          return api::StatusError(std::move(status));
        }
        return UnknownError(applied.error().message());
      }
      case PatchForm::kApply:
        break;
    }
    return {};
  }

  // What a patch leaves, as an object with its defaults. What the patch brings that no field has is
  // minded as in a body.
  Result<AnyObject> DecodeResult(const JsonValue& tree) {
    if (!tree.is_object()) {
      return api::BadRequestError("the patch leaves no object");
    }
    if (resource().custom != nullptr) return TakeResult(tree);
    TRY(AnyObject object, DecodeAs(tree, *resource().type));
    SetObjectDefaults(&object, now());
    return object;
  }

  Result<AnyObject> DecodeAs(const JsonValue& tree, const reflect::Type& type) {
    AnyObject object(type);
    std::vector<std::string> strict;
    for (const reflect::Problem& problem :
         reflect::DecodeJson(reflect::ToText(tree), type, object.get(),
                             {.strict = validation_ != FieldValidation::kIgnore})) {
      if (problem.kind == reflect::Problem::Kind::kUnknownField ||
          problem.kind == reflect::Problem::Kind::kDuplicateField) {
        strict.push_back(problem.Text());
        continue;
      }
      return BadResult(problem.Text(), tree);
    }
    TRY_VOID(Mind(std::move(strict), tree));
    return object;
  }

  Result<AnyObject> TakeResult(const JsonValue& tree) {
    std::vector<std::string> strict;
    auto object = TakeCustomObject(*resource().custom, tree, &strict);
    if (!object.ok()) return BadResult(object.error().message(), tree);
    TRY_VOID(Mind(std::move(strict), tree));
    return object;
  }

  // The scale of what is there, patched, and what is there with that scale.
  Result<AnyObject> PatchedScale(const AnyObject& live) {
    using api::autoscaling::v1::Scale;
    TRY(const Scale before, ScaleToChange(resource(), live));
    JsonValue tree;
    if (form_ == PatchForm::kApply) {
      TRY(tree, Taken(ApplyToScale(before, patch_, ApplyOptions())));
      TRY_VOID(MindConfiguration());
    } else {
      TRY(const std::string json, reflect::ToJson(before));
      TRY(tree, reflect::ParseJson(json));
      TRY_VOID(ApplyTo(reflect::TypeOf<Scale>(), &tree));
    }
    TRY(AnyObject decoded, DecodeAs(tree, reflect::TypeOf<Scale>()));
    Scale& patched = *decoded.As<Scale>();
    TRY_VOID(CheckPlace(&patched.metadata));
    if (form_ != PatchForm::kApply) TRY_VOID(TrackScale(manager_, now(), before, &patched));
    return Scaled(resource(), patched, live);
  }

  reflect::WriteOptions ApplyOptions() const {
    return {.manager = manager_, .time = now().String(), .force = options_.force.value_or(false)};
  }

  // What an apply leaves; what stands in its way as the answer it gets.
  static Result<JsonValue> Taken(Result<reflect::ApplyOutcome> outcome) {
    if (!outcome.ok()) {
      if (outcome.error().code() == Code::kInvalidArgument) {
        return api::BadRequestError(outcome.error().message());
      }
      return UnknownError(outcome.error().message());
    }
    if (!outcome->conflicts.empty()) {
      return api::StatusError(api::ApplyConflictStatus(outcome->conflicts));
    }
    return std::move(outcome->object);
  }

  Result<AnyObject> Applied(const AnyObject* live) {
    const reflect::FieldManager fields = FieldManagerOf(resource(), subresource());
    JsonValue tree;
    if (live != nullptr) {
      TRY(tree, TreeOf(*live));
    } else {
      TRY(tree, fields.NewObject());
    }
    TRY(tree, Taken(fields.Apply(std::move(tree), patch_, ApplyOptions())));
    TRY_VOID(MindConfiguration());
    TRY(AnyObject object, DecodeResult(tree));
    // A uid says that it is about an object that is there.
    const std::string& uid = MetaOf(object).uid;
    if (live == nullptr && !uid.empty()) {
      return api::ConflictError(group_resource(), call().info.name,
                                "uid mismatch: the provided object specified uid " + uid +
                                    ", and no existing object was found");
    }
    return object;
  }

  PatchForm form_ = PatchForm::kMerge;
  PatchOptions options_;
  FieldValidation validation_ = FieldValidation::kWarn;
  JsonValue patch_;
  std::optional<reflect::JsonPatch> json_patch_;
  std::vector<std::string> strict_;  // what a strict reader minds of the patch itself
};

}  // namespace

void Writer::Patch(CallPtr call, const ServedResource& resource, WriteDone done) {
  Start(std::make_shared<PatchChange>(*this, std::move(call), resource, std::move(done)));
}

}  // namespace podium::apiserver
