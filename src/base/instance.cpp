#include "base/instance.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace podium {
namespace {

constexpr std::string_view kDefaultName = "podium";
constexpr size_t kMaxName = 32;
// IFNAMSIZ is 16 with the final NUL.
constexpr size_t kMaxDeviceName = 15;
// A socket's path holds 107 bytes (sun_path), and sockets lie below the run folder: a folder, a
// pod's 36-character UID and a file must still fit.
constexpr size_t kMaxRunDir = 48;
// NFT_NAME_MAXLEN is 256 with the final NUL.
constexpr size_t kMaxTableName = 255;

bool IsWord(char c) { return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.'; }

std::string_view CheckName(std::string_view value) {
  if (value.empty()) return "is empty";
  if (value.size() > kMaxName) return "has more than 32 characters";
  bool label =
      std::ranges::all_of(value, [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
  if (!label || value.front() == '-' || value.back() == '-') {
    return "is not of lower-case letters, digits and inner dashes";
  }
  return {};
}

// Paths stand in mount options, kernel files and unit files, each with special characters of its
// own; plain ones are plain everywhere.
std::string_view CheckComponents(std::string_view path) {
  while (true) {
    size_t slash = path.find('/');
    std::string_view component = path.substr(0, slash);
    if (component.empty()) return "has an empty component";
    if (component == "." || component == "..") return "is not normal: it has . or ..";
    if (!std::ranges::all_of(component, IsWord)) {
      return "has characters other than letters, digits, and _ - . /";
    }
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
}

std::string_view CheckFolder(std::string_view value) {
  if (!value.starts_with('/')) return "is not an absolute path";
  if (value.size() > 255) return "has more than 255 characters";
  return CheckComponents(value.substr(1));
}

std::string_view CheckRunFolder(std::string_view value) {
  if (value.size() > kMaxRunDir) return "has more than 48 characters: sockets below would not fit";
  return CheckFolder(value);
}

std::string_view CheckCgroup(std::string_view value) {
  if (value.size() > 255) return "has more than 255 characters";
  if (value.starts_with('/')) return "is absolute; it is a path below the cgroup file system";
  // The kernel's own files in every cgroup.
  if (value.starts_with("cgroup.") || value.contains("/cgroup.")) {
    return "has a component that starts with cgroup.";
  }
  return CheckComponents(value);
}

std::string_view CheckDevice(std::string_view value) {
  if (value.empty()) return "is empty";
  if (value.size() > kMaxDeviceName) return "has more than 15 characters";
  if (value == "." || value == "..") return "is no name";
  if (!std::ranges::all_of(value, IsWord))
    return "has characters other than letters, digits, _ - .";
  return {};
}

std::string_view CheckTable(std::string_view value) {
  if (value.empty()) return "is empty";
  if (value.size() > kMaxTableName) return "has more than 255 characters";
  // As the nft command reads names, so that an operator can type it.
  if (IsDigit(value.front()) || value.front() == '-') return "starts with a digit or a dash";
  if (!std::ranges::all_of(value, IsWord))
    return "has characters other than letters, digits, _ - .";
  return {};
}

std::optional<unsigned> PrefixLength(std::string_view text) {
  unsigned bits = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('0')) return {};
  return bits;
}

std::string_view CheckRange(std::string_view value) {
  constexpr std::string_view kForm = "is not an IPv4 range like 10.208.0.0/16";
  size_t slash = value.find('/');
  if (slash == std::string_view::npos) return kForm;
  in_addr address{};
  if (inet_pton(AF_INET, std::string(value.substr(0, slash)).c_str(), &address) != 1) return kForm;
  const auto bits = PrefixLength(value.substr(slash + 1));
  if (!bits) return kForm;
  if (*bits < 8 || *bits > 28) return "has a prefix length outside of 8 to 28";
  uint32_t first = ntohl(address.s_addr);
  uint32_t hosts = ~uint32_t{0} >> *bits;
  if ((first & hosts) != 0) return "has bits set after its prefix";
  unsigned top = first >> 24;
  bool link_local = first >> 16 == (169u << 8 | 254u);
  if (top == 0 || top == 127 || top >= 224 || link_local) return "is not of addresses for hosts";
  return {};
}

std::string_view CheckRange6(std::string_view value) {
  constexpr std::string_view kForm = "is not an IPv6 range like fd00:10:208::/64";
  if (value.empty()) return {};
  size_t slash = value.find('/');
  if (slash == std::string_view::npos) return kForm;
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(value.substr(0, slash)).c_str(), &address) != 1) return kForm;
  const auto bits = PrefixLength(value.substr(slash + 1));
  if (!bits) return kForm;
  // As many pods as the shortest range of IPv4 has (8 bits, 24 are left), and no more than a site.
  if (*bits < 16 || *bits > 104) return "has a prefix length outside of 16 to 104";
  for (unsigned bit = *bits; bit < 128; ++bit) {
    if ((address.s6_addr[bit / 8] >> (7 - bit % 8) & 1) != 0)
      return "has bits set after its prefix";
  }
  const uint8_t top = address.s6_addr[0];
  if (top == 0 || top >= 0xfe) return "is not of addresses for hosts";
  return {};
}

// FNV-1a, 32 bits: stable over machines and versions, which std::hash is not.
uint32_t Hash(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// "pd-" and the name; a long name is cut and told from others by a hash.
std::string BridgeOf(std::string_view name) {
  std::string bridge = "pd-";
  bridge += name;
  if (bridge.size() > kMaxDeviceName) {
    char suffix[8];
    std::snprintf(suffix, sizeof suffix, "-%06x", Hash(name) & 0xffffff);
    bridge.resize(kMaxDeviceName - 7);
    bridge += suffix;
  }
  return bridge;
}

// One of the sixty /16 in 10.192.0.0/10 that nobody takes by default.
std::string RangeOf(std::string_view name) {
  constexpr unsigned kFirst = 192;
  // Our own default, kubespray, flannel, and the end of 10.0.0.0/8; ascending.
  constexpr unsigned kTaken[] = {208, 233, 244, 255};
  unsigned second = kFirst + Hash(name) % (64 - std::size(kTaken));
  for (unsigned taken : kTaken) second += second >= taken ? 1 : 0;
  return "10." + std::to_string(second) + ".0.0/16";
}

Error SettingError(const char* variable, std::string_view value, std::string_view problem) {
  std::string message = variable;
  message += ": \"";
  message += value;
  message += "\" ";
  message += problem;
  return Error(Code::kInvalidArgument, std::move(message));
}

constexpr InstanceSetting kSettings[] = {
    {"PODIUM_DATA_DIR", "data-dir", "objects, images and volumes", &Instance::data_dir,
     CheckFolder},
    {"PODIUM_RUN_DIR", "run-dir", "sockets and sandboxes; need not outlive a boot",
     &Instance::run_dir, CheckRunFolder},
    {"PODIUM_LOG_DIR", "log-dir", "what containers print", &Instance::log_dir, CheckFolder},
    {"PODIUM_CONFIG_DIR", "config-dir", "what an administrator says: registries.json",
     &Instance::config_dir, CheckFolder},
    {"PODIUM_CNI_DIR", "cni-dir", "where CNI network configurations are looked for",
     &Instance::cni_dir, CheckFolder},
    {"PODIUM_CGROUP_ROOT", "cgroup-root", "the cgroup above all pods", &Instance::cgroup_root,
     CheckCgroup},
    {"PODIUM_BRIDGE", "bridge", "the network device that pods hang on", &Instance::bridge,
     CheckDevice},
    {"PODIUM_NFTABLES_TABLE", "nftables-table", "the table of packet rules",
     &Instance::nftables_table, CheckTable},
    {"PODIUM_POD_RANGE", "pod-range", "the IPv4 addresses of pods, CIDR", &Instance::pod_range,
     CheckRange},
    {"PODIUM_POD_RANGE6", "pod-range6", "the IPv6 addresses of pods, CIDR; none if not given",
     &Instance::pod_range6, CheckRange6},
};

}  // namespace

std::span<const InstanceSetting> InstanceSettings() { return kSettings; }

Result<Instance> NamedInstance(std::string_view name) {
  if (auto problem = CheckName(name); !problem.empty()) {
    return SettingError("PODIUM_INSTANCE", name, problem);
  }
  Instance instance;
  if (name == kDefaultName) return instance;
  std::string own = "podium-";
  own += name;
  instance.name = name;
  instance.data_dir = "/var/lib/" + own;
  instance.run_dir = "/run/" + own;
  instance.log_dir = "/var/log/pods-" + instance.name;
  instance.config_dir = "/etc/" + own;
  instance.cni_dir = "/etc/" + own + "/cni/net.d";
  instance.cgroup_root = own;
  instance.bridge = BridgeOf(name);
  instance.nftables_table = own;
  instance.pod_range = RangeOf(name);
  return instance;
}

Result<void> CheckInstance(const Instance& instance) {
  if (auto problem = CheckName(instance.name); !problem.empty()) {
    return SettingError("PODIUM_INSTANCE", instance.name, problem);
  }
  for (const InstanceSetting& setting : kSettings) {
    const std::string& value = instance.*setting.member;
    if (auto problem = setting.check(value); !problem.empty()) {
      return SettingError(setting.variable, value, problem);
    }
  }
  // What a boot must clear and what it must keep cannot lie in one folder, nor can logs and either.
  if (instance.run_dir == instance.data_dir) {
    return SettingError("PODIUM_RUN_DIR", instance.run_dir, "is also the data folder");
  }
  if (instance.log_dir == instance.data_dir || instance.log_dir == instance.run_dir) {
    return SettingError("PODIUM_LOG_DIR", instance.log_dir, "is also the data or the run folder");
  }
  return {};
}

Result<Instance> InstanceFromEnvironment(const EnvironmentLookup& lookup) {
  auto value_of = [&](const char* variable) -> std::string_view {
    const char* value = lookup(variable);
    return value ? value : "";
  };
  std::string_view name = value_of("PODIUM_INSTANCE");
  TRY(Instance instance, NamedInstance(name.empty() ? kDefaultName : name));
  for (const InstanceSetting& setting : kSettings) {
    std::string_view value = value_of(setting.variable);
    if (!value.empty()) instance.*setting.member = value;
  }
  TRY_VOID(CheckInstance(instance));
  return instance;
}

}  // namespace podium
