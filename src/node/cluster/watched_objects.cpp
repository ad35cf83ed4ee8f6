#include "node/cluster/watched_objects.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include "client/informer.h"

namespace podium::node {
namespace {

namespace v1 = api::core::v1;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A list and a watch beside us take about one.
constexpr nanoseconds kLook = milliseconds(1);
// Who has waited so long asks by itself, and again after the double: the informer tries again after
// its back-off alone, and a node's rights to an object begin a moment after its pod's binding.
constexpr nanoseconds kFirstQuestion = milliseconds(20);

bool IsImmutable(const client::SharedObject& object) {
  if (const auto map = object.As<v1::ConfigMap>()) return map->immutable.value_or(false);
  if (const auto secret = object.As<v1::Secret>()) return secret->immutable.value_or(false);
  return false;
}

}  // namespace

struct WatchedObjects::Item {
  size_t references = 0;  // under State's mutex
  std::unique_ptr<client::Informer> informer;
  std::atomic<bool> frozen = false;      // immutable: it is watched no more
  std::atomic<bool> was_missed = false;  // somebody did without the watch
};

struct WatchedObjects::State {
  std::mutex mutex;
  // Under mutex.
  std::map<Key, std::shared_ptr<Item>> items;
  std::set<std::shared_ptr<Item>> unused;  // a task ends their watches
};

WatchedObjects::WatchedObjects(ServerAccess access, std::string_view resource,
                               std::string_view word, Changed changed)
    : access_(std::move(access)),
      resource_{.group = "", .version = "v1", .resource = std::string(resource)},
      word_(word),
      changed_(std::move(changed)),
      state_(std::make_shared<State>()) {}

WatchedObjects::~WatchedObjects() {
  std::map<Key, std::shared_ptr<Item>> items;
  std::set<std::shared_ptr<Item>> unused;
  {
    const std::lock_guard lock(state_->mutex);
    items.swap(state_->items);
    unused.swap(state_->unused);
  }
  for (const auto& [key, item] : items) item->informer->Stop();
  for (const auto& item : unused) item->informer->Stop();
}

std::shared_ptr<WatchedObjects::Item> WatchedObjects::Start(const Key& key) const {
  client::Target target = resource_;
  target.namespace_ = key.first;
  auto item = std::make_shared<Item>();
  item->informer = std::make_unique<client::Informer>(
      *access_.connection, target,
      client::InformerOptions{.executor = access_.executor,
                              .clock = access_.clock,
                              .random = access_.random,
                              .field_selector = "metadata.name=" + key.second,
                              .on_error = access_.on_error});
  const auto tell = [weak = std::weak_ptr(item), changed = changed_, name_space = key.first](
                        const client::SharedObject& object, bool initial) {
    const auto self = weak.lock();
    if (!self) return;
    if (object && IsImmutable(object)) {
      self->frozen = true;
      self->informer->Stop();
    }
    if (!initial || self->was_missed) changed(name_space);
  };
  item->informer->AddHandler(
      {.on_add = tell,
       .on_update = [tell](const client::SharedObject& /*old*/,
                           const client::SharedObject& object) { tell(object, false); },
       .on_delete = [tell](const client::SharedObject& /*object*/,
                           bool /*unknown*/) { tell({}, false); }});
  item->informer->Start();
  return item;
}

void WatchedObjects::Add(const std::vector<Key>& keys) {
  const std::lock_guard lock(state_->mutex);
  for (const Key& key : keys) {
    std::shared_ptr<Item>& item = state_->items[key];
    if (!item) item = Start(key);
    ++item->references;
  }
}

void WatchedObjects::Remove(const std::vector<Key>& keys) {
  const std::lock_guard lock(state_->mutex);
  for (const Key& key : keys) {
    const auto found = state_->items.find(key);
    if (found == state_->items.end() || --found->second->references > 0) continue;
    // It may be waiting for the server.
    access_.executor->Post([item = found->second, weak = std::weak_ptr(state_)] {
      item->informer->Stop();
      const auto state = weak.lock();
      if (!state) return;
      const std::lock_guard inner(state->mutex);
      state->unused.erase(item);
    });
    state_->unused.insert(std::move(found->second));
    state_->items.erase(found);
  }
}

Result<client::SharedObject> WatchedObjects::Get(std::string_view name_space,
                                                 std::string_view name) const {
  std::shared_ptr<Item> item;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->items.find(Key(name_space, name));
    if (found != state_->items.end()) item = found->second;
  }
  if (!item) {
    return Error(Code::kInternal, "object \"" + std::string(name_space) + "\"/\"" +
                                      std::string(name) + "\" not registered");
  }
  const auto not_found = [&] {
    return Error(Code::kNotFound, word_ + " \"" + std::string(name) + "\" not found");
  };
  client::Target target = resource_;
  target.namespace_ = name_space;
  target.name = name;
  nanoseconds ask = kFirstQuestion;
  for (nanoseconds waited{0}; !item->informer->HasSynced(); waited += kLook) {
    if (waited >= ask) {
      ask = ask * 2;
      // Before it is read: what changes between this answer and the watch's is told then.
      item->was_missed = true;
      auto got = access_.connection->Get(target, {});
      if (got.ok()) return got;
      if (got.error().code() == Code::kNotFound) return not_found();
    }
    if (waited >= access_.patience) {
      return Error(Code::kUnavailable,
                   "failed to sync " + word_ + " cache: timed out waiting for the condition");
    }
    access_.clock->Sleep(kLook, -1);
  }
  client::SharedObject object =
      item->informer->Get(std::string(name_space) + "/" + std::string(name));
  if (!object) return not_found();
  return object;
}

size_t WatchedObjects::watches() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<size_t>(std::ranges::count_if(
      state_->items, [](const auto& each) { return !each.second->frozen.load(); }));
}

}  // namespace podium::node
