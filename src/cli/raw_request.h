// Requests to any path of a server, with a file as it is as their body (upstream's
// k8s.io/kubectl/pkg/rawhttp).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"
#include "cli/server.h"

namespace podium::cli {

inline constexpr Option kRawOption = {
    .name = "raw", .value = "PATH", .help = "the file goes to this path of the server as it is"};

// "/api/v1/pods?limit=1", split. A slash goes before what has none.
ServerRequest RawRequest(std::string_view path);

// kInvalidArgument with upstream's words where --filename and --recursive are not those of one
// local file.
Result<void> CheckRawFile(const Invocation& invocation);
Result<void> CheckRawPath(std::string_view path);

// To --raw, with what --filename names as body. The answer is the output.
Result<Outcome> SendRaw(std::string method, const Invocation& invocation, const Streams& streams);

}  // namespace podium::cli
