#include "node/cluster/node_lease.h"

#include <algorithm>
#include <utility>

#include "api/types/core_v1.h"
#include "reflect/copy.h"

namespace podium::node {
namespace {

using std::chrono::nanoseconds;

constexpr const char* kNamespace = "kube-node-lease";
const std::string kLease = "lease";
constexpr int kMaxUpdates = 5;  // maxUpdateRetries
constexpr std::chrono::milliseconds kFirstBackOff{200};
constexpr std::chrono::seconds kMaxBackOff{7};
constexpr double kJitter = 0.04;

client::Target Target(const std::string& name) {
  return {"coordination.k8s.io", "v1", "leases", kNamespace, name};
}

}  // namespace

NodeLease::NodeLease(Parts parts)
    : parts_(std::move(parts)),
      work_(
          {.executor = &parts_.executor, .clock = &parts_.clock, .reconcile = [this](const auto&) {
             return Result<client::Reconciled>(client::Reconciled{.requeue_after = Round()});
           }}) {}

NodeLease::~NodeLease() { Stop(); }

void NodeLease::Start() {
  work_.Open();
  work_.Add(kLease);
}

void NodeLease::Stop() { work_.ShutDown(); }

nanoseconds NodeLease::NextRenewal() const {
  const nanoseconds period = kRenewal;
  const double random = parts_.random ? parts_.random() : 0;
  return period +
         nanoseconds(static_cast<int64_t>(static_cast<double>(period.count()) * kJitter * random));
}

nanoseconds NodeLease::BackOff() {
  back_off_ = back_off_.count() == 0 ? nanoseconds(kFirstBackOff)
                                     : std::min<nanoseconds>(back_off_ * 2, kMaxBackOff);
  return back_off_;
}

nanoseconds NodeLease::Round() {
  // Nobody else writes it, so that it need not be read first.
  if (latest_) {
    const auto renewed = RenewWithRetries();
    if (renewed.ok()) return NextRenewal();
    if (renewed.error().code() == Code::kCancelled) return NextRenewal();
  }
  bool made = false;
  const auto ensured = Ensure(&made);
  if (!ensured.ok()) {
    Report(ensured.error());
    return BackOff();
  }
  back_off_ = {};
  if (latest_ && !made) (void)RenewWithRetries();
  return NextRenewal();
}

Result<void> NodeLease::Ensure(bool* made) {
  *made = false;
  latest_ = nullptr;
  const auto found = parts_.connection.Get(Target(parts_.node_name), {});
  if (found.ok()) {
    latest_ = found->As<Lease>();
    return {};
  }
  if (found.error().code() != Code::kNotFound) return found.error();
  Lease lease = Renewed(nullptr);
  const auto owned = AddOwner(&lease);
  if (!owned.ok()) {
    Report(owned.error());
    return {};
  }
  TRY(const auto created, parts_.connection.Create(Target(""), lease, {}));
  latest_ = created.As<Lease>();
  *made = true;
  return {};
}

Result<void> NodeLease::RenewWithRetries() {
  Result<void> result;
  for (int i = 0; i < kMaxUpdates && latest_; ++i) {
    Lease lease = Renewed(latest_.get());
    // It was made without an owner only by somebody else; that is no reason not to renew it.
    (void)AddOwner(&lease);
    const auto updated = parts_.connection.Update(Target(parts_.node_name), lease, {});
    if (updated.ok()) {
      latest_ = updated->As<Lease>();
      return {};
    }
    result = updated.error();
    Report(updated.error());
    if (updated.error().code() == Code::kCancelled) return result;
    if (updated.error().code() == Code::kConflict) {
      bool made = false;
      TRY_VOID(Ensure(&made));
      if (made) return {};
      continue;
    }
    if (i > 0 && parts_.on_repeated_failure) parts_.on_repeated_failure();
  }
  return result;
}

NodeLease::Lease NodeLease::Renewed(const Lease* base) const {
  Lease lease;
  if (base) {
    lease = reflect::Copy(*base);
  } else {
    lease.metadata.name = parts_.node_name;
    lease.metadata.namespace_ = kNamespace;
    lease.spec.holderIdentity = parts_.node_name;
    lease.spec.leaseDurationSeconds = static_cast<int32_t>(kDuration.count());
  }
  lease.spec.renewTime = api::MicroTime::FromUnixMicros(parts_.clock.Now() / 1000);
  return lease;
}

Result<void> NodeLease::AddOwner(Lease* lease) const {
  if (!lease->metadata.ownerReferences.empty()) return {};
  TRY(const auto found, parts_.connection.Get({"", "v1", "nodes", "", parts_.node_name}, {}));
  const auto node = found.As<api::core::v1::Node>();
  if (!node) return Error(Code::kInternal, "the server's node is none");
  auto& owner = lease->metadata.ownerReferences.emplace_back();
  owner.apiVersion = "v1";
  owner.kind = "Node";
  owner.name = node->metadata.name;
  owner.uid = node->metadata.uid;
  return {};
}

void NodeLease::Report(const Error& error) const {
  if (parts_.on_error) parts_.on_error(error);
}

}  // namespace podium::node
