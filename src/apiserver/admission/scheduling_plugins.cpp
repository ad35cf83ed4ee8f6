// Priority, DefaultTolerationSeconds, TaintNodesByCondition, PodTopologyLabels and
// PodResizeValidator: what pods and nodes get or must have for the scheduler's sake (upstream's
// k8s.io/kubernetes/plugin/pkg/admission/{priority, defaulttolerationseconds, nodetaint,
// podtopologylabels, podresize}, release 1.36).
#include <fmt/format.h>

#include <algorithm>

#include "api/pod_amounts.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/types/scheduling_v1.h"
#include "apiserver/admission/plugins.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Binding;
using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Toleration;
using api::scheduling::v1::PriorityClass;
using ClassPtr = std::shared_ptr<const PriorityClass>;

constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";

bool IsCreateOrUpdate(Operation operation) {
  return operation == Operation::kCreate || operation == Operation::kUpdate;
}

class Priority final : public AdmissionPlugin {
 public:
  explicit Priority(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "Priority"; }
  bool Handles(Operation operation) const override { return IsCreateOrUpdate(operation); }

  Result<void> Admit(AdmissionRequest& request) override {
    Pod* const pod = request.Is("", "pods") ? request.As<Pod>() : nullptr;
    if (pod == nullptr) return {};
    if (request.operation == Operation::kCreate) return AdmitNew(request, pod);
    // Who writes an old pod may leave out what came from here; anything else is not changed, and
    // validation says so.
    if (const Pod* old = request.OldAs<Pod>()) {
      if (!pod->spec.priority) pod->spec.priority = old->spec.priority;
      if (!pod->spec.preemptionPolicy) pod->spec.preemptionPolicy = old->spec.preemptionPolicy;
    }
    return {};
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is("scheduling.k8s.io", "priorityclasses")) return {};
    const auto* written = request.As<PriorityClass>();
    if (written == nullptr || !written->globalDefault) return {};
    TRY(const ClassPtr other, Default());
    if (other == nullptr || (request.operation == Operation::kUpdate &&
                             other->metadata.name == written->metadata.name)) {
      return {};
    }
    return request.Forbid(
        fmt::format("PriorityClass {} is already marked as default. Only one default can exist",
                    other->metadata.name));
  }

 private:
  // Of several, as a race may leave them, the one with the lowest value. Null for none.
  Result<ClassPtr> Default() const {
    TRY(const auto classes, objects_.List<PriorityClass>(""));
    ClassPtr lowest;
    for (const ClassPtr& each : classes) {
      if (each->globalDefault && (lowest == nullptr || lowest->value > each->value)) lowest = each;
    }
    return lowest;
  }

  Result<void> AdmitNew(const AdmissionRequest& request, Pod* pod) const {
    std::string& name = pod->spec.priorityClassName;
    ClassPtr from;
    if (name.empty()) {
      TRY(from, Default());
      if (from != nullptr) name = from->metadata.name;
    } else {
      TRY(from, objects_.Get<PriorityClass>("", name));
      if (from == nullptr) {
        return request.Forbid("no PriorityClass with name " + name + " was found");
      }
    }
    const int32_t value = from != nullptr ? from->value : 0;
    if (pod->spec.priority && *pod->spec.priority != value) {
      return request.Forbid(fmt::format(
          "the integer value of priority ({}) must not be provided in pod spec; priority admission "
          "controller computed {} from the given PriorityClass name",
          *pod->spec.priority, value));
    }
    pod->spec.priority = value;
    if (from == nullptr || !from->preemptionPolicy) return {};
    if (pod->spec.preemptionPolicy && *pod->spec.preemptionPolicy != *from->preemptionPolicy) {
      return request.Forbid(fmt::format(
          "the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority "
          "admission controller computed {} from the given PriorityClass name",
          *pod->spec.preemptionPolicy, *from->preemptionPolicy));
    }
    pod->spec.preemptionPolicy = from->preemptionPolicy;
    return {};
  }

  const Objects& objects_;
};

class DefaultTolerationSeconds final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "DefaultTolerationSeconds"; }
  bool Handles(Operation operation) const override { return IsCreateOrUpdate(operation); }

  Result<void> Admit(AdmissionRequest& request) override {
    Pod* const pod = request.Is("", "pods") ? request.As<Pod>() : nullptr;
    if (pod == nullptr) return {};
    for (const std::string_view taint : {kNotReady, kUnreachable}) {
      if (Tolerates(*pod, taint)) continue;
      Toleration& added = pod->spec.tolerations.emplace_back();
      added.key = taint;
      added.operator_ = "Exists";
      added.effect = "NoExecute";
      added.tolerationSeconds = kSeconds;
    }
    return {};
  }

 private:
  static constexpr int64_t kSeconds = 300;

  static bool Tolerates(const Pod& pod, std::string_view taint) {
    return std::ranges::any_of(pod.spec.tolerations, [&](const Toleration& each) {
      return (each.key == taint || each.key.empty()) &&
             (each.effect == "NoExecute" || each.effect.empty());
    });
  }
};

// A node that registers takes no pods before somebody has seen it ready.
class TaintNodesByCondition final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "TaintNodesByCondition"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Admit(AdmissionRequest& request) override {
    Node* const node = request.Is("", "nodes") ? request.As<Node>() : nullptr;
    if (node == nullptr) return {};
    const bool has_it = std::ranges::any_of(node->spec.taints, [](const auto& taint) {
      return taint.key == kNotReady && taint.effect == "NoSchedule";
    });
    if (has_it) return {};
    auto& taint = node->spec.taints.emplace_back();
    taint.key = kNotReady;
    taint.effect = "NoSchedule";
    return {};
  }
};

// A pod carries the zone and region of its node, which its containers can read by the downward API.
class PodTopologyLabels final : public AdmissionPlugin {
 public:
  explicit PodTopologyLabels(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "PodTopologyLabels"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Admit(AdmissionRequest& request) override {
    if (request.Is("", "pods")) {
      if (auto* pod = request.As<Pod>()) return Label(pod->spec.nodeName, &pod->metadata.labels);
    }
    if (request.Is("", "pods", "binding")) {
      auto* binding = request.As<Binding>();
      if (binding != nullptr && binding->target.kind == "Node") {
        return Label(binding->target.name, &binding->metadata.labels);
      }
    }
    return {};
  }

 private:
  Result<void> Label(const std::string& node_name, reflect::Map<std::string>* labels) const {
    if (node_name.empty()) return {};
    TRY(const auto node, objects_.Get<Node>("", node_name));
    if (node == nullptr) return {};
    for (const std::string_view key :
         {"topology.kubernetes.io/zone", "topology.kubernetes.io/region"}) {
      const auto found = node->metadata.labels.find(key);
      if (found != node->metadata.labels.end()) labels->emplace(found->first, found->second);
    }
    return {};
  }

  const Objects& objects_;
};

class PodResizeValidator final : public AdmissionPlugin {
 public:
  explicit PodResizeValidator(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "PodResizeValidator"; }
  bool Handles(Operation operation) const override { return operation == Operation::kUpdate; }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is("", "pods", "resize")) return {};
    const Pod* pod = request.As<Pod>();
    const Pod* old = request.OldAs<Pod>();
    if (pod == nullptr || old == nullptr || pod->spec.nodeName.empty()) return {};
    // It grows whenever the spec changes.
    if (pod->metadata.generation == old->metadata.generation) return {};
    const std::string node_name = reflect::GoQuoted(pod->spec.nodeName);
    TRY(const auto node, objects_.Get<Node>("", pod->spec.nodeName));
    if (node == nullptr) return request.Forbid("node " + node_name + " not found");
    if (const std::string missing = Missing(*pod, *node); !missing.empty()) {
      return WithCause(request.Forbid("Node didn't have enough allocatable resources: " + missing),
                       "NodeCapacity");
    }
    const auto os = node->metadata.labels.find("kubernetes.io/os");
    const std::string system = os == node->metadata.labels.end() ? "" : os->second;
    if (system == "linux") return {};
    return WithCause(
        request.Forbid(fmt::format("pod resize is only supported on linux nodes, node {} is {}",
                                   node_name, reflect::GoQuoted(system))),
        "UnsupportedPlatform");
  }

 private:
  using Amounts = reflect::Map<api::Quantity>;

  static api::Quantity Amount(const Amounts& amounts, std::string_view name) {
    const auto found = amounts.find(name);
    return found == amounts.end() ? api::Quantity() : found->second;
  }
  static std::string Missing(const Pod& pod, const Node& node) {
    const Amounts requests = api::AmountsOf(pod.spec, true).requests;
    const Amounts& allocatable = node.status.allocatable;
    std::vector<std::string> missing;
    const int64_t cpu = Amount(requests, "cpu").MilliValue();
    const int64_t cpu_there = Amount(allocatable, "cpu").MilliValue();
    if (cpu > cpu_there) {
      missing.push_back(fmt::format("cpu, requested: {}, allocatable: {}", cpu, cpu_there));
    }
    const int64_t memory = Amount(requests, "memory").Value();
    const int64_t memory_there = Amount(allocatable, "memory").Value();
    if (memory > memory_there) {
      missing.push_back(
          fmt::format("memory, requested: {}, allocatable: {}", memory, memory_there));
    }
    return Join(missing, "; ");
  }
  static Error WithCause(const Error& error, std::string reason) {
    auto status = api::StatusOf(error);
    status.details.ensure().causes.emplace_back().reason = std::move(reason);
    return api::StatusError(std::move(status));
  }

  const Objects& objects_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewPriority(const AdmissionDependencies& dependencies) {
  return std::make_unique<Priority>(dependencies.objects);
}
std::unique_ptr<AdmissionPlugin> NewDefaultTolerationSeconds(const AdmissionDependencies&) {
  return std::make_unique<DefaultTolerationSeconds>();
}
std::unique_ptr<AdmissionPlugin> NewTaintNodesByCondition(const AdmissionDependencies&) {
  return std::make_unique<TaintNodesByCondition>();
}
std::unique_ptr<AdmissionPlugin> NewPodTopologyLabels(const AdmissionDependencies& dependencies) {
  return std::make_unique<PodTopologyLabels>(dependencies.objects);
}
std::unique_ptr<AdmissionPlugin> NewPodResizeValidator(const AdmissionDependencies& dependencies) {
  return std::make_unique<PodResizeValidator>(dependencies.objects);
}

}  // namespace podium::apiserver
