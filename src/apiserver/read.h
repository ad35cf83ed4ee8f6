// Reading: one object, and lists, as entries of the store for who works in this process, and as
// answers. What resourceVersion, resourceVersionMatch, limit, continue and selectors mean is
// upstream's (k8s.io/apiserver/pkg/storage, pkg/storage/etcd3 and pkg/endpoints/handlers/get.go,
// release 1.36):
//
//   resourceVersion   match          a list shows
//   ""                               the newest state
//   "0"                              the newest too; `limit` is then not looked at
//   n                 ""             with a limit the state at n, otherwise one not older than n
//   n                 NotOlderThan   the newest state, 504 when n is not there yet
//   n                 Exact          the state at n, 410 when it is compacted
//   continue                         the state that the token was made at, 410 with another token
//                                    when that is compacted
//
// Threads: any. Nothing here waits for a disk. Errors are answers, with a Status.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types/meta_v1.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/selection.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

// The entry of one object. 404 when there is none; 504 when `resource_version` is not there yet.
Result<store::EntryPtr> ReadEntry(store::Store& store, const ServedResource& resource,
                                  std::string_view name_space, std::string_view name,
                                  std::string_view resource_version = "");

// What a list is to show: where, which of it, and in what state.
struct ListRequest {
  const ServedResource* resource = nullptr;  // outlives the list
  std::string namespace_{};                  // "": all of them, or of the cluster
  std::string name{};                        // of a single object, as a selector would say it
  api::meta::v1::ListOptions options{};
};

// A list that is read bit by bit, so that a large one holds up no loop.
class ListReader {
 public:
  // Checks the options. 400 and 422 for what may not be.
  static Result<ListReader> Create(store::Store& store, const ListRequest& request);

  // Reads on, for some hundred microseconds, and appends what is selected. Call it until done().
  // After an error the list is broken.
  Result<void> Step(std::vector<store::EntryPtr>* entries);
  bool done() const { return done_; }
  // Of the state that is read; known after the first step.
  store::Revision revision() const { return revision_; }
  const Selection& selection() const { return selection_; }
  const store::KeyRange& keys() const { return keys_; }
  // Known when done: the token of the next page, or "", and what is left behind it, if there are no
  // selectors.
  const std::string& next() const { return next_; }
  std::optional<int64_t> remaining() const { return remaining_; }
  // Whether these have to be known before the first object is shown.
  bool has_limit() const { return limit_ > 0; }

 private:
  ListReader(store::Store& store, Selection selection)
      : store_(&store), selection_(std::move(selection)) {}

  Result<void> ChooseState(const api::meta::v1::ListOptions& options);
  Result<void> Take(store::RangeResult range, std::vector<store::EntryPtr>* entries);
  Error ReadError(const Error& error) const;

  store::Store* store_;
  Selection selection_;
  const CustomVersion* custom_ = nullptr;  // null: built-in
  std::string prefix_;                     // that tokens leave out
  store::KeyRange keys_;
  std::string from_{};
  store::Revision at_ = 0;  // 0: the newest
  store::Revision revision_ = 0;
  int64_t limit_ = 0;
  int64_t taken_ = 0;
  bool continues_ = false;
  bool done_ = false;
  std::string next_{};
  std::optional<int64_t> remaining_{};
};

struct EntryList {
  std::vector<store::EntryPtr> entries;  // in the order of their keys
  store::Revision revision = 0;
  std::string next{};  // the token of the next page
  std::optional<int64_t> remaining{};
};
// All of it at once.
Result<EntryList> ReadList(store::Store& store, const ListRequest& request);

// Answers to GET of one object and of a collection. What the resource is and who may ask was
// settled before. `keeps_alive` has the catalog that the resource is in.
Answer AnswerGet(const CallPtr& call, store::Store& store, const ServedResource& resource);
Answer AnswerList(const CallPtr& call, store::Store& store, const ServedResource& resource,
                  std::shared_ptr<const void> keeps_alive);

// What of a list's options contradicts itself: 422.
Result<void> CheckListOptions(const api::meta::v1::ListOptions& options);
// 504, which says that the newest version is an older one.
Error TooLargeVersionError(uint64_t asked, store::Revision newest);
// The number in a resourceVersion; 400.
Result<uint64_t> ReadVersion(std::string_view text);

}  // namespace podium::apiserver
