// Conditions of pods. Internal to the folder.
#pragma once

#include <algorithm>
#include <utility>

#include "api/types/core_v1.h"

namespace podium::apiserver {

// In place of the one of its type, whose time of transition it keeps while the status is the same;
// otherwise behind the others (upstream's podutil.UpdatePodCondition).
inline void SetPodCondition(api::core::v1::PodCondition condition, api::Time now,
                            api::core::v1::PodStatus* status) {
  const auto old =
      std::ranges::find(status->conditions, condition.type, &api::core::v1::PodCondition::type);
  condition.lastTransitionTime = now;
  if (old == status->conditions.end()) {
    status->conditions.push_back(std::move(condition));
    return;
  }
  if (old->status == condition.status) condition.lastTransitionTime = old->lastTransitionTime;
  *old = std::move(condition);
}

}  // namespace podium::apiserver
