#include "cli/edit_session.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "api/scheme.h"
#include "api/status.h"
#include "base/text.h"
#include "cli/edit_text.h"
#include "cli/editor.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/server_errors.h"
#include "cli/temporary_folder.h"
#include "cli/text.h"
#include "reflect/go_text.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::string_view kObjectHead =
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
    "# and an empty file will abort the edit. If an error occurs while saving this file will be\n"
    "# reopened with the relevant failures.\n"
    "#\n";
constexpr std::string_view kLastAppliedHead =
    "# Please edit the 'last-applied-configuration' annotations below.\n"
    "# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.\n"
    "#\n";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

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
  Editing(Server& server, const EditRules& rules, Writer& writer, ChangePrinter& printer,
          std::vector<Selected> items)
      : server_(server),
        streams_(server.streams()),
        rules_(rules),
        writer_(writer),
        printer_(printer),
        items_(std::move(items)) {}

  Result<Outcome> Run() {
    std::string original = Text();
    std::string text = original;
    while (true) {
      const std::string edited_before = std::exchange(edited_, {});
      TRY_VOID(LetEdit((rules_.json ? "" : EditHeader(Head(), reasons_)) + text));
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
  std::string_view Head() const {
    return rules_.mode == EditMode::kLastApplied ? kLastAppliedHead : kObjectHead;
  }

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
    if (rules_.json) {
      reflect::PrintJson(shown, {.indent = 4, .sort_keys = true, .canonical_numbers = true}, &out);
      return out + '\n';
    }
    reflect::WriteYaml(shown, &out);
    return out;
  }

  Result<void> LetEdit(std::string text) {
    if (rules_.windows_lines) text = WithWindowsLines(text);
    const std::string before = file_;
    TRY(file_, WriteTemporaryFile("podium-edit-", rules_.json ? ".json" : ".yaml", text));
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
    if (!MeaningOf(edited_, &problem)) {
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
    switch (rules_.mode) {
      case EditMode::kPatch:
        return SavePatched(item);
      case EditMode::kCreate:
        return SaveNew(item);
      case EditMode::kLastApplied:
        return SaveLastApplied(*item);
    }
    return {};
  }

  Result<void> SaveNew(Selected* item) {
    if (rules_.save_config) item->object = WithLastApplied(std::move(item->object));
    if (writer_.dry_run() == DryRun::kClient) return Show(item->object, "created");
    TRY(const JsonValue created, writer_.Create(*item, item->object));
    return Show(created, "created");
  }

  Result<void> SaveLastApplied(const Selected& item) {
    const auto original = std::ranges::find_if(items_, [&](const Selected& each) {
      return each.resource == item.resource && each.name == item.name &&
             each.namespace_ == item.namespace_;
    });
    if (original == items_.end()) {
      return Usage("At least one of apiVersion, kind and name was changed");
    }
    if (Equivalent(original->object, item.object)) return Show(item.object, "skipped");
    TRY_VOID(writer_.Patch(
        item, {.content_type = kMergePatch, .body = LastAppliedPatch(CanonicalText(item.object))}));
    return Show(item.object, "edited");
  }

  Result<void> SavePatched(Selected* item) {
    TRY(const Selected* original, OriginalOf(*item));
    SetManagedFields(original->object, &item->object);
    if (rules_.save_config) item->object = WithLastApplied(std::move(item->object));
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
    if (rules_.output_patch && !streams_.Out("Patch: " + body + '\n')) return {};
    const auto patched = writer_.Patch(*item, {.content_type = type ? kStrategicPatch : kMergePatch,
                                               .body = body,
                                               .subresource = rules_.subresource});
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
      EditReason reason{.head = what + " was not valid"};
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
  const EditRules& rules_;
  Writer& writer_;
  ChangePrinter& printer_;
  const std::vector<Selected> items_;  // as they are on the server
  std::string file_;
  std::string edited_;
  std::vector<EditReason> reasons_;
  int lost_ = 0;  // objects that could not be saved
  int deleted_ = 0;
};

}  // namespace

EditRules EditRules::Of(const Invocation& invocation, EditMode mode) {
  return {.mode = mode,
          .json = invocation.Get("output") == "json",
          .save_config = invocation.Has("save-config"),
          .output_patch = invocation.Has("output-patch"),
          .windows_lines = invocation.Has("windows-line-endings"),
          .subresource = invocation.Get("subresource")};
}

Result<ChangePrinter> EditedPrinter(const Invocation& invocation, DryRun dry_run) {
  const std::string_view form = invocation.Get("output");
  if (!form.empty() && form != "yaml" && form != "json") {
    return Usage("unable to match a printer suitable for the output format " +
                 reflect::GoQuoted(form) + ", allowed formats are: json,yaml");
  }
  return ChangePrinter::Of(invocation, dry_run);
}

Result<Outcome> EditObjects(Server& server, const EditRules& rules, Writer& writer,
                            ChangePrinter& printer, std::vector<Selected> items) {
  return Editing(server, rules, writer, printer, std::move(items)).Run();
}

}  // namespace podium::cli
