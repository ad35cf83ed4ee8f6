#include "runtime/isolators/all.h"

namespace podium::runtime {

Result<void> PrepareNamespaces(const ContainerContext& context, Draft* draft) {
  const cri::NamespaceOption& pod = NamespacesOf(context.sandbox);
  const cri::NamespaceMode mode = NamespacesOf(context.config).pid;
  switch (mode) {
    case cri::NamespaceMode::kContainer:
      draft->plan.flags |= shim::kPlanNewPid;
      break;
    case cri::NamespaceMode::kPod:  // the pod's, which is the host's in a hostPID pod
      break;
    case cri::NamespaceMode::kNode:
      if (pod.pid != cri::NamespaceMode::kNode) {
        return Error(Code::kInvalidArgument, "the sandbox is not in the host's process namespace");
      }
      break;
    case cri::NamespaceMode::kTarget:  // checked by CreateContainer; the shim knows its process
      break;
  }
  return {};
}

}  // namespace podium::runtime
