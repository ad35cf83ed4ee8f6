#include <string>
#include <string_view>
#include <utility>

#include "api/types/certificates_v1.h"
#include "controllers/certificate_rules.h"
#include "controllers/certificates.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::certificates::v1::CertificateSigningRequest;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "certificatesigningrequest-signing-controller";
// Upstream's --cluster-signing-duration.
constexpr int64_t kMostSeconds = int64_t{365} * 24 * 3600;

class CertificateSigning final : public Controller {
 public:
  CertificateSigning(const ControllerContext& context, const pki::CertificateAuthority& authority)
      : connection_(*context.connection),
        clock_(*context.clock),
        authority_(authority),
        requests_(context.informers->For<CertificateSigningRequest>()),
        work_(context, kName, 5, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    work_.FollowKeys(requests_);
    work_.Open();
  }

 private:
  Result<Reconciled> Sync(const std::string& name) {
    const auto request = requests_.Get<CertificateSigningRequest>({"", name});
    if (request == nullptr || !request->status.certificate.data.empty()) return Reconciled();
    if (!IsApproved(*request) || HasCondition(*request, "Failed")) return Reconciled();
    if (!IsOwnSigner(request->spec.signerName)) return Reconciled();
    TRY(const pki::CertificateRequest asked, ParseRequest(*request));
    CertificateSigningRequest answered = reflect::Copy(*request);
    const int64_t now = clock_.Now() / kNanosPerSecond;
    if (std::string problem = ProblemForSigner(asked, request->spec); !problem.empty()) {
      auto& failed = answered.status.conditions.emplace_back();
      failed.type = "Failed";
      failed.status = "True";
      failed.reason = "SignerValidationFailure";
      failed.message = std::move(problem);
      failed.lastUpdateTime = api::Time::FromUnix(now);
    } else {
      pki::Usages usages;
      for (const std::string& usage : request->spec.usages) {
        if (!pki::SetUsage(usage, &usages)) {
          return Error(Code::kInvalidArgument, "unrecognized usage values: [" + usage + "]");
        }
      }
      const int64_t seconds = CertificateSeconds(request->spec.expirationSeconds, kMostSeconds);
      TRY(const pki::Certificate signed_one, authority_.Sign(asked, usages, now, seconds));
      answered.status.certificate = {.data = signed_one.Pem(), .present = true};
    }
    TRY(const client::Target target,
        client::TargetOf(reflect::TypeOf<CertificateSigningRequest>(), {"", name}, "status"));
    const auto written = connection_.Update(target, answered, {});
    if (!written.ok() && written.error().code() != Code::kNotFound) return written.error();
    return Reconciled();
  }

  client::Connection& connection_;
  const Clock& clock_;
  const pki::CertificateAuthority& authority_;
  client::Informer& requests_;
  KeyedWork work_;
};

}  // namespace

std::unique_ptr<Controller> MakeCertificateSigning(const ControllerContext& context,
                                                   const pki::CertificateAuthority& authority) {
  return std::make_unique<CertificateSigning>(context, authority);
}

}  // namespace podium::controllers
