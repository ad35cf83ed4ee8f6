#include "controllers/certificate_rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "base/text.h"
#include "pki/pem.h"

namespace podium::controllers {
namespace {

using api::certificates::v1::CertificateSigningRequest;
using api::certificates::v1::CertificateSigningRequestSpec;
using Usages = std::set<std::string_view>;

constexpr std::string_view kDigitalSignature = "digital signature";
constexpr std::string_view kKeyEncipherment = "key encipherment";
constexpr std::string_view kClientAuth = "client auth";
constexpr std::string_view kServerAuth = "server auth";
constexpr int64_t kLeastSeconds = 600;

Usages UsagesOf(const CertificateSigningRequestSpec& spec) {
  return {spec.usages.begin(), spec.usages.end()};
}

// Keys other than RSA do without encipherment.
std::string UsageProblem(const Usages& usages, std::string_view auth) {
  const Usages all = {auth, kDigitalSignature, kKeyEncipherment};
  if (usages == all || usages == Usages{auth, kDigitalSignature}) return "";
  return "usages did not match [" + Join(all, " ") + "]";
}

bool IsOfNodes(const pki::Subject& subject) {
  return subject.organizations == std::vector<std::string>{"system:nodes"};
}

std::string CommonNameProblem(const pki::Subject& subject) {
  if (subject.common_name.starts_with("system:node:")) return "";
  return "subject common name does not begin with system:node:";
}

std::string KubeletClientProblem(const pki::CertificateRequest& asked, const Usages& usages) {
  if (!IsOfNodes(asked.subject())) return "subject organization is not system:nodes";
  const pki::AlternativeNames& names = asked.alternative_names();
  if (!names.dns.empty()) return "DNS subjectAltNames are not allowed";
  if (!names.emails.empty()) return "Email subjectAltNames are not allowed";
  if (!names.addresses.empty()) return "IP subjectAltNames are not allowed";
  if (!names.uris.empty()) return "URI subjectAltNames are not allowed";
  if (std::string problem = CommonNameProblem(asked.subject()); !problem.empty()) return problem;
  return UsageProblem(usages, kClientAuth);
}

std::string KubeletServingProblem(const pki::CertificateRequest& asked, const Usages& usages) {
  if (!IsOfNodes(asked.subject())) return "subject organization is not system:nodes";
  const pki::AlternativeNames& names = asked.alternative_names();
  if (names.dns.empty() && names.addresses.empty()) return "DNS or IP subjectAltName is required";
  if (!names.emails.empty()) return "Email subjectAltNames are not allowed";
  if (!names.uris.empty()) return "URI subjectAltNames are not allowed";
  if (std::string problem = UsageProblem(usages, kServerAuth); !problem.empty()) return problem;
  return CommonNameProblem(asked.subject());
}

std::string ClientProblem(const CertificateSigningRequestSpec& spec) {
  bool has_client_auth = false;
  for (const std::string& usage : spec.usages) {
    if (usage == kClientAuth) {
      has_client_auth = true;
    } else if (usage != kDigitalSignature && usage != kKeyEncipherment) {
      return "invalid usage for client certificate: " + usage;
    }
  }
  if (has_client_auth) return "";
  return "missing required usage for client certificate: client auth";
}

}  // namespace

Result<pki::CertificateRequest> ParseRequest(const CertificateSigningRequest& request) {
  std::string_view pem = request.spec.request.data;
  const auto block = pki::TakePemBlock(&pem);
  if (!block || block->type != "CERTIFICATE REQUEST") {
    return Error(Code::kInvalidArgument, "PEM block type must be CERTIFICATE REQUEST");
  }
  return pki::CertificateRequest::FromDer(block->bytes);
}

bool IsOwnSigner(std::string_view signer) {
  return signer == kClientSigner || signer == kKubeletClientSigner ||
         signer == kKubeletServingSigner || signer == kLegacySigner;
}

std::string ProblemForSigner(const pki::CertificateRequest& asked,
                             const CertificateSigningRequestSpec& spec) {
  if (spec.signerName == kKubeletClientSigner) return KubeletClientProblem(asked, UsagesOf(spec));
  if (spec.signerName == kKubeletServingSigner) return KubeletServingProblem(asked, UsagesOf(spec));
  if (spec.signerName == kClientSigner) return ClientProblem(spec);
  // kLegacySigner takes everything.
  return "";
}

bool HasCondition(const CertificateSigningRequest& request, std::string_view type) {
  return std::ranges::any_of(request.status.conditions,
                             [&](const auto& condition) { return condition.type == type; });
}

bool IsApproved(const CertificateSigningRequest& request) {
  return HasCondition(request, "Approved") && !HasCondition(request, "Denied");
}

int64_t CertificateSeconds(const std::optional<int32_t>& asked, int64_t most) {
  if (!asked) return most;
  return std::min(most, std::max<int64_t>(*asked, kLeastSeconds));
}

}  // namespace podium::controllers
