#include <string>

#include "api/ip.h"
#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/ip_fields.h"
#include "api/validation/networking.h"
#include "api/validation/object_meta.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using networking::v1::IPBlock;
using networking::v1::NetworkPolicy;
using networking::v1::NetworkPolicyPeer;
using networking::v1::NetworkPolicyPort;

namespace {

// What an object that was there before may keep.
struct Options {
  LabelSelectorOptions selectors;
  KeptValues ranges;
};

void CheckPort(const NetworkPolicyPort& port, const Path& path, ErrorList* errors) {
  if (port.protocol && !IsOneOf(*port.protocol, {"TCP", "UDP", "SCTP"})) {
    errors->Add(field::NotSupported(path.Child("protocol"), NamedString(port.protocol),
                                    {"TCP", "UDP", "SCTP"}));
  }
  const Path end = path.Child("endPort");
  if (!port.port) {
    if (port.endPort) {
      errors->Add(
          field::Invalid(end, *port.endPort, "may not be specified when `port` is not specified"));
    }
    return;
  }
  if (port.port->is_string()) {
    if (port.endPort) {
      errors->Add(
          field::Invalid(end, *port.endPort, "may not be specified when `port` is non-numeric"));
    }
    errors->AddInvalid(path.Child("port"), port.port->str_val, IsValidPortName(port.port->str_val));
    return;
  }
  errors->AddInvalid(path.Child("port"), port.port->int_val, IsValidPortNum(port.port->int_val));
  if (!port.endPort) return;
  if (*port.endPort < port.port->int_val) {
    // Upstream shows the other one.
    errors->Add(field::Invalid(end, port.port->int_val, "must be greater than or equal to `port`"));
  }
  errors->AddInvalid(end, *port.endPort, IsValidPortNum(*port.endPort));
}

// `inner` is a part of `outer`, and not all of it.
bool IsStrictSubset(const IPNetwork& inner, const IPNetwork& outer) {
  if (inner.address.ipv4_text != outer.address.ipv4_text) return false;
  const IPNetwork start = {.address = inner.Masked(), .prefix_length = outer.prefix_length};
  return start.Masked() == outer.Masked() && inner.prefix_length > outer.prefix_length;
}

void CheckBlock(const IPBlock& block, const Options& options, const Path& path, ErrorList* errors) {
  const Path cidr = path.Child("cidr");
  if (block.cidr.empty()) {
    errors->Add(field::Required(cidr, ""));
    return;
  }
  CheckLegacyCIDR(block.cidr, options.ranges, cidr, errors);
  const auto network = ParseCIDR(block.cidr);
  if (!network) return;
  const Path excepts = path.Child("except");
  for (size_t i = 0; i < block.except.size(); ++i) {
    const std::string& text = block.except[i];
    const Path at = excepts.Index(i);
    CheckLegacyCIDR(text, options.ranges, at, errors);
    const auto except = ParseCIDR(text);
    if (except && !IsStrictSubset(*except, *network)) {
      errors->Add(field::Invalid(at, text, "must be a strict subset of `cidr`"));
    }
  }
}

void CheckPeer(const NetworkPolicyPeer& peer, const Options& options, const Path& path,
               ErrorList* errors) {
  if (peer.podSelector) {
    errors->Append(
        ValidateLabelSelector(*peer.podSelector, path.Child("podSelector"), options.selectors));
  }
  if (peer.namespaceSelector) {
    errors->Append(ValidateLabelSelector(*peer.namespaceSelector, path.Child("namespaceSelector"),
                                         options.selectors));
  }
  if (peer.ipBlock) CheckBlock(*peer.ipBlock, options, path.Child("ipBlock"), errors);
  const bool selects = peer.podSelector || peer.namespaceSelector;
  if (!selects && !peer.ipBlock) {
    errors->Add(field::Required(path, "must specify a peer"));
  } else if (selects && peer.ipBlock) {
    errors->Add(field::Forbidden(path, "may not specify both ipBlock and another peer"));
  }
}

void CheckRule(const reflect::List<NetworkPolicyPort>& ports,
               const reflect::List<NetworkPolicyPeer>& peers, std::string_view peers_name,
               const Options& options, const Path& path, ErrorList* errors) {
  const Path ports_path = path.Child("ports");
  for (size_t i = 0; i < ports.size(); ++i) CheckPort(ports[i], ports_path.Index(i), errors);
  const Path peers_path = path.Child(peers_name);
  for (size_t i = 0; i < peers.size(); ++i) {
    CheckPeer(peers[i], options, peers_path.Index(i), errors);
  }
}

void CheckSpec(const networking::v1::NetworkPolicySpec& spec, const Options& options,
               const Path& path, ErrorList* errors) {
  errors->Append(
      ValidateLabelSelector(spec.podSelector, path.Child("podSelector"), options.selectors));
  const Path ingress = path.Child("ingress");
  for (size_t i = 0; i < spec.ingress.size(); ++i) {
    CheckRule(spec.ingress[i].ports, spec.ingress[i].from, "from", options, ingress.Index(i),
              errors);
  }
  const Path egress = path.Child("egress");
  for (size_t i = 0; i < spec.egress.size(); ++i) {
    CheckRule(spec.egress[i].ports, spec.egress[i].to, "to", options, egress.Index(i), errors);
  }
  const Path types = path.Child("policyTypes");
  if (spec.policyTypes.size() > 2) {
    errors->Add(
        field::Invalid(types, spec.policyTypes, "may not specify more than two policyTypes"));
    return;
  }
  for (size_t i = 0; i < spec.policyTypes.size(); ++i) {
    if (IsOneOf(spec.policyTypes[i], {"Ingress", "Egress"})) continue;
    errors->Add(field::NotSupported(types.Index(i), NamedString(spec.policyTypes[i]),
                                    {"Ingress", "Egress"}));
  }
}

Options OptionsFor(const NetworkPolicy& old_policy) {
  Options options;
  options.selectors.allow_invalid_label_values =
      !ValidateLabelSelector(old_policy.spec.podSelector, Path()).empty();
  const auto keep = [&](const reflect::List<NetworkPolicyPeer>& peers) {
    for (const NetworkPolicyPeer& peer : peers) {
      if (!peer.ipBlock) continue;
      options.ranges.insert(peer.ipBlock->cidr);
      for (const std::string& except : peer.ipBlock->except) options.ranges.insert(except);
    }
  };
  for (const auto& rule : old_policy.spec.ingress) keep(rule.from);
  for (const auto& rule : old_policy.spec.egress) keep(rule.to);
  return options;
}

ErrorList Validate(const NetworkPolicy& policy, const Options& options) {
  ErrorList errors =
      ValidateObjectMeta(policy.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  CheckSpec(policy.spec, options, Path("spec"), &errors);
  return errors;
}

}  // namespace

ErrorList ValidateNetworkPolicy(const NetworkPolicy& policy) { return Validate(policy, {}); }

// Upstream looks at the policy itself twice.
ErrorList ValidateNetworkPolicyUpdate(const NetworkPolicy& policy,
                                      const NetworkPolicy& old_policy) {
  const Options options = OptionsFor(old_policy);
  ErrorList errors = Validate(policy, options);
  errors.Append(ValidateObjectMetaUpdate(policy.metadata, old_policy.metadata, Path("metadata")));
  CheckSpec(policy.spec, options, Path("spec"), &errors);
  return errors;
}

}  // namespace podium::api
