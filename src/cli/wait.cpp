// kubectl wait (upstream's k8s.io/kubectl/pkg/cmd/wait).
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "api/time.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_lines.h"
#include "cli/json_members.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/table_text.h"
#include "http/url.h"
#include "reflect/go_text.h"
#include "reflect/json_path.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kBetweenLooks = std::chrono::milliseconds(200);
// What a negative --timeout stands for.
constexpr auto kWeek = std::chrono::hours(24 * 7);

enum class Kind { kCreate, kDelete, kCondition, kPath };

// What is waited for.
struct Goal {
  Kind kind = Kind::kCondition;
  std::string condition = {};
  std::string status = "true";
  std::optional<reflect::JsonPath> path = {};
  std::optional<std::string> value = {};  // of the path; none: any
};

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// "jsonpath={.a}=b", whose path may hold '=' between its braces.
Result<Goal> PathGoal(std::string_view text) {
  const size_t end = text.rfind('}');
  const size_t begin = end == text.npos ? 0 : end;
  const size_t equals = text.find('=', begin);
  Goal goal{.kind = Kind::kPath};
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

Result<Goal> GoalOf(std::string_view text) {
  const std::string lower = LowerCase(text);
  if (lower == "create") return Goal{.kind = Kind::kCreate};
  if (lower == "delete") return Goal{.kind = Kind::kDelete};
  if (text.starts_with("condition=")) {
    text.remove_prefix(std::string_view("condition=").size());
    const size_t equals = text.find('=');
    Goal goal{.condition = std::string(text.substr(0, equals))};
    if (equals != text.npos) goal.status = text.substr(equals + 1);
    return goal;
  }
  if (text.starts_with("jsonpath=")) return PathGoal(text.substr(9));
  return Usage("unrecognized condition: " + reflect::GoQuoted(text));
}

std::optional<int64_t> IntegerAt(const JsonValue& object,
                                 std::initializer_list<std::string_view> way) {
  const JsonValue* value = ValueAt(object, way);
  if (!value || !value->is_number()) return {};
  return std::strtoll(value->number().c_str(), nullptr, 10);
}

// A condition that was written for an older generation says nothing of this one.
bool HasCondition(const JsonValue& object, const Goal& goal) {
  static const JsonValue kNothing;
  const JsonValue* status = object.Find("status");
  for (const JsonValue& condition : ElementsOf(status ? *status : kNothing, "conditions")) {
    if (!EqualsIgnoringCase(TextOf(condition, "type"), goal.condition)) continue;
    auto observed = IntegerAt(condition, {"observedGeneration"});
    if (!observed) observed = IntegerAt(object, {"status", "observedGeneration"});
    const auto generation = IntegerAt(object, {"metadata", "generation"});
    if (observed && generation && *observed < *generation) return false;
    return EqualsIgnoringCase(TextOf(condition, "status"), goal.status);
  }
  return false;
}

Result<bool> HasValue(const JsonValue& object, const Goal& goal) {
  TRY(const auto found, goal.path->Find(object, {.allow_missing_keys = true}));
  if (found.sets.empty() || found.sets[0].empty()) return false;
  if (found.sets.size() > 1) return Usage("given jsonpath expression matches more than one list");
  if (!goal.value) return true;
  if (found.sets[0].size() > 1) {
    return Usage("given jsonpath expression matches more than one value");
  }
  const JsonValue* value = found.sets[0][0];
  if (!value) return false;
  if (value->is_object() || value->is_array()) {
    return Usage("jsonpath leads to a nested object or list which is not supported");
  }
  const std::string text = value->is_string() ? value->string() : reflect::ToText(*value);
  return text == *goal.value;
}

// One run of the command.
class Waiter {
 public:
  Waiter(Server& server, const Goal& goal, std::chrono::nanoseconds timeout)
      : server_(server),
        goal_(goal),
        once_(timeout.count() == 0),
        end_(SteadyClock::now() + timeout) {}

  // The object when it is as wanted; null where it went; nothing where it was not there at all.
  Result<std::optional<JsonValue>> WaitFor(const Selected& item) {
    std::string uid(TextAt(item.object, {"metadata", "uid"}));
    while (true) {
      TRY(const ServerRequest get, RequestFor(item));
      auto object = server_.AskJson(get);
      if (!object.ok() && !IsNotFound(object.error())) return object.error();
      if (!object.ok() && goal_.kind == Kind::kDelete) {
        if (uid.empty()) return std::optional<JsonValue>();
        return std::optional<JsonValue>(JsonValue());
      }
      if (!object.ok() && goal_.kind != Kind::kCreate) return object.error();
      if (object.ok()) {
        const std::string_view its = TextAt(*object, {"metadata", "uid"});
        if (goal_.kind == Kind::kDelete && !uid.empty() && its != uid) {
          return std::optional<JsonValue>(JsonValue());
        }
        uid = its;
        TRY(const bool met, IsMet(*object));
        if (met) return std::optional<JsonValue>(*std::move(object));
      }
      if (Left().count() <= 0) return TimedOut(item);
      if (object.ok()) {
        TRY(const bool look, WatchFrom(item, *object));
        if (look) continue;
        return TimedOut(item);
      }
      std::this_thread::sleep_for(std::min(kBetweenLooks, Left()));
    }
  }

 private:
  std::chrono::milliseconds Left() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(end_ - SteadyClock::now());
  }

  static Result<ServerRequest> RequestFor(const Selected& item) {
    ServerRequest request;
    TRY(request.path, item.resource->Path(item.namespace_, item.name));
    return request;
  }

  Error TimedOut(const Selected& item) const {
    const char* what = once_ ? "condition not met for " : "timed out waiting for the condition on ";
    return {Code::kDeadlineExceeded, what + item.resource->plural + "/" + item.name};
  }

  Result<bool> IsMet(const JsonValue& object) const {
    switch (goal_.kind) {
      case Kind::kCreate:
        return true;
      case Kind::kDelete:
        return false;
      case Kind::kCondition:
        return HasCondition(object, goal_);
      case Kind::kPath:
        return HasValue(object, goal_);
    }
    return false;
  }

  // Whether it is worth another look; false when the time is over.
  Result<bool> WatchFrom(const Selected& item, const JsonValue& object) {
    ServerRequest request;
    TRY(request.path, item.resource->Path(item.namespace_, ""));
    request.query = http::EncodeQuery(
        {{"fieldSelector", "metadata.name=" + item.name},
         {"resourceVersion", std::string(TextAt(object, {"metadata", "resourceVersion"}))},
         {"watch", "true"}});
    request.at_most = Left();
    auto response = server_.Open(request);
    if (!response.ok()) {
      if (response.error().code() == Code::kDeadlineExceeded) return false;
      return response.error();
    }
    JsonLines lines(*std::move(response));
    while (true) {
      const auto line = lines.Next();
      if (!line.ok()) return line.error().code() != Code::kDeadlineExceeded;
      // A watch that ends, breaks off or tells of an error: look anew.
      if (!*line) return true;
      const std::string_view type = TextOf(**line, "type");
      const JsonValue* now = (*line)->Find("object");
      if (type == "DELETED" || type == "ERROR" || !now) return true;
      TRY(const bool met, IsMet(*now));
      if (met) return true;
    }
  }

  Server& server_;
  const Goal& goal_;
  const bool once_;
  const SteadyClock::time_point end_;
};

// The objects of collections, by name.
Result<std::vector<Selected>> Named(Server& server, const Invocation& invocation,
                                    const std::vector<Selected>& items) {
  std::vector<Selected> out;
  for (const Selected& item : items) {
    if (!item.name.empty()) {
      out.push_back(item);
      continue;
    }
    ServerRequest request;
    TRY(request.path, item.resource->Path(item.namespace_, ""));
    request.query = ListQuery(invocation);
    const auto list = server.AskJson(request);
    if (!list.ok()) return ListError(item, invocation, list.error());
    for (const JsonValue& each : ElementsOf(*list, "items")) {
      Selected one = item;
      one.name = TextAt(each, {"metadata", "name"});
      one.namespace_ = TextAt(each, {"metadata", "namespace"});
      one.object = each;
      out.push_back(std::move(one));
    }
  }
  return out;
}

Result<std::chrono::nanoseconds> TimeoutOf(const Invocation& invocation) {
  const auto timeout = api::Duration::Parse(invocation.Get("timeout", "30s"));
  if (!timeout.ok()) {
    return Usage("invalid argument " + reflect::GoQuoted(invocation.Get("timeout")) +
                 " for \"--timeout\" flag: " + timeout.error().message());
  }
  if (timeout->nanos() < 0) return std::chrono::nanoseconds(kWeek);
  return std::chrono::nanoseconds(timeout->nanos());
}

Result<Outcome> Wait(const Invocation& invocation, const Streams& streams) {
  TRY(const Goal goal, GoalOf(invocation.Get("for")));
  TRY(const auto timeout, TimeoutOf(invocation));
  TRY(const auto printer, PrinterOf(invocation));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection,
      Select(*server, invocation, invocation.arguments(), {.type_alone = false}));
  if (!selection.errors.empty()) return ServerFailure(selection.errors);
  TRY(const auto items, Named(*server, invocation, selection.items));
  if (items.empty()) {
    if (goal.kind == Kind::kDelete) return Outcome();
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
  auto outcome = Wait(invocation, streams);
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
    kRecursiveOption,
    kKustomizeOption,
    kOutputOption,
    kTemplateOption,
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
