// Requests that a server passes on to another one, without a thread for any of them: dialled and
// asked on a Poller's thread, and the answer's body pulled by the loop of whoever it is for.
//
//   DialBackend(poller, resolver, target, timeout, cancel, [=](Result<std::unique_ptr<Transport>>
//   connection) {
//     AskBackend(poller, *std::move(connection), {.head = head}, cancel, [=](Result<BackendAnswer>
//     answer) {
//       exchange->RespondFrom(answer->head.status, …, BackendBody(poller, *std::move(answer)));
//     });
//   });
//
// One request on each connection, which is closed after it: what a backend sends behind its answer
// is nobody's (CVE-2018-1002105). HTTP/1.1 only.
//
// Callbacks are called once, on the poller's thread, or dropped when the poller stops. Errors: as
// those of Client; kPermissionDenied also for addresses that are not allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/result.h"
#include "http/message.h"
#include "http/poller.h"
#include "http/pulled_body.h"
#include "http/tls.h"
#include "http/transport.h"

namespace podium::http {

struct BackendTarget {
  std::string host{};  // a name, or an address without brackets
  uint16_t port = 0;
  std::shared_ptr<const TlsClient> tls{};  // null: plain
  // Every address that the name means must be a global unicast one: `address not allowed`.
  bool only_global_unicast = false;
};

// Ends a call from any thread, while it goes on: its callback gets kCancelled. Made for one call,
// or for those that follow each other.
class BackendCancel {
 public:
  void Cancel();
  bool cancelled() const;

 private:
  friend class BackendStep;
  // Called by Cancel, or at once; takes the place of the one before.
  void OnCancel(std::function<void()> callback);

  mutable std::mutex mutex_;
  bool cancelled_ = false;
  std::function<void()> callback_;
};

using BackendDialled = std::function<void(Result<std::unique_ptr<Transport>> connection)>;

// Connects and shakes hands. Names are looked up in `resolver`, whose tasks may wait; it outlives
// the call. `timeout` is for each of a name's addresses.
void DialBackend(std::shared_ptr<Poller> poller, Executor& resolver, BackendTarget target,
                 std::chrono::milliseconds timeout, std::shared_ptr<BackendCancel> cancel,
                 BackendDialled done);

// How long no byte of a request's source may move.
inline constexpr std::chrono::seconds kSourceIdle{60};

struct BackendRequest {
  // As it is sent: with Host, and the headers that say where its body ends.
  RequestHead head{};
  // Behind the head, in the coding that the head announces.
  std::string body{};
  // Behind `body`: what is pulled on the poller's thread as the backend takes it. Sent in chunks
  // when the head has Transfer-Encoding; otherwise it is as long as the head says. A backend that
  // answers before its end gets no more of it. What fails here is kCancelled: the client is gone.
  std::unique_ptr<PulledBody> source{};
};

struct BackendAnswer {
  ResponseHead head{};
  Framing framing{};
  std::unique_ptr<Transport> connection{};
  std::string rest{};  // what came behind the head
};
using BackendAnswered = std::function<void(Result<BackendAnswer> answer)>;

// Sends it, and waits for the head of the answer, as long as that takes. Interim answers are passed
// over, but for 101. kDeadlineExceeded: kSourceIdle.
void AskBackend(std::shared_ptr<Poller> poller, std::unique_ptr<Transport> connection,
                BackendRequest request, std::shared_ptr<BackendCancel> cancel,
                BackendAnswered done);

// The body of an answer. It is read when it is taken, and so no faster; destroyed, it closes the
// connection. `keeps_alive` goes when the body goes.
std::unique_ptr<PulledBody> BackendBody(std::shared_ptr<Poller> poller, BackendAnswer answer,
                                        std::shared_ptr<const void> keeps_alive = nullptr);

}  // namespace podium::http
