// kubectl auth can-i and whoami (upstream's k8s.io/kubectl/pkg/cmd/auth).
#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/table_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr const char* kAccessPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* kRulesPath = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
constexpr const char* kWhoPath = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

JsonValue ObjectOf(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  JsonValue out = JsonValue::Of(JsonValue::Object());
  for (const auto& [key, value] : members) {
    if (!value.empty()) out.Set(key, JsonValue::String(std::string(value)));
  }
  return out;
}

Result<JsonValue> Review(Server& server, const char* path, const char* kind, JsonValue spec) {
  const std::string group = path + std::string_view("/apis/").size();
  const std::string version = group.substr(0, group.rfind('/'));
  JsonValue review = ObjectOf({{"apiVersion", version}, {"kind", kind}});
  review.Set("metadata", JsonValue::Of(JsonValue::Object()));
  if (spec.is_object()) review.Set("spec", std::move(spec));
  return server.AskJson({.method = "POST", .path = path, .body = reflect::ToText(review)});
}

// What can-i's second argument means: a resource of the server, or what it is called at least.
struct AskedResource {
  std::string group = {};
  std::string plural = {};
  std::string warning = {};
};

AskedResource ResourceFor(const ServerResources& resources, const std::string& word,
                          bool of_namespace) {
  if (word == "*") return {.plural = "*"};
  const auto found = resources.Resolve(word);
  if (!found.ok()) {
    const size_t dot = std::min(word.find('.'), word.size());
    const std::string name = word.substr(0, dot);
    const std::string group = dot < word.size() ? word.substr(dot + 1) : "";
    std::string warning = "Warning: the server doesn't have a resource type '" + name + "'";
    if (!group.empty()) warning += " in group '" + group + "'";
    return {.group = group, .plural = name, .warning = warning + "\n"};
  }
  AskedResource out{.group = (*found)->group, .plural = (*found)->plural};
  if (of_namespace && !(*found)->namespaced) {
    out.warning = "Warning: resource '" + out.plural + "' is not namespace scoped";
    if (!out.group.empty()) out.warning += " in group '" + out.group + "'";
    out.warning += "\n";
  }
  return out;
}

Result<Outcome> CanI(Server& server, const Invocation& invocation) {
  const auto& arguments = invocation.arguments();
  if (arguments.size() < 2 || arguments.size() > 3) {
    return Error(Code::kInvalidArgument,
                 "you must specify two arguments: verb resource or verb resource/resourceName.\n"
                 "See 'podium auth can-i -h' for help and examples.");
  }
  Outcome outcome;
  JsonValue spec = JsonValue::Of(JsonValue::Object());
  if (arguments[1].starts_with('/')) {
    spec.Set("nonResourceAttributes", ObjectOf({{"verb", arguments[0]}, {"path", arguments[1]}}));
  } else {
    const size_t slash = std::min(arguments[1].find('/'), arguments[1].size());
    std::string name = slash < arguments[1].size() ? arguments[1].substr(slash + 1) : "";
    if (arguments.size() == 3) name = arguments[2];
    const std::string_view space =
        invocation.Has("all-namespaces") ? std::string_view() : server.namespace_();
    TRY(const ServerResources* resources, server.Resources());
    const AskedResource asked =
        ResourceFor(*resources, arguments[1].substr(0, slash), !space.empty());
    if (!asked.warning.empty()) outcome.err = EscapedText(asked.warning) + "\n";
    spec.Set("resourceAttributes", ObjectOf({{"namespace", space},
                                             {"verb", arguments[0]},
                                             {"group", asked.group},
                                             {"resource", asked.plural},
                                             {"subresource", invocation.Get("subresource")},
                                             {"name", name}}));
  }
  TRY(const JsonValue answer,
      Review(server, kAccessPath, "SelfSubjectAccessReview", std::move(spec)));
  const JsonValue* status = answer.Find("status");
  const bool allowed = status && TruthOf(*status, "allowed");
  outcome.status = allowed ? kOk : kFailed;
  outcome.out = allowed ? "yes" : "no";
  for (const char* why : {"reason", "evaluationError"}) {
    const std::string_view text = TextAt(answer, {"status", why});
    if (!allowed && !text.empty()) outcome.out += " - " + EscapedText(text);
  }
  outcome.out += '\n';
  if (invocation.Has("quiet")) outcome.out.clear();
  return outcome;
}

// A rule about one resource of one group, or about paths.
struct Rule {
  std::vector<std::string> groups = {};
  std::vector<std::string> resources = {};
  std::vector<std::string> paths = {};
  std::vector<std::string> names = {};
  std::vector<std::string> verbs = {};

  bool SameBut(const Rule& other) const {
    return groups == other.groups && resources == other.resources && names == other.names;
  }
  std::string Resource() const {
    if (resources.empty()) return {};
    return groups[0].empty() ? resources[0] : resources[0] + "." + groups[0];
  }
};

std::string Bracketed(const std::vector<std::string>& texts) {
  return "[" + Join(texts, " ") + "]";
}

// Rules of one resource and one group each, those that differ in verbs alone made one.
std::vector<Rule> RulesOf(const JsonValue& answer) {
  std::vector<Rule> out;
  const auto add = [&](Rule rule) {
    const auto same = std::ranges::find_if(out, [&](const Rule& r) { return r.SameBut(rule); });
    if (same == out.end()) return out.push_back(std::move(rule));
    for (std::string& verb : rule.verbs) {
      if (std::ranges::find(same->verbs, verb) == same->verbs.end()) {
        same->verbs.push_back(std::move(verb));
      }
    }
  };
  static const JsonValue kNothing;
  const JsonValue* status = answer.Find("status");
  if (!status) status = &kNothing;
  for (const JsonValue& rule : ElementsOf(*status, "resourceRules")) {
    for (const std::string& group : TextsOf(rule, "apiGroups")) {
      for (const std::string& resource : TextsOf(rule, "resources")) {
        add({.groups = {group},
             .resources = {resource},
             .names = TextsOf(rule, "resourceNames"),
             .verbs = TextsOf(rule, "verbs")});
      }
    }
  }
  for (const JsonValue& rule : ElementsOf(*status, "nonResourceRules")) {
    for (const std::string& path : TextsOf(rule, "nonResourceURLs")) {
      out.push_back({.paths = {path}, .verbs = TextsOf(rule, "verbs")});
    }
  }
  return out;
}

Result<Outcome> ListRules(Server& server, const Invocation& invocation) {
  TRY(const JsonValue answer, Review(server, kRulesPath, "SelfSubjectRulesReview",
                                     ObjectOf({{"namespace", server.namespace_()}})));
  TableText table;
  if (!invocation.Has("no-headers")) {
    table.AddRow({"Resources", "Non-Resource URLs", "Resource Names", "Verbs"});
  }
  std::vector<Rule> rules = RulesOf(answer);
  // By the text that Go makes of a rule, as kubectl has it.
  std::ranges::sort(rules, {}, [](const Rule& rule) {
    return "Verbs:" + Bracketed(rule.verbs) + ",APIGroups:" + Bracketed(rule.groups) +
           ",Resources:" + Bracketed(rule.resources) + ",ResourceNames:" + Bracketed(rule.names) +
           ",NonResourceURLs:" + Bracketed(rule.paths) + ",}";
  });
  for (const Rule& rule : rules) {
    table.AddRow({EscapedText(rule.Resource()), EscapedText(Bracketed(rule.paths)),
                  EscapedText(Bracketed(rule.names)), EscapedText(Bracketed(rule.verbs))});
  }
  Outcome outcome;
  table.Flush(&outcome.out);
  const JsonValue* status = answer.Find("status");
  if (status && TruthOf(*status, "incomplete")) {
    outcome.err =
        "warning: the list may be incomplete: " + EscapedText(TextOf(*status, "evaluationError")) +
        "\n";
  }
  return outcome;
}

Outcome RunCanI(const Invocation& invocation, const Streams& streams) {
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  auto outcome =
      invocation.Has("list") ? ListRules(**server, invocation) : CanI(**server, invocation);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

std::string WhoText(const JsonValue& answer) {
  TableText table;
  table.AddRow({"ATTRIBUTE", "VALUE"});
  static const JsonValue kNothing;
  const JsonValue* who = ValueAt(answer, {"status", "userInfo"});
  if (!who) who = &kNothing;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) table.AddRow({EscapedText(name), EscapedText(value)});
  };
  add("Username", std::string(TextOf(*who, "username")));
  add("UID", std::string(TextOf(*who, "uid")));
  const auto groups = TextsOf(*who, "groups");
  if (!groups.empty()) add("Groups", Bracketed(groups));
  if (const JsonValue* extra = who->Find("extra"); extra && extra->is_object()) {
    for (const auto& [key, value] : extra->object()) {
      add("Extra: " + key, Bracketed(TextsOf(*extra, key)));
    }
  }
  std::string out;
  table.Flush(&out);
  return out;
}

Result<Outcome> WhoAmI(const Invocation& invocation, const Streams& streams) {
  TRY(const auto printer, PrinterOf(invocation));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY(const JsonValue answer, Review(*server, kWhoPath, "SelfSubjectReview", JsonValue()));
  Outcome outcome;
  if (printer) {
    TRY_VOID(printer->Print(answer, &outcome.out));
  } else {
    outcome.out = WhoText(answer);
  }
  return outcome;
}

Outcome RunWhoAmI(const Invocation& invocation, const Streams& streams) {
  auto outcome = WhoAmI(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnCanIOptions[] = {
    {.name = "list", .help = "everything that is allowed in the namespace"},
    {.name = "no-headers", .help = "no headings of the list"},
    {.name = "subresource", .value = "NAME", .help = "log, exec, scale, ... of the resource"},
    {.name = "quiet", .letter = 'q', .help = "say nothing: the exit status tells"},
    kAllNamespacesOption,
};
constexpr auto kCanIOptions = WithServerOptions(kOwnCanIOptions);

constexpr Option kOwnWhoOptions[] = {kOutputOption, kTemplateOption, kAllowMissingKeysOption,
                                     kShowManagedFieldsOption};
constexpr auto kWhoOptions = WithServerOptions(kOwnWhoOptions);

}  // namespace

Command AuthCommand() {
  static const Command kCommands[] = {
      {.name = "auth can-i",
       .summary = "Ask whether something is allowed: yes, or no and status 1",
       .arguments = "VERB TYPE[/NAME] | VERB /PATH",
       .max_arguments = 3,
       .example = "  podium auth can-i create pods -n shop\n"
                  "  podium auth can-i get pods --subresource=log --as=jane\n"
                  "  podium auth can-i --list\n",
       .options = kCanIOptions,
       .live = RunCanI},
      {.name = "auth whoami",
       .summary = "Show as whom the server knows this user",
       .example = "  podium auth whoami\n",
       .options = kWhoOptions,
       .live = RunWhoAmI},
  };
  return {
      .name = "auth",
      .summary = "Ask the server who one is, and what one may do",
      .example = "  podium auth can-i create pods\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli
