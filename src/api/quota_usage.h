// What objects use of a ResourceQuota, and which quotas they count for (upstream's
// k8s.io/kubernetes/pkg/quota/v1/evaluator/core and k8s.io/apiserver/pkg/quota/v1, release 1.36).
// Admission asks it of one object, the controller that counts anew of all.
//
//   pods                    pods, cpu, memory, requests.*, limits.*, ephemeral-storage,
//   hugepages-*,
//                           requests.<extended resource>
//   services                services, services.nodeports, services.loadbalancers
//   persistentvolumeclaims  persistentvolumeclaims, requests.storage, and both by class:
//                           gold.storageclass.storage.k8s.io/requests.storage
//   everything              count/<resource>[.<group>]; four of core by their plural, too
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "reflect/type.h"
#include "reflect/values.h"

namespace podium::api {

using QuotaAmounts = reflect::Map<Quantity>;

// An object that counts, of any kind. The references outlive it.
struct QuotaObject {
  std::string_view group;
  std::string_view resource;  // plural
  const reflect::Type* type;  // of the stored version
  const void* object;
};

// Of the names in `amounts` (a quota's hard), those that objects of this resource use; in order.
std::vector<std::string> QuotaNamesOf(std::string_view group, std::string_view resource,
                                      const QuotaAmounts& amounts);

// Whether the quota counts such objects, and its scopes and scopeSelector this one. By status.hard.
bool QuotaCounts(const core::v1::ResourceQuota& quota, const QuotaObject& object);

// What it uses, whatever quotas there are. `now` in seconds since 1970: a pod whose node does not
// answer, so that it is long past its end, uses nothing but its count.
QuotaAmounts QuotaUsageOf(const QuotaObject& object, int64_t now);

// A pod must say what it asks for of CPU and memory where a quota counts them: `must specify
// requests.cpu for: a,b; …`; empty when it does. For other objects, empty.
std::string QuotaConstraintProblem(const std::vector<std::string>& names,
                                   const QuotaObject& object);

}  // namespace podium::api
