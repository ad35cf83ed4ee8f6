// Logs of containers as the bodies of answers, which the server pulls as clients take them: a
// thousand that are followed hold no thread. What wakes them is a change in the log's folder
// (folder_watches.h) or of the container's state.
//
//   TRY(auto logs, FollowedLogs::Create(agent, *poller));
//   (void)exchange->RespondFrom(200, headers, logs->Open(run, path, options));
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/poller.h"
#include "http/pulled_body.h"
#include "node/agent.h"
#include "node/container_log.h"
#include "node/folder_watches.h"

namespace podium::node {

// Threads: any.
class FollowedLogs {
 public:
  // The agent outlives it; the poller is stopped after it.
  static Result<std::unique_ptr<FollowedLogs>> Create(Agent& agent, const http::Poller& poller);
  ~FollowedLogs();
  FollowedLogs(const FollowedLogs&) = delete;
  FollowedLogs& operator=(const FollowedLogs&) = delete;

  // Whose log it is: one run of a container. A log that is followed ends with it, and with its pod.
  struct Run {
    std::string name_space;
    std::string pod;
    std::string uid;
    std::string container;
    std::string container_id;  // as the status has it
  };
  // Ends all that are followed where they are, and those that are asked for from then on: before
  // the servers stop, so that answers are whole.
  void Stop();

  // May read all of what is there, for tailLines. A log that is not there, or cannot be read on,
  // ends. The body may outlive this.
  std::unique_ptr<http::PulledBody> Open(const Run& run, const std::string& path,
                                         const LogOptions& options);

 private:
  struct Follower;
  struct Followers;
  class Body;
  FollowedLogs(Agent& agent, std::shared_ptr<FolderWatches> folders);

  Agent& agent_;
  const std::shared_ptr<FolderWatches> folders_;
  const std::shared_ptr<Followers> followers_;
  uint64_t watch_ = 0;  // the agent's
};

}  // namespace podium::node
