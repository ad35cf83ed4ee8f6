#include "apiserver/authorization/node_authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "api/fields.h"
#include "api/types/resource_v1.h"
#include "apiserver/authorization/default_roles.h"
#include "apiserver/authorization/node_identity.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kNodeLeases = "kube-node-lease";

Authorization Allow() { return {.decision = Decision::kAllow}; }
Authorization Refuse(std::string reason) { return {.reason = std::move(reason)}; }

bool IsVerb(const AuthorizationQuestion& question, std::initializer_list<std::string_view> verbs) {
  return std::ranges::find(verbs, question.verb) != verbs.end();
}

bool IsReading(const AuthorizationQuestion& question) {
  return IsVerb(question, {"get", "list", "watch"});
}

// Whether what is asked for is restricted to objects whose field is the node's name.
bool Selects(const AuthorizationQuestion& question, std::string_view field, std::string_view node) {
  if (question.field_selector.empty()) return false;
  const auto selector = api::fields::Selector::Parse(question.field_selector);
  return selector.ok() && std::ranges::any_of(selector->requirements(), [&](const auto& required) {
           return required.field == field && !required.negated && required.value == node;
         });
}

Authorization Lease(std::string_view node, const AuthorizationQuestion& question) {
  if (!IsVerb(question, {"get", "create", "update", "patch", "delete"})) {
    return Refuse("can only get, create, update, patch, or delete a node lease");
  }
  if (question.namespace_ != kNodeLeases) {
    return Refuse(fmt::format("can only access leases in the {} system namespace",
                              reflect::GoQuoted(kNodeLeases)));
  }
  // The name of what is created is not known here; NodeRestriction looks at it.
  if (question.verb != "create" && question.name != node) {
    return Refuse("can only access node lease with the same name as the requesting node");
  }
  return Allow();
}

Authorization CsiNode(std::string_view node, const AuthorizationQuestion& question) {
  if (!IsVerb(question, {"get", "create", "update", "patch", "delete"})) {
    return Refuse("can only get, create, update, patch, or delete a CSINode");
  }
  if (!question.subresource.empty()) return Refuse("cannot authorize CSINode subresources");
  if (question.verb != "create" && question.name != node) {
    return Refuse("can only access CSINode with the same name as the requesting node");
  }
  return Allow();
}

// By name, and not by the graph: a node looks for itself before it is there.
Authorization Node(std::string_view node, const AuthorizationQuestion& question) {
  if (question.subresource == "status" && IsVerb(question, {"update", "patch"})) return Allow();
  if (!question.subresource.empty()) return {};
  if (IsVerb(question, {"create", "update", "patch"})) return Allow();
  if (!IsReading(question)) return {};
  if (question.name == node) return Allow();
  if (question.name.empty()) {
    return Refuse(fmt::format("node '{}' cannot read all nodes, only its own Node object", node));
  }
  return Refuse(
      fmt::format("node '{}' cannot read '{}', only its own Node object", node, question.name));
}

}  // namespace

NodeAuthorizer::NodeAuthorizer(store::Store& store)
    : node_rules_(NodeRules()), follower_(store, NodeGraph::Prefixes(), graph_) {}

Result<void> NodeAuthorizer::Prepare() const {
  TRY(const auto lock, follower_.Read());
  return {};
}

Authorization NodeAuthorizer::Authorize(const AuthorizationQuestion& question) const {
  const auto node = NodeIdentity(question.user);
  if (!node) return {};
  if (node->empty()) {
    return Refuse("unknown node for user " + reflect::GoQuoted(question.user.name));
  }
  bool subdivided = false;
  Authorization answer = Subdivided(*node, question, &subdivided);
  if (subdivided) return answer;
  return RulesAllow(question, node_rules_) ? Allow() : Authorization();
}

UserRules NodeAuthorizer::RulesFor(const User& user, std::string_view) const {
  if (!NodeIdentity(user)) return {};
  return {.incomplete = true, .error = "node authorizer does not support user rule resolution"};
}

// Of resources that nodes may not all have in the same way; `subdivided` says whether it is one.
Authorization NodeAuthorizer::Subdivided(std::string_view node,
                                         const AuthorizationQuestion& question,
                                         bool* subdivided) const {
  *subdivided = question.is_resource;
  if (!question.is_resource) return {};
  const auto is = [&](std::string_view group, std::string_view resource) {
    return question.resource == resource && question.group == group;
  };
  if (is("", "secrets")) return ReadRelated(node, NodeObject::kSecret, question);
  if (is("", "configmaps")) return ReadRelated(node, NodeObject::kConfigMap, question);
  if (is("", "persistentvolumeclaims")) return Claim(node, question);
  if (is("", "persistentvolumes")) {
    return GetRelated(node, NodeObject::kPersistentVolume, question);
  }
  if (is("", "serviceaccounts")) return ServiceAccount(node, question);
  if (is("", "nodes")) return Node(node, question);
  if (is("", "pods")) return Pod(node, question);
  if (is("resource.k8s.io", "resourceclaims")) {
    return GetRelated(node, NodeObject::kResourceClaim, question);
  }
  if (is("resource.k8s.io", "resourceslices")) return Slice(node, question);
  if (is("storage.k8s.io", "volumeattachments")) {
    return GetRelated(node, NodeObject::kVolumeAttachment, question);
  }
  if (is("storage.k8s.io", "csinodes")) return CsiNode(node, question);
  if (is("coordination.k8s.io", "leases")) return Lease(node, question);
  *subdivided = false;
  return {};
}

Authorization NodeAuthorizer::Related(std::string_view node, NodeObject kind,
                                      const AuthorizationQuestion& question) const {
  if (question.name.empty()) return Refuse("No Object name found");
  const auto lock = follower_.Read();
  if (!lock.ok()) return {.evaluation_error = lock.error().message()};
  if (graph_.Reaches(node, kind, question.namespace_, question.name)) return Allow();
  return Refuse(fmt::format("no relationship found between node '{}' and this object", node));
}

Authorization NodeAuthorizer::ReadRelated(std::string_view node, NodeObject kind,
                                          const AuthorizationQuestion& question) const {
  if (!IsReading(question)) return Refuse("can only read resources of this type");
  if (!question.subresource.empty()) return Refuse("cannot read subresource");
  if (question.namespace_.empty()) {
    return Refuse("can only read namespaced object of this type");
  }
  return Related(node, kind, question);
}

Authorization NodeAuthorizer::GetRelated(std::string_view node, NodeObject kind,
                                         const AuthorizationQuestion& question) const {
  if (question.verb != "get") return Refuse("can only get individual resources of this type");
  if (!question.subresource.empty()) return Refuse("cannot get subresource");
  return Related(node, kind, question);
}

Authorization NodeAuthorizer::Claim(std::string_view node,
                                    const AuthorizationQuestion& question) const {
  if (question.subresource != "status") {
    return GetRelated(node, NodeObject::kPersistentVolumeClaim, question);
  }
  if (!IsVerb(question, {"update", "patch"})) {
    return Refuse("can only get/update/patch this type");
  }
  return Related(node, NodeObject::kPersistentVolumeClaim, question);
}

// Its tokens, and the account itself, whose annotations say what image credentials are asked for.
Authorization NodeAuthorizer::ServiceAccount(std::string_view node,
                                             const AuthorizationQuestion& question) const {
  if (question.verb == "get" && question.subresource.empty()) {
    return ReadRelated(node, NodeObject::kServiceAccount, question);
  }
  if (question.verb != "create" || question.name.empty()) {
    return Refuse("can only create tokens for individual service accounts");
  }
  if (question.subresource != "token") {
    return Refuse("can only create token subresource of serviceaccount");
  }
  return Related(node, NodeObject::kServiceAccount, question);
}

Authorization NodeAuthorizer::Slice(std::string_view node,
                                    const AuthorizationQuestion& question) const {
  if (!question.subresource.empty()) return Refuse("cannot authorize ResourceSlice subresources");
  // Whose it is that is created, NodeRestriction looks at.
  if (question.verb == "create") return Allow();
  if (IsVerb(question, {"get", "update", "patch", "delete"})) {
    return Related(node, NodeObject::kResourceSlice, question);
  }
  if (!IsVerb(question, {"watch", "list", "deletecollection"})) {
    return Refuse(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, "
        "update, patch, delete, deletecollection");
  }
  if (Selects(question, api::resource::v1::kResourceSliceSelectorNodeName, node)) return Allow();
  return Refuse("can only list/watch/deletecollection resourceslices with nodeName field selector");
}

Authorization NodeAuthorizer::Pod(std::string_view node,
                                  const AuthorizationQuestion& question) const {
  const std::string_view subresource = question.subresource;
  if (subresource == "status" && IsVerb(question, {"update", "patch"})) return Allow();
  if (subresource == "eviction" && question.verb == "create") return Allow();
  if (!subresource.empty()) return {};
  // Mirror pods; that they are, and whose, NodeRestriction looks at.
  if (IsVerb(question, {"create", "delete"})) return Allow();
  if (question.verb == "get") return GetRelated(node, NodeObject::kPod, question);
  if (!IsVerb(question, {"list", "watch"})) return {};
  if (Selects(question, "spec.nodeName", node)) return Allow();
  if (!question.name.empty()) return Related(node, NodeObject::kPod, question);
  return Refuse("can only list/watch pods with spec.nodeName field selector");
}

}  // namespace podium::apiserver
