// Labels and annotations that the kubelet writes onto sandboxes and containers (upstream's
// pkg/kubelet/types/labels.go and pkg/kubelet/kuberuntime/labels.go): what a later kubelet, crictl
// and log collectors read.
#pragma once

#include <string_view>

namespace podium::node {

inline constexpr std::string_view kPodNameLabel = "io.kubernetes.pod.name";
inline constexpr std::string_view kPodNamespaceLabel = "io.kubernetes.pod.namespace";
inline constexpr std::string_view kPodUidLabel = "io.kubernetes.pod.uid";
inline constexpr std::string_view kContainerNameLabel = "io.kubernetes.container.name";

inline constexpr std::string_view kContainerHashAnnotation = "io.kubernetes.container.hash";
inline constexpr std::string_view kRestartCountAnnotation = "io.kubernetes.container.restartCount";
inline constexpr std::string_view kTerminationMessagePathAnnotation =
    "io.kubernetes.container.terminationMessagePath";
inline constexpr std::string_view kTerminationMessagePolicyAnnotation =
    "io.kubernetes.container.terminationMessagePolicy";
inline constexpr std::string_view kPreStopHandlerAnnotation =
    "io.kubernetes.container.preStopHandler";
inline constexpr std::string_view kContainerPortsAnnotation = "io.kubernetes.container.ports";
inline constexpr std::string_view kPodDeletionGracePeriodAnnotation =
    "io.kubernetes.pod.deletionGracePeriod";
inline constexpr std::string_view kPodTerminationGracePeriodAnnotation =
    "io.kubernetes.pod.terminationGracePeriod";

}  // namespace podium::node
