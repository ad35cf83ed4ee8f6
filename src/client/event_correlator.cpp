#include "client/event_correlator.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <tuple>

#include "api/names.h"
#include "api/time.h"
#include "base/random_name.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

using api::core::v1::Event;

constexpr size_t kMostSimilar = 10;
constexpr int64_t kSimilarInterval = 600 * kNanosPerSecond;
// What an Event costs, and the most that can be saved up, in the time that earns it.
constexpr int64_t kCost = 300 * kNanosPerSecond;
constexpr int64_t kMostSaved = 25 * kCost;

std::string KeyOf(std::initializer_list<std::string_view> parts) {
  std::string key;
  for (const std::string_view part : parts) {
    key += part;
    key += '\0';
  }
  return key;
}

std::string SourceAndObject(const Event& event) {
  const auto& about = event.involvedObject;
  return KeyOf({event.source.component, event.source.host, about.kind, about.namespace_, about.name,
                about.uid, about.apiVersion});
}

std::string KeyOfEvent(const Event& event) {
  return SourceAndObject(event) +
         KeyOf({event.involvedObject.fieldPath, event.type, event.reason, event.message});
}

api::Time SecondsOf(int64_t nanos) { return api::Time::FromUnix(nanos / kNanosPerSecond); }

// What changes when an Event is told again.
std::string PatchOf(const Event& event) {
  std::string patch = fmt::format(R"({{"count":{},"lastTimestamp":"{}")", event.count,
                                  event.lastTimestamp.String());
  if (!event.message.empty()) {
    patch += ",\"message\":";
    reflect::AppendJsonString(event.message, &patch);
  }
  return patch + '}';
}

}  // namespace

std::string EventName(std::string_view about, int64_t nanos) {
  std::string name = fmt::format("{}.{:x}", about, nanos);
  return api::NameIsDNSSubdomain(name, false).empty() ? name : NewUid();
}

CorrelatedEvent EventCorrelator::Correlate(Event event) {
  CorrelatedEvent told;
  std::tie(told.event, told.key) = Aggregate(std::move(event));
  Count(&told);
  told.skip = !TakeBudget(told.event);
  return told;
}

std::pair<Event, std::string> EventCorrelator::Aggregate(Event event) {
  const int64_t now = clock_.Now();
  std::string own_key = KeyOfEvent(event);
  std::string group_key =
      SourceAndObject(event) +
      KeyOf({event.type, event.reason, event.reportingComponent, event.reportingInstance});
  Similar* similar = similar_.Find(group_key);
  if (similar == nullptr) similar = &similar_.Put(group_key, {.messages = {}, .last = now});
  if (now - similar->last > kSimilarInterval) similar->messages.clear();
  similar->messages.insert(event.message);
  similar->last = now;
  if (similar->messages.size() < kMostSimilar) return {std::move(event), std::move(own_key)};
  // No more of them are remembered than tell that there are many.
  similar->messages.erase(similar->messages.begin());

  Event combined;
  combined.metadata.name = EventName(event.involvedObject.name, now);
  combined.metadata.namespace_ = event.metadata.namespace_;
  combined.count = 1;
  combined.firstTimestamp = combined.lastTimestamp = SecondsOf(now);
  combined.involvedObject = std::move(event.involvedObject);
  combined.message = "(combined from similar events): " + event.message;
  combined.type = std::move(event.type);
  combined.reason = std::move(event.reason);
  combined.source = std::move(event.source);
  combined.reportingComponent = std::move(event.reportingComponent);
  combined.reportingInstance = std::move(event.reportingInstance);
  return {std::move(combined), std::move(group_key)};
}

void EventCorrelator::Count(CorrelatedEvent* told) {
  Event& event = told->event;
  if (const Told* before = told_.Find(told->key)) {
    event.metadata.name = before->name;
    event.firstTimestamp = before->first;
    event.count = before->count + 1;
    told->patch = PatchOf(event);
  }
  told_.Put(told->key,
            {.name = event.metadata.name, .count = event.count, .first = event.firstTimestamp});
}

bool EventCorrelator::TakeBudget(const Event& event) {
  const int64_t now = clock_.Now();
  const std::string key = SourceAndObject(event);
  Budget* budget = budgets_.Find(key);
  if (budget == nullptr) budget = &budgets_.Put(key, {.saved = kMostSaved, .at = now});
  const int64_t since = std::clamp<int64_t>(now - budget->at, 0, kMostSaved);
  budget->saved = std::min(kMostSaved, budget->saved + since);
  budget->at = now;
  if (budget->saved < kCost) return false;
  budget->saved -= kCost;
  return true;
}

void EventCorrelator::Sent(const CorrelatedEvent& sent, const Event& stored) {
  told_.Put(sent.key,
            {.name = stored.metadata.name, .count = stored.count, .first = stored.firstTimestamp});
}

void EventCorrelator::Failed(const CorrelatedEvent& failed) {
  if (failed.patch.empty()) return told_.Erase(failed.key);
  if (Told* told = told_.Find(failed.key)) --told->count;
}

}  // namespace podium::client
