#include "node/security_context.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace podium::node {
namespace {

namespace cri = wire::cri;

// What of /proc and /sys a container must not see, or not write: as upstream's
// pkg/securitycontext/util.go.
constexpr auto kMaskedPaths = std::to_array<std::string_view>(
    {"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
     "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
     "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"});
constexpr auto kReadonlyPaths = std::to_array<std::string_view>(
    {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});

template <class T>
void TakeFrom(T* to, const T& from) {
  if (!*to) *to = from;
}

cri::SecurityProfile SeccompOf(const v1::SecurityContext& context, const NodeConfig& config) {
  cri::SecurityProfile out;
  out.profile_type = cri::ProfileType::kUnconfined;
  if (!context.seccompProfile) {
    if (config.seccomp_default && !context.privileged.value_or(false)) {
      out.profile_type = cri::ProfileType::kRuntimeDefault;
    }
    return out;
  }
  if (context.seccompProfile->type == "RuntimeDefault") {
    out.profile_type = cri::ProfileType::kRuntimeDefault;
  } else if (context.seccompProfile->type == "Localhost") {
    out.profile_type = cri::ProfileType::kLocalhost;
    out.localhost_ref =
        config.data_dir + "/seccomp/" + context.seccompProfile->localhostProfile.value_or("");
  }
  return out;
}

reflect::Box<cri::SecurityProfile> AppArmorOf(const v1::SecurityContext& context) {
  if (!context.appArmorProfile) return nullptr;
  cri::SecurityProfile out;
  out.profile_type = cri::ProfileType::kUnconfined;
  if (context.appArmorProfile->type == "RuntimeDefault") {
    out.profile_type = cri::ProfileType::kRuntimeDefault;
  } else if (context.appArmorProfile->type == "Localhost") {
    out.profile_type = cri::ProfileType::kLocalhost;
    out.localhost_ref = context.appArmorProfile->localhostProfile.value_or("");
  }
  return out;
}

cri::SELinuxOption SelinuxOf(const v1::SELinuxOptions& options) {
  cri::SELinuxOption out;
  out.user = options.user;
  out.role = options.role;
  out.type = options.type;
  out.level = options.level;
  return out;
}

cri::SupplementalGroupsPolicy PolicyOf(const v1::PodSecurityContext& context) {
  return context.supplementalGroupsPolicy == "Strict" ? cri::SupplementalGroupsPolicy::kStrict
                                                      : cri::SupplementalGroupsPolicy::kMerge;
}

reflect::List<int64_t> GroupsOf(const v1::PodSecurityContext& context) {
  reflect::List<int64_t> out;
  if (context.fsGroup) out.push_back(*context.fsGroup);
  out.insert(out.end(), context.supplementalGroups.begin(), context.supplementalGroups.end());
  return out;
}

std::string Where(const v1::Pod& pod, const v1::Container& container) {
  return "(pod: \"" + FormatPod(pod) + "\", container: " + container.name + ")";
}

}  // namespace

v1::SecurityContext EffectiveSecurityContext(const v1::Pod& pod, const v1::Container& container) {
  v1::SecurityContext out;
  if (container.securityContext) out = *container.securityContext;
  if (!pod.spec.securityContext) return out;
  const v1::PodSecurityContext& all = *pod.spec.securityContext;
  TakeFrom(&out.seLinuxOptions, all.seLinuxOptions);
  TakeFrom(&out.runAsUser, all.runAsUser);
  TakeFrom(&out.runAsGroup, all.runAsGroup);
  TakeFrom(&out.runAsNonRoot, all.runAsNonRoot);
  TakeFrom(&out.seccompProfile, all.seccompProfile);
  TakeFrom(&out.appArmorProfile, all.appArmorProfile);
  return out;
}

ImageUser ImageUser::Parse(std::string_view user) {
  ImageUser out;
  user = user.substr(0, user.find(':'));
  if (user.empty()) {
    out.uid = 0;
    return out;
  }
  int64_t number = 0;
  auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (error == std::errc() && end == user.data() + user.size()) {
    out.uid = number;
  } else {
    out.name = user;
  }
  return out;
}

Result<void> VerifyRunAsNonRoot(const v1::Pod& pod, const v1::Container& container,
                                const ImageUser& image_user) {
  const v1::SecurityContext context = EffectiveSecurityContext(pod, container);
  if (!context.runAsNonRoot.value_or(false)) return {};
  if (context.runAsUser) {
    if (*context.runAsUser != 0) return {};
    return Error(Code::kInvalidArgument,
                 "container's runAsUser breaks non-root policy " + Where(pod, container));
  }
  if (image_user.uid == 0) {
    return Error(Code::kInvalidArgument,
                 "container has runAsNonRoot and image will run as root " + Where(pod, container));
  }
  if (!image_user.name.empty()) {
    return Error(Code::kInvalidArgument,
                 "container has runAsNonRoot and image has non-numeric user (" + image_user.name +
                     "), cannot verify user is non-root " + Where(pod, container));
  }
  return {};
}

cri::NamespaceOption NamespacesOf(const v1::Pod& pod,
                                  const std::optional<cri::UserNamespace>& user_namespace) {
  cri::NamespaceOption out;
  out.userns_options.emplace().mode = cri::NamespaceMode::kNode;
  if (user_namespace) out.userns_options = *user_namespace;
  out.network = pod.spec.hostNetwork ? cri::NamespaceMode::kNode : cri::NamespaceMode::kPod;
  out.ipc = pod.spec.hostIPC ? cri::NamespaceMode::kNode : cri::NamespaceMode::kPod;
  out.pid = cri::NamespaceMode::kContainer;
  if (pod.spec.shareProcessNamespace.value_or(false)) out.pid = cri::NamespaceMode::kPod;
  if (pod.spec.hostPID) out.pid = cri::NamespaceMode::kNode;
  return out;
}

bool HasPrivileged(const v1::PodSpec& spec) {
  auto privileged = [](const auto& container) {
    return container.securityContext && container.securityContext->privileged.value_or(false);
  };
  return std::ranges::any_of(spec.initContainers, privileged) ||
         std::ranges::any_of(spec.containers, privileged) ||
         std::ranges::any_of(spec.ephemeralContainers, privileged);
}

cri::LinuxContainerSecurityContext ContainerSecurity(const v1::Pod& pod,
                                                     const v1::Container& container,
                                                     const NodeConfig& config) {
  const v1::SecurityContext context = EffectiveSecurityContext(pod, container);
  cri::LinuxContainerSecurityContext out;
  if (context.capabilities) {
    cri::Capability& capabilities = out.capabilities.emplace();
    capabilities.add_capabilities = context.capabilities->add;
    capabilities.drop_capabilities = context.capabilities->drop;
  }
  out.privileged = context.privileged.value_or(false);
  if (context.seLinuxOptions) out.selinux_options = SelinuxOf(*context.seLinuxOptions);
  if (context.runAsUser) out.run_as_user = cri::Int64Value{.value = *context.runAsUser};
  if (context.runAsGroup) out.run_as_group = cri::Int64Value{.value = *context.runAsGroup};
  out.readonly_rootfs = context.readOnlyRootFilesystem.value_or(false);
  out.no_new_privs = !context.allowPrivilegeEscalation.value_or(true);
  if (pod.spec.securityContext) {
    out.supplemental_groups = GroupsOf(*pod.spec.securityContext);
    out.supplemental_groups_policy = PolicyOf(*pod.spec.securityContext);
  }
  if (context.procMount != "Unmasked" && !out.privileged) {
    out.masked_paths.assign(kMaskedPaths.begin(), kMaskedPaths.end());
    out.readonly_paths.assign(kReadonlyPaths.begin(), kReadonlyPaths.end());
  }
  out.seccomp = SeccompOf(context, config);
  out.apparmor = AppArmorOf(context);
  return out;
}

cri::LinuxSandboxSecurityContext SandboxSecurity(
    const v1::Pod& pod, const std::optional<cri::UserNamespace>& user_namespace) {
  cri::LinuxSandboxSecurityContext out;
  out.privileged = HasPrivileged(pod.spec);
  out.namespace_options = NamespacesOf(pod, user_namespace);
  out.seccomp.emplace().profile_type = cri::ProfileType::kRuntimeDefault;
  if (!pod.spec.securityContext) return out;
  const v1::PodSecurityContext& context = *pod.spec.securityContext;
  if (context.seLinuxOptions) out.selinux_options = SelinuxOf(*context.seLinuxOptions);
  if (context.runAsUser) out.run_as_user = cri::Int64Value{.value = *context.runAsUser};
  if (context.runAsGroup) out.run_as_group = cri::Int64Value{.value = *context.runAsGroup};
  out.supplemental_groups = GroupsOf(context);
  out.supplemental_groups_policy = PolicyOf(context);
  return out;
}

}  // namespace podium::node
