#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "api/status.h"
#include "api/types/meta_v1.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/encode.h"
#include "apiserver/read.h"
#include "apiserver/request_options.h"
#include "apiserver/write.h"
#include "reflect/json.h"
#include "reflect/object.h"

namespace podium::apiserver {
namespace {

// Deletions of one collection that run side by side.
constexpr size_t kWorkers = 4;

// A deletion of many: each of what was there when it began is deleted as by a request of its own.
class CollectionDeletion : public std::enable_shared_from_this<CollectionDeletion> {
 public:
  CollectionDeletion(Writer& writer, CallPtr call, const ServedResource& resource, WriteDone done)
      : pass_(writer.Enter()),
        writer_(writer),
        call_(std::move(call)),
        resource_(resource),
        done_(std::move(done)) {}

  void Run() {
    auto options = OptionsOfQuery<api::meta::v1::ListOptions>(call_->query);
    if (!options.ok()) return Finish(std::move(options).error());
    auto list = ReadList(*writer_.parts().store, {.resource = &resource_,
                                                  .namespace_ = std::string(call_->info.namespace_),
                                                  .options = *std::move(options)});
    if (!list.ok()) return Finish(std::move(list).error());
    entries_ = std::move(list->entries);
    revision_ = list->revision;
    const size_t workers = std::min(kWorkers, entries_.size());
    // The one that ends last answers. They may end while others are yet to begin.
    running_ = workers + 1;
    for (size_t i = 0; i < workers; ++i) Next();
    EndOne();
  }

 private:
  void Next() {
    const size_t index = next_.fetch_add(1);
    if (index >= entries_.size() || failed_) return EndOne();
    const auto header = reflect::ReadHeader(entries_[index]->value());
    if (!header.ok()) return EndOne();
    auto names =
        std::make_shared<std::pair<std::string, std::string>>(header->namespace_, header->name);
    auto one = std::make_shared<Call>(*call_);
    one->info.namespace_ = names->first;
    one->info.name = names->second;
    one->info.verb = "delete";
    one->keeps_alive = std::make_shared<std::pair<CallPtr, decltype(names)>>(call_, names);
    writer_.Delete(std::move(one), resource_,
                   [self = shared_from_this(), index](Result<WriteOutcome> outcome) {
                     self->OnDeleted(index, std::move(outcome));
                   });
  }

  void OnDeleted(size_t index, Result<WriteOutcome> outcome) {
    if (outcome.ok() && outcome->entry) entries_[index] = outcome->entry;
    // Somebody else has deleted it.
    if (!outcome.ok() && outcome.error().code() != Code::kNotFound) {
      const std::lock_guard lock(mutex_);
      if (!failed_.exchange(true)) error_ = std::move(outcome).error();
    }
    // By way of the executor: a long chain of these must not grow the stack.
    writer_.parts().executor->Post([self = shared_from_this()] { self->Next(); });
  }

  void EndOne() {
    if (running_.fetch_sub(1) > 1) return;
    if (failed_) return Finish(std::move(*error_));
    Finish(ListOfDeleted());
  }

  // What was deleted, as a list of the kind.
  Result<WriteOutcome> ListOfDeleted() const {
    const reflect::Type* type = resource_.custom != nullptr
                                    ? &resource_.custom->shown->list->root()
                                    : api::FindType(resource_.api_version, resource_.list_kind);
    if (type == nullptr) {
      WriteOutcome outcome;
      outcome.value = reflect::AnyObject(reflect::TypeOf<api::meta::v1::Status>());
      *outcome.value.As<api::meta::v1::Status>() = api::SuccessStatus();
      return outcome;
    }
    const ObjectEncoder encoder(resource_, {}, {}, TimeOf(*call_));
    std::string json = "{\"kind\":\"" + resource_.list_kind + "\",\"apiVersion\":\"" +
                       resource_.api_version + "\",\"metadata\":{\"resourceVersion\":\"" +
                       std::to_string(revision_) + "\"},\"items\":[";
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (i > 0) json += ',';
      TRY_VOID(encoder.AppendJson(*entries_[i], ObjectEncoder::Place::kElement, &json));
    }
    json += "]}";
    WriteOutcome outcome;
    outcome.value = reflect::AnyObject(*type);
    TRY_VOID(reflect::DecodeJsonInto(json, *type, outcome.value.get(), {.strict = false}));
    return outcome;
  }

  void Finish(Result<WriteOutcome> outcome) {
    if (const WriteDone done = std::exchange(done_, nullptr)) done(std::move(outcome));
  }

  const Gate::Pass pass_;
  Writer& writer_;
  const CallPtr call_;
  const ServedResource& resource_;
  WriteDone done_;
  std::vector<store::EntryPtr> entries_;
  store::Revision revision_ = 0;
  std::atomic<size_t> next_ = 0;
  std::atomic<size_t> running_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::optional<Error> error_;  // written once, by who sets failed_
};

}  // namespace

void Writer::DeleteCollection(CallPtr call, const ServedResource& resource, WriteDone done) {
  auto deletion =
      std::make_shared<CollectionDeletion>(*this, std::move(call), resource, std::move(done));
  parts_.executor->Post([deletion] { deletion->Run(); });
}

}  // namespace podium::apiserver
