// What a client is told that may not do what it asks for (upstream's
// k8s.io/apiserver/pkg/endpoints/handlers/responsewriters, release 1.36).
#pragma once

#include <string_view>

#include "apiserver/authorization/authorizer.h"
#include "base/error.h"

namespace podium::apiserver {

// `pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace
// "default"`, 403; the reason of the authorizer stands behind it, if there is one.
Error ForbiddenQuestionError(const AuthorizationQuestion& question, std::string_view reason);

}  // namespace podium::apiserver
