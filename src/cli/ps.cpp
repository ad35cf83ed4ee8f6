#include <string>
#include <utility>
#include <vector>

#include "api/pod_row.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/node_facts.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

JsonValue JsonOf(const SandboxFact& sandbox, const ContainerFact& container) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("namespace", JsonValue::String(sandbox.name_space));
  out.Set("pod", JsonValue::String(sandbox.pod));
  out.Set("container", JsonValue::String(container.name));
  out.Set("infra", JsonValue::Bool(container.name.empty()));
  out.Set("id", JsonValue::String(container.id));
  out.Set("state", JsonValue::String(container.state));
  if (container.exit_code) {
    out.Set("exitCode", JsonValue::Number(std::to_string(*container.exit_code)));
  }
  if (container.pid != 0) out.Set("pid", JsonNumber(container.pid));
  if (!container.image.empty()) out.Set("image", JsonValue::String(container.image));
  if (container.started_unix != 0) {
    out.Set("started", JsonValue::String(api::Time::FromUnix(container.started_unix).String()));
  }
  return out;
}

std::string StateText(const ContainerFact& container) {
  if (!container.exit_code) return container.state;
  return container.state + " (" + std::to_string(*container.exit_code) + ')';
}

std::string StartedText(const ContainerFact& container, api::Time now) {
  if (container.started_unix == 0) return "-";
  return api::HumanDuration(now.unix_seconds() - container.started_unix) + " ago";
}

Outcome RunPs(const Invocation& invocation) {
  auto client = AgentClient();
  if (!client.ok()) return Failed("ps", client.error());
  const auto sandboxes = ReadSandboxes(*client);
  if (!sandboxes.ok()) return Failed("ps", sandboxes.error());
  const bool all = invocation.Has("all");
  const std::string_view name_space = invocation.Get("namespace");
  const api::Time now = Today();
  JsonValue::Array items;
  std::vector<std::vector<std::string>> rows = {
      {"POD", "CONTAINER", "ID", "STATE", "PID", "IMAGE", "STARTED"}};
  const auto add = [&](const SandboxFact& sandbox, const ContainerFact& container) {
    if (!all && container.state != "running") return;
    items.push_back(JsonOf(sandbox, container));
    const bool plain = sandbox.name_space == "default";
    rows.push_back({plain ? sandbox.pod : sandbox.name_space + '/' + sandbox.pod,
                    container.name.empty() ? "(infra)" : container.name, ShortId(container.id),
                    StateText(container), container.pid == 0 ? "-" : std::to_string(container.pid),
                    container.image.empty() ? "-" : container.image, StartedText(container, now)});
  };
  for (const SandboxFact& sandbox : *sandboxes) {
    if (!name_space.empty() && sandbox.name_space != name_space) continue;
    add(sandbox, sandbox.infra);
    for (const ContainerFact& container : sandbox.containers) add(sandbox, container);
  }
  if (invocation.Get("output") == "json") {
    return {kOk, PrettyJson(JsonValue::Of(std::move(items))), {}};
  }
  return {kOk, Columns(rows), {}};
}

constexpr Option kOptions[] = {
    {.name = "all", .letter = 'a', .help = "also containers that do not run"},
    {.name = "namespace",
     .letter = 'n',
     .value = "NAME",
     .help = "only of pods of this namespace; all if not given"},
    kJsonOption,
};

}  // namespace

Command PsCommand() {
  return {
      .name = "ps",
      .summary = "List the containers of this machine",
      .details =
          "Also the infra containers: each holds the namespaces that the containers of its pod "
          "share. PID is the process as this machine sees it.",
      .example =
          "  podium ps\n"
          "  podium ps -a -o json\n",
      .options = kOptions,
      .run = RunPs,
  };
}

}  // namespace podium::cli
