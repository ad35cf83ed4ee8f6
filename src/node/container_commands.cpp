#include "node/container_commands.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/gate.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

// Of what a probe prints, upstream keeps this much (pkg/probe/exec).
constexpr size_t kMaxOutput = size_t{10} << 10;
// What a process left behind may keep its streams open for; longer than that nobody waits.
constexpr std::chrono::seconds kDrainTime{10};

// One stream of a process. What is beyond the limit is read and dropped, so that the process is not
// held up by it.
struct Output {
  int fd = -1;
  bool open = false;
  std::string text;
  std::unique_ptr<http::PolledFd> wait;

  void Read() {
    std::array<char, size_t{16} << 10> bytes;
    while (true) {
      const ssize_t count = read(fd, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return wait->Arm(POLLIN);
      if (count <= 0) {
        open = false;
        return;
      }
      text.append(bytes.data(), std::min(kMaxOutput - text.size(), static_cast<size_t>(count)));
    }
  }
};

}  // namespace

struct ContainerCommands::State {
  State(runtime::Runtime& with, std::shared_ptr<http::Poller> on, Executor& where)
      : runtime(with), poller(std::move(on)), executor(where) {}
  runtime::Runtime& runtime;
  const std::shared_ptr<http::Poller> poller;
  Executor& executor;
  const Gate beginning{};  // those that the poller's thread does not have yet
  std::mutex mutex;
  // Under the mutex.
  bool stopped = false;
  std::set<std::shared_ptr<Run>> live;
};

// One command. Belongs to the poller's thread once it has begun.
class ContainerCommands::Run : public std::enable_shared_from_this<Run> {
 public:
  Run(std::shared_ptr<State> state, std::string container_id, std::vector<std::string> command,
      std::chrono::seconds timeout, Done done)
      : state_(std::move(state)),
        container_id_(std::move(container_id)),
        command_(std::move(command)),
        timeout_(timeout),
        deadline_(http::Clock::now() + timeout),
        done_(std::move(done)) {}

  // In the executor.
  void Begin() {
    runtime::cri::ExecRequest request;
    request.container_id = container_id_;
    request.cmd = command_;
    request.stdout_ = request.stderr_ = true;
    auto session = state_->runtime.Exec(request, {});
    if (!session.ok()) return Finish(std::move(session).error());
    session_ = *std::move(session);
    state_->poller->Post([self = shared_from_this()] { self->Listen(); });
  }

  void Finish(Result<CommandOutput> result) {
    if (std::exchange(finished_, true)) return;
    const auto self = weak_from_this().lock();
    state_->executor.Cancel(timer_);
    for (Output& output : outputs_) output.wait.reset();
    session_.reset();
    {
      const std::lock_guard lock(state_->mutex);
      state_->live.erase(self);
    }
    const Done done = std::move(done_);
    done(std::move(result));
  }

 private:
  // Calls it on the poller's thread, if the command is still there.
  std::function<void()> Telling(void (Run::*what)()) {
    return [weak = weak_from_this(), poller = state_->poller, what] {
      poller->Post([weak, what] {
        const auto self = weak.lock();
        if (self && !self->finished_) ((*self).*what)();
      });
    };
  }

  void Listen() {
    if (finished_) return;
    const auto left = std::max(deadline_ - http::Clock::now(), http::Clock::duration::zero());
    timer_ = state_->executor.PostAfter(left, Telling(&Run::OnTimeout));
    session_->NotifyEnd(Telling(&Run::OnEnd));
    outputs_[0].fd = session_->stdout_fd();
    outputs_[1].fd = session_->stderr_fd();
    for (size_t i = 0; i < outputs_.size(); ++i) {
      Output& output = outputs_[i];
      if (output.fd < 0) continue;
      const int flags = fcntl(output.fd, F_GETFL);
      if (flags < 0 || fcntl(output.fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        return Finish(Error::FromErrno(errno, "O_NONBLOCK"));
      }
      output.open = true;
      output.wait = std::make_unique<http::PolledFd>(
          *state_->poller, output.fd, [weak = weak_from_this(), i](bool /*timed_out*/) {
            const auto self = weak.lock();
            if (!self || self->finished_) return;
            self->outputs_[i].Read();
            self->Settle();
          });
      output.Read();
    }
    Settle();
  }

  void OnEnd() {
    auto code = session_->Wait(std::chrono::milliseconds(0));
    if (!code.ok()) return Finish(std::move(code).error());
    code_ = *code;
    Settle();
    if (finished_ || timeout_ <= kDrainTime) return;
    state_->executor.Cancel(timer_);
    timer_ = state_->executor.PostAfter(kDrainTime, Telling(&Run::OnTimeout));
  }

  void OnTimeout() {
    // What a process left behind keeps the streams open, but it has ended itself.
    if (code_) return Succeed();
    Finish(Error(Code::kDeadlineExceeded,
                 "command timed out: " + reflect::GoQuoted(Join(command_, " ")) +
                     " timed out after " + std::to_string(timeout_.count()) + "s"));
  }

  void Settle() {
    if (code_ && !outputs_[0].open && !outputs_[1].open) Succeed();
  }

  void Succeed() {
    CommandOutput output{.exit_code = *code_, .text = outputs_[0].text + outputs_[1].text};
    if (output.text.size() > kMaxOutput) output.text.resize(kMaxOutput);
    Finish(std::move(output));
  }

  const std::shared_ptr<State> state_;
  const std::string container_id_;
  const std::vector<std::string> command_;
  const std::chrono::seconds timeout_;
  const http::Clock::time_point deadline_;
  Done done_;
  Executor::TimerId timer_ = 0;
  std::unique_ptr<runtime::Session> session_;
  std::array<Output, 2> outputs_;  // of descriptors that are the session's
  std::optional<int32_t> code_;
  bool finished_ = false;
};

ContainerCommands::ContainerCommands(runtime::Runtime& runtime,
                                     std::shared_ptr<http::Poller> poller, Executor& executor)
    : state_(std::make_shared<State>(runtime, std::move(poller), executor)) {}

ContainerCommands::~ContainerCommands() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->beginning.WaitUntilEmpty();
  std::set<std::shared_ptr<Run>> left;
  {
    const std::lock_guard lock(state_->mutex);
    left.swap(state_->live);
  }
  for (const auto& run : left) run->Finish(Error(Code::kCancelled, "the agent stops"));
}

void ContainerCommands::RunInContainer(const std::string& container_id,
                                       const std::vector<std::string>& command,
                                       std::chrono::seconds timeout, Done done) {
  const auto run = std::make_shared<Run>(state_, container_id, command, timeout, std::move(done));
  Gate::Pass pass;
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->stopped) {
      pass = state_->beginning.Enter();
      state_->live.insert(run);
    }
  }
  if (!pass) return run->Finish(Error(Code::kCancelled, "the agent stops"));
  state_->executor.Post([run, pass] { run->Begin(); });
}

}  // namespace podium::node
