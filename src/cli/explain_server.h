// What a resource or a field means, by the OpenAPI v3 document of a server: custom resources, and
// whatever this program does not know (upstream's k8s.io/kubectl/pkg/explain/v2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/server.h"

namespace podium::cli {

// Of "gadgets.spec.size", "gadgets.example.com.spec"; `api_version` may be "". The text is in the
// form of podium explain. Nothing where the server has no such resource, kNotFound where the
// resource has no such field.
Result<std::optional<std::string>> ExplainByServer(Server& server, std::string_view path,
                                                   std::string_view api_version, bool recursive);

}  // namespace podium::cli
