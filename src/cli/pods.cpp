#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api/pod_row.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::cli {
namespace {

std::string TableOf(const v1::PodList& list, bool wide) {
  const auto& pods = list.items;
  const bool namespaces = std::ranges::any_of(
      pods, [](const v1::Pod& pod) { return pod.metadata.namespace_ != "default"; });
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"}};
  if (wide) rows[0].emplace_back("NODE");
  if (namespaces) rows[0].insert(rows[0].begin(), "NAMESPACE");
  const api::Time now = Today();
  for (const v1::Pod& pod : pods) {
    const api::PodRow row = api::RowOf(pod, now);
    std::vector<std::string> cells = {row.name,     row.ready, row.status,
                                      row.restarts, row.age,   row.ip};
    if (wide) cells.push_back(row.node);
    if (namespaces) cells.insert(cells.begin(), pod.metadata.namespace_);
    rows.push_back(std::move(cells));
  }
  return Columns(rows);
}

Outcome RunPods(const Invocation& invocation) {
  auto client = AgentClient();
  if (!client.ok()) return Failed("pods", client.error());
  const auto list = client->List<v1::PodList>(invocation.Get("namespace"));
  if (!list.ok()) return Failed("pods", list.error());
  const std::string_view format = invocation.Get("output");
  if (format == "json") {
    const auto json = reflect::ToJson(*list);
    if (!json.ok()) return Failed("pods", json.error());
    const auto value = reflect::ParseJson(*json);
    if (!value.ok()) return Failed("pods", value.error());
    Outcome outcome;
    reflect::PrintJson(*value, {.indent = 4}, &outcome.out);
    outcome.out += '\n';
    return outcome;
  }
  Outcome outcome;
  if (format == "name") {
    for (const v1::Pod& pod : list->items) outcome.out += "pod/" + pod.metadata.name + '\n';
    return outcome;
  }
  if (list->items.empty()) return {kOk, {}, "No pods are here. Run one: podium play pod.yaml\n"};
  outcome.out = TableOf(*list, format == "wide");
  return outcome;
}

constexpr Option kOptions[] = {
    {.name = "namespace",
     .letter = 'n',
     .value = "NAME",
     .help = "only pods of this namespace; all if not given"},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .help = "a table if not given",
     .values = Values::kWords,
     .words = "json name wide"},
};

}  // namespace

Command PodsCommand() {
  return {
      .name = "pods",
      .summary = "List the pods of this machine",
      .details =
          "Columns and words are those of `kubectl get pods`. IP is the pod's own address: every "
          "other pod and this machine reach it there.",
      .example =
          "  podium pods\n"
          "  podium pods -n shop -o json\n",
      .options = kOptions,
      .run = RunPods,
  };
}

}  // namespace podium::cli
