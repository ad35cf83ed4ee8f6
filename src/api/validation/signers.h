// Names of certificate signers and of what they sign for (upstream's pkg/apis/core/validation,
// release 1.36).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "reflect/values.h"

namespace podium::api {

// Whether the domain is the Kubernetes project's: kubernetes.io/kube-apiserver-client.
bool IsKubernetesSignerName(std::string_view name);

// example.com/signer-name, up to 571 characters.
field::ErrorList ValidateSignerName(std::string_view name, const field::Path& path);

// A bundle of a signer is named after it (example.com:signer:bundle), any other is a DNS subdomain.
std::vector<std::string> ClusterTrustBundleNameProblems(std::string_view name);

// What a pod tells the signer of its certificates: keys carry a domain. Errors show keys in small
// letters, as upstream's do.
field::ErrorList ValidateUserAnnotations(const reflect::Map<std::string>& annotations,
                                         const field::Path& path);

}  // namespace podium::api
