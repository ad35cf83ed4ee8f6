#include "node/critical_pods.h"

#include "node/pod_origin.h"

namespace podium::node {

bool IsStaticPod(const v1::Pod& pod) {
  return OriginOf(pod) == PodOrigin::kFile ||
         pod.metadata.annotations.contains(kConfigMirrorAnnotation);
}

bool IsCriticalPod(const v1::Pod& pod) {
  return IsStaticPod(pod) || (pod.spec.priority && *pod.spec.priority >= kSystemCriticalPriority);
}

bool IsPreemptable(const v1::Pod& preemptor, const v1::Pod& victim) {
  if (IsCriticalPod(preemptor) && !IsCriticalPod(victim)) return true;
  return preemptor.spec.priority && victim.spec.priority &&
         *preemptor.spec.priority > *victim.spec.priority;
}

}  // namespace podium::node
