#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "api/conversion/conversion.h"
#include "api/scheme.h"
#include "api/time.h"
#include "cli/apply_server.h"
#include "cli/commands.h"
#include "cli/deletion_options.h"
#include "cli/input.h"
#include "cli/local_objects.h"
#include "cli/prune.h"
#include "cli/selection.h"
#include "cli/server_options.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "reflect/apply/field_manager.h"
#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::FieldManager;
using reflect::JsonValue;
using reflect::VersionedValue;

constexpr std::string_view kDefaultManager = "podium";

constexpr std::string_view kWhatToDo =
    "Take the fields over with --force-conflicts; or leave them out of the file, and their owners "
    "keep them; or give them the value that they have, and own them together.\n";

// As the server would: between the versions of a kind that objects are stored and served in. Fields
// owned in a version that is gone are nobody's.
Result<VersionedValue> ConvertLocally(const VersionedValue& value, std::string_view api_version) {
  const JsonValue* kind = value.value.Find("kind");
  const reflect::Type* type =
      kind && kind->is_string() ? api::FindType(api_version, kind->string()) : nullptr;
  if (type == nullptr) return Error(Code::kNotFound, "no such version");
  if (value.type == nullptr || !api::IsConvertible(*value.type, *type)) {
    return Error(Code::kUnsupported, "managedFields has an entry of " + std::string(api_version) +
                                         ", which cannot be converted to");
  }
  reflect::AnyObject object(*value.type);
  TRY_VOID(
      reflect::DecodeJsonInto(ToText(value.value), *value.type, object.get(), {.strict = false}));
  TRY(const reflect::AnyObject converted, api::ConvertObject(*value.type, object.get(), *type));
  std::string json;
  TRY_VOID(reflect::EncodeJson(*type, converted.get(), &json));
  TRY(JsonValue json_value, reflect::ParseJson(json));
  return VersionedValue{type, std::string(api_version), std::move(json_value)};
}

// The object that the file describes, or null where there is none yet.
LocalObject* FindLive(std::vector<LocalObject>* live, const LocalObject& config) {
  for (LocalObject& object : *live) {
    if (object.header.name == config.header.name && object.header.kind == config.header.kind &&
        object.header.api_version == config.header.api_version &&
        object.Namespace() == config.Namespace()) {
      return &object;
    }
  }
  return nullptr;
}

struct AppliedObject {
  LocalObject object;
  std::vector<reflect::FieldConflict> conflicts;  // then the object is not there
  bool changed = false;
};

Result<AppliedObject> ApplyObject(const LocalObject& config, const LocalObject* live,
                                  const reflect::WriteOptions& options) {
  const FieldManager manager({.type = config.type,
                              .api_version = config.header.api_version,
                              .kind = config.header.kind,
                              .hooks = {.convert = ConvertLocally, .filter = {}}});
  JsonValue before;
  if (live != nullptr) {
    before = live->json;
  } else {
    TRY(before, manager.NewObject());
  }
  TRY(reflect::ApplyOutcome outcome, manager.Apply(before, config.source, options));
  AppliedObject applied;
  applied.conflicts = std::move(outcome.conflicts);
  if (!applied.conflicts.empty()) return applied;
  TRY(applied.object, ToLocalObject(config.type, outcome.object));
  if (live != nullptr) reflect::KeepTimesOfUnchanged(live->json, &applied.object.json);
  applied.changed = live == nullptr || !Equivalent(live->json, applied.object.json);
  return applied;
}

std::string TextOf(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value && value->is_string() ? value->string() : std::string();
}

// Who owns what, a field a line.
Result<std::string> Ownership(const JsonValue& object) {
  std::string out;
  const JsonValue* metadata = object.Find("metadata");
  const JsonValue* entries = metadata ? metadata->Find("managedFields") : nullptr;
  if (entries == nullptr || !entries->is_array()) return out;
  for (const JsonValue& entry : entries->array()) {
    out += "  " + Printable(TextOf(entry, "manager"));
    out += TextOf(entry, "operation") == "Apply" ? " applies" : " has set";
    const std::string subresource = TextOf(entry, "subresource");
    if (!subresource.empty()) out += " through " + Printable(subresource);
    out += ":\n";
    const JsonValue* fields = entry.Find("fieldsV1");
    if (fields == nullptr) continue;
    TRY(const reflect::FieldSet set, reflect::FieldSet::FromJson(*fields));
    set.Leaves().ForEach([&](const reflect::FieldPathElements& path) {
      const std::string shown = Shown(path);
      out += "    " + Printable(shown.substr(shown.starts_with('.') ? 1 : 0)) + '\n';
    });
  }
  return out;
}

Result<void> Print(std::string_view format, const AppliedObject& applied, std::string* out) {
  if (format == "json") {
    reflect::PrintJson(applied.object.json, {.indent = 4}, out);
    *out += '\n';
    return {};
  }
  if (format == "yaml") {
    if (!out->empty()) *out += "---\n";
    return reflect::JsonToYaml(ToText(applied.object.json), out);
  }
  *out += Printable(applied.object.Name());
  if (format.empty()) {
    *out += applied.changed ? " serverside-applied\n" : " serverside-applied (no change)\n";
    TRY(const std::string owners, Ownership(applied.object.json));
    *out += owners;
    return {};
  }
  *out += '\n';
  return {};
}

std::string ErrorText(const LocalObject& object, const std::string& message) {
  return "podium apply: " + Printable(object.Name() + ": " + message, true) + '\n';
}

// What only one of the two ways of this command knows.
constexpr const char* kOfServers[] = {"server-side",  "dry-run",   "overwrite", "validate",
                                      "prune",        "kustomize", "force",     "cascade",
                                      "grace-period", "wait",      "timeout"};

// Empty, or what is wrong with the options.
std::string LocalProblem(const Invocation& invocation) {
  for (const char* option : kOfServers) {
    if (invocation.Has(option)) {
      return "--" + std::string(option) + " is of servers, and not of --local";
    }
  }
  const std::string_view form = invocation.Get("output");
  if (form.empty() || form == "json" || form == "yaml" || form == "name") return {};
  return "with --local, --output is json, yaml or name";
}

Outcome ApplyToFiles(const Invocation& invocation) {
  if (const std::string problem = LocalProblem(invocation); !problem.empty()) {
    return UsageError("apply", problem);
  }
  std::vector<std::string> names = invocation.All("filename");
  for (const std::string& argument : invocation.arguments()) names.push_back(argument);
  if (names.empty()) return UsageError("apply", "which file? name it with -f");
  const std::vector<std::string> onto = invocation.All("onto");
  std::vector<std::string> inputs = names;
  inputs.insert(inputs.end(), onto.begin(), onto.end());
  if (NamesStandardInputTwice(inputs)) {
    return UsageError("apply", "the standard input (-) can be read only once");
  }
  const LocalOptions options{.recursive = invocation.Has("recursive")};
  const LocalObjects configs = ReadLocalObjects(names, options);
  LocalObjects live = ReadLocalObjects(onto, options);
  if (const std::string errors = configs.errors + live.errors; !errors.empty()) {
    return {kFailed, {}, errors};
  }
  if (configs.objects.empty()) {
    return {kFailed, {}, "podium apply: " + Printable(names.front()) + ": holds no objects\n"};
  }
  const reflect::WriteOptions write{
      .manager = std::string(invocation.Get("field-manager", kDefaultManager)),
      .time = api::Time::FromUnix(std::time(nullptr)).String(),
      .force = invocation.Has("force-conflicts")};
  Outcome outcome;
  for (const LocalObject& config : configs.objects) {
    LocalObject* const before = FindLive(&live.objects, config);
    const auto applied = ApplyObject(config, before, write);
    if (!applied.ok()) return {kFailed, {}, ErrorText(config, applied.error().message())};
    if (!applied->conflicts.empty()) {
      return {kFailed,
              {},
              ErrorText(config, ConflictMessage(applied->conflicts)) + std::string(kWhatToDo)};
    }
    const Result<void> printed = Print(invocation.Get("output"), *applied, &outcome.out);
    if (!printed.ok()) return {kFailed, {}, ErrorText(config, printed.error().message())};
    // The files may have the object once more.
    if (before != nullptr) {
      *before = applied->object;
    } else {
      live.objects.push_back(applied->object);
    }
  }
  return outcome;
}

Outcome RunApply(const Invocation& invocation, const Streams& streams) {
  if (invocation.Has("local")) return ApplyToFiles(invocation);
  if (invocation.Has("onto")) return UsageError("apply", "--onto is of --local");
  return ApplyToServer(invocation, streams);
}

constexpr Option kOwnOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    {.name = "server-side", .help = "the server merges, and keeps who owns which field"},
    {.name = "force-conflicts", .help = "take over what others own"},
    {.name = "field-manager",
     .value = "NAME",
     .help = "who applies; if not given kubectl's names, so that it and podium are one, and podium "
             "with --local"},
    {.name = "overwrite",
     .value = "BOOL",
     .help = "false: what was changed since in another way is a conflict",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    kDryRunOption,
    kValidateOption,
    kSelectorOption,
    {.name = "prune",
     .help = "then delete what was applied once, is selected (-l, or --all), and is not in the "
             "files any more"},
    {.name = "all", .help = "select all for --prune"},
    kPruneAllowlistOption,
    {.name = "force",
     .help = "what the server says cannot be changed is deleted and made anew; or, where that "
             "fails, made again as it was"},
    kCascadeOption,
    {.name = "grace-period",
     .value = "SECONDS",
     .help = "time that what is deleted has to end; its own if not given, 0 only with --force"},
    {.name = "wait",
     .value = "BOOL",
     .help = "until what was pruned is gone",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "timeout", .value = "TIME", .help = "for each that is deleted; 0 for ever"},
    kChangedOutputOption,
    kShowManagedFieldsOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    {.name = "local", .help = "apply to what is in files, and to nothing elsewhere"},
    {.name = "onto",
     .value = "FILE",
     .help = "the objects as they are, with their managedFields; without it they are new",
     .values = Values::kFiles,
     .repeatable = true},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ApplyCommand() {
  return {
      .name = "apply",
      .summary = "Create the objects of files, or change those that are there",
      .arguments = "-f FILE | --local [FILE...]",
      .max_arguments = 100'000,
      .values = Values::kFiles,
      .details =
          "Brings the server's objects to what the files say: what they said before and do not any "
          "more goes, what others have added stays. What was applied last stands in an annotation "
          "of the object; with --server-side the server itself keeps who owns which field, and a "
          "field that somebody else owns and that would change is a conflict.\n"
          "With -l only those objects of the files are applied whose labels are so. --prune looks "
          "in the namespaces of what was applied, and at what is in none.\n"
          "With --local there is no server: what the files say is merged into the objects that "
          "--onto names, as server-side apply does, and what becomes of them is printed, with who "
          "owns which of their fields; files stay as they are. Elements of lists are told apart by "
          "their keys. What is printed with -o yaml can be applied to again. With a conflict, or "
          "when something cannot be read, nothing is printed.",
      .example =
          "  podium apply -f app.yaml\n"
          "  podium apply -f deploy/ -R --server-side --dry-run=server\n"
          "  podium apply -f shop/ --prune -l app=shop\n"
          "  podium apply --local app.yaml --field-manager=ci -o yaml > live.yaml\n"
          "  podium apply --local scale.yaml --onto live.yaml --field-manager=scaler\n"
          "  podium apply --local -f scale.yaml --onto live.yaml --force-conflicts -o json\n",
      .options = kOptions,
      .subcommands = LastAppliedCommands(),
      .live = RunApply,
  };
}

}  // namespace podium::cli
