// Where addresses of services come from, and who has which.
#include <string>

#include "api/ip.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/networking.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using AddressObject = networking::v1::IPAddress;
using networking::v1::ServiceCIDR;
using networking::v1::ServiceCIDRSpec;

namespace {

// The name is the address itself.
Messages NameIsIP(std::string_view name, bool) { return IsValidIP(name); }

void CheckParent(const networking::v1::ParentReference& parent, const Path& path,
                 ErrorList* errors) {
  if (!parent.group.empty()) {
    errors->Append(ValidateDNS1123Subdomain(parent.group, path.Child("group")));
  }
  const auto check = [&](const std::string& value, bool required, std::string_view name) {
    if (!value.empty()) {
      errors->AddInvalid(path.Child(name), value, NameIsPathSegment(value, false));
    } else if (required) {
      errors->Add(field::Required(path.Child(name), ""));
    }
  };
  check(parent.resource, true, "resource");
  check(parent.name, true, "name");
  check(parent.namespace_, false, "namespace");
}

void CheckRanges(const ServiceCIDRSpec& spec, const Path& path, ErrorList* errors) {
  const reflect::List<std::string>& ranges = spec.cidrs;
  if (ranges.empty()) {
    errors->Add(field::Required(path, "at least one CIDR required"));
    return;
  }
  if (ranges.size() > 2) {
    errors->Add(field::Invalid(path, UnversionedValue(spec), "may only hold up to 2 values"));
    return;
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    errors->AddInvalid(path.Index(i), ranges[i], IsValidCIDR(ranges[i]));
  }
  if (ranges.size() < 2) return;
  const auto first = ParseCIDR(ranges[0]);
  const auto second = ParseCIDR(ranges[1]);
  if (first && second && first->address.IsIPv4() == second->address.IsIPv4()) {
    errors->Add(field::Invalid(path, ranges,
                               "may specify no more than one IP for each IP family, i.e "
                               "192.168.0.0/24 and 2001:db8::/64"));
  }
}

}  // namespace

ErrorList ValidateIPAddress(const AddressObject& address) {
  ErrorList errors =
      ValidateObjectMeta(address.metadata, Scope::kCluster, NameIsIP, Path("metadata"));
  const Path spec("spec");
  const Path path = spec.Child("parentRef");
  if (address.spec.parentRef) {
    CheckParent(*address.spec.parentRef, path, &errors);
  } else {
    errors.Add(field::Required(path, ""));
  }
  return errors;
}

ErrorList ValidateIPAddressUpdate(const AddressObject& address, const AddressObject& old_address) {
  ErrorList errors = ValidateIPAddress(address);
  errors.Append(ValidateObjectMetaUpdate(address.metadata, old_address.metadata, Path("metadata")));
  const auto& parent = address.spec.parentRef;
  CheckImmutable(parent == old_address.spec.parentRef,
                 parent ? UnversionedValue(*parent) : field::BadValue(nullptr),
                 Path("spec").Child("parentRef"), &errors);
  return errors;
}

ErrorList ValidateServiceCIDR(const ServiceCIDR& range) {
  ErrorList errors =
      ValidateObjectMeta(range.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  CheckRanges(range.spec, Path("spec").Child("cidrs"), &errors);
  return errors;
}

// A second range may join the first one.
ErrorList ValidateServiceCIDRUpdate(const ServiceCIDR& range, const ServiceCIDR& old_range) {
  ErrorList errors = ValidateServiceCIDR(range);
  errors.Append(ValidateObjectMetaUpdate(range.metadata, old_range.metadata, Path("metadata")));
  const Path spec("spec");
  const Path path = spec.Child("cidrs");
  const auto& ranges = range.spec.cidrs;
  const auto& old_ranges = old_range.spec.cidrs;
  const bool same_size = ranges.size() == old_ranges.size();
  const bool grows = old_ranges.size() == 1 && ranges.size() == 2;
  if (!same_size && !grows) {
    errors.Add(field::Invalid(path, ranges, kFieldImmutable));
    return errors;
  }
  for (size_t i = 0; i < old_ranges.size(); ++i) {
    CheckImmutable(ranges[i] == old_ranges[i], ranges[i], path.Index(i), &errors);
  }
  if (grows) CheckRanges(range.spec, path, &errors);
  return errors;
}

}  // namespace podium::api
