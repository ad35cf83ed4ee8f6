#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/local_objects.h"
#include "cli/object_printer.h"
#include "cli/patch_server.h"
#include "cli/patched.h"
#include "cli/selection.h"
#include "cli/server_options.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Outcome Failure(const std::string& message) {
  return {kFailed, {}, "podium patch: " + Printable(message) + '\n'};
}

Result<LocalObject> PatchObject(std::string_view patch_type, const JsonValue& patch,
                                const LocalObject& object) {
  TRY(const JsonValue document, Patched(patch_type, patch, object.type, object.json));
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

// Empty, or what is wrong with the options.
std::string LocalProblem(const Invocation& invocation) {
  for (const char* option : {"subresource", "dry-run", "field-manager", "kustomize"}) {
    if (invocation.Has(option)) {
      return "--" + std::string(option) + " is of servers, and not of --local";
    }
  }
  if (!invocation.arguments().empty()) return "with --local, objects are named with -f";
  const std::string_view form = invocation.Get("output");
  if (form.empty() || form == "json" || form == "yaml" || form == "name") return {};
  return "with --local, --output is json, yaml or name";
}

Outcome PatchFiles(const Invocation& invocation) {
  if (const std::string problem = LocalProblem(invocation); !problem.empty()) {
    return UsageError("patch", problem);
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

Outcome RunPatch(const Invocation& invocation, const Streams& streams) {
  return invocation.Has("local") ? PatchFiles(invocation) : PatchOnServer(invocation, streams);
}

constexpr Option kOwnOptions[] = {
    {.name = "local", .help = "patch what is in the files, and nothing elsewhere"},
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
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
    {.name = "subresource", .value = "NAME", .help = "status, scale or resize, not the object"},
    {.name = "field-manager", .value = "NAME", .help = "who patches; kubectl-patch if not given"},
    kDryRunOption,
    kChangedOutputOption,
    kShowManagedFieldsOption,
    kTemplateOption,
    kAllowMissingKeysOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command PatchCommand() {
  return {
      .name = "patch",
      .summary = "Patch objects of a server, or of files",
      .arguments = "TYPE NAME... | TYPE/NAME... | -f FILE | --local -f FILE",
      .max_arguments = 100'000,
      .details =
          "A strategic merge patch, a JSON merge patch (RFC 7386) or a JSON patch (RFC 6902) is "
          "sent to the server. With --local there is none: the patch is applied as an API server "
          "does, and what becomes of the objects is printed; files stay as they are.\n"
          "A strategic merge patch knows the fields: elements of lists are told apart by their "
          "keys, and $patch, $setElementOrder, $deleteFromPrimitiveList and $retainKeys say what a "
          "value cannot. For kinds that podium does not know, and custom resources, there are the "
          "two others.\n"
          "With --local, when an object cannot be patched, or would have unknown fields, nothing "
          "is printed.",
      .example =
          "  podium patch deploy web -p '{\"spec\":{\"replicas\":3}}'\n"
          "  podium patch node n1 --type merge --patch-file change.yaml --dry-run=server\n"
          "  podium patch --local -f pod.yaml -p '{\"spec\":{\"nodeName\":\"n1\"}}' -o yaml\n"
          "  podium patch --local -f pod.yaml --patch-file change.yaml -o yaml\n"
          "  podium patch --local -f pod.yaml --type json -o yaml \\\n"
          "    -p '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"other\"}]'\n",
      .options = kOptions,
      .live = RunPatch,
  };
}

}  // namespace podium::cli
