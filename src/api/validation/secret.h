// Rules for Secret (upstream's pkg/apis/core/validation, release 1.36). stringData counts as part
// of data, over which it wins, as when a server stores it.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// A new Secret.
field::ErrorList ValidateSecret(const core::v1::Secret& secret);

// One that replaces `old_secret`.
field::ErrorList ValidateSecretUpdate(const core::v1::Secret& secret,
                                      const core::v1::Secret& old_secret);

}  // namespace podium::api
