// Logs, exec, attach and port-forward: the subresources of a pod that stream.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>

#include "api/status.h"
#include "base/unique_fd.h"
#include "http/channels.h"
#include "http/websocket.h"
#include "node/agent_api.h"
#include "node/container_log.h"
#include "node/logged_container.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

using http::Channels;
using http::RemoteChannel;

constexpr size_t kPiece = size_t{32} << 10;
constexpr std::chrono::milliseconds kLook{250};

std::string NamesOf(const v1::Pod& pod) {
  std::string out = "[";
  for (const v1::Container& container : pod.spec.containers) {
    out += (out.size() > 1 ? " " : "") + container.name;
  }
  return out + "]";
}

// What a session's end is told as on the error channel (upstream's remotecommand v4).
std::string EndStatus(const Result<int32_t>& code) {
  api::meta::v1::Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  if (code.ok() && *code == 0) {
    status.status = "Success";
  } else if (code.ok()) {
    status.status = "Failure";
    status.reason = "NonZeroExitCode";
    status.message =
        "command terminated with non-zero exit code: exit status " + std::to_string(*code);
    auto& cause = status.details.ensure().causes.emplace_back();
    cause.reason = "ExitCode";
    cause.message = std::to_string(*code);
  } else {
    status = api::StatusOf(code.error());
  }
  auto json = reflect::ToJson(status);
  return json.ok() ? *json : "{}";
}

// Everything a descriptor gives, to a channel; until `stop`, another descriptor, is readable.
void Pump(int fd, int stop, Channels& channels, uint8_t channel) {
  std::array<char, kPiece> piece;
  while (true) {
    pollfd ready[] = {{.fd = fd, .events = POLLIN, .revents = 0},
                      {.fd = stop, .events = POLLIN, .revents = 0}};
    if (poll(ready, std::size(ready), -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    if (ready[0].revents == 0) continue;
    const ssize_t got = read(fd, piece.data(), piece.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return;
    if (!channels.Send(channel, {piece.data(), static_cast<size_t>(got)}).ok()) return;
  }
}

// A program that reads no input must not hold up those who wait for `stop`: a pipe that can be
// written to takes as much as this at once.
constexpr size_t kNeverBlocks = PIPE_BUF;

bool WriteAll(int fd, int stop, std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready[] = {{.fd = fd, .events = POLLOUT, .revents = 0},
                      {.fd = stop, .events = POLLIN, .revents = 0}};
    if (poll(ready, std::size(ready), -1) < 0 && errno != EINTR) return false;
    if (ready[1].revents != 0) return false;
    if (ready[0].revents == 0) continue;
    const ssize_t wrote = write(fd, bytes.data(), std::min(bytes.size(), kNeverBlocks));
    if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (wrote < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return true;
}

// What the client sends: input, the end of it, and the terminal's size.
void TakeInput(Channels& channels, int stop, runtime::Session& session) {
  while (true) {
    auto message = channels.Read();
    if (!message.ok() || !*message) break;
    const auto channel = static_cast<RemoteChannel>((*message)->channel);
    if (channel == RemoteChannel::kStdin) {
      if ((*message)->closed) {
        session.CloseStdin();
      } else if (session.stdin_fd() >= 0) {
        // A program that has closed its input does not end the session.
        (void)WriteAll(session.stdin_fd(), stop, (*message)->data);
      }
    } else if (channel == RemoteChannel::kResize && !(*message)->closed) {
      auto size = http::DecodeTerminalSize((*message)->data);
      if (size.ok()) (void)session.Resize(size->width, size->height);
    }
  }
}

// A session over a connection, to its end or the client's. The threads that read and write the
// session's descriptors have ended before these are closed: a number may stand for something else
// a moment later.
class Service {
 public:
  Service(runtime::Session& session, Channels& channels, int stop)
      : session_(session), channels_(channels), stop_(stop) {}

  void Run() {
    std::thread input([this] {
      TakeInput(channels_, stop_, session_);
      Note(gone_);
    });
    std::thread out([this] { Forward(session_.stdout_fd(), RemoteChannel::kStdout, out_ended_); });
    std::thread err([this] { Forward(session_.stderr_fd(), RemoteChannel::kStderr, err_ended_); });
    Result<int32_t> code = Error(Code::kDeadlineExceeded, "");
    while (!code.ok() && code.error().code() == Code::kDeadlineExceeded && !IsGone()) {
      code = session_.Wait(kLook);
    }
    // All that was printed goes out before the end is told.
    if (AwaitOutput()) {
      (void)channels_.Send(RemoteChannel::kError, EndStatus(code));
      (void)channels_.socket().Close(1000);
    }
    const uint64_t one = 1;
    (void)!write(stop_, &one, sizeof one);
    channels_.socket().Shutdown();
    for (std::thread* thread : {&input, &out, &err}) thread->join();
  }

 private:
  void Forward(int fd, RemoteChannel channel, bool& ended) {
    if (fd >= 0) Pump(fd, stop_, channels_, static_cast<uint8_t>(channel));
    Note(ended);
  }
  void Note(bool& what) {
    const std::lock_guard lock(mutex_);
    what = true;
    changed_.notify_all();
  }
  bool IsGone() {
    const std::lock_guard lock(mutex_);
    return gone_;
  }
  // False when the client has gone before.
  bool AwaitOutput() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return gone_ || (out_ended_ && err_ended_); });
    return !gone_;
  }

  runtime::Session& session_;
  Channels& channels_;
  const int stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool gone_ = false;  // the client
  bool out_ended_ = false;
  bool err_ended_ = false;
};

void Serve(http::Exchange& exchange, std::unique_ptr<runtime::Session> session) {
  const UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop) return;
  auto socket = http::AcceptWebSocket(exchange, http::ChannelProtocols());
  if (!socket.ok()) return;
  Channels channels(*std::move(socket));
  Service(*session, channels, stop.get()).Run();
}

}  // namespace

Result<ContainerRef> AgentApi::ContainerOf(const Call& call, const v1::Pod& pod) const {
  std::string name = call.Parameter("container");
  if (name.empty() && pod.spec.containers.size() == 1) name = pod.spec.containers.front().name;
  if (name.empty()) {
    return api::BadRequestError("a container name must be specified for pod " + call.name +
                                ", choose one of: " + NamesOf(pod));
  }
  const auto find = [&](ContainerKind kind, size_t count) -> std::optional<ContainerRef> {
    for (size_t i = 0; i < count; ++i) {
      if (ContainerNameAt(pod, {kind, i}) == name) return ContainerRef{kind, i};
    }
    return std::nullopt;
  };
  if (auto found = find(ContainerKind::kRegular, pod.spec.containers.size())) return *found;
  if (auto found = find(ContainerKind::kInit, pod.spec.initContainers.size())) return *found;
  if (auto found = find(ContainerKind::kEphemeral, pod.spec.ephemeralContainers.size())) {
    return *found;
  }
  return api::BadRequestError("container " + name + " is not valid for pod " + call.name);
}

Result<std::string> AgentApi::RunningContainer(const Call& call) const {
  auto pod = agent_.GetPod(call.name_space, call.name);
  if (!pod) return pod.error();
  auto ref = ContainerOf(call, *pod);
  if (!ref) return ref.error();
  const std::string& name = ContainerNameAt(*pod, *ref);
  const v1::ContainerStatus* status = FindStatus(pod->status, name);
  if (!status || !status->state.running) {
    return api::BadRequestError("container \"" + name + "\" in pod \"" + call.name +
                                "\" is not running");
  }
  return status->containerID.substr(kContainerIdPrefix.size());
}

Result<LogOptions> AgentApi::LogOptionsOf(const Call& call) const {
  LogOptions options;
  options.follow = call.Flag("follow");
  options.timestamps = call.Flag("timestamps");
  options.tail_lines = call.Number("tailLines");
  options.limit_bytes = call.Number("limitBytes");
  const std::string stream = call.Parameter("stream");
  options.out = stream.empty() || stream == "All" || stream == "Stdout";
  options.err = stream.empty() || stream == "All" || stream == "Stderr";
  if (const auto seconds = call.Number("sinceSeconds")) {
    options.since = agent_.clock().Now() - (*seconds * kNanosPerSecond);
  } else if (const std::string time = call.Parameter("sinceTime"); !time.empty()) {
    auto parsed = api::Time::Parse(time);
    if (!parsed.ok()) return api::BadRequestError(parsed.error().message());
    options.since = parsed->unix_seconds() * kNanosPerSecond;
  }
  return options;
}

void AgentApi::Log(const Call& call) {
  auto pod = agent_.GetPod(call.name_space, call.name);
  if (!pod) return RespondError(*call.exchange, pod.error());
  auto ref = ContainerOf(call, *pod);
  if (!ref) return RespondError(*call.exchange, ref.error());
  auto options = LogOptionsOf(call);
  if (!options) return RespondError(*call.exchange, options.error());
  const std::string name = ContainerNameAt(*pod, *ref);
  const auto id = LoggedContainer(*pod, name, call.Flag("previous"));
  if (!id) return RespondError(*call.exchange, id.error());
  const auto container =
      agent_.runtime().ContainerStatus(id->substr(kContainerIdPrefix.size()), false);
  if (!container.ok() || !container->status) {
    return RespondError(*call.exchange,
                        api::BadRequestError("unable to retrieve container logs for " + *id));
  }
  if (!call.exchange->Begin(200, {{"Content-Type", "text/plain"}}).ok()) return;
  const auto read = ReadContainerLog(
      {.path = container->status->log_path,
       .open =
           [&] {
             auto now = agent_.GetPod(call.name_space, call.name);
             const auto* state = now ? FindStatus(now->status, name) : nullptr;
             return state && state->containerID == *id && state->state.running;
           },
       .cancelled = [&] { return call.exchange->cancelled(); }},
      *options, [&](std::string_view text) { return call.exchange->Write(text).ok(); });
  // A log that does not exist yet is an empty one.
  (void)read;
  (void)call.exchange->End();
}

// What is to be streamed, into a request of either kind. Without an upgrade there are no streams:
// that is answered, and false.
template <class Request>
bool AgentApi::ReadStreams(const Call& call, Request* request) {
  request->stdin_ = call.Flag("stdin");
  request->tty = call.Flag("tty");
  request->stdout_ = call.Flag("stdout") || call.Parameter("stdout").empty();
  request->stderr_ = !request->tty && (call.Flag("stderr") || call.Parameter("stderr").empty());
  if (http::IsWebSocketRequest(call.exchange->request().head)) return true;
  RespondError(*call.exchange, api::BadRequestError("Upgrade request required"));
  return false;
}

void AgentApi::Exec(const Call& call) {
  auto id = RunningContainer(call);
  if (!id) return RespondError(*call.exchange, id.error());
  wire::cri::ExecRequest request;
  request.container_id = *id;
  for (const auto& [key, value] : call.query) {
    if (key == "command") request.cmd.push_back(value);
  }
  if (request.cmd.empty()) {
    return RespondError(*call.exchange,
                        api::BadRequestError("you must specify at least 1 command"));
  }
  if (!ReadStreams(call, &request)) return;
  // Not upstream's: clients of the Kubernetes API tell the size when the program runs already.
  const auto length = [&](const char* key) {
    return static_cast<uint16_t>(std::clamp<int64_t>(call.Number(key).value_or(0), 0, UINT16_MAX));
  };
  auto session =
      agent_.runtime().Exec(request, {.columns = length("columns"), .rows = length("rows")});
  if (!session.ok()) return RespondError(*call.exchange, session.error());
  Serve(*call.exchange, *std::move(session));
}

void AgentApi::Attach(const Call& call) {
  auto id = RunningContainer(call);
  if (!id) return RespondError(*call.exchange, id.error());
  wire::cri::AttachRequest request;
  request.container_id = *id;
  if (!ReadStreams(call, &request)) return;
  auto session = agent_.runtime().Attach(request);
  if (!session.ok()) return RespondError(*call.exchange, session.error());
  Serve(*call.exchange, *std::move(session));
}

void AgentApi::PortForward(const Call& call) {
  auto pod = agent_.GetPod(call.name_space, call.name);
  if (!pod) return RespondError(*call.exchange, pod.error());
  const auto port = call.Number("ports").value_or(call.Number("port").value_or(0));
  if (port < 1 || port > 65535) {
    return RespondError(*call.exchange,
                        api::BadRequestError("query parameter \"port\" is required"));
  }
  wire::cri::PodSandboxFilter filter;
  filter.label_selector.emplace("io.kubernetes.pod.uid", pod->metadata.uid);
  filter.state.emplace().state = wire::cri::PodSandboxState::kSandboxReady;
  auto sandboxes = agent_.runtime().ListPodSandbox(filter);
  if (!sandboxes.ok() || sandboxes->empty()) {
    return RespondError(*call.exchange,
                        api::BadRequestError("pod " + call.name + " is not running"));
  }
  auto connected = agent_.runtime().PortForward(sandboxes->front().id, static_cast<uint16_t>(port));
  auto socket = http::AcceptWebSocket(*call.exchange, http::ChannelProtocols());
  if (!socket.ok()) return;
  Channels channels(*std::move(socket));
  // Each channel begins with the port it is about, in two bytes, the lower one first.
  const std::array<char, 2> number{static_cast<char>(port & 0xFF), static_cast<char>(port >> 8)};
  constexpr uint8_t kData = 0;
  constexpr uint8_t kError = 1;
  (void)channels.Send(kData, {number.data(), number.size()});
  (void)channels.Send(kError, {number.data(), number.size()});
  if (!connected.ok()) {
    (void)channels.Send(kError, connected.error().message());
    (void)channels.socket().Close(1000);
    return;
  }
  const int fd = connected->get();
  std::thread out([&] {
    Pump(fd, -1, channels, kData);
    (void)channels.socket().Close(1000);
    channels.socket().Shutdown();
  });
  while (true) {
    auto message = channels.Read();
    if (!message.ok() || !*message) break;
    if ((*message)->channel != kData) continue;
    if ((*message)->closed) {
      shutdown(fd, SHUT_WR);
    } else if (!WriteAll(fd, -1, (*message)->data)) {
      break;
    }
  }
  shutdown(fd, SHUT_RDWR);
  out.join();
}

}  // namespace podium::node
