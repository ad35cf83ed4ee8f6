// create role, clusterrole, rolebinding and clusterrolebinding (upstream's
// k8s.io/kubectl/pkg/cmd/create).
#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "api/types/rbac_v1.h"
#include "base/text.h"
#include "cli/create_kind.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "cli/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace rbac = api::rbac::v1;

constexpr const char* kGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kVerbs[] = {
    "*",     "get",   "delete",           "list", "create", "update",   "patch",
    "watch", "proxy", "deletecollection", "use",  "bind",   "escalate", "impersonate"};
constexpr std::string_view kUrlVerbs[] = {"*",      "get",   "post", "put",
                                          "delete", "patch", "head", "options"};
// Verbs that only these resources have.
constexpr struct {
  std::string_view verb;
  std::string_view group;
  std::string_view resource;
} kSpecialVerbs[] = {{"use", "policy", "podsecuritypolicies"},
                     {"use", "extensions", "podsecuritypolicies"},
                     {"bind", kGroup, "roles"},
                     {"bind", kGroup, "clusterroles"},
                     {"escalate", kGroup, "roles"},
                     {"escalate", kGroup, "clusterroles"},
                     {"impersonate", "", "users"},
                     {"impersonate", "", "serviceaccounts"},
                     {"impersonate", "", "groups"},
                     {"impersonate", "authentication.k8s.io", "userextras"}};

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

template <class Words>
bool Has(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != std::end(words);
}

void AddOnce(const std::string& word, std::vector<std::string>* words) {
  if (!Has(*words, word)) words->push_back(word);
}

// RESOURCE[.GROUP][/SUBRESOURCE], as it was typed, and as the server calls it.
struct RuleResource {
  std::string resource;
  std::string group;
  std::string subresource;
  bool known = true;
};

struct RuleRequest {
  std::vector<std::string> verbs;
  std::vector<RuleResource> resources;
  std::vector<std::string> names;
  std::vector<std::string> urls;
};

Result<RuleRequest> RuleRequestOf(const Invocation& invocation) {
  RuleRequest rule;
  TRY(const auto verbs, PartsOption(invocation, "verb"));
  for (const std::string& verb : verbs) AddOnce(verb, &rule.verbs);
  if (Has(verbs, "*")) rule.verbs = {"*"};
  TRY(const auto resources, PartsOption(invocation, "resource"));
  for (const std::string& text : resources) {
    const size_t slash = text.find('/');
    const std::string whole = text.substr(0, slash);
    const size_t dot = whole.find('.');
    RuleResource resource;
    resource.resource = whole.substr(0, dot);
    if (dot != whole.npos) resource.group = whole.substr(dot + 1);
    if (slash != text.npos) resource.subresource = text.substr(slash + 1);
    if (text == "*") {
      rule.resources = {std::move(resource)};
      break;
    }
    rule.resources.push_back(std::move(resource));
  }
  for (const std::string& name : invocation.All("resource-name")) AddOnce(name, &rule.names);
  TRY(const auto urls, PartsOption(invocation, "non-resource-url"));
  for (const std::string& url : urls) AddOnce(url, &rule.urls);
  return rule;
}

// The server's word for the resource, where it has it.
Result<void> ResolveResources(Server& server, RuleRequest* rule) {
  TRY(const ServerResources* all, server.Resources());
  for (RuleResource& each : rule->resources) {
    if (each.resource == "*") continue;
    const auto found =
        all->Resolve(each.group.empty() ? each.resource : each.resource + "." + each.group);
    each.known = found.ok();
    if (!found.ok()) continue;
    each.resource = (*found)->plural;
    each.group = (*found)->group;
  }
  return {};
}

Result<void> CheckSpecialVerb(const std::string& verb, RuleResource* resource) {
  bool special = false;
  for (const auto& each : kSpecialVerbs) {
    if (each.verb != verb) continue;
    special = true;
    if (each.group != resource->group || each.resource != resource->resource) continue;
    resource->known = true;
    return {};
  }
  if (!special) return {};
  return Usage("can not perform '" + verb + "' on '" + resource->resource + "' in group '" +
               resource->group + "'");
}

Result<void> CheckResources(const Streams& streams, RuleRequest* rule) {
  for (const std::string& verb : rule->verbs) {
    if (Has(kVerbs, verb)) continue;
    (void)streams.Err("Warning: '" + Printable(verb) + "' is not a standard resource verb\n");
  }
  for (RuleResource& each : rule->resources) {
    if (each.resource.empty()) {
      return Usage("resource must be specified if apiGroup/subresource specified");
    }
    if (each.resource == "*") return {};
    for (const std::string& verb : rule->verbs) TRY_VOID(CheckSpecialVerb(verb, &each));
    if (!each.known) {
      std::string what = "the server doesn't have a resource type ";
      what += reflect::GoQuoted(each.resource);
      if (!each.group.empty()) what += " in group " + reflect::GoQuoted(each.group);
      return VerbatimError(Code::kNotFound, std::move(what));
    }
  }
  return {};
}

Result<void> CheckUrls(const RuleRequest& rule) {
  for (const std::string& verb : rule.verbs) {
    if (!rule.urls.empty() && !Has(kUrlVerbs, verb)) {
      return Usage("invalid verb: '" + verb + "' for nonResourceURL");
    }
  }
  for (const std::string& url : rule.urls) {
    if (url == "*") continue;
    if (!url.starts_with('/')) return Usage("nonResourceURL should start with /");
    if (url.find('*') < url.size() - 1) {
      return Usage("nonResourceURL only supports wildcard matches when '*' is at the end");
    }
  }
  return {};
}

// One rule for each group, and one for the URLs.
std::vector<rbac::PolicyRule> RulesOf(const RuleRequest& request) {
  std::map<std::string, std::vector<std::string>> resources;
  for (const RuleResource& each : request.resources) {
    const std::string suffix = each.subresource.empty() ? "" : "/" + each.subresource;
    AddOnce(each.resource + suffix, &resources[each.group]);
  }
  std::vector<rbac::PolicyRule> rules;
  for (const auto& [group, names] : resources) {
    rbac::PolicyRule& rule = rules.emplace_back();
    rule.verbs = request.verbs;
    rule.apiGroups = {group};
    rule.resources = names;
    rule.resourceNames = request.names;
  }
  if (!request.urls.empty()) {
    rbac::PolicyRule& rule = rules.emplace_back();
    rule.verbs = request.verbs;
    rule.nonResourceURLs = request.urls;
  }
  return rules;
}

Result<rbac::Role> RoleOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  TRY(RuleRequest rule, RuleRequestOf(request.invocation));
  if (rule.verbs.empty()) return Usage("at least one verb must be specified");
  TRY_VOID(ResolveResources(request.maker.server(), &rule));
  if (rule.resources.empty()) return Usage("at least one resource must be specified");
  TRY_VOID(CheckResources(request.maker.server().streams(), &rule));
  rbac::Role role;
  role.metadata = request.maker.Metadata(request.name);
  role.rules = RulesOf(rule);
  return role;
}

// KEY=VALUE,... of --aggregation-rule.
Result<reflect::Map<std::string>> AggregationOf(const Invocation& invocation) {
  reflect::Map<std::string> labels;
  for (const std::string& value : invocation.All("aggregation-rule")) {
    for (const std::string_view pair : Split(value, ',')) {
      if (pair.empty()) continue;
      const size_t equals = pair.find('=');
      if (equals == pair.npos) {
        return Usage("invalid argument \"" + value +
                     "\" for \"--aggregation-rule\" flag: malformed pair, expect string=string");
      }
      labels[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
    }
  }
  return labels;
}

Result<rbac::ClusterRole> ClusterRoleOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  TRY(RuleRequest rule, RuleRequestOf(request.invocation));
  TRY(const auto aggregated, AggregationOf(request.invocation));
  rbac::ClusterRole role;
  role.metadata.name = request.name;
  if (!aggregated.empty()) {
    if (!rule.urls.empty() || !rule.verbs.empty() || !rule.resources.empty() ||
        !rule.names.empty()) {
      return Usage(
          "aggregation rule must be specified without nonResourceURLs, verbs, resources or "
          "resourceNames");
    }
    role.aggregationRule.emplace().clusterRoleSelectors.emplace_back().matchLabels = aggregated;
    return role;
  }
  if (rule.verbs.empty()) return Usage("at least one verb must be specified");
  if (rule.resources.empty() && rule.urls.empty()) {
    return Usage("one of resource or nonResourceURL must be specified");
  }
  TRY_VOID(ResolveResources(request.maker.server(), &rule));
  if (!rule.resources.empty()) {
    TRY_VOID(CheckResources(request.maker.server().streams(), &rule));
  }
  TRY_VOID(CheckUrls(rule));
  role.rules = RulesOf(rule);
  return role;
}

Result<reflect::List<rbac::Subject>> SubjectsOf(const Invocation& invocation,
                                                const std::vector<std::string>& users) {
  reflect::List<rbac::Subject> subjects;
  const auto add = [&](const std::vector<std::string>& names, const char* kind) {
    for (const std::string& name : names) {
      rbac::Subject& subject = subjects.emplace_back();
      subject.kind = kind;
      subject.apiGroup = kGroup;
      subject.name = name;
    }
  };
  add(users, "User");
  add(invocation.All("group"), "Group");
  for (const std::string& text : invocation.All("serviceaccount")) {
    const auto parts = Split(text, ':');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      return Usage("serviceaccount must be <namespace>:<name>");
    }
    rbac::Subject& subject = subjects.emplace_back();
    subject.kind = "ServiceAccount";
    subject.namespace_ = parts[0];
    subject.name = parts[1];
  }
  return subjects;
}

Result<rbac::RoleBinding> RoleBindingOf(const KindRequest& request,
                                        const std::vector<std::string>& users) {
  if (request.name.empty()) return Usage("name must be specified");
  const std::string role = request.Text("role");
  const std::string cluster_role = request.Text("clusterrole");
  if (role.empty() == cluster_role.empty()) {
    return Usage("exactly one of clusterrole or role must be specified");
  }
  rbac::RoleBinding binding;
  binding.metadata = request.maker.Metadata(request.name);
  binding.roleRef.apiGroup = kGroup;
  binding.roleRef.kind = role.empty() ? "ClusterRole" : "Role";
  binding.roleRef.name = role.empty() ? cluster_role : role;
  TRY(binding.subjects, SubjectsOf(request.invocation, users));
  return binding;
}

Result<rbac::ClusterRoleBinding> ClusterRoleBindingOf(const KindRequest& request,
                                                      const std::vector<std::string>& users) {
  if (!request.invocation.Has("clusterrole")) {
    return Usage("required flag(s) \"clusterrole\" not set");
  }
  rbac::ClusterRoleBinding binding;
  binding.metadata.name = request.name;
  binding.roleRef.apiGroup = kGroup;
  binding.roleRef.kind = "ClusterRole";
  binding.roleRef.name = request.Text("clusterrole");
  TRY(binding.subjects, SubjectsOf(request.invocation, users));
  return binding;
}

constexpr Option kVerb = {.name = "verb",
                          .value = "VERB",
                          .help = "what may be done: get,list; may be given several times",
                          .repeatable = true};
constexpr Option kResource = {.name = "resource",
                              .value = "RESOURCE",
                              .help =
                                  "with what: pods, pods/log, deployments.apps; may be given "
                                  "several times",
                              .repeatable = true};
constexpr Option kResourceName = {.name = "resource-name",
                                  .value = "NAME",
                                  .help =
                                      "only with objects of this name; may be given several "
                                      "times",
                                  .repeatable = true};
constexpr Option kRoleOwn[] = {kVerb, kResource, kResourceName};
constexpr auto kRoleOptions = WithKindOptions(kRoleOwn);
constexpr Option kClusterRoleOwn[] = {
    kVerb,
    kResource,
    kResourceName,
    {.name = "non-resource-url",
     .value = "PATH",
     .help = "with paths that are no objects: /healthz, /logs/*; may be given several times",
     .repeatable = true},
    {.name = "aggregation-rule",
     .value = "KEY=VALUE,...",
     .help = "the rules of all cluster roles with these labels, instead of its own",
     .repeatable = true}};
constexpr auto kClusterRoleOptions = WithKindOptions(kClusterRoleOwn);

constexpr Option kUser = {.name = "user",
                          .value = "NAME",
                          .help = "to a user; may be given several times",
                          .repeatable = true};
constexpr Option kToGroup = {.name = "group",
                             .value = "NAME",
                             .help = "to a group; may be given several times",
                             .repeatable = true};
constexpr Option kAccount = {.name = "serviceaccount",
                             .value = "NAMESPACE:NAME",
                             .help = "to a service account; may be given several times",
                             .repeatable = true};
constexpr Option kRoleBindingOwn[] = {
    {.name = "role", .value = "NAME", .help = "the role that is given"},
    {.name = "clusterrole", .value = "NAME", .help = "or the cluster role, here alone"},
    kUser,
    kToGroup,
    kAccount};
constexpr auto kRoleBindingOptions = WithoutServerOption(WithKindOptions(kRoleBindingOwn), "user");
constexpr Option kClusterRoleBindingOwn[] = {
    {.name = "clusterrole", .value = "NAME", .help = "the cluster role that is given"},
    kUser,
    kToGroup,
    kAccount};
constexpr auto kClusterRoleBindingOptions =
    WithoutServerOption(WithKindOptions(kClusterRoleBindingOwn), "user");

Outcome RunRole(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams, {.command = "create role"}, RoleOf);
}

Outcome RunClusterRole(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams, {.command = "create clusterrole"}, ClusterRoleOf);
}

Outcome RunRoleBinding(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      WithoutUsers(invocation, kRoleBindingOptions), streams,
      {.command = "create rolebinding", .failure = "failed to create rolebinding: "},
      [&](const KindRequest& request) { return RoleBindingOf(request, invocation.All("user")); });
}

Outcome RunClusterRoleBinding(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      WithoutUsers(invocation, kClusterRoleBindingOptions), streams,
      {.command = "create clusterrolebinding", .failure = "failed to create clusterrolebinding: "},
      [&](const KindRequest& request) {
        return ClusterRoleBindingOf(request, invocation.All("user"));
      });
}

}  // namespace

Command CreateRoleCommand() {
  return {
      .name = "create role",
      .summary = "Create a role of rules on a namespace's objects",
      .arguments = "NAME --verb=VERB --resource=RESOURCE",
      .max_arguments = 100'000,
      .example = "  podium create role reader --verb=get,list,watch --resource=pods,pods/log\n",
      .options = kRoleOptions,
      .live = RunRole,
  };
}

Command CreateClusterRoleCommand() {
  return {
      .name = "create clusterrole",
      .summary = "Create a role of rules on objects of the cluster",
      .arguments = "NAME --verb=VERB --resource=RESOURCE",
      .max_arguments = 100'000,
      .example =
          "  podium create clusterrole reader --verb=get,list,watch --resource=nodes\n"
          "  podium create clusterrole checks --verb=get --non-resource-url=/healthz\n",
      .options = kClusterRoleOptions,
      .live = RunClusterRole,
  };
}

Command CreateRoleBindingCommand() {
  return {
      .name = "create rolebinding",
      .summary = "Give a role in a namespace",
      .arguments = "NAME (--role=NAME | --clusterrole=NAME)",
      .max_arguments = 100'000,
      .example =
          "  podium create rolebinding readers --role=reader --user=jane --group=web\n"
          "  podium create rolebinding ci --clusterrole=edit --serviceaccount=shop:ci\n",
      .options = kRoleBindingOptions,
      .live = RunRoleBinding,
  };
}

Command CreateClusterRoleBindingCommand() {
  return {
      .name = "create clusterrolebinding",
      .summary = "Give a cluster role in all namespaces",
      .arguments = "NAME --clusterrole=NAME",
      .max_arguments = 100'000,
      .example = "  podium create clusterrolebinding admins --clusterrole=admin --group=ops\n",
      .options = kClusterRoleBindingOptions,
      .live = RunClusterRoleBinding,
  };
}

}  // namespace podium::cli
