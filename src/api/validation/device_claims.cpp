// What may be asked for: DeviceClasses, and the specs of claims and their templates.
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/resource_names.h"
#include "api/validation/claims.h"
#include "api/validation/common.h"
#include "api/validation/device_parts.h"
#include "api/validation/device_requests.h"
#include "api/validation/devices.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using resource::v1::DeviceClaim;
using resource::v1::DeviceClass;
using resource::v1::DeviceConstraint;
using resource::v1::DeviceRequest;
using resource::v1::DeviceSubRequest;
using resource::v1::ExactDeviceRequest;
using resource::v1::ResourceClaim;
using resource::v1::ResourceClaimSpec;
using resource::v1::ResourceClaimTemplate;

namespace {

constexpr size_t kMaxRequests = 32;
constexpr size_t kMaxConstraints = 32;
constexpr size_t kMaxConfigurations = 32;

void CheckAllocationMode(const std::string& mode, int64_t count, const Path& path,
                         ErrorList* errors) {
  const Path count_path = path.Child("count");
  if (mode == "All") {
    if (count != 0) {
      errors->Add(field::Invalid(count_path, count,
                                 "must not be specified when allocationMode is '" + mode + "'"));
    }
  } else if (mode == "ExactCount") {
    errors->Append(ValidatePositiveField(count, count_path));
  } else {
    errors->Add(field::NotSupported(path.Child("allocationMode"), NamedString(mode),
                                    {"All", "ExactCount"}));
  }
}

// What both forms of a request have.
template <class Request>
void CheckDevices(const Request& request, const Path& path, ErrorList* errors) {
  const Path name = path.Child("deviceClassName");
  if (request.deviceClassName.empty()) {
    errors->Add(field::Required(name, ""));
  } else {
    errors->Append(ValidateDNS1123Subdomain(request.deviceClassName, name));
  }
  CheckDeviceSelectors(request.selectors, path.Child("selectors"), errors);
  CheckAllocationMode(request.allocationMode, request.count, path, errors);
  CheckDeviceTolerations(request.tolerations, path.Child("tolerations"), errors);
}

void CheckRequest(const DeviceRequest& request, const Path& path, ErrorList* errors) {
  constexpr size_t kMostAlternatives = 8;
  errors->Append(ValidateDNS1123Label(request.name, path.Child("name")));
  const bool has_alternatives = !request.firstAvailable.empty();
  if (request.exactly && has_alternatives) {
    errors->Add(field::Invalid(path, nullptr,
                               "exactly one of `exactly` or `firstAvailable` is required, but "
                               "multiple fields are set"));
  } else if (request.exactly) {
    CheckDevices(*request.exactly, path.Child("exactly"), errors);
  } else if (has_alternatives) {
    CheckNamedSet(request.firstAvailable, kMostAlternatives, path.Child("firstAvailable"), errors,
                  [&](const DeviceSubRequest& alternative, const Path& at) {
                    errors->Append(ValidateDNS1123Label(alternative.name, at.Child("name")));
                    CheckDevices(alternative, at, errors);
                  });
  } else {
    errors->Add(field::Required(path, "exactly one of `exactly` or `firstAvailable` is required"));
  }
}

// The text of a missing attribute is upstream's.
void CheckConstraint(const DeviceConstraint& constraint, const DeviceRequestNames& names,
                     const Path& path, ErrorList* errors) {
  names.CheckSet(constraint.requests, path.Child("requests"), errors);
  if (constraint.matchAttribute) {
    CheckFullDeviceName(*constraint.matchAttribute, path.Child("matchAttribute"), errors);
  } else if (constraint.distinctAttribute) {
    CheckFullDeviceName(*constraint.distinctAttribute, path.Child("distinctAttribute"), errors);
  } else {
    errors->Add(field::Required(path,
                                "exactly one of \"matchAttribute\" or \"distinctAttribute\" is "
                                "required, but multiple fields are set"));
  }
}

void CheckClaimSpec(const ResourceClaimSpec& spec, const Path& path, ErrorList* errors) {
  const DeviceClaim& claim = spec.devices;
  const DeviceRequestNames names(claim);
  const Path devices = path.Child("devices");
  CheckNamedSet(
      claim.requests, kMaxRequests, devices.Child("requests"), errors,
      [&](const DeviceRequest& request, const Path& at) { CheckRequest(request, at, errors); });
  CheckItems(claim.constraints, kMaxConstraints, devices.Child("constraints"), errors,
             [&](const DeviceConstraint& constraint, const Path& at) {
               CheckConstraint(constraint, names, at, errors);
             });
  CheckItems(claim.config, kMaxConfigurations, devices.Child("config"), errors,
             [&](const auto& config, const Path& at) {
               names.CheckSet(config.requests, at.Child("requests"), errors);
               CheckDeviceConfiguration(config.opaque, false, at, errors);
             });
}

void CheckClass(const DeviceClass& device_class, bool same_config, ErrorList* errors) {
  const Path path("spec");
  const auto& spec = device_class.spec;
  CheckDeviceSelectors(spec.selectors, path.Child("selectors"), errors);
  CheckItems(spec.config, kMaxConfigurations, path.Child("config"), errors,
             [&](const auto& config, const Path& at) {
               CheckDeviceConfiguration(config.opaque, same_config, at, errors);
             });
  if (spec.extendedResourceName && !IsExtendedResourceName(*spec.extendedResourceName)) {
    errors->Add(field::Invalid(path.Child("extendedResourceName"),
                               std::string_view(*spec.extendedResourceName),
                               "must be a valid extended resource name"));
  }
}

// Upstream looks at the name that was made, not at what it was made from.
Messages ClassNameProblems(std::string_view name, bool prefix) {
  return prefix ? Messages() : IsDNS1123Subdomain(name);
}

}  // namespace

DeviceRequestNames::DeviceRequestNames(const DeviceClaim& claim) {
  for (const DeviceRequest& request : claim.requests) {
    Alternatives& alternatives = requests_[request.name];
    alternatives.clear();
    for (const DeviceSubRequest& each : request.firstAvailable) alternatives.insert(each.name);
  }
}

void DeviceRequestNames::CheckReference(std::string_view reference, const Path& path,
                                        ErrorList* errors) const {
  const auto refuse = [&] {
    errors->Add(field::Invalid(path, reference,
                               "must be the name of a request in the claim or the name of a "
                               "request and a subrequest separated by '/'"));
  };
  const size_t slash = reference.find('/');
  const bool has_alternative = slash != reference.npos;
  const std::string_view name = reference.substr(0, slash);
  const std::string_view alternative =
      has_alternative ? reference.substr(slash + 1) : std::string_view();
  if (alternative.contains('/')) return refuse();
  errors->Append(ValidateDNS1123Label(name, path));
  if (has_alternative) errors->Append(ValidateDNS1123Label(alternative, path));
  const auto found = requests_.find(name);
  if (found == requests_.end() || (has_alternative && !found->second.contains(alternative))) {
    refuse();
  }
}

void DeviceRequestNames::CheckSet(const reflect::List<std::string>& references, const Path& path,
                                  ErrorList* errors) const {
  CheckStringSet(
      references, kMaxRequests, path, errors,
      [&](const std::string& reference, const Path& at) { CheckReference(reference, at, errors); });
}

ErrorList ValidateDeviceClass(const DeviceClass& device_class) {
  ErrorList errors = ValidateObjectMeta(device_class.metadata, Scope::kCluster, ClassNameProblems,
                                        Path("metadata"));
  CheckClass(device_class, false, &errors);
  return errors;
}

// Of classes and claims that change the metadata is looked at both ways.
ErrorList ValidateDeviceClassUpdate(const DeviceClass& device_class, const DeviceClass& old_class) {
  const Path metadata("metadata");
  ErrorList errors =
      ValidateObjectMeta(device_class.metadata, Scope::kCluster, ClassNameProblems, metadata);
  errors.Append(ValidateObjectMetaUpdate(device_class.metadata, old_class.metadata, metadata));
  CheckClass(device_class, SameLists(device_class.spec.config, old_class.spec.config), &errors);
  return errors;
}

ErrorList ValidateResourceClaim(const ResourceClaim& claim) {
  ErrorList errors =
      ValidateObjectMeta(claim.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  CheckClaimSpec(claim.spec, Path("spec"), &errors);
  return errors;
}

ErrorList ValidateResourceClaimUpdate(const ResourceClaim& claim, const ResourceClaim& old_claim) {
  const Path metadata("metadata");
  ErrorList errors =
      ValidateObjectMeta(claim.metadata, Scope::kNamespaced, NameIsDNSSubdomain, metadata);
  errors.Append(ValidateObjectMetaUpdate(claim.metadata, old_claim.metadata, metadata));
  CheckImmutable(reflect::Equal(claim.spec, old_claim.spec), UnversionedValue(claim.spec),
                 Path("spec"), &errors);
  return errors;
}

ErrorList ValidateResourceClaimTemplate(const ResourceClaimTemplate& claim_template) {
  ErrorList errors = ValidateObjectMeta(claim_template.metadata, Scope::kNamespaced,
                                        NameIsDNSSubdomain, Path("metadata"));
  const Path spec("spec");
  errors.Append(ValidateTemplateObjectMeta(claim_template.spec.metadata, spec.Child("metadata")));
  CheckClaimSpec(claim_template.spec.spec, spec.Child("spec"), &errors);
  return errors;
}

ErrorList ValidateResourceClaimTemplateUpdate(const ResourceClaimTemplate& claim_template,
                                              const ResourceClaimTemplate& old_template) {
  ErrorList errors =
      ValidateObjectMetaUpdate(claim_template.metadata, old_template.metadata, Path("metadata"));
  CheckImmutable(reflect::Equal(claim_template.spec, old_template.spec),
                 UnversionedValue(claim_template.spec), Path("spec"), &errors);
  return errors;
}

}  // namespace podium::api
