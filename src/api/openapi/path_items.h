// Path items of OpenAPI from operations. Private to api/openapi.
#pragma once

#include "api/openapi/operations.h"
#include "api/openapi/schemas.h"

namespace podium::api::openapi {

JsonValue PathItem(const Path& path, Version version);

// The parameters that path items of v2 refer to, and v2's object of them.
JsonValue SharedParameters();

}  // namespace podium::api::openapi
