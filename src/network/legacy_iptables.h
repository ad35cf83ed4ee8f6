// What can be seen of iptables' older form, which is not nftables. Only read: its tables are
// replaced as a whole, and to do so would race with whoever owns them.
#pragma once

namespace podium::network {

// Whether its IPv4 FORWARD chain is in use and has the policy DROP. Loads no module and makes no
// table.
bool LegacyForwardDrops();

}  // namespace podium::network
