// A watch for who has a thread to wait in, as commands have: an ObjectWatch (connection.h) that is
// taken from one event at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "api/types/meta_v1.h"
#include "base/result.h"
#include "client/connection.h"
#include "client/object.h"

namespace podium::client {

// Threads: Stop is for any.
class EventStream {
 public:
  // `connection` is needed for this call alone, unless it says more of its watches.
  static Result<EventStream> Start(Connection& connection, const Target& target,
                                   const api::meta::v1::ListOptions& options);

  // None at the end, which servers bring about now and then: watch again from the version seen
  // last. Errors as of ObjectWatch::Take; kCancelled after Stop.
  Result<std::optional<ObjectEvent>> Next();
  // Whoever waits in Next goes, and whoever comes later.
  void Stop();

 private:
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    // Under mutex.
    bool ready = true;  // the first Take comes unasked
    bool stopped = false;
  };

  explicit EventStream(std::shared_ptr<Signal> signal) : signal_(std::move(signal)) {}

  std::shared_ptr<Signal> signal_;
  std::unique_ptr<ObjectWatch> watch_;
  std::deque<ObjectEvent> events_;  // taken, and not yet told
  bool ended_ = false;
};

// What says that an answer is no T.
Error NotOfType(const reflect::Type& wanted, const SharedObject& object);

// The same of one type. Threads: Stop is for any.
template <class T>
class Watch {
 public:
  struct Event {
    EventType type = EventType::kAdded;
    T object;  // of kBookmark only its resourceVersion is set
  };
  explicit Watch(EventStream events) : events_(std::move(events)) {}

  Result<std::optional<Event>> Next() {
    TRY(const auto event, events_.Next());
    if (!event) return std::optional<Event>();
    Event told{.type = event->type, .object = {}};
    if (event->type == EventType::kBookmark) {
      told.object.metadata.resourceVersion = event->resource_version;
      return std::optional<Event>(std::move(told));
    }
    const std::shared_ptr<const T> object = event->object.template As<T>();
    if (!object) return NotOfType(reflect::TypeOf<T>(), event->object);
    told.object = *object;
    return std::optional<Event>(std::move(told));
  }
  void Stop() { events_.Stop(); }

 private:
  EventStream events_;
};

}  // namespace podium::client
