// create ingress (upstream's k8s.io/kubectl/pkg/cmd/create, create_ingress.go).
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "api/int_or_string.h"
#include "api/types/networking_v1.h"
#include "base/text.h"
#include "cli/create_kind.h"
#include "cli/server_errors.h"
#include "reflect/regexp/regexp.h"

namespace podium::cli {
namespace {

namespace networking = api::networking::v1;

// HOST/PATH=SERVICE:PORT[,tls[=SECRET]], as upstream checks it: only from the left.
constexpr std::string_view kRule = R"(^[\w\*\-\.]*/.*=[\w\-]+:[\w\-]+(,tls=?([\w\-]+)?)?)";

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct Rule {
  std::string host;
  std::string path;
  std::string service;  // NAME:PORT
  bool tls = false;
  std::string secret;
};

Result<Rule> RuleOf(const std::string& text) {
  static const auto kPattern = reflect::Regexp::Compile(kRule);
  const Error wrong =
      Usage("rule " + text +
            " is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]");
  if (!kPattern.ok() || !kPattern->Match(text).value_or(false)) return wrong;
  const auto parts = Split(text, ',');
  const std::string_view front = parts[0];
  Rule rule;
  const size_t slash = front.find('/');
  const size_t equals = slash == front.npos ? front.npos : front.find('=', slash);
  // The sign is behind a comma that is part of the path.
  if (equals == front.npos || !front.substr(equals).contains(':')) return wrong;
  rule.host = front.substr(0, slash);
  rule.path = front.substr(slash, equals - slash);
  rule.service = front.substr(equals + 1, front.find('=', equals + 1) - equals - 1);
  if (!rule.service.contains(':')) return wrong;
  if (parts.size() == 2) {
    rule.tls = true;
    const auto secret = Split(parts[1], '=');
    if (secret.size() > 1) rule.secret = secret[1];
  }
  return rule;
}

// NAME:PORT
networking::IngressBackend BackendOf(std::string_view text) {
  const auto parts = Split(text, ':');
  networking::IngressBackend backend;
  networking::IngressServiceBackend& service = backend.service.emplace();
  service.name = parts[0];
  const api::IntOrString port = api::IntOrString::Parse(parts[1]);
  if (port.is_string()) {
    service.port.name = port.str_val;
  } else {
    service.port.number = port.int_val;
  }
  return backend;
}

networking::HTTPIngressPath PathOf(const Rule& rule) {
  networking::HTTPIngressPath path;
  path.path = rule.path;
  path.pathType = "Exact";
  if (path.path.ends_with('*')) {
    path.path.pop_back();
    path.pathType = "Prefix";
  }
  path.backend = BackendOf(rule.service);
  return path;
}

// A host's paths stand in one rule.
void AddRule(const Rule& rule, networking::IngressSpec* spec) {
  auto place = std::ranges::find(spec->rules, rule.host, &networking::IngressRule::host);
  if (place == spec->rules.end()) {
    spec->rules.emplace_back().host = rule.host;
    place = spec->rules.end() - 1;
    place->http.emplace().paths.present = true;
  }
  place->http->paths.push_back(PathOf(rule));
}

// A host has one secret, and a secret's hosts stand together.
void AddTls(const Rule& rule, std::set<std::string>* hosts, networking::IngressSpec* spec) {
  if (!rule.tls || !hosts->insert(rule.host).second) return;
  const auto place = std::ranges::find(spec->tls, rule.secret, &networking::IngressTLS::secretName);
  if (place != spec->tls.end()) {
    place->hosts.push_back(rule.host);
    return;
  }
  if (rule.host.empty() && rule.secret.empty()) return;
  networking::IngressTLS& tls = spec->tls.emplace_back();
  if (!rule.host.empty()) tls.hosts.push_back(rule.host);
  tls.secretName = rule.secret;
}

Result<networking::Ingress> IngressOf(const KindRequest& request) {
  const auto rules = request.invocation.All("rule");
  const std::string backend = request.Text("default-backend");
  if (backend.empty() && rules.empty()) {
    return Usage(
        "not enough information provided: every ingress has to either specify a default-backend "
        "(which catches all traffic) or a list of rules (which catch specific paths)");
  }
  networking::Ingress ingress;
  ingress.metadata = request.maker.Metadata(request.name);
  std::set<std::string> hosts;
  for (const std::string& text : rules) {
    TRY(const Rule rule, RuleOf(text));
    AddTls(rule, &hosts, &ingress.spec);
    AddRule(rule, &ingress.spec);
  }
  for (const std::string& text : request.invocation.All("annotation")) {
    const size_t equals = text.find('=');
    if (equals == text.npos) {
      return Usage("annotation " + text + " is invalid and should be in format key=[value]");
    }
    ingress.metadata.annotations[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (!backend.empty()) {
    if (Split(backend, ':').size() != 2) {
      return Usage("default-backend should be in format servicename:serviceport");
    }
    ingress.spec.defaultBackend = BackendOf(backend);
  }
  if (!request.Text("class").empty()) ingress.spec.ingressClassName = request.Text("class");
  return ingress;
}

Outcome RunIngress(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create ingress", .failure = "failed to create ingress: "},
                    IngressOf);
}

constexpr Option kOwn[] = {
    {.name = "rule",
     .value = "HOST/PATH=SERVICE:PORT[,tls[=SECRET]]",
     .help = "where what goes; a path that ends in * is a prefix; may be given several times",
     .repeatable = true},
    {.name = "default-backend", .value = "SERVICE:PORT", .help = "where the rest goes"},
    {.name = "class", .value = "NAME", .help = "of ingresses"},
    {.name = "annotation",
     .value = "KEY=VALUE",
     .help = "of the ingress; may be given several times",
     .repeatable = true}};
constexpr auto kOptions = WithKindOptions(kOwn);

}  // namespace

Command CreateIngressCommand() {
  return {
      .name = "create ingress",
      .summary = "Create an ingress",
      .aliases = "ing",
      .arguments = "NAME --rule=HOST/PATH=SERVICE:PORT[,tls[=SECRET]]",
      .max_arguments = 100'000,
      .example =
          "  podium create ingress shop --rule='shop.example.com/*=web:80,tls=shop-cert'\n"
          "  podium create ingress all --class=public --default-backend=web:http\n",
      .options = kOptions,
      .live = RunIngress,
  };
}

}  // namespace podium::cli
