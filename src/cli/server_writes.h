// What commands that change objects of a server have in common: whether it is only tried, requests
// that create and patch, and what is printed of each object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "reflect/json_value.h"

namespace podium::cli {

inline constexpr Option kDryRunOption = {
    .name = "dry-run",
    .value = "WHERE",
    .help =
        "change nothing: \"client\" asks the server for no more than what is there, \"server\" "
        "lets it do all but store it; \"none\" is as without",
    .repeatable = true,
    .implied = "unchanged",
    .bare_warning = "--dry-run is deprecated and can be replaced with --dry-run=client."};
inline constexpr Option kValidateOption = {
    .name = "validate",
    .value = "HOW",
    .help =
        "fields that the server does not know are errors (strict, true), warnings (warn), or "
        "dropped (ignore, false); strict if not given",
    .values = Values::kWords,
    .words = "strict warn ignore true false",
    .repeatable = true,
    .implied = "strict"};

enum class DryRun { kNone, kClient, kServer };

// Of --dry-run; kInvalidArgument with kubectl's message.
Result<DryRun> DryRunOf(const Invocation& invocation);
// What is said behind a deed: "", " (dry run)", " (server dry run)".
const char* DryRunMark(DryRun dry_run);
// Of --validate, as the API calls it: "Strict", "Warn", "Ignore".
std::string FieldValidationOf(const Invocation& invocation);

// Content types of patches.
inline constexpr std::string_view kJsonPatch = "application/json-patch+json";
inline constexpr std::string_view kMergePatch = "application/merge-patch+json";
inline constexpr std::string_view kStrategicPatch = "application/strategic-merge-patch+json";
inline constexpr std::string_view kApplyPatch = "application/apply-patch+yaml";

struct PatchRequest {
  std::string_view content_type;
  std::string body;
  std::string_view subresource = {};
  std::string_view field_manager = {};  // another than the writer's
  std::string_view force = {};          // "true" or "false", of kApplyPatch
};

struct Deletion {
  const char* propagation = "Background";
  std::optional<int64_t> grace = {};  // seconds; none: the object's own
};

// Sends what changes objects. With DryRun::kClient nothing is to be sent by it. Errors are the
// server's.
class Writer {
 public:
  // `field_validation` may be "".
  Writer(Server& server, DryRun dry_run, std::string field_manager, std::string field_validation)
      : server_(server),
        dry_run_(dry_run),
        field_manager_(std::move(field_manager)),
        field_validation_(std::move(field_validation)) {}

  Result<reflect::JsonValue> Get(const Selected& item, std::string_view subresource = {});
  // The answers are the objects as they are then.
  Result<reflect::JsonValue> Create(const Selected& item, const reflect::JsonValue& object);
  Result<reflect::JsonValue> Patch(const Selected& item, const PatchRequest& patch);
  Result<reflect::JsonValue> Update(const Selected& item, std::string_view subresource,
                                    const reflect::JsonValue& object);
  // The answer is a Status, or the object while it goes.
  Result<reflect::JsonValue> Delete(const Selected& item, const Deletion& deletion);

  DryRun dry_run() const { return dry_run_; }
  const std::string& field_manager() const { return field_manager_; }

 private:
  // With what each of them says of itself.
  std::string Query(std::string_view field_manager, std::string_view force = {}) const;

  Server& server_;
  const DryRun dry_run_;
  const std::string field_manager_;
  const std::string field_validation_;
};

// The objects of the selection as the server has them now, with `object` set; what cannot be had is
// noted. Where a subresource is named it is that of the objects.
std::vector<Selected> FetchAll(Server& server, const Invocation& invocation,
                               const Selection& selection, std::string_view subresource,
                               std::vector<Error>* errors);

// A List of apiVersion v1.
reflect::JsonValue ListOf(std::vector<reflect::JsonValue> objects);

// What is printed of objects that were changed: the lines "pod/web created (dry run)", or what -o
// says.
class ChangePrinter {
 public:
  static Result<ChangePrinter> Of(const Invocation& invocation, DryRun dry_run,
                                  MemberOrder order = MemberOrder::kSorted);

  // Objects rather than lines or names.
  bool prints_objects() const { return objects_; }
  Result<void> Print(const reflect::JsonValue& object, std::string_view what, std::string* out);
  // All of them at the end: one as it is, several as a List.
  Result<void> PrintAll(std::vector<reflect::JsonValue> objects, std::string* out);

 private:
  std::unique_ptr<ObjectPrinter> printer_;
  bool objects_ = false;
  bool lines_ = false;
  DryRun dry_run_ = DryRun::kNone;
};

}  // namespace podium::cli
