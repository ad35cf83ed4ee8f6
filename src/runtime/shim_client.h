// The agent's end of messages.h: connections to shims, requests that wait for their reply, and the
// events of all shims on one thread.
//
// Threads: Call may be used from any thread; a ShimClient carries any number of calls at once.
// Events are delivered one after the other, in the order of each shim's, on a thread of their own:
// a handler may make calls.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/messages.h"

namespace podium::runtime {

// What a request came back with. `as` has the reply's members; what an older shim did not send is
// zero.
struct ShimReply {
  std::string bytes;
  std::vector<UniqueFd> descriptors;

  template <class Message>
  Message As() const {
    Message message{};
    const size_t size = bytes.size() < sizeof message ? bytes.size() : sizeof message;
    __builtin_memcpy(&message, bytes.data(), size);
    return message;
  }
};

class ShimClient {
 public:
  ~ShimClient();

  // Sends a request and waits for its reply. `message` is one of messages.h's structs; its header
  // is filled in here, `tail` follows it. What the shim refuses is an Error by ShimError; a shim
  // that is gone, or does not answer in time, is kUnavailable.
  template <class Message>
  Result<ShimReply> Call(shim::MessageType type, Message message,
                         std::span<const int> descriptors = {}, std::string_view tail = {}) {
    static_assert(sizeof message.header == sizeof(shim::Header));
    std::string bytes(reinterpret_cast<const char*>(&message), sizeof message);
    bytes += tail;
    return CallBytes(type, std::move(bytes), descriptors);
  }
  // kState: the sandbox, then its processes.
  Result<std::vector<ShimReply>> State();

  // True once its socket has closed: the shim has ended.
  bool gone() const;

 private:
  friend class ShimLoop;
  struct Waiter {
    std::vector<ShimReply> replies;
    bool done = false;
  };
  ShimClient(UniqueFd socket, uint64_t key) : socket_(std::move(socket)), key_(key) {}
  Result<ShimReply> CallBytes(shim::MessageType type, std::string bytes,
                              std::span<const int> descriptors);
  Result<std::vector<ShimReply>> Exchange(shim::MessageType type, std::string bytes,
                                          std::span<const int> descriptors);
  void OnReply(ShimReply reply);
  void OnGone();

  const UniqueFd socket_;
  const uint64_t key_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, std::shared_ptr<Waiter>> waiters_;
  uint64_t next_id_ = 1;
  bool gone_ = false;
};

// A refusal in words for people: the step, what it was about, and errno's text.
Error ShimError(const shim::Failed& failed);
// The same of a process that ended before its program ran.
Error ShimError(shim::FailedStep step, int error, std::string_view detail);

struct ShimEvents {
  // A process of the pod has ended. `key` is Attach's.
  std::function<void(uint64_t key, const shim::ProcessState& state)> exited;
  std::function<void(uint64_t key, const shim::LogTrouble& trouble)> log_trouble;
  std::function<void(uint64_t key, const shim::LogGrown& grown)> log_grown;
  // The connection is closed; nothing comes from it any more.
  std::function<void(uint64_t key)> gone;
};

class ShimLoop {
 public:
  static Result<std::unique_ptr<ShimLoop>> Start(ShimEvents events);
  // No event is delivered afterwards.
  ~ShimLoop();

  // Takes the socket over. `key` is the caller's name for it, and unique.
  Result<std::shared_ptr<ShimClient>> Attach(UniqueFd socket, uint64_t key);
  // Closes the agent's end; no event of it is begun afterwards.
  void Detach(uint64_t key);

 private:
  ShimLoop() = default;
  void Read();
  void Deliver();
  void ReadFrom(const std::shared_ptr<ShimClient>& client);
  void Post(std::function<void()> event);

  ShimEvents events_;
  UniqueFd epoll_;
  UniqueFd stop_;  // an eventfd
  std::mutex mutex_;
  std::condition_variable posted_;
  std::map<uint64_t, std::shared_ptr<ShimClient>> clients_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread reader_;
  std::thread deliverer_;
};

}  // namespace podium::runtime
