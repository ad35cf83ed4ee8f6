// Rules for policies of admission and their bindings (upstream's
// pkg/apis/admissionregistration/validation, release 1.36). The objects have their defaults.
//
// podium has no CEL: that an expression is there, and how long it may be, is checked, but nobody
// compiles it, so that one which upstream refuses for its syntax, types or cost is valid here. No
// such policy is ever evaluated.
#pragma once

#include "api/field_errors.h"
#include "api/types/admissionregistration_v1.h"

namespace podium::api {

field::ErrorList ValidateValidatingAdmissionPolicy(
    const admissionregistration::v1::ValidatingAdmissionPolicy& policy);
field::ErrorList ValidateValidatingAdmissionPolicyUpdate(
    const admissionregistration::v1::ValidatingAdmissionPolicy& policy,
    const admissionregistration::v1::ValidatingAdmissionPolicy& old_policy);
field::ErrorList ValidateValidatingAdmissionPolicyStatusUpdate(
    const admissionregistration::v1::ValidatingAdmissionPolicy& policy,
    const admissionregistration::v1::ValidatingAdmissionPolicy& old_policy);
field::ErrorList ValidateValidatingAdmissionPolicyBinding(
    const admissionregistration::v1::ValidatingAdmissionPolicyBinding& binding);
field::ErrorList ValidateValidatingAdmissionPolicyBindingUpdate(
    const admissionregistration::v1::ValidatingAdmissionPolicyBinding& binding,
    const admissionregistration::v1::ValidatingAdmissionPolicyBinding& old_binding);

field::ErrorList ValidateMutatingAdmissionPolicy(
    const admissionregistration::v1::MutatingAdmissionPolicy& policy);
field::ErrorList ValidateMutatingAdmissionPolicyUpdate(
    const admissionregistration::v1::MutatingAdmissionPolicy& policy,
    const admissionregistration::v1::MutatingAdmissionPolicy& old_policy);
field::ErrorList ValidateMutatingAdmissionPolicyBinding(
    const admissionregistration::v1::MutatingAdmissionPolicyBinding& binding);
field::ErrorList ValidateMutatingAdmissionPolicyBindingUpdate(
    const admissionregistration::v1::MutatingAdmissionPolicyBinding& binding,
    const admissionregistration::v1::MutatingAdmissionPolicyBinding& old_binding);

}  // namespace podium::api
