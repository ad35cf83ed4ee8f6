// Another program, with the streams of this one: the editor, diff(1).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace podium::cli {

// Waits until it ends; Ctrl-C is its own meanwhile. Its exit status, or 128 and the signal that
// ended it. kNotFound where there is no such program; looked for in PATH without a slash.
Result<int> RunProgram(std::vector<std::string> arguments, const Streams& streams);

}  // namespace podium::cli
