// ServiceAccount: every pod acts as an account of its namespace and gets its token (upstream's
// k8s.io/kubernetes/plugin/pkg/admission/serviceaccount, release 1.36).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>

#include "api/names.h"
#include "api/pod_references.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/validation/pod_annotations.h"
#include "apiserver/admission/plugins.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Container;
using api::core::v1::Pod;
using api::core::v1::ProjectedVolumeSource;
using api::core::v1::ServiceAccount;
using AccountPtr = std::shared_ptr<const ServiceAccount>;

constexpr std::string_view kVolumePrefix = "kube-api-access-";
constexpr std::string_view kMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kEnforceAnnotation = "kubernetes.io/enforce-mountable-secrets";
// An odd number, by which upstream knows the tokens that it made by itself.
constexpr int64_t kTokenSeconds = (60 * 60) + 7;

bool IsMirror(const Pod& pod) {
  return pod.metadata.annotations.contains(api::kMirrorPodAnnotation);
}

bool WantsToken(const ServiceAccount& account, const Pod& pod) {
  if (pod.spec.automountServiceAccountToken) return *pod.spec.automountServiceAccountToken;
  return account.automountServiceAccountToken.value_or(true);
}

ProjectedVolumeSource TokenSource() {
  ProjectedVolumeSource source;
  constexpr int32_t kReadableByAll = 0644;
  source.defaultMode = kReadableByAll;
  auto& token = source.sources.emplace_back().serviceAccountToken.emplace();
  token.path = "token";
  token.expirationSeconds = kTokenSeconds;
  auto& certificate = source.sources.emplace_back().configMap.emplace();
  certificate.name = "kube-root-ca.crt";
  auto& item = certificate.items.emplace_back();
  item.key = "ca.crt";
  item.path = "ca.crt";
  auto& name_space = source.sources.emplace_back().downwardAPI.emplace().items.emplace_back();
  name_space.path = "namespace";
  name_space.fieldRef.emplace() = {.apiVersion = "v1", .fieldPath = "metadata.namespace"};
  return source;
}

// True when the container got the mount, and so needs the volume.
bool MountToken(const std::string& volume, Container* container) {
  const bool has_one = std::ranges::any_of(
      container->volumeMounts, [](const auto& mount) { return mount.mountPath == kMountPath; });
  if (has_one) return false;
  auto& mount = container->volumeMounts.emplace_back();
  mount.name = volume;
  mount.readOnly = true;
  mount.mountPath = kMountPath;
  return true;
}

void MountToken(uint64_t random, Pod* pod) {
  const auto existing = std::ranges::find_if(
      pod->spec.volumes, [](const auto& each) { return each.name.starts_with(kVolumePrefix); });
  const bool exists = existing != pod->spec.volumes.end();
  const std::string volume = exists ? existing->name : api::GenerateName(kVolumePrefix, random);
  bool needed = false;
  for (Container& each : pod->spec.initContainers) needed = MountToken(volume, &each) || needed;
  for (Container& each : pod->spec.containers) needed = MountToken(volume, &each) || needed;
  if (exists || !needed) return;
  auto& added = pod->spec.volumes.emplace_back();
  added.name = volume;
  added.projected = TokenSource();
}

// strconv.ParseBool: anything else is false.
bool IsTrue(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  return std::ranges::find(kTrue, text) != kTrue.end();
}

bool EnforcesSecrets(const ServiceAccount& account) {
  const auto found = account.metadata.annotations.find(kEnforceAnnotation);
  return found != account.metadata.annotations.end() && IsTrue(found->second);
}

// What an account allows its pods to use, when it says so.
class MountableSecrets {
 public:
  explicit MountableSecrets(const ServiceAccount& account) : account_(account.metadata.name) {
    for (const auto& secret : account.secrets) secrets_.insert(secret.name);
    for (const auto& secret : account.imagePullSecrets) pull_secrets_.insert(secret.name);
  }

  std::optional<std::string> ProblemOf(const Pod& pod) const {
    for (const auto& volume : pod.spec.volumes) {
      if (volume.secret && !secrets_.contains(volume.secret->secretName)) {
        return fmt::format("volume with secret.secretName=\"{}\"{}", volume.secret->secretName,
                           NotAllowed("secret"));
      }
    }
    for (const auto& container : pod.spec.initContainers) {
      if (auto problem = ProblemOf("init container", container)) return problem;
    }
    for (const auto& container : pod.spec.containers) {
      if (auto problem = ProblemOf("container", container)) return problem;
    }
    for (size_t i = 0; i < pod.spec.imagePullSecrets.size(); ++i) {
      const std::string& name = pod.spec.imagePullSecrets[i].name;
      if (pull_secrets_.contains(name)) continue;
      return fmt::format("imagePullSecrets[{}].name=\"{}\"{}", i, name,
                         NotAllowed("imagePullSecret"));
    }
    return std::nullopt;
  }

  template <class AnyContainer>
  std::optional<std::string> ProblemOf(std::string_view what, const AnyContainer& container) const {
    for (const auto& variable : container.env) {
      if (!variable.valueFrom || !variable.valueFrom->secretKeyRef) continue;
      const std::string& secret = variable.valueFrom->secretKeyRef->name;
      if (secrets_.contains(secret)) continue;
      return fmt::format("{} {} with envVar {} referencing secret.secretName=\"{}\"{}", what,
                         container.name, variable.name, secret, NotAllowed("secret"));
    }
    for (const auto& source : container.envFrom) {
      if (!source.secretRef || secrets_.contains(source.secretRef->name)) continue;
      return fmt::format("{} {} with envFrom referencing secret.secretName=\"{}\"{}", what,
                         container.name, source.secretRef->name, NotAllowed("secret"));
    }
    return std::nullopt;
  }

 private:
  std::string NotAllowed(std::string_view what) const {
    return fmt::format(" is not allowed because service account {} does not reference that {}",
                       account_, what);
  }

  std::string account_;
  std::set<std::string, std::less<>> secrets_;
  std::set<std::string, std::less<>> pull_secrets_;
};

class ServiceAccountPlugin final : public AdmissionPlugin {
 public:
  explicit ServiceAccountPlugin(const AdmissionDependencies& dependencies)
      : dependencies_(dependencies) {}

  std::string_view name() const override { return "ServiceAccount"; }
  bool Handles(Operation operation) const override {
    return operation == Operation::kCreate || operation == Operation::kUpdate;
  }

  // While the account `default` of a new namespace is being made, by a controller.
  bool MayBlock(const AdmissionRequest& request) const override {
    const Pod* pod = CreatedPod(request);
    if (pod == nullptr || IsMirror(*pod)) return false;
    if (!pod->spec.serviceAccountName.empty() && pod->spec.serviceAccountName != "default") {
      return false;
    }
    const auto account = dependencies_.objects.Get<ServiceAccount>(request.namespace_, "default");
    return account.ok() && *account == nullptr;
  }

  Result<void> Admit(AdmissionRequest& request) override {
    Pod* const pod = CreatedPod(request);
    if (pod == nullptr) return {};
    // The kubelet would take back a mirror pod that is not as it wrote it.
    if (!IsMirror(*pod)) {
      if (pod->spec.serviceAccountName.empty()) pod->spec.serviceAccountName = "default";
      pod->spec.serviceAccount = pod->spec.serviceAccountName;
      TRY(const AccountPtr account, AccountOf(request, *pod, true));
      if (WantsToken(*account, *pod)) MountToken(dependencies_.random(), pod);
      if (pod->spec.imagePullSecrets.empty())
        pod->spec.imagePullSecrets = account->imagePullSecrets;
    }
    return CheckCreated(request, *pod);
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (const Pod* pod = CreatedPod(request)) return CheckCreated(request, *pod);
    const Pod* pod = request.As<Pod>();
    if (pod == nullptr || request.operation != Operation::kUpdate ||
        !request.Is("", "pods", "ephemeralcontainers")) {
      return {};
    }
    return CheckEphemeral(request, *pod);
  }

 private:
  static Pod* CreatedPod(const AdmissionRequest& request) {
    const bool created = request.operation == Operation::kCreate && request.Is("", "pods");
    return created ? request.As<Pod>() : nullptr;
  }

  static Result<void> CheckMirror(const AdmissionRequest& request, const Pod& pod) {
    if (!pod.spec.serviceAccountName.empty()) {
      return request.Forbid("a mirror pod may not reference service accounts");
    }
    if (api::ReferencesSecrets(pod.spec)) {
      return request.Forbid("a mirror pod may not reference secrets");
    }
    for (const auto& volume : pod.spec.volumes) {
      if (!volume.projected) continue;
      for (const auto& source : volume.projected->sources) {
        if (!source.serviceAccountToken) continue;
        return request.Forbid("a mirror pod may not use ServiceAccountToken volume projections");
      }
    }
    return {};
  }

  Result<void> CheckCreated(const AdmissionRequest& request, const Pod& pod) const {
    if (IsMirror(pod)) return CheckMirror(request, pod);
    TRY(const AccountPtr account, AccountOf(request, pod, false));
    if (!EnforcesSecrets(*account)) return {};
    if (auto problem = MountableSecrets(*account).ProblemOf(pod)) return request.Forbid(*problem);
    return {};
  }

  // A running pod gets no secrets by a debug container that its account does not let it have
  // (CVE-2023-2728).
  Result<void> CheckEphemeral(const AdmissionRequest& request, const Pod& pod) const {
    if (pod.spec.serviceAccountName.empty()) {
      return request.Forbid(fmt::format("no service account specified for pod {}/{}",
                                        request.namespace_, pod.metadata.name));
    }
    TRY(const AccountPtr account, AccountOf(request, pod, false));
    if (!EnforcesSecrets(*account)) return {};
    const MountableSecrets mountable(*account);
    for (const auto& container : pod.spec.ephemeralContainers) {
      if (auto problem = mountable.ProblemOf("ephemeral container", container)) {
        return request.Forbid(*problem);
      }
    }
    return {};
  }

  // Never null. The default account is waited for, as the controller makes it right after its
  // namespace.
  Result<AccountPtr> AccountOf(const AdmissionRequest& request, const Pod& pod, bool wait) const {
    const std::string& name = pod.spec.serviceAccountName;
    const int attempts = wait && name == "default" ? kAttempts : 1;
    for (int i = 0; i < attempts; ++i) {
      if (i != 0) {
        dependencies_.clock.Sleep(
            std::chrono::milliseconds(kWaitMillis + (dependencies_.random() % kWaitMillis)), -1);
      }
      TRY(AccountPtr account, dependencies_.objects.Get<ServiceAccount>(request.namespace_, name));
      if (account != nullptr) return account;
    }
    return request.Forbid(fmt::format("error looking up service account {}/{}: {}",
                                      request.namespace_, name,
                                      api::NotFoundError({"", "serviceaccount"}, name).message()));
  }

  static constexpr int kAttempts = 10;
  static constexpr uint64_t kWaitMillis = 100;

  const AdmissionDependencies dependencies_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewServiceAccount(const AdmissionDependencies& dependencies) {
  return std::make_unique<ServiceAccountPlugin>(dependencies);
}

}  // namespace podium::apiserver
