// The whole PodSpec, and the template around it.

#include <fmt/format.h>

#include <limits>

#include "api/ip.h"
#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/pod_template.h"
#include "api/validation/resources.h"
#include "api/validation/scheduling.h"
#include "api/validation/security_context.h"

namespace podium::api {

using core::v1::HostAlias;
using core::v1::PodDNSConfig;
using core::v1::PodSpec;
using field::ErrorList;
using field::Path;
using reflect::List;

namespace {

// Limits of the resolver in Linux C libraries.
constexpr size_t kMaxDnsNameservers = 3;
constexpr size_t kMaxDnsSearchPaths = 32;
constexpr size_t kMaxDnsSearchChars = 2048;
constexpr size_t kMaxHostname = 64;

ErrorList ValidateEnum(const std::string& value, std::initializer_list<std::string_view> values,
                       const Path& path) {
  ErrorList errors;
  if (value.empty()) {
    errors.Add(field::Required(path, ""));
  } else if (!IsOneOf(value, values)) {
    errors.Add(field::NotSupported(path, NamedString(value), values));
  }
  return errors;
}

ErrorList ValidateSearches(const List<std::string>& searches, const Path& path,
                           const PodValidationOptions& options) {
  ErrorList errors;
  if (searches.size() > kMaxDnsSearchPaths) {
    errors.Add(
        field::Invalid(path, searches,
                       fmt::format("must not have more than {} search paths", kMaxDnsSearchPaths)));
  }
  size_t chars = searches.empty() ? 0 : searches.size() - 1;  // the spaces between
  for (const std::string& search : searches) chars += search.size();
  if (chars > kMaxDnsSearchChars) {
    errors.Add(field::Invalid(path, searches,
                              fmt::format("must not have more than {} characters (including "
                                          "spaces) in the search list",
                                          kMaxDnsSearchChars)));
  }
  for (size_t i = 0; i < searches.size(); ++i) {
    std::string_view search = searches[i];
    bool relaxed = options.allow_relaxed_dns_search_validation;
    if (relaxed && search == ".") continue;
    if (search.ends_with('.')) search.remove_suffix(1);
    errors.AddInvalid(
        path.Index(i), search,
        relaxed ? IsDNS1123SubdomainWithUnderscore(search) : IsDNS1123Subdomain(search));
  }
  return errors;
}

ErrorList ValidateDnsConfig(const PodSpec& spec, const Path& path,
                            const PodValidationOptions& options) {
  ErrorList errors;
  if (spec.dnsPolicy == "None") {
    if (!spec.dnsConfig) {
      errors.Add(field::Required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
      return errors;
    }
    if (spec.dnsConfig->nameservers.empty()) {
      errors.Add(
          field::Required(path.Child("nameservers"),
                          "must provide at least one DNS nameserver when `dnsPolicy` is None"));
      return errors;
    }
  }
  if (!spec.dnsConfig) return errors;
  const PodDNSConfig& config = *spec.dnsConfig;
  Path nameservers = path.Child("nameservers");
  if (config.nameservers.size() > kMaxDnsNameservers) {
    errors.Add(
        field::Invalid(nameservers, config.nameservers,
                       fmt::format("must not have more than {} nameservers", kMaxDnsNameservers)));
  }
  for (size_t i = 0; i < config.nameservers.size(); ++i) {
    errors.AddInvalid(nameservers.Index(i), config.nameservers[i],
                      IsValidIPForLegacyField(config.nameservers[i]));
  }
  errors.Append(ValidateSearches(config.searches, path.Child("searches"), options));
  Path options_path = path.Child("options");
  for (size_t i = 0; i < config.options.size(); ++i) {
    if (config.options[i].name.empty()) {
      errors.Add(field::Required(options_path.Index(i), "must not be empty"));
    }
  }
  return errors;
}

// Ports of a pod in its host's network are the host's.
ErrorList ValidateHostNetworkPorts(const PodSpec& spec, const Path& path,
                                   const PodValidationOptions& options) {
  ErrorList errors;
  if (!spec.hostNetwork) return errors;
  Path containers = path.Child("containers");
  for (size_t i = 0; i < spec.containers.size(); ++i) {
    Path container = containers.Index(i);
    Path ports = container.Child("ports");
    for (size_t j = 0; j < spec.containers[i].ports.size(); ++j) {
      const core::v1::ContainerPort& port = spec.containers[i].ports[j];
      // In a template it may be left out: the pod will get it as a default.
      if (port.hostPort == port.containerPort) continue;
      if (port.hostPort == 0 && !options.resource_is_pod) continue;
      Path at = ports.Index(j);
      errors.Add(field::Invalid(at.Child("hostPort"), port.hostPort,
                                "must match `containerPort` when `hostNetwork` is true"));
    }
  }
  return errors;
}

ErrorList ValidateHostAliases(const List<HostAlias>& aliases, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < aliases.size(); ++i) {
    Path at = path.Index(i);
    errors.AddInvalid(at.Child("ip"), aliases[i].ip, IsValidIPForLegacyField(aliases[i].ip));
    Path hostnames = at.Child("hostnames");
    for (size_t j = 0; j < aliases[i].hostnames.size(); ++j) {
      errors.Append(ValidateDNS1123Subdomain(aliases[i].hostnames[j], hostnames.Index(j)));
    }
  }
  return errors;
}

ErrorList ValidateHostnameOverride(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  if (!spec.hostnameOverride) return errors;
  Path at = path.Child("hostnameOverride");
  if (spec.setHostnameAsFQDN.value_or(false)) {
    errors.Add(field::Forbidden(at, "may not be specified when setHostnameAsFQDN is true"));
  }
  if (spec.hostNetwork) {
    errors.Add(field::Forbidden(at, "may not be specified when hostNetwork is true"));
  }
  if (spec.hostnameOverride->size() > kMaxHostname) {
    errors.Add(field::TooLong(at, kMaxHostname));
  }
  errors.Append(ValidateDNS1123Subdomain(*spec.hostnameOverride, at));
  return errors;
}

// Names of other objects, where they are given.
ErrorList ValidateReferences(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  auto validate = [&](const std::string& name, std::string_view key) {
    if (!name.empty()) {
      errors.AddInvalid(path.Child(key), name, NameIsDNSSubdomain(name, false));
    }
  };
  // The older field is read where the newer is not set.
  validate(spec.serviceAccountName.empty() ? spec.serviceAccount : spec.serviceAccountName,
           "serviceAccountName");
  validate(spec.nodeName, "nodeName");
  return errors;
}

ErrorList ValidateDeadline(const std::optional<int64_t>& seconds, const Path& path) {
  ErrorList errors;
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (seconds && (*seconds < 1 || *seconds > kMax)) {
    errors.Add(field::Invalid(path, *seconds, InclusiveRangeError(1, kMax)));
  }
  return errors;
}

// Volumes, claims, containers and their resources.
ErrorList ValidateParts(const PodSpec& spec, const meta::v1::ObjectMeta* pod_meta, const Path& path,
                        const PodValidationOptions& options) {
  ErrorList errors;
  VolumesByName volumes;
  errors.Append(ValidateVolumes(spec.volumes, pod_meta, path.Child("volumes"), options, &volumes));
  ClaimNames claims;
  for (const core::v1::PodResourceClaim& claim : spec.resourceClaims) {
    if (!claim.name.empty()) claims.insert(claim.name);
  }
  errors.Append(ValidatePodResourceClaims(spec, pod_meta, path.Child("resourceClaims")));
  ContainerContext context{
      .spec = spec, .volumes = volumes, .claim_names = claims, .options = options};
  errors.Append(ValidateContainers(context, path.Child("containers")));
  errors.Append(ValidateInitContainers(context, path.Child("initContainers")));
  errors.Append(ValidateEphemeralContainers(context, path.Child("ephemeralContainers")));
  if (options.pod_level_resources_enabled) {
    errors.Append(ValidatePodResources(spec, claims, path, options));
  }
  return errors;
}

// From the host's network to the names of other objects.
ErrorList ValidatePlacement(const PodSpec& spec, const Path& path,
                            const PodValidationOptions& options) {
  ErrorList errors;
  errors.Append(ValidateHostNetworkPorts(spec, path, options));
  errors.Append(ValidateEnum(spec.restartPolicy, {"Always", "OnFailure", "Never"},
                             path.Child("restartPolicy")));
  errors.Append(ValidateEnum(spec.dnsPolicy,
                             {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"},
                             path.Child("dnsPolicy")));
  errors.Append(ValidateLabels(spec.nodeSelector, path.Child("nodeSelector")));
  errors.Append(ValidatePodSecurityContext(spec, path.Child("securityContext"), options));
  errors.Append(ValidateAffinity(spec.affinity, path.Child("affinity"), options));
  errors.Append(ValidateDnsConfig(spec, path.Child("dnsConfig"), options));
  errors.Append(ValidateReadinessGates(spec.readinessGates, path.Child("readinessGates")));
  errors.Append(ValidateSchedulingGates(spec.schedulingGates, path.Child("schedulingGates")));
  errors.Append(ValidateTopologySpreadConstraints(
      spec.topologySpreadConstraints, path.Child("topologySpreadConstraints"), options));
  errors.Append(ValidateWindowsHostProcess(spec, path));
  errors.Append(ValidateHostUsers(spec, path, options));
  errors.Append(ValidateHostnameOverride(spec, path));
  errors.Append(ValidateReferences(spec, path));
  return errors;
}

// The rest of the spec.
ErrorList ValidateSettings(const PodSpec& spec, const Path& path,
                           const PodValidationOptions& options) {
  ErrorList errors;
  errors.Append(ValidateDeadline(spec.activeDeadlineSeconds, path.Child("activeDeadlineSeconds")));
  if (!spec.hostname.empty()) {
    errors.Append(ValidateDNS1123Label(spec.hostname, path.Child("hostname")));
  }
  if (!spec.subdomain.empty()) {
    errors.Append(ValidateDNS1123Label(spec.subdomain, path.Child("subdomain")));
  }
  errors.Append(ValidateTolerations(spec.tolerations, path.Child("tolerations"), options));
  errors.Append(ValidateHostAliases(spec.hostAliases, path.Child("hostAliases")));
  if (!spec.priorityClassName.empty()) {
    errors.AddInvalid(path.Child("priorityClassName"), spec.priorityClassName,
                      NameIsDNSSubdomain(spec.priorityClassName, false));
  }
  if (spec.runtimeClassName) {
    errors.AddInvalid(path.Child("runtimeClassName"), *spec.runtimeClassName,
                      NameIsDNSSubdomain(*spec.runtimeClassName, false));
  }
  if (spec.preemptionPolicy) {
    errors.Append(ValidateEnum(*spec.preemptionPolicy, {"PreemptLowerPriority", "Never"},
                               path.Child("preemptionPolicy")));
  }
  errors.Append(ValidateOverhead(spec.overhead, path.Child("overhead"), options));
  errors.Append(ValidateOs(spec, path));
  if (spec.schedulingGroup) {
    errors.Append(ValidateSchedulingGroup(*spec.schedulingGroup, path.Child("schedulingGroup")));
  }
  errors.Append(ValidateFileKeyRefVolumes(spec, path));
  return errors;
}

}  // namespace

ErrorList ValidatePodSpec(const PodSpec& spec, const meta::v1::ObjectMeta* pod_meta,
                          const Path& path, const PodValidationOptions& options) {
  ErrorList errors;
  if (!spec.terminationGracePeriodSeconds) {
    errors.Add(field::Required(path.Child("terminationGracePeriodSeconds"), ""));
  }
  errors.Append(ValidateParts(spec, pod_meta, path, options));
  errors.Append(ValidatePlacement(spec, path, options));
  errors.Append(ValidateSettings(spec, path, options));
  return errors;
}

ErrorList ValidatePodTemplateSpec(const core::v1::PodTemplateSpec& pod_template, const Path& path,
                                  const PodValidationOptions& options) {
  ErrorList errors;
  const meta::v1::ObjectMeta& meta = pod_template.metadata;
  Path annotations = path.Child("annotations");
  Path spec = path.Child("spec");
  errors.Append(ValidateLabels(meta.labels, path.Child("labels")));
  errors.Append(ValidateAnnotations(meta.annotations, annotations));
  errors.Append(
      ValidatePodSpecificAnnotations(meta.annotations, pod_template.spec, annotations, options));
  errors.Append(ValidatePodSpec(pod_template.spec, nullptr, spec, options));
  errors.Append(ValidateProfilesMatchAnnotations(meta.annotations, pod_template.spec, spec));
  if (!pod_template.spec.ephemeralContainers.empty()) {
    errors.Add(field::Forbidden(spec.Child("ephemeralContainers"),
                                "ephemeral containers not allowed in pod template"));
  }
  return errors;
}

}  // namespace podium::api
