// What the commands of `config` share. Private to config.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "client/kubeconfig.h"

namespace podium::cli {

// The files that the command's --kubeconfig and the environment name.
Result<client::KubeConfig> LoadConfig(const Invocation& invocation);
// Where an entry's changes go, as messages name it.
std::string FileOf(const client::KubeConfig& config, std::string_view kind, std::string_view name);

// What set-credentials' options of programs (--exec-*) and providers (--auth-provider*) change of
// the user of this name. kInvalidArgument, in kubectl's words: one has no meaning; in others: there
// is nothing that it could change.
Result<void> SetPrograms(const Invocation& invocation, const std::string& name,
                         client::clientcmd::v1::AuthInfo* user);

Outcome RunSetContext(const Invocation& invocation);
Outcome RunSetCluster(const Invocation& invocation);
Outcome RunSetCredentials(const Invocation& invocation);
Outcome RunSet(const Invocation& invocation);
Outcome RunUnset(const Invocation& invocation);

}  // namespace podium::cli
