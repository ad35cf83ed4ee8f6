#include "runtime/layer_remover.h"

#include <fcntl.h>

#include <utility>

#include "linux/path.h"

namespace podium::runtime {

LayerRemover::LayerRemover(std::function<void(const Error&)> failed)
    : failed_(std::move(failed)), thread_([this] { Run(); }) {}

LayerRemover::~LayerRemover() { Finish({}); }

void LayerRemover::Add(std::string path) {
  const std::lock_guard lock(mutex_);
  paths_.push_back(std::move(path));
  changed_.notify_one();
}

bool LayerRemover::busy() const {
  const std::lock_guard lock(mutex_);
  return !paths_.empty();
}

void LayerRemover::Finish(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    if (!finishing_) until_ = Clock::now() + patience;
    finishing_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool LayerRemover::GoOn() const {
  const std::lock_guard lock(mutex_);
  return Clock::now() < until_;
}

void LayerRemover::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return finishing_ || !paths_.empty(); });
    if (paths_.empty() || Clock::now() >= until_) return;
    const std::string path = paths_.front();
    lock.unlock();
    const auto removed = kernel::RemoveTree(AT_FDCWD, path, [this] { return GoOn(); });
    if (!removed.ok() && removed.error().code() != Code::kCancelled) failed_(removed.error());
    lock.lock();
    paths_.pop_front();
  }
}

}  // namespace podium::runtime
