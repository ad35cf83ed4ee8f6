#include "apiserver/custom_resources/definition_cleanup.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "api/object_meta.h"
#include "apiserver/custom_resources/definition_status.h"
#include "apiserver/custom_resources/definition_store.h"
#include "apiserver/storage_keys.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::apiserver {
namespace {

using api::apiextensions::v1::CustomResourceDefinition;
using reflect::JsonValue;

constexpr size_t kAtATime = 500;
// How often one whose instances are held is looked at.
constexpr std::chrono::milliseconds kFirstLook{100};
constexpr std::chrono::milliseconds kLastLook{5000};
// Then its status says that it takes long, as upstream's after a minute.
constexpr std::chrono::seconds kPatience{60};

constexpr std::string_view kInProgress = "InstanceDeletionInProgress";
constexpr std::string_view kInProgressText = "CustomResource deletion is in progress";

// That its deletion was begun, and nothing more.
bool IsPending(const CustomResourceDefinition& definition) {
  return std::ranges::any_of(definition.status.conditions, [](const auto& each) {
    return each.type == "Terminating" && each.reason == "InstanceDeletionPending";
  });
}

// Where the keys of instances would be those of something else.
bool OverlapsBuiltIn(const CustomResourceDefinition& definition) {
  const auto is = [&](std::string_view group, std::string_view plural) {
    return definition.spec.group == group && definition.spec.names.plural == plural;
  };
  return is("apiextensions.k8s.io", "customresourcedefinitions") ||
         is("apiregistration.k8s.io", "apiservices");
}

// An instance that its finalizers keep, marked as being deleted; nothing when it was so before, or
// is free to go.
struct Held {
  bool held = false;
  std::optional<std::string> marked{};
};
Result<Held> Mark(std::string_view json, api::Time now) {
  TRY(JsonValue object, reflect::ParseJson(json));
  JsonValue* metadata = object.Find("metadata");
  const JsonValue* finalizers = metadata != nullptr ? metadata->Find("finalizers") : nullptr;
  Held held;
  if (finalizers == nullptr || !finalizers->is_array() || finalizers->array().empty()) return held;
  held.held = true;
  if (metadata->Find("deletionTimestamp") != nullptr) return held;
  metadata->Set("deletionTimestamp", JsonValue::String(now.String()));
  metadata->Set("deletionGracePeriodSeconds", JsonValue::Number("0"));
  if (const JsonValue* generation = metadata->Find("generation")) {
    const int64_t was = generation->is_number() ? std::atoll(generation->number().c_str()) : 0;
    metadata->Set("generation", JsonValue::Number(std::to_string(was + 1)));
  }
  held.marked = reflect::ToText(object);
  return held;
}

}  // namespace

class DefinitionCleanup::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(const Parts& parts) : parts_(parts) {}

  void Begin(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (!running_.try_emplace(name, Running{.since = parts_.clock->Now()}).second) return;
    After(name, std::chrono::nanoseconds(0));
  }

 private:
  struct Running {
    int64_t since = 0;
    std::chrono::milliseconds wait = kFirstLook;
  };

  api::Time Now() const { return api::Time::FromUnix(parts_.clock->Now() / kNanosPerSecond); }

  void After(const std::string& name, std::chrono::nanoseconds delay) {
    parts_.executor->PostAfter(delay, [weak = weak_from_this(), name] {
      if (const auto self = weak.lock()) self->Run(name);
    });
  }

  void Run(const std::string& name) {
    const auto done = Clean(name);
    const std::lock_guard lock(mutex_);
    const auto running = running_.find(name);
    if (running == running_.end()) return;
    if (done.ok() && *done) {
      running_.erase(running);
      return;
    }
    After(name, running->second.wait);
    running->second.wait = std::min(running->second.wait * 2, kLastLook);
  }

  bool IsLate(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto running = running_.find(name);
    return running != running_.end() && parts_.clock->Now() - running->second.since >
                                            std::chrono::nanoseconds(kPatience).count();
  }

  // True when there is nothing more to do.
  Result<bool> Clean(const std::string& name) {
    TRY(const store::EntryPtr entry, parts_.store->Get(KeyOf(DefinitionPrefix(), "", name)));
    if (!entry) return true;
    TRY(const DefinitionPtr definition, DecodeDefinition(*entry));
    if (!definition->metadata.deletionTimestamp || !HasCleanupFinalizer(*definition)) return true;
    CustomResourceDefinition changed = reflect::Copy(*definition);
    if (OverlapsBuiltIn(*definition)) {
      SetTerminating(false, "OverlappingBuiltInResource",
                     "instances overlap with built-in resources in storage", Now(), &changed);
      return LetGo(*entry, std::move(changed));
    }
    if (!IsConditionTrue(*definition, "Established")) {
      SetTerminating(false, "NeverEstablished", "resource was never established", Now(), &changed);
      return LetGo(*entry, std::move(changed));
    }
    if (IsPending(*definition)) {
      SetTerminating(true, kInProgress, kInProgressText, Now(), &changed);
      TRY_VOID(WriteDefinition(*parts_.store, *parts_.catalog->Now(), *entry, std::move(changed),
                               Now()));
      return Clean(name);
    }
    const auto left = DeleteInstances(*definition);
    if (left.ok() && *left == 0) {
      SetTerminating(false, "InstanceDeletionCompleted", "removed all instances", Now(), &changed);
      return LetGo(*entry, std::move(changed));
    }
    std::string_view reason = kInProgress;
    std::string message(kInProgressText);
    if (!left.ok()) {
      reason = "InstanceDeletionFailed";
      message = "could not issue all deletes: " + std::string(left.error().message());
    } else if (IsLate(name)) {
      reason = "InstanceDeletionCheck";
      message =
          "could not confirm zero CustomResources remaining: timed out waiting for the condition";
    }
    if (SetTerminating(true, reason, message, Now(), &changed)) {
      TRY_VOID(WriteDefinition(*parts_.store, *parts_.catalog->Now(), *entry, std::move(changed),
                               Now()));
    }
    return false;
  }

  Result<bool> LetGo(const store::Entry& entry, CustomResourceDefinition definition) {
    std::erase(definition.metadata.finalizers, kCleanupFinalizer);
    return WriteDefinition(*parts_.store, *parts_.catalog->Now(), entry, std::move(definition),
                           Now());
  }

  // How many are left.
  Result<size_t> DeleteInstances(const CustomResourceDefinition& definition) {
    store::RangeOptions options;
    options.keys = store::KeyRange::Prefix(
        CustomKeyPrefix(definition.spec.group, definition.spec.names.plural));
    options.limit = kAtATime;
    size_t left = 0;
    while (true) {
      TRY(const store::RangeResult range, parts_.store->Range(options));
      for (const store::EntryPtr& entry : range.entries) {
        TRY(const bool gone, DeleteInstance(*entry));
        if (!gone) ++left;
      }
      if (range.next.empty()) return left;
      options.from = range.next;
    }
  }

  Result<bool> DeleteInstance(const store::Entry& entry) {
    store::Write write{.key = std::string(entry.key()), .expected = entry.mod_revision()};
    auto held = Mark(entry.value(), Now());
    // What cannot be read is held by nothing.
    if (held.ok() && held->held && !held->marked) return false;
    if (held.ok()) write.value = std::move(held->marked);
    const bool goes = !write.value.has_value();
    TRY(const store::Written written, parts_.store->WriteAndWait(std::move(write)));
    // One that somebody else has just changed is there the next time.
    return goes && written.changed;
  }

  const Parts parts_;
  std::mutex mutex_;
  std::map<std::string, Running> running_;  // by name; under mutex_
};

DefinitionCleanup::DefinitionCleanup(const Parts& parts) : state_(std::make_shared<State>(parts)) {}
DefinitionCleanup::~DefinitionCleanup() = default;

void DefinitionCleanup::Begin(const std::string& name) { state_->Begin(name); }

}  // namespace podium::apiserver
