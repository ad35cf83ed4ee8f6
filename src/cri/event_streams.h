// Events of the runtime for every GetContainerEvents that is open. A client that takes none for so
// long that a thousand wait for it is told so, and its call ends: it looks anew, and misses
// nothing. Private to this room.
//
// Threads: any.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpc/call.h"
#include "wire/types/cri.h"

namespace podium::cri {

class EventStreams {
 public:
  void Tell(const wire::cri::ContainerEventResponse& event);
  // What is told from now on.
  std::unique_ptr<grpc::MessageSource> Open();

 private:
  struct Queue;
  class Source;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Queue>> queues_;  // under mutex_
};

}  // namespace podium::cri
