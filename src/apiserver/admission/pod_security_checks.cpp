// The checks of the Pod Security Standards, each with the releases that it has been so since.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "apiserver/admission/pod_security_policy.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::PodSpec;
using api::core::v1::Volume;
using Annotations = reflect::Map<std::string>;
using Names = std::vector<std::string>;
using Values = std::set<std::string>;
using Found = std::optional<Violation>;

// Init, regular and ephemeral containers; visit takes any of them.
template <class Visit>
void EachContainer(const PodSpec& spec, Visit visit) {
  for (const auto& container : spec.initContainers) visit(container);
  for (const auto& container : spec.containers) visit(container);
  for (const auto& container : spec.ephemeralContainers) visit(container);
}
// Those that have a securityContext.
template <class Visit>
void EachContext(const PodSpec& spec, Visit visit) {
  EachContainer(spec, [&](const auto& container) {
    if (container.securityContext) visit(container.name, *container.securityContext);
  });
}

template <class List>
std::string Quoted(const List& items) {
  return items.empty() ? "" : "\"" + Join(items, "\", \"") + "\"";
}
std::string_view Plural(size_t count, std::string_view one, std::string_view many) {
  return count == 1 ? one : many;
}
// `container "a"`, `containers "a", "b"`
template <class List>
std::string Containers(const List& names) {
  return fmt::format("{} {}", Plural(names.size(), "container", "containers"), Quoted(names));
}
// `pod and containers "a", "b"`; empty when it is neither.
std::string Setters(bool pod, const Names& containers) {
  Names setters;
  if (pod) setters.emplace_back("pod");
  if (!containers.empty()) setters.push_back(Containers(containers));
  return Join(setters, " and ");
}

template <size_t size>
bool IsOneOf(const std::array<std::string_view, size>& known, std::string_view value) {
  return std::ranges::find(known, value) != known.end();
}

bool HasOwnUsers(const PodSpec& spec) { return !spec.hostUsers.value_or(true); }
bool IsWindows(const PodSpec& spec) { return spec.os && spec.os->name == "windows"; }
bool IsSafeProfile(std::string_view type) {
  return type == "RuntimeDefault" || type == "Localhost";
}

Found AppArmor(const Annotations& annotations, const PodSpec& spec) {
  Values bad;
  Names setters;
  if (spec.securityContext && spec.securityContext->appArmorProfile &&
      !IsSafeProfile(spec.securityContext->appArmorProfile->type)) {
    setters.emplace_back("pod");
    bad.insert(spec.securityContext->appArmorProfile->type);
  }
  Names containers;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (!context.appArmorProfile || IsSafeProfile(context.appArmorProfile->type)) return;
    containers.push_back(name);
    bad.insert(context.appArmorProfile->type);
  });
  if (!containers.empty()) setters.push_back(Containers(containers));
  Names values(bad.begin(), bad.end());
  size_t annotated = 0;
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with("container.apparmor.security.beta.kubernetes.io/")) continue;
    if (value.empty() || value == "runtime/default" || value.starts_with("localhost/")) continue;
    values.push_back(key + "=" + reflect::GoQuoted(value));
    ++annotated;
  }
  if (annotated != 0) setters.emplace_back(Plural(annotated, "annotation", "annotations"));
  if (setters.empty()) return std::nullopt;
  return Violation{std::string(Plural(values.size(), "forbidden AppArmor profile",
                                      "forbidden AppArmor profiles")),
                   fmt::format("{} must not set AppArmor profile type to {}",
                               Join(setters, " and "), Quoted(values))};
}

// The capabilities that each container adds beyond these; a container twice where it adds two.
template <class IsAllowed>
std::string ForbiddenCapabilities(const PodSpec& spec, IsAllowed is_allowed) {
  Names containers;
  Values forbidden;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (!context.capabilities) return;
    bool valid = true;
    for (const std::string& added : context.capabilities->add) {
      if (is_allowed(added)) continue;
      valid = false;
      forbidden.insert(added);
    }
    if (!valid) containers.push_back(name);
  });
  if (containers.empty()) return "";
  return fmt::format("{} must not include {} in securityContext.capabilities.add",
                     Containers(containers), Quoted(forbidden));
}

Found CapabilitiesBaseline(const Annotations&, const PodSpec& spec) {
  static constexpr std::array<std::string_view, 13> kAllowed = {
      "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",       "MKNOD",
      "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT",
  };
  const std::string detail =
      ForbiddenCapabilities(spec, [](std::string_view name) { return IsOneOf(kAllowed, name); });
  if (detail.empty()) return std::nullopt;
  return Violation{"non-default capabilities", detail};
}

Found CapabilitiesRestricted(const Annotations&, const PodSpec& spec) {
  Names keeping;
  EachContainer(spec, [&](const auto& container) {
    const auto& context = container.securityContext;
    const bool drops_all =
        context && context->capabilities &&
        std::ranges::find(context->capabilities->drop, "ALL") != context->capabilities->drop.end();
    if (!drops_all) keeping.push_back(container.name);
  });
  Names details;
  if (!keeping.empty()) {
    details.push_back(Containers(keeping) +
                      R"( must set securityContext.capabilities.drop=["ALL"])");
  }
  const std::string added =
      ForbiddenCapabilities(spec, [](std::string_view name) { return name == "NET_BIND_SERVICE"; });
  if (!added.empty()) details.push_back(added);
  if (details.empty()) return std::nullopt;
  return Violation{"unrestricted capabilities", Join(details, "; ")};
}

Found HostNamespaces(const Annotations&, const PodSpec& spec) {
  Names names;
  if (spec.hostNetwork) names.emplace_back("hostNetwork=true");
  if (spec.hostPID) names.emplace_back("hostPID=true");
  if (spec.hostIPC) names.emplace_back("hostIPC=true");
  if (names.empty()) return std::nullopt;
  return Violation{"host namespaces", Join(names, ", ")};
}

Found HostPathVolumes(const Annotations&, const PodSpec& spec) {
  Names names;
  for (const Volume& volume : spec.volumes) {
    if (volume.hostPath) names.push_back(volume.name);
  }
  if (names.empty()) return std::nullopt;
  return Violation{"hostPath volumes",
                   fmt::format("{} {}", Plural(names.size(), "volume", "volumes"), Quoted(names))};
}

Found HostPorts(const Annotations&, const PodSpec& spec) {
  Names containers;
  Values ports;
  EachContainer(spec, [&](const auto& container) {
    const size_t before = ports.size();
    bool any = false;
    for (const auto& port : container.ports) {
      if (port.hostPort == 0) continue;
      ports.insert(std::to_string(port.hostPort));
      any = true;
    }
    if (any || ports.size() != before) containers.push_back(container.name);
  });
  if (containers.empty()) return std::nullopt;
  return Violation{
      "hostPort",
      fmt::format("{} {} {} {}", Containers(containers), Plural(containers.size(), "uses", "use"),
                  Plural(ports.size(), "hostPort", "hostPorts"), Join(ports, ", "))};
}

// Of probes and hooks: their handlers' hosts.
template <class Handler>
void AddHosts(const reflect::Box<Handler>& handler, Values* hosts) {
  if (!handler) return;
  if (handler->httpGet && !handler->httpGet->host.empty()) hosts->insert(handler->httpGet->host);
  if (handler->tcpSocket && !handler->tcpSocket->host.empty()) {
    hosts->insert(handler->tcpSocket->host);
  }
}

Found ProbeHosts(const Annotations&, const PodSpec& spec) {
  Values containers;
  Values hosts;
  EachContainer(spec, [&](const auto& container) {
    Values own;
    AddHosts(container.livenessProbe, &own);
    AddHosts(container.readinessProbe, &own);
    AddHosts(container.startupProbe, &own);
    if (container.lifecycle) {
      AddHosts(container.lifecycle->postStart, &own);
      AddHosts(container.lifecycle->preStop, &own);
    }
    if (own.empty()) return;
    containers.insert(container.name);
    hosts.merge(own);
  });
  if (containers.empty()) return std::nullopt;
  return Violation{
      "probe or lifecycle host",
      fmt::format("{} {} {} {}", Containers(containers), Plural(containers.size(), "uses", "use"),
                  Plural(hosts.size(), "probe or lifecycle host", "probe or lifecycle hosts"),
                  Quoted(hosts))};
}

Found Privileged(const Annotations&, const PodSpec& spec) {
  Names names;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (context.privileged.value_or(false)) names.push_back(name);
  });
  if (names.empty()) return std::nullopt;
  return Violation{"privileged",
                   Containers(names) + " must not set securityContext.privileged=true"};
}

Found ProcMount(const Annotations&, const PodSpec& spec) {
  Names names;
  Values types;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (!context.procMount || *context.procMount == "Default") return;
    names.push_back(name);
    types.insert(*context.procMount);
  });
  if (names.empty()) return std::nullopt;
  return Violation{"procMount", fmt::format("{} must not set securityContext.procMount to {}",
                                            Containers(names), Quoted(types))};
}

// In a user namespace of its own a pod may see its /proc.
Found ProcMountBaseline(const Annotations& annotations, const PodSpec& spec) {
  return HasOwnUsers(spec) ? std::nullopt : ProcMount(annotations, spec);
}

Found CheckSELinux(const PodSpec& spec, bool engine_allowed) {
  static constexpr std::array<std::string_view, 4> kTypes = {"", "container_t", "container_init_t",
                                                             "container_kvm_t"};
  Values types;
  bool user = false;
  bool role = false;
  const auto is_bad = [&](const auto& context) {
    if (!context.seLinuxOptions) return false;
    const auto& options = *context.seLinuxOptions;
    const bool bad_type =
        !IsOneOf(kTypes, options.type) && !(engine_allowed && options.type == "container_engine_t");
    if (bad_type) types.insert(options.type);
    user = user || !options.user.empty();
    role = role || !options.role.empty();
    return bad_type || !options.user.empty() || !options.role.empty();
  };
  const bool pod = spec.securityContext && is_bad(*spec.securityContext);
  Names names;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (is_bad(context)) names.push_back(name);
  });
  if (!pod && names.empty()) return std::nullopt;
  Names details;
  if (!types.empty()) {
    details.push_back(fmt::format("{} {}", Plural(types.size(), "type", "types"), Quoted(types)));
  }
  if (user) details.emplace_back("user may not be set");
  if (role) details.emplace_back("role may not be set");
  return Violation{"seLinuxOptions",
                   fmt::format("{} set forbidden securityContext.seLinuxOptions: {}",
                               Setters(pod, names), Join(details, "; "))};
}
Found SELinux0(const Annotations&, const PodSpec& spec) { return CheckSELinux(spec, false); }
Found SELinux31(const Annotations&, const PodSpec& spec) { return CheckSELinux(spec, true); }

// What a profile was said with before there were fields.
Found SeccompAnnotations(const Annotations& annotations, const PodSpec& spec) {
  Values forbidden;
  const auto check = [&](const std::string& key) {
    const auto found = annotations.find(key);
    if (found == annotations.end()) return;
    const std::string& value = found->second;
    if (value == "runtime/default" || value == "docker/default" ||
        value.starts_with("localhost/")) {
      return;
    }
    forbidden.insert(key + "=" + reflect::GoQuoted(value));
  };
  check("seccomp.security.alpha.kubernetes.io/pod");
  EachContainer(spec, [&](const auto& container) {
    check("container.seccomp.security.alpha.kubernetes.io/" + container.name);
  });
  if (forbidden.empty()) return std::nullopt;
  return Violation{
      "seccompProfile",
      fmt::format("forbidden {} {}", Plural(forbidden.size(), "annotation", "annotations"),
                  Join(forbidden, ", "))};
}

Found CheckSeccomp(const PodSpec& spec, bool must_be_set) {
  Values bad;
  bool bad_pod = false;
  bool set_by_pod = false;
  if (spec.securityContext && spec.securityContext->seccompProfile) {
    const std::string& type = spec.securityContext->seccompProfile->type;
    set_by_pod = IsSafeProfile(type);
    bad_pod = !set_by_pod;
    if (bad_pod) bad.insert(type);
  }
  Names explicitly;
  Names implicitly;
  EachContainer(spec, [&](const auto& container) {
    const auto& context = container.securityContext;
    if (!context || !context->seccompProfile) {
      if (!set_by_pod) implicitly.push_back(container.name);
    } else if (!IsSafeProfile(context->seccompProfile->type)) {
      explicitly.push_back(container.name);
      bad.insert(context->seccompProfile->type);
    }
  });
  if (bad_pod || !explicitly.empty()) {
    return Violation{"seccompProfile",
                     fmt::format("{} must not set securityContext.seccompProfile.type to {}",
                                 Setters(bad_pod, explicitly), Quoted(bad))};
  }
  if (!must_be_set || implicitly.empty()) return std::nullopt;
  return Violation{"seccompProfile",
                   fmt::format("pod or {} must set securityContext.seccompProfile.type to "
                               "\"RuntimeDefault\" or \"Localhost\"",
                               Containers(implicitly))};
}
Found SeccompBaseline(const Annotations&, const PodSpec& spec) { return CheckSeccomp(spec, false); }
Found SeccompRestricted(const Annotations&, const PodSpec& spec) {
  return CheckSeccomp(spec, true);
}

// The first `count` are safe.
Found CheckSysctls(const PodSpec& spec, size_t count) {
  static constexpr std::array<std::string_view, 12> kSafe = {
      "kernel.shm_rmid_forced",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.tcp_syncookies",
      "net.ipv4.ping_group_range",
      "net.ipv4.ip_unprivileged_port_start",  // 1.0
      "net.ipv4.ip_local_reserved_ports",     // 1.27
      "net.ipv4.tcp_keepalive_time",
      "net.ipv4.tcp_fin_timeout",
      "net.ipv4.tcp_keepalive_intvl",
      "net.ipv4.tcp_keepalive_probes",  // 1.29
      "net.ipv4.tcp_rmem",
      "net.ipv4.tcp_wmem",  // 1.32
  };
  if (!spec.securityContext) return std::nullopt;
  const auto safe = std::span(kSafe).first(count);
  Names forbidden;
  for (const auto& sysctl : spec.securityContext->sysctls) {
    if (std::ranges::find(safe, sysctl.name) == safe.end()) forbidden.push_back(sysctl.name);
  }
  if (forbidden.empty()) return std::nullopt;
  return Violation{"forbidden sysctls", Join(forbidden, ", ")};
}
template <size_t count>
Found Sysctls(const Annotations&, const PodSpec& spec) {
  return CheckSysctls(spec, count);
}

Found WindowsHostProcess(const Annotations&, const PodSpec& spec) {
  const auto is_bad = [](const auto& context) {
    return context.windowsOptions && context.windowsOptions->hostProcess.value_or(false);
  };
  const bool pod = spec.securityContext && is_bad(*spec.securityContext);
  Names names;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (is_bad(context)) names.push_back(name);
  });
  if (!pod && names.empty()) return std::nullopt;
  return Violation{
      "hostProcess",
      Setters(pod, names) + " must not set securityContext.windowsOptions.hostProcess=true"};
}

Found PrivilegeEscalation(const Annotations&, const PodSpec& spec) {
  Names names;
  EachContainer(spec, [&](const auto& container) {
    const auto& context = container.securityContext;
    if (!context || context->allowPrivilegeEscalation.value_or(true)) {
      names.push_back(container.name);
    }
  });
  if (names.empty()) return std::nullopt;
  return Violation{"allowPrivilegeEscalation != false",
                   Containers(names) + " must set securityContext.allowPrivilegeEscalation=false"};
}

std::string_view RestrictedType(const Volume& volume) {
  if (volume.hostPath) return "hostPath";
  if (volume.gcePersistentDisk) return "gcePersistentDisk";
  if (volume.awsElasticBlockStore) return "awsElasticBlockStore";
  if (volume.gitRepo) return "gitRepo";
  if (volume.nfs) return "nfs";
  if (volume.iscsi) return "iscsi";
  if (volume.glusterfs) return "glusterfs";
  if (volume.rbd) return "rbd";
  if (volume.flexVolume) return "flexVolume";
  if (volume.cinder) return "cinder";
  if (volume.cephfs) return "cephfs";
  if (volume.flocker) return "flocker";
  if (volume.fc) return "fc";
  if (volume.azureFile) return "azureFile";
  if (volume.vsphereVolume) return "vsphereVolume";
  if (volume.quobyte) return "quobyte";
  if (volume.azureDisk) return "azureDisk";
  if (volume.photonPersistentDisk) return "photonPersistentDisk";
  if (volume.portworxVolume) return "portworxVolume";
  if (volume.scaleIO) return "scaleIO";
  if (volume.storageos) return "storageos";
  return "unknown";
}

Found RestrictedVolumes(const Annotations&, const PodSpec& spec) {
  Names names;
  Values types;
  for (const Volume& volume : spec.volumes) {
    if (volume.configMap || volume.csi || volume.downwardAPI || volume.emptyDir ||
        volume.ephemeral || volume.image || volume.persistentVolumeClaim || volume.projected ||
        volume.secret) {
      continue;
    }
    names.push_back(volume.name);
    types.emplace(RestrictedType(volume));
  }
  if (names.empty()) return std::nullopt;
  return Violation{
      "restricted volume types",
      fmt::format("{} {} {} {} {}", Plural(names.size(), "volume", "volumes"), Quoted(names),
                  Plural(names.size(), "uses", "use"),
                  Plural(types.size(), "restricted volume type", "restricted volume types"),
                  Quoted(types))};
}

Found NonRoot(const Annotations&, const PodSpec& spec) {
  const auto of_pod =
      spec.securityContext ? spec.securityContext->runAsNonRoot : std::optional<bool>();
  Names explicitly;
  Names implicitly;
  EachContainer(spec, [&](const auto& container) {
    const auto own =
        container.securityContext ? container.securityContext->runAsNonRoot : std::optional<bool>();
    if (own && !*own) explicitly.push_back(container.name);
    if (!own && !of_pod.value_or(false)) implicitly.push_back(container.name);
  });
  const bool bad_pod = !of_pod.value_or(true);
  if (bad_pod || !explicitly.empty()) {
    return Violation{
        "runAsNonRoot != true",
        Setters(bad_pod, explicitly) + " must not set securityContext.runAsNonRoot=false"};
  }
  if (implicitly.empty()) return std::nullopt;
  return Violation{"runAsNonRoot != true", "pod or " + Containers(implicitly) +
                                               " must set securityContext.runAsNonRoot=true"};
}

Found NonRootUser(const Annotations&, const PodSpec& spec) {
  const auto is_root = [](const auto& context) { return context.runAsUser == 0; };
  const bool pod = spec.securityContext && is_root(*spec.securityContext);
  Names names;
  EachContext(spec, [&](const std::string& name, const auto& context) {
    if (is_root(context)) names.push_back(name);
  });
  if (!pod && names.empty()) return std::nullopt;
  return Violation{"runAsUser=0", Setters(pod, names) + " must not set runAsUser=0"};
}

using CheckFunction = Found(const Annotations&, const PodSpec&);

template <CheckFunction check>
Found UnlessWindows(const Annotations& annotations, const PodSpec& spec) {
  return IsWindows(spec) ? std::nullopt : check(annotations, spec);
}
template <CheckFunction check>
Found UnlessOwnUsers(const Annotations& annotations, const PodSpec& spec) {
  return HasOwnUsers(spec) ? std::nullopt : check(annotations, spec);
}

struct Since {
  int minor;
  CheckFunction* check;
};
struct Check {
  std::string_view id;
  std::vector<Since> versions;   // oldest first
  std::string_view overrides{};  // of a restricted one: the baseline check that it does better
};

// Both by id, as messages have them.
const std::vector<Check>& BaselineChecks() {
  static const std::vector<Check> kChecks = {
      {"appArmorProfile", {{0, AppArmor}}},
      {"capabilities_baseline", {{0, CapabilitiesBaseline}}},
      {"hostNamespaces", {{0, HostNamespaces}}},
      {"hostPathVolumes", {{0, HostPathVolumes}}},
      {"hostPorts", {{0, HostPorts}}},
      {"hostProbesAndHostLifecycle", {{34, ProbeHosts}}},
      {"privileged", {{0, Privileged}}},
      {"procMount", {{0, ProcMount}, {35, ProcMountBaseline}}},
      {"seLinuxOptions", {{0, SELinux0}, {31, SELinux31}}},
      {"seccompProfile_baseline", {{0, SeccompAnnotations}, {19, SeccompBaseline}}},
      {"sysctls", {{0, Sysctls<5>}, {27, Sysctls<6>}, {29, Sysctls<10>}, {32, Sysctls<12>}}},
      {"windowsHostProcess", {{0, WindowsHostProcess}}},
  };
  return kChecks;
}
const std::vector<Check>& RestrictedChecks() {
  static const std::vector<Check> kChecks = {
      {"allowPrivilegeEscalation",
       {{8, PrivilegeEscalation}, {25, UnlessWindows<PrivilegeEscalation>}}},
      {"capabilities_restricted",
       {{22, CapabilitiesRestricted}, {25, UnlessWindows<CapabilitiesRestricted>}},
       "capabilities_baseline"},
      {"procMount_restricted", {{35, ProcMount}}, "procMount"},
      {"restrictedVolumes", {{0, RestrictedVolumes}}, "hostPathVolumes"},
      {"runAsNonRoot", {{0, NonRoot}, {35, UnlessOwnUsers<NonRoot>}}},
      {"runAsUser", {{23, NonRootUser}, {35, UnlessOwnUsers<NonRootUser>}}},
      {"seccompProfile_restricted",
       {{19, SeccompRestricted}, {25, UnlessWindows<SeccompRestricted>}},
       "seccompProfile_baseline"},
  };
  return kChecks;
}

// As of that release; null when there was no such check.
CheckFunction* CheckAt(const Check& check, int minor) {
  CheckFunction* found = nullptr;
  for (const Since& since : check.versions) {
    if (since.minor <= minor) found = since.check;
  }
  return found;
}

}  // namespace

std::vector<Violation> ViolationsOf(const LevelVersion& policy, const Annotations& annotations,
                                    const PodSpec& spec) {
  std::vector<Violation> violations;
  if (policy.level == SecurityLevel::kPrivileged) return violations;
  const bool latest = policy.version.minor == SecurityVersion::kLatest;
  const int minor = latest ? std::numeric_limits<int>::max() : policy.version.minor;
  const bool restricted = policy.level == SecurityLevel::kRestricted;
  const auto run = [&](const Check& check) {
    CheckFunction* const function = CheckAt(check, minor);
    if (function == nullptr) return;
    if (auto found = function(annotations, spec)) violations.push_back(*std::move(found));
  };
  for (const Check& check : BaselineChecks()) {
    const bool overridden =
        restricted && std::ranges::any_of(RestrictedChecks(), [&](const Check& other) {
          return other.overrides == check.id && CheckAt(other, minor) != nullptr;
        });
    if (!overridden) run(check);
  }
  if (!restricted) return violations;
  for (const Check& check : RestrictedChecks()) run(check);
  return violations;
}

}  // namespace podium::apiserver
