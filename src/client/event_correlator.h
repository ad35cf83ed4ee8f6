// EventCorrelator: what becomes of an Event before it is sent, so that a server is not drowned in
// what somebody has to tell again and again (upstream's k8s.io/client-go/tools/record,
// events_cache.go, with its keys and numbers). Three steps:
//
//   put together  the tenth message about one object for one reason, with not ten minutes between
//                 any two of them: from then on one Event stands for all, "(combined from similar
//                 events): " and the newest message
//   counted       the same Event again: the one that is there counts up
//   held back     a source may tell 25 Events about one object at once, then one in five minutes
//
// Each step remembers what it heard of last, 4096 things. Pure but for the clock. Threads: one at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "api/types/core_v1.h"
#include "base/clock.h"

namespace podium::client {

// What was used last, at most so many things; the one that was not used for longest goes.
template <class T>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(size_t capacity) : capacity_(capacity) {}

  // Null when it is not there. Valid until the next Put.
  T* Find(const std::string& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  T& Put(const std::string& key, T value) {
    if (T* known = Find(key)) return *known = std::move(value);
    order_.emplace_front(key, std::move(value));
    index_[key] = order_.begin();
    if (order_.size() > capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    return order_.front().second;
  }
  void Erase(const std::string& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }

 private:
  const size_t capacity_;
  std::list<std::pair<std::string, T>> order_;  // used last first
  std::unordered_map<std::string, typename std::list<std::pair<std::string, T>>::iterator> index_;
};

// What to do with an Event.
struct CorrelatedEvent {
  // To be made; or, with a patch, how it should be when it is not there any more.
  api::core::v1::Event event{};
  // Of the Event of this name that was told before; "" when there is none. A strategic merge patch.
  std::string patch{};
  // It is not told.
  bool skip = false;
  std::string key{};  // for Sent and Failed
};

class EventCorrelator {
 public:
  // The clock outlives it.
  explicit EventCorrelator(const Clock& clock) : clock_(clock) {}

  // `event` is a new one, with a name of its own and a count of 1.
  CorrelatedEvent Correlate(api::core::v1::Event event);
  // It is stored, as this.
  void Sent(const CorrelatedEvent& sent, const api::core::v1::Event& stored);
  // It could not be told, and does not count.
  void Failed(const CorrelatedEvent& failed);

 private:
  static constexpr size_t kMostRemembered = 4096;

  struct Similar {
    std::set<std::string> messages;
    int64_t last = 0;
  };
  struct Told {
    std::string name;
    int32_t count = 0;
    api::Time first;
  };
  struct Budget {
    int64_t saved = 0;  // nanoseconds
    int64_t at = 0;     // when there was so much
  };

  // The Event that stands for it, and the key of that.
  std::pair<api::core::v1::Event, std::string> Aggregate(api::core::v1::Event event);
  void Count(CorrelatedEvent* told);
  bool TakeBudget(const api::core::v1::Event& event);

  const Clock& clock_;
  RecentlyUsed<Similar> similar_{kMostRemembered};
  RecentlyUsed<Told> told_{kMostRemembered};
  RecentlyUsed<Budget> budgets_{kMostRemembered};
};

// NAME.TIME, as upstream names Events; a uid where that would be no name of an object.
std::string EventName(std::string_view about, int64_t nanos);

}  // namespace podium::client
