// What every way to authenticate does with a user that it knows.
#pragma once

#include <string_view>

#include "apiserver/authentication/authenticator.h"

namespace podium::apiserver {

// Adds the group system:authenticated, unless the user is nobody or is in it or in
// system:unauthenticated (upstream's group.AuthenticatedGroupAdder).
AuthenticatedPtr KnownUser(Authenticated who);

// The parts of system:serviceaccount:NAMESPACE:NAME; false for what is no such name.
bool SplitServiceAccountName(std::string_view user, std::string_view* name_space,
                             std::string_view* name);
// Of a service account's user: system:serviceaccounts, system:serviceaccounts:NAMESPACE.
std::vector<std::string> ServiceAccountGroups(std::string_view name_space);

}  // namespace podium::apiserver
