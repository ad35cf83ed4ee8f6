// `podium play`: runs what a manifest says on this machine.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/trace.h"
#include "cli/agent_client.h"
#include "cli/input.h"
#include "cli/manifests.h"
#include "cli/node_facts.h"
#include "cli/pod_removal.h"
#include "cli/text.h"
#include "commands/agent_process.h"
#include "commands/commands.h"
#include "commands/play_create.h"
#include "commands/play_objects.h"
#include "commands/player.h"

namespace podium::commands {
namespace {

using cli::Failed;
using cli::Invocation;
using cli::Outcome;
using cli::Streams;
using reflect::JsonValue;

// For -o json: which pod, and what is known of it.
JsonValue JsonOf(const v1::Pod& pod) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("namespace", JsonValue::String(pod.metadata.namespace_));
  out.Set("name", JsonValue::String(pod.metadata.name));
  out.Set("uid", JsonValue::String(pod.metadata.uid));
  return out;
}

Result<void> Down(const client::Client& client, const PlayObjects& objects, bool json,
                  Outcome* outcome) {
  std::vector<v1::Pod> pods;
  for (const v1::Pod& pod : objects.pods) {
    auto found = client.Get<v1::Pod>({pod.metadata.namespace_, pod.metadata.name});
    if (found.ok()) {
      pods.push_back(*std::move(found));
    } else if (found.error().code() != Code::kNotFound) {
      return std::move(found).error();
    }
  }
  TRY_VOID(cli::RemovePods(client, pods, std::nullopt));
  JsonValue::Array items;
  for (const v1::Pod& pod : pods) {
    items.push_back(JsonOf(pod));
    if (!json) outcome->out += "pod/" + cli::Printable(NameOf(pod)) + '\n';
  }
  if (json) outcome->out = cli::PrettyJson(JsonValue::Of(std::move(items)));
  const auto ignore_missing = [](Result<void> result) -> Result<void> {
    if (!result.ok() && result.error().code() != Code::kNotFound) return result;
    return {};
  };
  for (const v1::ConfigMap& map : objects.config_maps) {
    TRY_VOID(
        ignore_missing(client.Delete<v1::ConfigMap>({map.metadata.namespace_, map.metadata.name})));
  }
  for (const v1::Secret& secret : objects.secrets) {
    TRY_VOID(ignore_missing(
        client.Delete<v1::Secret>({secret.metadata.namespace_, secret.metadata.name})));
  }
  return {};
}

// What the command prints when the play is over, or the pods are left alone.
Outcome Report(const std::vector<Player::Played>& played, bool json, bool names) {
  Outcome outcome;
  JsonValue::Array items;
  for (const Player::Played& each : played) {
    const std::string name = cli::Printable(NameOf(each.pod));
    JsonValue item = JsonOf(each.pod);
    item.Set("phase", JsonValue::String(each.pod.status.phase));
    if (names && !json) outcome.out += "pod/" + name + '\n';
    if (each.trace && each.trace->seen != 0) {
      item.Set("trace", TraceJson(*each.trace));
      if (!json) outcome.err += TraceTable(each.pod.metadata.namespace_ + '/' + name, *each.trace);
    }
    items.push_back(std::move(item));
  }
  if (json) outcome.out = cli::PrettyJson(JsonValue::Of(std::move(items)));
  return outcome;
}

Outcome PlayOn(const client::Client& client, const PlayObjects& objects, const Instance& instance,
               const Invocation& invocation, Streams streams) {
  const bool trace = invocation.Has("trace");
  const bool json = invocation.Has("output");
  const bool detach = invocation.Has("detach");
  Interrupts interrupts;
  auto made = CreatePlayObjects(client, objects, {.only_new = !detach, .trace = trace});
  if (!made.ok()) return Failed("play", made.error());
  for (const std::string& note : made->notes) {
    (void)streams.Err("podium: " + cli::Printable(note) + '\n');
  }
  if (detach && !trace) return Report(made->pods, json, true);
  // A document stands alone.
  if (json) streams.out = streams.err;
  Player player(client, streams, std::move(made->pods), [&] { return EnsureAgent(instance); });
  auto status = detach ? player.WaitForStart(&interrupts) : player.RunToTheEnd(&interrupts);
  if (!status.ok()) return Failed("play", status.error());
  Outcome outcome = Report(player.played(), json, detach);
  outcome.status = *status;
  return outcome;
}

Outcome RunPlay(const Invocation& invocation, const Streams& streams) {
  std::vector<std::string> names = invocation.All("filename");
  for (const std::string& argument : invocation.arguments()) names.push_back(argument);
  if (names.empty()) return cli::UsageError("play", "which file? (- is the standard input)");
  if (cli::NamesStandardInputTwice(names)) {
    return cli::UsageError("play", "the standard input (-) can be read only once");
  }
  const bool down = invocation.Has("down");
  cli::Manifests manifests =
      cli::ReadManifests(names, false, {.rules = !down, .ignore_unknown_kinds = true});
  if (!manifests.errors.empty()) return {cli::kFailed, {}, std::move(manifests.errors)};
  auto objects = CollectPlayObjects(manifests.objects);
  if (!objects.ok()) return Failed("play", objects.error());
  if (objects->pods.empty()) {
    return Failed("play", Error(Code::kInvalidArgument, "there is no pod in it to run"));
  }
  if (!down) {
    for (const std::string& note : objects->notes) {
      (void)streams.Err("podium: " + cli::Printable(note) + '\n');
    }
  }
  const auto instance = cli::ThisInstance();
  if (!instance.ok()) return Failed("play", instance.error());
  if (!down) {
    if (const auto agent = EnsureAgent(*instance); !agent.ok()) {
      return Failed("play", agent.error());
    }
  }
  auto client = client::Client::Create(client::AgentAt(instance->run_dir));
  if (!client.ok()) return Failed("play", client.error());
  if (!down) return PlayOn(*client, *objects, *instance, invocation, streams);
  Outcome outcome;
  const auto stopped = Down(*client, *objects, invocation.Has("output"), &outcome);
  return stopped.ok() ? outcome : Failed("play", stopped.error());
}

constexpr cli::Option kJsonOption = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .help = "a document of the pods at the end, and all else on the standard error",
    .values = cli::Values::kWords,
    .words = "json"};
constexpr cli::Option kOptions[] = {
    cli::kFilenameOption,
    {.name = "detach", .letter = 'd', .help = "leave the pods running, and return"},
    {.name = "down", .help = "stop and remove what the files name"},
    {.name = "trace",
     .help = "show where the time of each pod's start went, step by step, when all is over; with "
             "-d, when the pods have started"},
    kJsonOption,
};

}  // namespace

cli::Command PlayCommand() {
  return {
      .name = "play",
      .summary = "Run the pods of a manifest on this machine",
      .arguments = "FILE...",
      .max_arguments = 1000,
      .values = cli::Values::kFiles,
      .details =
          "Takes Pods, the pod templates of Deployments, Jobs and other workloads, and the "
          "ConfigMaps and Secrets they read; says what it passes over. Needs no cluster, and "
          "root.\n"
          "In the foreground it shows each pod's state and what its containers print; Ctrl-C stops "
          "the pods in their own time, twice kills them, and a third one leaves them as they are. "
          "The exit status is 0 when all pods succeeded, 1 when one failed or could not be made, "
          "and 130 after Ctrl-C.",
      .example =
          "  podium play pod.yaml\n"
          "  podium play -d web.yaml && podium logs -f web\n"
          "  podium play --down web.yaml\n",
      .options = kOptions,
      .live = RunPlay,
  };
}

}  // namespace podium::commands
