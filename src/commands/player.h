// Player: the pods of a play, from their making to their end or, when they are left running, to
// their start.
//
// Threads: one uses it; another one of its own listens for Ctrl-C.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/types/core_v1.h"
#include "cli/command.h"
#include "client/client.h"
#include "commands/interrupts.h"
#include "commands/play_trace.h"
#include "commands/play_view.h"

namespace podium::commands {

class Player {
 public:
  struct Played {
    v1::Pod pod;                    // as it was seen last
    std::optional<PodTrace> trace;  // if it was asked for; has steps once the pod has started
    bool gone = false;
  };

  // Client and interrupts outlive it. `pods` are those that the server made.
  // `find_agent` is asked when the agent has gone, and returns when there is one again.
  Player(const client::Client& client, const cli::Streams& streams, std::vector<Played> pods,
         std::function<Result<void>()> find_agent);

  // Shows the pods and what they print until all have ended, and removes them. The exit status:
  // kInterrupted after Ctrl-C (once ends the pods in their own time, twice kills them, and after
  // three times nobody waits any more), cli::kFailed when a pod failed.
  Result<int> RunToTheEnd(Interrupts* interrupts);
  // Shows the pods until all have started or are over; after Ctrl-C they are not waited for.
  Result<int> WaitForStart(Interrupts* interrupts);

  const std::vector<Played>& played() const { return played_; }

 private:
  void Interrupt(int count);
  void Leave();
  void Update(const v1::Pod& pod);
  void Gone(Played* played);
  Played* Find(const std::string& uid);
  bool Done() const;
  Result<void> WatchPods();
  // True: there is nothing more to wait for.
  Result<bool> WatchOnce();
  Result<bool> Follow(client::Watch<v1::Pod>* watch);

  const client::Client& client_;
  const std::function<Result<void>()> find_agent_;
  const std::vector<v1::Pod> made_;
  std::vector<Played> played_;
  bool to_the_end_ = true;
  PlayView view_;

  std::mutex mutex_;
  client::Watch<v1::Pod>* watch_ = nullptr;  // under mutex_
  bool left_ = false;                        // under mutex_
};

// As people name it: what its name will begin with while it has none.
std::string NameOf(const v1::Pod& pod);

}  // namespace podium::commands
