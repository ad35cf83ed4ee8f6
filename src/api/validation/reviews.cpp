#include "api/validation/reviews.h"

#include <string_view>

#include "api/labels.h"
#include "api/types/meta_v1.h"
#include "api/validation/common.h"
#include "api/validation/unversioned_json.h"

namespace podium::api {

using authorization::v1::LocalSubjectAccessReview;
using authorization::v1::NonResourceAttributes;
using authorization::v1::ResourceAttributes;
using authorization::v1::SelfSubjectAccessReview;
using authorization::v1::SubjectAccessReview;
using field::ErrorList;
using field::Path;

namespace {

field::BadValue Shown(const reflect::Box<NonResourceAttributes>& attributes) {
  return attributes ? UnversionedValue(*attributes) : field::BadValue(nullptr);
}

void CheckFieldRequirement(const meta::v1::FieldSelectorRequirement& requirement, const Path& path,
                           ErrorList* errors) {
  if (requirement.key.empty()) {
    errors->Add(field::Required(path.Child("key"), "must be specified"));
  }
  // Operators of newer releases pass.
  const bool has_values = !requirement.values.empty();
  if (IsOneOf(requirement.operator_, {"In", "NotIn"}) && !has_values) {
    errors->Add(field::Required(path.Child("values"),
                                "must be specified when `operator` is 'In' or 'NotIn'"));
  }
  if (IsOneOf(requirement.operator_, {"Exists", "DoesNotExist"}) && has_values) {
    errors->Add(
        field::Forbidden(path.Child("values"),
                         "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
}

// Either form of a selector, as text or as requirements.
template <class Attributes, class Check>
void CheckSelector(const reflect::Box<Attributes>& selector, const Path& path, Check check,
                   ErrorList* errors) {
  if (!selector) return;
  const Path requirements = path.Child("requirements");
  const bool has_text = !selector->rawSelector.empty();
  const bool has_requirements = !selector->requirements.empty();
  if (has_text && has_requirements) {
    errors->Add(field::Invalid(path.Child("rawSelector"), selector->rawSelector,
                               "may not specified at the same time as requirements"));
  }
  if (!has_text && !has_requirements) {
    errors->Add(field::Required(
        requirements,
        "when " + path.String() + " is specified, requirements or rawSelector is required"));
  }
  for (size_t i = 0; i < selector->requirements.size(); ++i) {
    check(selector->requirements[i], requirements.Index(i));
  }
}

void CheckResource(const reflect::Box<ResourceAttributes>& attributes, ErrorList* errors) {
  if (!attributes) return;
  const Path path("spec.resourceAttributes");
  CheckSelector(
      attributes->fieldSelector, path.Child("fieldSelector"),
      [&](const auto& each, const Path& at) { CheckFieldRequirement(each, at, errors); }, errors);
  CheckSelector(
      attributes->labelSelector, path.Child("labelSelector"),
      [&](const auto& each, const Path& at) {
        errors->Append(
            ValidateLabelSelectorRequirement(each, at, {.allow_unknown_operator = true}));
      },
      errors);
}

// What is asked: of a resource or of a path, not of both.
template <class Spec>
void CheckAttributes(const Spec& spec, ErrorList* errors) {
  const Path path("spec");
  if (spec.resourceAttributes && spec.nonResourceAttributes) {
    errors->Add(field::Invalid(path.Child("nonResourceAttributes"),
                               Shown(spec.nonResourceAttributes),
                               "cannot be specified in combination with resourceAttributes"));
  }
  if (!spec.resourceAttributes && !spec.nonResourceAttributes) {
    errors->Add(field::Invalid(
        path.Child("resourceAttributes"), field::BadValue(nullptr),
        "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  }
}

ErrorList ValidateSpec(const authorization::v1::SubjectAccessReviewSpec& spec) {
  ErrorList errors;
  CheckAttributes(spec, &errors);
  if (spec.user.empty() && spec.groups.empty()) {
    errors.Add(field::Invalid(Path("spec").Child("user"), spec.user,
                              "at least one of user or group must be specified"));
  }
  CheckResource(spec.resourceAttributes, &errors);
  return errors;
}

// A question is no object: its metadata says nothing, but who wrote it.
void CheckNoMetadata(const meta::v1::ObjectMeta& metadata, bool allow_namespace,
                     std::string_view detail, ErrorList* errors) {
  meta::v1::ObjectMeta rest = reflect::Copy(metadata);
  rest.managedFields.clear();
  if (allow_namespace) rest.namespace_.clear();
  if (reflect::Equal(rest, meta::v1::ObjectMeta())) return;
  errors->Add(field::Invalid(Path("metadata"), field::BadValue::Of(metadata), detail));
}

}  // namespace

ErrorList ValidateSubjectAccessReview(const SubjectAccessReview& review) {
  ErrorList errors = ValidateSpec(review.spec);
  CheckNoMetadata(review.metadata, false, "must be empty", &errors);
  return errors;
}

ErrorList ValidateSelfSubjectAccessReview(const SelfSubjectAccessReview& review) {
  ErrorList errors;
  CheckAttributes(review.spec, &errors);
  CheckResource(review.spec.resourceAttributes, &errors);
  CheckNoMetadata(review.metadata, false, "must be empty", &errors);
  return errors;
}

ErrorList ValidateLocalSubjectAccessReview(const LocalSubjectAccessReview& review) {
  ErrorList errors = ValidateSpec(review.spec);
  CheckNoMetadata(review.metadata, true, "must be empty except for namespace", &errors);
  const auto& resource = review.spec.resourceAttributes;
  if (resource && resource->namespace_ != review.metadata.namespace_) {
    errors.Add(field::Invalid(Path("spec.resourceAttributes.namespace"), resource->namespace_,
                              "must match metadata.namespace"));
  }
  if (review.spec.nonResourceAttributes) {
    errors.Add(field::Invalid(Path("spec.nonResourceAttributes"),
                              Shown(review.spec.nonResourceAttributes),
                              "disallowed on this kind of request"));
  }
  return errors;
}

ErrorList ValidateTokenRequest(const authentication::v1::TokenRequest& request) {
  ErrorList errors;
  const int64_t seconds = request.spec.expirationSeconds.value_or(0);
  const Path spec("spec");
  const Path path = spec.Child("expirationSeconds");
  if (seconds < 600) {
    errors.Add(field::Invalid(path, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (seconds > int64_t{1} << 32) {
    errors.Add(
        field::Invalid(path, seconds, "may not specify a duration larger than 2^32 seconds"));
  }
  return errors;
}

}  // namespace podium::api
