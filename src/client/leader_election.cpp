#include "client/leader_election.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "api/types/coordination_v1.h"
#include "reflect/copy.h"

namespace podium::client {
namespace {

namespace coordination = api::coordination::v1;
using std::chrono::nanoseconds;

// client-go's JitterFactor.
constexpr double kJitter = 1.2;

int32_t WholeSeconds(nanoseconds time) {
  return static_cast<int32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

struct LeaderElector::State : std::enable_shared_from_this<LeaderElector::State> {
  explicit State(LeaderElectionOptions chosen) : options(std::move(chosen)) {}

  Target LeaseTarget() const {
    return {"coordination.k8s.io", "v1", "leases", options.lease.namespace_, options.lease.name};
  }

  bool Holds() const { return seen && seen->spec.holderIdentity == options.identity; }

  // Keeps what was seen and since when; callbacks are for the caller.
  void Observe(std::shared_ptr<const coordination::Lease> lease) {
    const bool same = seen && reflect::Equal(seen->spec, lease->spec);
    const std::lock_guard lock(mutex);
    seen = std::move(lease);
    if (!same) seen_at = options.clock->Now();
  }

  bool LeaseIsValid() const {
    const int64_t length = int64_t{seen->spec.leaseDurationSeconds.value_or(0)} * kNanosPerSecond;
    return seen_at + length > options.clock->Now();
  }

  coordination::LeaseSpec Wanted() const {
    const auto now = api::MicroTime::FromUnixMicros(options.clock->Now() / 1000);
    coordination::LeaseSpec spec;
    spec.holderIdentity = options.identity;
    spec.leaseDurationSeconds = WholeSeconds(options.lease_duration);
    spec.renewTime = now;
    spec.acquireTime = now;
    spec.leaseTransitions = 0;
    return spec;
  }

  Result<void> CreateLease() {
    coordination::Lease lease;
    lease.metadata.namespace_ = options.lease.namespace_;
    lease.metadata.name = options.lease.name;
    lease.spec = Wanted();
    Target target = LeaseTarget();
    target.name.clear();
    TRY(const SharedObject made, options.connection->Create(target, lease, {}));
    Observe(made.As<coordination::Lease>());
    return {};
  }

  Result<void> WriteLease(coordination::LeaseSpec spec) {
    coordination::Lease lease = *seen;
    lease.spec = std::move(spec);
    TRY(const SharedObject written, options.connection->Update(LeaseTarget(), lease, {}));
    Observe(written.As<coordination::Lease>());
    return {};
  }

  // Whether this one holds the lease after it.
  Result<bool> TryAcquireOrRenew() {
    // Who leads need not ask who leads; if that is not so any more, the write says so.
    if (Holds() && LeaseIsValid() && Renew().ok()) return true;
    const auto found = options.connection->Get(LeaseTarget(), {});
    if (!found.ok() && found.error().code() != Code::kNotFound) return found.error();
    if (!found.ok()) {
      TRY_VOID(CreateLease());
      return true;
    }
    Observe(found->As<coordination::Lease>());
    const std::string holder = seen->spec.holderIdentity.value_or("");
    if (!holder.empty() && !Holds() && LeaseIsValid()) return false;
    if (Holds()) {
      TRY_VOID(Renew());
      return true;
    }
    coordination::LeaseSpec spec = Wanted();
    spec.leaseTransitions = seen->spec.leaseTransitions.value_or(0) + 1;
    TRY_VOID(WriteLease(std::move(spec)));
    return true;
  }

  Result<void> Renew() {
    coordination::LeaseSpec spec = Wanted();
    spec.acquireTime = seen->spec.acquireTime;
    spec.leaseTransitions = seen->spec.leaseTransitions;
    return WriteLease(std::move(spec));
  }

  void Release() {
    coordination::LeaseSpec spec = Wanted();
    spec.holderIdentity = "";
    spec.leaseDurationSeconds = 1;
    spec.leaseTransitions = seen->spec.leaseTransitions;
    const auto released = WriteLease(std::move(spec));
    if (!released.ok() && options.on_error) options.on_error(released.error());
  }

  void TellLeader() {
    std::string holder;
    {
      const std::lock_guard lock(mutex);
      if (!seen) return;
      holder = seen->spec.holderIdentity.value_or("");
      if (holder == told) return;
      told = holder;
    }
    if (options.on_new_leader && !holder.empty()) options.on_new_leader(holder);
  }

  // One callback after the other, though the deadline's may come while a try waits for the server.
  void SetLeading(bool now) {
    const std::lock_guard order(telling);
    {
      const std::lock_guard lock(mutex);
      if (leading == now || (now && stopped)) return;
      leading = now;
      teller = std::this_thread::get_id();
    }
    const auto& told_of = now ? options.on_started_leading : options.on_stopped_leading;
    if (told_of) told_of();
    const std::lock_guard lock(mutex);
    teller = {};
  }

  void Try() {
    // Others count from when they see it renewed, which is not before now.
    const int64_t begun = options.clock->Now();
    const auto held = TryAcquireOrRenew();
    if (!held.ok() && options.on_error && held.error().code() != Code::kConflict) {
      options.on_error(held.error());
    }
    const bool holds = held.ok() && *held;
    if (holds) PutOffDeadline(begun);
    TellLeader();
    // What another has taken is lost at once; what cannot be renewed, at the deadline.
    if (held.ok()) SetLeading(holds);
  }

  void PutOffDeadline(int64_t begun) {
    const std::lock_guard lock(mutex);
    renewed = begun;
    if (stopped) return;
    if (deadline != 0) options.executor->Cancel(deadline);
    const nanoseconds left(begun + options.renew_deadline.count() - options.clock->Now());
    deadline = options.executor->PostAfter(std::max(left, nanoseconds(1)),
                                           [weak = weak_from_this(), begun] {
                                             const auto self = weak.lock();
                                             if (!self) return;
                                             {
                                               const std::lock_guard inner(self->mutex);
                                               if (self->renewed != begun || self->stopped) return;
                                               self->deadline = 0;
                                             }
                                             self->SetLeading(false);
                                           });
  }

  void Run() {
    {
      const std::lock_guard lock(mutex);
      timer = 0;
      if (stopped) return;
      runner = std::this_thread::get_id();
      running = true;
    }
    Try();
    const std::lock_guard lock(mutex);
    running = false;
    runner = {};
    if (!stopped) ScheduleLocked();
    ended.notify_all();
  }

  void ScheduleLocked() {
    nanoseconds delay = options.retry_period;
    if (!leading) {
      const double random = options.random ? options.random() : 0;
      delay +=
          nanoseconds(static_cast<int64_t>(static_cast<double>(delay.count()) * kJitter * random));
    }
    timer = options.executor->PostAfter(delay, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Run();
    });
  }

  void Stop() {
    bool led = false;
    {
      std::unique_lock lock(mutex);
      if (std::exchange(stopped, true)) return;
      if (timer != 0) options.executor->Cancel(std::exchange(timer, 0));
      if (deadline != 0) options.executor->Cancel(std::exchange(deadline, 0));
      led = leading;
      const bool called_back = teller == std::this_thread::get_id();
      if (!called_back && !(running && runner == std::this_thread::get_id())) {
        ended.wait(lock, [&] { return !running; });
      }
    }
    SetLeading(false);
    if (led && options.release_on_stop && Holds()) Release();
  }

  const LeaderElectionOptions options;
  std::recursive_mutex telling;  // taken before mutex; a callback may call Stop
  mutable std::mutex mutex;
  std::condition_variable ended;
  // Written under mutex, by the task alone.
  std::shared_ptr<const coordination::Lease> seen;
  int64_t seen_at = 0;
  bool leading = false;
  // Under mutex.
  std::string told;
  bool started = false;
  bool stopped = false;
  bool running = false;
  std::thread::id runner;
  std::thread::id teller;  // in a callback about leading
  Executor::TimerId timer = 0;
  Executor::TimerId deadline = 0;
  int64_t renewed = 0;
};

Result<std::unique_ptr<LeaderElector>> LeaderElector::Create(LeaderElectionOptions options) {
  const auto bad = [](const char* why) { return Error(Code::kInvalidArgument, why); };
  if (options.lease_duration <= options.renew_deadline) {
    return bad("leaseDuration must be greater than renewDeadline");
  }
  const double least = static_cast<double>(options.retry_period.count()) * kJitter;
  if (static_cast<double>(options.renew_deadline.count()) <= least) {
    return bad("renewDeadline must be greater than retryPeriod*JitterFactor");
  }
  if (options.lease_duration < std::chrono::seconds(1)) {
    return bad("leaseDuration must be greater than zero");
  }
  if (options.retry_period.count() < 1) return bad("retryPeriod must be greater than zero");
  if (options.identity.empty()) return bad("Lock identity is empty");
  if (options.lease.name.empty()) return bad("the lease has no name");
  return std::unique_ptr<LeaderElector>(
      new LeaderElector(std::make_shared<State>(std::move(options))));
}

LeaderElector::~LeaderElector() { Stop(); }

void LeaderElector::Start() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopped || std::exchange(state_->started, true)) return;
  }
  state_->options.executor->Post([weak = std::weak_ptr(state_)] {
    if (const auto self = weak.lock()) self->Run();
  });
}

void LeaderElector::Stop() { state_->Stop(); }

bool LeaderElector::IsLeader() const {
  const std::lock_guard lock(state_->mutex);
  return state_->leading;
}

std::string LeaderElector::Leader() const {
  const std::lock_guard lock(state_->mutex);
  return state_->seen ? state_->seen->spec.holderIdentity.value_or("") : "";
}

}  // namespace podium::client
