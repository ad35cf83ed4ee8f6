#include "cli/apply_server.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "api/status.h"
#include "cli/apply_patch.h"
#include "cli/deletion_options.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/prune.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "cli/waiter.h"
#include "reflect/apply/client_side_upgrade.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// Of the annotation alone; kubectl's too.
constexpr std::string_view kLastAppliedManager = "kubectl-last-applied";

constexpr int kRetries = 5;
constexpr auto kBetweenRetries = std::chrono::seconds(1);

constexpr std::string_view kConflictAdvice =
    "\nPlease review the fields above--they currently have other managers. Here\n"
    "are the ways you can resolve this warning:\n"
    "* If you intend to manage all of these fields, please re-run the apply\n"
    "  command with the `--force-conflicts` flag.\n"
    "* If you do not intend to manage all of the fields, please edit your\n"
    "  manifest to remove references to the fields that should keep their\n"
    "  current managers.\n"
    "* You may co-own fields by updating your manifest to match the existing\n"
    "  value; in this case, you'll become the manager if the other manager(s)\n"
    "  stop managing the field (remove it from their configuration).\n"
    "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// How objects are deleted that are pruned, or replaced with --force.
struct Deletions {
  Deletion deletion = {};
  bool waits = false;  // for what was pruned
  std::chrono::nanoseconds timeout = kWaitWeek;
};

Result<Deletions> DeletionsOf(const Invocation& invocation, const Streams& streams) {
  Deletions deletions;
  TRY(deletions.deletion.propagation, PropagationOf(invocation, streams));
  TRY(const int64_t grace, GracePeriodOf(invocation));
  // What ends a process at once is asked for twice, as with delete.
  if (grace >= 0) deletions.deletion.grace = grace == 0 && !invocation.Has("force") ? 1 : grace;
  TRY(deletions.timeout, DeletionTimeoutOf(invocation));
  deletions.waits = invocation.Get("wait", "false") == "true";
  return deletions;
}

bool IsInvalid(const Error& error) {
  const api::meta::v1::Status* status = api::FindStatus(error);
  return status && status->reason == "Invalid";
}

// One run of the command.
class Applier {
 public:
  // `pruner` may be null.
  Applier(const Invocation& invocation, Server& server, Writer& writer, ChangePrinter& printer,
          Pruner* pruner, const Deletions& deletions)
      : invocation_(invocation),
        streams_(server.streams()),
        server_(server),
        deletions_(deletions),
        writer_(writer),
        printer_(printer),
        pruner_(pruner),
        server_side_(invocation.Has("server-side")),
        overwrite_(invocation.Get("overwrite", "true") == "true"),
        force_(invocation.Has("force-conflicts") ? "true" : "false"),
        replaces_(invocation.Has("force")) {}

  Result<void> Apply(const Selected& item) {
    if (item.name.empty()) {
      const std::string_view generated = TextAt(item.object, {"metadata", "generateName"});
      if (!generated.empty()) {
        return Usage("from " + std::string(generated) + ": cannot use generate name with apply");
      }
      const Error nameless = Usage("resource name may not be empty");
      return server_side_ ? nameless : RetrievingError(item, nameless);
    }
    return server_side_ ? ApplyServerSide(item) : ApplyClientSide(item);
  }

  Result<void> Finish() { return printer_.PrintAll(std::move(objects_), &out_); }

  Result<void> Prune() {
    if (!pruner_) return {};
    TRY(const std::vector<Selected> gone, pruner_->Find());
    for (const Selected& item : gone) {
      if (writer_.dry_run() != DryRun::kClient) {
        const auto deleted = writer_.Delete(item, deletions_.deletion);
        if (!deleted.ok()) return PruneError(*item.resource, deleted.error());
      }
      // Each stands for itself: no line goes between two documents of YAML, as with kubectl.
      TRY(ChangePrinter printer, ChangePrinter::Of(invocation_, writer_.dry_run()));
      TRY_VOID(printer.Print(item.object, "pruned", &out_));
    }
    if (!deletions_.waits || writer_.dry_run() != DryRun::kNone) return {};
    for (const Selected& item : gone) TRY_VOID(WaitUntilGone(item));
    return {};
  }

  std::string TakeOutput() { return std::move(out_); }

 private:
  Result<void> Report(const Selected& item, JsonValue object, std::string_view what) {
    if (pruner_) pruner_->Keep(item, object);
    if (!printer_.prints_objects()) return printer_.Print(object, what, &out_);
    objects_.push_back(std::move(object));
    return {};
  }

  void Warn(const std::string& text) {
    (void)streams_.Err("Warning: " + Printable(text, true) + '\n');
  }

  Result<JsonValue> SendConfiguration(const Selected& item, const std::string& text) {
    return writer_.Patch(item, {.content_type = kApplyPatch, .body = text, .force = force_});
  }

  Result<void> ApplyServerSide(const Selected& item) {
    const std::string text = CanonicalText(item.object);
    auto applied = SendConfiguration(item, text);
    if (!applied.ok()) {
      if (!IsConflict(applied.error())) return applied.error();
      return Usage(applied.error().message() + std::string(kConflictAdvice));
    }
    JsonValue object = *std::move(applied);
    TakeOver(item, text, &object);
    WarnIfGoing(streams_, object);
    return Report(item, std::move(object), "serverside-applied");
  }

  // What was applied by the client before belongs to its updates: fields left out since would stay
  // for ever. What fails here is tried again at the next apply.
  void TakeOver(const Selected& item, const std::string& text, JsonValue* object) {
    if (auto kept = KeepLastApplied(item, object); !kept.ok()) {
      return Warn(
          "failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side "
          "Apply. This is non-fatal and will be retried next time you apply. Error: " +
          kept.error().message());
    }
    const auto upgraded = UpgradeManagers(item, object);
    if (!upgraded.ok()) {
      return Warn(
          "server rejected managed fields migration to Server-Side Apply. This is non-fatal and "
          "will be retried next time you apply. Error: " +
          upgraded.error().message());
    }
    if (!*upgraded) return;
    auto again = SendConfiguration(item, text);
    if (!again.ok()) {
      return Warn(
          "failed to re-apply configuration after performing Server-Side Apply migration. This is "
          "non-fatal and will be retried next time you apply. Error: " +
          again.error().message());
    }
    *object = *std::move(again);
  }

  // Gives the annotation an owner of its own, so that it does not go with the client's fields.
  Result<void> KeepLastApplied(const Selected& item, JsonValue* object) {
    if (writer_.field_manager() != kServerSideManager) return {};
    const std::optional<std::string> last = LastApplied(*object);
    if (!last) return {};
    const JsonValue* entries = ValueAt(*object, {"metadata", "managedFields"});
    if (!FieldsOwners(entries, reflect::ManagedOperation::kApply, reflect::LastAppliedField())
             .empty()) {
      return {};
    }
    TRY(*object, writer_.Patch(item, {.content_type = kApplyPatch,
                                      .body = CanonicalText(OnlyLastApplied(item.object, *last)),
                                      .field_manager = kLastAppliedManager}));
    return {};
  }

  Result<bool> UpgradeManagers(const Selected& item, JsonValue* object) {
    for (int i = 0; i < kRetries; ++i) {
      const auto managers =
          FieldsOwners(ValueAt(*object, {"metadata", "managedFields"}),
                       reflect::ManagedOperation::kUpdate, reflect::LastAppliedField());
      if (managers.empty()) return false;
      TRY(const auto patch,
          reflect::UpgradeManagedFieldsPatch(*object, managers, writer_.field_manager()));
      if (!patch) return false;
      const auto sent =
          writer_.Patch(item, {.content_type = kJsonPatch, .body = reflect::ToText(*patch)});
      if (sent.ok()) return true;
      if (!IsConflict(sent.error())) return sent.error();
      TRY(*object, writer_.Get(item));
    }
    return false;
  }

  Result<void> ApplyClientSide(const Selected& item) {
    const JsonValue modified = WithLastApplied(item.object);
    auto live = writer_.Get(item);
    if (!live.ok() && IsNotFound(live.error())) return CreateNew(item, modified);
    if (!live.ok()) return RetrievingError(item, live.error());
    if (writer_.dry_run() == DryRun::kClient) return Report(item, *std::move(live), "configured");
    if (!LastApplied(*live)) {
      Warn("resource " + item.resource->plural + "/" + item.name +
           " is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is "
           "required by podium apply. podium apply should only be used on resources created "
           "declaratively by either podium create --save-config or podium apply. The missing "
           "annotation will be patched automatically.");
    }
    TRY(JsonValue object, PatchLive(item, modified, *std::move(live)));
    WarnIfGoing(streams_, object);
    return Report(item, std::move(object), unchanged_ ? "unchanged" : "configured");
  }

  Result<void> CreateNew(const Selected& item, JsonValue object) {
    PruneNulls(&object);
    if (writer_.dry_run() != DryRun::kClient) {
      auto created = writer_.Create(item, object);
      if (!created.ok()) return SourceError(item, "creating", created.error());
      object = *std::move(created);
    }
    return Report(item, std::move(object), "created");
  }

  Result<JsonValue> PatchLive(const Selected& item, const JsonValue& modified, JsonValue live) {
    for (int tries = 0;; ++tries) {
      auto patch = MakeApplyPatch(item, modified, live, {.overwrite = overwrite_});
      if (!patch.ok()) return PatchError(item, {}, patch.error());
      unchanged_ = patch->changes_nothing();
      if (unchanged_) return live;
      auto patched =
          writer_.Patch(item, {.content_type = patch->content_type, .body = patch->body});
      if (patched.ok()) return patched;
      const bool conflict = IsConflict(patched.error());
      if (replaces_ && (IsInvalid(patched.error()) || (conflict && tries == kRetries))) {
        return Replace(item, modified, live);
      }
      if (!conflict || tries == kRetries) return PatchError(item, patch->body, patched.error());
      if (tries > 0) std::this_thread::sleep_for(kBetweenRetries);
      TRY(live, writer_.Get(item));
    }
  }

  Result<void> WaitUntilGone(const Selected& item) {
    static const WaitGoal kGone{.kind = WaitGoal::Kind::kDelete};
    Waiter waiter(server_, kGone, deletions_.timeout);
    TRY(const auto gone, waiter.WaitFor(item));
    (void)gone;
    return {};
  }

  // Of what cannot be changed: deletes it and makes it anew, or again as it was where it cannot be
  // made.
  Result<JsonValue> Replace(const Selected& item, JsonValue modified, JsonValue live) {
    Selected old = item;
    old.object = live;
    TRY_VOID(writer_.Delete(old, deletions_.deletion));
    TRY_VOID(WaitUntilGone(old));
    PruneNulls(&modified);
    auto created = writer_.Create(item, modified);
    if (created.ok()) return created;
    if (JsonValue* metadata = live.Find("metadata"); metadata && metadata->is_object()) {
      (void)metadata->Erase("resourceVersion");
    }
    const auto restored = writer_.Create(item, live);
    if (restored.ok()) return PatchError(item, CanonicalText(modified), created.error());
    return Usage(
        "An error occurred force-replacing the existing object with the newly provided one:\n\n" +
        created.error().message() +
        ".\n\nAdditionally, an error occurred attempting to restore the original object:\n\n" +
        restored.error().message());
  }

  const Invocation& invocation_;
  const Streams streams_;
  Server& server_;
  const Deletions& deletions_;
  Writer& writer_;
  ChangePrinter& printer_;
  Pruner* const pruner_;
  const bool server_side_;
  const bool overwrite_;
  const std::string_view force_;
  const bool replaces_;
  bool unchanged_ = false;
  std::vector<JsonValue> objects_;
  std::string out_;
};

Result<void> CheckPruning(const Invocation& invocation) {
  const bool selector = !invocation.Get("selector").empty();
  if (invocation.Has("all") && selector) {
    return Usage("cannot set --all and --selector at the same time");
  }
  if (!invocation.Has("prune")) return {};
  if (!invocation.Has("all") && !selector) {
    return Usage(
        "all resources selected for prune without explicitly passing --all. To prune all "
        "resources, pass the --all flag. If you did not mean to prune all resources, specify a "
        "label selector");
  }
  // What the server applies carries no annotation that would tell it apart.
  if (invocation.Has("server-side")) {
    return Usage(
        "--prune is in alpha and doesn't currently work on objects created by server-side apply");
  }
  return {};
}

Result<DryRun> CheckOptions(const Invocation& invocation) {
  if (invocation.Has("force-conflicts") && !invocation.Has("server-side")) {
    return Usage("--force-conflicts only works with --server-side");
  }
  TRY(const DryRun dry_run, DryRunOf(invocation));
  if (dry_run == DryRun::kClient && invocation.Has("server-side")) {
    return Usage(
        "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
        "instead?)");
  }
  if (invocation.Has("force") && invocation.Has("server-side")) {
    return Usage("--force cannot be used with --server-side");
  }
  if (invocation.Has("force") && dry_run == DryRun::kServer) {
    return Usage("--dry-run=server cannot be used with --force");
  }
  if (!invocation.Has("filename") && !invocation.Has("kustomize")) {
    return Usage("must specify one of -f and -k");
  }
  TRY_VOID(CheckPruning(invocation));
  return dry_run;
}

Result<Outcome> ApplyAll(const Invocation& invocation, const Streams& streams) {
  TRY(const DryRun dry_run, CheckOptions(invocation));
  TRY(const Deletions deletions, DeletionsOf(invocation, streams));
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, dry_run));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const auto pruner, Pruner::Of(*server, invocation));
  TRY(const Selection selection, SelectFiles(*server, invocation));
  const std::string_view manager =
      invocation.Has("server-side") ? kServerSideManager : kClientSideManager;
  Writer writer(*server, dry_run, std::string(invocation.Get("field-manager", manager)),
                FieldValidationOf(invocation));
  std::vector<Error> errors = selection.errors;
  if (selection.items.empty() && errors.empty()) return Usage("no objects passed to apply");
  Applier applier(invocation, *server, writer, printer, pruner.get(), deletions);
  for (const Selected& item : selection.items) {
    if (auto applied = applier.Apply(item); !applied.ok()) errors.push_back(applied.error());
  }
  // What could not be applied may be what an object that would go is replaced by.
  if (errors.empty()) {
    auto finished = applier.Finish();
    if (finished.ok()) finished = applier.Prune();
    if (!finished.ok()) errors.push_back(std::move(finished).error());
  }
  if (errors.empty()) return Outcome{kOk, applier.TakeOutput(), {}};
  return ServerFailure(errors, applier.TakeOutput());
}

}  // namespace

Outcome ApplyToServer(const Invocation& invocation, const Streams& streams) {
  if (!invocation.arguments().empty()) {
    return UsageError("apply", "unexpected argument \"" + Printable(invocation.arguments()[0]) +
                                   "\"; files are named with -f");
  }
  auto outcome = ApplyAll(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

}  // namespace podium::cli
