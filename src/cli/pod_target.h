// Which pod exec, attach and logs are about: POD, TYPE/NAME or TYPE NAME, of a server or of the
// agent of this machine (upstream's k8s.io/kubectl/pkg/polymorphichelpers).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "cli/command.h"
#include "cli/server.h"
#include "client/client.h"

namespace podium::cli {

inline constexpr Option kContainerNameOption = {
    .name = "container",
    .letter = 'c',
    .value = "NAME",
    .help =
        "of the pod's containers; if not given the one that the pod's annotation "
        "kubectl.kubernetes.io/default-container names, or the first"};
inline constexpr Option kPodRunningTimeoutOption = {
    .name = "pod-running-timeout",
    .value = "TIME",
    .help = "how long a pod of TYPE/NAME may take until it is there"};

struct PodTarget {
  std::unique_ptr<Server> server;
  api::core::v1::Pod pod;

  client::Client Client() const { return client::Client::Over(server->session()); }
  client::ObjectKey Key() const { return {pod.metadata.namespace_, pod.metadata.name}; }
};

// Which of several pods of one object is taken.
enum class PodChoice {
  kLiveliest,  // attach, exec: that which has been ready for longest
  kTelling,    // logs: the same, but one that was started anew rather than another
  kAll,        // all of them
};

// The same of several pods.
struct PodTargets {
  std::unique_ptr<Server> server;
  std::vector<api::core::v1::Pod> pods;

  client::Client Client() const { return client::Client::Over(server->session()); }
};

// Waits for a pod of an object that has none, as --pod-running-timeout says. A pod that the server
// does not have, or that no server can be asked for, is looked for with the agent of this machine
// where the command line names no server. For the agent NAMESPACE/NAME does as well.
Result<PodTarget> FindPod(const Invocation& invocation, const Streams& streams,
                          const std::vector<std::string>& words, PodChoice choice,
                          std::chrono::nanoseconds patience);

// The same with all pods that are meant.
Result<PodTargets> FindPods(const Invocation& invocation, const Streams& streams,
                            const std::vector<std::string>& words, PodChoice choice,
                            std::chrono::nanoseconds patience);
// Those of the server's namespace with such labels, in the server's order.
Result<std::vector<api::core::v1::Pod>> PodsWithLabels(Server& server, std::string_view selector);

// --pod-running-timeout; kInvalidArgument where it is no time above zero.
Result<std::chrono::nanoseconds> PodPatienceOf(const Invocation& invocation, const char* command,
                                               std::chrono::nanoseconds otherwise);

// A command's end: in kubectl's words, but where an agent cannot be reached, which says what to do.
Outcome PodFailure(const char* command, const Error& error);

// The labels of an object's pods, as a selector. kInvalidArgument for objects that have none.
Result<std::string> PodSelectorOf(const reflect::JsonValue& object);

}  // namespace podium::cli
