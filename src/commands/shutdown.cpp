// `podium node shutdown`: what logind does to an agent, by hand: for machines without systemd, and
// for whoever wants to see it.
#include <chrono>
#include <string>
#include <thread>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "commands/commands.h"
#include "http/url.h"
#include "reflect/json_value.h"

namespace podium::commands {
namespace {

constexpr char kPath[] = "/node/v1/shutdown";
constexpr char kAll[] = "grace-period";
constexpr char kCritical[] = "grace-period-critical-pods";
constexpr char kCancel[] = "cancel";
constexpr std::chrono::milliseconds kBetweenLooks{100};

constexpr cli::Option kOptions[] = {
    {.name = kAll,
     .value = "DURATION",
     .help = "how long pods may take to end, all together (what the agent was told)"},
    {.name = kCritical,
     .value = "DURATION",
     .help = "how much of that is for critical pods, which end last"},
    {.name = kCancel, .help = "the machine stays: the node takes pods again"},
};

Result<bool> FlagOf(const std::string& json, const char* name) {
  TRY(const reflect::JsonValue value, reflect::ParseJson(json));
  const reflect::JsonValue* flag = value.Find(name);
  return flag && flag->is_bool() && flag->boolean();
}

Result<std::string> Shutdown(const cli::Invocation& invocation) {
  TRY(const client::Client agent, cli::AgentClient());
  if (invocation.Has(kCancel)) {
    TRY_VOID(agent.Raw("DELETE", kPath));
    return std::string("the node takes pods again\n");
  }
  std::string query;
  const auto add = [&](const char* option, const std::string& parameter) {
    if (!invocation.Has(option)) return;
    if (!query.empty()) query += '&';
    query += parameter + "=" + http::PercentEncode(std::string(invocation.Get(option)));
  };
  add(kAll, "gracePeriod");
  add(kCritical, "gracePeriodCriticalPods");
  TRY(std::string state, agent.Raw("POST", kPath, query));
  while (true) {
    TRY(const bool done, FlagOf(state, "done"));
    if (done) return std::string("pods have ended: the machine may go down\n");
    TRY(const bool goes_on, FlagOf(state, "shuttingDown"));
    if (!goes_on) return Error(Code::kCancelled, "somebody has cancelled it");
    std::this_thread::sleep_for(kBetweenLooks);
    TRY(state, agent.Raw("GET", kPath));
  }
}

cli::Outcome RunShutdown(const cli::Invocation& invocation) {
  if (invocation.Has(kCancel) && (invocation.Has(kAll) || invocation.Has(kCritical))) {
    return cli::UsageError("node shutdown", "--cancel goes with no other option");
  }
  auto told = Shutdown(invocation);
  if (!told.ok()) return cli::Failed("node shutdown", told.error());
  return {.status = cli::kOk, .out = *std::move(told), .err = ""};
}

constexpr cli::Command kSubcommands[] = {
    {
        .name = "node shutdown",
        .summary = "End this machine's pods before it goes down, and wait for that",
        .details =
            "The agent takes no pods from then on, and the node is not ready. Pods end in groups "
            "by "
            "priority, within the time that the agent was given (--shutdown-grace-period and its "
            "neighbours) or that stands here; each has its own grace period at most. Where systemd "
            "runs and the agent was given time, this happens by itself.",
        .example = "  podium node shutdown && poweroff\n"
                   "  podium node shutdown --grace-period=1m --grace-period-critical-pods=20s\n"
                   "  podium node shutdown --cancel\n",
        .options = kOptions,
        .run = RunShutdown,
    },
};

}  // namespace

cli::Command NodeCommand() {
  return {
      .name = "node",
      .summary = "Say something to this machine's node",
      .example = "  podium node shutdown\n",
      .subcommands = kSubcommands,
  };
}

}  // namespace podium::commands
