#include "commands/commands.h"

#include <vector>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "commands/agent_process.h"

namespace podium::commands {

namespace {

Result<void> EnsureAgentHere() {
  TRY(const Instance instance, cli::ThisInstance());
  return EnsureAgent(instance);
}

}  // namespace

std::span<const cli::Command> Commands() {
  static const std::vector<cli::Command> kAll = [] {
    std::vector<cli::Command> all = {PlayCommand()};
    const auto own = cli::Commands();
    all.insert(all.end(), own.begin(), own.end());
    all.push_back(AgentCommand());
    all.push_back(NodeCommand());
    all.push_back(ServerCommand());
    all.push_back(CriCommand());
    all.push_back(BackupCommand());
    all.push_back(RestoreCommand());
    for (cli::Command& command : all) command.ensure_agent = EnsureAgentHere;
    return all;
  }();
  return kAll;
}

}  // namespace podium::commands
