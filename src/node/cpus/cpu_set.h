// Sets of CPUs as the kernel writes them: "0-3,7" (cpuset(7), list format).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::node {

using CpuSet = std::set<int>;

// Empty text: no CPU. kInvalidArgument.
Result<CpuSet> ParseCpuSet(std::string_view text);
std::string CpuSetText(const CpuSet& cpus);

}  // namespace podium::node
