#include "commands/limit_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::commands {
namespace {

using reflect::GoQuoted;

constexpr cli::Option kOptions[] = {
    {.name = "pod-max-pids",
     .value = "N",
     .help =
         "how many processes and threads a pod may have; -1: as many as it likes (a part of the "
         "machine's)"},
    {.name = "memory-swap-behavior",
     .value = "BEHAVIOR",
     .help = "LimitedSwap: containers of Burstable pods may swap, as much as their requests are a "
             "part of the machine's memory (NoSwap)",
     .values = cli::Values::kWords,
     .words = "NoSwap LimitedSwap"},
    {.name = "fail-swap-on",
     .value = "BOOL",
     .help = "true: the agent does not start on a machine that swaps (false)",
     .values = cli::Values::kWords,
     .words = "true false"},
    {.name = "memory-manager-policy",
     .value = "POLICY",
     .help = "None is all there is: containers have memory of every NUMA node (None)"},
    {.name = "topology-manager-policy",
     .value = "POLICY",
     .help = "none is all there is: CPUs are chosen without a look at memory and devices (none)"},
};

Error Bad(std::string text) { return Error(Code::kInvalidArgument, std::move(text)); }

Result<void> ReadPids(const cli::Invocation& invocation, node::NodeConfig* config) {
  if (!invocation.Has("pod-max-pids")) return {};
  const std::string_view text = invocation.Get("pod-max-pids");
  const char* end = text.data() + text.size();
  int64_t count = 0;
  const auto [at, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || at != end) {
    const bool range = error == std::errc::result_out_of_range;
    return Bad(fmt::format(
        "invalid argument {} for \"--pod-max-pids\" flag: strconv.ParseInt: parsing {}: {}",
        GoQuoted(text), GoQuoted(text), range ? "value out of range" : "invalid syntax"));
  }
  if (count != -1 && count < 1) {
    return Bad("--pod-max-pids " + std::to_string(count) + " must be a positive number, or -1");
  }
  config->pod_pids_limit = count;
  return {};
}

Result<void> ReadSwap(const cli::Invocation& invocation, NodeOptions* options) {
  const std::string_view behavior = invocation.Get("memory-swap-behavior", "NoSwap");
  if (behavior != "NoSwap" && behavior != "LimitedSwap") {
    return Bad("invalid configuration: memorySwap.swapBehavior " + GoQuoted(behavior) +
               " must be one of: \"\", \"LimitedSwap\" or \"NoSwap\"");
  }
  const int64_t swap = options->description.machine.swap_bytes;
  options->config.limited_swap = behavior == "LimitedSwap";
  options->config.swap_bytes = swap;
  if (invocation.Get("fail-swap-on", "false") == "true" && swap > 0) {
    return Bad(
        "running with swap on is not supported, please disable swap or set --fail-swap-on flag to "
        "false");
  }
  return {};
}

// Said rather than passed over: who asks for it counts on memory that is near.
Result<void> RefuseNuma(const cli::Invocation& invocation) {
  const auto refuse = [&](const char* option, const char* offered,
                          std::string_view others) -> Result<void> {
    const std::string_view policy = invocation.Get(option, offered);
    if (policy == offered) return {};
    const auto known = Split(others, ' ');
    if (std::ranges::find(known, policy) == known.end()) {
      return Bad(std::string("unknown policy: ") + GoQuoted(policy));
    }
    return Error(Code::kUnsupported,
                 fmt::format("--{}={} is not offered here yet, only {}", option, policy, offered));
  };
  TRY_VOID(refuse("memory-manager-policy", "None", "Static"));
  return refuse("topology-manager-policy", "none", "best-effort restricted single-numa-node");
}

}  // namespace

std::span<const cli::Option> LimitOptionTable() { return kOptions; }

Result<void> ReadLimitOptions(const cli::Invocation& invocation, NodeOptions* options) {
  TRY_VOID(ReadPids(invocation, &options->config));
  TRY_VOID(ReadSwap(invocation, options));
  return RefuseNuma(invocation);
}

}  // namespace podium::commands
