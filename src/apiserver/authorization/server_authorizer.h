// ServerAuthorizer: all that the server asks, in upstream's order: system:masters may do anything,
// then what nodes may, then roles (kube-apiserver's --authorization-mode=Node,RBAC).
#pragma once

#include <string_view>

#include "apiserver/authorization/authorizers.h"
#include "apiserver/authorization/escalation.h"
#include "apiserver/authorization/node_authorizer.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "apiserver/request_info.h"
#include "http/url.h"
#include "store/store.h"

namespace podium::apiserver {

// Threads: any. Nothing is read before the first question, or Prepare.
class ServerAuthorizer : public Authorizer, public RuleResolver {
 public:
  // The store outlives it.
  explicit ServerAuthorizer(store::Store& store) : node_(store), rbac_(store) {}
  ServerAuthorizer(const ServerAuthorizer&) = delete;
  ServerAuthorizer& operator=(const ServerAuthorizer&) = delete;

  // Reads what a node's first question would, which may be every pod of the cluster: a server does
  // so apart from its loops.
  Result<void> Prepare() const { return node_.Prepare(); }
  Authorization Authorize(const AuthorizationQuestion& question) const override {
    return all_.Authorize(question);
  }
  UserRules RulesFor(const User& user, std::string_view name_space) const override {
    return rules_.RulesFor(user, name_space);
  }
  // Of roles and bindings that are to be written.
  const EscalationCheck& escalation() const { return escalation_; }

 private:
  const PrivilegedGroupAuthorizer masters_{kMastersGroup};
  const NodeAuthorizer node_;
  const RbacAuthorizer rbac_;
  const AuthorizerUnion all_{{&masters_, &node_, &rbac_}};
  const RuleResolverUnion rules_{{&node_, &rbac_}};
  const EscalationCheck escalation_{all_, rbac_};
};

// What a request asks for (upstream's GetAuthorizerAttributes). All three outlive the answer.
AuthorizationQuestion QuestionOf(const User& user, const RequestInfo& info,
                                 const http::QueryParameters& query);

}  // namespace podium::apiserver
