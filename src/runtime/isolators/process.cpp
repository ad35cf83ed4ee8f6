// What runs: arguments, environment, working directory. The rules are those of Kubernetes: command
// replaces the image's entry point and drops its Cmd; args alone replaces Cmd.
#include <sys/resource.h>

#include <algorithm>

#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// systemd's choice for services: programs that use select(2) work, those that want more raise it
// themselves.
constexpr uint64_t kSoftOpenFiles = 1024;
constexpr uint64_t kHardOpenFiles = 524288;

std::vector<std::string> ArgumentsOf(const ContainerContext& context) {
  const auto& image = context.image.document.config;
  std::vector<std::string> arguments = context.config.command;
  std::vector<std::string> rest = context.config.args;
  if (arguments.empty()) {
    if (rest.empty()) rest = image.Cmd;
    // [""] is how a Dockerfile unsets an inherited entry point.
    const bool unset = image.Entrypoint.size() == 1 && image.Entrypoint[0].empty();
    if (!unset) arguments = image.Entrypoint;
  }
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  return arguments;
}

// Replaces a variable of the same name in its place.
void SetVariable(const std::string& variable, std::vector<std::string>* environment) {
  const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
  for (std::string& entry : *environment) {
    if (std::string_view(entry).substr(0, entry.find('=')) == name) {
      entry = variable;
      return;
    }
  }
  environment->push_back(variable);
}

bool HasVariable(std::string_view name, const std::vector<std::string>& environment) {
  return std::ranges::any_of(environment, [&](const std::string& entry) {
    return std::string_view(entry).substr(0, entry.find('=')) == name;
  });
}

Result<std::vector<std::string>> EnvironmentOf(const ContainerContext& context,
                                               const Draft& draft) {
  std::vector<std::string> environment = {kDefaultPath};
  if (context.config.tty) environment.emplace_back("TERM=xterm");
  if (!context.sandbox.hostname.empty()) {
    environment.push_back("HOSTNAME=" + context.sandbox.hostname);
  }
  for (const std::string& variable : context.image.document.config.Env) {
    // An entry without '=' sets nothing.
    if (variable.find('=') != std::string::npos) SetVariable(variable, &environment);
  }
  for (const cri::KeyValue& variable : context.config.envs) {
    if (variable.key.empty() || variable.key.find('=') != std::string::npos) {
      return Error(Code::kInvalidArgument,
                   "invalid environment variable name \"" + variable.key + '"');
    }
    SetVariable(variable.key + '=' + variable.value.data, &environment);
  }
  if (!HasVariable("HOME", environment)) environment.push_back("HOME=" + draft.home);
  return environment;
}

}  // namespace

Result<void> PrepareProcess(const ContainerContext& context, Draft* draft) {
  shim::Plan& plan = draft->plan;
  plan.arguments = ArgumentsOf(context);
  if (plan.arguments.empty()) return Error(Code::kInvalidArgument, "no command specified");
  TRY(plan.environment, EnvironmentOf(context, *draft));
  plan.cwd = context.config.working_dir;
  if (plan.cwd.empty()) plan.cwd = context.image.document.config.WorkingDir;
  if (plan.cwd.empty()) plan.cwd = "/";
  if (!plan.cwd.starts_with('/')) {
    return Error(Code::kInvalidArgument, "Cwd must be an absolute path");
  }
  plan.cwd = CleanPath(plan.cwd);
  plan.oom_score_adj = static_cast<int32_t>(ResourcesOf(context.config).oom_score_adj);
  const uint64_t hard = std::min(kHardOpenFiles, context.host.max_open_files);
  plan.rlimits.push_back({.resource = RLIMIT_NOFILE,
                          .unused = 0,
                          .soft = std::min(kSoftOpenFiles, hard),
                          .hard = hard});
  if (context.config.tty) plan.flags |= shim::kPlanConsole;
  return {};
}

}  // namespace podium::runtime
