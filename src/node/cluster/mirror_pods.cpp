#include "node/cluster/mirror_pods.h"

#include <chrono>
#include <utility>

#include "node/pod_origin.h"

namespace podium::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string KeyOf(const v1::Pod& pod) { return pod.metadata.namespace_ + "/" + pod.metadata.name; }

std::string_view AnnotationOf(const v1::Pod& pod, std::string_view key) {
  const auto found = pod.metadata.annotations.find(key);
  return found == pod.metadata.annotations.end() ? std::string_view() : found->second;
}

// Whether it mirrors this very pod, and stays.
bool Fits(const v1::Pod& pod, const v1::Pod& mirror) {
  return !mirror.metadata.deletionTimestamp &&
         AnnotationOf(mirror, kConfigMirrorAnnotation) == AnnotationOf(pod, kConfigHashAnnotation);
}

client::Target TargetOf(const v1::Pod& pod) {
  return {.group = "", .version = "v1", .resource = "pods", .namespace_ = pod.metadata.namespace_};
}

}  // namespace

bool IsMirrorPod(const v1::Pod& pod) {
  return pod.metadata.annotations.contains(kConfigMirrorAnnotation);
}

MirrorPods::MirrorPods(const Services& services)
    : connection_(services.connection),
      statuses_(services.statuses),
      node_name_(services.node_name),
      queue_({.executor = &services.executor,
              .clock = &services.clock,
              .reconcile = [this](const std::string& key) { return Sync(key); },
              .on_error =
                  [on_error = services.on_error](const std::string&, const Error& error) {
                    if (on_error) on_error(error);
                  },
              .limits = {.base = milliseconds(100), .max = seconds(10)}}) {}

MirrorPods::~MirrorPods() { Stop(); }

Result<void> MirrorPods::Follow(Agent& agent) {
  uint64_t version = 0;
  for (const auto& pod : agent.ListPods("", &version)) {
    Tell({.type = ChangeType::kAdded, .version = version, .pod = pod});
  }
  TRY(watch_, agent.Watch(version, [this](const PodChange& change) { Tell(change); }));
  agent_ = &agent;
  return {};
}

void MirrorPods::Open() { queue_.Open(); }

void MirrorPods::Stop() {
  if (agent_) agent_->Unwatch(watch_);
  agent_ = nullptr;
  queue_.ShutDown();
}

void MirrorPods::Tell(const PodChange& change) {
  if (OriginOf(*change.pod) != PodOrigin::kFile) return;
  const std::string key = KeyOf(*change.pod);
  {
    const std::lock_guard lock(mutex_);
    Pair& pair = pairs_[key];
    if (change.type != ChangeType::kDeleted) {
      pair.pod = change.pod;
    } else if (pair.pod && pair.pod->metadata.uid == change.pod->metadata.uid) {
      pair.pod = nullptr;
    }
  }
  queue_.Add(key);
}

void MirrorPods::Show(std::shared_ptr<const v1::Pod> mirror) {
  const std::string key = KeyOf(*mirror);
  {
    const std::lock_guard lock(mutex_);
    pairs_[key].mirror = std::move(mirror);
  }
  queue_.Add(key);
}

void MirrorPods::Forget(const v1::Pod& mirror) {
  const std::string key = KeyOf(mirror);
  {
    const std::lock_guard lock(mutex_);
    statuses_.Withdraw(mirror.metadata.uid);
    const auto found = pairs_.find(key);
    if (found == pairs_.end()) return;
    auto& shown = found->second.mirror;
    if (shown && shown->metadata.uid == mirror.metadata.uid) shown = nullptr;
  }
  queue_.Add(key);
}

Result<client::Reconciled> MirrorPods::Sync(const std::string& key) {
  Pair pair;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pairs_.find(key);
    if (found == pairs_.end()) return client::Reconciled{};
    pair = found->second;
    if (!pair.pod && !pair.mirror) pairs_.erase(found);
    if (pair.pod && pair.mirror && Fits(*pair.pod, *pair.mirror)) {
      // Under the lock: nothing is said of a mirror that was forgotten.
      statuses_.Say(pair.mirror->metadata.uid, pair.pod, false);
      return client::Reconciled{};
    }
  }
  if (pair.mirror) {
    TRY_VOID(Remove(*pair.mirror));
  } else if (pair.pod) {
    TRY_VOID(Create(*pair.pod));
  }
  return client::Reconciled{};
}

Result<void> MirrorPods::Create(const v1::Pod& pod) {
  // A node may only make pods that belong to it.
  TRY(const auto found,
      connection_.Get({.group = "", .version = "v1", .resource = "nodes", .name = node_name_}, {}));
  v1::Pod mirror;
  mirror.kind = "Pod";
  mirror.apiVersion = "v1";
  mirror.metadata.name = pod.metadata.name;
  mirror.metadata.namespace_ = pod.metadata.namespace_;
  mirror.metadata.labels = pod.metadata.labels;
  mirror.metadata.annotations = pod.metadata.annotations;
  mirror.metadata.annotations[std::string(kConfigMirrorAnnotation)] =
      AnnotationOf(pod, kConfigHashAnnotation);
  auto& owner = mirror.metadata.ownerReferences.emplace_back();
  owner.apiVersion = "v1";
  owner.kind = "Node";
  owner.name = node_name_;
  owner.uid = found.meta()->uid;
  owner.controller = true;
  mirror.spec = pod.spec;
  const auto made = connection_.Create(TargetOf(pod), mirror, {});
  // It is there already, and will be shown.
  if (!made.ok() && made.error().code() == Code::kAlreadyExists) return {};
  return made.ok() ? Result<void>() : Result<void>(made.error());
}

Result<void> MirrorPods::Remove(const v1::Pod& mirror) {
  client::Target target = TargetOf(mirror);
  target.name = mirror.metadata.name;
  api::meta::v1::DeleteOptions options;
  options.gracePeriodSeconds = 0;
  options.preconditions.ensure().uid = mirror.metadata.uid;
  const auto removed = connection_.Delete(target, options);
  if (removed.ok()) return {};
  const Code code = removed.error().code();
  if (code == Code::kNotFound || code == Code::kConflict) return {};
  return removed.error();
}

}  // namespace podium::node
