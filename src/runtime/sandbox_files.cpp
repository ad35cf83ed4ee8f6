#include "runtime/sandbox_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "linux/path.h"
#include "runtime/draft.h"
#include "runtime/messages.h"

namespace podium::runtime {
namespace {

namespace cri = wire::cri;

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr size_t kMaxHostname = 64;  // the kernel's

bool IsSysctlName(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.front() == '/') return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool separator = c == '.' || c == '/';
    const bool plain = IsLowerOrDigit(c) || c == '_' || c == '-';
    if (!separator && !plain) return false;
    if (separator && (i + 1 == name.size() || name[i + 1] == '.' || name[i + 1] == '/')) {
      return false;
    }
  }
  return true;
}

enum class SysctlOwner { kHost, kNet, kIpc };

SysctlOwner OwnerOf(std::string name) {
  std::ranges::replace(name, '/', '.');
  if (name.starts_with("net.")) return SysctlOwner::kNet;
  if (name.starts_with("kernel.shm") || name.starts_with("kernel.msg") || name == "kernel.sem" ||
      name.starts_with("fs.mqueue.")) {
    return SysctlOwner::kIpc;
  }
  return SysctlOwner::kHost;
}

Result<void> CheckSysctl(const cri::NamespaceOption& namespaces, const std::string& name,
                         const std::string& value) {
  if (!IsSysctlName(name)) {
    return Error(Code::kInvalidArgument, "invalid sysctl name \"" + name + '"');
  }
  if (std::ranges::any_of(value, [](char c) { return c == '\0' || c == '\n' || c == '='; })) {
    return Error(Code::kInvalidArgument, "invalid value of sysctl " + name);
  }
  switch (OwnerOf(name)) {
    case SysctlOwner::kHost:
      return Error(Code::kInvalidArgument,
                   "sysctl \"" + name + "\" is not in a separate kernel namespace");
    case SysctlOwner::kNet:
      if (namespaces.network != cri::NamespaceMode::kNode) return {};
      return Error(Code::kInvalidArgument,
                   "sysctl \"" + name + "\" not allowed in host network namespace");
    case SysctlOwner::kIpc:
      if (namespaces.ipc != cri::NamespaceMode::kNode) return {};
      return Error(Code::kInvalidArgument,
                   "sysctl \"" + name + "\" not allowed in host ipc namespace");
  }
  return {};
}

Result<void> CheckPorts(const cri::PodSandboxConfig& config) {
  for (const cri::PortMapping& port : config.port_mappings) {
    if (port.container_port < 0 || port.container_port > 65535 || port.host_port < 0 ||
        port.host_port > 65535) {
      return Error(Code::kInvalidArgument, "port_mappings: port out of range");
    }
  }
  return {};
}

bool HasControl(const std::string& text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Result<void> CheckUserNamespace(const cri::PodSandboxConfig& config) {
  if (!HasUserNamespace(config)) return {};
  const cri::NamespaceOption& namespaces = NamespacesOf(config);
  const auto& options = *namespaces.userns_options;
  if (options.uids.empty() || options.gids.empty() || options.uids.size() > shim::kMaxIdMappings ||
      options.gids.size() > shim::kMaxIdMappings) {
    return Error(Code::kInvalidArgument,
                 "userns_options: between 1 and 8 mappings of users and of groups are needed");
  }
  if (namespaces.network == cri::NamespaceMode::kNode ||
      namespaces.ipc == cri::NamespaceMode::kNode || namespaces.pid == cri::NamespaceMode::kNode) {
    return Error(Code::kInvalidArgument,
                 "userns_options: a user namespace cannot be combined with host namespaces");
  }
  return {};
}

std::string OwnHostname() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

// Without a configuration the machine's own, as the pod would use it on the host.
Result<std::string> ResolvConf(const cri::PodSandboxConfig& config) {
  if (!config.dns_config ||
      (config.dns_config->servers.empty() && config.dns_config->searches.empty() &&
       config.dns_config->options.empty())) {
    auto text = kernel::ReadFile(AT_FDCWD, "/etc/resolv.conf", kMaxFile);
    if (!text.ok() && text.error().code() == Code::kNotFound) return std::string();
    return text;
  }
  std::string text;
  const auto join = [&](const char* key, const reflect::List<std::string>& values) {
    if (values.empty()) return;
    text += key;
    for (const std::string& value : values) text += ' ' + value;
    text += '\n';
  };
  join("search", config.dns_config->searches);
  for (const std::string& server : config.dns_config->servers) {
    text += "nameserver " + server + '\n';
  }
  join("options", config.dns_config->options);
  return text;
}

}  // namespace

Result<void> CheckSandboxConfig(const cri::PodSandboxConfig& config) {
  if (!config.metadata) {
    return Error(Code::kInvalidArgument, "sandbox config must include metadata");
  }
  if (config.hostname.size() > kMaxHostname || HasControl(config.hostname)) {
    return Error(Code::kInvalidArgument, "hostname \"" + config.hostname + "\" is not valid");
  }
  if (config.dns_config) {
    for (const auto* list :
         {&config.dns_config->servers, &config.dns_config->searches, &config.dns_config->options}) {
      if (std::ranges::any_of(*list, HasControl)) {
        return Error(Code::kInvalidArgument, "dns_config has a control character in it");
      }
    }
  }
  TRY_VOID(CheckPorts(config));
  TRY_VOID(CheckUserNamespace(config));
  if (!config.linux_) return {};
  for (const auto& [name, value] : config.linux_->sysctls) {
    TRY_VOID(CheckSysctl(NamespacesOf(config), name, value));
  }
  return {};
}

Result<SandboxFiles> MakeSandboxFiles(const cri::PodSandboxConfig& config) {
  SandboxFiles files;
  files.hostname = (config.hostname.empty() ? OwnHostname() : config.hostname) + '\n';
  files.hosts =
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\n"
      "ff02::2\tip6-allrouters\n";
  if (NamespacesOf(config).network == cri::NamespaceMode::kNode) {
    auto hosts = kernel::ReadFile(AT_FDCWD, "/etc/hosts", kMaxFile);
    if (hosts.ok()) files.hosts = *std::move(hosts);
  }
  TRY(files.resolv_conf, ResolvConf(config));
  return files;
}

}  // namespace podium::runtime
