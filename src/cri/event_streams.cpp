#include "cri/event_streams.h"

#include <utility>

#include "reflect/protobuf.h"

namespace podium::cri {
namespace {

constexpr size_t kMaxWaiting = 1000;

}  // namespace

struct EventStreams::Queue {
  std::mutex mutex;
  std::deque<std::shared_ptr<const std::string>> waiting;
  bool overflown = false;
  http::BodyWaker waker;
};

class EventStreams::Source : public grpc::MessageSource {
 public:
  explicit Source(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}

  void Attach(http::BodyWaker waker) override {
    const std::lock_guard lock(queue_->mutex);
    queue_->waker = std::move(waker);
  }
  Result<Then> Next(std::string* message) override {
    const std::lock_guard lock(queue_->mutex);
    if (queue_->overflown) {
      return Error(Code::kResourceExhausted, "the client is too slow: events were dropped");
    }
    if (queue_->waiting.empty()) return Then::kWait;
    *message = *queue_->waiting.front();
    queue_->waiting.pop_front();
    return Then::kMessage;
  }

 private:
  const std::shared_ptr<Queue> queue_;
};

void EventStreams::Tell(const wire::cri::ContainerEventResponse& event) {
  const std::lock_guard lock(mutex_);
  std::erase_if(queues_, [](const auto& queue) { return queue.expired(); });
  if (queues_.empty()) return;
  std::string bytes;
  // Made of what the runtime has, so it can be encoded.
  if (!reflect::EncodeProtobuf(reflect::TypeOf<wire::cri::ContainerEventResponse>(), &event, &bytes)
           .ok()) {
    return;
  }
  const auto message = std::make_shared<const std::string>(std::move(bytes));
  for (const auto& weak : queues_) {
    const auto queue = weak.lock();
    if (!queue) continue;
    http::BodyWaker waker;
    {
      const std::lock_guard queue_lock(queue->mutex);
      if (queue->waiting.size() >= kMaxWaiting) {
        queue->overflown = true;
        queue->waiting.clear();
      }
      if (!queue->overflown) queue->waiting.push_back(message);
      waker = queue->waker;
    }
    waker.Wake();
  }
}

std::unique_ptr<grpc::MessageSource> EventStreams::Open() {
  auto queue = std::make_shared<Queue>();
  const std::lock_guard lock(mutex_);
  queues_.push_back(queue);
  return std::make_unique<Source>(std::move(queue));
}

}  // namespace podium::cri
