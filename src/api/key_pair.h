// A certificate and the key that is said to be its own, as Secrets of type kubernetes.io/tls hold
// them.
#pragma once

#include <string_view>

#include "base/result.h"

namespace podium::api {

// Whether both texts are PEM, and the key is that of the first certificate. Neither signatures nor
// times are looked at. Errors are kInvalidArgument with the texts of Go's crypto/tls (X509KeyPair),
// which upstream's users see. Keeps no state; any thread.
Result<void> CheckKeyPair(std::string_view certificates, std::string_view key);

}  // namespace podium::api
