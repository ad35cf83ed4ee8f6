// Looks at the runtime: what is there of a pod.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/observed_pod.h"
#include "runtime/runtime.h"

namespace podium::node {

// What a container left behind as its last words, as upstream reads it: the last 4096 bytes of its
// terminationMessagePath; with the policy FallbackToLogsOnError, when there are none and it failed,
// the last 80 lines of its log, at most 2048 bytes of them. `log` is the log's path on the host.
std::string TerminationMessage(const ObservedContainer& container, const std::string& log);

// Keeps the last words of containers, which are read once. For one pod, one caller at a time.
class Observer {
 public:
  explicit Observer(runtime::Runtime& runtime) : runtime_(runtime) {}

  // All sandboxes and containers of the pod, in order, with last words as messages.
  Result<ObservedPod> Observe(std::string_view pod_uid, const std::string& log_folder);

 private:
  runtime::Runtime& runtime_;
  std::map<std::string, std::string, std::less<>> messages_;  // by container id
};

}  // namespace podium::node
