#include "cli/pod_streams.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/session.h"
#include "cli/text.h"
#include "linux/terminal.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;

constexpr std::string_view kDefaultContainer = "kubectl.kubernetes.io/default-container";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Of a container by its name, whatever its type.
struct Found {
  bool tty = false;
  bool is_ephemeral = false;
};

std::optional<Found> Find(const v1::Pod& pod, std::string_view name) {
  for (const v1::Container& container : pod.spec.containers) {
    if (container.name == name) return Found{.tty = container.tty};
  }
  for (const v1::Container& container : pod.spec.initContainers) {
    if (container.name == name) return Found{.tty = container.tty};
  }
  for (const v1::EphemeralContainer& container : pod.spec.ephemeralContainers) {
    if (container.name == name) return Found{.tty = container.tty, .is_ephemeral = true};
  }
  return {};
}

std::string AllNames(const v1::Pod& pod) {
  std::vector<std::string> names;
  for (const auto& container : pod.spec.containers) names.push_back(container.name);
  for (const auto& container : pod.spec.ephemeralContainers) {
    names.push_back(container.name + " (ephem)");
  }
  for (const auto& container : pod.spec.initContainers) names.push_back(container.name + " (init)");
  return Join(names, ", ");
}

// What people may do once a session at a terminal has ended; "" where there is nothing.
std::string WhatIsNext(const v1::Pod& pod, const AttachRules& rules, bool is_ephemeral) {
  if (rules.quiet || pod.spec.restartPolicy != "Always") return {};
  const std::string how =
      "podium attach " + pod.metadata.name + " -c " + rules.container + " -i -t'";
  if (is_ephemeral) {
    return "Session ended, the ephemeral container will not be restarted but may be reattached "
           "using '" +
           how + " if it is still running\n";
  }
  return "Session ended, resume using '" + how + " command when the pod is running\n";
}

// Whether there is a terminal at both ends.
bool HasTerminal(const AttachRules& rules, const Found& container, const Streams& streams) {
  const auto tell = [&](const std::string& text) {
    if (!rules.quiet) (void)streams.Err(Printable(text) + '\n');
  };
  if (rules.tty && !container.tty) {
    tell("error: Unable to use a TTY - container " + rules.container + " did not allocate one");
    return false;
  }
  // A terminal over there has no standard error of its own: it is spoken to as one.
  if (!rules.with_stdin || !container.tty) return false;
  if (kernel::IsTerminal(streams.in)) return true;
  tell("Unable to use a TTY - input is not a terminal or the right kind of file");
  return false;
}

}  // namespace

Result<std::string> ChosenContainer(const v1::Pod& pod, std::string_view name, bool quiet,
                                    const Streams& streams) {
  if (!name.empty()) {
    if (Find(pod, name)) return std::string(name);
    return Usage("container " + std::string(name) + " not found in pod " + pod.metadata.name);
  }
  if (pod.spec.containers.empty()) {
    return Usage("pod " + pod.metadata.namespace_ + "/" + pod.metadata.name +
                 " does not have any containers");
  }
  const auto noted = pod.metadata.annotations.find(std::string(kDefaultContainer));
  if (noted != pod.metadata.annotations.end() && Find(pod, noted->second)) return noted->second;
  const std::string& first = pod.spec.containers.front().name;
  const bool several = pod.spec.containers.size() > 1 || !pod.spec.initContainers.empty() ||
                       !pod.spec.ephemeralContainers.empty();
  if (several && !quiet) {
    (void)streams.Err("Defaulted container " + reflect::GoQuoted(first) +
                      " out of: " + Printable(AllNames(pod)) + '\n');
  }
  return first;
}

Result<std::optional<int>> AttachTo(const client::Client& client, const v1::Pod& pod,
                                    const AttachRules& rules, const Streams& streams) {
  const auto container = Find(pod, rules.container);
  if (!container) return Usage("container " + rules.container + " not found");
  const bool terminal = HasTerminal(rules, *container, streams);
  v1::PodAttachOptions options;
  options.container = rules.container;
  options.stdin_ = rules.with_stdin;
  options.stdout_ = true;
  options.tty = terminal;
  options.stderr_ = !terminal;
  TRY(auto remote, client.Attach({pod.metadata.namespace_, pod.metadata.name}, options));
  if (!rules.quiet) {
    (void)streams.Err("If you don't see a command prompt, try pressing enter.\n");
  }
  TRY(const auto code, RunSession(remote, streams,
                                  {.with_stdin = rules.with_stdin,
                                   .terminal = terminal,
                                   .may_leave = terminal && rules.may_leave}));
  if (code && terminal) {
    (void)streams.Out(Printable(WhatIsNext(pod, rules, container->is_ephemeral), true));
  }
  return code;
}

}  // namespace podium::cli
