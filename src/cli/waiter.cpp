#include "cli/waiter.h"

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "base/text.h"
#include "cli/json_lines.h"
#include "cli/json_members.h"
#include "cli/server_errors.h"
#include "http/url.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kBetweenLooks = std::chrono::milliseconds(200);

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

std::optional<int64_t> IntegerAt(const JsonValue& object,
                                 std::initializer_list<std::string_view> way) {
  const JsonValue* value = ValueAt(object, way);
  if (!value || !value->is_number()) return {};
  return std::strtoll(value->number().c_str(), nullptr, 10);
}

// A condition that was written for an older generation says nothing of this one.
bool HasCondition(const JsonValue& object, const WaitGoal& goal) {
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

Result<bool> HasValue(const JsonValue& object, const WaitGoal& goal) {
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

Result<ServerRequest> RequestFor(const Selected& item) {
  ServerRequest request;
  TRY(request.path, item.resource->Path(item.namespace_, item.name));
  return request;
}

}  // namespace

Waiter::Waiter(Server& server, const WaitGoal& goal, std::chrono::nanoseconds timeout)
    : server_(server),
      goal_(goal),
      once_(timeout.count() == 0),
      end_(SteadyClock::now() + timeout) {}

Result<std::optional<JsonValue>> Waiter::WaitFor(const Selected& item) {
  std::string uid(TextAt(item.object, {"metadata", "uid"}));
  while (true) {
    TRY(const ServerRequest get, RequestFor(item));
    auto object = server_.AskJson(get);
    if (!object.ok() && !IsNotFound(object.error())) return object.error();
    if (!object.ok() && goal_.kind == WaitGoal::Kind::kDelete) {
      if (uid.empty()) return std::optional<JsonValue>();
      return std::optional<JsonValue>(JsonValue());
    }
    if (!object.ok() && goal_.kind != WaitGoal::Kind::kCreate) return object.error();
    if (object.ok()) {
      const std::string_view its = TextAt(*object, {"metadata", "uid"});
      if (goal_.kind == WaitGoal::Kind::kDelete && !uid.empty() && its != uid) {
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

std::chrono::milliseconds Waiter::Left() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(end_ - SteadyClock::now());
}

Error Waiter::TimedOut(const Selected& item) const {
  const char* what = once_ ? "condition not met for " : "timed out waiting for the condition on ";
  return {Code::kDeadlineExceeded, what + item.resource->plural + "/" + item.name};
}

Result<bool> Waiter::IsMet(const JsonValue& object) const {
  switch (goal_.kind) {
    case WaitGoal::Kind::kCreate:
      return true;
    case WaitGoal::Kind::kDelete:
      return false;
    case WaitGoal::Kind::kCondition:
      return HasCondition(object, goal_);
    case WaitGoal::Kind::kPath:
      return HasValue(object, goal_);
    case WaitGoal::Kind::kTest:
      return goal_.test(object);
  }
  return false;
}

Result<bool> Waiter::WatchFrom(const Selected& item, const JsonValue& object) {
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

}  // namespace podium::cli
