#include "node/folder_watches.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

namespace podium::node {
namespace {

constexpr std::chrono::milliseconds kUnwatchedPause{200};
constexpr uint32_t kEvents =
    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR;

}  // namespace

Result<std::shared_ptr<FolderWatches>> FolderWatches::Create(const http::Poller& poller) {
  UniqueFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return Error::FromErrno(errno, "inotify_init1");
  std::shared_ptr<FolderWatches> watches(new FolderWatches(std::move(inotify)));
  const std::lock_guard lock(watches->mutex_);
  watches->wait_ = std::make_unique<http::PolledFd>(
      poller, watches->inotify_.get(), [weak = std::weak_ptr(watches)](bool /*timed_out*/) {
        if (const auto self = weak.lock()) self->Ready();
      });
  watches->ArmLocked();
  return watches;
}

void FolderWatches::ArmLocked() {
  std::optional<http::Clock::time_point> deadline;
  if (unwatched_ > 0) deadline = look_at_;
  wait_->Arm(POLLIN, deadline);
}

std::unique_ptr<FolderWatches::Watch> FolderWatches::Add(const std::string& folder,
                                                         Changed changed) {
  const std::lock_guard lock(mutex_);
  // Of a folder that is watched already it is the same number.
  const int number = inotify_add_watch(inotify_.get(), folder.c_str(), kEvents);
  if (number >= 0) {
    ++folders_[number];
  } else if (++unwatched_ == 1) {
    look_at_ = http::Clock::now() + kUnwatchedPause;
    ArmLocked();
  }
  const uint64_t id = ++last_id_;
  entries_.emplace(id, Entry{.folder = number, .changed = std::move(changed)});
  return std::unique_ptr<Watch>(new Watch(shared_from_this(), id));
}

void FolderWatches::Remove(uint64_t id) {
  Changed dropped;  // outside of the lock: it may own anything
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  dropped = std::move(found->second.changed);
  const int folder = found->second.folder;
  entries_.erase(found);
  if (folder < 0) {
    --unwatched_;
  } else if (--folders_[folder] == 0) {
    folders_.erase(folder);
    inotify_rm_watch(inotify_.get(), folder);
  }
}

void FolderWatches::LoseLocked(int folder) {
  if (folders_.erase(folder) == 0) return;
  if (unwatched_ == 0) look_at_ = http::Clock::now() + kUnwatchedPause;
  for (auto& [id, entry] : entries_) {
    if (entry.folder != folder) continue;
    entry.folder = -1;
    ++unwatched_;
  }
}

std::vector<int> FolderWatches::ReadEvents(bool* all) {
  std::vector<int> changed;
  alignas(inotify_event) std::array<char, 16384> bytes;
  while (true) {
    const ssize_t count = read(inotify_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    for (size_t at = 0; at < static_cast<size_t>(count);) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) *all = true;
      if ((event.mask & IN_IGNORED) != 0) {
        const std::lock_guard lock(mutex_);
        LoseLocked(event.wd);
        *all = *all || unwatched_ > 0;
      }
      changed.push_back(event.wd);
    }
  }
  std::ranges::sort(changed);
  changed.erase(std::ranges::unique(changed).begin(), changed.end());
  return changed;
}

void FolderWatches::Ready() {
  const auto now = http::Clock::now();
  bool all = false;
  const std::vector<int> changed = ReadEvents(&all);
  std::vector<Changed> calls;
  {
    const std::lock_guard lock(mutex_);
    const bool look = unwatched_ > 0 && now >= look_at_;
    if (look) look_at_ = now + kUnwatchedPause;
    for (const auto& [id, entry] : entries_) {
      const bool due = entry.folder < 0 ? look : std::ranges::binary_search(changed, entry.folder);
      if (all || due) calls.push_back(entry.changed);
    }
    ArmLocked();
  }
  for (const Changed& call : calls) call();
}

size_t FolderWatches::folders() const {
  const std::lock_guard lock(mutex_);
  return folders_.size();
}

}  // namespace podium::node
