#include "commands/commands.h"

#include <vector>

#include "cli/commands.h"

namespace podium::commands {

std::span<const cli::Command> Commands() {
  static const std::vector<cli::Command> kAll = [] {
    std::vector<cli::Command> all = {PlayCommand()};
    const auto own = cli::Commands();
    all.insert(all.end(), own.begin(), own.end());
    all.push_back(AgentCommand());
    return all;
  }();
  return kAll;
}

}  // namespace podium::commands
