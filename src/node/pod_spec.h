// Small questions about a pod's specification that every part of the room asks, in upstream's words
// (k8s.io/kubernetes/pkg/api/v1/pod and pkg/kubelet/container, release 1.36).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"

namespace podium::node {

namespace v1 = api::core::v1;

enum class ContainerKind : uint8_t { kInit, kRegular, kEphemeral };

// One container of a pod: `index` counts within the list of its kind.
struct ContainerRef {
  ContainerKind kind = ContainerKind::kRegular;
  size_t index = 0;

  friend bool operator==(const ContainerRef&, const ContainerRef&) = default;
};

// "name_namespace(uid)", as messages name a pod.
std::string FormatPod(const v1::Pod& pod);
// "ns_name_uid", as folders of logs are named.
std::string PodLogName(std::string_view name_space, std::string_view name, std::string_view uid);

// An init container that runs beside the others: restartPolicy Always.
bool IsSidecar(const v1::Container& container);

// The same fields; targetContainerName falls away.
v1::Container AsContainer(const v1::EphemeralContainer& container);
// A copy of the container, whatever its kind. The reference must be valid.
v1::Container ContainerAt(const v1::Pod& pod, ContainerRef ref);
// The name, without the copy.
const std::string& ContainerNameAt(const v1::Pod& pod, ContainerRef ref);
// Null when the pod has none of that name; ephemeral containers are not searched.
const v1::Container* FindContainer(const v1::PodSpec& spec, std::string_view name);

// The images of its containers and image volumes, each once.
std::set<std::string> ImagesOf(const v1::Pod& pod);

// "spec.containers{name}", where an event points to.
std::string ContainerFieldPath(ContainerKind kind, std::string_view name);

// The first rule that fits the exit code, or null.
const v1::ContainerRestartRule* MatchingRestartRule(const v1::Container& container,
                                                    int32_t exit_code);
// Whether its exit restarts every container of the pod.
bool RestartsAllContainers(const v1::Container& container, int32_t exit_code);
// Whether any exit of any container could do that.
bool CouldRestartAllContainers(const v1::PodSpec& spec);
// Whether a container is started again after it exited so: its own rules, then its own policy, then
// the pod's.
bool RestartsAfterExit(const v1::Container& container, const v1::PodSpec& spec, int32_t exit_code);

// What tells whether a container was made from this very definition: of name and image alone, as
// everything else of a container cannot change.
uint64_t ContainerHash(const v1::Container& container);

// Succeeded or Failed.
bool IsTerminalPhase(std::string_view phase);

}  // namespace podium::node
