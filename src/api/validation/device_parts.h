// What the rules of the kinds of resource.k8s.io share. Private to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/resource_v1.h"

namespace podium::api {

inline constexpr size_t kAnyNumber = std::numeric_limits<size_t>::max();

// Calls check(item, path) for each item. Of too many none is looked at, and false returned.
template <class T, class Check>
bool CheckItems(const reflect::List<T>& items, size_t max, const field::Path& path,
                field::ErrorList* errors, Check check) {
  if (items.size() > max) {
    errors->Add(
        field::TooMany(path, static_cast<int64_t>(items.size()), static_cast<int64_t>(max)));
    return false;
  }
  for (size_t i = 0; i < items.size(); ++i) check(items[i], path.Index(i));
  return true;
}

// The same of items that differ in key(item), of which show(item) is printed; that they do comes
// after what is wrong with each.
template <class T, class Check, class Key, class Show>
void CheckSet(const reflect::List<T>& items, size_t max, const field::Path& path,
              field::ErrorList* errors, Check check, Key key, Show show) {
  if (!CheckItems(items, max, path, errors, check)) return;
  std::set<decltype(key(items[0]))> seen;
  for (size_t i = 0; i < items.size(); ++i) {
    if (seen.insert(key(items[i])).second) continue;
    errors->Add(field::Duplicate(path.Index(i), show(items[i])));
  }
}
template <class T, class Check>
void CheckNamedSet(const reflect::List<T>& items, size_t max, const field::Path& path,
                   field::ErrorList* errors, Check check) {
  const auto name = [](const T& item) { return std::string_view(item.name); };
  CheckSet(items, max, path, errors, check, name, name);
}
template <class Check>
void CheckStringSet(const reflect::List<std::string>& items, size_t max, const field::Path& path,
                    field::ErrorList* errors, Check check) {
  const auto self = [](const std::string& item) { return std::string_view(item); };
  CheckSet(items, max, path, errors, check, self, self);
}

// Calls check(value, path) for each entry, behind check_key(key, path of the map). What is in the
// middle of a key that is longer than `max_key` is left out of the path.
template <class T, class CheckKey, class Check>
void CheckEntries(const reflect::Map<T>& entries, size_t max_key, const field::Path& path,
                  CheckKey check_key, Check check) {
  for (const auto& [key, value] : entries) {
    check_key(key, path);
    if (key.size() <= max_key) {
      check(value, path.Key(key));
      continue;
    }
    const size_t kept = max_key - 3;
    const std::string shortened =
        key.substr(0, (kept + 1) / 2) + "..." + key.substr(key.size() - kept / 2);
    check(value, path.Key(shortened));
  }
}

// DNS subdomains, divided by slashes.
void CheckPoolName(const std::string& name, const field::Path& path, field::ErrorList* errors);

// A UUID in its usual form.
void CheckShareID(const std::string& id, const field::Path& path, field::ErrorList* errors);

// "name", or "domain/name".
void CheckDeviceName(const std::string& name, const field::Path& path, field::ErrorList* errors);
// Only "domain/name".
void CheckFullDeviceName(const std::string& name, const field::Path& path,
                         field::ErrorList* errors);

void CheckDeviceSelectors(const reflect::List<resource::v1::DeviceSelector>& selectors,
                          const field::Path& path, field::ErrorList* errors);

// Settings that are stored already may be longer than new ones.
void CheckDeviceConfiguration(const reflect::Box<resource::v1::OpaqueDeviceConfiguration>& opaque,
                              bool stored, const field::Path& path, field::ErrorList* errors);

// A JSON object, of a limited size unless it is stored already.
void CheckRawObject(const reflect::RawJson& raw, bool stored, const field::Path& path,
                    field::ErrorList* errors);

void CheckDeviceTaint(const resource::v1::DeviceTaint& taint, const field::Path& path,
                      field::ErrorList* errors);
void CheckDeviceTolerations(const reflect::List<resource::v1::DeviceToleration>& tolerations,
                            const field::Path& path, field::ErrorList* errors);

// bindingConditions and bindingFailureConditions below `path`.
void CheckBindingConditions(const reflect::List<std::string>& conditions,
                            const reflect::List<std::string>& failure_conditions,
                            const field::Path& path, field::ErrorList* errors);

// Where the policy of requests for a part of a shared capacity makes sense for that capacity:
// device_capacity.cpp.
void CheckRequestPolicy(const Quantity& capacity, const resource::v1::CapacityRequestPolicy& policy,
                        const field::Path& path, field::ErrorList* errors);

}  // namespace podium::api
