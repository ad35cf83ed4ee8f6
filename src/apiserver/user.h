// Who makes a request: what authentication found out, and authorization, admission and audit ask.
// (upstream's k8s.io/apiserver/pkg/authentication/user)
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace podium::apiserver {

struct User {
  std::string name;
  std::string uid{};
  std::vector<std::string> groups{};
  std::map<std::string, std::vector<std::string>> extra{};

  bool InGroup(std::string_view group) const;

  friend bool operator==(const User&, const User&) = default;
};

inline constexpr std::string_view kAnonymous = "system:anonymous";
inline constexpr std::string_view kApiServerUser = "system:apiserver";
inline constexpr std::string_view kMastersGroup = "system:masters";
inline constexpr std::string_view kAuthenticatedGroup = "system:authenticated";
inline constexpr std::string_view kUnauthenticatedGroup = "system:unauthenticated";
inline constexpr std::string_view kServiceAccountsGroup = "system:serviceaccounts";
inline constexpr std::string_view kNodesGroup = "system:nodes";
inline constexpr std::string_view kNodeUserPrefix = "system:node:";
inline constexpr std::string_view kServiceAccountPrefix = "system:serviceaccount:";

}  // namespace podium::apiserver
