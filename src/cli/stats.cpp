#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/node_facts.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::chrono::seconds kBetweenReadings{1};
// To the upper left corner, and nothing below it.
constexpr std::string_view kClearScreen = "\x1b[H\x1b[J";

// By id: the readings before.
using Before = std::map<std::string, Usage, std::less<>>;

// Cores in use since the reading before, in thousandths. Nothing without one, and when the counter
// began anew.
std::optional<uint64_t> MilliCores(const UsageFact& now, const Before& before) {
  const auto found = before.find(now.id);
  if (found == before.end() || !found->second.cpu_ns || !now.usage.cpu_ns) return {};
  const int64_t span = now.usage.cpu_time - found->second.cpu_time;
  if (span <= 0 || *now.usage.cpu_ns < *found->second.cpu_ns) return {};
  const double used = static_cast<double>(*now.usage.cpu_ns - *found->second.cpu_ns);
  return static_cast<uint64_t>(std::llround(1000 * used / static_cast<double>(span)));
}

std::string Text(std::optional<uint64_t> number) { return number ? std::to_string(*number) : "-"; }
std::string SizeText(std::optional<uint64_t> bytes) { return bytes ? Bytes(*bytes) : "-"; }

std::string PairText(std::optional<uint64_t> first, std::optional<uint64_t> second) {
  if (!first && !second) return "-";
  return SizeText(first) + " / " + SizeText(second);
}

std::string TableOf(const std::vector<UsageFact>& facts, const Before& before) {
  std::vector<std::vector<std::string>> rows = {
      {"POD", "CONTAINER", "CPU", "MEMORY", "LIMIT", "PIDS", "NET IN / OUT"}};
  for (const UsageFact& fact : facts) {
    const auto cores = MilliCores(fact, before);
    const bool plain = fact.name_space == "default";
    rows.push_back({plain ? fact.pod : fact.name_space + '/' + fact.pod,
                    fact.container.empty() ? "(pod)" : fact.container,
                    cores ? std::to_string(*cores) + 'm' : "-", SizeText(fact.usage.memory),
                    SizeText(fact.usage.memory_limit), Text(fact.usage.pids),
                    PairText(fact.usage.received, fact.usage.sent)});
  }
  return Columns(rows);
}

JsonValue JsonOf(const std::vector<UsageFact>& facts, const Before& before) {
  JsonValue::Array items;
  for (const UsageFact& fact : facts) {
    JsonValue item = JsonValue::Of(JsonValue::Object{});
    item.Set("namespace", JsonValue::String(fact.name_space));
    item.Set("pod", JsonValue::String(fact.pod));
    if (!fact.container.empty()) item.Set("container", JsonValue::String(fact.container));
    item.Set("id", JsonValue::String(fact.id));
    const auto set = [&](const char* key, std::optional<uint64_t> number) {
      if (number) item.Set(key, JsonNumber(*number));
    };
    set("cpuMillicores", MilliCores(fact, before));
    set("cpuNanoseconds", fact.usage.cpu_ns);
    set("memoryBytes", fact.usage.memory);
    set("memoryLimitBytes", fact.usage.memory_limit);
    set("pids", fact.usage.pids);
    set("receivedBytes", fact.usage.received);
    set("sentBytes", fact.usage.sent);
    items.push_back(std::move(item));
  }
  return JsonValue::Of(std::move(items));
}

// Of the pods that are asked for.
Result<std::vector<UsageFact>> Read(const client::Client& client, const Invocation& invocation) {
  TRY(const std::string json, client.Raw("GET", "/node/v1/stats"));
  TRY(std::vector<UsageFact> facts, UsageOf(json));
  if (!invocation.arguments().empty()) {
    const client::ObjectKey key = PodArgument(invocation, invocation.arguments()[0]);
    std::erase_if(facts, [&](const UsageFact& fact) {
      return fact.name_space != key.namespace_ || fact.pod != key.name;
    });
    if (facts.empty()) {
      return Error(Code::kNotFound, "pod \"" + key.namespace_ + '/' + key.name + "\" does not run");
    }
  } else if (const std::string_view name_space = invocation.Get("namespace"); !name_space.empty()) {
    std::erase_if(facts, [&](const UsageFact& fact) { return fact.name_space != name_space; });
  }
  return facts;
}

Outcome RunStats(const Invocation& invocation, const Streams& streams) {
  const bool once = invocation.Has("no-stream");
  const bool json = invocation.Get("output") == "json";
  const bool screen = !once && !json && kernel::IsTerminal(streams.out);
  auto client = AgentClient();
  if (!client.ok()) return Failed("stats", client.error());
  Before before;
  // How much processor is used is known from the second reading on.
  for (bool first = true;; first = false) {
    const auto facts = Read(*client, invocation);
    if (!facts.ok()) return Failed("stats", facts.error());
    std::string text;
    if (screen) text += kClearScreen;
    if (!json) {
      text += TableOf(*facts, before);
    } else if (once) {
      text += PrettyJson(JsonOf(*facts, before));
    } else {
      text += reflect::ToText(JsonOf(*facts, before)) + '\n';
    }
    if (once && !first) return {kOk, std::move(text), {}};
    // Who read along may go.
    if (!once && !streams.Out(text)) return {};
    before.clear();
    for (const UsageFact& fact : *facts) before[fact.id] = fact.usage;
    std::this_thread::sleep_for(kBetweenReadings);
  }
}

constexpr Option kOptions[] = {
    {.name = "namespace",
     .letter = 'n',
     .value = "NAME",
     .help = "of the pod; without a pod, only pods of this namespace"},
    {.name = "no-stream", .help = "once, of the last second, instead of each second anew"},
    kJsonOption,
};

}  // namespace

Command StatsCommand() {
  return {
      .name = "stats",
      .summary = "Show what pods and containers use",
      .arguments = "[POD]",
      .max_arguments = 1,
      .details =
          "CPU is in thousandths of a core, over the last second. MEMORY is the working set, by "
          "which limits and evictions count. The network is the whole pod's.\n"
          "With -o json each reading is one line.",
      .example =
          "  podium stats\n"
          "  podium stats web --no-stream -o json\n",
      .options = kOptions,
      .live = RunStats,
  };
}

}  // namespace podium::cli
