#include "cli/session.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/unique_fd.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

void SendSize(client::RemoteCommand& remote, int terminal) {
  const auto size = kernel::GetWindowSize(terminal);
  if (size.ok()) (void)remote.Resize({.width = size->columns, .height = size->rows}).ok();
}

// What is typed, and how large the window is, until `end` can be read or nobody listens.
void PassInput(client::RemoteCommand& remote, const Streams& streams, const SessionOptions& options,
               kernel::WindowSizeChanges* changes, int end) {
  std::array<char, 16384> buffer;
  bool reading = options.with_stdin;
  while (true) {
    std::array<pollfd, 3> fds = {{{end, POLLIN, 0},
                                  {reading ? streams.in : -1, POLLIN, 0},
                                  {changes ? changes->fd() : -1, POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0) return;
    if (changes && fds[2].revents != 0 && changes->Drain()) SendSize(remote, streams.in);
    if (fds[1].revents == 0) continue;
    const ssize_t size = read(streams.in, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) {
      reading = false;
      (void)remote.CloseStdin().ok();
    } else if (!remote.WriteStdin({buffer.data(), static_cast<size_t>(size)}).ok()) {
      return;
    }
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

Result<int> RunSession(client::RemoteCommand& remote, const Streams& streams,
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
  std::thread input(
      [&] { PassInput(remote, streams, options, changes ? &*changes : nullptr, end.get()); });
  auto code = PassOutput(remote, streams);
  const uint64_t one = 1;
  (void)!write(end.get(), &one, sizeof one);
  input.join();
  return code;
}

}  // namespace podium::cli
