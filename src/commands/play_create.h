// Brings the objects of a play to the agent.
#pragma once

#include <string>
#include <vector>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "client/client.h"
#include "commands/play_objects.h"
#include "commands/player.h"

namespace podium::commands {

struct PlayResult {
  std::vector<Player::Played> pods;  // as they are at the agent, in the order of the play
  // What became of what was there before, a line each: "configmap/c updated", "pod/web unchanged",
  // "pod/job run again: it had ended". Nothing of what is simply new.
  std::vector<std::string> notes;
};

struct PlayOptions {
  // Who shows pods in the foreground ends them, too, and would end what another has started: a pod
  // that runs is kAlreadyExists, and nothing is done at all.
  bool only_new = false;
  bool trace = false;  // ask for where the time of a start goes
};

// New pods are made, all of them or none. Of those that are there:
//   one that has ended        is removed, and made anew
//   one that is the same      is left as it is
//   one that differs          becomes what the play has, where that may be changed (an image: its
//                             container is started again); kInvalidArgument otherwise
// ConfigMaps and Secrets take the place of those that are there.
Result<PlayResult> CreatePlayObjects(const client::Client& client, const PlayObjects& objects,
                                     const PlayOptions& options);

}  // namespace podium::commands
