// Resolver settings of a pod, by dnsPolicy and dnsConfig (upstream's pkg/kubelet/network/dns,
// release 1.36). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "node/node_config.h"
#include "wire/types/cri.h"

namespace podium::node {

// What resolvers take at most: upstream's MaxDNSNameservers, MaxDNSSearchPaths and
// MaxDNSSearchListChars.
inline constexpr size_t kMaxNameservers = 3;
inline constexpr size_t kMaxSearchPaths = 32;
inline constexpr size_t kMaxSearchChars = 2048;

// The nameserver, search and options lines of a resolv.conf (man 5 resolv.conf); of several search
// lines the last counts, options add up.
wire::cri::DNSConfig ParseResolvConf(std::string_view text);

// An event that setting up a pod gives.
struct SetupEvent {
  std::string reason;  // DNSConfigForming, MissingClusterDNS
  std::string message;
  bool of_node = false;  // about the node, not about the pod

  friend bool operator==(const SetupEvent&, const SetupEvent&) = default;
};

struct PodDns {
  wire::cri::DNSConfig config;
  std::vector<SetupEvent> events;  // warnings
};

PodDns MakePodDns(const api::core::v1::Pod& pod, const NodeConfig& config,
                  const wire::cri::DNSConfig& host);

}  // namespace podium::node
