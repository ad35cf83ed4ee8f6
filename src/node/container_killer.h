// ContainerKiller: ends containers of a pod, each in its time (upstream's killContainer and
// terminationOrdering, release 1.36):
//
//   preStop hook     of all at once, within the grace period
//   its turn         sidecars wait for the containers, and each for those that started after it;
//                    at most until the grace period is over
//   stop signal      and what is left of the grace period, two seconds at least
//   kill
// A grace period of 0 kills at once, without any of this.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "node/event_recorder.h"
#include "node/network_probes.h"
#include "runtime/runtime.h"

namespace podium::node {

struct KillRequest {
  std::string id;
  ContainerRef container;
  std::string message;  // of the event; "": Stopping container NAME
  int64_t grace = 0;    // seconds
  bool pre_stop = true;
  int rank = 0;         // those of a lower rank go first
  std::string address;  // of the pod
};

// Of one pod. Threads: any; tasks hold it alive.
class ContainerKiller : public std::enable_shared_from_this<ContainerKiller> {
 public:
  struct Services {
    const Clock& clock;
    Executor& executor;
    runtime::Runtime& runtime;
    NetworkProbes& network;
    EventSink& events;
  };
  // `changed` is called, from any thread, when one has ended or could not be.
  ContainerKiller(const Services& services, std::function<void()> changed)
      : services_(services), changed_(std::move(changed)) {}

  // Returns at once. For one that is being killed, a shorter grace period counts.
  void Kill(const std::shared_ptr<const v1::Pod>& pod, KillRequest request);
  bool Killing(std::string_view container_id) const;
  bool Idle() const;

 private:
  enum class State : uint8_t { kPreStop, kWaiting, kStopping };
  struct Entry {
    std::shared_ptr<const v1::Pod> pod;
    KillRequest request;
    State state = State::kPreStop;
    int64_t deadline = 0;  // nanoseconds since 1970
    Executor::TimerId timer = 0;
  };

  void Begin(Entry* entry);
  void RunPreStop(const std::string& id);
  void AfterPreStop(const std::string& id);
  void GiveTurns();
  void Stop(Entry* entry);
  void Stopped(const std::string& id);
  void SetTimer(Entry* entry, int64_t at, std::function<void()> task);
  int64_t SecondsLeft(const Entry& entry) const;

  const Services services_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

// The rank of a container in KillRequest.
int KillRank(const v1::PodSpec& spec, ContainerRef container);

}  // namespace podium::node
