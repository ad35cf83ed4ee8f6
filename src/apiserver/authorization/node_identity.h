// Whether a user is a node's kubelet, and which node's (upstream's pkg/auth/nodeidentifier).
#pragma once

#include <optional>
#include <string_view>

#include "apiserver/user.h"

namespace podium::apiserver {

// Nothing: no node. Otherwise the node's name, which is a part of the user's; "" for a node that
// does not say which one it is.
inline std::optional<std::string_view> NodeIdentity(const User& user) {
  std::string_view name = user.name;
  if (!name.starts_with(kNodeUserPrefix) || !user.InGroup(kNodesGroup)) return std::nullopt;
  name.remove_prefix(kNodeUserPrefix.size());
  return name;
}

}  // namespace podium::apiserver
