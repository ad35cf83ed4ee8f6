// What a custom resource's schema and scale paths say of an object that is to be stored (upstream's
// k8s.io/apiextensions-apiserver/pkg/registry/customresource, release 1.36). Rules in CEL are not
// evaluated.
#pragma once

#include <string_view>
#include <vector>

#include "api/types/autoscaling_v1.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::apiserver {

// 422 with every error. Objects are of the shown version's envelope; `subresource` is "" for the
// object itself. What an old object has wrong already may stay so.
Result<void> CheckNewCustom(const ServedResource& resource, const reflect::AnyObject& object);
Result<void> CheckChangedCustom(const ServedResource& resource, std::string_view subresource,
                                const reflect::AnyObject& object, const reflect::AnyObject& old);

// For the header Warning: finalizers that are new and have no domain.
std::vector<std::string> WarnOfCustom(const reflect::AnyObject& object,
                                      const reflect::AnyObject* old);

// The Scale of an object. 500 where the paths lead to something else than numbers, and where there
// is no number of replicas, unless that is to be the least int32.
Result<api::autoscaling::v1::Scale> CustomScaleOf(const ServedResource& resource,
                                                  const reflect::AnyObject& object,
                                                  bool missing_is_least);
// Writes its replicas into the object. 422, 409.
Result<void> ApplyCustomScale(const ServedResource& resource,
                              const api::autoscaling::v1::Scale& scale, reflect::AnyObject* object);

}  // namespace podium::apiserver
