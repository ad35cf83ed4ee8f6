// Versions of a kind as views of the one that is stored (Resource::stored_version): each object of
// one is read as an object of the other, and back, without loss; what one version has no field for
// travels in the places that upstream keeps for it (k8s.io/kubernetes/pkg/apis/*/conversion.go,
// release 1.36).
//
//   batch     v1beta1 v1   CronJob              the same fields
//   policy    v1beta1 v1   PodDisruptionBudget  an empty selector means another thing
//             v1beta1 v1   Eviction             the same fields
//   discovery v1beta1 v1   EndpointSlice        topology: nodeName, zone, deprecatedTopology
//   core v1, events v1     Event                other names of fields
//   autoscaling v1 v2      HorizontalPodAutoscaler  metrics, behavior and conditions: annotations
//
// Defaults are the caller's: they belong to the version that a client wrote. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::api {

// Whether ConvertObject can; every type can become itself.
bool IsConvertible(const reflect::Type& from, const reflect::Type& to);

// A new object; of its apiVersion and kind those are set that the object itself has. kUnsupported
// when nothing leads from one type to the other.
Result<reflect::AnyObject> ConvertObject(const reflect::Type& from, const void* object,
                                         const reflect::Type& to);

// What clients up to release 1.22 get and put at pods/ephemeralcontainers, as JSON: kind
// EphemeralContainers of v1, with the pod's metadata and its ephemeral containers.
Result<std::string> EphemeralContainersOf(const core::v1::Pod& pod);
// The pod that such a client wants to have: `live` with its ephemeral containers, and with the
// resourceVersion and uid that it was written for, if it names some. kInvalidArgument when the text
// is no such object, or is of another pod.
Result<core::v1::Pod> WithEphemeralContainers(const core::v1::Pod& live, std::string_view json);

}  // namespace podium::api
