// Events: what happened to a pod, for people. Kept in a ring; the same event again within the ring
// counts up instead of standing there twice, as upstream's recorder does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "node/pod_spec.h"

namespace podium::node {

enum class EventType : uint8_t { kNormal, kWarning };

// Where events of a pod go. Threads: any.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // `container`: what of the pod it is about, or nothing.
  virtual void Record(const v1::Pod& pod, const std::optional<ContainerRef>& container,
                      EventType type, std::string_view reason, std::string_view message) = 0;
};

class EventRecorder : public EventSink {
 public:
  EventRecorder(const Clock& clock, std::string node_name, size_t capacity = 1000);

  void Record(const v1::Pod& pod, const std::optional<ContainerRef>& container, EventType type,
              std::string_view reason, std::string_view message) override;

  // Oldest first; of all namespaces for "".
  std::vector<v1::Event> List(std::string_view name_space) const;
  // Called with every event as it is recorded or counts up, `added` telling which; must not wait.
  // Null: none.
  void SetObserver(std::function<void(const v1::Event&, bool added)> observer);

 private:
  const Clock& clock_;
  const std::string node_name_;
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<v1::Event> events_;
  uint64_t last_id_ = 0;
  std::function<void(const v1::Event&, bool)> observer_;
};

}  // namespace podium::node
