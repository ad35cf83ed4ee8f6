// kubectl set subject.
#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "cli/set_objects.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr const char* kGroup = "rbac.authorization.k8s.io";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

std::set<std::string> NamesOf(const Invocation& invocation, std::string_view option) {
  const auto all = invocation.All(option);
  return {all.begin(), all.end()};
}

bool IsBinding(const JsonValue& object, std::string_view kind) {
  return TextOf(object, "kind") == kind &&
         TextOf(object, "apiVersion") == std::string(kGroup) + "/v1";
}

Result<void> Check(const Invocation& invocation, const std::vector<JsonValue>& objects) {
  const auto accounts = invocation.All("serviceaccount");
  if (!invocation.Has("user") && !invocation.Has("group") && accounts.empty()) {
    return Usage("you must specify at least one value of user, group or serviceaccount");
  }
  for (const std::string& account : accounts) {
    const auto parts = Split(account, ':');
    if (parts.size() != 2 || parts[1].empty()) {
      return Usage("serviceaccount must be <namespace>:<name>");
    }
    if (!parts[0].empty()) continue;
    for (const JsonValue& object : objects) {
      if (!IsBinding(object, "ClusterRoleBinding")) continue;
      return Usage("serviceaccount must be <namespace>:<name>, namespace must be specified");
    }
  }
  return {};
}

JsonValue Subject(const char* kind, const char* key, std::string_view value,
                  const std::string& name) {
  JsonValue subject = JsonValue::Of(JsonValue::Object());
  subject.Set("kind", JsonValue::String(kind));
  subject.Set(key, JsonValue::String(std::string(value)));
  subject.Set("name", JsonValue::String(name));
  return subject;
}

// Those asked for, in kubectl's order. Accounts without a namespace are of this one.
std::vector<JsonValue> SubjectsOf(const Invocation& invocation, std::string_view name_space) {
  std::vector<JsonValue> subjects;
  for (const std::string& user : NamesOf(invocation, "user")) {
    subjects.push_back(Subject("User", "apiGroup", kGroup, user));
  }
  for (const std::string& group : NamesOf(invocation, "group")) {
    subjects.push_back(Subject("Group", "apiGroup", kGroup, group));
  }
  for (const std::string& account : NamesOf(invocation, "serviceaccount")) {
    const auto parts = Split(account, ':');
    subjects.push_back(Subject("ServiceAccount", "namespace",
                               parts[0].empty() ? name_space : parts[0], std::string(parts[1])));
  }
  return subjects;
}

// `named` has --user, too.
Setting SettingOf(const Invocation& named) {
  Setting setting{.done = "subjects updated",
                  .failed = "failed to patch subjects to rolebinding: ",
                  .resources = named.arguments()};
  setting.check = [&named](const std::vector<JsonValue>& objects) { return Check(named, objects); };
  setting.apply = [&named](Server* server, JsonValue* object, std::vector<Error>*) -> Result<void> {
    if (!IsBinding(*object, "RoleBinding") && !IsBinding(*object, "ClusterRoleBinding")) {
      return Usage("setting subjects is only supported for RoleBinding/ClusterRoleBinding");
    }
    const std::string name_space =
        server ? server->namespace_() : std::string(named.Get("namespace", "default"));
    JsonValue::Array subjects = ElementsOf(*object, "subjects");
    for (JsonValue& subject : SubjectsOf(named, name_space)) {
      const bool known = std::ranges::any_of(
          subjects, [&](const JsonValue& each) { return Equivalent(each, subject); });
      if (!known) subjects.push_back(std::move(subject));
    }
    object->Set("subjects", JsonValue::Of(std::move(subjects)));
    return {};
  };
  return setting;
}

constexpr Option kOwnOptions[] = {
    {.name = "user",
     .value = "NAME",
     .help = "a user; may be given several times",
     .repeatable = true},
    {.name = "group",
     .value = "NAME",
     .help = "a group; may be given several times",
     .repeatable = true},
    {.name = "serviceaccount",
     .value = "NAMESPACE:NAME",
     .help = "a service account; may be given several times",
     .repeatable = true},
    kSelectorOption,
    kKustomizeOption,
};
constexpr auto kOptions = WithoutServerOption(WithSettingOptions(kOwnOptions), "user");

Outcome Run(const Invocation& invocation, const Streams& streams) {
  return RunSetting(SettingOf(invocation), WithoutUsers(invocation, kOptions), streams);
}

}  // namespace

Command SetSubjectCommand() {
  return {
      .name = "set subject",
      .summary = "Add users, groups and service accounts to role bindings",
      .arguments = "TYPE NAME --user=USER --group=GROUP | -f FILE ...",
      .max_arguments = 100'000,
      .example =
          "  podium set subject rolebinding admin --user=jane --group=ops\n"
          "  podium set subject clusterrolebinding admin --serviceaccount=shop:robot\n",
      .options = kOptions,
      .live = Run,
  };
}

}  // namespace podium::cli
