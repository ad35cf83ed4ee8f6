// What CertificateSigningRequests may ask of which signer (upstream's pkg/apis/certificates and
// pkg/controller/certificates, release 1.36). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/types/certificates_v1.h"
#include "base/result.h"
#include "pki/certificate.h"

namespace podium::controllers {

inline constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";
inline constexpr std::string_view kKubeletClientSigner =
    "kubernetes.io/kube-apiserver-client-kubelet";
inline constexpr std::string_view kKubeletServingSigner = "kubernetes.io/kubelet-serving";
inline constexpr std::string_view kLegacySigner = "kubernetes.io/legacy-unknown";

// The request in spec.request. kInvalidArgument in upstream's words.
Result<pki::CertificateRequest> ParseRequest(
    const api::certificates::v1::CertificateSigningRequest& request);

// Whether the signer is one of the four that a cluster has.
bool IsOwnSigner(std::string_view signer);

// What is wrong with it for the signer that it names, one of the four; "" when nothing is. Of
// several faults the one that upstream names.
std::string ProblemForSigner(const pki::CertificateRequest& asked,
                             const api::certificates::v1::CertificateSigningRequestSpec& spec);

// Approved, and by nobody denied.
bool IsApproved(const api::certificates::v1::CertificateSigningRequest& request);
bool HasCondition(const api::certificates::v1::CertificateSigningRequest& request,
                  std::string_view type);

// How long a certificate is valid: as asked, but for ten minutes at least and `most` at most.
int64_t CertificateSeconds(const std::optional<int32_t>& asked, int64_t most);

}  // namespace podium::controllers
