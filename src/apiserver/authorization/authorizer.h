// Whether a user may do what a request asks for (upstream's
// k8s.io/apiserver/pkg/authorization/authorizer).
#pragma once

#include <string>
#include <string_view>

#include "apiserver/user.h"
#include "base/result.h"

namespace podium::apiserver {

// What is asked. Views live as long as the call.
struct AuthorizationQuestion {
  const User& user;
  std::string_view verb;
  // Of a resource; with "*" for all, as reviews may ask.
  bool is_resource = true;
  std::string_view namespace_{};  // "": of the cluster, or in all namespaces
  std::string_view group{};
  std::string_view version{};
  std::string_view resource{};
  std::string_view subresource{};
  std::string_view name{};
  // Of what is no resource.
  std::string_view path{};
  // Of lists, watches and deletions of many: what they are restricted to; "" for nothing. Only the
  // node authorizer asks for them.
  std::string_view field_selector{};
  std::string_view label_selector{};
};

enum class Decision { kAllow, kDeny, kNoOpinion };

struct Authorization {
  Decision decision = Decision::kNoOpinion;
  std::string reason{};  // for audit and reviews
  std::string
      evaluation_error{};  // of rules that could not be read; the decision counts all the same
};

// Threads: any.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual Authorization Authorize(const AuthorizationQuestion& question) const = 0;
};

}  // namespace podium::apiserver
