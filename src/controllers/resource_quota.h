// What objects use of each ResourceQuota, counted anew (upstream's pkg/controller/resourcequota,
// release 1.36). Admission adds to a quota's status what comes; here it is brought back to what is:
// when the quota changes, when something that it counts goes or uses less, and every five minutes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/quota_usage.h"
#include "api/types/core_v1.h"
#include "client/object.h"
#include "controllers/controller.h"

namespace podium::controllers {

// All objects of one resource in a quota's namespace.
struct CountedResource {
  std::string group{};
  std::string resource{};
  std::vector<client::SharedObject> objects{};
};

// The status that the quota should have. What nobody counts (a kind that is not there, or could not
// be read yet) keeps its number, and has none if it had none. `now` in seconds since 1970. Pure.
api::core::v1::ResourceQuotaStatus RecountQuota(const api::core::v1::ResourceQuota& quota,
                                                const std::vector<CountedResource>& counted,
                                                int64_t now);

// Kinds are followed from the moment that a quota counts them. Those of custom resources, and any
// that discovery did not show before, are looked for every 30 seconds while a quota names them.
std::unique_ptr<Controller> MakeResourceQuotaController(const ControllerContext& context);

}  // namespace podium::controllers
