// DenyServiceExternalIPs (upstream's k8s.io/kubernetes/plugin/pkg/admission/network/
// denyserviceexternalips, release 1.36): no Service gets an external address that it does not have
// already (CVE-2020-8554).
#include <algorithm>

#include "api/types/core_v1.h"
#include "apiserver/admission/plugins.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;

class DenyServiceExternalIPs final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "DenyServiceExternalIPs"; }
  bool Handles(Operation operation) const override {
    return operation == Operation::kCreate || operation == Operation::kUpdate;
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is("", "services")) return {};
    const auto* const service = request.As<Service>();
    if (service == nullptr) return {};
    const auto* const old = request.OldAs<Service>();
    const bool had_all =
        std::ranges::all_of(service->spec.externalIPs, [&](const std::string& address) {
          return old != nullptr &&
                 std::ranges::find(old->spec.externalIPs, address) != old->spec.externalIPs.end();
        });
    if (had_all) return {};
    return request.Forbid("Use of external IPs is denied by admission control");
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewDenyServiceExternalIPs(
    const AdmissionDependencies& dependencies) {
  (void)dependencies;
  return std::make_unique<DenyServiceExternalIPs>();
}

}  // namespace podium::apiserver
