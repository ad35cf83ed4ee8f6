#include "http/backend.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "http/chunked.h"
#include "http/connect.h"
#include "http/framed_body.h"
#include "http/tls_transport.h"
#include "http/url.h"

namespace podium::http {
namespace {

constexpr size_t kReadSize = size_t{32} << 10;
constexpr int kMaxInterim = 10;
// Of a request in one turn, so that a fast client does not keep the others waiting.
constexpr size_t kTurn = size_t{512} << 10;

Error Cancelled() { return Error(Code::kCancelled, "the client is gone"); }

}  // namespace

void BackendCancel::Cancel() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    callback = std::exchange(callback_, nullptr);
  }
  if (callback) callback();
}

bool BackendCancel::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

void BackendCancel::OnCancel(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!cancelled_) {
      callback_ = std::move(callback);
      return;
    }
  }
  if (callback) callback();
}

// What dialling and asking share: steps on the poller's thread, until one of them is the last.
class BackendStep : public std::enable_shared_from_this<BackendStep> {
 public:
  BackendStep(std::shared_ptr<Poller> poller, std::shared_ptr<BackendCancel> cancel)
      : poller_(std::move(poller)), cancel_(std::move(cancel)) {}
  BackendStep(const BackendStep&) = delete;
  BackendStep& operator=(const BackendStep&) = delete;
  virtual ~BackendStep() = default;

  void Begin() {
    cancel_->OnCancel([weak = weak_from_this(), poller = std::weak_ptr(poller_)] {
      const auto alive = poller.lock();
      if (!alive) return;
      alive->Post([weak] {
        if (const auto self = weak.lock()) self->End(Cancelled());
      });
    });
    poller_->Post([self = shared_from_this()] { self->Go(); });
  }

 protected:
  // The next step; called when what was waited for is there.
  virtual void Step() = 0;
  virtual void TimedOut() = 0;
  virtual void Fail(Error error) = 0;

  void Go() {
    if (over_) return;
    Step();
  }
  void Wait(int fd, short events, std::optional<Clock::time_point> deadline = {}) {
    if (!wait_) {
      wait_ = std::make_unique<PolledFd>(*poller_, fd, [self = shared_from_this()](bool timed_out) {
        if (self->over_) return;
        timed_out ? self->TimedOut() : self->Step();
      });
    }
    wait_->Arm(events, deadline);
  }
  // Of the descriptor that was waited for, before it is closed.
  void StopWaiting() { wait_.reset(); }
  void End(Error error) {
    if (!TakeEnd()) return;
    Fail(std::move(error));
  }
  // Whether this is the end; once.
  bool TakeEnd() {
    if (std::exchange(over_, true)) return false;
    StopWaiting();
    cancel_->OnCancel(nullptr);
    return true;
  }
  Poller& poller() { return *poller_; }
  const std::shared_ptr<Poller>& shared_poller() const { return poller_; }

 private:
  const std::shared_ptr<Poller> poller_;
  const std::shared_ptr<BackendCancel> cancel_;
  std::unique_ptr<PolledFd> wait_;
  bool over_ = false;
};

namespace {

class Dialling final : public BackendStep {
 public:
  Dialling(std::shared_ptr<Poller> poller, std::shared_ptr<BackendCancel> cancel,
           BackendTarget target, std::chrono::milliseconds timeout, BackendDialled done)
      : BackendStep(std::move(poller), std::move(cancel)),
        target_(std::move(target)),
        timeout_(timeout),
        done_(std::move(done)) {}

  // Where the host is an address nothing waits.
  void LookUpHost() {
    addresses_ = LookUp(target_.host, target_.port, {.deadline = Clock::now() + timeout_});
  }

 private:
  void Step() override {
    if (tls_) {
      ShakeHands();
    } else if (socket_) {
      Connected();
    } else {
      ConnectNext();
    }
  }

  void ConnectNext() {
    if (!addresses_.ok()) return End(std::move(addresses_).error());
    if (target_.only_global_unicast &&
        !std::ranges::all_of(*addresses_, &SocketAddress::IsGlobalUnicast)) {
      return End(Error(Code::kPermissionDenied, "address not allowed"));
    }
    if (next_ == addresses_->size()) return End(*std::move(first_error_));
    auto socket = BeginConnect((*addresses_)[next_++]);
    if (!socket.ok()) return TryNext(std::move(socket).error());
    socket_ = *std::move(socket);
    deadline_ = Clock::now() + timeout_;
    Wait(socket_.get(), POLLOUT, deadline_);
  }
  void TryNext(Error error) {
    StopWaiting();
    tls_.reset();
    socket_.reset();
    if (!first_error_) first_error_ = std::move(error);
    ConnectNext();
  }
  void Connected() {
    if (auto connected = FinishConnect(socket_.get()); !connected.ok()) {
      return TryNext(std::move(connected).error());
    }
    StopWaiting();
    auto transport = SocketTransport(std::move(socket_));
    if (!transport.ok()) return End(std::move(transport).error());
    if (!target_.tls) return Finish(*std::move(transport));
    auto tls = target_.tls->Begin(*std::move(transport), target_.host);
    if (!tls.ok()) return End(std::move(tls).error());
    tls_ = *std::move(tls);
    ShakeHands();
  }
  void ShakeHands() {
    auto progress = tls_->TryHandshake();
    if (!progress.ok()) return TryNext(std::move(progress).error());
    if (progress->end) return TryNext(Error(Code::kUnavailable, "tls: unexpected EOF"));
    if (progress->wait != 0) return Wait(tls_->fd(), progress->wait, deadline_);
    StopWaiting();
    Finish(std::move(tls_));
  }

  void TimedOut() override { TryNext(Error(Code::kDeadlineExceeded, "i/o timeout")); }
  void Finish(std::unique_ptr<Transport> connection) {
    if (TakeEnd()) std::exchange(done_, nullptr)(std::move(connection));
  }
  void Fail(Error error) override {
    tls_.reset();
    socket_.reset();
    std::exchange(done_, nullptr)(std::move(error));
  }

  const BackendTarget target_;
  const std::chrono::milliseconds timeout_;
  BackendDialled done_;
  Result<std::vector<SocketAddress>> addresses_ = std::vector<SocketAddress>();
  size_t next_ = 0;
  std::optional<Error> first_error_;
  UniqueFd socket_;
  std::unique_ptr<TlsTransport> tls_;
  Clock::time_point deadline_;
};

class Asking final : public BackendStep {
 public:
  Asking(std::shared_ptr<Poller> poller, std::shared_ptr<BackendCancel> cancel,
         std::unique_ptr<Transport> connection, std::string out, BackendRequest request,
         BackendAnswered done)
      : BackendStep(std::move(poller), std::move(cancel)),
        connection_(std::move(connection)),
        out_(std::move(out)),
        source_(std::move(request.source)),
        chunked_(request.head.headers.Find("Transfer-Encoding") != nullptr),
        method_(std::move(request.head.method)),
        done_(std::move(done)) {}

 private:
  void Step() override {
    if (source_ && !attached_) Attach();
    // An answer may come before all is sent.
    if (!Read() || !Write()) return;
    const bool sends = sent_ < out_.size();
    std::optional<Clock::time_point> deadline;
    if (source_) deadline = Clock::now() + kSourceIdle;
    Wait(connection_->fd(), sends ? POLLIN | POLLOUT : POLLIN, deadline);
  }

  void Attach() {
    attached_ = true;
    source_->Attach(BodyWaker([weak = weak_from_this(), poller = std::weak_ptr(shared_poller())] {
      const auto alive = poller.lock();
      if (!alive) return;
      const auto go = [weak] {
        if (const auto self = weak.lock()) std::static_pointer_cast<Asking>(self)->Go();
      };
      alive->OnThread() ? go() : alive->Post(go);
    }));
  }

  // Both say whether it goes on.
  bool Write() {
    for (size_t turn = 0; turn < kTurn;) {
      if (sent_ == out_.size() && !Pull()) return false;
      if (out_.empty()) return true;
      auto progress = connection_->TryWrite(std::string_view(out_).substr(sent_));
      if (!progress.ok()) {
        // It may have answered before it closed.
        broken_ = std::move(progress).error();
        source_.reset();
        out_.clear();
        sent_ = 0;
        return Read();
      }
      sent_ += progress->bytes;
      turn += progress->bytes;
      if (progress->wait != 0) return true;
    }
    // After the others.
    poller().Post([self = shared_from_this()] { std::static_pointer_cast<Asking>(self)->Go(); });
    return true;
  }
  // The next bytes of the request into `out_`, which stays empty when there are none now.
  bool Pull() {
    out_.clear();
    sent_ = 0;
    if (!source_) return true;
    auto piece = source_->Next();
    if (!piece.ok()) {
      return End(Error(Code::kCancelled, piece.error().message())), false;
    }
    if (!piece->bytes.empty()) out_ = chunked_ ? EncodeChunk(piece->bytes) : piece->bytes;
    if (piece->then != BodyPiece::Then::kEnd) return true;
    if (chunked_) out_ += kLastChunk;
    source_.reset();
    return true;
  }
  bool Read() {
    std::array<char, kReadSize> buffer;
    while (true) {
      auto progress = connection_->TryRead(buffer);
      if (!progress.ok()) return End(Lost(std::move(progress).error())), false;
      if (progress->wait != 0) return true;
      if (progress->end) return End(Lost(Error(Code::kUnavailable, "EOF"))), false;
      in_.append(buffer.data(), progress->bytes);
      if (!TakeHeads()) return false;
    }
  }
  // What was wrong first.
  Error Lost(Error error) { return broken_ ? *std::move(broken_) : std::move(error); }
  bool TakeHeads() {
    while (const size_t size = FindHeadEnd(in_, searched_)) {
      auto head = ParseResponseHead(std::string_view(in_).substr(0, size));
      if (!head.ok()) return End(std::move(head).error()), false;
      in_.erase(0, size);
      searched_ = 0;
      if (head->status >= 200 || head->status == 101) return Finish(*std::move(head)), false;
      if (++interim_ > kMaxInterim) {
        return End(Error(Code::kInvalidArgument, "too many interim answers")), false;
      }
    }
    searched_ = in_.size();
    if (in_.size() <= HeadLimits{}.bytes) return true;
    End(Error(Code::kResourceExhausted, "the message head is too large"));
    return false;
  }
  void Finish(ResponseHead head) {
    auto framing = ResponseFraming(head, method_);
    if (head.status == 101) framing = Framing{};
    if (!framing.ok()) return End(std::move(framing).error());
    if (!TakeEnd()) return;
    // What the client still sends is for nobody.
    source_.reset();
    std::exchange(done_, nullptr)(BackendAnswer{.head = std::move(head),
                                                .framing = *framing,
                                                .connection = std::move(connection_),
                                                .rest = std::move(in_)});
  }
  void TimedOut() override { End(Error(Code::kDeadlineExceeded, "timed out")); }
  void Fail(Error error) override {
    source_.reset();
    connection_.reset();
    std::exchange(done_, nullptr)(std::move(error));
  }

  std::unique_ptr<Transport> connection_;
  std::string out_;
  size_t sent_ = 0;  // of `out_`
  std::unique_ptr<PulledBody> source_;
  bool attached_ = false;
  const bool chunked_;
  std::optional<Error> broken_{};  // nothing more can be sent
  const std::string method_;
  std::string in_;
  size_t searched_ = 0;
  int interim_ = 0;
  BackendAnswered done_;
};

class AnswerBody final : public PulledBody {
 public:
  AnswerBody(std::shared_ptr<Poller> poller, BackendAnswer answer,
             std::shared_ptr<const void> keeps_alive)
      : poller_(std::move(poller)),
        keeps_alive_(std::move(keeps_alive)),
        connection_(std::move(answer.connection)),
        body_(answer.framing),
        in_(std::move(answer.rest)) {}

  void Attach(BodyWaker waker) override {
    wait_ = std::make_unique<PolledFd>(*poller_, connection_->fd(),
                                       [waker = std::move(waker)](bool) { waker.Wake(); });
  }

  Result<BodyPiece> Next() override {
    using Then = BodyPiece::Then;
    while (true) {
      TRY(const FramedBody::Piece piece, body_.Next(std::string_view(in_).substr(begin_)));
      begin_ += piece.consumed;
      if (body_.done()) return BodyPiece{piece.data, Then::kEnd};
      if (!piece.data.empty()) return BodyPiece{piece.data, Then::kMore};
      if (begin_ < in_.size()) continue;
      std::array<char, kReadSize> buffer;
      TRY(const Progress progress, connection_->TryRead(buffer));
      if (progress.wait != 0) {
        // Ten thousand that wait hold no room for what they once had.
        std::string().swap(in_);
        begin_ = 0;
        wait_->Arm(progress.wait);
        return BodyPiece{{}, Then::kWait};
      }
      if (progress.end) {
        if (body_.ends_with_connection()) return BodyPiece{{}, Then::kEnd};
        return Error(Code::kUnavailable, "the backend is gone amid its answer");
      }
      in_.assign(buffer.data(), progress.bytes);
      begin_ = 0;
    }
  }

 private:
  const std::shared_ptr<Poller> poller_;
  const std::shared_ptr<const void> keeps_alive_;
  const std::unique_ptr<Transport> connection_;
  FramedBody body_;
  std::string in_;
  size_t begin_ = 0;
  std::unique_ptr<PolledFd> wait_;  // goes before the connection
};

}  // namespace

void DialBackend(std::shared_ptr<Poller> poller, Executor& resolver, BackendTarget target,
                 std::chrono::milliseconds timeout, std::shared_ptr<BackendCancel> cancel,
                 BackendDialled done) {
  const bool is_address = IsIpAddress(target.host);
  auto dialling = std::make_shared<Dialling>(std::move(poller), std::move(cancel),
                                             std::move(target), timeout, std::move(done));
  if (is_address) {
    dialling->LookUpHost();
    dialling->Begin();
    return;
  }
  resolver.Post([dialling] {
    dialling->LookUpHost();
    dialling->Begin();
  });
}

void AskBackend(std::shared_ptr<Poller> poller, std::unique_ptr<Transport> connection,
                BackendRequest request, std::shared_ptr<BackendCancel> cancel,
                BackendAnswered done) {
  auto out = SerializeRequestHead(request.head);
  if (!out.ok()) {
    poller->Post([done = std::move(done), error = std::move(out).error()] { done(error); });
    return;
  }
  *out += request.body;
  std::make_shared<Asking>(std::move(poller), std::move(cancel), std::move(connection),
                           *std::move(out), std::move(request), std::move(done))
      ->Begin();
}

std::unique_ptr<PulledBody> BackendBody(std::shared_ptr<Poller> poller, BackendAnswer answer,
                                        std::shared_ptr<const void> keeps_alive) {
  return std::make_unique<AnswerBody>(std::move(poller), std::move(answer), std::move(keeps_alive));
}

}  // namespace podium::http
