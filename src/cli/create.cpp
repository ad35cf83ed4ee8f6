// kubectl create (upstream's k8s.io/kubectl/pkg/cmd/create): of files. The kinds that it makes by
// itself are the subcommands, in the files create_*.cpp.
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/create_kind.h"
#include "cli/create_options.h"
#include "cli/edit_session.h"
#include "cli/last_applied.h"
#include "cli/option_values.h"
#include "cli/raw_request.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<void> Check(const Invocation& invocation) {
  const auto& arguments = invocation.arguments();
  if (!invocation.Has("filename") && !invocation.Has("kustomize")) {
    if (!arguments.empty()) {
      return ArgumentsError("create", "Unexpected args: [" + Join(arguments, " ") + "]");
    }
    return Usage("must specify one of -f and -k");
  }
  if (!arguments.empty()) {
    return ArgumentsError("create", "Unexpected args: [" + Join(arguments, " ") + "]");
  }
  return {};
}

// The one file, as it is, to a path of the server.
Result<void> CheckRaw(const Invocation& invocation) {
  if (invocation.Has("edit")) return Usage("--raw and --edit are mutually exclusive");
  TRY_VOID(CheckRawFile(invocation));
  for (const auto& [option, flag] :
       {std::pair{"selector", "--selector (-l)"}, std::pair{"output", "--output"}}) {
    if (invocation.Get(option).empty()) continue;
    return Usage("--raw and " + std::string(flag) + " are mutually exclusive");
  }
  return CheckRawPath(invocation.Get("raw"));
}

// Each object is edited by itself, and created when its editor ends. Unlike kubectl's it heeds
// --dry-run and --selector.
Result<Outcome> EditAndCreate(const Invocation& invocation, const Streams& streams) {
  TRY(const DryRun dry_run, DryRunOf(invocation));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection, SelectFiles(*server, invocation));
  TRY(ChangePrinter printer, EditedPrinter(invocation, dry_run));
  Writer writer(*server, dry_run, CreateManagerOf(invocation), FieldValidationOf(invocation));
  const EditRules rules = EditRules::Of(invocation, EditMode::kCreate);
  std::vector<Error> errors = selection.errors;
  for (const Selected& item : selection.items) {
    const auto edited = EditObjects(*server, rules, writer, printer, {item});
    if (!edited.ok()) {
      errors.push_back(edited.error());
    } else if (!streams.Err(edited->err)) {
      return Outcome{kFailed, {}, {}};
    }
  }
  return errors.empty() ? Outcome() : ServerFailure(errors);
}

Result<void> CreateOne(Writer& writer, bool save, const Selected& item, ChangePrinter& printer,
                       std::string* out) {
  JsonValue object = WithLastAppliedIf(save, item.object, MemberOrder::kSorted);
  if (writer.dry_run() != DryRun::kClient) {
    auto created = writer.Create(item, object);
    if (!created.ok()) return SourceError(item, "creating", created.error());
    object = *std::move(created);
  }
  return printer.Print(object, "created", out);
}

Result<Outcome> Run(const Invocation& invocation, const Streams& streams) {
  TRY_VOID(Check(invocation));
  if (invocation.Has("raw")) {
    TRY_VOID(CheckRaw(invocation));
    return SendRaw("POST", invocation, streams);
  }
  if (invocation.Has("edit")) return EditAndCreate(invocation, streams);
  TRY(const DryRun dry_run, DryRunOf(invocation));
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run));
  TRY(const auto server, Server::Of(invocation, streams));
  const std::string validation = FieldValidationOf(invocation);
  const FileCheck check = validation == "Ignore" ? FileCheck::kNone : FileCheck::kKinds;
  TRY(const Selection selection, SelectFiles(*server, invocation, {.check = check}));
  Writer writer(*server, dry_run, CreateManagerOf(invocation), validation);
  std::vector<Error> errors;
  for (const Selected& item : selection.items) {
    std::string out;
    auto created = CreateOne(writer, invocation.Has("save-config"), item, printer, &out);
    if (!created.ok()) errors.push_back(std::move(created).error());
    if (!streams.Out(out)) return Outcome{kFailed, {}, {}};
  }
  // What is wrong with the files comes last, as one.
  if (!selection.errors.empty()) errors.push_back(Aggregate(selection.errors));
  if (!errors.empty()) return ServerFailure(errors);
  if (selection.items.empty()) return Usage("no objects passed to create");
  return Outcome();
}

Outcome RunCreate(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    {.name = "selector",
     .letter = 'l',
     .value = "SELECTOR",
     .help = "only those of the files with such labels"},
    {.name = "edit", .help = "open each object in an editor first, and create what is saved"},
    kWindowsLinesOption,
    kRawOption,
    kSaveConfigOption,
    kCreateManagerOption,
    kValidateOption,
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command CreateCommand() {
  static const Command kKinds[] = {
      CreateConfigMapCommand(),
      CreateSecretCommand(),
      CreateNamespaceCommand(),
      CreateServiceCommand(),
      CreateServiceAccountCommand(),
      CreateDeploymentCommand(),
      CreateJobCommand(),
      CreateCronJobCommand(),
      CreateRoleCommand(),
      CreateClusterRoleCommand(),
      CreateRoleBindingCommand(),
      CreateClusterRoleBindingCommand(),
      CreateIngressCommand(),
      CreateTokenCommand(),
      CreateQuotaCommand(),
      CreatePodDisruptionBudgetCommand(),
      CreatePriorityClassCommand(),
  };
  return {
      .name = "create",
      .summary = "Create objects on a server, of files or by their kind",
      .arguments = "-f FILE | KIND NAME",
      .max_arguments = 100'000,
      .details = "What is there already is an error; podium apply changes it.",
      .example =
          "  podium create -f web.yaml\n"
          "  podium create -f - <web.yaml\n"
          "  podium create -f web.yaml --edit\n"
          "  podium create -f deploy/ -R -l app=web --dry-run=server\n",
      .options = kOptions,
      .subcommands = kKinds,
      .live = RunCreate,
  };
}

}  // namespace podium::cli
