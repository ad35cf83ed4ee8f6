// ClusterEvents: what happens on the node, as Events in the cluster (upstream's
// k8s.io/client-go/tools/record, a broadcaster with its sink; release 1.36).
//
// Whoever records never waits: an event is kept in a queue of a thousand, as upstream's is, and one
// task sends what is in it, in order, each as of the time when it was recorded. While no server is
// to be reached an event is tried twelve times, ten seconds apart; what the server refuses is
// dropped at once. With the queue full new events are dropped, and counted. The node's own list of
// events (event_recorder.h) gets each in any case.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/event_recorder.h"
#include "client/work_queue.h"
#include "node/event_recorder.h"

namespace podium::node {

class ClusterEvents : public EventSink {
 public:
  static constexpr size_t kMaxQueued = 1000;
  static constexpr int kMaxTries = 12;
  static constexpr std::chrono::seconds kRetry{10};

  struct Parts {
    // All outlive it.
    EventSink& local;
    const Clock& clock;
    Executor& executor;
    std::string node_name;
    // For jitter: a number from 0 to 1.
    std::function<double()> random{};
  };

  explicit ClusterEvents(Parts parts) : parts_(std::move(parts)) {}
  // Stop.
  ~ClusterEvents() override;

  void Record(const v1::Pod& pod, const std::optional<ContainerRef>& container, EventType type,
              std::string_view reason, std::string_view message) override;
  void RecordAnnotated(const v1::Pod& pod, const EventAnnotations& annotations, EventType type,
                       std::string_view reason, std::string_view message) override;
  void RecordNode(EventType type, std::string_view reason, std::string_view message) override;

  // From now on what is queued is sent. Once; the connection outlives Stop.
  void Start(client::Connection& connection);
  // Returns when nothing is sent any more; what is queued is not. For good. Whoever wants no try to
  // be waited for stops the connection first.
  void Stop();

  // That the server does not know of: the queue was full, it refused them, or was away too long.
  uint64_t dropped() const;

 private:
  struct Queued {
    v1::ObjectReference about;
    EventType type;
    std::string reason;
    std::string message;
    int64_t at;  // nanoseconds since 1970
    EventAnnotations annotations{};
  };

  void Enqueue(Queued event);
  // Sends until the queue is empty or the server away.
  client::Reconciled SendQueued(client::EventRecorder& recorder);
  // Whether the event is done with, one way or the other.
  bool TrySend(client::EventRecorder& recorder, const client::CorrelatedEvent& event);

  const Parts parts_;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::deque<Queued> queue_;
  int64_t last_at_ = 0;  // of the event that was queued last
  uint64_t dropped_ = 0;
  bool waiting_ = false;  // for the next try
  bool stopped_ = false;
  // By the task alone: the first of the queue, which was tried already.
  std::optional<client::CorrelatedEvent> current_;
  int tries_ = 0;

  std::unique_ptr<client::EventRecorder> recorder_;
  std::unique_ptr<client::WorkQueue> work_;  // one key: the queue
};

}  // namespace podium::node
