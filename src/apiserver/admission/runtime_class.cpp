// RuntimeClass: a pod has the overhead and the nodes of the class it names (upstream's
// k8s.io/kubernetes/plugin/pkg/admission/runtimeclass, release 1.36).
#include <fmt/format.h>

#include <algorithm>

#include "api/types/core_v1.h"
#include "api/types/node_v1.h"
#include "apiserver/admission/plugins.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Pod;
using api::core::v1::Toleration;
using api::node::v1::RuntimeClass;
using ClassPtr = std::shared_ptr<const RuntimeClass>;
using Tolerations = reflect::List<Toleration>;

// Whether whatever `less` tolerates, `more` tolerates too.
bool Covers(const Toleration& more, const Toleration& less) {
  if (reflect::Equal(more, less)) return true;
  const bool any_key = more.key.empty() && more.operator_ == "Exists";
  if (more.key != less.key && !any_key) return false;
  if (more.effect != less.effect && !more.effect.empty()) return false;
  if (more.effect == "NoExecute" && more.tolerationSeconds &&
      (!less.tolerationSeconds || *less.tolerationSeconds > *more.tolerationSeconds)) {
    return false;
  }
  if (more.operator_ == "Exists") return true;
  if (more.operator_ != "Equal" && !more.operator_.empty()) return false;
  return less.operator_ == "Equal" && less.value == more.value;
}

// Both, without those that others cover; of equal ones the first stays.
Tolerations Merge(const Tolerations& first, const Tolerations& second) {
  Tolerations all = first;
  all.insert(all.end(), second.begin(), second.end());
  Tolerations merged;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto covers_it = [&](const Toleration& other) { return Covers(other, all[i]); };
    if (std::ranges::any_of(merged, covers_it)) continue;
    const bool covered_later = std::any_of(
        all.begin() + static_cast<ptrdiff_t>(i) + 1, all.end(),
        [&](const auto& other) { return !reflect::Equal(other, all[i]) && covers_it(other); });
    if (!covered_later) merged.push_back(all[i]);
  }
  return merged;
}

class RuntimeClassPlugin final : public AdmissionPlugin {
 public:
  explicit RuntimeClassPlugin(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "RuntimeClass"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Admit(AdmissionRequest& request) override {
    Pod* const pod = request.Is("", "pods") ? request.As<Pod>() : nullptr;
    if (pod == nullptr) return {};
    TRY(const ClassPtr named, ClassOf(request, *pod));
    if (named == nullptr) return {};
    if (named->overhead) {
      if (!pod->spec.overhead.empty() && pod->spec.overhead != named->overhead->podFixed) {
        return DifferentOverhead(request);
      }
      pod->spec.overhead = named->overhead->podFixed;
    }
    if (!named->scheduling) return {};
    for (const auto& [key, value] : named->scheduling->nodeSelector) {
      const auto& own = pod->spec.nodeSelector.emplace(key, value).first->second;
      if (own == value) continue;
      return request.Forbid(
          fmt::format("conflict: runtimeClass.scheduling.nodeSelector[{}] = {}; "
                      "pod.spec.nodeSelector[{}] = {}",
                      key, value, key, own));
    }
    pod->spec.tolerations = Merge(pod->spec.tolerations, named->scheduling->tolerations);
    return {};
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    const Pod* pod = request.Is("", "pods") ? request.As<Pod>() : nullptr;
    if (pod == nullptr) return {};
    TRY(const ClassPtr named, ClassOf(request, *pod));
    if (named != nullptr && named->overhead) {
      if (pod->spec.overhead != named->overhead->podFixed) return DifferentOverhead(request);
    } else if (!pod->spec.overhead.empty()) {
      return request.Forbid(
          "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
    return {};
  }

 private:
  static Error DifferentOverhead(const AdmissionRequest& request) {
    return request.Forbid(
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  // Null when the pod names none.
  Result<ClassPtr> ClassOf(const AdmissionRequest& request, const Pod& pod) const {
    if (!pod.spec.runtimeClassName) return ClassPtr();
    TRY(ClassPtr named, objects_.Get<RuntimeClass>("", *pod.spec.runtimeClassName));
    if (named != nullptr) return named;
    return request.Forbid("pod rejected: RuntimeClass " +
                          reflect::GoQuoted(*pod.spec.runtimeClassName) + " not found");
  }

  const Objects& objects_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewRuntimeClass(const AdmissionDependencies& dependencies) {
  return std::make_unique<RuntimeClassPlugin>(dependencies.objects);
}

}  // namespace podium::apiserver
