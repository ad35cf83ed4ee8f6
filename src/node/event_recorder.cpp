#include "node/event_recorder.h"

#include <algorithm>
#include <cstdio>

namespace podium::node {
namespace {

// A message that does not end is cut, as the API refuses longer ones.
constexpr size_t kMaxMessage = 1024;

bool SameEvent(const v1::Event& a, const v1::Event& b) {
  return a.involvedObject.uid == b.involvedObject.uid &&
         a.involvedObject.fieldPath == b.involvedObject.fieldPath && a.reason == b.reason &&
         a.type == b.type && a.message == b.message;
}

v1::Event MakeEvent(const v1::Pod& pod, const std::optional<ContainerRef>& container) {
  v1::Event event;
  event.kind = "Event";
  event.apiVersion = "v1";
  v1::ObjectReference& object = event.involvedObject;
  object.kind = "Pod";
  object.apiVersion = "v1";
  object.namespace_ = pod.metadata.namespace_;
  object.name = pod.metadata.name;
  object.uid = pod.metadata.uid;
  object.resourceVersion = pod.metadata.resourceVersion;
  if (container) {
    object.fieldPath = ContainerFieldPath(container->kind, ContainerNameAt(pod, *container));
  }
  return event;
}

}  // namespace

EventRecorder::EventRecorder(const Clock& clock, std::string node_name, size_t capacity)
    : clock_(clock), node_name_(std::move(node_name)), capacity_(capacity) {}

void EventRecorder::Record(const v1::Pod& pod, const std::optional<ContainerRef>& container,
                           EventType type, std::string_view reason, std::string_view message) {
  v1::Event event = MakeEvent(pod, container);
  event.type = type == EventType::kNormal ? "Normal" : "Warning";
  event.reason = reason;
  event.message = message.substr(0, kMaxMessage);
  const int64_t now = clock_.Now();
  event.firstTimestamp = api::Time::FromUnix(now / kNanosPerSecond);
  event.lastTimestamp = event.firstTimestamp;
  event.count = 1;
  event.source.component = "kubelet";
  event.source.host = node_name_;
  event.reportingComponent = "kubelet";
  event.reportingInstance = node_name_;
  event.metadata.namespace_ = pod.metadata.namespace_;
  event.metadata.creationTimestamp = event.firstTimestamp;

  std::function<void(const v1::Event&, bool)> observer;
  bool added = true;
  {
    std::lock_guard lock(mutex_);
    const auto before = std::ranges::find_if(
        events_, [&](const v1::Event& each) { return SameEvent(each, event); });
    if (before != events_.end()) {
      ++before->count;
      before->lastTimestamp = event.lastTimestamp;
      event = *before;
      added = false;
    } else {
      char suffix[40];
      std::snprintf(suffix, sizeof suffix, ".%lx%04lx", static_cast<uint64_t>(now), ++last_id_);
      event.metadata.name = pod.metadata.name + suffix;
      events_.push_back(event);
      if (events_.size() > capacity_) events_.pop_front();
    }
    observer = observer_;
  }
  if (observer) observer(event, added);
}

std::vector<v1::Event> EventRecorder::List(std::string_view name_space) const {
  std::lock_guard lock(mutex_);
  std::vector<v1::Event> out;
  for (const v1::Event& event : events_) {
    if (name_space.empty() || event.metadata.namespace_ == name_space) out.push_back(event);
  }
  return out;
}

void EventRecorder::SetObserver(std::function<void(const v1::Event&, bool)> observer) {
  std::lock_guard lock(mutex_);
  observer_ = std::move(observer);
}

}  // namespace podium::node
