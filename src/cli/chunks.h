// How many objects of a list are asked for at a time (--chunk-size).
#pragma once

#include "base/result.h"
#include "cli/command.h"
#include "http/url.h"

namespace podium::cli {

inline constexpr Option kChunkSizeOption = {
    .name = "chunk-size",
    .value = "COUNT",
    .help = "objects that are asked for at a time; 500 if not given, 0 for all at once",
    .repeatable = true};

// kInvalidArgument with kubectl's words where it is no number.
Result<void> CheckChunkSize(const Invocation& invocation);
// The list's parameter "limit"; none for all at once.
void AddLimit(const Invocation& invocation, http::QueryParameters* parameters);

}  // namespace podium::cli
