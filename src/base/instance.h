// Instance: everything of a running podium that has a name on the machine. Two instances whose
// names differ live side by side: they share no folder, cgroup, device, table or address.
//
//   NamedInstance("blue") gives /var/lib/podium-blue, /run/podium-blue, /var/log/pods-blue,
//   /etc/podium-blue, /etc/podium-blue/cni/net.d, cgroup podium-blue, bridge pd-blue, table
//   podium-blue, and a /16 of addresses of its own.
//
// Each name can be set alone, by an environment variable or a command's option; what is set wins
// over what the instance's name gives.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium {

struct Instance {
  // A DNS label of at most 32 characters.
  std::string name = "podium";

  // Absolute, normal paths.
  std::string data_dir = "/var/lib/podium";  // objects, images, volumes; kept over boots
  std::string run_dir = "/run/podium";       // sockets and sandboxes; gone after a boot
  // What containers print, where log collectors look for it.
  std::string log_dir = "/var/log/pods";
  std::string config_dir = "/etc/podium";  // what an administrator says: registries.json
  std::string cni_dir = "/etc/cni/net.d";  // a network configuration here wins over our own

  std::string cgroup_root = "podium";     // below where cgroups are mounted; "a.slice/podium" works
  std::string bridge = "podium0";         // the network device that pods hang on
  std::string nftables_table = "podium";  // of family inet

  // IPv4, CIDR. Away from what others take by default: 10.42 and 10.43 (k3s), 10.85 (CRI-O), 10.88
  // (podman), 10.96 to 10.111 (Services), 10.244 (flannel), 172.17 and up (Docker).
  std::string pod_range = "10.208.0.0/16";
  // IPv6, CIDR; empty: pods have IPv4 alone. Not on by itself, as it makes the whole machine
  // forward IPv6. A unique local range (RFC 4193) does.
  std::string pod_range6 = {};

  // What the server of this instance and whoever looks for it on the machine agree on: its socket
  // for root, and the administrator's kubeconfig.
  std::string ServerSocket() const { return run_dir + "/server.sock"; }
  std::string AdminKubeconfig() const { return data_dir + "/server/pki/admin.conf"; }

  friend bool operator==(const Instance&, const Instance&) = default;
};

// One settable name. `check` returns what is wrong with a value ("is not absolute"), or nothing.
struct InstanceSetting {
  const char* variable;  // "PODIUM_DATA_DIR"
  const char* option;    // "data-dir", without dashes
  const char* help;      // one line
  std::string Instance::* member;
  std::string_view (*check)(std::string_view value);
};

// All settings but the name, in the order of the struct. The name's variable is PODIUM_INSTANCE.
std::span<const InstanceSetting> InstanceSettings();

// All names derived from one; "podium" gives the defaults. The same name gives the same names on
// every machine. Ranges of addresses are dealt out by a hash over sixty, so two names may fall on
// the same one: then set one of them. Fails if the name is not valid.
Result<Instance> NamedInstance(std::string_view name);

// Whether every name is valid and no two folders of the instance are the same. The error names the
// setting.
Result<void> CheckInstance(const Instance& instance);

// A variable's value, or null: std::getenv has this form. An empty value counts as not set.
using EnvironmentLookup = std::function<const char*(const char* variable)>;

// The instance that PODIUM_INSTANCE names, then what the other variables set; checked.
Result<Instance> InstanceFromEnvironment(const EnvironmentLookup& lookup);

}  // namespace podium
