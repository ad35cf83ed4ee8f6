// pods/binding, and bindings: a scheduler's decision where a pod runs (upstream's BindingREST in
// pkg/registry/core/pod/storage/storage.go, release 1.36). Pure.
#pragma once

#include <string_view>

#include "api/time.h"
#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::apiserver {

// Before the pod is looked for: `pod_name` is the path's. Errors are answers.
Result<void> CheckBinding(const api::core::v1::Binding& binding, std::string_view pod_name);

// Assigns the newest state of the pod; the caller writes it back under compare-and-swap and calls
// this again on the newer one when that is lost. The binding's annotations go to the pod, and what
// labels it has that the pod has not. The generation stays: nobody has changed what is wanted.
// Errors are answers, 409 mostly, and leave the pod as it was.
Result<void> Bind(const api::core::v1::Binding& binding, api::Time now, api::core::v1::Pod* pod);

}  // namespace podium::apiserver
