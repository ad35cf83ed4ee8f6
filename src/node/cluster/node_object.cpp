#include "node/cluster/node_object.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/resource_names.h"
#include "api/time.h"
#include "base/text.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::node {
namespace {

using api::Quantity;

constexpr std::string_view kHostname = "kubernetes.io/hostname";
constexpr std::string_view kOs = "kubernetes.io/os";
constexpr std::string_view kArch = "kubernetes.io/arch";
constexpr std::string_view kBetaOs = "beta.kubernetes.io/os";
constexpr std::string_view kBetaArch = "beta.kubernetes.io/arch";
constexpr std::string_view kAttachAnnotation =
    "volumes.kubernetes.io/controller-managed-attach-detach";
constexpr std::string_view kUnschedulableTaint = "node.kubernetes.io/unschedulable";
constexpr std::string_view kLinux = "linux";

// nodeStatusMaxImages, MaxNamesPerImageInNodeStatus.
constexpr size_t kMaxImages = 50;
constexpr size_t kMaxNames = 5;

Quantity Bytes(int64_t bytes) { return Quantity::FromInt(bytes, Quantity::Format::kBinarySI); }

Quantity Get(const ResourceList& list, std::string_view name) {
  const auto found = list.find(name);
  return found == list.end() ? Quantity() : found->second;
}

// "NetworkReady=false reason:… message:…", as kubelets print a condition of the runtime.
std::string TextOf(const wire::cri::RuntimeCondition& condition) {
  return condition.type + "=" + (condition.status ? "true" : "false") +
         " reason:" + condition.reason + " message:" + condition.message;
}

const wire::cri::RuntimeCondition* Find(const wire::cri::RuntimeStatus& status,
                                        std::string_view type) {
  const auto found = std::ranges::find(status.conditions, type, &wire::cri::RuntimeCondition::type);
  return found == status.conditions.end() ? nullptr : &*found;
}

// What `problem` says of the condition, when it is missing or false.
void AddProblem(const wire::cri::RuntimeStatus& status, std::string_view type,
                const std::string& problem, NodeHealth* health) {
  const auto* condition = Find(status, type);
  if (condition && condition->status) return;
  health->problems.push_back(problem + ": " + (condition ? TextOf(*condition) : "<nil>"));
}

// Reserved for eviction: of the signals that are about what pods are given.
Quantity EvictionReserve(const NodeSettings& settings, std::string_view resource,
                         const Quantity& capacity) {
  std::string_view signal;
  if (resource == "memory") signal = "memory.available";
  if (resource == "ephemeral-storage") signal = "nodefs.available";
  for (const EvictionThreshold& each : settings.eviction_hard) {
    if (signal.empty() || each.signal != signal) continue;
    return each.amount().Of(capacity);
  }
  return {};
}

void NotNegative(Quantity* value) {
  if (value->Sign() < 0) *value = Quantity::FromInt(0, value->format());
}

v1::NodeAddress Address(const char* type, const std::string& address) {
  v1::NodeAddress out;
  out.type = type;
  out.address = address;
  return out;
}

// Who wrote what: one of the three conditions of pressure.
struct Pressure {
  const char* type;
  const char* reason;  // while there is one
  const char* message;
  const char* event;
  const char* calm_reason;  // while there is none
  const char* calm_message;
  const char* calm_event;
};

constexpr Pressure kMemory = {"MemoryPressure",
                              "KubeletHasInsufficientMemory",
                              "kubelet has insufficient memory available",
                              "NodeHasInsufficientMemory",
                              "KubeletHasSufficientMemory",
                              "kubelet has sufficient memory available",
                              "NodeHasSufficientMemory"};
constexpr Pressure kDisk = {
    "DiskPressure",         "KubeletHasDiskPressure",   "kubelet has disk pressure",
    "NodeHasDiskPressure",  "KubeletHasNoDiskPressure", "kubelet has no disk pressure",
    "NodeHasNoDiskPressure"};
constexpr Pressure kPid = {"PIDPressure",
                           "KubeletHasInsufficientPID",
                           "kubelet has insufficient PID available",
                           "NodeHasInsufficientPID",
                           "KubeletHasSufficientPID",
                           "kubelet has sufficient PID available",
                           "NodeHasSufficientPID"};

// One update of a node's status.
class StatusWriter {
 public:
  StatusWriter(const NodeDescription& node, const NodeHealth& health, int64_t now, v1::Node* object)
      : node_(node),
        health_(health),
        now_(api::Time::FromUnix(now / kNanosPerSecond)),
        status_(object->status) {}

  std::vector<NodeEvent> Write() {
    SetAddresses();
    SetResources();
    SetInfo();
    status_.daemonEndpoints.kubeletEndpoint.Port = node_.settings.kubelet_port;
    status_.images = health_.images;
    status_.runtimeHandlers = health_.runtime_handlers;
    if (health_.features) status_.features = *health_.features;
    status_.declaredFeatures = node_.settings.declared_features;
    SetPressure(kMemory, health_.memory_pressure);
    SetPressure(kDisk, health_.disk_pressure);
    SetPressure(kPid, health_.pid_pressure);
    SetReady();
    return std::move(events_);
  }

 private:
  void SetAddresses() {
    status_.addresses.clear();
    for (const std::string& each : node_.addresses) {
      status_.addresses.push_back(Address("InternalIP", each));
    }
    status_.addresses.push_back(Address("Hostname", node_.settings.hostname));
  }

  // What others count here, extended resources, stays: no plugin of ours could have gone away.
  void SetResources() {
    const ResourceList capacity = CapacityOf(node_);
    for (const auto& [name, value] : capacity) status_.capacity[name] = value;
    std::erase_if(status_.allocatable, [&](const auto& each) {
      return api::IsExtendedResourceName(each.first) && !status_.capacity.contains(each.first);
    });
    for (auto& [name, value] : AllocatableOf(node_, status_.capacity)) {
      status_.allocatable[name] = value;
    }
  }

  void SetInfo() {
    const MachineFacts& machine = node_.machine;
    v1::NodeSystemInfo& info = status_.nodeInfo;
    if (!info.bootID.empty() && info.bootID != machine.boot_id) {
      events_.push_back({EventType::kWarning, "Rebooted",
                         "Node " + node_.name + " has been rebooted, boot id: " + machine.boot_id});
    }
    info.machineID = machine.machine_id;
    info.systemUUID = machine.system_uuid;
    info.bootID = machine.boot_id;
    info.kernelVersion = machine.kernel_version;
    info.osImage = machine.os_image;
    info.containerRuntimeVersion = node_.settings.runtime_version;
    info.kubeletVersion = node_.settings.kubelet_version;
    info.kubeProxyVersion.clear();
    info.operatingSystem = kLinux;
    info.architecture = machine.architecture;
    if (machine.swap_bytes != 0) info.swap.ensure().capacity = machine.swap_bytes;
  }

  v1::NodeCondition* Find(std::string_view type) {
    const auto found = std::ranges::find(status_.conditions, type, &v1::NodeCondition::type);
    return found == status_.conditions.end() ? nullptr : &*found;
  }

  void SetPressure(const Pressure& words, bool pressure) {
    v1::NodeCondition* condition = Find(words.type);
    if (!condition) {
      condition = &status_.conditions.emplace_back();
      condition->type = words.type;
      condition->status = "Unknown";
    }
    condition->lastHeartbeatTime = now_;
    const char* status = pressure ? "True" : "False";
    if (condition->status == status) return;
    condition->status = status;
    condition->reason = pressure ? words.reason : words.calm_reason;
    condition->message = pressure ? words.message : words.calm_message;
    condition->lastTransitionTime = now_;
    TellStatus(pressure ? words.event : words.calm_event);
  }

  std::string Problems() const {
    std::vector<std::string> problems;
    const auto add = [&](const std::string& problem) {
      if (std::ranges::find(problems, problem) == problems.end()) problems.push_back(problem);
    };
    std::ranges::for_each(health_.problems, add);
    std::vector<std::string_view> missing;
    for (const std::string_view name : {"cpu", "memory", "pods", "ephemeral-storage"}) {
      if (!status_.capacity.contains(name)) missing.push_back(name);
    }
    if (!missing.empty()) add("missing node capacity for resources: " + Join(missing, ", "));
    // As Go prints several errors at once.
    if (problems.size() < 2) return Join(problems, "");
    return "[" + Join(problems, ", ") + "]";
  }

  void SetReady() {
    const std::string problems = Problems();
    v1::NodeCondition ready;
    ready.type = "Ready";
    ready.status = problems.empty() ? "True" : "False";
    ready.reason = problems.empty() ? "KubeletReady" : "KubeletNotReady";
    ready.message = problems.empty() ? "kubelet is posting ready status" : problems;
    ready.lastHeartbeatTime = now_;
    ready.lastTransitionTime = now_;
    v1::NodeCondition* before = Find("Ready");
    if (!before) {
      status_.conditions.push_back(std::move(ready));
      return;
    }
    const bool changed = before->status != ready.status;
    if (!changed) ready.lastTransitionTime = before->lastTransitionTime;
    *before = std::move(ready);
    if (changed) TellStatus(problems.empty() ? "NodeReady" : "NodeNotReady");
  }

  void TellStatus(const std::string& event) {
    events_.push_back(
        {EventType::kNormal, event, "Node " + node_.name + " status is now: " + event});
  }

  const NodeDescription& node_;
  const NodeHealth& health_;
  const api::Time now_;
  v1::NodeStatus& status_;
  std::vector<NodeEvent> events_;
};

// Members of one map, or both maps, become those of the other.
template <class Map>
bool SetValue(Map* map, const std::string& key, const typename Map::mapped_type& value) {
  const auto found = map->find(key);
  if (found != map->end() && found->second == value) return false;
  (*map)[key] = value;
  return true;
}

bool ReconcileLabels(const v1::Node& initial, v1::Node* existing) {
  static constexpr std::array<std::string_view, 11> kDefaultLabels = {
      kHostname,
      "topology.kubernetes.io/zone",
      "topology.kubernetes.io/region",
      "failure-domain.beta.kubernetes.io/zone",
      "failure-domain.beta.kubernetes.io/region",
      "node.kubernetes.io/instance-type",
      "beta.kubernetes.io/instance-type",
      kOs,
      kArch,
      kBetaOs,
      kBetaArch,
  };
  bool changed = false;
  for (const std::string_view key : kDefaultLabels) {
    const auto wanted = initial.metadata.labels.find(key);
    if (wanted == initial.metadata.labels.end()) continue;
    auto& labels = existing->metadata.labels;
    changed = SetValue(&labels, wanted->first, wanted->second) || changed;
    if (wanted->second.empty()) labels.erase(wanted->first);
  }
  return changed;
}

bool ReconcileHugePages(const v1::Node& initial, v1::Node* existing) {
  bool changed = false;
  const v1::NodeStatus& wanted = initial.status;
  v1::NodeStatus& status = existing->status;
  if (status.capacity.empty() && !wanted.capacity.empty()) {
    status.capacity = wanted.capacity;
    changed = true;
  }
  if (status.allocatable.empty() && !wanted.allocatable.empty()) {
    status.allocatable = wanted.allocatable;
    changed = true;
  }
  for (const auto& [name, value] : wanted.capacity) {
    if (!api::IsHugePageResourceName(name)) continue;
    changed = SetValue(&status.capacity, name, value) || changed;
    changed = SetValue(&status.allocatable, name, Get(wanted.allocatable, name)) || changed;
  }
  // Sizes that the kernel has no more.
  const auto gone = [&](const auto& each) {
    return api::IsHugePageResourceName(each.first) && !wanted.capacity.contains(each.first);
  };
  changed = std::erase_if(status.capacity, gone) > 0 || changed;
  return std::erase_if(status.allocatable, gone) > 0 || changed;
}

Result<reflect::JsonValue> TreeOf(const v1::Node& node) {
  TRY(const std::string json, reflect::ToJson(node));
  return reflect::ParseJson(json);
}

}  // namespace

std::vector<v1::ContainerImage> ImagesForStatus(std::vector<ListedImage> images) {
  std::ranges::sort(images, [](const ListedImage& a, const ListedImage& b) {
    return a.size == b.size ? a.id > b.id : a.size > b.size;
  });
  if (images.size() > kMaxImages) images.resize(kMaxImages);
  std::vector<v1::ContainerImage> out;
  for (ListedImage& image : images) {
    v1::ContainerImage& told = out.emplace_back();
    told.sizeBytes = image.size;
    for (const auto* names : {&image.digests, &image.tags}) {
      for (const std::string& name : *names) {
        if (told.names.size() < kMaxNames) told.names.push_back(name);
      }
    }
    told.names.present = true;
  }
  return out;
}

NodeHealth HealthOfRuntime(const Result<wire::cri::StatusResponse>& status) {
  NodeHealth health;
  if (!status.ok() || !status->status) {
    health.problems.emplace_back("container runtime is down");
    return health;
  }
  AddProblem(*status->status, wire::cri::kRuntimeReady, "container runtime not ready", &health);
  AddProblem(*status->status, wire::cri::kNetworkReady, "container runtime network not ready",
             &health);
  for (const wire::cri::RuntimeHandler& each : status->runtime_handlers) {
    v1::NodeRuntimeHandler& handler = health.runtime_handlers.emplace_back();
    handler.name = each.name;
    const bool known = each.features.has_value();
    auto& features = handler.features.ensure();
    features.recursiveReadOnlyMounts = known && each.features->recursive_read_only_mounts;
    features.userNamespaces = known && each.features->user_namespaces;
  }
  std::ranges::sort(health.runtime_handlers, {}, &v1::NodeRuntimeHandler::name);
  if (status->features) {
    health.features.emplace().supplementalGroupsPolicy =
        status->features->supplemental_groups_policy;
  }
  return health;
}

ResourceList CapacityOf(const NodeDescription& node) {
  const MachineFacts& machine = node.machine;
  ResourceList capacity;
  capacity["cpu"] = Quantity::FromMilli(machine.cpus * 1000);
  capacity["memory"] = Bytes(machine.memory_bytes);
  capacity["pods"] = Quantity::FromInt(node.settings.max_pods);
  if (machine.disk_bytes > 0) capacity["ephemeral-storage"] = Bytes(machine.disk_bytes);
  for (const auto& [size, count] : machine.huge_pages) {
    capacity["hugepages-" + Bytes(size).String()] = Bytes(size * count);
  }
  return capacity;
}

ResourceList AllocatableOf(const NodeDescription& node, const ResourceList& capacity) {
  ResourceList allocatable;
  for (const auto& [name, value] : capacity) {
    Quantity left = value;
    left.Sub(Get(node.settings.system_reserved, name));
    left.Sub(Get(node.settings.kube_reserved, name));
    left.Sub(EvictionReserve(node.settings, name, value));
    NotNegative(&left);
    allocatable[name] = left;
  }
  const auto memory = allocatable.find("memory");
  if (memory == allocatable.end()) return allocatable;
  for (const auto& [name, value] : capacity) {
    if (!api::IsHugePageResourceName(name)) continue;
    memory->second.Sub(value);
    NotNegative(&memory->second);
  }
  return allocatable;
}

v1::Node InitialNode(const NodeDescription& node, const NodeHealth& health, int64_t now,
                     std::vector<NodeEvent>* events) {
  const NodeSettings& settings = node.settings;
  v1::Node object;
  object.kind = "Node";
  object.apiVersion = "v1";
  object.metadata.name = node.name;
  auto& labels = object.metadata.labels;
  labels[std::string(kHostname)] = settings.hostname;
  for (const std::string_view key : {kOs, kBetaOs}) labels[std::string(key)] = kLinux;
  for (const std::string_view key : {kArch, kBetaArch}) {
    labels[std::string(key)] = node.machine.architecture;
  }
  for (const auto& [key, value] : settings.labels) labels[key] = value;
  object.metadata.annotations[std::string(kAttachAnnotation)] = "true";
  object.spec.unschedulable = !settings.register_schedulable;
  object.spec.taints = settings.taints;
  // At once, and not when the controller gets to it: no pod comes in between.
  const bool marked = std::ranges::any_of(settings.taints, [](const v1::Taint& each) {
    return each.key == kUnschedulableTaint && each.effect == "NoSchedule";
  });
  if (object.spec.unschedulable && !marked) {
    v1::Taint& taint = object.spec.taints.emplace_back();
    taint.key = kUnschedulableTaint;
    taint.effect = "NoSchedule";
  }
  auto told = SetNodeStatus(node, health, now, &object);
  if (events) *events = std::move(told);
  return object;
}

std::vector<NodeEvent> SetNodeStatus(const NodeDescription& node, const NodeHealth& health,
                                     int64_t now, v1::Node* object) {
  return StatusWriter(node, health, now, object).Write();
}

bool ReconcileNode(const v1::Node& initial, v1::Node* existing) {
  const bool annotation =
      SetValue(&existing->metadata.annotations, std::string(kAttachAnnotation), "true");
  const bool labels = ReconcileLabels(initial, existing);
  return ReconcileHugePages(initial, existing) || labels || annotation;
}

bool RestoreRequiredLabels(const NodeDescription& node, v1::Node* object) {
  auto& labels = object->metadata.labels;
  const bool os = SetValue(&labels, std::string(kOs), std::string(kLinux));
  return SetValue(&labels, std::string(kArch), node.machine.architecture) || os;
}

bool NodeStatusHasChanged(const v1::NodeStatus& before, const v1::NodeStatus& after) {
  const auto comparable = [](const v1::NodeStatus& status) {
    v1::NodeStatus copy = reflect::Copy(status);
    std::ranges::sort(copy.conditions, {}, &v1::NodeCondition::type);
    for (v1::NodeCondition& each : copy.conditions) each.lastHeartbeatTime = {};
    return copy;
  };
  return !reflect::Equal(comparable(before), comparable(after));
}

Result<std::string> NodeStatusPatch(const v1::Node& before, v1::Node after) {
  after.spec = before.spec;
  TRY(const reflect::JsonValue from, TreeOf(before));
  TRY(reflect::JsonValue to, TreeOf(after));
  const bool readdressed =
      !before.status.addresses.empty() &&
      !std::ranges::equal(before.status.addresses, after.status.addresses,
                          [](const auto& a, const auto& b) { return reflect::Equal(a, b); });
  reflect::JsonValue addresses;
  if (readdressed) {
    addresses = *to.Find("status")->Find("addresses");
    to.Find("status")->Set("addresses", *from.Find("status")->Find("addresses"));
  }
  TRY(reflect::JsonValue patch, reflect::MakeStrategicPatch(reflect::TypeOf<v1::Node>(), from, to));
  if (readdressed) {
    reflect::JsonValue replace = reflect::JsonValue::Of(reflect::JsonValue::Object{});
    replace.Set("$patch", reflect::JsonValue::String("replace"));
    addresses.array().push_back(std::move(replace));
    if (!patch.Find("status")) {
      patch.Set("status", reflect::JsonValue::Of(reflect::JsonValue::Object{}));
    }
    patch.Find("status")->Set("addresses", std::move(addresses));
  }
  return reflect::ToText(patch);
}

}  // namespace podium::node
