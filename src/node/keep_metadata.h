// What an update of an object at the agent's API leaves as it is.
#pragma once

#include <string_view>

#include "api/types/meta_v1.h"
#include "base/result.h"

namespace podium::node {

// What an update may not change of an object's metadata is taken from the stored one. A version or
// uid that is given and is another than the stored one's is a conflict, in upstream's words.
// `plural`: "pods".
Result<void> KeepMetadata(std::string_view plural, const api::meta::v1::ObjectMeta& stored,
                          api::meta::v1::ObjectMeta* metadata);

}  // namespace podium::node
