#include "client/watch.h"

#include <algorithm>
#include <iterator>

#include "reflect/type.h"

namespace podium::client {
namespace {

constexpr size_t kTakenAtOnce = 64;

}  // namespace

Result<EventStream> EventStream::Start(Connection& connection, const Target& target,
                                       const api::meta::v1::ListOptions& options) {
  auto signal = std::make_shared<Signal>();
  EventStream stream(signal);
  TRY(stream.watch_, connection.Watch(target, options, [signal] {
    const std::lock_guard lock(signal->mutex);
    signal->ready = true;
    signal->changed.notify_all();
  }));
  return stream;
}

Result<std::optional<ObjectEvent>> EventStream::Next() {
  while (true) {
    {
      std::unique_lock lock(signal_->mutex);
      if (events_.empty() && !ended_) {
        signal_->changed.wait(lock, [this] { return signal_->ready || signal_->stopped; });
        signal_->ready = false;
      }
      if (signal_->stopped) return Error(Code::kCancelled, "the watch was stopped");
    }
    if (!events_.empty()) {
      std::optional<ObjectEvent> event(std::move(events_.front()));
      events_.pop_front();
      return event;
    }
    if (ended_) return std::optional<ObjectEvent>();
    auto batch = watch_->Take(kTakenAtOnce);
    if (!batch.ok() || batch->more) {
      // Nobody will say that there is more, nor that there is the same error again.
      const std::lock_guard lock(signal_->mutex);
      signal_->ready = true;
    }
    if (!batch.ok()) return std::move(batch).error();
    std::ranges::move(batch->events, std::back_inserter(events_));
    ended_ = batch->ended;
  }
}

void EventStream::Stop() {
  const std::lock_guard lock(signal_->mutex);
  signal_->stopped = true;
  signal_->changed.notify_all();
}

Error NotOfType(const reflect::Type& wanted, const SharedObject& object) {
  return Error(Code::kInternal, "the server's answer is a " + std::string(object.type().name) +
                                    " and no " + std::string(wanted.name));
}

}  // namespace podium::client
