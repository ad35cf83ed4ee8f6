// The entries of metadata.managedFields, and the sets that they hold. Private to reflect/apply.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/apply/updater.h"
#include "reflect/json_value.h"

namespace podium::reflect {

// The managers of an object. An entry's identity is its manager, operation and subresource, and of
// an update the version.
struct Managed {
  ManagedSets sets;
  std::map<std::string, std::string> times;  // by the same; those that are known
};

struct ManagerInfo {
  std::string manager;
  bool applies = false;     // otherwise it updates
  std::string api_version;  // of one that updates
  std::string subresource;

  // As in ManagedSets: the entry as JSON, so that the order is upstream's too.
  std::string Identifier() const;
  static ManagerInfo Of(const std::string& identifier);
};

// `entries` is metadata.managedFields, or null where there is none. Of an identity that comes twice
// the last entry counts. The errors are upstream's.
Result<Managed> DecodeManaged(const JsonValue* entries);
// Sorted: by operation, time, manager, version, subresource. Null when there are no entries.
JsonValue EncodeManaged(const Managed& managed);

// Of more than `most` entries of updates the oldest of each version become one, ancient-changes.
void CapUpdateManagers(size_t most, Managed* managed);

// What clients send to have the entries dropped: [] or [{}].
bool AsksForReset(const JsonValue* entries);

}  // namespace podium::reflect
