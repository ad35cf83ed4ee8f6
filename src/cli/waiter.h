// Waits until objects of a server are as they should be, or gone (upstream's
// k8s.io/kubectl/pkg/cmd/wait).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "reflect/json_path.h"
#include "reflect/json_value.h"

namespace podium::cli {

// What is waited for.
struct WaitGoal {
  enum class Kind { kCreate, kDelete, kCondition, kPath, kTest };
  Kind kind = Kind::kCondition;
  std::string condition = {};
  std::string status = "true";
  std::optional<reflect::JsonPath> path = {};
  std::optional<std::string> value = {};  // of the path; none: any
  std::function<bool(const reflect::JsonValue& object)> test = {};
};

// What is waited where no end is said.
inline constexpr auto kWaitWeek = std::chrono::hours(24 * 7);

// One time for all objects that it is asked for. Threads: one at a time.
class Waiter {
 public:
  // `timeout` of 0 looks once. The goal outlives the waiter.
  Waiter(Server& server, const WaitGoal& goal, std::chrono::nanoseconds timeout);

  // The object when it is as wanted; null where it went; nothing where it was not there at all. For
  // kDelete another object of its name counts as gone, by the uid in item.object where it has one.
  // kDeadlineExceeded with kubectl's words when the time is over.
  Result<std::optional<reflect::JsonValue>> WaitFor(const Selected& item);

 private:
  std::chrono::milliseconds Left() const;
  Error TimedOut(const Selected& item) const;
  Result<bool> IsMet(const reflect::JsonValue& object) const;
  // Whether it is worth another look; false when the time is over.
  Result<bool> WatchFrom(const Selected& item, const reflect::JsonValue& object);

  Server& server_;
  const WaitGoal& goal_;
  const bool once_;
  const std::chrono::steady_clock::time_point end_;
};

}  // namespace podium::cli
