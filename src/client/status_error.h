// A server's answer that is no success, as an Error: the message is the server's own, the code is
// chosen by its reason (upstream's k8s.io/apimachinery/pkg/api/errors).
#pragma once

#include <string_view>

#include "base/error.h"

namespace podium::client {

// `body` is a metav1.Status in JSON, or something else that a proxy or another server wrote: then
// the message is the one that client-go makes of the HTTP status. `what`: "get pods web".
Error ErrorOfAnswer(int http_status, std::string_view body, std::string_view what);

}  // namespace podium::client
