// The commands of this room, each in the file of its name.
#pragma once

#include <string>

#include "cli/command.h"

namespace podium::cli {

Command AnnotateCommand();
Command ApiResourcesCommand();
Command ApiVersionsCommand();
Command ApplyCommand();
Command AttachCommand();
Command AuthCommand();
Command CompletionCommand();
Command ConfigCommand();
Command ConvertCommand();
Command CpCommand();
Command CreateCommand();
Command DeleteCommand();
Command DescribeCommand();
Command DiffCommand();
Command EditCommand();
Command EventsCommand();
Command ExecCommand();
Command ExplainCommand();
Command ExportCommand();
Command ExposeCommand();
Command GetCommand();
Command ImagesCommand();
Command ImportCommand();
Command InspectCommand();
Command LabelCommand();
Command LogsCommand();
Command PatchCommand();
Command PodsCommand();
Command PortForwardCommand();
Command ProxyCommand();
Command PruneCommand();
Command PsCommand();
Command PullCommand();
Command RmCommand();
Command RmiCommand();
Command RunCommand();
Command ScaleCommand();
Command TopCommand();
Command SetCommand();
Command StatsCommand();
Command StopCommand();
Command ValidateCommand();
Command VersionCommand();
Command WaitCommand();

// All of them, in the order of help.
std::span<const Command> Commands();

// "podium 0.1.0, Kubernetes 1.36"
std::string VersionText();
// Of the program alone: "0.1.0".
std::string_view Version();

}  // namespace podium::cli
