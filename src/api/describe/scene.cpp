#include "api/describe/scene.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

#include "api/conversion/conversion.h"
#include "api/printed_text.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"
#include "api/types/discovery_v1.h"
#include "api/types/discovery_v1beta1.h"
#include "api/types/events_v1.h"

namespace podium::api {
namespace {

using core::v1::Event;

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kSecondsPerMinute = 60;
constexpr int64_t kMinutesPerHour = 60;
constexpr int64_t kSecondsPerDay = 86400;

// A server keeps objects by these.
std::string KeyOf(const reflect::Object& object) {
  return object.header().namespace_ + '/' + object.header().name;
}

// Go's time.RFC1123Z.
std::string Rfc1123(Time moment, int32_t offset) {
  using namespace std::chrono;  // NOLINT: names of the calendar
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds local{seconds(moment.unix_seconds() + offset)};
  const sys_days date = floor<days>(local);
  const year_month_day day(date);
  const int64_t second = (local - date).count() % kSecondsPerDay;
  const int64_t ahead = offset < 0 ? -offset : offset;
  std::array<char, 64> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%s, %02u %s %04d %02lld:%02lld:%02lld %c%02lld%02lld",
      kDays[weekday(date).c_encoding()], static_cast<unsigned>(day.day()),
      kMonths[static_cast<unsigned>(day.month()) - 1], static_cast<int>(day.year()),
      static_cast<long long>(second / (kSecondsPerMinute * kMinutesPerHour)),
      static_cast<long long>(second / kSecondsPerMinute % kMinutesPerHour),
      static_cast<long long>(second % kSecondsPerMinute), offset < 0 ? '-' : '+',
      static_cast<long long>(ahead / (kSecondsPerMinute * kMinutesPerHour)),
      static_cast<long long>(ahead / kSecondsPerMinute % kMinutesPerHour));
  return {text.data(), static_cast<size_t>(size)};
}

}  // namespace

Result<reflect::ObjectPtr> InDescribedVersion(const reflect::Object& object) {
  using reflect::TypeOf;
  const std::pair<const reflect::Type*, const reflect::Type*> newer[] = {
      {&TypeOf<batch::v1beta1::CronJob>(), &TypeOf<batch::v1::CronJob>()},
      {&TypeOf<discovery::v1beta1::EndpointSlice>(), &TypeOf<discovery::v1::EndpointSlice>()},
      {&TypeOf<events::v1::Event>(), &TypeOf<Event>()}};
  for (const auto& [from, to] : newer) {
    if (object.type() != from) continue;
    TRY(const void* decoded, object.decoded());
    TRY(reflect::AnyObject converted, ConvertObject(*from, decoded, *to));
    return reflect::Object::FromDecoded(std::move(converted));
  }
  return reflect::ObjectPtr();
}

Result<RelatedObjects> RelatedObjects::Create(std::span<const reflect::ObjectPtr> objects) {
  std::multimap<std::string, reflect::ObjectPtr> by_key;
  for (const reflect::ObjectPtr& object : objects) {
    if (object->type() == nullptr) continue;
    TRY(reflect::ObjectPtr described, InDescribedVersion(*object));
    if (!described) described = object;
    TRY_VOID(described->decoded());
    by_key.emplace(KeyOf(*described), std::move(described));
  }
  RelatedObjects related;
  for (auto& [key, object] : by_key) {
    related.by_type_[object->type()].push_back(std::move(object));
  }
  return related;
}

std::span<const reflect::ObjectPtr> RelatedObjects::OfType(const reflect::Type& type) const {
  const auto found = by_type_.find(&type);
  if (found == by_type_.end()) return {};
  return found->second;
}

std::string Scene::Date(Time moment) const {
  // The zero time is no moment of any place: Go keeps it in UTC.
  const bool is_local = options_->utc_offset != nullptr && !moment.IsZero();
  return Rfc1123(moment, is_local ? options_->utc_offset(moment) : 0);
}

std::string Scene::Date(MicroTime moment) const {
  const int64_t micros = moment.unix_micros();
  const int64_t seconds = micros / kMicros - (micros % kMicros < 0 ? 1 : 0);
  return Date(Time::FromUnix(seconds));
}

std::string Scene::Ago(Time moment) const { return api::Ago(moment, now()); }
std::string Scene::Ago(MicroTime moment) const { return api::Ago(moment, now()); }

std::vector<const Event*> Scene::Events(const EventQuery& query) const {
  std::vector<const Event*> out;
  for (const Event* event : List<Event>(query.namespace_)) {
    const core::v1::ObjectReference& object = event->involvedObject;
    if (object.name != query.name || object.namespace_ != query.namespace_) continue;
    if (!query.kind.empty() && object.kind != query.kind) continue;
    if (!query.uid.empty() && object.uid != query.uid) continue;
    out.push_back(event);
  }
  return out;
}

}  // namespace podium::api
