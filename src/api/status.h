// Errors as the API answers them: metav1.Status (upstream's k8s.io/apimachinery/pkg/api/errors).
#pragma once

#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/types/meta_v1.h"
#include "reflect/apply/field_manager.h"

namespace podium::api {

// An object of this kind that its validation refused: code 422, reason Invalid, a cause for each
// error in order, and a message of all of them, `Deployment.apps "d" is invalid: [...]`. `group` is
// "" for core; errors that read the same count once in the message.
meta::v1::Status InvalidStatus(std::string_view group, std::string_view kind, std::string_view name,
                               const field::ErrorList& errors);

// A server-side apply that was refused: code 409, reason Conflict, a cause FieldManagerConflict for
// each field in order, and reflect::ConflictMessage. There is at least one.
meta::v1::Status ApplyConflictStatus(const std::vector<reflect::FieldConflict>& conflicts);

}  // namespace podium::api
