#include "runtime/shim_client.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "linux/packet_socket.h"

namespace podium::runtime {
namespace {

// A stage mounts, and a mount may wait for a server; nobody waits for longer.
constexpr auto kReplyTimeout = std::chrono::minutes(2);
constexpr uint64_t kStopKey = ~uint64_t{0};

shim::Header HeaderOf(const ShimReply& reply) { return reply.As<shim::Plain>().header; }

bool IsWellFormed(const ShimReply& reply) {
  const shim::Header header = HeaderOf(reply);
  return reply.bytes.size() >= sizeof header && header.magic == shim::kMessageMagic &&
         header.length == reply.bytes.size() && header.descriptors == reply.descriptors.size();
}

std::string_view StepText(shim::FailedStep step) {
  using enum shim::FailedStep;
  switch (step) {
    case kMessage:
    case kPlan:
      return "the shim does not understand the request";
    case kUnknownTarget:
      return "no such process";
    case kWrongPhase:
      return "the process is not in the right state";
    case kTooMany:
      return "too many processes in the pod";
    case kSpawn:
      return "starting a process";
    case kCgroup:
      return "entering the cgroup";
    case kNamespace:
      return "entering namespaces";
    case kUserMap:
      return "mapping users";
    case kHostname:
      return "setting the host name";
    case kSysctl:
      return "setting sysctl";
    case kInfraProgram:
      return "starting the infra process";
    case kOomScore:
      return "setting oom_score_adj";
    case kShm:
      return "making /dev/shm";
    case kRoot:
      return "entering the root file system";
    case kMount:
      return "mounting";
    case kDevice:
      return "making device";
    case kMask:
      return "masking";
    case kReadOnly:
      return "making read-only";
    case kLink:
      return "linking";
    case kFolder:
      return "making folder";
    case kTerminal:
      return "making a terminal";
    case kStdio:
      return "connecting the streams";
    case kRlimit:
      return "setting limit";
    case kCapabilities:
      return "setting capabilities";
    case kUser:
      return "setting the user";
    case kNoNewPrivileges:
      return "setting no_new_privs";
    case kSeccomp:
      return "setting the seccomp filter";
    case kLabel:
      return "setting the security label";
    case kWorkingDirectory:
      return "changing to working directory";
    case kDied:
      return "the process was killed before its program ran";
    case kSignal:
      return "sending a signal";
    case kTerminalSize:
      return "resizing the terminal";
    case kLog:
      return "opening the log";
    case kFindProgram:
    case kStartProgram:
    case kNone:
      break;
  }
  return "starting the container process";
}

// runc's words, which people search for.
std::string ProgramText(int error, const std::string& program) {
  const std::string begin = "unable to start container process: exec: \"" + program + "\": ";
  if (error == ENOENT && program.find('/') == std::string::npos) {
    return begin + "executable file not found in $PATH";
  }
  std::string text = Error::FromErrno(error, "").message();
  text.erase(0, text.find_first_not_of(": "));
  // Go's spelling of errno.
  if (!text.empty()) text[0] = static_cast<char>(text[0] | 0x20);
  const bool is_stat = error == ENOENT;
  return begin + (is_stat ? "stat " + program + ": " : "") + text;
}

}  // namespace

Error ShimError(shim::FailedStep step, int error, std::string_view detail) {
  if (step == shim::FailedStep::kFindProgram || step == shim::FailedStep::kStartProgram) {
    return {Code::kInvalidArgument, ProgramText(error, std::string(detail)), error};
  }
  std::string what(StepText(step));
  if (!detail.empty()) what += " \"" + std::string(detail) + '"';
  return Error::FromErrno(error, what);
}

Error ShimError(const shim::Failed& failed) {
  const std::string_view detail(failed.detail, strnlen(failed.detail, sizeof failed.detail));
  return ShimError(failed.step, failed.error, detail);
}

ShimClient::~ShimClient() = default;

bool ShimClient::gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

Result<std::vector<ShimReply>> ShimClient::Exchange(shim::MessageType type, std::string bytes,
                                                    std::span<const int> descriptors) {
  const auto waiter = std::make_shared<Waiter>();
  shim::Header header{.magic = shim::kMessageMagic,
                      .version = shim::kMessageVersion,
                      .type = type,
                      .length = static_cast<uint32_t>(bytes.size()),
                      .descriptors = static_cast<uint32_t>(descriptors.size()),
                      .id = 0};
  {
    const std::lock_guard lock(mutex_);
    if (gone_) return Error(Code::kUnavailable, "the pod's shim is gone");
    header.id = next_id_++;
    waiters_[header.id] = waiter;
  }
  std::memcpy(bytes.data(), &header, sizeof header);
  const Result<void> sent = kernel::SendPacket(socket_.get(), bytes, descriptors);
  std::unique_lock lock(mutex_);
  if (sent.ok()) changed_.wait_for(lock, kReplyTimeout, [&] { return waiter->done || gone_; });
  waiters_.erase(header.id);
  if (!sent.ok()) return Error(sent.error()).WithContext("asking the pod's shim");
  if (!waiter->done) {
    return Error(Code::kUnavailable,
                 gone_ ? "the pod's shim is gone" : "the pod's shim does not answer");
  }
  return std::move(waiter->replies);
}

Result<ShimReply> ShimClient::CallBytes(shim::MessageType type, std::string bytes,
                                        std::span<const int> descriptors) {
  TRY(std::vector<ShimReply> replies, Exchange(type, std::move(bytes), descriptors));
  ShimReply reply = std::move(replies.front());
  if (HeaderOf(reply).type == shim::MessageType::kFailed) {
    return ShimError(reply.As<shim::Failed>());
  }
  return reply;
}

Result<std::vector<ShimReply>> ShimClient::State() {
  const shim::Plain plain{};
  return Exchange(shim::MessageType::kState,
                  std::string(reinterpret_cast<const char*>(&plain), sizeof plain), {});
}

void ShimClient::OnReply(ShimReply reply) {
  using enum shim::MessageType;
  const shim::Header header = HeaderOf(reply);
  const std::lock_guard lock(mutex_);
  const auto found = waiters_.find(header.id);
  // Nobody waits any more: what came is closed.
  if (found == waiters_.end()) return;
  const bool more = header.type == kSandboxState || header.type == kProcessState;
  if (header.type != kStateEnd) found->second->replies.push_back(std::move(reply));
  if (more) return;
  found->second->done = true;
  changed_.notify_all();
}

void ShimClient::OnGone() {
  const std::lock_guard lock(mutex_);
  gone_ = true;
  changed_.notify_all();
}

Result<std::unique_ptr<ShimLoop>> ShimLoop::Start(ShimEvents events) {
  std::unique_ptr<ShimLoop> loop(new ShimLoop());
  loop->events_ = std::move(events);
  loop->epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  loop->stop_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kStopKey;
  if (!loop->epoll_ || !loop->stop_ ||
      epoll_ctl(loop->epoll_.get(), EPOLL_CTL_ADD, loop->stop_.get(), &event) != 0) {
    return Error::FromErrno(errno, "epoll");
  }
  loop->reader_ = std::thread([&loop = *loop] { loop.Read(); });
  loop->deliverer_ = std::thread([&loop = *loop] { loop.Deliver(); });
  return loop;
}

ShimLoop::~ShimLoop() {
  if (!reader_.joinable()) return;
  const uint64_t one = 1;
  while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  reader_.join();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    posted_.notify_all();
  }
  deliverer_.join();
  // Whoever still waits for a reply learns that none comes.
  for (const auto& [key, client] : clients_) client->OnGone();
}

Result<std::shared_ptr<ShimClient>> ShimLoop::Attach(UniqueFd socket, uint64_t key) {
  const int fd = socket.get();
  const std::shared_ptr<ShimClient> client(new ShimClient(std::move(socket), key));
  const std::lock_guard lock(mutex_);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Error::FromErrno(errno, "epoll_ctl");
  }
  clients_[key] = client;
  return client;
}

void ShimLoop::Detach(uint64_t key) {
  std::shared_ptr<ShimClient> client;
  {
    const std::lock_guard lock(mutex_);
    const auto found = clients_.find(key);
    if (found == clients_.end()) return;
    client = std::move(found->second);
    clients_.erase(found);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client->socket_.get(), nullptr);
  }
  client->OnGone();
}

void ShimLoop::Read() {
  epoll_event events[32];
  while (true) {
    const int count = epoll_wait(epoll_.get(), events, std::size(events), -1);
    for (int i = 0; i < count; ++i) {
      const uint64_t key = events[i].data.u64;  // the struct is packed: no reference into it
      if (key == kStopKey) return;
      std::shared_ptr<ShimClient> client;
      {
        const std::lock_guard lock(mutex_);
        const auto found = clients_.find(key);
        if (found != clients_.end()) client = found->second;
      }
      if (client) ReadFrom(client);
    }
  }
}

void ShimLoop::ReadFrom(const std::shared_ptr<ShimClient>& client) {
  using enum shim::MessageType;
  auto packet = kernel::ReceivePacket(client->socket_.get(), shim::kMaxMessage);
  ShimReply reply;
  if (packet.ok()) {
    reply.bytes = std::move(packet->bytes);
    reply.descriptors = std::move(packet->descriptors);
  }
  const uint64_t key = client->key_;
  if (!packet.ok() || !IsWellFormed(reply)) {
    // Closed; or not what a shim says, which is then as good as gone.
    Detach(key);
    Post([this, key] { events_.gone(key); });
    return;
  }
  switch (HeaderOf(reply).type) {
    case kProcessExited:
      Post(
          [this, key, state = reply.As<shim::ProcessInfo>().state] { events_.exited(key, state); });
      break;
    case kLogTrouble:
      Post([this, key, trouble = reply.As<shim::LogTrouble>()] {
        events_.log_trouble(key, trouble);
      });
      break;
    case kLogGrown:
      Post([this, key, grown = reply.As<shim::LogGrown>()] { events_.log_grown(key, grown); });
      break;
    default:
      client->OnReply(std::move(reply));
  }
}

void ShimLoop::Post(std::function<void()> event) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(event));
  posted_.notify_one();
}

void ShimLoop::Deliver() {
  std::unique_lock lock(mutex_);
  while (true) {
    posted_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const std::function<void()> event = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    event();
    lock.lock();
  }
}

}  // namespace podium::runtime
