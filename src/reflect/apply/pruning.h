// Taking out what a manager applied before and does not apply any more. Private to reflect/apply.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "reflect/apply/field_manager.h"
#include "reflect/apply/updater.h"

namespace podium::reflect {

// Takes out of *merged what is in `last`, and owned by none of `sets`; `manager` among them has
// what it applies now. What is in an element, an entry or a struct that goes, goes with it, owned
// or not. `last` and the sets may be of other versions than *merged; those of versions that are not
// known any more do not count.
//
// Semantics are those of structured-merge-diff v6, Updater.prune.
Result<void> Prune(const FieldManagerHooks& hooks, const ManagedSet& last, const ManagedSets& sets,
                   VersionedValue* merged);

// A value in another version; kNotFound when it is not known.
Result<VersionedValue> ConvertTo(const FieldManagerHooks& hooks, const VersionedValue& value,
                                 std::string_view api_version);

}  // namespace podium::reflect
