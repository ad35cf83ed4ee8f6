// The working half of an Informer. Private to client.
#pragma once

#include <condition_variable>
#include <thread>

#include "client/informer.h"

namespace podium::client {

class InformerState : public std::enable_shared_from_this<InformerState> {
 public:
  InformerState(Connection& connection, Target target, InformerOptions options)
      : connection_(connection), target_(std::move(target)), options_(std::move(options)) {}

  void Start();
  void Stop();
  Informer::HandlerId AddHandler(EventHandler handler);
  void RemoveHandler(Informer::HandlerId id);
  bool HasSynced() const;
  bool HasSynced(Informer::HandlerId id) const;
  std::string version() const;
  bool IsMissing() const;
  const Target& target() const { return target_; }

  // Calls `read` with the store, under the lock.
  template <class Read>
  auto WithStore(const Read& read) const {
    const std::lock_guard lock(mutex_);
    return read(store_);
  }
  void AddIndex(const std::string& name, IndexFunction index) {
    const std::lock_guard lock(mutex_);
    store_.AddIndex(name, std::move(index));
  }

 private:
  enum class Phase { kIdle, kList, kWatch, kWatching, kWaiting };

  struct Handler {
    Informer::HandlerId id = 0;
    EventHandler told;
    // Under mutex_.
    bool fresh = true;  // to be told of all there is
    bool synced = false;
    bool removed = false;
    bool running = false;  // in the task of runner_
    bool resync_due = false;
    Executor::TimerId timer = 0;
  };
  using HandlerPtr = std::shared_ptr<Handler>;

  struct Change {
    EventType type;
    SharedObject old;
    SharedObject object;
    bool initial = false;
    bool final_state_unknown = false;
  };

  void Kick();
  void Post();
  // One task's work; never two at once.
  void Run();
  void Step();
  void DropIfStopped();
  void GreetHandlers();
  void Resync();
  void ArmResync(const HandlerPtr& handler);

  void List();
  Result<ObjectList> ListAll();
  Result<ObjectList> ListPages(int64_t page_size);
  void BeginStream();
  void BeginWatch();
  Result<void> OpenWatch(const api::meta::v1::ListOptions& options);
  void ReadWatch();
  void ReadEvents(const std::vector<ObjectEvent>& events);
  void Replace(std::vector<SharedObject> items, const std::string& version);
  void Tell(const std::vector<Change>& changes);
  void TellOne(Handler& handler, const Change& change);
  static void Call(const EventHandler& told, const Change& change);
  void Report(const Error& error);
  void ForgetFailures();
  void Fail(const Error& error);
  // Goes on with this phase after a while.
  void WaitThen(Phase next);

  Connection& connection_;
  const Target target_;
  const InformerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable ran_;
  // Under mutex_.
  ObjectStore store_;
  std::string version_;
  bool synced_ = false;
  bool started_ = false;
  bool stopped_ = false;
  bool scheduled_ = false;
  bool running_ = false;
  bool again_ = false;
  bool due_ = false;      // what WaitThen waited for
  bool missing_ = false;  // the server has no such resource
  // Nobody listens any more to what is missing: nothing is asked until somebody does.
  bool dormant_ = false;
  std::thread::id runner_;
  std::vector<HandlerPtr> handlers_;
  Informer::HandlerId last_handler_ = 0;
  Executor::TimerId timer_ = 0;

  // Of Run alone.
  Phase phase_ = Phase::kIdle;
  Phase next_ = Phase::kList;
  std::unique_ptr<ObjectWatch> watch_;
  bool streaming_ = false;  // the watch tells what is there first
  bool no_stream_ = false;  // the server does not know how
  std::map<std::string, SharedObject> streamed_;
  int64_t watch_began_ = 0;
  bool watch_said_ = false;
  std::chrono::nanoseconds backoff_{0};
  int64_t last_failure_ = 0;
};

}  // namespace podium::client
