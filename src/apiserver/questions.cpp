#include "apiserver/questions.h"

#include <utility>

#include "api/defaults.h"
#include "api/object_meta.h"
#include "api/status.h"
#include "api/types/authentication_v1.h"
#include "api/types/authorization_v1.h"
#include "api/validation/validation.h"
#include "apiserver/authentication/token_review.h"
#include "apiserver/authorization/reviews.h"
#include "apiserver/body.h"
#include "apiserver/change.h"
#include "apiserver/request_options.h"

namespace podium::apiserver {
namespace {

using api::authentication::v1::SelfSubjectReview;
using api::authentication::v1::TokenRequest;
using api::authentication::v1::TokenReview;
using api::authorization::v1::LocalSubjectAccessReview;
using api::authorization::v1::SelfSubjectAccessReview;
using api::authorization::v1::SelfSubjectRulesReview;
using api::authorization::v1::SubjectAccessReview;
using api::meta::v1::CreateOptions;

template <class T>
Result<WriteOutcome> OutcomeOf(Result<T> answer) {
  if (!answer.ok()) return std::move(answer).error();
  WriteOutcome outcome;
  outcome.status = 201;
  outcome.value = reflect::AnyObject(reflect::TypeOf<T>());
  T& object = *outcome.value.As<T>();
  object = *std::move(answer);
  object.kind = reflect::TypeOf<T>().name;
  object.apiVersion = reflect::TypeOf<T>().ApiVersion();
  return outcome;
}

// Decoded, with defaults, and of the request's namespace.
Result<reflect::AnyObject> ReadQuestion(Call& call, const ExpectedBody& expected,
                                        const CreateOptions& options, const Clock& clock) {
  TRY(reflect::AnyObject object,
      DecodeBody(call, expected, FieldValidationOf(options.fieldValidation)));
  api::SetDefaults(object.type(), object.get(),
                   {.now = api::Time::FromUnix(clock.Now() / kNanosPerSecond)});
  return object;
}

}  // namespace

Result<WriteOutcome> Questions::Answer(Call& call, const ServedResource& resource) const {
  TRY(const CreateOptions options, ReadCreateOptions(call.query));
  TRY(reflect::AnyObject object, ReadQuestion(call,
                                              {.type = resource.type,
                                               .group = resource.group,
                                               .version = resource.version,
                                               .kind = resource.kind},
                                              options, *parts_.clock));
  if (api::FindObjectMeta(object.type(), object.get()) != nullptr) {
    auto* metadata = api::EnsureObjectMeta(object.type(), object.get());
    TRY_VOID(MatchNamespace(call.info.namespace_, metadata));
  }
  const api::field::ErrorList errors = api::ValidateCreate(object.type(), object.get());
  if (!errors.empty()) return api::InvalidError(resource.group, resource.kind, "", errors);
  if (auto* review = object.As<SubjectAccessReview>()) {
    return OutcomeOf(ReviewSubjectAccess(*parts_.authorizer, std::move(*review)));
  }
  if (auto* review = object.As<LocalSubjectAccessReview>()) {
    return OutcomeOf(
        ReviewLocalSubjectAccess(*parts_.authorizer, call.info.namespace_, std::move(*review)));
  }
  if (auto* review = object.As<SelfSubjectAccessReview>()) {
    return OutcomeOf(ReviewSelfSubjectAccess(*parts_.authorizer, *call.user, std::move(*review)));
  }
  if (auto* review = object.As<SelfSubjectRulesReview>()) {
    return OutcomeOf(ReviewSelfSubjectRules(*parts_.rules, *call.user, *review));
  }
  if (auto* review = object.As<TokenReview>()) {
    return OutcomeOf(ReviewToken(*parts_.authenticator, std::move(*review)));
  }
  if (object.As<SelfSubjectReview>() != nullptr) {
    return OutcomeOf(Result<SelfSubjectReview>(ReviewSelfSubject(*call.user, *parts_.clock)));
  }
  return api::MethodNotAllowedError();
}

Result<WriteOutcome> Questions::IssueToken(Call& call) const {
  TRY(const CreateOptions options, ReadCreateOptions(call.query));
  TRY(reflect::AnyObject object, ReadQuestion(call,
                                              {.type = &reflect::TypeOf<TokenRequest>(),
                                               .group = "authentication.k8s.io",
                                               .version = "v1",
                                               .kind = "TokenRequest"},
                                              options, *parts_.clock));
  TokenRequest& request = *object.As<TokenRequest>();
  AdmissionRequest admission;
  admission.operation = Operation::kCreate;
  admission.version = "v1";
  admission.resource = "serviceaccounts";
  admission.subresource = "token";
  admission.kind_group = "authentication.k8s.io";
  admission.kind_version = "v1";
  admission.kind = "TokenRequest";
  admission.namespace_ = call.info.namespace_;
  admission.name = call.info.name;
  admission.type = &reflect::TypeOf<TokenRequest>();
  admission.object = &request;
  admission.options_type = &reflect::TypeOf<CreateOptions>();
  admission.options = &options;
  admission.dry_run = !options.dryRun.empty();
  admission.deadline = call.deadline;
  admission.user = call.user.get();
  admission.warn = [&](std::string warning) { call.Warn(std::move(warning)); };
  // As it was asked: a node that asks for no audience asks for what its pods' volumes do, which
  // name none.
  TRY_VOID(parts_.admission->Admit(admission));
  const auto validate = [&](const TokenRequest& defaulted) -> Result<void> {
    TokenRequest copy = defaulted;
    admission.object = &copy;
    return parts_.admission->Validate(admission);
  };
  TRY(IssuedToken issued,
      parts_.tokens->Create(call.info.namespace_, call.info.name, std::move(request), validate));
  for (std::string& warning : issued.warnings) call.Warn(std::move(warning));
  for (auto& [key, value] : issued.audit_annotations) call.annotations.emplace_back(key, value);
  return OutcomeOf(Result<TokenRequest>(std::move(issued.object)));
}

}  // namespace podium::apiserver
