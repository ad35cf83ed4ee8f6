// CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may approve and
// sign what, and that nobody gets a certificate of the administrators' group by asking (upstream's
// k8s.io/kubernetes/plugin/pkg/admission/certificates, release 1.36).
#include <algorithm>

#include "api/types/certificates_v1.h"
#include "apiserver/admission/csr.h"
#include "apiserver/admission/plugins.h"
#include "pki/pem.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::certificates::v1::CertificateSigningRequest;

constexpr std::string_view kGroup = "certificates.k8s.io";
constexpr std::string_view kRequests = "certificatesigningrequests";
constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";

// The verb on the signer of this name, or on all of its domain: `kubernetes.io/*`.
bool MayUseSigner(const Authorizer& authorizer, const User& user, std::string_view verb,
                  std::string_view signer) {
  const std::string domain = std::string(signer.substr(0, signer.find('/'))) + "/*";
  for (const std::string_view name : {signer, std::string_view(domain)}) {
    const Authorization answer = authorizer.Authorize({.user = user,
                                                       .verb = verb,
                                                       .group = kGroup,
                                                       .version = "*",
                                                       .resource = "signers",
                                                       .name = name});
    if (answer.decision == Decision::kAllow) return true;
  }
  return false;
}

class CertificateApproval final : public AdmissionPlugin {
 public:
  explicit CertificateApproval(const Authorizer& authorizer) : authorizer_(authorizer) {}

  std::string_view name() const override { return "CertificateApproval"; }
  bool Handles(Operation operation) const override { return operation == Operation::kUpdate; }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is(kGroup, kRequests, "approval")) return {};
    // By the old one: who writes may have put another name into the new one.
    const auto* old = request.OldAs<CertificateSigningRequest>();
    if (old == nullptr) return request.Forbid("expected type CertificateSigningRequest");
    if (MayUseSigner(authorizer_, *request.user, "approve", old->spec.signerName)) return {};
    return request.Forbid("user not permitted to approve requests with signerName " +
                          reflect::GoQuoted(old->spec.signerName));
  }

 private:
  const Authorizer& authorizer_;
};

class CertificateSigning final : public AdmissionPlugin {
 public:
  explicit CertificateSigning(const Authorizer& authorizer) : authorizer_(authorizer) {}

  std::string_view name() const override { return "CertificateSigning"; }
  bool Handles(Operation operation) const override { return operation == Operation::kUpdate; }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is(kGroup, kRequests, "status")) return {};
    const auto* written = request.As<CertificateSigningRequest>();
    const auto* old = request.OldAs<CertificateSigningRequest>();
    if (written == nullptr || old == nullptr) {
      return request.Forbid("expected type CertificateSigningRequest");
    }
    if (written->status.certificate == old->status.certificate &&
        std::ranges::equal(written->status.conditions, old->status.conditions,
                           [](const auto& a, const auto& b) { return reflect::Equal(a, b); })) {
      return {};
    }
    if (MayUseSigner(authorizer_, *request.user, "sign", old->spec.signerName)) return {};
    return request.Forbid("user not permitted to sign requests with signerName " +
                          reflect::GoQuoted(old->spec.signerName));
  }

 private:
  const Authorizer& authorizer_;
};

class CertificateSubjectRestriction final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "CertificateSubjectRestriction"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is(kGroup, kRequests)) return {};
    const auto* written = request.As<CertificateSigningRequest>();
    if (written == nullptr || written->spec.signerName != kClientSigner) return {};
    const auto subject = SubjectOf(*written);
    if (!subject.ok()) return request.Forbid("failed to parse CSR: " + subject.error().message());
    if (std::ranges::find(subject->organizations, kMastersGroup) == subject->organizations.end()) {
      return {};
    }
    return request.Forbid(
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not "
        "allowed");
  }
};

}  // namespace

Result<pki::Subject> SubjectOf(const CertificateSigningRequest& request) {
  std::string_view pem = request.spec.request.data;
  const auto block = pki::TakePemBlock(&pem);
  if (!block || block->type != "CERTIFICATE REQUEST") {
    return Error(Code::kInvalidArgument, "PEM block type must be CERTIFICATE REQUEST");
  }
  TRY(const pki::CertificateRequest asked, pki::CertificateRequest::FromDer(block->bytes));
  return asked.subject();
}

std::unique_ptr<AdmissionPlugin> NewCertificateApproval(const AdmissionDependencies& dependencies) {
  return std::make_unique<CertificateApproval>(dependencies.authorizer);
}
std::unique_ptr<AdmissionPlugin> NewCertificateSigning(const AdmissionDependencies& dependencies) {
  return std::make_unique<CertificateSigning>(dependencies.authorizer);
}
std::unique_ptr<AdmissionPlugin> NewCertificateSubjectRestriction(const AdmissionDependencies&) {
  return std::make_unique<CertificateSubjectRestriction>();
}

}  // namespace podium::apiserver
