#include "cli/apply_server.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "api/status.h"
#include "cli/json_members.h"
#include "cli/last_applied.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "cli/text.h"
#include "reflect/apply/client_side_upgrade.h"
#include "reflect/go_text.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// kubectl's managers, so that it and podium are one and objects can be applied by either.
constexpr std::string_view kServerSideManager = "kubectl";
constexpr std::string_view kClientSideManager = "kubectl-client-side-apply";
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

bool IsConflict(const Error& error) {
  const api::meta::v1::Status* status = api::FindStatus(error);
  return status && status->reason == "Conflict";
}

// What kubectl prints of the object that a patch was for.
std::string Described(const Selected& item) {
  const ServerResource& resource = *item.resource;
  const std::string version = resource.group + "/" + resource.version;
  return "Resource: " + reflect::GoQuoted(version + ", Resource=" + resource.plural) +
         ", GroupVersionKind: " + reflect::GoQuoted(version + ", Kind=" + resource.kind) +
         "\nName: " + reflect::GoQuoted(item.name) +
         ", Namespace: " + reflect::GoQuoted(item.namespace_);
}

Error WithSource(const Selected& item, const std::string& verb, const Error& error) {
  return WithPrefix(error, "error when " + verb + " " + reflect::GoQuoted(item.source) + ": ");
}

struct Patch {
  std::string body;
  std::string_view content_type;
};

// One run of the command.
class Applier {
 public:
  Applier(const Invocation& invocation, const Streams& streams, Writer& writer,
          ChangePrinter& printer)
      : streams_(streams),
        writer_(writer),
        printer_(printer),
        server_side_(invocation.Has("server-side")),
        overwrite_(invocation.Get("overwrite", "true") == "true"),
        force_(invocation.Has("force-conflicts") ? "true" : "false") {}

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
  std::string TakeOutput() { return std::move(out_); }

 private:
  Result<void> Report(JsonValue object, std::string_view what) {
    if (!printer_.prints_objects()) return printer_.Print(object, what, &out_);
    objects_.push_back(std::move(object));
    return {};
  }

  void Warn(const std::string& text) {
    (void)streams_.Err("Warning: " + Printable(text, true) + '\n');
  }

  void WarnIfGoing(const JsonValue& object) {
    if (!ValueAt(object, {"metadata", "deletionTimestamp"})) return;
    Warn("Detected changes to resource " + std::string(TextAt(object, {"metadata", "name"})) +
         " which is currently being deleted.");
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
    WarnIfGoing(object);
    return Report(std::move(object), "serverside-applied");
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
    if (writer_.dry_run() == DryRun::kClient) return Report(*std::move(live), "configured");
    if (!LastApplied(*live)) {
      Warn("resource " + item.resource->plural + "/" + item.name +
           " is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is "
           "required by podium apply. podium apply should only be used on resources created "
           "declaratively by either podium create --save-config or podium apply. The missing "
           "annotation will be patched automatically.");
    }
    TRY(JsonValue object, PatchLive(item, modified, *std::move(live)));
    WarnIfGoing(object);
    return Report(std::move(object), unchanged_ ? "unchanged" : "configured");
  }

  Result<void> CreateNew(const Selected& item, JsonValue object) {
    PruneNulls(&object);
    if (writer_.dry_run() != DryRun::kClient) {
      auto created = writer_.Create(item, object);
      if (!created.ok()) return WithSource(item, "creating", created.error());
      object = *std::move(created);
    }
    return Report(std::move(object), "created");
  }

  Result<JsonValue> PatchLive(const Selected& item, const JsonValue& modified, JsonValue live) {
    for (int tries = 0;; ++tries) {
      auto patch = PatchFor(item, modified, live);
      if (!patch.ok()) return PatchError(item, {}, patch.error());
      unchanged_ = patch->body == "{}";
      if (unchanged_) return live;
      auto patched =
          writer_.Patch(item, {.content_type = patch->content_type, .body = patch->body});
      if (patched.ok()) return patched;
      if (!IsConflict(patched.error()) || tries == kRetries) {
        return PatchError(item, patch->body, patched.error());
      }
      if (tries > 0) std::this_thread::sleep_for(kBetweenRetries);
      TRY(live, writer_.Get(item));
    }
  }

  static Error RetrievingError(const Selected& item, const Error& error) {
    return WithSource(
        item,
        "retrieving current configuration of:\n" + Described(item) + "\nfrom server for:", error);
  }

  static Error PatchError(const Selected& item, const std::string& body, const Error& error) {
    return WithSource(item,
                      "applying patch:\n" + body + "\nto:\n" + Described(item) + "\nfor:", error);
  }

  Result<Patch> PatchFor(const Selected& item, const JsonValue& modified,
                         const JsonValue& live) const {
    JsonValue original = JsonValue::Of(JsonValue::Object());
    if (const auto last = LastApplied(live); last && !last->empty()) {
      TRY(original, reflect::ParseJson(*last));
    }
    const reflect::Type* type = api::FindType(item.resource->ApiVersion(), item.resource->kind);
    if (!type) {
      const JsonValue patch = ThreeWayMergePatch(original, modified, live);
      return Patch{reflect::ToText(patch, {.sort_keys = true, .canonical_numbers = true}),
                   kMergePatch};
    }
    TRY(const JsonValue patch,
        reflect::MakeThreeWayPatch(*type, original, modified, live, {.overwrite = overwrite_}));
    return Patch{reflect::ToText(patch, {.sort_keys = true, .canonical_numbers = true}),
                 kStrategicPatch};
  }

  const Streams streams_;
  Writer& writer_;
  ChangePrinter& printer_;
  const bool server_side_;
  const bool overwrite_;
  const std::string_view force_;
  bool unchanged_ = false;
  std::vector<JsonValue> objects_;
  std::string out_;
};

Result<DryRun> CheckOptions(const Invocation& invocation) {
  if (invocation.Has("prune")) {
    return Error(Code::kUnsupported,
                 "podium apply does not prune: delete what is not in the files any more yourself; "
                 "podium get TYPE -l SELECTOR -o name lists what there is");
  }
  if (invocation.Has("force-conflicts") && !invocation.Has("server-side")) {
    return Usage("--force-conflicts only works with --server-side");
  }
  TRY(const DryRun dry_run, DryRunOf(invocation));
  if (dry_run == DryRun::kClient && invocation.Has("server-side")) {
    return Usage(
        "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
        "instead?)");
  }
  if (!invocation.Has("filename") && !invocation.Has("kustomize")) {
    return Usage("must specify one of -f and -k");
  }
  return dry_run;
}

}  // namespace

Outcome ApplyToServer(const Invocation& invocation, const Streams& streams) {
  if (!invocation.arguments().empty()) {
    return UsageError("apply", "unexpected argument \"" + Printable(invocation.arguments()[0]) +
                                   "\"; files are named with -f");
  }
  const auto dry_run = CheckOptions(invocation);
  if (!dry_run.ok()) return ServerFailure(dry_run.error());
  auto printer = ChangePrinter::Of(invocation, *dry_run);
  if (!printer.ok()) return ServerFailure(printer.error());
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  const auto selection = SelectFiles(**server, invocation);
  if (!selection.ok()) return ServerFailure(selection.error());
  const std::string_view manager =
      invocation.Has("server-side") ? kServerSideManager : kClientSideManager;
  Writer writer(**server, *dry_run, std::string(invocation.Get("field-manager", manager)),
                FieldValidationOf(invocation));
  std::vector<Error> errors = selection->errors;
  if (selection->items.empty() && errors.empty()) {
    return ServerFailure(Usage("no objects passed to apply"));
  }
  Applier applier(invocation, streams, writer, *printer);
  for (const Selected& item : selection->items) {
    if (auto applied = applier.Apply(item); !applied.ok()) errors.push_back(applied.error());
  }
  if (auto printed = applier.Finish(); !printed.ok()) errors.push_back(printed.error());
  if (errors.empty()) return {kOk, applier.TakeOutput(), {}};
  return ServerFailure(errors, applier.TakeOutput());
}

}  // namespace podium::cli
