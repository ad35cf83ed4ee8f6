#include "commands/agent_process.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "http/connect.h"
#include "linux/path.h"
#include "linux/process.h"

namespace podium::commands {
namespace {

// Recovering a machine full of pods takes a while.
constexpr int kReadyMilliseconds = 60'000;
constexpr size_t kMaxLog = size_t{1} << 20;

bool Serves(const Instance& instance) {
  return http::ConnectUnix(instance.run_dir + "/agent.sock", {}).ok();
}

std::vector<std::string> Environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry && *entry; ++entry) out.emplace_back(*entry);
  return out;
}

// What it said before it went, for a message.
std::string LastWords(const std::string& log) {
  auto text = kernel::ReadFile(AT_FDCWD, log, kMaxLog);
  if (!text.ok()) return {};
  while (text->ends_with('\n')) text->pop_back();
  return text->substr(text->rfind('\n') + 1);
}

}  // namespace

Result<void> EnsureAgent(const Instance& instance) {
  if (Serves(instance)) return {};
  if (geteuid() != 0) {
    return Error(
        Code::kPermissionDenied,
        "running pods takes root: namespaces, mounts and cgroups are made; run it with sudo");
  }
  TRY(const UniqueFd folder, kernel::MakeFolders(instance.run_dir, 0700));
  const std::string log = instance.run_dir + "/agent.log";
  TRY(const UniqueFd output, kernel::OpenPath(log, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TRY(const UniqueFd program, kernel::OpenPath("/proc/self/exe", O_RDONLY));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::FromErrno(errno, "pipe2");
  const UniqueFd ready(ends[0]);
  UniqueFd tell(ends[1]);
  kernel::SpawnRequest request;
  request.program = program.get();
  request.arguments = {"podium", "agent", std::string("--") + kUntilIdleOption,
                       std::string("--") + kReadyOption, "3"};
  request.environment = Environment();
  request.descriptors = {tell.get()};
  request.output = output.get();
  TRY(const kernel::Spawned agent, kernel::Spawn(request));
  tell.reset();
  // It writes a byte when it serves; the pipe ends when it does not come up.
  pollfd wait{ready.get(), POLLIN, 0};
  char byte = 0;
  const bool spoke = poll(&wait, 1, kReadyMilliseconds) > 0;
  if (spoke && read(ready.get(), &byte, 1) == 1) return {};
  // Another command may have been quicker.
  if (Serves(instance)) return {};
  const std::string words = LastWords(log);
  if (!words.empty()) return Error(Code::kUnavailable, words);
  return Error(Code::kUnavailable, spoke ? "the agent ended at once; see " + log
                                         : "the agent does not answer; see " + log);
}

}  // namespace podium::commands
