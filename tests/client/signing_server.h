// A fake server that signs CertificateSigningRequests like a cluster's controllers do: those for
// kubelets' clients by itself, others once they are approved.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/types/certificates_v1.h"
#include "client/fake_server.h"
#include "client/paths.h"
#include "pki/certificate_authority.h"
#include "reflect/copy.h"

namespace podium::client {

class SigningServer : public FakeServer {
 public:
  explicit SigningServer(const Clock& clock) : FakeServer(clock), signing_clock_(clock) {}

  Result<SharedObject> Get(const Target& target,
                           const api::meta::v1::GetOptions& options) override {
    if (target.resource == "certificatesigningrequests") Sign(target);
    return FakeServer::Get(target, options);
  }

  bool signs = true;
  std::string refuses_with;  // a condition: "Denied", "Failed"
  std::vector<std::string> signed_for;
  int64_t seconds = 36000;
  pki::CertificateAuthority authority =
      *pki::CertificateAuthority::Create("ca", 0, int64_t{1} << 33);

 private:
  using Request = api::certificates::v1::CertificateSigningRequest;

  void Sign(const Target& target) {
    const auto got = FakeServer::Get(target, {});
    if (!got.ok() || !signs) return;
    Request request = reflect::Copy(*got->As<Request>());
    auto& status = request.status;
    if (!status.certificate.data.empty()) return;
    const bool approved = !status.conditions.empty() ||
                          request.spec.signerName == "kubernetes.io/kube-apiserver-client-kubelet";
    if (!approved) return;
    if (!refuses_with.empty()) {
      auto& condition = status.conditions.emplace_back();
      condition.type = refuses_with;
      condition.reason = "No";
      condition.message = "not you";
    } else {
      const auto asked = pki::CertificateRequest::FromPem(request.spec.request.data);
      const auto made = authority.Sign(*asked, {.digital_signature = true},
                                       signing_clock_.Now() / kNanosPerSecond, seconds);
      status.certificate = {.data = made->Pem(), .present = true};
      signed_for.push_back(request.spec.signerName);
    }
    Target whole = target;
    whole.subresource = "status";
    (void)FakeServer::Update(whole, request, {});
  }

  const Clock& signing_clock_;
};

}  // namespace podium::client
