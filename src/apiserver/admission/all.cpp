#include "apiserver/admission/all.h"

#include "apiserver/admission/plugins.h"

namespace podium::apiserver {

AdmissionPlugins AllPlugins(const AdmissionDependencies& dependencies) {
  static constexpr NewPlugin* kInOrder[] = {
      NewNamespaceLifecycle,
      NewLimitRanger,
      NewServiceAccount,
      NewNodeRestriction,
      NewTaintNodesByCondition,
      NewPodSecurity,
      NewPriority,
      NewDefaultTolerationSeconds,
      NewDefaultStorageClass,
      NewStorageObjectInUseProtection,
      NewPersistentVolumeClaimResize,
      NewRuntimeClass,
      NewCertificateApproval,
      NewCertificateSigning,
      NewCertificateSubjectRestriction,
      NewDefaultIngressClass,
      NewPodTopologyLabels,
      NewPodResizeValidator,
      NewMutatingAdmissionWebhook,
      NewValidatingAdmissionWebhook,
      NewResourceQuota,
  };
  AdmissionPlugins plugins;
  for (NewPlugin* make : kInOrder) plugins.push_back(make(dependencies));
  return plugins;
}

}  // namespace podium::apiserver
