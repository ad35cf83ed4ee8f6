// kubectl label and kubectl annotate (upstream's k8s.io/kubectl/pkg/cmd/label and annotate).
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "api/names.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/local_selection.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/table_text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// What the two commands differ in.
struct Mark {
  bool label;
  const char* word;     // "label"
  const char* member;   // of metadata: "labels"
  const char* manager;  // kubectl's, so that both own the same
  const char* file;     // what its messages call one: "pod"
};
constexpr Mark kLabel = {true, "label", "labels", "kubectl-label", "pod"};
constexpr Mark kAnnotation = {false, "annotation", "annotations", "kubectl-annotate", "rsrc"};
// Says why an object was changed last, and may always be replaced.
constexpr std::string_view kChangeCause = "kubernetes.io/change-cause";

struct Changes {
  std::vector<std::string> resources;
  std::map<std::string, std::string> set;
  std::vector<std::string> remove;
};

// KEY=VALUE or KEY-, rather than what objects are named by.
bool IsChange(std::string_view word) {
  const size_t equals = word.find('=');
  return (equals != word.npos && equals != 0) || (word.ends_with('-') && word != "-");
}

Result<void> AddLabel(const std::string& word, size_t equals, Changes* changes) {
  if (word.find('=', equals + 1) != word.npos) return Usage("invalid label spec: " + word);
  const std::string value = word.substr(equals + 1);
  const auto problems = api::IsValidLabelValue(value);
  if (!problems.empty()) {
    return Usage("invalid label value: " + reflect::GoQuoted(word) + ": " + Join(problems, ";"));
  }
  changes->set[word.substr(0, equals)] = value;
  return {};
}

Result<Changes> ChangesOf(const Mark& mark, const std::vector<std::string>& words) {
  Changes changes;
  bool any = false;
  for (const std::string& word : words) {
    if (!IsChange(word)) {
      if (any) {
        return Usage("all resources must be specified before " + std::string(mark.word) +
                     " changes: " + word);
      }
      changes.resources.push_back(word);
      continue;
    }
    any = true;
    const size_t equals = word.find('=');
    if (equals == word.npos) {
      changes.remove.push_back(word.substr(0, word.size() - 1));
    } else if (mark.label) {
      TRY_VOID(AddLabel(word, equals, &changes));
    } else {
      changes.set[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return changes;
}

// A key that is both set and removed.
Result<void> CheckContradictions(const Mark& mark, const Changes& changes) {
  std::string both;
  for (const std::string& key : changes.remove) {
    if (changes.set.contains(key)) both += (both.empty() ? "" : ", ") + key;
  }
  if (both.empty()) return {};
  if (mark.label) return Usage("can not both modify and remove a label in the same command");
  return Usage("can not both modify and remove the following annotation(s) in the same command: " +
               both);
}

// What --local takes.
Result<void> CheckLocal(const Mark& mark, const Invocation& invocation, const Changes& changes,
                        DryRun dry_run) {
  const std::string name = mark.file;
  const std::string files = "-f " + name + ".yaml or --filename=" + name + ".json";
  if (dry_run == DryRun::kServer) {
    return Usage("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
  }
  if (!changes.resources.empty()) {
    return Usage("can only use local files by " + files + " when --local=true is set");
  }
  if (invocation.Has("filename") || invocation.Has("kustomize")) return {};
  return Usage("one or more files must be specified as " + files);
}

Result<void> CheckResources(const Invocation& invocation, const Changes& changes) {
  if (!changes.resources.empty() || invocation.Has("filename") || invocation.Has("kustomize")) {
    return {};
  }
  return Usage("one or more resources must be specified as <resource> <name> or <resource>/<name>");
}

Result<void> Check(const Mark& mark, const Invocation& invocation, const Changes& changes,
                   DryRun dry_run) {
  if (mark.label) TRY_VOID(CheckContradictions(mark, changes));
  if (mark.label && invocation.Has("list") && invocation.Has("output")) {
    return Usage("--list and --output may not be specified together");
  }
  for (const char* selector : {"selector", "field-selector"}) {
    if (invocation.Has("all") && invocation.Has(selector)) {
      return Usage("cannot set --all and --" + std::string(selector) + " at the same time");
    }
  }
  TRY_VOID(invocation.Has("local") ? CheckLocal(mark, invocation, changes, dry_run)
                                   : CheckResources(invocation, changes));
  if (changes.set.empty() && changes.remove.empty() && !invocation.Has("list")) {
    return Usage("at least one " + std::string(mark.word) + " update is required");
  }
  return CheckContradictions(mark, changes);
}

// Whether the words mean one object by its name, or one file.
bool IsSingle(const Invocation& invocation, const Selection& selection) {
  if (invocation.Has("filename")) {
    return invocation.All("filename").size() == 1 && invocation.Get("filename") != "-";
  }
  return selection.items.size() == 1 && !selection.items[0].name.empty();
}

// One run of a command.
class Marker {
 public:
  // Without a server, which is null then, nothing is asked and sent.
  Marker(Server* server, const Invocation& invocation, const Mark& mark, const Changes& changes,
         DryRun dry_run, bool single)
      : invocation_(invocation),
        mark_(mark),
        changes_(changes),
        version_(invocation.Get("resource-version")),
        overwrite_(invocation.Has("overwrite")),
        list_(invocation.Has("list")),
        single_(single),
        dry_run_(dry_run) {
    if (!server) return;
    const std::string manager(invocation.Get("field-manager", mark.manager));
    writer_.emplace(*server, dry_run, manager, "");
  }

  // What it prints of the object, as far as it came.
  std::string Do(const Selected& item, std::vector<Error>* errors) {
    std::string out;
    auto done = Try(item, errors, &out);
    if (!done.ok()) errors->push_back(std::move(done).error());
    return out;
  }

 private:
  Result<void> Try(const Selected& item, std::vector<Error>* errors, std::string* out) {
    TRY(JsonValue object, Latest(item));
    JsonValue* metadata = object.Find("metadata");
    if (!metadata || !metadata->is_object()) return Usage("the object has no metadata");
    if (!overwrite_ && !MayChange(*metadata, errors)) return {};
    // The version that is asked for goes into the patch even where it is the object's own.
    if (!version_.empty()) (void)metadata->Erase("resourceVersion");
    const std::string before = reflect::ToText(object);
    const JsonValue patch = Apply(metadata, out);
    const std::string after = reflect::ToText(object);
    if (list_) {
      AppendList(item, *metadata, out);
      return {};
    }
    if (Sends()) {
      TRY(JsonValue answer,
          writer_->Patch(item, {.content_type = kMergePatch, .body = reflect::ToText(patch)}));
      // kubectl shows labels as it has set them, annotations as the server has.
      if (!mark_.label) object = std::move(answer);
    }
    // With kubectl each label begins a text anew, without "---"; annotations go on with one.
    if (!printer_ || mark_.label) {
      TRY(printer_, PrinterOf(invocation_));
    }
    if (printer_) return printer_->Print(object, out);
    *out +=
        EscapedText(item.PrintedName()) + " " + Deed(before, after) + DryRunMark(dry_run_) + '\n';
    return {};
  }

  bool Sends() const { return writer_ && dry_run_ != DryRun::kClient; }

  Result<JsonValue> Latest(const Selected& item) {
    if (!writer_ || (item.source.empty() && item.object.is_object())) return item.object;
    return writer_->Get(item);
  }

  bool MayChange(const JsonValue& metadata, std::vector<Error>* errors) const {
    std::string found;
    bool may = true;
    for (const auto& [key, value] : changes_.set) {
      const JsonValue* its = ValueAt(metadata, {mark_.member, key});
      if (!its || !its->is_string() || its->string() == value) continue;
      if (mark_.label) {
        errors->push_back(Usage("'" + key + "' already has a value (" + its->string() +
                                "), and --overwrite is false"));
        may = false;
      } else if (key != kChangeCause) {
        found +=
            (found.empty() ? "'" : "; '") + key + "' already has a value (" + its->string() + ")";
      }
    }
    if (found.empty()) return may;
    errors->push_back(
        Usage("--overwrite is false but found the following declared annotation(s): " + found));
    return false;
  }

  // Changes the metadata; returns the merge patch that does the same.
  JsonValue Apply(JsonValue* metadata, std::string* out) const {
    JsonValue changed = JsonValue::Of(JsonValue::Object());
    const JsonValue* old = metadata->Find(mark_.member);
    const bool was_there = old && old->is_object();
    JsonValue members = was_there ? *old : JsonValue::Of(JsonValue::Object());
    for (const auto& [key, value] : changes_.set) {
      const JsonValue* its = members.Find(key);
      if (its && its->is_string() && its->string() == value) continue;
      members.Set(key, JsonValue::String(value));
      changed.Set(key, JsonValue::String(value));
    }
    for (const std::string& key : changes_.remove) {
      if (members.Erase(key)) {
        changed.Set(key, JsonValue());
      } else if (mark_.label && !list_ && Sends()) {
        *out += "label " + reflect::GoQuoted(key) + " not found.\n";
      }
    }
    JsonValue patch = JsonValue::Of(JsonValue::Object());
    if (!changed.object().empty() || !was_there) patch.Set(mark_.member, std::move(changed));
    metadata->Set(mark_.member, std::move(members));
    if (!version_.empty()) {
      patch.Set("resourceVersion", JsonValue::String(version_));
      metadata->Set("resourceVersion", JsonValue::String(version_));
    }
    JsonValue whole = JsonValue::Of(JsonValue::Object());
    if (!patch.object().empty()) whole.Set("metadata", std::move(patch));
    return whole;
  }

  // kubectl tells by the sizes.
  std::string Deed(const std::string& before, const std::string& after) const {
    if (!mark_.label) return "annotated";
    if (before == after) return "not labeled";
    return !overwrite_ && after.size() < before.size() ? "unlabeled" : "labeled";
  }

  void AppendList(const Selected& item, const JsonValue& metadata, std::string* out) const {
    if (!single_) {
      *out += EscapedText("Listing " + std::string(mark_.member) + " for " + item.resource->kind +
                          "." + item.resource->group + "/" + item.name) +
              ":\n";
    }
    std::map<std::string, std::string> sorted;
    const JsonValue* members = metadata.Find(mark_.member);
    for (const auto& member : members->object()) {
      if (member.value.is_string()) sorted[member.key] = member.value.string();
    }
    for (const auto& [key, value] : sorted) {
      if (!single_) *out += ' ';
      out->append(EscapedText(key)).append("=").append(EscapedText(value)).append("\n");
    }
  }

  const Invocation& invocation_;
  const Mark& mark_;
  const Changes& changes_;
  const std::string version_;
  const bool overwrite_;
  const bool list_;
  const bool single_;
  const DryRun dry_run_;
  std::unique_ptr<ObjectPrinter> printer_;
  std::optional<Writer> writer_;
};

Result<Outcome> Run(const Mark& mark, const Invocation& invocation, const Streams& streams) {
  TRY(const DryRun dry_run, DryRunOf(invocation));
  TRY(const Changes changes, ChangesOf(mark, invocation.arguments()));
  TRY_VOID(Check(mark, invocation, changes, dry_run));
  // What is wrong with --output is told before anything else.
  TRY_VOID(PrinterOf(invocation));
  std::unique_ptr<Server> server;
  LocalSelection local;
  Selection& selection = local.selection;
  if (invocation.Has("local")) {
    TRY(local, SelectLocalFiles(invocation));
  } else {
    TRY(server, Server::Of(invocation, streams));
    TRY(selection, Select(*server, invocation, changes.resources, {.type_alone = false}));
  }
  const bool single = IsSingle(invocation, selection);
  if (!single && invocation.Has("resource-version")) {
    return Usage("--resource-version may only be used with a single resource");
  }
  Marker marker(server.get(), invocation, mark, changes, dry_run, single);
  std::vector<Error> errors = selection.errors;
  for (const Selected& item : selection.items) {
    auto listed = server ? Listed(*server, invocation, item) : std::vector<Selected>{item};
    if (!listed.ok()) {
      errors.push_back(std::move(listed).error());
      continue;
    }
    for (const Selected& each : *listed) {
      if (!streams.Out(marker.Do(each, &errors))) return Outcome{kFailed, {}, {}};
    }
  }
  return errors.empty() ? Outcome() : ServerFailure(errors);
}

Outcome RunLabel(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(kLabel, invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

Outcome RunAnnotate(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(kAnnotation, invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "overwrite", .help = "also keys that have another value"},
    {.name = "list", .help = "show what the object has; nothing is sent"},
    {.name = "all", .help = "all objects of the types"},
    kSelectorOption,
    kFieldSelectorOption,
    kAllNamespacesOption,
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    {.name = "local", .help = "change what is in files; no server is asked"},
    {.name = "resource-version",
     .value = "VERSION",
     .help = "only if the object is at this version; of one object"},
    {.name = "field-manager",
     .value = "NAME",
     .help = "who owns what is set; the same as with kubectl if not given"},
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);
constexpr const char* kArguments = "(TYPE NAME... | TYPE/NAME... | -f FILE) KEY=VALUE... KEY-...";
constexpr const char* kDetails =
    "KEY=VALUE sets, KEY- removes. A key that has another value is left alone without "
    "--overwrite.";

}  // namespace

Command LabelCommand() {
  return {
      .name = "label",
      .summary = "Set and remove labels of objects of a server",
      .arguments = kArguments,
      .max_arguments = 100'000,
      .details = kDetails,
      .example =
          "  podium label pod web tier=front\n"
          "  podium label pod web tier=back --overwrite\n"
          "  podium label pods --all tier-\n"
          "  podium label pod web --list\n"
          "  podium label -f web.yaml tier=front --local -o yaml\n",
      .options = kOptions,
      .live = RunLabel,
  };
}

Command AnnotateCommand() {
  return {
      .name = "annotate",
      .summary = "Set and remove annotations of objects of a server",
      .arguments = kArguments,
      .max_arguments = 100'000,
      .details = kDetails,
      .example =
          "  podium annotate deploy web kubernetes.io/change-cause='new image'\n"
          "  podium annotate pod web why-\n"
          "  podium annotate pods -l app=web team=shop --overwrite\n",
      .options = kOptions,
      .live = RunAnnotate,
  };
}

}  // namespace podium::cli
