// Network: what gives a pod its interface, addresses and ports.
//
// The words are CNI's: a *sandbox* is the pod's network namespace under an id, *setup* is ADD,
// *teardown* is DEL. Two implementations keep one contract: BridgeNetwork does everything itself by
// netlink, CniNetwork runs the plugins of a configuration that an administrator has put in place.
//
// The life of one sandbox, as the runtime drives it:
//
//   PrepareNamespace(id)   a namespace to start the infra process in (optional: any will do)
//   Setup(request)         → PodNetwork, which the runtime records before the pod is started
//   Check(id), Counters(id)
//   Teardown(id)           then the runtime drops its last descriptor of the namespace
//
// Pods that share the host's network are none of this interface's business.
//
// What must hold after kill -9: nothing is kept in memory only that the runtime's records of live
// sandboxes do not give back. At its start the runtime calls Recover once, before anything else,
// with all that live; whatever the network finds beyond these (addresses, rules, devices, ports,
// plugin results) is removed.
//
// Threads: everything may be called from any thread, for different sandboxes at the same time;
// calls for one sandbox come one after the other. Setup and Teardown block, BridgeNetwork's for
// about a millisecond, CniNetwork's for as long as its plugins take, within a limit.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::network {

enum class Protocol { kTcp, kUdp, kSctp };

// "tcp", "udp", "sctp".
std::string_view ProtocolName(Protocol protocol);

struct PortMapping {
  Protocol protocol = Protocol::kTcp;
  uint16_t container_port = 0;
  uint16_t host_port = 0;  // 0: not mapped; the entry is passed over
  std::string host_ip;     // the one address of the host to serve; empty, 0.0.0.0 or ::: all
};

// Rates in bits a second, 0: no limit. Ingress is what the pod receives.
struct Bandwidth {
  uint64_t ingress_rate = 0;
  uint64_t egress_rate = 0;
  friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

// For plugins that ask for it (the capability "dns").
struct DnsConfig {
  std::vector<std::string> servers;
  std::vector<std::string> searches;
  std::vector<std::string> options;
};

struct PodNetworkRequest {
  // Chosen by the runtime, unique for ever, at most 64 letters, digits, dots, dashes, underscores.
  std::string sandbox_id;
  // The pod's network namespace, borrowed for the call. -1 only in Recover.
  int netns = -1;
  std::string pod_name;
  std::string pod_namespace;
  std::string pod_uid;
  std::vector<PortMapping> ports;
  // The pod's annotations: kubernetes.io/ingress-bandwidth and kubernetes.io/egress-bandwidth are
  // obeyed; the others are for plugins.
  std::map<std::string, std::string> annotations;
  DnsConfig dns;
};

// What Setup made. All text, so that it can be recorded and read back as it is.
struct PodNetwork {
  std::string interface;               // in the pod: "eth0"
  std::string mac;                     // "0a:58:0a:d0:00:05"
  std::vector<std::string> addresses;  // the pod's, without prefix length; the first is *the* podIP
  std::vector<std::string> gateways;   // one an address, in the same order; may be empty (CNI)
  std::string host_interface;          // the host's end; empty when not known (CNI)
  uint32_t mtu = 0;                    // 0: not known
  friend bool operator==(const PodNetwork&, const PodNetwork&) = default;
};

// One line of JSON, for the runtime's records, and back. Decode: kInvalidArgument.
std::string EncodePodNetwork(const PodNetwork& network);
Result<PodNetwork> DecodePodNetwork(std::string_view text);

// A sandbox that lived on while nobody called: the request it was set up with, and what came of it.
struct LiveSandbox {
  PodNetworkRequest request;
  PodNetwork network;
};

// Seen from the pod: rx is what it received.
struct PodCounters {
  uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
  uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};

struct NetworkStatus {
  bool ready = false;
  // Why not, in the CRI's form: "NetworkPluginNotReady", and a sentence. Empty when ready.
  std::string reason;
  std::string message;
  // What works, but not as the administrator may expect; one sentence each.
  std::vector<std::string> warnings;
};

class Network {
 public:
  virtual ~Network() = default;

  // A new network namespace for the sandbox, with much of Setup's work done ahead where that is
  // possible. The caller's to close. Teardown frees what came with it, also without a Setup.
  virtual Result<UniqueFd> PrepareNamespace(const std::string& sandbox_id) = 0;

  // Connects the namespace: loopback up, one interface with the pod's addresses, routes, host
  // ports. The namespace is PrepareNamespace's or any other without an interface of that name.
  // After an error nothing of it is left. kAlreadyExists: the sandbox is set up, or a host port is
  // taken (the message names the holder); kResourceExhausted: no address is free; kUnsupported: the
  // kernel or the plugins cannot do what is asked; kInvalidArgument: the request is wrong.
  virtual Result<PodNetwork> Setup(const PodNetworkRequest& request) = 0;

  // Undoes Setup and PrepareNamespace: from here on the pod's packets go nowhere and its addresses
  // and ports are free. Unknown sandboxes are no error, and a failed call may be repeated. The
  // device in the pod may stay until the namespace's last descriptor is closed.
  virtual Result<void> Teardown(const std::string& sandbox_id) = 0;

  // Whether all that Setup made is still in place; the error says what is not. kNotFound.
  virtual Result<void> Check(const std::string& sandbox_id) = 0;

  // kNotFound; kUnsupported when there is no device of the pod's to ask.
  virtual Result<PodCounters> Counters(const std::string& sandbox_id) = 0;

  // See above. Sandboxes that cannot be taken over (two claim one address) fail it; nothing is
  // removed then.
  virtual Result<void> Recover(std::span<const LiveSandbox> live) = 0;

  // Whether pods can be set up now. Also mends what others have broken meanwhile, where it can.
  virtual NetworkStatus Status() = 0;

  // Removes all that this instance has put on the machine. kConflict while a sandbox lives.
  virtual Result<void> Uninstall() = 0;
};

// kInvalidArgument when it is not as PodNetworkRequest says. Ids become file names.
Result<void> CheckSandboxId(std::string_view id);

// The bandwidth that a pod's annotations ask for, with upstream's bounds (1k to 1P) and messages.
// kInvalidArgument.
Result<Bandwidth> BandwidthOf(const std::map<std::string, std::string>& annotations);

}  // namespace podium::network
