// The status of a ResourceClaim: which devices it was given, what drivers report of them, and who
// uses them.
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "api/ip.h"
#include "api/validation/common.h"
#include "api/validation/device_parts.h"
#include "api/validation/device_requests.h"
#include "api/validation/devices.h"
#include "api/validation/object_meta.h"
#include "api/validation/policy.h"
#include "api/validation/scheduling.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using resource::v1::AllocatedDeviceStatus;
using resource::v1::AllocationResult;
using resource::v1::DeviceAllocationConfiguration;
using resource::v1::DeviceRequestAllocationResult;
using resource::v1::NetworkDeviceData;
using resource::v1::ResourceClaim;
using resource::v1::ResourceClaimConsumerReference;
using resource::v1::ResourceClaimStatus;

namespace {

// One device, or one share of it: driver, pool, device, share.
using DeviceID = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;

// Of a device that was given, or of one that is reported.
template <class Device>
DeviceID IDOf(const Device& device) {
  return {device.driver, device.pool, device.device,
          device.shareID ? std::string_view(*device.shareID) : std::string_view()};
}

// As upstream's struct of the four.
field::BadValue Shown(const DeviceID& id) {
  const auto& [driver, pool, device, share] = id;
  return field::BadValue::Json("{\"Driver\":" + NamedString(driver).text() +
                               ",\"Pool\":" + NamedString(pool).text() +
                               ",\"Device\":" + NamedString(device).text() +
                               ",\"ShareID\":" + NamedString(share).text() + "}");
}

// What names a device, with or without a share of it.
template <class Device>
void CheckDevice(const Device& device, const Path& path, ErrorList* errors) {
  errors->Append(ValidateCsiDriverName(device.driver, path.Child("driver")));
  CheckPoolName(device.pool, path.Child("pool"), errors);
  errors->Append(ValidateDNS1123Label(device.device, path.Child("device")));
}

void CheckNetworkData(const NetworkDeviceData& data, const Path& path, ErrorList* errors) {
  constexpr size_t kMaxInterfaceName = 256;
  constexpr size_t kMaxHardwareAddress = 128;
  constexpr size_t kMostAddresses = 16;
  if (data.interfaceName.size() > kMaxInterfaceName) {
    errors->Add(field::TooLong(path.Child("interfaceName"), kMaxInterfaceName));
  }
  if (data.hardwareAddress.size() > kMaxHardwareAddress) {
    errors->Add(field::TooLong(path.Child("hardwareAddress"), kMaxHardwareAddress));
  }
  CheckStringSet(data.ips, kMostAddresses, path.Child("ips"), errors,
                 [&](const std::string& address, const Path& at) {
                   errors->AddInvalid(at, address, IsValidInterfaceAddress(address));
                 });
}

void CheckReport(const AllocatedDeviceStatus& device, const std::set<DeviceID>& allocated,
                 const Path& path, ErrorList* errors) {
  constexpr size_t kMostConditions = 8;
  CheckDevice(device, path, errors);
  if (device.shareID) CheckShareID(*device.shareID, path.Child("shareID"), errors);
  if (!allocated.contains(IDOf(device))) {
    errors->Add(
        field::Invalid(path, Shown(IDOf(device)), "must be an allocated device in the claim"));
  }
  const Path conditions = path.Child("conditions");
  if (device.conditions.size() > kMostConditions) {
    errors->Add(field::TooMany(conditions, static_cast<int64_t>(device.conditions.size()),
                               static_cast<int64_t>(kMostConditions)));
  }
  errors->Append(ValidateConditions(device.conditions, conditions));
  if (device.data && !device.data->is_null()) {
    CheckRawObject(*device.data, false, path.Child("data"), errors);
  }
  if (device.networkData) {
    CheckNetworkData(*device.networkData, path.Child("networkData"), errors);
  }
}

void CheckResult(const DeviceRequestAllocationResult& result, const DeviceRequestNames& names,
                 const Path& path, ErrorList* errors) {
  names.CheckReference(result.request, path.Child("request"), errors);
  CheckDevice(result, path, errors);
  CheckBindingConditions(result.bindingConditions, result.bindingFailureConditions, path, errors);
  CheckDeviceTolerations(result.tolerations, path.Child("tolerations"), errors);
  if (result.shareID) CheckShareID(*result.shareID, path.Child("shareID"), errors);
}

void CheckAllocation(const AllocationResult& allocation, const DeviceRequestNames& names,
                     const Path& path, ErrorList* errors) {
  constexpr size_t kMostResults = 32;
  constexpr size_t kMostConfigurations = 64;  // of classes, and as many of the claim
  const Path devices = path.Child("devices");
  CheckItems(allocation.devices.results, kMostResults, devices.Child("results"), errors,
             [&](const DeviceRequestAllocationResult& result, const Path& at) {
               CheckResult(result, names, at, errors);
             });
  CheckItems(allocation.devices.config, kMostConfigurations, devices.Child("config"), errors,
             [&](const DeviceAllocationConfiguration& config, const Path& at) {
               const Path source = at.Child("source");
               if (config.source.empty()) {
                 errors->Add(field::Required(source, ""));
               } else if (!IsOneOf(config.source, {"FromClaim", "FromClass"})) {
                 errors->Add(field::NotSupported(source, NamedString(config.source),
                                                 {"FromClaim", "FromClass"}));
               }
               names.CheckSet(config.requests, at.Child("requests"), errors);
               CheckDeviceConfiguration(config.opaque, false, at, errors);
             });
  if (allocation.nodeSelector) {
    errors->Append(
        ValidateNodeSelector(*allocation.nodeSelector, false, path.Child("nodeSelector")));
  }
}

void CheckUsers(const ResourceClaimStatus& status, const Path& path, ErrorList* errors) {
  constexpr size_t kMost = 256;
  CheckSet(
      status.reservedFor, kMost, path, errors,
      [&](const ResourceClaimConsumerReference& user, const Path& at) {
        if (user.resource.empty()) errors->Add(field::Required(at.Child("resource"), ""));
        if (user.name.empty()) errors->Add(field::Required(at.Child("name"), ""));
        if (user.uid.empty()) errors->Add(field::Required(at.Child("uid"), ""));
      },
      [](const auto& user) { return std::string_view(user.uid); },
      [](const auto& user) { return NamedString(user.uid); });
}

// Nobody may use what was not given, and nobody new what is about to be taken back.
void CheckUse(const ResourceClaim& claim, const ResourceClaimStatus& old_status, const Path& path,
              ErrorList* errors) {
  const auto& users = claim.status.reservedFor;
  if (users.empty()) return;
  if (!claim.status.allocation) {
    errors->Add(field::Forbidden(path, "may not be specified when `allocated` is not set"));
    return;
  }
  if (!claim.metadata.deletionTimestamp) return;
  using User = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
  const auto parts = [](const ResourceClaimConsumerReference& user) -> User {
    return {user.apiGroup, user.resource, user.name, user.uid};
  };
  std::set<User> old_users;
  for (const auto& user : old_status.reservedFor) old_users.insert(parts(user));
  for (const auto& user : users) {
    if (old_users.contains(parts(user))) continue;
    errors->Add(field::Forbidden(path,
                                 "new entries may not be added while `deallocationRequested` or "
                                 "`deletionTimestamp` are set"));
    return;
  }
}

}  // namespace

ErrorList ValidateResourceClaimStatusUpdate(const ResourceClaim& claim,
                                            const ResourceClaim& old_claim) {
  ErrorList errors = ValidateObjectMetaUpdate(claim.metadata, old_claim.metadata, Path("metadata"));
  const Path path("status");
  const ResourceClaimStatus& status = claim.status;
  const Path users = path.Child("reservedFor");
  CheckUsers(status, users, &errors);
  std::set<DeviceID> allocated;
  if (status.allocation) {
    for (const auto& result : status.allocation->devices.results) allocated.insert(IDOf(result));
  }
  CheckSet(
      status.devices, kAnyNumber, path.Child("devices"), &errors,
      [&](const AllocatedDeviceStatus& device, const Path& at) {
        CheckReport(device, allocated, at, &errors);
      },
      IDOf<AllocatedDeviceStatus>,
      [](const AllocatedDeviceStatus& device) { return Shown(IDOf(device)); });
  CheckUse(claim, old_claim.status, users, &errors);
  const auto& old_allocation = old_claim.status.allocation;
  const Path allocation = path.Child("allocation");
  if (status.allocation && old_allocation) {
    CheckImmutable(status.allocation == old_allocation, UnversionedValue(*status.allocation),
                   allocation, &errors);
  } else if (status.allocation) {
    CheckAllocation(*status.allocation, DeviceRequestNames(claim.spec.devices), allocation,
                    &errors);
  }
  return errors;
}

}  // namespace podium::api
