// kubectl edit (upstream's k8s.io/kubectl/pkg/cmd/edit).
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/create_options.h"
#include "cli/edit_session.h"
#include "cli/input.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"

namespace podium::cli {
namespace {

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

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
  TRY(ChangePrinter printer, EditedPrinter(invocation, DryRun::kNone));
  return EditObjects(*server, EditRules::Of(invocation, EditMode::kPatch), writer, printer,
                     std::move(items));
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
    kWindowsLinesOption,
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
