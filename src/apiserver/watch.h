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
#include <vector>

#include "api/types/meta_v1.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/selection.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

enum class WatchEventType : uint8_t { kAdded, kModified, kDeleted, kBookmark };

struct EntryEvent {
  WatchEventType type = WatchEventType::kAdded;
  // The state after the change; of kDeleted the last one that was selected. Null for bookmarks.
  store::EntryPtr entry{};
  // Of the change, which the object is shown with, or of the bookmark.
  store::Revision revision = 0;
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
  // At most about so many events. 410 when the place was compacted; then always.
  Result<Batch> Take(size_t most);
  // The initial state is all told.
  bool at_changes() const { return initial_done_; }

 private:
  EntryWatch(store::Store& store, Selection selection)
      : store_(store), selection_(std::move(selection)) {}

  Result<void> TakeInitial(size_t most, Batch* batch);
  Result<void> TakeChanges(size_t most, Batch* batch);
  Result<void> Tell(const store::Event& event, Batch* batch) const;

  store::Store& store_;
  Selection selection_;
  store::KeyRange keys_;
  bool marks_end_ = false;  // a bookmark ends the initial state
  bool initial_done_ = true;
  store::Revision start_ = 0;  // of the initial state, or behind which changes are told
  std::string from_{};         // where the initial state goes on
  std::function<void()> ready_;
  std::unique_ptr<store::Watch> changes_;
};

struct WatchRoom {
  store::Store& store;
  const Clock& clock;
  Executor& executor;
  // Watches that say no timeoutSeconds live for so long to twice as long.
  int64_t min_request_seconds = 1800;
  std::function<uint64_t()> random;
};

// The answer to a watch, whose body ends by itself: at its timeout, when its place is compacted
// (after an event ERROR), and when the server stops. `keeps_alive` has the catalog that the
// resource is in. The room outlives the answer.
Answer AnswerWatch(const CallPtr& call, const WatchRoom& room, const ServedResource& resource,
                   std::shared_ptr<const void> keeps_alive);

}  // namespace podium::apiserver
