#include "node/shutdown/logind_watch.h"

#include <poll.h>

#include <filesystem>
#include <utility>

#include "api/time.h"
#include "node/files.h"

namespace podium::node {
namespace {

// It reads its configuration some time after it was told to.
constexpr std::chrono::seconds kReloadPatience{2};
constexpr std::chrono::milliseconds kReloadLook{50};

std::string Text(std::chrono::microseconds time) {
  return api::Duration::FromNanos(std::chrono::nanoseconds(time).count()).String();
}

}  // namespace

Result<void> LogindWatch::Start() {
  TRY(stop_, http::Cancellation::Create());
  thread_ = std::thread([this] { Run(); });
  return {};
}

LogindWatch::~LogindWatch() {
  if (stop_) stop_->Cancel();
  if (thread_.joinable()) thread_.join();
}

void LogindWatch::Release() {
  const std::lock_guard lock(mutex_);
  lock_.reset();
}

bool LogindWatch::Pause(std::chrono::milliseconds time) const {
  pollfd wake{stop_->fd(), POLLIN, 0};
  (void)poll(&wake, 1, static_cast<int>(time.count()));
  return !stop_->cancelled();
}

void LogindWatch::Run() {
  while (!stop_->cancelled()) {
    const auto watched = Watch();
    if (!watched.ok() && options_.on_error) options_.on_error(watched.error());
    if (!Pause(options_.retry)) return;
  }
}

Result<void> LogindWatch::Watch() {
  TRY(const std::unique_ptr<Logind> logind, options_.connect());
  TRY_VOID(RaiseDelay(*logind));
  TRY_VOID(Lock(*logind));
  while (true) {
    TRY(const std::optional<bool> told, logind->NextShutdown(stop_->fd()));
    if (!told) return {};
    options_.on_shutdown(*told);
    if (!*told) TRY_VOID(Lock(*logind));
  }
}

Result<void> LogindWatch::RaiseDelay(Logind& logind) const {
  TRY(std::chrono::microseconds delay, logind.InhibitDelayMax());
  if (delay >= options_.needed) return {};
  const std::string folder = std::filesystem::path(options_.override_file).parent_path();
  TRY_VOID(MakeFolders(folder, 0755));
  TRY_VOID(WriteFile(options_.override_file,
                     "# How long podium may take to end its pods before the machine goes down.\n"
                     "[Login]\nInhibitDelayMaxSec=" +
                         std::to_string(options_.needed.count()) + "\n",
                     0644));
  TRY_VOID(logind.Reload());
  const auto give_up = std::chrono::steady_clock::now() + kReloadPatience;
  while (delay < options_.needed) {
    if (std::chrono::steady_clock::now() > give_up || !Pause(kReloadLook)) {
      return Error(Code::kUnavailable,
                   "node shutdown manager was unable to update logind InhibitDelayMaxSec to " +
                       Text(options_.needed) +
                       " (ShutdownGracePeriod), current value of InhibitDelayMaxSec (" +
                       Text(delay) + ") is less than requested ShutdownGracePeriod");
    }
    TRY(delay, logind.InhibitDelayMax());
  }
  return {};
}

Result<void> LogindWatch::Lock(Logind& logind) {
  TRY(UniqueFd taken, logind.InhibitShutdown());
  const std::lock_guard lock(mutex_);
  lock_ = std::move(taken);
  return {};
}

}  // namespace podium::node
