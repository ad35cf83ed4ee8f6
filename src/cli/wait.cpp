// kubectl wait (upstream's k8s.io/kubectl/pkg/cmd/wait).
#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "api/time.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/table_text.h"
#include "cli/waiter.h"
#include "reflect/go_text.h"
#include "reflect/json_path.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// "jsonpath={.a}=b", whose path may hold '=' between its braces.
Result<WaitGoal> PathGoal(std::string_view text) {
  const size_t end = text.rfind('}');
  const size_t begin = end == text.npos ? 0 : end;
  const size_t equals = text.find('=', begin);
  WaitGoal goal{.kind = WaitGoal::Kind::kPath};
  if (equals != text.npos) {
    std::string_view value = text.substr(equals + 1);
    if (value.size() > 1 && (value[0] == '\'' || value[0] == '"') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    if (value.empty())
      return Usage(
          "jsonpath wait has to have a value after equal sign, like "
          "--for=jsonpath='{.status.readyReplicas}'=3");
    goal.value = value;
  }
  const std::string_view expression = text.substr(0, equals);
  if (expression.empty()) return Usage("jsonpath expression cannot be empty");
  TRY(const std::string relaxed, reflect::RelaxedJsonPath(expression));
  TRY(goal.path, reflect::JsonPath::Parse(relaxed));
  return goal;
}

Result<WaitGoal> GoalOf(std::string_view text) {
  const std::string lower = LowerCase(text);
  if (lower == "create") return WaitGoal{.kind = WaitGoal::Kind::kCreate};
  if (lower == "delete") return WaitGoal{.kind = WaitGoal::Kind::kDelete};
  if (text.starts_with("condition=")) {
    text.remove_prefix(std::string_view("condition=").size());
    const size_t equals = text.find('=');
    WaitGoal goal{.condition = std::string(text.substr(0, equals))};
    if (equals != text.npos) goal.status = text.substr(equals + 1);
    return goal;
  }
  if (text.starts_with("jsonpath=")) return PathGoal(text.substr(9));
  return Usage("unrecognized condition: " + reflect::GoQuoted(text));
}

Result<std::chrono::nanoseconds> TimeoutOf(const Invocation& invocation) {
  const auto timeout = api::Duration::Parse(invocation.Get("timeout", "30s"));
  if (!timeout.ok()) {
    return Usage("invalid argument " + reflect::GoQuoted(invocation.Get("timeout")) +
                 " for \"--timeout\" flag: " + timeout.error().message());
  }
  if (timeout->nanos() < 0) return std::chrono::nanoseconds(kWaitWeek);
  return std::chrono::nanoseconds(timeout->nanos());
}

Result<Outcome> Wait(const Invocation& invocation, const Streams& streams) {
  TRY(const WaitGoal goal, GoalOf(invocation.Get("for")));
  TRY(const auto timeout, TimeoutOf(invocation));
  TRY(const auto printer, PrinterOf(invocation));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection,
      Select(*server, invocation, invocation.arguments(), {.type_alone = false}));
  if (!selection.errors.empty()) return ServerFailure(selection.errors);
  std::vector<Selected> items;
  for (const Selected& item : selection.items) {
    TRY(std::vector<Selected> listed, Listed(*server, invocation, item));
    std::ranges::move(listed, std::back_inserter(items));
  }
  if (items.empty()) {
    if (goal.kind == WaitGoal::Kind::kDelete) return Outcome();
    return Usage("no matching resources found");
  }
  Waiter waiter(*server, goal, timeout);
  std::vector<Error> errors;
  for (const Selected& item : items) {
    auto object = waiter.WaitFor(item);
    if (!object.ok()) {
      errors.push_back(std::move(object).error());
      continue;
    }
    if (!*object) continue;
    std::string text = EscapedText(item.PrintedName()) + " condition met\n";
    if (printer && (*object)->is_object()) {
      text.clear();
      TRY_VOID(printer->Print(**object, &text));
    }
    if (!streams.Out(text)) return Outcome{kFailed, {}, {}};
  }
  if (errors.empty()) return Outcome();
  return ServerFailure(errors);
}

Outcome RunWait(const Invocation& invocation, const Streams& streams) {
  if (!invocation.Has("for")) {
    return UsageError("wait", "for what? for instance --for=condition=Ready, --for=delete");
  }
  auto outcome = Wait(WithUsualRecursion(invocation), streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "for",
     .value = "WHAT",
     .help = "condition=NAME, condition=NAME=STATUS, delete, create, jsonpath={PATH}=VALUE, "
             "jsonpath={PATH}"},
    {.name = "timeout",
     .value = "TIME",
     .help = "for all of them together; 30s if not given, 0 to look once, negative for a week"},
    {.name = "all", .help = "all objects of the types"},
    kSelectorOption,
    kFieldSelectorOption,
    kAllNamespacesOption,
    kFilenameOption,
    kUsuallyRecursiveOption,
    kKustomizeOption,
    kOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command WaitCommand() {
  return {
      .name = "wait",
      .summary = "Wait until objects are as they should be",
      .arguments = "TYPE NAME... | TYPE/NAME... | -f FILE",
      .max_arguments = 100'000,
      .details =
          "Ends once all of them are, with exit status 0; or when the time is over, with 1. A "
          "condition that was written for an older generation of its object does not count.",
      .example =
          "  podium wait --for=condition=Ready pod/web\n"
          "  podium wait --for=condition=Available deploy --all --timeout=2m\n"
          "  podium wait --for=jsonpath='{.status.phase}'=Running pod/web\n"
          "  podium wait --for=delete pod -l app=web\n",
      .options = kOptions,
      .live = RunWait,
  };
}

}  // namespace podium::cli
