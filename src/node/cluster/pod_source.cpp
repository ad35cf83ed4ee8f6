#include "node/cluster/pod_source.h"

#include <utility>

namespace podium::node {
namespace {

using client::SharedObject;

// How soon it is seen that the first list was read.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

// Shared, because a timer's task may come after its owner has gone.
struct PodSource::State : std::enable_shared_from_this<PodSource::State> {
  explicit State(const Services& given)
      : services(given),
        informer(given.connection, {.group = "", .version = "v1", .resource = "pods"},
                 {.executor = &given.executor,
                  .clock = &given.clock,
                  .field_selector = "spec.nodeName=" + given.agent.config().name,
                  .on_error = [this](const client::Target&, const Error& error) { Say(error); }}) {}

  void Say(const Error& error) const {
    if (services.on_error) services.on_error(error);
  }

  void Take(const SharedObject& object) {
    auto pod = object.As<v1::Pod>();
    if (!pod) return;
    // Before the agent, which tells a status at once.
    services.statuses.Show(pod);
    if (IsMirrorPod(*pod)) return services.mirrors.Show(std::move(pod));
    const auto taken = services.agent.Assign(*pod, PodOrigin::kApi);
    if (!taken.ok()) Say(taken.error());
  }

  void Drop(const SharedObject& object) {
    const auto pod = object.As<v1::Pod>();
    if (!pod) return;
    services.statuses.Hide(pod->metadata.uid);
    if (IsMirrorPod(*pod)) return services.mirrors.Forget(*pod);
    services.agent.Unassign(pod->metadata.uid);
  }

  void LookForSync() {
    {
      const std::lock_guard lock(mutex);
      timer = 0;
      if (stopped) return;
      if (!informer.HasSynced(handler)) {
        SetTimer();
        return;
      }
    }
    // First what is here: a pod that comes meanwhile is not taken for one that the server lacks.
    const Agent::Uids known = services.agent.UidsOf(PodOrigin::kApi);
    Agent::Uids uids;
    for (const SharedObject& pod : informer.List()) uids.insert(pod.meta()->uid);
    // Nobody asks any more how these ended.
    for (const auto& pod : services.agent.FinishedPods()) {
      if (!uids.contains(pod->metadata.uid)) services.statuses.Withdraw(pod->metadata.uid);
    }
    services.agent.UnassignOthers(PodOrigin::kApi, uids, known);
    services.mirrors.Open();
    const std::lock_guard lock(mutex);
    synced = true;
  }

  // With the lock held.
  void SetTimer() {
    timer = services.executor.PostAfter(kLook, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->LookForSync();
    });
  }

  const Services services;
  client::Informer informer;
  client::Informer::HandlerId handler = 0;
  std::mutex mutex;
  // Under mutex.
  Executor::TimerId timer = 0;
  bool stopped = false;
  bool synced = false;
};

PodSource::PodSource(const Services& services) : state_(std::make_shared<State>(services)) {}

PodSource::~PodSource() { Stop(); }

void PodSource::Start() {
  State& state = *state_;
  state.handler = state.informer.AddHandler(
      {.on_add = [&state](const SharedObject& pod, bool) { state.Take(pod); },
       .on_update = [&state](const SharedObject&, const SharedObject& pod) { state.Take(pod); },
       .on_delete = [&state](const SharedObject& pod, bool) { state.Drop(pod); }});
  state.informer.Start();
  const std::lock_guard lock(state.mutex);
  state.SetTimer();
}

void PodSource::Stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
    if (state_->timer != 0) state_->services.executor.Cancel(state_->timer);
  }
  state_->informer.Stop();
}

bool PodSource::HasSynced() const {
  const std::lock_guard lock(state_->mutex);
  return state_->synced;
}

}  // namespace podium::node
