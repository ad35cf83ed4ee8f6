#include "cli/patch_server.h"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "api/status.h"
#include "cli/input.h"
#include "cli/patched.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::string_view kFieldManager = "kubectl-patch";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct PatchToSend {
  std::string_view type;  // "json", "merge", "strategic"
  JsonValue value;

  std::string_view content_type() const {
    if (type == "json") return kJsonPatch;
    return type == "merge" ? kMergePatch : kStrategicPatch;
  }
};

Result<PatchToSend> PatchOf(const Invocation& invocation) {
  const std::string_view text = invocation.Get("patch");
  const std::string_view file = invocation.Get("patch-file");
  if (text.empty() && file.empty()) {
    return Usage("must specify --patch or --patch-file containing the contents of the patch");
  }
  if (!text.empty() && !file.empty()) {
    return Usage("cannot specify --patch and --patch-file together");
  }
  std::string content(text);
  if (!file.empty()) {
    auto read = ReadInput(std::string(file));
    if (!read.ok()) {
      const bool none = read.error().os_errno() == ENOENT;
      const std::string why = none ? "open " + std::string(file) + ": no such file or directory"
                                   : std::string(file) + ": " + read.error().message();
      return Usage("unable to read patch file: " + why);
    }
    content = *std::move(read);
  }
  auto value = ReadPatch(content);
  if (!value.ok()) {
    return Usage("unable to parse " + reflect::GoQuoted(content) + ": " + value.error().message());
  }
  return PatchToSend{invocation.Get("type", "strategic"), *std::move(value)};
}

// The error of a server that takes no such patch of the kind.
Error Refused(const Selected& item, const PatchToSend& patch, const Error& error) {
  const api::meta::v1::Status* status = api::FindStatus(error);
  if (!status || status->reason != "UnsupportedMediaType") return error;
  const ServerResource& resource = *item.resource;
  return Usage(std::string(patch.content_type()) + " is not supported by " + resource.group + "/" +
               resource.version + ", Kind=" + resource.kind + ": " + error.message());
}

// The object before and after; what the object was is a file's word where it comes from one, as
// with kubectl.
Result<bool> PatchItem(Writer& writer, const Selected& item, const PatchToSend& patch,
                       std::string_view subresource, JsonValue* object) {
  JsonValue before = item.object;
  if (before.is_null()) {
    TRY(before, writer.Get(item, subresource));
  }
  if (writer.dry_run() == DryRun::kClient) {
    const reflect::Type* type = api::FindType(item.resource->ApiVersion(), item.resource->kind);
    TRY(*object, Patched(patch.type, patch.value, type, before));
    return !Equivalent(before, *object);
  }
  auto answer = writer.Patch(item, {.content_type = patch.content_type(),
                                    .body = reflect::ToText(patch.value),
                                    .subresource = subresource});
  if (!answer.ok()) return Refused(item, patch, answer.error());
  *object = *std::move(answer);
  return !Equivalent(before, *object);
}

struct Plan {
  PatchToSend patch;
  DryRun dry_run;
  ChangePrinter printer;
};

Result<Plan> PlanOf(const Invocation& invocation) {
  TRY(PatchToSend patch, PatchOf(invocation));
  TRY(const DryRun dry_run, DryRunOf(invocation));
  // Its lines do not say that it is only tried.
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, DryRun::kNone));
  return Plan{std::move(patch), dry_run, std::move(printer)};
}

}  // namespace

Outcome PatchOnServer(const Invocation& invocation, const Streams& streams) {
  auto plan = PlanOf(invocation);
  if (!plan.ok()) return ServerFailure(plan.error());
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  const auto selection =
      Select(**server, invocation, invocation.arguments(), {.type_alone = false});
  if (!selection.ok()) return ServerFailure(selection.error());
  Writer writer(**server, plan->dry_run,
                std::string(invocation.Get("field-manager", kFieldManager)), "");
  std::vector<Error> errors = selection->errors;
  if (selection->items.empty() && errors.empty()) {
    return ServerFailure(Usage("no objects passed to patch"));
  }
  std::string out;
  for (const Selected& item : selection->items) {
    JsonValue object;
    const auto changed =
        PatchItem(writer, item, plan->patch, invocation.Get("subresource"), &object);
    if (!changed.ok()) {
      errors.push_back(changed.error());
      continue;
    }
    auto printed = plan->printer.Print(object, *changed ? "patched" : "patched (no change)", &out);
    if (!printed.ok()) errors.push_back(printed.error());
  }
  if (errors.empty()) return {kOk, std::move(out), {}};
  return ServerFailure(errors, std::move(out));
}

}  // namespace podium::cli
