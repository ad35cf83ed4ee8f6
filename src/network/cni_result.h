// What a plugin prints.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "network/network.h"

namespace podium::network {

// The pod's network in the result of ADD, of any version of the specification. IPv4 addresses come
// first. kInvalidArgument: it is no result, or has no address of the interface.
Result<PodNetwork> ReadCniResult(std::string_view text, const std::string& interface);

// The sentence of a plugin that failed, as others print it: "plugin type=\"bridge\" failed (add):
// …" with its message and details, or with what it left on standard error.
Error CniFailure(const std::string& type, const std::string& verb, std::string_view output,
                 std::string_view errors, int status);

}  // namespace podium::network
