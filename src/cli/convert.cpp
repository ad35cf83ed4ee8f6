#include <unistd.h>

#include <utility>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/manifests.h"
#include "cli/text.h"
#include "reflect/json_value.h"
#include "reflect/object.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

Result<std::string> WriteJson(const std::vector<ManifestObject>& objects) {
  std::string out;
  for (const ManifestObject& each : objects) {
    TRY(const std::string json, each.Json());
    TRY(const reflect::JsonValue value, reflect::ParseJson(json));
    reflect::PrintJson(value, {.indent = 4}, &out);
    out += '\n';
  }
  return out;
}

Result<std::string> WriteYaml(const std::vector<ManifestObject>& objects) {
  std::string out;
  for (const ManifestObject& each : objects) {
    if (!out.empty()) out += "---\n";
    TRY(const std::string json, each.Json());
    TRY_VOID(reflect::JsonToYaml(json, &out));
  }
  return out;
}

Result<std::string> WriteProtobuf(const std::vector<ManifestObject>& objects) {
  if (objects.size() != 1) {
    return Error(Code::kInvalidArgument,
                 "protobuf takes one object, and there are " + std::to_string(objects.size()));
  }
  const reflect::AnyObject& object = objects[0].object;
  if (!object) {
    return Error(Code::kUnsupported, "an object of an unknown kind has no protobuf form");
  }
  std::string out;
  TRY_VOID(reflect::EncodeEnveloped(object.type(), object.get(), &out));
  return out;
}

Outcome Failure(const std::string& message) {
  return {kFailed, {}, "podium convert: " + message + '\n'};
}

Outcome RunConvert(const Invocation& invocation) {
  std::vector<std::string> names = invocation.All("filename");
  for (const std::string& argument : invocation.arguments()) names.push_back(argument);
  if (names.empty()) return UsageError("convert", "which file? name it with -f");
  if (NamesStandardInputTwice(names)) {
    return UsageError("convert", "the standard input (-) can be read only once");
  }
  const std::string_view format = invocation.Get("output", "yaml");
  if (format == "protobuf" && isatty(STDOUT_FILENO) != 0) {
    return Failure("protobuf is nothing for a terminal; send it to a file or a pipe");
  }
  Manifests inputs = ReadManifests(names, invocation.Has("recursive"),
                                   {.rules = false, .ignore_unknown_kinds = true});
  if (!inputs.errors.empty()) return {kFailed, {}, std::move(inputs.errors)};
  if (inputs.objects.empty()) return Failure(Printable(names.front()) + ": holds no objects");

  Result<std::string> out = format == "json"   ? WriteJson(inputs.objects)
                            : format == "yaml" ? WriteYaml(inputs.objects)
                                               : WriteProtobuf(inputs.objects);
  if (!out.ok()) return Failure(out.error().message());
  return {kOk, *std::move(out), {}};
}

constexpr Option kOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .help = "what to write; yaml if not given",
     .values = Values::kWords,
     .words = "json yaml protobuf"},
};

}  // namespace

Command ConvertCommand() {
  return {
      .name = "convert",
      .summary = "Write objects as JSON, YAML or Kubernetes protobuf",
      .arguments = "[FILE...]",
      .max_arguments = 100'000,
      .values = Values::kFiles,
      .details =
          "Reads JSON, YAML and Kubernetes protobuf, whichever it is, and writes to the standard "
          "output. The fields are those that were read: no defaults are filled in. Objects of "
          "kinds that podium does not know are carried over between JSON and YAML as they are.\n"
          "Several objects become YAML documents, or JSON objects one after another; protobuf "
          "takes one. When anything cannot be read, nothing is written.",
      .example =
          "  podium convert -f pod.yaml -o json\n"
          "  podium convert -f pod.json -o protobuf > pod.pb\n"
          "  podium convert -f pod.pb\n",
      .options = kOptions,
      .run = RunConvert,
  };
}

}  // namespace podium::cli
