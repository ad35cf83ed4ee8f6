// What kubectl config set-credentials tells of programs that give credentials, and of ways to sign
// in that are built into clients (upstream's k8s.io/kubectl/pkg/cmd/config, create_authinfo.go).
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/config.h"
#include "cli/option_values.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using namespace client::clientcmd::v1;  // NOLINT(google-build-using-namespace): the file's words

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// KEY=VALUE sets a variable, KEY- takes it away.
struct Changes {
  std::map<std::string, std::string> set = {};
  std::vector<std::string> removed = {};
};

Result<Changes> ChangesOf(const char* option, const std::vector<std::string>& parts) {
  Changes changes;
  std::vector<std::string> wrong;
  for (const std::string& part : parts) {
    const size_t equals = part.find('=');
    if (equals != part.npos && equals > 0) {
      changes.set[part.substr(0, equals)] = part.substr(equals + 1);
    } else if (equals == part.npos && part.size() > 1 && part.ends_with('-')) {
      changes.removed.push_back(part.substr(0, part.size() - 1));
    } else {
      wrong.push_back(part);
    }
  }
  if (!wrong.empty()) {
    return Usage("invalid " + std::string(option) + " format: " + Join(wrong, ", "));
  }
  return changes;
}

// kubectl passes over an option that has nothing to change.
Error NothingToChange(std::string_view option, std::string_view needed, const std::string& name) {
  return Usage("--" + std::string(option) + " changes what --" + std::string(needed) +
               " has set, and user " + reflect::GoQuoted(name) + " has none");
}

Result<void> SetProvider(const Invocation& invocation, const std::string& name, AuthInfo* user) {
  TRY(const auto parts, PartsOption(invocation, "auth-provider-arg"));
  TRY(const Changes changes, ChangesOf("auth-provider-arg", parts));
  if (invocation.Has("auth-provider")) {
    const std::string_view provider = invocation.Get("auth-provider");
    // What one provider was told means nothing to another.
    if (!user->authProvider || user->authProvider->name != provider) {
      user->authProvider.emplace().name = provider;
      user->authProvider->config.present = true;
    }
  }
  if (!invocation.Has("auth-provider-arg")) return {};
  if (!user->authProvider) return NothingToChange("auth-provider-arg", "auth-provider", name);
  auto& config = user->authProvider->config;
  config.present = true;
  for (const std::string& key : changes.removed) config.erase(key);
  for (const auto& [key, value] : changes.set) config[key] = value;
  return {};
}

void ChangeVariables(const Changes& changes, reflect::Nullable<reflect::List<ExecEnvVar>>* env) {
  env->present = true;
  std::erase_if(*env, [&](const ExecEnvVar& each) {
    return std::ranges::find(changes.removed, each.name) != changes.removed.end();
  });
  for (const auto& [name, value] : changes.set) {
    const auto known = std::ranges::find(*env, name, &ExecEnvVar::name);
    if (known != env->end()) {
      known->value = value;
    } else {
      env->push_back({.name = name, .value = value});
    }
  }
}

Result<void> SetExec(const Invocation& invocation, const std::string& name, AuthInfo* user) {
  TRY(auto arguments, PartsOption(invocation, "exec-arg"));
  // Of which a comma is a part, not as elsewhere; nothing of "" alone, as there.
  auto pairs = invocation.All("exec-env");
  if (pairs == std::vector<std::string>{""}) pairs.clear();
  TRY(const Changes variables, ChangesOf("exec-env", pairs));
  const std::string_view mode = invocation.Get("exec-interactive-mode");
  if (invocation.Has("exec-interactive-mode") && mode != "IfAvailable" && mode != "Never" &&
      mode != "Always") {
    return Usage("invalid interactive mode type, can be only IfAvailable, Never, Always");
  }
  if (invocation.Has("exec-command")) {
    ExecConfig& exec = user->exec.ensure();
    exec.command = invocation.Get("exec-command");
    // They were another program's.
    exec.args = {};
  }
  if (!user->exec) {
    for (const char* option : {"exec-api-version", "exec-arg", "exec-env", "exec-interactive-mode",
                               "exec-provide-cluster-info"}) {
      if (invocation.Has(option)) return NothingToChange(option, "exec-command", name);
    }
    return {};
  }
  ExecConfig& exec = *user->exec;
  if (invocation.Has("exec-api-version")) exec.apiVersion = invocation.Get("exec-api-version");
  if (!arguments.empty()) exec.args = std::move(arguments);
  if (!variables.set.empty() || !variables.removed.empty()) ChangeVariables(variables, &exec.env);
  if (!mode.empty()) exec.interactiveMode = mode;
  if (invocation.Has("exec-provide-cluster-info")) {
    exec.provideClusterInfo = invocation.Get("exec-provide-cluster-info") == "true";
  }
  return {};
}

}  // namespace

Result<void> SetPrograms(const Invocation& invocation, const std::string& name, AuthInfo* user) {
  TRY_VOID(SetProvider(invocation, name, user));
  return SetExec(invocation, name, user);
}

}  // namespace podium::cli
