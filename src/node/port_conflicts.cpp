#include "node/port_conflicts.h"

#include <algorithm>
#include <csignal>

#include "base/ascii.h"
#include "base/text.h"
#include "node/container_log.h"
#include "node/translate.h"

namespace podium::node {
namespace {

// Servers try again for a while before they give up: nginx for three seconds.
constexpr int64_t kSoon = 60 * kNanosPerSecond;
// What holds the port now need not have held it then.
constexpr int64_t kJustNow = 10 * kNanosPerSecond;
constexpr int64_t kLastLines = 20;
constexpr size_t kLastBytes = 4096;

// As glibc, Go and Java, Node.js, and musl say it.
constexpr std::string_view kInUse[] = {"address already in use", "eaddrinuse", "address in use"};

// Whose end is somebody's will: nobody asks why it failed, and to look takes milliseconds.
bool WasStopped(const v1::Pod& pod, const ObservedContainer& container) {
  constexpr int32_t kKilled = 128 + SIGKILL;
  constexpr int32_t kTerminated = 128 + SIGTERM;
  return pod.metadata.deletionTimestamp || container.exit_code == kKilled ||
         container.exit_code == kTerminated;
}

bool TellsOfAddressInUse(std::string_view lines) {
  const std::string lower = LowerCase(lines);
  return std::ranges::any_of(kInUse, [&](std::string_view words) { return lower.contains(words); });
}

// Whether a line that tells of an address in use has the number, on its own.
bool Names(std::string_view lines, uint16_t port) {
  const std::string number = std::to_string(port);
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (!TellsOfAddressInUse(line)) continue;
    // ":80" or "port 80": not the 98 of the error, nor a part of an address.
    for (size_t at = line.find(number); at != std::string_view::npos;
         at = line.find(number, at + 1)) {
      const size_t end = at + number.size();
      if (end < line.size() && (IsDigit(line[end]) || line[end] == '.')) continue;
      const std::string before = LowerCase(line.substr(0, at));
      if (before.ends_with(":") || before.ends_with("port ") || before.ends_with("port: ")) {
        return true;
      }
    }
  }
  return false;
}

bool Declares(const v1::Container& container, const runtime::PortHolder& holder) {
  return std::ranges::any_of(container.ports, [&](const v1::ContainerPort& port) {
    return port.containerPort == holder.port && ProtocolOf(port.protocol) == holder.protocol;
  });
}

std::string PortOf(const runtime::PortHolder& holder) {
  return (holder.protocol == cri::Protocol::kUdp ? "UDP port " : "port ") +
         std::to_string(holder.port);
}

std::string HolderOf(const runtime::PortHolder& holder) {
  std::string out = "container \"" + holder.container_name + "\"";
  if (!holder.pod_name.empty()) {
    out += " of pod \"" + holder.pod_namespace + "/" + holder.pod_name + "\"";
  }
  return out + " (" + holder.program + ", pid " + std::to_string(holder.pid) + ")";
}

}  // namespace

std::string DescribePortConflict(const v1::Container& container,
                                 const std::vector<runtime::PortHolder>& holders,
                                 std::string_view last_lines) {
  const bool in_use = TellsOfAddressInUse(last_lines);
  std::string known;
  std::string others;
  for (const runtime::PortHolder& holder : holders) {
    if (Declares(container, holder) || Names(last_lines, holder.port)) {
      known += (known.empty() ? "" : "; ") + PortOf(holder) + " is held by " + HolderOf(holder);
    } else {
      others += (others.empty() ? "" : ", ") + PortOf(holder) + " by " + HolderOf(holder);
    }
  }
  if (!known.empty()) return known;
  if (!in_use || others.empty()) return {};
  return "address in use; held by others here: " + others;
}

std::string PortConflicts::Describe(const v1::Container& container,
                                    const ObservedContainer& failed) const {
  auto holders = runtime_.PortHolders(failed.sandbox_id);
  // Without the sandbox there are no ports either.
  if (!holders.ok()) return {};
  std::erase_if(*holders, [&](const auto& holder) { return holder.container_id == failed.id; });
  if (holders->empty()) return {};
  return DescribePortConflict(container, *holders,
                              TailOfLog(failed.log_path, kLastLines, kLastBytes));
}

void PortConflicts::Look(const v1::Pod& pod, ObservedPod* observed) {
  const auto ref_of = [&](std::string_view name) -> std::optional<ContainerRef> {
    for (ContainerKind kind : {ContainerKind::kInit, ContainerKind::kRegular}) {
      const auto& list =
          kind == ContainerKind::kInit ? pod.spec.initContainers : pod.spec.containers;
      for (size_t i = 0; i < list.size(); ++i) {
        if (list[i].name == name) return ContainerRef{kind, i};
      }
    }
    return std::nullopt;
  };
  std::map<std::string, std::string, std::less<>> kept;
  for (ObservedContainer& container : observed->containers) {
    const auto ref = ref_of(container.name);
    if (!container.exited() || container.exit_code == 0 || !ref) continue;
    auto found = found_.find(container.id);
    std::string text;
    if (found != found_.end()) {
      text = found->second;
    } else if (container.reason == runtime::kReasonError && !WasStopped(pod, container) &&
               container.finished_at - container.started_at < kSoon &&
               clock_.Now() - container.finished_at < kJustNow) {
      text = Describe(ContainerAt(pod, *ref), container);
      if (!text.empty()) events_.Record(pod, ref, EventType::kWarning, "PortHeld", text);
    }
    if (container.message.empty()) container.message = text;
    kept.emplace(container.id, std::move(text));
  }
  found_ = std::move(kept);
}

}  // namespace podium::node
