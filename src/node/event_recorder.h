// Events: what happened to a pod or to the node, for people. Kept in a ring; the same event again
// within the ring counts up instead of standing there twice, as upstream's recorder does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "base/result.h"
#include "node/change_type.h"
#include "node/pod_spec.h"

namespace podium::node {

enum class EventType : uint8_t { kNormal, kWarning };

// "Normal", "Warning".
const char* TextOf(EventType type);

// No longer message is kept: the API refuses it.
inline constexpr size_t kMaxEventMessage = 1024;

// What an event is about: a pod, or a container of it.
v1::ObjectReference ReferenceTo(const v1::Pod& pod, const std::optional<ContainerRef>& container);
// As kubelets refer to their node: its name stands for its uid.
v1::ObjectReference ReferenceToNode(const std::string& name);

using EventAnnotations = std::map<std::string, std::string>;

// Where events go. Threads: any.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // `container`: what of the pod it is about, or nothing.
  virtual void Record(const v1::Pod& pod, const std::optional<ContainerRef>& container,
                      EventType type, std::string_view reason, std::string_view message) = 0;
  // About the pod, with annotations of the event: what programs read of it.
  virtual void RecordAnnotated(const v1::Pod& pod, const EventAnnotations& annotations,
                               EventType type, std::string_view reason,
                               std::string_view message) = 0;
  // About the node itself.
  virtual void RecordNode(EventType type, std::string_view reason, std::string_view message) = 0;
};

class EventRecorder : public EventSink {
 public:
  EventRecorder(const Clock& clock, std::string node_name, size_t capacity = 1000);

  void Record(const v1::Pod& pod, const std::optional<ContainerRef>& container, EventType type,
              std::string_view reason, std::string_view message) override;
  void RecordAnnotated(const v1::Pod& pod, const EventAnnotations& annotations, EventType type,
                       std::string_view reason, std::string_view message) override;
  void RecordNode(EventType type, std::string_view reason, std::string_view message) override;

  // Oldest first; of all namespaces for "". `version`, if any: that of the list.
  std::vector<v1::Event> List(std::string_view name_space, uint64_t* version = nullptr) const;

  // Calls with every event that has changed after `version`, as it is now, at once and in order of
  // the changes; then with each change as it comes, from any thread: an event is added, modified
  // when it counts up, deleted when newer ones push it out. It must not wait, nor call the
  // recorder. kExpired when what lies between is forgotten, or `version` was never reached.
  using Observer = std::function<void(ChangeType change, const v1::Event& event)>;
  Result<uint64_t> Watch(uint64_t version, Observer observer);
  void Unwatch(uint64_t watch);

 private:
  struct Entry {
    v1::Event event;
    uint64_t added = 0;  // versions
    uint64_t changed = 0;
  };

  void Add(v1::Event event, EventType type, std::string_view reason, std::string_view message);
  void Tell(ChangeType change, const v1::Event& event);

  const Clock& clock_;
  const std::string node_name_;
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<Entry> events_;
  uint64_t version_ = 0;
  uint64_t forgotten_ = 0;  // the version at which an event went last
  std::map<uint64_t, Observer> observers_;
  uint64_t last_watch_ = 0;
};

}  // namespace podium::node
