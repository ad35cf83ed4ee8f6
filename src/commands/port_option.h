#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"

namespace podium::commands {

// A port that an option gives, or `otherwise` where it is not given. kInvalidArgument names the
// option.
Result<uint16_t> PortOf(const cli::Invocation& invocation, std::string_view option,
                        uint16_t otherwise);

}  // namespace podium::commands
