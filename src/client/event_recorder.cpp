#include "client/event_recorder.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "client/paths.h"

namespace podium::client {
namespace {

using api::core::v1::Event;
using api::core::v1::ObjectReference;

constexpr size_t kMostRemembered = 4096;

std::string KeyOfEvent(const ObjectReference& about, std::string_view type, std::string_view reason,
                       std::string_view message) {
  std::string key;
  for (const std::string_view part :
       {std::string_view(about.kind), std::string_view(about.namespace_),
        std::string_view(about.name), std::string_view(about.uid),
        std::string_view(about.fieldPath), type, reason, message}) {
    key += part;
    key += '\0';
  }
  return key;
}

}  // namespace

Result<void> EventRecorder::Record(const ObjectReference& about, std::string_view type,
                                   std::string_view reason, std::string_view message) {
  const std::string name_space = about.namespace_.empty() ? "default" : about.namespace_;
  const std::string key = KeyOfEvent(about, type, reason, message);
  std::optional<Told> before;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = told_.find(key); found != told_.end()) before = found->second;
  }
  if (before) {
    ++before->count;
    TRY(const bool counted, CountUp(name_space, *before));
    if (counted) return Remember(key, *std::move(before)), Result<void>();
  }
  const int64_t now = clock_.Now();
  Event event;
  event.metadata.namespace_ = name_space;
  event.metadata.name = fmt::format("{}.{:x}", about.name, now);
  event.involvedObject = about;
  event.type = type;
  event.reason = reason;
  event.message = message;
  event.count = 1;
  event.firstTimestamp = event.lastTimestamp = api::Time::FromUnix(now / kNanosPerSecond);
  event.source.component = component_;
  event.reportingComponent = component_;
  TRY(const Target target, TargetOf(reflect::TypeOf<Event>(), {name_space, ""}));
  TRY_VOID(connection_.Create(target, event, {}));
  Remember(key, {.name = event.metadata.name});
  return {};
}

// False: it has expired meanwhile.
Result<bool> EventRecorder::CountUp(const std::string& name_space, const Told& told) {
  TRY(const Target target, TargetOf(reflect::TypeOf<Event>(), {name_space, told.name}));
  const std::string patch =
      fmt::format(R"({{"count":{},"lastTimestamp":"{}"}})", told.count,
                  api::Time::FromUnix(clock_.Now() / kNanosPerSecond).String());
  const auto patched = connection_.Patch(target, PatchType::kMerge, patch, {});
  if (patched.ok()) return true;
  if (patched.error().code() == Code::kNotFound) return false;
  return patched.error();
}

void EventRecorder::Remember(const std::string& key, Told told) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = told_.insert_or_assign(key, std::move(told));
  if (!is_new) return;
  order_.push_back(at->first);
  if (order_.size() <= kMostRemembered) return;
  told_.erase(order_.front());
  order_.pop_front();
}

}  // namespace podium::client
