#include "commands/shutdown_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "api/time.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::commands {
namespace {

constexpr char kAll[] = "shutdown-grace-period";
constexpr char kCritical[] = "shutdown-grace-period-critical-pods";
constexpr char kByPriority[] = "shutdown-grace-period-by-pod-priority";

constexpr cli::Option kOptions[] = {
    {.name = kAll,
     .value = "DURATION",
     .help =
         "how long pods may take to end before the machine goes down, all together (0s: it does "
         "not wait for them)"},
    {.name = kCritical,
     .value = "DURATION",
     .help = "how much of that is for critical pods, which end last (0s)"},
    {.name = kByPriority,
     .value = "PRIORITY=SECONDS,...",
     .help = "instead: pods from each priority on, lowest first, and how long they may take"},
};

Error BadValue(std::string_view option, std::string_view value, std::string_view why) {
  return Error(Code::kInvalidArgument, fmt::format("invalid argument {} for \"--{}\" flag: {}",
                                                   reflect::GoQuoted(value), option, why));
}

Result<api::Duration> ReadDuration(const cli::Invocation& invocation, const char* option) {
  const std::string_view text = invocation.Get(option, "0s");
  const auto duration = api::Duration::Parse(text);
  if (!duration.ok()) return BadValue(option, text, duration.error().message());
  return *duration;
}

template <class Number>
bool ReadNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end;
}

Result<node::ShutdownGraces> ReadByPriority(const cli::Invocation& invocation) {
  node::ShutdownGraces graces;
  for (const std::string& value : invocation.All(kByPriority)) {
    for (const std::string_view pair : Split(value, ',')) {
      const size_t at = pair.find('=');
      node::ShutdownGrace grace;
      if (at == pair.npos || !ReadNumber(pair.substr(0, at), &grace.priority) ||
          !ReadNumber(pair.substr(at + 1), &grace.seconds) || grace.seconds < 0) {
        return BadValue(kByPriority, value, "malformed pair, expect PRIORITY=SECONDS");
      }
      if (std::ranges::find(graces, grace.priority, &node::ShutdownGrace::priority) !=
          graces.end()) {
        return BadValue(kByPriority, value,
                        fmt::format("priority {} stands there twice", grace.priority));
      }
      graces.push_back(grace);
    }
  }
  std::ranges::sort(graces, {}, &node::ShutdownGrace::priority);
  return graces;
}

}  // namespace

std::span<const cli::Option> ShutdownOptionTable() { return kOptions; }

Result<node::ShutdownGraces> ReadShutdownGraces(const cli::Invocation& invocation) {
  TRY(const api::Duration all, ReadDuration(invocation, kAll));
  TRY(const api::Duration critical, ReadDuration(invocation, kCritical));
  TRY(const node::ShutdownGraces graces, node::GracesOf(all, critical));
  TRY(node::ShutdownGraces by_priority, ReadByPriority(invocation));
  if (by_priority.empty()) return graces;
  if (graces.empty()) return by_priority;
  return Error(Code::kInvalidArgument,
               "invalid configuration: Cannot specify both shutdownGracePeriodByPodPriority and "
               "shutdownGracePeriod at the same time");
}

}  // namespace podium::commands
