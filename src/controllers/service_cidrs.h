// ServiceCIDRs, which Services get their addresses from (upstream's pkg/controller/servicecidrs and
// pkg/controlplane/controller/defaultservicecidr, release 1.36): each has a finalizer and is Ready.
// One that is deleted is Ready no more, so that no address is taken from it, and stays until every
// address that Services have of it is in another one as well, and for ten seconds at least, in
// which a Service that is being made may still get one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/types/networking_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

// Whether Services would have addresses of no ServiceCIDR if `going` were not there. `all`:
// ServiceCIDRs, `going` among them; those that go as well hold no address (upstream counts them, so
// that two that hold each other's go together). `addresses`: that Services have. Pure.
bool IsServiceCidrNeeded(const api::networking::v1::ServiceCIDR& going,
                         const std::vector<api::networking::v1::ServiceCIDR>& all,
                         const std::vector<std::string>& addresses);

// The ServiceCIDR `kubernetes` has `default_cidrs`, and is made again when it is gone. Where it has
// others, an Event says so once.
std::unique_ptr<Controller> MakeServiceCidrController(const ControllerContext& context,
                                                      std::vector<std::string> default_cidrs);

}  // namespace podium::controllers
