// The plugins that upstream has on by default
// (k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go, release 1.36), in its order, without
// those that have nothing to do here:
//   MutatingAdmissionPolicy, ValidatingAdmissionPolicy   need CEL, and are not served
//   ClusterTrustBundleAttest, PodGroupWorkloadExists, JobValidation   guard kinds or fields that
//                                                        are not served
//   NodeDeclaredFeatureValidator   no node of podium's declares features
// and with NodeRestriction, which upstream's installers turn on, as node credentials need it.
#pragma once

#include <memory>
#include <vector>

#include "apiserver/admission/admission.h"

namespace podium::apiserver {

using AdmissionPlugins = std::vector<std::unique_ptr<AdmissionPlugin>>;

AdmissionPlugins AllPlugins(const AdmissionDependencies& dependencies);

}  // namespace podium::apiserver
