// Other people's firewalls. A packet between pods, or between a pod and elsewhere, is forwarded,
// and every chain at that point must accept it; Docker, for one, sets the policy of iptables'
// FORWARD chain to DROP. So our own bridge is accepted there, by two rules as iptables itself would
// write them (iptables -I FORWARD -i podium0 -j ACCEPT, and -o), marked by a comment.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace podium::network {

// Puts the rules into each FORWARD chain of iptables (its nftables form) that is there and lacks
// them. Returns one sentence for each other chain that may drop pods' packets: those of unknown
// tables with the policy DROP, and the FORWARD chain of legacy iptables.
Result<std::vector<std::string>> AcceptForwarded(const std::string& bridge);

// Removes the rules.
Result<void> ForgetForwarded(const std::string& bridge);

}  // namespace podium::network
