// create quota, poddisruptionbudget and priorityclass (upstream's k8s.io/kubectl/pkg/cmd/create).
#include <algorithm>
#include <limits>
#include <utility>

#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/scheduling_v1.h"
#include "base/text.h"
#include "cli/create_kind.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace policy = api::policy::v1;
namespace scheduling = api::scheduling::v1;
namespace v1 = api::core::v1;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<v1::ResourceQuota> QuotaOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  v1::ResourceQuota quota;
  quota.metadata = request.maker.Metadata(request.name);
  const std::string hard = request.Text("hard");
  const std::string scopes = request.Text("scopes");
  TRY(const auto amounts, ParseAmounts(hard));
  for (const auto& [name, amount] : amounts) quota.spec.hard[name] = amount;
  for (const std::string_view scope : Split(scopes, ',')) {
    if (scopes.empty()) break;
    if (scope.empty()) return Usage("invalid resource quota scope \"\"");
    quota.spec.scopes.emplace_back(scope);
  }
  return quota;
}

// 10 or 30%
bool IsCount(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  return !text.empty() &&
         std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

Result<policy::PodDisruptionBudget> BudgetOf(const KindRequest& request) {
  const std::string least = request.Text("min-available");
  const std::string most = request.Text("max-unavailable");
  if (request.name.empty()) return Usage("name must be specified");
  if (request.Text("selector").empty()) return Usage("a selector must be specified");
  if (least.empty() && most.empty()) {
    return Usage("one of min-available or max-unavailable must be specified");
  }
  if (!least.empty() && !most.empty()) {
    return Usage("min-available and max-unavailable cannot be both specified");
  }
  if (!least.empty() && !IsCount(least)) {
    return Usage("invalid format specified for min-available");
  }
  if (!most.empty() && !IsCount(most)) {
    return Usage("invalid format specified for max-unavailable");
  }
  policy::PodDisruptionBudget budget;
  budget.metadata = request.maker.Metadata(request.name);
  TRY(auto selector, ParseLabelSelector(request.Text("selector")));
  budget.spec.selector = std::move(selector);
  if (!least.empty()) {
    budget.spec.minAvailable = api::IntOrString::Parse(least);
  } else {
    budget.spec.maxUnavailable = api::IntOrString::Parse(most);
  }
  return budget;
}

Result<scheduling::PriorityClass> PriorityClassOf(const KindRequest& request) {
  TRY(const int64_t value, IntegerOption(request.invocation, "value", 0));
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return Usage("invalid argument " + reflect::GoQuoted(request.Text("value")) +
                 " for \"--value\" flag: strconv.ParseInt: parsing " +
                 reflect::GoQuoted(request.Text("value")) + ": value out of range");
  }
  scheduling::PriorityClass made;
  made.metadata.name = request.name;
  made.value = static_cast<int32_t>(value);
  made.globalDefault = request.Text("global-default") == "true";
  made.description = request.Text("description");
  made.preemptionPolicy =
      std::string(request.invocation.Get("preemption-policy", "PreemptLowerPriority"));
  return made;
}

Outcome RunQuota(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create quota", .failure = "failed to create quota: "}, QuotaOf);
}

Outcome RunBudget(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create poddisruptionbudget",
                     .failure = "failed to create poddisruptionbudgets: "},
                    BudgetOf);
}

Outcome RunPriorityClass(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      invocation, streams,
      {.command = "create priorityclass", .failure = "failed to create priorityclass: "},
      PriorityClassOf);
}

constexpr Option kQuotaOwn[] = {
    {.name = "hard", .value = "RESOURCE=AMOUNT,...", .help = "how much there may be of what"},
    {.name = "scopes", .value = "SCOPE,...", .help = "only of objects that are in all of them"}};
constexpr auto kQuotaOptions = WithKindOptions(kQuotaOwn);
constexpr Option kBudgetOwn[] = {
    {.name = "selector", .value = "SELECTOR", .help = "of the pods: app=web"},
    {.name = "min-available", .value = "COUNT", .help = "as many must stay: 2, 50%"},
    {.name = "max-unavailable", .value = "COUNT", .help = "or: as many may be away"}};
constexpr auto kBudgetOptions = WithKindOptions(kBudgetOwn);
constexpr Option kPriorityClassOwn[] = {
    {.name = "value", .value = "NUMBER", .help = "higher goes first; 0 if not given"},
    {.name = "global-default",
     .value = "BOOL",
     .help = "of pods that name no class",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "description", .value = "TEXT", .help = "when it is to be used"},
    {.name = "preemption-policy",
     .value = "POLICY",
     .help = "PreemptLowerPriority or Never; PreemptLowerPriority if not given"}};
constexpr auto kPriorityClassOptions = WithKindOptions(kPriorityClassOwn);

}  // namespace

Command CreateQuotaCommand() {
  return {
      .name = "create quota",
      .summary = "Create a resource quota",
      .aliases = "resourcequota",
      .arguments = "NAME",
      .max_arguments = 100'000,
      .example = "  podium create quota shop --hard=pods=10,requests.memory=4Gi\n",
      .options = kQuotaOptions,
      .live = RunQuota,
  };
}

Command CreatePodDisruptionBudgetCommand() {
  return {
      .name = "create poddisruptionbudget",
      .summary = "Create a pod disruption budget",
      .aliases = "pdb",
      .arguments = "NAME --selector=SELECTOR --min-available=COUNT",
      .max_arguments = 100'000,
      .example = "  podium create poddisruptionbudget web --selector=app=web --min-available=50%\n",
      .options = kBudgetOptions,
      .live = RunBudget,
  };
}

Command CreatePriorityClassCommand() {
  return {
      .name = "create priorityclass",
      .summary = "Create a priority class",
      .aliases = "pc",
      .arguments = "NAME --value=NUMBER",
      .max_arguments = 100'000,
      .example = "  podium create priorityclass urgent --value=1000 --description='pages people'\n",
      .options = kPriorityClassOptions,
      .live = RunPriorityClass,
  };
}

}  // namespace podium::cli
