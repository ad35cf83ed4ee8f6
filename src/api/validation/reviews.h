// Rules for questions to the server (upstream's pkg/apis/authorization and authentication, release
// 1.36). TokenReview, SelfSubjectReview and SelfSubjectRulesReview have none.
#pragma once

#include "api/field_errors.h"
#include "api/types/authentication_v1.h"
#include "api/types/authorization_v1.h"

namespace podium::api {

field::ErrorList ValidateSubjectAccessReview(const authorization::v1::SubjectAccessReview& review);
field::ErrorList ValidateSelfSubjectAccessReview(
    const authorization::v1::SelfSubjectAccessReview& review);
field::ErrorList ValidateLocalSubjectAccessReview(
    const authorization::v1::LocalSubjectAccessReview& review);
field::ErrorList ValidateTokenRequest(const authentication::v1::TokenRequest& request);

}  // namespace podium::api
