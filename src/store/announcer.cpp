#include "store/announcer.h"

#include <utility>

namespace podium::store {

Announcer::Announcer(std::shared_ptr<Core> core)
    : core_(std::move(core)), thread_([this] { Run(); }) {}

Announcer::~Announcer() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Announcer::Announce(std::vector<Callback> callbacks, Revision up_to) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = news_.empty();
    news_.push_back({std::move(callbacks), up_to});
  }
  if (first) changed_.notify_one();
}

void Announcer::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !news_.empty(); });
    if (news_.empty()) return;
    const News news = std::move(news_.front());
    news_.pop_front();
    lock.unlock();
    for (const Callback& callback : news.callbacks) callback();
    if (news.up_to != 0) core_->Announce(news.up_to);
    lock.lock();
  }
}

}  // namespace podium::store
