// Windows options, and fields that depend on the operating system of a pod.

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/security_context.h"
#include "base/ascii.h"

namespace podium::api {

using core::v1::Container;
using core::v1::PodSpec;
using core::v1::SecurityContext;
using core::v1::WindowsSecurityContextOptions;
using field::ErrorList;
using field::Path;
using reflect::Box;

namespace {

constexpr size_t kMaxCredentialSpecKiB = 64;
constexpr size_t kMaxUserDomain = 256;  // exclusive
constexpr size_t kMaxUser = 104;        // inclusive
constexpr size_t kMaxNetBiosName = 15;
constexpr size_t kMaxDnsLabel = 63;

bool IsControl(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

size_t CountRunes(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool IsNetBiosName(std::string_view name) {
  return !name.empty() && name.front() != '.' && CountRunes(name) <= kMaxNetBiosName &&
         name.find_first_of("\\/:*?\"<>|") == name.npos;
}

bool IsWindowsDnsName(std::string_view name) {
  for (;;) {
    size_t dot = name.find('.');
    std::string_view label = name.substr(0, dot);
    if (label.empty() || label.size() > kMaxDnsLabel || !IsLetterOrDigit(label.front()) ||
        !IsLetterOrDigit(label.back())) {
      return false;
    }
    if (!std::ranges::all_of(label, [](char c) { return IsLetterOrDigit(c) || c == '-'; }))
      return false;
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// Why USER or DOMAIN\USER is no name to run as; every problem that upstream tells.
std::vector<std::string> UserNameProblems(const std::string& name) {
  if (name.empty()) return {"runAsUserName cannot be an empty string"};
  if (std::ranges::any_of(name, IsControl)) {
    return {"runAsUserName cannot contain control characters"};
  }
  if (std::ranges::count(name, '\\') > 1) {
    return {"runAsUserName cannot contain more than one backslash"};
  }
  std::vector<std::string> problems;
  std::string_view user = name;
  if (size_t backslash = name.find('\\'); backslash != name.npos) {
    std::string_view domain = user.substr(0, backslash);
    user.remove_prefix(backslash + 1);
    if (domain.size() >= kMaxUserDomain) {
      problems.push_back(
          fmt::format("runAsUserName's Domain length must be under {} characters", kMaxUserDomain));
    }
    if (!IsNetBiosName(domain) && !IsWindowsDnsName(domain)) {
      problems.push_back("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user.empty()) {
    problems.push_back("runAsUserName's User cannot be empty");
  } else if (user.size() > kMaxUser) {
    problems.push_back(
        fmt::format("runAsUserName's User length must not be longer than {} characters", kMaxUser));
  }
  if (!user.empty() && user.find_first_not_of(". ") == user.npos) {
    problems.push_back("runAsUserName's User cannot contain only periods or spaces");
  }
  if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != user.npos) {
    problems.push_back(
        "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
  return problems;
}

ErrorList ForbidWindowsOptions(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  auto forbid = [&](const auto& context, const Path& context_path) {
    if (!context || !context->windowsOptions) return;
    errors.Add(field::Forbidden(context_path.Child("windowsOptions"),
                                "windows options cannot be set for a linux pod"));
  };
  forbid(spec.securityContext, path.Child("securityContext"));
  VisitContainers(spec, path, [&](const Container& container, const Path& at) {
    forbid(container.securityContext, at.Child("securityContext"));
  });
  return errors;
}

class WindowsForbids {
 public:
  void If(bool set, const Path& path) {
    if (set) errors_.Add(field::Forbidden(path, "cannot be set for a windows pod"));
  }
  ErrorList Take() { return std::move(errors_); }

 private:
  ErrorList errors_;
};

// In the order of upstream's PodSecurityContext, where the host fields of the spec live too.
void ForbidLinuxPodFields(const PodSpec& spec, const Path& path, WindowsForbids* forbid) {
  const core::v1::PodSecurityContext none;
  const auto& context = spec.securityContext ? *spec.securityContext : none;
  Path at = path.Child("securityContext");
  forbid->If(context.appArmorProfile.has_value(), at.Child("appArmorProfile"));
  forbid->If(context.seLinuxOptions.has_value(), at.Child("seLinuxOptions"));
  forbid->If(spec.hostUsers.has_value(), path.Child("hostUsers"));
  forbid->If(spec.hostPID, path.Child("hostPID"));
  forbid->If(spec.hostIPC, path.Child("hostIPC"));
  forbid->If(context.seccompProfile.has_value(), at.Child("seccompProfile"));
  forbid->If(context.fsGroup.has_value(), at.Child("fsGroup"));
  forbid->If(context.fsGroupChangePolicy.has_value(), at.Child("fsGroupChangePolicy"));
  forbid->If(!context.sysctls.empty(), at.Child("sysctls"));
  forbid->If(spec.shareProcessNamespace.has_value(), path.Child("shareProcessNamespace"));
  forbid->If(context.runAsUser.has_value(), at.Child("runAsUser"));
  forbid->If(context.runAsGroup.has_value(), at.Child("runAsGroup"));
  forbid->If(!context.supplementalGroups.empty(), at.Child("supplementalGroups"));
  forbid->If(context.supplementalGroupsPolicy.has_value(), at.Child("supplementalGroupsPolicy"));
  forbid->If(context.seLinuxChangePolicy.has_value(), at.Child("seLinuxChangePolicy"));
}

void ForbidLinuxContainerFields(const SecurityContext& context, const Path& at,
                                WindowsForbids* forbid) {
  forbid->If(context.appArmorProfile.has_value(), at.Child("appArmorProfile"));
  forbid->If(context.seLinuxOptions.has_value(), at.Child("seLinuxOptions"));
  forbid->If(context.seccompProfile.has_value(), at.Child("seccompProfile"));
  forbid->If(context.capabilities.has_value(), at.Child("capabilities"));
  forbid->If(context.readOnlyRootFilesystem.has_value(), at.Child("readOnlyRootFilesystem"));
  forbid->If(context.privileged.has_value(), at.Child("privileged"));
  forbid->If(context.allowPrivilegeEscalation.has_value(), at.Child("allowPrivilegeEscalation"));
  forbid->If(context.procMount.has_value(), at.Child("procMount"));
  forbid->If(context.runAsUser.has_value(), at.Child("runAsUser"));
  forbid->If(context.runAsGroup.has_value(), at.Child("runAsGroup"));
}

ErrorList ForbidLinuxFields(const PodSpec& spec, const Path& path) {
  WindowsForbids forbid;
  ForbidLinuxPodFields(spec, path, &forbid);
  VisitContainers(spec, path, [&](const Container& container, const Path& at) {
    if (!container.securityContext) return;
    ForbidLinuxContainerFields(*container.securityContext, at.Child("securityContext"), &forbid);
  });
  return forbid.Take();
}

template <class Context>
std::optional<bool> HostProcessOf(const Box<Context>& context) {
  if (!context || !context->windowsOptions) return std::nullopt;
  return context->windowsOptions->hostProcess;
}

}  // namespace

ErrorList ValidateWindowsOptions(const Box<WindowsSecurityContextOptions>& options,
                                 const Path& path) {
  ErrorList errors;
  if (!options) return errors;
  if (const auto& name = options->gmsaCredentialSpecName) {
    errors.AddInvalid(path.Child("gmsaCredentialSpecName"), NamedString(*name),
                      IsDNS1123Subdomain(*name));
  }
  if (const auto& spec = options->gmsaCredentialSpec) {
    Path at = path.Child("gmsaCredentialSpec");
    if (spec->empty()) {
      errors.Add(
          field::Invalid(at, NamedString(*spec), "gmsaCredentialSpec cannot be an empty string"));
    } else if (spec->size() > kMaxCredentialSpecKiB * 1024) {
      errors.Add(field::Invalid(
          at, NamedString(*spec),
          fmt::format("gmsaCredentialSpec size must be under {} KiB", kMaxCredentialSpecKiB)));
    }
  }
  if (const auto& name = options->runAsUserName) {
    errors.AddInvalid(path.Child("runAsUserName"), NamedString(*name), UserNameProblems(*name));
  }
  return errors;
}

ErrorList ValidateWindowsHostProcess(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  std::optional<bool> of_pod = HostProcessOf(spec.securityContext);
  size_t containers = 0;
  size_t host_processes = 0;
  VisitContainers(spec, path, [&](const Container& container, const Path& at) {
    ++containers;
    std::optional<bool> own = HostProcessOf(container.securityContext);
    if (of_pod && own && *of_pod != *own) {
      Path context = at.Child("securityContext");
      Path options = context.Child("windowsOptions");
      errors.Add(field::Invalid(
          options.Child("hostProcess"), *own,
          fmt::format("pod hostProcess value must be identical if both are specified, was {}",
                      *of_pod)));
    }
    if (own.value_or(of_pod.value_or(false))) ++host_processes;
  });
  if (host_processes == 0) return errors;
  if (host_processes != containers) {
    errors.Add(field::Invalid(path, "",
                              "If pod contains any hostProcess containers then all containers must "
                              "be HostProcess containers"));
  }
  if (!spec.hostNetwork) {
    errors.Add(field::Invalid(path.Child("hostNetwork"), false,
                              "hostNetwork must be true if pod contains any hostProcess "
                              "containers"));
  }
  return errors;
}

ErrorList ValidateOs(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  if (!spec.os) return errors;
  const std::string& name = spec.os->name;
  Path at = path.Child("os");
  if (name.empty()) {
    errors.Add(field::Required(at.Child("name"), ""));
  } else if (name == "linux") {
    errors = ForbidWindowsOptions(spec, path);
  } else if (name == "windows") {
    errors = ForbidLinuxFields(spec, path);
  } else {
    errors.Add(field::NotSupported(at, NamedString(name), {"linux", "windows"}));
  }
  return errors;
}

}  // namespace podium::api
