#include "cli/commands.h"

namespace podium::cli {
namespace {

// The release whose types, defaults and rules are built in.
constexpr const char* kKubernetesRelease = "1.36";

Outcome RunVersion(const Invocation&) { return {kOk, VersionText() + "\n", {}}; }

}  // namespace

std::string_view Version() { return PODIUM_VERSION; }

std::string VersionText() {
  return std::string("podium ") + PODIUM_VERSION + ", Kubernetes " + kKubernetesRelease;
}

Command VersionCommand() {
  return {
      .name = "version",
      .summary = "Print the version of podium and of the Kubernetes API in it",
      .example = "  podium version\n",
      .run = RunVersion,
  };
}

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      GetCommand(),    ApiResourcesCommand(), ApiVersionsCommand(), EventsCommand(),
      WaitCommand(),   CreateCommand(),       RunCommand(),         ExposeCommand(),
      ScaleCommand(),  EditCommand(),         SetCommand(),         DeleteCommand(),
      LabelCommand(),  AnnotateCommand(),     AuthCommand(),        ConfigCommand(),
      ProxyCommand(),  PodsCommand(),         PsCommand(),          LogsCommand(),
      ExecCommand(),   AttachCommand(),       InspectCommand(),     DescribeCommand(),
      StatsCommand(),  StopCommand(),         RmCommand(),          ImagesCommand(),
      PullCommand(),   ImportCommand(),       ExportCommand(),      RmiCommand(),
      PruneCommand(),  ValidateCommand(),     ExplainCommand(),     ConvertCommand(),
      ApplyCommand(),  PatchCommand(),        DiffCommand(),        CompletionCommand(),
      VersionCommand()};
  return kCommands;
}

}  // namespace podium::cli
