// The commands of this room, each in the file of its name.
#pragma once

#include "cli/command.h"

namespace podium::cli {

Command CompletionCommand();
Command ConvertCommand();
Command ExplainCommand();
Command ValidateCommand();
Command VersionCommand();

// All of them, in the order of help.
std::span<const Command> Commands();

}  // namespace podium::cli
