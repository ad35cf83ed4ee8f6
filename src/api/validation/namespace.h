// Rules for Namespace and for ServiceAccount (upstream's pkg/apis/core/validation, release 1.36).
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

field::ErrorList ValidateNamespace(const core::v1::Namespace& object);
field::ErrorList ValidateNamespaceUpdate(const core::v1::Namespace& object,
                                         const core::v1::Namespace& old_object);
// Through the status subresource: the phase follows from whether the namespace is being deleted.
field::ErrorList ValidateNamespaceStatusUpdate(const core::v1::Namespace& object,
                                               const core::v1::Namespace& old_object);
// Through the finalize subresource, which alone changes spec.finalizers.
field::ErrorList ValidateNamespaceFinalizeUpdate(const core::v1::Namespace& object,
                                                 const core::v1::Namespace& old_object);

field::ErrorList ValidateServiceAccount(const core::v1::ServiceAccount& account);
field::ErrorList ValidateServiceAccountUpdate(const core::v1::ServiceAccount& account,
                                              const core::v1::ServiceAccount& old_account);

}  // namespace podium::api
