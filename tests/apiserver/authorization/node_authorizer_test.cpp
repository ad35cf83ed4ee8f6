#include "apiserver/authorization/node_authorizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/types/core_v1.h"
#include "api/types/resource_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/authorization/node_identity.h"
#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::Pod;
using api::resource::v1::ResourceSlice;
using api::storage::v1::VolumeAttachment;

User NodeUser(const std::string& name) {
  return {.name = "system:node:" + name, .groups = {"system:nodes", "system:authenticated"}};
}

Pod PodOn(const std::string& node, const std::string& name) {
  Pod pod;
  pod.metadata.namespace_ = "a";
  pod.metadata.name = name;
  pod.spec.nodeName = node;
  pod.spec.serviceAccountName = "robot";
  pod.spec.containers.resize(1);
  auto& container = pod.spec.containers[0];
  container.envFrom.resize(1);
  container.envFrom[0].secretRef.ensure().name = name + "-env-from";
  container.env.resize(2);
  container.env[0].valueFrom.ensure().secretKeyRef.ensure().name = name + "-env";
  container.env[1].valueFrom.ensure().configMapKeyRef.ensure().name = name + "-env";
  pod.spec.imagePullSecrets.resize(1);
  pod.spec.imagePullSecrets[0].name = "pull";
  pod.spec.volumes.resize(4);
  pod.spec.volumes[0].secret.ensure().secretName = name + "-volume";
  auto& sources = pod.spec.volumes[1].projected.ensure().sources;
  sources.resize(2);
  sources[0].secret.ensure().name = name + "-projected";
  sources[1].configMap.ensure().name = name + "-projected";
  pod.spec.volumes[2].persistentVolumeClaim.ensure().claimName = name + "-claim";
  pod.spec.volumes[3].name = "scratch";
  pod.spec.volumes[3].ephemeral.ensure();
  return pod;
}

struct NodeAuthorizerTest : testing::Test {
  TestStore store;
  NodeAuthorizer nodes{store.memory};
  const User one = NodeUser("one");
  const User two = NodeUser("two");

  Authorization Ask(const User& user, std::string_view verb, std::string_view group,
                    std::string_view resource, std::string_view name_space, std::string_view name,
                    std::string_view subresource = "", std::string_view fields = "") {
    return nodes.Authorize({.user = user,
                            .verb = verb,
                            .namespace_ = name_space,
                            .group = group,
                            .resource = resource,
                            .subresource = subresource,
                            .name = name,
                            .field_selector = fields});
  }
  bool May(const User& user, std::string_view verb, std::string_view resource,
           std::string_view name_space, std::string_view name, std::string_view subresource = "",
           std::string_view fields = "") {
    return Ask(user, verb, "", resource, name_space, name, subresource, fields).decision ==
           Decision::kAllow;
  }
};

TEST(NodeIdentityTest, NameAndGroup) {
  const User node = NodeUser("a");
  EXPECT_EQ(NodeIdentity(node), "a");
  EXPECT_EQ(NodeIdentity({.name = "system:node:", .groups = {"system:nodes"}}), "");
  EXPECT_EQ(NodeIdentity({.name = "system:node:a"}), std::nullopt);
  EXPECT_EQ(NodeIdentity({.name = "a", .groups = {"system:nodes"}}), std::nullopt);
}

TEST_F(NodeAuthorizerTest, WhoIsNoNode) {
  store.Put(PodOn("one", "web"));
  const Authorization answer = Ask({.name = "one"}, "get", "", "pods", "a", "web");
  EXPECT_EQ(answer.decision, Decision::kNoOpinion);
  EXPECT_EQ(answer.reason, "");
  const User nameless{.name = "system:node:", .groups = {"system:nodes"}};
  EXPECT_EQ(Ask(nameless, "get", "", "nodes", "", "").reason,
            R"(unknown node for user "system:node:")");
  EXPECT_FALSE(May(nameless, "get", "services", "a", "x"));
}

// A node's credential reads what the pods on it refer to, and nothing else (CVE-2025-5187 and its
// like, as far as reading goes).
TEST_F(NodeAuthorizerTest, NodeIdentityReadsWhatItsPodsReferTo) {
  store.Put(PodOn("one", "web"));
  store.Put(PodOn("two", "db"));
  store.Put(PodOn("", "waits"));
  for (const std::string name : {"-env-from", "-env", "-volume", "-projected"}) {
    EXPECT_TRUE(May(one, "get", "secrets", "a", "web" + name)) << name;
    EXPECT_TRUE(May(one, "watch", "secrets", "a", "web" + name)) << name;
    EXPECT_FALSE(May(two, "get", "secrets", "a", "web" + name)) << name;
    EXPECT_FALSE(May(one, "get", "secrets", "b", "web" + name)) << name;
    EXPECT_FALSE(May(one, "get", "secrets", "a", "waits" + name)) << name;
    EXPECT_FALSE(May(one, "update", "secrets", "a", "web" + name)) << name;
  }
  EXPECT_TRUE(May(one, "get", "secrets", "a", "pull"));
  EXPECT_TRUE(May(two, "get", "secrets", "a", "pull"));
  EXPECT_TRUE(May(one, "list", "configmaps", "a", "web-env"));
  EXPECT_TRUE(May(one, "get", "configmaps", "a", "web-projected"));
  EXPECT_FALSE(May(one, "get", "configmaps", "a", "web-volume"));
  EXPECT_TRUE(May(one, "get", "persistentvolumeclaims", "a", "web-claim"));
  EXPECT_TRUE(May(one, "get", "persistentvolumeclaims", "a", "web-scratch"));
  EXPECT_TRUE(May(one, "patch", "persistentvolumeclaims", "a", "web-claim", "status"));
  EXPECT_FALSE(May(two, "patch", "persistentvolumeclaims", "a", "web-claim", "status"));
  EXPECT_FALSE(May(one, "list", "persistentvolumeclaims", "a", ""));
  EXPECT_EQ(Ask(two, "get", "", "secrets", "a", "web-env").reason,
            "no relationship found between node 'two' and this object");
  EXPECT_EQ(Ask(one, "list", "", "secrets", "a", "").reason, "No Object name found");
  EXPECT_EQ(Ask(one, "list", "", "secrets", "", "").reason,
            "can only read namespaced object of this type");
  EXPECT_EQ(Ask(one, "delete", "", "secrets", "a", "web-env").reason,
            "can only read resources of this type");
  EXPECT_EQ(Ask(one, "get", "", "secrets", "a", "web-env", "x").reason, "cannot read subresource");
}

TEST_F(NodeAuthorizerTest, ThePodGoesAndTheRightsGo) {
  store.Put(PodOn("one", "web"));
  store.Put(PodOn("one", "db"));
  EXPECT_TRUE(May(one, "get", "secrets", "a", "web-env"));
  store.Remove<Pod>("a", "web");
  EXPECT_FALSE(May(one, "get", "secrets", "a", "web-env"));
  // Another pod still refers to it.
  EXPECT_TRUE(May(one, "get", "secrets", "a", "pull"));
  store.Remove<Pod>("a", "db");
  EXPECT_FALSE(May(one, "get", "secrets", "a", "pull"));
  // A pod of the same name on another node.
  store.Put(PodOn("two", "web"));
  EXPECT_FALSE(May(one, "get", "secrets", "a", "web-env"));
  EXPECT_TRUE(May(two, "get", "secrets", "a", "web-env"));
}

TEST_F(NodeAuthorizerTest, NodeIdentityMirrorPodsGiveNothing) {
  Pod mirror = PodOn("one", "web");
  mirror.metadata.annotations["kubernetes.io/config.mirror"] = "x";
  store.Put(mirror);
  EXPECT_TRUE(May(one, "get", "pods", "a", "web"));
  EXPECT_FALSE(May(one, "get", "secrets", "a", "web-env"));
  EXPECT_FALSE(May(one, "create", "serviceaccounts", "a", "robot", "token"));
}

TEST_F(NodeAuthorizerTest, VolumesAndTheirSecrets) {
  store.Put(PodOn("one", "web"));
  PersistentVolume volume;
  volume.metadata.name = "disk";
  auto& csi = volume.spec.csi.ensure();
  csi.nodePublishSecretRef.ensure().name = "publish";
  csi.nodePublishSecretRef->namespace_ = "s";
  csi.controllerPublishSecretRef.ensure().name = "controller";
  csi.controllerPublishSecretRef->namespace_ = "s";
  store.Put(volume);
  EXPECT_FALSE(May(one, "get", "persistentvolumes", "", "disk"));
  volume.spec.claimRef.ensure().namespace_ = "a";
  volume.spec.claimRef->name = "web-claim";
  store.Put(volume);
  EXPECT_TRUE(May(one, "get", "persistentvolumes", "", "disk"));
  EXPECT_FALSE(May(two, "get", "persistentvolumes", "", "disk"));
  EXPECT_FALSE(May(one, "list", "persistentvolumes", "", ""));
  EXPECT_TRUE(May(one, "get", "secrets", "s", "publish"));
  EXPECT_FALSE(May(two, "get", "secrets", "s", "publish"));
  EXPECT_FALSE(May(one, "get", "secrets", "s", "controller"));
  store.Remove<PersistentVolume>("", "disk");
  EXPECT_FALSE(May(one, "get", "secrets", "s", "publish"));
  // Old ones without a namespace mean the claim's.
  PersistentVolume old = volume;
  old.spec.csi.reset();
  old.spec.rbd.ensure().secretRef.ensure().name = "ceph";
  store.Put(old);
  EXPECT_TRUE(May(one, "get", "secrets", "a", "ceph"));
}

TEST_F(NodeAuthorizerTest, ServiceAccountsAndResourceClaims) {
  Pod pod = PodOn("one", "web");
  pod.spec.resourceClaims.resize(2);
  pod.spec.resourceClaims[0].name = "own";
  pod.spec.resourceClaims[0].resourceClaimName = "gpu";
  pod.spec.resourceClaims[1].name = "made";
  pod.spec.resourceClaims[1].resourceClaimTemplateName = "template";
  store.Put(pod);
  EXPECT_TRUE(May(one, "create", "serviceaccounts", "a", "robot", "token"));
  EXPECT_TRUE(May(one, "get", "serviceaccounts", "a", "robot"));
  EXPECT_FALSE(May(two, "create", "serviceaccounts", "a", "robot", "token"));
  EXPECT_FALSE(May(one, "create", "serviceaccounts", "a", "other", "token"));
  EXPECT_FALSE(May(one, "create", "serviceaccounts", "b", "robot", "token"));
  EXPECT_FALSE(May(one, "update", "serviceaccounts", "a", "robot"));
  EXPECT_EQ(Ask(one, "create", "", "serviceaccounts", "a", "robot").reason,
            "can only create token subresource of serviceaccount");
  const auto may_claim = [&](std::string_view name) {
    return Ask(one, "get", "resource.k8s.io", "resourceclaims", "a", name).decision ==
           Decision::kAllow;
  };
  EXPECT_TRUE(may_claim("gpu"));
  EXPECT_FALSE(may_claim("web-made-x"));
  pod.status.resourceClaimStatuses.resize(1);
  pod.status.resourceClaimStatuses[0].name = "made";
  pod.status.resourceClaimStatuses[0].resourceClaimName = "web-made-x";
  store.Put(pod);
  EXPECT_TRUE(may_claim("web-made-x"));
}

TEST_F(NodeAuthorizerTest, PodsOfTheNode) {
  store.Put(PodOn("one", "web"));
  EXPECT_TRUE(May(one, "get", "pods", "a", "web"));
  EXPECT_FALSE(May(two, "get", "pods", "a", "web"));
  EXPECT_TRUE(May(one, "watch", "pods", "", "", "", "spec.nodeName=one"));
  EXPECT_TRUE(May(one, "list", "pods", "", "", "", "status.phase!=Failed,spec.nodeName=one"));
  EXPECT_FALSE(May(one, "list", "pods", "", "", "", "spec.nodeName!=one"));
  EXPECT_FALSE(May(one, "list", "pods", "", "", "", "spec.nodeName=two"));
  EXPECT_FALSE(May(one, "list", "pods", "", "", "", "spec.nodeName=one,nonsense"));
  EXPECT_TRUE(May(one, "watch", "pods", "a", "web", "", "metadata.name=web"));
  EXPECT_FALSE(May(two, "watch", "pods", "a", "web", "", "metadata.name=web"));
  EXPECT_EQ(Ask(one, "list", "", "pods", "", "").reason,
            "can only list/watch pods with spec.nodeName field selector");
  EXPECT_TRUE(May(one, "patch", "pods", "a", "web", "status"));
  EXPECT_TRUE(May(one, "create", "pods", "a", "web", "eviction"));
  EXPECT_TRUE(May(one, "delete", "pods", "a", "web"));
  EXPECT_FALSE(May(one, "update", "pods", "a", "web"));
  EXPECT_FALSE(May(one, "create", "pods", "a", "web", "exec"));
  EXPECT_FALSE(May(one, "deletecollection", "pods", "a", ""));
}

TEST_F(NodeAuthorizerTest, NodeIdentityKnowsItsOwnNodeAlone) {
  EXPECT_TRUE(May(one, "get", "nodes", "", "one"));
  EXPECT_TRUE(May(one, "watch", "nodes", "", "one"));
  EXPECT_EQ(Ask(one, "get", "", "nodes", "", "two").reason,
            "node 'one' cannot read 'two', only its own Node object");
  EXPECT_EQ(Ask(one, "list", "", "nodes", "", "").reason,
            "node 'one' cannot read all nodes, only its own Node object");
  // Which one, NodeRestriction looks at; but none may be deleted.
  EXPECT_TRUE(May(one, "patch", "nodes", "", "one"));
  EXPECT_TRUE(May(one, "patch", "nodes", "", "one", "status"));
  EXPECT_FALSE(May(one, "delete", "nodes", "", "one"));
  EXPECT_FALSE(May(one, "get", "nodes", "", "one", "proxy"));

  const auto reason = [&](std::string_view verb, std::string_view name_space,
                          std::string_view name) {
    return Ask(one, verb, "coordination.k8s.io", "leases", name_space, name);
  };
  EXPECT_EQ(reason("update", "kube-node-lease", "one").decision, Decision::kAllow);
  EXPECT_EQ(reason("create", "kube-node-lease", "").decision, Decision::kAllow);
  EXPECT_EQ(reason("update", "kube-node-lease", "two").reason,
            "can only access node lease with the same name as the requesting node");
  EXPECT_EQ(reason("update", "kube-system", "one").reason,
            R"(can only access leases in the "kube-node-lease" system namespace)");
  EXPECT_EQ(reason("list", "kube-node-lease", "").reason,
            "can only get, create, update, patch, or delete a node lease");
  EXPECT_EQ(Ask(one, "get", "storage.k8s.io", "csinodes", "", "two").reason,
            "can only access CSINode with the same name as the requesting node");
  EXPECT_EQ(Ask(one, "patch", "storage.k8s.io", "csinodes", "", "one").decision, Decision::kAllow);
}

TEST_F(NodeAuthorizerTest, AttachmentsAndSlices) {
  VolumeAttachment attachment;
  attachment.metadata.name = "x";
  attachment.spec.nodeName = "one";
  store.Put(attachment);
  ResourceSlice slice;
  slice.metadata.name = "s";
  slice.spec.nodeName = "one";
  store.Put(slice);
  const auto may = [&](const User& user, std::string_view verb, std::string_view group,
                       std::string_view resource, std::string_view name,
                       std::string_view fields = "") {
    return Ask(user, verb, group, resource, "", name, "", fields).decision == Decision::kAllow;
  };
  EXPECT_TRUE(may(one, "get", "storage.k8s.io", "volumeattachments", "x"));
  EXPECT_FALSE(may(two, "get", "storage.k8s.io", "volumeattachments", "x"));
  EXPECT_FALSE(may(one, "list", "storage.k8s.io", "volumeattachments", ""));
  EXPECT_TRUE(may(one, "delete", "resource.k8s.io", "resourceslices", "s"));
  EXPECT_FALSE(may(two, "delete", "resource.k8s.io", "resourceslices", "s"));
  EXPECT_TRUE(may(two, "create", "resource.k8s.io", "resourceslices", ""));
  EXPECT_TRUE(may(one, "list", "resource.k8s.io", "resourceslices", "", "spec.nodeName=one"));
  EXPECT_FALSE(may(one, "list", "resource.k8s.io", "resourceslices", "", "spec.nodeName=two"));
  EXPECT_FALSE(may(one, "deletecollection", "resource.k8s.io", "resourceslices", ""));
}

TEST_F(NodeAuthorizerTest, WhatEveryNodeMay) {
  EXPECT_TRUE(May(one, "list", "services", "", ""));
  EXPECT_TRUE(May(one, "create", "events", "a", ""));
  EXPECT_EQ(
      Ask(one, "create", "certificates.k8s.io", "certificatesigningrequests", "", "").decision,
      Decision::kAllow);
  EXPECT_EQ(Ask(one, "get", "node.k8s.io", "runtimeclasses", "", "x").decision, Decision::kAllow);
  EXPECT_FALSE(May(one, "list", "namespaces", "", ""));
  EXPECT_EQ(Ask(one, "create", "rbac.authorization.k8s.io", "clusterrolebindings", "", "").decision,
            Decision::kNoOpinion);
  EXPECT_EQ(nodes.Authorize({.user = one, .verb = "get", .is_resource = false, .path = "/metrics"})
                .decision,
            Decision::kNoOpinion);
  EXPECT_TRUE(nodes.RulesFor(one, "a").incomplete);
  EXPECT_EQ(nodes.RulesFor(one, "a").error,
            "node authorizer does not support user rule resolution");
  EXPECT_FALSE(nodes.RulesFor({.name = "x"}, "a").incomplete);
}

}  // namespace
}  // namespace podium::apiserver
