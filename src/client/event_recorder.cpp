#include "client/event_recorder.h"

#include <memory>

#include "client/paths.h"

namespace podium::client {

using api::core::v1::Event;
using api::core::v1::ObjectReference;

Result<void> EventRecorder::Record(const ObjectReference& about, std::string_view type,
                                   std::string_view reason, std::string_view message) {
  const std::lock_guard lock(mutex_);
  const CorrelatedEvent told = PrepareLocked(about, type, reason, message, clock_.Now());
  if (told.skip) return {};
  auto sent = SendLocked(told);
  if (!sent.ok()) correlator_.Failed(told);
  return sent;
}

CorrelatedEvent EventRecorder::Prepare(const ObjectReference& about, std::string_view type,
                                       std::string_view reason, std::string_view message,
                                       int64_t at, const Annotations& annotations) {
  const std::lock_guard lock(mutex_);
  return PrepareLocked(about, type, reason, message, at, annotations);
}

CorrelatedEvent EventRecorder::PrepareLocked(const ObjectReference& about, std::string_view type,
                                             std::string_view reason, std::string_view message,
                                             int64_t at, const Annotations& annotations) {
  Event event;
  for (const auto& [name, value] : annotations) event.metadata.annotations[name] = value;
  event.metadata.namespace_ = about.namespace_.empty() ? "default" : about.namespace_;
  event.metadata.name = EventName(about.name, at);
  event.involvedObject = about;
  event.type = type;
  event.reason = reason;
  event.message = message;
  event.count = 1;
  event.firstTimestamp = event.lastTimestamp = api::Time::FromUnix(at / kNanosPerSecond);
  event.source.component = component_;
  event.source.host = host_;
  event.reportingComponent = component_;
  event.reportingInstance = host_;
  return correlator_.Correlate(std::move(event));
}

Result<void> EventRecorder::Send(const CorrelatedEvent& told) {
  const std::lock_guard lock(mutex_);
  return SendLocked(told);
}

Result<void> EventRecorder::SendLocked(const CorrelatedEvent& told) {
  TRY(const SharedObject stored, Store(told));
  if (const auto sent = stored.As<Event>()) correlator_.Sent(told, *sent);
  return {};
}

void EventRecorder::GiveUp(const CorrelatedEvent& told) {
  const std::lock_guard lock(mutex_);
  correlator_.Failed(told);
}

Result<SharedObject> EventRecorder::Store(const CorrelatedEvent& told) {
  const std::string& name_space = told.event.metadata.namespace_;
  if (!told.patch.empty()) {
    TRY(const Target one,
        TargetOf(reflect::TypeOf<Event>(), {name_space, told.event.metadata.name}));
    auto patched = connection_.Patch(one, PatchType::kStrategicMerge, told.patch, {});
    // It has expired meanwhile: then it is made again, with its count.
    if (patched.ok() || patched.error().code() != Code::kNotFound) return patched;
  }
  TRY(const Target all, TargetOf(reflect::TypeOf<Event>(), {name_space, ""}));
  return connection_.Create(all, told.event, {});
}

}  // namespace podium::client
