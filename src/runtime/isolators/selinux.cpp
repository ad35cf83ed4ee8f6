// SELinux, where the kernel has it and the policy knows containers.
#include "runtime/isolators/all.h"

namespace podium::runtime {

Result<void> PrepareSelinux(const ContainerContext& context, Draft* draft) {
  if (context.labels.process.empty()) return {};
  // A plan has one label: where the kernel has both, AppArmor's profile, which stands there
  // already.
  if (draft->plan.label_kind != shim::LabelKind::kNone) return {};
  draft->plan.label_kind = shim::LabelKind::kSelinux;
  draft->plan.label = context.labels.process;
  return {};
}

}  // namespace podium::runtime
