#include "cli/deletion_options.h"

#include <charconv>
#include <string>
#include <utility>

#include "api/time.h"
#include "cli/waiter.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

}  // namespace

// Booleans are what --cascade took before release 1.20.
Result<const char*> PropagationOf(const Invocation& invocation, const Streams& streams) {
  const std::string value(invocation.Get("cascade", "background"));
  if (value == "background") return "Background";
  if (value == "foreground") return "Foreground";
  if (value == "orphan") return "Orphan";
  if (value != "true" && value != "false") {
    return Usage("invalid cascade value (" + value +
                 "). Must be \"background\", \"foreground\", or \"orphan\"");
  }
  const bool background = value == "true";
  (void)streams.Err("warning: --cascade=" + value +
                    " is deprecated (boolean value) and can be replaced with --cascade=" +
                    (background ? "background" : "orphan") + ".\n");
  return background ? "Background" : "Orphan";
}

Result<int64_t> GracePeriodOf(const Invocation& invocation) {
  const std::string_view text = invocation.Get("grace-period", "-1");
  int64_t seconds = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Usage("invalid argument " + reflect::GoQuoted(text) +
                 " for \"--grace-period\" flag: it is a number of seconds");
  }
  return seconds;
}

Result<std::chrono::nanoseconds> DeletionTimeoutOf(const Invocation& invocation) {
  const std::string_view text = invocation.Get("timeout", "0s");
  const auto timeout = api::Duration::Parse(text);
  if (!timeout.ok()) {
    return Usage("invalid argument " + reflect::GoQuoted(text) +
                 " for \"--timeout\" flag: " + timeout.error().message());
  }
  if (timeout->nanos() == 0) return std::chrono::nanoseconds(kWaitWeek);
  return std::chrono::nanoseconds(timeout->nanos());
}

}  // namespace podium::cli
