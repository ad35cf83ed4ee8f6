// What `podium play` shows while pods run: a line for each change of a pod's state, and what its
// containers print.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "api/types/core_v1.h"
#include "cli/command.h"
#include "client/client.h"

namespace podium::commands {

namespace v1 = api::core::v1;

// Threads: Show is for one; it starts others that follow the logs.
class PlayView {
 public:
  // Both outlive it. `several`: the names of pods stand before what their containers print.
  PlayView(const client::Client& client, const cli::Streams& streams, bool several);
  // Logs that are still followed are broken off.
  ~PlayView();

  // What containers print is not shown.
  void WithoutLogs() { with_logs_ = false; }
  // The pod as it is now.
  void Show(const v1::Pod& pod);
  // A line of the command's own.
  void Say(const std::string& text);
  // Waits for the logs of containers that have ended.
  void FinishLogs();

 private:
  struct Log {
    std::thread thread;
    std::mutex mutex;  // of stream
    client::ByteStream* stream = nullptr;
    bool stop = false;
  };

  void ShowWaiting(const v1::Pod& pod, const v1::ContainerStatus& status);
  void FollowNew(const v1::Pod& pod, const v1::ContainerStatus& status);
  void Follow(Log* log, const client::ObjectKey& pod, const std::string& container,
              const std::string& prefix);
  bool Print(std::string_view text, bool own);
  std::string PrefixOf(const v1::Pod& pod, const std::string& container);

  const client::Client& client_;
  const cli::Streams streams_;
  const bool several_;
  const bool terminal_;
  bool with_logs_ = true;
  std::mutex output_;
  std::map<std::string, std::string> shown_;  // by pod and container, what was said last
  std::set<std::string> followed_;            // ids of containers
  std::list<Log> logs_;
  size_t colors_ = 0;
};

}  // namespace podium::commands
