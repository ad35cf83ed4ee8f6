// Rules for webhooks of admission (upstream's pkg/apis/admissionregistration/validation, release
// 1.36). The objects have their defaults. Expressions of match conditions are there, but nobody
// compiles them: podium has no CEL.
#pragma once

#include "api/field_errors.h"
#include "api/types/admissionregistration_v1.h"

namespace podium::api {

field::ErrorList ValidateValidatingWebhookConfiguration(
    const admissionregistration::v1::ValidatingWebhookConfiguration& hooks);
field::ErrorList ValidateValidatingWebhookConfigurationUpdate(
    const admissionregistration::v1::ValidatingWebhookConfiguration& hooks,
    const admissionregistration::v1::ValidatingWebhookConfiguration& old_hooks);
field::ErrorList ValidateMutatingWebhookConfiguration(
    const admissionregistration::v1::MutatingWebhookConfiguration& hooks);
field::ErrorList ValidateMutatingWebhookConfigurationUpdate(
    const admissionregistration::v1::MutatingWebhookConfiguration& hooks,
    const admissionregistration::v1::MutatingWebhookConfiguration& old_hooks);

}  // namespace podium::api
