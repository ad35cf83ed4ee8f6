// One connection that a probe makes: connect, TLS, say something, listen until it is enough. On a
// poller's thread, which never waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/gate.h"
#include "base/result.h"
#include "http/connect.h"
#include "http/poller.h"
#include "http/tls.h"
#include "http/tls_transport.h"

namespace podium::node {

// What is said on a connection.
class ProbeDialogue {
 public:
  virtual ~ProbeDialogue() = default;
  // With each piece that came, "" at first; `end`: nothing comes any more. What is appended to
  // `out` is sent. True: it is over.
  virtual Result<bool> Take(std::string_view bytes, bool end, std::string* out) = 0;
};

class ProbeExchange;

// What the exchanges of a node share.
struct ProbeExchanges {
  ProbeExchanges(std::shared_ptr<http::Poller> on, Executor& where, http::TlsClient with)
      : poller(std::move(on)), executor(where), tls(std::move(with)) {}

  // Ends all, and refuses others. After the poller, while the executor runs.
  void Stop();

  const std::shared_ptr<http::Poller> poller;
  Executor& executor;  // for names, which only a resolver that waits knows
  const http::TlsClient tls;
  const Gate beginning{};  // those that the poller's thread does not have yet
  std::mutex mutex;
  // Under the mutex.
  bool stopped = false;
  std::set<std::shared_ptr<ProbeExchange>> live;
};

class ProbeExchange : public std::enable_shared_from_this<ProbeExchange> {
 public:
  struct Target {
    std::string host;
    uint16_t port = 0;
    bool tls = false;
    http::Clock::time_point deadline;
  };
  // Where it was when an error came.
  enum class Stage : uint8_t { kDial, kTalk };
  using Done = std::function<void(Stage stage, Result<void> result)>;

  // Without a dialogue it is over with the connection. `done` is called once, here or on the
  // poller's thread. Errors: kDeadlineExceeded; of kDial what Go's dialer says ("connect:
  // connection refused"); the dialogue's. kCancelled once the exchanges have stopped.
  static void Begin(const std::shared_ptr<ProbeExchanges>& all, Target target,
                    std::unique_ptr<ProbeDialogue> dialogue, Done done);
  // Ends it, if it has not ended. Not while the poller runs, except on its thread.
  void Finish(Result<void> result);

 private:
  ProbeExchange(std::shared_ptr<ProbeExchanges> all, Target target,
                std::unique_ptr<ProbeDialogue> dialogue, Done done)
      : all_(std::move(all)),
        target_(std::move(target)),
        dialogue_(std::move(dialogue)),
        done_(std::move(done)) {}

  void LookUp(const Gate::Pass& pass);
  // To the next of the addresses.
  void Connect();
  void Ready(bool timed_out);
  void Connected();
  void Turn();
  // Each: the event to wait for, 0 to go on.
  Result<short> ShakeHands();
  Result<short> Write();
  Result<short> Read();
  // Nothing of the exchange may be touched afterwards: the poller's thread goes on with it.
  void Wait(short events, http::Clock::time_point deadline);

  const std::shared_ptr<ProbeExchanges> all_;
  const Target target_;
  std::unique_ptr<ProbeDialogue> dialogue_;  // null: none
  Done done_;
  Stage stage_ = Stage::kDial;
  std::vector<http::SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::optional<Error> first_error_;
  UniqueFd socket_;
  std::unique_ptr<http::Transport> transport_;
  http::TlsTransport* handshake_ = nullptr;  // while it goes on
  std::unique_ptr<http::PolledFd> wait_;     // of the socket; goes before it
  std::string out_;
  std::optional<Error> broken_;  // why nothing more can be sent
  bool over_ = false;            // the dialogue is
  bool finished_ = false;
};

}  // namespace podium::node
