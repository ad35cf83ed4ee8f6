// Tolerations as an annotation held them before they were a field. Internal to the folder.
#pragma once

#include <string_view>

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::api {

// Reads a JSON list of tolerations as Go's encoding/json reads it into upstream's untagged struct:
// names of fields in letters of any size, unknown ones passed over, null for what stays empty. The
// error is Go's, of the syntax or of the first value that has a wrong type.
Result<reflect::List<core::v1::Toleration>> TolerationsFromAnnotation(std::string_view text);

}  // namespace podium::api
