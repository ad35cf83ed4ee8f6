#include "api/validation/endpoints.h"

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/ip_fields.h"
#include "api/validation/object_meta.h"

namespace podium::api {

using core::v1::EndpointAddress;
using core::v1::EndpointPort;
using core::v1::Endpoints;
using core::v1::EndpointSubset;
using field::ErrorList;
using field::Path;

namespace {

void CheckAddresses(const reflect::List<EndpointAddress>& addresses, const Path& path,
                    ErrorList* errors) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    const EndpointAddress& address = addresses[i];
    const Path at = path.Index(i);
    CheckLegacyIP(address.ip, {}, at.Child("ip"), errors);
    if (!address.hostname.empty()) {
      errors->Append(ValidateDNS1123Label(address.hostname, at.Child("hostname")));
    }
    if (address.nodeName) {
      errors->Append(ValidateDNS1123Subdomain(*address.nodeName, at.Child("nodeName")));
    }
    CheckEndpointIP(address.ip, at.Child("ip"), errors);
  }
}

void CheckPort(const EndpointPort& port, bool name_required, const Path& path, ErrorList* errors) {
  if (!port.name.empty()) {
    errors->Append(ValidateDNS1123Label(port.name, path.Child("name")));
  } else if (name_required) {
    errors->Add(field::Required(path.Child("name"), ""));
  }
  errors->AddInvalid(path.Child("port"), port.port, IsValidPortNum(port.port));
  errors->Append(ValidatePortProtocol(port.protocol, path.Child("protocol")));
  if (port.appProtocol) {
    errors->Append(ValidateQualifiedName(*port.appProtocol, path.Child("appProtocol")));
  }
}

ErrorList ValidateSubsets(const reflect::List<EndpointSubset>& subsets, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < subsets.size(); ++i) {
    const EndpointSubset& subset = subsets[i];
    const Path at = path.Index(i);
    if (subset.addresses.empty() && subset.notReadyAddresses.empty()) {
      errors.Add(field::Required(at, "must specify `addresses` or `notReadyAddresses`"));
    }
    CheckAddresses(subset.addresses, at.Child("addresses"), &errors);
    CheckAddresses(subset.notReadyAddresses, at.Child("notReadyAddresses"), &errors);
    const Path ports = at.Child("ports");
    for (size_t p = 0; p < subset.ports.size(); ++p) {
      CheckPort(subset.ports[p], subset.ports.size() > 1, ports.Index(p), &errors);
    }
  }
  return errors;
}

ErrorList ValidateMeta(const Endpoints& endpoints) {
  return ValidateObjectMeta(endpoints.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                            Path("metadata"));
}

}  // namespace

ErrorList ValidateEndpoints(const Endpoints& endpoints) {
  ErrorList errors = ValidateMeta(endpoints);
  errors.Append(ValidateSubsets(endpoints.subsets, Path("subsets")));
  return errors;
}

ErrorList ValidateEndpointsUpdate(const Endpoints& endpoints, const Endpoints& old_endpoints) {
  ErrorList errors =
      ValidateObjectMetaUpdate(endpoints.metadata, old_endpoints.metadata, Path("metadata"));
  errors.Append(ValidateMeta(endpoints));
  // What older releases let in may stay as it is.
  if (!SameLists(endpoints.subsets, old_endpoints.subsets)) {
    errors.Append(ValidateSubsets(endpoints.subsets, Path("subsets")));
  }
  return errors;
}

}  // namespace podium::api
