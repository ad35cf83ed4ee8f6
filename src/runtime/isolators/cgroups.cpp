#include <charconv>
#include <optional>
#include <string_view>

#include "linux/cgroup.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

// Terminals, and what every container has in /dev; making nodes is allowed, using them is not.
const std::vector<kernel::DeviceRule>& DefaultDevices() {
  static const std::vector<kernel::DeviceRule> kRules = {
      {.allow = false, .type = 'a', .access = "rwm"},
      {.allow = true, .type = 'c', .access = "m"},
      {.allow = true, .type = 'b', .access = "m"},
      {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"},  // null
      {.allow = true, .type = 'c', .major = 1, .minor = 5, .access = "rwm"},  // zero
      {.allow = true, .type = 'c', .major = 1, .minor = 7, .access = "rwm"},  // full
      {.allow = true, .type = 'c', .major = 1, .minor = 8, .access = "rwm"},  // random
      {.allow = true, .type = 'c', .major = 1, .minor = 9, .access = "rwm"},  // urandom
      {.allow = true, .type = 'c', .major = 5, .minor = 0, .access = "rwm"},  // tty
      {.allow = true, .type = 'c', .major = 5, .minor = 2, .access = "rwm"},  // ptmx
      {.allow = true, .type = 'c', .major = 136, .access = "rwm"},            // pts
  };
  return kRules;
}

// The CRI has it only as a file of v2, and v1 has the same limit.
constexpr std::string_view kPidsMax = "pids.max";

std::optional<int64_t> CountOf(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count <= 0) return std::nullopt;
  return count;
}

}  // namespace

kernel::CgroupLimits LimitsOf(const cri::LinuxContainerResources& resources) {
  kernel::CgroupLimits limits;
  if (resources.cpu_shares > 0) limits.cpu_shares = static_cast<uint64_t>(resources.cpu_shares);
  if (resources.cpu_period > 0) limits.cpu_period = static_cast<uint64_t>(resources.cpu_period);
  if (resources.cpu_quota != 0) limits.cpu_quota = resources.cpu_quota;
  limits.cpuset_cpus = resources.cpuset_cpus;
  limits.cpuset_mems = resources.cpuset_mems;
  if (resources.memory_limit_in_bytes != 0) {
    limits.memory_limit = resources.memory_limit_in_bytes;
    // A container does not swap unless it is allowed to: memory and swap together are the memory.
    limits.memory_swap = resources.memory_swap_limit_in_bytes != 0
                             ? resources.memory_swap_limit_in_bytes
                             : resources.memory_limit_in_bytes;
  }
  for (const cri::HugepageLimit& hugepage : resources.hugepage_limits) {
    limits.hugepages.push_back({hugepage.page_size, hugepage.limit});
  }
  for (const auto& [file, value] : resources.unified) {
    if (const auto count = file == kPidsMax ? CountOf(value) : std::nullopt) {
      limits.pids_limit = count;
    } else {
      limits.unified[file] = value;
    }
  }
  return limits;
}

Result<void> PrepareCgroups(const ContainerContext& context, Draft* draft) {
  const auto& security = SecurityOf(context.config);
  std::vector<kernel::DeviceRule> extra =
      draft->limits.devices ? *std::move(draft->limits.devices) : std::vector<kernel::DeviceRule>();
  draft->limits = LimitsOf(ResourcesOf(context.config));
  std::vector<kernel::DeviceRule> rules;
  if (security.privileged) {
    rules.push_back({.allow = true, .type = 'a', .access = "rwm"});
  } else {
    rules = DefaultDevices();
    rules.insert(rules.end(), extra.begin(), extra.end());
  }
  draft->limits.devices = std::move(rules);
  // It sees its own cgroup as the root. The privileged see all, as with containerd.
  if (!security.privileged) draft->plan.flags |= shim::kPlanNewCgroup;
  return {};
}

}  // namespace podium::runtime
