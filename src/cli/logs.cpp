// kubectl logs (upstream's k8s.io/kubectl/pkg/cmd/logs, release 1.32).
#include <array>
#include <charconv>
#include <mutex>
#include <thread>
#include <utility>

#include "api/time.h"
#include "cli/commands.h"
#include "cli/line_writer.h"
#include "cli/option_values.h"
#include "cli/pod_streams.h"
#include "cli/pod_target.h"
#include "cli/selection.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;

constexpr auto kPatience = std::chrono::seconds(20);
constexpr int64_t kMostStreams = 5;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// What follows the options; or what is wrong with them.
Result<v1::PodLogOptions> LogOptions(const Invocation& invocation) {
  v1::PodLogOptions options;
  options.follow = invocation.Has("follow");
  options.previous = invocation.Has("previous");
  options.timestamps = invocation.Has("timestamps");
  options.insecureSkipTLSVerifyBackend = invocation.Has("insecure-skip-tls-verify-backend");
  if (invocation.Has("limit-bytes")) {
    TRY(const int64_t bytes, IntegerOption(invocation, "limit-bytes", 0));
    if (bytes < 0) return Error(Code::kInvalidArgument, "--limit-bytes must be greater than 0");
    if (bytes > 0) options.limitBytes = bytes;
  }
  // As with kubectl; of many containers nobody wants all.
  const std::string_view usual = invocation.Has("selector") ? "10" : "-1";
  if (const std::string_view tail = invocation.Get("tail", usual); tail != "-1") {
    int64_t lines = 0;
    const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), lines);
    if (error != std::errc() || end != tail.data() + tail.size() || lines < 0) {
      return Error(Code::kInvalidArgument, "--tail: \"" + Printable(tail) + "\" is no number");
    }
    options.tailLines = lines;
  }
  if (const std::string_view since = invocation.Get("since"); !since.empty()) {
    auto span = api::Duration::Parse(since);
    if (!span.ok()) return std::move(span).error().WithContext("--since");
    if (span->nanos() <= 0) {
      return Error(Code::kInvalidArgument, "--since: must be greater than 0");
    }
    // Rounded up: nothing that was asked for is left out.
    options.sinceSeconds = (span->nanos() + 999'999'999) / 1'000'000'000;
  }
  if (const std::string_view since = invocation.Get("since-time"); !since.empty()) {
    if (options.sinceSeconds) {
      return Error(Code::kInvalidArgument, "only one of --since and --since-time may be used");
    }
    auto time = api::Time::Parse(since);
    if (!time.ok()) return std::move(time).error().WithContext("--since-time");
    options.sinceTime = *time;
  }
  return options;
}

// One container's log.
struct Source {
  client::ObjectKey pod;
  std::string container;
};

// How logs are shown.
struct LogView {
  v1::PodLogOptions options;
  bool prefix = false;
  bool escape = false;  // see LineWriter
  bool ignore_errors = false;
};

// The names of a pod's containers, in the order in which they start.
std::vector<std::string> ContainersOf(const v1::Pod& pod) {
  std::vector<std::string> names;
  for (const auto& container : pod.spec.initContainers) names.push_back(container.name);
  for (const auto& container : pod.spec.containers) names.push_back(container.name);
  for (const auto& container : pod.spec.ephemeralContainers) names.push_back(container.name);
  return names;
}

Result<std::vector<Source>> SourcesOf(const std::vector<v1::Pod>& pods,
                                      const std::string& container, const Invocation& invocation,
                                      const Streams& streams) {
  std::vector<Source> sources;
  for (const v1::Pod& pod : pods) {
    const client::ObjectKey key{pod.metadata.namespace_, pod.metadata.name};
    if (invocation.Get("all-containers") == "true") {
      for (std::string& name : ContainersOf(pod)) sources.push_back({key, std::move(name)});
      continue;
    }
    auto chosen = ChosenContainer(pod, container, false, streams);
    if (!chosen.ok()) {
      if (container.empty()) return std::move(chosen).error();
      return Usage("container " + container + " is not valid for pod " + pod.metadata.name);
    }
    sources.push_back({key, *std::move(chosen)});
  }
  return sources;
}

// Prints logs, several side by side where they are followed.
class LogPrinter {
 public:
  LogPrinter(client::Client client, LogView view, const Streams& streams)
      : client_(std::move(client)), view_(std::move(view)), streams_(streams) {}

  // The first error.
  Result<void> Print(const std::vector<Source>& sources) {
    if (!view_.options.follow || sources.size() < 2) {
      for (const Source& source : sources) TRY_VOID(PrintOne(source));
      return {};
    }
    std::vector<Result<void>> ends(sources.size());
    std::vector<std::thread> threads;
    threads.reserve(sources.size());
    for (size_t i = 0; i < sources.size(); ++i) {
      threads.emplace_back([&, i] { ends[i] = PrintOne(sources[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    for (Result<void>& end : ends) TRY_VOID(std::move(end));
    return {};
  }

 private:
  Result<void> PrintOne(const Source& source) {
    auto printed = Copy(source);
    if (printed.ok() || !view_.ignore_errors) return printed;
    (void)streams_.Err("error: " + Printable(printed.error().message()) + '\n');
    return {};
  }

  Result<void> Copy(const Source& source) {
    v1::PodLogOptions options = view_.options;
    options.container = source.container;
    TRY(client::ByteStream log, client_.Logs(source.pod, options));
    const std::string prefix =
        view_.prefix ? "[pod/" + source.pod.name + "/" + source.container + "] " : "";
    const bool lines = view_.prefix || view_.escape || view_.options.follow;
    LineWriter writer(prefix, view_.escape, [this](std::string_view text) { return Out(text); });
    std::array<char, 32768> buffer;
    while (true) {
      TRY(const size_t size, log.Read(buffer));
      const std::string_view bytes(buffer.data(), size);
      // Whoever read along may go: no error.
      const bool taken = size == 0 ? writer.Finish() : lines ? writer.Write(bytes) : Out(bytes);
      if (size == 0 || !taken) return {};
    }
  }

  // A line of one log does not begin within one of another's.
  bool Out(std::string_view text) {
    const std::scoped_lock lock(mutex_);
    return streams_.Out(text);
  }

  const client::Client client_;
  const LogView view_;
  const Streams streams_;
  std::mutex mutex_;
};

// What is wrong with the arguments; as kubectl says it, but for help.
Result<void> Check(const Invocation& invocation) {
  const auto& arguments = invocation.arguments();
  const bool selects = invocation.Has("selector");
  if (arguments.empty() && !selects) return Usage("which pod?");
  if (!arguments.empty() && selects) {
    return Usage("only a selector (-l) or a POD name is allowed");
  }
  if (arguments.size() == 2 && invocation.Has("container")) {
    return Usage("only one of -c or an inline [CONTAINER] arg is allowed");
  }
  const bool all = invocation.Get("all-containers") == "true";
  if (all && (invocation.Has("container") || arguments.size() == 2)) {
    return Usage("--all-containers=true should not be specified with container name " +
                 std::string(arguments.size() == 2 ? std::string_view(arguments[1])
                                                   : invocation.Get("container")));
  }
  return {};
}

Result<PodTargets> Find(const Invocation& invocation, const Streams& streams) {
  TRY(const auto patience, PodPatienceOf(invocation, "logs", kPatience));
  if (invocation.Has("selector")) {
    TRY(auto server, Server::Of(invocation, streams));
    TRY(auto pods, PodsWithLabels(*server, invocation.Get("selector")));
    return PodTargets{.server = std::move(server), .pods = std::move(pods)};
  }
  return FindPods(invocation, streams, {invocation.arguments()[0]},
                  invocation.Has("all-pods") ? PodChoice::kAll : PodChoice::kTelling, patience);
}

Result<Outcome> Logs(const Invocation& invocation, const Streams& streams,
                     v1::PodLogOptions options) {
  TRY(const int64_t most, IntegerOption(invocation, "max-log-requests", kMostStreams));
  TRY(const PodTargets found, Find(invocation, streams));
  if (found.pods.empty()) {
    return Outcome{
        kOk, {}, "No resources found in " + found.server->namespace_() + " namespace.\n"};
  }
  const auto& arguments = invocation.arguments();
  const std::string container =
      arguments.size() == 2 ? arguments[1] : std::string(invocation.Get("container"));
  TRY(const auto sources, SourcesOf(found.pods, container, invocation, streams));
  if (options.follow && std::cmp_greater(sources.size(), most)) {
    return Usage("you are attempting to follow " + std::to_string(sources.size()) +
                 " log streams, but maximum allowed concurrency is " + std::to_string(most) +
                 ", use --max-log-requests to increase the limit");
  }
  LogView view{.options = std::move(options),
               .prefix = invocation.Has("prefix") || invocation.Has("all-pods"),
               .escape = kernel::IsTerminal(streams.out) && !invocation.Has("raw"),
               .ignore_errors = invocation.Has("ignore-errors")};
  TRY_VOID(LogPrinter(found.Client(), std::move(view), streams).Print(sources));
  return Outcome();
}

Outcome RunLogs(const Invocation& invocation, const Streams& streams) {
  if (const auto checked = Check(invocation); !checked.ok()) {
    return UsageError("logs", checked.error().message());
  }
  auto options = LogOptions(invocation);
  if (!options.ok()) return UsageError("logs", options.error().message());
  auto outcome = Logs(invocation, streams, *std::move(options));
  if (outcome.ok()) return *std::move(outcome);
  return PodFailure("logs", outcome.error());
}

constexpr Option kOwnOptions[] = {
    kContainerNameOption,
    {.name = "all-containers",
     .value = "BOOL",
     .help = "of all containers of the pod",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "all-pods", .help = "of all pods of TYPE/NAME; with --prefix"},
    kSelectorOption,
    {.name = "prefix", .help = "the pod and the container before each line"},
    {.name = "max-log-requests",
     .value = "COUNT",
     .help = "how many logs are followed at most; 5 if not given"},
    {.name = "ignore-errors", .help = "a log that cannot be had is told, and no error"},
    {.name = "limit-bytes", .value = "COUNT", .help = "no more than so many bytes of each"},
    {.name = "insecure-skip-tls-verify-backend",
     .help = "take any certificate of the agent that has the log"},
    kPodRunningTimeoutOption,
    {.name = "follow", .letter = 'f', .help = "go on with what the container prints from now on"},
    {.name = "tail", .value = "LINES", .help = "only the last lines; 10 with -l if not given"},
    {.name = "since", .value = "DURATION", .help = "only what is newer than 5s, 2m or 3h"},
    {.name = "since-time", .value = "TIME", .help = "only what is newer than a time (RFC 3339)"},
    {.name = "previous", .letter = 'p', .help = "of the container that ran before this one"},
    {.name = "timestamps", .help = "a time before each line"},
    {.name = "raw", .help = "control characters reach the terminal, too"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command LogsCommand() {
  return {
      .name = "logs",
      .summary = "Print what a container has printed",
      .arguments = "POD [CONTAINER] | TYPE/NAME | -l SELECTOR",
      .max_arguments = 2,
      .details = "Both its standard output and its standard error, in the order of time.",
      .example =
          "  podium logs web\n"
          "  podium logs web -c sidecar -f --tail 20\n"
          "  podium logs web --previous\n"
          "  podium logs -f -l app=web --all-containers --prefix\n"
          "  podium logs deploy/web --all-pods\n",
      .options = kOptions,
      .live = RunLogs,
  };
}

}  // namespace podium::cli
