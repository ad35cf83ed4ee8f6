#include "client/fake_watch.h"

#include <algorithm>
#include <utility>

#include "api/status.h"
#include "reflect/field_access.h"

namespace podium::client {

namespace meta = api::meta::v1;

Result<Selection> Selection::Parse(const Target& target, const meta::ListOptions& options) {
  Selection selection;
  selection.namespace_ = target.namespace_;
  selection.name_ = target.name;
  auto labels = api::labels::Selector::Parse(options.labelSelector);
  if (!labels.ok()) return api::BadRequestError(labels.error().message());
  auto fields = api::fields::Selector::Parse(options.fieldSelector);
  if (!fields.ok()) return api::BadRequestError(fields.error().message());
  selection.labels_ = *std::move(labels);
  selection.fields_ = *std::move(fields);
  return selection;
}

bool Selection::Matches(const SharedObject& object) const {
  if (!object) return false;
  const meta::ObjectMeta& metadata = *object.meta();
  if (!namespace_.empty() && metadata.namespace_ != namespace_) return false;
  if (!name_.empty() && metadata.name != name_) return false;
  if (!labels_.Matches(metadata.labels)) return false;
  return fields_.Matches([&](std::string_view field) -> std::string {
    const auto path = reflect::FieldPath::Parse(field);
    if (!path.ok()) return "";
    const auto text = reflect::FieldText(object.type(), object.get(), *path);
    return text.ok() ? *text : "";
  });
}

FakeWatch::~FakeWatch() {
  {
    const std::lock_guard lock(server_.mutex_);
    server_.watches_.erase(this);
  }
  const std::lock_guard lock(caller_->mutex);
  caller_->ready = nullptr;
}

std::optional<ObjectEvent> FakeWatch::EventOf(const FakeServer::Change& change) const {
  if (change.resource != resource_) return std::nullopt;
  const bool was = selection_.Matches(change.previous);
  const bool is = selection_.Matches(change.object);
  if (is) return ObjectEvent{was ? EventType::kModified : EventType::kAdded, change.object};
  if (!was) return std::nullopt;
  if (change.last) return ObjectEvent{EventType::kDeleted, change.last};
  // It left the selection: the state that was selected, at this change's version.
  reflect::AnyObject last(change.previous.type());
  reflect::CopyObject(last.type(), change.previous.get(), last.get());
  MetaOf(last.type(), last.get())->resourceVersion = std::to_string(change.version);
  return ObjectEvent{EventType::kDeleted, SharedObject(std::move(last))};
}

bool FakeWatch::HasNewsLocked() const {
  if (!waiting_.empty() || ended_ || error_ || after_ < server_.compacted_) return true;
  return std::ranges::any_of(server_.history_, [&](const FakeServer::Change& change) {
    return change.version > after_ && EventOf(change).has_value();
  });
}

Result<EventBatch> FakeWatch::TakeLocked(size_t max_events) {
  EventBatch batch;
  while (!waiting_.empty() && batch.events.size() < max_events) {
    batch.events.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  if (batch.events.empty() && after_ < server_.compacted_) {
    return api::ExpiredError("The resourceVersion for the provided watch is too old.");
  }
  const auto first =
      std::ranges::upper_bound(server_.history_, after_, {}, &FakeServer::Change::version);
  for (auto change = first; change != server_.history_.end(); ++change) {
    if (batch.events.size() == max_events) {
      batch.more = true;
      return batch;
    }
    after_ = change->version;
    if (auto event = EventOf(*change)) batch.events.push_back(*std::move(event));
  }
  batch.more = !waiting_.empty();
  if (error_ && batch.events.empty()) return *error_;
  if (error_) batch.more = true;
  batch.ended = ended_ && !batch.more;
  return batch;
}

Result<EventBatch> FakeWatch::Take(size_t max_events) {
  const std::lock_guard lock(server_.mutex_);
  auto batch = TakeLocked(max_events);
  if (!batch.ok()) error_ = batch.error();
  armed_ = batch.ok() && !batch->more && !batch->ended;
  return batch;
}

size_t FakeServer::watches() const {
  const std::lock_guard lock(mutex_);
  return watches_.size();
}

Result<std::unique_ptr<ObjectWatch>> FakeServer::Watch(const Target& target,
                                                       const meta::ListOptions& options,
                                                       Ready ready) {
  TRY_VOID(Begin("watch", target));
  TRY(Selection selection, Selection::Parse(target, options));
  const std::string& text = options.resourceVersion;
  int64_t after = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || text.size() > 18) {
      return api::BadRequestError("invalid resource version \"" + text + "\"");
    }
    after = (after * 10) + (c - '0');
  }
  const std::lock_guard lock(mutex_);
  const bool initial = options.sendInitialEvents.value_or(after == 0);
  if (!initial && after != 0 && after < compacted_) {
    return api::ExpiredError("too old resource version: " + text + " (" +
                             std::to_string(compacted_) + ")");
  }
  auto watch = std::make_unique<FakeWatch>(*this, ResourceOf(target), std::move(selection),
                                           std::move(ready));
  watch->after_ = initial || after == 0 ? version_ : after;
  watch->bookmarks_ = options.allowWatchBookmarks;
  if (initial) {
    for (const auto& [key, object] : StateLocked(ResourceOf(target), version_)) {
      if (watch->selection_.Matches(object)) {
        watch->waiting_.push_back({EventType::kAdded, object});
      }
    }
    if (options.sendInitialEvents.value_or(false) && watch->bookmarks_) {
      watch->waiting_.push_back({.type = EventType::kBookmark,
                                 .resource_version = std::to_string(version_),
                                 .initial_events_end = true});
    }
  }
  watches_.insert(watch.get());
  return std::unique_ptr<ObjectWatch>(std::move(watch));
}

void FakeServer::WakeAll() {
  std::vector<std::shared_ptr<FakeWatch::Caller>> callers;
  {
    const std::lock_guard lock(mutex_);
    for (FakeWatch* watch : watches_) {
      if (!watch->armed_ || !watch->HasNewsLocked()) continue;
      watch->armed_ = false;
      callers.push_back(watch->caller_);
    }
  }
  for (const auto& caller : callers) {
    const std::lock_guard lock(caller->mutex);
    if (caller->ready) caller->ready();
  }
}

void FakeServer::Compact() {
  {
    const std::lock_guard lock(mutex_);
    for (FakeWatch* watch : watches_) {
      if (!watch->HasNewsLocked()) watch->after_ = version_;
    }
    compacted_ = version_;
    history_.clear();
  }
  WakeAll();
}

void FakeServer::EndWatches() {
  {
    const std::lock_guard lock(mutex_);
    for (FakeWatch* watch : watches_) watch->ended_ = true;
  }
  WakeAll();
}

void FakeServer::BreakWatches(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    for (FakeWatch* watch : watches_) watch->error_ = error;
  }
  WakeAll();
}

void FakeServer::SendBookmarks() {
  {
    const std::lock_guard lock(mutex_);
    for (FakeWatch* watch : watches_) {
      if (!watch->bookmarks_ || watch->HasNewsLocked()) continue;
      watch->after_ = version_;
      watch->waiting_.push_back(
          {.type = EventType::kBookmark, .resource_version = std::to_string(version_)});
    }
  }
  WakeAll();
}

}  // namespace podium::client
