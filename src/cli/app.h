// From a command line to a command.
#pragma once

#include "cli/command.h"

namespace podium::cli {

// Finds the command that the arguments name (argv[1]), reads its options, runs it and writes what
// it answers. Returns the exit status of the program.
int Run(std::span<const Command> commands, int argc, const char* const* argv);

// The same without writing, but for what a live command writes to the streams.
Outcome RunCommand(std::span<const Command> commands, std::span<const char* const> arguments,
                   const Streams& streams = {});

// What --help prints: of the program, and of one command.
std::string ProgramHelp(std::span<const Command> commands);
std::string CommandHelp(const Command& command);

}  // namespace podium::cli
