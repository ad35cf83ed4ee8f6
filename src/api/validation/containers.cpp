#include "api/validation/containers.h"

#include <fmt/format.h>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/resources.h"
#include "api/validation/security_context.h"
#include "api/validation/unversioned_json.h"
#include "reflect/copy.h"

namespace podium::api {

using core::v1::Container;
using core::v1::ContainerPort;
using core::v1::ContainerResizePolicy;
using core::v1::ContainerRestartRule;
using core::v1::EphemeralContainer;
using field::ErrorList;
using field::Path;
using reflect::List;

namespace {

constexpr size_t kMaxRestartRules = 20;
constexpr size_t kMaxExitCodes = 255;

ErrorList ValidatePorts(const List<ContainerPort>& ports, const Path& path) {
  ErrorList errors;
  std::set<std::string_view> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const ContainerPort& port = ports[i];
    Path at = path.Index(i);
    if (!port.name.empty()) {
      std::vector<std::string> problems = IsValidPortName(port.name);
      if (!problems.empty()) {
        errors.AddInvalid(at.Child("name"), port.name, problems);
      } else if (!names.insert(port.name).second) {
        errors.Add(field::Duplicate(at.Child("name"), port.name));
      }
    }
    if (port.containerPort == 0) {
      errors.Add(field::Required(at.Child("containerPort"), ""));
    } else {
      errors.AddInvalid(at.Child("containerPort"), port.containerPort,
                        IsValidPortNum(port.containerPort));
    }
    if (port.hostPort != 0) {
      errors.AddInvalid(at.Child("hostPort"), port.hostPort, IsValidPortNum(port.hostPort));
    }
    errors.Append(ValidatePortProtocol(port.protocol, at.Child("protocol")));
  }
  return errors;
}

// Host ports of one container; `seen` is shared by containers that run at the same time.
ErrorList CheckHostPorts(const List<ContainerPort>& ports, const Path& path,
                         std::set<std::string>* seen) {
  ErrorList errors;
  for (size_t i = 0; i < ports.size(); ++i) {
    const ContainerPort& port = ports[i];
    if (port.hostPort == 0) continue;
    std::string key = fmt::format("{}/{}/{}", port.protocol, port.hostIP, port.hostPort);
    Path at = path.Index(i);
    if (!seen->insert(key).second) errors.Add(field::Duplicate(at.Child("hostPort"), key));
  }
  return errors;
}

ErrorList ValidateTerminationMessagePolicy(const std::string& policy, const Path& path) {
  ErrorList errors;
  if (policy.empty()) {
    errors.Add(field::Required(path, ""));
  } else if (!IsOneOf(policy, {"File", "FallbackToLogsOnError"})) {
    errors.Add(field::NotSupported(path, NamedString(policy), {"File", "FallbackToLogsOnError"}));
  }
  return errors;
}

ErrorList ValidateResizePolicy(const List<ContainerResizePolicy>& policies, const Path& path,
                               const std::string& pod_restart_policy) {
  ErrorList errors;
  std::set<std::string_view> resources;
  for (size_t i = 0; i < policies.size(); ++i) {
    const ContainerResizePolicy& policy = policies[i];
    if (!resources.insert(policy.resourceName).second) {
      errors.Add(field::Duplicate(path.Index(i), NamedString(policy.resourceName)));
    }
    // Upstream blames the list for what follows.
    if (policy.resourceName.empty()) {
      errors.Add(field::Required(path, ""));
    } else if (!IsOneOf(policy.resourceName, {"cpu", "memory"})) {
      errors.Add(field::NotSupported(path, NamedString(policy.resourceName), {"cpu", "memory"}));
    }
    if (policy.restartPolicy.empty()) {
      errors.Add(field::Required(path, ""));
    } else if (!IsOneOf(policy.restartPolicy, {"NotRequired", "RestartContainer"})) {
      errors.Add(field::NotSupported(path, NamedString(policy.restartPolicy),
                                     {"NotRequired", "RestartContainer"}));
    }
    if (pod_restart_policy == "Never" && policy.restartPolicy != "NotRequired") {
      errors.Add(field::Invalid(path, NamedString(policy.restartPolicy),
                                "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  }
  return errors;
}

ErrorList ValidateRestartRule(const ContainerRestartRule& rule, const Path& path,
                              const PodValidationOptions& options) {
  ErrorList errors;
  bool all_containers = options.allow_restart_all_containers;
  if (rule.action != "Restart" && !(all_containers && rule.action == "RestartAllContainers")) {
    std::vector<std::string> actions = {"Restart"};
    if (all_containers) actions.push_back("RestartAllContainers");
    errors.Add(field::NotSupported(path.Child("action"), NamedString(rule.action), actions));
  }
  Path codes = path.Child("exitCodes");
  if (!rule.exitCodes) {
    errors.Add(field::Required(codes, "must be specified"));
    return errors;
  }
  if (!IsOneOf(rule.exitCodes->operator_, {"In", "NotIn"})) {
    errors.Add(field::NotSupported(codes.Child("operator"), NamedString(rule.exitCodes->operator_),
                                   {"In", "NotIn"}));
  }
  size_t values = rule.exitCodes->values.size();
  if (values > kMaxExitCodes) {
    errors.Add(field::TooMany(codes.Child("values"), static_cast<int64_t>(values), kMaxExitCodes));
  }
  return errors;
}

ErrorList ValidateContainerRestartPolicy(const Container& container, const Path& path,
                                         const PodValidationOptions& options) {
  ErrorList errors;
  const List<ContainerRestartRule>& rules = container.restartPolicyRules;
  Path policy_path = path.Child("restartPolicy");
  if (!container.restartPolicy) {
    if (rules.empty()) return errors;
    errors.Add(
        field::Required(policy_path, "must specify restartPolicy when restart rules are used"));
  } else if (!IsOneOf(*container.restartPolicy, {"Always", "Never", "OnFailure"})) {
    errors.Add(field::NotSupported(policy_path, NamedString(*container.restartPolicy),
                                   {"Always", "Never", "OnFailure"}));
  }
  Path rules_path = path.Child("restartPolicyRules");
  if (rules.size() > kMaxRestartRules) {
    errors.Add(field::TooMany(rules_path, static_cast<int64_t>(rules.size()), kMaxRestartRules));
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    errors.Append(ValidateRestartRule(rules[i], rules_path.Index(i), options));
  }
  return errors;
}

ErrorList ValidateInitContainerRestartPolicy(const Container& container, const Path& path,
                                             const PodValidationOptions& options) {
  ErrorList errors;
  bool has_rules = !container.restartPolicyRules.empty();
  if (!container.restartPolicy) {
    if (has_rules) {
      errors.Add(field::Required(path.Child("restartPolicy"),
                                 "must specify restartPolicy when restart rules are used"));
    }
    return errors;
  }
  bool always = *container.restartPolicy == "Always";
  if (!options.allow_container_restart_policy_rules) {
    if (!always) {
      errors.Add(field::NotSupported(path.Child("restartPolicy"),
                                     NamedString(*container.restartPolicy), {"Always"}));
    }
  } else if (always && !options.allow_restart_all_containers) {
    if (has_rules) {
      errors.Add(field::Forbidden(
          path.Child("restartPolicyRules"),
          "restartPolicyRules are not allowed for init containers with restart policy Always"));
    }
  } else {
    errors.Append(ValidateContainerRestartPolicy(container, path, options));
  }
  return errors;
}

// What holds for containers of every list.
ErrorList ValidateContainerCommon(const Container& container, const ContainerContext& context,
                                  const Path& path) {
  ErrorList errors;
  if (container.name.empty()) {
    errors.Add(field::Required(path.Child("name"), ""));
  } else {
    errors.Append(ValidateDNS1123Label(container.name, path.Child("name")));
  }
  // White space around an image is for ValidateContainersOnlyForPod: templates may have it.
  if (container.image.empty()) errors.Add(field::Required(path.Child("image"), ""));
  errors.Append(ValidateTerminationMessagePolicy(container.terminationMessagePolicy,
                                                 path.Child("terminationMessagePolicy")));
  errors.Append(ValidatePorts(container.ports, path.Child("ports")));
  errors.Append(ValidateEnv(container.env, path.Child("env"), context.options));
  errors.Append(ValidateEnvFrom(container.envFrom, path.Child("envFrom"), context.options));
  errors.Append(ValidateVolumeMounts(container, context.volumes, path.Child("volumeMounts")));
  errors.Append(ValidateVolumeDevices(container, context.volumes, path.Child("volumeDevices")));
  errors.Append(ValidatePullPolicy(container.imagePullPolicy, path.Child("imagePullPolicy")));
  errors.Append(ValidateContainerResourceRequirements(container.resources, context.claim_names,
                                                      path.Child("resources"), context.options));
  errors.Append(ValidateResizePolicy(container.resizePolicy, path.Child("resizePolicy"),
                                     context.spec.restartPolicy));
  errors.Append(ValidateSecurityContext(container.securityContext, path.Child("securityContext"),
                                        context.host_users()));
  return errors;
}

ErrorList ValidateContainerOnlyForPod(const Container& container, const Path& path) {
  ErrorList errors;
  if (HasOuterSpace(container.image)) {
    errors.Add(field::Invalid(path.Child("image"), container.image,
                              "must not have leading or trailing whitespace"));
  }
  return errors;
}

// Hooks and probes make no sense in a container that runs to completion.
ErrorList ForbidLifecycleAndProbes(const Container& container, const Path& path) {
  ErrorList errors;
  constexpr std::string_view kWhy =
      "may not be set for init containers without restartPolicy=Always";
  if (container.lifecycle) errors.Add(field::Forbidden(path.Child("lifecycle"), kWhy));
  if (container.livenessProbe) errors.Add(field::Forbidden(path.Child("livenessProbe"), kWhy));
  if (container.readinessProbe) errors.Add(field::Forbidden(path.Child("readinessProbe"), kWhy));
  if (container.startupProbe) errors.Add(field::Forbidden(path.Child("startupProbe"), kWhy));
  return errors;
}

ErrorList ValidateInitResizePolicy(const Container& container, const Path& path,
                                   const PodValidationOptions& options) {
  ErrorList errors;
  const List<ContainerResizePolicy>& policies = container.resizePolicy;
  Path at = path.Child("resizePolicy");
  if (!options.allow_sidecar_resize_policy && !policies.empty()) {
    errors.Add(
        field::Invalid(at, UnversionedValue(policies), "must not be set for init containers"));
  }
  if (IsRestartableInitContainer(container) ||
      options.allow_existing_restart_container_for_non_sidecar_init_container) {
    return errors;
  }
  for (size_t i = 0; i < policies.size(); ++i) {
    if (policies[i].restartPolicy != "RestartContainer") continue;
    Path index = at.Index(i);
    errors.Add(
        field::Invalid(index.Child("restartPolicy"), NamedString(policies[i].restartPolicy),
                       "must not be set to 'RestartContainer' for non-sidecar initContainers"));
  }
  return errors;
}

// Fields that pods may rely on for their work are not for debugging containers.
ErrorList ForbidEphemeralFields(const Container& container, const Path& path) {
  ErrorList errors;
  auto forbid = [&](bool set, std::string_view name) {
    if (set) {
      errors.Add(field::Forbidden(path.Child(name), "cannot be set for an Ephemeral Container"));
    }
  };
  forbid(!container.ports.empty(), "ports");
  forbid(!reflect::IsZeroObject(reflect::TypeOf<core::v1::ResourceRequirements>(),
                                &container.resources),
         "resources");
  forbid(!container.resizePolicy.empty(), "resizePolicy");
  forbid(container.restartPolicy.has_value(), "restartPolicy");
  forbid(!container.restartPolicyRules.empty(), "restartPolicyRules");
  forbid(container.livenessProbe.has_value(), "livenessProbe");
  forbid(container.readinessProbe.has_value(), "readinessProbe");
  forbid(container.startupProbe.has_value(), "startupProbe");
  forbid(container.lifecycle.has_value(), "lifecycle");
  Path mounts = path.Child("volumeMounts");
  for (size_t i = 0; i < container.volumeMounts.size(); ++i) {
    Path at = mounts.Index(i);
    if (!container.volumeMounts[i].subPath.empty()) {
      errors.Add(field::Forbidden(at.Child("subPath"), "cannot be set for an Ephemeral Container"));
    }
    if (!container.volumeMounts[i].subPathExpr.empty()) {
      errors.Add(
          field::Forbidden(at.Child("subPathExpr"), "cannot be set for an Ephemeral Container"));
    }
  }
  return errors;
}

}  // namespace

Container AsContainer(const EphemeralContainer& from) {
  return Container{
      .name = from.name,
      .image = from.image,
      .command = from.command,
      .args = from.args,
      .workingDir = from.workingDir,
      .ports = from.ports,
      .envFrom = from.envFrom,
      .env = from.env,
      .resources = from.resources,
      .resizePolicy = from.resizePolicy,
      .restartPolicy = from.restartPolicy,
      .restartPolicyRules = from.restartPolicyRules,
      .volumeMounts = from.volumeMounts,
      .volumeDevices = from.volumeDevices,
      .livenessProbe = from.livenessProbe,
      .readinessProbe = from.readinessProbe,
      .startupProbe = from.startupProbe,
      .lifecycle = from.lifecycle,
      .terminationMessagePath = from.terminationMessagePath,
      .terminationMessagePolicy = from.terminationMessagePolicy,
      .imagePullPolicy = from.imagePullPolicy,
      .securityContext = from.securityContext,
      .stdin_ = from.stdin_,
      .stdinOnce = from.stdinOnce,
      .tty = from.tty,
  };
}

ErrorList ValidateContainers(const ContainerContext& context, const Path& path) {
  ErrorList errors;
  const List<Container>& containers = context.spec.containers;
  if (containers.empty()) {
    errors.Add(field::Required(path, ""));
    return errors;
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < containers.size(); ++i) {
    const Container& container = containers[i];
    Path at = path.Index(i);
    errors.Append(ValidateContainerCommon(container, context, at));
    if (!names.insert(container.name).second) {
      errors.Add(field::Duplicate(at.Child("name"), container.name));
    }
    errors.Append(ValidateLifecycleAndProbes(container, context, at));
    if (context.options.allow_container_restart_policy_rules) {
      errors.Append(ValidateContainerRestartPolicy(container, at, context.options));
    } else if (container.restartPolicy) {
      errors.Add(
          field::Forbidden(at.Child("restartPolicy"), "may not be set for non-init containers"));
    }
  }
  std::set<std::string> host_ports;
  for (size_t i = 0; i < containers.size(); ++i) {
    Path at = path.Index(i);
    errors.Append(CheckHostPorts(containers[i].ports, at.Child("ports"), &host_ports));
  }
  return errors;
}

ErrorList ValidateInitContainers(const ContainerContext& context, const Path& path) {
  ErrorList errors;
  std::set<std::string_view> names;
  for (const Container& container : context.spec.containers) names.insert(container.name);
  for (size_t i = 0; i < context.spec.initContainers.size(); ++i) {
    const Container& container = context.spec.initContainers[i];
    Path at = path.Index(i);
    errors.Append(ValidateContainerCommon(container, context, at));
    errors.Append(ValidateInitContainerRestartPolicy(container, at, context.options));
    if (names.contains(container.name)) {
      errors.Add(field::Duplicate(at.Child("name"), container.name));
    } else if (!container.name.empty()) {
      names.insert(container.name);
    }
    // Init containers run one by one; upstream's path calls each of them the first.
    std::set<std::string> host_ports;
    Path first = path.Index(0);
    errors.Append(CheckHostPorts(container.ports, first.Child("ports"), &host_ports));
    errors.Append(IsRestartableInitContainer(container)
                      ? ValidateLifecycleAndProbes(container, context, at)
                      : ForbidLifecycleAndProbes(container, at));
    errors.Append(ValidateInitResizePolicy(container, at, context.options));
  }
  return errors;
}

ErrorList ValidateEphemeralContainers(const ContainerContext& context, const Path& path) {
  ErrorList errors;
  std::set<std::string, std::less<>> lasting;  // names of the other two lists
  for (const Container& container : context.spec.containers) lasting.insert(container.name);
  for (const Container& container : context.spec.initContainers) lasting.insert(container.name);
  std::set<std::string, std::less<>> names = lasting;
  for (size_t i = 0; i < context.spec.ephemeralContainers.size(); ++i) {
    const EphemeralContainer& ephemeral = context.spec.ephemeralContainers[i];
    Container container = AsContainer(ephemeral);
    Path at = path.Index(i);
    errors.Append(ValidateContainerCommon(container, context, at));
    errors.Append(ValidateContainerOnlyForPod(container, at));
    if (!names.insert(ephemeral.name).second) {
      errors.Add(field::Duplicate(at.Child("name"), ephemeral.name));
    }
    if (!ephemeral.targetContainerName.empty() &&
        !lasting.contains(ephemeral.targetContainerName)) {
      errors.Add(field::NotFound(at.Child("targetContainerName"), ephemeral.targetContainerName));
    }
    errors.Append(ForbidEphemeralFields(container, at));
  }
  return errors;
}

ErrorList ValidateContainersOnlyForPod(const List<Container>& containers, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < containers.size(); ++i) {
    errors.Append(ValidateContainerOnlyForPod(containers[i], path.Index(i)));
  }
  return errors;
}

}  // namespace podium::api
