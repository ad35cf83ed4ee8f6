// Watches: changes of a resource's objects, as upstream tells them (k8s.io/apiserver/pkg/storage's
// cacher and pkg/endpoints/handlers/watch.go, release 1.36). One is a place in the store's history
// (store::Watch) and a body that is pulled: it has no thread, and no queue.
//
//   resourceVersion     ""   what is there as ADDED, then changes
//                       "0"  the same
//                       n    changes after n; 410 when that is compacted
//   sendInitialEvents   true: what is there, a bookmark with k8s.io/initial-events-end, changes
//                       false: changes from now on, or after n
//
// With a selector an object that enters is ADDED, and one that leaves DELETED, with its last state
// that was selected and the version of the change. Threads: any, one at a time for each watch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types/meta_v1.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/read.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

enum class WatchEventType : uint8_t { kAdded, kModified, kDeleted, kBookmark };

struct EntryEvent {
  WatchEventType type = WatchEventType::kAdded;
  // The state after the change; of kDeleted the last one that was selected, as an entry of the
  // change's revision. Null for bookmarks.
  store::EntryPtr entry{};
  store::Revision revision = 0;     // of the change, or of the bookmark
  bool initial_events_end = false;  // of a bookmark
};

struct WatchRequest {
  const ServedResource* resource = nullptr;  // outlives the watch
  std::string namespace_{};
  std::string name{};  // of one object
  api::meta::v1::ListOptions options{};
};

// Events of entries, for who works in this process and for the answers below.
class EntryWatch {
 public:
  // `ready`: once when there is something to Take, after a Take that left nothing; as that of
  // store::WatchOptions. 400, 422, 410, 504.
  static Result<std::unique_ptr<EntryWatch>> Create(store::Store& store,
                                                    const WatchRequest& request,
                                                    std::function<void()> ready);

  struct Batch {
    std::vector<EntryEvent> events;
    // There may be more to take now; ready will not be called for it.
    bool more = false;
    // Up to here every event was told.
    store::Revision revision = 0;
  };
  // What there is, for some hundred microseconds of work. 410 when its place was compacted; then
  // always.
  Result<Batch> Take();
  // The state that it began with is all told.
  bool at_changes() const { return changes_ != nullptr; }

 private:
  EntryWatch(store::Store& store, ListReader reader, std::function<void()> ready)
      : store_(store), reader_(std::move(reader)), ready_(std::move(ready)) {}

  Result<void> TakeInitial(Batch* batch);
  Result<void> TakeChanges(Batch* batch);
  Result<void> StartChanges();
  Result<void> Tell(const store::Event& event, Batch* batch) const;
  Error Expired() const;

  store::Store& store_;
  ListReader reader_;  // of what there is at first; its selection and keys are the watch's
  const CustomVersion* custom_ = nullptr;  // null: built-in
  bool tells_initial_ = false;
  bool marks_end_ = false;     // a bookmark ends the state that it began with
  store::Revision after_ = 0;  // changes behind this one are told
  std::function<void()> ready_;
  std::unique_ptr<store::Watch> changes_;
};

struct WatchRoom {
  store::Store& store;
  const Clock& clock;
  Executor& executor;
  // Watches that say no timeoutSeconds live for so long to twice as long.
  int64_t min_request_seconds = 1800;
  // Between 0 and 1. Any thread.
  std::function<double()> random = [] { return 0.5; };
};

// The answer to a watch, whose body ends by itself: at its timeout, when its place is compacted
// (after an event ERROR), and when the server stops. `keeps_alive` has the catalog that the
// resource is in. The room outlives the answer.
Answer AnswerWatch(const CallPtr& call, const WatchRoom& room, const ServedResource& resource,
                   std::shared_ptr<const void> keeps_alive);

}  // namespace podium::apiserver
