// NodeRestriction: a node's credential changes what is its own, and no more (upstream's
// k8s.io/kubernetes/plugin/pkg/admission/noderestriction, release 1.36; CVE-2025-5187).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "api/object_meta.h"
#include "api/pod_references.h"
#include "api/status.h"
#include "api/types/authentication_v1.h"
#include "api/types/certificates_v1.h"
#include "api/types/core_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/resource_v1.h"
#include "api/validation/pod_annotations.h"
#include "apiserver/admission/csr.h"
#include "apiserver/admission/node_audience.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/authorization/node_identity.h"
#include "base/text.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::authentication::v1::TokenRequest;
using api::certificates::v1::CertificateSigningRequest;
using api::core::v1::Node;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::resource::v1::ResourceSlice;
using Labels = reflect::Map<std::string>;
using PodPtr = std::shared_ptr<const Pod>;

bool IsWithin(std::string_view name_space, std::string_view domain) {
  return name_space == domain ||
         (name_space.ends_with(domain) && name_space[name_space.size() - domain.size() - 1] == '.');
}

// Labels by which a node says what it is; others of Kubernetes' own would let it draw pods to
// itself that are not meant for it.
bool IsForbiddenLabel(std::string_view key) {
  static constexpr std::array<std::string_view, 11> kKubeletLabels = {
      "kubernetes.io/hostname",
      "topology.kubernetes.io/zone",
      "topology.kubernetes.io/region",
      "failure-domain.beta.kubernetes.io/zone",
      "failure-domain.beta.kubernetes.io/region",
      "beta.kubernetes.io/instance-type",
      "node.kubernetes.io/instance-type",
      "kubernetes.io/os",
      "kubernetes.io/arch",
      "beta.kubernetes.io/os",
      "beta.kubernetes.io/arch",
  };
  const size_t slash = key.find('/');
  const std::string_view name_space = slash == key.npos ? "" : key.substr(0, slash);
  if (IsWithin(name_space, "node-restriction.kubernetes.io")) return true;
  if (!IsWithin(name_space, "kubernetes.io") && !IsWithin(name_space, "k8s.io")) return false;
  return std::ranges::find(kKubeletLabels, key) == kKubeletLabels.end() &&
         !IsWithin(name_space, "kubelet.kubernetes.io") &&
         !IsWithin(name_space, "node.kubernetes.io");
}

// The forbidden ones among those that differ: "a, b"; empty for none.
std::string ForbiddenChanges(const Labels& now, const Labels& before) {
  std::set<std::string_view> changed;
  const auto compare = [&](const Labels& from, const Labels& to) {
    for (const auto& [key, value] : from) {
      const auto other = to.find(key);
      if ((other == to.end() || other->second != value) && IsForbiddenLabel(key)) {
        changed.insert(key);
      }
    }
  };
  compare(now, before);
  compare(before, now);
  return Join(changed, ", ");
}

template <class List>
bool SameElements(const List& a, const List& b) {
  return std::ranges::equal(a, b,
                            [](const auto& x, const auto& y) { return reflect::Equal(x, y); });
}

// A request of one node.
class NodeRequest {
 public:
  NodeRequest(const AdmissionDependencies& dependencies, const AdmissionRequest& request,
              std::string_view node)
      : dependencies_(dependencies),
        request_(request),
        node_(node),
        quoted_(reflect::GoQuoted(node)) {}

  Result<void> Check() const {
    if (node_.empty()) {
      return Forbid("could not determine node from user " + reflect::GoQuoted(request_.user->name));
    }
    const std::string_view resource = request_.resource;
    if (request_.group.empty()) {
      if (resource == "pods") return CheckPods();
      if (resource == "nodes") return CheckNode();
      if (resource == "persistentvolumeclaims") return CheckClaim();
      if (resource == "serviceaccounts") return CheckServiceAccount();
    }
    if (request_.group == "coordination.k8s.io" && resource == "leases") return CheckLease();
    if (request_.group == "storage.k8s.io" && resource == "csinodes") {
      return CheckOwnName("can only access CSINode with the same name as the requesting node");
    }
    if (request_.group == "resource.k8s.io" && resource == "resourceslices") return CheckSlice();
    if (request_.group == "certificates.k8s.io" && resource == "certificatesigningrequests") {
      return CheckCertificate();
    }
    return {};
  }

 private:
  Error Forbid(std::string_view why) const { return request_.Forbid(why); }
  // `node "n" <why>`
  Error ForbidNode(std::string_view why) const {
    return Forbid(fmt::format("node {} {}", quoted_, why));
  }
  Error UnexpectedOperation() const {
    return Forbid("unexpected operation " + reflect::GoQuoted(NameOf(request_.operation)));
  }
  Error UnexpectedType() const { return Forbid("unexpected type"); }

  // Never null.
  Result<PodPtr> FindPod(std::string_view name) const {
    TRY(PodPtr pod, dependencies_.objects.Get<Pod>(request_.namespace_, name));
    if (pod == nullptr) return api::NotFoundError({"", "pod"}, name);
    return pod;
  }

  Result<void> CheckPods() const {
    const std::string_view subresource = request_.subresource;
    if (subresource.empty()) return CheckPod();
    if (subresource == "status") return CheckPodStatus();
    if (subresource == "eviction") return CheckEviction();
    return Forbid(
        fmt::format("unexpected pod subresource {}, only 'status' and 'eviction' are allowed",
                    reflect::GoQuoted(subresource)));
  }

  Result<void> CheckPod() const {
    if (request_.operation == Operation::kCreate) {
      const Pod* pod = request_.As<Pod>();
      if (pod == nullptr) return UnexpectedType();
      TRY_VOID(CheckMirrorPod(*pod));
      return CheckReferences(*pod);
    }
    if (request_.operation == Operation::kDelete) {
      TRY(const PodPtr pod, FindPod(request_.name));
      if (pod->spec.nodeName == node_) return {};
      return ForbidNode("can only delete pods with spec.nodeName set to itself");
    }
    return Forbid(
        fmt::format("unexpected operation {}, node {} can only create and delete mirror pods",
                    reflect::GoQuoted(NameOf(request_.operation)), quoted_));
  }

  Result<void> CheckMirrorPod(const Pod& pod) const {
    if (!pod.metadata.annotations.contains(api::kMirrorPodAnnotation)) {
      return Forbid(
          fmt::format("pod does not have {} annotation, node {} can only create mirror pods",
                      reflect::GoQuoted(api::kMirrorPodAnnotation), quoted_));
    }
    if (pod.spec.nodeName != node_) {
      return ForbidNode("can only create pods with spec.nodeName set to itself");
    }
    const auto& owners = pod.metadata.ownerReferences;
    if (owners.size() > 1) {
      return ForbidNode("can only create pods with a single owner reference set to itself");
    }
    if (owners.empty() || owners[0].apiVersion != "v1" || owners[0].kind != "Node" ||
        owners[0].name != node_) {
      return ForbidNode("can only create pods with an owner reference set to itself");
    }
    if (!owners[0].controller.value_or(false)) {
      return ForbidNode("can only create pods with a controller owner reference set to itself");
    }
    if (owners[0].blockOwnerDeletion.value_or(false)) {
      return ForbidNode("must not set blockOwnerDeletion on an owner reference");
    }
    TRY(const auto node, dependencies_.objects.Get<Node>("", node_));
    if (node == nullptr) return api::NotFoundError({"", "node"}, node_);
    if (owners[0].uid == node->metadata.uid) return {};
    return Forbid(fmt::format("node {} UID mismatch: expected {} got {}", node_, owners[0].uid,
                              node->metadata.uid));
  }

  // By a pod that names a secret a node could read it.
  Result<void> CheckReferences(const Pod& pod) const {
    const auto references = [&](std::string_view what) {
      return ForbidNode(fmt::format("can not create pods that reference {}", what));
    };
    if (!pod.spec.serviceAccountName.empty()) return references("a service account");
    if (api::ReferencesSecrets(pod.spec)) return references("secrets");
    if (api::ReferencesConfigMaps(pod.spec)) return references("configmaps");
    for (const auto& volume : pod.spec.volumes) {
      if (!volume.projected) continue;
      for (const auto& source : volume.projected->sources) {
        if (source.clusterTrustBundle) return references("clustertrustbundles");
      }
    }
    for (const auto& volume : pod.spec.volumes) {
      if (volume.persistentVolumeClaim) return references("persistentvolumeclaims");
    }
    return {};
  }

  Result<void> CheckPodStatus() const {
    if (request_.operation != Operation::kUpdate) return UnexpectedOperation();
    const Pod* pod = request_.As<Pod>();
    const Pod* old = request_.OldAs<Pod>();
    if (pod == nullptr || old == nullptr) return UnexpectedType();
    if (old->spec.nodeName != node_) {
      return ForbidNode("can only update pod status for pods with spec.nodeName set to itself");
    }
    if (pod->metadata.labels != old->metadata.labels) {
      return ForbidNode("cannot update labels through pod status");
    }
    if (!SameElements(pod->status.resourceClaimStatuses, old->status.resourceClaimStatuses)) {
      return ForbidNode("cannot update resource claim statues");
    }
    if (!(pod->status.extendedResourceClaimStatus == old->status.extendedResourceClaimStatus)) {
      return ForbidNode("cannot update extended resource claim status");
    }
    return {};
  }

  Result<void> CheckEviction() const {
    if (request_.operation != Operation::kCreate) {
      return Forbid(fmt::format("unexpected operation {}", NameOf(request_.operation)));
    }
    std::string_view name = request_.name;
    if (name.empty() && request_.metadata() != nullptr) name = request_.metadata()->name;
    if (name.empty()) return Forbid("could not determine pod from request data");
    TRY(const PodPtr pod, FindPod(name));
    if (pod->spec.nodeName == node_) return {};
    return Forbid(
        fmt::format("node {} can only evict pods with spec.nodeName set to itself", node_));
  }

  Result<void> CheckNode() const {
    if (request_.name != node_) {
      return ForbidNode("is not allowed to modify node " + reflect::GoQuoted(request_.name));
    }
    const Node* written = request_.As<Node>();
    if (request_.operation == Operation::kCreate) {
      if (written == nullptr) return UnexpectedType();
      if (written->spec.configSource) {
        return ForbidNode("is not allowed to create pods with a non-nil configSource");
      }
      const std::string labels = ForbiddenChanges(written->metadata.labels, {});
      if (labels.empty()) return {};
      return ForbidNode("is not allowed to set the following labels: " + labels);
    }
    if (request_.operation != Operation::kUpdate) return {};
    const Node* old = request_.OldAs<Node>();
    if (written == nullptr || old == nullptr) return UnexpectedType();
    return CheckNodeUpdate(*written, *old);
  }

  Result<void> CheckNodeUpdate(const Node& written, const Node& old) const {
    if (written.spec.configSource && !(written.spec.configSource == old.spec.configSource)) {
      return ForbidNode("is not allowed to update configSource to a new non-nil configSource");
    }
    if (!SameElements(written.spec.taints, old.spec.taints)) {
      return ForbidNode("is not allowed to modify taints");
    }
    // An owner that is not there: the garbage collector would delete the node, which could then
    // register anew without its taints and labels.
    if (!SameElements(written.metadata.ownerReferences, old.metadata.ownerReferences)) {
      return ForbidNode("is not allowed to modify ownerReferences");
    }
    const std::string labels = ForbiddenChanges(written.metadata.labels, old.metadata.labels);
    if (labels.empty()) return {};
    return Forbid("is not allowed to modify labels: " + labels);
  }

  Result<void> CheckClaim() const {
    if (request_.subresource != "status") return Forbid("may only update PVC status");
    if (request_.operation != Operation::kUpdate) return UnexpectedOperation();
    const auto* written = request_.As<PersistentVolumeClaim>();
    const auto* old = request_.OldAs<PersistentVolumeClaim>();
    if (written == nullptr || old == nullptr) return UnexpectedType();
    if (reflect::Equal(WithoutNodesFields(*written), WithoutNodesFields(*old))) return {};
    // Upstream's sentence goes on with a diff as its library draws it, for people only.
    return ForbidNode(
        "is not allowed to update fields other than status.quantity and status.conditions");
  }

  // A claim without what nodes may write.
  static PersistentVolumeClaim WithoutNodesFields(const PersistentVolumeClaim& claim) {
    PersistentVolumeClaim rest = reflect::Copy(claim);
    rest.kind.clear();
    rest.apiVersion.clear();
    rest.metadata.resourceVersion.clear();
    rest.metadata.managedFields.clear();
    rest.status.capacity.clear();
    rest.status.conditions.clear();
    rest.status.allocatedResourceStatuses.clear();
    rest.status.allocatedResources.clear();
    return rest;
  }

  Result<void> CheckServiceAccount() const {
    if (request_.operation != Operation::kCreate || request_.subresource != "token") return {};
    const auto* asked = request_.As<TokenRequest>();
    if (asked == nullptr) return UnexpectedType();
    const auto* bound = asked->spec.boundObjectRef.get();
    if (bound == nullptr || bound->apiVersion != "v1" || bound->kind != "Pod" ||
        bound->name.empty()) {
      return Forbid("node requested token not bound to a pod");
    }
    if (bound->uid.empty()) {
      return Forbid("node requested token with a pod binding without a uid");
    }
    TRY(const PodPtr pod, FindPod(bound->name));
    if (bound->uid != pod->metadata.uid) {
      return Forbid(fmt::format(
          "the UID in the bound object reference ({}) does not match the UID in record. The object "
          "might have been deleted and then recreated",
          bound->uid));
    }
    if (pod->spec.nodeName != node_) {
      return Forbid("node requested token bound to a pod scheduled on a different node");
    }
    if (const auto problem = AudienceProblem(dependencies_, request_, *asked, *pod)) {
      return Forbid(*problem);
    }
    return {};
  }

  Result<void> CheckLease() const {
    if (request_.namespace_ != "kube-node-lease") {
      return Forbid("can only access leases in the \"kube-node-lease\" system namespace");
    }
    return CheckOwnName("can only access node lease with the same name as the requesting node");
  }

  Result<void> CheckOwnName(std::string_view why) const {
    std::string_view name = request_.name;
    if (request_.operation == Operation::kCreate) {
      name = request_.metadata() != nullptr ? std::string_view(request_.metadata()->name) : "";
    }
    return name == node_ ? Result<void>() : Forbid(why);
  }

  Result<void> CheckSlice() const {
    const bool created = request_.operation == Operation::kCreate;
    if (!created && request_.operation != Operation::kDelete) return {};
    const ResourceSlice* slice =
        created ? request_.As<ResourceSlice>() : request_.OldAs<ResourceSlice>();
    if (slice == nullptr) return UnexpectedType();
    if (slice->spec.nodeName && *slice->spec.nodeName == node_) return {};
    return Forbid(
        fmt::format("can only {} ResourceSlice with the same NodeName as the requesting node",
                    created ? "create" : "delete"));
  }

  Result<void> CheckCertificate() const {
    if (request_.operation != Operation::kCreate) return {};
    const auto* written = request_.As<CertificateSigningRequest>();
    if (written == nullptr) return UnexpectedType();
    if (written->spec.signerName != "kubernetes.io/kubelet-serving" &&
        written->spec.signerName != "kubernetes.io/kube-apiserver-client-kubelet") {
      return {};
    }
    const auto subject = SubjectOf(*written);
    if (!subject.ok()) return Forbid("unable to parse csr: " + subject.error().message());
    const std::string own = fmt::format("{}{}", kNodeUserPrefix, node_);
    if (subject->common_name == own) return {};
    return Forbid("can only create a node CSR with CN=" + own);
  }

  const AdmissionDependencies& dependencies_;
  const AdmissionRequest& request_;
  const std::string_view node_;
  const std::string quoted_;
};

class NodeRestriction final : public AdmissionPlugin {
 public:
  explicit NodeRestriction(const AdmissionDependencies& dependencies)
      : dependencies_(dependencies) {}

  std::string_view name() const override { return "NodeRestriction"; }
  bool Handles(Operation operation) const override { return operation != Operation::kConnect; }

  Result<void> Admit(AdmissionRequest& request) override {
    const auto node = NodeIdentity(*request.user);
    return node ? NodeRequest(dependencies_, request, *node).Check() : Result<void>();
  }

 private:
  const AdmissionDependencies dependencies_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewNodeRestriction(const AdmissionDependencies& dependencies) {
  return std::make_unique<NodeRestriction>(dependencies);
}

}  // namespace podium::apiserver
