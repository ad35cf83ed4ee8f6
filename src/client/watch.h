// Changes of objects as a server tells them, and bodies that come bit by bit.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/types/meta_v1.h"
#include "base/result.h"
#include "client/connection.h"
#include "http/client.h"
#include "reflect/json.h"

namespace podium::client {

// The body of an answer. Threads: Stop is for any.
class ByteStream {
 public:
  explicit ByteStream(http::Response response) : response_(std::move(response)) {}

  // At least a byte, or 0 at the end.
  Result<size_t> Read(std::span<char> buffer) { return response_.Read(buffer); }
  // Breaks off whoever waits in Read, and what follows.
  void Stop() { response_.Abort(); }

 private:
  http::Response response_;
};

// WatchEvents of a body, one a line, not yet decoded.
class EventStream {
 public:
  explicit EventStream(http::Response response) : bytes_(std::move(response)) {}

  // None at the end, which servers bring about now and then: watch again from the version seen
  // last. An event of type ERROR is an Error; kExpired: that version is compacted away, so list
  // again.
  Result<std::optional<api::meta::v1::WatchEvent>> Next();
  void Stop() { bytes_.Stop(); }

 private:
  Result<std::optional<std::string>> NextLine();

  ByteStream bytes_;
  std::string buffer_;
  size_t begin_ = 0;     // of the line that is next
  size_t searched_ = 0;  // behind it, without a line end
};

// kInvalidArgument for a type that is none of upstream's.
Result<EventType> ParseEventType(std::string_view type);

// Threads: Stop is for any.
template <class T>
class Watch {
 public:
  struct Event {
    EventType type = EventType::kAdded;
    T object;  // of kBookmark only its resourceVersion counts
  };
  explicit Watch(EventStream events) : events_(std::move(events)) {}

  Result<std::optional<Event>> Next() {
    TRY(const auto event, events_.Next());
    if (!event) return std::optional<Event>();
    Event decoded;
    TRY(decoded.type, ParseEventType(event->type));
    TRY(decoded.object, reflect::FromJson<T>(event->object.text, {.strict = false}));
    return std::optional<Event>(std::move(decoded));
  }
  void Stop() { events_.Stop(); }

 private:
  EventStream events_;
};

}  // namespace podium::client
