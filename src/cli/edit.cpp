// kubectl edit (upstream's k8s.io/kubectl/pkg/cmd/util/editor, release 1.32). Unlike there lines
// that begin with '#' stay where they are part of the object, and an empty file ends it in every
// case.
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "api/status.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/create_options.h"
#include "cli/editor.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/temporary_folder.h"
#include "cli/text.h"
#include "reflect/go_text.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::string_view kHeader =
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
    "# and an empty file will abort the edit. If an error occurs while saving this file will be\n"
    "# reopened with the relevant failures.\n"
    "#\n";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Why a file is opened again.
struct Reason {
  std::string head;
  std::vector<std::string> details = {};
};

std::string Commented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "# ";
  }
  return out;
}

std::string HeaderOf(const std::vector<Reason>& reasons) {
  std::string out(kHeader);
  for (const Reason& reason : reasons) {
    out += "# " + Commented(reason.head) + (reason.details.empty() ? "\n" : ":\n");
    for (const std::string& detail : reason.details) out += "# * " + Commented(detail) + '\n';
    out += "#\n";
  }
  return out;
}

// The text without the comments before its first line.
std::string_view WithoutHeader(std::string_view text) {
  while (text.starts_with('#')) {
    const size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return text;
}

// A carriage return before each line feed that has none yet.
std::string WithWindowsLines(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

bool HasLines(std::string_view text) {
  for (const std::string_view line : Split(text, '\n')) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start != line.npos && line[start] != '#') return true;
  }
  return false;
}

// What the text says, whatever its form; nothing where it is no YAML.
std::optional<std::vector<JsonValue>> Meaning(std::string_view text, std::string* problem) {
  std::vector<JsonValue> out;
  DocumentReader reader(text);
  Document document;
  while (reader.Next(&document)) {
    *problem = document.problem;
    if (!problem->empty()) {
      *problem = "line " + std::to_string(document.problem_position.line) + ": " + *problem;
      return {};
    }
    auto json = reflect::ParseJson(document.json);
    if (!json.ok()) {
      *problem = json.error().message();
      return {};
    }
    if (!json->is_null()) out.push_back(*std::move(json));
  }
  return out;
}

bool SaysTheSame(std::string_view one, std::string_view other) {
  std::string problem;
  const auto first = Meaning(one, &problem);
  const auto second = Meaning(other, &problem);
  if (!first || !second) return WithoutHeader(one) == WithoutHeader(other);
  if (first->size() != second->size()) return false;
  for (size_t i = 0; i < first->size(); ++i) {
    if (!Equivalent((*first)[i], (*second)[i])) return false;
  }
  return true;
}

// Who owns the fields is not edited; the object is sent as if it were still there.
void SetManagedFields(const JsonValue& from, JsonValue* object) {
  JsonValue* metadata = object->Find("metadata");
  if (!metadata || !metadata->is_object()) return;
  const JsonValue* fields = ValueAt(from, {"metadata", "managedFields"});
  if (fields) {
    metadata->Set("managedFields", *fields);
  } else {
    (void)metadata->Erase("managedFields");
  }
}

JsonValue WithoutManagedFields(JsonValue object) {
  SetManagedFields({}, &object);
  return object;
}

bool ChangesIdentity(const JsonValue& patch) {
  return patch.Find("apiVersion") || patch.Find("kind") || ValueAt(patch, {"metadata", "name"});
}

// One run of the command.
class Editing {
 public:
  Editing(Server& server, const Invocation& invocation, Writer& writer, ChangePrinter& printer,
          std::vector<Selected> items)
      : server_(server),
        streams_(server.streams()),
        writer_(writer),
        printer_(printer),
        items_(std::move(items)),
        json_(invocation.Get("output") == "json"),
        save_config_(invocation.Has("save-config")),
        output_patch_(invocation.Has("output-patch")),
        windows_lines_(invocation.Has("windows-line-endings")),
        subresource_(invocation.Get("subresource")) {}

  Result<Outcome> Run() {
    std::string original = Text();
    std::string text = original;
    while (true) {
      const std::string edited_before = std::exchange(edited_, {});
      TRY_VOID(LetEdit((json_ ? "" : HeaderOf(reasons_)) + text));
      if (!reasons_.empty() && SaysTheSame(edited_before, edited_)) {
        return Kept(Usage("Edit cancelled, no valid changes were saved."));
      }
      if (!HasLines(edited_)) return Cancelled("Edit cancelled, saved file was empty.");
      if (reasons_.empty() && SaysTheSame(original, edited_)) {
        return Cancelled("Edit cancelled, no changes made.");
      }
      reasons_.clear();
      auto again = Save();
      if (!again.ok()) return Kept(std::move(again).error());
      if (lost_ > 0) return Outcome{kFailed, {}, LostText()};
      if (!*again) {
        (void)unlink(file_.c_str());
        return Outcome();
      }
      text = WithoutHeader(edited_);
    }
  }

 private:
  std::string Text() const {
    JsonValue shown;
    if (items_.size() == 1) {
      shown = WithoutManagedFields(items_[0].object);
    } else {
      JsonValue::Array all;
      for (const Selected& item : items_) all.push_back(WithoutManagedFields(item.object));
      shown = ListOf(std::move(all));
    }
    std::string out;
    if (json_) {
      reflect::PrintJson(shown, {.indent = 4, .sort_keys = true, .canonical_numbers = true}, &out);
      return out + '\n';
    }
    reflect::WriteYaml(shown, &out);
    return out;
  }

  Result<void> LetEdit(std::string text) {
    if (windows_lines_) text = WithWindowsLines(text);
    const std::string before = file_;
    TRY(file_, WriteTemporaryFile("podium-edit-", json_ ? ".json" : ".yaml", text));
    if (!before.empty()) (void)unlink(before.c_str());
    if (auto edited = EditFile(file_, streams_); !edited.ok()) return Abandon(text, edited.error());
    auto read = ReadInput(file_);
    if (!read.ok()) return std::move(read).error().WithContext(file_);
    edited_ = *std::move(read);
    return {};
  }

  // What the editor has left behind is kept only if somebody typed it.
  Error Abandon(const std::string& text, const Error& error) {
    const auto left = ReadInput(file_);
    if (!reasons_.empty() || (left.ok() && *left != text)) return Kept(error);
    (void)unlink(file_.c_str());
    return error;
  }

  Error Kept(const Error& error) const {
    Tell("A copy of your changes has been stored to " + reflect::GoQuoted(file_));
    return error;
  }

  Outcome Cancelled(const char* why) const {
    (void)unlink(file_.c_str());
    return {kOk, {}, std::string(why) + '\n'};
  }

  void Tell(const std::string& line) const { (void)streams_.Err(Printable(line, true) + '\n'); }

  std::string LostText() const {
    const std::string file = reflect::GoQuoted(file_);
    return deleted_ > 0
               ? "The edits you made on deleted resources have been saved to " + file + '\n'
               : "A copy of your changes has been stored to " + file + '\n';
  }

  // Whether the file is to be opened again.
  Result<bool> Save() {
    std::string problem;
    if (!Meaning(edited_, &problem)) {
      const Selected& first = items_[0];
      Tell("error: " + first.resource->GroupResource() + " " + reflect::GoQuoted(first.name) +
           " is invalid");
      reasons_.push_back(
          {.head = first.resource->GroupResource() + " " + reflect::GoQuoted(first.name) +
                   " was not valid",
           .details = {"<nil>: Invalid value: \"The edited file failed validation\": yaml: " +
                       problem}});
      return true;
    }
    TRY(Selection edited, SelectText(server_, edited_, "edited-file"));
    if (!edited.errors.empty()) {
      const auto message = [](const Error& error) { return error.message(); };
      reasons_.push_back(
          {.head = "The edited file had a syntax error: " + Join(edited.errors, ", ", message)});
      return true;
    }
    for (const Selected& item : edited.items) TRY_VOID(RequireNamespace(server_, item));
    for (Selected& item : edited.items) TRY_VOID(SaveOne(&item));
    return !reasons_.empty();
  }

  Result<const Selected*> OriginalOf(const Selected& edited) const {
    const std::string_view uid = TextAt(edited.object, {"metadata", "uid"});
    for (const Selected& item : items_) {
      if (TextAt(item.object, {"metadata", "uid"}) == uid) return &item;
    }
    return Usage("no original object found for " + edited.PrintedName() +
                 ": its metadata.uid is that of none");
  }

  Result<void> SaveOne(Selected* item) {
    TRY(const Selected* original, OriginalOf(*item));
    SetManagedFields(original->object, &item->object);
    if (save_config_) item->object = WithLastApplied(std::move(item->object));
    if (Equivalent(original->object, item->object)) return Show(item->object, "skipped");
    const reflect::Type* type = api::FindType(item->resource->ApiVersion(), item->resource->kind);
    JsonValue patch;
    if (type) {
      TRY(patch, reflect::MakeStrategicPatch(*type, original->object, item->object));
    } else {
      patch = reflect::MakeMergePatch(original->object, item->object);
    }
    if (ChangesIdentity(patch)) {
      return Usage("At least one of apiVersion, kind and name was changed");
    }
    const std::string body = reflect::ToText(patch, {.sort_keys = true, .canonical_numbers = true});
    if (output_patch_ && !streams_.Out("Patch: " + body + '\n')) return {};
    const auto patched = writer_.Patch(*item, {.content_type = type ? kStrategicPatch : kMergePatch,
                                               .body = body,
                                               .subresource = subresource_});
    if (patched.ok()) return Show(*patched, "edited");
    Refused(*item, patched.error());
    return {};
  }

  Result<void> Show(const JsonValue& object, std::string_view deed) const {
    std::string out;
    TRY_VOID(printer_.Print(object, deed, &out));
    (void)streams_.Out(out);
    return {};
  }

  void Refused(const Selected& item, const Error& error) {
    const std::string what = item.resource->GroupResource() + " " + reflect::GoQuoted(item.name);
    const api::meta::v1::Status* status = api::FindStatus(error);
    if (status && status->reason == "Invalid") {
      Reason reason{.head = what + " was not valid"};
      if (status->details) {
        for (const auto& cause : status->details->causes) {
          reason.details.push_back(cause.field + ": " + cause.message);
        }
      }
      reasons_.push_back(std::move(reason));
      return Tell("error: " + what + " is invalid");
    }
    ++lost_;
    if (IsNotFound(error)) {
      ++deleted_;
      return Tell("error: " + what + " could not be found on the server");
    }
    Tell("error: " + what + " could not be patched: " + error.message());
  }

  Server& server_;
  const Streams streams_;
  Writer& writer_;
  ChangePrinter& printer_;
  const std::vector<Selected> items_;  // as they are on the server
  const bool json_;
  const bool save_config_;
  const bool output_patch_;
  const bool windows_lines_;
  const std::string_view subresource_;
  std::string file_;
  std::string edited_;
  std::vector<Reason> reasons_;
  int lost_ = 0;  // objects that could not be saved
  int deleted_ = 0;
};

// What it is edited as, and printed as then.
Result<ChangePrinter> EditedPrinter(const Invocation& invocation) {
  const std::string_view form = invocation.Get("output");
  if (!form.empty() && form != "yaml" && form != "json") {
    return Usage("unable to match a printer suitable for the output format " +
                 reflect::GoQuoted(form) + ", allowed formats are: json,yaml");
  }
  return ChangePrinter::Of(invocation, DryRun::kNone);
}

Result<Outcome> Edit(const Invocation& invocation, const Streams& streams) {
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection, Select(*server, invocation, invocation.arguments(), {}));
  Writer writer(*server, DryRun::kNone, CreateManagerOf(invocation, "kubectl-edit"),
                FieldValidationOf(invocation));
  std::vector<Error> errors = selection.errors;
  std::vector<Selected> items =
      FetchAll(*server, invocation, selection, invocation.Get("subresource"), &errors);
  if (!errors.empty()) return ServerFailure(errors);
  if (items.empty()) return Usage("edit cancelled, no objects found");
  TRY(ChangePrinter printer, EditedPrinter(invocation));
  return Editing(*server, invocation, writer, printer, std::move(items)).Run();
}

Outcome RunEdit(const Invocation& invocation, const Streams& streams) {
  auto outcome = Edit(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .help = "edit it as yaml or json, and print what becomes of it"},
    {.name = "output-patch", .help = "print what is sent"},
    {.name = "windows-line-endings", .help = "lines end with a carriage return and a line feed"},
    kSaveConfigOption,
    {.name = "subresource", .value = "NAME", .help = "edit this part of the object: status, scale"},
    kCreateManagerOption,
    kValidateOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command EditCommand() {
  return {
      .name = "edit",
      .summary = "Edit objects of a server in an editor",
      .arguments = "TYPE[/NAME] | TYPE NAME... | -f FILE",
      .max_arguments = 100'000,
      .details =
          "Opens the objects in the editor that KUBE_EDITOR or EDITOR names, or vi, and sends what "
          "was changed when it ends. What the server refuses is opened again, with the reasons "
          "above it; an empty file, or one without changes, ends it. Several objects are edited as "
          "one list, and saved one by one.",
      .example =
          "  podium edit deploy/web\n"
          "  KUBE_EDITOR=nano podium edit svc web -o json\n"
          "  podium edit deploy web --subresource=status\n"
          "  podium edit cm settings --save-config\n",
      .options = kOptions,
      .live = RunEdit,
  };
}

}  // namespace podium::cli
