// NodeAuthorizer: what a node's kubelet may do: what every node may, and of objects with secrets in
// them only those that the node has to do with (upstream's plugin/pkg/auth/authorizer/node, release
// 1.36; CVE-2025-5187 and its like). What a node may write is NodeRestriction's to say, an
// admission plugin.
#pragma once

#include <string_view>

#include "apiserver/authorization/authorizer.h"
#include "apiserver/authorization/node_graph.h"
#include "apiserver/authorization/rule_resolver.h"
#include "apiserver/authorization/store_follower.h"
#include "store/store.h"

namespace podium::apiserver {

// Threads: any.
class NodeAuthorizer : public Authorizer, public RuleResolver {
 public:
  // The store outlives it.
  explicit NodeAuthorizer(store::Store& store);

  // Reads what there is of pods and volumes, as the first question would: with 10,000 pods that
  // takes some tens of milliseconds. The store's errors; then the next question tries again.
  Result<void> Prepare() const;

  // Allows or has no opinion; never denies. No opinion, and no reason, of who is no node.
  Authorization Authorize(const AuthorizationQuestion& question) const override;
  // Nodes' rights cannot be listed: incomplete, with an error.
  UserRules RulesFor(const User& user, std::string_view name_space) const override;

 private:
  Authorization Subdivided(std::string_view node, const AuthorizationQuestion& question,
                           bool* subdivided) const;
  Authorization Related(std::string_view node, NodeObject kind,
                        const AuthorizationQuestion& question) const;
  Authorization ReadRelated(std::string_view node, NodeObject kind,
                            const AuthorizationQuestion& question) const;
  Authorization GetRelated(std::string_view node, NodeObject kind,
                           const AuthorizationQuestion& question) const;
  Authorization Claim(std::string_view node, const AuthorizationQuestion& question) const;
  Authorization ServiceAccount(std::string_view node, const AuthorizationQuestion& question) const;
  Authorization Slice(std::string_view node, const AuthorizationQuestion& question) const;
  Authorization Pod(std::string_view node, const AuthorizationQuestion& question) const;

  const PolicyRules node_rules_;
  mutable NodeGraph graph_;
  mutable StoreFollower follower_;
};

}  // namespace podium::apiserver
