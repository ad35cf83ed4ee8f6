// How each plugin is made. Internal to the folder; all.h has the list.
#pragma once

#include <memory>

#include "apiserver/admission/admission.h"

namespace podium::apiserver {

using NewPlugin = std::unique_ptr<AdmissionPlugin>(const AdmissionDependencies& dependencies);

// Each has the name of its plugin.
NewPlugin NewNamespaceLifecycle;
NewPlugin NewLimitRanger;
NewPlugin NewServiceAccount;
NewPlugin NewNodeRestriction;
NewPlugin NewTaintNodesByCondition;
NewPlugin NewPodSecurity;
NewPlugin NewPriority;
NewPlugin NewDefaultTolerationSeconds;
NewPlugin NewDefaultStorageClass;
NewPlugin NewStorageObjectInUseProtection;
NewPlugin NewPersistentVolumeClaimResize;
NewPlugin NewRuntimeClass;
NewPlugin NewCertificateApproval;
NewPlugin NewCertificateSigning;
NewPlugin NewCertificateSubjectRestriction;
NewPlugin NewDefaultIngressClass;
NewPlugin NewDenyServiceExternalIPs;
NewPlugin NewPodTopologyLabels;
NewPlugin NewPodResizeValidator;
NewPlugin NewMutatingAdmissionWebhook;
NewPlugin NewValidatingAdmissionWebhook;
NewPlugin NewResourceQuota;

}  // namespace podium::apiserver
