#include "apiserver/subresources/eviction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "api/labels.h"
#include "api/status.h"
#include "apiserver/subresources/pod_conditions.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Pod;
using api::core::v1::PodCondition;
using api::meta::v1::Condition;
using api::meta::v1::DeleteOptions;
using api::meta::v1::Status;
using api::policy::v1::Eviction;
using api::policy::v1::PodDisruptionBudget;

constexpr std::string_view kWouldViolate =
    "Cannot evict pod as it would violate the pod's disruption budget.";
constexpr std::string_view kDisruptionAllowed = "DisruptionAllowed";
constexpr api::GroupResource kBudgets{"policy", "poddisruptionbudget"};
// Evictions that the controller of budgets has not seen yet; it forgets them after a while.
constexpr size_t kMostDisruptedPods = 2000;

bool HasEnded(const Pod& pod) {
  return pod.status.phase == "Succeeded" || pod.status.phase == "Failed" ||
         pod.metadata.deletionTimestamp.has_value();
}

bool IsReady(const Pod& pod) {
  const auto& conditions = pod.status.conditions;
  const auto ready = std::ranges::find(conditions, "Ready", &PodCondition::type);
  return ready != conditions.end() && ready->status == "True";
}

// A budget without a selector, or with one that says nothing, is for no pod.
bool Covers(const PodDisruptionBudget& budget, const Pod& pod) {
  if (budget.metadata.namespace_ != pod.metadata.namespace_) return false;
  const auto selector = api::labels::LabelSelectorAsSelector(budget.spec.selector);
  if (!selector.ok() || selector->Empty()) return false;
  return selector->Matches(pod.metadata.labels);
}

void RequireVersion(const Pod& pod, DeleteOptions* options) {
  options->preconditions.ensure().resourceVersion = pod.metadata.resourceVersion;
}

bool NamesVersion(const DeleteOptions& options) {
  return options.preconditions && options.preconditions->resourceVersion;
}

Error Refused(int32_t retry_after, std::string cause) {
  const Error error = api::TooManyRequestsError(std::string(kWouldViolate), retry_after);
  Status status = api::StatusOf(error);
  auto& causes = status.details.ensure().causes;
  auto& added = causes.emplace_back();
  added.reason = "DisruptionBudget";
  added.message = std::move(cause);
  return api::StatusError(std::move(status));
}

Error NothingAllowed(const PodDisruptionBudget& budget) {
  const auto& conditions = budget.status.conditions;
  const auto allowed = std::ranges::find(conditions, kDisruptionAllowed, &Condition::type);
  if (allowed != conditions.end() && allowed->status == "False" &&
      allowed->reason == "SyncFailed" && !allowed->message.empty()) {
    return Refused(0, fmt::format("The disruption budget {} does not allow evicting pods currently "
                                  "because it failed sync: {}",
                                  budget.metadata.name, allowed->message));
  }
  return Refused(0, fmt::format("The disruption budget {} needs {} healthy pods and has {} "
                                "currently",
                                budget.metadata.name, budget.status.desiredHealthy,
                                budget.status.currentHealthy));
}

void SayInsufficient(api::Time now, PodDisruptionBudget* budget) {
  auto& conditions = budget->status.conditions;
  auto at = std::ranges::find(conditions, kDisruptionAllowed, &Condition::type);
  if (at == conditions.end()) {
    at = conditions.emplace(conditions.end());
    at->type = kDisruptionAllowed;
  }
  if (at->status != "False") at->lastTransitionTime = now;
  at->status = "False";
  at->reason = "InsufficientPods";
  at->message.clear();
  at->observedGeneration = budget->status.observedGeneration;
}

Result<PodDisruptionBudget> Decrement(const PodDisruptionBudget& budget, const Pod& pod,
                                      api::Time now) {
  const std::string& name = budget.metadata.name;
  if (budget.status.observedGeneration < budget.metadata.generation) {
    return TooManyDisruptions(name);
  }
  if (budget.status.disruptionsAllowed < 0) {
    return api::ForbiddenError(kBudgets, name, "pdb disruptions allowed is negative");
  }
  if (budget.status.disruptedPods.size() > kMostDisruptedPods) {
    return api::ForbiddenError(
        kBudgets, name,
        "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (budget.status.disruptionsAllowed == 0) return NothingAllowed(budget);
  PodDisruptionBudget changed = reflect::Copy(budget);
  --changed.status.disruptionsAllowed;
  if (changed.status.disruptionsAllowed == 0) SayInsufficient(now, &changed);
  changed.status.disruptedPods[pod.metadata.name] = now;
  return changed;
}

// Whether a pod that is not ready may go without being counted.
bool MayGoUncounted(const PodDisruptionBudget& budget, const Pod& pod) {
  if (IsReady(pod)) return false;
  if (budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow") return true;
  return budget.status.desiredHealthy > 0 &&
         budget.status.currentHealthy >= budget.status.desiredHealthy;
}

}  // namespace

Result<DeleteOptions> EvictionOptions(const Eviction& eviction, std::string_view pod_name,
                                      const reflect::List<std::string>& dry_run) {
  if (eviction.metadata.name != pod_name) {
    return api::BadRequestError("name in URL does not match name in Eviction object");
  }
  DeleteOptions options;
  if (eviction.deleteOptions) options = reflect::Copy(*eviction.deleteOptions);
  if (options.dryRun.empty()) options.dryRun = dry_run;
  if (!dry_run.empty() && options.dryRun != dry_run) {
    return api::BadRequestError(
        fmt::format("Non-matching dry-run options in request and content: [{}] and [{}]",
                    fmt::join(dry_run, " "), fmt::join(options.dryRun, " ")));
  }
  return options;
}

Result<EvictionPlan> PlanEviction(const Pod& pod, const std::vector<BudgetPtr>& budgets,
                                  const DeleteOptions& options, api::Time now) {
  EvictionPlan plan;
  plan.options = reflect::Copy(options);
  if (HasEnded(pod)) return plan;
  if (pod.status.phase == "Pending") {
    // It must not have become ready meanwhile.
    if (!NamesVersion(options)) RequireVersion(pod, &plan.options);
    return plan;
  }
  std::vector<BudgetPtr> covering;
  for (const BudgetPtr& budget : budgets) {
    if (Covers(*budget, pod)) covering.push_back(budget);
  }
  if (covering.empty()) return plan;
  if (covering.size() > 1) {
    Status status;
    status.status = "Failure";
    status.message =
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
        "support.";
    status.code = 500;
    return api::StatusError(std::move(status));
  }
  const PodDisruptionBudget& budget = *covering.front();
  plan.budget_name = budget.metadata.name;
  if (MayGoUncounted(budget, pod)) {
    plan.conflict_means_retry = !NamesVersion(options);
    if (plan.conflict_means_retry) RequireVersion(pod, &plan.options);
    return plan;
  }
  TRY(PodDisruptionBudget changed, Decrement(budget, pod, now));
  if (plan.options.dryRun.empty()) plan.budget = std::move(changed);
  return plan;
}

Error TooManyDisruptions(std::string_view budget_name) {
  return Refused(10, fmt::format("The disruption budget {} is still being processed by the server.",
                                 budget_name));
}

Error BudgetConflicts(std::string_view budget_name) {
  return api::TimeoutError(
      fmt::format("couldn't update PodDisruptionBudget \"{}\" due to conflicts", budget_name), 10);
}

void MarkEvicted(api::Time now, Pod* pod) {
  PodCondition condition;
  condition.type = "DisruptionTarget";
  condition.status = "True";
  condition.reason = "EvictionByEvictionAPI";
  condition.message = "Eviction API: evicting";
  condition.observedGeneration = pod->metadata.generation;
  SetPodCondition(std::move(condition), now, &pod->status);
}

}  // namespace podium::apiserver
