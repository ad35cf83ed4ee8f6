#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/pod_row.h"
#include "base/text.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/node_facts.h"
#include "cli/text.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// In the order that people look for them.
constexpr std::array<const char*, 7> kKinds = {"net", "ipc", "uts", "pid", "mnt", "user", "cgroup"};

constexpr size_t kMaxEvents = 10;

bool Shares(const ContainerFact& a, const ContainerFact& b, std::string_view kind) {
  const auto first = a.namespaces.find(kind);
  const auto second = b.namespaces.find(kind);
  return first != a.namespaces.end() && second != b.namespaces.end() &&
         first->second == second->second;
}

JsonValue JsonOf(const ContainerFact& container) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  if (!container.name.empty()) out.Set("name", JsonValue::String(container.name));
  out.Set("id", JsonValue::String(container.id));
  out.Set("state", JsonValue::String(container.state));
  out.Set("attempt", JsonNumber(container.attempt));
  if (container.exit_code) {
    out.Set("exitCode", JsonValue::Number(std::to_string(*container.exit_code)));
  }
  if (!container.image.empty()) out.Set("image", JsonValue::String(container.image));
  if (container.pid != 0) out.Set("pid", JsonNumber(container.pid));
  out.Set("cgroup", JsonValue::String(container.cgroup));
  JsonValue namespaces = JsonValue::Of(JsonValue::Object{});
  for (const auto& [kind, inode] : container.namespaces) namespaces.Set(kind, JsonNumber(inode));
  out.Set("namespaces", std::move(namespaces));
  return out;
}

JsonValue JsonOf(const SandboxFact& sandbox) {
  JsonValue out = JsonOf(sandbox.infra);
  JsonValue::Array addresses;
  for (const std::string& address : sandbox.addresses) {
    addresses.push_back(JsonValue::String(address));
  }
  out.Set("addresses", JsonValue::Of(std::move(addresses)));
  JsonValue::Array containers;
  for (const ContainerFact& container : sandbox.containers) {
    JsonValue its = JsonOf(container);
    JsonValue::Array shared;
    for (const char* kind : kKinds) {
      if (Shares(sandbox.infra, container, kind)) shared.push_back(JsonValue::String(kind));
    }
    its.Set("sharedNamespaces", JsonValue::Of(std::move(shared)));
    containers.push_back(std::move(its));
  }
  out.Set("containers", JsonValue::Of(std::move(containers)));
  return out;
}

Result<std::string> JsonText(const v1::Pod& pod, const std::vector<SandboxFact>& sandboxes) {
  TRY(const std::string json, reflect::ToJson(pod));
  TRY(JsonValue value, reflect::ParseJson(json));
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("pod", std::move(value));
  JsonValue::Array list;
  for (const SandboxFact& sandbox : sandboxes) list.push_back(JsonOf(sandbox));
  out.Set("sandboxes", JsonValue::Of(std::move(list)));
  return PrettyJson(out);
}

std::vector<std::string> RowOf(const ContainerFact& container) {
  std::string state = container.state;
  if (container.exit_code) state += " (" + std::to_string(*container.exit_code) + ')';
  return {container.name.empty() ? "(infra)" : container.name,
          ShortId(container.id),
          std::move(state),
          container.pid == 0 ? "-" : std::to_string(container.pid),
          std::to_string(container.attempt),
          container.image.empty() ? "-" : container.image};
}

std::vector<std::string> NamespaceRow(const SandboxFact& sandbox, const ContainerFact& container) {
  std::vector<std::string> row = {container.name.empty() ? "(infra)" : container.name};
  for (const char* kind : kKinds) {
    const auto inode = container.namespaces.find(kind);
    std::string cell = inode == container.namespaces.end() ? "-" : std::to_string(inode->second);
    if (!container.name.empty() && Shares(sandbox.infra, container, kind)) cell += '*';
    row.push_back(std::move(cell));
  }
  return row;
}

std::string TextOf(const SandboxFact& sandbox) {
  const std::string addresses =
      sandbox.addresses.empty() ? "<none>" : Join(sandbox.addresses, ", ");
  std::string out = "\nSandbox " + Printable(ShortId(sandbox.infra.id)) + ", " +
                    (sandbox.ready ? "ready" : "not ready") +
                    "; addresses: " + Printable(addresses) +
                    "; cgroup: " + Printable(sandbox.infra.cgroup) + "\n\n";
  std::vector<std::vector<std::string>> rows = {
      {"CONTAINER", "ID", "STATE", "PID", "ATTEMPT", "IMAGE"}, RowOf(sandbox.infra)};
  std::vector<std::vector<std::string>> namespaces = {
      {"NAMESPACES", "NET", "IPC", "UTS", "PID", "MNT", "USER", "CGROUP"}};
  if (!sandbox.infra.namespaces.empty()) namespaces.push_back(NamespaceRow(sandbox, sandbox.infra));
  for (const ContainerFact& container : sandbox.containers) {
    rows.push_back(RowOf(container));
    if (!container.namespaces.empty()) namespaces.push_back(NamespaceRow(sandbox, container));
  }
  out += Columns(rows);
  if (namespaces.size() == 1) return out;
  return out + '\n' + Columns(namespaces) + "* shared with the infra container\n";
}

// "3m", as ages are shown elsewhere.
std::string AgeOf(const v1::Event& event) {
  const api::Time at =
      !event.lastTimestamp.IsZero() ? event.lastTimestamp : event.metadata.creationTimestamp;
  return api::HumanDuration(Today().unix_seconds() - at.unix_seconds());
}

// Why a container does not run, where that can be said.
std::string ReasonText(const v1::ContainerStatus& status) {
  std::string out;
  if (const auto& waiting = status.state.waiting) {
    out = "Waiting: " + (waiting->reason.empty() ? std::string("no reason told") : waiting->reason);
    if (!waiting->message.empty()) out += ": " + waiting->message;
  } else if (const auto& ended = status.state.terminated; ended && !ended->message.empty()) {
    out = "Terminated: " + ended->reason + ": " + ended->message;
  }
  if (const auto& last = status.lastState.terminated; last && status.state.waiting) {
    out += "\nLast: " + last->reason + ", exit code " + std::to_string(last->exitCode);
    if (!last->message.empty()) out += ": " + last->message;
  }
  return out;
}

std::string ReasonsText(const v1::PodStatus& status) {
  std::string out;
  for (const auto* list : {&status.initContainerStatuses, &status.containerStatuses,
                           &status.ephemeralContainerStatuses}) {
    for (const v1::ContainerStatus& container : *list) {
      const std::string reason = ReasonText(container);
      if (reason.empty()) continue;
      out += '\n' + Printable(container.name) + '\n';
      size_t begin = 0;
      while (begin < reason.size()) {
        const size_t end = std::min(reason.find('\n', begin), reason.size());
        const std::string line = reason.substr(begin, end - begin);
        if (!line.empty()) out += "   " + Printable(line) + '\n';
        begin = end + 1;
      }
    }
  }
  return out;
}

// The newest last.
Result<std::vector<v1::Event>> EventsOf(const client::Client& client, const v1::Pod& pod) {
  api::meta::v1::ListOptions options;
  options.fieldSelector = "involvedObject.uid=" + pod.metadata.uid;
  TRY(auto list, client.List<v1::EventList>(pod.metadata.namespace_, options));
  std::multimap<int64_t, v1::Event> by_time;  // of one second, in the order they were told
  for (v1::Event& event : list.items) {
    by_time.emplace(event.lastTimestamp.unix_seconds(), std::move(event));
  }
  std::vector<v1::Event> events;
  for (auto& [time, event] : by_time) events.push_back(std::move(event));
  if (events.size() > kMaxEvents) {
    events.erase(events.begin(), events.end() - static_cast<ptrdiff_t>(kMaxEvents));
  }
  return events;
}

std::string EventsText(const std::vector<v1::Event>& events) {
  if (events.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{"EVENT", "REASON", "AGE", "MESSAGE"}};
  for (const v1::Event& event : events) {
    std::string age = AgeOf(event);
    if (event.count > 1) age += " (x" + std::to_string(event.count) + ')';
    rows.push_back({event.type, event.reason, std::move(age), event.message});
  }
  return '\n' + Columns(rows);
}

Outcome RunInspect(const Invocation& invocation) {
  if (invocation.arguments().empty()) return UsageError("inspect", "which pod?");
  auto client = AgentClient();
  if (!client.ok()) return Failed("inspect", client.error());
  const auto pod = client->Get<v1::Pod>(PodArgument(invocation, invocation.arguments()[0]));
  if (!pod.ok()) return Failed("inspect", pod.error());
  auto sandboxes = ReadSandboxes(*client);
  if (!sandboxes.ok()) return Failed("inspect", sandboxes.error());
  std::erase_if(*sandboxes, [&](const SandboxFact& sandbox) {
    return sandbox.uid != std::string_view(pod->metadata.uid);
  });
  if (invocation.Get("output") == "json") {
    auto json = JsonText(*pod, *sandboxes);
    if (!json.ok()) return Failed("inspect", json.error());
    return {kOk, *std::move(json), {}};
  }
  std::string out = "Pod " + Printable(pod->metadata.namespace_) + '/' +
                    Printable(pod->metadata.name) + ", uid " + Printable(pod->metadata.uid) + ", " +
                    (pod->status.phase.empty() ? "Pending" : Printable(pod->status.phase)) + '\n';
  if (!pod->status.message.empty()) out += Printable(pod->status.message) + '\n';
  if (sandboxes->empty()) out += "It has no sandbox.\n";
  for (const SandboxFact& sandbox : *sandboxes) out += TextOf(sandbox);
  out += ReasonsText(pod->status);
  // They say more, where there are any: what is known of the pod is not held back for them.
  if (const auto events = EventsOf(*client, *pod); events.ok()) out += EventsText(*events);
  return {kOk, std::move(out), {}};
}

constexpr Option kOptions[] = {kNamespaceOption, kJsonOption};

}  // namespace

Command InspectCommand() {
  return {
      .name = "inspect",
      .summary = "Show a pod down to its processes and namespaces",
      .arguments = "POD",
      .max_arguments = 1,
      .details =
          "Namespaces are shown by their inodes, as in /proc/PID/ns: what two containers share has "
          "the same number.\n"
          "Of a container that waits it says why, and of the pod the newest events.\n"
          "With -o json also the whole pod, its status as it is now.",
      .example =
          "  podium inspect web\n"
          "  podium inspect shop/web -o json\n",
      .options = kOptions,
      .run = RunInspect,
  };
}

}  // namespace podium::cli
