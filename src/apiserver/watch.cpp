#include "apiserver/watch.h"

#include <algorithm>

#include "api/field_errors.h"
#include "api/status.h"
#include "apiserver/custom_resources/custom_objects.h"

namespace podium::apiserver {
namespace {

using api::field::Path;
using api::meta::v1::ListOptions;

constexpr std::string_view kNotOlderThan = "NotOlderThan";
// Comparisons of selectors that one Take makes, about, and events that it hands out at most.
constexpr size_t kTakeWork = 4096;
constexpr size_t kTakeEvents = 256;

Result<void> CheckWatchOptions(const ListOptions& options) {
  api::field::ErrorList errors;
  const Path match("resourceVersionMatch");
  const std::string& asked = options.resourceVersionMatch;
  if (options.sendInitialEvents && asked != kNotOlderThan) {
    errors.Add(api::field::Forbidden(
        match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (!asked.empty()) {
    if (!options.sendInitialEvents) {
      errors.Add(api::field::Forbidden(
          match,
          "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    }
    if (asked != kNotOlderThan) {
      errors.Add(api::field::NotSupported(match, asked, {kNotOlderThan}));
    }
    if (!options.continue_.empty()) {
      errors.Add(api::field::Forbidden(
          match, "resourceVersionMatch is forbidden when continue is provided"));
    }
  }
  if (errors.empty()) return {};
  return api::InvalidError("meta.k8s.io", "ListOptions", "", errors);
}

Error TooOld(store::Revision asked, store::Revision oldest) {
  return api::ExpiredError("too old resource version: " + std::to_string(asked) + " (" +
                           std::to_string(oldest) + ")");
}

}  // namespace

Result<std::unique_ptr<EntryWatch>> EntryWatch::Create(store::Store& store,
                                                       const WatchRequest& request,
                                                       std::function<void()> ready) {
  const ListOptions& options = request.options;
  ListRequest list{
      .resource = request.resource, .namespace_ = request.namespace_, .name = request.name};
  list.options.labelSelector = options.labelSelector;
  list.options.fieldSelector = options.fieldSelector;
  TRY(ListReader reader, ListReader::Create(store, list));
  TRY_VOID(CheckWatchOptions(options));
  uint64_t asked = 0;
  if (!options.resourceVersion.empty()) {
    TRY(asked, ReadVersion(options.resourceVersion));
  }
  const store::Revision newest = store.health().revision;
  const bool in_future = asked > static_cast<uint64_t>(newest);
  std::unique_ptr<EntryWatch> watch(new EntryWatch(store, std::move(reader), std::move(ready)));
  watch->custom_ = request.resource->custom.get();
  watch->tells_initial_ = options.sendInitialEvents.value_or(asked == 0);
  watch->marks_end_ = options.sendInitialEvents.value_or(false) && options.allowWatchBookmarks;
  if (watch->tells_initial_) {
    if (in_future) return TooLargeVersionError(asked, newest);
    return watch;
  }
  // No revision will ever be that large.
  watch->after_ = asked == 0 ? newest
                             : static_cast<store::Revision>(std::min<uint64_t>(
                                   asked, std::numeric_limits<store::Revision>::max()));
  TRY_VOID(watch->StartChanges());
  return watch;
}

Error EntryWatch::Expired() const { return TooOld(after_, store_.health().compacted); }

Result<void> EntryWatch::StartChanges() {
  auto changes = store_.StartWatch({.keys = reader_.keys(), .after = after_, .ready = ready_});
  if (!changes.ok()) {
    return changes.error().code() == Code::kExpired ? Expired() : std::move(changes).error();
  }
  changes_ = *std::move(changes);
  return {};
}

Result<EntryWatch::Batch> EntryWatch::Take() {
  Batch batch;
  if (changes_ == nullptr) {
    TRY_VOID(TakeInitial(&batch));
  } else {
    TRY_VOID(TakeChanges(&batch));
  }
  return batch;
}

Result<void> EntryWatch::TakeInitial(Batch* batch) {
  std::vector<store::EntryPtr> entries;
  TRY_VOID(reader_.Step(&entries));
  for (store::EntryPtr& entry : entries) {
    const store::Revision revision = entry->mod_revision();
    batch->events.push_back(
        {.type = WatchEventType::kAdded, .entry = std::move(entry), .revision = revision});
  }
  batch->more = true;
  if (!reader_.done()) return {};
  after_ = reader_.revision();
  if (marks_end_) {
    batch->events.push_back(
        {.type = WatchEventType::kBookmark, .revision = after_, .initial_events_end = true});
  }
  batch->revision = after_;
  return StartChanges();
}

Result<void> EntryWatch::TakeChanges(Batch* batch) {
  const size_t weight = reader_.selection().weight() + 1;
  auto taken = changes_->Take(std::clamp<size_t>(kTakeWork / weight, 1, kTakeEvents));
  if (!taken.ok()) {
    return taken.error().code() == Code::kExpired ? Expired() : std::move(taken).error();
  }
  if (custom_ != nullptr && custom_->may_wait()) {
    std::vector<store::EntryPtr> entries;
    for (const store::Event& event : taken->events) {
      entries.push_back(event.entry);
      entries.push_back(event.previous);
    }
    TRY_VOID(MakeForms(*custom_, entries));
  }
  for (const store::Event& event : taken->events) TRY_VOID(Tell(event, batch));
  after_ = std::max(after_, taken->revision);
  batch->revision = after_;
  batch->more = taken->more;
  return {};
}

Result<void> EntryWatch::Tell(const store::Event& event, Batch* batch) const {
  const Selection& selection = reader_.selection();
  bool is_in = false;
  bool was_in = false;
  if (!event.entry->deleted()) {
    TRY(is_in, selection.Matches(*event.entry));
  }
  if (event.previous) {
    TRY(was_in, selection.Matches(*event.previous));
  }
  if (!is_in && !was_in) return {};
  EntryEvent told{.entry = event.entry, .revision = event.entry->mod_revision()};
  if (is_in) {
    told.type = was_in ? WatchEventType::kModified : WatchEventType::kAdded;
  } else {
    told.type = WatchEventType::kDeleted;
    store::Entry::Numbers numbers = event.previous->numbers();
    numbers.mod = told.revision;
    told.entry = store::Entry::Make(event.previous->key(), event.previous->value(), numbers);
    if (custom_ != nullptr) TRY_VOID(ShareForm(*custom_, *event.previous, *told.entry));
  }
  batch->events.push_back(std::move(told));
  return {};
}

}  // namespace podium::apiserver
