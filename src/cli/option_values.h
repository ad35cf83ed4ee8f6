// Values of options that are numbers and times, read as kubectl reads them, with its words for
// those that are none.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"

namespace podium::cli {

// kInvalidArgument where it is given and is no number of 64 bits.
Result<int64_t> IntegerOption(const Invocation& invocation, std::string_view option,
                              int64_t otherwise);
// "10s", "1h5m"; 0 where it is not given.
Result<std::chrono::nanoseconds> TimeOption(const Invocation& invocation, std::string_view option);

// kubectl's error of a command's arguments: the message, and where to find help.
Error ArgumentsError(std::string_view command, const std::string& message);

}  // namespace podium::cli
