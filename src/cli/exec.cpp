#include <optional>
#include <string>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

// Whether a terminal was asked for and is there; without one here, there is none over there.
bool UseTerminal(const Invocation& invocation, const Streams& streams, Outcome* warning) {
  if (!invocation.Has("tty")) return false;
  if (kernel::IsTerminal(streams.in)) return true;
  warning->err = "Unable to use a TTY - input is not a terminal or the right kind of file\n";
  return false;
}

Outcome RunExec(const Invocation& invocation, const Streams& streams) {
  const auto& arguments = invocation.arguments();
  if (arguments.empty()) return UsageError("exec", "which pod?");
  if (arguments.size() < 2) {
    return UsageError("exec", "you must specify at least one command for the container");
  }
  auto client = AgentClient();
  if (!client.ok()) return Failed("exec", client.error());
  const client::ObjectKey key = PodArgument(invocation, arguments[0]);
  auto pod = client->Get<v1::Pod>(key);
  if (!pod.ok()) return Failed("exec", pod.error());
  auto container = ContainerArgument(*pod, invocation);
  if (!container.ok()) return Failed("exec", container.error());

  Outcome outcome;
  v1::PodExecOptions options;
  options.container = *container;
  options.command.assign(arguments.begin() + 1, arguments.end());
  options.stdin_ = invocation.Has("stdin");
  options.tty = options.stdin_ && UseTerminal(invocation, streams, &outcome);
  options.stdout_ = true;
  options.stderr_ = !options.tty;
  auto remote = client->Exec(
      key, options, options.tty ? WindowOf(streams.in) : std::optional<http::TerminalSize>());
  if (!remote.ok()) return Failed("exec", remote.error());
  auto code = RunSession(*remote, streams, {.with_stdin = options.stdin_, .terminal = options.tty});
  if (!code.ok()) return Failed("exec", code.error());
  outcome.status = code->value_or(kOk);
  if (outcome.status != 0 && !options.tty) {
    outcome.err += "command terminated with exit code " + std::to_string(outcome.status) + '\n';
  }
  return outcome;
}

Outcome RunAttach(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().empty()) return UsageError("attach", "which pod?");
  auto client = AgentClient();
  if (!client.ok()) return Failed("attach", client.error());
  const client::ObjectKey key = PodArgument(invocation, invocation.arguments()[0]);
  auto pod = client->Get<v1::Pod>(key);
  if (!pod.ok()) return Failed("attach", pod.error());
  auto container = ContainerArgument(*pod, invocation);
  if (!container.ok()) return Failed("attach", container.error());

  Outcome outcome;
  v1::PodAttachOptions options;
  options.container = *container;
  options.stdin_ = invocation.Has("stdin");
  options.tty = options.stdin_ && UseTerminal(invocation, streams, &outcome);
  options.stdout_ = true;
  options.stderr_ = !options.tty;
  auto remote = client->Attach(key, options);
  if (!remote.ok()) return Failed("attach", remote.error());
  auto code =
      RunSession(*remote, streams,
                 {.with_stdin = options.stdin_, .terminal = options.tty, .may_leave = options.tty});
  if (!code.ok()) return Failed("attach", code.error());
  outcome.status = code->value_or(kOk);
  if (!*code) outcome.err += "\npod/" + Printable(pod->metadata.name) + " is left running\n";
  return outcome;
}

constexpr Option kStdinOption = {
    .name = "stdin", .letter = 'i', .help = "pass the standard input on"};
constexpr Option kTtyOption = {
    .name = "tty", .letter = 't', .help = "the input is a terminal; with -i"};
constexpr Option kOptions[] = {kNamespaceOption, kContainerOption, kStdinOption, kTtyOption};

}  // namespace

Command ExecCommand() {
  return {
      .name = "exec",
      .summary = "Run a command in a container",
      .arguments = "POD -- COMMAND [ARGUMENT...]",
      .max_arguments = 100'000,
      .details =
          "The command runs in the container's namespaces and cgroup, as its user and with its "
          "rights. The exit status is the command's.",
      .example =
          "  podium exec web -- cat /etc/hosts\n"
          "  podium exec -it web -c nginx -- sh\n",
      .options = kOptions,
      .live = RunExec,
  };
}

Command AttachCommand() {
  return {
      .name = "attach",
      .summary = "Join the streams of a container's own process",
      .arguments = "POD",
      .max_arguments = 1,
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
