// kubectl apply view-last-applied, set-last-applied and edit-last-applied (upstream's
// k8s.io/kubectl/pkg/cmd/apply, release 1.32): what objects were applied with last.
#include <utility>
#include <vector>

#include "cli/apply_server.h"
#include "cli/create_options.h"
#include "cli/edit_session.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::string_view kManager = "kubectl-client-side-apply";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Outcome Told(Result<Outcome> outcome) {
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

Result<std::vector<Selected>> Fetch(Server& server, const Invocation& invocation) {
  TRY(const Selection selection, Select(server, invocation, invocation.arguments(), {}));
  std::vector<Error> errors = selection.errors;
  std::vector<Selected> items = FetchAll(server, invocation, selection, {}, &errors);
  if (!errors.empty()) return Aggregate(errors);
  return items;
}

Result<Outcome> View(const Invocation& invocation, const Streams& streams) {
  const std::string_view form = invocation.Get("output", "yaml");
  if (form != "yaml" && form != "json") {
    return ArgumentsError("apply view-last-applied",
                          "Unexpected -o output mode: " + std::string(form) +
                              ", the flag 'output' must be one of yaml|json");
  }
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const auto items, Fetch(*server, invocation));
  Outcome outcome;
  for (const Selected& item : items) {
    const auto text = LastApplied(item.object);
    if (!text) {
      outcome.status = kFailed;
      outcome.err += "error: no last-applied-configuration annotation found on " +
                     Printable(item.PrintedName()) + '\n';
      continue;
    }
    TRY(const JsonValue config, reflect::ParseJson(*text));
    if (form == "json") {
      reflect::PrintJson(config, {.indent = 2}, &outcome.out);
      outcome.out += '\n';
    } else {
      reflect::WriteYaml(config, &outcome.out);
    }
  }
  return outcome;
}

// One object of a file, whose text is to be what was applied last.
Result<void> SetOne(const Invocation& invocation, Writer& writer, const Selected& item,
                    ChangePrinter& printer, std::string* out) {
  auto live = writer.Get(item);
  if (!live.ok()) return std::move(live).error();
  const auto before = LastApplied(*live);
  if (!before && !invocation.Has("create-annotation")) {
    return Usage("no last-applied-configuration annotation found on resource: " + item.name +
                 ", to create the annotation, run the command with --create-annotation");
  }
  const std::string text = CanonicalText(item.object);
  if (before && *before == text) {
    *out += "set-last-applied " + Printable(item.name) + ": no changes required.\n";
    return {};
  }
  JsonValue after = *std::move(live);
  if (writer.dry_run() != DryRun::kClient) {
    TRY(after, writer.Patch(item, {.content_type = kMergePatch, .body = LastAppliedPatch(text)}));
  }
  return printer.Print(after, "configured", out);
}

Result<Outcome> Set(const Invocation& invocation, const Streams& streams) {
  if (!invocation.Has("filename")) {
    return Usage(SelectionRules().nothing);
  }
  TRY(const DryRun dry_run, DryRunOf(invocation));
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection, SelectFiles(*server, invocation));
  Writer writer(*server, dry_run, std::string("kubectl"), "");
  std::vector<Error> errors = selection.errors;
  std::string out;
  for (const Selected& item : selection.items) {
    auto set = SetOne(invocation, writer, item, printer, &out);
    if (!set.ok()) errors.push_back(std::move(set).error());
  }
  if (errors.empty()) return Outcome{kOk, std::move(out), {}};
  return ServerFailure(errors, std::move(out));
}

Result<Outcome> Edit(const Invocation& invocation, const Streams& streams) {
  TRY(ChangePrinter printer, EditedPrinter(invocation, DryRun::kNone));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const auto items, Fetch(*server, invocation));
  std::vector<Selected> configs;
  for (const Selected& item : items) {
    const auto text = LastApplied(item.object);
    if (!text) continue;
    TRY(Selection config, SelectText(*server, *text, "edited-file"));
    if (!config.errors.empty()) return Aggregate(config.errors);
    for (Selected& each : config.items) configs.push_back(std::move(each));
  }
  if (configs.empty()) {
    return Usage(
        "no last-applied-configuration annotation found on resources, to create the annotation, "
        "use command `podium apply set-last-applied --create-annotation`");
  }
  Writer writer(*server, DryRun::kNone, CreateManagerOf(invocation, kManager),
                FieldValidationOf(invocation));
  return EditObjects(*server, EditRules::Of(invocation, EditMode::kLastApplied), writer, printer,
                     std::move(configs));
}

Outcome RunView(const Invocation& invocation, const Streams& streams) {
  return Told(View(invocation, streams));
}
Outcome RunSet(const Invocation& invocation, const Streams& streams) {
  return Told(Set(invocation, streams));
}
Outcome RunEdit(const Invocation& invocation, const Streams& streams) {
  return Told(Edit(invocation, streams));
}

constexpr Option kViewOwn[] = {
    {.name = "all", .help = "all objects of the types"},
    kSelectorOption,
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    {.name = "output", .letter = 'o', .value = "FORM", .help = "yaml, or json"},
};
constexpr auto kViewOptions = WithServerOptions(kViewOwn);
constexpr Option kSetOwn[] = {
    {.name = "create-annotation", .help = "also of objects that were never applied"},
    kFilenameOption,
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kSetOptions = WithServerOptions(kSetOwn);
constexpr Option kEditOwn[] = {
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .help = "edit it as yaml or json, and print what becomes of it"},
    kWindowsLinesOption,
    kCreateManagerOption,
    kValidateOption,
    kShowManagedFieldsOption,
};
constexpr auto kEditOptions = WithServerOptions(kEditOwn);

}  // namespace

std::span<const Command> LastAppliedCommands() {
  static const Command kCommands[] = {
      {.name = "apply view-last-applied",
       .summary = "Show what objects were applied with last",
       .arguments = "TYPE NAME... | TYPE/NAME... | -f FILE",
       .max_arguments = 100'000,
       .example = "  podium apply view-last-applied deploy/web\n"
                  "  podium apply view-last-applied -f web.yaml -o json\n",
       .options = kViewOptions,
       .live = RunView},
      {.name = "apply set-last-applied",
       .summary = "Note a file as what objects were applied with last",
       .arguments = "-f FILE",
       .max_arguments = 100'000,
       .example = "  podium apply set-last-applied -f web.yaml\n"
                  "  podium apply set-last-applied -f deploy/ --create-annotation\n",
       .options = kSetOptions,
       .live = RunSet},
      {.name = "apply edit-last-applied",
       .summary = "Edit what objects were applied with last, in an editor",
       .arguments = "TYPE NAME... | TYPE/NAME... | -f FILE",
       .max_arguments = 100'000,
       .example = "  podium apply edit-last-applied deploy/web\n"
                  "  podium apply edit-last-applied -f web.yaml -o json\n",
       .options = kEditOptions,
       .live = RunEdit},
  };
  return kCommands;
}

}  // namespace podium::cli
