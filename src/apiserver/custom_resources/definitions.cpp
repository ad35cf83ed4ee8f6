#include "apiserver/custom_resources/definitions.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/time.h"
#include "api/types/apiextensions_v1.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/custom_resources/definition_cleanup.h"
#include "apiserver/custom_resources/definition_status.h"
#include "apiserver/custom_resources/definition_store.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::apiextensions::v1::CustomResourceDefinition;

constexpr size_t kAtATime = 256;
// Settling one definition may change what another one of its group gets. Each round gives a name
// away, so this is never reached.
constexpr int kMostRounds = 10'000;

}  // namespace

class Definitions::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(const Parts& parts)
      : parts_(parts),
        cleanup_({.store = parts.store,
                  .clock = parts.clock,
                  .executor = parts.executor,
                  .catalog = parts.catalog}) {}

  Result<void> CatchUp();
  void Stop();

 private:
  struct Known {
    store::EntryPtr entry;
    DefinitionPtr definition;  // as it is settled, which may be ahead of the entry
    // What is served; empty while it is not established.
    std::vector<ServedResource> served;
    std::string read_as;  // what they were made of
  };
  // Statuses that are to be written.
  using Changes = std::vector<std::pair<store::EntryPtr, DefinitionPtr>>;

  api::Time Now() const { return api::Time::FromUnix(parts_.clock->Now() / kNanosPerSecond); }
  void CatchUpSoon();
  Result<bool> TakeChanges();
  Result<void> ReadAnew();
  void Put(const store::EntryPtr& entry);
  void Remove(std::string_view key);
  Changes Settle();
  void SettleGroup(const std::string& group, Changes* changes);
  void Serve(Known* known);
  void Retire(Known* known);
  void ReplaceCatalog();

  const Parts parts_;
  DefinitionCleanup cleanup_;
  std::atomic<bool> soon_ = false;
  std::mutex mutex_;  // of all below; held while definitions are settled
  bool stopped_ = false;
  std::unique_ptr<store::Watch> watch_;
  std::map<std::string, Known, std::less<>> known_;  // by name
  std::set<std::string> touched_;                    // groups that are to be settled
  bool catalog_changed_ = false;
  std::vector<std::shared_ptr<const CustomVersion>> retired_;
};

// One task at most waits for its turn: they all would do the same.
void Definitions::State::CatchUpSoon() {
  if (soon_.exchange(true)) return;
  parts_.executor->Post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    // What fails is the store's, and tried again with the next change.
    (void)self->CatchUp();
  });
}

Result<void> Definitions::State::CatchUp() {
  const std::lock_guard lock(mutex_);
  // What comes from here on is for the next one.
  soon_ = false;
  for (int round = 0; round < kMostRounds && !stopped_; ++round) {
    TRY(const bool taken, TakeChanges());
    if (!taken) return {};
    const Changes changes = Settle();
    // First it is served, then its status says so.
    if (std::exchange(catalog_changed_, false)) ReplaceCatalog();
    for (const auto& [entry, definition] : changes) {
      // A race that is lost comes back as the change that won it.
      TRY_VOID(WriteDefinition(*parts_.store, *parts_.catalog->Now(), *entry,
                               reflect::Copy(*definition), Now()));
    }
    for (const auto& [name, known] : known_) {
      const bool deleted = known.definition->metadata.deletionTimestamp.has_value();
      if (deleted && HasCleanupFinalizer(*known.definition)) cleanup_.Begin(name);
    }
  }
  return {};
}

void Definitions::State::Stop() {
  std::unique_ptr<store::Watch> watch;
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  watch = std::move(watch_);
}

// False: nothing has happened.
Result<bool> Definitions::State::TakeChanges() {
  if (watch_ == nullptr) {
    TRY_VOID(ReadAnew());
    return true;
  }
  bool taken = false;
  while (true) {
    auto batch = watch_->Take(kAtATime);
    if (!batch.ok() && batch.error().code() == Code::kExpired) {
      TRY_VOID(ReadAnew());
      return true;
    }
    if (!batch.ok()) return std::move(batch).error();
    for (const store::Event& event : batch->events) {
      taken = true;
      if (event.entry->deleted()) {
        Remove(event.entry->key());
      } else {
        Put(event.entry);
      }
    }
    if (!batch->more) return taken;
  }
}

Result<void> Definitions::State::ReadAnew() {
  const store::KeyRange keys = store::KeyRange::Prefix(std::string(DefinitionPrefix()));
  TRY(const store::RangeResult range, parts_.store->Range({.keys = keys}));
  auto ready = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr) self->CatchUpSoon();
  };
  TRY(watch_,
      parts_.store->StartWatch({.keys = keys, .after = range.revision, .ready = std::move(ready)}));
  for (auto& [name, known] : known_) Retire(&known);
  known_.clear();
  catalog_changed_ = true;
  for (const store::EntryPtr& entry : range.entries) Put(entry);
  return {};
}

void Definitions::State::Put(const store::EntryPtr& entry) {
  auto definition = DecodeDefinition(*entry);
  // One that cannot be read defines nothing.
  if (!definition.ok()) return Remove(entry->key());
  touched_.insert((*definition)->spec.group);
  Known& known = known_[std::string(entry->key().substr(DefinitionPrefix().size()))];
  known.entry = entry;
  known.definition = *std::move(definition);
}

void Definitions::State::Remove(std::string_view key) {
  const auto gone = known_.find(key.substr(DefinitionPrefix().size()));
  if (gone == known_.end()) return;
  // Its names are free for others.
  touched_.insert(gone->second.definition->spec.group);
  catalog_changed_ |= !gone->second.served.empty();
  Retire(&gone->second);
  known_.erase(gone);
}

Definitions::State::Changes Definitions::State::Settle() {
  Changes changes;
  for (const std::string& group : std::exchange(touched_, {})) SettleGroup(group, &changes);
  return changes;
}

void Definitions::State::SettleGroup(const std::string& group, Changes* changes) {
  GroupNames names;
  for (const auto& [name, known] : known_) {
    if (known.definition->spec.group == group) names.Add(known.definition->status.acceptedNames);
  }
  for (auto& [name, known] : known_) {
    if (known.definition->spec.group != group) continue;
    auto settled = std::make_shared<CustomResourceDefinition>(reflect::Copy(*known.definition));
    if (SettleStatus(names, Now(), settled.get())) {
      names.Add(settled->status.acceptedNames);
      known.definition = settled;
      changes->emplace_back(known.entry, known.definition);
    }
    Serve(&known);
  }
}

// Reads the definition anew where what it defines has changed.
void Definitions::State::Serve(Known* known) {
  const CustomResourceDefinition& definition = *known->definition;
  std::string read_as;
  if (IsConditionTrue(definition, "Established")) {
    // generation counts every change of spec.
    const auto names = reflect::ToJson(definition.status.acceptedNames);
    read_as = definition.metadata.uid + "/" + std::to_string(definition.metadata.generation) + "/" +
              (definition.metadata.deletionTimestamp ? "-" : "+") +
              (names.ok() ? *names : std::string());
  }
  if (known->read_as == read_as) return;
  catalog_changed_ = true;
  known->read_as = std::move(read_as);
  Retire(known);
  if (known->read_as.empty()) return;
  // What cannot be read is not served; validation lets none of it in.
  const auto resource = ReadDefinition(definition, parts_.webhooks);
  if (resource.ok()) known->served = ServedVersions(definition, *resource);
}

void Definitions::State::Retire(Known* known) {
  for (ServedResource& each : std::exchange(known->served, {})) {
    retired_.push_back(std::move(each.custom));
  }
}

void Definitions::State::ReplaceCatalog() {
  std::vector<ServedResource> all;
  for (const auto& [name, known] : known_) {
    all.insert(all.end(), known.served.begin(), known.served.end());
  }
  std::ranges::sort(all, [](const ServedResource& a, const ServedResource& b) {
    if (a.group != b.group) return a.group < b.group;
    if (a.version != b.version) return CompareVersions(a.version, b.version) < 0;
    return a.plural < b.plural;
  });
  parts_.catalog->Replace(Catalog::Make(std::move(all)));
  // Who watches by these begins anew, and finds the new ones.
  for (const auto& each : std::exchange(retired_, {})) each->retired->store(true);
}

Definitions::Definitions(const Parts& parts) : state_(std::make_shared<State>(parts)) {}
Definitions::~Definitions() { Stop(); }

Result<void> Definitions::Start() { return state_->CatchUp(); }
Result<void> Definitions::CatchUp() { return state_->CatchUp(); }
void Definitions::Stop() { state_->Stop(); }

}  // namespace podium::apiserver
