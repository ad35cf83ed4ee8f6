// The programs that podium carries inside itself for pods: ELF files without a C library, a few
// KiB each. Put each into one sealed memfd per process and start every pod from that: its pages are
// then shared by all.
#pragma once

#include <cstddef>
#include <span>

namespace podium::runtime {

// Started with a connection at shim::kControlDescriptor (messages.h).
std::span<const std::byte> ShimProgram();

// Given to the shim with RunSandbox.
std::span<const std::byte> InfraProgram();

}  // namespace podium::runtime
