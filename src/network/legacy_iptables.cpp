#include "network/legacy_iptables.h"

// clang-format off: netinet/in.h first, so that the kernel's headers leave its names alone
#include <netinet/in.h>
#include <net/if.h>
#include <linux/netfilter_ipv4/ip_tables.h>
// clang-format on
#include <sys/socket.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace podium::network {
namespace {

constexpr char kTable[] = "filter";
// A table this large is somebody's whole firewall; its end is not needed.
constexpr socklen_t kMaxTable = 64 << 20;

// Asking for a table makes it: so only for one that is there.
bool TableExists() {
  std::ifstream names("/proc/thread-self/net/ip_tables_names");
  std::string name;
  while (names >> name) {
    if (name == kTable) return true;
  }
  return false;
}

}  // namespace

bool LegacyForwardDrops() {
  if (!TableExists()) return false;
  const UniqueFd fd(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!fd) return false;
  ipt_getinfo info{};
  std::memcpy(info.name, kTable, sizeof kTable);
  socklen_t size = sizeof info;
  if (getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) != 0) return false;
  size = static_cast<socklen_t>(sizeof(ipt_get_entries) + info.size);
  if (info.size > kMaxTable || (info.valid_hooks & 1 << NF_INET_FORWARD) == 0) return false;
  std::vector<char> buffer(size);
  std::memcpy(buffer.data() + offsetof(ipt_get_entries, name), kTable, sizeof kTable);
  std::memcpy(buffer.data() + offsetof(ipt_get_entries, size), &info.size, sizeof info.size);
  if (getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_ENTRIES, buffer.data(), &size) != 0) return false;
  // The policy is the last entry of the chain: a standard target, whose verdict is -NF_DROP - 1.
  const size_t entry_at = offsetof(ipt_get_entries, entrytable) + info.underflow[NF_INET_FORWARD];
  ipt_entry entry{};
  if (entry_at + sizeof entry > buffer.size()) return false;
  std::memcpy(&entry, &buffer[entry_at], sizeof entry);
  const size_t target_at = entry_at + entry.target_offset;
  xt_standard_target target{};
  if (target_at + sizeof target > buffer.size()) return false;
  std::memcpy(&target, &buffer[target_at], sizeof target);
  return target.verdict == -NF_DROP - 1;
}

}  // namespace podium::network
