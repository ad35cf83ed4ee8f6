// Requests and limits in the words of cgroups (upstream's pkg/kubelet/cm and pkg/kubelet/qos,
// release 1.36). Pure.
//
//   kubepods                       all pods
//   kubepods/pod<uid>              Guaranteed
//   kubepods/burstable/pod<uid>    Burstable
//   kubepods/besteffort/pod<uid>   BestEffort
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/quantity.h"
#include "node/node_config.h"
#include "node/pod_spec.h"
#include "wire/types/cri.h"

namespace podium::node {

inline constexpr int64_t kCpuPeriod = 100'000;  // microseconds
inline constexpr int64_t kMinShares = 2;
inline constexpr int64_t kMaxShares = 262'144;
inline constexpr int64_t kMinQuota = 1000;

// cpu.shares for so many thousandths of a core.
int64_t SharesOf(int64_t milli_cpu);
// Microseconds of each period; 0 for no limit.
int64_t QuotaOf(int64_t milli_cpu);

// Guaranteed -997, BestEffort 1000, Burstable between 3 and 999: the less of the node's memory it
// asked for, the sooner it goes. A sidecar goes no sooner than the containers it serves.
int64_t OomScoreAdj(const v1::Pod& pod, const v1::Container& container, int64_t node_memory);

// Bytes that the container may have in swap, where the kernel counts them: its share of the
// machine's swap is that of its request in the machine's memory, for containers of Burstable pods
// whose request and limit of memory differ; 0 for all others, and for pods that are critical
// (pkg/kubelet/kuberuntime, GetContainerSwapBehavior).
int64_t SwapLimit(const v1::Pod& pod, const v1::Container& container, const NodeConfig& config);

wire::cri::LinuxContainerResources ContainerResources(const v1::Pod& pod,
                                                      const v1::Container& container,
                                                      const NodeConfig& config);
// What its containers may use of it together, with its overhead; none where no container, nor the
// pod itself, has a limit for it.
std::optional<api::Quantity> PodLimit(const v1::Pod& pod, std::string_view resource);
// Thousandths of a core that the pod asks for, with its overhead.
int64_t PodCpuRequest(const v1::Pod& pod);
// Of the pod's own cgroup: what its containers need together, with its overhead.
wire::cri::LinuxContainerResources PodResources(const v1::Pod& pod, const NodeConfig& config);
// The sum of the containers, and the overhead, as sandbox configurations carry them.
wire::cri::LinuxContainerResources OverheadResources(const v1::Pod& pod);

// "/kubepods/burstable/pod<uid>", below the instance's cgroup.
std::string PodCgroup(const v1::Pod& pod);

// "2MB", as the kernel names huge pages of so many bytes.
std::string HugePageName(int64_t bytes);

}  // namespace podium::node
