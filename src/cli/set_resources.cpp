// kubectl set resources.
#include <utility>

#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "cli/set_objects.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using Amounts = reflect::Map<api::Quantity>;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

JsonValue* ObjectIn(JsonValue* object, std::string_view key) {
  const JsonValue* member = object->Find(key);
  if (!member || !member->is_object()) object->Set(key, JsonValue::Of(JsonValue::Object()));
  return object->Find(key);
}

void SetAmounts(const Amounts& amounts, const char* key, JsonValue* container) {
  if (amounts.empty()) return;
  JsonValue* list = ObjectIn(ObjectIn(container, "resources"), key);
  for (const auto& [name, amount] : amounts) list->Set(name, JsonValue::String(amount.String()));
}

// What kubectl looks at when it knows the objects, too.
Result<void> Check(const Invocation& invocation) {
  if (invocation.Get("limits").empty() && invocation.Get("requests").empty()) {
    return Usage(
        "you must specify an update to requests or limits (in the form of --requests/--limits)");
  }
  TRY_VOID(ParseAmounts(invocation.Get("limits")));
  TRY_VOID(ParseAmounts(invocation.Get("requests")));
  return {};
}

Setting SettingOf(const Invocation& invocation) {
  Setting setting{.done = "resource requirements updated",
                  .failed = "failed to patch resources update to pod template ",
                  .resources = invocation.arguments()};
  setting.check = [&invocation](const auto&) { return Check(invocation); };
  setting.apply = [&invocation](Server*, JsonValue* object,
                                std::vector<Error>* errors) -> Result<void> {
    TRY(const Amounts limits, ParseAmounts(invocation.Get("limits")));
    TRY(const Amounts requests, ParseAmounts(invocation.Get("requests")));
    const std::string_view pattern = invocation.Get("containers", "*");
    TRY(JsonValue * spec, PodSpecOf(object));
    const auto containers =
        ContainersOf(spec, [&](std::string_view name) { return MatchesWildcard(name, pattern); },
                     {"containers"});
    if (containers.empty()) {
      errors->push_back(Usage("error: unable to find container named " + std::string(pattern)));
    }
    for (JsonValue* container : containers) {
      SetAmounts(limits, "limits", container);
      SetAmounts(requests, "requests", container);
    }
    return {};
  };
  return setting;
}

Outcome Run(const Invocation& invocation, const Streams& streams) {
  return RunSetting(SettingOf(invocation), invocation, streams);
}

constexpr Option kOwnOptions[] = {
    {.name = "limits",
     .value = "NAME=AMOUNT,...",
     .help = "what the containers may use at most: cpu=200m,memory=512Mi"},
    {.name = "requests",
     .value = "NAME=AMOUNT,...",
     .help = "what is kept for them: cpu=100m,memory=256Mi"},
    kContainersOption,
    kSelectorOption,
    kKustomizeOption,
};
constexpr auto kOptions = WithSettingOptions(kOwnOptions);

}  // namespace

Command SetResourcesCommand() {
  return {
      .name = "set resources",
      .summary = "Change how much of the machine containers ask for and may use",
      .arguments = "TYPE NAME --limits=LIMITS --requests=REQUESTS | -f FILE ...",
      .max_arguments = 100'000,
      .details = "Other amounts stay as they are; an amount of 0 is one, too.",
      .example =
          "  podium set resources deploy/web --limits=cpu=200m,memory=512Mi\n"
          "  podium set resources deploy web -c main --requests=cpu=100m\n"
          "  podium set resources -f web.yaml --limits=cpu=1 --local -o yaml\n",
      .options = kOptions,
      .live = Run,
  };
}

}  // namespace podium::cli
