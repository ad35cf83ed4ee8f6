#include "client/plugin_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/unique_fd.h"

namespace podium::client {
namespace {

constexpr size_t kMaxOutput = size_t{1} << 20;

std::vector<std::string> EnvironmentOf(const PluginProcess& process) {
  std::vector<std::string> variables;
  for (char** at = environ; at && *at; ++at) {
    const std::string_view variable(*at);
    const std::string_view name = variable.substr(0, variable.find('='));
    const bool replaced = std::ranges::any_of(process.environment,
                                              [&](const auto& each) { return each.first == name; });
    if (!replaced) variables.emplace_back(variable);
  }
  for (const auto& [name, value] : process.environment) {
    variables.emplace_back(name).append("=").append(value);
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Its process id.
Result<pid_t> Spawn(const PluginProcess& process, int output) {
  std::vector<std::string> arguments = {process.command};
  arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
  std::vector<std::string> variables = EnvironmentOf(process);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (!process.interactive) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  // Whoever blocks or ignores signals here does not mean the plugin.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, process.command.c_str(), &actions, &attributes,
                                 Pointers(arguments).data(), Pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) {
    return Error(Code::kNotFound, "exec: executable " + process.command + " not found");
  }
  if (error != 0) return Error::FromErrno(error, "exec: fork/exec " + process.command);
  return pid;
}

Result<std::string> ReadOutput(int fd) {
  std::string output;
  char buffer[16384];
  while (true) {
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::FromErrno(errno, "reading what a credential plugin says");
    if (size == 0) return output;
    output.append(buffer, static_cast<size_t>(size));
    if (output.size() > kMaxOutput) {
      return Error(Code::kResourceExhausted, "a credential plugin says too much");
    }
  }
}

}  // namespace

Result<std::string> RunPlugin(const PluginProcess& process) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::FromErrno(errno, "pipe2");
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  TRY(const pid_t pid, Spawn(process, writer.get()));
  writer = UniqueFd();
  auto output = ReadOutput(reader.get());
  // It hears of it by SIGPIPE, if it goes on.
  reader = UniqueFd();
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!output.ok()) return output;
  if (!WIFEXITED(status)) {
    return Error(Code::kUnauthenticated, "exec: executable " + process.command +
                                             " was ended by signal " +
                                             std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return Error(Code::kUnauthenticated, "exec: executable " + process.command +
                                             " failed with exit code " +
                                             std::to_string(WEXITSTATUS(status)));
  }
  return output;
}

}  // namespace podium::client
