// What an administrator says of a node, by options of `podium agent` that are called as kubelets'
// are (upstream's cmd/kubelet/app/options and pkg/kubelet/eviction, release 1.36), with its words
// where one is wrong. What upstream takes and passes over is refused here: addresses that are none,
// and reservations of pids, which nothing would keep.
#pragma once

#include <span>

#include "base/result.h"
#include "cli/command.h"
#include "node/cluster/machine_facts.h"
#include "node/cluster/node_object.h"
#include "node/eviction/eviction_manager.h"
#include "node/node_config.h"
#include "node/shutdown/shutdown_groups.h"

namespace podium::commands {

// --node-ip, --hostname-override, --node-labels, --register-with-taints, --register-schedulable,
// --kube-reserved, --system-reserved, --cpu-manager-policy, --reserved-cpus, --eviction-hard,
// --eviction-soft, --eviction-soft-grace-period, --eviction-max-pod-grace-period,
// --eviction-minimum-reclaim, --eviction-pressure-transition-period, --allowed-unsafe-sysctls,
// --max-pods, --cluster-dns, --cluster-domain, and those of limit_options.h and
// shutdown_options.h.
std::span<const cli::Option> NodeOptionTable();

struct NodeOptions {
  node::NodeConfig config{};
  // Versions and the port of the kubelet are for the caller to set.
  node::NodeDescription description{};
  node::EvictionSettings eviction{};
  node::ShutdownGraces shutdown{};
};

// `config` is what the machine says by itself (DescribeMachine). Without --node-ip the node has one
// address, that of the default route if it is one of the machine's, as upstream. kInvalidArgument.
Result<NodeOptions> ReadNodeOptions(const cli::Invocation& invocation, node::NodeConfig config,
                                    node::MachineFacts machine);

}  // namespace podium::commands
