#include "cli/pod_target.h"

#include <algorithm>
#include <thread>
#include <tuple>
#include <utility>

#include "api/labels.h"
#include "api/status.h"
#include "base/text.h"
#include "cli/agent_client.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "http/url.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;
using reflect::JsonValue;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kBetweenLooks = std::chrono::milliseconds(200);

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<v1::Pod> DecodePod(const JsonValue& object) {
  return reflect::FromJson<v1::Pod>(reflect::ToText(object), {.strict = false});
}

int PhaseRank(const std::string& phase) {
  return phase == "Running" ? 2 : phase == "Pending" ? 0 : 1;
}

// Greater is better.
auto Rank(const v1::Pod& pod, PodChoice choice) {
  bool ready = false;
  int64_t since = 0;
  for (const v1::PodCondition& condition : pod.status.conditions) {
    if (condition.type != "Ready" || condition.status != "True") continue;
    ready = true;
    since = condition.lastTransitionTime.unix_seconds();
  }
  int64_t restarts = 0;
  for (const v1::ContainerStatus& status : pod.status.containerStatuses) {
    restarts = std::max<int64_t>(restarts, status.restartCount);
  }
  if (choice == PodChoice::kLiveliest) restarts = -restarts;
  return std::tuple(!pod.spec.nodeName.empty(), PhaseRank(pod.status.phase), ready, -since,
                    restarts, -pod.metadata.creationTimestamp.unix_seconds());
}

bool IsPodWord(std::string_view word) { return word == "pod" || word == "pods" || word == "po"; }

// One server, be it the agent.
class Finder {
 public:
  Finder(std::unique_ptr<Server> server, PodChoice choice, std::chrono::nanoseconds patience)
      : server_(std::move(server)), choice_(choice), end_(SteadyClock::now() + patience) {}

  Result<PodTargets> Find(const Invocation& invocation, const std::vector<std::string>& words) {
    std::string type = "pods";
    std::string name = words[0];
    const size_t slash = name.find('/');
    if (words.size() > 1) {
      type = words[0];
      name = words[1];
    } else if (slash != name.npos) {
      type = name.substr(0, slash);
      name = name.substr(slash + 1);
    }
    client::ObjectKey key{server_->namespace_(), name};
    if (server_->is_agent() && !IsPodWord(type)) key = PodArgument(invocation, words[0]);
    if (IsPodWord(type) || server_->is_agent()) {
      TRY(v1::Pod pod, client::Client::Over(server_->session()).Get<v1::Pod>(key));
      return Found({std::move(pod)});
    }
    return FindOf(type, name);
  }

 private:
  Result<PodTargets> FindOf(const std::string& type, const std::string& name) {
    TRY(const ServerResources* resources, server_->Resources());
    TRY(const ServerResource* resource, resources->Resolve(type));
    const Selected item{.resource = resource, .namespace_ = server_->namespace_(), .name = name};
    TRY(const JsonValue object, Writer(*server_, DryRun::kNone, "", "").Get(item));
    if (TextOf(object, "kind") == "Pod") {
      TRY(v1::Pod pod, DecodePod(object));
      return Found({std::move(pod)});
    }
    const auto selector = PodSelectorOf(object);
    if (!selector.ok()) {
      return Usage("cannot attach to " + item.PrintedName() + ": " + selector.error().message());
    }
    while (true) {
      TRY(std::vector<v1::Pod> pods, PodsWithLabels(*server_, *selector));
      if (!pods.empty()) return Found(std::move(pods));
      if (SteadyClock::now() >= end_) {
        return Error(Code::kDeadlineExceeded, "timed out waiting for the condition");
      }
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

  PodTargets Found(std::vector<v1::Pod> pods) {
    if (choice_ != PodChoice::kAll && pods.size() > 1) {
      const auto best = std::ranges::max_element(
          pods, {}, [this](const v1::Pod& pod) { return Rank(pod, choice_); });
      if (choice_ == PodChoice::kTelling) {
        (void)server_->streams().Err("Found " + std::to_string(pods.size()) + " pods, using pod/" +
                                     best->metadata.name + '\n');
      }
      v1::Pod one = std::move(*best);
      pods = {std::move(one)};
    }
    return {.server = std::move(server_), .pods = std::move(pods)};
  }

  std::unique_ptr<Server> server_;
  const PodChoice choice_;
  const SteadyClock::time_point end_;
};

// The server of this machine may not know what runs here, or not run.
bool MayBeTheAgents(const Error& error) {
  const auto* status = api::FindStatus(error);
  return status ? status->reason == "NotFound" : error.code() == Code::kUnavailable;
}

}  // namespace

Result<std::vector<v1::Pod>> PodsWithLabels(Server& server, std::string_view selector) {
  TRY(const JsonValue list,
      server.AskJson({.path = "/api/v1/namespaces/" + server.namespace_() + "/pods",
                      .query = http::EncodeQuery({{"labelSelector", std::string(selector)}})}));
  std::vector<v1::Pod> pods;
  for (const JsonValue& each : ElementsOf(list, "items")) {
    TRY(v1::Pod pod, DecodePod(each));
    pods.push_back(std::move(pod));
  }
  return pods;
}

Result<PodTarget> FindPod(const Invocation& invocation, const Streams& streams,
                          const std::vector<std::string>& words, PodChoice choice,
                          std::chrono::nanoseconds patience) {
  TRY(PodTargets found, FindPods(invocation, streams, words, choice, patience));
  return PodTarget{.server = std::move(found.server), .pod = std::move(found.pods.front())};
}

Result<PodTargets> FindPods(const Invocation& invocation, const Streams& streams,
                            const std::vector<std::string>& words, PodChoice choice,
                            std::chrono::nanoseconds patience) {
  const auto find = [&](const Invocation& where, std::unique_ptr<Server> server) {
    return Finder(std::move(server), choice, patience).Find(where, words);
  };
  Invocation here = invocation;
  here.Add("node", "true");
  const bool may_be_here = !invocation.Has("node") && !NamesServer(invocation);
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) {
    if (!may_be_here || server.error().code() != Code::kNotFound) return std::move(server).error();
    TRY(server, Server::Of(here, streams));
    return find(here, *std::move(server));
  }
  const bool is_agent = (*server)->is_agent();
  auto found = find(invocation, *std::move(server));
  if (found.ok() || is_agent || !may_be_here || !MayBeTheAgents(found.error())) return found;
  auto local = Server::Of(here, streams);
  if (!local.ok()) return found;
  auto found_here = find(here, *std::move(local));
  return found_here.ok() ? std::move(found_here) : std::move(found);
}

Result<std::chrono::nanoseconds> PodPatienceOf(const Invocation& invocation, const char* command,
                                               std::chrono::nanoseconds otherwise) {
  if (!invocation.Has("pod-running-timeout")) return otherwise;
  TRY(const auto patience, TimeOption(invocation, "pod-running-timeout"));
  if (patience.count() > 0) return patience;
  return ArgumentsError(command, "--pod-running-timeout must be higher than zero");
}

Outcome PodFailure(const char* command, const Error& error) {
  const bool unreachable = !api::FindStatus(error) && error.code() == Code::kUnavailable;
  return unreachable ? Failed(command, error) : ServerFailure(error);
}

Result<std::string> PodSelectorOf(const JsonValue& object) {
  const std::string kind(TextOf(object, "kind"));
  const JsonValue* selector = ValueAt(object, {"spec", "selector"});
  if (!selector || !selector->is_object()) {
    return Usage("selector for " + kind + " not implemented");
  }
  api::meta::v1::LabelSelector typed;
  const bool of_labels = kind == "Service" || kind == "ReplicationController";
  if (of_labels) {
    for (const auto& [key, value] : selector->object()) {
      typed.matchLabels[key] = TextOf(*selector, key);
    }
    if (typed.matchLabels.empty()) {
      return Usage("invalid " + LowerCase(kind) + " '" +
                   std::string(TextAt(object, {"metadata", "name"})) + "': " + kind +
                   " is defined without a selector");
    }
  } else {
    TRY(typed, reflect::FromJson<api::meta::v1::LabelSelector>(reflect::ToText(*selector),
                                                               {.strict = false}));
  }
  TRY(const api::labels::Selector labels, api::labels::LabelSelectorAsSelector(&typed));
  return labels.String();
}

}  // namespace podium::cli
