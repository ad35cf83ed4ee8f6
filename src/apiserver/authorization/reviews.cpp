#include "apiserver/authorization/reviews.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "api/fields.h"
#include "api/labels.h"
#include "api/status.h"
#include "api/validation/reviews.h"
#include "base/text.h"

namespace podium::apiserver {
namespace {

using api::authorization::v1::FieldSelectorAttributes;
using api::authorization::v1::LabelSelectorAttributes;
using api::authorization::v1::LocalSubjectAccessReview;
using api::authorization::v1::NonResourceAttributes;
using api::authorization::v1::ResourceAttributes;
using api::authorization::v1::SelfSubjectAccessReview;
using api::authorization::v1::SelfSubjectRulesReview;
using api::authorization::v1::SubjectAccessReview;
using api::authorization::v1::SubjectAccessReviewSpec;
using api::authorization::v1::SubjectAccessReviewStatus;

// A selector as text, and what could not be understood of it. Since all requirements must hold,
// leaving one out asks for more: whoever is allowed that, is allowed what was meant.
struct ReadSelector {
  std::string text;
  bool failed = false;

  void Describe(std::string_view field, std::vector<std::string>* errors) const {
    if (!failed) return;
    errors->push_back(fmt::format("spec.resourceAttributes.{} {}ignored due to parse error", field,
                                  text.empty() ? "" : "partially "));
  }
};

ReadSelector Read(const FieldSelectorAttributes& attributes) {
  using api::fields::Requirement;
  if (attributes.requirements.empty()) {
    const auto parsed = api::fields::Selector::Parse(attributes.rawSelector);
    return parsed.ok() ? ReadSelector{parsed->String()} : ReadSelector{"", true};
  }
  ReadSelector read;
  std::vector<Requirement> requirements;
  for (const auto& requirement : attributes.requirements) {
    const bool negated = requirement.operator_ == "NotIn";
    if (requirement.values.size() != 1 || (requirement.operator_ != "In" && !negated)) {
      read.failed = true;
      continue;
    }
    requirements.push_back(
        {.field = requirement.key, .value = requirement.values[0], .negated = negated});
  }
  read.text = api::fields::Selector(std::move(requirements)).String();
  return read;
}

ReadSelector Read(const LabelSelectorAttributes& attributes) {
  using api::labels::Operator;
  if (attributes.requirements.empty()) {
    const auto parsed = api::labels::Selector::Parse(attributes.rawSelector);
    return parsed.ok() ? ReadSelector{parsed->String()} : ReadSelector{"", true};
  }
  constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"In", Operator::kIn},
      {"NotIn", Operator::kNotIn},
      {"Exists", Operator::kExists},
      {"DoesNotExist", Operator::kDoesNotExist}};
  ReadSelector read;
  std::vector<api::labels::Requirement> requirements;
  for (const auto& requirement : attributes.requirements) {
    bool understood = false;
    for (const auto& [name, op] : kOperators) {
      if (name != requirement.operator_) continue;
      auto made = api::labels::Requirement::Create(requirement.key, op, requirement.values);
      understood = made.ok();
      if (understood) requirements.push_back(*std::move(made));
    }
    read.failed = read.failed || !understood;
  }
  read.text = Join(requirements, ",", &api::labels::Requirement::String);
  return read;
}

SubjectAccessReviewStatus StatusOf(Authorization answer, std::vector<std::string> errors) {
  if (!answer.evaluation_error.empty()) {
    errors.insert(errors.begin(), std::move(answer.evaluation_error));
  }
  SubjectAccessReviewStatus status;
  status.allowed = answer.decision == Decision::kAllow;
  status.denied = answer.decision == Decision::kDeny;
  status.reason = std::move(answer.reason);
  status.evaluationError = Join(errors, "; ");
  return status;
}

SubjectAccessReviewStatus Ask(const Authorizer& authorizer, const User& user,
                              const ResourceAttributes& attributes) {
  ReadSelector fields;
  ReadSelector labels;
  if (attributes.fieldSelector) fields = Read(*attributes.fieldSelector);
  if (attributes.labelSelector) labels = Read(*attributes.labelSelector);
  std::vector<std::string> errors;
  fields.Describe("fieldSelector", &errors);
  labels.Describe("labelSelector", &errors);
  const std::string_view version = attributes.version;
  return StatusOf(authorizer.Authorize({.user = user,
                                        .verb = attributes.verb,
                                        .namespace_ = attributes.namespace_,
                                        .group = attributes.group,
                                        .version = version.empty() ? "*" : version,
                                        .resource = attributes.resource,
                                        .subresource = attributes.subresource,
                                        .name = attributes.name,
                                        .field_selector = fields.text,
                                        .label_selector = labels.text}),
                  std::move(errors));
}

// One of both is there: validation sees to it.
SubjectAccessReviewStatus Ask(const Authorizer& authorizer, const User& user,
                              const reflect::Box<ResourceAttributes>& resource,
                              const reflect::Box<NonResourceAttributes>& path) {
  if (resource) return Ask(authorizer, user, *resource);
  return StatusOf(authorizer.Authorize(
                      {.user = user, .verb = path->verb, .is_resource = false, .path = path->path}),
                  {});
}

SubjectAccessReviewStatus Ask(const Authorizer& authorizer, const SubjectAccessReviewSpec& spec) {
  User user{.name = spec.user, .uid = spec.uid, .groups = spec.groups};
  for (const auto& [key, values] : spec.extra) user.extra[key] = values.items;
  return Ask(authorizer, user, spec.resourceAttributes, spec.nonResourceAttributes);
}

Result<void> Checked(std::string_view kind, const api::field::ErrorList& errors) {
  if (errors.empty()) return {};
  return api::InvalidError(api::authorization::v1::kGroupName, kind, "", errors);
}

}  // namespace

Result<SubjectAccessReview> ReviewSubjectAccess(const Authorizer& authorizer,
                                                SubjectAccessReview review) {
  TRY_VOID(Checked("SubjectAccessReview", api::ValidateSubjectAccessReview(review)));
  review.status = Ask(authorizer, review.spec);
  return review;
}

Result<LocalSubjectAccessReview> ReviewLocalSubjectAccess(const Authorizer& authorizer,
                                                          std::string_view name_space,
                                                          LocalSubjectAccessReview review) {
  TRY_VOID(Checked("LocalSubjectAccessReview", api::ValidateLocalSubjectAccessReview(review)));
  if (name_space.empty()) {
    return api::BadRequestError("namespace is required on this type: ");
  }
  if (name_space != review.metadata.namespace_) {
    return api::BadRequestError(
        fmt::format("spec.resourceAttributes.namespace must match namespace: {}", name_space));
  }
  review.status = Ask(authorizer, review.spec);
  return review;
}

Result<SelfSubjectAccessReview> ReviewSelfSubjectAccess(const Authorizer& authorizer,
                                                        const User& user,
                                                        SelfSubjectAccessReview review) {
  TRY_VOID(Checked("SelfSubjectAccessReview", api::ValidateSelfSubjectAccessReview(review)));
  review.status =
      Ask(authorizer, user, review.spec.resourceAttributes, review.spec.nonResourceAttributes);
  return review;
}

// As upstream, the answer does not repeat what was asked.
Result<SelfSubjectRulesReview> ReviewSelfSubjectRules(const RuleResolver& resolver,
                                                      const User& user,
                                                      const SelfSubjectRulesReview& review) {
  if (review.spec.namespace_.empty()) return api::BadRequestError("no namespace on request");
  UserRules found = resolver.RulesFor(user, review.spec.namespace_);
  SelfSubjectRulesReview answer;
  answer.kind = review.kind;
  answer.apiVersion = review.apiVersion;
  auto& status = answer.status;
  status.resourceRules.present = true;
  status.nonResourceRules.present = true;
  for (auto& rule : found.rules) {
    if (!rule.resources.empty()) {
      auto& resource = status.resourceRules.emplace_back();
      resource.verbs = rule.verbs;
      resource.apiGroups = rule.apiGroups;
      resource.resources = rule.resources;
      resource.resourceNames = rule.resourceNames;
    }
    if (!rule.nonResourceURLs.empty()) {
      auto& path = status.nonResourceRules.emplace_back();
      path.verbs = rule.verbs;
      path.nonResourceURLs = rule.nonResourceURLs;
    }
  }
  status.incomplete = found.incomplete;
  status.evaluationError = std::move(found.error);
  return answer;
}

api::authentication::v1::SelfSubjectReview ReviewSelfSubject(const User& user, const Clock& clock) {
  api::authentication::v1::SelfSubjectReview answer;
  answer.kind = reflect::TypeOf<api::authentication::v1::SelfSubjectReview>().name;
  answer.apiVersion = reflect::TypeOf<api::authentication::v1::SelfSubjectReview>().ApiVersion();
  answer.metadata.creationTimestamp = api::Time::FromUnix(clock.Now() / kNanosPerSecond);
  auto& info = answer.status.userInfo;
  info.username = user.name;
  info.uid = user.uid;
  info.groups = user.groups;
  for (const auto& [key, values] : user.extra) info.extra[key].items = values;
  return answer;
}

}  // namespace podium::apiserver
