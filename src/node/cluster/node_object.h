// The Node object as its agent writes it: what the machine is, what is reserved of it, and how it
// is (upstream's pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus and
// pkg/kubelet/cm/node_container_manager_linux.go, release 1.36). Pure.
//
// A cloud provider, device plugins and volumes that are attached by controllers are not known here:
// what they would add to the object is left as it is. The deprecated nodeInfo.kubeProxyVersion is
// empty, as upstream's has been since 1.33.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "base/result.h"
#include "node/cluster/machine_facts.h"
#include "node/event_recorder.h"
#include "node/eviction/thresholds.h"
#include "reflect/values.h"
#include "wire/types/cri.h"

namespace podium::node {

using ResourceList = reflect::Map<api::Quantity>;

// What the administrator says of the node.
struct NodeSettings {
  std::string hostname{};         // label and address; upstream's --hostname-override
  std::string kubelet_version{};  // "v1.36.0"
  std::string runtime_version{};  // "podium://0.1.0"
  reflect::Map<std::string> labels{};
  std::vector<v1::Taint> taints{};
  bool register_schedulable = true;
  ResourceList kube_reserved{};
  ResourceList system_reserved{};
  std::vector<EvictionThreshold> eviction_hard = DefaultEvictionHard();
  int64_t max_pods = 110;
  int32_t kubelet_port = 0;  // where the agent serves the API server; 0: nowhere
  std::vector<std::string> declared_features{};
};

// What does not change while the agent runs.
struct NodeDescription {
  std::string name{};
  std::vector<std::string> addresses{};  // those that others reach it by: one of a family
  MachineFacts machine{};
  NodeSettings settings{};
};

// What is seen of the node now.
struct NodeHealth {
  // Why it cannot run pods, in upstream's order: runtime, network, storage, shutdown.
  std::vector<std::string> problems{};
  bool memory_pressure = false;
  bool disk_pressure = false;
  bool pid_pressure = false;
  std::vector<v1::ContainerImage> images{};  // see ImagesForStatus
  std::vector<v1::NodeRuntimeHandler> runtime_handlers{};
  std::optional<v1::NodeFeatures> features{};
};

// What an agent tells of its node as an Event.
struct NodeEvent {
  EventType type = EventType::kNormal;
  std::string reason{};
  std::string message{};

  friend bool operator==(const NodeEvent&, const NodeEvent&) = default;
};

// An image as a runtime lists it.
struct ListedImage {
  std::string id{};
  std::vector<std::string> digests{};  // repository@digest
  std::vector<std::string> tags{};     // repository:tag
  int64_t size = 0;                    // bytes
};

// The fifty largest, largest first, with five names each.
std::vector<v1::ContainerImage> ImagesForStatus(std::vector<ListedImage> images);

// Problems, handlers and features, from what the runtime says of itself; an error is one of its
// problems.
NodeHealth HealthOfRuntime(const Result<wire::cri::StatusResponse>& status);

// cpu, memory, pods, ephemeral-storage, hugepages-SIZE.
ResourceList CapacityOf(const NodeDescription& node);
// Capacity without what is reserved for the system, for Kubernetes and for eviction, and memory
// also without huge pages. Never below zero.
ResourceList AllocatableOf(const NodeDescription& node, const ResourceList& capacity);

// As it is registered, with its status. `now`: nanoseconds since 1970. `events`: what that gives to
// tell; may be null.
v1::Node InitialNode(const NodeDescription& node, const NodeHealth& health, int64_t now,
                     std::vector<NodeEvent>* events = nullptr);

// Writes into the status of `object`, which is as the server has it, what is true now; what is
// somebody else's stays. Transition times change with a condition's status alone. What the change
// gives to tell.
std::vector<NodeEvent> SetNodeStatus(const NodeDescription& node, const NodeHealth& health,
                                     int64_t now, v1::Node* object);

// Of a node that was registered before: its default labels, the annotation for attachable volumes
// and huge pages become those of `initial`. Whether that changed anything. Labels and taints that
// the administrator gives count at the first registration only: later they are the cluster's.
bool ReconcileNode(const v1::Node& initial, v1::Node* existing);

// The labels kubernetes.io/os and kubernetes.io/arch, which an agent puts back at each update.
bool RestoreRequiredLabels(const NodeDescription& node, v1::Node* object);

// Whether there is anything to tell beside the times of heartbeats.
bool NodeStatusHasChanged(const v1::NodeStatus& before, const v1::NodeStatus& after);

// A strategic merge patch for the subresource status, from metadata and status alone. Addresses are
// replaced as a whole, because two of the same type would be merged into one.
Result<std::string> NodeStatusPatch(const v1::Node& before, v1::Node after);

}  // namespace podium::node
