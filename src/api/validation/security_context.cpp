#include "api/validation/security_context.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/volume_paths.h"
#include "base/ascii.h"

namespace podium::api {

using core::v1::AppArmorProfile;
using core::v1::Container;
using core::v1::PodSecurityContext;
using core::v1::PodSpec;
using core::v1::SeccompProfile;
using core::v1::SecurityContext;
using core::v1::Sysctl;
using field::ErrorList;
using field::Path;
using reflect::Box;

namespace {

constexpr size_t kMaxSysctlName = 253;
constexpr size_t kMaxAppArmorProfile = 4095;  // a path without its closing zero

// Segments of [a-z0-9_-] that begin and end with a letter or digit, between dots or slashes.
bool IsSysctlName(std::string_view name) {
  if (name.size() > kMaxSysctlName) return false;
  for (;;) {
    size_t end = name.find_first_of("./");
    std::string_view segment = name.substr(0, end);
    if (segment.empty() || !IsLowerOrDigit(segment.front()) || !IsLowerOrDigit(segment.back())) {
      return false;
    }
    if (!std::ranges::all_of(segment,
                             [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '_'; })) {
      return false;
    }
    if (end == name.npos) return true;
    name.remove_prefix(end + 1);
  }
}

// Names may be written with slashes between the parts (net/ipv4/conf/eno2.100/rp_filter); then dots
// stand for slashes within them.
std::string DottedSysctl(std::string_view name) {
  std::string out(name);
  size_t first = out.find_first_of("./");
  if (first == out.npos || out[first] == '.') return out;
  for (char& c : out) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return out;
}

ErrorList ValidateSysctls(const PodSpec& spec, const Path& path,
                          const PodValidationOptions& options) {
  ErrorList errors;
  std::set<std::string_view> names;
  const reflect::List<Sysctl>& sysctls = spec.securityContext->sysctls;
  for (size_t i = 0; i < sysctls.size(); ++i) {
    const std::string& name = sysctls[i].name;
    Path at = path.Index(i);
    if (name.empty()) {
      errors.Add(field::Required(at.Child("name"), ""));
    } else if (!IsSysctlName(name)) {
      errors.Add(field::Invalid(
          at.Child("name"), name,
          fmt::format("must have at most {} characters and match regex "
                      "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
                      kMaxSysctlName)));
    } else if (names.contains(name)) {
      errors.Add(field::Duplicate(at.Child("name"), name));
    }
    if (!options.allow_namespaced_sysctls_for_host_net_and_host_ipc && IsHostSysctl(name, spec)) {
      errors.Add(field::Invalid(
          at.Child("name"), name,
          fmt::format("may not be specified when '{}' is true",
                      DottedSysctl(name).starts_with("net.") ? "hostNetwork" : "hostIPC")));
    }
    names.insert(name);
  }
  return errors;
}

ErrorList ValidateOneOf(const std::optional<std::string>& value,
                        std::initializer_list<std::string_view> values, const Path& path) {
  ErrorList errors;
  if (value && !IsOneOf(*value, values)) {
    errors.Add(field::NotSupported(path, NamedString(*value), values));
  }
  return errors;
}

ErrorList ValidateSELinuxChangePolicy(const std::optional<std::string>& policy, const Path& path,
                                      const PodValidationOptions& options) {
  if (options.allow_only_recursive_selinux_change_policy) {
    return ValidateOneOf(policy, {"Recursive"}, path);
  }
  return ValidateOneOf(policy, {"MountOption", "Recursive"}, path);
}

ErrorList ValidateProcMount(const std::optional<std::string>& mount, const Path& path,
                            bool host_users) {
  ErrorList errors;
  if (!mount) return errors;
  if (!IsOneOf(*mount, {"Default", "Unmasked"})) {
    errors.Add(field::NotSupported(path, NamedString(*mount), {"Default", "Unmasked"}));
  }
  if (host_users && *mount == "Unmasked") {
    errors.Add(
        field::Invalid(path, NamedString(*mount), "`hostUsers` must be false to use `Unmasked`"));
  }
  return errors;
}

// A process that may not gain privileges cannot be privileged to begin with.
ErrorList ValidatePrivilegeEscalation(const SecurityContext& context, const Path& path) {
  ErrorList errors;
  if (context.allowPrivilegeEscalation.value_or(true)) return errors;
  if (context.privileged.value_or(false)) {
    errors.Add(
        field::Invalid(path, UnversionedValue(context),
                       "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
  }
  if (!context.capabilities) return errors;
  for (const std::string& capability : context.capabilities->add) {
    if (capability != "CAP_SYS_ADMIN") continue;
    errors.Add(field::Invalid(path, UnversionedValue(context),
                              "cannot set `allowPrivilegeEscalation` to false and "
                              "`capabilities.Add` CAP_SYS_ADMIN"));
  }
  return errors;
}

void AppendIdProblems(const std::optional<int64_t>& id,
                      std::vector<std::string> (*problems)(int64_t), const Path& path,
                      ErrorList* errors) {
  if (id) errors->AddInvalid(path, *id, problems(*id));
}

}  // namespace

bool IsHostSysctl(std::string_view name, const PodSpec& spec) {
  std::string dotted = DottedSysctl(name);
  std::string_view prefix = std::string_view(dotted).substr(0, dotted.find('*'));
  if (spec.hostNetwork && prefix.starts_with("net.")) return true;
  return spec.hostIPC && (prefix == "kernel.sem" || prefix.starts_with("kernel.shm") ||
                          prefix.starts_with("kernel.msg") || prefix.starts_with("fs.mqueue."));
}

ErrorList ValidateSeccompProfile(const Box<SeccompProfile>& profile, const Path& path) {
  ErrorList errors;
  if (!profile) return errors;
  if (profile->type.empty()) {
    errors.Add(field::Required(path.Child("type"), "type is required when seccompProfile is set"));
  } else if (!IsOneOf(profile->type, {"Localhost", "RuntimeDefault", "Unconfined"})) {
    errors.Add(field::NotSupported(path.Child("type"), NamedString(profile->type),
                                   {"Localhost", "RuntimeDefault", "Unconfined"}));
  }
  Path file = path.Child("localhostProfile");
  if (profile->type != "Localhost") {
    if (profile->localhostProfile) {
      errors.Add(field::Invalid(file, UnversionedValue(*profile),
                                "can only be set when seccomp type is Localhost"));
    }
  } else if (!profile->localhostProfile) {
    errors.Add(field::Required(file, "must be set when seccomp type is Localhost"));
  } else {
    errors.Append(ValidateLocalDescendingPath(*profile->localhostProfile, file));
  }
  return errors;
}

ErrorList ValidateAppArmorProfile(const Box<AppArmorProfile>& profile, const Path& path) {
  ErrorList errors;
  if (!profile) return errors;
  const std::string& type = profile->type;
  const std::optional<std::string>& name = profile->localhostProfile;
  Path name_path = path.Child("localhostProfile");
  if (type == "Localhost") {
    if (!name) {
      errors.Add(field::Required(name_path, "must be set when AppArmor type is Localhost"));
      return errors;
    }
    if (HasOuterSpace(*name)) {
      errors.Add(field::Invalid(name_path, *name, "must not be padded with whitespace"));
    } else if (name->empty()) {
      errors.Add(field::Required(name_path, "must be set when AppArmor type is Localhost"));
    }
    if (name->size() > kMaxAppArmorProfile) {
      errors.Add(field::TooLong(name_path, kMaxAppArmorProfile));
    }
  } else if (IsOneOf(type, {"RuntimeDefault", "Unconfined"})) {
    if (name) {
      errors.Add(field::Invalid(name_path, NamedString(*name),
                                "can only be set when AppArmor type is Localhost"));
    }
  } else if (type.empty()) {
    errors.Add(field::Required(path.Child("type"), "type is required when appArmorProfile is set"));
  } else {
    errors.Add(field::NotSupported(path.Child("type"), NamedString(type),
                                   {"Localhost", "RuntimeDefault", "Unconfined"}));
  }
  return errors;
}

ErrorList ValidateSecurityContext(const Box<SecurityContext>& box, const Path& path,
                                  bool host_users) {
  ErrorList errors;
  if (!box) return errors;
  const SecurityContext& context = *box;
  AppendIdProblems(context.runAsUser, IsValidUserID, path.Child("runAsUser"), &errors);
  AppendIdProblems(context.runAsGroup, IsValidGroupID, path.Child("runAsGroup"), &errors);
  errors.Append(ValidateProcMount(context.procMount, path.Child("procMount"), host_users));
  errors.Append(ValidateSeccompProfile(context.seccompProfile, path.Child("seccompProfile")));
  errors.Append(ValidatePrivilegeEscalation(context, path));
  errors.Append(ValidateWindowsOptions(context.windowsOptions, path.Child("windowsOptions")));
  errors.Append(ValidateAppArmorProfile(context.appArmorProfile, path.Child("appArmorProfile")));
  return errors;
}

ErrorList ValidatePodSecurityContext(const PodSpec& spec, const Path& path,
                                     const PodValidationOptions& options) {
  ErrorList errors;
  const PodSecurityContext* context = spec.securityContext.get();
  if (context) {
    AppendIdProblems(context->fsGroup, IsValidGroupID, path.Child("fsGroup"), &errors);
    AppendIdProblems(context->runAsUser, IsValidUserID, path.Child("runAsUser"), &errors);
    AppendIdProblems(context->runAsGroup, IsValidGroupID, path.Child("runAsGroup"), &errors);
    Path groups = path.Child("supplementalGroups");
    for (size_t i = 0; i < context->supplementalGroups.size(); ++i) {
      int64_t group = context->supplementalGroups[i];
      errors.AddInvalid(groups.Index(i), group, IsValidGroupID(group));
    }
  }
  if (spec.hostPID && spec.shareProcessNamespace.value_or(false)) {
    errors.Add(field::Invalid(path.Child("shareProcessNamespace"), true,
                              "ShareProcessNamespace and HostPID cannot both be enabled"));
  }
  if (!context) return errors;
  errors.Append(ValidateSysctls(spec, path.Child("sysctls"), options));
  errors.Append(ValidateOneOf(context->fsGroupChangePolicy, {"Always", "OnRootMismatch"},
                              path.Child("fsGroupChangePolicy")));
  errors.Append(ValidateSeccompProfile(context->seccompProfile, path.Child("seccompProfile")));
  errors.Append(ValidateWindowsOptions(context->windowsOptions, path.Child("windowsOptions")));
  errors.Append(ValidateAppArmorProfile(context->appArmorProfile, path.Child("appArmorProfile")));
  errors.Append(ValidateOneOf(context->supplementalGroupsPolicy, {"Merge", "Strict"},
                              path.Child("supplementalGroupsPolicy")));
  errors.Append(ValidateSELinuxChangePolicy(context->seLinuxChangePolicy,
                                            path.Child("seLinuxChangePolicy"), options));
  return errors;
}

ErrorList ValidateHostUsers(const PodSpec& spec, const Path& path,
                            const PodValidationOptions& options) {
  ErrorList errors;
  if (spec.hostUsers.value_or(true)) return errors;
  constexpr std::string_view kWhy = "when `hostUsers` is false";
  if (spec.hostNetwork && !options.allow_user_namespaces_host_network_support) {
    errors.Add(field::Forbidden(path.Child("hostNetwork"), kWhy));
  }
  // Upstream spells these two as it does inside.
  if (spec.hostPID) errors.Add(field::Forbidden(path.Child("HostPID"), kWhy));
  if (spec.hostIPC) errors.Add(field::Forbidden(path.Child("HostIPC"), kWhy));
  if (options.allow_user_namespaces_with_volume_devices) return errors;
  VisitContainers(spec, path, [&](const Container& container, const Path& at) {
    if (!container.volumeDevices.empty()) {
      errors.Add(field::Forbidden(at.Child("volumeDevices"), kWhy));
    }
  });
  return errors;
}

}  // namespace podium::api
