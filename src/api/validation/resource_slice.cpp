#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/resource_names.h"
#include "api/validation/common.h"
#include "api/validation/device_parts.h"
#include "api/validation/devices.h"
#include "api/validation/object_meta.h"
#include "api/validation/scheduling.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"
#include "reflect/regexp/regexp.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using resource::v1::Counter;
using resource::v1::CounterSet;
using resource::v1::Device;
using resource::v1::DeviceAttribute;
using resource::v1::DeviceCapacity;
using resource::v1::DeviceCounterConsumption;
using resource::v1::ResourcePool;
using resource::v1::ResourceSlice;
using resource::v1::ResourceSliceSpec;

namespace {

// domain/name, both as long as they may be.
constexpr size_t kMaxQualifiedName = 63 + 1 + 32;

// How many devices a slice may have depends on what they say of themselves.
size_t MostDevices(const ResourceSliceSpec& spec) {
  constexpr size_t kMost = 128;
  constexpr size_t kMostOfLarge = 64;
  const auto is_list = [](const auto& entry) {
    const DeviceAttribute& attribute = entry.second;
    return !attribute.bools.empty() || !attribute.ints.empty() || !attribute.strings.empty() ||
           !attribute.versions.empty();
  };
  const bool any_large = std::ranges::any_of(spec.devices, [&](const Device& device) {
    return !device.taints.empty() || !device.consumesCounters.empty() ||
           std::ranges::any_of(device.attributes, is_list);
  });
  return any_large ? kMostOfLarge : kMost;
}

void CheckText(const std::string& text, const Path& path, ErrorList* errors) {
  constexpr size_t kMaxBytes = 64;
  if (text.size() > kMaxBytes) errors->Add(field::TooLong(path, kMaxBytes));
}

// Of semver.org, 2.0.0.
void CheckVersion(const std::string& version, const Path& path, ErrorList* errors) {
  static const auto kForm = *reflect::Regexp::Compile(
      R"(^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*))"
      R"((-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?)"
      R"((\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$)");
  // A text too long to be searched is none.
  if (!kForm.Match(version).value_or(false)) {
    errors->Add(
        field::Invalid(path, version, "must be a string compatible with semver.org spec 2.0.0"));
  }
  CheckText(version, path, errors);
}

void CheckAttribute(const DeviceAttribute& attribute, const Path& path, ErrorList* errors) {
  if (attribute.string) CheckText(*attribute.string, path.Child("string"), errors);
  if (attribute.version) CheckVersion(*attribute.version, path.Child("version"), errors);
  const Path strings = path.Child("strings");
  for (size_t i = 0; i < attribute.strings.size(); ++i) {
    CheckText(attribute.strings[i], strings.Index(i), errors);
  }
  const Path versions = path.Child("versions");
  for (size_t i = 0; i < attribute.versions.size(); ++i) {
    CheckVersion(attribute.versions[i], versions.Index(i), errors);
  }
  const int set = int{attribute.bool_.has_value()} + int{attribute.int_.has_value()} +
                  int{attribute.string.has_value()} + int{attribute.version.has_value()} +
                  int{!attribute.bools.empty()} + int{!attribute.ints.empty()} +
                  int{!attribute.strings.empty()} + int{!attribute.versions.empty()};
  if (set == 1) return;
  const field::BadValue shown = set == 0 ? field::BadValue("") : UnversionedValue(attribute);
  errors->Add(field::Invalid(path, shown, "exactly one value must be specified"));
}

// What lists hold counts each.
size_t CountValues(const DeviceAttribute& attribute) {
  const size_t listed = attribute.bools.size() + attribute.ints.size() + attribute.strings.size() +
                        attribute.versions.size();
  return std::max<size_t>(listed, 1);
}

void CheckAttributes(const Device& device, const Path& path, ErrorList* errors) {
  constexpr size_t kMost = 32;
  constexpr size_t kMostValues = 48;
  const size_t count = device.attributes.size() + device.capacity.size();
  if (count > kMost) {
    errors->Add(field::Invalid(
        path, count,
        "the total number of attributes and capacities must not exceed " + std::to_string(kMost)));
  }
  size_t values = 0;
  for (const auto& [name, attribute] : device.attributes) values += CountValues(attribute);
  if (values > kMostValues) {
    errors->Add(field::Invalid(
        path, values,
        "the total number of attribute values must not exceed " + std::to_string(kMostValues)));
  }
  const auto check_name = [&](const std::string& name, const Path& at) {
    CheckDeviceName(name, at, errors);
  };
  CheckEntries(device.attributes, kMaxQualifiedName, path.Child("attributes"), check_name,
               [&](const DeviceAttribute& attribute, const Path& at) {
                 CheckAttribute(attribute, at, errors);
               });
  CheckEntries(device.capacity, kMaxQualifiedName, path.Child("capacity"), check_name,
               [&](const DeviceCapacity& capacity, const Path& at) {
                 if (!capacity.requestPolicy) return;
                 const Path policy = at.Child("requestPolicy");
                 if (device.allowMultipleAllocations.value_or(false)) {
                   CheckRequestPolicy(capacity.value, *capacity.requestPolicy, policy, errors);
                 } else {
                   errors->Add(field::Forbidden(policy, "allowMultipleAllocations must be true"));
                 }
               });
}

// Any amount of a counter is valid.
void CheckCounters(const reflect::Map<Counter>& counters, const Path& path, ErrorList* errors) {
  constexpr size_t kMost = 32;
  if (counters.empty()) errors->Add(field::Required(path, ""));
  if (counters.size() > kMost) {
    errors->Add(
        field::TooMany(path, static_cast<int64_t>(counters.size()), static_cast<int64_t>(kMost)));
    return;
  }
  for (const auto& [name, counter] : counters) errors->Append(ValidateDNS1123Label(name, path));
}

void CheckCounterSetName(const std::string& name, const Path& path, ErrorList* errors) {
  if (name.empty()) {
    errors->Add(field::Required(path, ""));
  } else {
    errors->Append(ValidateDNS1123Label(name, path));
  }
}

void CheckNodeName(const std::string& name, const Path& path, ErrorList* errors) {
  errors->AddInvalid(path, name, NameIsDNSSubdomain(name, false));
}

// Ways to say on which nodes devices can be used, of which one is to be chosen.
class NodeChoice {
 public:
  void Add(std::string_view name) {
    if (count_++ > 0) names_ += ", ";
    names_.append("`").append(name).append("`");
  }
  // A choice that is there must be true.
  void AddFlag(const std::optional<bool>& flag, std::string_view name, const Path& path,
               ErrorList* errors) {
    if (flag.value_or(false)) {
      Add(name);
    } else if (flag) {
      errors->Add(field::Invalid(path.Child(name), false, "must be either unset or set to true"));
    }
  }
  // `several` is said of more than one.
  void Check(std::string_view one, const std::string& several, const Path& path,
             ErrorList* errors) const {
    if (count_ == 0) errors->Add(field::Required(path, one));
    if (count_ > 1) errors->Add(field::Invalid(path, "{" + names_ + "}", several));
  }

 private:
  int count_ = 0;
  std::string names_;
};

void CheckDeviceNodes(const Device& device, bool per_device, const Path& path, ErrorList* errors) {
  if (!per_device) {
    if (device.nodeName || device.nodeSelector || device.allNodes) {
      errors->Add(field::Invalid(path, nullptr,
                                 "`nodeName`, `nodeSelector` and `allNodes` can only be set if "
                                 "`perDeviceNodeSelection` is set to true in the ResourceSlice "
                                 "spec"));
    }
    return;
  }
  NodeChoice choice;
  const Path name = path.Child("nodeName");
  if (device.nodeName && device.nodeName->empty()) {
    errors->Add(field::Invalid(name, "", "must not be empty"));
  } else if (device.nodeName) {
    choice.Add("nodeName");
    CheckNodeName(*device.nodeName, name, errors);
  }
  if (device.nodeSelector) {
    choice.Add("nodeSelector");
    errors->Append(ValidateNodeSelector(*device.nodeSelector, false, path.Child("nodeSelector")));
  }
  choice.AddFlag(device.allNodes, "allNodes", path, errors);
  const std::string one =
      "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
      "`perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  choice.Check(one, one, path, errors);
}

void CheckNodeResources(const Device& device, const Path& path, ErrorList* errors) {
  for (const auto& [name, mapping] : device.nodeAllocatableResourceMappings) {
    const Path at = path.Key(name);
    if (!IsNativeResource(name)) {
      errors->Add(
          field::Invalid(at, NamedString(name), "must be a node allocatable resource name"));
    }
    const auto& factor = mapping.allocationMultiplier;
    const auto& key = mapping.capacityKey;
    if (!factor && !key) {
      errors->Add(field::Invalid(
          at, "", "at least one of allocationMultiplier or capacityKey must be set"));
    }
    if (factor && factor->Sign() <= 0) {
      errors->Add(
          field::Invalid(at.Child("allocationMultiplier"), factor->String(), "must be positive"));
    }
    const Path key_path = at.Child("capacityKey");
    if (key && key->empty()) {
      errors->Add(field::Invalid(key_path, "", "capacityKey must not be an empty string"));
    } else if (key && !device.capacity.contains(*key)) {
      errors->Add(field::NotFound(key_path, NamedString(*key)));
    }
  }
}

// `old_device` is null where there was none of the name.
void CheckDevice(const Device& device, const Device* old_device, bool per_device, const Path& path,
                 ErrorList* errors) {
  constexpr size_t kMostTaints = 16;
  constexpr size_t kMostConsumptions = 2;
  errors->Append(ValidateDNS1123Label(device.name, path.Child("name")));
  CheckAttributes(device, path, errors);
  if (!old_device || !SameLists(device.taints, old_device->taints)) {
    CheckItems(device.taints, kMostTaints, path.Child("taints"), errors,
               [&](const auto& taint, const Path& at) { CheckDeviceTaint(taint, at, errors); });
  }
  const auto set_name = [](const DeviceCounterConsumption& consumption) {
    return std::string_view(consumption.counterSet);
  };
  CheckSet(
      device.consumesCounters, kMostConsumptions, path.Child("consumesCounters"), errors,
      [&](const DeviceCounterConsumption& consumption, const Path& at) {
        CheckCounterSetName(consumption.counterSet, at.Child("counterSet"), errors);
        CheckCounters(consumption.counters, at.Child("counters"), errors);
      },
      set_name, set_name);
  CheckDeviceNodes(device, per_device, path, errors);
  CheckBindingConditions(device.bindingConditions, device.bindingFailureConditions, path, errors);
  CheckNodeResources(device, path.Child("nodeAllocatableResourceMappings"), errors);
}

void CheckPool(const ResourcePool& pool, const Path& path, ErrorList* errors) {
  CheckPoolName(pool.name, path.Child("name"), errors);
  errors->Append(ValidatePositiveField(pool.resourceSliceCount, path.Child("resourceSliceCount")));
  if (pool.generation < 0) {
    errors->Add(field::Invalid(path.Child("generation"), pool.generation,
                               "must be greater than or equal to zero"));
  }
}

// Which nodes the devices of the slice can be used on.
void CheckNodes(const ResourceSliceSpec& spec, const Path& path, ErrorList* errors) {
  NodeChoice choice;
  const Path name = path.Child("nodeName");
  if (spec.nodeName && spec.nodeName->empty()) {
    errors->Add(field::Invalid(name, "", "must be either unset or set to a non-empty string"));
  } else if (spec.nodeName) {
    choice.Add("nodeName");
    CheckNodeName(*spec.nodeName, name, errors);
  }
  if (spec.nodeSelector) {
    choice.Add("nodeSelector");
    const Path selector = path.Child("nodeSelector");
    errors->Append(ValidateNodeSelector(*spec.nodeSelector, false, selector));
    const auto& terms = spec.nodeSelector->nodeSelectorTerms;
    if (terms.size() != 1) {
      const reflect::List<core::v1::NodeSelectorTerm>& list = terms;
      const field::BadValue shown =
          terms.empty() && !terms.is_null() ? field::BadValue::Json("[]") : UnversionedValue(list);
      errors->Add(field::Invalid(selector.Child("nodeSelectorTerms"), shown,
                                 "must have exactly one node selector term"));
    }
  }
  choice.AddFlag(spec.allNodes, "allNodes", path, errors);
  choice.AddFlag(spec.perDeviceNodeSelection, "perDeviceNodeSelection", path, errors);
  const std::string one =
      "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  choice.Check(one, one + ", but multiple fields are set", path, errors);
}

// `old_spec` is null for a new slice.
void CheckSpec(const ResourceSliceSpec& spec, const ResourceSliceSpec* old_spec,
               ErrorList* errors) {
  constexpr size_t kMostCounterSets = 8;
  const Path path("spec");
  const Path driver = path.Child("driver");
  const Path pool = path.Child("pool");
  errors->Append(ValidateCsiDriverName(spec.driver, driver));
  CheckPool(spec.pool, pool, errors);
  if (old_spec) {
    CheckImmutable(spec.pool.name == old_spec->pool.name, spec.pool.name, pool.Child("name"),
                   errors);
    CheckImmutable(spec.driver == old_spec->driver, spec.driver, driver, errors);
    CheckImmutable(spec.nodeName == old_spec->nodeName, spec.nodeName, path.Child("nodeName"),
                   errors);
  }
  CheckNodes(spec, path, errors);
  if (!spec.sharedCounters.empty() && !spec.devices.empty()) {
    errors->Add(field::Invalid(path, "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  std::map<std::string_view, const Device*> old_devices;
  if (old_spec) {
    for (const Device& device : old_spec->devices) old_devices.emplace(device.name, &device);
  }
  CheckNamedSet(spec.devices, MostDevices(spec), path.Child("devices"), errors,
                [&](const Device& device, const Path& at) {
                  const auto found = old_devices.find(device.name);
                  CheckDevice(device, found == old_devices.end() ? nullptr : found->second,
                              spec.perDeviceNodeSelection.value_or(false), at, errors);
                });
  CheckNamedSet(spec.sharedCounters, kMostCounterSets, path.Child("sharedCounters"), errors,
                [&](const CounterSet& set, const Path& at) {
                  CheckCounterSetName(set.name, at.Child("name"), errors);
                  CheckCounters(set.counters, at.Child("counters"), errors);
                });
}

}  // namespace

ErrorList ValidateResourceSlice(const ResourceSlice& slice) {
  ErrorList errors =
      ValidateObjectMeta(slice.metadata, Scope::kCluster, NameIsDNSSubdomain, Path("metadata"));
  CheckSpec(slice.spec, nullptr, &errors);
  return errors;
}

ErrorList ValidateResourceSliceUpdate(const ResourceSlice& slice, const ResourceSlice& old_slice) {
  ErrorList errors = ValidateObjectMetaUpdate(slice.metadata, old_slice.metadata, Path("metadata"));
  CheckSpec(slice.spec, &old_slice.spec, &errors);
  return errors;
}

}  // namespace podium::api
