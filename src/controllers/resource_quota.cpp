#include "controllers/resource_quota.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "controllers/discovery.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::QuotaAmounts;
using api::QuotaObject;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::ResourceQuota;
using api::core::v1::ResourceQuotaStatus;
using api::core::v1::Service;
using client::Informer;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "resourcequota-controller";
constexpr std::chrono::minutes kResync{5};
constexpr std::chrono::seconds kDiscoveryPeriod{30};
// An informer that was just made has its objects soon.
constexpr std::chrono::milliseconds kFirstLook{20};
constexpr std::chrono::seconds kNextLook{1};
// Of many objects that go at once a quota is counted for all together.
constexpr std::chrono::milliseconds kGathering{50};
// Admission has counted what is created. Only when a count came between its charge and its creation
// is there something to mend.
constexpr std::chrono::seconds kAfterCreation{1};

// Whose fields count, not only their number.
bool IsMeasured(const client::Target& target) {
  return target.group.empty() && (target.resource == "pods" || target.resource == "services" ||
                                  target.resource == "persistentvolumeclaims");
}

// As admission: events are never counted.
bool CanBeCounted(const DiscoveredResource& resource) {
  return resource.namespaced && resource.target.resource != "events" && resource.HasVerb("list") &&
         resource.HasVerb("watch");
}

class ResourceQuotaController final : public Controller {
 public:
  explicit ResourceQuotaController(const ControllerContext& context)
      : context_(context),
        quotas_(context.informers->For<ResourceQuota>()),
        work_(context, kName, 5, [this](const std::string& key) { return Sync(key); }) {
    for (const char* resource : {"pods", "services", "persistentvolumeclaims"}) {
      resources_[{"", resource}] = {.target = {.group = "", .version = "v1", .resource = resource}};
    }
  }
  ~ResourceQuotaController() override {
    work_.ShutDown();  // first: a count may follow more
    const std::lock_guard lock(mutex_);
    for (auto& [key, each] : resources_) {
      if (each.informer != nullptr) each.informer->RemoveHandler(each.handler);
    }
  }

  std::string_view name() const override { return kName; }
  void Start() override;

 private:
  // A kind that objects can be counted of, and where they are, once some quota does.
  struct Resource {
    client::Target target;
    Informer* informer = nullptr;
    Informer::HandlerId handler = 0;
  };
  // What of a quota's names is known.
  struct Look {
    std::vector<CountedResource> counted{};
    bool some_are_new = false;      // informers that were made just now
    bool some_wait = false;         // for their first objects
    bool some_are_unknown = false;  // names that no kind has
  };

  Result<Reconciled> Sync(const std::string& key);
  Look LookAt(const ResourceQuota& quota);
  void ForgetMissingLocked();
  void FollowLocked(Resource& resource);
  void DiscoverIfDue();
  Result<void> Write(const ResourceQuota& quota, ResourceQuotaStatus status);

  void Created(const client::Target& target, const SharedObject& object, bool initial);
  void Changed(const client::Target& target, const SharedObject& old, const SharedObject& object);
  void Replenish(const client::Target& target, const std::string& name_space,
                 std::chrono::nanoseconds delay);
  int64_t Now() const { return context_.clock->Now() / kNanosPerSecond; }

  const ControllerContext context_;
  Informer& quotas_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Resource> resources_;  // under mutex_
  std::optional<int64_t> discovered_at_;                               // under mutex_
  KeyedWork work_;
};

void ResourceQuotaController::Start() {
  const auto add = [this](const SharedObject& quota) { work_.Add(client::KeyOf(quota)); };
  work_.Follow(quotas_, {.on_add = [=](const auto& quota, bool) { add(quota); },
                         .on_update =
                             [=](const auto& old, const auto& quota) {
                               const auto was = old.template As<ResourceQuota>();
                               const auto is = quota.template As<ResourceQuota>();
                               // Its status is admission's and ours.
                               if (was == is || was->spec.hard != is->spec.hard) add(quota);
                             },
                         .resync = kResync});
  work_.Open();
}

Result<Reconciled> ResourceQuotaController::Sync(const std::string& key) {
  const auto quota = quotas_.Get<ResourceQuota>(SplitKey(key));
  if (quota == nullptr) return Reconciled();
  Look look = LookAt(*quota);
  if (look.some_are_unknown) {
    DiscoverIfDue();
    look = LookAt(*quota);
  }
  if (look.some_are_new) return Reconciled{.requeue_after = kFirstLook};
  ResourceQuotaStatus status = RecountQuota(*quota, look.counted, Now());
  if (status.hard != quota->status.hard || status.used != quota->status.used) {
    TRY_VOID(Write(*quota, std::move(status)));
  }
  if (look.some_wait) return Reconciled{.requeue_after = kNextLook};
  if (look.some_are_unknown) return Reconciled{.requeue_after = kDiscoveryPeriod};
  return Reconciled();
}

// The objects of every kind that the quota counts.
ResourceQuotaController::Look ResourceQuotaController::LookAt(const ResourceQuota& quota) {
  Look look;
  std::set<std::string> known;
  const std::lock_guard lock(mutex_);
  ForgetMissingLocked();
  for (auto& [key, resource] : resources_) {
    const auto names = api::QuotaNamesOf(key.first, key.second, quota.spec.hard);
    if (names.empty()) continue;
    known.insert(names.begin(), names.end());
    if (resource.informer == nullptr) {
      FollowLocked(resource);
      look.some_are_new = true;
    } else if (!resource.informer->HasSynced(resource.handler)) {
      look.some_wait = true;
    } else {
      look.counted.push_back({.group = key.first,
                              .resource = key.second,
                              .objects = resource.informer->List(quota.metadata.namespace_)});
    }
  }
  look.some_are_unknown = known.size() < quota.spec.hard.size();
  return look;
}

// What was there and is not any more, a custom resource whose definition is gone, is not asked for
// until discovery has it again.
void ResourceQuotaController::ForgetMissingLocked() {
  std::erase_if(resources_, [](const auto& each) {
    const Resource& resource = each.second;
    if (resource.informer == nullptr || !resource.informer->IsMissing()) return false;
    resource.informer->RemoveHandler(resource.handler);
    return true;
  });
}

// Handlers are called by the informer's tasks, never within AddHandler: no lock is taken twice.
void ResourceQuotaController::FollowLocked(Resource& resource) {
  client::Target target = resource.target;
  // Where only the number counts, the garbage collector's copy does as well.
  target.metadata_only = !IsMeasured(target);
  resource.informer = &context_.informers->For(target);
  resource.handler = resource.informer->AddHandler(
      {.on_add = [this, target](const auto& object,
                                bool initial) { Created(target, object, initial); },
       .on_update = [this, target](const auto& old,
                                   const auto& object) { Changed(target, old, object); },
       .on_delete = [this, target](
                        const auto& object,
                        bool) { Replenish(target, object.meta()->namespace_, kGathering); }});
}

void ResourceQuotaController::DiscoverIfDue() {
  {
    const std::lock_guard lock(mutex_);
    if (discovered_at_ && Now() - *discovered_at_ < kDiscoveryPeriod.count()) return;
    discovered_at_ = Now();
  }
  const auto found = Discover(*context_.connection);
  if (!found.ok()) {
    // Asked again in its time.
    if (context_.on_error) context_.on_error(kName, "discovery", found.error());
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const DiscoveredResource& each : found->resources) {
    if (!CanBeCounted(each)) continue;
    resources_.try_emplace({each.target.group, each.target.resource},
                           Resource{.target = each.target});
  }
}

Result<void> ResourceQuotaController::Write(const ResourceQuota& quota,
                                            ResourceQuotaStatus status) {
  ResourceQuota changed = reflect::Copy(quota);
  changed.status = std::move(status);
  TRY(const client::Target target,
      client::TargetOf(reflect::TypeOf<ResourceQuota>(),
                       {quota.metadata.namespace_, quota.metadata.name}, "status"));
  // As it was read: what admission has added since makes a conflict, and is counted then.
  const auto written = context_.connection->Update(target, changed, {});
  if (!written.ok() && written.error().code() != Code::kNotFound) return written.error();
  return {};
}

void ResourceQuotaController::Created(const client::Target& target, const SharedObject& object,
                                      bool initial) {
  if (!initial) Replenish(target, object.meta()->namespace_, kAfterCreation);
}

// Only what changes the count: pods are updated all the time.
void ResourceQuotaController::Changed(const client::Target& target, const SharedObject& old,
                                      const SharedObject& object) {
  if (!IsMeasured(target) || old == object) return;
  const QuotaObject before{target.group, target.resource, &old.type(), old.get()};
  const QuotaObject after{target.group, target.resource, &object.type(), object.get()};
  const std::string& name_space = object.meta()->namespace_;
  const int64_t now = Now();
  const bool uses_as_much = api::QuotaUsageOf(before, now) == api::QuotaUsageOf(after, now);
  for (const SharedObject& each : quotas_.List(name_space)) {
    const auto quota = each.As<ResourceQuota>();
    const bool counted = api::QuotaCounts(*quota, before);
    if (counted != api::QuotaCounts(*quota, after) || (counted && !uses_as_much)) {
      work_.AddAfter(client::KeyOf(each), kGathering);
    }
  }
}

void ResourceQuotaController::Replenish(const client::Target& target, const std::string& name_space,
                                        std::chrono::nanoseconds delay) {
  for (const SharedObject& each : quotas_.List(name_space)) {
    const auto quota = each.As<ResourceQuota>();
    if (!api::QuotaNamesOf(target.group, target.resource, quota->spec.hard).empty()) {
      work_.AddAfter(client::KeyOf(each), delay);
    }
  }
}

}  // namespace

ResourceQuotaStatus RecountQuota(const ResourceQuota& quota,
                                 const std::vector<CountedResource>& counted, int64_t now) {
  // Which objects count goes by the status.
  ResourceQuota as_wanted = reflect::Copy(quota);
  as_wanted.status.hard = quota.spec.hard;
  QuotaAmounts used;
  for (const CountedResource& resource : counted) {
    for (const std::string& name :
         api::QuotaNamesOf(resource.group, resource.resource, quota.spec.hard)) {
      used.emplace(name, api::Quantity::FromInt(0));
    }
    for (const SharedObject& each : resource.objects) {
      const QuotaObject object{resource.group, resource.resource, &each.type(), each.get()};
      if (!api::QuotaCounts(as_wanted, object)) continue;
      for (const auto& [name, amount] : api::QuotaUsageOf(object, now)) {
        if (const auto found = used.find(name); found != used.end()) found->second.Add(amount);
      }
    }
  }
  for (const auto& [name, amount] : quota.status.used) {
    if (quota.spec.hard.contains(name)) used.emplace(name, amount);
  }
  ResourceQuotaStatus status;
  status.hard = quota.spec.hard;
  status.used = std::move(used);
  return status;
}

std::unique_ptr<Controller> MakeResourceQuotaController(const ControllerContext& context) {
  return std::make_unique<ResourceQuotaController>(context);
}

}  // namespace podium::controllers
