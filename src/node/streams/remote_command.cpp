#include "node/streams/remote_command.h"

#include <algorithm>
#include <utility>

#include "api/status.h"
#include "http/channels.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

// What the process has not taken yet: beyond, the client waits.
constexpr size_t kMaxPending = size_t{64} << 10;
// A size of a terminal is some thirty bytes.
constexpr size_t kLongestSize = 4096;

class RemoteSession : public StreamHandler,
                      public LocalEndOwner,
                      public std::enable_shared_from_this<RemoteSession> {
 public:
  RemoteSession(const std::shared_ptr<StreamConnection>& connection, RemoteCommand command,
                Executor& executor, Gate::Pass pass)
      : connection_(connection),
        command_(std::move(command)),
        executor_(executor),
        pass_(std::move(pass)) {}

  void Begin() {
    if (!command_.protocol.channels) {
      deadline_ = http::Clock::now() + connection_->times().creation;
      return;
    }
    const auto number = [](http::RemoteChannel channel) { return static_cast<StreamId>(channel); };
    if (command_.streams.stdin_) stdin_ = number(http::RemoteChannel::kStdin);
    if (command_.streams.stdout_) stdout_ = number(http::RemoteChannel::kStdout);
    if (command_.streams.stderr_) stderr_ = number(http::RemoteChannel::kStderr);
    error_ = number(http::RemoteChannel::kError);
    if (command_.streams.tty) resize_ = number(http::RemoteChannel::kResize);
    // So that the client knows that it is connected.
    carrier().Send(stdout_.value_or(stderr_.value_or(*error_)), "");
    Start();
  }

  // StreamHandler.
  void OnOpen(StreamId stream, const http::Headers& headers) override {
    std::optional<StreamId>* role = RoleOf(headers.Get("streamtype"));
    if (role == nullptr || *role) return carrier().Reset(stream);
    *role = stream;
    carrier().Accept(stream);
    if (++opened_ == Expected()) Start();
  }
  void OnData(StreamId stream, std::string_view bytes) override {
    if (stream == resize_) return Resize(bytes);
    if (stream != stdin_ || finishing_ || stdin_ended_) return;
    if (in_) return in_->Push(bytes);
    if (!session_) early_ += bytes;
  }
  void OnEnd(StreamId stream) override {
    if (stream != stdin_ || std::exchange(stdin_ended_, true)) return;
    if (in_) in_->PushEnd();
  }
  void OnReset(StreamId stream) override {
    if (stream == error_ && !finishing_) return connection_->Close();
    OnEnd(stream);
    CheckGone();
  }
  void OnGoAway() override {
    gone_away_ = true;
    CheckGone();
  }
  void OnHangUp() override { connection_->Close(); }
  bool WantsInput() override { return (in_ ? in_->pending() : early_.size()) < kMaxPending; }
  void OnRoom() override {
    if (out_) out_->Pull();
    if (err_) err_->Pull();
  }
  std::optional<http::Clock::time_point> Deadline() override { return deadline_; }
  void OnDeadline() override { connection_->Close(); }
  void OnClosed() override {
    closed_ = true;
    for (const auto* end : {&in_, &out_, &err_}) {
      if (*end) (*end)->Close();
    }
    session_.reset();
    std::string().swap(early_);
  }

  // LocalEndOwner.
  bool HasRoom() override { return connection_->HasRoom(); }
  void OnBytes(LocalEnd& end, std::string_view bytes) override { carrier().Send(end.tag(), bytes); }
  void OnReadEnd(LocalEnd& /*end*/) override { CheckEnd(); }
  void OnDrained(LocalEnd& end) override {
    if (&end != in_.get() || !stdin_ended_ || std::exchange(stdin_closed_, true)) return;
    close_stdin_ = true;
    Control();
  }
  void Settle() override { connection_->Turn(); }

 private:
  StreamCarrier& carrier() { return connection_->carrier(); }

  std::optional<StreamId>* RoleOf(std::string_view type) {
    if (type == "error") return &error_;
    if (type == "stdin") return &stdin_;
    if (type == "stdout") return &stdout_;
    if (type == "stderr") return &stderr_;
    if (type == "resize" && command_.protocol.resize) return &resize_;
    return nullptr;
  }
  int Expected() const {
    const RemoteStreams& wanted = command_.streams;
    return 1 + int{wanted.stdin_} + int{wanted.stdout_} + int{wanted.stderr_} +
           int{wanted.tty && command_.protocol.resize};
  }

  void Start() {
    deadline_.reset();
    carrier().RefuseStreams();
    executor_.Post([self = shared_from_this()] {
      auto started =
          std::make_shared<Result<std::unique_ptr<runtime::Session>>>(self->command_.start());
      self->connection_->poller()->Post([self, started] { self->OnStarted(std::move(*started)); });
    });
  }

  void OnStarted(Result<std::unique_ptr<runtime::Session>> started) {
    if (closed_) return;
    if (!started.ok()) {
      Finish(started.error());
      return connection_->Turn();
    }
    session_ = *std::move(started);
    auto opened = OpenEnds();
    if (!opened.ok()) {
      Finish(opened.error());
      return connection_->Turn();
    }
    session_->NotifyEnd([weak = weak_from_this(), poller = connection_->poller()] {
      poller->Post([weak] {
        const auto self = weak.lock();
        if (self) self->OnProcessEnd();
      });
    });
    Control();
    connection_->Turn();
  }

  Result<void> OpenEnds() {
    const auto open = [&](int fd, std::optional<StreamId> stream) {
      return LocalEnd::Create(connection_->poller(), fd, stream.value_or(0), weak_from_this());
    };
    if (stdin_ && session_->stdin_fd() >= 0) {
      TRY(in_, open(session_->stdin_fd(), stdin_));
      in_->Push(std::exchange(early_, {}));
      if (stdin_ended_) in_->PushEnd();
    }
    std::string().swap(early_);
    if (stdout_ && session_->stdout_fd() >= 0) {
      TRY(out_, open(session_->stdout_fd(), stdout_));
      out_->Pull();
    }
    if (stderr_ && session_->stderr_fd() >= 0) {
      TRY(err_, open(session_->stderr_fd(), stderr_));
      err_->Pull();
    }
    return {};
  }

  void OnProcessEnd() {
    if (closed_) return;
    auto code = session_->Wait(std::chrono::milliseconds(0));
    if (!code.ok() && code.error().code() == Code::kDeadlineExceeded) return;
    code_ = std::move(code);
    CheckEnd();
    connection_->Turn();
  }
  // All that was printed goes out before the end is told.
  void CheckEnd() {
    const auto ended = [](const std::shared_ptr<LocalEnd>& end) {
      return !end || end->read_ended();
    };
    if (code_ && ended(out_) && ended(err_)) Finish(*code_);
  }
  void Finish(const Result<int32_t>& code) {
    if (std::exchange(finishing_, true)) return;
    if (in_) in_->Close();
    const Result<int32_t> told = code.ok() && !command_.tells_code ? Result<int32_t>(0) : code;
    const std::string status = RemoteStatus(told, command_.action, command_.protocol.json_status);
    if (!status.empty()) carrier().Send(*error_, status);
    for (const auto& stream : {stdout_, stderr_, error_}) {
      if (stream) carrier().End(*stream);
    }
    if (command_.protocol.channels) carrier().Close();
    deadline_ = http::Clock::now() + connection_->times().finish;
  }
  void CheckGone() {
    if (gone_away_ && (finishing_ || !carrier().HasStreams())) connection_->Close();
  }

  // Sizes come one behind the other, in messages or pieces of a stream.
  void Resize(std::string_view bytes) {
    sizes_ += bytes;
    while (true) {
      const size_t end = sizes_.find('}');
      if (end == std::string::npos) break;
      auto size = http::DecodeTerminalSize(std::string_view(sizes_).substr(0, end + 1));
      sizes_.erase(0, end + 1);
      if (size.ok()) size_ = *size;
    }
    if (sizes_.size() > kLongestSize) sizes_.clear();
    Control();
  }

  // What may wait for the pod's shim is done elsewhere, one after the other; of sizes the last one
  // counts.
  void Control() {
    if (controlling_ || !session_ || (!size_ && !close_stdin_)) return;
    controlling_ = true;
    const auto size = std::exchange(size_, {});
    const bool close = !size && std::exchange(close_stdin_, false);
    executor_.Post([self = shared_from_this(), session = session_, size, close]() mutable {
      if (size) (void)session->Resize(size->width, size->height);
      if (close) session->CloseStdin();
      session.reset();
      self->connection_->poller()->Post([self] {
        self->controlling_ = false;
        self->Control();
      });
    });
  }

  const std::shared_ptr<StreamConnection> connection_;
  const RemoteCommand command_;
  Executor& executor_;
  const Gate::Pass pass_;

  std::optional<StreamId> stdin_;
  std::optional<StreamId> stdout_;
  std::optional<StreamId> stderr_;
  std::optional<StreamId> error_;
  std::optional<StreamId> resize_;
  int opened_ = 0;
  std::optional<http::Clock::time_point> deadline_;
  std::string early_;  // input from before the process was there
  std::string sizes_;
  std::shared_ptr<runtime::Session> session_;
  std::shared_ptr<LocalEnd> in_;
  std::shared_ptr<LocalEnd> out_;
  std::shared_ptr<LocalEnd> err_;
  std::optional<Result<int32_t>> code_;
  std::optional<http::TerminalSize> size_;
  bool close_stdin_ = false;  // is to be
  bool controlling_ = false;
  bool stdin_ended_ = false;   // by the client
  bool stdin_closed_ = false;  // and the process knows
  bool finishing_ = false;     // all is said
  bool gone_away_ = false;
  bool closed_ = false;
};

}  // namespace

std::string RemoteStatus(const Result<int32_t>& code, const std::string& action, bool json) {
  api::meta::v1::Status status;
  if (code.ok() && *code == 0) {
    if (!json) return "";
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
    status = api::StatusOf(api::InternalError("error " + action + ": " + code.error().message()));
    status.kind.clear();
    status.apiVersion.clear();
  }
  if (!json) return status.message;
  auto text = reflect::ToJson(status);
  return text.ok() ? *text : "{}";
}

void RunRemoteCommand(const std::shared_ptr<StreamConnection>& connection, RemoteCommand command,
                      Executor& executor, Gate::Pass pass) {
  auto session =
      std::make_shared<RemoteSession>(connection, std::move(command), executor, std::move(pass));
  connection->Begin(session, [session] { session->Begin(); });
}

}  // namespace podium::node
