#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "api/types/certificates_v1.h"
#include "controllers/certificates.h"
#include "controllers/delete_as_read.h"
#include "controllers/keyed_work.h"
#include "pki/certificate.h"

namespace podium::controllers {
namespace {

using api::certificates::v1::CertificateSigningRequest;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "certificatesigningrequest-cleaner-controller";
constexpr std::chrono::hours kPeriod{1};
constexpr std::chrono::seconds kDecided = std::chrono::hours(1);
constexpr std::chrono::seconds kPending = std::chrono::hours(24);

bool IsOlder(api::Time time, std::chrono::seconds than, int64_t now) {
  return !time.IsZero() && now - time.unix_seconds() > than.count();
}

bool HasEnded(const std::string& pem, int64_t now) {
  const auto certificate = pki::Certificate::FromPem(pem);
  return certificate.ok() && now > certificate->not_after();
}

bool IsOver(const CertificateSigningRequest& request, int64_t now) {
  const auto& status = request.status;
  if (status.conditions.empty()) {
    return IsOlder(request.metadata.creationTimestamp, kPending, now);
  }
  const bool issued = !status.certificate.data.empty();
  return std::ranges::any_of(status.conditions, [&](const auto& condition) {
    const bool old = IsOlder(condition.lastUpdateTime, kDecided, now);
    if (condition.type != "Approved") {
      return old && (condition.type == "Denied" || condition.type == "Failed");
    }
    return issued && (old || HasEnded(status.certificate.data, now));
  });
}

// There is one key, "": all of them.
class CertificateCleaning final : public Controller {
 public:
  explicit CertificateCleaning(const ControllerContext& context)
      : connection_(*context.connection),
        clock_(*context.clock),
        requests_(context.informers->For<CertificateSigningRequest>()),
        work_(context, kName, 1, [this](const std::string&) { return Sync(); }) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    work_.Follow(requests_, {});
    work_.Add("");
    work_.Open();
  }

 private:
  Result<Reconciled> Sync() {
    const int64_t now = clock_.Now() / kNanosPerSecond;
    for (const SharedObject& each : requests_.List()) {
      const auto request = each.As<CertificateSigningRequest>();
      if (!IsOver(*request, now)) continue;
      TRY(const client::Target target,
          client::TargetOf(reflect::TypeOf<CertificateSigningRequest>(), {"", ""}));
      TRY_VOID(DeleteAsRead(connection_, target, request->metadata));
    }
    return Reconciled{.requeue_after = kPeriod};
  }

  client::Connection& connection_;
  const Clock& clock_;
  client::Informer& requests_;
  KeyedWork work_;
};

}  // namespace

std::unique_ptr<Controller> MakeCertificateCleaning(const ControllerContext& context) {
  return std::make_unique<CertificateCleaning>(context);
}

}  // namespace podium::controllers
