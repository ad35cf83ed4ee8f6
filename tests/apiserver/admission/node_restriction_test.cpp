#include <gmock/gmock.h>

#include "api/types/authentication_v1.h"
#include "api/types/certificates_v1.h"
#include "api/types/coordination_v1.h"
#include "api/types/core_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/admission/admission_fixture.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/requests.h"

namespace podium::apiserver {
namespace {

using api::authentication::v1::TokenRequest;
using api::certificates::v1::CertificateSigningRequest;
using api::coordination::v1::Lease;
using api::core::v1::ConfigMap;
using api::core::v1::Node;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::policy::v1::Eviction;
using api::storage::v1::CSIDriver;
using api::storage::v1::CSINode;
using ::testing::HasSubstr;

class NodeRestrictionTest : public AdmissionTest {
 protected:
  const std::unique_ptr<AdmissionPlugin> plugin_ = NewNodeRestriction(dependencies_);

  NodeRestrictionTest() { Put<Node>(R"({"metadata":{"name":"mine","uid":"u1"}})"); }

  template <class T>
  std::string As(const std::string& user, Writing<T>& write) {
    write.user = {.name = user, .groups = {std::string(kNodesGroup)}};
    return Admit(*plugin_, write.request);
  }
  template <class T>
  std::string AsMine(Writing<T>& write) {
    return As("system:node:mine", write);
  }
  template <class T>
  std::string Create(const std::string& json) {
    Writing<T> write(json);
    return AsMine(write);
  }
  template <class T>
  std::string Update(const std::string& before, const std::string& after,
                     std::string_view subresource = "") {
    Writing<T> write(before, after, subresource);
    return AsMine(write);
  }
};

std::string NodeJson(const std::string& meta, const std::string& spec = "") {
  return R"({"metadata":{"name":"mine")" + meta + R"(},"spec":{)" + spec + "}}";
}

constexpr std::string_view kMine = R"(nodes "mine" is forbidden: node "mine" )";

// attacks.md: node identity (CVE-2025-5187).
TEST_F(NodeRestrictionTest, NodeIdentityOwnNodesOwnersTaintsAndLabelsStay) {
  const std::string mine(kMine);
  const std::string owner =
      R"(,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"x"}])";
  for (const std::string_view subresource : {"", "status"}) {
    EXPECT_EQ(Update<Node>(NodeJson(""), NodeJson(owner), subresource),
              mine + "is not allowed to modify ownerReferences");
    EXPECT_EQ(Update<Node>(NodeJson(owner), NodeJson(""), subresource),
              mine + "is not allowed to modify ownerReferences");
    EXPECT_EQ(Update<Node>(NodeJson("", R"("taints":[{"key":"k","effect":"NoSchedule"}])"),
                           NodeJson(""), subresource),
              mine + "is not allowed to modify taints");
    EXPECT_EQ(Update<Node>(NodeJson(R"(,"labels":{"b.node-restriction.kubernetes.io/x":"1"})"),
                           NodeJson(R"(,"labels":{"a.k8s.io/z":"1","kubernetes.io/os":"linux"})"),
                           subresource),
              R"(nodes "mine" is forbidden: is not allowed to modify labels: a.k8s.io/z, )"
              "b.node-restriction.kubernetes.io/x");
    EXPECT_EQ(Update<Node>(NodeJson(""), NodeJson("", R"("configSource":{"configMap":{
                           "namespace":"a","name":"b","kubeletConfigKey":"c"}})"),
                           subresource),
              mine + "is not allowed to update configSource to a new non-nil configSource");
  }
  // What a kubelet says of its own machine, and labels of others, it may write.
  EXPECT_EQ(
      Update<Node>(NodeJson(""),
                   NodeJson(
                       R"(,"labels":{"kubernetes.io/hostname":"h","x.kubelet.kubernetes.io/a":"b",
              "node.kubernetes.io/c":"d","example.com/e":"f","plain":"g"})")),
      "");
}

TEST_F(NodeRestrictionTest, NodeIdentityOtherNodesAreNotTouched) {
  const std::string other = R"({"metadata":{"name":"other"}})";
  const std::string no =
      R"(nodes "other" is forbidden: node "mine" is not allowed to modify node "other")";
  EXPECT_EQ(Create<Node>(other), no);
  EXPECT_EQ(Update<Node>(other, other), no);
  EXPECT_EQ(Update<Node>(other, other, "status"), no);
  Writing<Node> gone(other);
  gone.BecomeDeletion();
  EXPECT_EQ(AsMine(gone), no);
  EXPECT_EQ(Create<Node>(NodeJson("")), "");
  EXPECT_EQ(Create<Node>(NodeJson(R"(,"labels":{"node-restriction.kubernetes.io/a":"b"})")),
            std::string(kMine) +
                "is not allowed to set the following labels: "
                "node-restriction.kubernetes.io/a");
  Writing<Node> generated(R"({"metadata":{"generateName":"mine"}})");
  EXPECT_NE(AsMine(generated), "");
  Writing<Node> nobody(other);
  EXPECT_THAT(As("system:node:", nobody),
              HasSubstr(R"(could not determine node from user "system:node:")"));
  // Neither the name alone makes a node, nor the group.
  Writing<Node> user(other);
  EXPECT_EQ(As("system:nodes:mine", user), "");
  user.user = {.name = "system:node:mine"};
  EXPECT_EQ(Admit(*plugin_, user.request), "");
}

std::string MirrorPod(const std::string& spec, const std::string& owner_rest = "") {
  return R"({"metadata":{"name":"p","namespace":"ns","annotations":{"kubernetes.io/config.mirror":"x"},
    "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"mine","uid":"u1","controller":true)" +
         owner_rest + R"(}]},"spec":{"nodeName":"mine")" + spec + "}}";
}

TEST_F(NodeRestrictionTest, NodesMakeMirrorPodsOnly) {
  const std::string pods = R"(pods "p" is forbidden: )";
  const std::string mine = pods + R"(node "mine" )";
  EXPECT_EQ(Create<Pod>(MirrorPod("")), "");
  EXPECT_EQ(Create<Pod>(R"({"metadata":{"name":"p","namespace":"ns"},"spec":{"nodeName":"mine"}})"),
            pods + R"(pod does not have "kubernetes.io/config.mirror" annotation, node "mine" can )"
                   "only create mirror pods");
  EXPECT_EQ(Create<Pod>(R"({"metadata":{"name":"p","namespace":"ns","annotations":
                        {"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"other"}})"),
            mine + "can only create pods with spec.nodeName set to itself");
  EXPECT_EQ(Create<Pod>(R"({"metadata":{"name":"p","namespace":"ns","annotations":
                        {"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"mine"}})"),
            mine + "can only create pods with an owner reference set to itself");
  EXPECT_EQ(Create<Pod>(MirrorPod("", R"(,"blockOwnerDeletion":true)")),
            mine + "must not set blockOwnerDeletion on an owner reference");
  EXPECT_EQ(Create<Pod>(MirrorPod(R"(,"serviceAccountName":"a")")),
            mine + "can not create pods that reference a service account");
  EXPECT_EQ(Create<Pod>(MirrorPod(R"(,"volumes":[{"name":"v","secret":{"secretName":"s"}}])")),
            mine + "can not create pods that reference secrets");
  EXPECT_EQ(Create<Pod>(MirrorPod(R"(,"volumes":[{"name":"v","configMap":{"name":"s"}}])")),
            mine + "can not create pods that reference configmaps");
  EXPECT_EQ(Create<Pod>(MirrorPod(
                R"(,"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"s"}}])")),
            mine + "can not create pods that reference persistentvolumeclaims");
  Put<Node>(R"({"metadata":{"name":"mine","uid":"u2"}})");
  EXPECT_EQ(Create<Pod>(MirrorPod("")), pods + "node mine UID mismatch: expected u1 got u2");
}

TEST_F(NodeRestrictionTest, NodesTouchTheirOwnPodsOnly) {
  const auto pod = [](const std::string& node, const std::string& meta = "",
                      const std::string& status = "") {
    return R"({"metadata":{"name":"p","namespace":"ns","uid":"pu")" + meta +
           R"(},"spec":{"nodeName":")" + node + R"("},"status":{)" + status + "}}";
  };
  const std::string mine = R"(pods "p" is forbidden: node "mine" )";
  EXPECT_EQ(Update<Pod>(pod("mine"), pod("mine"), "status"), "");
  EXPECT_EQ(Update<Pod>(pod("other"), pod("mine"), "status"),
            mine + "can only update pod status for pods with spec.nodeName set to itself");
  EXPECT_EQ(Update<Pod>(pod("mine"), pod("mine", R"(,"labels":{"a":"b"})"), "status"),
            mine + "cannot update labels through pod status");
  EXPECT_EQ(Update<Pod>(pod("mine"), pod("mine", "", R"("resourceClaimStatuses":[{"name":"c"}])"),
                        "status"),
            mine + "cannot update resource claim statues");
  EXPECT_EQ(Update<Pod>(pod("mine"), pod("mine")),
            R"(pods "p" is forbidden: unexpected operation "UPDATE", node "mine" can only create )"
            "and delete mirror pods");
  EXPECT_EQ(Update<Pod>(pod("mine"), pod("mine"), "resize"),
            R"(pods "p" is forbidden: unexpected pod subresource "resize", only 'status' and )"
            "'eviction' are allowed");

  const std::string eviction = R"({"metadata":{"name":"p","namespace":"ns"}})";
  const auto evict = [&] {
    Writing<Eviction> write(eviction, "eviction");
    write.request.group = "";
    write.request.resource = "pods";
    return AsMine(write);
  };
  const auto remove = [&] {
    Writing<Pod> write(pod("mine"));
    write.BecomeDeletion();
    return AsMine(write);
  };
  EXPECT_EQ(evict(), R"(pod "p" not found)");
  Put<Pod>(pod("other"));
  EXPECT_EQ(
      evict(),
      R"(pods "p" is forbidden: node mine can only evict pods with spec.nodeName set to itself)");
  EXPECT_EQ(remove(), mine + "can only delete pods with spec.nodeName set to itself");
  Put<Pod>(pod("mine"));
  EXPECT_EQ(evict(), "");
  EXPECT_EQ(remove(), "");
}

TEST_F(NodeRestrictionTest, TokensAreForPodsOfTheNodeAndTheirAudiences) {
  const auto token = [&](const std::string& spec) {
    Writing<TokenRequest> write(
        R"({"metadata":{"name":"sa","namespace":"ns"},"spec":{)" + spec + "}}", "token");
    write.request.group = "";
    write.request.resource = "serviceaccounts";
    return AsMine(write);
  };
  const auto bound = [](const std::string& uid) {
    return R"("boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p","uid":")" + uid + R"("})";
  };
  const std::string forbidden = R"(serviceaccounts "sa" is forbidden: )";
  EXPECT_EQ(token(""), forbidden + "node requested token not bound to a pod");
  EXPECT_EQ(token(bound("")), forbidden + "node requested token with a pod binding without a uid");
  EXPECT_EQ(token(bound("pu")), R"(pod "p" not found)");
  const auto put = [&](const std::string& node) {
    Put<Pod>(R"({"metadata":{"name":"p","namespace":"ns","uid":"pu"},"spec":{"nodeName":")" + node +
             R"(","volumes":[{"name":"t","projected":{"sources":[{"serviceAccountToken":
             {"audience":"vault","path":"x"}}]}},{"name":"c","persistentVolumeClaim":{"claimName":"c"}}]}})");
  };
  put("other");
  EXPECT_EQ(token(bound("pu")),
            forbidden + "node requested token bound to a pod scheduled on a different node");
  put("mine");
  EXPECT_EQ(token(bound("older")),
            forbidden +
                "the UID in the bound object reference (older) does not match the UID in "
                "record. The object might have been deleted and then recreated");
  EXPECT_EQ(token(bound("pu") + R"(,"audiences":["vault"])"), "");
  EXPECT_EQ(token(bound("pu") + R"(,"audiences":["vault","b"])"),
            forbidden + "node may only request 0 or 1 audiences");
  EXPECT_EQ(token(bound("pu") + R"(,"audiences":["csi"])"),
            forbidden + R"(error validating audience "csi": persistentvolumeclaim "c" not found)");
  Put<PersistentVolumeClaim>(
      R"({"metadata":{"name":"c","namespace":"ns"},"spec":{"volumeName":"v"}})");
  Put<PersistentVolume>(
      R"({"metadata":{"name":"v"},"spec":{"csi":{"driver":"d","volumeHandle":"h"}}})");
  Put<CSIDriver>(R"({"metadata":{"name":"d"},"spec":{"tokenRequests":[{"audience":"csi"}]}})");
  EXPECT_EQ(token(bound("pu") + R"(,"audiences":["csi"])"), "");
  EXPECT_EQ(token(bound("pu") + R"(,"audiences":["x"])"),
            forbidden + R"(audience "x" not found in pod spec volume, system:node:mine is not )"
                        "authorized to request tokens for this audience");
  authorizer_.allowed = {"request-serviceaccounts-token-audience /x sa"};
  EXPECT_EQ(token(bound("pu") + R"(,"audiences":["x"])"), "");
}

TEST_F(NodeRestrictionTest, LeasesCSINodesAndCertificatesAreTheNodesOwn) {
  const auto lease = [](const std::string& name, const std::string& name_space) {
    return R"({"metadata":{"name":")" + name + R"(","namespace":")" + name_space + R"("}})";
  };
  EXPECT_EQ(Create<Lease>(lease("mine", "kube-node-lease")), "");
  EXPECT_EQ(Create<Lease>(lease("mine", "default")),
            R"(leases.coordination.k8s.io "mine" is forbidden: can only access leases in the )"
            R"("kube-node-lease" system namespace)");
  const std::string other = lease("other", "kube-node-lease");
  EXPECT_THAT(Create<Lease>(other), HasSubstr("with the same name as the requesting node"));
  EXPECT_THAT(Update<Lease>(other, other), HasSubstr("can only access node lease"));
  EXPECT_EQ(Create<CSINode>(R"({"metadata":{"name":"mine"}})"), "");
  EXPECT_THAT(Create<CSINode>(R"({"metadata":{"name":"other"}})"),
              HasSubstr("can only access CSINode with the same name as the requesting node"));
  const auto request = [&](const std::string& signer, const std::string& name) {
    Writing<CertificateSigningRequest> write(R"({"metadata":{"name":"c"},"spec":{"signerName":")" +
                                             signer + R"("}})");
    write.object.spec.request.data = MakeRequest(name, {"system:nodes"});
    return AsMine(write);
  };
  EXPECT_EQ(request("kubernetes.io/kubelet-serving", "system:node:mine"), "");
  EXPECT_THAT(request("kubernetes.io/kubelet-serving", "system:node:other"),
              HasSubstr("can only create a node CSR with CN=system:node:mine"));
  EXPECT_THAT(request("kubernetes.io/kube-apiserver-client-kubelet", "x"),
              HasSubstr("can only create a node CSR with CN=system:node:mine"));
  EXPECT_EQ(request("example.com/other", "x"), "");
  EXPECT_EQ(Create<ConfigMap>(R"({"metadata":{"name":"m","namespace":"ns"}})"), "");
}

TEST_F(NodeRestrictionTest, OfClaimsOnlyWhatAVolumeManagerFindsOut) {
  const auto claim = [](const std::string& meta, const std::string& status) {
    return R"({"metadata":{"name":"c","namespace":"ns")" + meta + R"(},"status":{)" + status + "}}";
  };
  EXPECT_EQ(Update<PersistentVolumeClaim>(claim(R"(,"resourceVersion":"1")", R"("phase":"Bound")"),
                                          claim("", R"("phase":"Bound","capacity":{"storage":"1Gi"},
                      "conditions":[{"type":"Resizing","status":"True"}],
                      "allocatedResources":{"storage":"1Gi"})"),
                                          "status"),
            "");
  const std::string no =
      R"(persistentvolumeclaims "c" is forbidden: node "mine" is not allowed to update fields )"
      "other than status.quantity and status.conditions";
  EXPECT_EQ(Update<PersistentVolumeClaim>(claim("", R"("phase":"Bound")"),
                                          claim("", R"("phase":"Lost")"), "status"),
            no);
  EXPECT_EQ(
      Update<PersistentVolumeClaim>(claim("", ""), claim(R"(,"finalizers":["x"])", ""), "status"),
      no);
  EXPECT_EQ(Update<PersistentVolumeClaim>(claim("", ""), claim("", "")),
            R"(persistentvolumeclaims "c" is forbidden: may only update PVC status)");
}

}  // namespace
}  // namespace podium::apiserver
