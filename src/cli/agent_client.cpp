#include "cli/agent_client.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "cli/text.h"

namespace podium::cli {
namespace {

constexpr size_t kBetweenColumns = 3;

// Characters, not bytes.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Result<Instance> ThisInstance() {
  return InstanceFromEnvironment([](const char* name) -> const char* {
    return std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
  });
}

Result<client::Client> AgentClient() {
  TRY(const Instance instance, ThisInstance());
  return client::Client::Create(client::AgentAt(instance.run_dir));
}

Result<client::Client> EnsuredAgentClient(const Invocation& invocation) {
  TRY_VOID(invocation.EnsureAgent());
  return AgentClient();
}

client::ObjectKey PodArgument(const Invocation& invocation, std::string_view argument) {
  const size_t slash = argument.find('/');
  if (slash != std::string_view::npos && !invocation.Has("namespace")) {
    return {std::string(argument.substr(0, slash)), std::string(argument.substr(slash + 1))};
  }
  return {std::string(invocation.Get("namespace", "default")), std::string(argument)};
}

Outcome Failed(std::string_view command, const Error& error) {
  return {kFailed,
          {},
          "podium " + std::string(command) + ": " + Printable(error.message(), true) + '\n'};
}

api::Time Today() { return api::Time::FromUnix(std::time(nullptr)); }

std::string Columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> cells = rows;
  std::vector<size_t> widths;
  for (auto& row : cells) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = Printable(row[i]);
      widths[i] = std::max(widths[i], WidthOf(row[i]));
    }
  }
  std::string out;
  for (const auto& row : cells) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - WidthOf(row[i]) + kBetweenColumns, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace podium::cli
