#include "commands/interrupts.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <utility>

namespace podium::commands {

Interrupts::Interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_.reset(signalfd(-1, &signals, SFD_CLOEXEC));
  end_.reset(eventfd(0, EFD_CLOEXEC));
}

void Interrupts::Start(std::function<void(int count)> act) {
  thread_ = std::thread([this, act = std::move(act)] {
    for (int count = 1;; ++count) {
      pollfd fds[2] = {{end_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 || fds[0].revents != 0) return;
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
      count_ = count;
      act(count);
    }
  });
}

void Interrupts::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!write(end_.get(), &one, sizeof one);
  thread_.join();
}

}  // namespace podium::commands
