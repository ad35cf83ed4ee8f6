#include "commands/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/names.h"
#include "base/owned.h"
#include "base/text.h"
#include "linux/path.h"

namespace podium::commands {
namespace {

// Empty for what is no address that others could reach.
std::string TextOf(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) return {};
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

// IPv4 first. The instance's own bridge is not how others reach the machine.
std::vector<std::string> Addresses(const Instance& instance) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {"127.0.0.1"};
  const Owned<ifaddrs, freeifaddrs> list(first);
  std::vector<std::string> v4;
  std::vector<std::string> v6;
  for (const ifaddrs* each = first; each; each = each->ifa_next) {
    const bool usable = each->ifa_addr && (each->ifa_flags & IFF_UP) != 0 &&
                        (each->ifa_flags & IFF_LOOPBACK) == 0 && instance.bridge != each->ifa_name;
    if (!usable) continue;
    const std::string text = TextOf(each->ifa_addr);
    if (!text.empty()) (each->ifa_addr->sa_family == AF_INET ? v4 : v6).push_back(text);
  }
  v4.insert(v4.end(), v6.begin(), v6.end());
  if (v4.empty()) v4.emplace_back("127.0.0.1");
  return v4;
}

std::string SourceTo(const sockaddr_storage& far) {
  const UniqueFd socket(::socket(far.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto* to = reinterpret_cast<const sockaddr*>(&far);
  // Chooses a route and an address; nothing is sent.
  if (!socket || connect(socket.get(), to, sizeof far) != 0) return "";
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  auto* from = reinterpret_cast<sockaddr*>(&own);
  return getsockname(socket.get(), from, &size) == 0 ? TextOf(from) : "";
}

// A machine whose name is none that the API would take ("(none)" before one is set, "my_box") is
// still one that pods can run on.
std::string HostName() {
  utsname names{};
  uname(&names);
  const std::string name = LowerCase(names.nodename);
  return api::IsDNS1123Subdomain(name).empty() ? name : "localhost";
}

std::optional<int64_t> NumberIn(const char* path) {
  constexpr size_t kMaxNumber = 64;
  const auto text = kernel::ReadFile(AT_FDCWD, path, kMaxNumber);
  int64_t number = 0;
  if (!text.ok()) return std::nullopt;
  const auto end = std::from_chars(text->data(), text->data() + text->size(), number);
  if (end.ec != std::errc()) return std::nullopt;
  return number;
}

// A quarter of what the kernel has, so that no pod alone can use up all.
int64_t PidsLimit() {
  constexpr int64_t kParts = 4;
  const auto pids = NumberIn("/proc/sys/kernel/pid_max");
  const auto threads = NumberIn("/proc/sys/kernel/threads-max");
  if (!pids || !threads) return -1;
  return std::max<int64_t>(std::min(*pids, *threads) / kParts, 1);
}

// Of folders "hugepages-2048kB", in bytes.
std::vector<int64_t> HugePageSizes() {
  constexpr std::string_view kPrefix = "hugepages-";
  std::vector<int64_t> sizes;
  const auto folder = kernel::OpenPath("/sys/kernel/mm/hugepages", O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return sizes;
  const auto names = kernel::ListFolder(folder->get());
  if (!names.ok()) return sizes;
  for (const std::string& name : *names) {
    if (!name.starts_with(kPrefix)) continue;
    int64_t kib = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), kib);
    if (kib > 0) sizes.push_back(kib * 1024);
  }
  std::ranges::sort(sizes);
  return sizes;
}

}  // namespace

node::NodeConfig DescribeMachine(const Instance& instance) {
  node::NodeConfig config;
  config.name = HostName();
  config.addresses = Addresses(instance);
  config.data_dir = instance.data_dir;
  config.run_dir = instance.run_dir;
  config.log_dir = instance.log_dir;
  struct sysinfo info{};
  if (sysinfo(&info) == 0) {
    config.memory_bytes = static_cast<int64_t>(info.totalram) * info.mem_unit;
  }
  config.allocatable["cpu"] = api::Quantity::FromInt(get_nprocs());
  config.allocatable["memory"] =
      api::Quantity::FromInt(config.memory_bytes, api::Quantity::Format::kBinarySI);
  struct statvfs disk{};
  if (statvfs(instance.data_dir.c_str(), &disk) == 0) {
    config.allocatable["ephemeral-storage"] = api::Quantity::FromInt(
        static_cast<int64_t>(disk.f_blocks * disk.f_frsize), api::Quantity::Format::kBinarySI);
  }
  config.huge_page_sizes = HugePageSizes();
  config.pod_pids_limit = PidsLimit();
  const auto apparmor = kernel::ReadFile(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16);
  config.apparmor = apparmor.ok() && apparmor->starts_with('Y');
  return config;
}

std::string DefaultRouteAddress(bool v6) {
  // For documentation (RFC 5737, RFC 3849): nobody has a route of his own to these.
  sockaddr_storage far{};
  far.ss_family = v6 ? AF_INET6 : AF_INET;
  constexpr uint16_t kAnyPort = 9;
  if (v6) {
    auto& to = reinterpret_cast<sockaddr_in6&>(far);
    to.sin6_port = htons(kAnyPort);
    inet_pton(AF_INET6, "2001:db8::1", &to.sin6_addr);
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(far);
    to.sin_port = htons(kAnyPort);
    inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
  }
  const std::string own = SourceTo(far);
  return own.starts_with("127.") || own == "::1" ? "" : own;
}

}  // namespace podium::commands
