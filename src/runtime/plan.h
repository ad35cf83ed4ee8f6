// plan.h: a container's plan as the agent fills it in. EncodePlan gives the bytes of plan_layout.h,
// which has the meaning of every member.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/plan_layout.h"

namespace podium::runtime::shim {

struct MountStep {
  MountKind kind;
  std::string target;
  std::string source = {};
  std::vector<std::string> options = {};
  uint32_t flags = 0;
  int32_t descriptor = -1;
  uint32_t propagation = 0;
  uint64_t attr_set = 0;
  uint64_t attr_clear = 0;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t file_system = 0;
};

struct Plan {
  uint32_t flags = 0;
  std::vector<std::string> arguments = {};
  std::vector<std::string> environment = {};
  std::string cwd = "/";
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups = {};
  uint32_t umask = 022;
  int32_t oom_score_adj = 0;
  std::vector<PlanRlimit> rlimits = {};
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
  uint64_t ambient = 0;
  std::string filter = {};  // struct sock_filter as bytes; empty: unconfined
  uint32_t filter_flags = 0;
  LabelKind label_kind = LabelKind::kNone;
  std::string label = {};
  int32_t root = -1;
  std::vector<MountStep> mounts = {};
};

// The plan as bytes. kInvalidArgument if a text holds a NUL, kResourceExhausted if it is larger
// than kMaxPlan.
Result<std::string> EncodePlan(const Plan& plan);

}  // namespace podium::runtime::shim
