// Signals by CRI's enumeration and by the names that images use.
#pragma once

#include <string_view>

#include "wire/types/cri.h"

namespace podium::runtime {

// 0 for RUNTIME_DEFAULT.
int SignalNumber(wire::cri::Signal signal);

// "SIGQUIT", "quit", "3", "SIGRTMIN+3"; 0 for what is none.
int ParseSignal(std::string_view text);

}  // namespace podium::runtime
