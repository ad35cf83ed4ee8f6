#include "controllers/expiry.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "api/types/coordination_v1.h"
#include "api/types/core_v1.h"
#include "controllers/delete_as_read.h"
#include "controllers/keyed_work.h"

namespace podium::controllers {
namespace {

using api::coordination::v1::Lease;
using api::coordination::v1::LeaseSpec;
using api::core::v1::Event;
using api::meta::v1::ObjectMeta;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kEventsName = "event-expiry-controller";
constexpr std::string_view kLeasesName = "apiserver-lease-garbage-collector";
constexpr std::chrono::hours kEventLife{1};
constexpr std::chrono::hours kLeasePeriod{1};
constexpr int64_t kMicrosPerSecond = 1'000'000;

// Times that are yet to come were made up by a client.
api::Time LastWrite(const ObjectMeta& object, api::Time now) {
  api::Time last = object.creationTimestamp;
  for (const auto& entry : object.managedFields) {
    if (entry.time && *entry.time <= now) last = std::max(last, *entry.time);
  }
  return last;
}

class EventExpiry final : public Controller {
 public:
  explicit EventExpiry(const ControllerContext& context)
      : connection_(*context.connection),
        clock_(*context.clock),
        target_(*client::TargetOf(reflect::TypeOf<Event>(), {"", ""})),
        events_(context.informers->For(MetadataOnly(target_))),
        work_(context, kEventsName, 2, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kEventsName; }
  void Start() override {
    const auto add = [this](const SharedObject& object) { work_.Add(client::KeyOf(object)); };
    // A later write needs no telling: the key waits for the first one, and looks then.
    work_.Follow(events_, {.on_add = [=](const auto& event, bool) { add(event); }});
    work_.Open();
  }

 private:
  static client::Target MetadataOnly(client::Target target) {
    target.metadata_only = true;
    return target;
  }
  Result<Reconciled> Sync(const std::string& key) {
    const SharedObject event = events_.Get(key);
    if (!event) return Reconciled();
    const auto now = api::Time::FromUnix(clock_.Now() / kNanosPerSecond);
    const std::chrono::seconds age(now.unix_seconds() -
                                   LastWrite(*event.meta(), now).unix_seconds());
    if (age < kEventLife) return Reconciled{.requeue_after = kEventLife - age};
    TRY_VOID(DeleteAsRead(connection_, target_, *event.meta()));
    // For one that was written at this moment; there is nothing to do if it is gone.
    return Reconciled{.requeue_after = std::chrono::seconds(1)};
  }

  client::Connection& connection_;
  const Clock& clock_;
  const client::Target target_;
  client::Informer& events_;
  KeyedWork work_;
};

bool IsExpired(const LeaseSpec& lease, int64_t now) {
  if (!lease.renewTime || !lease.leaseDurationSeconds) return true;
  return lease.renewTime->unix_micros() + *lease.leaseDurationSeconds * kMicrosPerSecond <
         now / (kNanosPerSecond / kMicrosPerSecond);
}

// There is one key, "": the whole list.
class ServerLeaseExpiry final : public Controller {
 public:
  explicit ServerLeaseExpiry(const ControllerContext& context)
      : connection_(*context.connection),
        clock_(*context.clock),
        target_(*client::TargetOf(reflect::TypeOf<Lease>(), {"kube-system", ""})),
        work_(context, kLeasesName, 1, [this](const std::string&) { return Sync(); }) {}

  std::string_view name() const override { return kLeasesName; }
  void Start() override {
    work_.Add("");
    work_.Open();
  }

 private:
  Result<Reconciled> Sync() {
    api::meta::v1::ListOptions options;
    options.labelSelector = "apiserver.kubernetes.io/identity=kube-apiserver";
    TRY(const client::ObjectList leases, connection_.List(target_, options));
    const int64_t now = clock_.Now();
    for (const SharedObject& each : leases.items) {
      const auto lease = each.As<Lease>();
      if (lease == nullptr || !IsExpired(lease->spec, now)) continue;
      TRY_VOID(DeleteAsRead(connection_, target_, lease->metadata));
    }
    return Reconciled{.requeue_after = kLeasePeriod};
  }

  client::Connection& connection_;
  const Clock& clock_;
  const client::Target target_;
  KeyedWork work_;
};

}  // namespace

std::unique_ptr<Controller> MakeEventExpiry(const ControllerContext& context) {
  return std::make_unique<EventExpiry>(context);
}

std::unique_ptr<Controller> MakeServerLeaseExpiry(const ControllerContext& context) {
  return std::make_unique<ServerLeaseExpiry>(context);
}

}  // namespace podium::controllers
