#include <string>
#include <utility>
#include <vector>

#include "api/pod_row.h"
#include "api/time.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/node_facts.h"
#include "cli/text.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// How long ago an image says that it was made; images of reproducible builds may say nothing, or
// the beginning of time.
std::string AgeOf(const JsonValue& image) {
  const auto created = api::Time::Parse(TextAt(&image, "created"));
  if (!created.ok() || created->unix_seconds() <= 0) return "-";
  return api::HumanDuration(Today().unix_seconds() - created->unix_seconds()) + " ago";
}

std::string TableOf(const JsonValue& answer) {
  std::vector<std::vector<std::string>> rows = {
      {"IMAGE", "ID", "CREATED", "SIZE", "UNPACKED", "IN USE"}};
  for (const JsonValue& image : ListAt(&answer, "items")) {
    std::vector<std::string> names;
    for (const JsonValue& name : ListAt(&image, "repoTags")) {
      if (name.is_string()) names.push_back(name.string());
    }
    if (names.empty()) names.emplace_back("<none>");
    const auto size = [&](const char* key) {
      return Bytes(static_cast<uint64_t>(NumberAt(&image, key).value_or(0)));
    };
    for (std::string& name : names) {
      rows.push_back({std::move(name), ShortId(TextAt(&image, "id")), AgeOf(image), size("size"),
                      size("unpackedSize"),
                      NumberAt(&image, "inUse").value_or(0) > 0 ? "yes" : "no"});
    }
  }
  return Columns(rows);
}

// The damage that the agent finds, as it tells it.
Result<JsonValue> Verify(const client::Client& client, const Streams& streams) {
  TRY(client::ByteStream answer,
      client.RawStream("POST", "/node/v1/images/verify", "", nullptr, ""));
  const bool terminal = kernel::IsTerminal(streams.err);
  auto result = ResultOf(answer, "items", "the agent ended without saying what it found",
                         [&](const JsonValue& progress) {
                           if (!terminal) return;
                           const auto done =
                               static_cast<uint64_t>(NumberAt(&progress, "done").value_or(0));
                           (void)streams.Err("\r\x1b[2Kread " + Bytes(done));
                         });
  if (terminal) (void)streams.Err("\r\x1b[2K");
  return result;
}

Outcome RunVerify(const client::Client& client, const Invocation& invocation,
                  const Streams& streams) {
  auto found = Verify(client, streams);
  if (!found.ok()) return Failed("images", found.error());
  const JsonValue::Array& items = ListAt(&*found, "items");
  Outcome outcome;
  for (const JsonValue& damage : items) {
    const auto* mended = damage.Find("mended");
    const bool whole = mended && mended->is_bool() && mended->boolean();
    if (!whole) outcome.status = kFailed;
    outcome.out += Printable(TextAt(&damage, "problem")) +
                   (whole ? "; unpacked again\n" : "; pull or import the image again\n");
  }
  if (invocation.Get("output") == "json") outcome.out = PrettyJson(JsonValue::Of(items));
  return outcome;
}

Outcome RunImages(const Invocation& invocation, const Streams& streams) {
  auto client = EnsuredAgentClient(invocation);
  if (!client.ok()) return Failed("images", client.error());
  if (invocation.Has("verify")) return RunVerify(*client, invocation, streams);
  const auto text = client->Raw("GET", "/node/v1/images");
  if (!text.ok()) return Failed("images", text.error());
  const auto answer = reflect::ParseJson(*text);
  if (!answer.ok()) return Failed("images", answer.error());
  if (invocation.Get("output") == "json") {
    return {kOk, PrettyJson(JsonValue::Of(ListAt(&*answer, "items"))), {}};
  }
  if (ListAt(&*answer, "items").empty()) {
    return {kOk, {}, "No images are here. Get one: podium pull IMAGE\n"};
  }
  return {kOk, TableOf(*answer), {}};
}

// What /node/v1/images answers to removals.
Result<std::string> RemovalText(const std::string& json, const Invocation& invocation) {
  TRY(const JsonValue answer, reflect::ParseJson(json));
  if (invocation.Get("output") == "json") return PrettyJson(answer);
  std::string out;
  const auto list = [&](const char* key, const char* word) {
    for (const JsonValue& each : ListAt(&answer, key)) {
      if (each.is_string()) out += std::string(word) + ' ' + Printable(each.string()) + '\n';
    }
  };
  list("untagged", "untagged");
  list("deleted", "deleted");
  const auto bytes = static_cast<uint64_t>(NumberAt(&answer, "bytes").value_or(0));
  return out + "freed " + Bytes(bytes) + '\n';
}

Outcome RunRmi(const Invocation& invocation) {
  if (invocation.arguments().empty()) return UsageError("rmi", "which image?");
  auto client = EnsuredAgentClient(invocation);
  if (!client.ok()) return Failed("rmi", client.error());
  Outcome outcome;
  for (const std::string& image : invocation.arguments()) {
    const auto removed = client->Raw(
        "DELETE", "/node/v1/images",
        QueryText({{"image", image}, {"force", invocation.Has("force") ? "true" : "false"}}));
    const auto text = removed.ok() ? RemovalText(*removed, invocation) : removed.error();
    if (text.ok()) {
      outcome.out += *text;
      continue;
    }
    const bool in_use = text.error().code() == Code::kConflict;
    const Outcome failed =
        Failed("rmi", in_use ? Error(Code::kConflict, text.error().message() +
                                                          "; podium stop ends a pod, and --force "
                                                          "takes only the names away")
                             : text.error());
    outcome.status = failed.status;
    outcome.err += failed.err;
  }
  return outcome;
}

Outcome RunPrune(const Invocation& invocation) {
  auto client = EnsuredAgentClient(invocation);
  if (!client.ok()) return Failed("prune", client.error());
  const auto removed = client->Raw("POST", "/node/v1/images/prune",
                                   invocation.Has("all") ? "all=true" : "all=false");
  if (!removed.ok()) return Failed("prune", removed.error());
  auto text = RemovalText(*removed, invocation);
  if (!text.ok()) return Failed("prune", text.error());
  return {kOk, *std::move(text), {}};
}

constexpr Option kImagesOptions[] = {
    {.name = "verify", .help = "read all blobs and unpacked layers, and mend what is damaged"},
    kJsonOption,
};
constexpr Option kRmiOptions[] = {
    {.name = "force",
     .letter = 'f',
     .help = "names go even when a container uses the image; its layers stay until that is gone"},
    kJsonOption,
};
constexpr Option kPruneOptions[] = {
    {.name = "all", .letter = 'a', .help = "all that no container uses, named or not"},
    kJsonOption,
};

}  // namespace

Command ImagesCommand() {
  return {
      .name = "images",
      .summary = "List the images of this machine",
      .details =
          "SIZE is what the image takes compressed, UNPACKED what its layers take on disk; layers "
          "that images share are there once. CREATED is what the image says of itself.\n"
          "With --verify every byte is read from the disk and compared with the digests; a damaged "
          "layer is unpacked again. Prints what was damaged; the exit status is 1 when an image "
          "has to be fetched again.",
      .example =
          "  podium images\n"
          "  podium images --verify\n"
          "  podium images -o json\n",
      .options = kImagesOptions,
      .live = RunImages,
  };
}

Command RmiCommand() {
  return {
      .name = "rmi",
      .summary = "Remove images",
      .arguments = "IMAGE...",
      .max_arguments = 100'000,
      .details =
          "By name, that name goes, and the image with its last one; by id, all of it. An image "
          "that a container uses stays.",
      .example =
          "  podium rmi nginx:1.25\n"
          "  podium rmi -f sha256:4bb46517cac3\n",
      .options = kRmiOptions,
      .run = RunRmi,
  };
}

Command PruneCommand() {
  return {
      .name = "prune",
      .summary = "Remove images without a name that nobody uses",
      .details = "And blobs and layers that no image needs.",
      .example =
          "  podium prune\n"
          "  podium prune --all\n",
      .options = kPruneOptions,
      .run = RunPrune,
  };
}

}  // namespace podium::cli
