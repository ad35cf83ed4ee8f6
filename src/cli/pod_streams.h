// The streams of a container's own process, joined to those of this program, as kubectl attach does
// it (upstream's k8s.io/kubectl/pkg/cmd/attach, exec and util/podcmd, release 1.32).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "cli/command.h"
#include "client/client.h"

namespace podium::cli {

// Messages are left out with --quiet.
inline constexpr Option kQuietOption = {
    .name = "quiet", .letter = 'q', .help = "without the messages of podium itself"};

// The container of this name; for "" the one that the pod's annotation
// kubectl.kubernetes.io/default-container names, else the first, and of several it is told which
// one. kInvalidArgument where there is none.
Result<std::string> ChosenContainer(const api::core::v1::Pod& pod, std::string_view name,
                                    bool quiet, const Streams& streams);

struct AttachRules {
  std::string container;
  bool with_stdin = false;
  bool tty = false;  // a terminal is wanted
  bool quiet = false;
  // At a terminal: Ctrl-P Ctrl-Q leaves it.
  bool may_leave = false;
};

// Returns when the process has ended or the session was left: its exit code, as far as the server
// says it; none where it was left. Where the container has a terminal, or there is none on this
// side, it is as that asks for, and people are told.
Result<std::optional<int>> AttachTo(const client::Client& client, const api::core::v1::Pod& pod,
                                    const AttachRules& rules, const Streams& streams);

}  // namespace podium::cli
