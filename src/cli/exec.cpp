#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/pod_streams.h"
#include "cli/pod_target.h"
#include "cli/session.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;

constexpr auto kPatience = std::chrono::minutes(1);

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Whether a terminal was asked for and is there; without one here, there is none over there.
bool UseTerminal(const Invocation& invocation, const Streams& streams) {
  if (!invocation.Has("tty") || !invocation.Has("stdin")) return false;
  if (kernel::IsTerminal(streams.in)) return true;
  if (!invocation.Has("quiet")) {
    (void)streams.Err("Unable to use a TTY - input is not a terminal or the right kind of file\n");
  }
  return false;
}

Result<void> RequireNotEnded(const v1::Pod& pod, const char* deed) {
  if (pod.status.phase != "Succeeded" && pod.status.phase != "Failed") return {};
  return Usage("cannot " + std::string(deed) +
               " a container in a completed pod; current phase is " + pod.status.phase);
}

// The words of the command, behind "--" or, without it, behind the pod.
size_t FirstWord(const Invocation& invocation) {
  const size_t before = invocation.arguments_before_dashes();
  return before == invocation.arguments().size() ? 1 : before;
}

Result<Outcome> Exec(const Invocation& invocation, const Streams& streams) {
  const auto& arguments = invocation.arguments();
  TRY(const auto patience, PodPatienceOf(invocation, "exec", kPatience));
  TRY(const PodTarget target,
      FindPod(
          invocation, streams,
          {arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(FirstWord(invocation))},
          PodChoice::kLiveliest, patience));
  TRY_VOID(RequireNotEnded(target.pod, "exec into"));
  v1::PodExecOptions options;
  options.container = invocation.Get("container");
  if (options.container.empty()) {
    TRY(options.container, ChosenContainer(target.pod, "", invocation.Has("quiet"), streams));
  }
  options.command.assign(arguments.begin() + static_cast<ptrdiff_t>(FirstWord(invocation)),
                         arguments.end());
  options.stdin_ = invocation.Has("stdin");
  options.tty = UseTerminal(invocation, streams);
  options.stdout_ = true;
  options.stderr_ = !options.tty;
  // The agent takes the window's size with the first request; others hear of it in the session.
  const bool knows_sizes = target.server->is_agent() && options.tty;
  TRY(auto remote, target.Client().Exec(
                       target.Key(), options,
                       knows_sizes ? WindowOf(streams.in) : std::optional<http::TerminalSize>()));
  TRY(const auto code,
      RunSession(remote, streams, {.with_stdin = options.stdin_, .terminal = options.tty}));
  Outcome outcome{code.value_or(kOk), {}, {}};
  if (outcome.status != kOk) {
    outcome.err = "command terminated with exit code " + std::to_string(outcome.status) + '\n';
  }
  return outcome;
}

Outcome RunExec(const Invocation& invocation, const Streams& streams) {
  const auto& arguments = invocation.arguments();
  if (arguments.empty() || invocation.arguments_before_dashes() == 0) {
    return UsageError("exec", "which pod?");
  }
  if (arguments.size() <= FirstWord(invocation)) {
    return UsageError("exec", "you must specify at least one command for the container");
  }
  if (FirstWord(invocation) > 2) {
    return UsageError("exec", "unexpected argument \"" + Printable(arguments[2]) + "\"");
  }
  auto outcome = Exec(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : PodFailure("exec", outcome.error());
}

Result<Outcome> Attach(const Invocation& invocation, const Streams& streams) {
  TRY(const auto patience, PodPatienceOf(invocation, "attach", kPatience));
  TRY(const PodTarget target,
      FindPod(invocation, streams, invocation.arguments(), PodChoice::kLiveliest, patience));
  TRY_VOID(RequireNotEnded(target.pod, "attach"));
  const bool quiet = invocation.Has("quiet");
  auto container = ChosenContainer(target.pod, invocation.Get("container"), quiet, streams);
  if (!container.ok()) {
    return Usage("cannot attach to the container: " + container.error().message());
  }
  const AttachRules rules{.container = *std::move(container),
                          .with_stdin = invocation.Has("stdin"),
                          .tty = invocation.Has("tty"),
                          .quiet = quiet,
                          .may_leave = true};
  TRY(const auto code, AttachTo(target.Client(), target.pod, rules, streams));
  Outcome outcome{code.value_or(kOk), {}, {}};
  if (!code) outcome.err = "\npod/" + Printable(target.pod.metadata.name) + " is left running\n";
  return outcome;
}

Outcome RunAttach(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().empty()) return UsageError("attach", "which pod?");
  auto outcome = Attach(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : PodFailure("attach", outcome.error());
}

constexpr Option kStdinOption = {
    .name = "stdin", .letter = 'i', .help = "pass the standard input on"};
constexpr Option kTtyOption = {
    .name = "tty", .letter = 't', .help = "the input is a terminal; with -i"};
constexpr Option kOwnOptions[] = {kContainerNameOption, kStdinOption, kTtyOption, kQuietOption,
                                  kPodRunningTimeoutOption};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ExecCommand() {
  return {
      .name = "exec",
      .summary = "Run a command in a container",
      .arguments = "POD | TYPE/NAME -- COMMAND [ARGUMENT...]",
      .max_arguments = 100'000,
      .details =
          "The command runs in the container's namespaces and cgroup, as its user and with its "
          "rights. The exit status is the command's.",
      .example =
          "  podium exec web -- cat /etc/hosts\n"
          "  podium exec -it web -c nginx -- sh\n"
          "  podium exec deploy/web -- date\n",
      .options = kOptions,
      .live = RunExec,
  };
}

Command AttachCommand() {
  return {
      .name = "attach",
      .summary = "Join the streams of a container's own process",
      .arguments = "POD | TYPE/NAME",
      .max_arguments = 2,
      .details =
          "Prints what it prints from now on; -i passes the standard input to it, which the "
          "container must have been made for (stdin: true). With -it, Ctrl-P Ctrl-Q leaves the "
          "container running.\n"
          "The exit status is that of the container's process.",
      .example =
          "  podium attach web\n"
          "  podium attach -it shell\n",
      .options = kOptions,
      .live = RunAttach,
  };
}

}  // namespace podium::cli
