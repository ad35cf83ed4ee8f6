#include "http/handler_pool.h"

#include <system_error>

namespace podium::http {

Result<std::unique_ptr<HandlerPool>> HandlerPool::Create(size_t threads, size_t max_alone) {
  auto pool = std::unique_ptr<HandlerPool>(new HandlerPool(max_alone));
  try {
    for (size_t i = 0; i < threads; ++i) {
      pool->threads_.emplace_back([state = pool->state_.get()] { Work(*state); });
    }
  } catch (const std::system_error& error) {
    return Error::FromErrno(error.code().value(), "starting a thread");
  }
  return pool;
}

HandlerPool::~HandlerPool() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait(lock, [&] { return state_->alone == 0; });
  lock.unlock();
  for (std::thread& thread : threads_) thread.join();
}

void HandlerPool::Work(State& state) {
  std::unique_lock lock(state.mutex);
  while (true) {
    state.changed.wait(lock, [&] { return state.stopping || !state.tasks.empty(); });
    if (state.tasks.empty()) return;
    std::function<void()> task = std::move(state.tasks.front());
    state.tasks.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

void HandlerPool::Run(std::function<void()> task) {
  const std::lock_guard lock(state_->mutex);
  state_->tasks.push_back(std::move(task));
  state_->changed.notify_one();
}

bool HandlerPool::RunAlone(std::function<void()> task) {
  const std::lock_guard lock(state_->mutex);
  if (state_->alone >= max_alone_) return false;
  try {
    std::thread([state = state_, task = std::move(task)]() mutable {
      task();
      task = nullptr;
      const std::lock_guard end(state->mutex);
      --state->alone;
      state->changed.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    return false;
  }
  ++state_->alone;
  return true;
}

size_t HandlerPool::alone() const {
  const std::lock_guard lock(state_->mutex);
  return state_->alone;
}

}  // namespace podium::http
