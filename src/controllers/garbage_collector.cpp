#include "controllers/garbage_collector.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "api/scheme.h"
#include "client/work_queue.h"
#include "controllers/discovery.h"
#include "reflect/json.h"

namespace podium::controllers {
namespace {

using api::meta::v1::DeleteOptions;
using api::meta::v1::ObjectMeta;
using api::meta::v1::OwnerReference;
using client::SharedObject;
using client::Target;

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";
// As upstream: what custom resources bring is seen then.
constexpr std::chrono::seconds kDiscoveryPeriod{30};
constexpr std::chrono::seconds kDiscoveryRetry{1};
// What is new is waited for until it is read, and not for long: one resource that cannot be read
// would keep everything else.
constexpr std::chrono::milliseconds kSyncPeriod{100};
constexpr int kMaxSyncLooks = 300;

bool Has(const reflect::List<std::string>& finalizers, std::string_view name) {
  return std::ranges::find(finalizers, name) != finalizers.end();
}

bool WaitsForDependents(const ObjectMeta& object) {
  return object.deletionTimestamp && Has(object.finalizers, kForeground);
}

bool BlocksOwners(const ObjectMeta& object) {
  return std::ranges::any_of(object.ownerReferences, [](const OwnerReference& owner) {
    return owner.blockOwnerDeletion.value_or(false);
  });
}

// Who owns whom, by uid. Threads: any.
class OwnerGraph {
 public:
  // There is one of every object of the cluster: it has what is asked for, and no more.
  struct Node {
    Target target;
    std::string uid;
    decltype(ObjectMeta::ownerReferences) owners;
    bool is_ending = false;
    bool waits_for_dependents = false;

    // Whether an owner that is deleted in the foreground waits for it.
    bool Blocks(const std::string& owner) const {
      return std::ranges::any_of(owners, [&](const OwnerReference& reference) {
        return reference.uid == owner && reference.blockOwnerDeletion.value_or(false);
      });
    }
  };

  // Returns the owners that it blocked until now and blocks no more, by uid.
  std::vector<std::string> Put(Target target, const ObjectMeta& metadata) {
    const std::lock_guard lock(mutex_);
    const auto before = nodes_.find(metadata.uid);
    const Node old = before == nodes_.end() ? Node() : before->second;
    Forget(metadata.uid);
    target.namespace_ = metadata.namespace_;
    target.name = metadata.name;
    for (const OwnerReference& owner : metadata.ownerReferences) {
      dependents_[owner.uid].insert(metadata.uid);
    }
    Node& now = nodes_[metadata.uid];
    now = {.target = std::move(target),
           .uid = metadata.uid,
           .owners = metadata.ownerReferences,
           .is_ending = metadata.deletionTimestamp.has_value(),
           .waits_for_dependents = WaitsForDependents(metadata)};
    std::vector<std::string> unblocked;
    for (const OwnerReference& owner : old.owners) {
      if (old.Blocks(owner.uid) && !now.Blocks(owner.uid)) unblocked.push_back(owner.uid);
    }
    return unblocked;
  }
  void Remove(const std::string& uid) {
    const std::lock_guard lock(mutex_);
    Forget(uid);
  }
  std::optional<Node> Find(const std::string& uid) const {
    const std::lock_guard lock(mutex_);
    const auto found = nodes_.find(uid);
    if (found == nodes_.end()) return std::nullopt;
    return found->second;
  }
  std::vector<Node> DependentsOf(const std::string& uid) const {
    const std::lock_guard lock(mutex_);
    std::vector<Node> dependents;
    const auto found = dependents_.find(uid);
    if (found == dependents_.end()) return dependents;
    for (const std::string& each : found->second) {
      const auto node = nodes_.find(each);
      if (node != nodes_.end()) dependents.push_back(node->second);
    }
    return dependents;
  }

 private:
  void Forget(const std::string& uid) {
    const auto found = nodes_.find(uid);
    if (found == nodes_.end()) return;
    for (const OwnerReference& owner : found->second.owners) {
      const auto at = dependents_.find(owner.uid);
      if (at == dependents_.end()) continue;
      at->second.erase(uid);
      if (at->second.empty()) dependents_.erase(at);
    }
    nodes_.erase(found);
  }

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, std::set<std::string>> dependents_;
};

std::string KeyOfResource(const DiscoveredResource& resource) {
  return resource.target.group + "/" + resource.target.resource;
}

class GarbageCollector : public Controller {
 public:
  explicit GarbageCollector(const ControllerContext& context)
      : context_(context),
        queue_(
            {.executor = context.executor,
             .clock = context.clock,
             .workers = 20,
             .reconcile = [this](const std::string& uid) { return Sync(uid); },
             .on_error = [this](const std::string& uid, const Error& error) { Tell(uid, error); }}),
        looks_({.executor = context.executor,
                .clock = context.clock,
                .reconcile = [this](const std::string&) { return Look(); }}) {}
  ~GarbageCollector() override {
    looks_.ShutDown();
    for (const auto& [key, each] : followed_) each.informer->RemoveHandler(each.handler);
    queue_.ShutDown();
  }

  std::string_view name() const override { return "garbage-collector-controller"; }
  void Start() override {
    looks_.Add("");
    looks_.Open();
  }

 private:
  void Tell(const std::string& key, const Error& error) {
    if (context_.on_error) context_.on_error(name(), key, error);
  }
  Result<client::Reconciled> Look();
  bool FollowAll(const DiscoveredResources& discovered);
  bool Follow(const DiscoveredResource& resource);
  bool AllSynced() const;
  void Changed(const Target& target, const SharedObject& object);
  void Gone(const SharedObject& object);
  void AddDependents(const std::string& uid) {
    for (const auto& each : graph_.DependentsOf(uid)) queue_.Add(each.uid);
  }

  Result<client::Reconciled> Sync(const std::string& uid);
  Result<void> Orphan(const OwnerGraph::Node& node, const ObjectMeta& now);
  Result<void> LetGo(const OwnerGraph::Node& node, const ObjectMeta& now);
  Result<OwnerState> StateOf(const ObjectMeta& object, const OwnerReference& owner);
  Result<void> Collect(const OwnerGraph::Node& node, const ObjectMeta& now);
  Result<void> DropOwners(const Target& target, const ObjectMeta& object,
                          const std::vector<std::string>& uids);
  Result<void> UnblockOwners(const Target& target, const ObjectMeta& object);
  Result<void> PatchOwners(const Target& target, const ObjectMeta& object,
                           const decltype(ObjectMeta::ownerReferences)& owners);
  Result<void> RemoveFinalizer(const Target& target, const ObjectMeta& object,
                               std::string_view finalizer);
  Result<void> PatchMetadata(const Target& target, const ObjectMeta& object,
                             std::string_view member, const std::string& json);

  const ControllerContext context_;
  OwnerGraph graph_;
  mutable std::mutex mutex_;
  // Under mutex_; by group and kind.
  std::map<std::pair<std::string, std::string>, DiscoveredResource> resources_;
  struct Followed {
    client::Informer* informer;
    client::Informer::HandlerId handler;
  };
  // Of Look alone.
  std::map<std::string, Followed> followed_;  // by group and resource
  int sync_looks_ = 0;                        // that are left
  client::WorkQueue queue_;
  client::WorkQueue looks_;  // has one key
};

// Looks for resources that are new, and lets workers go on once the graph is whole: before that, an
// owner would seem to have no dependents.
Result<client::Reconciled> GarbageCollector::Look() {
  if (sync_looks_ == 0) {
    const auto discovered = Discover(*context_.connection);
    if (!discovered.ok()) {
      Tell("discovery", discovered.error());
      return client::Reconciled{.requeue_after = kDiscoveryRetry};
    }
    if (FollowAll(*discovered)) sync_looks_ = kMaxSyncLooks;
  }
  if (sync_looks_ > 0 && !AllSynced()) {
    --sync_looks_;
    if (sync_looks_ > 0) {
      queue_.Close();
      return client::Reconciled{.requeue_after = kSyncPeriod};
    }
    Tell("sync", Error(Code::kUnavailable, "not all resources can be read; going on without"));
  }
  sync_looks_ = 0;
  queue_.Open();
  return client::Reconciled{.requeue_after = kDiscoveryPeriod};
}

bool GarbageCollector::AllSynced() const {
  return std::ranges::all_of(followed_, [](const auto& each) {
    return each.second.informer->HasSynced(each.second.handler);
  });
}

// Whether there is a new one. Those of groups that could not be asked stay as they were.
bool GarbageCollector::FollowAll(const DiscoveredResources& discovered) {
  std::set<std::string> there;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    if (discovered.failures.empty()) resources_.clear();
    for (const DiscoveredResource& each : discovered.resources) {
      resources_[{each.target.group, each.kind}] = each;
    }
  }
  for (const DiscoveredResource& each : discovered.resources) {
    there.insert(KeyOfResource(each));
    is_new = Follow(each) || is_new;
  }
  if (!discovered.failures.empty()) return is_new;
  std::erase_if(followed_, [&](const auto& each) {
    if (there.contains(each.first)) return false;
    each.second.informer->RemoveHandler(each.second.handler);
    return true;
  });
  return is_new;
}

bool GarbageCollector::Follow(const DiscoveredResource& resource) {
  if (resource.target.resource == "events") return false;  // nobody owns or is owned
  if (!resource.HasVerb("list") || !resource.HasVerb("watch")) return false;
  const std::string key = KeyOfResource(resource);
  if (followed_.contains(key)) return false;
  Target target = resource.target;
  target.metadata_only = true;
  client::Informer& informer = context_.informers->For(target);
  const auto handler = informer.AddHandler(
      {.on_add = [this, target](const auto& object, bool) { Changed(target, object); },
       .on_update =
           [this, target](const auto& old, const auto& object) {
             // One that was deleted and made again while nobody watched.
             if (old.meta()->uid != object.meta()->uid) Gone(old);
             Changed(target, object);
           },
       .on_delete = [this](const auto& object, bool) { Gone(object); }});
  followed_.emplace(key, Followed{&informer, handler});
  return true;
}

void GarbageCollector::Changed(const Target& target, const SharedObject& object) {
  const ObjectMeta& metadata = *object.meta();
  for (const std::string& owner : graph_.Put(target, metadata)) queue_.Add(owner);
  if (!metadata.ownerReferences.empty() || metadata.deletionTimestamp) queue_.Add(metadata.uid);
  // One that waits for its dependents makes them go.
  if (WaitsForDependents(metadata)) AddDependents(metadata.uid);
}

void GarbageCollector::Gone(const SharedObject& object) {
  const ObjectMeta& metadata = *object.meta();
  graph_.Remove(metadata.uid);
  AddDependents(metadata.uid);
  for (const OwnerReference& owner : metadata.ownerReferences) queue_.Add(owner.uid);
}

Result<client::Reconciled> GarbageCollector::Sync(const std::string& uid) {
  const auto node = graph_.Find(uid);
  if (!node) return client::Reconciled();
  const auto got = context_.connection->Get(node->target, {});
  const bool absent = got.ok() ? got->meta()->uid != uid : got.error().code() == Code::kNotFound;
  if (absent) {
    graph_.Remove(uid);
    AddDependents(uid);
    return client::Reconciled();
  }
  if (!got.ok()) return got.error();
  const ObjectMeta& now = *got->meta();
  if (!now.deletionTimestamp) {
    TRY_VOID(Collect(*node, now));
  } else if (Has(now.finalizers, kOrphan)) {
    TRY_VOID(Orphan(*node, now));
  } else if (Has(now.finalizers, kForeground)) {
    TRY_VOID(LetGo(*node, now));
  }
  return client::Reconciled();
}

Result<void> GarbageCollector::Orphan(const OwnerGraph::Node& node, const ObjectMeta& now) {
  for (const auto& dependent : graph_.DependentsOf(now.uid)) {
    const auto got = context_.connection->Get(dependent.target, {});
    if (!got.ok() && got.error().code() == Code::kNotFound) continue;
    if (!got.ok()) return got.error();
    if (got->meta()->uid != dependent.uid) continue;
    TRY_VOID(DropOwners(dependent.target, *got->meta(), {now.uid}));
  }
  return RemoveFinalizer(node.target, now, kOrphan);
}

Result<void> GarbageCollector::LetGo(const OwnerGraph::Node& node, const ObjectMeta& now) {
  bool blocked = false;
  for (const auto& dependent : graph_.DependentsOf(now.uid)) {
    if (!dependent.Blocks(now.uid)) continue;
    blocked = true;
    if (!dependent.is_ending) queue_.Add(dependent.uid);
  }
  if (blocked) return {};
  return RemoveFinalizer(node.target, now, kForeground);
}

Result<OwnerState> GarbageCollector::StateOf(const ObjectMeta& object,
                                             const OwnerReference& owner) {
  const auto version = api::ParseApiVersion(owner.apiVersion);
  Target target;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        version ? resources_.find({std::string(version->group), owner.kind}) : resources_.end();
    if (found == resources_.end()) return OwnerState::kSolid;
    if (found->second.namespaced && object.namespace_.empty()) return OwnerState::kSolid;
    target = found->second.target;
    target.namespace_ = found->second.namespaced ? object.namespace_ : "";
  }
  target.name = owner.name;
  target.metadata_only = true;
  const auto got = context_.connection->Get(target, {});
  if (!got.ok() && got.error().code() == Code::kNotFound) return OwnerState::kAbsent;
  if (!got.ok()) return got.error();
  if (got->meta()->uid != owner.uid) return OwnerState::kAbsent;
  return WaitsForDependents(*got->meta()) ? OwnerState::kWaiting : OwnerState::kSolid;
}

Result<void> GarbageCollector::Collect(const OwnerGraph::Node& node, const ObjectMeta& now) {
  if (now.ownerReferences.empty()) return {};
  std::vector<OwnerState> states;
  for (const OwnerReference& owner : now.ownerReferences) {
    TRY(const OwnerState state, StateOf(now, owner));
    states.push_back(state);
  }
  const auto dependents = graph_.DependentsOf(now.uid);
  const Collection decided = DecideCollection(now, states, !dependents.empty());
  if (decided.action == Collection::kKeep) return {};
  if (decided.action == Collection::kDropReferences) {
    return DropOwners(node.target, now, decided.drop);
  }
  if (decided.policy == "Foreground" && BlocksOwners(now) &&
      std::ranges::any_of(dependents, &OwnerGraph::Node::waits_for_dependents)) {
    // What it owns may be waiting for it, by way of its owners: none of such a circle would go.
    // With what is written it comes here again.
    return UnblockOwners(node.target, now);
  }
  DeleteOptions options;
  options.propagationPolicy = decided.policy;
  options.preconditions.ensure().uid = now.uid;
  // Somebody may be giving it an owner at this moment.
  options.preconditions->resourceVersion = now.resourceVersion;
  const auto deleted = context_.connection->Delete(node.target, options);
  if (!deleted.ok() && deleted.error().code() != Code::kNotFound) return deleted.error();
  return {};
}

Result<void> GarbageCollector::DropOwners(const Target& target, const ObjectMeta& object,
                                          const std::vector<std::string>& uids) {
  decltype(ObjectMeta::ownerReferences) kept;
  for (const OwnerReference& owner : object.ownerReferences) {
    if (std::ranges::find(uids, owner.uid) == uids.end()) kept.push_back(owner);
  }
  if (kept.size() == object.ownerReferences.size()) return {};
  return PatchOwners(target, object, kept);
}

Result<void> GarbageCollector::UnblockOwners(const Target& target, const ObjectMeta& object) {
  auto owners = object.ownerReferences;
  for (OwnerReference& owner : owners) owner.blockOwnerDeletion = false;
  return PatchOwners(target, object, owners);
}

Result<void> GarbageCollector::PatchOwners(const Target& target, const ObjectMeta& object,
                                           const decltype(ObjectMeta::ownerReferences)& owners) {
  std::string json = "[";
  for (const OwnerReference& owner : owners) {
    TRY(const std::string text, reflect::ToJson(owner));
    if (json.size() > 1) json += ",";
    json += text;
  }
  return PatchMetadata(target, object, "ownerReferences", json + "]");
}

Result<void> GarbageCollector::RemoveFinalizer(const Target& target, const ObjectMeta& object,
                                               std::string_view finalizer) {
  std::string json = "[";
  for (const std::string& each : object.finalizers) {
    if (each == finalizer) continue;
    if (json.size() > 1) json += ",";
    json += "\"" + each + "\"";  // qualified names: nothing to escape
  }
  return PatchMetadata(target, object, "finalizers", json + "]");
}

// Only if nobody has changed it since: a conflict is tried again on the newer state.
Result<void> GarbageCollector::PatchMetadata(const Target& target, const ObjectMeta& object,
                                             std::string_view member, const std::string& json) {
  std::string patch = R"({"metadata":{"uid":")" + object.uid + R"(","resourceVersion":")" +
                      object.resourceVersion + R"(",")" + std::string(member) + R"(":)" + json +
                      "}}";
  const auto patched = context_.connection->Patch(target, client::PatchType::kMerge, patch, {});
  if (!patched.ok() && patched.error().code() != Code::kNotFound) return patched.error();
  return {};
}

}  // namespace

Collection DecideCollection(const ObjectMeta& object, const std::vector<OwnerState>& owners,
                            bool has_dependents) {
  Collection decided;
  const auto is = [&](OwnerState state) {
    return std::ranges::find(owners, state) != owners.end();
  };
  if (is(OwnerState::kSolid)) {
    for (size_t i = 0; i < owners.size(); ++i) {
      if (owners[i] != OwnerState::kSolid) decided.drop.push_back(object.ownerReferences[i].uid);
    }
    if (!decided.drop.empty()) decided.action = Collection::kDropReferences;
    return decided;
  }
  if (owners.empty()) return decided;
  decided.action = Collection::kDelete;
  // What its owner waits for makes its own dependents go first.
  const bool owner_waits = is(OwnerState::kWaiting) && has_dependents;
  if (!owner_waits && Has(object.finalizers, kOrphan)) {
    decided.policy = "Orphan";
  } else {
    decided.policy =
        owner_waits || Has(object.finalizers, kForeground) ? "Foreground" : "Background";
  }
  return decided;
}

std::unique_ptr<Controller> MakeGarbageCollector(const ControllerContext& context) {
  return std::make_unique<GarbageCollector>(context);
}

}  // namespace podium::controllers
