#include "node/translate.h"

#include <algorithm>
#include <cstdio>

#include "node/container_status.h"
#include "node/labels.h"
#include "node/resources.h"
#include "node/sysctl_rules.h"
#include "node/unsupported.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;

constexpr std::string_view kHostsPath = "/etc/hosts";

reflect::Map<std::string> PodLabels(const v1::Pod& pod) {
  reflect::Map<std::string> out;
  out.emplace(kPodNameLabel, pod.metadata.name);
  out.emplace(kPodNamespaceLabel, pod.metadata.namespace_);
  out.emplace(kPodUidLabel, pod.metadata.uid);
  return out;
}

void Note(reflect::Map<std::string>* to, std::string_view key, std::string value) {
  to->insert_or_assign(std::string(key), std::move(value));
}

Result<reflect::Map<std::string>> ContainerAnnotations(const ContainerInput& in) {
  reflect::Map<std::string> out;
  char hash[17];
  std::snprintf(hash, sizeof hash, "%lx", ContainerHash(in.container));
  Note(&out, kContainerHashAnnotation, hash);
  Note(&out, kRestartCountAnnotation, std::to_string(in.restart_count));
  Note(&out, kTerminationMessagePathAnnotation, in.container.terminationMessagePath);
  Note(&out, kTerminationMessagePolicyAnnotation, in.container.terminationMessagePolicy);
  if (in.pod.metadata.deletionGracePeriodSeconds) {
    Note(&out, kPodDeletionGracePeriodAnnotation,
         std::to_string(*in.pod.metadata.deletionGracePeriodSeconds));
  }
  if (in.pod.spec.terminationGracePeriodSeconds) {
    Note(&out, kPodTerminationGracePeriodAnnotation,
         std::to_string(*in.pod.spec.terminationGracePeriodSeconds));
  }
  if (in.container.lifecycle && in.container.lifecycle->preStop) {
    TRY(std::string text, reflect::ToJson(*in.container.lifecycle->preStop));
    Note(&out, kPreStopHandlerAnnotation, std::move(text));
  }
  if (!in.container.ports.empty()) {
    std::string text = "[";
    for (const v1::ContainerPort& port : in.container.ports) {
      if (text.size() > 1) text += ',';
      TRY(const std::string one, reflect::ToJson(port));
      text += one;
    }
    Note(&out, kContainerPortsAnnotation, text + "]");
  }
  return out;
}

void AddOwnMounts(const ContainerInput& in, cri::ContainerConfig* config) {
  auto mounted = [&](std::string_view path) {
    return std::ranges::any_of(
        config->mounts, [&](const cri::Mount& mount) { return mount.container_path == path; });
  };
  if (!in.hosts_file.empty() && !mounted(kHostsPath)) {
    cri::Mount& mount = config->mounts.emplace_back();
    mount.container_path = kHostsPath;
    mount.host_path = in.hosts_file;
    mount.selinux_relabel = true;
  }
  if (!in.termination_file.empty() && !in.container.terminationMessagePath.empty() &&
      !mounted(in.container.terminationMessagePath)) {
    cri::Mount& mount = config->mounts.emplace_back();
    mount.container_path = in.container.terminationMessagePath;
    mount.host_path = in.termination_file;
    mount.selinux_relabel = true;
  }
}

}  // namespace

cri::Protocol ProtocolOf(std::string_view name) {
  if (name == "UDP") return cri::Protocol::kUdp;
  if (name == "SCTP") return cri::Protocol::kSctp;
  return cri::Protocol::kTcp;
}

std::vector<cri::PortMapping> PortMappings(const v1::PodSpec& spec) {
  std::vector<cri::PortMapping> out;
  auto add = [&](const v1::Container& container) {
    for (const v1::ContainerPort& port : container.ports) {
      cri::PortMapping mapping;
      mapping.protocol = ProtocolOf(port.protocol);
      mapping.container_port = port.containerPort;
      mapping.host_port = port.hostPort;
      mapping.host_ip = port.hostIP;
      const bool there = std::ranges::any_of(out, [&](const cri::PortMapping& each) {
        return each.protocol == mapping.protocol && each.host_port == mapping.host_port &&
               each.container_port == mapping.container_port && each.host_ip == mapping.host_ip;
      });
      if (!there) out.push_back(std::move(mapping));
    }
  };
  for (const v1::Container& container : spec.initContainers) {
    if (IsSidecar(container)) add(container);
  }
  std::ranges::for_each(spec.containers, add);
  return out;
}

Result<cri::PodSandboxConfig> TranslateSandbox(const SandboxInput& in) {
  const v1::Pod& pod = in.pod;
  cri::PodSandboxConfig out;
  cri::PodSandboxMetadata& metadata = out.metadata.emplace();
  metadata.name = pod.metadata.name;
  metadata.namespace_ = pod.metadata.namespace_;
  metadata.uid = pod.metadata.uid;
  metadata.attempt = in.attempt;
  // Labels of the pod do not take the place of ours.
  out.labels = PodLabels(pod);
  out.labels.insert(pod.metadata.labels.begin(), pod.metadata.labels.end());
  out.annotations = pod.metadata.annotations;
  if (!pod.spec.hostNetwork) {
    TRY(const HostNames names, MakeHostNames(pod, in.config));
    out.hostname = names.kernel_name;
  }
  out.log_directory =
      PodLogFolder(in.config, pod.metadata.namespace_, pod.metadata.name, pod.metadata.uid);
  out.dns_config = in.dns;
  out.port_mappings = PortMappings(pod.spec);
  cri::LinuxPodSandboxConfig& linux_config = out.linux_.emplace();
  linux_config.cgroup_parent = PodCgroup(pod);
  linux_config.security_context = SandboxSecurity(pod, in.user_namespace);
  if (pod.spec.securityContext) {
    for (const v1::Sysctl& sysctl : pod.spec.securityContext->sysctls) {
      linux_config.sysctls.insert_or_assign(DottedSysctl(sysctl.name), sysctl.value);
    }
  }
  linux_config.overhead = OverheadResources(pod);
  linux_config.resources = PodResources(pod, in.config);
  return out;
}

Result<cri::ContainerConfig> TranslateContainer(const ContainerInput& in) {
  TRY_VOID(CheckSupported(in.container));
  TRY_VOID(VerifyRunAsNonRoot(in.pod, in.container, in.image_user));
  const v1::Container& container = in.container;
  cri::ContainerConfig out;
  cri::ContainerMetadata& metadata = out.metadata.emplace();
  metadata.name = container.name;
  metadata.attempt = static_cast<uint32_t>(in.restart_count);
  cri::ImageSpec& image = out.image.emplace();
  image.image = in.image;
  image.user_specified_image = container.image;
  for (const std::string& word : container.command) {
    out.command.push_back(in.environment.Expand(word));
  }
  for (const std::string& word : container.args) out.args.push_back(in.environment.Expand(word));
  out.working_dir = container.workingDir;
  for (const Environment::Variable& variable : in.environment.variables()) {
    cri::KeyValue& pair = out.envs.emplace_back();
    pair.key = variable.name;
    pair.value.data = variable.value;
  }
  out.mounts = in.mounts;
  AddOwnMounts(in, &out);
  out.labels = PodLabels(in.pod);
  Note(&out.labels, kContainerNameLabel, container.name);
  TRY(out.annotations, ContainerAnnotations(in));
  out.log_path = container.name + "/" + std::to_string(in.restart_count) + ".log";
  out.stdin_ = container.stdin_;
  out.stdin_once = container.stdinOnce;
  out.tty = container.tty;
  cri::LinuxContainerConfig& linux_config = out.linux_.emplace();
  linux_config.resources = ContainerResources(in.pod, container, in.config);
  linux_config.security_context = ContainerSecurity(in.pod, container, in.config);
  cri::NamespaceOption namespaces = NamespacesOf(in.pod, in.user_namespace);
  if (!in.target_id.empty()) {
    namespaces.pid = cri::NamespaceMode::kTarget;
    namespaces.target_id = in.target_id;
  }
  linux_config.security_context->namespace_options = std::move(namespaces);
  if (container.lifecycle && container.lifecycle->stopSignal) {
    out.stop_signal =
        SignalOf(*container.lifecycle->stopSignal).value_or(cri::Signal::kRuntimeDefault);
  }
  return out;
}

}  // namespace podium::node
