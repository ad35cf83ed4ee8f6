// pods/eviction: a deletion that asks the pod's disruption budget first (upstream's EvictionREST in
// pkg/registry/core/pod/storage/eviction.go, release 1.36). Here are the decisions; the caller
// reads the newest pod and budgets, writes what comes out under compare-and-swap, and asks again
// when that is lost (20 times, half a second apart, as upstream). Pure.
//
//   pod, budgets → PlanEviction → [budget: write its status] → [MarkEvicted: write the pod]
//                → delete the pod with `options`
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/time.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "api/types/policy_v1.h"
#include "base/result.h"

namespace podium::apiserver {

using BudgetPtr = std::shared_ptr<const api::policy::v1::PodDisruptionBudget>;

// The options of the deletion: those of the eviction, with the dry run that the request asks for.
// 400 when `pod_name`, of the path, is another, or when request and eviction disagree about the dry
// run.
Result<api::meta::v1::DeleteOptions> EvictionOptions(const api::policy::v1::Eviction& eviction,
                                                     std::string_view pod_name,
                                                     const reflect::List<std::string>& dry_run);

struct EvictionPlan {
  // A budget with one disruption less, and this pod among its disrupted ones; its resourceVersion
  // is the one to compare with. Nothing of a dry run.
  std::optional<api::policy::v1::PodDisruptionBudget> budget;
  // With the resourceVersion of the pod that was looked at where it must not have changed since.
  api::meta::v1::DeleteOptions options;
  // A conflict of the deletion is TooManyDisruptions(budget_name), as it is not the client's own.
  bool conflict_means_retry = false;
  std::string budget_name;
};

// `budgets` are those of the pod's namespace. Errors are answers: 429 with a cause when the budget
// does not allow it.
Result<EvictionPlan> PlanEviction(const api::core::v1::Pod& pod,
                                  const std::vector<BudgetPtr>& budgets,
                                  const api::meta::v1::DeleteOptions& options, api::Time now);

// `Cannot evict pod as it would violate the pod's disruption budget.`, 429, Retry-After 10.
Error TooManyDisruptions(std::string_view budget_name);
// When every attempt to write the budget was lost: 504.
Error BudgetConflicts(std::string_view budget_name);

// What the pod's status says of it before it is deleted.
void MarkEvicted(api::Time now, api::core::v1::Pod* pod);

}  // namespace podium::apiserver
