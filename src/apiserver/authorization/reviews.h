// The answers to questions about rights: SubjectAccessReview and its sisters, and who the caller is
// (upstream's pkg/registry/authorization and pkg/registry/authentication/selfsubjectreview, release
// 1.36). They are posted, answered, and never stored. What comes in has its defaults and was not
// validated; what goes out is the body of the answer. Errors are answers.
//
// Threads: any.
#pragma once

#include <string_view>

#include "api/types/authentication_v1.h"
#include "api/types/authorization_v1.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/authorization/rule_resolver.h"
#include "apiserver/user.h"
#include "base/clock.h"
#include "base/result.h"

namespace podium::apiserver {

Result<api::authorization::v1::SubjectAccessReview> ReviewSubjectAccess(
    const Authorizer& authorizer, api::authorization::v1::SubjectAccessReview review);

// `name_space` is the one of the request's path.
Result<api::authorization::v1::LocalSubjectAccessReview> ReviewLocalSubjectAccess(
    const Authorizer& authorizer, std::string_view name_space,
    api::authorization::v1::LocalSubjectAccessReview review);

Result<api::authorization::v1::SelfSubjectAccessReview> ReviewSelfSubjectAccess(
    const Authorizer& authorizer, const User& user,
    api::authorization::v1::SelfSubjectAccessReview review);

Result<api::authorization::v1::SelfSubjectRulesReview> ReviewSelfSubjectRules(
    const RuleResolver& resolver, const User& user,
    const api::authorization::v1::SelfSubjectRulesReview& review);

api::authentication::v1::SelfSubjectReview ReviewSelfSubject(const User& user, const Clock& clock);

}  // namespace podium::apiserver
