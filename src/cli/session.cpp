#include "cli/session.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/unique_fd.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

constexpr char kCtrlP = 0x10;
constexpr char kCtrlQ = 0x11;

void SendSize(client::RemoteCommand& remote, int terminal) {
  if (const auto size = WindowOf(terminal)) (void)remote.Resize(*size).ok();
}

// Finds Ctrl-P Ctrl-Q in what is typed. A Ctrl-P is held back until it is known what follows.
class LeaveKeys {
 public:
  // What goes on to the command; nothing when it is to be left.
  std::optional<std::string> Take(std::string_view typed) {
    std::string out;
    for (const char key : typed) {
      if (held_ && key == kCtrlQ) return {};
      if (std::exchange(held_, key == kCtrlP)) out += kCtrlP;
      if (!held_) out += key;
    }
    return out;
  }

 private:
  bool held_ = false;
};

// What is typed, and how large the window is, until `end` can be read, nobody listens, or the
// command is left: true.
bool PassInput(client::RemoteCommand& remote, const Streams& streams, const SessionOptions& options,
               kernel::WindowSizeChanges* changes, int end) {
  LeaveKeys keys;
  std::array<char, 16384> buffer;
  bool reading = options.with_stdin;
  while (true) {
    std::array<pollfd, 3> fds = {{{end, POLLIN, 0},
                                  {reading ? streams.in : -1, POLLIN, 0},
                                  {changes ? changes->fd() : -1, POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return false;
    if (fds[0].revents != 0) return false;
    if (changes && fds[2].revents != 0 && changes->Drain()) SendSize(remote, streams.in);
    if (fds[1].revents == 0) continue;
    const ssize_t size = read(streams.in, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) {
      reading = false;
      (void)remote.CloseStdin().ok();
      continue;
    }
    const std::string_view typed(buffer.data(), static_cast<size_t>(size));
    if (!options.may_leave) {
      if (!remote.WriteStdin(typed).ok()) return false;
      continue;
    }
    const auto passed = keys.Take(typed);
    if (!passed) {
      remote.Stop();
      return true;
    }
    if (!remote.WriteStdin(*passed).ok()) return false;
  }
}

Result<int> PassOutput(client::RemoteCommand& remote, const Streams& streams) {
  while (true) {
    TRY(const auto output, remote.Read());
    if (!output) return remote.exit_code();
    const bool taken = output->is_stderr ? streams.Err(output->data) : streams.Out(output->data);
    if (!taken) remote.Stop();
  }
}

}  // namespace

std::optional<http::TerminalSize> WindowOf(int terminal) {
  const auto size = kernel::GetWindowSize(terminal);
  if (!size.ok()) return {};
  return http::TerminalSize{.width = size->columns, .height = size->rows};
}

Result<std::optional<int>> RunSession(client::RemoteCommand& remote, const Streams& streams,
                                      const SessionOptions& options) {
  const UniqueFd end(eventfd(0, EFD_CLOEXEC));
  if (!end) return Error::FromErrno(errno, "eventfd");
  std::optional<kernel::WindowSizeChanges> changes;
  std::optional<kernel::RawMode> raw;
  if (options.terminal) {
    TRY(changes, kernel::WindowSizeChanges::Watch());
    TRY(raw, kernel::RawMode::Enter(streams.in));
    SendSize(remote, streams.in);
  }
  bool left = false;
  std::thread input([&] {
    left = PassInput(remote, streams, options, changes ? &*changes : nullptr, end.get());
  });
  const auto code = PassOutput(remote, streams);
  const uint64_t one = 1;
  (void)!write(end.get(), &one, sizeof one);
  input.join();
  if (left) return std::optional<int>();
  if (!code.ok()) return code.error();
  return std::optional<int>(*code);
}

}  // namespace podium::cli
