#include "client/informer_state.h"

#include <algorithm>
#include <utility>

namespace podium::client {
namespace {

namespace meta = api::meta::v1;
using std::chrono::nanoseconds;

// As client-go: tools/cache, Reflector.
constexpr nanoseconds kFirstBackoff = std::chrono::milliseconds(800);
constexpr nanoseconds kMaxBackoff = std::chrono::seconds(30);
constexpr nanoseconds kBackoffReset = std::chrono::minutes(2);
constexpr int64_t kMinWatchSeconds = 300;
// A watch that ends sooner and without a word is a failure.
constexpr nanoseconds kShortWatch = std::chrono::seconds(1);
// So that an informer with much to tell does not keep the executor from others.
constexpr size_t kBatch = 100;

}  // namespace

void InformerState::Start() {
  {
    const std::lock_guard lock(mutex_);
    if (started_ || stopped_) return;
    started_ = true;
  }
  Kick();
}

void InformerState::Post() {
  options_.executor->Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Run();
  });
}

void InformerState::Kick() {
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || stopped_) return;
    if (running_) {
      again_ = true;
      return;
    }
    if (std::exchange(scheduled_, true)) return;
  }
  Post();
}

void InformerState::Run() {
  {
    const std::lock_guard lock(mutex_);
    scheduled_ = false;
    if (stopped_) return;
    running_ = true;
    again_ = false;
    runner_ = std::this_thread::get_id();
    if (std::exchange(due_, false)) phase_ = next_;
  }
  if (phase_ == Phase::kIdle) phase_ = Phase::kList;
  GreetHandlers();
  Resync();
  Step();
  DropIfStopped();
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    runner_ = {};
    again = again_ && !stopped_;
    if (again) scheduled_ = true;
    ran_.notify_all();
  }
  if (again) Post();
}

// While this task still counts as running, since Stop does not wait for what it cannot see.
void InformerState::DropIfStopped() {
  std::unique_ptr<ObjectWatch> dropped;  // after the lock: it waits for `ready`, which wants it
  const std::lock_guard lock(mutex_);
  if (stopped_) dropped = std::move(watch_);
}

void InformerState::Step() {
  switch (phase_) {
    case Phase::kList:
      if (options_.streamed_list && !no_stream_) return BeginStream();
      return List();
    case Phase::kWatch:
      return BeginWatch();
    case Phase::kWatching:
      return ReadWatch();
    case Phase::kIdle:
    case Phase::kWaiting:
      return;
  }
}

void InformerState::Stop() {
  std::unique_ptr<ObjectWatch> dropped;
  {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    if (timer_ != 0) options_.executor->Cancel(std::exchange(timer_, 0));
    for (const HandlerPtr& handler : handlers_) {
      if (handler->timer != 0) options_.executor->Cancel(std::exchange(handler->timer, 0));
    }
    if (running_ && runner_ == std::this_thread::get_id()) return;
    ran_.wait(lock, [&] { return !running_; });
    dropped = std::move(watch_);
  }
  // Without the lock: it waits for `ready`, which wants it.
}

Informer::HandlerId InformerState::AddHandler(EventHandler told) {
  Informer::HandlerId id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_handler_;
    handlers_.push_back(std::make_shared<Handler>(Handler{.id = id, .told = std::move(told)}));
    if (std::exchange(dormant_, false)) due_ = true;
  }
  Kick();
  return id;
}

void InformerState::RemoveHandler(Informer::HandlerId id) {
  HandlerPtr removed;  // its functions go after the lock
  std::unique_lock lock(mutex_);
  const auto found = std::ranges::find(handlers_, id, &Handler::id);
  if (found == handlers_.end()) return;
  removed = *found;
  removed->removed = true;
  if (removed->timer != 0) options_.executor->Cancel(std::exchange(removed->timer, 0));
  handlers_.erase(found);
  if (runner_ == std::this_thread::get_id()) return;
  ran_.wait(lock, [&] { return !removed->running; });
}

bool InformerState::HasSynced() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

bool InformerState::HasSynced(Informer::HandlerId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(handlers_, id, &Handler::id);
  return found != handlers_.end() && (*found)->synced;
}

bool InformerState::IsMissing() const {
  const std::lock_guard lock(mutex_);
  return missing_;
}

std::string InformerState::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

// Tells handlers that came since of what is there.
void InformerState::GreetHandlers() {
  std::vector<HandlerPtr> fresh;
  std::vector<SharedObject> objects;
  bool synced = false;
  {
    const std::lock_guard lock(mutex_);
    for (const HandlerPtr& handler : handlers_) {
      if (std::exchange(handler->fresh, false)) fresh.push_back(handler);
    }
    if (fresh.empty()) return;
    objects = store_.List("");
    synced = synced_;
  }
  for (const HandlerPtr& handler : fresh) {
    for (const SharedObject& object : objects) {
      TellOne(*handler, {.type = EventType::kAdded, .old = {}, .object = object, .initial = true});
    }
    const std::lock_guard lock(mutex_);
    handler->synced = synced;
    ArmResync(handler);
  }
}

// Under mutex_.
void InformerState::ArmResync(const HandlerPtr& handler) {
  if (handler->told.resync.count() <= 0 || handler->removed || stopped_) return;
  handler->timer = options_.executor->PostAfter(
      handler->told.resync, [weak = weak_from_this(), kept = std::weak_ptr(handler)] {
        const auto self = weak.lock();
        const auto due = kept.lock();
        if (!self || !due) return;
        {
          const std::lock_guard lock(self->mutex_);
          due->timer = 0;
          due->resync_due = true;
        }
        self->Kick();
      });
}

void InformerState::Resync() {
  std::vector<HandlerPtr> due;
  std::vector<SharedObject> objects;
  {
    const std::lock_guard lock(mutex_);
    for (const HandlerPtr& handler : handlers_) {
      if (std::exchange(handler->resync_due, false)) due.push_back(handler);
    }
    if (due.empty()) return;
    objects = store_.List("");
  }
  for (const HandlerPtr& handler : due) {
    for (const SharedObject& object : objects) {
      TellOne(*handler, {.type = EventType::kModified, .old = object, .object = object});
    }
    const std::lock_guard lock(mutex_);
    ArmResync(handler);
  }
}

void InformerState::TellOne(Handler& handler, const Change& change) {
  {
    const std::lock_guard lock(mutex_);
    if (handler.removed || stopped_) return;
    handler.running = true;
  }
  Call(handler.told, change);
  const std::lock_guard lock(mutex_);
  handler.running = false;
  if (handler.removed) ran_.notify_all();
}

void InformerState::Call(const EventHandler& told, const Change& change) {
  switch (change.type) {
    case EventType::kAdded:
      if (told.on_add) told.on_add(change.object, change.initial);
      return;
    case EventType::kModified:
      if (told.on_update) told.on_update(change.old, change.object);
      return;
    case EventType::kDeleted:
      if (told.on_delete) told.on_delete(change.object, change.final_state_unknown);
      return;
    case EventType::kBookmark:
      return;
  }
}

void InformerState::Tell(const std::vector<Change>& changes) {
  if (changes.empty()) return;
  std::vector<HandlerPtr> handlers;
  {
    const std::lock_guard lock(mutex_);
    // Those that came while this task runs are greeted with the store as it is by now.
    for (const HandlerPtr& handler : handlers_) {
      if (!handler->fresh) handlers.push_back(handler);
    }
  }
  for (const Change& change : changes) {
    for (const HandlerPtr& handler : handlers) TellOne(*handler, change);
  }
}

void InformerState::Report(const Error& error) {
  if (options_.on_error && error.code() != Code::kCancelled) options_.on_error(target_, error);
}

void InformerState::WaitThen(Phase next) {
  const int64_t now = options_.clock->Now();
  if (now - last_failure_ > kBackoffReset.count()) backoff_ = nanoseconds(0);
  last_failure_ = now;
  backoff_ = backoff_.count() == 0 ? kFirstBackoff : std::min(backoff_ * 2, kMaxBackoff);
  const double jitter = options_.random ? options_.random() : 0;
  const nanoseconds delay(
      static_cast<int64_t>(static_cast<double>(backoff_.count()) * (1 + jitter)));
  phase_ = Phase::kWaiting;
  next_ = next;
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  dormant_ = missing_ && last_handler_ != 0 && handlers_.empty();
  if (dormant_) return;
  timer_ = options_.executor->PostAfter(delay, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard inner(self->mutex_);
      self->timer_ = 0;
      self->due_ = true;
    }
    self->Kick();
  });
}

// A server that has served a watch is asked again soon, however often it went away before: it may
// be restarted many times in a row, and be there each time. (client-go forgets only what is two
// minutes old.) What it must not cost is a request for the whole collection every time, so half of
// a streamed list is no success.
void InformerState::ForgetFailures() {
  if (streaming_) return;
  const int64_t lasted = options_.clock->Now() - watch_began_;
  if (watch_said_ || lasted >= kShortWatch.count()) backoff_ = nanoseconds(0);
}

// A watch that failed, or was refused.
void InformerState::Fail(const Error& error) {
  if (watch_) ForgetFailures();
  watch_.reset();
  const bool streaming = std::exchange(streaming_, false);
  streamed_.clear();
  Report(error);
  const Code code = error.code();
  if (code == Code::kCancelled) {
    phase_ = Phase::kWaiting;  // the connection is stopped: nothing more will come
    return;
  }
  const bool passes =
      code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kInternal;
  WaitThen(passes && !streaming ? Phase::kWatch : Phase::kList);
}

Result<ObjectList> InformerState::ListPages(int64_t page_size) {
  meta::ListOptions options;
  options.labelSelector = options_.label_selector;
  options.fieldSelector = options_.field_selector;
  options.limit = page_size;
  ObjectList all;
  while (true) {
    TRY(ObjectList page, connection_.List(target_, options));
    // All pages are of one version, that of the first.
    if (options.continue_.empty()) all.metadata = page.metadata;
    all.items.insert(all.items.end(), page.items.begin(), page.items.end());
    if (page.metadata.continue_.empty()) return all;
    options.continue_ = page.metadata.continue_;
  }
}

Result<ObjectList> InformerState::ListAll() {
  auto list = ListPages(options_.page_size);
  // The pages took so long that their version is gone: all at once has none to lose.
  if (!list.ok() && list.error().code() == Code::kExpired) return ListPages(0);
  return list;
}

void InformerState::List() {
  auto list = ListAll();
  if (!list.ok()) {
    {
      const std::lock_guard lock(mutex_);
      missing_ = list.error().code() == Code::kNotFound;
    }
    Report(list.error());
    phase_ = Phase::kWaiting;
    if (list.error().code() != Code::kCancelled) WaitThen(Phase::kList);
    return;
  }
  Replace(std::move(list->items), list->metadata.resourceVersion);
  BeginWatch();
}

void InformerState::Replace(std::vector<SharedObject> items, const std::string& version) {
  std::vector<Change> changes;
  std::vector<HandlerPtr> told;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    std::vector<std::string> gone;
    std::map<std::string_view, bool> there;
    std::vector<std::string> keys;
    keys.reserve(items.size());
    for (const SharedObject& item : items) there[keys.emplace_back(KeyOf(item))] = true;
    for (const auto& [key, object] : store_.objects()) {
      if (!there.contains(key)) gone.push_back(key);
    }
    for (size_t i = 0; i < items.size(); ++i) {
      const SharedObject old = store_.Set(keys[i], items[i]);
      if (!old) {
        changes.push_back({EventType::kAdded, {}, items[i], !synced_});
      } else if (old.meta()->resourceVersion != items[i].meta()->resourceVersion) {
        changes.push_back({EventType::kModified, old, items[i]});
      }
    }
    for (const std::string& key : gone) {
      changes.push_back({EventType::kDeleted, {}, store_.Erase(key), false, true});
    }
    version_ = version;
    synced_ = true;
    missing_ = false;
    for (const HandlerPtr& handler : handlers_) {
      if (!handler->fresh) told.push_back(handler);
    }
  }
  Tell(changes);
  const std::lock_guard lock(mutex_);
  for (const HandlerPtr& handler : told) handler->synced = true;
}

Result<void> InformerState::OpenWatch(const meta::ListOptions& options) {
  meta::ListOptions watching = options;
  watching.labelSelector = options_.label_selector;
  watching.fieldSelector = options_.field_selector;
  watching.allowWatchBookmarks = true;
  const double random = options_.random ? options_.random() : 0;
  watching.timeoutSeconds =
      kMinWatchSeconds + static_cast<int64_t>(random * static_cast<double>(kMinWatchSeconds));
  watch_.reset();
  TRY(watch_, connection_.Watch(target_, watching, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Kick();
  }));
  watch_began_ = options_.clock->Now();
  watch_said_ = false;
  phase_ = Phase::kWatching;
  return {};
}

void InformerState::BeginStream() {
  meta::ListOptions options;
  options.sendInitialEvents = true;
  options.resourceVersionMatch = "NotOlderThan";
  streamed_.clear();
  const auto opened = OpenWatch(options);
  if (!opened.ok()) {
    // client-go falls back for good as well.
    no_stream_ = opened.error().code() == Code::kInvalidArgument;
    if (no_stream_) return List();
    streaming_ = true;
    return Fail(opened.error());
  }
  streaming_ = true;
  ReadWatch();
}

void InformerState::BeginWatch() {
  meta::ListOptions options;
  options.resourceVersion = version();
  const auto opened = OpenWatch(options);
  if (!opened.ok()) return Fail(opened.error());
  ReadWatch();
}

void InformerState::ReadWatch() {
  auto batch = watch_->Take(kBatch);
  if (!batch.ok()) return Fail(batch.error());
  if (!batch->events.empty()) watch_said_ = true;
  ReadEvents(batch->events);
  if (batch->ended) {
    ForgetFailures();
    watch_.reset();
    const bool silent = !watch_said_ && options_.clock->Now() - watch_began_ < kShortWatch.count();
    if (streaming_ || silent) {
      return Fail(Error(Code::kUnavailable, "the watch ended as soon as it had begun"));
    }
    phase_ = Phase::kWatch;
    const std::lock_guard lock(mutex_);
    again_ = true;
  } else if (batch->more) {
    const std::lock_guard lock(mutex_);
    again_ = true;
  }
}

void InformerState::ReadEvents(const std::vector<ObjectEvent>& events) {
  std::vector<Change> changes;
  for (const ObjectEvent& event : events) {
    if (streaming_) {
      if (event.type == EventType::kBookmark && event.initial_events_end) {
        streaming_ = false;
        std::vector<SharedObject> items;
        items.reserve(streamed_.size());
        for (auto& [key, object] : streamed_) items.push_back(std::move(object));
        streamed_.clear();
        Replace(std::move(items), event.resource_version);
      } else if (event.type == EventType::kDeleted) {
        streamed_.erase(KeyOf(event.object));
      } else if (event.object) {
        streamed_[KeyOf(event.object)] = event.object;
      }
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (event.type == EventType::kBookmark) {
      version_ = event.resource_version;
      continue;
    }
    version_ = event.object.meta()->resourceVersion;
    const std::string key = KeyOf(event.object);
    if (event.type == EventType::kDeleted) {
      if (store_.Erase(key)) changes.push_back({EventType::kDeleted, {}, event.object});
      continue;
    }
    const SharedObject old = store_.Set(key, event.object);
    changes.push_back({old ? EventType::kModified : EventType::kAdded, old, event.object});
  }
  Tell(changes);
}

}  // namespace podium::client
