#include "store/memory_store.h"

#include <condition_variable>
#include <utility>
#include <vector>

#include "store/plan.h"

namespace podium::store {

struct MemoryStore::State : std::enable_shared_from_this<State> {
  using Step = std::function<void()>;

  explicit State(Executor& the_executor) : executor(the_executor) {}

  Executor& executor;
  const std::shared_ptr<Core> core = std::make_shared<Core>();
  std::mutex mutex;
  std::condition_variable idle;
  // Under mutex from here on. What is asked for and not yet done, in its order: what to do, and
  // what to do if the store goes before.
  std::deque<std::pair<Step, Step>> waiting;
  bool posted = false;    // a task for it is in the executor
  bool stepping = false;  // it is in a step
  bool closed = false;

  void Add(Step step, Step cancelled) {
    {
      std::lock_guard lock(mutex);
      waiting.emplace_back(std::move(step), std::move(cancelled));
      if (std::exchange(posted, true)) return;
    }
    executor.Post([self = shared_from_this()] { self->Run(); });
  }

  // The only thread at a time that makes changes.
  void Run() {
    std::unique_lock lock(mutex);
    while (!waiting.empty() && !closed) {
      const Step step = std::move(waiting.front().first);
      waiting.pop_front();
      stepping = true;
      lock.unlock();
      step();
      lock.lock();
      stepping = false;
    }
    posted = false;
    idle.notify_all();
  }

  void Write(const store::Write& write, const WriteDone& done) {
    if (auto checked = CheckWrite(write); !checked.ok()) return done(std::move(checked).error());
    Plan plan(core->history());
    Written written = plan.Add(write);
    core->Publish(plan.changes());
    core->Announce(core->history().newest());
    done(std::move(written));
  }

  Result<void> Compact(Revision revision) {
    TRY_VOID(core->CheckCompact(revision));
    core->SetCompacted(revision);
    // What somebody still reads is left to the next time.
    std::vector<EntryPtr> dropped;
    while (core->Collect(512, &dropped) == 512) dropped.clear();
    return {};
  }
};

namespace {

Error Closed() { return Error(Code::kCancelled, "the store is closed"); }

}  // namespace

MemoryStore::MemoryStore(Executor& executor) : state_(std::make_shared<State>(executor)) {}

MemoryStore::~MemoryStore() {
  std::deque<std::pair<State::Step, State::Step>> left;
  {
    std::unique_lock lock(state_->mutex);
    state_->closed = true;
    left = std::move(state_->waiting);
    state_->waiting.clear();
    // A task that was posted and has not begun finds nothing to do, whenever it comes; one that is
    // in a callback is waited for.
    state_->idle.wait(lock, [this] { return !state_->stepping; });
  }
  for (const auto& [step, cancelled] : left) cancelled();
  state_->core->Close();
}

void MemoryStore::Apply(Write write, WriteDone done) {
  state_->Add([state = state_.get(), write = std::move(write), done] { state->Write(write, done); },
              [done] { done(Closed()); });
}

Result<RangeResult> MemoryStore::Range(const RangeOptions& options) {
  return state_->core->Range(options);
}

Result<std::unique_ptr<Watch>> MemoryStore::StartWatch(WatchOptions options) {
  return state_->core->StartWatch(std::move(options));
}

void MemoryStore::Compact(Revision revision, CompactDone done) {
  state_->Add([state = state_.get(), revision, done] { done(state->Compact(revision)); },
              [done] { done(Closed()); });
}

Health MemoryStore::health() const {
  Health health;
  state_->core->Describe(&health);
  return health;
}

}  // namespace podium::store
