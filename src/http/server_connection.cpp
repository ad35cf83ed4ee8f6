#include "http/server_connection.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "http/http2_session.h"

namespace podium::http {
namespace {

thread_local const LoopInbox* loop_of_thread = nullptr;

// The loops that are to be woken when this thread's AnswerBatch ends.
struct Batch {
  void Add(std::shared_ptr<LoopInbox> inbox) {
    if (std::ranges::find(inboxes, inbox) == inboxes.end()) inboxes.push_back(std::move(inbox));
  }
  int depth = 0;
  std::vector<std::shared_ptr<LoopInbox>> inboxes;
};
thread_local Batch batch;

}  // namespace

Result<std::shared_ptr<LoopInbox>> LoopInbox::Create() {
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return Error::FromErrno(errno, "making an eventfd");
  return std::shared_ptr<LoopInbox>(new LoopInbox(std::move(wake)));
}

void LoopInbox::Post(LoopCommand command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  if (!asleep_) return;
  if (batch.depth > 0) {
    batch.Add(shared_from_this());
    return;
  }
  asleep_ = false;
  eventfd_write(wake_.get(), 1);
}

void LoopInbox::Take(std::vector<LoopCommand>* commands) {
  const std::lock_guard lock(mutex_);
  asleep_ = false;
  commands->swap(commands_);
}

bool LoopInbox::MaySleep() {
  const std::lock_guard lock(mutex_);
  asleep_ = commands_.empty();
  return asleep_;
}

void LoopInbox::WakeIfAsleep() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(asleep_, false)) return;
  eventfd_write(wake_.get(), 1);
}

void LoopInbox::Adopt() { loop_of_thread = this; }

bool LoopInbox::OnLoopThread() const { return loop_of_thread == this; }

AnswerBatch::AnswerBatch() { ++batch.depth; }

AnswerBatch::~AnswerBatch() {
  if (--batch.depth > 0) return;
  for (const auto& inbox : std::exchange(batch.inboxes, {})) inbox->WakeIfAsleep();
}

BodyWaker::BodyWaker(std::function<void()> wake) : target_(std::make_shared<Target>()) {
  target_->call = std::move(wake);
}

void BodyWaker::Wake() const {
  if (target_ && target_->call) return target_->call();
  if (!target_ || target_->woken.exchange(true)) return;
  target_->inbox->Post({.kind = LoopCommand::Kind::kWake,
                        .connection = target_->connection,
                        .stream = target_->stream});
}

ServerConnection::ServerConnection() = default;

ServerConnection::~ServerConnection() = default;

void ServerConnection::FlushLocked() {
  while (!broken && transport && WaitingLocked() > 0) {
    auto progress = transport->TryWrite(std::string_view(out).substr(out_begin));
    if (!progress.ok()) {
      broken = true;
      break;
    }
    out_begin += progress->bytes;
    if (progress->wait != 0) break;
  }
  if (broken) out.clear();
  // Not each time: what is left is moved.
  if (WaitingLocked() == 0 || out_begin > out.size() / 2) out.erase(0, std::exchange(out_begin, 0));
}

void ServerConnection::ShrinkLocked() {
  constexpr size_t kKept = size_t{16} << 10;
  if (out.empty() && out.capacity() > kKept) out = {};
  if (in.empty() && in.capacity() > kKept) in = {};
}

void ServerConnection::Break() {
  {
    const std::lock_guard lock(mutex);
    broken = true;
    out = {};
    out_begin = 0;
    if (transport && !detached) {
      // A handler that reads a streamed body waits at the socket itself.
      shutdown(transport->fd(), SHUT_RDWR);
      transport.reset();
    }
  }
  drained.notify_all();
  Cancel();
}

void ServerConnection::Cancel() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex);
    cancelled = true;
    callback = std::exchange(on_cancel, nullptr);
  }
  if (callback) callback();
}

class TrackedStream : public Stream {
 public:
  TrackedStream(std::shared_ptr<UpgradedStreams> set, std::unique_ptr<Stream> stream)
      : set_(std::move(set)), stream_(std::move(stream)) {}
  ~TrackedStream() override { set_->Remove(this); }
  TrackedStream(const TrackedStream&) = delete;
  TrackedStream& operator=(const TrackedStream&) = delete;

  Result<size_t> Read(std::span<char> buffer) override { return stream_->Read(buffer); }
  Result<void> Write(std::string_view bytes) override { return stream_->Write(bytes); }
  Result<void> CloseWrite() override { return stream_->CloseWrite(); }
  void Shutdown() override { stream_->Shutdown(); }
  void SetLimits(const WaitLimits& limits) override { stream_->SetLimits(limits); }
  int fd() const override { return stream_->fd(); }
  bool Buffered() const override { return stream_->Buffered(); }

 private:
  std::shared_ptr<UpgradedStreams> set_;
  std::unique_ptr<Stream> stream_;
};

std::unique_ptr<Stream> UpgradedStreams::Track(std::shared_ptr<UpgradedStreams> self,
                                               std::unique_ptr<Stream> stream,
                                               std::shared_ptr<ServerConnection> connection) {
  auto tracked = std::make_unique<TrackedStream>(std::move(self), std::move(stream));
  Add({tracked.get(), [stream = tracked.get()] { stream->Shutdown(); }, std::move(connection)});
  return tracked;
}

class TrackedTransport : public Transport {
 public:
  TrackedTransport(std::shared_ptr<UpgradedStreams> set, std::shared_ptr<Transport> transport)
      : set_(std::move(set)), transport_(std::move(transport)) {}
  ~TrackedTransport() override { set_->Remove(this); }
  TrackedTransport(const TrackedTransport&) = delete;
  TrackedTransport& operator=(const TrackedTransport&) = delete;

  Result<Progress> TryRead(std::span<char> buffer) override { return transport_->TryRead(buffer); }
  Result<Progress> TryWrite(std::string_view bytes) override { return transport_->TryWrite(bytes); }
  Result<Progress> TryCloseWrite() override { return transport_->TryCloseWrite(); }
  bool Buffered() const override { return transport_->Buffered(); }
  int fd() const override { return transport_->fd(); }

 private:
  const std::shared_ptr<UpgradedStreams> set_;
  const std::shared_ptr<Transport> transport_;
};

std::unique_ptr<Transport> UpgradedStreams::TrackTransport(
    std::shared_ptr<UpgradedStreams> self, std::shared_ptr<Transport> transport,
    std::shared_ptr<ServerConnection> connection) {
  const int fd = transport->fd();
  auto tracked = std::make_unique<TrackedTransport>(std::move(self), std::move(transport));
  // Whoever waits for the socket sees its end.
  Add({tracked.get(), [fd] { shutdown(fd, SHUT_RDWR); }, std::move(connection)});
  return tracked;
}

void UpgradedStreams::Add(Entry entry) {
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::move(entry));
  if (shut_) entries_.back().shut_down();
}

void UpgradedStreams::Remove(const void* owner) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.owner == owner; });
}

void UpgradedStreams::CancelAll() {
  std::unique_lock lock(mutex_);
  std::vector<std::shared_ptr<ServerConnection>> connections;
  connections.reserve(entries_.size());
  for (const Entry& entry : entries_) connections.push_back(entry.connection);
  lock.unlock();
  for (const auto& connection : connections) connection->Cancel();
}

void UpgradedStreams::ShutdownAll() {
  const std::lock_guard lock(mutex_);
  shut_ = true;
  for (const Entry& entry : entries_) entry.shut_down();
}

size_t UpgradedStreams::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace podium::http
