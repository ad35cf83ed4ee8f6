#include "cli/deletion_options.h"

#include <charconv>
#include <string>
#include <utility>

#include "api/time.h"
#include "cli/json_members.h"
#include "cli/table_text.h"
#include "cli/waiter.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

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

Result<std::optional<int64_t>> DeletionGraceOf(const Invocation& invocation) {
  TRY(int64_t seconds, GracePeriodOf(invocation));
  if (invocation.Has("now")) {
    if (seconds != -1) return Usage("--now and --grace-period cannot be specified together");
    seconds = 1;
  }
  const bool force = invocation.Has("force");
  // What ends a process at once is asked for twice.
  if (seconds == 0 && !force) seconds = 1;
  if (force && seconds < 0) seconds = 0;
  if (seconds < 0) return std::optional<int64_t>();
  return std::optional<int64_t>(seconds);
}

Result<void> DeleteNoted(Writer& writer, const Deletion& deletion, Selected* item) {
  item->object = JsonValue();
  TRY(const JsonValue answer, writer.Delete(*item, deletion));
  // Which one is waited for: the object, or a Status that names it.
  std::string_view uid = TextAt(answer, {"metadata", "uid"});
  if (TextOf(answer, "kind") == "Status") uid = TextAt(answer, {"details", "uid"});
  JsonValue metadata = JsonValue::Of(JsonValue::Object());
  metadata.Set("uid", JsonValue::String(std::string(uid)));
  item->object = JsonValue::Of(JsonValue::Object());
  item->object.Set("metadata", std::move(metadata));
  return {};
}

std::string DeletionLine(const Selected& item, const Deletion& deletion, DryRun dry_run) {
  const bool forced = deletion.grace && *deletion.grace == 0;
  return EscapedText(item.resource->PrintedKind() + " \"" + item.name + "\"") +
         (forced ? " force deleted" : " deleted") + DryRunMark(dry_run) + '\n';
}

}  // namespace podium::cli
