// What most controllers are made of: informers that put keys into a queue, and workers that begin
// once all of those have told what is there. Internal to the room.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/work_queue.h"
#include "controllers/controller.h"

namespace podium::controllers {

// The last member of its controller: it ends first, and with it all calls into the controller.
// Threads: any.
class KeyedWork {
 public:
  using Reconcile = client::WorkQueue::Reconcile;

  KeyedWork(const ControllerContext& context, std::string_view name, int workers,
            Reconcile reconcile)
      : reconcile_(std::move(reconcile)),
        queue_({.executor = context.executor,
                .clock = context.clock,
                .workers = workers,
                .reconcile = [this](const std::string& key) { return Sync(key); },
                .on_error =
                    [tell = context.on_error, name](const std::string& key, const Error& error) {
                      if (tell) tell(name, key, error);
                    }}) {}
  KeyedWork(const KeyedWork&) = delete;
  KeyedWork& operator=(const KeyedWork&) = delete;
  ~KeyedWork() {
    for (const auto& [informer, handler] : Followed()) informer->RemoveHandler(handler);
    queue_.ShutDown();
  }

  void Follow(client::Informer& informer, client::EventHandler handler) {
    // Without the lock: the handler may be told of what is there at once.
    const auto id = informer.AddHandler(std::move(handler));
    const std::lock_guard lock(mutex_);
    followed_.emplace_back(&informer, id);
  }
  // Adds the key of each object that is there, comes or changes.
  void FollowKeys(client::Informer& informer) {
    const auto add = [this](const client::SharedObject& object) { Add(client::KeyOf(object)); };
    Follow(informer, {.on_add = [=](const auto& object, bool) { add(object); },
                      .on_update = [=](const auto&, const auto& object) { add(object); }});
  }
  // Returns when no worker runs, and none will.
  void ShutDown() { queue_.ShutDown(); }
  // After the first Follow.
  void Open() { queue_.Open(); }
  void Add(const std::string& key) { queue_.Add(key); }
  void AddAfter(const std::string& key, std::chrono::nanoseconds delay) {
    queue_.AddAfter(key, delay);
  }

 private:
  using Handlers = std::vector<std::pair<client::Informer*, client::Informer::HandlerId>>;

  Handlers Followed() const {
    const std::lock_guard lock(mutex_);
    return followed_;
  }
  Result<client::Reconciled> Sync(const std::string& key) {
    for (const auto& [informer, handler] : Followed()) {
      if (!informer->HasSynced(handler)) {
        return client::Reconciled{.requeue_after = std::chrono::milliseconds(100)};
      }
    }
    return reconcile_(key);
  }

  const Reconcile reconcile_;
  mutable std::mutex mutex_;
  Handlers followed_;  // under mutex_
  client::WorkQueue queue_;
};

// Keys of objects in two parts, "ns/web" or "web".
inline client::ObjectKey SplitKey(const std::string& key) {
  const size_t slash = key.find('/');
  if (slash == key.npos) return {"", key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace podium::controllers
