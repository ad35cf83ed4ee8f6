// kubectl set selector.
#include <utility>

#include "base/text.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "cli/set_objects.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using Selector = api::meta::v1::LabelSelector;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<void> SetSelector(const Selector& selector, JsonValue* object) {
  if (TextOf(*object, "apiVersion") != "v1" || TextOf(*object, "kind") != "Service") {
    return Usage("setting a selector is only supported for Services");
  }
  if (!selector.matchExpressions.empty()) {
    // As Go prints a list of structs.
    const auto text = [](const auto& each) {
      return "{" + each.key + " " + each.operator_ + " [" + Join(each.values, " ") + "]}";
    };
    return Usage("match expression [" + Join(selector.matchExpressions, " ", text) +
                 "] not supported on this object");
  }
  JsonValue labels = JsonValue::Of(JsonValue::Object());
  for (const auto& [key, value] : selector.matchLabels) labels.Set(key, JsonValue::String(value));
  JsonValue* spec = object->Find("spec");
  if (!spec || !spec->is_object()) spec = &object->Set("spec", JsonValue::Of(JsonValue::Object()));
  spec->Set("selector", std::move(labels));
  return {};
}

Result<Setting> SettingOf(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments();
  if (words.empty()) return Usage("one selector is required");
  TRY(Selector selector, ParseLabelSelector(words.back()));
  words.pop_back();
  Setting setting{.done = "selector updated",
                  .failed = "",
                  .always = true,
                  .names_objects = false,
                  .resources = std::move(words)};
  setting.check = [](const auto&) -> Result<void> { return {}; };
  const std::string version(invocation.Get("resource-version"));
  setting.apply = [selector = std::move(selector), version](Server*, JsonValue* object,
                                                            std::vector<Error>*) -> Result<void> {
    TRY_VOID(SetSelector(selector, object));
    JsonValue* metadata = object->Find("metadata");
    if (!version.empty() && metadata && metadata->is_object()) {
      metadata->Set("resourceVersion", JsonValue::String(version));
    }
    return {};
  };
  setting.pinned = !version.empty();
  return setting;
}

Outcome Run(const Invocation& invocation, const Streams& streams) {
  return RunSetting(SettingOf(invocation), WithUsualRecursion(invocation), streams);
}

constexpr Option kOwnOptions[] = {
    {.name = "resource-version",
     .value = "VERSION",
     .help = "only if the object is of this version still"},
};
constexpr auto kOptions = WithSettingOptions(kOwnOptions, kUsuallyRecursiveOption);

}  // namespace

Command SetSelectorCommand() {
  return {
      .name = "set selector",
      .summary = "Change which pods a service is for",
      .arguments = "TYPE NAME KEY=VALUE,... | -f FILE KEY=VALUE,...",
      .max_arguments = 100'000,
      .details = "The labels take the place of those that it selects by now.",
      .example =
          "  podium set selector svc/web app=web,tier=front\n"
          "  podium create svc clusterip web --tcp=80 --dry-run=client -o yaml | \\\n"
          "      podium set selector --local -f - app=web -o yaml\n",
      .options = kOptions,
      .live = Run,
  };
}

}  // namespace podium::cli
