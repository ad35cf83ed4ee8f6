// Informer: a local copy of a collection, kept up by list and watch, and what changes told to
// handlers (upstream's k8s.io/client-go/tools/cache: Reflector, SharedIndexInformer).
//
//   InformerFactory informers(connection, {.executor = &executor, .clock = &clock});
//   Informer& pods = informers.For<api::core::v1::Pod>();
//   pods.AddIndex("node", [](const SharedObject& o) { … return std::vector{pod->spec.nodeName}; });
//   pods.AddHandler({.on_add = [&](const SharedObject& pod, bool) { queue.Add(KeyOf(pod)); }, …});
//   informers.Start();
//   … once informers.HasSynced(): pods.Get("ns/web"), pods.ByIndex("node", "n1")
//
// How it goes: the objects that are there come in pages, then a watch tells the changes. A watch
// that ends goes on from the version seen last; after kExpired everything is listed again, and what
// is missing then was deleted: handlers hear of it with the state known last (on_delete's
// `final_state_unknown`). Failures are tried again after 0.8 to 30 seconds, doubled each time, with
// jitter; a watch that told something, or lasted a second, ends such a row.
//
// All work is done in tasks of the executor, one at a time for each informer; none waits, but that
// a call to the server does. Handlers run in these tasks, in order, each told of every change once;
// a handler that takes long holds up its informer alone. With an executor that runs in one thread
// on virtual time everything is the same again from the same seed.
//
// Threads: any, for everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/object_store.h"
#include "client/paths.h"

namespace podium::client {

struct EventHandler {
  // `initial`: it was there when the handler was added, or the informer started.
  std::function<void(const SharedObject& object, bool initial)> on_add{};
  // Also for what is told again (resync): then both are the same object.
  std::function<void(const SharedObject& old_object, const SharedObject& object)> on_update{};
  // `final_state_unknown`: the deletion itself was missed, and `object` is what was known last.
  std::function<void(const SharedObject& object, bool final_state_unknown)> on_delete{};
  // Every so often on_update is called for all there is; 0: never.
  std::chrono::nanoseconds resync{0};
};

struct InformerOptions {
  // Both outlive the informer.
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  // For jitter: a number from 0 to 1. Called under a lock, by one thread at a time.
  std::function<double()> random{};
  // Of a page of the first list.
  int64_t page_size = 500;
  // Asks for the first objects by a watch (sendInitialEvents) instead of by lists. A server that
  // does not know it refuses, and is asked by lists then.
  bool streamed_list = false;
  std::string label_selector{};
  std::string field_selector{};
  // What goes wrong while it goes on: refused lists, watches that broke off.
  std::function<void(const Target& target, const Error& error)> on_error{};
};

class InformerState;

class Informer {
 public:
  // The connection outlives it. Nothing is sent before Start.
  Informer(Connection& connection, Target target, InformerOptions options);
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;
  // Stop.
  ~Informer();

  // Before Start or after it, then over what is there as well.
  void AddIndex(const std::string& name, IndexFunction index);
  using HandlerId = uint64_t;
  // The handler is first told of what is there already.
  HandlerId AddHandler(EventHandler handler);
  // Returns when the handler runs no more, unless it is a handler of this informer that calls: so
  // not under a lock that the handler takes.
  void RemoveHandler(HandlerId id);

  void Start();
  // Ends the watch. Returns when no handler runs any more, unless it is a handler that calls. For
  // good.
  void Stop();

  // The objects that were there at the start are all in the store.
  bool HasSynced() const;
  // And the handler has heard of those that were there when it was added.
  bool HasSynced(HandlerId id) const;
  // The server has no such resource: it was not there at the last look (404). It is looked for
  // again and again, more and more slowly, for as long as there are handlers; when the last one is
  // removed no more, until somebody adds another.
  bool IsMissing() const;
  // "": nothing was read yet.
  std::string LastSyncResourceVersion() const;

  // The lister. Keys: KeyOf; "ns/web".
  SharedObject Get(std::string_view key) const;
  template <class T>
  std::shared_ptr<const T> Get(const ObjectKey& key) const {
    return Get(key.namespace_.empty() ? key.name : key.namespace_ + "/" + key.name)
        .template As<T>();
  }
  // By key; of one namespace, or of all: "".
  std::vector<SharedObject> List(std::string_view name_space = "") const;
  // kInvalidArgument where there is no such index.
  Result<std::vector<SharedObject>> ByIndex(std::string_view index, std::string_view value) const;
  Result<std::vector<std::string>> IndexValues(std::string_view index) const;
  size_t size() const;
  const Target& target() const;

 private:
  const std::shared_ptr<InformerState> state_;
};

// One informer for each collection, however many want it.
class InformerFactory {
 public:
  InformerFactory(Connection& connection, InformerOptions options)
      : connection_(connection), options_(std::move(options)) {}

  // Of all namespaces, or of one. Lives as long as the factory. Started at once, if Start was;
  // never after Stop, which is for good.
  template <class T>
  Informer& For(std::string_view name_space = "") {
    return For(*TargetOf(reflect::TypeOf<T>(), {std::string(name_space), ""}));
  }
  Informer& For(const Target& target);

  void Start();
  void Stop();
  bool HasSynced() const;

 private:
  Connection& connection_;
  const InformerOptions options_;
  mutable std::mutex mutex_;
  // Under mutex_; by path.
  std::map<std::string, std::unique_ptr<Informer>> informers_;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace podium::client
