// ResourceQuota: an object comes in only after its usage was written into the status of every quota
// that counts it (upstream's k8s.io/apiserver/pkg/admission/plugin/resourcequota, release 1.36).
//
// The write compares the quota's revision, so that two creates at a time, of this server or of
// another one, cannot both take what is left. Within a server, requests of one namespace that wait
// for a write are checked together and share the next one. A creation that fails after this keeps
// what it took until the controller counts anew, as upstream.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "api/quota_usage.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/storage_keys.h"
#include "base/text.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::QuotaAmounts;
using api::QuotaObject;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::ResourceQuota;

QuotaAmounts Only(const QuotaAmounts& amounts, const QuotaAmounts& names) {
  QuotaAmounts some;
  for (const auto& [name, amount] : amounts) {
    if (names.contains(name)) some.emplace(name, amount);
  }
  return some;
}

std::string Text(const QuotaAmounts& amounts, const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    const auto found = amounts.find(name);
    if (found != amounts.end()) parts.push_back(name + "=" + found->second.String());
  }
  return Join(parts, ",");
}

// What one object more, or a greater one, takes; never less than nothing.
QuotaAmounts Growth(const QuotaAmounts& now, const QuotaAmounts& before) {
  QuotaAmounts growth;
  for (const auto& [name, amount] : now) {
    api::Quantity more = amount;
    if (const auto found = before.find(name); found != before.end()) more.Sub(found->second);
    if (more.Sign() > 0) growth.emplace(name, more);
  }
  return growth;
}

// A quota as it would be when all that was let in so far is.
struct Running {
  ResourceQuota quota;
  bool changed = false;
};

// One request, checked against all quotas of its namespace.
class QuotaCheck {
 public:
  QuotaCheck(const AdmissionRequest& request, int64_t now)
      : request_(request),
        now_(now),
        object_{request.group, request.resource, request.type, request.object} {}

  // Adds its usage to the quotas, or says why not and leaves them.
  Result<void> Charge(std::vector<Running>* quotas) const {
    std::vector<Running*> counting;
    for (Running& each : *quotas) {
      if (!api::QuotaCounts(each.quota, object_)) continue;
      TRY_VOID(CheckCounting(each.quota));
      counting.push_back(&each);
    }
    if (counting.empty()) return {};
    const QuotaAmounts usage = api::QuotaUsageOf(object_, now_);
    if (const std::string negative = Negative(usage); !negative.empty()) {
      return request_.Forbid("quota usage is negative for resource(s): " + negative);
    }
    std::vector<QuotaAmounts> growths;
    for (const Running* each : counting) {
      growths.push_back(Only(GrowthFor(each->quota, usage), each->quota.status.hard));
      TRY_VOID(CheckRoom(each->quota, growths.back()));
    }
    for (size_t i = 0; i < counting.size(); ++i) {
      for (const auto& [name, amount] : growths[i]) {
        counting[i]->quota.status.used[name].Add(amount);
        counting[i]->changed = true;
      }
    }
    return {};
  }

 private:
  Result<void> CheckCounting(const ResourceQuota& quota) const {
    const std::vector<std::string> names =
        api::QuotaNamesOf(request_.group, request_.resource, quota.status.hard);
    if (const std::string problem = api::QuotaConstraintProblem(names, object_); !problem.empty()) {
      return request_.Forbid("failed quota: " + quota.metadata.name + ": " + problem);
    }
    const bool known = std::ranges::all_of(
        names, [&](const std::string& name) { return quota.status.used.contains(name); });
    if (known) return {};
    return request_.Forbid(fmt::format("status unknown for quota: {}, resources: {}",
                                       quota.metadata.name, Join(names, ",")));
  }

  static std::string Negative(const QuotaAmounts& usage) {
    std::vector<std::string_view> names;
    for (const auto& [name, amount] : usage) {
      if (amount.Sign() < 0) names.push_back(name);
    }
    return Join(names, ",");
  }

  // An update counts for what it adds, unless the quota did not count the object before.
  QuotaAmounts GrowthFor(const ResourceQuota& quota, const QuotaAmounts& usage) const {
    if (request_.operation != Operation::kUpdate || request_.old_object == nullptr) {
      return Growth(usage, {});
    }
    const QuotaObject old{request_.group, request_.resource, request_.old_type,
                          request_.old_object};
    if (!api::QuotaCounts(quota, old)) return Growth(usage, {});
    return Growth(usage, api::QuotaUsageOf(old, now_));
  }

  Result<void> CheckRoom(const ResourceQuota& quota, const QuotaAmounts& growth) const {
    // What a volume has become is a fact.
    if (request_.subresource == "status") return {};
    std::vector<std::string> exceeded;
    for (const auto& [name, amount] : growth) {
      api::Quantity used = amount;
      if (const auto found = quota.status.used.find(name); found != quota.status.used.end()) {
        used.Add(found->second);
      }
      if (used > quota.status.hard.find(name)->second) exceeded.push_back(name);
    }
    if (exceeded.empty()) return {};
    return request_.Forbid(fmt::format("exceeded quota: {}, requested: {}, used: {}, limited: {}",
                                       quota.metadata.name, Text(growth, exceeded),
                                       Text(quota.status.used, exceeded),
                                       Text(quota.status.hard, exceeded)));
  }

  const AdmissionRequest& request_;
  const int64_t now_;
  const QuotaObject object_;
};

// A request that waits for its answer.
struct Waiting {
  const AdmissionRequest* request;
  Result<void> answer{};  // of whoever answers, until it is answered
  bool answered = false;  // under the plugin's mutex
};

class ResourceQuotaPlugin final : public AdmissionPlugin {
 public:
  explicit ResourceQuotaPlugin(const AdmissionDependencies& dependencies)
      : dependencies_(dependencies) {}

  std::string_view name() const override { return "ResourceQuota"; }
  bool Handles(Operation operation) const override {
    return operation == Operation::kCreate || operation == Operation::kUpdate;
  }

  bool MayBlock(const AdmissionRequest& request) const override {
    if (!Concerns(request)) return false;
    const auto quotas = dependencies_.objects.List<ResourceQuota>(request.namespace_);
    return !quotas.ok() || !quotas->empty();
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!MayBlock(request)) return {};
    Waiting waiting{.request = &request};
    const std::string name_space(request.namespace_);
    std::unique_lock lock(mutex_);
    Line& line = lines_[name_space];
    line.waiting.push_back(&waiting);
    while (!waiting.answered) {
      if (line.busy) {
        answered_.wait(lock);
        continue;
      }
      // Whoever finds nobody at work answers for all that wait.
      line.busy = true;
      std::vector<Waiting*> batch = std::move(line.waiting);
      line.waiting.clear();
      lock.unlock();
      Answer(name_space, batch);
      lock.lock();
      // Not before: whoever sees it goes.
      for (Waiting* each : batch) each->answered = true;
      line.busy = false;
      answered_.notify_all();
    }
    // Others that were answered may have done so already.
    const auto left = lines_.find(name_space);
    if (left != lines_.end() && !left->second.busy && left->second.waiting.empty()) {
      lines_.erase(left);
    }
    return std::move(waiting.answer);
  }

 private:
  // Of one namespace. Under mutex_.
  struct Line {
    std::vector<Waiting*> waiting;
    bool busy = false;
  };
  static constexpr int kAttempts = 4;

  static bool Concerns(const AdmissionRequest& request) {
    if (request.namespace_.empty() || request.object == nullptr || request.kind == "Namespace") {
      return false;
    }
    const bool created = request.operation == Operation::kCreate;
    const std::string_view resource = request.resource;
    if (request.group.empty()) {
      if (resource == "pods" && request.subresource == "resize") return !created;
      if (resource == "persistentvolumeclaims" && request.subresource == "status") {
        return ClaimStatusConcerns(request);
      }
      if (request.subresource.empty() &&
          (resource == "services" || resource == "persistentvolumeclaims")) {
        return true;
      }
      if (resource == "events" || resource == "bindings") return false;
    }
    if (request.group == "events.k8s.io" || request.group == "authorization.k8s.io") return false;
    return created && request.subresource.empty();
  }

  static bool ClaimStatusConcerns(const AdmissionRequest& request) {
    const auto* claim = request.As<PersistentVolumeClaim>();
    const auto* old = request.OldAs<PersistentVolumeClaim>();
    if (claim == nullptr || old == nullptr) return false;
    return claim->status.allocatedResources != old->status.allocatedResources ||
           claim->status.currentVolumeAttributesClassName !=
               old->status.currentVolumeAttributesClassName ||
           !(claim->status.modifyVolumeStatus == old->status.modifyVolumeStatus);
  }

  // Sets the answer of each.
  void Answer(const std::string& name_space, std::vector<Waiting*> batch) {
    // Only these, once others were written: what they counted stands. Empty: all.
    std::set<std::string> names;
    for (int attempt = 1; !batch.empty(); ++attempt) {
      auto quotas = Load(name_space, names);
      if (!quotas.ok()) {
        for (Waiting* each : batch) each->answer = quotas.error();
        return;
      }
      std::erase_if(batch, [&](Waiting* each) { return !Charge(each, &*quotas); });
      names = Write(*quotas);
      if (names.empty()) return;
      if (attempt == kAttempts) {
        for (Waiting* each : batch) {
          each->answer = api::ModifiedError({"", "resourcequotas"}, *names.begin());
        }
        return;
      }
    }
  }

  Result<std::vector<Running>> Load(const std::string& name_space,
                                    const std::set<std::string>& names) const {
    TRY(const auto stored, dependencies_.objects.List<ResourceQuota>(name_space));
    std::vector<Running> quotas;
    for (const auto& each : stored) {
      if (names.empty() || names.contains(each->metadata.name)) {
        quotas.push_back({.quota = reflect::Copy(*each)});
      }
    }
    return quotas;
  }

  // Whether it is still to be answered, when the quotas are written.
  bool Charge(Waiting* waiting, std::vector<Running>* quotas) const {
    const int64_t now = dependencies_.clock.Now() / kNanosPerSecond;
    const QuotaCheck check(*waiting->request, now);
    if (!waiting->request->dry_run) {
      auto charged = check.Charge(quotas);
      if (charged.ok()) return true;
      waiting->answer = std::move(charged);
      return false;
    }
    std::vector<Running> copy;
    for (const Running& each : *quotas) copy.push_back({.quota = reflect::Copy(each.quota)});
    waiting->answer = check.Charge(&copy);
    return false;
  }

  // Writes those that changed; the names of those that could not be.
  std::set<std::string> Write(const std::vector<Running>& quotas) const {
    std::set<std::string> failed;
    for (const Running& each : quotas) {
      if (each.changed && !Write(each.quota)) failed.insert(each.quota.metadata.name);
    }
    return failed;
  }

  bool Write(const ResourceQuota& quota) const {
    ResourceQuota stored = reflect::Copy(quota);
    const auto revision = reflect::ParseGoInt(stored.metadata.resourceVersion);
    stored.metadata.resourceVersion.clear();
    auto json = reflect::ToJson(stored);
    if (!revision.ok() || !json.ok()) return false;
    const std::string prefix = Objects::PrefixOf(reflect::TypeOf<ResourceQuota>());
    const auto written = dependencies_.objects.store().WriteAndWait(
        {.key = KeyOf(prefix, quota.metadata.namespace_, quota.metadata.name),
         .value = *std::move(json),
         .expected = *revision});
    return written.ok() && written->changed;
  }

  const AdmissionDependencies dependencies_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<std::string, Line> lines_;  // under mutex_
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewResourceQuota(const AdmissionDependencies& dependencies) {
  return std::make_unique<ResourceQuotaPlugin>(dependencies);
}

}  // namespace podium::apiserver
