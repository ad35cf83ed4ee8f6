// kubectl create (upstream's k8s.io/kubectl/pkg/cmd/create): of files. The kinds that it makes by
// itself are the subcommands, in the files create_*.cpp.
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/create_kind.h"
#include "cli/create_options.h"
#include "cli/last_applied.h"
#include "cli/option_values.h"
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
  if (invocation.Has("edit")) {
    return Error(Code::kUnsupported,
                 "podium create opens no editor: edit the file first, or the object once it is "
                 "there");
  }
  return {};
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
    {.name = "edit", .help = "is refused: podium opens no editor"},
    kSaveConfigOption,
    kCreateManagerOption,
    kValidateOption,
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
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
          "  podium create -f deploy/ -R -l app=web --dry-run=server\n",
      .options = kOptions,
      .subcommands = kKinds,
      .live = RunCreate,
  };
}

}  // namespace podium::cli
