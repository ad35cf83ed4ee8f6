// Sets of a Job's indexes as its fields write them: "1,3-5,7" (upstream's
// pkg/apis/batch/validation, release 1.36).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::api {

// How many indexes `text` holds. Errors, in upstream's words: no number, not ascending, or not
// below `completions`. Empty text is the empty set.
Result<int32_t> CountIndexes(std::string_view text, int32_t completions);

// An error that names an index in both sets. Intervals that cannot be read are passed over.
Result<void> CheckIndexesDisjoint(std::string_view completed, std::string_view failed,
                                  int32_t completions);

}  // namespace podium::api
