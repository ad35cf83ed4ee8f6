// Whose token is it: POST to tokenreviews (upstream's pkg/registry/authentication/tokenreview), and
// who am I: POST to selfsubjectreviews.
#pragma once

#include "api/types/authentication_v1.h"
#include "apiserver/authentication/request_authenticator.h"
#include "apiserver/user.h"

namespace podium::apiserver {

api::authentication::v1::UserInfo ToUserInfo(const User& user);

// The review with its status. Errors are answers of the API: 400 without a token.
Result<api::authentication::v1::TokenReview> ReviewToken(
    RequestAuthenticator& authenticator, api::authentication::v1::TokenReview review);

}  // namespace podium::apiserver
