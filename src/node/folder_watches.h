// Tells of changes in folders: one inotify instance for all, of which a user may have only some
// hundred, on a poller's thread.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/poller.h"

namespace podium::node {

class FolderWatches : public std::enable_shared_from_this<FolderWatches> {
 public:
  using Changed = std::function<void()>;

  // Ends with the poller.
  static Result<std::shared_ptr<FolderWatches>> Create(const http::Poller& poller);

  // Takes back what Add began.
  class Watch {
   public:
    ~Watch() { all_->Remove(id_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class FolderWatches;
    Watch(std::shared_ptr<FolderWatches> all, uint64_t id) : all_(std::move(all)), id_(id) {}
    const std::shared_ptr<FolderWatches> all_;
    const uint64_t id_;
  };

  // Calls `changed` on the poller's thread when a file of the folder was written, made, renamed or
  // removed: at least once after each, and now and then for no reason. It must not wait, and may
  // still be running when the watch is gone. A folder that cannot be watched, or that is there no
  // more, is taken to change five times a second.
  std::unique_ptr<Watch> Add(const std::string& folder, Changed changed);

  // How many folders the kernel watches.
  size_t folders() const;

 private:
  explicit FolderWatches(UniqueFd inotify) : inotify_(std::move(inotify)) {}
  struct Entry {
    int folder = -1;  // the kernel's number; -1: it is not watched
    Changed changed;
  };

  void Remove(uint64_t id);
  // On the poller's thread.
  void Ready();
  // The folders of which something was read, and whether all may have changed.
  std::vector<int> ReadEvents(bool* all);
  // The folder is watched no more.
  void LoseLocked(int folder);
  void ArmLocked();

  const UniqueFd inotify_;
  mutable std::mutex mutex_;
  // Under the mutex.
  std::unique_ptr<http::PolledFd> wait_;
  std::map<uint64_t, Entry> entries_;
  std::map<int, size_t> folders_;    // by the kernel's number: how many entries
  size_t unwatched_ = 0;             // entries without a folder
  http::Clock::time_point look_at_;  // when these are called next
  uint64_t last_id_ = 0;
};

}  // namespace podium::node
