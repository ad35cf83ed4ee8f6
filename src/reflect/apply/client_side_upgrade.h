// From client-side to server-side apply: the fields that a manager owns by its updates become
// fields that it applies, so that leaving them out takes them away.
//
// Semantics are those of upstream's package csaupgrade (client-go v0.36). `kubectl apply
// --server-side` does so after its first apply to an object: the managers are those whose updates
// own LastAppliedField(), and the configuration is applied once more when there was a patch.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"

namespace podium::reflect {

// .metadata.annotations.kubectl.kubernetes.io/last-applied-configuration
FieldSet LastAppliedField();

enum class ManagedOperation { kApply, kUpdate };

// The managers of the entries of metadata.managedFields (null when there are none) that own all of
// `fields` by the operation. Entries that cannot be read own nothing.
std::set<std::string> FieldsOwners(const JsonValue* entries, ManagedOperation operation,
                                   const FieldSet& fields);

// The entries when what `client_managers` own by updates to the subresource ("" for the object
// itself) is applied by `server_manager`. That one's entry gets what theirs has in the same
// version; when it has none, the first of theirs becomes it. Their other entries go. The error is
// upstream's: a set cannot be read.
Result<JsonValue> UpgradeManagedFields(JsonValue entries,
                                       const std::set<std::string>& client_managers,
                                       std::string_view server_manager,
                                       std::string_view subresource = "");

// The JSON patch that does so to an object, and only while it is as it was read. Nothing when there
// is nothing to do.
Result<std::optional<JsonValue>> UpgradeManagedFieldsPatch(
    const JsonValue& object, const std::set<std::string>& client_managers,
    std::string_view server_manager, std::string_view subresource = "");

}  // namespace podium::reflect
