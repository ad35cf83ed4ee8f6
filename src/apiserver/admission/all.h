// Which plugins there are: those that upstream has on by default
// (k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go, release 1.36), in its order, without
// those that have nothing to do here:
//   MutatingAdmissionPolicy, ValidatingAdmissionPolicy   need CEL, and are not served
//   ClusterTrustBundleAttest, PodGroupWorkloadExists, JobValidation   guard kinds or fields that
//                                                        are not served
//   NodeDeclaredFeatureValidator   no node of podium's declares features
// and with two that it has off:
//   NodeRestriction          which its installers turn on, as node credentials need it
//   DenyServiceExternalIPs   who may write Services could else take others' traffic: CVE-2020-8554,
//                            docs/decisions/0006-external-addresses.md
// All are on; an administrator may turn each off.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/admission/admission.h"

namespace podium::apiserver {

using AdmissionPlugins = std::vector<std::unique_ptr<AdmissionPlugin>>;

// --enable-admission-plugins and --disable-admission-plugins; what neither names is as it is by
// default. Order does not matter.
struct PluginChoice {
  std::vector<std::string> enabled{};
  std::vector<std::string> disabled{};
};
// kInvalidArgument, in upstream's words and all of it: names of no plugin, names in both, and
// plugins to enable that upstream has and this server does not. (Those may be disabled: they are
// off.)
Result<void> CheckPlugins(const PluginChoice& choice);

// In their order. The choice was checked.
AdmissionPlugins AllPlugins(const AdmissionDependencies& dependencies,
                            const PluginChoice& choice = {});

}  // namespace podium::apiserver
