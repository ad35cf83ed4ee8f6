#include "linux/terminal.h"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace podium::kernel {
namespace {

// ENOTTY is the caller's mistake, not the machine's.
Error TerminalError(const char* what) {
  if (errno == ENOTTY || errno == EINVAL) {
    return {Code::kInvalidArgument, std::string(what) + ": not a terminal", errno};
  }
  return Error::FromErrno(errno, what);
}

}  // namespace

bool IsTerminal(int fd) { return isatty(fd) == 1; }

Result<WindowSize> GetWindowSize(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return TerminalError("reading the window's size");
  return WindowSize{.rows = size.ws_row, .columns = size.ws_col};
}

Result<void> SetWindowSize(int fd, WindowSize size) {
  winsize wanted{};
  wanted.ws_row = size.rows;
  wanted.ws_col = size.columns;
  if (ioctl(fd, TIOCSWINSZ, &wanted) != 0) return TerminalError("setting the window's size");
  return {};
}

Result<RawMode> RawMode::Enter(int fd) {
  termios before{};
  if (tcgetattr(fd, &before) != 0) return TerminalError("reading the terminal's mode");
  termios raw = before;
  cfmakeraw(&raw);
  if (tcsetattr(fd, TCSADRAIN, &raw) != 0) return TerminalError("setting the terminal's mode");
  return RawMode(fd, before);
}

RawMode::RawMode(RawMode&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}

RawMode& RawMode::operator=(RawMode&& other) noexcept {
  if (this != &other) {
    Restore();
    fd_ = std::exchange(other.fd_, -1);
    before_ = other.before_;
  }
  return *this;
}

void RawMode::Restore() {
  // A terminal that is gone needs no mode.
  if (fd_ >= 0) (void)tcsetattr(std::exchange(fd_, -1), TCSADRAIN, &before_);
}

Result<WindowSizeChanges> WindowSizeChanges::Watch() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGWINCH);
  if (const int problem = pthread_sigmask(SIG_BLOCK, &signals, nullptr); problem != 0) {
    return Error::FromErrno(problem, "blocking SIGWINCH");
  }
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Error::FromErrno(errno, "signalfd");
  return WindowSizeChanges(std::move(fd));
}

bool WindowSizeChanges::Drain() {
  bool changed = false;
  signalfd_siginfo signal{};
  while (read(signals_.get(), &signal, sizeof(signal)) == sizeof(signal)) changed = true;
  return changed;
}

}  // namespace podium::kernel
