#include "cli/commands.h"

namespace podium::cli {

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      GetCommand(),     ApiResourcesCommand(), ApiVersionsCommand(), EventsCommand(),
      WaitCommand(),    CreateCommand(),       RunCommand(),         ExposeCommand(),
      ScaleCommand(),   EditCommand(),         SetCommand(),         DeleteCommand(),
      LabelCommand(),   AnnotateCommand(),     AuthCommand(),        ConfigCommand(),
      ProxyCommand(),   PodsCommand(),         PsCommand(),          LogsCommand(),
      ExecCommand(),    AttachCommand(),       CpCommand(),          PortForwardCommand(),
      InspectCommand(), DescribeCommand(),     StatsCommand(),       StopCommand(),
      RmCommand(),      ImagesCommand(),       PullCommand(),        ImportCommand(),
      ExportCommand(),  RmiCommand(),          PruneCommand(),       ValidateCommand(),
      ExplainCommand(), ConvertCommand(),      ApplyCommand(),       PatchCommand(),
      DiffCommand(),    CompletionCommand(),   VersionCommand(),     TopCommand()};
  return kCommands;
}

}  // namespace podium::cli
