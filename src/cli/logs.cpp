#include <array>
#include <charconv>
#include <utility>

#include "api/time.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/line_writer.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

// What follows the options; or what is wrong with them.
Result<v1::PodLogOptions> LogOptions(const Invocation& invocation) {
  v1::PodLogOptions options;
  options.follow = invocation.Has("follow");
  options.previous = invocation.Has("previous");
  options.timestamps = invocation.Has("timestamps");
  if (const std::string_view tail = invocation.Get("tail"); !tail.empty() && tail != "-1") {
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

// `escape`: see LineWriter.
Result<void> Print(const client::Client& client, const client::ObjectKey& pod,
                   const v1::PodLogOptions& options, const Streams& streams, bool escape) {
  TRY(client::ByteStream log, client.Logs(pod, options));
  LineWriter lines("", escape, [&](std::string_view text) { return streams.Out(text); });
  std::array<char, 32768> buffer;
  while (true) {
    TRY(const size_t size, log.Read(buffer));
    const std::string_view bytes(buffer.data(), size);
    // Whoever read along may go: no error.
    const bool taken = size == 0 ? lines.Finish()
                       : escape  ? lines.Write(bytes)
                                 : streams.Out(bytes);
    if (size == 0 || !taken) return {};
  }
}

Outcome RunLogs(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().empty()) return UsageError("logs", "which pod?");
  auto options = LogOptions(invocation);
  if (!options.ok()) return UsageError("logs", options.error().message());
  auto client = AgentClient();
  if (!client.ok()) return Failed("logs", client.error());
  const client::ObjectKey key = PodArgument(invocation, invocation.arguments()[0]);
  auto pod = client->Get<v1::Pod>(key);
  if (!pod.ok()) return Failed("logs", pod.error());
  auto container = ContainerArgument(*pod, invocation);
  if (!container.ok()) return Failed("logs", container.error());
  options->container = *container;
  const bool escape = kernel::IsTerminal(streams.out) && !invocation.Has("raw");
  const auto printed = Print(*client, key, *options, streams, escape);
  return printed.ok() ? Outcome() : Failed("logs", printed.error());
}

constexpr Option kOptions[] = {
    kNamespaceOption,
    kContainerOption,
    {.name = "follow", .letter = 'f', .help = "go on with what the container prints from now on"},
    {.name = "tail", .value = "LINES", .help = "only the last lines"},
    {.name = "since", .value = "DURATION", .help = "only what is newer than 5s, 2m or 3h"},
    {.name = "since-time", .value = "TIME", .help = "only what is newer than a time (RFC 3339)"},
    {.name = "previous", .letter = 'p', .help = "of the container that ran before this one"},
    {.name = "timestamps", .help = "a time before each line"},
    {.name = "raw", .help = "control characters reach the terminal, too"},
};

}  // namespace

Command LogsCommand() {
  return {
      .name = "logs",
      .summary = "Print what a container has printed",
      .arguments = "POD",
      .max_arguments = 1,
      .details = "Both its standard output and its standard error, in the order of time.",
      .example =
          "  podium logs web\n"
          "  podium logs web -c sidecar -f --tail 20\n"
          "  podium logs web --previous\n",
      .options = kOptions,
      .live = RunLogs,
  };
}

}  // namespace podium::cli
