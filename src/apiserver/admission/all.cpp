#include "apiserver/admission/all.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "apiserver/admission/plugins.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

struct Known {
  std::string_view name;
  NewPlugin* make;
};
constexpr Known kInOrder[] = {
    {"NamespaceLifecycle", NewNamespaceLifecycle},
    {"LimitRanger", NewLimitRanger},
    {"ServiceAccount", NewServiceAccount},
    {"NodeRestriction", NewNodeRestriction},
    {"TaintNodesByCondition", NewTaintNodesByCondition},
    {"PodSecurity", NewPodSecurity},
    {"Priority", NewPriority},
    {"DefaultTolerationSeconds", NewDefaultTolerationSeconds},
    {"DefaultStorageClass", NewDefaultStorageClass},
    {"StorageObjectInUseProtection", NewStorageObjectInUseProtection},
    {"PersistentVolumeClaimResize", NewPersistentVolumeClaimResize},
    {"RuntimeClass", NewRuntimeClass},
    {"CertificateApproval", NewCertificateApproval},
    {"CertificateSigning", NewCertificateSigning},
    {"CertificateSubjectRestriction", NewCertificateSubjectRestriction},
    {"DefaultIngressClass", NewDefaultIngressClass},
    {"DenyServiceExternalIPs", NewDenyServiceExternalIPs},
    {"PodTopologyLabels", NewPodTopologyLabels},
    {"PodResizeValidator", NewPodResizeValidator},
    {"MutatingAdmissionWebhook", NewMutatingAdmissionWebhook},
    {"ValidatingAdmissionWebhook", NewValidatingAdmissionWebhook},
    {"ResourceQuota", NewResourceQuota},
};
// What upstream has beside them.
constexpr std::string_view kElsewhere[] = {
    "AlwaysAdmit",
    "AlwaysDeny",
    "AlwaysPullImages",
    "ClusterTrustBundleAttest",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "ImagePolicyWebhook",
    "JobValidation",
    "LimitPodHardAntiAffinityTopology",
    "MutatingAdmissionPolicy",
    "NamespaceAutoProvision",
    "NamespaceExists",
    "NodeDeclaredFeatureValidator",
    "OwnerReferencesPermissionEnforcement",
    "PodGroupWorkloadExists",
    "PodNodeSelector",
    "PodTolerationRestriction",
    "ValidatingAdmissionPolicy",
};

bool IsHere(std::string_view name) {
  return std::ranges::find(kInOrder, name, &Known::name) != std::end(kInOrder);
}
bool IsElsewhere(std::string_view name) {
  return std::ranges::find(kElsewhere, name) != std::end(kElsewhere);
}
bool Has(std::span<const std::string> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string Unknown(std::string_view option, std::string_view name) {
  return std::string(option) + " plugin " + reflect::GoQuoted(name) + " is unknown";
}

}  // namespace

Result<void> CheckPlugins(const PluginChoice& choice) {
  std::vector<std::string> wrong;
  std::vector<std::string> both;
  for (const std::string& name : choice.enabled) {
    if (IsElsewhere(name)) {
      wrong.push_back("enable-admission-plugins plugin " + reflect::GoQuoted(name) +
                      " is one of Kubernetes that podium does not have");
    } else if (!IsHere(name)) {
      wrong.push_back(Unknown("enable-admission-plugins", name));
    }
    if (Has(choice.disabled, name) && !Has(both, name)) both.push_back(name);
  }
  for (const std::string& name : choice.disabled) {
    if (!IsHere(name) && !IsElsewhere(name)) {
      wrong.push_back(Unknown("disable-admission-plugins", name));
    }
  }
  if (!both.empty()) {
    std::ranges::sort(both);
    wrong.push_back("[" + Join(both, " ") +
                    "] in enable-admission-plugins and disable-admission-plugins overlapped");
  }
  if (wrong.empty()) return {};
  return Error(Code::kInvalidArgument, Join(wrong, "; "));
}

AdmissionPlugins AllPlugins(const AdmissionDependencies& dependencies, const PluginChoice& choice) {
  AdmissionPlugins plugins;
  for (const auto& [name, make] : kInOrder) {
    if (!Has(choice.disabled, name)) plugins.push_back(make(dependencies));
  }
  return plugins;
}

}  // namespace podium::apiserver
