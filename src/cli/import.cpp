#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/folder_archive.h"
#include "cli/input.h"
#include "cli/node_facts.h"
#include "cli/text.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMaxAnswer = size_t{1} << 20;

// A command as an option has it: a list in JSON, or words that a shell is to read.
Result<JsonValue> CommandOf(std::string_view option, std::string_view text) {
  if (!text.starts_with('[')) {
    return JsonValue::Of(JsonValue::Array{JsonValue::String("/bin/sh"), JsonValue::String("-c"),
                                          JsonValue::String(std::string(text))});
  }
  auto list = reflect::ParseJson(text);
  bool strings = list.ok() && list->is_array();
  for (size_t i = 0; strings && i < list->array().size(); ++i) {
    strings = list->array()[i].is_string();
  }
  if (!strings) {
    return Error(Code::kInvalidArgument,
                 "--" + std::string(option) + ": no JSON list of strings: " + Printable(text));
  }
  return *std::move(list);
}

// "KEY=VALUE" into a map of strings.
Result<JsonValue> LabelsOf(const std::vector<std::string>& texts) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error(Code::kInvalidArgument, "--label: \"" + Printable(text) + "\" is no KEY=VALUE");
    }
    out.Set(text.substr(0, equals), JsonValue::String(text.substr(equals + 1)));
  }
  return out;
}

// What an image made of a root file system is configured with (OCI image specification 1.1,
// config.md); an empty object when no option says anything.
Result<JsonValue> ConfigOf(const Invocation& invocation) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  const auto text = [&](const char* option, const char* key) {
    if (invocation.Has(option)) {
      out.Set(key, JsonValue::String(std::string(invocation.Get(option))));
    }
  };
  for (const auto& [option, key] : {std::pair("entrypoint", "Entrypoint"), {"cmd", "Cmd"}}) {
    if (!invocation.Has(option)) continue;
    TRY(JsonValue command, CommandOf(option, invocation.Get(option)));
    out.Set(key, std::move(command));
  }
  JsonValue::Array environment;
  for (std::string& variable : invocation.All("env")) {
    if (const size_t equals = variable.find('='); equals == 0 || equals == std::string::npos) {
      return Error(Code::kInvalidArgument,
                   "--env: \"" + Printable(variable) + "\" is no NAME=VALUE");
    }
    environment.push_back(JsonValue::String(std::move(variable)));
  }
  if (!environment.empty()) out.Set("Env", JsonValue::Of(std::move(environment)));
  text("user", "User");
  text("workdir", "WorkingDir");
  text("stop-signal", "StopSignal");
  if (invocation.Has("label")) {
    TRY(JsonValue labels, LabelsOf(invocation.All("label")));
    out.Set("Labels", std::move(labels));
  }
  return out;
}

Result<Parameters> ParametersOf(const Invocation& invocation) {
  Parameters out;
  for (const std::string& name : invocation.All("name")) out.emplace_back("name", name);
  if (invocation.Has("platform")) {
    out.emplace_back("platform", std::string(invocation.Get("platform")));
  }
  if (invocation.Has("kind")) out.emplace_back("kind", std::string(invocation.Get("kind")));
  TRY(const JsonValue config, ConfigOf(invocation));
  if (!config.object().empty()) out.emplace_back("config", reflect::ToText(config));
  if (invocation.Has("message")) {
    out.emplace_back("comment", std::string(invocation.Get("message")));
  }
  return out;
}

Result<http::BodySource> OpenArchive(const std::string& name, Parameters* parameters) {
  if (name != "-") {
    struct stat status{};
    if (stat(name.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      TRY(FolderArchive folder, FolderArchive::Open(name));
      parameters->emplace_back("kind", "images");
      return http::BodySource([archive = std::make_shared<FolderArchive>(std::move(folder))](
                                  std::span<char> buffer) { return archive->Read(buffer); });
    }
  }
  const auto file =
      std::make_shared<UniqueFd>(name == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                             : open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file->get() < 0) return Error::FromErrno(errno, Printable(name));
  return http::BodySource([file](std::span<char> buffer) -> Result<size_t> {
    while (true) {
      const ssize_t size = read(file->get(), buffer.data(), buffer.size());
      if (size >= 0) return static_cast<size_t>(size);
      if (errno != EINTR) return Error::FromErrno(errno, "reading the archive");
    }
  });
}

Result<JsonValue> Import(const client::Client& client, http::BodySource source,
                         const Parameters& parameters) {
  TRY(client::ByteStream answer,
      client.RawStream("POST", "/node/v1/images/import", QueryText(parameters), std::move(source),
                       "application/x-tar"));
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    TRY(const size_t size, answer.Read(buffer));
    if (size == 0) return reflect::ParseJson(text);
    text.append(buffer.data(), size);
    if (text.size() > kMaxAnswer) {
      return Error(Code::kResourceExhausted, "the agent's answer is too long");
    }
  }
}

Outcome RunImport(const Invocation& invocation) {
  if (invocation.arguments().empty()) return UsageError("import", "which file?");
  auto parameters = ParametersOf(invocation);
  if (!parameters.ok()) return UsageError("import", parameters.error().message());
  auto client = EnsuredAgentClient(invocation);
  if (!client.ok()) return Failed("import", client.error());
  auto archive = OpenArchive(invocation.arguments()[0], &*parameters);
  if (!archive.ok()) return Failed("import", archive.error());
  const auto answer = Import(*client, *std::move(archive), *parameters);
  if (!answer.ok()) return Failed("import", answer.error());
  Outcome outcome;
  if (invocation.Get("output") == "json") {
    outcome.out = PrettyJson(JsonValue::Of(ListAt(&*answer, "items")));
    return outcome;
  }
  for (const JsonValue& image : ListAt(&*answer, "items")) {
    outcome.out += Printable(TextAt(&image, "id"));
    for (const JsonValue& name : ListAt(&image, "repoTags")) {
      if (name.is_string()) outcome.out += ' ' + Printable(name.string());
    }
    outcome.out += '\n';
  }
  return outcome;
}

constexpr Option kOptions[] = {
    {.name = "name",
     .value = "NAME",
     .help = "what the image is called; the archive's own names if not given",
     .repeatable = true},
    {.name = "kind",
     .value = "KIND",
     .help = "what the archive is, where that does not show: images, or a root file system",
     .values = Values::kWords,
     .words = "images rootfs"},
    {.name = "platform",
     .value = "OS/ARCH",
     .help = "of images for several; this machine's if not given"},
    {.name = "entrypoint", .value = "COMMAND", .help = "root file system: a JSON list, or a line"},
    {.name = "cmd", .value = "COMMAND", .help = "root file system: likewise"},
    {.name = "env",
     .letter = 'e',
     .value = "NAME=VALUE",
     .help = "root file system: a variable",
     .repeatable = true},
    {.name = "user", .letter = 'u', .value = "USER", .help = "root file system: who runs it"},
    {.name = "workdir", .letter = 'w', .value = "PATH", .help = "root file system: where"},
    {.name = "stop-signal", .value = "SIGNAL", .help = "root file system: what ends it"},
    {.name = "label",
     .letter = 'l',
     .value = "KEY=VALUE",
     .help = "root file system: a label",
     .repeatable = true},
    {.name = "message", .letter = 'm', .value = "TEXT", .help = "root file system: a comment"},
    kJsonOption,
};

}  // namespace

Command ImportCommand() {
  return {
      .name = "import",
      .summary = "Get images from a file or folder",
      .arguments = "FILE",
      .max_arguments = 1,
      .values = Values::kFiles,
      .details =
          "What `docker save`, `podman save` and `podium export` write, OCI layouts as an archive "
          "or a folder, and plain archives of a root file system; compressed or not. - is the "
          "standard input.\n"
          "Prints each image's id and names.",
      .example =
          "  podium import app.tar\n"
          "  podium import layout/\n"
          "  docker save app:1 | podium import -\n"
          "  podium import rootfs.tar.gz --name base:1 --cmd '[\"/bin/sh\"]' -e PATH=/bin\n",
      .options = kOptions,
      .run = RunImport,
  };
}

}  // namespace podium::cli
