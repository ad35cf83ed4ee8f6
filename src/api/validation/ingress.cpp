#include <string>
#include <string_view>

#include "api/ip.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/ip_fields.h"
#include "api/validation/networking.h"
#include "api/validation/object_meta.h"
#include "api/validation/workloads.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using networking::v1::HTTPIngressPath;
using networking::v1::Ingress;
using networking::v1::IngressBackend;
using networking::v1::IngressClass;
using networking::v1::IngressRule;

namespace {

// What an object that was there before may keep.
struct Options {
  bool allow_invalid_secret_name = false;
  // Rules whose host has an asterisk are not looked into.
  bool allow_invalid_wildcard_host_rule = false;
};

void CheckPathSegment(const std::string& value, const Path& path, ErrorList* errors) {
  if (value.empty()) {
    errors->Add(field::Required(path, ""));
  } else {
    errors->AddInvalid(path, value, NameIsPathSegment(value, false));
  }
}

void CheckApiGroup(const std::optional<std::string>& group, const Path& path, ErrorList* errors) {
  if (group) errors->Append(ValidateDNS1123Subdomain(*group, path.Child("apiGroup")));
}

void CheckServiceBackend(const networking::v1::IngressServiceBackend& service, const Path& path,
                         ErrorList* errors) {
  const Path service_path = path.Child("service");
  if (service.name.empty()) {
    errors->Add(field::Required(service_path.Child("name"), ""));
  } else {
    errors->Append(ValidateDNS1123Label(service.name, service_path.Child("name")));
  }
  const Path port = service_path.Child("port");
  const bool has_number = service.port.number != 0;
  if (!service.port.name.empty()) {
    if (has_number) {
      errors->Add(field::Invalid(path, "", "cannot set both port name & port number"));
    } else {
      errors->AddInvalid(port.Child("name"), service.port.name, IsValidPortName(service.port.name));
    }
  } else if (has_number) {
    errors->AddInvalid(port.Child("number"), service.port.number,
                       IsValidPortNum(service.port.number));
  } else {
    errors->Add(field::Required(path, "port name or number is required"));
  }
}

void CheckBackend(const IngressBackend& backend, const Path& path, ErrorList* errors) {
  if (backend.resource && backend.service) {
    errors->Add(field::Invalid(path, "", "cannot set both resource and service backends"));
  } else if (backend.resource) {
    const Path resource = path.Child("resource");
    CheckApiGroup(backend.resource->apiGroup, resource, errors);
    CheckPathSegment(backend.resource->kind, resource.Child("kind"), errors);
    CheckPathSegment(backend.resource->name, resource.Child("name"), errors);
  } else if (backend.service) {
    CheckServiceBackend(*backend.service, path, errors);
  } else {
    errors->Add(field::Invalid(path, "", "resource or service backend is required"));
  }
}

void CheckHttpPath(const HTTPIngressPath& http_path, const Path& path, ErrorList* errors) {
  if (!http_path.pathType) {
    errors->Add(field::Required(path.Child("pathType"), "pathType must be specified"));
    return;
  }
  const std::string& text = http_path.path;
  const Path text_path = path.Child("path");
  const bool is_literal = IsOneOf(*http_path.pathType, {"Exact", "Prefix"});
  if (!is_literal && *http_path.pathType != "ImplementationSpecific") {
    errors->Add(field::NotSupported(path.Child("pathType"), NamedString(http_path.pathType),
                                    {"Exact", "ImplementationSpecific", "Prefix"}));
  } else if (!text.starts_with('/') && (is_literal || !text.empty())) {
    errors->Add(field::Invalid(text_path, text, "must be an absolute path"));
  }
  if (is_literal) {
    for (std::string_view part : {"//", "/./", "/../", "%2f", "%2F"}) {
      if (!text.contains(part)) continue;
      errors->Add(field::Invalid(text_path, text, "must not contain '" + std::string(part) + "'"));
    }
    for (std::string_view end : {"/..", "/."}) {
      if (!text.ends_with(end)) continue;
      errors->Add(field::Invalid(text_path, text, "cannot end with '" + std::string(end) + "'"));
    }
  }
  CheckBackend(http_path.backend, path.Child("backend"), errors);
}

void CheckRuleValue(const IngressRule& rule, const Path& path, ErrorList* errors) {
  if (!rule.http) return;
  const Path http = path.Child("http");
  const Path paths = http.Child("paths");
  if (rule.http->paths.empty()) errors->Add(field::Required(paths, ""));
  for (size_t i = 0; i < rule.http->paths.size(); ++i) {
    CheckHttpPath(rule.http->paths[i], paths.Index(i), errors);
  }
}

void CheckHost(const std::string& host, const Path& path, ErrorList* errors) {
  errors->AddInvalid(
      path, host, host.contains('*') ? IsWildcardDNS1123Subdomain(host) : IsDNS1123Subdomain(host));
}

void CheckSpec(const networking::v1::IngressSpec& spec, const Options& options, const Path& path,
               ErrorList* errors) {
  if (spec.rules.empty() && !spec.defaultBackend) {
    errors->Add(field::Invalid(path, field::BadValue(nullptr),
                               "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec.defaultBackend) {
    CheckBackend(*spec.defaultBackend, path.Child("defaultBackend"), errors);
  }
  const Path rules = path.Child("rules");
  for (size_t i = 0; i < spec.rules.size(); ++i) {
    const IngressRule& rule = spec.rules[i];
    const Path at = rules.Index(i);
    if (!rule.host.empty()) {
      if (ParseIP(rule.host)) {
        errors->Add(
            field::Invalid(at.Child("host"), rule.host, "must be a DNS name, not an IP address"));
      }
      CheckHost(rule.host, at.Child("host"), errors);
    }
    if (rule.host.contains('*') && options.allow_invalid_wildcard_host_rule) continue;
    CheckRuleValue(rule, at, errors);
  }
  const Path tls = path.Child("tls");
  for (size_t i = 0; i < spec.tls.size(); ++i) {
    const Path at = tls.Index(i);
    const Path hosts = at.Child("hosts");
    for (size_t h = 0; h < spec.tls[i].hosts.size(); ++h) {
      CheckHost(spec.tls[i].hosts[h], hosts.Index(h), errors);
    }
    const std::string& secret = spec.tls[i].secretName;
    if (!secret.empty() && !options.allow_invalid_secret_name) {
      errors->Append(ValidateDNS1123Subdomain(secret, at.Child("secretName")));
    }
  }
  if (spec.ingressClassName) {
    errors->Append(
        ValidateDNS1123Subdomain(*spec.ingressClassName, path.Child("ingressClassName")));
  }
}

ErrorList Validate(const Ingress& ingress, const Options& options) {
  ErrorList errors = ValidateObjectMeta(ingress.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                                        Path("metadata"));
  CheckSpec(ingress.spec, options, Path("spec"), &errors);
  return errors;
}

Options OptionsFor(const Ingress& old_ingress) {
  Options options;
  for (const auto& tls : old_ingress.spec.tls) {
    if (!tls.secretName.empty() && !NameIsDNSSubdomain(tls.secretName, false).empty()) {
      options.allow_invalid_secret_name = true;
    }
  }
  for (const IngressRule& rule : old_ingress.spec.rules) {
    ErrorList errors;
    CheckRuleValue(rule, Path(), &errors);
    if (rule.host.contains('*') && !errors.empty()) {
      options.allow_invalid_wildcard_host_rule = true;
    }
  }
  return options;
}

void CheckClassParameters(const networking::v1::IngressClassParametersReference& parameters,
                          const Path& path, ErrorList* errors) {
  CheckApiGroup(parameters.apiGroup, path, errors);
  CheckPathSegment(parameters.kind, path.Child("kind"), errors);
  CheckPathSegment(parameters.name, path.Child("name"), errors);
  const Path scope = path.Child("scope");
  const Path space = path.Child("namespace");
  if (!parameters.scope) {
    errors->Add(field::Required(scope, ""));
  } else if (*parameters.scope == "Namespace") {
    if (!parameters.namespace_) {
      errors->Add(field::Required(space, "`parameters.scope` is set to 'Namespace'"));
    } else {
      errors->AddInvalid(space, *parameters.namespace_,
                         NameIsDNSLabel(*parameters.namespace_, false));
    }
  } else if (*parameters.scope != "Cluster") {
    errors->Add(field::NotSupported(scope, *parameters.scope, {"Cluster", "Namespace"}));
  } else if (parameters.namespace_) {
    errors->Add(field::Forbidden(space, "`parameters.scope` is set to 'Cluster'"));
  }
}

}  // namespace

ErrorList ValidateIngress(const Ingress& ingress) {
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  ErrorList errors = Validate(ingress, {});
  const auto found = ingress.metadata.annotations.find(kClass);
  if (found != ingress.metadata.annotations.end() && ingress.spec.ingressClassName &&
      found->second != *ingress.spec.ingressClassName) {
    errors.Add(field::Invalid(Path("annotations").Child(kClass), found->second,
                              "must match `ingressClassName` when both are specified"));
  }
  return errors;
}

ErrorList ValidateIngressUpdate(const Ingress& ingress, const Ingress& old_ingress) {
  ErrorList errors =
      ValidateObjectMetaUpdate(ingress.metadata, old_ingress.metadata, Path("metadata"));
  errors.Append(Validate(ingress, OptionsFor(old_ingress)));
  return errors;
}

ErrorList ValidateIngressStatusUpdate(const Ingress& ingress, const Ingress& old_ingress) {
  ErrorList errors =
      ValidateObjectMetaUpdate(ingress.metadata, old_ingress.metadata, Path("metadata"));
  const Path status("status");
  const Path balancer = status.Child("loadBalancer");
  const Path path = balancer.Child("ingress");
  KeptValues kept;
  for (const auto& each : old_ingress.status.loadBalancer.ingress) kept.insert(each.ip);
  const auto& list = ingress.status.loadBalancer.ingress;
  for (size_t i = 0; i < list.size(); ++i) {
    const Path at = path.Index(i);
    if (!list[i].ip.empty()) CheckLegacyIP(list[i].ip, kept, at.Child("ip"), &errors);
    CheckBalancerHostname(list[i].hostname, at.Child("hostname"), &errors);
  }
  return errors;
}

ErrorList ValidateIngressClass(const IngressClass& ingress_class) {
  constexpr size_t kMaxController = 250;
  ErrorList errors = ValidateObjectMeta(ingress_class.metadata, Scope::kCluster, NameIsDNSSubdomain,
                                        Path("metadata"));
  const Path spec("spec");
  const Path path = spec.Child("controller");
  const std::string& controller = ingress_class.spec.controller;
  if (controller.size() > kMaxController) errors.Add(field::TooLong(path, kMaxController));
  errors.Append(IsDomainPrefixedPath(path, controller));
  if (ingress_class.spec.parameters) {
    CheckClassParameters(*ingress_class.spec.parameters, spec.Child("parameters"), &errors);
  }
  return errors;
}

ErrorList ValidateIngressClassUpdate(const IngressClass& ingress_class,
                                     const IngressClass& old_ingress_class) {
  ErrorList errors = ValidateObjectMetaUpdate(ingress_class.metadata, old_ingress_class.metadata,
                                              Path("metadata"));
  CheckImmutable(ingress_class.spec.controller == old_ingress_class.spec.controller,
                 ingress_class.spec.controller, Path("spec").Child("controller"), &errors);
  errors.Append(ValidateIngressClass(ingress_class));
  return errors;
}

}  // namespace podium::api
