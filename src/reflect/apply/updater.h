// Who owns which fields, and what an apply or an update makes of it. Private to reflect/apply.
//
// Semantics are those of structured-merge-diff v6, merge.Updater.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "reflect/apply/apply_schema.h"
#include "reflect/apply/comparison.h"
#include "reflect/apply/field_manager.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"

namespace podium::reflect {

struct ManagedSet {
  FieldSet fields;
  std::string api_version;
  bool applied = false;

  friend bool operator==(const ManagedSet&, const ManagedSet&) = default;
};
// By what identifies a manager.
using ManagedSets = std::map<std::string, ManagedSet>;

// A field that an apply would change, and that another manager owns.
struct OwnedField {
  std::string manager;  // in ManagedSets
  FieldPathElements path;
};

class Updater {
 public:
  // Both outlive this.
  Updater(std::string_view api_version, const FieldManagerHooks& hooks)
      : api_version_(api_version), hooks_(hooks) {}

  // *sets after the object `live` became `now`, by the hand of `manager`.
  Result<void> Update(const VersionedValue& live, const VersionedValue& now,
                      const std::string& manager, ManagedSets* sets) const;

  struct Applied {
    JsonValue object;
    bool changed = false;
    // Then nothing was done, and *sets are of no use any more.
    std::vector<OwnedField> conflicts;
  };
  // *sets and the object after `manager` has applied `config` to `live`. Both have passed
  // CheckValue.
  Result<Applied> Apply(VersionedValue live, const JsonValue& config, const std::string& manager,
                        bool force, ManagedSets* sets) const;

 private:
  Result<VersionedValue> Convert(const VersionedValue& value, std::string_view version) const;
  FieldSet Filtered(std::string_view version, FieldSet set) const;
  Comparison Filtered(std::string_view version, Comparison comparison) const;
  Result<void> Reconcile(const VersionedValue& live, ManagedSets* sets) const;
  // What others may own of the changes; kNotFound when the version is not known any more.
  struct Losses {
    FieldSet changed;  // added and modified
    FieldSet removed;
  };
  Result<Losses> LossesIn(const std::string& version, const VersionedValue& live,
                          const VersionedValue& now) const;
  Result<std::vector<OwnedField>> TakeFromOthers(const VersionedValue& live,
                                                 const VersionedValue& now,
                                                 const Comparison& changes,
                                                 const std::string& manager, bool force,
                                                 ManagedSets* sets) const;

  const std::string api_version_;
  const FieldManagerHooks& hooks_;
};

}  // namespace podium::reflect
