#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/types/meta_v1.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/node_facts.h"
#include "cli/pod_removal.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// --time, in seconds.
Result<std::optional<int64_t>> GraceOf(const Invocation& invocation) {
  const std::string_view text = invocation.Get("time");
  if (text.empty()) return std::optional<int64_t>();
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) {
    return Error(Code::kInvalidArgument,
                 "--time: \"" + Printable(text) + "\" is no number of seconds");
  }
  return std::optional<int64_t>(seconds);
}

bool IsOver(const v1::Pod& pod) {
  return pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
}

// The pods that the arguments name, or with --all all of them.
Result<std::vector<v1::Pod>> NamedPods(const client::Client& client, const Invocation& invocation) {
  std::vector<v1::Pod> pods;
  if (invocation.Has("all")) {
    TRY(v1::PodList list, client.List<v1::PodList>(invocation.Get("namespace")));
    return std::vector<v1::Pod>(std::make_move_iterator(list.items.begin()),
                                std::make_move_iterator(list.items.end()));
  }
  for (const std::string& argument : invocation.arguments()) {
    TRY(v1::Pod pod, client.Get<v1::Pod>(PodArgument(invocation, argument)));
    pods.push_back(std::move(pod));
  }
  return pods;
}

std::string RemovedText(const std::vector<v1::Pod>& pods, bool json) {
  std::string out;
  JsonValue::Array items;
  for (const v1::Pod& pod : pods) {
    JsonValue& item = items.emplace_back(JsonValue::Of(JsonValue::Object{}));
    item.Set("namespace", JsonValue::String(pod.metadata.namespace_));
    item.Set("name", JsonValue::String(pod.metadata.name));
    item.Set("uid", JsonValue::String(pod.metadata.uid));
    out += "pod/" + Printable(pod.metadata.name) + '\n';
  }
  return json ? PrettyJson(JsonValue::Of(std::move(items))) : out;
}

Outcome Remove(const char* command, const Invocation& invocation, std::optional<int64_t> grace,
               bool only_ended) {
  if (invocation.arguments().empty() && !invocation.Has("all")) {
    return UsageError(command, "which pod? name it, or --all");
  }
  auto client = AgentClient();
  if (!client.ok()) return Failed(command, client.error());
  auto pods = NamedPods(*client, invocation);
  if (!pods.ok()) return Failed(command, pods.error());
  if (only_ended) {
    for (const v1::Pod& pod : *pods) {
      if (IsOver(pod) || invocation.Has("all")) continue;
      return Failed(command, Error(Code::kConflict, "pod \"" + pod.metadata.name +
                                                        "\" runs; stop it first, or use --force"));
    }
    std::erase_if(*pods, [](const v1::Pod& pod) { return !IsOver(pod); });
  }
  const auto removed = RemovePods(*client, *pods, grace);
  if (!removed.ok()) return Failed(command, removed.error());
  return {kOk, RemovedText(*pods, invocation.Get("output") == "json"), {}};
}

Outcome RunStop(const Invocation& invocation) {
  const auto grace = GraceOf(invocation);
  if (!grace.ok()) return UsageError("stop", grace.error().message());
  return Remove("stop", invocation, *grace, false);
}

Outcome RunRm(const Invocation& invocation) {
  const bool force = invocation.Has("force");
  return Remove("rm", invocation, force ? std::optional<int64_t>(0) : std::nullopt, !force);
}

constexpr Option kAllOption = {.name = "all", .letter = 'a', .help = "every pod"};
constexpr Option kStopOptions[] = {
    kNamespaceOption,
    kAllOption,
    {.name = "time",
     .letter = 't',
     .value = "SECONDS",
     .help = "how long its containers have to end; the pod's own grace period if not given"},
    kJsonOption,
};
constexpr Option kRmOptions[] = {
    kNamespaceOption,
    kAllOption,
    {.name = "force", .letter = 'f', .help = "also pods that run: they are killed"},
    kJsonOption,
};

}  // namespace

Command StopCommand() {
  return {
      .name = "stop",
      .summary = "End pods in their own time, and remove them",
      .arguments = "POD...",
      .max_arguments = 100'000,
      .details =
          "As the deletion of a pod in a cluster: preStop hooks run, containers get their stop "
          "signal and the grace period, sidecars go last. Returns when they are gone.",
      .example =
          "  podium stop web\n"
          "  podium stop --all -t 5\n",
      .options = kStopOptions,
      .run = RunStop,
  };
}

Command RmCommand() {
  return {
      .name = "rm",
      .summary = "Remove pods that have ended",
      .arguments = "POD...",
      .max_arguments = 100'000,
      .details = "With --all, those of all pods that have ended.",
      .example =
          "  podium rm job\n"
          "  podium rm -f web\n",
      .options = kRmOptions,
      .run = RunRm,
  };
}

}  // namespace podium::cli
