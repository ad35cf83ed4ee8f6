#include "api/validation/endpoint_slice.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/ip.h"
#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/ip_fields.h"
#include "api/validation/object_meta.h"
#include "api/validation/workloads.h"
#include "reflect/json.h"

namespace podium::api {

using discovery::v1::Endpoint;
using discovery::v1::EndpointPort;
using discovery::v1::EndpointSlice;
using field::ErrorList;
using field::Path;
using OldSlice = discovery::v1beta1::EndpointSlice;

namespace {

constexpr size_t kMaxAddresses = 100;
constexpr size_t kMaxEndpoints = 1000;
constexpr size_t kMaxPorts = 20000;
constexpr size_t kMaxTopology = 16;
constexpr size_t kMaxHints = 8;
constexpr std::string_view kZone = "topology.kubernetes.io/zone";
constexpr std::string_view kHostname = "kubernetes.io/hostname";

// True when there are more than so many.
bool CheckCount(size_t count, size_t max, const Path& path, ErrorList* errors) {
  if (count <= max) return false;
  errors->Add(field::TooMany(path, static_cast<int64_t>(count), static_cast<int64_t>(max)));
  return true;
}

void CheckAddress(const std::string& address, std::string_view type, const Path& path,
                  ErrorList* errors) {
  if (type == "FQDN") {
    errors->Append(IsFullyQualifiedDomainName(path, address));
    return;
  }
  // Of unknown types nothing is known.
  if (!IsOneOf(type, {"IPv4", "IPv6"})) return;
  errors->AddInvalid(path, address,
                     type == "IPv4" ? IsValidIPv4Address(address) : IsValidIPv6Address(address));
  CheckEndpointIP(address, path, errors);
}

// Zones or nodes. False when there are too many to look at.
template <class Hint>
bool CheckHints(const reflect::List<Hint>& hints, Messages (*rule)(std::string_view),
                const Path& path, ErrorList* errors) {
  if (CheckCount(hints.size(), kMaxHints, path, errors)) return false;
  std::set<std::string_view> names;
  for (size_t i = 0; i < hints.size(); ++i) {
    const Path at = path.Index(i);
    const Path name = at.Child("name");
    if (!names.insert(hints[i].name).second) errors->Add(field::Duplicate(name, hints[i].name));
    errors->AddInvalid(name, hints[i].name, rule(hints[i].name));
  }
  return true;
}

void CheckEndpoint(const Endpoint& endpoint, std::string_view type, const Path& path,
                   ErrorList* errors) {
  const Path addresses = path.Child("addresses");
  if (endpoint.addresses.empty()) {
    errors->Add(field::Required(addresses, "must contain at least 1 address"));
  }
  CheckCount(endpoint.addresses.size(), kMaxAddresses, addresses, errors);
  for (size_t i = 0; i < endpoint.addresses.size(); ++i) {
    CheckAddress(endpoint.addresses[i], type, addresses.Index(i), errors);
  }
  if (endpoint.nodeName) {
    errors->Append(ValidateDNS1123Subdomain(*endpoint.nodeName, path.Child("nodeName")));
  }
  const Path topology = path.Child("deprecatedTopology");
  CheckCount(endpoint.deprecatedTopology.size(), kMaxTopology, topology, errors);
  errors->Append(ValidateLabels(endpoint.deprecatedTopology, topology));
  if (endpoint.deprecatedTopology.contains(kZone)) {
    errors->Add(
        field::InternalError(topology.Key(kZone), "reserved key was not removed in conversion"));
  }
  if (endpoint.hostname) {
    errors->Append(ValidateDNS1123Label(*endpoint.hostname, path.Child("hostname")));
  }
  if (!endpoint.hints) return;
  const Path hints = path.Child("hints");
  if (CheckHints(endpoint.hints->forZones, IsValidLabelValue, hints.Child("forZones"), errors)) {
    CheckHints(endpoint.hints->forNodes, IsDNS1123Subdomain, hints.Child("forNodes"), errors);
  }
}

ErrorList ValidateEndpoints(const EndpointSlice& slice) {
  ErrorList errors;
  const Path path("endpoints");
  if (CheckCount(slice.endpoints.size(), kMaxEndpoints, path, &errors)) return errors;
  for (size_t i = 0; i < slice.endpoints.size(); ++i) {
    CheckEndpoint(slice.endpoints[i], slice.addressType, path.Index(i), &errors);
  }
  return errors;
}

void CheckPorts(const reflect::List<EndpointPort>& ports, ErrorList* errors) {
  const Path path("ports");
  if (CheckCount(ports.size(), kMaxPorts, path, errors)) return;
  std::set<std::string_view> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const EndpointPort& port = ports[i];
    const Path at = path.Index(i);
    const std::string_view name = port.name ? std::string_view(*port.name) : "";
    if (!name.empty()) errors->Append(ValidateDNS1123Label(name, at.Child("name")));
    if (!names.insert(name).second) errors->Add(field::Duplicate(at.Child("name"), name));
    if (!port.protocol) {
      errors->Add(field::Required(at.Child("protocol"), ""));
    } else if (!IsOneOf(*port.protocol, {"SCTP", "TCP", "UDP"})) {
      errors->Add(field::NotSupported(at.Child("protocol"), NamedString(*port.protocol),
                                      {"SCTP", "TCP", "UDP"}));
    }
    if (port.appProtocol) {
      errors->Append(ValidateQualifiedName(*port.appProtocol, at.Child("appProtocol")));
    }
  }
}

ErrorList Validate(const EndpointSlice& slice, const EndpointSlice* old_slice) {
  ErrorList errors =
      ValidateObjectMeta(slice.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  if (slice.addressType.empty()) {
    errors.Add(field::Required(Path("addressType"), ""));
  } else if (!IsOneOf(slice.addressType, {"FQDN", "IPv4", "IPv6"})) {
    errors.Add(field::NotSupported(Path("addressType"), NamedString(slice.addressType),
                                   {"FQDN", "IPv4", "IPv6"}));
  }
  // What older releases let in may stay as it is.
  if (!old_slice || !SameLists<Endpoint>(slice.endpoints, old_slice->endpoints)) {
    errors.Append(ValidateEndpoints(slice));
  }
  CheckPorts(slice.ports, &errors);
  return errors;
}

// The older version as v1 has it: two keys of its topology are fields there.
EndpointSlice Converted(const OldSlice& old) {
  EndpointSlice slice;
  const Result<std::string> json = reflect::ToJson(old);
  if (json.ok()) {
    (void)reflect::DecodeJson(*json, reflect::TypeOf<EndpointSlice>(), &slice, {.strict = false});
  }
  for (size_t i = 0; i < old.endpoints.size(); ++i) {
    Endpoint& endpoint = slice.endpoints[i];
    endpoint.deprecatedTopology = old.endpoints[i].topology;
    const auto take = [&](std::string_view key, std::optional<std::string>* field) {
      const auto found = endpoint.deprecatedTopology.find(key);
      if (found == endpoint.deprecatedTopology.end()) return;
      if (!*field) *field = found->second;
      endpoint.deprecatedTopology.erase(found);
    };
    take(kZone, &endpoint.zone);
    take(kHostname, &endpoint.nodeName);
  }
  return slice;
}

}  // namespace

ErrorList ValidateEndpointSlice(const EndpointSlice& slice) { return Validate(slice, nullptr); }

ErrorList ValidateEndpointSliceUpdate(const EndpointSlice& slice, const EndpointSlice& old_slice) {
  ErrorList errors = Validate(slice, &old_slice);
  CheckImmutable(slice.addressType == old_slice.addressType, NamedString(slice.addressType),
                 Path("addressType"), &errors);
  return errors;
}

ErrorList ValidateEndpointSlice(const OldSlice& slice) {
  return ValidateEndpointSlice(Converted(slice));
}

ErrorList ValidateEndpointSliceUpdate(const OldSlice& slice, const OldSlice& old_slice) {
  return ValidateEndpointSliceUpdate(Converted(slice), Converted(old_slice));
}

}  // namespace podium::api
