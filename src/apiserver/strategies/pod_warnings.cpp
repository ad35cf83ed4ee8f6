#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "api/names.h"
#include "apiserver/strategies/address_warnings.h"
#include "apiserver/strategies/node_labels.h"
#include "apiserver/strategies/pod_spec_rules.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::Quantity;
using api::core::v1::Container;
using api::core::v1::ContainerPort;
using api::core::v1::EnvVar;
using api::core::v1::NodeSelectorTerm;
using api::core::v1::PodAffinityTerm;
using api::core::v1::PodSpec;
using api::core::v1::Volume;
using api::core::v1::WeightedPodAffinityTerm;
using api::field::Path;
using api::meta::v1::ObjectMeta;
using reflect::List;
using reflect::Map;

class Warnings {
 public:
  void Add(const Path& path, std::string_view text) {
    texts_.push_back(fmt::format("{}: {}", path.String(), text));
  }
  std::vector<std::string>* texts() { return &texts_; }
  std::vector<std::string> Take() && { return std::move(texts_); }

 private:
  std::vector<std::string> texts_;
};

constexpr std::string_view kNoSelector = "a null labelSelector results in matching no pod";

void WarnOfTerms(const List<PodAffinityTerm>& terms, const Path& path, Warnings& warnings) {
  for (size_t i = 0; i < terms.size(); ++i) {
    if (!terms[i].labelSelector) warnings.Add(path.Index(i).Child("labelSelector"), kNoSelector);
  }
}

void WarnOfTerms(const List<WeightedPodAffinityTerm>& terms, const Path& path, Warnings& warnings) {
  for (size_t i = 0; i < terms.size(); ++i) {
    if (terms[i].podAffinityTerm.labelSelector) continue;
    warnings.Add(path.Index(i).Child("podAffinityTerm").Child("labelSelector"), kNoSelector);
  }
}

template <class Affinity>
void WarnOfAffinity(const reflect::Box<Affinity>& affinity, const Path& path, Warnings& warnings) {
  if (!affinity) return;
  WarnOfTerms(affinity->requiredDuringSchedulingIgnoredDuringExecution,
              path.Child("requiredDuringSchedulingIgnoredDuringExecution"), warnings);
  WarnOfTerms(affinity->preferredDuringSchedulingIgnoredDuringExecution,
              path.Child("preferredDuringSchedulingIgnoredDuringExecution"), warnings);
}

void WarnOfNodes(const PodSpec& spec, const Path& path, Warnings& warnings) {
  for (const auto& [key, value] : spec.nodeSelector) {
    const std::string_view why = DeprecatedNodeLabel(key);
    if (!why.empty()) warnings.Add(path.Child("nodeSelector").Key(key), why);
  }
  if (spec.affinity && spec.affinity->nodeAffinity) {
    const auto& affinity = *spec.affinity->nodeAffinity;
    const Path at_affinity = path.Child("affinity");
    const Path at = at_affinity.Child("nodeAffinity");
    if (const auto& required = affinity.requiredDuringSchedulingIgnoredDuringExecution) {
      const Path at_required = at.Child("requiredDuringSchedulingIgnoredDuringExecution");
      const Path terms = at_required.Child("nodeSelectorTerms");
      for (size_t i = 0; i < required->nodeSelectorTerms.size(); ++i) {
        WarnOfNodeTerm(required->nodeSelectorTerms[i], terms.Index(i), false, warnings.texts());
      }
    }
    const auto& preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution;
    const Path terms = at.Child("preferredDuringSchedulingIgnoredDuringExecution");
    for (size_t i = 0; i < preferred.size(); ++i) {
      const Path term = terms.Index(i);
      WarnOfNodeTerm(preferred[i].preference, term.Child("preference"), true, warnings.texts());
    }
  }
  const Path spread = path.Child("topologySpreadConstraints");
  for (size_t i = 0; i < spec.topologySpreadConstraints.size(); ++i) {
    const auto& constraint = spec.topologySpreadConstraints[i];
    const std::string_view why = DeprecatedNodeLabel(constraint.topologyKey);
    if (!why.empty()) {
      warnings.Add(spread.Index(i).Child("topologyKey"),
                   fmt::format("{} is {}", constraint.topologyKey, why));
    }
    if (!constraint.labelSelector) {
      warnings.Add(spread.Index(i).Child("labelSelector"), kNoSelector);
    }
  }
}

struct DeprecatedAnnotation {
  std::string_view key;
  std::string_view why;
};

constexpr DeprecatedAnnotation kDeprecatedAnnotations[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod",
     "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
    {"security.alpha.kubernetes.io/sysctls",
     "non-functional in v1.11+; use the \"sysctls\" field instead"},
    {"security.alpha.kubernetes.io/unsafe-sysctls",
     "non-functional in v1.11+; use the \"sysctls\" field instead"},
};

void WarnOfVolume(const Volume& volume, const Path& path, Warnings& warnings) {
  const auto warn = [&](bool used, std::string_view field, std::string_view why) {
    if (used) warnings.Add(path.Child(field), why);
  };
  warn(volume.photonPersistentDisk.has_value(), "photonPersistentDisk",
       "deprecated in v1.11, non-functional in v1.16+");
  warn(volume.gitRepo.has_value(), "gitRepo",
       "deprecated in v1.11, and disabled by default in v1.33+");
  warn(volume.scaleIO.has_value(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+");
  warn(volume.flocker.has_value(), "flocker", "deprecated in v1.22, non-functional in v1.25+");
  warn(volume.storageos.has_value(), "storageOS", "deprecated in v1.22, non-functional in v1.25+");
  warn(volume.quobyte.has_value(), "quobyte", "deprecated in v1.22, non-functional in v1.25+");
  warn(volume.glusterfs.has_value(), "glusterfs", "deprecated in v1.25, non-functional in v1.26+");
  warn(volume.cephfs.has_value(), "cephfs", "deprecated in v1.28, non-functional in v1.31+");
  warn(volume.rbd.has_value(), "rbd", "deprecated in v1.28, non-functional in v1.31+");
}

// A byte is not divided.
void WarnOfFractions(const Map<Quantity>& amounts, const Path& path, Warnings& warnings) {
  for (const std::string_view name : {"memory", "ephemeral-storage"}) {
    const auto found = amounts.find(name);
    if (found == amounts.end() || found->second.MilliValue() % 1000 == 0) continue;
    warnings.Add(path.Key(name),
                 fmt::format("fractional byte value {} is invalid, must be an integer",
                             reflect::GoQuoted(found->second.String())));
  }
}

void WarnOfVolumes(const List<Volume>& volumes, const Path& path, Warnings& warnings) {
  for (size_t i = 0; i < volumes.size(); ++i) {
    const Path volume = path.Index(i);
    WarnOfVolume(volumes[i], volume, warnings);
    if (!volumes[i].ephemeral || !volumes[i].ephemeral->volumeClaimTemplate) continue;
    const Path ephemeral = volume.Child("ephemeral");
    const Path claim = ephemeral.Child("volumeClaimTemplate");
    WarnOfClaimSpec(volumes[i].ephemeral->volumeClaimTemplate->spec, claim.Child("spec"),
                    warnings.texts());
  }
  WarnOfOverlappingPaths(volumes, warnings.texts());
}

void WarnOfNames(const PodSpec& spec, const Path& path, Warnings& warnings) {
  std::set<std::string_view> addresses;
  const Path aliases = path.Child("hostAliases");
  for (size_t i = 0; i < spec.hostAliases.size(); ++i) {
    const std::string& address = spec.hostAliases[i].ip;
    if (addresses.insert(address).second) continue;
    warnings.Add(aliases.Index(i).Child("ip"), "duplicate ip " + reflect::GoQuoted(address));
  }
  std::set<std::string_view> names;
  const Path secrets = path.Child("imagePullSecrets");
  for (size_t i = 0; i < spec.imagePullSecrets.size(); ++i) {
    const std::string& name = spec.imagePullSecrets[i].name;
    if (names.insert(name).second) continue;
    warnings.Add(secrets.Index(i).Child("name"), "duplicate name " + reflect::GoQuoted(name));
  }
  for (size_t i = 0; i < spec.imagePullSecrets.size(); ++i) {
    const std::string& name = spec.imagePullSecrets[i].name;
    if (!name.empty()) continue;
    warnings.Add(secrets.Index(i).Child("name"), "invalid empty name " + reflect::GoQuoted(name));
  }
}

// A second value that builds on the first is meant; any other hides it.
void WarnOfEnv(const List<EnvVar>& env, const Path& path, Warnings& warnings) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < env.size(); ++i) {
    const EnvVar& item = env[i];
    if (names.insert(item.name).second) continue;
    const std::string reference = "$(" + item.name + ")";
    const bool extends = item.value != reference && item.value.contains(reference);
    if (extends && !item.valueFrom) continue;
    warnings.Add(path.Index(i), "hides previous definition of " + reflect::GoQuoted(item.name) +
                                    ", which may be dropped when using apply");
  }
}

constexpr std::string_view kSeccompPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmor = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kNoSeccomp =
    "non-functional in v1.27+; use the \"seccompProfile\" field instead";

// Ports of all containers, each of which may stand against those before it.
class PortWarnings {
 public:
  explicit PortWarnings(Warnings& warnings) : warnings_(warnings) {}

  void Add(const ContainerPort& port, const Path& path) {
    if (!port.hostIP.empty() && port.hostPort == 0) {
      warnings_.Add(path, fmt::format("hostIP set without hostPort: {{Name:{} HostPort:{} "
                                      "ContainerPort:{} Protocol:{} HostIP:{}}}",
                                      port.name, port.hostPort, port.containerPort, port.protocol,
                                      port.hostIP));
    }
    auto& others = ports_[{port.containerPort, port.protocol}];
    for (const auto& [other, at] : others) {
      const std::string_view how = Conflict(port, *other);
      if (!how.empty()) warnings_.Add(path, fmt::format("{} port definition with {}", how, at));
    }
    others.emplace_back(&port, path.String());
  }

  // After all ports: only the first of a name is found by it.
  void AddName(const ContainerPort& port, const Path& path) {
    if (port.name.empty()) return;
    const auto [first, is_new] = names_.try_emplace(port.name, path.String());
    if (is_new) return;
    warnings_.Add(path, fmt::format("duplicate port name {} with {}, services and probes that "
                                    "select ports by name will use {}",
                                    reflect::GoQuoted(port.name), first->second, first->second));
  }

 private:
  static std::string_view Conflict(const ContainerPort& a, const ContainerPort& b) {
    if (a.hostIP == b.hostIP && a.hostPort == b.hostPort) return "duplicate";
    if (a.hostPort == 0 || b.hostPort == 0) return "overlapping";
    if (a.hostPort == b.hostPort && a.hostIP.empty() != b.hostIP.empty()) {
      return "dangerously ambiguous";
    }
    return "";
  }

  Warnings& warnings_;
  std::map<std::tuple<int32_t, std::string_view>,
           std::vector<std::pair<const ContainerPort*, std::string>>>
      ports_;
  std::map<std::string_view, std::string> names_;
};

template <class AnyContainer>
void WarnOfContainers(const ObjectMeta& metadata, const PodSpec& spec,
                      const List<AnyContainer>& containers, const Path& annotations,
                      const Path& path, bool is_template, Warnings& warnings) {
  const bool has_profile = spec.securityContext && spec.securityContext->appArmorProfile;
  for (size_t i = 0; i < containers.size(); ++i) {
    const AnyContainer& container = containers[i];
    const Path at = path.Index(i);
    const auto* security = container.securityContext.get();
    const std::string seccomp = std::string(kSeccompContainer) + container.name;
    if ((security == nullptr || !security->seccompProfile) &&
        metadata.annotations.contains(seccomp)) {
      warnings.Add(annotations.Key(seccomp), kNoSeccomp);
    }
    // Of pods it is told when the annotation becomes a field.
    const bool has_field = has_profile || (security != nullptr && security->appArmorProfile);
    const std::string app_armor = std::string(kAppArmor) + container.name;
    if (is_template && !has_field && metadata.annotations.contains(app_armor)) {
      warnings.Add(annotations.Key(app_armor),
                   "deprecated since v1.30; use the \"appArmorProfile\" field instead");
    }
    const Path resources = at.Child("resources");
    WarnOfFractions(container.resources.limits, resources.Child("limits"), warnings);
    WarnOfFractions(container.resources.requests, resources.Child("requests"), warnings);
    WarnOfEnv(container.env, at.Child("env"), warnings);
  }
}

template <class AnyContainer, class Use>
void ForEachPort(const List<AnyContainer>& containers, const Path& path, Use use) {
  for (size_t i = 0; i < containers.size(); ++i) {
    const Path at_container = path.Index(i);
    const Path at = at_container.Child("ports");
    for (size_t j = 0; j < containers[i].ports.size(); ++j) {
      use(containers[i].ports[j], at.Index(j));
    }
  }
}

void WarnOfPorts(const PodSpec& spec, const Path& path, Warnings& warnings) {
  PortWarnings ports(warnings);
  const auto for_each = [&](auto use) {
    ForEachPort(spec.initContainers, path.Child("initContainers"), use);
    ForEachPort(spec.containers, path.Child("containers"), use);
    ForEachPort(spec.ephemeralContainers, path.Child("ephemeralContainers"), use);
  };
  for_each([&](const ContainerPort& port, const Path& at) { ports.Add(port, at); });
  for_each([&](const ContainerPort& port, const Path& at) { ports.AddName(port, at); });
}

void WarnOfAddresses(const PodSpec& spec, const Path& path, Warnings& warnings) {
  if (spec.dnsConfig) {
    const Path config = path.Child("dnsConfig");
    const Path servers = config.Child("nameservers");
    for (size_t i = 0; i < spec.dnsConfig->nameservers.size(); ++i) {
      WarnOfIP(servers.Index(i), spec.dnsConfig->nameservers[i], warnings.texts());
    }
  }
  const Path aliases = path.Child("hostAliases");
  for (size_t i = 0; i < spec.hostAliases.size(); ++i) {
    const Path alias = aliases.Index(i);
    WarnOfIP(alias.Child("ip"), spec.hostAliases[i].ip, warnings.texts());
  }
}

}  // namespace

void WarnOfNodeTerm(const NodeSelectorTerm& term, const Path& path, bool checks_values,
                    std::vector<std::string>* warnings) {
  const Path expressions = path.Child("matchExpressions");
  for (size_t i = 0; i < term.matchExpressions.size(); ++i) {
    const auto& expression = term.matchExpressions[i];
    const Path at = expressions.Index(i);
    const std::string_view why = DeprecatedNodeLabel(expression.key);
    if (!why.empty()) {
      warnings->push_back(
          fmt::format("{}: {} is {}", at.Child("key").String(), expression.key, why));
    }
    if (!checks_values) continue;
    const Path values = at.Child("values");
    for (size_t j = 0; j < expression.values.size(); ++j) {
      for (const std::string& message : api::IsValidLabelValue(expression.values[j])) {
        warnings->push_back(fmt::format("{}: {} is invalid, {}", values.Index(j).String(),
                                        expression.values[j], message));
      }
    }
  }
}

void WarnOfClaimSpec(const api::core::v1::PersistentVolumeClaimSpec& spec, const Path& path,
                     std::vector<std::string>* warnings) {
  const Path resources = path.Child("resources");
  const auto warn = [&](const Map<Quantity>& amounts, std::string_view field) {
    const auto found = amounts.find("storage");
    if (found == amounts.end() || found->second.MilliValue() % 1000 == 0) return;
    const Path at = resources.Child(field);
    warnings->push_back(fmt::format("{}: fractional byte value {} is invalid, must be an integer",
                                    at.Key("storage").String(),
                                    reflect::GoQuoted(found->second.String())));
  };
  warn(spec.resources.requests, "requests");
  warn(spec.resources.limits, "limits");
}

std::vector<std::string> WarningsForPodTemplate(const ObjectMeta& metadata, const PodSpec& spec,
                                                const Path& path, bool is_template) {
  Warnings warnings;
  const Path at = path.Child("spec");
  const Path at_metadata = path.Child("metadata");
  const Path annotations = at_metadata.Child("annotations");
  WarnOfNodes(spec, at, warnings);
  for (const DeprecatedAnnotation& each : kDeprecatedAnnotations) {
    if (metadata.annotations.contains(each.key)) warnings.Add(annotations.Key(each.key), each.why);
  }
  WarnOfVolumes(spec.volumes, at.Child("volumes"), warnings);
  WarnOfNames(spec, at, warnings);
  WarnOfFractions(spec.overhead, at.Child("overhead"), warnings);
  if ((!spec.securityContext || !spec.securityContext->seccompProfile) &&
      metadata.annotations.contains(kSeccompPod)) {
    warnings.Add(annotations.Key(kSeccompPod), kNoSeccomp);
  }
  const auto of_containers = [&](const auto& containers, std::string_view field) {
    WarnOfContainers(metadata, spec, containers, annotations, at.Child(field), is_template,
                     warnings);
  };
  of_containers(spec.initContainers, "initContainers");
  of_containers(spec.containers, "containers");
  of_containers(spec.ephemeralContainers, "ephemeralContainers");
  WarnOfPorts(spec, at, warnings);
  if (spec.terminationGracePeriodSeconds.value_or(0) < 0) {
    warnings.Add(at.Child("terminationGracePeriodSeconds"),
                 "must be >= 0; negative values are invalid and will be treated as 1");
  }
  if (spec.affinity) {
    const Path affinity = at.Child("affinity");
    WarnOfAffinity(spec.affinity->podAffinity, affinity.Child("podAffinity"), warnings);
    WarnOfAffinity(spec.affinity->podAntiAffinity, affinity.Child("podAntiAffinity"), warnings);
  }
  WarnOfAddresses(spec, at, warnings);
  return std::move(warnings).Take();
}

}  // namespace podium::apiserver
