#include "http/poller.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace podium::http {
namespace {

constexpr uint64_t kWake = 0;
// What an event says of itself: the number of the wait, and below it how often that was armed. Of
// events that are found together, the callback of one may arm another anew, for something else.
constexpr int kArmedBits = 16;

}  // namespace

struct Poller::State {
  using Ready = std::function<void(bool timed_out)>;
  struct Entry {
    int fd = -1;
    bool polled = false;  // stands in the epoll set
    bool armed = false;
    uint16_t times_armed = 0;
    std::optional<Clock::time_point> deadline{};
    std::shared_ptr<const Ready> ready{};
  };

  void Run();
  int MillisecondsLocked() const;
  static uint64_t KeyOf(uint64_t id, const Entry& entry) {
    return id << kArmedBits | entry.times_armed;
  }
  // Takes the wait off the entry and gives what is to be called; null when it was not armed.
  std::shared_ptr<const Ready> DisarmLocked(uint64_t id);
  void RunTasks();
  void RunDeadlines();
  void SetDeadlineLocked(uint64_t id, Entry& entry, std::optional<Clock::time_point> deadline);

  UniqueFd epoll;
  UniqueFd wake;
  std::thread thread;
  std::atomic<std::thread::id> thread_id{};

  std::mutex mutex;
  // All below: under the mutex.
  bool stopping = false;
  uint64_t last_id = kWake;
  std::unordered_map<uint64_t, Entry> entries;
  std::set<std::pair<Clock::time_point, uint64_t>> deadlines;
  std::vector<std::function<void()>> tasks;
};

Result<std::shared_ptr<Poller>> Poller::Create() {
  auto state = std::make_shared<State>();
  state->epoll.reset(epoll_create1(EPOLL_CLOEXEC));
  state->wake.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{EPOLLIN | EPOLLET, {.u64 = kWake}};
  if (!state->epoll || !state->wake ||
      epoll_ctl(state->epoll.get(), EPOLL_CTL_ADD, state->wake.get(), &event) != 0) {
    return Error::FromErrno(errno, "epoll");
  }
  try {
    state->thread = std::thread([state] { state->Run(); });
  } catch (const std::system_error& error) {
    return Error::FromErrno(error.code().value(), "starting a thread");
  }
  return std::shared_ptr<Poller>(new Poller(std::move(state)));
}

Poller::~Poller() { Stop(); }

void Poller::Stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  eventfd_write(state_->wake.get(), 1);
  if (state_->thread.joinable()) state_->thread.join();
  // Dropped without the lock, which a PolledFd takes when it goes.
  std::vector<std::function<void()>> tasks;
  std::vector<std::shared_ptr<const State::Ready>> waits;
  const std::lock_guard lock(state_->mutex);
  tasks.swap(state_->tasks);
  for (auto& [id, entry] : state_->entries) waits.push_back(std::move(entry.ready));
}

void Poller::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->tasks.push_back(std::move(task));
  }
  eventfd_write(state_->wake.get(), 1);
}

bool Poller::OnThread() const { return state_->thread_id == std::this_thread::get_id(); }

void Poller::State::Run() {
  thread_id = std::this_thread::get_id();
  std::array<epoll_event, 128> events;
  while (true) {
    int wait = 0;
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      wait = tasks.empty() ? MillisecondsLocked() : 0;
    }
    const int count = epoll_wait(epoll.get(), events.data(), events.size(), wait);
    for (int i = 0; i < count; ++i) {
      const uint64_t key = events[static_cast<size_t>(i)].data.u64;
      if (key == kWake) continue;
      std::shared_ptr<const Ready> ready;
      {
        const std::lock_guard lock(mutex);
        const auto found = entries.find(key >> kArmedBits);
        if (found == entries.end() || KeyOf(found->first, found->second) != key) continue;
        ready = DisarmLocked(found->first);
      }
      if (ready) (*ready)(false);
    }
    RunTasks();
    RunDeadlines();
  }
}

int Poller::State::MillisecondsLocked() const {
  if (deadlines.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadlines.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30));
}

std::shared_ptr<const Poller::State::Ready> Poller::State::DisarmLocked(uint64_t id) {
  const auto found = entries.find(id);
  if (found == entries.end() || !std::exchange(found->second.armed, false)) return nullptr;
  SetDeadlineLocked(id, found->second, std::nullopt);
  return found->second.ready;
}

void Poller::State::RunTasks() {
  std::vector<std::function<void()>> now;
  {
    const std::lock_guard lock(mutex);
    now.swap(tasks);
  }
  for (const auto& task : now) task();
}

void Poller::State::RunDeadlines() {
  while (true) {
    std::shared_ptr<const Ready> ready;
    {
      const std::lock_guard lock(mutex);
      if (deadlines.empty() || deadlines.begin()->first > Clock::now()) return;
      const uint64_t id = deadlines.begin()->second;
      ready = DisarmLocked(id);
      // A descriptor that nobody waits for must not wake the thread.
      epoll_event event{EPOLLONESHOT, {.u64 = KeyOf(id, entries.at(id))}};
      epoll_ctl(epoll.get(), EPOLL_CTL_MOD, entries.at(id).fd, &event);
    }
    if (ready) (*ready)(true);
  }
}

void Poller::State::SetDeadlineLocked(uint64_t id, Entry& entry,
                                      std::optional<Clock::time_point> deadline) {
  if (entry.deadline) deadlines.erase({*entry.deadline, id});
  entry.deadline = deadline;
  if (deadline) deadlines.emplace(*deadline, id);
}

PolledFd::PolledFd(const Poller& poller, int fd, std::function<void(bool timed_out)> ready)
    : state_(poller.state_), id_([&] {
        const std::lock_guard lock(state_->mutex);
        const uint64_t id = ++state_->last_id;
        auto& entry = state_->entries[id];
        entry.fd = fd;
        entry.ready = std::make_shared<const Poller::State::Ready>(std::move(ready));
        return id;
      }()) {}

PolledFd::~PolledFd() {
  std::shared_ptr<const Poller::State::Ready> dropped;
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->entries.find(id_);
  Poller::State::Entry& entry = found->second;
  state_->SetDeadlineLocked(id_, entry, std::nullopt);
  if (entry.polled) epoll_ctl(state_->epoll.get(), EPOLL_CTL_DEL, entry.fd, nullptr);
  dropped = std::move(entry.ready);
  state_->entries.erase(found);
}

void PolledFd::Arm(short events, std::optional<Clock::time_point> deadline) {
  // Once armed, the callback may take this away before the call is over.
  const std::shared_ptr<Poller::State> state = state_;
  bool sooner = false;
  {
    const std::lock_guard lock(state->mutex);
    Poller::State::Entry& entry = state->entries.at(id_);
    ++entry.times_armed;
    epoll_event event{EPOLLONESHOT, {.u64 = Poller::State::KeyOf(id_, entry)}};
    if ((events & POLLIN) != 0) event.events |= EPOLLIN | EPOLLRDHUP;
    if ((events & POLLOUT) != 0) event.events |= EPOLLOUT;
    entry.armed = true;
    state->SetDeadlineLocked(id_, entry, deadline);
    sooner = deadline && state->deadlines.begin()->second == id_;
    epoll_ctl(state->epoll.get(), entry.polled ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, entry.fd, &event);
    entry.polled = true;
  }
  if (sooner && state->thread_id != std::this_thread::get_id()) {
    eventfd_write(state->wake.get(), 1);
  }
}

}  // namespace podium::http
