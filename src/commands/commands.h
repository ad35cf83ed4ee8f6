// The commands that are made of several rooms, each in the file of its name.
#pragma once

#include <span>

#include "cli/command.h"

namespace podium::commands {

cli::Command AgentCommand();
cli::Command BackupCommand();
cli::Command CriCommand();
cli::Command NodeCommand();
cli::Command PlayCommand();
cli::Command RestoreCommand();
cli::Command ServerCommand();

// Those and cli's, in the order of help.
std::span<const cli::Command> Commands();

}  // namespace podium::commands
