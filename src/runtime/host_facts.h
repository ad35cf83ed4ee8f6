// What this machine can do for containers. Private to this room.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/draft.h"

namespace podium::runtime {

// kUnsupported names what is missing: root's capabilities, namespaces, overlayfs.
Result<HostFacts> FindHostFacts(kernel::CgroupMode mode);

// What it cannot do and is gone on without.
std::vector<std::string> HostWarnings();

// 64 random hexadecimal digits.
std::string NewId();

// Nanoseconds since 1970.
int64_t Now();

}  // namespace podium::runtime
