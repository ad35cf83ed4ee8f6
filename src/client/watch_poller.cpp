#include "client/watch_poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

namespace podium::client {

Result<std::shared_ptr<WatchPoller>> WatchPoller::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Error::FromErrno(errno, "epoll_create1");
  UniqueFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return Error::FromErrno(errno, "making an eventfd");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop.get(), &event) != 0) {
    return Error::FromErrno(errno, "epoll_ctl");
  }
  return std::shared_ptr<WatchPoller>(new WatchPoller(std::move(epoll), std::move(stop)));
}

WatchPoller::WatchPoller(UniqueFd epoll, UniqueFd stop)
    : epoll_(std::move(epoll)), stop_(std::move(stop)), thread_([this] { Run(); }) {}

WatchPoller::~WatchPoller() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

WatchPoller::Id WatchPoller::Add(int fd, Ready ready) {
  const std::lock_guard lock(mutex_);
  entries_.emplace(++last_id_, Entry{.fd = fd, .ready = std::move(ready)});
  return last_id_;
}

Result<void> WatchPoller::Arm(Id id) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(id);
  if (entry.armed) return {};
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data = {.u64 = id}};
  const int operation = entry.added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(epoll_.get(), operation, entry.fd, &event) != 0) {
    return Error::FromErrno(errno, "epoll_ctl");
  }
  entry.added = entry.armed = true;
  return {};
}

void WatchPoller::Remove(Id id) {
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  if (found->second.added) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
  const Ready dropped = std::move(found->second.ready);  // goes after the lock
  entries_.erase(found);
  ran_.wait(lock, [&] {
    const auto [first, last] = running_.equal_range(id);
    return std::all_of(first, last, [](const auto& running) {
      return running.second == std::this_thread::get_id();
    });
  });
  lock.unlock();
}

void WatchPoller::Call(Id id, std::unique_lock<std::mutex>& lock) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || !found->second.armed) return;
  found->second.armed = false;
  const Ready ready = found->second.ready;
  const auto running = running_.emplace(id, std::this_thread::get_id());
  lock.unlock();
  ready();
  lock.lock();
  running_.erase(running);
  ran_.notify_all();
}

void WatchPoller::WakeAll() {
  std::unique_lock lock(mutex_);
  std::vector<Id> ids;
  ids.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) ids.push_back(id);
  for (const Id id : ids) Call(id, lock);
}

void WatchPoller::Run() {
  while (true) {
    epoll_event events[64];
    const int count = epoll_wait(epoll_.get(), events, std::size(events), -1);
    std::unique_lock lock(mutex_);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == 0) return;
      Call(events[i].data.u64, lock);
    }
  }
}

}  // namespace podium::client
