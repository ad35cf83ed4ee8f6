// Numbers of system calls, from a table of our own. Of this room only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "linux/seccomp_filter.h"

namespace podium::kernel {

// None: the architecture has no such call, or there is none of that name.
std::optional<uint32_t> SyscallNumber(std::string_view name, SeccompArchitecture architecture);

// Whether any architecture has it.
bool IsSyscall(std::string_view name);

}  // namespace podium::kernel
