#include "linux/capabilities.h"

#include <linux/capability.h>

#include "runtime/isolators/all.h"

namespace podium::runtime {

Result<void> PrepareCapabilities(const ContainerContext& context, Draft* draft) {
  const auto& security = SecurityOf(context.config);
  shim::Plan& plan = draft->plan;
  if (security.no_new_privs) plan.flags |= shim::kPlanNoNewPrivileges;
  kernel::CapabilityMask granted = context.host.capabilities;
  kernel::CapabilityMask ambient = 0;
  if (!security.privileged) {
    granted = kernel::kDefaultCapabilities & context.host.capabilities;
    // What it made could be used.
    if (!context.host.limits_devices) granted &= ~kernel::CapabilityBit(CAP_MKNOD);
    if (security.capabilities) {
      TRY(granted, kernel::ChangeCapabilities(granted, security.capabilities->add_capabilities,
                                              security.capabilities->drop_capabilities,
                                              context.host.capabilities));
    }
  }
  if (security.capabilities && !security.capabilities->add_ambient_capabilities.empty()) {
    TRY(ambient, kernel::ParseCapabilities(security.capabilities->add_ambient_capabilities));
    granted |= ambient & context.host.capabilities;
  }
  const kernel::CapabilitySets sets = kernel::ContainerCapabilities(granted, ambient);
  plan.bounding = sets.bounding;
  plan.permitted = sets.permitted;
  plan.effective = sets.effective;
  plan.inheritable = sets.inheritable;
  plan.ambient = sets.ambient;
  return {};
}

}  // namespace podium::runtime
