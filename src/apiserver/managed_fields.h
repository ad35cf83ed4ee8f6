// Who owns which field of an object: what a write that is no apply adds to metadata.managedFields.
#pragma once

#include <string_view>

#include "api/time.h"
#include "api/types/meta_v1.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "reflect/apply/field_manager.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::apiserver {

// For writes to this resource, or to a subresource of it. The resource outlives it.
reflect::FieldManager FieldManagerOf(const ServedResource& resource, std::string_view subresource);

// `object` is to replace `live`, null when it is new; both are of the resource's type. Sets the
// object's managedFields.
Result<void> TrackFields(const ServedResource& resource, std::string_view subresource,
                         std::string_view manager, api::Time now, const void* live,
                         reflect::AnyObject* object);

// The managedFields that `object` has when it replaces `live`, null when it is new, by a write that
// `fields` is about. Both are of `type`.
Result<reflect::List<api::meta::v1::ManagedFieldsEntry>> TrackedEntries(
    const reflect::FieldManager& fields, const reflect::Type& type, std::string_view manager,
    api::Time now, const void* live, const void* object);

// managedFields as a tree, null when there are none, and back; of a null pointer none.
Result<reflect::JsonValue> EntriesTree(const api::meta::v1::ObjectMeta& metadata);
Result<reflect::List<api::meta::v1::ManagedFieldsEntry>> EntriesOf(
    const reflect::JsonValue* entries);

// Whether the two, of one type, are the same but for resourceVersion and the times of
// managedFields: then a write of one over the other changes nothing.
bool SameButForTimes(const reflect::Type& type, const void* a, const void* b);

}  // namespace podium::apiserver
