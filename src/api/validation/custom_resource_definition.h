// Rules for CustomResourceDefinition (upstream's
// k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation, release 1.36). The objects have
// their defaults.
//
// Upstream checks an unversioned form of the definition, and its errors say so: what all versions
// have in common stands in spec.validation, spec.subresources and so on, a webhook in
// spec.conversion.webhookClientConfig.
//
// Rules in CEL (x-kubernetes-validations) are checked for all that needs no reading of their
// expressions: podium has no CEL, and neither compiles them nor counts what they cost.
#pragma once

#include "api/field_errors.h"
#include "api/types/apiextensions_v1.h"

namespace podium::api {

field::ErrorList ValidateCustomResourceDefinition(
    const apiextensions::v1::CustomResourceDefinition& definition);
field::ErrorList ValidateCustomResourceDefinitionUpdate(
    const apiextensions::v1::CustomResourceDefinition& definition,
    const apiextensions::v1::CustomResourceDefinition& old_definition);
field::ErrorList ValidateCustomResourceDefinitionStatusUpdate(
    const apiextensions::v1::CustomResourceDefinition& definition,
    const apiextensions::v1::CustomResourceDefinition& old_definition);

}  // namespace podium::api
