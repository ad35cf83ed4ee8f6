// kubectl scale (upstream's k8s.io/kubectl/pkg/cmd/scale and pkg/scale).
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "api/status.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/server_writes.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using std::chrono::steady_clock;

// kubectl's, so that both own the same.
constexpr const char* kFieldManager = "kubectl";
constexpr auto kBetweenTries = std::chrono::seconds(1);
constexpr auto kConflictsFor = std::chrono::minutes(5);

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct Plan {
  DryRun dry_run = DryRun::kNone;
  int64_t replicas = 0;
  int64_t current_replicas = -1;  // -1: any
  std::string resource_version;   // "": any
  std::chrono::nanoseconds timeout{0};

  bool has_precondition() const { return current_replicas != -1 || !resource_version.empty(); }
};

Result<Plan> PlanOf(const Invocation& invocation) {
  if (!invocation.Has("replicas")) return Usage("required flag(s) \"replicas\" not set");
  Plan plan;
  TRY(plan.replicas, IntegerOption(invocation, "replicas", 0));
  TRY(plan.current_replicas, IntegerOption(invocation, "current-replicas", -1));
  TRY(plan.timeout, TimeOption(invocation, "timeout"));
  TRY(plan.dry_run, DryRunOf(invocation));
  plan.resource_version = invocation.Get("resource-version");
  if (plan.replicas < 0) {
    return Usage(
        "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
  }
  if (plan.current_replicas < -1) {
    return Usage("The --current-replicas must specify an integer of -1 or greater");
  }
  return plan;
}

std::string NumberAt(const JsonValue& scale, std::initializer_list<std::string_view> way) {
  const JsonValue* number = ValueAt(scale, way);
  return number && number->is_number() ? number->number() : "0";
}

class Scaler {
 public:
  Scaler(Server& server, const Plan& plan)
      : plan_(plan), writer_(server, plan.dry_run, kFieldManager, "") {}

  Result<JsonValue> Get(const Selected& item) { return writer_.Get(item); }

  Result<void> Scale(const Selected& item) {
    const auto end = steady_clock::now() + kConflictsFor;
    for (;;) {
      auto scaled = plan_.has_precondition() ? UpdateScale(item) : PatchScale(item);
      if (scaled.ok()) break;
      const api::meta::v1::Status* status = api::FindStatus(scaled.error());
      if (!status || status->reason != "Conflict") return scaled;
      if (steady_clock::now() + kBetweenTries > end) {
        return Error(Code::kDeadlineExceeded, "timed out waiting for the condition");
      }
      std::this_thread::sleep_for(kBetweenTries);
    }
    if (plan_.timeout.count() == 0 || plan_.dry_run != DryRun::kNone) return {};
    return WaitUntilScaled(item);
  }

 private:
  Result<void> PatchScale(const Selected& item) {
    TRY_VOID(writer_.Patch(
        item, {.content_type = kMergePatch,
               .body = R"({"spec":{"replicas":)" + std::to_string(plan_.replicas) + "}}",
               .subresource = "scale"}));
    return {};
  }

  // At the version that the precondition was seen at.
  Result<void> UpdateScale(const Selected& item) {
    TRY(JsonValue scale, writer_.Get(item, "scale"));
    const std::string replicas = NumberAt(scale, {"spec", "replicas"});
    if (plan_.current_replicas != -1 && replicas != std::to_string(plan_.current_replicas)) {
      return Unexpected("replicas", std::to_string(plan_.current_replicas), replicas);
    }
    const std::string version(TextAt(scale, {"metadata", "resourceVersion"}));
    if (!plan_.resource_version.empty() && version != plan_.resource_version) {
      return Unexpected("resource version", plan_.resource_version, version);
    }
    JsonValue* spec = scale.Find("spec");
    if (!spec || !spec->is_object()) {
      spec = &scale.Set("spec", JsonValue::Of(JsonValue::Object()));
    }
    spec->Set("replicas", JsonValue::Number(std::to_string(plan_.replicas)));
    TRY_VOID(writer_.Update(item, "scale", scale));
    return {};
  }

  static Error Unexpected(const char* what, const std::string& expected,
                          const std::string& actual) {
    return Usage("Expected " + std::string(what) + " to be " + expected + ", was " + actual);
  }

  Result<void> WaitUntilScaled(const Selected& item) {
    const auto end = steady_clock::now() + plan_.timeout;
    const std::string wanted = std::to_string(plan_.replicas);
    for (;;) {
      TRY(const JsonValue scale, writer_.Get(item, "scale"));
      // Somebody else wants another size.
      if (NumberAt(scale, {"spec", "replicas"}) != wanted) return {};
      if (NumberAt(scale, {"status", "replicas"}) == wanted) return {};
      const auto now = steady_clock::now();
      if (now >= end) {
        return Error(Code::kDeadlineExceeded,
                     "timed out waiting for " + reflect::GoQuoted(item.name) + " to be synced");
      }
      std::this_thread::sleep_for(std::min<steady_clock::duration>(kBetweenTries, end - now));
    }
  }

  const Plan& plan_;
  Writer writer_;
};

// The objects as they are before; what cannot be had is noted.
std::vector<Selected> ObjectsOf(Server& server, const Invocation& invocation,
                                const Selection& selection, Scaler& scaler,
                                std::vector<Error>* errors) {
  std::vector<Selected> objects;
  for (const Selected& item : selection.items) {
    auto listed = Listed(server, invocation, item);
    if (!listed.ok()) {
      errors->push_back(std::move(listed).error());
      continue;
    }
    for (Selected& each : *listed) {
      if (each.object.is_null()) {
        auto object = scaler.Get(each);
        if (!object.ok()) {
          errors->push_back(std::move(object).error());
          continue;
        }
        each.object = *std::move(object);
      }
      objects.push_back(std::move(each));
    }
  }
  return objects;
}

Result<Outcome> Run(const Invocation& invocation, const Streams& streams) {
  TRY(const Plan plan, PlanOf(invocation));
  TRY(ChangePrinter printer, ChangePrinter::Of(invocation, plan.dry_run));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const Selection selection,
      Select(*server, invocation, invocation.arguments(), {.type_alone = false}));
  Scaler scaler(*server, plan);
  std::vector<Error> errors = selection.errors;
  const auto objects = ObjectsOf(*server, invocation, selection, scaler, &errors);
  if (!plan.resource_version.empty() && objects.size() > 1) {
    return Usage("cannot use --resource-version with multiple resources");
  }
  if (objects.empty()) {
    return Usage("no objects passed to scale" +
                 (errors.empty() ? "" : " " + Aggregate(errors).message()));
  }
  for (const Selected& item : objects) {
    if (plan.dry_run != DryRun::kClient) TRY_VOID(scaler.Scale(item));
    std::string out;
    TRY_VOID(printer.Print(item.object, "scaled", &out));
    if (!streams.Out(out)) return Outcome{kFailed, {}, {}};
  }
  return errors.empty() ? Outcome() : ServerFailure(errors);
}

Outcome RunScale(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "replicas", .value = "COUNT", .help = "how many there shall be"},
    {.name = "current-replicas",
     .value = "COUNT",
     .help = "only if there are to be as many now; -1, as if not given: however many"},
    {.name = "resource-version",
     .value = "VERSION",
     .help = "only if the object is at this version; of one object"},
    {.name = "timeout",
     .value = "TIME",
     .help = "wait for so long until there are as many; 0, as if not given: do not wait"},
    {.name = "all", .help = "all objects of the types"},
    kSelectorOption,
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ScaleCommand() {
  return {
      .name = "scale",
      .summary = "Set how many pods a deployment and its like shall have",
      .arguments = "--replicas=COUNT (TYPE NAME... | TYPE/NAME... | -f FILE)",
      .max_arguments = 100'000,
      .details =
          "Of deployments, replica sets, stateful sets, replication controllers, and custom "
          "resources with the scale subresource. What is printed is the object as it was.",
      .example =
          "  podium scale deploy/web --replicas=3\n"
          "  podium scale deploy/web --replicas=3 --current-replicas=2\n"
          "  podium scale deploy -l tier=back --replicas=0 --timeout=1m\n",
      .options = kOptions,
      .live = RunScale,
  };
}

}  // namespace podium::cli
