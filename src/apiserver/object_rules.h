// What api's rules say of an object that is to be stored, with what its strategy adds: defaults,
// metadata, validation. Objects of custom resources are asked about their schema instead
// (custom_resources/custom_rules.h). Internal to the writing half.
#pragma once

#include <string_view>

#include "api/object_meta.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/request_options.h"
#include "apiserver/strategies/strategy.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::apiserver {

// The body of a write to the object itself.
Result<reflect::AnyObject> DecodeObject(Call& call, const ServedResource& resource,
                                        FieldValidation validation);

// In the version that was written: what other fields of it say already (a Secret's stringData, a
// pod's podIP), then defaults. Custom resources have had theirs when they were decoded.
void SetObjectDefaults(reflect::AnyObject* object, api::Time now);

// What a client may not set: uid, times, deletion.
void WipeSystemFields(api::meta::v1::ObjectMeta* metadata);

// 422 with every error. `object` and `old` are of the stored type; `subresource` is "" for the
// object itself.
Result<void> CheckNewObject(const ServedResource& resource, const Strategy& strategy,
                            const StrategyContext& context, const reflect::AnyObject& object);
Result<void> CheckChangedObject(const ServedResource& resource, std::string_view subresource,
                                const Strategy& strategy, const StrategyContext& context,
                                const reflect::AnyObject& object, const reflect::AnyObject& old);

// Before the old object is replaced: what stays of its metadata whatever the writer says.
void KeepSystemFields(const api::meta::v1::ObjectMeta& old, api::meta::v1::ObjectMeta* metadata);

// Without finalizers and grace, an object that is being deleted goes.
bool IsReadyToGo(const Strategy& strategy, const reflect::AnyObject& object);

}  // namespace podium::apiserver
