// Where a webhook is asked, of admission and of conversion alike: its URL, or a ready endpoint of
// its service, which is asked by address under the service's name (upstream's
// k8s.io/apiserver/pkg/util/webhook and proxy, release 1.36).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/objects.h"
#include "base/result.h"

namespace podium::apiserver {

inline constexpr int32_t kWebhookPort = 443;

struct WebhookService {
  std::string name_space;
  std::string name;
  std::optional<std::string> path{};
  int32_t port = kWebhookPort;
};

struct WebhookTarget {
  std::string url;    // that is asked
  std::string shown;  // in messages
  std::string host;   // for the header; "": the URL's own
};

// One endpoint that is ready, chosen by `random`. kNotFound, kUnavailable. Threads: any; nothing
// waits.
Result<WebhookTarget> TargetOfService(const Objects& objects, const WebhookService& reference,
                                      uint64_t random);
// The name of its certificate: web.default.svc.
std::string WebhookServiceName(std::string_view name_space, std::string_view name);

}  // namespace podium::apiserver
