#include "apiserver/authentication/token_review.h"

#include <utility>

#include "api/status.h"

namespace podium::apiserver {

using api::authentication::v1::TokenReview;
using api::authentication::v1::UserInfo;

UserInfo ToUserInfo(const User& user) {
  UserInfo info;
  info.username = user.name;
  info.uid = user.uid;
  info.groups = user.groups;
  for (const auto& [key, values] : user.extra) info.extra[key].items = values;
  return info;
}

Result<TokenReview> ReviewToken(RequestAuthenticator& authenticator, TokenReview review) {
  if (review.spec.token.empty()) {
    return api::BadRequestError("token is required for TokenReview in authentication");
  }
  review.status = {};
  const auto who = authenticator.AuthenticateBearer(review.spec.token, review.spec.audiences);
  if (!who.ok()) {
    review.status.error = who.error().message();
    return review;
  }
  review.status.authenticated = true;
  review.status.user = ToUserInfo((*who)->user);
  review.status.audiences = (*who)->audiences;
  return review;
}

}  // namespace podium::apiserver
