// How commands reach the pods of this machine: through the socket of its agent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/instance.h"
#include "base/result.h"
#include "cli/command.h"
#include "client/client.h"

namespace podium::cli {

namespace v1 = api::core::v1;

inline constexpr Option kNamespaceOption = {.name = "namespace",
                                            .letter = 'n',
                                            .value = "NAME",
                                            .help = "of the pod; \"default\" if not given"};

// The instance that the environment names (PODIUM_INSTANCE and so on).
Result<Instance> ThisInstance();
// Its agent's socket. Nothing is sent yet.
Result<client::Client> AgentClient();
// The same for commands that are of use without a pod, too: where no agent serves, one is started.
Result<client::Client> EnsuredAgentClient(const Invocation& invocation);

// The pod that the command's first argument and --namespace name. "NAMESPACE/NAME" does as well.
client::ObjectKey PodArgument(const Invocation& invocation, std::string_view argument);

// Failure of a command, as it is told: "podium logs: pods \"x\" not found".
Outcome Failed(std::string_view command, const Error& error);

// The time of day, for ages.
api::Time Today();

// Rows of cells in columns, three spaces apart, the first row as the heading. Control characters
// are escaped.
std::string Columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace podium::cli
