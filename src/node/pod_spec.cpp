#include "node/pod_spec.h"

#include <algorithm>

#include "reflect/json.h"

namespace podium::node {

std::string FormatPod(const v1::Pod& pod) {
  return pod.metadata.name + "_" + pod.metadata.namespace_ + "(" + pod.metadata.uid + ")";
}

std::string PodLogName(std::string_view name_space, std::string_view name, std::string_view uid) {
  std::string out(name_space);
  out.append("_").append(name).append("_").append(uid);
  return out;
}

bool IsSidecar(const v1::Container& container) { return container.restartPolicy == "Always"; }

v1::Container AsContainer(const v1::EphemeralContainer& from) {
  v1::Container to;
  to.name = from.name;
  to.image = from.image;
  to.command = from.command;
  to.args = from.args;
  to.workingDir = from.workingDir;
  to.ports = from.ports;
  to.envFrom = from.envFrom;
  to.env = from.env;
  to.resources = from.resources;
  to.resizePolicy = from.resizePolicy;
  to.restartPolicy = from.restartPolicy;
  to.restartPolicyRules = from.restartPolicyRules;
  to.volumeMounts = from.volumeMounts;
  to.volumeDevices = from.volumeDevices;
  to.livenessProbe = from.livenessProbe;
  to.readinessProbe = from.readinessProbe;
  to.startupProbe = from.startupProbe;
  to.lifecycle = from.lifecycle;
  to.terminationMessagePath = from.terminationMessagePath;
  to.terminationMessagePolicy = from.terminationMessagePolicy;
  to.imagePullPolicy = from.imagePullPolicy;
  to.securityContext = from.securityContext;
  to.stdin_ = from.stdin_;
  to.stdinOnce = from.stdinOnce;
  to.tty = from.tty;
  return to;
}

v1::Container ContainerAt(const v1::Pod& pod, ContainerRef ref) {
  switch (ref.kind) {
    case ContainerKind::kInit:
      return pod.spec.initContainers[ref.index];
    case ContainerKind::kRegular:
      return pod.spec.containers[ref.index];
    case ContainerKind::kEphemeral:
      break;
  }
  return AsContainer(pod.spec.ephemeralContainers[ref.index]);
}

const std::string& ContainerNameAt(const v1::Pod& pod, ContainerRef ref) {
  switch (ref.kind) {
    case ContainerKind::kInit:
      return pod.spec.initContainers[ref.index].name;
    case ContainerKind::kRegular:
      return pod.spec.containers[ref.index].name;
    case ContainerKind::kEphemeral:
      break;
  }
  return pod.spec.ephemeralContainers[ref.index].name;
}

const v1::Container* FindContainer(const v1::PodSpec& spec, std::string_view name) {
  for (const v1::Container& container : spec.initContainers) {
    if (container.name == name) return &container;
  }
  for (const v1::Container& container : spec.containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

std::set<std::string> ImagesOf(const v1::Pod& pod) {
  std::set<std::string> out;
  for (const v1::Container& container : pod.spec.initContainers) out.insert(container.image);
  for (const v1::Container& container : pod.spec.containers) out.insert(container.image);
  for (const auto& container : pod.spec.ephemeralContainers) out.insert(container.image);
  for (const v1::Volume& volume : pod.spec.volumes) {
    if (volume.image) out.insert(volume.image->reference);
  }
  return out;
}

std::string ContainerFieldPath(ContainerKind kind, std::string_view name) {
  std::string out = kind == ContainerKind::kInit      ? "spec.initContainers{"
                    : kind == ContainerKind::kRegular ? "spec.containers{"
                                                      : "spec.ephemeralContainers{";
  out.append(name).append("}");
  return out;
}

const v1::ContainerRestartRule* MatchingRestartRule(const v1::Container& container,
                                                    int32_t exit_code) {
  for (const v1::ContainerRestartRule& rule : container.restartPolicyRules) {
    if (!rule.exitCodes) continue;
    const bool listed =
        std::ranges::find(rule.exitCodes->values, exit_code) != rule.exitCodes->values.end();
    if (rule.exitCodes->operator_ == "In" && listed) return &rule;
    if (rule.exitCodes->operator_ == "NotIn" && !listed) return &rule;
  }
  return nullptr;
}

bool RestartsAllContainers(const v1::Container& container, int32_t exit_code) {
  const v1::ContainerRestartRule* rule = MatchingRestartRule(container, exit_code);
  return rule && rule->action == "RestartAllContainers";
}

bool CouldRestartAllContainers(const v1::PodSpec& spec) {
  auto could = [](const v1::Container& container) {
    return std::ranges::any_of(container.restartPolicyRules, [](const auto& rule) {
      return rule.action == "RestartAllContainers";
    });
  };
  return std::ranges::any_of(spec.initContainers, could) ||
         std::ranges::any_of(spec.containers, could);
}

bool RestartsAfterExit(const v1::Container& container, const v1::PodSpec& spec, int32_t exit_code) {
  const v1::ContainerRestartRule* rule = MatchingRestartRule(container, exit_code);
  if (rule && rule->action == "Restart") return true;
  const std::string& policy =
      container.restartPolicy ? *container.restartPolicy : spec.restartPolicy;
  if (policy == "Never") return false;
  if (policy == "OnFailure") return exit_code != 0;
  return true;
}

uint64_t ContainerHash(const v1::Container& container) {
  std::string text = "{\"image\":";
  reflect::AppendJsonString(container.image, &text);
  text += ",\"name\":";
  reflect::AppendJsonString(container.name, &text);
  text += "}";
  // FNV-1a of 32 bits.
  uint32_t hash = 2166136261U;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619U;
  }
  return hash;
}

bool IsTerminalPhase(std::string_view phase) { return phase == "Succeeded" || phase == "Failed"; }

}  // namespace podium::node
