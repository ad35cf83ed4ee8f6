// Containers of pods and of templates for pods.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe/parts.h"
#include "api/describe/sorted.h"
#include "api/printed_text.h"
#include "api/resource_names.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the parts of a container, named once

std::string_view OrNone(std::string_view text) { return text.empty() ? kNone : text; }
std::string_view TrueOrFalse(bool value) { return value ? "True" : "False"; }

// "80/TCP, 443/TCP (https)".
std::string PortsText(const reflect::List<ContainerPort>& ports, int32_t ContainerPort::* number) {
  std::vector<std::string> out;
  for (const ContainerPort& port : ports) {
    out.push_back(std::to_string(port.*number) + '/' + port.protocol +
                  (port.name.empty() ? "" : " (" + port.name + ')'));
  }
  return Join(out, ", ");
}

void WritePorts(std::string_view one, std::string_view several, const std::string& ports,
                DescribeWriter* out) {
  out->Line(2, ports.find(',') == std::string::npos ? one : several, ":\t", OrNone(ports));
}

template <class AnyContainer>
void WriteBasics(const AnyContainer& container, const ContainerStatus* status, bool indented,
                 DescribeWriter* out) {
  out->Line(1, indented ? " " : "", container.name, ":");
  if (status) out->Line(2, "Container ID:\t", status->containerID);
  out->Line(2, "Image:\t", container.image);
  if (status) out->Line(2, "Image ID:\t", status->imageID);
  WritePorts("Port", "Ports", PortsText(container.ports, &ContainerPort::containerPort), out);
  WritePorts("Host Port", "Host Ports", PortsText(container.ports, &ContainerPort::hostPort), out);
  if (!container.securityContext || !container.securityContext->seccompProfile) return;
  const SeccompProfile& profile = *container.securityContext->seccompProfile;
  out->Line(2, "SeccompProfile:\t", profile.type);
  if (profile.type == "Localhost") {
    out->Line(3, "LocalhostProfile:\t", profile.localhostProfile.value_or(""));
  }
}

void WriteWords(std::string_view title, const reflect::List<std::string>& words,
                DescribeWriter* out) {
  if (words.empty()) return;
  out->Line(2, title, ":");
  for (std::string_view word : words) {
    while (true) {
      const size_t end = word.find('\n');
      out->Line(3, word.substr(0, end));
      if (end == std::string_view::npos) break;
      word.remove_prefix(end + 1);
    }
  }
}

void WriteState(std::string_view title, const ContainerState& state, const Scene& scene,
                DescribeWriter* out) {
  if (state.running) {
    out->Line(2, title, ":\tRunning");
    out->Line(3, "Started:\t", scene.Date(state.running->startedAt));
    return;
  }
  if (state.waiting || !state.terminated) {
    out->Line(2, title, ":\tWaiting");
    if (state.waiting && !state.waiting->reason.empty()) {
      out->Line(3, "Reason:\t", state.waiting->reason);
    }
    return;
  }
  const ContainerStateTerminated& end = *state.terminated;
  out->Line(2, title, ":\tTerminated");
  if (!end.reason.empty()) out->Line(3, "Reason:\t", end.reason);
  if (!end.message.empty()) out->Line(3, "Message:\t", end.message);
  out->Line(3, "Exit Code:\t", end.exitCode);
  if (end.signal > 0) out->Line(3, "Signal:\t", end.signal);
  out->Line(3, "Started:\t", scene.Date(end.startedAt));
  out->Line(3, "Finished:\t", scene.Date(end.finishedAt));
}

void WriteStates(const ContainerStatus& status, const Scene& scene, DescribeWriter* out) {
  WriteState("State", status.state, scene, out);
  if (status.lastState.terminated) WriteState("Last State", status.lastState, scene, out);
  out->Line(2, "Ready:\t", TrueOrFalse(status.ready));
  out->Line(2, "Restart Count:\t", status.restartCount);
}

void WriteProbe(std::string_view title, const reflect::Box<Probe>& probe, DescribeWriter* out) {
  if (probe) out->Line(2, title, ":\t", ProbeText(*probe));
}

void WriteEnvFrom(const reflect::List<EnvFromSource>& sources, DescribeWriter* out) {
  if (sources.empty()) return;
  out->Line(2, "Environment Variables from:");
  for (const EnvFromSource& source : sources) {
    std::string_view name;
    std::string from;
    bool optional = false;
    if (source.configMapRef) {
      from = "ConfigMap";
      name = source.configMapRef->name;
      optional = source.configMapRef->optional.value_or(false);
    } else if (source.secretRef) {
      from = "Secret";
      name = source.secretRef->name;
      optional = source.secretRef->optional.value_or(false);
    }
    if (!source.prefix.empty()) from += " with prefix '" + source.prefix + '\'';
    out->Line(3, name, "\t", from, "\tOptional: ", optional);
  }
}

// What a variable takes from the container's limits or requests; nothing for other resources.
std::string ResourceValue(const ResourceFieldSelector& selector,
                          const ResourceRequirements& resources) {
  const std::string_view resource = selector.resource;
  const size_t dot = resource.find('.');
  const std::string_view of = resource.substr(0, dot);
  const std::string_view name = dot == resource.npos ? "" : resource.substr(dot + 1);
  if (of != "limits" && of != "requests") return {};
  if (name != "cpu" && name != "memory" && name != "ephemeral-storage" &&
      !IsHugePageResourceName(name)) {
    return {};
  }
  const Quantity amount = AmountOf(of == "limits" ? resources.limits : resources.requests, name);
  const Quantity divisor = selector.divisor.IsZero() ? Quantity::FromInt(1) : selector.divisor;
  const Quantity::Scale scale = name == "cpu" ? Quantity::kMilli : Quantity::kOne;
  const double parts = static_cast<double>(amount.ScaledValue(scale)) /
                       static_cast<double>(divisor.ScaledValue(scale));
  std::string value = std::to_string(GoInteger(std::ceil(parts)));
  const bool is_of_node = of == "limits" && (name == "cpu" || name == "memory");
  return value == "0" && is_of_node ? "node allocatable" : value;
}

// A client knows how to read these fields only; of others it shows the path alone.
std::string_view FieldValue(const ObjectFieldSelector& selector, const Pod* pod) {
  if (!pod) return {};
  if (selector.fieldPath == "metadata.name") return pod->metadata.name;
  if (selector.fieldPath == "metadata.namespace") return pod->metadata.namespace_;
  return {};
}

void WritePlainValue(const EnvVar& variable, DescribeWriter* out) {
  std::string_view value = variable.value;
  size_t end = value.find('\n');
  out->Line(3, variable.name, ":\t", value.substr(0, end));
  while (end != std::string_view::npos) {
    value.remove_prefix(end + 1);
    end = value.find('\n');
    out->Line(3, "\t", value.substr(0, end));
  }
}

void WriteVariable(const EnvVar& variable, const ResourceRequirements& resources, const Pod* pod,
                   DescribeWriter* out) {
  if (!variable.valueFrom) return WritePlainValue(variable, out);
  const EnvVarSource& from = *variable.valueFrom;
  if (from.fieldRef) {
    out->Line(3, variable.name, ":\t", FieldValue(*from.fieldRef, pod), " (",
              from.fieldRef->apiVersion, ":", from.fieldRef->fieldPath, ")");
  } else if (from.resourceFieldRef) {
    out->Line(3, variable.name, ":\t", ResourceValue(*from.resourceFieldRef, resources), " (",
              from.resourceFieldRef->resource, ")");
  } else if (from.secretKeyRef) {
    out->Line(3, variable.name, ":\t<set to the key '", from.secretKeyRef->key, "' in secret '",
              from.secretKeyRef->name,
              "'>\tOptional: ", from.secretKeyRef->optional.value_or(false));
  } else if (from.configMapKeyRef) {
    out->Line(3, variable.name, ":\t<set to the key '", from.configMapKeyRef->key,
              "' of config map '", from.configMapKeyRef->name,
              "'>\tOptional: ", from.configMapKeyRef->optional.value_or(false));
  }
}

template <class AnyContainer>
void WriteMounts(const AnyContainer& container, DescribeWriter* out) {
  const std::string_view none = container.volumeMounts.empty() ? "\t<none>" : "";
  out->Line(2, "Mounts:", none);
  for (const VolumeMount* mount :
       Sorted(container.volumeMounts, std::mem_fn(&VolumeMount::mountPath))) {
    std::string flags = mount->readOnly ? "ro" : "rw";
    if (!mount->subPath.empty()) flags += ",path=" + reflect::GoQuoted(mount->subPath);
    out->Line(3, mount->mountPath, " from ", mount->name, " (", flags, ")");
  }
  if (container.volumeDevices.empty()) return;
  // Upstream says <none> here where there are no mounts, and then the devices.
  out->Line(2, "Devices:", none);
  for (const VolumeDevice* device :
       Sorted(container.volumeDevices, std::mem_fn(&VolumeDevice::devicePath))) {
    out->Line(3, device->devicePath, " from ", device->name);
  }
}

template <class AnyContainer>
void WriteEach(std::string_view label, const reflect::List<AnyContainer>& containers,
               const reflect::List<ContainerStatus>& statuses, const Pod* pod, bool indented,
               const Scene& scene, DescribeWriter* out) {
  out->Line(0, indented ? "  " : "", label, containers.empty() ? ": <none>" : ":");
  for (const AnyContainer& container : containers) {
    // Of statuses of one name the last one counts.
    const auto found = std::ranges::find(statuses.rbegin(), statuses.rend(), container.name,
                                         &ContainerStatus::name);
    const ContainerStatus* status = found == statuses.rend() ? nullptr : &*found;
    WriteBasics(container, status, indented, out);
    WriteWords("Command", container.command, out);
    WriteWords("Args", container.args, out);
    if (status) WriteStates(*status, scene, out);
    WriteResources(container.resources, 2, out);
    WriteProbe("Liveness", container.livenessProbe, out);
    WriteProbe("Readiness", container.readinessProbe, out);
    WriteProbe("Startup", container.startupProbe, out);
    WriteEnvFrom(container.envFrom, out);
    out->Line(2, "Environment:", container.env.empty() ? "\t<none>" : "");
    for (const EnvVar& variable : container.env) {
      WriteVariable(variable, container.resources, pod, out);
    }
    WriteMounts(container, out);
  }
}

void WriteAmounts(std::string_view title, const reflect::Map<Quantity>& amounts, int level,
                  DescribeWriter* out) {
  if (!amounts.empty()) out->Line(level, title, ":");
  for (const auto& [name, amount] : amounts) out->Line(level + 1, name, ":\t", amount.String());
}

}  // namespace

void WriteResources(const ResourceRequirements& resources, int level, DescribeWriter* out) {
  WriteAmounts("Limits", resources.limits, level, out);
  WriteAmounts("Requests", resources.requests, level, out);
}

void WriteContainers(std::string_view label, const reflect::List<Container>& containers,
                     const reflect::List<ContainerStatus>& statuses, const Pod* pod, bool indented,
                     const Scene& scene, DescribeWriter* out) {
  WriteEach(label, containers, statuses, pod, indented, scene, out);
}

void WriteContainers(std::string_view label, const reflect::List<EphemeralContainer>& containers,
                     const reflect::List<ContainerStatus>& statuses, const Pod* pod, bool indented,
                     const Scene& scene, DescribeWriter* out) {
  WriteEach(label, containers, statuses, pod, indented, scene, out);
}

}  // namespace podium::api
