// Who asks in another's name: headers Impersonate-User, -Group, -Uid and -Extra-KEY (upstream's
// k8s.io/apiserver/pkg/endpoints/filters/impersonation, release 1.36, with constrained
// impersonation of KEP 5284). Five ways to be allowed to are tried in this order, those that fit:
//
//   associated-node  a service account, the node that its pod runs on
//   arbitrary-node   a user system:node:NAME
//   serviceaccount   a user system:serviceaccount:NAMESPACE:NAME
//   user-info        any other user, with groups, uid and extra
//   (legacy)         everybody, by the verb impersonate
//
// All but the last ask for two rights: for the verb impersonate:WAY on who it is, and for
// impersonate-on:WAY:VERB on what the request itself asks for.
#pragma once

#include <optional>
#include <string>

#include "apiserver/authorization/authorizer.h"
#include "apiserver/user.h"
#include "base/result.h"
#include "http/headers.h"

namespace podium::apiserver {

struct Impersonated {
  User user;
  std::string constraint;  // for audit: "impersonate:user-info", "" in the legacy way
};

// Whom the headers name, as they stand there; nothing without such headers. 400 for groups, a uid
// or extra without a user.
Result<std::optional<User>> WantedUser(const http::Headers& headers);

// Takes the headers away, so that nothing behind depends on them.
void RemoveImpersonation(http::Headers* headers);

// The user that the request goes on as. `request` is what the client itself asks for, with its own
// user. 403 in upstream's words: those of the first way that fits.
Result<Impersonated> Impersonate(const User& wanted, const AuthorizationQuestion& request,
                                 const Authorizer& authorizer);

}  // namespace podium::apiserver
