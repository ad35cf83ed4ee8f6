#include "api/resource_names.h"

#include <algorithm>
#include <span>
#include <string>

#include "api/names.h"

namespace podium::api {
namespace {

constexpr std::string_view kHugePages = "hugepages-";
constexpr std::string_view kRequests = "requests.";

// Objects that a quota counts.
constexpr std::string_view kObjectCounts[] = {
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
};

constexpr std::string_view kContainerResources[] = {"cpu", "memory", "ephemeral-storage"};

constexpr std::string_view kQuotaAmounts[] = {
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "limits.cpu",
    "limits.memory",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
};

bool IsIn(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool IsHugePageResourceName(std::string_view name) { return name.starts_with(kHugePages); }

bool IsQuotaHugePageResourceName(std::string_view name) {
  return IsHugePageResourceName(name) || name.starts_with("requests.hugepages-");
}

Result<Quantity> HugePageSizeFromResourceName(std::string_view name) {
  if (!IsHugePageResourceName(name)) {
    return Error(Code::kInvalidArgument,
                 "resource name: " + std::string(name) + " is an invalid hugepage name");
  }
  return Quantity::Parse(name.substr(kHugePages.size()));
}

bool IsHugePageResourceValueDivisible(std::string_view name, const Quantity& value) {
  Result<Quantity> page_size = HugePageSizeFromResourceName(name);
  if (!page_size.ok() || page_size->Sign() <= 0 || page_size->MilliValue() % 1000 != 0) {
    return false;
  }
  return value.Value() % page_size->Value() == 0;
}

bool IsPrefixedNativeResource(std::string_view name) { return name.contains("kubernetes.io/"); }

bool IsNativeResource(std::string_view name) {
  return !name.contains('/') || IsPrefixedNativeResource(name);
}

bool IsExtendedResourceName(std::string_view name) {
  if (IsNativeResource(name) || name.starts_with(kRequests)) return false;
  // A quota writes it with this prefix.
  return IsQualifiedName(std::string(kRequests).append(name)).empty();
}

bool IsOvercommitAllowed(std::string_view name) {
  return IsNativeResource(name) && !IsHugePageResourceName(name);
}

bool IsAttachableVolumeResourceName(std::string_view name) {
  return name.starts_with("attachable-volumes-");
}

bool IsScalarResourceName(std::string_view name) {
  return IsExtendedResourceName(name) || IsHugePageResourceName(name) ||
         IsPrefixedNativeResource(name) || IsAttachableVolumeResourceName(name);
}

bool IsStandardContainerResourceName(std::string_view name) {
  return IsIn(kContainerResources, name) || IsHugePageResourceName(name);
}

bool IsStandardQuotaResourceName(std::string_view name) {
  return IsIn(kContainerResources, name) || IsIn(kQuotaAmounts, name) ||
         IsIn(kObjectCounts, name) || IsQuotaHugePageResourceName(name);
}

bool IsStandardResourceName(std::string_view name) {
  return IsStandardQuotaResourceName(name) || name == "storage";
}

bool IsIntegerResourceName(std::string_view name) {
  return IsIn(kObjectCounts, name) || IsExtendedResourceName(name);
}

}  // namespace podium::api
