#include <unistd.h>

#include <utility>

#include "api/scheme.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/text.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/object.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

// One object, decoded; or as JSON, when its kind is not known.
struct Converted {
  reflect::AnyObject object;
  std::string json;
};

// What was read, and what could not be, one to a line.
struct Inputs {
  std::vector<Converted> objects;
  std::string errors;

  void AddError(const std::string& file, std::string_view message) {
    errors += Printable(DisplayName(file)) + ": " + Printable(message) + '\n';
  }
};

Result<reflect::AnyObject> FromProtobuf(std::string_view bytes) {
  TRY(const reflect::Envelope envelope, reflect::ReadEnvelope(bytes));
  const reflect::Type* type = api::FindType(envelope.api_version, envelope.kind);
  if (!type) {
    return Error(Code::kInvalidArgument, "no matches for kind \"" + envelope.kind +
                                             "\" in version \"" + envelope.api_version + "\"");
  }
  reflect::AnyObject object(*type);
  TRY_VOID(reflect::DecodeEnveloped(bytes, *type, object.get()));
  return object;
}

// The document's object. Only for documents in which CheckDocument found nothing.
Result<Converted> FromJson(std::string json) {
  TRY(const reflect::ObjectHeader header, reflect::ReadHeader(json));
  Converted converted;
  if (const reflect::Type* type = api::FindType(header.api_version, header.kind)) {
    converted.object = reflect::AnyObject(*type);
    TRY_VOID(reflect::DecodeJsonInto(json, *type, converted.object.get()));
  } else {
    converted.json = std::move(json);
  }
  return converted;
}

void ReadDocuments(const std::string& file, std::string_view text, Inputs* inputs) {
  DocumentReader reader(text);
  Document document;
  while (reader.Next(&document)) {
    CheckResult result;
    CheckDocument(document, {.rules = false, .ignore_unknown_kinds = true}, &result);
    for (const Finding& finding : result.findings) {
      inputs->AddError(file + ':' + std::to_string(finding.position.line) + ':' +
                           std::to_string(finding.position.column),
                       finding.Text());
    }
    if (!result.findings.empty()) continue;
    Result<Converted> converted = FromJson(std::move(document.json));
    if (converted.ok()) {
      inputs->objects.push_back(*std::move(converted));
    } else {
      inputs->AddError(file, converted.error().message());
    }
  }
}

void ReadFile(const std::string& file, Inputs* inputs) {
  const Result<std::string> text = ReadInput(file);
  if (!text.ok()) {
    inputs->AddError(file, text.error().message());
  } else if (reflect::HasEnvelope(*text)) {
    Result<reflect::AnyObject> object = FromProtobuf(*text);
    if (object.ok()) {
      inputs->objects.push_back({*std::move(object), {}});
    } else {
      inputs->AddError(file, object.error().message());
    }
  } else {
    ReadDocuments(DisplayName(file), *text, inputs);
  }
}

Result<std::string> JsonOf(const Converted& converted) {
  if (!converted.object) return converted.json;
  std::string json;
  TRY_VOID(reflect::EncodeJson(converted.object.type(), converted.object.get(), &json));
  return json;
}

Result<std::string> WriteJson(const std::vector<Converted>& objects) {
  std::string out;
  for (const Converted& each : objects) {
    TRY(const std::string json, JsonOf(each));
    TRY(const reflect::JsonValue value, reflect::ParseJson(json));
    reflect::PrintJson(value, {.indent = 4}, &out);
    out += '\n';
  }
  return out;
}

Result<std::string> WriteYaml(const std::vector<Converted>& objects) {
  std::string out;
  for (const Converted& each : objects) {
    if (!out.empty()) out += "---\n";
    TRY(const std::string json, JsonOf(each));
    TRY_VOID(reflect::JsonToYaml(json, &out));
  }
  return out;
}

Result<std::string> WriteProtobuf(const std::vector<Converted>& objects) {
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
  const FileList list = ListFiles(names, invocation.Has("recursive"));
  Inputs inputs;
  for (const FileError& error : list.errors) inputs.AddError(error.name, error.error.message());
  for (const std::string& file : list.files) ReadFile(file, &inputs);
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
