#include "node/event_recorder.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace podium::node {
namespace {

bool SameEvent(const v1::Event& a, const v1::Event& b) {
  return a.involvedObject.uid == b.involvedObject.uid &&
         a.involvedObject.kind == b.involvedObject.kind &&
         a.involvedObject.fieldPath == b.involvedObject.fieldPath && a.reason == b.reason &&
         a.type == b.type && a.message == b.message;
}

}  // namespace

const char* TextOf(EventType type) { return type == EventType::kNormal ? "Normal" : "Warning"; }

v1::ObjectReference ReferenceTo(const v1::Pod& pod, const std::optional<ContainerRef>& container) {
  v1::ObjectReference object;
  object.kind = "Pod";
  object.apiVersion = "v1";
  object.namespace_ = pod.metadata.namespace_;
  object.name = pod.metadata.name;
  object.uid = pod.metadata.uid;
  object.resourceVersion = pod.metadata.resourceVersion;
  if (container) {
    object.fieldPath = ContainerFieldPath(container->kind, ContainerNameAt(pod, *container));
  }
  return object;
}

v1::ObjectReference ReferenceToNode(const std::string& name) {
  v1::ObjectReference object;
  object.kind = "Node";
  object.name = name;
  object.uid = name;
  return object;
}

EventRecorder::EventRecorder(const Clock& clock, std::string node_name, size_t capacity)
    : clock_(clock), node_name_(std::move(node_name)), capacity_(capacity) {}

void EventRecorder::Record(const v1::Pod& pod, const std::optional<ContainerRef>& container,
                           EventType type, std::string_view reason, std::string_view message) {
  v1::Event event;
  event.involvedObject = ReferenceTo(pod, container);
  event.metadata.namespace_ = pod.metadata.namespace_;
  Add(std::move(event), type, reason, message);
}

void EventRecorder::RecordAnnotated(const v1::Pod& pod, const EventAnnotations& annotations,
                                    EventType type, std::string_view reason,
                                    std::string_view message) {
  v1::Event event;
  event.involvedObject = ReferenceTo(pod, std::nullopt);
  event.metadata.namespace_ = pod.metadata.namespace_;
  for (const auto& [name, value] : annotations) event.metadata.annotations[name] = value;
  Add(std::move(event), type, reason, message);
}

void EventRecorder::RecordNode(EventType type, std::string_view reason, std::string_view message) {
  v1::Event event;
  event.involvedObject = ReferenceToNode(node_name_);
  // Where events of objects without a namespace are.
  event.metadata.namespace_ = "default";
  Add(std::move(event), type, reason, message);
}

void EventRecorder::Add(v1::Event event, EventType type, std::string_view reason,
                        std::string_view message) {
  event.kind = "Event";
  event.apiVersion = "v1";
  event.type = TextOf(type);
  event.reason = reason;
  event.message = message.substr(0, kMaxEventMessage);
  const int64_t now = clock_.Now();
  event.firstTimestamp = api::Time::FromUnix(now / kNanosPerSecond);
  event.lastTimestamp = event.firstTimestamp;
  event.count = 1;
  event.source.component = "kubelet";
  event.source.host = node_name_;
  event.reportingComponent = "kubelet";
  event.reportingInstance = node_name_;
  event.metadata.creationTimestamp = event.firstTimestamp;

  std::lock_guard lock(mutex_);
  const auto before = std::ranges::find_if(
      events_, [&](const Entry& each) { return SameEvent(each.event, event); });
  const uint64_t version = ++version_;
  if (before != events_.end()) {
    ++before->event.count;
    before->event.lastTimestamp = event.lastTimestamp;
    before->event.metadata.resourceVersion = std::to_string(version);
    before->changed = version;
    Tell(ChangeType::kModified, before->event);
    return;
  }
  char suffix[40];
  std::snprintf(suffix, sizeof suffix, ".%lx%04lx", static_cast<uint64_t>(now), version);
  event.metadata.name = event.involvedObject.name + suffix;
  event.metadata.resourceVersion = std::to_string(version);
  events_.push_back({.event = std::move(event), .added = version, .changed = version});
  Tell(ChangeType::kAdded, events_.back().event);
  if (events_.size() <= capacity_) return;
  v1::Event gone = std::move(events_.front().event);
  events_.pop_front();
  forgotten_ = ++version_;
  gone.metadata.resourceVersion = std::to_string(forgotten_);
  Tell(ChangeType::kDeleted, gone);
}

void EventRecorder::Tell(ChangeType change, const v1::Event& event) {
  for (const auto& [id, observer] : observers_) observer(change, event);
}

std::vector<v1::Event> EventRecorder::List(std::string_view name_space, uint64_t* version) const {
  std::lock_guard lock(mutex_);
  if (version) *version = version_;
  std::vector<v1::Event> out;
  for (const Entry& each : events_) {
    if (name_space.empty() || each.event.metadata.namespace_ == name_space) {
      out.push_back(each.event);
    }
  }
  return out;
}

Result<uint64_t> EventRecorder::Watch(uint64_t version, Observer observer) {
  std::lock_guard lock(mutex_);
  if (version < forgotten_ || version > version_) {
    return Error(Code::kExpired, "too old resource version: " + std::to_string(version) + " (" +
                                     std::to_string(forgotten_) + ")");
  }
  std::vector<const Entry*> changed;
  for (const Entry& each : events_) {
    if (each.changed > version) changed.push_back(&each);
  }
  std::ranges::sort(changed, {}, &Entry::changed);
  for (const Entry* each : changed) {
    observer(each->added > version ? ChangeType::kAdded : ChangeType::kModified, each->event);
  }
  observers_.emplace(++last_watch_, std::move(observer));
  return last_watch_;
}

void EventRecorder::Unwatch(uint64_t watch) {
  std::lock_guard lock(mutex_);
  observers_.erase(watch);
}

}  // namespace podium::node
