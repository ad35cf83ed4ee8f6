// kubectl delete (upstream's k8s.io/kubectl/pkg/cmd/delete).
#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "api/status.h"
#include "cli/commands.h"
#include "cli/deletion_options.h"
#include "cli/json_members.h"
#include "cli/object_printer.h"
#include "cli/raw_request.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/table_text.h"
#include "cli/waiter.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// What a person types, up to a blank; "" at the end.
std::string FirstWord(int in) {
  std::string word;
  char letter = 0;
  while (word.size() < 16 && read(in, &letter, 1) == 1) {
    const bool blank = letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
    if (blank && (!word.empty() || letter == '\n')) break;
    if (!blank) word += letter;
  }
  return word;
}

struct Rules {
  Deletion deletion = {};
  DryRun dry_run = DryRun::kNone;
  bool names = false;  // -o name
  bool ignore_not_found = false;
  bool wait = true;
  std::chrono::nanoseconds timeout = kWaitWeek;
};

Result<Rules> RulesOf(const Invocation& invocation, const Streams& streams) {
  Rules rules;
  TRY(rules.deletion.propagation, PropagationOf(invocation, streams));
  TRY(rules.deletion.grace, DeletionGraceOf(invocation));
  TRY(rules.dry_run, DryRunOf(invocation));
  TRY(rules.timeout, DeletionTimeoutOf(invocation));
  rules.names = invocation.Get("output") == "name";
  const bool bounded =
      invocation.Has("all") || invocation.Has("selector") || invocation.Has("field-selector");
  rules.ignore_not_found = invocation.Get("ignore-not-found", bounded ? "true" : "false") == "true";
  rules.wait = invocation.Get("wait", "true") == "true" && rules.dry_run == DryRun::kNone;
  return rules;
}

// What kubectl looks at once it knows which objects are meant.
Result<void> Check(const Invocation& invocation, const Rules& rules, const Streams& streams) {
  const std::string form(invocation.Get("output"));
  if (!form.empty() && form != "name") {
    return Usage("unexpected -o output mode: " + form + ". We only support '-o name'");
  }
  if (!invocation.Has("force")) return {};
  if (*rules.deletion.grace > 0) {
    return Usage("--force and --grace-period greater than 0 cannot be specified together");
  }
  (void)streams.Err(
      "Warning: Immediate deletion does not wait for confirmation that the running resource has "
      "been terminated. The resource may continue to run on the cluster indefinitely.\n");
  return {};
}

// One run of the command.
class Deleter {
 public:
  Deleter(Server& server, const Invocation& invocation, const Rules& rules)
      : server_(server),
        invocation_(invocation),
        rules_(rules),
        writer_(server, rules.dry_run, "", ""),
        warn_of_cluster_(server.namespace_given() && !invocation.Has("all-namespaces")) {}

  // False when nobody takes the output any more.
  bool Delete(const Selected& item) {
    auto listed = Listed(server_, invocation_, item);
    if (!listed.ok()) {
      Note(std::move(listed).error());
      return true;
    }
    for (Selected& each : *listed) {
      WarnOfCluster(each);
      deleted_.push_back(std::move(each));
      if (!DeleteOne(&deleted_.back())) return false;
    }
    return true;
  }

  void Note(Error error) {
    if (rules_.ignore_not_found && IsNotFound(error)) return;
    errors_.push_back(std::move(error));
  }

  Outcome Finish() {
    if (!errors_.empty()) return ServerFailure(errors_);
    if (deleted_.empty()) return {kOk, "No resources found\n", {}};
    if (!rules_.wait) return {};
    static const WaitGoal kGone{.kind = WaitGoal::Kind::kDelete};
    Waiter waiter(server_, kGone, rules_.timeout);
    for (const Selected& item : deleted_) {
      const auto gone = waiter.WaitFor(item);
      if (gone.ok()) continue;
      // It is deleted; who may not look, or cannot, does not wait.
      const auto* status = api::FindStatus(gone.error());
      if (status && (status->reason == "Forbidden" || status->reason == "MethodNotAllowed")) break;
      return ServerFailure(gone.error());
    }
    return {};
  }

 private:
  void WarnOfCluster(const Selected& item) {
    if (!warn_of_cluster_ || item.resource->namespaced) return;
    warn_of_cluster_ = false;
    (void)server_.streams().Err(
        "Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n");
  }

  bool DeleteOne(Selected* item) {
    if (rules_.dry_run == DryRun::kClient) return Tell(*item);
    auto deleted = DeleteNoted(writer_, rules_.deletion, item);
    if (!deleted.ok()) {
      Note(SourceError(*item, "deleting", deleted.error()));
      return true;
    }
    return Tell(*item);
  }

  bool Tell(const Selected& item) const {
    if (rules_.names) return server_.streams().Out(EscapedText(item.PrintedName()) + '\n');
    return server_.streams().Out(DeletionLine(item, rules_.deletion, rules_.dry_run));
  }

  Server& server_;
  const Invocation& invocation_;
  const Rules& rules_;
  Writer writer_;
  bool warn_of_cluster_;
  std::vector<Selected> deleted_;
  std::vector<Error> errors_;
};

Result<void> CheckRaw(const Invocation& invocation) {
  if (invocation.Has("filename")) TRY_VOID(CheckRawFile(invocation));
  if (!invocation.Get("output").empty()) {
    return Usage("--raw and --output are mutually exclusive");
  }
  return CheckRawPath(invocation.Get("raw"));
}

// The objects that are meant, shown to a person who may say no: then nothing.
Result<std::optional<std::vector<Selected>>> Confirmed(Server& server, const Invocation& invocation,
                                                       const Selection& selection) {
  std::vector<Selected> all;
  for (const Selected& item : selection.items) {
    TRY(auto listed, Listed(server, invocation, item));
    for (Selected& each : listed) all.push_back(std::move(each));
  }
  std::string text =
      "You are about to delete the following " + std::to_string(all.size()) + " resource(s):\n";
  for (const Selected& item : all) text += EscapedText(item.PrintedName()) + '\n';
  if (!server.streams().Out(text + "Do you want to continue? (y/n): ")) {
    return std::optional<std::vector<Selected>>();
  }
  const std::string answer = FirstWord(server.streams().in);
  if (answer == "y" || answer == "Y") return std::optional(std::move(all));
  (void)server.streams().Out("deletion is cancelled\n");
  return std::optional<std::vector<Selected>>();
}

Result<Outcome> Delete(const Invocation& invocation, const Streams& streams) {
  if (invocation.Has("raw")) {
    TRY_VOID(CheckRaw(invocation));
    return SendRaw("DELETE", invocation, streams);
  }
  TRY(const Rules rules, RulesOf(invocation, streams));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(Selection selection, Select(*server, invocation, invocation.arguments(),
                                  {.type_alone = false, .all_selects = true}));
  TRY_VOID(Check(invocation, rules, streams));
  if (invocation.Has("interactive")) {
    TRY(auto confirmed, Confirmed(*server, invocation, selection));
    if (!confirmed) return Outcome();
    selection.items = *std::move(confirmed);
  }
  Deleter deleter(*server, invocation, rules);
  for (const Error& error : selection.errors) deleter.Note(error);
  for (const Selected& item : selection.items) {
    if (!deleter.Delete(item)) return Outcome{kFailed, {}, {}};
  }
  return deleter.Finish();
}

Outcome RunDelete(const Invocation& invocation, const Streams& streams) {
  auto outcome = Delete(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    kSelectorOption,
    kFieldSelectorOption,
    {.name = "all", .help = "all objects of the types"},
    kAllNamespacesOption,
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    kCascadeOption,
    kGracePeriodOption,
    kForceOption,
    {.name = "now", .help = "the same as --grace-period=1"},
    {.name = "wait",
     .value = "BOOL",
     .help = "until they are gone; true if not given",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "timeout", .value = "TIME", .help = "of --wait, for all of them together; 0 for ever"},
    {.name = "ignore-not-found",
     .value = "BOOL",
     .help = "what is not there is no error; so it is with --all and selectors if not given",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "interactive",
     .letter = 'i',
     .help = "show what is meant, and ask before anything is deleted"},
    {.name = "raw",
     .value = "PATH",
     .help = "a request to this path of the server, with the file as it is as its body"},
    kDryRunOption,
    {.name = "output", .letter = 'o', .value = "FORM", .help = "name: pod/web, and nothing else"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command DeleteCommand() {
  return {
      .name = "delete",
      .summary = "Delete objects of a server",
      .arguments = "TYPE[,TYPE...] NAME... | TYPE/NAME... | TYPE -l SELECTOR | -f FILE",
      .max_arguments = 100'000,
      .details =
          "Ends when they are gone, finalizers included. Pods get the time to end that their spec "
          "says, or --grace-period.",
      .example =
          "  podium delete pod web\n"
          "  podium delete deploy/web svc/web\n"
          "  podium delete pods -l app=web --now\n"
          "  podium delete -f shop.yaml --ignore-not-found\n"
          "  podium delete deploy web --cascade=orphan\n",
      .options = kOptions,
      .live = RunDelete,
  };
}

}  // namespace podium::cli
