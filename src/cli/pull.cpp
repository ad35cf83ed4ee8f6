#include <string>
#include <utility>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/node_facts.h"
#include "cli/pull_view.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// The image's result, as the agent tells it.
Result<JsonValue> Pull(const client::Client& client, const std::string& image,
                       const Streams& streams, PullView* view) {
  TRY(client::ByteStream answer,
      client.RawStream("POST", "/node/v1/images/pull",
                       QueryText({{"image", image}, {"progress", "true"}}), nullptr, ""));
  return ResultOf(answer, "id", "the agent ended the pull without saying how it went",
                  [&](const JsonValue& progress) {
                    // Not what was asked for: it stands beside the output.
                    if (view) (void)streams.Err(view->Show(progress));
                  });
}

Outcome RunPull(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().empty()) return UsageError("pull", "which image?");
  auto client = EnsuredAgentClient(invocation);
  if (!client.ok()) return Failed("pull", client.error());
  size_t columns = 0;
  if (kernel::IsTerminal(streams.err)) {
    const auto size = kernel::GetWindowSize(streams.err);
    columns = size.ok() && size->columns > 0 ? size->columns : 80;
  }
  const bool json = invocation.Get("output") == "json";
  JsonValue::Array results;
  Outcome outcome;
  for (const std::string& image : invocation.arguments()) {
    PullView view(columns);
    auto pulled = Pull(*client, image, streams, invocation.Has("quiet") ? nullptr : &view);
    if (!pulled.ok()) {
      const Outcome failed = Failed("pull", pulled.error());
      outcome.status = failed.status;
      outcome.err += failed.err;
      continue;
    }
    if (!json) {
      outcome.out += Printable(TextAt(&*pulled, "id")) + '\n';
      continue;
    }
    pulled->Set("image", JsonValue::String(image));
    results.push_back(*std::move(pulled));
  }
  if (json) outcome.out = PrettyJson(JsonValue::Of(std::move(results)));
  return outcome;
}

constexpr Option kOptions[] = {
    {.name = "quiet", .letter = 'q', .help = "without progress"},
    kJsonOption,
};

}  // namespace

Command PullCommand() {
  return {
      .name = "pull",
      .summary = "Get images from their registries",
      .arguments = "IMAGE...",
      .max_arguments = 1000,
      .details =
          "The agent gets them, with the credentials of this machine. Layers that are here are not "
          "fetched again, and a pull that broke off goes on where it was. Prints the image's id; "
          "progress goes to the standard error.",
      .example =
          "  podium pull nginx:1.25\n"
          "  podium pull -q registry.example:5000/team/app@sha256:…\n",
      .options = kOptions,
      .live = RunPull,
  };
}

}  // namespace podium::cli
