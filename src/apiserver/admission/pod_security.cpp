// PodSecurity: pods of a namespace keep to the standard that its labels say (upstream's
// k8s.io/pod-security-admission/admission and
// k8s.io/kubernetes/plugin/pkg/admission/security/podsecurity, release 1.36).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "api/status.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/pod_security_policy.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Namespace;
using api::core::v1::Pod;
using api::core::v1::PodSpec;
using api::core::v1::PodTemplateSpec;
using Annotations = reflect::Map<std::string>;

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return !name.empty() && std::ranges::find(names, name) != names.end();
}

void Annotate(const AdmissionRequest& request, std::string_view key, std::string value) {
  request.Annotate("pod-security.kubernetes.io/" + std::string(key), std::move(value));
}

// The template of what makes pods; null for other objects, and where there is none.
const PodTemplateSpec* TemplateOf(const AdmissionRequest& request) {
  if (const auto* o = request.As<api::core::v1::PodTemplate>()) return &o->template_;
  if (const auto* o = request.As<api::core::v1::ReplicationController>()) {
    return o->spec.template_.get();
  }
  if (const auto* o = request.As<api::apps::v1::ReplicaSet>()) return &o->spec.template_;
  if (const auto* o = request.As<api::apps::v1::Deployment>()) return &o->spec.template_;
  if (const auto* o = request.As<api::apps::v1::StatefulSet>()) return &o->spec.template_;
  if (const auto* o = request.As<api::apps::v1::DaemonSet>()) return &o->spec.template_;
  if (const auto* o = request.As<api::batch::v1::Job>()) return &o->spec.template_;
  if (const auto* o = request.As<api::batch::v1::CronJob>()) {
    return &o->spec.jobTemplate.spec.template_;
  }
  return nullptr;
}

std::string_view Value(const Annotations& annotations, const std::string& key) {
  const auto found = annotations.find(key);
  return found == annotations.end() ? std::string_view() : found->second;
}

// Of what can change in a pod, only this counts: images, containers, old annotations of profiles.
bool IsSignificant(const Pod& pod, const Pod& old) {
  const Annotations& now = pod.metadata.annotations;
  const Annotations& before = old.metadata.annotations;
  const auto differ = [&](const auto& container, const auto& other) {
    const std::string key = "container.seccomp.security.alpha.kubernetes.io/" + container.name;
    return container.image != other.image || Value(now, key) != Value(before, key);
  };
  const auto any_differs = [&](const auto& list, const auto& others) {
    if (list.size() != others.size()) return true;
    for (size_t i = 0; i < list.size(); ++i) {
      if (differ(list[i], others[i])) return true;
    }
    return false;
  };
  const std::string pod_key = "seccomp.security.alpha.kubernetes.io/pod";
  if (Value(now, pod_key) != Value(before, pod_key) ||
      any_differs(pod.spec.containers, old.spec.containers) ||
      any_differs(pod.spec.initContainers, old.spec.initContainers)) {
    return true;
  }
  return std::ranges::any_of(pod.spec.ephemeralContainers, [&](const auto& container) {
    const auto other = std::ranges::find(old.spec.ephemeralContainers, container.name,
                                         &api::core::v1::EphemeralContainer::name);
    return other == old.spec.ephemeralContainers.end() || differ(container, *other);
  });
}

class PodSecurity final : public AdmissionPlugin {
 public:
  explicit PodSecurity(const AdmissionDependencies& dependencies)
      : objects_(dependencies.objects),
        clock_(dependencies.clock),
        configuration_(dependencies.pod_security) {}

  std::string_view name() const override { return "PodSecurity"; }
  bool Handles(Operation operation) const override {
    return operation == Operation::kCreate || operation == Operation::kUpdate;
  }

  // All pods of a namespace whose standard becomes stricter are looked at.
  bool MayBlock(const AdmissionRequest& request) const override {
    return StricterPolicyOf(request).has_value();
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (request.Is("", "namespaces")) return CheckNamespace(request);
    if (request.group.empty() && request.resource == "pods") return CheckPod(request);
    const PodTemplateSpec* made = request.subresource.empty() ? TemplateOf(request) : nullptr;
    if (made == nullptr || IsExempt(request, false)) return {};
    api::field::ErrorList errors;
    TRY(const SecurityPolicy policy, PolicyOfNamespace(request, &errors));
    if (errors.empty() && policy.warn.level == SecurityLevel::kPrivileged &&
        policy.audit.level == SecurityLevel::kPrivileged) {
      return {};
    }
    return Evaluate(request, policy, errors, made->metadata.annotations, made->spec, false);
  }

 private:
  // As many pods are looked at when a namespace changes, and for as long.
  static constexpr size_t kMostPods = 3000;
  static constexpr int64_t kMostTime = kNanosPerSecond;

  Result<void> CheckPod(const AdmissionRequest& request) const {
    const Pod* pod = request.As<Pod>();
    // Of subresources those that write a pod, and not the status.
    if (pod == nullptr || request.subresource == "status") return {};
    if (IsExempt(request, true)) return {};
    api::field::ErrorList errors;
    TRY(const SecurityPolicy policy, PolicyOfNamespace(request, &errors));
    if (errors.empty() && policy.enforce.level == SecurityLevel::kPrivileged &&
        policy.warn.level == SecurityLevel::kPrivileged &&
        policy.audit.level == SecurityLevel::kPrivileged) {
      Annotate(request, "enforce-policy", "privileged:latest");
      return {};
    }
    const Pod* old = request.OldAs<Pod>();
    if (request.operation == Operation::kUpdate && old != nullptr && !IsSignificant(*pod, *old)) {
      return {};
    }
    return Evaluate(request, policy, errors, pod->metadata.annotations, pod->spec, true);
  }

  bool IsExempt(const AdmissionRequest& request, bool annotate) const {
    const bool by_namespace = Contains(configuration_.exempt_namespaces, request.namespace_);
    if (!by_namespace && !Contains(configuration_.exempt_users, request.user->name)) return false;
    if (annotate) Annotate(request, "exempt", by_namespace ? "namespace" : "user");
    return true;
  }

  Result<SecurityPolicy> PolicyOfNamespace(const AdmissionRequest& request,
                                           api::field::ErrorList* errors) const {
    TRY(const auto found, objects_.Get<Namespace>("", request.namespace_));
    if (found == nullptr) {
      return api::InternalError("failed to lookup namespace " + std::string(request.namespace_));
    }
    return PolicyOf(found->metadata.labels, configuration_.defaults, errors);
  }

  // Templates are not refused: their pods will be.
  Result<void> Evaluate(const AdmissionRequest& request, const SecurityPolicy& policy,
                        const api::field::ErrorList& errors, const Annotations& annotations,
                        const PodSpec& spec, bool enforce) const {
    if (Contains(configuration_.exempt_runtime_classes, spec.runtimeClassName.value_or(""))) {
      Annotate(request, "exempt", "runtimeClass");
      return {};
    }
    if (!errors.empty()) {
      Annotate(request, "error", "Failed to parse policy: " + errors.AggregateText());
    }
    const auto problem = [&](const LevelVersion& standard) {
      const auto violations = ViolationsOf(standard, annotations, spec);
      if (violations.empty()) return std::string();
      return fmt::format("violate PodSecurity {}: {}", reflect::GoQuoted(standard.String()),
                         DetailsOf(violations));
    };
    if (enforce) Annotate(request, "enforce-policy", policy.enforce.String());
    const std::string refused = enforce ? problem(policy.enforce) : "";
    if (const std::string seen = problem(policy.audit); !seen.empty()) {
      Annotate(request, "audit-violations", "would " + seen);
    }
    if (!refused.empty()) {
      constexpr std::string_view kViolate = "violate";
      return request.Forbid("violates" + refused.substr(kViolate.size()));
    }
    if (std::string seen = problem(policy.warn); !seen.empty()) request.Warn("would " + seen);
    return {};
  }

  Result<void> CheckNamespace(const AdmissionRequest& request) const {
    const auto* written = request.As<Namespace>();
    if (written == nullptr) return {};
    api::field::ErrorList errors;
    PolicyOf(written->metadata.labels, configuration_.defaults, &errors);
    api::field::ErrorList old_errors;
    if (const auto* old = request.OldAs<Namespace>()) {
      PolicyOf(old->metadata.labels, configuration_.defaults, &old_errors);
    }
    // What was wrong before may stay.
    if (!errors.empty() && errors.AggregateText() != old_errors.AggregateText()) {
      return api::InvalidError("", "Namespace", written->metadata.name, errors);
    }
    if (const auto stricter = StricterPolicyOf(request)) {
      return WarnOfPods(request, written->metadata.name, *stricter);
    }
    return {};
  }

  // What a namespace will enforce that it did not before.
  std::optional<LevelVersion> StricterPolicyOf(const AdmissionRequest& request) const {
    const auto* written = request.Is("", "namespaces") ? request.As<Namespace>() : nullptr;
    const auto* old = request.OldAs<Namespace>();
    if (written == nullptr || old == nullptr) return std::nullopt;
    api::field::ErrorList ignored;
    const auto enforced = [&](const Namespace& each) {
      return PolicyOf(each.metadata.labels, configuration_.defaults, &ignored).enforce;
    };
    const LevelVersion now = enforced(*written);
    const LevelVersion before = enforced(*old);
    if (now == before || now.level == SecurityLevel::kPrivileged) return std::nullopt;
    if (now.version == before.version && now.level <= before.level) return std::nullopt;
    if (Contains(configuration_.exempt_namespaces, written->metadata.name)) return std::nullopt;
    return now;
  }

  Result<void> WarnOfPods(const AdmissionRequest& request, const std::string& name_space,
                          const LevelVersion& enforced) const {
    TRY(const auto pods, objects_.List<Pod>(name_space));
    const int64_t deadline = clock_.Now() + kMostTime;
    // By reasons: the first pod by name, and how many.
    std::map<std::string, std::pair<std::string, size_t>> found;
    size_t checked = 0;
    for (const auto& pod : pods) {
      if (checked == kMostPods || clock_.Now() > deadline) break;
      ++checked;
      if (Contains(configuration_.exempt_runtime_classes,
                   pod->spec.runtimeClassName.value_or(""))) {
        continue;
      }
      const auto violations = ViolationsOf(enforced, pod->metadata.annotations, pod->spec);
      if (violations.empty()) continue;
      auto& [first, count] = found[ReasonsOf(violations)];
      if (count++ == 0) first = pod->metadata.name;
    }
    if (checked < pods.size()) {
      request.Warn(
          fmt::format("new PodSecurity enforce level only checked against the first {} of "
                      "{} existing pods",
                      checked, pods.size()));
    }
    if (found.empty()) return {};
    request.Warn(
        fmt::format("existing pods in namespace {} violate the new PodSecurity enforce level {}",
                    reflect::GoQuoted(name_space), reflect::GoQuoted(enforced.String())));
    std::vector<std::string> warnings;
    for (const auto& [reasons, which] : found) {
      const size_t others = which.second - 1;
      const std::string more =
          others == 0 ? "" : fmt::format(" (and {} other pod{})", others, others == 1 ? "" : "s");
      warnings.push_back(fmt::format("{}{}: {}", which.first, more, reasons));
    }
    std::ranges::sort(warnings);
    for (std::string& warning : warnings) request.Warn(std::move(warning));
    return {};
  }

  const Objects& objects_;
  const Clock& clock_;
  const PodSecurityConfiguration configuration_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewPodSecurity(const AdmissionDependencies& dependencies) {
  return std::make_unique<PodSecurity>(dependencies);
}

}  // namespace podium::apiserver
