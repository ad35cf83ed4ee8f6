#include "controllers/service_repair.h"

#include <chrono>
#include <utility>

#include "client/event_recorder.h"
#include "client/work_queue.h"

namespace podium::controllers {
namespace {

constexpr std::string_view kName = "service-repair";
// Upstream's components.
constexpr const char* kAddresses = "ipallocator-repair-controller";
constexpr const char* kPorts = "portallocator-repair-controller";
constexpr std::chrono::minutes kInterval{3};

class ServiceRepair final : public Controller {
 public:
  ServiceRepair(const ControllerContext& context,
                std::function<Result<std::vector<ServiceProblem>>()> repair)
      : repair_(std::move(repair)),
        addresses_(*context.connection, *context.clock, kAddresses),
        ports_(*context.connection, *context.clock, kPorts),
        tell_error_(context.on_error),
        queue_({.executor = context.executor,
                .clock = context.clock,
                .reconcile = [this](const std::string&) { return Sync(); },
                .on_error =
                    [tell = context.on_error](const std::string& key, const Error& error) {
                      if (tell) tell(kName, key, error);
                    }}) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    queue_.Add("services");
    queue_.Open();
  }

 private:
  Result<client::Reconciled> Sync() {
    TRY(const auto problems, repair_());
    for (const ServiceProblem& each : problems) {
      api::core::v1::ObjectReference about;
      about.kind = "Service";
      about.apiVersion = "v1";
      about.namespace_ = each.namespace_;
      about.name = each.name;
      about.uid = each.uid;
      auto& recorder = each.reason.starts_with("Port") ? ports_ : addresses_;
      // What is mended is mended, also when nobody hears of it.
      const auto told = recorder.Record(about, "Warning", each.reason, each.message);
      if (!told.ok() && tell_error_) {
        tell_error_(kName, each.namespace_ + "/" + each.name, told.error());
      }
    }
    return client::Reconciled{.requeue_after = kInterval};
  }

  const std::function<Result<std::vector<ServiceProblem>>()> repair_;
  client::EventRecorder addresses_;
  client::EventRecorder ports_;
  const decltype(ControllerContext::on_error) tell_error_;
  client::WorkQueue queue_;
};

}  // namespace

std::unique_ptr<Controller> MakeServiceRepair(
    const ControllerContext& context, std::function<Result<std::vector<ServiceProblem>>()> repair) {
  return std::make_unique<ServiceRepair>(context, std::move(repair));
}

}  // namespace podium::controllers
