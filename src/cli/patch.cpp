#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/local_objects.h"
#include "cli/text.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Outcome Failure(const std::string& message) {
  return {kFailed, {}, "podium patch: " + Printable(message) + '\n'};
}

// As kubectl names a kind in messages.
std::string KindText(const reflect::ObjectHeader& header) {
  const std::string version =
      header.api_version.contains('/') ? header.api_version : '/' + header.api_version;
  return version + ", Kind=" + header.kind;
}

// The patch is JSON or YAML.
Result<JsonValue> ReadPatch(std::string_view text) {
  DocumentReader reader(text);
  Document document;
  if (!reader.Next(&document)) return Error(Code::kInvalidArgument, "there is no patch");
  if (!document.problem.empty()) return Error(Code::kInvalidArgument, document.problem);
  Document more;
  if (reader.Next(&more)) return Error(Code::kInvalidArgument, "there is more than one patch");
  return reflect::ParseJson(document.json);
}

Result<JsonValue> Patched(std::string_view patch_type, const JsonValue& patch,
                          const LocalObject& object) {
  JsonValue document = object.json;
  if (patch_type == "json") {
    TRY(const reflect::JsonPatch operations, reflect::JsonPatch::FromValue(patch));
    TRY_VOID(operations.Apply(&document));
    return document;
  }
  if (!patch.is_object()) return Error(Code::kInvalidArgument, "the patch is no object");
  if (patch_type == "merge") {
    reflect::ApplyMergePatch(patch, &document);
    return document;
  }
  if (object.type == nullptr) {
    return Error(Code::kUnsupported, "strategic merge patch is not supported for " +
                                         KindText(object.header) + " locally, try --type merge");
  }
  TRY_VOID(reflect::ApplyStrategicPatch(*object.type, patch, &document));
  return document;
}

Result<LocalObject> PatchObject(std::string_view patch_type, const JsonValue& patch,
                                const LocalObject& object) {
  TRY(const JsonValue document, Patched(patch_type, patch, object));
  TRY(LocalObject patched, ToLocalObject(object.type, document));
  if (patched.header.api_version != object.header.api_version ||
      patched.header.kind != object.header.kind) {
    return Error(Code::kInvalidArgument, "a patch cannot change apiVersion and kind");
  }
  return patched;
}

Result<void> Print(std::string_view format, const LocalObject& before, const LocalObject& after,
                   std::string* out) {
  if (format == "json") {
    reflect::PrintJson(after.json, {.indent = 4}, out);
    *out += '\n';
    return {};
  }
  if (format == "yaml") {
    if (!out->empty()) *out += "---\n";
    return reflect::JsonToYaml(ToText(after.json), out);
  }
  *out += Printable(after.Name());
  if (format.empty()) {
    *out += Equivalent(before.json, after.json) ? " patched (no change)" : " patched";
  }
  *out += '\n';
  return {};
}

Result<JsonValue> PatchOf(const Invocation& invocation) {
  if (invocation.Has("patch")) return ReadPatch(invocation.Get("patch"));
  TRY(const std::string text, ReadInput(std::string(invocation.Get("patch-file"))));
  return ReadPatch(text);
}

Outcome RunPatch(const Invocation& invocation) {
  if (!invocation.Has("local")) {
    return UsageError("patch", "only files can be patched as yet: say so with --local");
  }
  const std::vector<std::string> names = invocation.All("filename");
  if (names.empty()) return UsageError("patch", "which file? name it with -f");
  if (!invocation.Has("patch") && !invocation.Has("patch-file")) {
    return UsageError("patch",
                      "Must specify --patch or --patch-file containing the contents of the patch");
  }
  if (invocation.Has("patch") && invocation.Has("patch-file")) {
    return UsageError("patch", "cannot specify --patch and --patch-file together");
  }
  std::vector<std::string> inputs = names;
  if (invocation.Has("patch-file")) inputs.emplace_back(invocation.Get("patch-file"));
  if (NamesStandardInputTwice(inputs)) {
    return UsageError("patch", "the standard input (-) can be read only once");
  }
  const Result<JsonValue> patch = PatchOf(invocation);
  if (!patch.ok()) return Failure("the patch cannot be read: " + patch.error().message());
  LocalObjects local = ReadLocalObjects(names, {.recursive = invocation.Has("recursive")});
  if (!local.errors.empty()) return {kFailed, {}, std::move(local.errors)};
  if (local.objects.empty()) return Failure(names.front() + ": holds no objects");

  std::string out;
  for (const LocalObject& object : local.objects) {
    const Result<LocalObject> patched =
        PatchObject(invocation.Get("type", "strategic"), *patch, object);
    if (!patched.ok()) return Failure(object.Name() + ": " + patched.error().message());
    const Result<void> printed = Print(invocation.Get("output"), object, *patched, &out);
    if (!printed.ok()) return Failure(object.Name() + ": " + printed.error().message());
  }
  return {kOk, std::move(out), {}};
}

constexpr Option kOptions[] = {
    {.name = "local", .help = "patch what is in the files, and nothing elsewhere"},
    kFilenameOption,
    kRecursiveOption,
    {.name = "patch", .letter = 'p', .value = "PATCH", .help = "the patch, as JSON or YAML"},
    {.name = "patch-file",
     .value = "FILE",
     .help = "a file with the patch, or - for the standard input",
     .values = Values::kFiles},
    {.name = "type",
     .value = "TYPE",
     .help = "the kind of patch; strategic if not given",
     .values = Values::kWords,
     .words = "json merge strategic"},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .help = "print the patched objects, instead of what was done",
     .values = Values::kWords,
     .words = "json yaml name"},
};

}  // namespace

Command PatchCommand() {
  return {
      .name = "patch",
      .summary = "Apply a patch to objects in files",
      .details =
          "Applies a strategic merge patch, a JSON merge patch (RFC 7386) or a JSON patch (RFC "
          "6902) as an API server does, and prints what becomes of the objects; files stay as they "
          "are. No cluster is needed.\n"
          "A strategic merge patch knows the fields: elements of lists are told apart by their "
          "keys, and $patch, $setElementOrder, $deleteFromPrimitiveList and $retainKeys say what a "
          "value cannot. For kinds that podium does not know there are the two others.\n"
          "When an object cannot be patched, or would have unknown fields, nothing is printed.",
      .example =
          "  podium patch --local -f pod.yaml -p '{\"spec\":{\"nodeName\":\"n1\"}}' -o yaml\n"
          "  podium patch --local -f pod.yaml --patch-file change.yaml -o yaml\n"
          "  podium patch --local -f pod.yaml --type json -o yaml \\\n"
          "    -p '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"other\"}]'\n",
      .options = kOptions,
      .run = RunPatch,
  };
}

}  // namespace podium::cli
