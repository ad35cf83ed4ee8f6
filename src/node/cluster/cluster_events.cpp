#include "node/cluster/cluster_events.h"

#include <utility>

#include "api/status.h"

namespace podium::node {
namespace {

const std::string kQueue = "events";

}  // namespace

ClusterEvents::~ClusterEvents() { Stop(); }

void ClusterEvents::Record(const v1::Pod& pod, const std::optional<ContainerRef>& container,
                           EventType type, std::string_view reason, std::string_view message) {
  parts_.local.Record(pod, container, type, reason, message);
  Enqueue({.about = ReferenceTo(pod, container),
           .type = type,
           .reason = std::string(reason),
           .message = std::string(message.substr(0, kMaxEventMessage)),
           .at = parts_.clock.Now()});
}

void ClusterEvents::RecordAnnotated(const v1::Pod& pod, const EventAnnotations& annotations,
                                    EventType type, std::string_view reason,
                                    std::string_view message) {
  parts_.local.RecordAnnotated(pod, annotations, type, reason, message);
  Enqueue({.about = ReferenceTo(pod, std::nullopt),
           .type = type,
           .reason = std::string(reason),
           .message = std::string(message.substr(0, kMaxEventMessage)),
           .at = parts_.clock.Now(),
           .annotations = annotations});
}

void ClusterEvents::RecordNode(EventType type, std::string_view reason, std::string_view message) {
  parts_.local.RecordNode(type, reason, message);
  Enqueue({.about = ReferenceToNode(parts_.node_name),
           .type = type,
           .reason = std::string(reason),
           .message = std::string(message.substr(0, kMaxEventMessage)),
           .at = parts_.clock.Now()});
}

void ClusterEvents::Enqueue(Queued event) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || queue_.size() >= kMaxQueued) {
    ++dropped_;
    return;
  }
  // An Event is named by its time; two of one object in the same moment would be one. A clock that
  // was set back starts anew.
  if (event.at <= last_at_ && last_at_ - event.at < kNanosPerSecond) event.at = last_at_ + 1;
  last_at_ = event.at;
  queue_.push_back(std::move(event));
  if (work_ && !waiting_) work_->Add(kQueue);
}

void ClusterEvents::Start(client::Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || work_) return;
  recorder_ = std::make_unique<client::EventRecorder>(connection, parts_.clock, "kubelet",
                                                      parts_.node_name);
  work_ = std::make_unique<client::WorkQueue>(client::WorkQueue::Options{
      .executor = &parts_.executor, .clock = &parts_.clock, .reconcile = [this](const auto&) {
        return Result<client::Reconciled>(SendQueued(*recorder_));
      }});
  work_->Open();
  work_->Add(kQueue);
}

void ClusterEvents::Stop() {
  client::WorkQueue* work = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    work = work_.get();
  }
  if (work) work->ShutDown();
}

client::Reconciled ClusterEvents::SendQueued(client::EventRecorder& recorder) {
  while (true) {
    Queued next;
    {
      const std::lock_guard lock(mutex_);
      waiting_ = false;
      if (stopped_ || queue_.empty()) return {};
      if (!current_) next = queue_.front();
    }
    if (!current_) {
      current_ = recorder.Prepare(next.about, TextOf(next.type), next.reason, next.message, next.at,
                                  next.annotations);
    }
    if (TrySend(recorder, *current_)) continue;
    std::chrono::nanoseconds wait = kRetry;
    // So that machines do not all come back at once.
    if (tries_ == 1 && parts_.random) {
      wait = std::chrono::nanoseconds(
          1 + static_cast<int64_t>(static_cast<double>(wait.count()) * parts_.random()));
    }
    const std::lock_guard lock(mutex_);
    waiting_ = true;
    return {.requeue_after = wait};
  }
}

bool ClusterEvents::TrySend(client::EventRecorder& recorder, const client::CorrelatedEvent& event) {
  const auto sent = event.skip ? Result<void>() : recorder.Send(event);
  // What came from the server says the same again; without it nobody has heard of the event.
  const bool refused = !sent.ok() && api::FindStatus(sent.error()) != nullptr;
  if (!sent.ok() && !refused && ++tries_ < kMaxTries) return false;
  if (!sent.ok()) recorder.GiveUp(event);
  current_.reset();
  tries_ = 0;
  const std::lock_guard lock(mutex_);
  queue_.pop_front();
  if (!sent.ok()) ++dropped_;
  return true;
}

uint64_t ClusterEvents::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace podium::node
