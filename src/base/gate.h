// Gate: who is inside, so that an orderly stop waits until all have left.
//
//   class Server { Gate gate_; };
//   task = [pass = gate_.Enter()] { … };   // inside until the last copy of the pass is gone
//   gate_.WaitUntilEmpty();                // nobody enters any more: the caller sees to that
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace podium {

class Gate {
 public:
  using Pass = std::shared_ptr<const void>;

  Gate() : state_(std::make_shared<State>()) {}

  // May outlive the gate.
  Pass Enter() const {
    {
      const std::lock_guard lock(state_->mutex);
      ++state_->inside;
    }
    // What is pointed to is nobody's; the deleter is what counts.
    return Pass(state_.get(), [state = state_](const void*) {
      const std::lock_guard lock(state->mutex);
      if (--state->inside == 0) state->empty.notify_all();
    });
  }

  void WaitUntilEmpty() const {
    std::unique_lock lock(state_->mutex);
    state_->empty.wait(lock, [&] { return state_->inside == 0; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable empty;
    size_t inside = 0;
  };
  const std::shared_ptr<State> state_;
};

}  // namespace podium
