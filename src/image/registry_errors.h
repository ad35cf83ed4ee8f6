// What a registry's refusal means, in the words that users of containerd know, with what to do.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace podium::image {

// "denied: requested access to the resource is denied" of the body of an answer, fit to be shown;
// "" where it is none of a registry's.
std::string RegistryMessage(std::string_view body);

// Of an answer that is no success; reads its body. kUnauthenticated (401), kPermissionDenied (403),
// kNotFound (404), kUnavailable (408, 429, 5xx), kUnsupported (others).
Error StatusError(std::string_view method, http::Response& response);

// Retry-After: seconds, or a date that is compared with `now`.
std::optional<std::chrono::seconds> RetryAfter(std::string_view value,
                                               std::chrono::system_clock::time_point now);

// Adds what to do about an error of the network, where something can be done.
Error WithAdvice(Error error, std::string_view registry);

}  // namespace podium::image
